/* SPDX-License-Identifier: ISC */
/* places_list.c - what people are told of places. See places.h. */
#include "watch/place/places.h"

#define REPLY_MAX KIB(800)
#define KEY_CHARS 16

static uint8_t
state_of(const struct place *p)
{
	if (p->agent.revoked_s > 0)
		return AGENT_REVOKED;
	if (p->key == NULL)
		return loop_time(p->sv->loop) < p->agent.until_s ? AGENT_WAITS
		                                                 : AGENT_OVER;
	if (!p->is_active)
		return AGENT_TOO_MANY;
	return p->was_heard && !p->is_silent ? AGENT_HEARD : AGENT_SILENT;
}

static uint32_t
count_checks(const struct place *p)
{
	uint32_t n = 0;

	for (size_t i = 0; i < p->sv->n_watched; i++)
		for (size_t k = 0; k < p->sv->watched[i]->n_seen; k++)
			n += p->sv->watched[i]->seen[k].place == p;
	return n;
}

/* The beginning of the key's digest, for comparing by eye. */
static void
put_digest(struct buf *to, struct str key)
{
	struct crypt_digest *d;
	struct crypt_sum sum;

	if (key.n == 0)
		return;
	d = crypt_digest_new(CRYPT_SHA256);
	crypt_digest_put(d, key);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	for (size_t i = 0; i < KEY_CHARS / 2; i++)
		buf_printf(to, "%02x", sum.v[i]);
}

static void
put_row(const struct place *p, struct buf *to)
{
	struct buf key = BUF_INIT(KIB(1));
	struct msg_agent_row row = { .name = p->agent.id,
		.network = p->agent.network,
		.place = p->agent.place,
		.state = state_of(p),
		.made = p->agent.made_s,
		.token_until = p->agent.until_s,
		.enrolled = p->agent.enrolled_s,
		.revoked = p->agent.revoked_s,
		.seen_ms = p->was_heard ? server_wall_ms(p->sv, p->heard_ms)
		                        : p->agent.seen_s * 1000,
		.skew_ms = (uint64_t)p->skew_ms,
		.checks = count_checks(p),
		.left = p->left,
		.lost = p->lost,
		.software = str_c(p->software) };

	put_digest(&key, p->agent.key);
	row.key = buf_str(&key);
	msg_agent_row_put(to, &row);
	buf_done(&key);
}

bool
places_list(struct server *sv, struct ipc_peer *peer, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX), body = BUF_INIT(MIB(1));
	struct msg_list_reply reply = { 0 };
	struct ipc_return ret;
	struct msg_agent_list q;

	if (!msg_agent_list_get(m->body, &q))
		return false;
	for (size_t i = 0; i < place_count(sv); i++)
		if (str_starts(str_c(place_at(sv, i)->id), q.prefix))
			put_row(place_at(sv, i), &items);
	reply.items = buf_str(&items);
	msg_list_reply_put(&body, &reply);
	ret = ipc_return_new(peer, m);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
	return true;
}

void
places_put(const struct watched *w, struct buf *to)
{
	const struct watch_state *s = &watched_state(w)->state;

	for (size_t i = 0; i < w->n_seen; i++) {
		const struct seen *x = &w->seen[i];
		bool is_own = x->place == NULL;
		struct msg_watch_place row = {
			.verdict = (uint8_t)s->vantages[i].verdict,
			.at_ms = is_own ? w->at_wall_ms : x->at_wall_ms,
			.outcome = (uint8_t)(is_own ? w->outcome : x->outcome),
			.cause = (uint8_t)(is_own ? w->cause : x->cause),
			.us = is_own ? w->us : x->us,
			.text = str_c(is_own ? w->text : x->text),
			.network = STR(STATUS_NETWORK_HERE)
		};

		if (is_own && !w->is_here)
			continue;
		if (!is_own) {
			row.agent = x->place->agent.id;
			row.network = x->place->agent.network;
		}
		msg_watch_place_put(to, &row);
	}
}

/* SPDX-License-Identifier: ISC */
/* agent_message.c - requests and answers of agents. See agent_message.h. */
#include "proto/agent/agent_message.h"

#define FORMAT 1
/* Stands in front of what is signed: a key of an agent signs nothing else. */
#define PURPOSE "mailstead agent 1"

/* --- envelopes --------------------------------------------------------------- */

static void
put_signed(struct buf *to, const struct agent_envelope *e)
{
	wire_put_u8(to, FORMAT);
	wire_put_vstr(to, e->id);
	wire_put_u64(to, e->epoch);
	wire_put_u64(to, e->seq);
	wire_put_u64(to, e->time_ms);
	wire_put_str(to, e->payload);
}

/* Each part with its length: none can be read as part of another. */
static void
digest(const struct agent_envelope *e, const char *path, struct crypt_sum *ret)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	struct buf head = BUF_INIT(KIB(1));

	wire_put_vstr(&head, STR(PURPOSE));
	wire_put_vstr(&head, STR("POST"));
	wire_put_vstr(&head, str_c(path));
	wire_put_vstr(&head, e->id);
	wire_put_u64(&head, e->epoch);
	wire_put_u64(&head, e->seq);
	wire_put_u64(&head, e->time_ms);
	wire_put_u64(&head, e->payload.n);
	crypt_digest_put(d, buf_str(&head));
	crypt_digest_put(d, e->payload);
	crypt_digest_finish(d, ret);
	crypt_digest_free(d);
	buf_done(&head);
}

bool
agent_envelope_seal(struct buf *to, const struct agent_envelope *e,
    const char *path, const struct crypt_key *key)
{
	struct buf signature = BUF_INIT(CRYPT_SIGNATURE_MAX);
	struct crypt_sum sum;
	bool ok;

	digest(e, path, &sum);
	ok = crypt_sign(key, CRYPT_SHA256, &sum, &signature);
	put_signed(to, e);
	wire_put_vstr(to, buf_str(&signature));
	buf_done(&signature);
	return ok && !to->failed;
}

bool
agent_envelope_read(struct str body, struct agent_envelope *ret)
{
	struct wire w = wire_read_version(body, FORMAT);
	struct agent_envelope e = { 0 };

	e.id = wire_get_vstr(&w);
	e.epoch = wire_get_u64(&w);
	e.seq = wire_get_u64(&w);
	e.time_ms = wire_get_u64(&w);
	e.payload = wire_get_str(&w);
	e.signature = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || body.n > AGENT_BODY_MAX || e.id.n == 0 ||
	    e.id.n > AGENT_ID_MAX)
		return false;
	*ret = e;
	return true;
}

bool
agent_envelope_is_by(const struct agent_envelope *e, const char *path,
    const struct crypt_key *key)
{
	struct crypt_sum sum;

	digest(e, path, &sum);
	return crypt_verify(key, CRYPT_SHA256, &sum, e->signature);
}

/* --- enrolment ------------------------------------------------------------------ */

void
agent_enrol_put(struct buf *to, const struct agent_enrol *e)
{
	wire_put_u8(to, FORMAT);
	wire_put_vstr(to, e->token);
	wire_put_vstr(to, e->key);
	wire_put_vstr(to, str_first(e->software, AGENT_SOFTWARE_MAX));
}

bool
agent_enrol_read(struct str payload, struct agent_enrol *ret)
{
	struct wire w = wire_read_version(payload, FORMAT);
	struct agent_enrol e = { 0 };

	e.token = wire_get_vstr(&w);
	e.key = wire_get_vstr(&w);
	e.software = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || e.token.n > AGENT_TOKEN_MAX ||
	    e.key.n != AGENT_KEY_BYTES || e.software.n > AGENT_SOFTWARE_MAX)
		return false;
	*ret = e;
	return true;
}

/* --- results ---------------------------------------------------------------------- */

void
agent_result_put(struct buf *to, const struct agent_result *r)
{
	wire_put_vstr(to, r->key);
	wire_put_varint(to, r->age_ms);
	wire_put_varint(to, r->took_ms);
	wire_put_u8(to, r->outcome);
	wire_put_u8(to, r->cause);
	wire_put_varint(to, r->us);
	wire_put_u16(to, r->days);
	wire_put_vstr(to, str_first(r->text, AGENT_TEXT_MAX));
}

bool
agent_result_read(struct wire *w, struct agent_result *ret)
{
	struct agent_result r = { 0 };

	if (w->failed || w->in.n == 0)
		return false;
	r.key = wire_get_vstr(w);
	r.age_ms = wire_get_varint(w);
	r.took_ms = wire_get_v32(w);
	r.outcome = wire_get_u8(w);
	r.cause = wire_get_u8(w);
	r.us = wire_get_v32(w);
	r.days = wire_get_u16(w);
	r.text = wire_get_vstr(w);
	if (w->failed || r.key.n == 0 || r.key.n > AGENT_KEY_MAX ||
	    r.outcome > AGENT_OUTCOME_MAX || r.text.n > AGENT_TEXT_MAX) {
		w->failed = true;
		return false;
	}
	*ret = r;
	return true;
}

void
agent_sync_put(struct buf *to, const struct agent_sync *s)
{
	wire_put_u8(to, FORMAT);
	wire_put_vstr(to, str_first(s->software, AGENT_SOFTWARE_MAX));
	wire_put_u64(to, s->list);
	wire_put_varint(to, s->left);
	wire_put_varint(to, s->lost);
	wire_put_varint(to, s->n);
	wire_put_str(to, s->results);
	wire_put_varint(to, s->wait_ms);
}

bool
agent_sync_read(struct str payload, struct agent_sync *ret)
{
	struct wire w = wire_read_version(payload, FORMAT);
	struct agent_sync s = { 0 };
	struct agent_result r;
	struct wire results;
	uint32_t n = 0;

	s.software = wire_get_vstr(&w);
	s.list = wire_get_u64(&w);
	s.left = wire_get_varint(&w);
	s.lost = wire_get_varint(&w);
	s.n = wire_get_v32(&w);
	s.results = wire_get_str(&w);
	if (w.in.n > 0)
		s.wait_ms = wire_get_v32(&w);
	if (!wire_is_complete(&w) || s.n > AGENT_RESULTS_MAX ||
	    s.software.n > AGENT_SOFTWARE_MAX)
		return false;
	results = wire_read(s.results);
	while (agent_result_read(&results, &r))
		n++;
	if (results.failed || n != s.n)
		return false;
	*ret = s;
	return true;
}

/* --- answers ------------------------------------------------------------------------ */

void
agent_check_put(struct buf *to, const struct agent_check *c)
{
	wire_put_vstr(to, c->key);
	wire_put_vstr(to, c->row);
}

bool
agent_check_read(struct wire *w, struct agent_check *ret)
{
	struct agent_check c;

	if (w->failed || w->in.n == 0)
		return false;
	c.key = wire_get_vstr(w);
	c.row = wire_get_vstr(w);
	if (w->failed || c.key.n == 0 || c.key.n > AGENT_KEY_MAX) {
		w->failed = true;
		return false;
	}
	*ret = c;
	return true;
}

bool
agent_look_read(struct wire *w, struct str *ret)
{
	struct str key;

	if (w->failed || w->in.n == 0)
		return false;
	key = wire_get_vstr(w);
	if (w->failed || key.n == 0 || key.n > AGENT_KEY_MAX) {
		w->failed = true;
		return false;
	}
	*ret = key;
	return true;
}

void
agent_reply_put(struct buf *to, const struct agent_reply *r)
{
	wire_put_u8(to, FORMAT);
	wire_put_u64(to, r->epoch);
	wire_put_u64(to, r->seq);
	wire_put_u64(to, r->time_ms);
	wire_put_u32(to, r->poll_ms);
	wire_put_u64(to, r->list);
	wire_put_u8(to, r->has_checks);
	wire_put_varint(to, r->n);
	wire_put_str(to, r->checks);
	wire_put_str(to, r->look);
}

static bool
lists_are_sane(const struct agent_reply *r)
{
	struct wire checks = wire_read(r->checks), look = wire_read(r->look);
	struct agent_check c;
	struct str key;
	uint32_t n = 0, looks = 0;

	while (agent_check_read(&checks, &c))
		n++;
	while (agent_look_read(&look, &key))
		looks++;
	return !checks.failed && !look.failed && n == r->n &&
	       n <= AGENT_CHECKS_MAX && looks <= AGENT_LOOK_MAX &&
	       (r->has_checks || n == 0);
}

bool
agent_reply_read(struct str body, struct agent_reply *ret)
{
	struct wire w = wire_read_version(body, FORMAT);
	struct agent_reply r = { 0 };
	uint8_t has_checks;

	r.epoch = wire_get_u64(&w);
	r.seq = wire_get_u64(&w);
	r.time_ms = wire_get_u64(&w);
	r.poll_ms = wire_get_u32(&w);
	r.list = wire_get_u64(&w);
	has_checks = wire_get_u8(&w);
	r.n = wire_get_v32(&w);
	r.checks = wire_get_str(&w);
	r.look = wire_get_str(&w);
	r.has_checks = has_checks == 1;
	if (!wire_is_complete(&w) || has_checks > 1 || !lists_are_sane(&r))
		return false;
	*ret = r;
	return true;
}

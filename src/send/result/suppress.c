/* SPDX-License-Identifier: ISC */
/*
 * suppress.c - addresses that are not tried any more. See suppress.h.
 *
 * Only a refusal for good that means "no such user" or "mailbox disabled"
 * counts (proto/reply): nothing temporary, and nothing that is about our address
 * or a policy.
 */
#include "send/result/suppress.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/metrics.h"
#include "proto/mime/mime_date.h"
#include "proto/suppress/suppress.h"

struct suppressed {
	struct server *sv;
	struct mirror *rows;
};

struct suppressed *
suppressed_new(struct server *sv)
{
	struct suppressed *s = X_NEW(struct suppressed);

	s->sv = sv;
	s->rows = mirror_new(sv->rt, LEDGER_SUPPRESS, STR(""));
	return s;
}

struct mirror *
suppressed_mirror(struct suppressed *s)
{
	return s->rows;
}

static bool
find(const struct suppressed *s, struct str address, struct suppress_row *ret)
{
	struct buf key = BUF_INIT(SUPPRESS_KEY_MAX);
	struct str value;
	bool is_found = suppress_key(address, &key) &&
	                mirror_find(s->rows, buf_str(&key), &value) &&
	                suppress_decode(value, ret);

	buf_done(&key);
	return is_found;
}

/* --- failing at once ------------------------------------------------------------------ */

static void
put_reason(struct buf *b, const struct suppress_row *r)
{
	bool is_manual = r->state == SUPPRESS_MANUAL;

	buf_put_c(b, is_manual ? "The operator has taken this address out"
			       : "This address does not exist");
	buf_put_c(b, ": not tried since ");
	mime_date_format((struct mime_date){ .epoch = (int64_t)r->since }, b);
	if (r->reply.n)
		buf_printf(b,
		    is_manual ? " (%.*s)" : "; it was refused with: %.*s",
		    STR_ARG(r->reply));
}

static void
fail(struct server *sv, struct mail *m, size_t i, const struct suppress_row *r)
{
	struct buf text = BUF_INIT(KIB(1));
	struct judgement j = {
		.outcome = PERMFAIL,
		.is_local = true,
		.status = { 5, 1, 1 },
	};
	const struct trip none = { 0 };

	put_reason(&text, r);
	j.text = buf_str(&text);
	metric_add(M_SEND_SUPPRESSED, 1);
	settle(sv, m, i, &j, &none);
	buf_done(&text);
}

bool
suppress_mail(struct server *sv, struct mail *m)
{
	uint64_t now = loop_time(sv->loop);
	struct suppress_row row;

	if (mirror_count(sv->suppressed->rows) == 0)
		return true;
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL &&
		    find(sv->suppressed, m->entries[i]->item.address, &row) &&
		    suppress_is_on(&row, now))
			fail(sv, m, i, &row);
	if (m->open > 0)
		return true;
	settle_end(sv, m);
	return false;
}

/* --- learning -------------------------------------------------------------------------- */

static void
put_row(struct suppressed *s, struct str address, const struct suppress_row *r)
{
	struct buf key = BUF_INIT(SUPPRESS_KEY_MAX);
	struct buf value = BUF_INIT(KIB(1)), rows = BUF_INIT(KIB(2));
	struct msg_ledger_row row = { .is_gone = r == NULL };

	if (r) {
		suppress_encode(r, &value);
		row.until = suppress_row_until(r);
		row.value = buf_str(&value);
	}
	if (suppress_key(address, &key)) {
		row.key = buf_str(&key);
		msg_ledger_row_put(&rows, &row);
		/* At once: more of them may be under way. */
		mirror_set(s->rows, &row);
		ledger_put(
		    s->sv->rt, LEDGER_SUPPRESS, buf_str(&rows), NULL, NULL);
	}
	buf_done(&key);
	buf_done(&value);
	buf_done(&rows);
}

static void
refused(
    struct suppressed *s, const struct msg_queue_item *item, struct str reply)
{
	const struct conf *c = s->sv->conf;
	const struct suppress_rule rule = {
		.messages = c->send_suppress_after,
		.apart_s = c->send_suppress_apart_s,
		.while_s = c->send_suppress_s,
	};
	uint64_t now = loop_time(s->sv->loop);
	struct suppress_row was, is;
	bool is_known = find(s, item->address, &was);

	if (!suppress_refused(&rule, is_known ? &was : NULL, now,
		hash64(item->trace_id.p, item->trace_id.n), &is))
		return;
	is.reply = reply;
	if (is.state == SUPPRESS_ON && !(is_known && was.state == SUPPRESS_ON))
		log_event(EV_SEND_SUPPRESS, LS("rcpt", item->address),
		    LU("messages", is.messages), LU("until", is.until),
		    LS("reply", reply));
	put_row(s, item->address, &is);
}

void
suppress_learn(struct server *sv, const struct msg_queue_item *item,
    const struct judgement *j, struct str reply)
{
	struct suppressed *s = sv->suppressed;
	struct suppress_row row;

	if (j->is_local || !mirror_is_loaded(s->rows))
		return;
	if (j->outcome == PERMFAIL && j->is_no_user)
		refused(s, item, reply);
	else if (j->outcome == DONE && mirror_count(s->rows) &&
		 find(s, item->address, &row) && row.state != SUPPRESS_MANUAL)
		put_row(s, item->address, NULL);
}

/* SPDX-License-Identifier: ISC */
/* watch_rows.c - rows of systems, checks and states. See watch_rows.h. */
#include "cli/watch_rows.h"

void
watch_system_done(struct watch_system *s)
{
	buf_done(&s->row);
}

int
watch_fault(struct admin *a, const struct status_fault *f)
{
	return admin_error(a, ADMIN_USAGE, "\"%.*s\": expected %s",
	    STR_ARG(f->part), f->expected);
}

int
watch_system_get(struct admin *a, const char *id, struct watch_system *ret)
{
	CLEANUP(freep) char *what = x_asprintf("system %s", id);
	struct buf key = BUF_INIT(KIB(1));
	int r;

	ret->row = BUF_INIT(KIB(64));
	if (!status_is_id(str_c(id))) {
		struct status_fault f = { str_c(id), STATUS_ID_EXPECTED };

		return watch_fault(a, &f);
	}
	status_put_key(&key, str_c(id));
	r = ledger_rows_get(a, LEDGER_SYSTEM, buf_str(&key), what, &ret->row);
	buf_done(&key);
	if (r == ADMIN_OK && !status_system_decode(buf_str(&ret->row), &ret->s))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood; remove it "
		    "and add it anew",
		    what);
	return r;
}

int
watch_system_put(struct admin *a, const struct status_system *s)
{
	struct buf key = BUF_INIT(KIB(1)), value = BUF_INIT(KIB(64));
	CLEANUP(freep) char *what = x_asprintf("system %.*s", STR_ARG(s->id));
	struct status_fault fault;
	int r;

	if (!status_system_is_sane(s, &fault))
		return watch_fault(a, &fault);
	status_put_key(&key, s->id);
	status_system_encode(s, &value);
	r = ledger_rows_put(a, LEDGER_SYSTEM,
	    &(struct msg_ledger_row){
		.key = buf_str(&key), .value = buf_str(&value) },
	    what);
	buf_done(&key);
	buf_done(&value);
	return r;
}

bool
watch_check_key(struct admin *a, const char *s, struct buf *ret)
{
	struct str system, check;

	if (!status_split_key(str_c(s), &system, &check)) {
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" names no check: write it like SYSTEM/CHECK; "
		    "'mailstead check list' shows them",
		    s);
		return false;
	}
	status_put_key(ret, system);
	buf_put_char(ret, '/');
	status_put_key(ret, check);
	return true;
}

int
watch_rows_each(struct admin *a, struct str prefix, uint32_t range_s,
    watch_row_fn fn, void *arg)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(MIB(16));
	struct buf after = BUF_INIT(KIB(1));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_watch_row row;
	int r = ADMIN_OK;

	while (l.has_more && r == ADMIN_OK) {
		buf_reset(&body, KIB(4));
		msg_watch_list_put(
		    &body, &(struct msg_watch_list){ .prefix = prefix,
			       .after = buf_str(&after),
			       .range_s = range_s });
		buf_reset(&reply, KIB(64));
		r = admin_do_role(a, ROLE_WATCH,
		    &(struct admin_call){
			.type = MSG_WATCH_LIST, .body = buf_str(&body) },
		    "checks", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_watch_row_read(&w, &row);) {
			fn(arg, &row);
			buf_reset(&after, KIB(1));
			buf_put_str(&after, row.key);
		}
	}
	buf_done(&body);
	buf_done(&reply);
	buf_done(&after);
	return r;
}

void
watch_row_state(const struct msg_watch_row *row, struct buf *to)
{
	unsigned status = MIN(row->status, (unsigned)WATCH_DOWN);

	buf_put_c(to, watch_status_name((enum watch_status)status));
	if (row->flags & WATCH_ROW_UNSTABLE)
		buf_put_c(to, ", unstable");
	if (row->flags & WATCH_ROW_SUSPECTED && status != WATCH_DOWN)
		buf_put_c(to, "?");
	if (row->flags & WATCH_ROW_MAINTAINED)
		buf_put_c(to, ", planned work");
	if (row->flags & WATCH_ROW_MASKED && status == WATCH_DOWN)
		buf_put_c(to, " (by what it depends on)");
}

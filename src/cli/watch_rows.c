/* SPDX-License-Identifier: ISC */
/* watch_rows.c - rows of systems, checks and states. See watch_rows.h. */
#include "cli/watch_rows.h"

#include "proto/status/status_agent.h"

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
watch_misfit(struct admin *a, const struct status_fault *f)
{
	return admin_error(a, ADMIN_REFUSED, "\"%.*s\": expected %s",
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

static void
take_any(void *arg, const struct msg_ledger_row *row)
{
	status_systems_add(arg, row->value);
}

int
watch_systems_read(struct admin *a, const struct status_systems **ret)
{
	const struct ledger_rows rows = { LEDGER_SYSTEM, STR_NONE, "systems" };
	int r = ADMIN_OK;

	if (a->systems == NULL) {
		a->systems = status_systems_new();
		r = ledger_rows_each(a, &rows, take_any, a->systems);
	}
	*ret = a->systems;
	return r;
}

int
watch_agent_have(struct admin *a, struct str name)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(4));
	struct status_agent agent;
	bool is_there = false;
	int r;

	status_put_key(&key, name);
	r = ledger_rows_find(a, LEDGER_AGENT, buf_str(&key), &is_there, &row);
	is_there = is_there && status_agent_decode(buf_str(&row), &agent) &&
	           agent.revoked_s == 0;
	if (r == ADMIN_OK && !is_there)
		r = admin_error(a, ADMIN_REFUSED,
		    "\"at=%.*s\": there is no such agent; 'mailstead watch "
		    "agent list' shows them",
		    STR_ARG(name));
	buf_done(&key);
	buf_done(&row);
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

struct str
watch_status_word(uint8_t status)
{
	unsigned s = MIN(status, (unsigned)WATCH_DOWN);

	return str_c(watch_status_name((enum watch_status)s));
}

static void
write_state(
    const struct msg_watch_row *row, struct buf *shown, struct buf *flags)
{
	bool is_down = row->status >= WATCH_DOWN;
	const struct {
		bool is;
		const char *word, *shown;
	} all[] = {
		{ row->flags & WATCH_ROW_UNSTABLE, "unstable", ", unstable" },
		{ row->flags & WATCH_ROW_SUSPECTED && !is_down, "suspected",
		    "?" },
		{ row->flags & WATCH_ROW_MAINTAINED, "planned",
		    ", planned work" },
		{ row->flags & WATCH_ROW_MASKED && is_down, "masked",
		    " (by what it depends on)" },
	};

	buf_put_str(shown, watch_status_word(row->status));
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].is) {
			buf_put_c(shown, all[i].shown);
			buf_printf(flags, "%s%s", flags->n > 0 ? "\n" : "",
			    all[i].word);
		}
}

void
watch_row_put_state(struct output *o, const struct msg_watch_row *row)
{
	struct buf shown = BUF_INIT(KIB(1)), flags = BUF_INIT(KIB(1));

	write_state(row, &shown, &flags);
	output_put_text(o, watch_status_word(row->status));
	output_show(o, buf_str(&shown));
	output_put_text(o, buf_str(&flags));
	buf_done(&shown);
	buf_done(&flags);
}

/* --- stages -------------------------------------------------------------------- */

static void
put_stage(struct buf *to, const struct msg_watch_stage *s)
{
	unsigned long long seconds = s->us / 1000000, ms = s->us / 1000;
	unsigned tenth = (unsigned)(s->us / 100 % 10);

	buf_put_str(to, s->name);
	if (s->host.n > 0)
		buf_printf(to, " %.*s", STR_ARG(s->host));
	switch ((enum watch_stage_how)s->how) {
	case WATCH_STAGE_DONE:
		buf_printf(to, " %llu.%u ms", ms, tenth);
		return;
	case WATCH_STAGE_OPEN:
		buf_printf(to, " %llu.%u ms (not over)", ms, tenth);
		return;
	case WATCH_STAGE_TOLD:
		buf_printf(to, " %llu s", seconds);
		return;
	case WATCH_STAGE_ABSURD:
		buf_printf(to, " %llu s (a clock is wrong)", seconds);
		return;
	case WATCH_STAGE_BEFORE:
		buf_printf(to, " -%llu s (a clock is wrong)", seconds);
		return;
	}
}

void
watch_put_stages(struct output *o, struct str stages)
{
	struct buf lines = BUF_INIT(KIB(16)), shown = BUF_INIT(KIB(16));
	struct msg_watch_stage s;

	for (struct wire w = wire_read(stages); msg_watch_stage_read(&w, &s);) {
		buf_put_c(&lines, lines.n > 0 ? "\n" : "");
		put_stage(&lines, &s);
		buf_put_c(&shown, shown.n > 0 ? ", " : "");
		put_stage(&shown, &s);
	}
	output_put_text(o, buf_str(&lines));
	output_show(o, buf_str(&shown));
	buf_done(&lines);
	buf_done(&shown);
}

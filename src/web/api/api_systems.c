/* SPDX-License-Identifier: ISC */
/* api_systems.c - systems and maintenance windows of the API. See api.h. */
#include "web/api/api.h"

/* --- systems: read --------------------------------------------------------------- */

static bool
take_listed(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_system s;

	if (!status_system_decode(row->value, &s))
		return true;
	if (c->count == c->limit) {
		c->is_taken = true;
		return false;
	}
	if (c->count++ > 0)
		buf_put_char(&c->out, ',');
	status_json_put_system(&c->out, &s);
	buf_reset(&c->next, KIB(1));
	buf_put_str(&c->next, row->key);
	return true;
}

static void
end_list(struct api_call *c)
{
	if (!c->is_taken)
		buf_reset(&c->next, 0);
	api_end_page(c);
	api_reply(c, 200);
}

void
api_systems_list(struct api_call *c)
{
	struct buf after = BUF_INIT(KIB(1));

	if (!api_query_page(c))
		return;
	buf_put_str(&after, buf_str(&c->next));
	buf_put_c(&c->out, "{\"systems\":[");
	api_read(c, &(struct api_read){ .table = LEDGER_SYSTEM,
			.after = buf_str(&after),
			.row = take_listed,
			.then = end_list });
	buf_done(&after);
}

static bool
take_any(struct api_call *c, const struct msg_ledger_row *row)
{
	status_systems_add(c->systems, row->value);
	return true;
}

void
api_systems_read(struct api_call *c, void (*then)(struct api_call *c))
{
	(void)status_systems_free(c->systems);
	c->systems = status_systems_new();
	api_read(
	    c, &(struct api_read){
		   .table = LEDGER_SYSTEM, .row = take_any, .then = then });
}

static void
show(struct api_call *c)
{
	struct status_system s;

	if (!c->is_found || !status_system_decode(buf_str(&c->row_now), &s)) {
		api_fail(c, 404, "There is no such system.");
		return;
	}
	status_json_put_system(&c->out, &s);
	api_reply(c, c->is_taken ? 201 : 200);
}

void
api_systems_show(struct api_call *c)
{
	if (api_key(c, 0, &c->slug))
		api_row_find(c, LEDGER_SYSTEM, show);
}

/* --- systems: change ------------------------------------------------------------------- */

static void
system_was_put(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE) {
		api_fail(c, reason == REASON_EXISTS ? 412 : 409,
		    "It was added or changed at the same time.");
		return;
	}
	/* 201 for what was not there. */
	c->is_taken = !c->is_found;
	api_row_find(c, LEDGER_SYSTEM, show);
}

/* Where the client says nothing of it: as it was, or behind all others. */
static uint32_t
usual_order(const struct api_call *c)
{
	struct status_system was;

	if (c->is_found && status_system_decode(buf_str(&c->row_now), &was))
		return was.order;
	return status_systems_next_order(c->systems);
}

static void
put_system(struct api_call *c)
{
	struct buf value = BUF_INIT(KIB(4));
	struct status_fault f;
	struct msg_ledger_row row;

	if (jsonnode_get(c->json, "order") == NULL)
		c->system.order = usual_order(c);
	if (!status_systems_fit_parents(c->systems, &c->system, &f)) {
		api_fail_fault(c, &f);
	} else if (api_may_put(c)) {
		status_system_encode(&c->system, &value);
		row = (struct msg_ledger_row){ .key = buf_str(&c->slug),
			.value = buf_str(&value) };
		api_put(c,
		    &(struct api_change){ .table = LEDGER_SYSTEM,
			.rows = &row,
			.n = 1,
			.only_if = c->is_found ? LEDGER_IF_SAME : LEDGER_IF_NEW,
			.was = buf_str(&c->row_now),
			.what = "system.put",
			.object = buf_str(&c->slug),
			.done = system_was_put });
	}
	buf_done(&value);
}

static void
with_row(struct api_call *c)
{
	api_systems_read(c, put_system);
}

void
api_systems_put(struct api_call *c)
{
	struct status_fault f;

	if (!api_key(c, 0, &c->slug))
		return;
	c->system = (struct status_system){ .id = c->names[0] };
	if (!status_json_read_system(c->json, &c->system, &f) ||
	    !status_system_is_sane(&c->system, &f))
		api_fail_fault(c, &f);
	else
		api_row_find(c, LEDGER_SYSTEM, with_row);
}

static bool
note_window(struct api_call *c, UNUSED const struct msg_ledger_row *row)
{
	c->is_taken = true;
	return false;
}

static void
delete_system(struct api_call *c)
{
	static const struct api_row system = { LEDGER_SYSTEM, "system.remove",
		"There is no such system." };

	if (c->is_taken)
		api_fail(c, 409,
		    "It has maintenance windows: delete them "
		    "first.");
	else
		api_row_delete(c, &system);
}

static void
with_no_checks(struct api_call *c)
{
	struct buf prefix = BUF_INIT(KIB(1));

	status_put_key(&prefix, c->names[0]);
	buf_put_char(&prefix, '/');
	c->is_taken = false;
	api_read(c, &(struct api_read){ .table = LEDGER_MAINTENANCE,
			.prefix = buf_str(&prefix),
			.row = note_window,
			.then = delete_system });
	buf_done(&prefix);
}

void
api_systems_delete(struct api_call *c)
{
	if (api_key(c, 0, &c->slug))
		api_checks_none(c, with_no_checks);
}

/* --- windows ------------------------------------------------------------------------------ */

static bool
take_window(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_window w;

	if (!status_window_decode(row->key, row->value, &w))
		return true;
	if (c->count == c->limit) {
		c->is_taken = true;
		return false;
	}
	if (c->count++ > 0)
		buf_put_char(&c->out, ',');
	status_json_put_window(&c->out, row->key, &w);
	buf_reset(&c->next, KIB(1));
	buf_put_str(&c->next, row->key);
	return true;
}

void
api_windows_list(struct api_call *c)
{
	struct buf after = BUF_INIT(KIB(1));

	if (!api_query_page(c) || !api_query_system(c))
		return;
	buf_put_str(&after, buf_str(&c->next));
	buf_put_c(&c->out, "{\"windows\":[");
	api_read(c, &(struct api_read){ .table = LEDGER_MAINTENANCE,
			.prefix = buf_str(&c->only.text),
			.after = buf_str(&after),
			.row = take_window,
			.then = end_list });
	buf_done(&after);
}

static void
window_was_put(struct api_call *c, enum reason reason)
{
	char location[100];

	if (reason != REASON_NONE) {
		api_fail(c, 409, "There is a window that starts then.");
		return;
	}
	snprintf(
	    location, sizeof(location), "/maintenance/%s", buf_c(&c->slug));
	api_reply_created(c, location);
}

static void
put_window(struct api_call *c)
{
	struct buf value = BUF_INIT(KIB(1));
	struct status_window w = { 0 };
	struct msg_ledger_row row;
	struct status_fault f;

	if (!status_json_read_window(c->json, &w, &f) ||
	    !status_window_is_sane(&w, &f) ||
	    !status_systems_have_all(c->systems, &w.system, 1, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	buf_reset(&c->slug, KIB(1));
	status_window_put_key(&c->slug, &w);
	status_window_encode(&w, &value);
	/* As it is shown from now on. */
	(void)str_split(buf_str(&c->slug), '/', &w.system);
	status_json_put_window(&c->out, buf_str(&c->slug), &w);
	c->hash = 0;
	row = (struct msg_ledger_row){ .key = buf_str(&c->slug),
		.until = w.every_s ? 0 : w.from_s + w.length_s + 90 * 86400,
		.value = buf_str(&value) };
	api_put(c, &(struct api_change){ .table = LEDGER_MAINTENANCE,
		       .rows = &row,
		       .n = 1,
		       .only_if = LEDGER_IF_NEW,
		       .what = "maintenance.put",
		       .object = buf_str(&c->slug),
		       .done = window_was_put });
	buf_done(&value);
}

void
api_windows_new(struct api_call *c)
{
	struct status_window w = { 0 };
	struct status_fault f;

	if (!status_json_read_window(c->json, &w, &f) ||
	    !status_window_is_sane(&w, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	api_systems_read(c, put_window);
}

/* Of a window, in c->slug; false: 404 was answered. */
static bool
put_window_key(struct api_call *c)
{
	if (!api_key(c, 0, &c->slug))
		return false;
	buf_put_char(&c->slug, '/');
	buf_put_str(&c->slug, str_first(c->names[1], 20));
	return true;
}

static const struct api_row window = { LEDGER_MAINTENANCE, "maintenance.remove",
	"There is no such window." };

static void
show_window(struct api_call *c)
{
	struct status_window w;

	if (!c->is_found || !status_window_decode(
				buf_str(&c->slug), buf_str(&c->row_now), &w)) {
		api_fail(c, 404, window.missing);
		return;
	}
	status_json_put_window(&c->out, buf_str(&c->slug), &w);
	api_reply(c, 200);
}

void
api_windows_show(struct api_call *c)
{
	if (put_window_key(c))
		api_row_find(c, LEDGER_MAINTENANCE, show_window);
}

void
api_windows_delete(struct api_call *c)
{
	if (put_window_key(c))
		api_row_delete(c, &window);
}

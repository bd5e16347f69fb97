/* SPDX-License-Identifier: ISC */
/*
 * api_checks.c - checks of the API. See api.h.
 *
 * Their rows can hold passwords, so this process may write them and not read
 * them: what there is, it hears from watch.
 */
#include "conf/network_text.h"
#include "net/connect.h"
#include "proto/watch/watch_state.h"
#include "web/api/api.h"

#define RANGE_S (90U * 86400)

/* --- what watch knows ----------------------------------------------------------------- */

static void
ask_list(struct api_call *c, struct str prefix, struct str after,
    void (*then)(struct api_call *c))
{
	struct buf body = BUF_INIT(KIB(4));

	msg_watch_list_put(
	    &body, &(struct msg_watch_list){
		       .prefix = prefix, .after = after, .range_s = RANGE_S });
	api_watch_ask(c, MSG_WATCH_LIST, buf_str(&body), NULL, then);
	buf_done(&body);
}

static void
look_for_any(struct api_call *c)
{
	struct msg_list_reply l;

	if (!msg_list_reply_get(buf_str(&c->keys), &l))
		api_fail(c, 503, NULL);
	else if (l.items.n > 0)
		api_fail(c, 409, "It has checks: delete them first.");
	else
		c->with_post(c);
}

void
api_checks_none(struct api_call *c, void (*then)(struct api_call *c))
{
	struct buf prefix = BUF_INIT(KIB(1));

	status_put_key(&prefix, c->names[0]);
	buf_put_char(&prefix, '/');
	c->with_post = then;
	ask_list(c, buf_str(&prefix), STR_NONE, look_for_any);
	buf_done(&prefix);
}

/* --- list ------------------------------------------------------------------------------- */

/* A number, or null. */
static void
put_known(struct buf *to, const char *name, uint32_t n, bool is_known)
{
	status_json_name(to, name);
	if (is_known)
		buf_put_u64(to, n);
	else
		buf_put_c(to, "null");
}

static void
put_check(struct buf *to, const struct msg_watch_row *row)
{
	unsigned status = MIN(row->status, (unsigned)WATCH_DOWN);
	struct str system, check;

	if (!status_split_key(row->key, &system, &check) ||
	    row->kind >= STATUS_KINDS)
		return;
	buf_put_c(to, to->p[to->n - 1] == '[' ? "{" : ",{");
	status_json_text(to, "system", system);
	status_json_text(to, "check", check);
	status_json_text(
	    to, "kind", str_c(status_kind_name((enum status_kind)row->kind)));
	status_json_text(
	    to, "state", str_c(watch_status_name((enum watch_status)status)));
	status_json_time(to, "since", row->since_ms / 1000);
	status_json_time(to, "at", row->at_ms / 1000);
	put_known(to, "latency_us", row->us, row->us > 0);
	put_known(to, "uptime_ppm", row->uptime_ppm, row->coverage_ppm > 0);
	status_json_number(to, "coverage_ppm", row->coverage_ppm);
	status_json_word(to, "text", row->text);
	api_put_stages(to, row->stages);
	buf_put_char(to, '}');
}

static void
show_list(struct api_call *c)
{
	struct msg_list_reply l;
	struct msg_watch_row row;
	bool is_full = false;

	if (!msg_list_reply_get(buf_str(&c->keys), &l)) {
		api_fail(c, 503, NULL);
		return;
	}
	buf_reset(&c->next, KIB(1));
	for (struct wire w = wire_read(l.items);
	     !is_full && w.in.n > 0 && msg_watch_row_read(&w, &row);) {
		is_full = c->count == c->limit;
		if (is_full)
			break;
		put_check(&c->out, &row);
		c->count++;
		buf_reset(&c->next, KIB(1));
		buf_put_str(&c->next, row.key);
	}
	if (!is_full && !l.has_more)
		buf_reset(&c->next, 0);
	api_end_page(c);
	api_reply(c, 200);
}

void
api_checks_list(struct api_call *c)
{
	if (!api_query_page(c) || !api_query_system(c))
		return;
	buf_put_c(&c->out, "{\"checks\":[");
	ask_list(c, buf_str(&c->only.text), buf_str(&c->next), show_list);
}

/* --- one ------------------------------------------------------------------------------ */

/* {"every":["10s"],...}: a list each, for some stand several times. */
static void
put_options(struct buf *to, struct str options)
{
	struct msg_watch_option o;
	struct str last = STR("");

	status_json_name(to, "options");
	buf_put_char(to, '{');
	for (struct wire w = wire_read(options);
	     msg_watch_option_read(&w, &o);) {
		if (!str_eq(o.name, last)) {
			buf_put_c(to, last.n > 0 ? "]," : "");
			jsondoc_put_text(to, o.name);
			buf_put_c(to, ":[");
		} else {
			buf_put_char(to, ',');
		}
		jsondoc_put_text(to, o.value);
		last = o.name;
	}
	buf_put_c(to, last.n > 0 ? "]}" : "}");
}

static void
show_config(struct api_call *c)
{
	struct msg_watch_config_reply m;
	struct str system, check;

	if (!msg_watch_config_reply_get(buf_str(&c->keys), &m) ||
	    m.kind >= STATUS_KINDS ||
	    !status_split_key(buf_str(&c->slug), &system, &check)) {
		api_fail(c, 503, NULL);
		return;
	}
	buf_put_char(&c->out, '{');
	status_json_text(&c->out, "system", system);
	status_json_text(&c->out, "check", check);
	status_json_text(
	    &c->out, "kind", str_c(status_kind_name((enum status_kind)m.kind)));
	status_json_text(&c->out, "target", m.target);
	put_options(&c->out, m.options);
	buf_put_char(&c->out, '}');
	api_reply(c, 200);
}

/* The tag was there before: what comes now is what it stands for, or newer. */
static void
ask_config(struct api_call *c)
{
	struct buf body = BUF_INIT(KIB(1));

	if (!c->is_found) {
		api_fail(c, 404, api_check_row.missing);
	} else {
		msg_watch_config_put(
		    &body, &(struct msg_watch_config){ buf_str(&c->slug) });
		api_watch_ask(c, MSG_WATCH_CONFIG, buf_str(&body),
		    api_check_row.missing, show_config);
	}
	buf_done(&body);
}

void
api_checks_show(struct api_call *c)
{
	if (api_check_key(c))
		api_row_find(c, LEDGER_CHECK, ask_config);
}

/* --- change ------------------------------------------------------------------------------- */

static void
was_put(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		api_fail(c, 412, "It was added or changed at the same time.");
	else
		api_reply_nothing(c);
}

/* Without a condition it is put as it is, whether it was there or not. */
static void
put_check_row(struct api_call *c)
{
	struct msg_ledger_row row = { .key = buf_str(&c->slug),
		.value = buf_str(&c->other) };
	bool has_condition = c->must_be_new || c->has_if_match;

	if (has_condition && !api_may_put(c))
		return;
	api_put(c, &(struct api_change){ .table = LEDGER_CHECK,
		       .rows = &row,
		       .n = 1,
		       .only_if = !has_condition ? LEDGER_ANYHOW
	                          : c->is_found  ? api_row_same(LEDGER_CHECK)
	                                         : LEDGER_IF_NEW,
		       .was = buf_str(&c->row_now),
		       .what = "check.put",
		       .object = buf_str(&c->slug),
		       .done = was_put });
}

static void
with_systems(struct api_call *c)
{
	if (!status_systems_have(c->systems, c->names[0]))
		api_fail(c, 404, "There is no such system.");
	else
		api_row_find(c, LEDGER_CHECK, put_check_row);
}

/* Names say nothing yet: what they lead to is judged when it is probed. */
static bool
may_go(const struct api_call *c, struct str host)
{
	const char *nets = c->sv->conf->watch_api_networks;
	struct sockaddr_storage addr;

	if (!connect_host_is_private(host))
		return true;
	return network_list_holds(str_c(nets),
	    connect_read_ip(host, &addr) ? host : STR("127.0.0.1"));
}

static bool
is_within_reach(const struct api_call *c, const struct status_check *check,
    struct status_fault *ret)
{
	static const enum status_opt opts[] = { STATUS_OPT_SERVER,
		STATUS_OPT_VIA, STATUS_OPT_IMAPHOST };
	struct str bad = STR_NONE, host = status_check_target(check).host;
	uint16_t port;

	if (!may_go(c, host))
		bad = host;
	for (size_t k = 0; k < ARRAY_LEN(opts); k++)
		for (size_t i = 0; i < status_check_count(check, opts[k]); i++)
			if (status_host_port(
				status_check_text(check, opts[k], i), &host,
				&port) &&
			    !may_go(c, host))
				bad = host;
	return bad.n == 0 ||
	       status_fault_set(ret, bad,
		   "a host that is not of this machine or of a private "
		   "network: watch.api_networks permits it, or the command "
		   "line");
}

/* Whoever has a key need not be who may look into networks of ours. */
static bool
make_public(const struct api_call *c, struct status_check *check,
    struct status_fault *ret)
{
	if (!status_check_is(check, STATUS_OPT_PUBLIC, true))
		return status_fault_set(ret, STR("public=no"),
		    "public=yes: only the command line can say no");
	return status_check_put(check, STR("public=yes"), ret) &&
	       is_within_reach(c, check, ret);
}

void
api_checks_put(struct api_call *c)
{
	struct buf scratch = BUF_INIT(KIB(16));
	struct status_check check;
	struct status_fault f;

	if (api_check_key(c)) {
		if (!status_json_read_check(c->json, &check, &scratch, &f) ||
		    !make_public(c, &check, &f)) {
			api_fail_fault(c, &f);
		} else {
			status_check_encode(&check, &c->other);
			api_systems_read(c, with_systems);
		}
	}
	buf_done_secret(&scratch);
}

void
api_checks_delete(struct api_call *c)
{
	if (api_check_key(c))
		api_row_delete(c, &api_check_row);
}

/* SPDX-License-Identifier: ISC */
/* reach_rows.c - rows of networks, and what commands say of them. */
#include "cli/reach_rows.h"

#include <time.h>

#define DAYS_MAX 8

static int
ask(struct admin *a, enum msg_type type, const struct reach_query *q,
    struct buf *reply, struct msg_list_reply *ret)
{
	struct buf body = BUF_INIT(KIB(4));
	int r;

	msg_reach_list_put(
	    &body, &(struct msg_reach_list){ .network = q->network,
		       .service = q->service,
		       .from = q->from,
		       .to = q->to,
		       .step_s = q->step_s });
	r = admin_do_role(a, ROLE_WATCH,
	    &(struct admin_call){
		.type = type, .body = buf_str(&body), .fd = -1 },
	    "networks", reply);
	if (r == ADMIN_OK && !msg_list_reply_get(buf_str(reply), ret))
		r = admin_error(a, ADMIN_TEMPFAIL, "watch: malformed answer");
	buf_done(&body);
	return r;
}

int
reach_rows_each(
    struct admin *a, const struct reach_query *q, reach_row_fn fn, void *arg)
{
	struct buf reply = BUF_INIT(MIB(2));
	struct msg_reach_row row;
	struct msg_list_reply l;
	int r = ask(a, MSG_REACH_LIST, q, &reply, &l);

	if (r == ADMIN_OK)
		for (struct wire w = wire_read(l.items);
		     msg_reach_row_read(&w, &row);)
			fn(arg, &row);
	buf_done(&reply);
	return r;
}

int
reach_tls_each(
    struct admin *a, const struct reach_query *q, reach_tls_fn fn, void *arg)
{
	struct buf reply = BUF_INIT(MIB(2));
	struct msg_reach_tls_row row;
	struct msg_list_reply l;
	int r = ask(a, MSG_REACH_TLS, q, &reply, &l);

	if (r == ADMIN_OK)
		for (struct wire w = wire_read(l.items);
		     msg_reach_tls_row_read(&w, &row);)
			fn(arg, &row);
	buf_done(&reply);
	return r;
}

int
reach_signals_each(struct admin *a, reach_signal_fn fn, void *arg)
{
	struct buf reply = BUF_INIT(MIB(2));
	struct msg_reach_signal signal;
	struct msg_list_reply l;
	int r = admin_do_role(a, ROLE_WATCH,
	    &(struct admin_call){ .type = MSG_REACH_SIGNALS, .fd = -1 },
	    "signals", &reply);

	if (r == ADMIN_OK && msg_list_reply_get(buf_str(&reply), &l))
		for (struct wire w = wire_read(l.items);
		     msg_reach_signal_read(&w, &signal);)
			fn(arg, &signal);
	buf_done(&reply);
	return r;
}

bool
reach_network_arg(struct admin *a, const char *s, char ret[REACH_NET_TEXT])
{
	struct reach_net net;

	if (!reach_net_parse(str_c(s), &net)) {
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no network: write it like AS37146, "
		    "192.0.0.0/16, 2001:db8::/32, or give an address of it",
		    s);
		return false;
	}
	reach_net_format(&net, ret);
	return true;
}

const char *
reach_service_text(uint8_t service)
{
	return service < SERVICE_COUNT ? service_name((enum service)service)
	                               : "unknown";
}

bool
reach_service_arg(struct admin *a, const char *s, uint8_t *ret)
{
	struct buf names = BUF_INIT(KIB(1));

	for (unsigned i = 0; i < SERVICE_COUNT; i++) {
		const char *name = service_name((enum service)i);

		if (strcmp(s, name) == 0) {
			*ret = (uint8_t)i;
			buf_done(&names);
			return true;
		}
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", name);
	}
	admin_error(a, ADMIN_USAGE, "\"%s\" is no service; there are %s", s,
	    buf_c(&names));
	buf_done(&names);
	return false;
}

bool
reach_range_arg(struct admin *a, const char *since, struct reach_query *q)
{
	q->to = (uint64_t)time(NULL);
	q->from = q->to - 86400;
	if (since == NULL)
		return true;
	if (!args_time(since, q->to, &q->from)) {
		admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no time: write it like 24h, 3d or \"2026-11-20 "
		    "18:30\"",
		    since);
		return false;
	}
	if (q->from >= q->to || q->to - q->from > DAYS_MAX * 86400) {
		admin_error(a, ADMIN_USAGE,
		    "--since %s: the last %u days are kept", since, DAYS_MAX);
		return false;
	}
	return true;
}

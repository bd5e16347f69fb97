/* SPDX-License-Identifier: ISC */
/*
 * cmd_reach.c - mailstead reach: who gets through to this server, by network.
 */
#include "cli/cli.h"
#include "cli/output/output.h"
#include "cli/reach_draft.h"
#include "cli/reach_letter.h"
#include "cli/reach_rows.h"
#include "cli/reach_signals.h"
#include "proto/reach/reach_cell.h"
#include "proto/reach/reach_public.h"

#include <arpa/inet.h>

#define USAGE_TABLE \
	"reach [--network NETWORK] [--service SERVICE] [--since TIME] " \
	"[--json]"
#define USAGE_TLS \
	"reach --tls [--network NETWORK] [--service SERVICE] " \
	"[--since TIME] [--json]"
#define USAGE_SIGNALS "reach signals [--json]"
#define USAGE_APPROVE "reach approve SIGNAL [--text TEXT] [--json]"
#define USAGE_DISMISS "reach dismiss SIGNAL [--json]"
#define USAGE_DRAFT   "reach draft SIGNAL [--language en|fr|pt] [--json]"
#define USAGE_CHECK   "reach check ADDRESS [--service SERVICE] [--json]"
#define USAGE_LETTER \
	"reach letter NETWORK [--since TIME] [--hosts NAME,...] [--json]"

struct words {
	struct args args;
	const char *network, *service, *since, *hosts, *text, *language;
	bool is_tls;
};

struct rows {
	struct msg_reach_row *v;
	char (*names)[REACH_AS_NAME_MAX + 1];
	size_t n, allocated;
};

static void
keep_row(void *arg, const struct msg_reach_row *row)
{
	struct rows *rows = arg;

	if (rows->n == rows->allocated) {
		rows->allocated = MAX(2 * rows->allocated, (size_t)64);
		rows->v =
		    x_realloc(rows->v, rows->allocated * sizeof(*rows->v));
		rows->names = x_realloc(
		    rows->names, rows->allocated * sizeof(*rows->names));
	}
	snprintf(rows->names[rows->n], sizeof(rows->names[0]), "%.*s",
	    STR_ARG(row->name));
	rows->v[rows->n++] = *row;
}

/* What is suspected comes first, then who has the most traffic. */
static int
by_traffic(const void *pa, const void *pb)
{
	const struct msg_reach_row *a = pa, *b = pb;
	uint64_t x = MAX(a->attempts, a->usual / 256);
	uint64_t y = MAX(b->attempts, b->usual / 256);

	if ((a->raised != 0) != (b->raised != 0))
		return a->raised != 0 ? -1 : 1;
	return x < y ? 1 : x > y ? -1 : 0;
}

/* --- the table --------------------------------------------------------------------- */

static const struct output_field all_fields[] = {
	{ "network", "NETWORK", OUTPUT_TEXT },
	{ "name", "NAME", OUTPUT_WORD },
	{ "service", "SERVICE", OUTPUT_TEXT },
	{ "port", "PORT", OUTPUT_COUNT },
	{ "family", "FAMILY", OUTPUT_COUNT },
	{ "connections", "CONNECTIONS", OUTPUT_COUNT },
	{ "greeted", "GREETED", OUTPUT_COUNT },
	{ "tls", "TLS", OUTPUT_COUNT },
	{ "signed_in", "SIGNED IN", OUTPUT_COUNT },
	{ "well", "WELL", OUTPUT_COUNT },
	{ "left", "LEFT", OUTPUT_COUNT },
	{ "resets", "RESETS", OUTPUT_COUNT },
	{ "timeouts", "TIMEOUTS", OUTPUT_COUNT },
	{ "tls_failed", "TLS FAILED", OUTPUT_COUNT },
	{ "tls_alerts", "ALERTS", OUTPUT_COUNT },
	{ "tls_alert", "ALERT", OUTPUT_WORD },
	{ "auth_failed", "AUTH FAILED", OUTPUT_COUNT },
	{ "known_devices", "KNOWN", OUTPUT_COUNT },
	{ "known_failed", "KNOWN FAILED", OUTPUT_COUNT },
	{ "banned", "BANNED", OUTPUT_COUNT },
	{ "limited", "LIMITED", OUTPUT_COUNT },
	{ "ended_by_server", "BY US", OUTPUT_COUNT },
	{ "retransmitted", "RESENT", OUTPUT_COUNT },
	{ "rtt_p50_us", "RTT 50", OUTPUT_US },
	{ "rtt_p95_us", "RTT 95", OUTPUT_US },
	{ "accounts", "ACCOUNTS", OUTPUT_COUNT },
	{ "sessions", "SESSIONS", OUTPUT_COUNT },
	{ "cut_off", "CUT OFF", OUTPUT_COUNT },
	{ "usual", "USUAL", OUTPUT_LIMIT_COUNT },
	{ "verdict", "VERDICT", OUTPUT_TEXT },
	{ "since", "SINCE", OUTPUT_TIME },
};

/* What people read of it. */
static const struct output_field few_fields[] = {
	{ "network", "NETWORK", OUTPUT_TEXT },
	{ "port", "PORT", OUTPUT_TEXT },
	{ "connections", "CONN", OUTPUT_COUNT },
	{ "tls", "TLS", OUTPUT_COUNT },
	{ "signed_in", "IN", OUTPUT_COUNT },
	{ "resets", "RESET", OUTPUT_COUNT },
	{ "timeouts", "TIME-OUT", OUTPUT_COUNT },
	{ "cut_off", "CUT", OUTPUT_COUNT },
	{ "rtt", "RTT 50/95", OUTPUT_TEXT },
	{ "accounts", "ACCTS", OUTPUT_COUNT },
	{ "usual", "USUAL", OUTPUT_WORD },
	{ "verdict", "VERDICT", OUTPUT_TEXT },
};

static void
network_text(const struct msg_reach_row *row, char ret[REACH_NET_TEXT])
{
	struct reach_net net = { row->net_kind, row->net_value };

	reach_net_format(&net, ret);
}

static void
verdict_text(const struct msg_reach_row *row, struct buf *to)
{
	for (unsigned k = 0; k < REACH_SIGNALS; k++)
		if (row->raised & 1u << k)
			buf_printf(to, "%s%s", to->n > 0 ? ", " : "",
			    reach_signal_name((enum reach_signal_kind)k));
	if (to->n == 0)
		buf_put_c(to, row->has_usual ? "as usual" : "too little known");
}

static void
usual_text(const struct msg_reach_row *row, struct buf *to)
{
	if (row->has_usual)
		buf_put_u64(to, (row->usual + 128) / 256);
}

static void
alert_text(const struct msg_reach_row *row, struct buf *to)
{
	const char *name = reach_alert_name(row->alert);

	if (row->alert != 0)
		buf_printf(to, "%u %s", row->alert, name ? name : "");
}

static void
put_all(struct output *o, const struct msg_reach_row *row, const char *name)
{
	const uint32_t counts[] = { row->attempts, row->greeted, row->tls,
		row->signed_in, row->well, row->left, row->reset, row->timeout,
		row->tls_failed, row->alerts };
	const uint32_t more[] = { row->auth_failed, row->known,
		row->known_failed, row->banned, row->limited, row->server,
		row->stalled, row->rtt50_us, row->rtt95_us, row->accounts,
		row->sessions, row->cut };
	struct buf verdict = BUF_INIT(KIB(1)), alert = BUF_INIT(64);
	char net[REACH_NET_TEXT];

	network_text(row, net);
	verdict_text(row, &verdict);
	alert_text(row, &alert);
	output_put_text(o, str_c(net));
	output_put_text(o, str_c(name));
	output_put_text(o, str_c(reach_service_text(row->service)));
	output_put_number(o, row->port);
	output_put_number(o, row->family);
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		output_put_number(o, counts[i]);
	output_put_text(o, buf_str(&alert));
	for (size_t i = 0; i < ARRAY_LEN(more); i++)
		output_put_number(o, more[i]);
	output_put_number(o, row->has_usual ? (row->usual + 128) / 256 : 0);
	output_put_text(o, buf_str(&verdict));
	output_put_number(o, row->since);
	buf_done(&verdict);
	buf_done(&alert);
}

static void
put_few(struct output *o, const struct msg_reach_row *row, const char *name)
{
	struct buf verdict = BUF_INIT(KIB(1)), usual = BUF_INIT(64);
	char net[REACH_NET_TEXT], text[64];

	network_text(row, net);
	verdict_text(row, &verdict);
	usual_text(row, &usual);
	if (name[0] != '\0')
		buf_printf(&verdict, " (%s)", name);
	output_put_text(o, str_c(net));
	snprintf(text, sizeof(text), "%s:%u/v%u",
	    reach_service_text(row->service), row->port, row->family);
	output_put_text(o, str_c(text));
	output_put_number(o, row->attempts);
	output_put_number(o, row->tls);
	output_put_number(o, row->signed_in);
	output_put_number(o, row->reset);
	output_put_number(o, row->timeout);
	output_put_number(o, row->cut);
	snprintf(text, sizeof(text), "%u/%u ms", (row->rtt50_us + 500) / 1000,
	    (row->rtt95_us + 500) / 1000);
	output_put_text(o, row->rtt50_us > 0 ? str_c(text) : STR("-"));
	output_put_number(o, row->accounts);
	output_put_text(o, buf_str(&usual));
	output_put_text(o, buf_str(&verdict));
	buf_done(&verdict);
	buf_done(&usual);
}

/* What was asked for; net holds its text. False: an error was printed. */
static bool
make_query(struct admin *a, const struct words *w, char net[REACH_NET_TEXT],
    struct reach_query *q)
{
	*q = (struct reach_query){ .service = UINT8_MAX };
	net[0] = '\0';
	if ((w->network != NULL && !reach_network_arg(a, w->network, net)) ||
	    (w->service != NULL &&
		!reach_service_arg(a, w->service, &q->service)))
		return false;
	q->network = str_c(net);
	return reach_range_arg(a, w->since, q);
}

static int
table(struct admin *a, const struct words *w)
{
	struct output *o =
	    a->is_json
		? output_new("networks", all_fields, ARRAY_LEN(all_fields))
		: output_new("networks", few_fields, ARRAY_LEN(few_fields));
	struct reach_query q;
	char net[REACH_NET_TEXT];
	struct rows rows = { 0 };
	int r = ADMIN_USAGE;

	output_spare(o, "rtt accounts cut_off tls signed_in");
	if (make_query(a, w, net, &q))
		r = reach_rows_each(a, &q, keep_row, &rows);
	for (size_t i = 0; i < rows.n; i++)
		rows.v[i].name = str_c(rows.names[i]);
	if (rows.n > 0)
		qsort(rows.v, rows.n, sizeof(rows.v[0]), by_traffic);
	for (size_t i = 0; i < rows.n; i++)
		(a->is_json ? put_all : put_few)(
		    o, &rows.v[i], rows.v[i].name.p);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	free(rows.v);
	free(rows.names);
	return r;
}

/* --- handshakes ------------------------------------------------------------------------ */

static const struct output_field tls_fields[] = {
	{ "service", "SERVICE", OUTPUT_TEXT },
	{ "port", "PORT", OUTPUT_COUNT },
	{ "family", "FAMILY", OUTPUT_COUNT },
	{ "version", "VERSION", OUTPUT_TEXT },
	{ "outcome", "OUTCOME", OUTPUT_TEXT },
	{ "alert", "ALERT", OUTPUT_WORD },
	{ "handshakes", "HANDSHAKES", OUTPUT_COUNT },
	{ "networks", "NETWORKS", OUTPUT_COUNT },
};

static const char *
how_text(uint8_t how)
{
	static const char *const names[] = {
		[REACH_TLS_DONE] = "done",
		[REACH_TLS_BY_CLIENT] = "refused by client",
		[REACH_TLS_BY_US] = "refused by us",
		[REACH_TLS_BROKE_OFF] = "broke off",
	};

	return how < ARRAY_LEN(names) ? names[how] : "unknown";
}

struct tls_rows {
	struct msg_reach_tls_row *v;
	size_t n, cap;
};

static void
keep_tls_row(void *arg, const struct msg_reach_tls_row *row)
{
	struct tls_rows *rows = arg;

	rows->v = x_grow(rows->v, &rows->cap, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n++] = *row;
}

/* By port; in it what is done first, then the commonest. */
static int
by_port(const void *pa, const void *pb)
{
	const struct msg_reach_tls_row *a = pa, *b = pb;

	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if ((a->how == REACH_TLS_DONE) != (b->how == REACH_TLS_DONE))
		return a->how == REACH_TLS_DONE ? -1 : 1;
	return a->n < b->n ? 1 : a->n > b->n ? -1 : 0;
}

static void
put_tls_row(struct output *o, const struct msg_reach_tls_row *row)
{
	struct buf alert = BUF_INIT(64);
	const char *name = reach_alert_name(row->alert);

	if (row->alert == REACH_ALERT_OTHER)
		buf_put_c(&alert, "several");
	else if (row->alert != 0)
		buf_printf(&alert, "%u %s", row->alert, name ? name : "");
	output_put_text(o, str_c(reach_service_text(row->service)));
	output_put_number(o, row->port);
	output_put_number(o, row->family);
	output_put_text(o, str_c(reach_tls_name((enum reach_tls)row->tls)));
	output_put_text(o, str_c(how_text(row->how)));
	output_put_text(o, buf_str(&alert));
	output_put_number(o, row->n);
	output_put_number(o, row->networks);
	buf_done(&alert);
}

static int
tls_table(struct admin *a, const struct words *w)
{
	struct output *o =
	    output_new("handshakes", tls_fields, ARRAY_LEN(tls_fields));
	char net[REACH_NET_TEXT];
	struct tls_rows rows = { 0 };
	struct reach_query q;
	int r = ADMIN_USAGE;

	if (make_query(a, w, net, &q))
		r = reach_tls_each(a, &q, keep_tls_row, &rows);
	if (rows.n > 0)
		qsort(rows.v, rows.n, sizeof(rows.v[0]), by_port);
	for (size_t i = 0; i < rows.n; i++)
		put_tls_row(o, &rows.v[i]);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	free(rows.v);
	return r;
}

/* --- one address ------------------------------------------------------------------------ */

static const struct output_field check_fields[] = {
	{ "address", "address", OUTPUT_TEXT },
	{ "network", "network", OUTPUT_TEXT },
	{ "name", "name", OUTPUT_WORD },
	{ "others", "others got through", OUTPUT_TEXT },
	{ "sign_in", "signing in", OUTPUT_TEXT },
	{ "until", "until", OUTPUT_TIME },
};

static const char *
answer_name(uint8_t answer)
{
	static const char *const names[] = {
		[REACH_NOT_ENOUGH] = "not enough to say",
		[REACH_OTHERS_YES] = "yes",
		[REACH_OTHERS_NO] = "no",
	};

	return answer < ARRAY_LEN(names) ? names[answer] : "unknown";
}

static const char *
state_name(uint8_t state)
{
	static const char *const names[] = {
		[AUTH_CLIENT_FREE] = "free",
		[AUTH_CLIENT_SLOWED] = "slowed",
		[AUTH_CLIENT_BANNED] = "banned",
	};

	return state < ARRAY_LEN(names) ? names[state] : "unknown";
}

static int
ask_auth(struct admin *a, const char *address, struct buf *reply,
    struct msg_auth_client_reply *ret)
{
	struct buf body = BUF_INIT(KIB(1));
	int r;

	msg_auth_client_put(
	    &body, &(struct msg_auth_client){ .client_ip = str_c(address) });
	r = admin_do_role(a, ROLE_AUTH,
	    &(struct admin_call){
		.type = MSG_AUTH_CLIENT, .body = buf_str(&body), .fd = -1 },
	    address, reply);
	if (r == ADMIN_OK && !msg_auth_client_reply_get(buf_str(reply), ret))
		r = admin_error(a, ADMIN_TEMPFAIL, "auth: malformed answer");
	buf_done(&body);
	return r;
}

static int
ask_watch(struct admin *a, const char *address, uint8_t service,
    struct buf *reply, struct msg_reach_ask_reply *ret)
{
	struct buf body = BUF_INIT(KIB(1));
	int r;

	msg_reach_ask_put(
	    &body, &(struct msg_reach_ask){ str_c(address), service });
	r = admin_do_role(a, ROLE_WATCH,
	    &(struct admin_call){
		.type = MSG_REACH_ASK, .body = buf_str(&body), .fd = -1 },
	    address, reply);
	if (r == ADMIN_OK && !msg_reach_ask_reply_get(buf_str(reply), ret))
		r = admin_error(a, ADMIN_TEMPFAIL, "watch: malformed answer");
	buf_done(&body);
	return r;
}

static bool
is_address(const char *s)
{
	struct in6_addr any;

	return inet_pton(AF_INET, s, &any) == 1 ||
	       inet_pton(AF_INET6, s, &any) == 1;
}

static int
check(struct admin *a, const struct words *w)
{
	struct output *o =
	    output_new("client", check_fields, ARRAY_LEN(check_fields));
	struct buf one = BUF_INIT(KIB(4)), two = BUF_INIT(KIB(4));
	const char *address = w->args.words[1];
	struct msg_auth_client_reply state;
	struct msg_reach_ask_reply ask;
	uint8_t service = UINT8_MAX;
	int r = ADMIN_USAGE;

	if (!is_address(address))
		r = admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no IP address: write it like 192.0.2.7 or "
		    "2001:db8::7",
		    address);
	else if (w->service == NULL ||
		 reach_service_arg(a, w->service, &service))
		r = ask_watch(a, address, service, &one, &ask);
	if (r == ADMIN_OK)
		r = ask_auth(a, address, &two, &state);
	if (r == ADMIN_OK) {
		output_put_text(o, str_c(address));
		output_put_text(o, ask.network);
		output_put_text(o, ask.name);
		output_put_text(o, str_c(answer_name(ask.answer)));
		output_put_text(o, str_c(state_name(state.state)));
		output_put_number(o, state.until);
		output_print_one(o, a->is_json);
	}
	output_free(o);
	buf_done(&one);
	buf_done(&two);
	return r;
}

/* --- the command ---------------------------------------------------------------------------- */

const char *const reach_usage[] = { USAGE_TABLE, USAGE_TLS, USAGE_SIGNALS,
	USAGE_APPROVE, USAGE_DISMISS, USAGE_DRAFT, USAGE_CHECK, USAGE_LETTER,
	NULL };

int
admin_reach(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = { { "--network", &w.network, NULL },
		{ "--service", &w.service, NULL },
		{ "--since", &w.since, NULL }, { "--hosts", &w.hosts, NULL },
		{ "--text", &w.text, NULL },
		{ "--language", &w.language, NULL },
		{ "--tls", NULL, &w.is_tls }, ADMIN_OPTIONS(a) };
	const char *verb;

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (!admin_args(a, &w.args, argc, argv))
		return ADMIN_USAGE;
	verb = w.args.n_words > 0 ? w.args.words[0] : "";
	if (w.args.n_words == 0 && w.hosts == NULL)
		return w.is_tls ? tls_table(a, &w) : table(a, &w);
	if (strcmp(verb, "signals") == 0 && w.args.n_words == 1)
		return reach_signals(a);
	if (strcmp(verb, "approve") == 0 && w.args.n_words == 2)
		return reach_decide(a, w.args.words[1], true, w.text);
	if (strcmp(verb, "draft") == 0 && w.args.n_words == 2)
		return reach_draft(a, w.args.words[1], w.language);
	if (strcmp(verb, "dismiss") == 0 && w.args.n_words == 2)
		return reach_decide(a, w.args.words[1], false, NULL);
	if (strcmp(verb, "check") == 0 && w.args.n_words == 2)
		return check(a, &w);
	if (strcmp(verb, "letter") == 0 && w.args.n_words == 2)
		return reach_letter(
		    a, &(struct reach_letter_args){ .network = w.args.words[1],
			   .since = w.since,
			   .hosts = w.hosts });
	return admin_usage(a, NULL);
}

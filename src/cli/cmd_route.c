/* SPDX-License-Identifier: ISC */
/*
 * cmd_route.c - mailstead route add|list|show|change|remove|test.
 *
 * Routes are rows of the ledger; what would happen to a mail is asked of the
 * process that sends. No command prints a password.
 */
#include "base/wire.h"
#include "cli/ledger_rows.h"
#include "cli/output/output.h"
#include "cli/route_words.h"
#include "conf/route_row.h"
#include "proto/reply/reply.h"

#define USAGE_ADD \
	"route add [--number N] [--password-stdin] WHOM WAY... [--json]"
#define USAGE_LIST "route list [--json]"
#define USAGE_SHOW "route show NUMBER [--json]"
#define USAGE_CHANGE \
	"route change NUMBER [--password-stdin] [WHOM WAY...] [--json]"
#define USAGE_REMOVE "route remove NUMBER [--json]"
#define USAGE_TEST   "route test SENDER RECIPIENT [--json]"

#define NUMBER_STEP 10

/* --- rows ------------------------------------------------------------------------- */

struct stored {
	uint32_t wanted; /* this one's text and password are copied */
	uint32_t last;   /* the highest number */
	bool is_there;
	const struct route *added; /* NULL: none */
	uint32_t same; /* the number of another that says the same; 0: none */
	struct buf text, password;
};

static void
on_stored(void *arg, const struct msg_ledger_row *m)
{
	struct stored *s = arg;
	struct route_row row;
	struct route route;
	uint32_t number;

	if (!route_key_get(m->key, &number) || !route_row_get(m->value, &row))
		return;
	s->last = MAX(s->last, number);
	if (number != s->wanted && s->added != NULL &&
	    route_text_parse(row.text, &route) &&
	    route_is_same(&route, s->added))
		s->same = number;
	if (number != s->wanted)
		return;
	s->is_there = true;
	buf_put_str(&s->text, row.text);
	buf_put_str(&s->password, row.password);
}

static int
read_stored(struct admin *a, uint32_t wanted, const struct route *added,
    struct stored *ret)
{
	const struct ledger_rows rows = { .table = LEDGER_ROUTE,
		.what = "routes" };

	*ret = (struct stored){ .wanted = wanted,
		.added = added,
		.text = BUF_INIT(KIB(2)),
		.password = BUF_INIT(KIB(2)) };
	return ledger_rows_each(a, &rows, on_stored, ret);
}

static void
stored_done(struct stored *s)
{
	buf_done(&s->text);
	buf_done_secret(&s->password);
}

static bool
read_number(struct admin *a, const char *s, uint32_t *ret)
{
	if (str_to_u32(str_c(s), ROUTE_NUMBER_MAX, ret) && *ret > 0)
		return true;
	admin_error(a, ADMIN_USAGE,
	    "%s is no number of a route; see 'mailstead route list'", s);
	return false;
}

static int
refuse_same(struct admin *a, const struct stored *s)
{
	if (s->same == 0)
		return ADMIN_OK;
	return admin_error(a, ADMIN_REFUSED,
	    "route %u says the same already: of two that are for the same "
	    "mail only the first is ever used",
	    s->same);
}

static int
no_such(struct admin *a, uint32_t number)
{
	return admin_error(a, ADMIN_REFUSED,
	    "there is no route %u; see 'mailstead route list'", number);
}

static int
put_row(struct admin *a, uint32_t number, const struct route_row *row)
{
	struct buf key = BUF_INIT(ROUTE_KEY_BYTES), value = BUF_INIT(KIB(4));
	struct buf object = BUF_INIT(32);
	int r;

	route_key_put(&key, number);
	buf_put_u64(&object, number);
	if (row != NULL)
		route_row_put(&value, row);
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_ROUTE,
		.rows = &(struct msg_ledger_row){ .key = buf_str(&key),
		    .is_gone = row == NULL,
		    .value = buf_str(&value) },
		.n = 1,
		.object = buf_str(&object),
		.detail = row != NULL ? row->text : STR_NONE },
	    "route", NULL);
	buf_done(&key);
	buf_done(&object);
	buf_done_secret(&value);
	return r;
}

/* --- what was typed ---------------------------------------------------------------- */

/* A group that is none fits nobody, and nobody would see it. */
static bool
is_for_somebody(struct admin *a, const struct route *r)
{
	if (r->pattern != ROUTE_GROUP || route_is_group(r->name))
		return true;
	admin_error(a, ADMIN_USAGE,
	    "%.*s is no provider group; 'mailstead route groups' lists them",
	    STR_ARG(r->name));
	return false;
}

/* The words from one on, joined: a route. False after an error was printed. */
static bool
join_words(struct admin *a, const struct args *args, size_t from,
    struct buf *text, struct route *ret)
{
	const char *error;

	for (size_t i = from; i < args->n_words; i++)
		buf_printf(text, "%s%s", i > from ? " " : "", args->words[i]);
	error = text->failed ? "the text is too long"
	                     : route_text_check(buf_str(text), ret);
	if (error == NULL)
		return is_for_somebody(a, ret);
	admin_error(a, ADMIN_USAGE,
	    "this is no route (%s); write it like: mailstead route add "
	    "group:microsoft direct then relay.example.net:587 tls=must; see "
	    "mailstead(8)",
	    error);
	return false;
}

static bool
has_login(const struct route *r)
{
	for (size_t i = 0; i < r->n_ways; i++)
		if (r->ways[i].login.n > 0)
			return true;
	return false;
}

/* One password for the route's ways that sign in. */
static int
take_password(
    struct admin *a, const struct route *r, bool reads, struct buf *password)
{
	if (reads) {
		buf_reset(password, KIB(2));
		if (!admin_read_line(password) || password->n == 0 ||
		    password->n > ROUTE_PASSWORD_MAX)
			return admin_error(
			    a, ADMIN_USAGE, "no password on standard input");
	}
	if (has_login(r) && password->n == 0)
		return admin_error(a, ADMIN_USAGE,
		    "user= needs a password: --password-stdin reads it from "
		    "standard input");
	if (!has_login(r) && reads)
		return admin_error(a, ADMIN_USAGE,
		    "--password-stdin belongs to ways with user=");
	return ADMIN_OK;
}

/* --- add, change, remove -------------------------------------------------------------- */

static int
store_new(
    struct admin *a, struct route_words *w, struct stored *s, struct str text)
{
	struct buf password = BUF_INIT(KIB(2));
	uint32_t number = s->wanted
	                      ? s->wanted
	                      : s->last - s->last % NUMBER_STEP + NUMBER_STEP;
	int r;

	if (s->is_there)
		return admin_error(a, ADMIN_REFUSED,
		    "there is a route %u already: change it, or take another "
		    "number",
		    number);
	if (s->same > 0)
		return refuse_same(a, s);
	if (number > ROUTE_NUMBER_MAX)
		return admin_error(
		    a, ADMIN_REFUSED, "name a free number with --number");
	r = take_password(a, s->added, w->reads_password, &password);
	if (r == ADMIN_OK)
		r = put_row(
		    a, number, &(struct route_row){ text, buf_str(&password) });
	buf_done_secret(&password);
	return r == ADMIN_OK
	           ? admin_say_number(a, "added", number, "added route")
	           : r;
}

static int
add(struct admin *a, struct route_words *w)
{
	struct buf text = BUF_INIT(ROUTE_TEXT_MAX);
	struct route route;
	struct stored s;
	uint32_t number = 0;
	int r = ADMIN_USAGE;

	if (w->args.n_words < 2)
		return admin_usage(a,
		    "a route has two words or more: for whom it is, and a way, "
		    "as in bad.example 127.0.0.1:25 (without quotes)");
	if (w->number && !read_number(a, w->number, &number))
		return ADMIN_USAGE;
	if (join_words(a, &w->args, 0, &text, &route)) {
		r = read_stored(a, number, &route, &s);
		if (r == ADMIN_OK)
			r = store_new(a, w, &s, buf_str(&text));
		stored_done(&s);
	}
	buf_done(&text);
	return r;
}

static int
store_changed(
    struct admin *a, struct route_words *w, struct stored *s, struct str text)
{
	struct route route;
	int r;

	if (!s->is_there)
		return no_such(a, s->wanted);
	r = refuse_same(a, s);
	/* Another password alone. */
	if (text.n == 0)
		text = buf_str(&s->text);
	if (r == ADMIN_OK && !route_text_parse(text, &route))
		r = ADMIN_REFUSED;
	if (r == ADMIN_OK)
		r = take_password(a, &route, w->reads_password, &s->password);
	if (r == ADMIN_OK && !has_login(&route))
		buf_reset(&s->password, 0);
	if (r == ADMIN_OK)
		r = put_row(a, s->wanted,
		    &(struct route_row){ text, buf_str(&s->password) });
	return r == ADMIN_OK
	           ? admin_say_number(a, "changed", s->wanted, "changed route")
	           : r;
}

static int
change(struct admin *a, struct route_words *w)
{
	struct buf text = BUF_INIT(ROUTE_TEXT_MAX);
	bool has_text = w->args.n_words > 1;
	struct route route;
	struct stored s;
	uint32_t number;
	int r = ADMIN_USAGE;

	if (w->args.n_words == 0 || w->args.n_words == 2 ||
	    (w->args.n_words == 1 && !w->reads_password))
		return admin_usage(a, NULL);
	if (!read_number(a, w->args.words[0], &number))
		return ADMIN_USAGE;
	if (!has_text || join_words(a, &w->args, 1, &text, &route)) {
		r = read_stored(a, number, has_text ? &route : NULL, &s);
		if (r == ADMIN_OK)
			r = store_changed(a, w, &s, buf_str(&text));
		stored_done(&s);
	}
	buf_done(&text);
	return r;
}

static int
remove_route(struct admin *a, struct route_words *w)
{
	struct stored s;
	uint32_t number;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!read_number(a, w->args.words[0], &number))
		return ADMIN_USAGE;
	r = read_stored(a, number, NULL, &s);
	if (r == ADMIN_OK && !s.is_there)
		r = no_such(a, number);
	else if (r == ADMIN_OK)
		r = put_row(a, number, NULL);
	stored_done(&s);
	return r == ADMIN_OK
	           ? admin_say_number(a, "removed", number, "removed route")
	           : r;
}

/* --- list and test --------------------------------------------------------------------- */

static int
ask_send(struct admin *a, const struct msg_route_ask *ask, struct buf *reply)
{
	struct buf body = BUF_INIT(KIB(4));
	int r;

	msg_route_ask_put(&body, ask);
	r = admin_do_role(a, ROLE_SEND,
	    &(struct admin_call){
		.type = MSG_ROUTE_ASK, .body = buf_str(&body) },
	    "route", reply);
	buf_done(&body);
	return r;
}

static const struct output_field list_fields[] = {
	{ "number", "NUMBER", OUTPUT_COUNT },
	{ "from", "FROM", OUTPUT_TEXT },
	{ "password", "PASSWORD", OUTPUT_YES },
	{ "route", "ROUTE", OUTPUT_TEXT },
};

static void
put_route(struct output *o, const struct msg_route_line *l)
{
	output_put_number(o, l->number);
	output_put_text(o, l->is_written ? STR("config") : STR("made"));
	output_put_number(o, l->has_password);
	output_put_text(o, l->text);
}

/* The routes in force, in the order in which they count; only: 0 for all. */
static int
print_routes(struct admin *a, uint32_t only, bool is_one)
{
	struct output *o =
	    output_new("routes", list_fields, ARRAY_LEN(list_fields));
	struct buf reply = BUF_INIT(MIB(16));
	struct msg_route_ask_reply r;
	struct msg_route_line l;
	bool is_there = false;
	int code = ask_send(a, &(struct msg_route_ask){ 0 }, &reply);

	if (code == ADMIN_OK && !msg_route_ask_reply_get(buf_str(&reply), &r))
		code = admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	if (code == ADMIN_OK)
		for (struct wire w = wire_read(r.lines);
		     msg_route_line_read(&w, &l);)
			if (only == 0 || (l.number == only && !l.is_written)) {
				put_route(o, &l);
				is_there = true;
			}
	if (code == ADMIN_OK && is_one && !is_there)
		code = no_such(a, only);
	else if (code == ADMIN_OK && is_one)
		output_print_one(o, a->is_json);
	else if (code == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&reply);
	return code;
}

static int
list(struct admin *a, struct route_words *w)
{
	if (w->args.n_words > 0)
		return admin_usage(a, NULL);
	return print_routes(a, 0, false);
}

static int
show(struct admin *a, struct route_words *w)
{
	uint32_t number;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!read_number(a, w->args.words[0], &number))
		return ADMIN_USAGE;
	return print_routes(a, number, true);
}

static const struct output_field test_fields[] = {
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "number", "NUMBER", OUTPUT_COUNT },
	{ "from", "FROM", OUTPUT_TEXT },
	{ "fits", "FITS", OUTPUT_YES },
	{ "order", "ORDER", OUTPUT_COUNT },
	{ "weight", "WEIGHT", OUTPUT_COUNT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "text", "TEXT", OUTPUT_TEXT },
	{ "why", "WHY", OUTPUT_TEXT },
};

static void
put_line(struct output *o, const struct msg_route_line *l)
{
	static const char *const kinds[] = {
		[ROUTE_LINE_ROUTE] = "route",
		[ROUTE_LINE_MX] = "mx",
		[ROUTE_LINE_WAY] = "way",
		[ROUTE_LINE_ANSWER] = "answer",
	};

	output_put_text(
	    o, str_c(l->kind < ARRAY_LEN(kinds) ? kinds[l->kind] : "unknown"));
	output_put_number(o, l->number);
	output_put_text(o, l->is_written ? STR("config") : STR("made"));
	output_put_number(o, l->fits);
	output_put_number(o, l->order);
	output_put_number(o, l->weight);
	output_put_text(o, l->state);
	output_put_text(o, l->text);
	output_put_text(o, l->why);
}

/* "why" behind a dash, when there is one. */
static void
write_why(struct buf *to, struct str why)
{
	if (why.n > 0)
		buf_printf(to, " - %.*s", STR_ARG(why));
}

static void
write_line(struct buf *to, const struct msg_route_line *l)
{
	if (l->kind == ROUTE_LINE_MX) {
		buf_printf(to, "mail server  %.*s", STR_ARG(l->text));
		if (l->why.n > 0)
			buf_printf(to, "  (group %.*s)", STR_ARG(l->why));
	} else if (l->kind == ROUTE_LINE_ROUTE && l->fits) {
		buf_printf(to, "route %s%-5u  %.*s", l->is_written ? "c" : " ",
		    l->number, STR_ARG(l->text));
		write_why(to, l->why);
	} else if (l->kind == ROUTE_LINE_WAY) {
		buf_printf(to, "way %u        %.*s  (%.*s)", l->order,
		    STR_ARG(l->text), STR_ARG(l->state));
		write_why(to, l->why);
	} else if (l->kind == ROUTE_LINE_ANSWER) {
		buf_printf(to, "goes         %.*s", STR_ARG(l->text));
		write_why(to, l->why);
	}
}

/* Names of other servers, and what they replied, may be in it. */
static void
print_line(const struct msg_route_line *l)
{
	struct buf b = BUF_INIT(KIB(64));

	write_line(&b, l);
	output_tame(b.p, b.n);
	if (b.n > 0)
		printf("%.*s\n", (int)b.n, b.p);
	buf_done(&b);
}

static int
print_test(struct admin *a, struct str lines)
{
	struct output *o =
	    output_new("test", test_fields, ARRAY_LEN(test_fields));
	struct msg_route_line l;
	int code = ADMIN_OK;

	for (struct wire w = wire_read(lines); msg_route_line_read(&w, &l);) {
		if (a->is_json)
			put_line(o, &l);
		else
			print_line(&l);
		if (l.kind == ROUTE_LINE_ANSWER &&
		    str_eq(l.state, STR("unknown")))
			code = ADMIN_TEMPFAIL;
	}
	if (a->is_json)
		output_print(o, true);
	output_free(o);
	if (code != ADMIN_OK)
		fprintf(stderr,
		    "mailstead: where this mail goes is not known now, as DNS "
		    "did not answer in %d s: try again, and look at "
		    "dns.servers\n",
		    ROUTE_ASK_MS / 1000);
	return code;
}

static int
test(struct admin *a, struct route_words *w)
{
	struct buf sender = BUF_INIT(KIB(2)), recipient = BUF_INIT(KIB(2));
	struct buf reply = BUF_INIT(MIB(16));
	struct msg_route_ask_reply r;
	int code = ADMIN_USAGE;

	if (w->args.n_words != 2)
		return admin_usage(a, NULL);
	if ((strcmp(w->args.words[0], "<>") == 0 ||
		admin_address(a, w->args.words[0], &sender)) &&
	    admin_address(a, w->args.words[1], &recipient))
		code = ask_send(a,
		    &(struct msg_route_ask){
			buf_str(&sender), buf_str(&recipient) },
		    &reply);
	if (code == ADMIN_OK && !msg_route_ask_reply_get(buf_str(&reply), &r))
		code = admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	if (code == ADMIN_OK)
		code = print_test(a, r.lines);
	buf_done(&sender);
	buf_done(&recipient);
	buf_done(&reply);
	return code;
}

/* --- the command ------------------------------------------------------------------------ */

static int
refusals(UNUSED struct admin *a, UNUSED struct route_words *w)
{
	fputs(reply_default_text(), stdout);
	return ADMIN_OK;
}

const char *const route_usage[] = {
	USAGE_ADD,
	USAGE_LIST,
	USAGE_SHOW,
	USAGE_CHANGE,
	USAGE_REMOVE,
	USAGE_TEST,
	ROUTE_USAGE_STATUS,
	ROUTE_USAGE_AVOID,
	ROUTE_USAGE_RESUME,
	ROUTE_USAGE_GROUPS,
	"route refusals",
	NULL,
};

int
admin_route(struct admin *a, int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(struct admin *a, struct route_words *w);
	} verbs[] = {
		{ "add", add },
		{ "list", list },
		{ "show", show },
		{ "change", change },
		{ "remove", remove_route },
		{ "test", test },
		{ "status", route_status },
		{ "avoid", route_avoid },
		{ "resume", route_resume },
		{ "groups", route_groups },
		{ "refusals", refusals },
	};
	struct route_words w = { 0 };
	const struct arg_option options[] = {
		{ "--number", &w.number, NULL },
		{ "--source", &w.source, NULL },
		{ "--password-stdin", NULL, &w.reads_password },
		{ "--all", NULL, &w.is_all },
		{ "--text", NULL, &w.is_text },
		ADMIN_OPTIONS(a),
	};

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (argc == 0)
		return admin_usage(a, NULL);
	if (!admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].verb, argv[0]) == 0)
			return verbs[i].run(a, &w);
	return admin_usage(a, NULL);
}

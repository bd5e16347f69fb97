/* SPDX-License-Identifier: ISC */
/* cmd_watch_check.c - mailstead check add|change|list|show|run|remove|kinds. */
#include "cli/output/wrap.h"
#include "cli/watch_rows.h"

#define USAGE_ADD \
	"check add SYSTEM/CHECK KIND TARGET [NAME=VALUE...] " \
	"[--password-stdin] [--json]"
#define USAGE_CHANGE \
	"check change SYSTEM/CHECK [target=TARGET] [NAME=VALUE...] " \
	"[--password-stdin] [--json]"
#define USAGE_LIST     "check list [SYSTEM] [--json]"
#define USAGE_SHOW     "check show SYSTEM/CHECK [--json]"
#define USAGE_RUN      "check run SYSTEM/CHECK [--json]"
#define USAGE_REMOVE   "check remove SYSTEM/CHECK [--json]"
#define USAGE_KINDS    "check kinds [--json]"
#define MEANING_INDENT 12

struct words {
	struct args args;
	bool from_stdin;
};

/* --- adding and changing ------------------------------------------------------ */

/* A password on the command line can be seen by everybody on the machine. */
static int
read_password(struct admin *a, const struct words *w, struct buf *word)
{
	struct buf password = BUF_INIT(KIB(1));

	if (!w->from_stdin)
		return ADMIN_OK;
	if (!admin_password(a, true, &password)) {
		buf_done_secret(&password);
		return ADMIN_USAGE;
	}
	buf_put_c(word, "password=");
	buf_put_str(word, buf_str(&password));
	buf_done_secret(&password);
	return ADMIN_OK;
}

#define TARGET "target="

static bool
is_target(const char *word)
{
	return str_starts_case(str_c(word), STR(TARGET));
}

/* A change may name another target. */
static bool
put_word(struct status_check *c, const char *word, bool is_change,
    struct status_fault *ret)
{
	if (is_change && is_target(word))
		return status_check_retarget(
		    c, str_from(str_c(word), sizeof(TARGET) - 1), ret);
	return status_check_put(c, str_c(word), ret);
}

/* Agents that are named now; those from before may have been removed since. */
static int
have_agents(struct admin *a, const struct words *w, size_t first)
{
	int r = ADMIN_OK;

	for (size_t i = first; r == ADMIN_OK && i < w->args.n_words; i++) {
		struct str name, value;

		value = str_split(str_c(w->args.words[i]), '=', &name);
		if (str_eq_case(name, STR("at")) && value.n > 0 &&
		    !str_eq_case(value, STR("all")) &&
		    !str_eq_case(value, STR("here")))
			r = watch_agent_have(a, value);
	}
	return r;
}

/* Words from the first-th on, and the password, into c; what it points to is
 * the arguments' and secret's. Then store it. */
static int
complete(struct admin *a, const struct words *w, size_t first,
    struct status_check *c, struct str key, const char *said)
{
	struct buf secret = BUF_INIT(KIB(2)), value = BUF_INIT(KIB(64));
	CLEANUP(freep) char *what = x_asprintf("check %.*s", STR_ARG(key));
	struct status_fault fault;
	int r = read_password(a, w, &secret);
	bool ok = r == ADMIN_OK;

	/* What a change names takes the place of all that was there of it. */
	for (size_t i = first; i < w->args.n_words; i++)
		status_check_forget(c, str_c(w->args.words[i]));
	for (size_t i = first; ok && i < w->args.n_words; i++)
		ok = put_word(c, w->args.words[i], said[0] == 'c', &fault);
	if (ok && secret.n > 0)
		ok = status_check_put(c, buf_str(&secret), &fault);
	ok = ok && status_check_finish(c, &fault);
	if (r == ADMIN_OK && !ok)
		r = watch_fault(a, &fault);
	if (r == ADMIN_OK)
		r = have_agents(a, w, first);
	if (r == ADMIN_OK) {
		status_check_encode(c, &value);
		r = ledger_rows_put(a, LEDGER_CHECK,
		    &(struct msg_ledger_row){
			.key = key, .value = buf_str(&value) },
		    what);
	}
	buf_done_secret(&secret);
	buf_done_secret(&value);
	if (r == ADMIN_OK)
		r = admin_say(a, said, key,
		    said[0] == 'a' ? "added check" : "changed check");
	return r;
}

static int
refuse_existing(struct admin *a, struct str key)
{
	struct buf value = BUF_INIT(KIB(64));
	bool is_there;
	int r = ledger_rows_find(a, LEDGER_CHECK, key, &is_there, &value);

	buf_done_secret(&value);
	if (r != ADMIN_OK || !is_there)
		return r;
	return admin_error(a, ADMIN_REFUSED,
	    "check %.*s: it exists already; see 'mailstead check change'",
	    STR_ARG(key));
}

static int
add(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1));
	struct status_fault fault;
	struct watch_system sys;
	struct status_check c;
	struct str as_key;
	char *system;
	int r;

	if (w->args.n_words < 3)
		return admin_usage(a, NULL);
	if (!watch_check_key(a, w->args.words[0], &key))
		return ADMIN_USAGE;
	system = str_dup(
	    str_first(buf_str(&key), (size_t)str_find(buf_str(&key), '/')));
	r = watch_system_get(a, system, &sys);
	watch_system_done(&sys);
	free(system);
	as_key = buf_str(&key);
	if (r == ADMIN_OK)
		r = refuse_existing(a, as_key);
	if (r == ADMIN_OK && !status_check_begin(&c, str_c(w->args.words[1]),
				 str_c(w->args.words[2]), &fault))
		r = watch_fault(a, &fault);
	if (r == ADMIN_OK)
		r = complete(a, w, 3, &c, as_key, "added");
	buf_done(&key);
	return r;
}

/* The row of a check, decoded; it points into row. */
static int
get(struct admin *a, struct str key, struct buf *row, struct status_check *ret)
{
	CLEANUP(freep) char *what = x_asprintf("check %.*s", STR_ARG(key));
	int r = ledger_rows_get(a, LEDGER_CHECK, key, what, row);

	if (r == ADMIN_OK && !status_check_decode(buf_str(row), ret))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood; remove it "
		    "and add it anew",
		    what);
	return r;
}

static int
change(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(64));
	struct status_check c;
	int r;

	if (w->args.n_words < 1)
		return admin_usage(a, NULL);
	if (!watch_check_key(a, w->args.words[0], &key))
		return ADMIN_USAGE;
	r = get(a, buf_str(&key), &row, &c);
	if (r == ADMIN_OK)
		r = complete(a, w, 1, &c, buf_str(&key), "changed");
	buf_done(&key);
	buf_done_secret(&row);
	return r;
}

static int
remove_check(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(64));
	CLEANUP(freep) char *what = NULL;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!watch_check_key(a, w->args.words[0], &key))
		return ADMIN_USAGE;
	what = x_asprintf("check %s", buf_c(&key));
	r = ledger_rows_get(a, LEDGER_CHECK, buf_str(&key), what, &row);
	if (r == ADMIN_OK)
		r = ledger_rows_put(a, LEDGER_CHECK,
		    &(struct msg_ledger_row){
			.key = buf_str(&key), .is_gone = 1 },
		    what);
	if (r == ADMIN_OK)
		r = admin_say(a, "removed", buf_str(&key), "removed check");
	buf_done(&key);
	buf_done_secret(&row);
	return r;
}

/* --- listing -------------------------------------------------------------------- */

static const struct output_field fields[] = {
	{ "check", "CHECK", OUTPUT_TEXT },
	{ "kind", "KIND", OUTPUT_TEXT },
	{ "target", "TARGET", OUTPUT_TEXT },
	{ "every_s", "EVERY", OUTPUT_S },
	{ "options", "OPTIONS", OUTPUT_TEXT },
};

static void
put_check(struct output *o, struct str key, const struct status_check *c)
{
	struct buf options = BUF_INIT(KIB(64));

	status_check_put_options(c, &options);
	output_put_text(o, key);
	output_put_text(o, str_c(status_kind_name(c->kind)));
	output_put_text(o, c->target);
	output_put_number(o, status_check_ms(c, STATUS_OPT_EVERY) / 1000);
	output_put_text(o, buf_str(&options));
	buf_done(&options);
}

static void
take_check(void *arg, const struct msg_ledger_row *row)
{
	struct status_check c;

	if (status_check_decode(row->value, &c))
		put_check(arg, row->key, &c);
}

static int
list(struct admin *a, const struct words *w)
{
	struct output *o = output_new("checks", fields, ARRAY_LEN(fields));
	struct ledger_rows rows = { LEDGER_CHECK, STR_NONE, "checks" };
	struct buf prefix = BUF_INIT(KIB(1));
	struct watch_system sys;
	int r = ADMIN_OK;

	if (w->args.n_words > 0) {
		r = watch_system_get(a, w->args.words[0], &sys);
		watch_system_done(&sys);
		status_put_key(&prefix, str_c(w->args.words[0]));
		buf_put_char(&prefix, '/');
	}
	rows.prefix = buf_str(&prefix);
	if (r == ADMIN_OK)
		r = ledger_rows_each(a, &rows, take_check, o);
	if (r == ADMIN_OK)
		output_print(o, a->is_json);
	output_free(o);
	buf_done(&prefix);
	return r;
}

static int
show(struct admin *a, const struct words *w)
{
	struct output *o = output_new("check", fields, ARRAY_LEN(fields));
	struct buf key = BUF_INIT(KIB(1)), row = BUF_INIT(KIB(64));
	struct status_check c;
	int r = ADMIN_USAGE;

	if (watch_check_key(a, w->args.words[0], &key))
		r = get(a, buf_str(&key), &row, &c);
	if (r == ADMIN_OK) {
		put_check(o, buf_str(&key), &c);
		output_print_one(o, a->is_json);
	}
	output_free(o);
	buf_done(&key);
	buf_done_secret(&row);
	return r;
}

/* --- what there is ----------------------------------------------------------------- */

/* Lines of the kinds that have it. */
static void
put_kinds_of(enum status_opt opt, bool may_be_all, struct buf *to)
{
	unsigned n = 0;

	for (unsigned k = 0; k < STATUS_KINDS; k++)
		if (status_opt_is_of(opt, (enum status_kind)k))
			buf_printf(to, "%s%s", n++ > 0 ? "\n" : "",
			    status_kind_name((enum status_kind)k));
	if (n == STATUS_KINDS && may_be_all) {
		buf_reset(to, KIB(1));
		buf_put_c(to, "all");
	}
}

/* Sentences: a table would cut them. */
static void
print_option(enum status_opt opt, const char *meaning)
{
	struct buf of = BUF_INIT(KIB(1)), text = BUF_INIT(KIB(4));

	put_kinds_of(opt, true, &of);
	for (size_t i = 0; i < of.n; i++)
		if (of.p[i] == '\n')
			of.p[i] = ' ';
	buf_printf(&text, "%-*s ", MEANING_INDENT - 1, status_opt_name(opt));
	wrap_words(&text, str_c(meaning), MEANING_INDENT, MEANING_INDENT);
	buf_printf(&text, "\n%*sOf: ", MEANING_INDENT, "");
	wrap_words(&text, buf_str(&of), MEANING_INDENT + 4, MEANING_INDENT + 4);
	puts(buf_c(&text));
	buf_done(&text);
	buf_done(&of);
}

static int
kinds(struct admin *a)
{
	static const struct output_field option_fields[] = {
		{ "option", "OPTION", OUTPUT_TEXT },
		{ "kinds", "OF", OUTPUT_LIST },
		{ "help", "MEANING", OUTPUT_TEXT },
	};
	static const char *const help[] = {
#define OPT(id, name, type, of, max, text) text,
#include "proto/status/status_options.def"
#undef OPT
	};
	struct output *o =
	    output_new("options", option_fields, ARRAY_LEN(option_fields));

	for (unsigned i = 0; i < STATUS_OPTS; i++) {
		enum status_opt opt = (enum status_opt)i;
		struct buf of = BUF_INIT(KIB(1));

		if (!a->is_json) {
			print_option(opt, help[i]);
			continue;
		}
		put_kinds_of(opt, false, &of);
		output_put_text(o, str_c(status_opt_name(opt)));
		output_put_text(o, buf_str(&of));
		output_put_text(o, str_c(help[i]));
		buf_done(&of);
	}
	if (a->is_json)
		output_print(o, true);
	output_free(o);
	return ADMIN_OK;
}

/* --- one probe now ------------------------------------------------------------------- */

static void
put_cause(struct output *o, const struct msg_watch_run_reply *m)
{
	enum watch_cause cause = (enum watch_cause)m->cause;

	if (m->outcome != WATCH_FAILED) {
		output_put_text(o, STR_NONE);
		return;
	}
	output_put_text(o, str_c(watch_cause_name(cause)));
	output_show(o, str_c(watch_cause_text(cause)));
}

static void
print_dialogue(struct str dialogue)
{
	CLEANUP(freep) char *text = str_dup(dialogue);

	output_tame_lines(text, dialogue.n);
	printf("%.*s\n", (int)dialogue.n, text);
}

static void
tell_run(struct admin *a, struct str key, const struct msg_watch_run_reply *m)
{
	static const struct output_field run_fields[] = {
		{ "check", "check", OUTPUT_TEXT },
		{ "outcome", "outcome", OUTPUT_TEXT },
		{ "found", "found", OUTPUT_TEXT },
		{ "cause", "cause", OUTPUT_WORD },
		{ "time_us", "time", OUTPUT_US },
		{ "stages", "stages", OUTPUT_LIST },
		{ "dialogue", "dialogue", OUTPUT_LIST },
	};
	/* People see the dialogue in front, line by line. */
	size_t n = ARRAY_LEN(run_fields) - !a->is_json;
	struct output *o = output_new("run", run_fields, n);

	if (!a->is_json)
		print_dialogue(m->dialogue);
	output_put_text(o, key);
	output_put_text(
	    o, str_c(watch_outcome_name((enum watch_outcome)m->outcome)));
	output_put_text(o, m->text);
	put_cause(o, m);
	output_put_number(o, m->us);
	watch_put_stages(o, m->stages);
	if (a->is_json)
		output_put_text(o, m->dialogue);
	output_print_one(o, a->is_json);
	output_free(o);
}

/* 0: good; 1: it failed; 75: it cannot be told. */
static int
run_check(struct admin *a, const struct words *w)
{
	struct buf key = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(1));
	struct buf reply = BUF_INIT(MIB(1));
	struct msg_watch_run_reply m;
	CLEANUP(freep) char *what = NULL;
	int r = ADMIN_USAGE;

	if (watch_check_key(a, w->args.words[0], &key)) {
		what = x_asprintf("check %s", buf_c(&key));
		msg_watch_run_put(
		    &body, &(struct msg_watch_run){ buf_str(&key) });
		r = admin_do_role(a, ROLE_WATCH,
		    &(struct admin_call){
			.type = MSG_WATCH_RUN, .body = buf_str(&body) },
		    what, &reply);
	}
	if (r == ADMIN_OK && !msg_watch_run_reply_get(buf_str(&reply), &m))
		r = admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	if (r == ADMIN_OK) {
		tell_run(a, buf_str(&key), &m);
		r = m.outcome == WATCH_FAILED         ? ADMIN_REFUSED
		    : m.outcome == WATCH_INCONCLUSIVE ? ADMIN_TEMPFAIL
		                                      : ADMIN_OK;
	}
	buf_done(&key);
	buf_done(&body);
	buf_done(&reply);
	return r;
}

const char *const check_usage[] = { "check [--rebuild] [--json]", USAGE_ADD,
	USAGE_CHANGE, USAGE_LIST, USAGE_SHOW, USAGE_RUN, USAGE_REMOVE,
	USAGE_KINDS, NULL };

int
admin_check(struct admin *a, int argc, char **argv)
{
	struct words w = { 0 };
	const struct arg_option options[] = {
		{ "--password-stdin", NULL, &w.from_stdin },
		ADMIN_OPTIONS(a),
	};
	const char *verb = argv[0];

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	if (!admin_args(a, &w.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "add") == 0)
		return add(a, &w);
	if (strcmp(verb, "change") == 0)
		return change(a, &w);
	if (strcmp(verb, "remove") == 0)
		return remove_check(a, &w);
	if (strcmp(verb, "list") == 0 && w.args.n_words <= 1)
		return list(a, &w);
	if (strcmp(verb, "show") == 0 && w.args.n_words == 1)
		return show(a, &w);
	if (strcmp(verb, "run") == 0 && w.args.n_words == 1)
		return run_check(a, &w);
	if (strcmp(verb, "kinds") == 0 && w.args.n_words == 0)
		return kinds(a);
	return admin_usage(a, NULL);
}

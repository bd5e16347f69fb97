/* SPDX-License-Identifier: ISC */
/* cmd_mail.c - mailstead mail import|export|undelete. */
#include <sys/stat.h>
#include <time.h>

#include "cli/mailbox/exporter.h"
#include "cli/mailbox/importer.h"
#include "cli/output/output.h"
#include "proto/imap/imap_utf7.h"

#define USAGE_IMPORT \
	"mail import USER PATH [--format maildir|mbox|mboxo|auto] " \
	"[--mailbox NAME] [--json]"
#define USAGE_EXPORT \
	"mail export USER PATH [--format maildir|mbox] [--mailbox NAME] " \
	"[--json]"
#define USAGE_UNDELETE \
	"mail undelete USER --since DATE|3d|12h [--mailbox NAME] [--json]"

struct mail_command {
	struct admin *a;
	struct args args;
	const char *format, *mailbox, *since;
};

static bool
mailbox_is_fine(struct mail_command *c)
{
	enum imap_name e;

	if (!c->mailbox)
		return true;
	if (imap_name_is_inbox(str_c(c->mailbox)))
		c->mailbox = "INBOX";
	e = imap_name_check(str_c(c->mailbox));
	if (e == IMAP_NAME_OK)
		return true;
	admin_error(c->a, ADMIN_USAGE, "\"%s\" is not a mailbox name: %s",
	    c->mailbox, imap_name_error(e));
	return false;
}

static void
print_import(struct mail_command *c, const struct importer *im)
{
	static const struct output_field fields[] = {
		{ "imported", "imported", OUTPUT_COUNT },
		{ "already_there", "already there", OUTPUT_COUNT },
		{ "skipped", "skipped", OUTPUT_COUNT },
		{ "mailboxes", "mailboxes", OUTPUT_COUNT },
		{ "bytes", "bytes read", OUTPUT_BYTES },
		{ "seconds", "seconds", OUTPUT_COUNT },
		{ "complete", "complete", OUTPUT_YES },
	};
	struct output *o = output_new("", fields, ARRAY_LEN(fields));

	output_put_number(o, im->added);
	output_put_number(o, im->known);
	output_put_number(o, im->failed);
	output_put_number(o, im->mailboxes);
	output_put_number(o, im->added_bytes);
	output_put_number(o, progress_elapsed_ms(&im->progress) / 1000);
	output_put_number(o, im->error == ADMIN_OK);
	output_print_one(o, c->a->is_json);
	output_free(o);
}

/* What is it that lies there? NULL after an error was printed. */
static const char *
format_of(struct mail_command *c, const char *path, int *ret_error)
{
	const char *f = c->format ? c->format : "auto";
	struct stat st;

	*ret_error = ADMIN_REFUSED;
	if (stat(path, &st) < 0) {
		admin_error(
		    c->a, ADMIN_REFUSED, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (strcmp(f, "auto") == 0)
		f = import_is_maildir(path) ? "maildir" : "mbox";
	if (strcmp(f, "maildir") == 0 && !import_is_maildir(path)) {
		admin_error(c->a, ADMIN_REFUSED,
		    "%s is not a Maildir: it has no folder \"cur\"", path);
		return NULL;
	}
	if (strcmp(f, "maildir") != 0 && strcmp(f, "mbox") != 0 &&
	    strcmp(f, "mboxo") != 0) {
		*ret_error = admin_usage(c->a, "unknown format");
		return NULL;
	}
	return f;
}

static void
run_import(
    struct importer *im, const struct import_source *s, const char *format)
{
	struct stat st;

	if (strcmp(format, "maildir") == 0)
		import_maildir(im, s);
	else if (stat(s->path, &st) == 0 && S_ISDIR(st.st_mode))
		import_mbox_folder(im, s);
	else
		import_mbox(im, s);
}

static int
import(struct mail_command *c)
{
	struct import_source s;
	struct importer im;
	const char *format;
	int r;

	if (c->args.n_words != 2)
		return admin_usage(c->a, NULL);
	format = format_of(c, c->args.words[1], &r);
	if (!format)
		return r;
	if (!mailbox_is_fine(c))
		return ADMIN_USAGE;
	r = mailstore_open(c->a, c->args.words[0]);
	if (r != ADMIN_OK)
		return r;
	s = (struct import_source){ .path = c->args.words[1],
		.mailbox = str_c(c->mailbox),
		.is_o = strcmp(format, "mboxo") == 0 };
	importer_init(&im, c->a);
	run_import(&im, &s, format);
	progress_clear(&im.progress);
	if (im.error == ADMIN_OK || !c->a->is_json)
		print_import(c, &im);
	r = im.error != ADMIN_OK ? im.error
	    : im.failed > 0      ? ADMIN_REFUSED
	                         : ADMIN_OK;
	importer_done(&im);
	return r;
}

static int export(struct mail_command *c)
{
	struct export_target t;
	bool is_mbox = c->format && strcmp(c->format, "mbox") == 0;
	int r;

	if (c->args.n_words != 2 ||
	    (c->format && !is_mbox && strcmp(c->format, "maildir") != 0))
		return admin_usage(c->a, NULL);
	if (!mailbox_is_fine(c))
		return ADMIN_USAGE;
	r = mailstore_open(c->a, c->args.words[0]);
	if (r != ADMIN_OK)
		return r;
	t = (struct export_target){ .path = c->args.words[1],
		.mailbox = str_c(c->mailbox),
		.is_mbox = is_mbox };
	return export_mail(c->a, &t);
}

static int
undelete(struct mail_command *c)
{
	struct buf address = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf reply = BUF_INIT(KIB(64)), what = BUF_INIT(KIB(4));
	static const struct output_field field = { "restored",
		"restored messages", OUTPUT_COUNT };
	struct msg_count_reply count = { 0 };
	struct output *o;
	uint64_t since;
	int r = ADMIN_USAGE;

	if (c->args.n_words != 1 || !c->since)
		return admin_usage(c->a, NULL);
	if (!args_time(c->since, (uint64_t)time(NULL), &since))
		return admin_error(c->a, ADMIN_USAGE,
		    "\"%s\" is not a date; write it like 2026-11-20, "
		    "\"2026-11-20 18:30\", 3d or 12h",
		    c->since);
	if (mailbox_is_fine(c) &&
	    admin_address(c->a, c->args.words[0], &address)) {
		msg_mail_undelete_put(
		    &body, &(struct msg_mail_undelete){
			       buf_str(&address), since, str_c(c->mailbox) });
		buf_printf(&what, "user %s", buf_c(&address));
		r = admin_do(c->a, MSG_MAIL_UNDELETE, buf_str(&body),
		    buf_c(&what), &reply);
	}
	if (r == ADMIN_OK && msg_count_reply_get(buf_str(&reply), &count)) {
		o = output_new("", &field, 1);
		output_put_number(o, count.count);
		output_print_one(o, c->a->is_json);
		output_free(o);
	}
	buf_done(&address);
	buf_done(&body);
	buf_done(&reply);
	buf_done(&what);
	return r;
}

const char *const mail_usage[] = { USAGE_IMPORT, USAGE_EXPORT, USAGE_UNDELETE,
	NULL };

int
admin_mail(struct admin *a, int argc, char **argv)
{
	struct mail_command c = { .a = a };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--format", &c.format, NULL },
		{ "--mailbox", &c.mailbox, NULL },
		{ "--since", &c.since, NULL },
	};
	const char *verb = argc > 0 ? argv[0] : "";

	c.args.options = options;
	c.args.n_options = ARRAY_LEN(options);
	if (argc > 0 && !admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	if (strcmp(verb, "import") == 0)
		return import(&c);
	if (strcmp(verb, "export") == 0)
		return export(&c);
	if (strcmp(verb, "undelete") == 0)
		return undelete(&c);
	return admin_usage(a, NULL);
}

/* SPDX-License-Identifier: ISC */
/*
 * cmd_user.c - mailstead user add|list|passwd|quota|remove|undelete.
 *
 * Passwords become verifiers here: the server never sees the password of a
 * new account, only what it needs to check one.
 */
#include "auth/password.h"
#include "auth/verifier.h"
#include "base/secret.h"
#include "cli/admin.h"
#include "cli/output/output.h"

#define USAGE_ADD \
	"user add ADDRESS... [--password-stdin | --hash-stdin] " \
	"[--quota SIZE] [--quota-messages N] [--json]"
#define USAGE_LIST "user list [DOMAIN] [--removed] [--json]"
#define USAGE_PASSWD \
	"user passwd ADDRESS [--password-stdin | --hash-stdin] [--json]"
#define USAGE_QUOTA \
	"user quota ADDRESS [SIZE|none] [--messages N|none] [--json]"
#define USAGE_REMOVE   "user remove ADDRESS [--json]"
#define USAGE_UNDELETE "user undelete ADDRESS [--json]"

struct user_command {
	struct admin *a;
	struct args args;
	bool password_stdin, hash_stdin, removed;
	const char *quota, *messages;
};

/* What a new password becomes; wiped when done. */
struct verifiers {
	struct buf password; /* or an imported hash */
	bool is_hash;
};

static bool
get_secret(struct user_command *c, struct verifiers *v)
{
	*v = (struct verifiers){ .password = BUF_INIT(KIB(2)),
		.is_hash = c->hash_stdin };
	if (!c->hash_stdin)
		return admin_password(c->a, c->password_stdin, &v->password);
	if (admin_read_line(&v->password) &&
	    verifier_is_valid(buf_str(&v->password)))
		return true;
	admin_error(c->a, ADMIN_USAGE,
	    "not a hash that can be checked here: one line with $argon2id$, "
	    "SCRAM-SHA-256$, or a crypt(3) hash ($y$, $2b$, $6$, $5$, $1$) is "
	    "expected");
	return false;
}

/* Fill the fields of a message from the secret; bufs hold what they show. */
static bool
make(struct user_command *c, const struct verifiers *v,
    struct msg_user_passwd *msg, struct buf *argon2, struct buf *scram)
{
	struct str s = buf_str(&v->password);
	enum verifier_error e;

	buf_reset(argon2, KIB(1));
	buf_reset(scram, KIB(1));
	if (v->is_hash) {
		bool is_argon2 = str_starts(s, STR("$argon2id$"));
		bool is_scram = str_starts(s, STR("SCRAM-"));

		msg->argon2 = is_argon2 ? s : STR_NONE;
		msg->scram_sha256 = is_scram ? s : STR_NONE;
		msg->crypt = is_argon2 || is_scram ? STR_NONE : s;
		return true;
	}
	e = verifier_make(s, argon2, scram);
	if (e != VERIFIER_OK) {
		admin_error(c->a, ADMIN_USAGE, "%s", verifier_error_str(e));
		return false;
	}
	msg->argon2 = buf_str(argon2);
	msg->scram_sha256 = buf_str(scram);
	return true;
}

static int
send_passwd(
    struct user_command *c, const struct msg_user_passwd *msg, const char *what)
{
	struct buf body = BUF_INIT(KIB(8));
	int r;

	msg_user_passwd_put(&body, msg);
	r = admin_do(c->a, MSG_USER_PASSWD, buf_str(&body), what, NULL);
	buf_done_secret(&body);
	return r;
}

static int
send_add(struct user_command *c, const struct msg_user_passwd *p,
    const struct msg_user_add *limits, const char *what)
{
	struct msg_user_add msg = *limits;
	struct buf body = BUF_INIT(KIB(8));
	int r;

	msg.login = p->login;
	msg.argon2 = p->argon2;
	msg.scram_sha256 = p->scram_sha256;
	msg_user_add_put(&body, &msg);
	r = admin_do(c->a, MSG_USER_ADD, buf_str(&body), what, NULL);
	buf_done_secret(&body);
	/* A crypt(3) hash comes by the other message. */
	if (r == ADMIN_OK && p->crypt.n > 0)
		r = send_passwd(c, p, what);
	return r;
}

/* Add or passwd for one address. */
static int
set_one(struct user_command *c, const char *word, const struct verifiers *v,
    const struct msg_user_add *limits)
{
	struct buf address = BUF_INIT(KIB(2)), what = BUF_INIT(KIB(4));
	struct buf argon2 = BUF_INIT(KIB(1)), scram = BUF_INIT(KIB(1));
	struct msg_user_passwd msg = { 0 };
	int r = ADMIN_USAGE;

	if (admin_address(c->a, word, &address) &&
	    make(c, v, &msg, &argon2, &scram)) {
		msg.login = buf_str(&address);
		buf_printf(&what, "user %s", buf_c(&address));
		r = limits ? send_add(c, &msg, limits, buf_c(&what))
		           : send_passwd(c, &msg, buf_c(&what));
		if (r == ADMIN_OK)
			r = admin_say(c->a, limits ? "added" : "changed",
			    buf_str(&address),
			    limits ? "added user" : "changed the password of");
	}
	buf_done(&address);
	buf_done(&what);
	buf_done_secret(&argon2);
	buf_done_secret(&scram);
	return r;
}

static bool
limit(struct user_command *c, const char *s, bool is_size, uint64_t *ret)
{
	if (!s || (is_size ? args_size(s, ret) : args_count(s, ret)))
		return true;
	admin_error(c->a, ADMIN_USAGE,
	    is_size ? "\"%s\" is not a size; write it like 500M, 5G, or none"
		    : "\"%s\" is not a number of messages, or none",
	    s);
	return false;
}

static int
add(struct user_command *c)
{
	struct msg_user_add limits = { 0 }; /* as configured */
	struct verifiers v;
	int r = ADMIN_OK;

	if (c->args.n_words == 0)
		return admin_usage(c->a, NULL);
	if (!limit(c, c->quota, true, &limits.bytes_limit) ||
	    !limit(c, c->messages, false, &limits.messages_limit))
		return ADMIN_USAGE;
	if (c->quota && limits.bytes_limit == 0)
		limits.bytes_limit = UINT64_MAX;
	if (c->messages && limits.messages_limit == 0)
		limits.messages_limit = UINT64_MAX;
	/* What cannot work should not first ask for a password. */
	r = admin_connect(c->a);
	if (r != ADMIN_OK)
		return r;
	if (!get_secret(c, &v))
		r = ADMIN_USAGE;
	for (size_t i = 0; r == ADMIN_OK && i < c->args.n_words; i++)
		r = set_one(c, c->args.words[i], &v, &limits);
	buf_done_secret(&v.password);
	return r;
}

static int
passwd(struct user_command *c)
{
	struct verifiers v;
	int r;

	if (c->args.n_words != 1)
		return admin_usage(c->a, NULL);
	r = admin_connect(c->a);
	if (r != ADMIN_OK)
		return r;
	r = get_secret(c, &v) ? set_one(c, c->args.words[0], &v, NULL)
	                      : ADMIN_USAGE;
	buf_done_secret(&v.password);
	return r;
}

static int
quota(struct user_command *c)
{
	struct buf address = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4));
	size_t n = c->args.n_words;
	const char *bytes = n == 2 ? c->args.words[1] : NULL;
	struct msg_user_quota msg = {
		.sets_bytes = bytes != NULL,
		.sets_messages = c->messages != NULL,
	};
	int r = ADMIN_USAGE;

	if (n < 1 || n > 2 || (!bytes && !c->messages)) {
		r = admin_usage(c->a, NULL);
	} else if (limit(c, bytes, true, &msg.bytes_limit) &&
		   limit(c, c->messages, false, &msg.messages_limit) &&
		   admin_address(c->a, c->args.words[0], &address)) {
		msg.login = buf_str(&address);
		msg_user_quota_put(&body, &msg);
		buf_printf(&what, "user %s", buf_c(&address));
		r = admin_do(
		    c->a, MSG_USER_QUOTA, buf_str(&body), buf_c(&what), NULL);
		if (r == ADMIN_OK)
			r = admin_say(c->a, "changed", buf_str(&address),
			    "changed the quota of");
	}
	buf_done(&address);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static int
remove_or_undelete(struct user_command *c, enum msg_type type)
{
	bool is_remove = type == MSG_USER_REMOVE;
	struct buf address = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4));
	int r = ADMIN_USAGE;

	if (c->args.n_words != 1) {
		r = admin_usage(c->a, NULL);
	} else if (admin_address(c->a, c->args.words[0], &address)) {
		msg_name_put(&body, &(struct msg_name){ buf_str(&address) });
		buf_printf(&what, "user %s", buf_c(&address));
		r = admin_do(c->a, type, buf_str(&body), buf_c(&what), NULL);
		if (r == ADMIN_OK)
			r = admin_say(c->a, is_remove ? "removed" : "restored",
			    buf_str(&address),
			    is_remove ? "removed user" : "restored user");
	}
	buf_done(&address);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static void
put_row(struct output *o, const struct msg_user *u)
{
	output_put_text(o, u->login);
	output_put_number(o, u->messages);
	output_put_number(o, u->messages_limit);
	output_put_number(o, u->bytes);
	output_put_number(o, u->bytes_limit);
	output_put_number(o, u->mailboxes);
	output_put_number(o, u->created);
	output_put_number(o, u->removed);
}

static int
list(struct user_command *c)
{
	static const struct output_field fields[] = {
		{ "address", "USER", OUTPUT_TEXT },
		{ "messages", "MESSAGES", OUTPUT_COUNT },
		{ "messages_limit", "LIMIT", OUTPUT_LIMIT_COUNT },
		{ "bytes", "SIZE", OUTPUT_BYTES },
		{ "bytes_limit", "QUOTA", OUTPUT_LIMIT_BYTES },
		{ "mailboxes", "MAILBOXES", OUTPUT_COUNT },
		{ "created", "CREATED", OUTPUT_TIME },
		{ "removed", "REMOVED", OUTPUT_TIME },
	};
	struct output *o = output_new("users", fields, ARRAY_LEN(fields));
	struct buf reply = BUF_INIT(MIB(16)), after = BUF_INIT(KIB(2));
	struct buf body = BUF_INIT(KIB(4));
	struct str filter = str_c(c->args.n_words ? c->args.words[0] : NULL);
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_user u;
	int r = ADMIN_OK;

	while (l.has_more) {
		buf_reset(&body, KIB(4));
		msg_list_put(
		    &body, &(struct msg_list){ .after = buf_str(&after),
			       .filter = filter,
			       .is_removed = c->removed });
		r = admin_do(
		    c->a, MSG_USER_LIST, buf_str(&body), "users", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_user_read(&w, &u);) {
			put_row(o, &u);
			buf_reset(&after, KIB(2));
			buf_put_str(&after, u.login);
		}
	}
	if (r == ADMIN_OK && filter.n > 0 && output_is_empty(o))
		r = admin_served(c->a, c->args.words[0]);
	if (r == ADMIN_OK)
		output_print(o, c->a->is_json);
	output_free(o);
	buf_done(&reply);
	buf_done(&after);
	buf_done(&body);
	return r;
}

static int
run(struct user_command *c, const char *verb)
{
	if (strcmp(verb, "add") == 0)
		return add(c);
	if (strcmp(verb, "passwd") == 0)
		return passwd(c);
	if (strcmp(verb, "quota") == 0)
		return quota(c);
	if (strcmp(verb, "remove") == 0)
		return remove_or_undelete(c, MSG_USER_REMOVE);
	if (strcmp(verb, "undelete") == 0)
		return remove_or_undelete(c, MSG_USER_UNDELETE);
	if (strcmp(verb, "list") == 0)
		return c->args.n_words <= 1 ? list(c) : admin_usage(c->a, NULL);
	return admin_usage(c->a, NULL);
}

const char *const user_usage[] = { USAGE_ADD, USAGE_LIST, USAGE_PASSWD,
	USAGE_QUOTA, USAGE_REMOVE, USAGE_UNDELETE, NULL };

int
admin_user(struct admin *a, int argc, char **argv)
{
	struct user_command c = { .a = a };
	const struct arg_option options[] = {
		ADMIN_OPTIONS(a),
		{ "--password-stdin", NULL, &c.password_stdin },
		{ "--hash-stdin", NULL, &c.hash_stdin },
		{ "--removed", NULL, &c.removed },
		{ "--quota", &c.quota, NULL },
		{ "--quota-messages", &c.messages, NULL },
		{ "--messages", &c.messages, NULL },
	};

	c.args.options = options;
	c.args.n_options = ARRAY_LEN(options);
	password_init();
	if (argc > 0 && !admin_args(a, &c.args, argc - 1, argv + 1))
		return ADMIN_USAGE;
	return run(&c, argc > 0 ? argv[0] : "");
}

/* SPDX-License-Identifier: ISC */
/*
 * demo_accounts.c - the demo's domain and accounts, at its first start.
 *
 * A file marks that all of them were made: an account that somebody removes
 * while trying the demo does not come back by itself, and a start that was
 * interrupted half-way goes on at the next one.
 */
#include "auth/password.h"
#include "auth/verifier.h"
#include "cli/demo/demo.h"
#include "cli/dkim_keys.h"

#include <fcntl.h>
#include <unistd.h>

/* Add, or find that it is there already. */
static int
add(struct admin *a, enum msg_type type, const struct buf *body,
    const char *what)
{
	struct admin_call call = {
		.type = type, .body = buf_str(body), .fd = -1
	};
	struct buf reply = BUF_INIT(KIB(64));
	enum outcome o;
	int r = admin_ask(a, &call, &o, &reply, NULL);

	if (r == ADMIN_OK && o != DONE &&
	    admin_reason(buf_str(&reply)) != REASON_EXISTS)
		r = admin_refused(a, o, buf_str(&reply), what);
	buf_done(&reply);
	return r;
}

static int
add_domain(struct admin *a)
{
	struct buf selectors = BUF_INIT(KIB(1)), keys = BUF_INIT(KIB(32));
	struct buf body = BUF_INIT(KIB(64));
	int r;

	if (!dkim_keys_make_pair(&selectors, &keys))
		die("the demo's DKIM keys cannot be made");
	msg_domain_add_put(&body,
	    &(struct msg_domain_add){ STR(DEMO_DOMAIN), buf_str(&keys) });
	r = add(a, MSG_DOMAIN_ADD, &body, "domain " DEMO_DOMAIN);
	buf_done(&selectors);
	buf_done_secret(&keys);
	buf_done_secret(&body);
	return r;
}

static int
add_user(struct admin *a, const char *name, struct msg_user_add *m)
{
	CLEANUP(freep) char *login = x_asprintf("%s@" DEMO_DOMAIN, name);
	struct buf body = BUF_INIT(KIB(4));
	int r;

	m->login = str_c(login);
	msg_user_add_put(&body, m);
	r = add(a, MSG_USER_ADD, &body, login);
	buf_done(&body);
	return r;
}

/* One password for all, so its hashes are made once. */
static int
add_users(struct admin *a)
{
	struct buf argon2 = BUF_INIT(KIB(1)), scram = BUF_INIT(KIB(1));
	struct msg_user_add m = { 0 };
	int r;

	password_init();
	if (verifier_make(STR(DEMO_PASSWORD), &argon2, &scram) != VERIFIER_OK)
		die("the demo's password cannot be hashed");
	m.argon2 = buf_str(&argon2);
	m.scram_sha256 = buf_str(&scram);
	r = add_user(a, "alice", &m);
	if (r == ADMIN_OK)
		r = add_user(a, "bob", &m);
	for (unsigned i = 1; r == ADMIN_OK && i <= DEMO_USERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "user%u", i);
		r = add_user(a, name, &m);
	}
	buf_done(&argon2);
	buf_done(&scram);
	return r;
}

/* Every domain has to take mail to its postmaster (RFC 5321 section 4.5.1). */
static int
add_postmaster(struct admin *a)
{
	struct buf targets = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(4));
	int r;

	msg_text_put(&targets, &(struct msg_text){ STR("alice@" DEMO_DOMAIN) });
	msg_alias_put(
	    &body, &(struct msg_alias){
		       STR("postmaster@" DEMO_DOMAIN), buf_str(&targets) });
	r = add(a, MSG_ALIAS_ADD, &body, "postmaster@" DEMO_DOMAIN);
	buf_done(&targets);
	buf_done(&body);
	return r;
}

static int
write_marker(struct admin *a, const struct demo *d)
{
	static const char text[] =
	    "The accounts and systems of the demo were made. Remove this file "
	    "and the "
	    "next start\nmakes those that are missing.\n";
	CLEANUP(closep)
	int fd = open(
	    d->marker_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		return admin_error(a, ADMIN_REFUSED, "%s: %s", d->marker_path,
		    strerror(errno));
	return ADMIN_OK;
}

int
demo_make_accounts(struct admin *a, const struct demo *d)
{
	int r;

	/* What is watched has to follow the ports. */
	if (access(d->marker_path, F_OK) == 0)
		return d->has_ports ? demo_make_systems(a, d) : ADMIN_OK;
	r = add_domain(a);
	if (r == ADMIN_OK)
		r = add_users(a);
	if (r == ADMIN_OK)
		r = add_postmaster(a);
	if (r == ADMIN_OK)
		r = demo_make_systems(a, d);
	if (r == ADMIN_OK)
		r = demo_make_posts(a, d);
	return r == ADMIN_OK ? write_marker(a, d) : r;
}

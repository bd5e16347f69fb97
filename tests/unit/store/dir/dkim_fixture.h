/* SPDX-License-Identifier: ISC */
/*
 * dkim_fixture.h - a domain for tests of its DKIM keys. Before it is included, CHECKS says
 * whether keys are looked for in DNS.
 */
#pragma once

#include "../mail/fixture.h"
#include "base/crypt.h"
#include "store/dir/dkim_record.h"

#define DOMAIN STR("demo.example")
#define WAIT   (2 * 86400)
#define KEEP   (7 * 86400)

static struct fixture f;

static void
set_times(void)
{
	dir_set_dkim(f.d, (struct dir_dkim_times){ WAIT, KEEP, 0, CHECKS });
}

static int
setup(UNUSED void **state)
{
	struct msg_domain_add q = { .name = DOMAIN };

	fixture_start(&f);
	set_times();
	return !verdict_is_done(dir_domain_add(f.d, &q));
}

static int
teardown(UNUSED void **state)
{
	fixture_stop(&f);
	return 0;
}

/* Keys as the command line would send them, "r" in front for RSA. */
static struct str
new_keys(struct buf *b, const char *names)
{
	struct str rest = str_c(names), name;

	while (rest.n) {
		struct buf pem = BUF_INIT(KIB(1));

		rest = str_split(rest, ' ', &name);
		buf_printf(&pem, "SECRET-%.*s", STR_ARG(name));
		msg_dkim_new_put(
		    b, &(struct msg_dkim_new){ name,
			   name.p[0] == 'r' ? CRYPT_RSA : CRYPT_ED25519,
			   STR("v=DKIM1; p=abc"), buf_str(&pem) });
		buf_done(&pem);
	}
	return buf_str(b);
}

static enum reason
add_to(struct str domain, const char *names, bool is_rotation)
{
	struct buf b = BUF_INIT(KIB(64));
	struct msg_dkim_add q = { domain, new_keys(&b, names), is_rotation };
	struct verdict v = dir_dkim_add(f.d, &q);

	buf_done(&b);
	ASSERT(verdict_is_done(v) == (v.reason == REASON_NONE));
	return v.reason;
}

static enum outcome
change(const char *selector, enum dkim_action action, bool is_forced)
{
	struct msg_dkim_change q = { DOMAIN, str_c(selector), (uint8_t)action,
		is_forced };

	return dir_dkim_change(f.d, &q).outcome;
}

/* "r1 active, e1 published" of a domain, or the reason. */
static const char *
listed(struct str domain)
{
	static const char *const states[] = { "published", "active", "retired",
		"pending" };
	static char text[1024];
	struct msg_dkim_list q = { .domain = domain };
	struct verdict v = dir_dkim_list(f.d, &q, fresh(&f));
	struct msg_list_reply l;
	struct msg_dkim_row row;
	size_t n = 0;

	text[0] = '\0';
	if (!verdict_is_done(v))
		return reason_str(v.reason);
	ASSERT(msg_list_reply_get(buf_str(&f.out), &l));
	for (struct wire w = wire_read(l.items); msg_dkim_row_read(&w, &row);) {
		ASSERT(row.state < ARRAY_LEN(states));
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s %s",
		    n ? ", " : "", STR_ARG(row.selector), states[row.state]);
	}
	return text;
}

#define LISTED(want) CHECK(strcmp(listed(DOMAIN), want) == 0, listed(DOMAIN))

/* The private keys that sign: "SECRET-r1 SECRET-e1". */
static const char *
signing(struct str domain)
{
	static char text[1024];
	struct msg_dkim_keys_get q = { domain };
	struct verdict v = dir_dkim_keys(f.d, &q, fresh(&f));
	struct msg_list_reply l;
	struct msg_dkim_key key;
	size_t n = 0;

	text[0] = '\0';
	if (!verdict_is_done(v))
		return reason_str(v.reason);
	ASSERT(msg_list_reply_get(buf_str(&f.out), &l));
	for (struct wire w = wire_read(l.items); msg_dkim_key_read(&w, &key);)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s",
		    n ? " " : "", STR_ARG(key.pem));
	return text;
}

#define SIGNING(want) CHECK(strcmp(signing(DOMAIN), want) == 0, signing(DOMAIN))

static void
reopen(void)
{
	fixture_close(&f);
	fixture_open(&f);
	set_times();
}

/* SPDX-License-Identifier: ISC */
/* dkim_keys.c - make keys, and ask for them. See dkim_keys.h. */
#include "cli/dkim_keys.h"

#include <time.h>

#include "proto/dkim/dkim_key.h"

int
dkim_keys_each(struct admin *a, struct str domain, dkim_row_fn fn, void *arg)
{
	struct buf reply = BUF_INIT(MIB(16)), after = BUF_INIT(KIB(2));
	struct buf body = BUF_INIT(KIB(4)), what = BUF_INIT(KIB(4));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_dkim_row row;
	int r = ADMIN_OK;

	if (domain.n)
		buf_printf(&what, "domain %.*s", STR_ARG(domain));
	else
		buf_put_c(&what, "DKIM keys");
	while (l.has_more) {
		buf_reset(&body, KIB(4));
		msg_dkim_list_put(
		    &body, &(struct msg_dkim_list){ domain, buf_str(&after) });
		r = admin_do(
		    a, MSG_DKIM_LIST, buf_str(&body), buf_c(&what), &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_dkim_row_read(&w, &row);) {
			fn(arg, &row);
			buf_reset(&after, KIB(2));
			buf_put_str(&after, row.domain);
		}
	}
	buf_done(&reply);
	buf_done(&after);
	buf_done(&body);
	buf_done(&what);
	return r;
}

static void
add_selector(void *arg, const struct msg_dkim_row *row)
{
	struct buf *selectors = arg;

	buf_put_str(selectors, row->selector);
	buf_put_char(selectors, '\n');
}

int
dkim_keys_selectors(struct admin *a, struct str domain, struct buf *ret)
{
	return dkim_keys_each(a, domain, add_selector, ret);
}

static bool
has_selector(const struct buf *selectors, struct str name)
{
	struct str rest = buf_str(selectors), one;

	while (rest.n) {
		rest = str_split(rest, '\n', &one);
		if (str_eq(one, name))
			return true;
	}
	return false;
}

/* Append a new one, and a line feed; it is without that. */
static struct str
new_selector(enum crypt_kind kind, struct buf *selectors)
{
	char kind_char = kind == CRYPT_RSA ? 'r' : 'e';
	struct buf name = BUF_INIT(64);
	time_t now = time(NULL);
	size_t at = selectors->n;
	char month[16];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(month, sizeof(month), "%Y%m", &tm);
	buf_printf(&name, "ms%s%c", month, kind_char);
	for (unsigned i = 2; has_selector(selectors, buf_str(&name)); i++) {
		buf_reset(&name, 64);
		buf_printf(&name, "ms%s%c%u", month, kind_char, i);
	}
	buf_put_str(selectors, buf_str(&name));
	buf_put_char(selectors, '\n');
	buf_done(&name);
	return str_sub(buf_str(selectors), at, selectors->n - at - 1);
}

bool
dkim_keys_put(const struct crypt_key *key, struct str selector, struct buf *to)
{
	struct buf pem = BUF_INIT(CRYPT_PEM_MAX);
	struct buf record = BUF_INIT(DKIM_RECORD_MAX);
	bool ok = crypt_key_to_pem(key, &pem);

	dkim_key_format(key, &record);
	if (ok)
		msg_dkim_new_put(to, &(struct msg_dkim_new){ selector,
					 (uint8_t)crypt_key_kind(key),
					 buf_str(&record), buf_str(&pem) });
	buf_done_secret(&pem);
	buf_done(&record);
	return ok && !to->failed;
}

bool
dkim_keys_make(enum crypt_kind kind, struct buf *selectors, struct buf *to)
{
	CLEANUP(crypt_key_freep)
	struct crypt_key *key = crypt_key_generate(kind, DKIM_KEYS_RSA_BITS);

	return key && dkim_keys_put(key, new_selector(kind, selectors), to);
}

bool
dkim_keys_make_pair(struct buf *selectors, struct buf *to)
{
	return dkim_keys_make(CRYPT_RSA, selectors, to) &&
	       dkim_keys_make(CRYPT_ED25519, selectors, to);
}

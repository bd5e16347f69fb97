/* SPDX-License-Identifier: ISC */
/*
 * srs.c - senders of what is forwarded, and the way back for bounces.
 *
 * The secret is made once and does not leave this process: nobody else can
 * make an address that leads through us. Only what has no sender itself may go
 * that way, as bounces have none: so a way back that leaked is no way to write
 * to anybody.
 *
 * Names of domains are written in ASCII there: a bounce may come from a server
 * that knows nothing else.
 */
#include "store/dir/dir_internal.h"

#include "base/hostname.h"
#include "base/secret.h"
#include "net/idn.h"
#include "proto/smtp/smtp_path.h"
#include "proto/srs/srs.h"

#define TEXT_MAX KIB(2)

/* The address with its domain as DNS has it. */
static bool
put_ascii(struct str address, struct buf *to)
{
	struct str domain = address_domain(address);
	char name[IDN_NAME_MAX + 1];

	if (!idn_to_ascii(domain, name, sizeof(name)))
		return false;
	buf_put_str(to, str_first(address, address.n - domain.n));
	buf_put_c(to, name);
	return !to->failed;
}

/* 1: one of ours; 0: not; or an engine error. */
static int
is_ours(struct dir *d, struct str domain)
{
	struct buf clean = BUF_INIT(DOMAIN_MAX);
	struct domain_record r;
	int got = domain_clean(domain, &clean)
	              ? dir_get_domain(d, buf_str(&clean), &r)
	              : 0;

	buf_done(&clean);
	return got;
}

/* --- forward ------------------------------------------------------------------- */

static struct verdict
rewrite(struct dir *d, struct str sender, const char *via, struct buf *to)
{
	struct buf ascii = BUF_INIT(TEXT_MAX);
	uint8_t key[DIR_SECRET_BYTES];
	struct str keys[] = { str_make(key, sizeof(key)) };
	struct srs srs = { .domain = str_c(via),
		.keys = keys,
		.n_keys = ARRAY_LEN(keys),
		.now = dir_now(d) };
	struct verdict v = dir_secret(d, "srs", key);

	/* What cannot be rewritten stays: mail must not be lost for that, and
	 * a signature may carry it. */
	if (verdict_is_done(v) && put_ascii(sender, &ascii))
		(void)!srs_forward(&srs, buf_str(&ascii), to);
	secret_wipe(key, sizeof(key));
	buf_done(&ascii);
	return v;
}

struct verdict
dir_srs_forward(
    struct dir *d, struct str sender, struct str via, struct buf *to)
{
	char name[IDN_NAME_MAX + 1];
	int got;

	buf_reset(to, to->cap);
	if (sender.n == 0 || !idn_to_ascii(via, name, sizeof(name)))
		return VERDICT_DONE;
	got = is_ours(d, address_domain(sender));
	if (got != 0)
		return got < 0 ? verdict_engine(got) : VERDICT_DONE;
	return rewrite(d, sender, name, to);
}

/* --- back ------------------------------------------------------------------------ */

/* local@domain, without quotes, as the directory and the queue know it. */
static bool
put_plain(struct str mailbox, struct buf *to)
{
	unsigned flags = SMTP_PATH_ALLOW_UTF8 | SMTP_PATH_ALLOW_UNDERSCORE;
	struct smtp_path path;
	struct arena a;
	bool ok;

	arena_init(&a, TEXT_MAX);
	ok = smtp_mailbox_parse(&a, mailbox, flags, &path) == SMTP_PATH_OK;
	if (ok) {
		buf_put_str(to, path.local);
		buf_put_char(to, '@');
		buf_put_str(to, path.domain);
	}
	arena_done(&a);
	return ok && !to->failed;
}

static struct verdict
reverse(struct dir *d, struct str address, struct str domain, struct buf *to)
{
	struct buf mailbox = BUF_INIT(TEXT_MAX), back = BUF_INIT(TEXT_MAX);
	struct smtp_path path = { .local = address_local(address),
		.domain = domain };
	uint8_t key[DIR_SECRET_BYTES];
	struct str keys[] = { str_make(key, sizeof(key)) };
	struct srs srs = { .domain = domain,
		.keys = keys,
		.n_keys = ARRAY_LEN(keys),
		.now = dir_now(d) };
	struct verdict v = dir_secret(d, "srs", key);

	smtp_mailbox_format(&mailbox, &path);
	if (verdict_is_done(v) &&
	    (srs_reverse(&srs, buf_str(&mailbox), &back) != SRS_OK ||
		!put_plain(buf_str(&back), to)))
		v = verdict_not_found(REASON_NO_USER);
	secret_wipe(key, sizeof(key));
	buf_done(&mailbox);
	buf_done(&back);
	return v;
}

struct verdict
dir_srs_reverse(struct dir *d, struct str address, struct buf *to)
{
	struct str domain = address_domain(address);
	char name[IDN_NAME_MAX + 1];
	int got = is_ours(d, domain);

	if (got < 0)
		return verdict_engine(got);
	if (got == 0 || !idn_to_ascii(domain, name, sizeof(name)) ||
	    !hostname_is_valid(str_c(name)))
		return verdict_not_found(REASON_NO_USER);
	return reverse(d, address, str_c(name), to);
}

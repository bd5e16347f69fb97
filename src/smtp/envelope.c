/* SPDX-License-Identifier: ISC */
/* envelope.c - one mail transaction: sender, recipients, DSN parameters. */
#include "smtp/envelope.h"

/* The most that the paths and parameters of one transaction may take. */
#define ENVELOPE_MAX MIB(4)
/* A path as it is written: every byte of the local part may be quoted. */
#define MAILBOX_MAX KIB(4)

void
envelope_init(struct envelope *e)
{
	*e = (struct envelope){ 0 };
	arena_init(&e->arena, ENVELOPE_MAX);
	e->end = &e->first;
}

void
envelope_reset(struct envelope *e)
{
	arena_done(&e->arena);
	envelope_init(e);
}

/* The path as it is written in headers. */
static bool
put_mailbox(struct arena *a, const struct smtp_path *path, struct str *ret)
{
	struct buf b = BUF_INIT(MAILBOX_MAX);
	bool ok;

	smtp_mailbox_format(&b, path);
	ok = !b.failed && arena_str(a, buf_str(&b), ret);
	buf_done(&b);
	return ok;
}

/* The path without any quoting, as the directory knows it. */
static bool
put_address(struct arena *a, const struct smtp_path *path, struct str *ret)
{
	struct buf b = BUF_INIT(MAILBOX_MAX);
	bool ok;

	buf_put_str(&b, path->local);
	buf_put_char(&b, '@');
	buf_put_str(&b, path->domain);
	ok = !b.failed && arena_str(a, buf_str(&b), ret);
	buf_done(&b);
	return ok;
}

/* "rfc822;address": how reports write it (RFC 3464 section 2.3.1). */
static bool
put_orcpt(struct arena *a, const struct smtp_rcpt *rcpt, struct str *ret)
{
	struct buf b = BUF_INIT(SMTP_ORCPT_MAX + 1);
	bool ok;

	if (rcpt->given & SMTP_PARAM_ORCPT) {
		buf_put_str(&b, rcpt->orcpt_type);
		buf_put_char(&b, ';');
		buf_put_str(&b, rcpt->orcpt);
	}
	ok = !b.failed && arena_str(a, buf_str(&b), ret);
	buf_done(&b);
	return ok;
}

/* Spans become points in time: the message may wait before it is sent. */
static void
set_times(struct envelope *e, const struct smtp_mail *mail, uint64_t now)
{
	uint64_t late = (uint64_t)MAX(-(int64_t)mail->by_seconds, 0);

	e->hold_until = mail->hold_until;
	if (mail->given & SMTP_PARAM_HOLDFOR)
		/* Not less: the present second has begun. */
		e->hold_until =
		    now + mail->hold_seconds + (mail->hold_seconds > 0);
	e->by_mode = mail->by_mode;
	if (mail->by_mode == SMTP_BY_NONE)
		return;
	e->deliver_by =
	    late > 0 ? now - MIN(late, now) : now + (uint64_t)mail->by_seconds;
}

bool
envelope_set_sender(
    struct envelope *e, const struct smtp_mail *mail, uint64_t now)
{
	set_times(e, mail, now);
	e->priority = mail->mt_priority;
	e->has_requiretls = (mail->given & SMTP_PARAM_REQUIRETLS) != 0;
	e->size = mail->size;
	e->body = mail->body;
	e->ret = mail->ret;
	e->is_utf8 = (mail->given & SMTP_PARAM_SMTPUTF8) != 0;
	return put_mailbox(&e->arena, &mail->from, &e->from) &&
	       put_address(&e->arena, &mail->from, &e->from_address) &&
	       arena_str(&e->arena, mail->envid, &e->envid);
}

struct rcpt *
envelope_make_rcpt(
    struct envelope *e, const struct smtp_rcpt *rcpt, const char *host)
{
	struct smtp_path to = rcpt->to;
	struct rcpt *r = ARENA_NEW(&e->arena, struct rcpt);

	if (r == NULL)
		return NULL;
	if (to.is_postmaster)
		to.domain = str_c(host);
	r->is_postmaster = to.is_postmaster;
	to.is_postmaster = false;
	r->is_utf8 = to.is_utf8;
	r->notify = rcpt->notify;
	if (!put_address(&e->arena, &to, &r->address) ||
	    !put_mailbox(&e->arena, &to, &r->mailbox) ||
	    !put_orcpt(&e->arena, rcpt, &r->orcpt))
		return NULL;
	return r;
}

bool
envelope_raise_postmaster(struct envelope *e, struct rcpt *r)
{
	struct str local;
	struct str domain = str_split(r->address, '@', &local);
	struct str label, parent = str_split(domain, '.', &label);
	struct buf b = BUF_INIT(MAILBOX_MAX);
	bool ok;

	if (!r->is_postmaster || str_find(parent, '.') < 0)
		return false;
	buf_put_str(&b, local);
	buf_put_char(&b, '@');
	buf_put_str(&b, parent);
	ok = !b.failed && arena_str(&e->arena, buf_str(&b), &r->address);
	r->mailbox = r->address;
	buf_done(&b);
	return ok;
}

void
envelope_add_rcpt(struct envelope *e, struct rcpt *r)
{
	*e->end = r;
	e->end = &r->next;
	e->count++;
}

void
envelope_put_wishes(const struct envelope *e, struct msg_deliver *m)
{
	m->envid = e->envid;
	m->ret = (uint8_t)e->ret;
	m->body = (uint8_t)e->body;
	m->is_smtputf8 = e->is_utf8;
	m->has_requiretls = e->has_requiretls;
	m->is_tls_optional = e->is_tls_optional;
	m->hold_until = e->hold_until;
	m->deliver_by = e->deliver_by;
	m->deliver_by_mode = (uint8_t)e->by_mode;
	m->priority = (uint8_t)(DELIVER_PRIORITY_NORMAL + e->priority);
}

struct str
envelope_reports_address(const struct envelope *e)
{
	for (const struct rcpt *r = e->first; r; r = r->next)
		if (r->is_reports)
			return r->address;
	return STR_NONE;
}

bool
envelope_is_report_only(const struct envelope *e)
{
	for (const struct rcpt *r = e->first; r; r = r->next)
		if (!r->is_report_only)
			return false;
	return e->first != NULL;
}

/* SPDX-License-Identifier: ISC */
/*
 * spf.c - SPF of MAIL FROM and of HELO (RFC 7208 sections 2.3 and 2.4). For
 * the null sender they are the same, and HELO is what is checked.
 */
#include "filter/check_internal.h"
#include "net/idn.h"

/* A reverse-path with its domain in A-labels (RFC 8616). */
static void
put_path(struct str path, struct buf *to)
{
	ptrdiff_t at = str_rfind(path, '@');
	char domain[HOSTNAME_MAX + 1];
	size_t n = at < 0 ? 0 : (size_t)at + 1;

	buf_put_str(to, str_first(path, n));
	if (idn_to_ascii(str_from(path, n), domain, sizeof(domain)))
		buf_put_c(to, domain);
	else
		buf_put_str(to, str_from(path, n));
}

static void on_answer(
    struct check *c, unsigned which, const struct dns_answer *a);

static void
go_on(struct check *c, unsigned which)
{
	struct buf name = BUF_INIT(KIB(2));
	struct spf_question q;

	if (spf_step(c->spf[which], &q) == SPF_DONE)
		return;
	spf_question_put_name(&q, &name);
	check_ask(c, buf_c(&name), dns_type_of_spf(q.type), on_answer, which);
	buf_done(&name);
}

static void
on_answer(struct check *c, unsigned which, const struct dns_answer *a)
{
	struct spf_question q;

	/* The same question again: it was not answered yet. */
	if (spf_step(c->spf[which], &q) == SPF_DONE)
		return;
	dns_answer_spf(c->spf[which], &q, a);
	go_on(c, which);
}

void
check_spf_start(struct check *c)
{
	struct buf path = BUF_INIT(KIB(2));
	struct spf_request q = {
		.client = c->client,
		.helo = str_c(c->helo),
		.receiver = str_c(c->sv->conf->hostname),
		.now = loop_time(c->sv->loop),
	};

	if (!c->has_client)
		return;
	if (c->mail_from[0] != '\0') {
		put_path(str_c(c->mail_from), &path);
		q.identity = SPF_MAIL_FROM;
		q.mail_from = buf_str(&path);
		c->spf[CHECK_MAIL_FROM] = spf_start(&q);
	}
	q.identity = SPF_HELO;
	q.mail_from = STR_NONE;
	c->spf[CHECK_HELO] = spf_start(&q);
	for (unsigned i = 0; i < CHECK_IDENTITIES; i++)
		if (c->spf[i] != NULL)
			go_on(c, i);
	buf_done(&path);
}

struct str
check_spf_domain(const struct check *c, unsigned identity)
{
	struct str sender = spf_verdict(c->spf[identity])->sender;

	return str_from(sender, (size_t)(str_rfind(sender, '@') + 1));
}

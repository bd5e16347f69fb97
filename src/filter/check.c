/* SPDX-License-Identifier: ISC */
/*
 * check.c - the life of a check: what it asks, when it is over. See check.h.
 */
#include "conf/network_text.h"
#include "filter/check_internal.h"

#include "base/log.h"
#include "base/metrics.h"
#include "proto/mime/mime_header.h"

/* What a check takes besides the header. */
#define CHECK_BYTES KIB(48)

struct checks {
	struct server *sv;
	LIST_HEAD(, check) under_way;
	unsigned n;
	size_t bytes;
	bool is_full; /* that was said */
};

struct checks *
checks_new(struct server *sv)
{
	struct checks *cs = X_NEW(struct checks);

	cs->sv = sv;
	LIST_INIT(&cs->under_way);
	return cs;
}

bool
check_applies(const struct server *sv, const struct msg_analyse *m)
{
	const struct conf *c = sv->conf;

	if (!m->is_stranger || !c->incoming_checks || sv->resolver == NULL)
		return false;
	if (network_list_holds(str_c(c->incoming_trusted), m->client_ip))
		return false;
	return c->incoming_check_loopback || !network_is_loopback(m->client_ip);
}

/* --- the end ------------------------------------------------------------------------- */

static void
check_free(struct check *c)
{
	struct checks *cs = c->sv->checks;

	LIST_REMOVE(c, link);
	cs->n--;
	cs->bytes -= c->bytes;
	for (unsigned i = 0; i < CHECK_IDENTITIES; i++)
		if (c->spf[i] != NULL)
			spf_free(c->spf[i]);
	dkim_verifier_free(c->dkim);
	arc_verifier_free(c->arc);
	iprev_done(&c->iprev);
	for (size_t i = 0; i < c->n_authors; i++)
		buf_done(&c->authors[i].comment);
	free(c->authors);
	loop_timer_free(c->timer);
	buf_done(&c->header);
	free(c->client_ip);
	free(c->helo);
	free(c->mail_from);
	free(c->trace);
	free(c);
}

/* Answers that are still to come count as failures of the DNS. */
static void
expire(struct check *c)
{
	struct ask *a;

	while ((a = LIST_FIRST(&c->asks)) != NULL) {
		LIST_REMOVE(a, link);
		resolver_cancel(a->query);
		free(a);
	}
	for (unsigned i = 0; i < CHECK_IDENTITIES; i++)
		if (c->spf[i] != NULL)
			spf_expire(c->spf[i]);
	iprev_expire(&c->iprev);
}

static void
finish(struct check *c)
{
	struct buf headers = BUF_INIT(CHECK_HEADERS_MAX);
	struct buf text = BUF_INIT(KIB(1));
	struct check_result r = { .verdict = ANALYSE_ACCEPT };
	struct spf_question q;

	expire(c);
	/* Steps to their end those that were expired. */
	for (unsigned i = 0; i < CHECK_IDENTITIES; i++)
		ASSERT(
		    c->spf[i] == NULL || spf_step(c->spf[i], &q) == SPF_DONE);
	check_signatures_finish(c);
	check_author_finish(c);
	check_decide(c, &r, &text);
	check_put_results(c, &headers);
	if (!headers.failed)
		r.headers = buf_str(&headers);
	check_count(c, &r);
	check_log(c, &r);
	c->fn(c->arg, &r);
	buf_done(&headers);
	buf_done(&text);
	check_free(c);
}

static void
on_time(void *arg)
{
	struct check *c = arg;

	c->is_expired = LIST_FIRST(&c->asks) != NULL || c->is_expired;
	if (c->is_expired)
		log_event(EV_FILTER_TIMEOUT, LC("id", c->trace),
		    LC("ip", c->client_ip), LC("from", c->mail_from),
		    LU("questions", c->questions));
	finish(c);
}

/* --- questions ------------------------------------------------------------------------ */

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct ask *a = arg;
	struct check *c = a->check;

	LIST_REMOVE(a, link);
	a->fn(c, a->which, answer);
	free(a);
	if (LIST_FIRST(&c->asks) == NULL && !c->is_expired)
		finish(c);
}

void
check_ask(struct check *c, const char *name, enum dns_type type, ask_fn fn,
    unsigned which)
{
	struct ask *a;

	if (c->questions == CHECK_QUESTIONS_MAX)
		c->is_expired = true;
	if (c->is_expired) {
		/* Not from here: the caller is in the middle of something. */
		loop_timer_set(c->timer, 0);
		return;
	}
	c->questions++;
	a = X_NEW(struct ask);
	a->check = c;
	a->fn = fn;
	a->which = which;
	LIST_INSERT_HEAD(&c->asks, a, link);
	a->query = resolver_ask(c->sv->resolver, name, type, on_answer, a);
}

static void on_iprev(
    struct check *c, unsigned which, const struct dns_answer *a);

static void
ask_iprev(struct check *c)
{
	char name[DNS_NAME_MAX + 1];
	enum dns_type type;

	if (iprev_question(&c->iprev, &type, name))
		check_ask(c, name, type, on_iprev, 0);
}

static void
on_iprev(struct check *c, UNUSED unsigned which, const struct dns_answer *a)
{
	char name[DNS_NAME_MAX + 1];
	struct dns_texts records;
	enum dns_type type;

	if (!iprev_question(&c->iprev, &type, name))
		return;
	dns_texts_read(a, type, &records);
	iprev_answer(&c->iprev, a->status, records.v, records.n);
	dns_texts_done(&records);
	ask_iprev(c);
}

/* --- the beginning ---------------------------------------------------------------------- */

static struct str
header_of(struct str message, struct str *ret_body)
{
	ptrdiff_t end = str_search(message, STR("\r\n\r\n"));

	*ret_body = STR_NONE;
	if (str_starts(message, STR("\r\n"))) {
		*ret_body = str_from(message, 2);
		return STR_NONE;
	}
	if (end < 0)
		return message;
	*ret_body = str_from(message, (size_t)end + 4);
	return str_first(message, (size_t)end + 2);
}

static bool
has_list_id(struct str message)
{
	struct mime_field f;

	return mime_header_find(message, STR("List-Id"), &f) ||
	       mime_header_find(message, STR("List-Post"), &f);
}

/* The parts that a check has; without room for it, nothing is asked. */
static void
begin(struct check *c, struct str message)
{
	struct checks *cs = c->sv->checks;
	struct str body, header = header_of(message, &body);

	/* A longer one is refused by what reads signatures, as it should. */
	c->header = BUF_INIT(DKIM_HEADER_MAX + 1);
	buf_put_str(&c->header, str_first(header, DKIM_HEADER_MAX + 1));
	c->bytes = c->header.cap + CHECK_BYTES;
	c->is_unasked = c->is_expired =
	    cs->n >= CHECKS_MAX || c->bytes > CHECKS_BYTES_MAX - cs->bytes;
	if (c->is_expired && !cs->is_full)
		log_event(EV_FILTER_FULL, LU("messages", cs->n),
		    LU("bytes", cs->bytes));
	cs->is_full = c->is_expired;
	cs->n++;
	cs->bytes += c->bytes;
	LIST_INSERT_HEAD(&cs->under_way, c, link);
	c->has_client = spf_address_parse(str_c(c->client_ip), &c->client);
	c->client = spf_address_unmap(c->client);
	c->has_list_id = has_list_id(header);
	check_signatures_start(c, body);
	check_author_start(c, header);
	check_spf_start(c);
	check_signatures_ask(c);
	iprev_start(&c->iprev, &c->client);
	if (c->has_client)
		ask_iprev(c);
	else
		iprev_expire(&c->iprev);
}

void
check_start(struct server *sv, const struct msg_analyse *m, struct str message,
    check_fn fn, void *arg)
{
	struct check *c = X_NEW(struct check);

	c->sv = sv;
	c->fn = fn;
	c->arg = arg;
	c->client_ip = str_dup(m->client_ip);
	c->helo = str_dup(m->helo);
	c->mail_from = str_dup(m->mail_from);
	c->trace = str_dup(m->trace_id);
	c->timer = loop_timer_new(sv->loop, on_time, c);
	LIST_INIT(&c->asks);
	metric_add(M_FILTER_CHECKS, 1);
	begin(c, message);
	/* Nothing to wait for: the end comes from the loop all the same. */
	loop_timer_set(c->timer, c->is_expired || LIST_EMPTY(&c->asks)
				     ? 0
				     : sv->conf->incoming_timeout_s * 1000ULL);
}

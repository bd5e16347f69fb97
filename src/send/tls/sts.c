/* SPDX-License-Identifier: ISC */
/*
 * sts.c - MTA-STS policies: kept, fetched, refreshed. See sts.h.
 *
 *   ledger -> TXT "_mta-sts" -> sts_next(): use what is kept
 *                                           fetch -> keep -> use
 *                                                 \-> use what is kept, or none
 *
 * Nothing is kept in memory but which fetches failed a moment ago: a host that
 * does not answer costs one minute of waiting in five, not every mail.
 */
#include "send/tls/sts.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/suffixes.h"
#include "net/http_client.h"
#include "proc/ledger.h"
#include "proto/mtasts/mtasts_row.h"
#include "send/server.h"
#include "send/report/tls_count.h"
#include "send/dns/txt.h"

#define FETCH_MS    60000U /* RFC 8461 section 3.3 */
#define IDLE_S      10     /* a host that says nothing holds no place */
#define FAILED_MS   300000U
#define FAILED_MAX  10000
#define PREFIX_HOST "mta-sts."
#define PREFIX_TXT  "_mta-sts."
#define NAME_MAX_   (DNS_NAME_MAX + 16)
#define WHY_MAX     300

/* A domain whose policy could not be fetched, a moment ago. */
struct failure {
	struct table_item item;
	uint64_t until_ms; /* of the loop's clock */
	enum tlsrpt_result result;
	char why[WHY_MAX];
	char domain[];
};

struct sts {
	struct server *sv;
	struct table failures;
};

struct sts_query {
	struct sts *sts;
	sts_fn fn; /* NULL: nobody waits any more */
	void *arg;
	struct resolver_query *txt;
	struct http_query *http;
	bool is_unknown;
	struct buf kept; /* the row's value; empty: none */
	char id[MTASTS_ID_MAX + 1];
	char domain[];
};

/* --- what failed -------------------------------------------------------------------- */

static struct failure *
find_failure(struct sts *s, const char *domain)
{
	struct table_item *item = table_find(&s->failures, str_c(domain));

	return item ? CONTAINER_OF(item, struct failure, item) : NULL;
}

static void
forget_failure(struct sts *s, struct failure *f)
{
	table_remove(&s->failures, &f->item);
	free(f);
}

static void
forget_failures(struct sts *s)
{
	for (size_t i = 0; i < s->failures.cap; i++)
		while (s->failures.slots[i] != NULL)
			forget_failure(s, CONTAINER_OF(s->failures.slots[i],
					      struct failure, item));
}

static struct failure *
live_failure(struct sts *s, const char *domain)
{
	struct failure *f = find_failure(s, domain);

	return f && f->until_ms > loop_now_ms(s->sv->loop) ? f : NULL;
}

static void
note_failure(struct sts *s, const char *domain, enum tlsrpt_result result,
    const char *why)
{
	struct failure *f = find_failure(s, domain);
	size_t n = strlen(domain) + 1;

	if (f == NULL) {
		if (s->failures.n >= FAILED_MAX)
			forget_failures(s);
		f = x_zalloc(sizeof(*f) + n);
		memcpy(f->domain, domain, n);
		table_add(&s->failures, &f->item, str_c(f->domain));
	}
	f->until_ms = loop_now_ms(s->sv->loop) + FAILED_MS;
	f->result = result;
	snprintf(f->why, sizeof(f->why), "%s", why);
}

/* --- the end ------------------------------------------------------------------------ */

static void
free_query(void *arg)
{
	struct sts_query *q = arg;

	buf_done(&q->kept);
	free(q);
}

static void
answer(struct sts_query *q)
{
	const struct failure *f = live_failure(q->sts, q->domain);
	struct sts_answer a = { .is_unknown = q->is_unknown };
	struct mtasts_row row;

	a.has_policy = mtasts_row_decode(buf_str(&q->kept), &row, &a.policy);
	if (a.has_policy)
		a.until = row.until;
	if (f != NULL) {
		a.trouble = f->why;
		a.result = f->result;
	}
	if (q->fn != NULL)
		q->fn(q->arg, &a);
	loop_defer(q->sts->sv->loop, free_query, q);
}

/* --- fetching ----------------------------------------------------------------------- */

/* Put into the ledger; from now on it is what is kept. */
static void
keep(struct sts_query *q, const struct mtasts_policy *policy)
{
	uint64_t now = loop_time(q->sts->sv->loop);
	const struct mtasts_row row = {
		.fetched = now,
		.until = now + policy->max_age_s,
		.id = str_c(q->id),
		.text = policy->text,
	};
	struct buf value = BUF_INIT(MTASTS_ROW_MAX);
	struct buf rows = BUF_INIT(MTASTS_ROW_MAX + KIB(1));
	struct msg_ledger_row put = { .key = str_c(q->domain),
		.until = row.until };

	mtasts_row_encode(&row, &value);
	put.value = buf_str(&value);
	msg_ledger_row_put(&rows, &put);
	ledger_put(q->sts->sv->rt, LEDGER_MTASTS, buf_str(&rows), NULL, NULL);
	buf_done(&rows);
	buf_done(&q->kept);
	q->kept = value;
	log_event(EV_SEND_STS_POLICY, LC("domain", q->domain), LC("id", q->id),
	    LC("mode", mtasts_mode_str(policy->mode)),
	    LU("max_age", policy->max_age_s));
}

/* False: why and *ret_result tell what is wrong with the reply. */
static bool
judge(const struct http_reply *r, char why[WHY_MAX],
    enum tlsrpt_result *ret_result, struct mtasts_policy *ret)
{
	const char *wrong = r->why;
	struct str type;

	*ret_result = TLSRPT_STS_POLICY_FETCH_ERROR;
	if (r->end == HTTP_END_TLS) {
		*ret_result = TLSRPT_STS_WEBPKI_INVALID;
	} else if (r->end == HTTP_END_REPLY && r->status != 200) {
		snprintf(why, WHY_MAX,
		    "the policy's host answers with status %u", r->status);
		return false;
	} else if (r->end == HTTP_END_REPLY) {
		(void)str_split(r->type, ';', &type);
		*ret_result = TLSRPT_STS_POLICY_INVALID;
		wrong = str_eq_case(str_trim(type), STR("text/plain"))
		            ? mtasts_policy_parse(r->body, ret)
		            : "the policy is not of type text/plain";
	}
	snprintf(why, WHY_MAX, "%s", wrong ? wrong : "");
	return wrong == NULL;
}

static void
on_reply(void *arg, const struct http_reply *r)
{
	struct sts_query *q = arg;
	struct mtasts_policy policy;
	enum tlsrpt_result result;
	char why[WHY_MAX];
	bool is_good = judge(r, why, &result, &policy);
	struct failure *f;

	q->http = NULL;
	metric_add(is_good ? M_SEND_STS_FETCHED : M_SEND_STS_FAILED, 1);
	if (!is_good) {
		log_event(EV_SEND_STS_FAIL, LC("domain", q->domain),
		    LC("reason", why),
		    LC("kept", q->kept.n > 0 ? "yes" : "no"));
		note_failure(q->sts, q->domain, result, why);
		tls_count_add(q->sts->sv->tls_count, str_c(q->domain),
		    &(struct tlsrpt_session){ .type = TLSRPT_STS,
			.domain = str_c(q->domain),
			.result = result,
			.information = str_c(why) });
	} else {
		f = find_failure(q->sts, q->domain);
		if (f != NULL)
			forget_failure(q->sts, f);
		keep(q, &policy);
	}
	answer(q);
}

static void
fetch(struct sts_query *q)
{
	struct server *sv = q->sts->sv;
	char host[NAME_MAX_];
	const struct http_request r = {
		.host = host,
		.owner = suffixes_organisation(sv->suffixes, str_c(q->domain)),
		.port = (uint16_t)sv->conf->send_https_port,
		.path = MTASTS_PATH,
		.reply_max = MTASTS_POLICY_MAX,
		.limit_ms = FETCH_MS,
		.idle_s = IDLE_S,
		.allow_local = sv->conf->send_allow_loopback,
	};

	snprintf(host, sizeof(host), "%s%s", PREFIX_HOST, q->domain);
	q->http = http_ask(sv->http, &r, on_reply, q);
}

/* Behind the answer, for the next time. */
static void
refresh(const struct sts_query *q)
{
	size_t n = strlen(q->domain) + 1;
	struct sts_query *again = x_zalloc(sizeof(*again) + n);

	again->sts = q->sts;
	memcpy(again->domain, q->domain, n);
	memcpy(again->id, q->id, sizeof(again->id));
	fetch(again);
}

/* --- record and row -------------------------------------------------------------------- */

static void
decide(struct sts_query *q)
{
	struct mtasts_policy policy;
	struct mtasts_row row = { 0 };
	struct sts_known k = {
		.now = loop_time(q->sts->sv->loop),
		.has_record = q->id[0] != '\0',
		.id = str_c(q->id),
		.has_failed = live_failure(q->sts, q->domain) != NULL,
	};

	k.has_kept = mtasts_row_decode(buf_str(&q->kept), &row, &policy) &&
	             row.until > k.now;
	if (!k.has_kept)
		buf_done(&q->kept);
	k.kept_id = row.id;
	k.fetched = row.fetched;
	k.until = row.until;
	switch (sts_next(&k)) {
	case STS_USE:
		answer(q);
		break;
	case STS_USE_REFRESH:
		refresh(q);
		answer(q);
		break;
	case STS_FETCH:
		fetch(q);
		break;
	}
}

static void
on_txt(void *arg, const struct dns_answer *a)
{
	struct sts_query *q = arg;
	struct txt_set set;
	struct str id;

	q->txt = NULL;
	txt_set_init(&set, a);
	if (mtasts_find_record(set.v, set.n, &id) == MTASTS_FOUND)
		snprintf(q->id, sizeof(q->id), "%.*s", STR_ARG(id));
	txt_set_done(&set);
	decide(q);
}

static void
ask_txt(void *arg)
{
	struct sts_query *q = arg;
	char name[NAME_MAX_];

	if (q->fn == NULL || q->is_unknown) {
		answer(q);
		return;
	}
	snprintf(name, sizeof(name), "%s%s", PREFIX_TXT, q->domain);
	q->txt = resolver_ask(q->sts->sv->resolver, name, DNS_TXT, on_txt, q);
}

/* The first row behind the prefix is ours, or there is none. */
static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct sts_query *q = arg;

	if (str_eq(row->key, str_c(q->domain))) {
		q->kept = BUF_INIT(MTASTS_ROW_MAX);
		buf_put_str(&q->kept, row->value);
	}
	loop_defer(q->sts->sv->loop, ask_txt, q);
	return false;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct sts_query *q = arg;

	q->is_unknown = outcome != DONE;
	ask_txt(q);
}

struct sts_query *
sts_ask(struct sts *s, const char *domain, sts_fn fn, void *arg)
{
	size_t n = strlen(domain) + 1;
	struct sts_query *q = x_zalloc(sizeof(*q) + n);
	const struct ledger_read read = {
		.table = LEDGER_MTASTS,
		.prefix = str_first(str_c(domain), LEDGER_KEY_MAX),
		.row = on_row,
		.done = on_read,
		.arg = q,
	};

	q->sts = s;
	q->fn = fn;
	q->arg = arg;
	memcpy(q->domain, domain, n);
	/* No policy is kept of a domain whose name is no key. */
	if (n - 1 > LEDGER_KEY_MAX) {
		loop_defer(s->sv->loop, ask_txt, q);
		return q;
	}
	ledger_read(s->sv->rt, &read);
	return q;
}

void
sts_cancel(struct sts_query *q)
{
	q->fn = NULL;
	if (q->txt != NULL) {
		resolver_cancel(TAKE_PTR(q->txt));
		loop_defer(q->sts->sv->loop, free_query, q);
	}
}

struct sts *
sts_new(struct server *sv)
{
	struct sts *s = X_NEW(struct sts);

	s->sv = sv;
	table_init(&s->failures);
	return s;
}

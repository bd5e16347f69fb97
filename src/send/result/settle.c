/* SPDX-License-Identifier: ISC */
/*
 * settle.c - carry out what decide() says: log it, report it, tell the store.
 */
#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "send/queue/flows.h"
#include "send/report/report.h"
#include "send/server.h"
#include "send/result/sent_count.h"
#include "send/result/suppress.h"

/* That it is over, before anything else: the next moment may be our last. */
static void
note(struct server *sv, struct entry *e, enum queue_state state)
{
	const struct slate_result r = { e->item.message, e->item.lease,
		e->item.rcpt, state };

	if (e->slot == SLATE_NONE &&
	    (state == QUEUE_DELIVERED || state == QUEUE_FAILED))
		e->slot = slate_note(sv->slate, &r);
}

void
settle_finish(struct server *sv, struct domain *d, struct entry *e,
    const struct msg_queue_result *result)
{
	note(sv, e, (enum queue_state)result->state);
	results_add(
	    sv->results, result, (struct result_of){ e->held, e->slot });
	entry_free(e);
	domain_settled(d);
}

static enum event_id
event_of(enum queue_state state)
{
	switch (state) {
	case QUEUE_RELEASED:
		return EV_SEND_RELEASE;
	case QUEUE_DEFERRED:
		return EV_SEND_DEFER;
	case QUEUE_DELIVERED:
		return EV_SEND_DONE;
	case QUEUE_FAILED:
		return EV_SEND_FAIL;
	case QUEUE_HELD:
		return EV_SEND_HOLD;
	}
	return EV_SEND_FAIL;
}

static void
count(enum queue_state state)
{
	if (state == QUEUE_DELIVERED)
		metric_add(M_SEND_DELIVERED, 1);
	else if (state == QUEUE_DEFERRED)
		metric_add(M_SEND_DEFERRED, 1);
	else if (state == QUEUE_FAILED)
		metric_add(M_SEND_FAILED, 1);
}

/* From when on it could be handed over. */
static void
count_wait(struct server *sv, const struct msg_queue_item *item)
{
	uint64_t now = loop_time_ms(sv->loop);
	uint64_t from = entry_free_ms(item);

	if (!item->is_local)
		handover_add(&sv->handover, now - MIN(from, now), now);
}

static void
log_result(const struct msg_queue_item *item, const struct decision *d,
    const struct msg_queue_result *r)
{
	log_event(event_of(d->state), LS("id", item->trace_id),
	    LS("from", item->mail_from), LS("rcpt", item->address),
	    LS("mx", r->mx), LS("ip", r->mx_ip), LS("tls", r->tls),
	    LU("attempts", item->attempts + d->counts), LS("reply", r->reply));
}

/* "550 5.1.1 No such user", as the server said it, or our own words. */
static void
put_reply(struct buf *b, const struct judgement *j)
{
	if (j->code > 0)
		buf_printf(b, "%d ", j->code);
	else if (j->status.class > 0)
		buf_printf(b, "%u.%u.%u ", j->status.class, j->status.subject,
		    j->status.detail);
	buf_put_str(b, str_first(j->text, VERDICT_TEXT_MAX));
}

static struct msg_queue_result
make_result(const struct msg_queue_item *item, const struct decision *d,
    const struct trip *trip, struct str reply)
{
	return (struct msg_queue_result){
		.message = item->message,
		.rcpt = item->rcpt,
		.lease = item->lease,
		.state = (uint8_t)d->state,
		.due_ms = d->due_ms,
		.is_delay_told = d->is_delay_told,
		.counts = d->counts,
		.route = trip->route,
		.mx = trip->mx,
		.mx_ip = trip->mx_ip,
		.source_ip = trip->source_ip,
		.tls = trip->tls,
		.reply = reply,
	};
}

/* Copies of strings that live as long as a report. */
static struct str
keep(char **at, struct str s)
{
	struct str kept = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

static void
keep_texts(struct report_rcpt *r)
{
	struct msg_queue_result *q = &r->result;
	char *at = x_malloc(q->route.n + q->mx.n + q->mx_ip.n + q->source_ip.n +
			    q->tls.n + q->reply.n + r->judgement.text.n + 1);

	r->texts = at;
	q->route = keep(&at, q->route);
	q->mx = keep(&at, q->mx);
	q->mx_ip = keep(&at, q->mx_ip);
	q->source_ip = keep(&at, q->source_ip);
	q->tls = keep(&at, q->tls);
	q->reply = keep(&at, q->reply);
	r->judgement.text = keep(&at, r->judgement.text);
}

static struct report *
get_report(struct server *sv, struct mail *m, enum report_kind kind)
{
	struct report *r = m->reports;

	while (r != NULL && r->kind != kind)
		r = r->next;
	if (r != NULL)
		return r;
	r = report_new(sv, m->domain, kind);
	r->next = m->reports;
	m->reports = r;
	return r;
}

static bool
find_rule(const void *arg, struct str key, struct str *ret)
{
	return mirror_find(arg, key, ret);
}

/* The configured times, and what rules say otherwise. */
static struct schedule
schedule_of(const struct server *sv, const struct msg_queue_item *item)
{
	const struct retry_mail mail = { address_domain(item->address),
		item->mail_from, item->priority - DELIVER_PRIORITY_NORMAL };

	if (mirror_count(sv->retry_rules) == 0)
		return sv->schedule;
	return schedule_with(
	    &sv->schedule, retry_rules_for(&mail, find_rule, sv->retry_rules));
}

void
settle(struct server *sv, struct mail *m, size_t i, const struct judgement *j,
    const struct trip *trip)
{
	struct moment at = { loop_time_ms(sv->loop), secret_random_u32() };
	struct entry *e = mail_take(m, i);
	struct buf reply = BUF_INIT(VERDICT_TEXT_MAX + 64);
	struct report_rcpt r = { .entry = e, .judgement = *j };
	struct schedule schedule;

	r.judgement.text = str_first(j->text, VERDICT_TEXT_MAX);
	schedule = schedule_of(sv, &e->item);
	r.decision = decide(&schedule, &e->item, j, at);
	/* With a report it is over when that is durable. */
	if (r.decision.report == REPORT_NONE)
		note(sv, e, r.decision.state);
	put_reply(&reply, j);
	suppress_learn(sv, &e->item, j, buf_str(&reply));
	r.result = make_result(&e->item, &r.decision, trip, buf_str(&reply));
	log_result(&e->item, &r.decision, &r.result);
	count(r.decision.state);
	if (r.decision.state == QUEUE_DEFERRED)
		flows_deferred(sv->flows, domain_name(m->domain), j);
	sent_count(sv, m, &e->item, j, &r.decision, trip);
	if (r.decision.state == QUEUE_DELIVERED)
		count_wait(sv, &e->item);
	if (r.decision.report != REPORT_NONE) {
		keep_texts(&r);
		report_add(get_report(sv, m, r.decision.report), &r);
	} else {
		settle_finish(sv, m->domain, e, &r.result);
	}
	buf_done(&reply);
}

void
settle_end(struct server *sv, struct mail *m)
{
	(void)sv;
	while (m->reports != NULL) {
		struct report *r = m->reports;

		m->reports = r->next;
		r->next = NULL;
		report_send(r);
	}
	mail_free(m);
}

void
settle_all(struct server *sv, struct mail *m, const struct judgement *j,
    const struct trip *trip)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL)
			settle(sv, m, i, j, trip);
	settle_end(sv, m);
}

void
settle_release(struct server *sv, struct mail *m)
{
	const struct judgement j = { .outcome = TEMPFAIL, .is_untried = true };
	const struct trip none = { 0 };

	settle_all(sv, m, &j, &none);
}

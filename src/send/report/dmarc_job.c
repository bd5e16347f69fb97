/* SPDX-License-Identifier: ISC */
/* dmarc_job.c - the reports about one domain's mail. See dmarc_job.h. */
#include "send/report/dmarc_job.h"

#include "base/gzip.h"
#include "base/log.h"
#include "proc/ledger.h"
#include "proto/dmarc/dmarc.h"
#include "proto/mime/mime_date.h"
#include "send/report/dmarc_collect.h"
#include "send/report/rua_mail.h"
#include "send/dns/txt.h"

/* Receivers of one report; RFC 7489 section 6.4 asks for two at least. */
#define RECEIVERS_MAX 5
/* URIs of a record that are looked at: each may cost a question, and the next
 * domain waits for the answer. */
#define URIS_MAX 10
/* How long it is remembered that a report was sent. */
#define SENT_KEEP_S (30 * 86400)

struct receiver {
	char *address;
	uint64_t max_bytes; /* 0: no limit */
	enum dmarc_sent_state state;
};

struct job {
	struct server *sv;
	struct dmarc_group group;
	dmarc_job_fn fn;
	void *arg;
	struct dmarc_collection *rows;
	char domain[HOSTNAME_MAX + 1];
	struct dmarc_discovery discovery;
	struct receiver receivers[RECEIVERS_MAX];
	size_t n, at;       /* receivers; the one that is being served */
	struct str uris;    /* of the record that are still to be looked at */
	unsigned n_uris;    /* that were */
	uint64_t max_bytes; /* of the one that is asked about */
	char external[HOSTNAME_MAX];
	bool is_later; /* something could not be done now */
	struct buf data;
	size_t n_written;
};

static uint64_t
period_end(const struct job *j)
{
	return j->group.begin + j->sv->conf->report_interval_s;
}

static void
finish(struct job *j)
{
	for (size_t i = 0; i < j->n; i++)
		free(j->receivers[i].address);
	dmarc_collection_free(j->rows);
	buf_done(&j->data);
	j->fn(j->arg);
	free(j);
}

/* --- the note --------------------------------------------------------------------- */

static void
put_sent(struct job *j, const struct receiver *r, struct buf *rows)
{
	struct buf key = BUF_INIT(DMARC_ROW_KEY_MAX), value = BUF_INIT(KIB(4)),
		   id = BUF_INIT(KIB(1));
	char trace[RUA_MAIL_TRACE_LEN + 1];
	struct dmarc_sent sent = {
		.domain = str_c(j->domain),
		.receiver = str_c(r->address),
		.end = period_end(j),
		.time = loop_time(j->sv->loop),
		.messages = dmarc_collection_messages(j->rows),
		.rows = j->n_written,
		.size = j->data.n,
		.state = r->state,
	};
	struct dmarc_row_key k = { .kind = DMARC_ROW_SENT,
		.begin = j->group.begin,
		.domain = sent.domain };
	struct msg_ledger_row row = { .until = sent.time + SENT_KEEP_S };

	buf_printf(&id, "dmarc %s %llu %s", j->domain,
	    (unsigned long long)j->group.begin, r->address ? r->address : "");
	rua_mail_trace(buf_str(&id), trace);
	k.part = str_c(trace);
	if (r->state == DMARC_SENT)
		sent.trace_id = k.part;
	dmarc_row_key_put(&k, &key);
	dmarc_sent_put(&sent, &value);
	row.key = buf_str(&key);
	row.value = buf_str(&value);
	msg_ledger_row_put(rows, &row);
	buf_done(&key);
	buf_done(&value);
	buf_done(&id);
}

static void
put_gone(struct job *j, size_t from, size_t to, struct buf *rows)
{
	for (size_t i = from; i < to; i++) {
		struct msg_ledger_row row = { .is_gone = 1,
			.key = dmarc_collection_key(j->rows, i) };

		msg_ledger_row_put(rows, &row);
	}
}

static void
on_noted(void *arg, struct ipc_msg *m)
{
	struct job *j = arg;

	if (m->outcome != DONE)
		log_event(EV_SEND_DMARC_LATER, LC("domain", j->domain),
		    LC("reason", reason_str(ipc_reason(m))));
	finish(j);
}

/* Rows go in portions; the last one has the note on the reports. */
static void
note(struct job *j)
{
	static const struct receiver nobody = { .state = DMARC_UNWANTED };
	size_t n = dmarc_collection_keys(j->rows), at = 0;
	struct buf rows = BUF_INIT(LEDGER_PUT_MAX);
	const size_t step = LEDGER_ROWS_MAX - RECEIVERS_MAX - 1;

	for (; n - at > step; at += step) {
		put_gone(j, at, at + step, &rows);
		ledger_put(j->sv->rt, LEDGER_DMARC, buf_str(&rows), NULL, NULL);
		buf_reset(&rows, rows.cap);
	}
	put_gone(j, at, n, &rows);
	for (size_t i = 0; i < j->n; i++)
		put_sent(j, &j->receivers[i], &rows);
	if (j->n == 0 && j->domain[0] != '\0')
		put_sent(j, &nobody, &rows);
	ledger_put(j->sv->rt, LEDGER_DMARC, buf_str(&rows), on_noted, j);
	buf_done(&rows);
}

/* --- handing in ------------------------------------------------------------------- */

static void hand_in_next(struct job *j);

static void
on_handed_in(void *arg, enum outcome outcome)
{
	struct job *j = arg;
	struct receiver *r = &j->receivers[j->at++];

	switch (outcome) {
	case DONE:
		r->state = DMARC_SENT;
		break;
	case TEMPFAIL:
		j->is_later = true;
		break;
	case NOT_FOUND:
	case PERMFAIL:
		r->state = DMARC_LOST;
		break;
	}
	hand_in_next(j);
}

static void
put_day(struct buf *to, uint64_t t)
{
	struct mime_date date = { .epoch = (int64_t)t };

	mime_date_format(date, to);
}

static void
put_text(const struct job *j, struct buf *to)
{
	buf_printf(to,
	    "This is a DMARC aggregate report (RFC 7489) about mail that says "
	    "it is from\r\n%s, as it came to %s\r\nfrom ",
	    j->domain, j->sv->conf->hostname);
	put_day(to, j->group.begin);
	buf_put_c(to, "\r\nto   ");
	put_day(to, period_end(j));
	buf_printf(to,
	    ".\r\n\r\nMessages: %llu\r\n\r\nThe attachment is for programs. "
	    "It goes to who is named by rua= in the TXT\r\nrecord of "
	    "_dmarc.%s.\r\n",
	    (unsigned long long)dmarc_collection_messages(j->rows), j->domain);
}

/* What the report says of itself; texts live in *id. */
static struct dmarc_report
describe(const struct job *j, struct buf *id)
{
	const struct conf *c = j->sv->conf;

	buf_printf(
	    id, "%llu.%s", (unsigned long long)j->group.begin, j->domain);
	return (struct dmarc_report){
		.org_name = str_c(c->hostname),
		.email = str_c(c->report_from),
		.report_id = buf_str(id),
		.begin = j->group.begin,
		.end = period_end(j) - 1,
		.domain = str_c(j->domain),
	};
}

static void
hand_in(struct job *j, const struct receiver *r)
{
	struct str host = str_c(j->sv->conf->hostname);
	struct buf id = BUF_INIT(KIB(1)), subject = BUF_INIT(KIB(2)),
		   text = BUF_INIT(KIB(4)), name = BUF_INIT(KIB(1)),
		   report_id = BUF_INIT(KIB(1));
	struct dmarc_report report = describe(j, &report_id);

	dmarc_report_put_subject(&report, host, &subject);
	dmarc_report_put_name(&report, host, &name);
	buf_put_c(&name, ".xml.gz");
	put_text(j, &text);
	buf_printf(&id, "dmarc %s %llu %s", j->domain,
	    (unsigned long long)j->group.begin, r->address);
	rua_mail_send(j->sv,
	    &(struct rua_mail){ .id = buf_str(&id),
		.to = str_c(r->address),
		.subject = buf_str(&subject),
		.text = buf_str(&text),
		.type = "application/gzip",
		.file_name = buf_str(&name),
		.data = buf_str(&j->data) },
	    on_handed_in, j);
	buf_done(&id);
	buf_done(&subject);
	buf_done(&text);
	buf_done(&name);
	buf_done(&report_id);
}

static void
hand_in_next(struct job *j)
{
	while (j->at < j->n) {
		struct receiver *r = &j->receivers[j->at];

		if (r->max_bytes == 0 || j->data.n <= r->max_bytes) {
			hand_in(j, r);
			return;
		}
		r->state = DMARC_TOO_BIG;
		j->at++;
	}
	if (j->is_later)
		finish(j);
	else
		note(j);
}

static void
write_report(struct job *j)
{
	struct buf xml = BUF_INIT(DMARC_COLLECT_XML_MAX);
	struct buf id = BUF_INIT(KIB(1));
	CLEANUP(freep)
	char *from = x_asprintf("postmaster@%s", j->sv->conf->hostname);
	struct dmarc_report meta = describe(j, &id);

	if (meta.email.n == 0)
		meta.email = str_c(from);
	j->n_written = dmarc_collection_write(j->rows, &meta, &xml);
	if (j->n_written < dmarc_collection_rows(j->rows))
		log_event(EV_SEND_DMARC_CUT, LC("domain", j->domain),
		    LU("rows", dmarc_collection_rows(j->rows)),
		    LU("written", j->n_written));
	j->data = BUF_INIT(RUA_MAIL_DATA_MAX);
	gzip_put(&j->data, buf_str(&xml));
	buf_done(&xml);
	buf_done(&id);
	hand_in_next(j);
}

/* --- receivers -------------------------------------------------------------------- */

static void next_uri(struct job *j);

static void
add_receiver(struct job *j, struct str address, uint64_t max_bytes)
{
	for (size_t i = 0; i < j->n; i++)
		if (str_eq_case(str_c(j->receivers[i].address), address))
			return;
	if (j->n < RECEIVERS_MAX)
		j->receivers[j->n++] =
		    (struct receiver){ .address = str_dup(address),
			    .max_bytes = max_bytes };
}

/* The mailbox of a URI at a given host, or any host. */
static bool
mailbox_of(
    struct str uri, struct str host, struct buf *to, struct str *ret_host)
{
	if (!dmarc_uri_mailbox(uri, to, ret_host))
		return false;
	return host.n == 0 || str_eq_case(*ret_host, host);
}

/*
 * RFC 7489 section 7.1, step 6 and 7: who takes reports about others may name
 * another mailbox at the same host.
 */
static void
take_external(struct job *j, struct str list, struct str address)
{
	struct buf mailbox = BUF_INIT(KIB(1));
	ptrdiff_t at = str_rfind(address, '@');
	struct str host;
	struct dmarc_uri uri;

	if (list.n == 0) {
		add_receiver(j, address, j->max_bytes);
		return;
	}
	while (dmarc_next_uri(&list, &uri)) {
		buf_reset(&mailbox, mailbox.cap);
		if (mailbox_of(uri.uri, str_from(address, (size_t)at + 1),
			&mailbox, &host)) {
			add_receiver(j, buf_str(&mailbox),
			    uri.max_bytes ? uri.max_bytes : j->max_bytes);
			break;
		}
	}
	buf_done(&mailbox);
}

/* One whose answer is waited for. */
struct external {
	struct job *job;
	char *address;
};

static void
on_external(void *arg, const struct dns_answer *a)
{
	struct external *e = arg;
	struct job *j = e->job;
	struct txt_set records;
	struct str list;

	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		j->is_later = true;
	txt_set_init(&records, a);
	for (size_t i = 0; a->status == DNS_FOUND && i < records.n; i++)
		if (dmarc_external_parse(records.v[i], &list)) {
			take_external(j, list, str_c(e->address));
			break;
		}
	txt_set_done(&records);
	free(e->address);
	free(e);
	next_uri(j);
}

static void
ask_external(struct job *j, struct str name, struct str address)
{
	struct external *e = X_NEW(struct external);
	CLEANUP(freep) char *text = str_dup(name);

	e->job = j;
	e->address = str_dup(address);
	resolver_ask(j->sv->resolver, text, DNS_TXT, on_external, e);
}

/* True: an answer is waited for. */
static bool
take_uri(struct job *j, const struct dmarc_uri *uri)
{
	struct buf mailbox = BUF_INIT(KIB(1));
	struct str host, name;
	bool is_asking = false;

	j->max_bytes = uri->max_bytes;
	if (dmarc_uri_mailbox(uri->uri, &mailbox, &host)) {
		switch (dmarc_external_question(j->sv->suffixes,
		    str_c(j->domain), host, j->external, &name)) {
		case DMARC_EXTERNAL_OWN:
			add_receiver(j, buf_str(&mailbox), uri->max_bytes);
			break;
		case DMARC_EXTERNAL_ASK:
			ask_external(j, name, buf_str(&mailbox));
			is_asking = true;
			break;
		case DMARC_EXTERNAL_REFUSED:
			break;
		}
	}
	buf_done(&mailbox);
	return is_asking;
}

static void
next_uri(struct job *j)
{
	struct dmarc_uri uri;

	while (j->n < RECEIVERS_MAX && j->n_uris++ < URIS_MAX &&
	       dmarc_next_uri(&j->uris, &uri))
		if (take_uri(j, &uri))
			return;
	if (j->n > 0)
		write_report(j);
	else if (j->is_later)
		finish(j);
	else
		note(j);
}

/* --- the policy -------------------------------------------------------------------- */

static void
on_policy(void *arg, const struct dns_answer *a)
{
	struct job *j = arg;
	enum dmarc_answer answer = DMARC_ANSWER_NOTHING;
	struct txt_set records;

	if (a->status == DNS_FOUND)
		answer = DMARC_ANSWER_RECORDS;
	else if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		answer = DMARC_ANSWER_TEMPFAIL;
	txt_set_init(&records, a);
	dmarc_discovery_answer(&j->discovery, answer, records.v, records.n);
	txt_set_done(&records);
	/* A policy of the organisation above is another one: nobody asks for
	 * reports about this one any more. */
	if (j->discovery.found == DMARC_FOUND_RECORD)
		j->uris = j->discovery.record.rua;
	j->is_later = j->discovery.found == DMARC_FOUND_FAILED;
	next_uri(j);
}

static void
ask_policy(struct job *j)
{
	CLEANUP(freep) char *text = NULL;
	struct str name;

	dmarc_discovery_start(&j->discovery, str_c(j->domain), j->sv->suffixes);
	if (!dmarc_discovery_question(&j->discovery, &name)) {
		note(j);
		return;
	}
	text = str_dup(name);
	resolver_ask(j->sv->resolver, text, DNS_TXT, on_policy, j);
}

/* --- rows -------------------------------------------------------------------------- */

static void
on_rows(void *arg, enum outcome outcome)
{
	struct job *j = arg;
	const struct dmarc_published *p;

	if (outcome != DONE) {
		finish(j);
		return;
	}
	dmarc_collection_finish(j->rows);
	p = dmarc_collection_policy(j->rows);
	/* Role filter wrote it, which reads what strangers write. */
	if (p == NULL || !hostname_is_valid(p->domain)) {
		note(j);
		return;
	}
	memcpy(j->domain, p->domain.p, p->domain.n);
	for (size_t i = 0; i < p->domain.n; i++)
		j->domain[i] = ascii_lower(j->domain[i]);
	ask_policy(j);
}

static void
on_full(void *arg)
{
	on_rows(arg, DONE);
}

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct job *j = arg;

	if (dmarc_collection_add(j->rows, row->key, row->value))
		return true;
	log_event(
	    EV_SEND_DMARC_CUT, LU("rows", dmarc_collection_keys(j->rows)));
	loop_defer(j->sv->loop, on_full, j);
	return false;
}

void
dmarc_job_start(struct server *sv, const struct dmarc_group *group,
    dmarc_job_fn fn, void *arg)
{
	struct job *j = X_NEW(struct job);
	char prefix[9 + sizeof(group->domain)] = { DMARC_ROW_COUNT };
	struct ledger_read read = { .table = LEDGER_DMARC,
		.prefix = str_make(prefix, sizeof(prefix)),
		.row = on_row,
		.done = on_rows,
		.arg = j };

	j->sv = sv;
	j->group = *group;
	j->fn = fn;
	j->arg = arg;
	j->rows = dmarc_collection_new();
	be64_put(prefix + 1, group->begin);
	memcpy(prefix + 9, group->domain, sizeof(group->domain));
	ledger_read(sv->rt, &read);
}

/* SPDX-License-Identifier: ISC */
/*
 * tls_report_job.c - one report: rows -> who wants it -> JSON -> one mail or
 * POST after the other -> the rows are ended. See tls_reports.h.
 *
 * Whoever cannot be reached now leaves the rows, and all is done again later;
 * mail that went already is the same message then. What can never be sent is
 * dropped.
 */
#include "send/report/tls_reports.h"

#include "base/gzip.h"
#include "base/hostname.h"
#include "base/log.h"
#include "base/suffixes.h"
#include "proc/ledger.h"
#include "proto/tlsrpt/tlsrpt_record.h"
#include "send/report/rua_mail.h"
#include "send/server.h"
#include "send/dns/txt.h"

#define URIS_MAX    10
#define URI_MAX     1200
#define ARENA_MAX   MIB(4)
#define POST_MS     60000
#define POST_IDLE_S 30
#define POST_MAX    KIB(64) /* bytes of an answer, which nobody reads */
#define TYPE        "application/tlsrpt+gzip"

struct job {
	struct server *sv;
	struct tls_report_group group;
	tls_report_fn fn;
	void *arg;
	struct tlsrpt_tally *tally;
	struct buf keys; /* of its rows: vstrs */
	struct buf uris; /* vstrs */
	size_t at;       /* of uris: the next one */
	struct buf data; /* the report, compressed */
	struct buf name, subject;
	bool has_to_wait; /* somebody could not be reached now */
};

static void
finish(struct job *j)
{
	tls_report_fn fn = j->fn;
	void *arg = j->arg;

	tlsrpt_tally_free(j->tally);
	buf_done(&j->keys);
	buf_done(&j->uris);
	buf_done(&j->data);
	buf_done(&j->name);
	buf_done(&j->subject);
	free(j);
	fn(arg);
}

static void
on_ended(void *arg, UNUSED struct ipc_msg *m)
{
	finish(arg);
}

/* The report is done with, or nobody wants it. */
static void
end_rows(struct job *j)
{
	struct buf rows = BUF_INIT(MIB(1));

	for (struct wire w = wire_read(buf_str(&j->keys)); w.in.n > 0;) {
		const struct msg_ledger_row row = { .key = wire_get_vstr(&w),
			.is_gone = true };

		msg_ledger_row_put(&rows, &row);
	}
	ledger_put(j->sv->rt, LEDGER_TLSRPT, buf_str(&rows), on_ended, j);
	buf_done(&rows);
}

/* --- sending ------------------------------------------------------------------------- */

static void send_next(struct job *j);

static void
on_mailed(void *arg, enum outcome outcome)
{
	struct job *j = arg;

	j->has_to_wait |= outcome == TEMPFAIL;
	send_next(j);
}

static void
send_mail(struct job *j, struct str uri, struct str to)
{
	struct buf id = BUF_INIT(KIB(4)), fields = BUF_INIT(KIB(2));
	struct buf file = BUF_INIT(KIB(1));
	struct rua_mail mail = {
		.to = to,
		.subject = buf_str(&j->subject),
		.report_type = "tlsrpt",
		.text = STR("This is an aggregate report about TLS on the way "
			    "to your mail servers\r\n(RFC 8460).\r\n"),
		.type = TYPE,
		.data = buf_str(&j->data),
	};

	buf_printf(&id, "tlsrpt/%llu/%s/%.*s",
	    (unsigned long long)j->group.begin, j->group.domain, STR_ARG(uri));
	buf_printf(&fields,
	    "TLS-Report-Domain: %s\r\nTLS-Report-Submitter: %s\r\n",
	    j->group.domain, j->sv->conf->hostname);
	buf_printf(&file, "%s.json.gz", buf_c(&j->name));
	mail.id = buf_str(&id);
	mail.fields = buf_str(&fields);
	mail.file_name = buf_str(&file);
	rua_mail_send(j->sv, &mail, on_mailed, j);
	buf_done(&id);
	buf_done(&fields);
	buf_done(&file);
}

static void
on_posted(void *arg, const struct http_reply *r)
{
	struct job *j = arg;
	bool is_good = r->end == HTTP_END_REPLY && r->status / 100 == 2;

	log_event(is_good ? EV_SEND_TLS_REPORT : EV_SEND_TLS_REPORT_FAIL,
	    LC("domain", j->group.domain), LU("status", r->status),
	    LC("reason", r->end == HTTP_END_REPLY ? "" : r->why));
	/* "No" is an answer; who is not there may be later. */
	if (!is_good && (r->end != HTTP_END_REPLY || r->status / 100 == 5))
		j->has_to_wait = true;
	send_next(j);
}

static void
post(struct job *j, const struct tls_report_place *place)
{
	const struct http_request r = {
		.host = place->host,
		.owner =
		    suffixes_organisation(j->sv->suffixes, str_c(place->host)),
		.port = place->port,
		.path = place->path,
		.type = TYPE,
		.body = buf_str(&j->data),
		.reply_max = POST_MAX,
		.limit_ms = POST_MS,
		.idle_s = POST_IDLE_S,
		.allow_local = j->sv->conf->send_allow_loopback,
	};

	http_ask(j->sv->http, &r, on_posted, j);
}

static void
send_next(struct job *j)
{
	struct wire w = wire_read(str_from(buf_str(&j->uris), j->at));
	struct tls_report_place place;
	struct buf to = BUF_INIT(400);
	struct str uri;

	if (w.in.n == 0) {
		if (j->has_to_wait)
			finish(j);
		else
			end_rows(j);
		return;
	}
	uri = wire_get_vstr(&w);
	j->at = j->uris.n - w.in.n;
	if (tls_report_mailbox(uri, &to))
		send_mail(j, uri, buf_str(&to));
	else if (tls_report_place(uri, &place))
		post(j, &place);
	else
		send_next(j); /* at most URIS_MAX deep */
	buf_done(&to);
}

/* --- the report ------------------------------------------------------------------------ */

static bool
make_report(struct job *j)
{
	const char *host = j->sv->conf->hostname;
	const char *from = j->sv->conf->report_from;
	struct buf id = BUF_INIT(KIB(1)), json = BUF_INIT(TLSRPT_REPORT_MAX);
	struct buf contact = BUF_INIT(KIB(1));
	struct tlsrpt_report r = { .begin = j->group.begin };
	struct arena arena;
	bool ok;

	arena_init(&arena, ARENA_MAX);
	buf_printf(&id, "%llu.%s@%s", (unsigned long long)r.begin,
	    j->group.domain, host);
	buf_printf(&contact, "%s%s", from[0] ? from : "postmaster@",
	    from[0] ? "" : host);
	r.end = r.begin + j->sv->conf->report_interval_s - 1;
	r.organisation = str_c(host);
	r.contact = buf_str(&contact);
	r.report_id = buf_str(&id);
	r.policies = tlsrpt_tally_policies(j->tally, &arena);
	ok = r.policies != NULL;
	if (ok) {
		tlsrpt_put_report(&r, &json);
		tlsrpt_put_name(
		    &r, str_c(host), str_c(j->group.domain), &j->name);
		tlsrpt_put_subject(
		    &r, str_c(host), str_c(j->group.domain), &j->subject);
		gzip_put(&j->data, buf_str(&json));
		ok = !json.failed && !j->data.failed && !j->name.failed &&
		     !j->subject.failed;
	}
	arena_done(&arena);
	buf_done(&id);
	buf_done(&json);
	buf_done(&contact);
	return ok;
}

static void
on_record(void *arg, const struct dns_answer *a)
{
	struct job *j = arg;
	struct txt_set set;
	struct str rua = STR_NONE, uri;
	size_t n = 0;

	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS) {
		finish(j);
		return;
	}
	txt_set_init(&set, a);
	if (tlsrpt_find_record(set.v, set.n, &rua) == TLSRPT_FOUND)
		while (n < URIS_MAX && tlsrpt_next_uri(&rua, &uri))
			if (uri.n <= URI_MAX) {
				wire_put_vstr(&j->uris, uri);
				n++;
			}
	txt_set_done(&set);
	if (n > 0 && make_report(j))
		send_next(j);
	else
		end_rows(j);
}

/* --- its rows ------------------------------------------------------------------------------ */

static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct job *j = arg;

	if (!tlsrpt_tally_decode(row->value, j->tally))
		log_event(EV_SEND_TLS_REPORT_FAIL,
		    LC("domain", j->group.domain),
		    LC("reason", "a row of the ledger cannot be understood"));
	wire_put_vstr(&j->keys, row->key);
	return true;
}

static void
on_rows(void *arg, enum outcome outcome)
{
	struct job *j = arg;
	char name[300];

	if (outcome != DONE || j->keys.n == 0 || j->keys.failed ||
	    !hostname_is_valid(str_c(j->sv->conf->hostname))) {
		finish(j);
		return;
	}
	snprintf(name, sizeof(name), "_smtp._tls.%s", j->group.domain);
	resolver_ask(j->sv->resolver, name, DNS_TXT, on_record, j);
}

void
tls_report_start(struct server *sv, const struct tls_report_group *g,
    tls_report_fn fn, void *arg)
{
	struct job *j = X_NEW(struct job);
	const struct tlsrpt_key key = { g->begin, str_c(g->domain), 0 };
	struct buf prefix = BUF_INIT(KIB(1));

	j->sv = sv;
	j->group = *g;
	j->fn = fn;
	j->arg = arg;
	j->tally = tlsrpt_tally_new();
	j->keys = BUF_INIT(KIB(512));
	j->uris = BUF_INIT(URIS_MAX * (URI_MAX + 4));
	j->data = BUF_INIT(RUA_MAIL_DATA_MAX);
	j->name = BUF_INIT(KIB(1));
	j->subject = BUF_INIT(KIB(2));
	tlsrpt_key_put(&key, &prefix);
	ledger_read(
	    sv->rt, &(struct ledger_read){ .table = LEDGER_TLSRPT,
			.prefix = str_first(buf_str(&prefix), prefix.n - 16),
			.row = on_row,
			.done = on_rows,
			.arg = j });
	buf_done(&prefix);
}

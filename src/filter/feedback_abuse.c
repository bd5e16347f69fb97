/* SPDX-License-Identifier: ISC */
/*
 * feedback_abuse.c - a complaint about a message of ours (ARF, RFC 5965).
 *
 * Whose it was is in our own Received field of the original: the trace id,
 * which the store knows. Nothing else in a complaint can be trusted to name
 * the account: senders are often taken out of it, or made up.
 */
#include "filter/feedback_internal.h"

#include "proc/ipc_msgs.h"
#include "proto/dsn/dsn_parse.h"
#include "proto/mime/mime_header.h"

#define TRACE_MAX    64
#define RECEIVED_MAX 100 /* fields looked at */
#define ORIGINAL_MAX MIB(1)

/* The word behind this one in a Received field, as long as it is one. */
static struct str
word_behind(struct str field, struct str word)
{
	struct str rest = field;

	while (rest.n) {
		struct str one;

		rest = str_trim(rest);
		rest = str_split(rest, ' ', &one);
		if (str_eq_case(one, word)) {
			rest = str_trim(rest);
			(void)str_split(rest, ' ', &one);
			return one;
		}
	}
	return STR_NONE;
}

/* Letters, digits and what else is in a trace id. */
static struct str
clean_trace(struct str s)
{
	size_t n = 0;

	while (n < s.n && (ascii_is_alpha(s.p[n]) || ascii_is_digit(s.p[n]) ||
			      s.p[n] == '.' || s.p[n] == '-'))
		n++;
	return n <= TRACE_MAX ? str_first(s, n) : STR_NONE;
}

/* Our own field with the id; a copy in out. */
static void
find_trace(struct str original, struct str hostname, struct buf *out)
{
	struct buf line = BUF_INIT(KIB(4));
	struct mime_header_iter it;
	struct mime_field f;
	unsigned n = 0;

	mime_header_start(&it, original);
	while (out->n == 0 && n < RECEIVED_MAX && mime_header_next(&it, &f)) {
		if (!str_eq_case(f.name, STR("Received")))
			continue;
		n++;
		buf_reset(&line, KIB(4));
		mime_header_unfold(f.value, &line);
		for (size_t i = 0; i < line.n; i++)
			if (line.p[i] == '\t')
				line.p[i] = ' ';
		if (str_eq_case(
			word_behind(buf_str(&line), STR("by")), hostname))
			buf_put_str(out, clean_trace(word_behind(
					     buf_str(&line), STR("id"))));
	}
	buf_done(&line);
}

/* A copy of a text that lives as long as f. */
static struct str
keep(struct feedback *f, struct str s)
{
	size_t at = f->texts.n;

	buf_put_str(&f->texts, str_first(s, FEEDBACK_TEXT_MAX));
	return str_make(NULL, f->texts.n - at);
}

/* Texts move while the buffer grows: their places are set at the end, in the
 * order in which they were kept. */
static void
place(struct feedback *f)
{
	struct str *const texts[] = {
		&f->head.domain,
		&f->head.reporter,
		&f->head.report_id,
		&f->abuse.type,
		&f->abuse.trace,
		&f->abuse.source,
		&f->abuse.mail_from,
		&f->abuse.rcpt,
		&f->abuse.message_id,
		&f->abuse.subject,
		&f->abuse.user_agent,
	};
	const char *p = f->texts.p;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		texts[i]->p = p;
		p += texts[i]->n;
	}
}

static struct str
keep_field(struct feedback *f, struct str header, struct str name)
{
	struct buf b = BUF_INIT(KIB(4));
	struct mime_field field;
	struct str s;

	if (mime_header_find(header, name, &field))
		mime_header_unfold(str_first(field.value, KIB(2)), &b);
	s = keep(f, buf_str(&b));
	buf_done(&b);
	return s;
}

static struct str
reporter_of(const struct arf_report *r)
{
	return r->reporting_mta.n ? r->reporting_mta : r->user_agent;
}

/* A complaint has no id of its own: what it is about is one. */
static void
put_id(struct buf *b, const struct arf_report *r, struct str trace,
    struct str message_id)
{
	buf_printf(b, "%.*s %.*s %.*s", STR_ARG(str_first(trace, 64)),
	    STR_ARG(str_first(message_id, 100)),
	    STR_ARG(str_first(
		r->rcpt_to.n ? r->rcpt_to.v[0] : r->arrival_date, 80)));
}

static void
fill(struct feedback *f, const struct arf_report *r, struct str original,
    const struct feedback_context *c)
{
	struct buf trace = BUF_INIT(TRACE_MAX), id = BUF_INIT(KIB(1));
	struct mime_field field = { 0 };

	find_trace(original, c->hostname, &trace);
	(void)mime_header_find(original, STR("Message-ID"), &field);
	put_id(&id, r, buf_str(&trace), str_trim(field.value));
	f->head.kind = f->kind = FEEDBACK_ABUSE;
	f->head.begin = f->head.end = f->head.received = c->now;
	f->head.domain = keep(f, c->domain);
	f->head.reporter = keep(f, reporter_of(r));
	f->head.report_id = keep(f, buf_str(&id));
	f->abuse.incidents = r->incidents;
	f->abuse.type = keep(f, str_c(arf_type_str(r->type)));
	f->abuse.trace = keep(f, buf_str(&trace));
	f->abuse.source = keep(f, r->source_ip);
	f->abuse.mail_from = keep(f, r->mail_from);
	f->abuse.rcpt = keep(f, r->rcpt_to.n ? r->rcpt_to.v[0] : STR_NONE);
	f->abuse.message_id = keep_field(f, original, STR("Message-ID"));
	f->abuse.subject = keep_field(f, original, STR("Subject"));
	f->abuse.user_agent = keep(f, r->user_agent);
	place(f);
	buf_done(&trace);
	buf_done(&id);
}

enum feedback_found
feedback_read_abuse(struct str fields, struct str original,
    const struct feedback_context *c, struct feedback *f)
{
	struct arf_report report;
	struct arena a;
	bool is_report;

	arena_init(&a, DSN_ARENA_MAX);
	is_report = arf_parse(&a, fields, &report);
	if (is_report)
		fill(f, &report, str_first(original, ORIGINAL_MAX), c);
	else
		f->fault = "its feedback report has no type";
	arena_done(&a);
	if (!is_report)
		return FEEDBACK_NOTHING;
	f->reporter = str_copy(f->head.reporter);
	f->about = str_copy(c->domain);
	return FEEDBACK_COMPLAINT;
}

void
feedback_finish(struct feedback *f, struct str login, uint64_t account)
{
	struct feedback_item item = { .u.abuse = f->abuse };
	struct feedback_head head = f->head;
	struct feedback_rows rows;
	ptrdiff_t at = str_rfind(login, '@');

	item.u.abuse.login = login;
	item.u.abuse.account = account;
	if (at >= 0)
		head.domain = str_from(login, (size_t)at + 1);
	feedback_rows_begin(
	    &rows, &head, login.n ? login : head.domain, head.received);
	(void)feedback_rows_put(&rows, &item, &f->rows);
	feedback_rows_end(&rows, NULL, &f->rows);
}

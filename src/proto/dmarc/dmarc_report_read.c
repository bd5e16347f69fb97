/* SPDX-License-Identifier: ISC */
/*
 * dmarc_report_read.c - aggregate reports that others have sent.
 *
 * A table says which elements there are, inside which others, and where
 * their text goes. An element that opens a list makes a new member of it, so
 * the reader always has at most one object of each kind in hand.
 */
#include "proto/dmarc/dmarc_words.h"
#include "proto/dmarc/dmarc_xml.h"

/* What is open. Objects of their own are the first six. */
enum place {
	IN_REPORT,
	IN_ERROR,
	IN_ROW,
	IN_REASON,
	IN_DKIM,
	IN_SPF,
	PLACES_WITH_OBJECT,
	IN_DOCUMENT = PLACES_WITH_OBJECT,
	IN_METADATA,
	IN_RANGE,
	IN_PUBLISHED,
	IN_COUNTED,
	IN_EVALUATED,
	IN_IDENTIFIERS,
	IN_RESULTS,
	IN_UNKNOWN,
};

enum kind {
	PLACE, /* holds other elements */
	TEXT,
	NUMBER,
	WORD, /* an enum */
	FLAG, /* a bool by words */
};

static const struct element {
	enum place within;
	const char *name;
	enum kind kind;
	enum place opens;
	enum place object; /* whose member a text is */
	size_t offset;
	const struct dmarc_words *words;
} elements[] = {
#define O(type, member) offsetof(struct dmarc_report##type, member)
	/* clang-format off */
	{ IN_DOCUMENT, "feedback", PLACE, IN_REPORT, 0, 0, NULL },
	{ IN_REPORT, "report_metadata", PLACE, IN_METADATA, 0, 0, NULL },
	{ IN_REPORT, "policy_published", PLACE, IN_PUBLISHED, 0, 0, NULL },
	{ IN_REPORT, "record", PLACE, IN_ROW, 0, 0, NULL },
	{ IN_METADATA, "org_name", TEXT, 0, IN_REPORT, O(, org_name), NULL },
	{ IN_METADATA, "email", TEXT, 0, IN_REPORT, O(, email), NULL },
	{ IN_METADATA, "extra_contact_info", TEXT, 0, IN_REPORT,
	    O(, extra_contact_info), NULL },
	{ IN_METADATA, "report_id", TEXT, 0, IN_REPORT, O(, report_id), NULL },
	{ IN_METADATA, "date_range", PLACE, IN_RANGE, 0, 0, NULL },
	{ IN_METADATA, "error", TEXT, IN_ERROR, IN_ERROR, O(_error, text),
	    NULL },
	{ IN_RANGE, "begin", NUMBER, 0, IN_REPORT, O(, begin), NULL },
	{ IN_RANGE, "end", NUMBER, 0, IN_REPORT, O(, end), NULL },
	{ IN_PUBLISHED, "domain", TEXT, 0, IN_REPORT, O(, domain), NULL },
	{ IN_PUBLISHED, "adkim", WORD, 0, IN_REPORT, O(, adkim),
	    &dmarc_words_alignment },
	{ IN_PUBLISHED, "aspf", WORD, 0, IN_REPORT, O(, aspf),
	    &dmarc_words_alignment },
	{ IN_PUBLISHED, "p", WORD, 0, IN_REPORT, O(, p), &dmarc_words_policy },
	{ IN_PUBLISHED, "sp", WORD, 0, IN_REPORT, O(, sp),
	    &dmarc_words_policy },
	{ IN_PUBLISHED, "pct", NUMBER, 0, IN_REPORT, O(, pct), NULL },
	{ IN_PUBLISHED, "fo", TEXT, 0, IN_REPORT, O(, fo), NULL },
	{ IN_ROW, "row", PLACE, IN_COUNTED, 0, 0, NULL },
	{ IN_ROW, "identifiers", PLACE, IN_IDENTIFIERS, 0, 0, NULL },
	{ IN_ROW, "auth_results", PLACE, IN_RESULTS, 0, 0, NULL },
	{ IN_COUNTED, "source_ip", TEXT, 0, IN_ROW, O(_row, source_ip), NULL },
	{ IN_COUNTED, "count", NUMBER, 0, IN_ROW, O(_row, count), NULL },
	{ IN_COUNTED, "policy_evaluated", PLACE, IN_EVALUATED, 0, 0, NULL },
	{ IN_EVALUATED, "disposition", WORD, 0, IN_ROW, O(_row, disposition),
	    &dmarc_words_policy },
	{ IN_EVALUATED, "dkim", FLAG, 0, IN_ROW, O(_row, is_dkim_pass),
	    &dmarc_words_pass },
	{ IN_EVALUATED, "spf", FLAG, 0, IN_ROW, O(_row, is_spf_pass),
	    &dmarc_words_pass },
	{ IN_EVALUATED, "reason", PLACE, IN_REASON, 0, 0, NULL },
	{ IN_REASON, "type", WORD, 0, IN_REASON, O(_reason, type),
	    &dmarc_words_reason },
	{ IN_REASON, "comment", TEXT, 0, IN_REASON, O(_reason, comment), NULL },
	{ IN_IDENTIFIERS, "envelope_to", TEXT, 0, IN_ROW, O(_row, envelope_to),
	    NULL },
	{ IN_IDENTIFIERS, "envelope_from", TEXT, 0, IN_ROW,
	    O(_row, envelope_from), NULL },
	{ IN_IDENTIFIERS, "header_from", TEXT, 0, IN_ROW, O(_row, header_from),
	    NULL },
	{ IN_RESULTS, "dkim", PLACE, IN_DKIM, 0, 0, NULL },
	{ IN_RESULTS, "spf", PLACE, IN_SPF, 0, 0, NULL },
	{ IN_DKIM, "domain", TEXT, 0, IN_DKIM, O(_dkim, domain), NULL },
	{ IN_DKIM, "selector", TEXT, 0, IN_DKIM, O(_dkim, selector), NULL },
	{ IN_DKIM, "result", WORD, 0, IN_DKIM, O(_dkim, result),
	    &dmarc_words_dkim },
	{ IN_DKIM, "human_result", TEXT, 0, IN_DKIM, O(_dkim, human_result),
	    NULL },
	{ IN_SPF, "domain", TEXT, 0, IN_SPF, O(_spf, domain), NULL },
	{ IN_SPF, "scope", WORD, 0, IN_SPF, O(_spf, scope),
	    &dmarc_words_scope },
	{ IN_SPF, "result", WORD, 0, IN_SPF, O(_spf, result),
	    &dmarc_words_spf },
/* clang-format on */
#undef O
};

/* The last member of each list that is open, and where the next one goes. */
struct reader {
	struct arena *arena;
	struct dmarc_report *report;
	void *objects[PLACES_WITH_OBJECT];
	struct dmarc_report_error **error_tail;
	struct dmarc_report_row **row_tail;
	struct dmarc_report_reason **reason_tail;
	struct dmarc_report_dkim **dkim_tail;
	struct dmarc_report_spf **spf_tail;
	unsigned in_list[PLACES_WITH_OBJECT]; /* members so far */
	enum place open[DMARC_XML_DEPTH_MAX];
	size_t depth;
	const struct element *leaf; /* whose text is being read */
	struct buf text;
	bool has_time;
	bool has_sp;
	const char *problem;
};

static void
fail(struct reader *r, const char *problem)
{
	if (!r->problem)
		r->problem = problem;
}

/* Append a new member to a list of the open object. */
#define APPEND(r, place, type, tail) \
	({ \
		struct type *member_ = ARENA_NEW((r)->arena, struct type); \
		if (member_) { \
			*(r)->tail = member_; \
			(r)->tail = &member_->next; \
		} \
		(r)->objects[place] = member_; \
		member_; \
	})

static bool
new_row(struct reader *r)
{
	struct dmarc_report_row *row =
	    APPEND(r, IN_ROW, dmarc_report_row, row_tail);

	if (!row)
		return false;
	r->report->n_rows++;
	r->reason_tail = &row->reasons;
	r->dkim_tail = &row->dkim;
	r->spf_tail = &row->spf;
	r->in_list[IN_REASON] = r->in_list[IN_DKIM] = r->in_list[IN_SPF] = 0;
	return true;
}

static bool
new_member(struct reader *r, enum place place)
{
	switch ((unsigned)place) {
	case IN_ERROR:
		return APPEND(r, place, dmarc_report_error, error_tail);
	case IN_ROW:
		return new_row(r);
	case IN_REASON:
		return APPEND(r, place, dmarc_report_reason, reason_tail);
	case IN_DKIM:
		return APPEND(r, place, dmarc_report_dkim, dkim_tail);
	case IN_SPF:
		return APPEND(r, place, dmarc_report_spf, spf_tail);
	}
	return true;
}

/* Make the object of a place, when it has one and the limits allow it. */
static void
enter(struct reader *r, enum place place)
{
	unsigned max =
	    place == IN_ROW ? DMARC_REPORT_ROWS_MAX : DMARC_REPORT_LIST_MAX;

	if (place >= PLACES_WITH_OBJECT || place == IN_REPORT)
		return;
	if (++r->in_list[place] > max)
		fail(r, "the report has too many rows or results");
	else if (!new_member(r, place))
		fail(r, "the report is too large");
}

static const struct element *
find_element(enum place within, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(elements); i++)
		if (elements[i].within == within &&
		    str_eq(name, str_c(elements[i].name)))
			return &elements[i];
	return NULL;
}

static void
open_element(struct reader *r, struct str name)
{
	enum place within = r->depth ? r->open[r->depth - 1] : IN_DOCUMENT;
	const struct element *e = find_element(within, name);

	if (r->depth == 0 && !e)
		fail(r, "the document is no report");
	r->leaf = NULL;
	buf_reset(&r->text, DMARC_REPORT_TEXT_MAX);
	r->open[r->depth++] = e && e->kind == PLACE ? e->opens : IN_UNKNOWN;
	if (!e)
		return;
	if (e->kind != PLACE)
		r->leaf = e;
	if (e->opens)
		enter(r, e->opens);
}

static unsigned
word_number(const struct dmarc_words *words, struct str text)
{
	for (unsigned i = 0; i < words->n; i++)
		if (str_eq_case(text, str_c(words->v[i])))
			return i;
	return 0;
}

/* The element in hand ends: its text goes where the table says. */
static void
store_leaf(struct reader *r)
{
	const struct element *e = r->leaf;
	char *to = (char *)r->objects[e->object] + e->offset;
	struct str text = buf_str(&r->text);
	unsigned word;

	while (text.n > 0 && strchr(" \t\r\n", text.p[text.n - 1]))
		text.n--;
	while (text.n > 0 && strchr(" \t\r\n", text.p[0]))
		text = str_from(text, 1);
	switch (e->kind) {
	case PLACE:
		break;
	case TEXT:
		if (!arena_str(r->arena, text, (struct str *)(void *)to))
			fail(r, "the report is too large");
		break;
	case NUMBER:
		if (text.n > 0 &&
		    !str_to_u64(text, INT64_MAX, (uint64_t *)(void *)to))
			fail(r, "a number in the report is none");
		r->has_time |= e->within == IN_RANGE && text.n > 0;
		break;
	case WORD:
		word = word_number(e->words, text);
		memcpy(to, &word, sizeof(word));
		r->has_sp |= to == (char *)&r->report->sp && text.n > 0;
		break;
	case FLAG:
		*(bool *)(void *)to = word_number(e->words, text) == 1;
		break;
	}
}

static void
close_element(struct reader *r)
{
	if (r->leaf)
		store_leaf(r);
	r->leaf = NULL;
	r->depth--;
}

static void
read_all(struct reader *r, struct str xml)
{
	struct dmarc_xml x;
	struct str s;

	dmarc_xml_init(&x, xml);
	while (!r->problem) {
		switch (dmarc_xml_next(&x, &s)) {
		case DMARC_XML_OPEN:
			open_element(r, s);
			break;
		case DMARC_XML_CLOSE:
			close_element(r);
			break;
		case DMARC_XML_TEXT:
			if (r->leaf && !dmarc_xml_decode(s, &r->text))
				fail(r, "a text in the report is wrong");
			break;
		case DMARC_XML_END:
			return;
		case DMARC_XML_BAD:
			fail(r, "the document is not right XML");
			break;
		}
	}
}

const char *
dmarc_report_read(
    struct str xml, struct arena *arena, struct dmarc_report **ret)
{
	struct reader r = { .arena = arena,
		.text = BUF_INIT(DMARC_REPORT_TEXT_MAX) };
	struct dmarc_report *report;

	if (xml.n > DMARC_REPORT_MAX)
		return "the report is too large";
	report = ARENA_NEW(arena, struct dmarc_report);
	if (!report)
		return "the report is too large";
	report->pct = 100;
	r.report = r.objects[IN_REPORT] = report;
	r.error_tail = &report->errors;
	r.row_tail = &report->rows;
	read_all(&r, xml);
	buf_done(&r.text);
	if (r.problem)
		return r.problem;
	if (report->domain.n == 0 || report->report_id.n == 0 || !r.has_time)
		return "the report has no domain, no id or no time";
	if (!r.has_sp)
		report->sp = report->p;
	*ret = report;
	return NULL;
}

/* SPDX-License-Identifier: ISC */
/* dns_tell.c - show a plan, as lines or as JSON. See dns_plan.h. */
#include "cli/dns/dns_tell.h"

#include "cli/dns/dns_data.h"

struct line {
	const char *action;
	const struct dns_set *set;
	struct str data; /* none: a text instead of it */
	const char *text;
};

static const char *
purpose_of(const struct dns_set *s)
{
	return s->n_wanted ? dns_purpose_name(s->wanted[0]->purpose) : "old";
}

/* What the data of a line is, and what there is to say of it. */
static void
put_data(const struct line *l, struct buf *to)
{
	if (!l->data.p)
		return;
	for (size_t i = 0; i < l->set->n_wanted; i++)
		if (str_eq(l->data, l->set->data.v[i])) {
			dns_record_put_value(l->set->wanted[i], to);
			return;
		}
	dns_data_put_text(l->set->type, l->data, to);
}

static void
print_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		putchar(s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
}

static void
print_line(const struct line *l)
{
	struct buf value = BUF_INIT(KIB(128));

	put_data(l, &value);
	printf("%-8s %-5s %s", l->action, dns_type_name(l->set->type),
	    l->set->name);
	if (value.n || l->text[0])
		fputs(": ", stdout);
	print_plain(buf_str(&value));
	print_plain(str_c(l->text));
	putchar('\n');
	buf_done(&value);
}

static void
json_line(struct output *o, const struct line *l)
{
	struct buf value = BUF_INIT(KIB(128));

	put_data(l, &value);
	output_put_text(o, str_c(l->action));
	output_put_text(o, str_c(l->set->name));
	output_put_text(o, str_c(dns_type_name(l->set->type)));
	output_put_text(o, buf_str(&value));
	output_put_text(o, str_c(purpose_of(l->set)));
	output_put_text(o, str_c(l->text));
	buf_done(&value);
}

/* To people at once, or into a table. */
static void
tell(struct output *o, const struct line *l)
{
	if (o)
		json_line(o, l);
	else
		print_line(l);
}

static void
tell_left(struct output *o, struct dns_set *s)
{
	struct buf text = BUF_INIT(KIB(128));

	buf_put_str(&text, buf_str(&s->why));
	for (size_t i = 0; i < s->n_wanted; i++) {
		buf_put_c(&text, i ? ", " : "; wanted: ");
		dns_record_put_value(s->wanted[i], &text);
	}
	tell(o,
	    &(struct line){ .action = "left", .set = s, .text = buf_c(&text) });
	buf_done(&text);
}

static void
tell_set(struct output *o, struct dns_set *s)
{
	struct line l = { .set = s, .text = "" };

	if (s->skipped) {
		l.action = "skip";
		l.text = s->skipped;
		if (s->n_wanted)
			tell(o, &l);
		return;
	}
	l.action = "remove";
	for (size_t i = 0; i < s->remove.n; i++) {
		l.data = s->remove.v[i];
		tell(o, &l);
	}
	l.action = "add";
	for (size_t i = 0; i < s->add.n; i++) {
		l.data = s->add.v[i];
		tell(o, &l);
	}
	l.action = "ok";
	l.data = STR_NONE;
	if (s->is_left)
		tell_left(o, s);
	else if (s->n_wanted && !dns_set_changes(s))
		tell(o, &l);
}

struct output *
dns_tell_plan(struct dns_plan *p, bool is_json)
{
	static const struct output_field fields[] = {
		{ "action", "ACTION", OUTPUT_TEXT },
		{ "name", "NAME", OUTPUT_TEXT },
		{ "type", "TYPE", OUTPUT_TEXT },
		{ "value", "VALUE", OUTPUT_TEXT },
		{ "purpose", "PURPOSE", OUTPUT_TEXT },
		{ "why", "WHY", OUTPUT_TEXT },
	};
	struct output *o =
	    is_json ? output_new("changes", fields, ARRAY_LEN(fields)) : NULL;

	for (size_t i = 0; i < p->n; i++)
		tell_set(o, &p->v[i]);
	return o;
}

/* SPDX-License-Identifier: ISC */
/*
 * dsn_arf.c - the fields of feedback-report parts. See dsn_parse.h.
 */
#include "proto/dsn/dsn_field.h"
#include "proto/dsn/dsn_parse.h"

/* clang-format off */
static const char *const types[] = {
	[ARF_ABUSE]        = "abuse",
	[ARF_FRAUD]        = "fraud",
	[ARF_VIRUS]        = "virus",
	[ARF_NOT_SPAM]     = "not-spam",
	[ARF_AUTH_FAILURE] = "auth-failure",
	[ARF_OTHER]        = "other",
};
/* clang-format on */

const char *
arf_type_str(enum arf_type type)
{
	return types[type];
}

static enum arf_type
read_type(struct str value)
{
	for (int i = ARF_ABUSE; i < ARF_OTHER; i++)
		if (str_eq_case(value, str_c(types[i])))
			return (enum arf_type)i;
	return ARF_OTHER;
}

static struct str
without_brackets(struct str s)
{
	if (s.n >= 2 && s.p[0] == '<' && s.p[s.n - 1] == '>')
		return str_sub(s, 1, s.n - 2);
	return s;
}

/* False when the arena is full. */
static bool
add(struct arena *a, struct arf_list *list, struct str value)
{
	if (!list->v)
		list->v = arena_calloc(a, ARF_LIST_MAX, sizeof(*list->v));
	if (!list->v)
		return false;
	if (list->n < ARF_LIST_MAX)
		list->v[list->n++] = value;
	return true;
}

/* clang-format off */
static const struct {
	const char *name;
	size_t field; /* of struct arf_report: a str */
} texts[] = {
	{ "User-Agent",             offsetof(struct arf_report, user_agent) },
	{ "Original-Envelope-Id",   offsetof(struct arf_report, envid) },
	{ "Arrival-Date",           offsetof(struct arf_report, arrival_date) },
	{ "Received-Date",          offsetof(struct arf_report, arrival_date) },
	{ "Source-IP",              offsetof(struct arf_report, source_ip) },
	{ "Authentication-Results", offsetof(struct arf_report, auth_results) },
	{ "Auth-Failure",           offsetof(struct arf_report, auth_failure) },
};
static const struct {
	const char *name;
	size_t field; /* of struct arf_report: a list */
} lists[] = {
	{ "Original-Rcpt-To", offsetof(struct arf_report, rcpt_to) },
	{ "Reported-Domain",  offsetof(struct arf_report, domains) },
	{ "Reported-URI",     offsetof(struct arf_report, uris) },
};
/* clang-format on */

static void
read_single(const struct dsn_field *f, struct arf_report *ret)
{
	struct str type;
	uint32_t n;

	if (str_eq_case(f->name, STR("Feedback-Type")))
		ret->type = read_type(f->value);
	else if (str_eq_case(f->name, STR("Original-Mail-From")))
		ret->mail_from = without_brackets(f->value);
	else if (str_eq_case(f->name, STR("Reporting-MTA")))
		ret->reporting_mta = dsn_typed_value(f->value, &type);
	else if (str_eq_case(f->name, STR("Incidents")) &&
		 str_to_u32(f->value, UINT32_MAX, &n))
		ret->incidents = n;
}

static bool
read_field(struct arena *a, const struct dsn_field *f, struct arf_report *ret)
{
	char *base = (char *)ret;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (str_eq_case(f->name, str_c(texts[i].name))) {
			memcpy(
			    base + texts[i].field, &f->value, sizeof(f->value));
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (str_eq_case(f->name, str_c(lists[i].name)))
			return add(a, (void *)(base + lists[i].field),
			    without_brackets(f->value));
	read_single(f, ret);
	return true;
}

bool
arf_parse(struct arena *a, struct str in, struct arf_report *ret)
{
	struct dsn_field_iter it = { .rest = str_first(in, DSN_INPUT_MAX) };
	bool has_type = false;
	struct dsn_field f;

	*ret = (struct arf_report){ .type = ARF_OTHER, .incidents = 1 };
	while (dsn_field_next(&it, a, &f)) {
		has_type |= str_eq_case(f.name, STR("Feedback-Type"));
		if (!read_field(a, &f, ret))
			break;
	}
	return has_type;
}

/* SPDX-License-Identifier: ISC */
/*
 * mime_hop.c - what a transport looks at in a header. See mime_hop.h.
 */
#include "proto/mime/mime_hop.h"

#include "proto/mime/mime_address.h"

/* One Delivered-To holds one address; more memory than enough for it. */
#define ADDRESS_MEMORY KIB(16)

static void
count_field(struct mime_hop *hop, struct str name)
{
	const struct {
		const char *name;
		uint32_t *count;
	} counters[] = {
		{ "received", &hop->received },
		{ "date", &hop->date },
		{ "from", &hop->from },
		{ "message-id", &hop->message_id },
		{ "to", &hop->to },
		{ "cc", &hop->cc },
		{ "bcc", &hop->bcc },
		{ "sender", &hop->sender },
		{ "delivered-to", &hop->delivered_to },
	};

	hop->fields++;
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		if (str_eq_case(name, str_c(counters[i].name)))
			++*counters[i].count;
}

/* RFC 8689 section 3: "No" is the one value there is. */
static bool
is_tls_optional(const struct mime_field *f)
{
	struct buf value = BUF_INIT(16);
	bool is_no;

	if (!str_eq_case(f->name, STR("TLS-Required")))
		return false;
	mime_header_unfold(f->value, &value);
	is_no = str_eq_case(buf_str(&value), STR("No"));
	buf_done(&value);
	return is_no;
}

void
mime_hop_scan(struct str message, struct mime_hop *ret)
{
	struct mime_hop hop = { 0 };
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, message);
	while (mime_header_next(&it, &f)) {
		if (f.name.n)
			count_field(&hop, f.name);
		else
			hop.has_bad_line = true;
		hop.has_8bit |= !str_is_ascii(f.whole);
		hop.is_tls_optional |= is_tls_optional(&f);
	}
	hop.header_length = it.off;
	*ret = hop;
}

unsigned
mime_hop_lacks(const struct mime_hop *hop)
{
	return (hop->date ? 0 : MIME_LACKS_DATE) |
	       (hop->from ? 0 : MIME_LACKS_FROM) |
	       (hop->message_id ? 0 : MIME_LACKS_MESSAGE_ID) |
	       (hop->is_tls_optional ? MIME_TLS_OPTIONAL : 0);
}

static bool
names_address(struct str value, struct str address)
{
	struct buf spec = BUF_INIT(KIB(4));
	struct mime_address *a;
	struct arena arena;
	bool is_same = false;

	arena_init(&arena, ADDRESS_MEMORY);
	a = mime_address_parse(value, 1, &arena, NULL);
	if (a) {
		mime_address_put_spec(a, &spec);
		is_same = str_eq_case(buf_str(&spec), address);
	}
	buf_done(&spec);
	arena_done(&arena);
	return is_same;
}

bool
mime_hop_is_delivered_to(struct str message, struct str address)
{
	struct mime_header_iter it;
	struct mime_field f;

	mime_header_start(&it, message);
	while (mime_header_next(&it, &f))
		if (str_eq_case(f.name, STR("delivered-to")) &&
		    names_address(f.value, address))
			return true;
	return false;
}

/* SPDX-License-Identifier: ISC */
/* dns_data.c - data of records, as bytes and as text. See dns_data.h. */
#include "cli/dns/dns_data.h"

#include "proto/dnsupdate/dnsupdate_message.h"

#define STRING_MAX 255 /* RFC 1035 section 3.3 */

/* --- text ---------------------------------------------------------------- */

static void
put_address(enum dns_type type, struct str data, struct buf *to)
{
	for (size_t i = 0; i < data.n; i++) {
		unsigned byte = (unsigned char)data.p[i];

		if (type == DNS_A)
			buf_printf(to, "%s%u", i ? "." : "", byte);
		else
			buf_printf(
			    to, "%s%02x", i && i % 2 == 0 ? ":" : "", byte);
	}
}

void
dns_data_put_text(enum dns_type type, struct str data, struct buf *to)
{
	char name[DNS_NAME_MAX + 1];
	uint16_t number;

	if (type == DNS_TXT) {
		buf_put_char(to, '"');
		dns_join_txt(data, to);
		buf_put_char(to, '"');
	} else if (type == DNS_MX && dns_read_mx(data, &number, name)) {
		buf_printf(to, "%u %s.", number, name);
	} else if (type == DNS_SRV && dns_read_srv(data, &number, name)) {
		buf_printf(to, "port %u of %s.", number, name);
	} else if (type == DNS_CNAME && dns_read_name(data, name)) {
		buf_printf(to, "%s.", name);
	} else if (type == DNS_A || type == DNS_AAAA) {
		put_address(type, data, to);
	} else if (type == DNS_TLSA && data.n > 3) {
		buf_printf(to, "%u %u %u ", (unsigned char)data.p[0],
		    (unsigned char)data.p[1], (unsigned char)data.p[2]);
		for (size_t i = 3; i < data.n; i++)
			buf_printf(to, "%02X", (unsigned char)data.p[i]);
	} else {
		buf_put_c(to, "what is no such record");
	}
}

/* --- bytes --------------------------------------------------------------- */

static bool
take_number(struct str *rest, uint32_t max, uint32_t *ret)
{
	struct str word;

	*rest = str_split(*rest, ' ', &word);
	return str_to_u32(word, max, ret);
}

static bool
encode_numbers(struct str value, size_t n, struct buf *to)
{
	uint32_t number;

	while (n--) {
		if (!take_number(&value, UINT16_MAX, &number))
			return false;
		dnsupdate_put_u16(to, number);
	}
	return dnsupdate_name_put(value, to);
}

static void
encode_strings(struct str text, struct buf *to)
{
	do {
		struct str one = str_first(text, STRING_MAX);

		buf_put_char(to, (char)one.n);
		buf_put_str(to, one);
		text = str_from(text, one.n);
	} while (text.n);
}

static int
hex_digit(char c)
{
	c = ascii_lower(c);
	return ascii_is_digit(c)      ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	                              : -1;
}

static bool
encode_tlsa(struct str value, struct buf *to)
{
	uint32_t number;

	for (int i = 0; i < 3; i++) {
		if (!take_number(&value, UINT8_MAX, &number))
			return false;
		buf_put_char(to, (char)number);
	}
	for (; value.n > 1; value = str_from(value, 2)) {
		int high = hex_digit(value.p[0]), low = hex_digit(value.p[1]);

		if (high < 0 || low < 0)
			return false;
		buf_put_char(to, (char)(high << 4 | low));
	}
	return value.n == 0;
}

bool
dns_data_encode(enum dns_type type, const char *value, struct buf *to)
{
	struct str v = str_c(value);
	bool ok = false;

	switch (type) {
	case DNS_CNAME:
	case DNS_NS:
		ok = encode_numbers(v, 0, to);
		break;
	case DNS_MX:
		ok = encode_numbers(v, 1, to);
		break;
	case DNS_SRV:
		ok = encode_numbers(v, 3, to);
		break;
	case DNS_TXT:
		encode_strings(v, to);
		ok = true;
		break;
	case DNS_TLSA:
		ok = encode_tlsa(v, to);
		break;
	case DNS_A:
	case DNS_AAAA:
	case DNS_SOA:
	case DNS_PTR:
		break;
	}
	return ok && !to->failed;
}

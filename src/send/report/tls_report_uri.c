/* SPDX-License-Identifier: ISC */
/* tls_report_uri.c - where a report goes. See tls_reports.h. */
#include "send/report/tls_reports.h"

#include "base/hostname.h"

#define MAILTO    STR("mailto:")
#define HTTPS     STR("https://")
#define LOCAL_MAX 64

static int
hex(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* No control characters, blanks, or what ends an address in a list. */
static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7F ||
		    strchr("<>,;:\\\"()[]", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

static bool
decode(struct str s, struct buf *to)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 ||
			    hex(s.p[i + 2]) < 0)
				return false;
			c = (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
			i += 2;
		}
		buf_put_char(to, c);
	}
	return !to->failed;
}

bool
tls_report_mailbox(struct str uri, struct buf *to)
{
	struct buf text = BUF_INIT(400);
	struct str local, domain, path;
	bool ok = false;

	if (str_starts_case(uri, MAILTO)) {
		(void)str_split(str_from(uri, MAILTO.n), '?', &path);
		/* A size limit, as DMARC has: nobody's mailbox has a "!". */
		(void)str_split(path, '!', &path);
		ok = decode(path, &text);
	}
	domain = str_split(buf_str(&text), '@', &local);
	ok = ok && is_plain(local) && local.n <= LOCAL_MAX &&
	     hostname_is_valid(domain);
	if (ok)
		buf_put_str(to, buf_str(&text));
	buf_done(&text);
	return ok && !to->failed;
}

bool
tls_report_place(struct str uri, struct tls_report_place *ret)
{
	struct tls_report_place p = { .port = 443 };
	struct str rest, authority, host, port;
	uint32_t number = 443;
	ptrdiff_t slash;

	if (!str_starts_case(uri, HTTPS))
		return false;
	rest = str_from(uri, HTTPS.n);
	slash = str_find(rest, '/');
	authority = slash < 0 ? rest : str_first(rest, (size_t)slash);
	rest = slash < 0 ? STR("/") : str_from(rest, (size_t)slash);
	port = str_split(authority, ':', &host);
	if (!hostname_is_valid(host) || host.n >= sizeof(p.host) ||
	    rest.n >= sizeof(p.path) ||
	    (port.p != NULL && !str_to_u32(port, UINT16_MAX, &number)) ||
	    number == 0)
		return false;
	for (size_t i = 0; i < rest.n; i++)
		if (rest.p[i] <= ' ' || rest.p[i] >= 0x7F || rest.p[i] == '#')
			return false;
	p.port = (uint16_t)number;
	snprintf(p.host, sizeof(p.host), "%.*s", STR_ARG(host));
	snprintf(p.path, sizeof(p.path), "%.*s", STR_ARG(rest));
	*ret = p;
	return true;
}

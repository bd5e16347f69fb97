/* SPDX-License-Identifier: ISC */
/* autoconfig.c - settings for mail programs, as XML. See autoconfig.h. */
#include "proto/autoconfig/autoconfig.h"

static void
put_char(struct buf *to, char c)
{
	if (strchr("&<>\"'", c) != NULL && c != '\0')
		buf_printf(to, "&#x%X;", (unsigned)(unsigned char)c);
	else if ((unsigned char)c < ' ' || c == 0x7f)
		buf_put_char(to, '?');
	else
		buf_put_char(to, c);
}

/* Good between tags and in quoted attributes. Names of domains and hosts have no
 * use for controls and line ends. */
static void
put_text(struct buf *to, struct str s)
{
	bool is_utf8 = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++)
		put_char(to,
		    !is_utf8 && (unsigned char)s.p[i] >= 0x80 ? '?' : s.p[i]);
}

static void
put_element(struct buf *to, const char *name, struct str text)
{
	buf_printf(to, "<%s>", name);
	put_text(to, text);
	buf_printf(to, "</%s>\n", name);
}

static void
put_server(struct buf *to, const struct autoconfig *a,
    const struct autoconfig_server *s)
{
	static const struct {
		const char *element, *type;
	} kinds[] = {
		[AUTOCONFIG_IMAP] = { "incomingServer", "imap" },
		[AUTOCONFIG_POP3] = { "incomingServer", "pop3" },
		[AUTOCONFIG_SMTP] = { "outgoingServer", "smtp" },
	};

	buf_printf(to, "<%s type=\"%s\">\n", kinds[s->kind].element,
	    kinds[s->kind].type);
	put_element(to, "hostname", a->host);
	buf_printf(to, "<port>%u</port>\n", s->port);
	buf_printf(to, "<socketType>%s</socketType>\n",
	    s->is_tls ? "SSL" : "STARTTLS");
	/* In the words of the format: not hashed by the program, but the
	 * connection is encrypted. */
	buf_put_c(to, "<authentication>password-cleartext</authentication>\n"
		      "<username>%EMAILADDRESS%</username>\n");
	buf_printf(to, "</%s>\n", kinds[s->kind].element);
}

/* Programs expect what receives before what sends. */
static void
put_servers(struct buf *to, const struct autoconfig *a, bool is_outgoing)
{
	for (size_t i = 0; i < a->n; i++)
		if ((a->servers[i].kind == AUTOCONFIG_SMTP) == is_outgoing)
			put_server(to, a, &a->servers[i]);
}

static bool
is_complete(const struct autoconfig *a)
{
	bool has_incoming = false, has_outgoing = false;

	for (size_t i = 0; i < a->n; i++)
		if (a->servers[i].kind == AUTOCONFIG_SMTP)
			has_outgoing = true;
		else
			has_incoming = true;
	return has_incoming && has_outgoing;
}

bool
autoconfig_put(struct buf *to, const struct autoconfig *a)
{
	struct buf b = BUF_INIT(AUTOCONFIG_MAX);
	bool ok = is_complete(a);

	buf_put_c(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<clientConfig version=\"1.1\">\n<emailProvider id=\"");
	put_text(&b, a->domain);
	buf_put_c(&b, "\">\n");
	put_element(&b, "domain", a->domain);
	put_element(&b, "displayName", a->domain);
	put_element(&b, "displayShortName", a->domain);
	put_servers(&b, a, false);
	put_servers(&b, a, true);
	buf_put_c(&b, "</emailProvider>\n</clientConfig>\n");
	ok = ok && !b.failed;
	if (ok)
		buf_put_str(to, buf_str(&b));
	buf_done(&b);
	return ok && !to->failed;
}

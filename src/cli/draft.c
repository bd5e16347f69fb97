/* SPDX-License-Identifier: ISC */
/* draft.c - texts about signals. See draft.h. */
#include "cli/draft.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <time.h>

#define LANGUAGES 3

static const char *const words[DRAFT_WORDS][LANGUAGES] = {
#define W(id, en, fr, pt) [DRAFT_##id] = { en, fr, pt },
#include "cli/draft_words.def"
#undef W
};

bool
draft_language_parse(const char *code, enum draft_language *ret)
{
	static const char *const codes[LANGUAGES] = { "en", "fr", "pt" };

	for (unsigned i = 0; i < LANGUAGES; i++)
		if (strcmp(code, codes[i]) == 0) {
			*ret = (enum draft_language)i;
			return true;
		}
	return false;
}

void
draft_put(struct buf *to, enum draft_language l, enum draft_word w,
    const struct str *parts, size_t n)
{
	struct str s = str_c(words[w][l]);

	for (ptrdiff_t i; (i = str_find(s, '{')) >= 0;) {
		size_t k = (size_t)(s.p[i + 1] - '0');

		ASSERT(k < n);
		buf_put_str(to, str_first(s, (size_t)i));
		buf_put_str(to, parts[k]);
		s = str_from(s, (size_t)i + 3);
	}
	buf_put_str(to, s);
}

void
draft_put_time(struct buf *to, uint64_t at_s)
{
	time_t t = (time_t)at_s;
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	buf_put_c(to, text);
}

/* --- removal ---------------------------------------------------------------------- */

static void
put_server(struct buf *to, struct str ip, const char *ptr)
{
	if (ptr[0] != '\0')
		buf_printf(to, "%s (%.*s)", ptr, STR_ARG(ip));
	else
		buf_put_str(to, ip);
}

/* The parts of DRAFT_REMOVAL and DRAFT_FOR_DOMAIN. */
enum { SERVER, SINCE, HOST, REPLY, MESSAGES, ACCOUNTS, DOMAIN, PARTS };

void
draft_put_removal(struct buf *to, enum draft_language l,
    const struct breaker_row *row, const char *ptr)
{
	struct buf b[PARTS];
	struct str parts[PARTS];

	for (size_t i = 0; i < PARTS; i++)
		b[i] = BUF_INIT(KIB(2));
	put_server(&b[SERVER], row->own_ip, ptr);
	draft_put_time(&b[SINCE], row->since_ms / 1000);
	buf_printf(&b[REPLY], "%u %.*s", row->code, STR_ARG(row->reply));
	buf_put_u64(&b[MESSAGES], row->messages);
	buf_printf(&b[ACCOUNTS], "%u%s", row->n_accounts,
	    row->has_more_accounts ? "+" : "");
	for (size_t i = 0; i < PARTS; i++)
		parts[i] = buf_str(&b[i]);
	parts[HOST] = row->mx;
	parts[DOMAIN] = row->domain;
	if (row->domain.n > 0) {
		draft_put(&b[HOST], l, DRAFT_FOR_DOMAIN, parts, PARTS);
		parts[HOST] = buf_str(&b[HOST]);
	}
	draft_put(to, l, DRAFT_REMOVAL, parts, PARTS);
	for (size_t i = 0; i < PARTS; i++)
		buf_done(&b[i]);
}

void
draft_find_ptr(struct str ip, char ret[NI_MAXHOST])
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	CLEANUP(freep) char *text = str_dup(ip);
	const struct sockaddr *addr = (const struct sockaddr *)&in4;
	socklen_t n = sizeof(in4);

	ret[0] = '\0';
	if (inet_pton(AF_INET, text, &in4.sin_addr) != 1) {
		if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
			return;
		addr = (const struct sockaddr *)&in6;
		n = sizeof(in6);
	}
	if (getnameinfo(addr, n, ret, NI_MAXHOST, NULL, 0, NI_NAMEREQD) != 0)
		ret[0] = '\0';
}

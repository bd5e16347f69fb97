/* SPDX-License-Identifier: ISC */
/*
 * LINK: autoconfig mtasts
 * OBJS: src/conf/conf_public.c src/net/idn.c src/proc/role.c
 *
 * conf_public_fuzz.c - what the world is told: a host name as DNS has it; an MTA-STS
 * policy that its own parser takes, and that allows that host and no other; a file for
 * mail programs in which no name is markup. A byte says which services there are,
 * one whether at their usual ports; then the machine's name, a NUL, and a domain.
 */
#include "base/hostname.h"
#include "conf/conf_public.h"
#include "proto/mtasts/mtasts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_host(const char *host)
{
	ASSERT(host[0] != '\0' && strlen(host) <= HOSTNAME_MAX);
	for (const char *p = host; *p; p++)
		ASSERT((unsigned char)*p > ' ' && (unsigned char)*p < 0x7F);
}

static void
check_policy(const struct conf *c, const char *host)
{
	struct buf b = BUF_INIT(KIB(64)), id = BUF_INIT(KIB(1));
	struct buf record = BUF_INIT(KIB(1));
	struct mtasts_policy p;

	if (conf_put_mtasts(c, &b)) {
		ASSERT(host != NULL);
		ASSERT(mtasts_policy_parse(buf_str(&b), &p) == NULL);
		ASSERT(p.mode == MTASTS_MODE_ENFORCE);
		ASSERT(mtasts_allows(&p, str_c(host)));
		ASSERT(!mtasts_allows(&p, STR("other.invalid")));
		conf_put_mtasts_id(buf_str(&b), &id);
		ASSERT(mtasts_put_record(&record, buf_str(&id)));
	} else {
		ASSERT(b.n == 0);
	}
	buf_done(&b);
	buf_done(&id);
	buf_done(&record);
}

static size_t
count(struct str s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

/* With a plain name in place of the domain it has the same marks. */
static void
check_file(const struct conf *c, struct str domain)
{
	struct buf b = BUF_INIT(MIB(1)), plain = BUF_INIT(MIB(1));
	bool is = conf_put_autoconfig(c, domain, &b);

	ASSERT(conf_put_autoconfig(c, STR("example"), &plain) || !is);
	ASSERT(is || b.n == 0);
	if (is) {
		for (size_t i = 0; i < ARRAY_LEN("<>\"'\n"); i++)
			ASSERT(count(buf_str(&b), "<>\"'\n"[i]) ==
			       count(buf_str(&plain), "<>\"'\n"[i]));
		ASSERT(str_is_utf8(buf_str(&b)));
	}
	buf_done(&b);
	buf_done(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_make(data, size), name, domain;
	char host[HOSTNAME_MAX + 1];
	struct conf c = { 0 };
	bool has_host;

	if (size < 2)
		return 0;
	domain = str_split(str_from(rest, 2), '\0', &name);
	/* The configuration takes no other. */
	if (!hostname_is_valid(name))
		return 0;
	c.hostname = str_dup(name);
	for (size_t i = 0; i < CONF_CLIENT_SERVICES; i++) {
		const struct conf_client_service *s = &conf_client_services[i];
		bool is_usual = !(data[1] >> i & 1);

		if (data[0] >> i & 1)
			c.listeners[c.listener_count++] =
			    (struct conf_listener){ .service = s->service,
				    .port = is_usual ? s->usual_port
				                     : (uint16_t)(10000 + i) };
	}
	has_host = conf_public_host(&c, host, sizeof(host));
	if (has_host)
		check_host(host);
	check_policy(&c, has_host ? host : NULL);
	check_file(&c, domain);
	free(c.hostname);
	return 0;
}

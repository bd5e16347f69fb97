/* SPDX-License-Identifier: ISC */
/*
 * conf_resolver.c - name servers and trust anchors. See conf_resolver.h.
 */
#include "conf/conf_resolver.h"

#include <fcntl.h>
#include <unistd.h>

#define ANCHOR_FILE "/usr/share/dns/root.key"
#define ANCHOR_MAX  KIB(64)
#define SERVERS_MAX 64

char *
conf_resolver_server(struct str s)
{
	ptrdiff_t colon = str_rfind(s, ':'), close = str_find(s, ']');

	if (close > 0 && s.p[0] == '[')
		return colon > close
		           ? x_asprintf("%.*s@%.*s", (int)close - 1, s.p + 1,
				 STR_ARG(str_from(s, (size_t)colon + 1)))
		           : str_dup(str_sub(s, 1, (size_t)close - 1));
	if (colon > 0 && str_find(s, ':') == colon)
		return x_asprintf("%.*s@%.*s", (int)colon, s.p,
		    STR_ARG(str_from(s, (size_t)colon + 1)));
	return str_dup(s);
}

static void
read_anchors(const struct conf *c, struct buf *to)
{
	CLEANUP(closep)
	int fd =
	    open(c->dns_trust_anchor[0] ? c->dns_trust_anchor : ANCHOR_FILE,
		O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_put(to, part, (size_t)n);
}

int
conf_resolver_new(const struct conf *c, struct loop *loop,
    struct resolver **ret, bool *ret_validates, char **ret_error)
{
	struct buf anchors = BUF_INIT(ANCHOR_MAX);
	struct str list = str_c(c->dns_servers), one;
	char *servers[SERVERS_MAX];
	struct resolver_config config = { .loop = loop,
		.servers = (const char *const *)servers };
	int r;

	while (list.n && config.n_servers < SERVERS_MAX) {
		list = str_split(list, '\n', &one);
		servers[config.n_servers++] = conf_resolver_server(one);
	}
	if (c->dns_dnssec)
		read_anchors(c, &anchors);
	*ret_validates = anchors.n > 0;
	config.trust_anchors = buf_str(&anchors);
	r = resolver_new(&config, ret, ret_error);
	for (size_t i = 0; i < config.n_servers; i++)
		free(servers[i]);
	buf_done(&anchors);
	return r;
}

int
conf_resolver_start(const struct conf *c, struct loop *loop,
    const char *process, struct resolver **ret, bool *ret_validates)
{
	char *error = NULL;
	bool validates;
	int r = conf_resolver_new(c, loop, ret, &validates, &error);

	if (ret_validates != NULL)
		*ret_validates = validates;
	if (r < 0)
		fprintf(stderr, "mailstead: %s: name resolution: %s\n", process,
		    error);
	free(error);
	return r;
}

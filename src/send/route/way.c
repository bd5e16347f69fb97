/* SPDX-License-Identifier: ISC */
/* way.c - the local side of connections. See way.h. */
#include "send/route/way.h"

#include "base/buf.h"
#include "send/route/route.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static bool
take_source(struct sockaddr_storage *to, int family, struct str text)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	CLEANUP(freep) char *s = str_dup(text);

	if (family == AF_INET && inet_pton(family, s, &in4.sin_addr) == 1)
		memcpy(to, &in4, sizeof(in4));
	else if (family == AF_INET6 &&
		 inet_pton(family, s, &in6.sin6_addr) == 1)
		memcpy(to, &in6, sizeof(in6));
	else
		return false;
	return true;
}

static bool
has_source(const struct route_way *w)
{
	return w != NULL && (w->source4.n > 0 || w->source6.n > 0);
}

static void
take_sources(struct way *to, const struct conf *c, const struct route_way *w)
{
	if (has_source(w)) {
		to->uses4 = take_source(&to->source4, AF_INET, w->source4);
		to->uses6 = take_source(&to->source6, AF_INET6, w->source6);
		return;
	}
	to->uses4 = to->uses6 = true;
	(void)take_source(&to->source4, AF_INET, str_c(c->send_source4));
	(void)take_source(&to->source6, AF_INET6, str_c(c->send_source6));
}

void
way_source_put(const struct conf *c, const struct route_way *w, struct buf *to)
{
	struct str s4 = str_c(c->send_source4), s6 = str_c(c->send_source6);

	if (has_source(w)) {
		s4 = w->source4;
		s6 = w->source6;
	}
	if (s4.n == 0 && s6.n == 0)
		buf_put_c(to, "default");
	buf_put_str(to, s4);
	if (s4.n > 0 && s6.n > 0)
		buf_put_char(to, ',');
	buf_put_str(to, s6);
}

struct str
way_helo(const struct conf *c, const struct route_way *w, int family)
{
	bool is6 = family == AF_INET6;
	struct str own = STR_NONE, usual = STR_NONE;

	if (w != NULL)
		own = is6 ? w->helo6 : w->helo4;
	if (w != NULL && own.n == 0)
		own = w->helo;
	/* The configuration names its own addresses, and not those of a way. */
	if (!has_source(w))
		usual = str_c(is6 ? c->send_helo6 : c->send_helo4);
	return own.n > 0 ? own : usual.n > 0 ? usual : str_c(c->hostname);
}

void
way_init(struct way *ret, const struct conf *c, const struct route_way *w,
    struct str password)
{
	static const struct route_way direct = { .kind = ROUTE_DIRECT };
	struct buf b = BUF_INIT(KIB(8));

	if (w == NULL)
		w = &direct;
	*ret = (struct way){ 0 };
	take_sources(ret, c, w);
	ret->helo4 = str_dup(way_helo(c, w, AF_INET));
	ret->helo6 = str_dup(way_helo(c, w, AF_INET6));
	ret->login = str_dup(w->login);
	ret->password = str_dup(w->login.n > 0 ? password : STR_NONE);
	ret->allows_cleartext = w->allows_cleartext;
	way_source_put(c, w, &b);
	ret->source = x_strdup(buf_c(&b));
	buf_reset(&b, b.cap);
	route_way_put(w, &b);
	ret->label = x_strdup(buf_c(&b));
	buf_done(&b);
}

void
way_done(struct way *w)
{
	if (w->password != NULL)
		explicit_bzero(w->password, strlen(w->password));
	free(w->helo4);
	free(w->helo6);
	free(w->login);
	free(w->password);
	free(w->source);
	free(w->label);
	*w = (struct way){ 0 };
}

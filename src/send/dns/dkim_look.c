/* SPDX-License-Identifier: ISC */
/* dkim_look.c - what DNS has of keys' records. See dkim_look.h. */
#include "send/dns/dkim_look.h"

#include "net/idn.h"
#include "proto/dkim/dkim_same.h"
#include "send/dns/txt.h"

struct looking;

struct sought {
	struct looking *l;
	char *record; /* as it should be */
	char name[DNS_NAME_MAX + 1];
	uint8_t found; /* enum dkim_found */
	char why[200];
};

/* One request; it is freed with the last answer. */
struct looking {
	struct server *sv;
	struct ipc_return reply;
	size_t n, open;
	struct sought v[DKIM_LOOK_MAX];
};

static void
done(struct looking *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i].record);
	free(l);
}

static void
finish(struct looking *l)
{
	struct buf items = BUF_INIT(KIB(64)), body = BUF_INIT(KIB(65));

	for (size_t i = 0; i < l->n; i++)
		msg_dkim_seen_put(
		    &items, &(struct msg_dkim_seen){ .found = l->v[i].found,
				.why = str_c(l->v[i].why),
				.is_off = !l->sv->conf->dkim_check });
	msg_list_reply_put(
	    &body, &(struct msg_list_reply){ .items = buf_str(&items) });
	ipc_reply(&l->reply, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
	done(l);
}

static void
close_one(struct looking *l)
{
	if (--l->open == 0)
		finish(l);
}

static void
unknown(struct sought *s, const char *why)
{
	s->found = DKIM_FOUND_UNKNOWN;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void
compare(struct sought *s, const struct dns_answer *a)
{
	struct txt_set txt;

	txt_set_init(&txt, a);
	switch (dkim_same(str_c(s->record), txt.v, txt.n)) {
	case DKIM_SAME:
		s->found = DKIM_FOUND_SAME;
		break;
	case DKIM_SAME_NONE:
		s->found = DKIM_FOUND_NONE;
		break;
	case DKIM_SAME_OTHER:
		s->found = DKIM_FOUND_OTHER;
		break;
	}
	txt_set_done(&txt);
}

static void
on_txt(void *arg, const struct dns_answer *a)
{
	struct sought *s = arg;

	switch (a->status) {
	case DNS_FOUND:
		compare(s, a);
		break;
	case DNS_NO_DATA:
	case DNS_NO_NAME:
		s->found = DKIM_FOUND_NONE;
		break;
	case DNS_TEMPFAIL:
	case DNS_BOGUS:
		unknown(s, a->why);
		break;
	}
	close_one(s->l);
}

static void
look_up(struct sought *s)
{
	struct looking *l = s->l;

	if (s->name[0] == '\0') {
		unknown(s, "the domain is not a possible host name");
		close_one(l);
	} else if (resolver_is_silent(l->sv->resolver, DKIM_LOOK_MS)) {
		unknown(s, "no name server answers");
		close_one(l);
	} else {
		resolver_ask_within(
		    l->sv->resolver, s->name, DNS_TXT, DKIM_LOOK_MS, on_txt, s);
	}
}

/* Left empty when there can be no such name. */
static void
make_name(struct sought *s, const struct msg_dkim_sought *m)
{
	char domain[IDN_NAME_MAX + 1];
	struct buf name = BUF_INIT(DNS_NAME_MAX);

	if (idn_to_ascii(m->domain, domain, sizeof(domain)))
		dkim_key_name(m->selector, str_c(domain), &name);
	if (!name.failed)
		memcpy(s->name, buf_c(&name), name.n + 1);
	buf_done(&name);
}

/* False: there are too many, or they are malformed. */
static bool
take_keys(struct looking *l, struct str keys)
{
	struct wire w = wire_read(keys);
	struct msg_dkim_sought m;

	while (w.in.n > 0) {
		struct sought *s = &l->v[l->n];

		if (l->n == DKIM_LOOK_MAX || !msg_dkim_sought_read(&w, &m))
			return false;
		s->l = l;
		s->record = str_dup(m.record);
		make_name(s, &m);
		l->n++;
	}
	return true;
}

bool
dkim_look(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct looking *l = X_NEW(struct looking);
	struct msg_dkim_look ask;

	if (!msg_dkim_look_get(m->body, &ask) || !take_keys(l, ask.keys)) {
		done(l);
		return false;
	}
	l->sv = sv;
	l->reply = ipc_return_new(p, m);
	/* One more, so that none of the answers at once is the last one. */
	l->open = l->n + 1;
	for (size_t i = 0; i < l->n; i++)
		look_up(&l->v[i]);
	close_one(l);
	return true;
}

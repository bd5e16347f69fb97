/* SPDX-License-Identifier: ISC */
/*
 * reach_nets.c - the network of an address.
 *
 * A data base on this machine knows the AS of each address. Without one, the
 * DNS is asked, when the operator has said which zone: a prefix of 16 or 32
 * bits goes out, never an address (docs/reach.md). Events of a prefix that is
 * being asked about wait, some of them; and with neither, the prefix is the
 * network.
 */
#include "watch/reach/reach_internal.h"

#include "base/hash.h"
#include "base/log.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#define PREFIXES   4096 /* whose AS is known, or known to be unknown */
#define NAMES      2048 /* of AS */
#define QUESTIONS  16   /* under way */
#define WAITING    512  /* events */
#define FOUND_MS   (UINT64_C(24) * 3600 * 1000)
#define MISSING_MS (UINT64_C(600) * 1000)
#define SLOTS      4 /* places that a prefix may be in */
#define OWN        64

struct prefix {
	struct reach_net net; /* kind OTHERS: the place is free */
	uint32_t as;          /* 0: not known */
	uint64_t until_ms;
};

struct as_name {
	uint32_t as;
	char name[REACH_AS_NAME_MAX + 1];
};

struct question {
	struct reach_nets *n;
	struct resolver_query *query; /* NULL: free */
	struct reach_net net;
	uint32_t as; /* not 0: for its name */
};

/* An address of this machine. */
struct own {
	unsigned family;
	uint8_t address[16];
};

struct reach_nets {
	struct reach *r;
	struct own own[OWN];
	size_t n_own;
	struct asdb *db;
	char *zone; /* NULL or "": the DNS is not asked */
	struct prefix prefixes[PREFIXES];
	struct as_name names[NAMES];
	struct question questions[QUESTIONS];
	struct reach_event waiting[WAITING];
	size_t n_waiting;
};

/* --- names ------------------------------------------------------------------------ */

static struct as_name *
name_place(struct reach_nets *n, uint32_t as)
{
	size_t first = hash64_seed(&as, sizeof(as), n->r->seed) % NAMES;

	for (size_t i = 0; i < SLOTS; i++)
		if (n->names[(first + i) % NAMES].as == as)
			return &n->names[(first + i) % NAMES];
	for (size_t i = 0; i < SLOTS; i++)
		if (n->names[(first + i) % NAMES].as == 0)
			return &n->names[(first + i) % NAMES];
	return &n->names[first];
}

static void
keep_name(struct reach_nets *n, uint32_t as, const char *name)
{
	struct as_name *place = name_place(n, as);

	if (place->as == as || name[0] == '\0')
		return;
	place->as = as;
	snprintf(place->name, sizeof(place->name), "%s", name);
}

const char *
reach_nets_name(struct reach_nets *n, const struct reach_net *net)
{
	const struct as_name *place;

	if (net->kind != REACH_NET_AS)
		return "";
	place = name_place(n, net->value);
	return place->as == net->value ? place->name : "";
}

/* --- prefixes ---------------------------------------------------------------------- */

/* Its place, or the one that it may have: free, or the oldest. */
static struct prefix *
prefix_place(struct reach_nets *n, const struct reach_net *net)
{
	uint32_t words[2] = { net->kind, net->value };
	size_t first = hash64_seed(words, sizeof(words), n->r->seed) % PREFIXES;
	struct prefix *best = &n->prefixes[first];

	for (size_t i = 0; i < SLOTS; i++) {
		struct prefix *p = &n->prefixes[(first + i) % PREFIXES];

		if (reach_net_eq(&p->net, net))
			return p;
		if (p->until_ms < best->until_ms)
			best = p;
	}
	return best;
}

/* False: it is not known, and has to be asked for. */
static bool
prefix_find(
    struct reach_nets *n, const struct reach_net *net, struct reach_net *ret)
{
	const struct prefix *p = prefix_place(n, net);

	if (!reach_net_eq(&p->net, net) || p->until_ms <= server_now_ms())
		return false;
	*ret = *net;
	if (p->as != 0)
		*ret = (struct reach_net){ REACH_NET_AS, p->as };
	return true;
}

static void
prefix_keep(struct reach_nets *n, const struct reach_net *net, uint32_t as)
{
	*prefix_place(n, net) = (struct prefix){ *net, as,
		server_now_ms() + (as != 0 ? FOUND_MS : MISSING_MS) };
}

/* --- questions ---------------------------------------------------------------------- */

static void on_answer(void *arg, const struct dns_answer *a);

static bool
ask(struct reach_nets *n, const struct reach_net *net, uint32_t as)
{
	struct buf name = BUF_INIT(KIB(1));
	struct question *q = NULL;
	bool ok = true;

	for (size_t i = 0; i < QUESTIONS && q == NULL; i++)
		if (n->questions[i].query == NULL)
			q = &n->questions[i];
	if (q == NULL || n->r->sv->resolver == NULL)
		return false;
	if (as != 0)
		reach_as_question(&name, as, n->zone);
	else
		ok = reach_origin_question(&name, net, n->zone);
	if (ok) {
		*q = (struct question){ .n = n, .net = *net, .as = as };
		q->query = resolver_ask(
		    n->r->sv->resolver, buf_c(&name), DNS_TXT, on_answer, q);
	}
	buf_done(&name);
	return ok && q->query != NULL;
}

static bool
is_asked(const struct reach_nets *n, const struct reach_net *net)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		if (n->questions[i].query != NULL && n->questions[i].as == 0 &&
		    reach_net_eq(&n->questions[i].net, net))
			return true;
	return false;
}

/* Events of this prefix need wait no longer. */
static void
release(struct reach_nets *n, const struct reach_net *net)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->n_waiting; i++) {
		struct reach_event e = n->waiting[i];
		struct reach_net of = reach_net_of(e.family, e.address),
				 to = of;

		if (!reach_net_eq(&of, net)) {
			n->waiting[kept++] = e;
			continue;
		}
		(void)prefix_find(n, net, &to);
		reach_count(n->r, &e, &to);
	}
	explicit_bzero(
	    &n->waiting[kept], (n->n_waiting - kept) * sizeof(n->waiting[0]));
	n->n_waiting = kept;
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct question *q = arg;
	struct reach_nets *n = q->n;
	struct buf text = BUF_INIT(KIB(4));
	char name[REACH_AS_NAME_MAX + 1];
	uint32_t as = 0;

	q->query = NULL;
	if (a->status == DNS_FOUND && a->n > 0)
		dns_join_txt(a->data[0], &text);
	if (q->as != 0) {
		if (reach_as_answer(buf_str(&text), name))
			keep_name(n, q->as, name);
	} else {
		if (!reach_origin_answer(buf_str(&text), &as))
			as = 0;
		prefix_keep(n, &q->net, as);
		release(n, &q->net);
		if (as != 0 && name_place(n, as)->as != as)
			(void)ask(n, &q->net, as);
	}
	buf_done(&text);
}

/* --- this machine ----------------------------------------------------------- */

static void
add_own(struct reach_nets *n, const struct sockaddr *sa)
{
	const struct sockaddr_in *in4 = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	struct own *o = &n->own[n->n_own];

	if (sa == NULL || n->n_own == OWN)
		return;
	if (sa->sa_family == AF_INET) {
		o->family = 4;
		memcpy(o->address, &in4->sin_addr, 4);
		n->n_own++;
	} else if (sa->sa_family == AF_INET6) {
		o->family = 6;
		memcpy(o->address, &in6->sin6_addr, 16);
		n->n_own++;
	}
}

/* As they are when the process starts. */
static void
find_own(struct reach_nets *n)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		add_own(n, i->ifa_addr);
	freeifaddrs(all);
}

static bool
is_own(const struct reach_nets *n, unsigned family, const uint8_t address[16])
{
	for (size_t i = 0; i < n->n_own; i++)
		if (n->own[i].family == family &&
		    memcmp(n->own[i].address, address, family == 4 ? 4 : 16) ==
			0)
			return true;
	return false;
}

/* --- the network of an address ------------------------------------------------------- */

/* False: it is not known yet; ret is the prefix. */
static bool
find(struct reach_nets *n, unsigned family, const uint8_t address[16],
    struct reach_net *ret)
{
	char name[REACH_AS_NAME_MAX + 1];
	uint32_t as;

	*ret = reach_net_of(family, address);
	if (is_own(n, family, address))
		*ret = (struct reach_net){ REACH_NET_LOCAL, 0 };
	if (ret->kind == REACH_NET_LOCAL)
		return true;
	if (n->db != NULL && asdb_find(n->db, family, address, &as, name)) {
		*ret = (struct reach_net){ REACH_NET_AS, as };
		keep_name(n, as, name);
		return true;
	}
	return n->zone[0] == '\0' || prefix_find(n, ret, ret);
}

struct reach_net
reach_nets_now(struct reach_nets *n, unsigned family, const uint8_t address[16])
{
	struct reach_net net;

	(void)find(n, family, address, &net);
	return net;
}

void
reach_nets_take(struct reach_nets *n, const struct reach_event *e)
{
	struct reach_net net;
	bool is_known = find(n, e->family, e->address, &net);

	if (!is_known && n->n_waiting < WAITING &&
	    (is_asked(n, &net) || ask(n, &net, 0)))
		n->waiting[n->n_waiting++] = *e;
	else
		reach_count(n->r, e, &net);
}

/* --- life -------------------------------------------------------------------------------- */

struct reach_nets *
reach_nets_new(struct reach *r)
{
	struct reach_nets *n = X_NEW(struct reach_nets);
	const char *path = r->sv->conf->reach_as_database;
	char *error = NULL;

	n->r = r;
	n->zone = x_strdup(r->sv->conf->reach_as_zone);
	find_own(n);
	if (path[0] != '\0' && asdb_open(path, &n->db, &error) < 0) {
		log_event(EV_REACH_DATABASE, LC("error", error));
		free(error);
	}
	return n;
}

void
reach_nets_free(struct reach_nets *n)
{
	asdb_close(n->db);
	free(n->zone);
	free(n);
}

void
reach_nets_configure(struct reach_nets *n)
{
	free(n->zone);
	n->zone = x_strdup(n->r->sv->conf->reach_as_zone);
}

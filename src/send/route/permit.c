/* SPDX-License-Identifier: ISC */
/* permit.c - SPF and DKIM before a detour. See permit.h. */
#include "send/route/permit.h"

#include "base/log.h"
#include "base/secret.h"
#include "net/idn.h"
#include "net/dns_texts.h"
#include "send/queue/dest.h"

#include <arpa/inet.h>

#define KEPT_MS     300000U
#define KEPT_BAD_MS 15000U
#define PERMITS_MAX 50000
#define ADDRS_MAX   CONNECT_ADDRS_MAX
#define LIMIT_MS    20000U

struct permit_item {
	struct table_item item;
	struct permits *ps;
	struct str key;
	char *domain; /* of the sender, ASCII */
	char *sender;
	enum permit answer;
	uint64_t until_ms;
	char why[300];
	struct mails waiting;
	/* while it is being found out */
	struct route_target targets[ROUTE_TARGETS_MAX]; /* text: names */
	char *names;
	size_t n_targets, target;
	struct spf_address addrs[ADDRS_MAX];
	size_t n_addrs, addr;
	struct resolver_query *query4, *query6, *query;
	struct spf_check *check;
	struct loop_timer *timer;
	bool has_trouble;
	bool is_asking; /* the store, for keys */
};

struct permits {
	struct server *sv;
	struct table table;
};

/* --- the end of a search ----------------------------------------------------------- */

static void
stop_search(struct permit_item *p)
{
	struct resolver_query **queries[] = { &p->query, &p->query4,
		&p->query6 };

	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (*queries[i] != NULL) {
			resolver_cancel(*queries[i]);
			*queries[i] = NULL;
		}
	if (p->check != NULL)
		spf_free(p->check);
	p->check = NULL;
	free(p->names);
	p->names = NULL;
	loop_timer_clear(p->timer);
}

static void
go_on(void *arg)
{
	struct permit_item *p = arg;
	struct server *sv = p->ps->sv;
	struct mails mails = TAILQ_HEAD_INITIALIZER(mails);
	struct mail *m;

	TAILQ_CONCAT(&mails, &p->waiting, link);
	while ((m = TAILQ_FIRST(&mails)) != NULL) {
		TAILQ_REMOVE(&mails, m, link);
		lookup_mail(sv, m);
	}
}

static void
finish(struct permit_item *p, enum permit answer, const char *why)
{
	uint64_t now = loop_now_ms(p->ps->sv->loop);

	p->answer = answer;
	p->until_ms = now + (answer == PERMIT_UNKNOWN ? KEPT_BAD_MS : KEPT_MS);
	snprintf(p->why, sizeof(p->why), "%s", why);
	stop_search(p);
	loop_defer(p->ps->sv->loop, go_on, p);
}

static void
on_time(void *arg)
{
	finish(arg, PERMIT_UNKNOWN,
	    "the SPF record of the sender's domain could not be looked up");
}

/* --- SPF ------------------------------------------------------------------------------ */

static void step(struct permit_item *p);

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct permit_item *p = arg;
	struct spf_question q;

	p->query = NULL;
	/* The same question again: it was not answered yet. */
	if (spf_step(p->check, &q) != SPF_ASK)
		return;
	dns_answer_spf(p->check, &q, a);
	step(p);
}

static void
forbid(struct permit_item *p, const struct spf_verdict *v)
{
	struct buf ip = BUF_INIT(128);
	char why[300];

	spf_address_put(&p->addrs[p->addr], &ip);
	snprintf(why, sizeof(why),
	    "the SPF record of %s does not allow its address %s (%s)",
	    p->domain, buf_c(&ip), spf_result_str(v->result));
	buf_done(&ip);
	finish(p, PERMIT_NO, why);
}

/* This address is judged: the next one, or the answer. */
static void
judge(struct permit_item *p, const struct spf_verdict *v)
{
	switch (v->result) {
	case SPF_FAIL:
	case SPF_SOFTFAIL:
		forbid(p, v);
		return;
	case SPF_TEMPERROR:
		finish(p, PERMIT_UNKNOWN,
		    "the SPF record of the sender's domain could not be "
		    "looked up");
		return;
	case SPF_NONE:
	case SPF_NEUTRAL:
	case SPF_PASS:
	case SPF_PERMERROR:
		break;
	}
	spf_free(p->check);
	p->check = NULL;
	if (++p->addr == p->n_addrs)
		finish(p, PERMIT_YES, "");
	else
		step(p);
}

static void
begin_check(struct permit_item *p)
{
	struct spf_request request = {
		.client = p->addrs[p->addr],
		.identity = SPF_MAIL_FROM,
		.helo = str_c(p->ps->sv->conf->hostname),
		.mail_from = str_c(p->sender),
		.receiver = str_c(p->ps->sv->conf->hostname),
		.now = loop_time(p->ps->sv->loop),
	};

	p->check = spf_start(&request);
}

static void
step(struct permit_item *p)
{
	struct spf_question q;
	struct buf name = BUF_INIT(KIB(2));

	if (p->check == NULL)
		begin_check(p);
	if (spf_step(p->check, &q) == SPF_DONE) {
		judge(p, spf_verdict(p->check));
		return;
	}
	spf_question_put_name(&q, &name);
	p->query = resolver_ask(p->ps->sv->resolver, buf_c(&name),
	    dns_type_of_spf(q.type), on_answer, p);
	buf_done(&name);
}

/* --- the addresses that it would come from --------------------------------------------- */

static void
add_address(struct permit_item *p, struct str text)
{
	if (p->n_addrs < ADDRS_MAX &&
	    spf_address_parse(text, &p->addrs[p->n_addrs]))
		p->n_addrs++;
}

static void next_target(struct permit_item *p);

static void
take_addresses(
    struct permit_item *p, enum dns_type type, const struct dns_answer *a)
{
	struct sockaddr_storage addr;
	char ip[INET6_ADDRSTRLEN];

	p->has_trouble |= a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS;
	for (size_t i = 0; i < a->n; i++)
		if (dns_read_address(type, a->data[i], 1, &addr)) {
			connect_ip(&addr, ip);
			add_address(p, str_c(ip));
		}
	if (p->query4 == NULL && p->query6 == NULL)
		next_target(p);
}

static void
on_a(void *arg, const struct dns_answer *a)
{
	struct permit_item *p = arg;

	p->query4 = NULL;
	take_addresses(p, DNS_A, a);
}

static void
on_aaaa(void *arg, const struct dns_answer *a)
{
	struct permit_item *p = arg;

	p->query6 = NULL;
	take_addresses(p, DNS_AAAA, a);
}

static void
ask_spf(struct permit_item *p)
{
	if (p->n_addrs > 0)
		step(p);
	else
		finish(p, PERMIT_UNKNOWN,
		    "the address of the fall-back could not be looked up");
}

static void
next_target(struct permit_item *p)
{
	while (p->target < p->n_targets) {
		struct str host = p->targets[p->target++].host;
		size_t before = p->n_addrs;
		char name[MX_NAME_MAX + 1];

		add_address(p, host);
		if (p->n_addrs > before ||
		    !idn_to_ascii(host, name, sizeof(name)))
			continue;
		p->query6 = resolver_ask(
		    p->ps->sv->resolver, name, DNS_AAAA, on_aaaa, p);
		p->query4 =
		    resolver_ask(p->ps->sv->resolver, name, DNS_A, on_a, p);
		return;
	}
	if (p->has_trouble)
		finish(p, PERMIT_UNKNOWN,
		    "the address of the fall-back could not be looked up");
	else
		ask_spf(p);
}

static void
take_targets(struct permit_item *p, const struct route_way *w)
{
	struct buf names = BUF_INIT(KIB(4));
	size_t at = 0;

	for (size_t i = 0; i < w->n_targets; i++)
		buf_put_str(&names, w->targets[i].host);
	p->names = str_dup(buf_str(&names));
	for (size_t i = 0; i < w->n_targets; i++) {
		size_t n = w->targets[i].host.n;

		p->targets[i].host = str_make(p->names + at, n);
		at += n;
	}
	p->n_targets = w->n_targets;
	p->target = p->addr = p->n_addrs = 0;
	p->has_trouble = false;
	if (w->kind == ROUTE_DIRECT) {
		add_address(p, w->source4);
		add_address(p, w->source6);
	}
	buf_done(&names);
}

/* --- DKIM -------------------------------------------------------------------------------- */

/* Of the keys themselves nothing is looked at here. */
static void
on_keys(void *arg, struct ipc_msg *m)
{
	struct permit_item *p = arg;

	struct msg_list_reply reply = { 0 };

	p->is_asking = false;
	if (p->answer != PERMIT_PENDING)
		return; /* its time is over */
	if (m->outcome == DONE && msg_list_reply_get(m->body, &reply) &&
	    reply.items.n > 0)
		finish(p, PERMIT_YES, "");
	else
		next_target(p);
}

static void
search(struct permit_item *p, const struct route_way *w)
{
	struct server *sv = p->ps->sv;
	struct msg_dkim_keys_get get = { .domain = str_c(p->domain) };
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_DKIM_KEYS_GET, .fd = -1
	};
	struct buf body = BUF_INIT(KIB(4));

	p->answer = PERMIT_PENDING;
	take_targets(p, w);
	loop_timer_set(p->timer, LIMIT_MS);
	if (p->is_asking)
		return;
	p->is_asking = true;
	msg_dkim_keys_get_put(&body, &get);
	req.body = buf_str(&body);
	runtime_request(sv->rt, &req, on_keys, p);
	buf_done(&body);
}

/* --- asking --------------------------------------------------------------------------------- */

static void
put_key(struct buf *key, const struct route_way *w, struct str sender)
{
	buf_printf(key, "%.*s ", STR_ARG(sender));
	route_way_put(w, key);
}

static struct permit_item *
make(struct permits *ps, struct str key, struct str sender)
{
	struct permit_item *p = X_NEW(struct permit_item);
	char ascii[MX_NAME_MAX + 1];
	struct str domain = address_domain(sender);
	struct str local = str_first(sender, sender.n - domain.n);

	if (!idn_to_ascii(domain, ascii, sizeof(ascii)))
		ascii[0] = '\0';
	p->ps = ps;
	p->key = str_copy(key);
	p->domain = x_strdup(ascii);
	p->sender = x_asprintf("%.*s%s", STR_ARG(local), ascii);
	p->timer = loop_timer_new(ps->sv->loop, on_time, p);
	TAILQ_INIT(&p->waiting);
	table_add(&ps->table, &p->item, p->key);
	return p;
}

static bool
is_old(const struct permit_item *p, uint64_t now)
{
	return p->answer != PERMIT_PENDING && !p->is_asking &&
	       TAILQ_EMPTY(&p->waiting) && p->until_ms + KEPT_MS < now;
}

/* Room for another one. */
static void
sweep(struct permits *ps)
{
	uint64_t now = loop_now_ms(ps->sv->loop);

	for (size_t i = 0; i < ps->table.cap; i++)
		for (struct table_item *t = ps->table.slots[i]; t != NULL;) {
			struct permit_item *p =
			    CONTAINER_OF(t, struct permit_item, item);

			t = t->next;
			if (!is_old(p, now))
				continue;
			table_remove(&ps->table, &p->item);
			loop_timer_free(p->timer);
			str_free(&p->key);
			free(p->domain);
			free(p->sender);
			free(p);
		}
}

static struct permit_item *
get(struct permits *ps, const struct route_way *w, struct str sender)
{
	struct buf key = BUF_INIT(KIB(8));
	struct table_item *t;
	struct permit_item *p = NULL;

	put_key(&key, w, sender);
	t = table_find(&ps->table, buf_str(&key));
	if (t != NULL)
		p = CONTAINER_OF(t, struct permit_item, item);
	if (p == NULL && ps->table.n >= PERMITS_MAX)
		sweep(ps);
	if (p == NULL && ps->table.n < PERMITS_MAX)
		p = make(ps, buf_str(&key), sender);
	buf_done(&key);
	return p;
}

/* Nothing speaks against it, or nothing can be asked. */
static bool
is_free(const struct route_way *w, struct str sender)
{
	return w->ignores_spf || sender.n == 0 || w->kind == ROUTE_HOLD ||
	       (w->kind == ROUTE_DIRECT && w->source4.n + w->source6.n == 0);
}

enum permit
permits_ask(struct permits *ps, const struct permit_question *q, struct mail *m,
    const char **ret_why)
{
	const struct route_way *w = q->way;
	struct str sender = q->sender;
	struct permit_item *p;

	if (is_free(w, sender))
		return PERMIT_YES;
	p = get(ps, w, sender);
	*ret_why = "too many senders have to be looked up at the moment";
	if (p == NULL)
		return PERMIT_UNKNOWN;
	if (p->answer != PERMIT_PENDING &&
	    p->until_ms <= loop_now_ms(ps->sv->loop))
		search(p, w);
	*ret_why = p->why;
	if (p->answer == PERMIT_PENDING && m != NULL)
		TAILQ_INSERT_TAIL(&p->waiting, m, link);
	return p->answer;
}

void
permits_stop(struct permits *ps)
{
	for (size_t i = 0; i < ps->table.cap; i++)
		for (struct table_item *t = ps->table.slots[i]; t != NULL;
		     t = t->next) {
			struct permit_item *p =
			    CONTAINER_OF(t, struct permit_item, item);
			struct mail *m;

			while ((m = TAILQ_FIRST(&p->waiting)) != NULL) {
				TAILQ_REMOVE(&p->waiting, m, link);
				settle_release(ps->sv, m);
			}
		}
}

struct permits *
permits_new(struct server *sv)
{
	struct permits *ps = X_NEW(struct permits);

	ps->sv = sv;
	table_init(&ps->table);
	return ps;
}

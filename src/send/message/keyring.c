/* SPDX-License-Identifier: ISC */
/* keyring.c - the keys that sign the mail of our domains. See keyring.h. */
#include "send/message/keyring.h"

#include "base/log.h"
#include "net/idn.h"
#include "send/server.h"

/* If word of a change was lost. */
#define KNOWN_MS 60000
/* Domains that are remembered, ours and others'. */
#define DOMAINS_MAX 10000

TAILQ_HEAD(waits, keyring_wait);

/* What is known of a domain. */
struct known {
	struct table_item item;
	TAILQ_ENTRY(known) link; /* the longest not asked for first */
	struct keyring *ring;
	struct waits waits;
	struct keyset *set; /* a reference; NULL: nothing is known */
	uint64_t until_ms;
	bool is_asking;
	bool is_outrun; /* the keys changed while the store was asked */
	char name[];
};

struct keyring {
	struct server *sv;
	struct table table;
	TAILQ_HEAD(, known) all;
};

struct keyset *
keyset_ref(struct keyset *k)
{
	k->refs++;
	return k;
}

void
keyset_unref(struct keyset *k)
{
	if (k == NULL || --k->refs > 0)
		return;
	for (size_t i = 0; i < k->n; i++) {
		/* Ours to give back, whatever the signer calls it. */
		crypt_key_free((struct crypt_key *)(uintptr_t)k->keys[i].key);
		free((void *)(uintptr_t)k->keys[i].selector.p);
	}
	free(k->domain);
	free(k);
}

static void
drop_set(struct known *n)
{
	if (n->set != NULL)
		n->set->is_stale = true;
	keyset_unref(TAKE_PTR(n->set));
}

static void
forget(struct known *n)
{
	drop_set(n);
	TAILQ_REMOVE(&n->ring->all, n, link);
	table_remove(&n->ring->table, &n->item);
	free(n);
}

/* Those nobody asked for in the longest time give their place. */
static void
make_room(struct keyring *k)
{
	struct known *n = TAILQ_FIRST(&k->all), *next;

	for (; n != NULL && k->table.n >= DOMAINS_MAX; n = next) {
		next = TAILQ_NEXT(n, link);
		if (!n->is_asking)
			forget(n);
	}
}

static struct known *
get(struct keyring *k, struct str name)
{
	struct table_item *item = table_find(&k->table, name);
	struct known *n;

	if (item != NULL) {
		n = CONTAINER_OF(item, struct known, item);
		TAILQ_REMOVE(&k->all, n, link);
	} else {
		make_room(k);
		n = x_zalloc(sizeof(*n) + name.n);
		memcpy(n->name, name.p, name.n);
		n->ring = k;
		TAILQ_INIT(&n->waits);
		table_add(&k->table, &n->item, str_make(n->name, name.n));
	}
	TAILQ_INSERT_TAIL(&k->all, n, link);
	return n;
}

/* --- the store's answer ------------------------------------------------------------- */

static void
add_key(struct keyset *set, struct str domain, const struct msg_dkim_key *m)
{
	struct dkim_sign_key *to = &set->keys[set->n];
	struct crypt_key *key = crypt_key_from_pem(m->pem);

	if (key == NULL || set->n == ARRAY_LEN(set->keys)) {
		log_event(EV_SEND_KEY_BAD, LS("domain", domain),
		    LS("selector", m->selector));
		crypt_key_free(key);
		return;
	}
	to->selector = str_copy(m->selector);
	to->key = key;
	set->n++;
}

/* NULL: there are keys, and none of them is of use. */
static struct keyset *
read_keys(struct known *n, struct str items)
{
	struct keyset *set = X_NEW(struct keyset);
	struct wire w = wire_read(items);
	char name[IDN_NAME_MAX + 1];
	bool has_any = items.n > 0;
	struct msg_dkim_key key;

	set->refs = 1;
	if (has_any && idn_to_ascii(n->item.key, name, sizeof(name))) {
		set->domain = x_strdup(name);
		while (w.in.n > 0 && msg_dkim_key_read(&w, &key))
			add_key(set, n->item.key, &key);
	}
	if (has_any && set->n == 0)
		keyset_unref(TAKE_PTR(set));
	return set;
}

static enum outcome
take_answer(struct known *n, const struct ipc_msg *m)
{
	struct msg_list_reply reply = { 0 };

	switch (m->outcome) {
	case DONE:
		if (!msg_list_reply_get(m->body, &reply))
			return TEMPFAIL;
		break;
	case NOT_FOUND:
		break;
	case TEMPFAIL:
	case PERMFAIL:
		return TEMPFAIL;
	}
	n->set = read_keys(n, reply.items);
	n->until_ms = loop_now_ms(n->ring->sv->loop) + KNOWN_MS;
	return n->set != NULL ? DONE : PERMFAIL;
}

static void ask_store(struct known *n);

static void
on_keys(void *arg, struct ipc_msg *m)
{
	struct known *n = arg;
	struct waits waits = TAILQ_HEAD_INITIALIZER(waits);
	struct keyring_wait *w;
	enum outcome outcome;

	if (n->is_outrun && m->outcome != TEMPFAIL) {
		ask_store(n);
		return;
	}
	n->is_asking = false;
	outcome = take_answer(n, m);
	TAILQ_CONCAT(&waits, &n->waits, link);
	/* Another one of them may ask for so much that this one goes. */
	if (n->set != NULL)
		keyset_ref(n->set);
	for (struct keyset *set = n->set;;) {
		w = TAILQ_FIRST(&waits);
		if (w == NULL) {
			keyset_unref(set);
			break;
		}
		TAILQ_REMOVE(&waits, w, link);
		w->fn(w, outcome, set != NULL ? keyset_ref(set) : NULL);
	}
}

static void
ask_store(struct known *n)
{
	struct msg_dkim_keys_get m = { .domain = n->item.key };
	struct buf body = BUF_INIT(KIB(1));
	struct ipc_peer_request req = {
		.to = ROLE_STORE, .type = MSG_DKIM_KEYS_GET, .fd = -1
	};

	n->is_asking = true;
	n->is_outrun = false;
	msg_dkim_keys_get_put(&body, &m);
	req.body = buf_str(&body);
	runtime_request(n->ring->sv->rt, &req, on_keys, n);
	buf_done(&body);
}

/* --- for others ---------------------------------------------------------------------- */

void
keyring_ask(struct keyring *k, struct str domain, struct keyring_wait *w)
{
	char lower[IDN_NAME_MAX];
	struct known *n;

	/* No domain of ours has such a name. */
	if (domain.n == 0 || domain.n > sizeof(lower)) {
		struct keyset *none = X_NEW(struct keyset);

		none->refs = 1;
		w->fn(w, DONE, none);
		return;
	}
	for (size_t i = 0; i < domain.n; i++)
		lower[i] = ascii_lower(domain.p[i]);
	n = get(k, str_make(lower, domain.n));
	if (n->set != NULL && loop_now_ms(k->sv->loop) < n->until_ms) {
		w->fn(w, DONE, keyset_ref(n->set));
		return;
	}
	TAILQ_INSERT_TAIL(&n->waits, w, link);
	if (n->is_asking)
		return;
	drop_set(n);
	ask_store(n);
}

void
keyring_forget(struct keyring *k, struct str domain)
{
	struct known *n, *next;

	/* Whatever script it is written in: few change, many may be known. */
	for (n = TAILQ_FIRST(&k->all); n != NULL; n = next) {
		next = TAILQ_NEXT(n, link);
		if (domain.n > 0 && str_is_ascii(n->item.key) &&
		    !str_eq(n->item.key, domain) &&
		    str_search(n->item.key, STR("xn--")) < 0)
			continue;
		if (n->is_asking)
			n->is_outrun = true;
		else
			forget(n);
	}
}

struct keyring *
keyring_new(struct server *sv)
{
	struct keyring *k = X_NEW(struct keyring);

	k->sv = sv;
	table_init(&k->table);
	TAILQ_INIT(&k->all);
	return k;
}

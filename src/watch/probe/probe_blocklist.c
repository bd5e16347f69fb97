/* SPDX-License-Identifier: ISC */
/*
 * probe_blocklist.c - is an address or a domain on a block list (RFC 5782)?
 *
 * A list that has died lists nobody or everybody: so each is asked for its two
 * test entries too (section 5), of which the one must be listed and the other must
 * not. A list that fails that, or answers 127.255.255.x (we ask too much, or
 * may not ask), says nothing.
 */
#include "watch/probe/probe_internal.h"

#include <arpa/inet.h>

#define LISTS_MAX 16

enum question { SUBJECT, LISTED, UNLISTED, QUESTIONS };

struct entry {
	struct probe *p;
	size_t list;
	enum question question;
	struct resolver_query *query;
	enum dns_status status;
	uint8_t code; /* of 127.0.0.code */
	bool is_odd;  /* an answer that is no entry */
};

struct state {
	struct entry entries[LISTS_MAX][QUESTIONS];
	size_t n_lists, n_open;
};

/* --- names to ask for ----------------------------------------------------------- */

static void
put_reverse4(char *to, size_t max, const uint8_t *a)
{
	(void)snprintf(to, max, "%u.%u.%u.%u", a[3], a[2], a[1], a[0]);
}

static void
put_reverse6(char *to, size_t max, const uint8_t *a)
{
	size_t n = 0;

	for (int i = 15; i >= 0 && n + 4 < max; i--)
		n += (size_t)snprintf(to + n, max - n, "%x.%x%s", a[i] & 15,
		    a[i] >> 4, i > 0 ? "." : "");
}

static void
put_label(const struct probe *p, enum question q, char *to, size_t max)
{
	uint8_t a4[4] = { 127, 0, 0, q == LISTED ? 2 : 1 };
	uint8_t a6[16] = {
		[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = q == LISTED ? 2 : 1
	};
	char host[DNS_NAME_MAX + 1];
	uint8_t bytes[16];

	(void)snprintf(host, sizeof(host), "%.*s", STR_ARG(p->target.host));
	if (inet_pton(AF_INET, host, bytes) == 1)
		put_reverse4(to, max, q == SUBJECT ? bytes : a4);
	else if (inet_pton(AF_INET6, host, bytes) == 1)
		put_reverse6(to, max, q == SUBJECT ? bytes : a6);
	else
		(void)snprintf(to, max, "%s",
		    q == SUBJECT  ? host
		    : q == LISTED ? "TEST"
				  : "INVALID");
}

/* --- answers ----------------------------------------------------------------------- */

static bool
is_listed(const struct entry *e)
{
	return e->status == DNS_FOUND && !e->is_odd;
}

static bool
is_alive(const struct entry *list)
{
	return is_listed(&list[LISTED]) && !is_listed(&list[UNLISTED]) &&
	       list[UNLISTED].status != DNS_TEMPFAIL &&
	       list[SUBJECT].status != DNS_TEMPFAIL &&
	       list[SUBJECT].status != DNS_BOGUS && !list[SUBJECT].is_odd;
}

static void
judge(struct probe *p)
{
	struct state *s = p->state;
	size_t alive = 0, hits = 0;
	struct buf text = BUF_INIT(KIB(8));

	probe_mark(p, "answers");
	for (size_t i = 0; i < s->n_lists; i++) {
		const struct entry *list = s->entries[i];
		struct str name =
		    status_check_text(p->check, STATUS_OPT_LIST, i);

		if (!is_alive(list)) {
			char line[DNS_NAME_MAX + 40];

			(void)snprintf(line, sizeof(line),
			    "%.*s does not work as a block list now",
			    STR_ARG(name));
			probe_tell(p, '*', str_c(line));
			continue;
		}
		alive++;
		if (is_listed(&list[SUBJECT])) {
			buf_printf(&text, "%s%.*s (127.0.0.%u)",
			    hits > 0 ? ", " : "", STR_ARG(name),
			    list[SUBJECT].code);
			hits++;
		}
	}
	if (hits > 0)
		probe_fail(p, WATCH_LISTED, "listed by %s", buf_c(&text));
	else if (alive == 0)
		probe_unclear(p, "no list works: it cannot be told");
	else
		probe_ok(p, "not listed by %zu list%s%s", alive, str_s(alive),
		    alive < s->n_lists ? "; others do not work" : "");
	buf_done(&text);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct entry *e = arg;
	struct state *s = e->p->state;

	e->query = NULL;
	e->status = a->status;
	if (a->status == DNS_FOUND && a->data[0].n == 4) {
		const uint8_t *v = (const uint8_t *)a->data[0].p;

		e->is_odd = v[0] != 127 || (v[1] == 255 && v[2] == 255);
		e->code = v[3];
	}
	if (--s->n_open == 0)
		judge(e->p);
}

static void
start(struct probe *p)
{
	struct state *s = p->state;
	char label[DNS_NAME_MAX + 1], name[2 * DNS_NAME_MAX + 2];

	s->n_lists =
	    MIN(status_check_count(p->check, STATUS_OPT_LIST), LISTS_MAX);
	s->n_open = s->n_lists * QUESTIONS;
	for (size_t i = 0; i < s->n_lists * QUESTIONS; i++) {
		struct entry *e = &s->entries[i / QUESTIONS][i % QUESTIONS];
		struct str list =
		    status_check_text(p->check, STATUS_OPT_LIST, i / QUESTIONS);

		e->p = p;
		e->list = i / QUESTIONS;
		e->question = (enum question)(i % QUESTIONS);
		put_label(p, e->question, label, sizeof(label));
		(void)snprintf(
		    name, sizeof(name), "%s.%.*s", label, STR_ARG(list));
		probe_tell(p, '>', str_c(name));
		e->query =
		    resolver_ask(p->sv->resolver, name, DNS_A, on_answer, e);
	}
}

static void
stop(struct probe *p)
{
	struct state *s = p->state;

	for (size_t i = 0; i < s->n_lists * QUESTIONS; i++) {
		struct entry *e = &s->entries[i / QUESTIONS][i % QUESTIONS];

		if (e->query != NULL)
			resolver_cancel(TAKE_PTR(e->query));
	}
}

const struct probe_kind probe_blocklist = {
	.state_size = sizeof(struct state),
	.start = start,
	.stop = stop,
};

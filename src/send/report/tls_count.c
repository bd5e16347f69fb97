/* SPDX-License-Identifier: ISC */
/* tls_count.c - count sessions for reports. See tls_count.h. */
#include "send/report/tls_count.h"

#include "base/hostname.h"
#include "base/secret.h"
#include "proto/tlsrpt/tlsrpt_record.h"
#include "send/server.h"
#include "send/dns/txt.h"

#define FLUSH_MS    60000U
#define DOMAINS_MAX 20000 /* in memory; more are not counted */
#define KEY_MAX     (TLSRPT_KEY_DOMAIN_MAX + 64)
/* A report that could not be sent for so long is dropped. */
#define KEEP_S (3 * 86400)

enum wish {
	UNASKED, /* or nobody could tell */
	ASKING,
	WANTED,
	UNWANTED,
};

/* A domain in a period. */
struct counted {
	struct table_item item;
	struct tls_count *c;
	uint64_t begin;
	enum wish wish;
	struct resolver_query *query;
	struct tlsrpt_tally *tally; /* NULL: UNWANTED */
	bool is_dirty;
	struct str domain; /* points into key */
	char key[KEY_MAX];
};

struct tls_count {
	struct server *sv;
	struct table table;
	uint64_t process;
	struct loop_timer *timer;
	bool has_failed; /* a put: everything is to be written again */
};

uint64_t
tls_count_delay_ms(const struct server *sv)
{
	uint64_t tenth = sv->conf->report_interval_s * 100ULL;

	return MAX(MIN(FLUSH_MS, tenth), 100);
}

static void
free_counted(struct counted *d)
{
	table_remove(&d->c->table, &d->item);
	if (d->query != NULL)
		resolver_cancel(d->query);
	tlsrpt_tally_free(d->tally);
	free(d);
}

/* --- does the domain want reports? ------------------------------------------------ */

static void
on_record(void *arg, const struct dns_answer *a)
{
	struct counted *d = arg;
	struct txt_set set;
	struct str rua;

	d->query = NULL;
	d->wish = UNASKED;
	if (a->status == DNS_TEMPFAIL || a->status == DNS_BOGUS)
		return;
	txt_set_init(&set, a);
	if (tlsrpt_find_record(set.v, set.n, &rua) == TLSRPT_FOUND) {
		d->wish = WANTED;
	} else {
		d->wish = UNWANTED;
		d->tally = tlsrpt_tally_free(d->tally);
	}
	txt_set_done(&set);
}

static void
ask(struct counted *d)
{
	char name[KEY_MAX];

	snprintf(name, sizeof(name), "_smtp._tls.%.*s", STR_ARG(d->domain));
	d->wish = ASKING;
	d->query =
	    resolver_ask(d->c->sv->resolver, name, DNS_TXT, on_record, d);
}

/* --- counting ------------------------------------------------------------------------ */

static struct counted *
find(struct tls_count *c, struct str domain)
{
	uint64_t now = loop_time(c->sv->loop);
	struct tlsrpt_key key = { .domain = domain, .process = c->process };
	struct buf text = BUF_INIT(KEY_MAX);
	struct table_item *item;
	struct counted *d = NULL;

	key.begin = now - now % c->sv->conf->report_interval_s;
	tlsrpt_key_put(&key, &text);
	item = table_find(&c->table, buf_str(&text));
	if (item != NULL) {
		d = CONTAINER_OF(item, struct counted, item);
	} else if (c->table.n < DOMAINS_MAX) {
		ptrdiff_t at = str_find(buf_str(&text), '/');

		d = X_NEW(struct counted);
		d->c = c;
		d->begin = key.begin;
		d->tally = tlsrpt_tally_new();
		snprintf(d->key, sizeof(d->key), "%s", buf_c(&text));
		d->domain = str_make(d->key + at + 1, domain.n);
		table_add(&c->table, &d->item, str_c(d->key));
		ask(d);
	}
	buf_done(&text);
	return d;
}

void
tls_count_add(struct tls_count *c, struct str domain,
    const struct tlsrpt_session *session)
{
	struct counted *d;

	if (!c->sv->conf->report_tls || domain.n == 0 ||
	    domain.n > TLSRPT_KEY_DOMAIN_MAX || !hostname_is_valid(domain))
		return;
	d = find(c, domain);
	if (d == NULL || d->tally == NULL)
		return;
	tlsrpt_tally_add(d->tally, session);
	d->is_dirty = true;
}

/* --- writing ------------------------------------------------------------------------- */

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct tls_count *c = arg;

	c->has_failed |= m->outcome != DONE;
}

static void
put(struct tls_count *c, struct buf *rows)
{
	if (rows->n > 0)
		ledger_put(c->sv->rt, LEDGER_TLSRPT, buf_str(rows), on_put, c);
	buf_reset(rows, MIB(1));
}

static void
write_row(struct counted *d, struct buf *rows)
{
	struct buf value = BUF_INIT(TLSRPT_TALLY_BYTES);
	struct msg_ledger_row row = { .key = str_c(d->key),
		.until =
		    d->begin + d->c->sv->conf->report_interval_s + KEEP_S };

	tlsrpt_tally_encode(d->tally, &value);
	row.value = buf_str(&value);
	if (!value.failed)
		msg_ledger_row_put(rows, &row);
	buf_done(&value);
	d->is_dirty = false;
}

static bool
is_over(const struct counted *d)
{
	return d->begin + d->c->sv->conf->report_interval_s <=
	       loop_time(d->c->sv->loop);
}

static void
visit(struct counted *d, struct buf *rows)
{
	if (d->c->has_failed && d->wish == WANTED)
		d->is_dirty = true;
	if (d->wish == UNASKED)
		ask(d);
	else if (d->wish == WANTED && d->is_dirty)
		write_row(d, rows);
	else if (d->wish != ASKING && is_over(d))
		free_counted(d);
	if (rows->n > LEDGER_PUT_MAX - TLSRPT_TALLY_BYTES - KIB(1))
		put(d->c, rows);
}

void
tls_count_flush(struct tls_count *c)
{
	struct buf rows = BUF_INIT(MIB(1));

	for (size_t i = 0; i < c->table.cap; i++)
		for (struct table_item *t = c->table.slots[i]; t != NULL;) {
			struct counted *d =
			    CONTAINER_OF(t, struct counted, item);

			t = t->next;
			visit(d, &rows);
		}
	c->has_failed = false;
	put(c, &rows);
	buf_done(&rows);
}

static void
on_time(void *arg)
{
	struct tls_count *c = arg;

	tls_count_flush(c);
	loop_timer_set(c->timer, tls_count_delay_ms(c->sv));
}

struct tls_count *
tls_count_new(struct server *sv)
{
	struct tls_count *c = X_NEW(struct tls_count);

	c->sv = sv;
	secret_random(&c->process, sizeof(c->process));
	table_init(&c->table);
	c->timer = loop_timer_new(sv->loop, on_time, c);
	loop_timer_set(c->timer, tls_count_delay_ms(sv));
	return c;
}

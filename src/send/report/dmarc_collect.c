/* SPDX-License-Identifier: ISC */
/* dmarc_collect.c - rows of one report. See dmarc_collect.h. */
#include "send/report/dmarc_collect.h"

#define ARENA_MAX MIB(64)

struct item {
	struct str identity; /* of the value: what makes rows equal */
	struct dmarc_report_row row;
	struct dmarc_published published;
};

struct dmarc_collection {
	struct arena arena;
	struct item **items;
	struct str *keys;
	size_t n, n_keys;
	uint64_t messages;
};

struct dmarc_collection *
dmarc_collection_new(void)
{
	struct dmarc_collection *c = X_NEW(struct dmarc_collection);

	arena_init(&c->arena, ARENA_MAX);
	c->items = x_calloc(DMARC_COLLECT_ROWS_MAX, sizeof(*c->items));
	c->keys = x_calloc(DMARC_COLLECT_ROWS_MAX, sizeof(*c->keys));
	return c;
}

void
dmarc_collection_free(struct dmarc_collection *c)
{
	if (c == NULL)
		return;
	arena_done(&c->arena);
	free(c->items);
	free(c->keys);
	free(c);
}

bool
dmarc_collection_add(
    struct dmarc_collection *c, struct str key, struct str value)
{
	struct item *item;

	if (c->n_keys == DMARC_COLLECT_ROWS_MAX ||
	    !arena_str(&c->arena, key, &c->keys[c->n_keys]))
		return false;
	c->n_keys++;
	item = ARENA_NEW(&c->arena, struct item);
	if (item == NULL || !arena_str(&c->arena, value, &value) ||
	    !dmarc_row_get(value, &c->arena, &item->published, &item->row))
		return true;
	item->identity = dmarc_row_identity(value);
	c->items[c->n++] = item;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct item *x = *(const struct item *const *)a;
	const struct item *y = *(const struct item *const *)b;
	int r = str_cmp(x->row.source_ip, y->row.source_ip);

	return r != 0 ? r : str_cmp(x->identity, y->identity);
}

void
dmarc_collection_finish(struct dmarc_collection *c)
{
	size_t n = 0;

	if (c->n == 0)
		return;
	qsort(c->items, c->n, sizeof(*c->items), compare);
	for (size_t i = 0; i < c->n; i++) {
		struct item *item = c->items[i];

		c->messages += item->row.count;
		if (n > 0 && str_eq(c->items[n - 1]->identity, item->identity))
			c->items[n - 1]->row.count += item->row.count;
		else
			c->items[n++] = item;
	}
	c->n = n;
}

const struct dmarc_published *
dmarc_collection_policy(const struct dmarc_collection *c)
{
	return c->n > 0 ? &c->items[0]->published : NULL;
}

uint64_t
dmarc_collection_messages(const struct dmarc_collection *c)
{
	return c->messages;
}

size_t
dmarc_collection_rows(const struct dmarc_collection *c)
{
	return c->n;
}

size_t
dmarc_collection_keys(const struct dmarc_collection *c)
{
	return c->n_keys;
}

struct str
dmarc_collection_key(const struct dmarc_collection *c, size_t i)
{
	return c->keys[i];
}

/* The tag fo from its bits: "0", "1:d". */
static void
put_failure(unsigned failure, struct buf *to)
{
	static const char letters[] = "01ds";

	for (unsigned i = 0; i < 4; i++)
		if (failure & 1U << i)
			buf_printf(
			    to, "%s%c", to->n > 0 ? ":" : "", letters[i]);
}

size_t
dmarc_collection_write(const struct dmarc_collection *c,
    const struct dmarc_report *meta, struct buf *to)
{
	const struct dmarc_published *p = dmarc_collection_policy(c);
	struct dmarc_report report = *meta;
	struct buf fo = BUF_INIT(16);
	size_t n = 0;

	put_failure(p->failure, &fo);
	report.domain = p->domain;
	report.adkim = p->adkim;
	report.aspf = p->aspf;
	report.p = p->p;
	report.sp = p->sp;
	report.pct = p->percent;
	report.fo = buf_str(&fo);
	dmarc_report_begin(&report, to);
	/* A row of the ledger is short; so is its XML. */
	while (n < c->n && to->n < DMARC_COLLECT_XML_MAX - KIB(64))
		dmarc_report_put_row(&c->items[n++]->row, to);
	dmarc_report_end(to);
	buf_done(&fo);
	return n;
}

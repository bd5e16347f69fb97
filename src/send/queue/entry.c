/* SPDX-License-Identifier: ISC */
/* entry.c - leased entries and the mails that carry them. See entry.h. */
#include "send/queue/entry.h"

#include "send/result/slate.h"

/* Bytes of names: of more hosts than a domain may have. */
#define UNFIT_MAX KIB(16)

uint64_t
entry_free_ms(const struct msg_queue_item *item)
{
	uint64_t accepted = MAX(item->arrival_ms, item->hold_until * 1000);

	return MAX(accepted, item->freed_ms);
}

struct entry *
entry_new(struct str encoded)
{
	struct entry *e = X_NEW(struct entry);
	struct wire w;

	e->slot = SLATE_NONE;
	e->bytes = x_malloc(MAX(encoded.n, 1));
	memcpy(e->bytes, encoded.p, encoded.n);
	w = wire_read(str_make(e->bytes, encoded.n));
	if (!msg_queue_item_read(&w, &e->item)) {
		entry_free(e);
		return NULL;
	}
	return e;
}

void
entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	free(e->bytes);
	free(e);
}

struct str
address_domain(struct str address)
{
	ptrdiff_t at = str_rfind(address, '@');

	return at < 0 ? STR_NONE : str_from(address, (size_t)at + 1);
}

struct mail *
mail_new(struct domain *d, uint64_t until_ms)
{
	struct mail *m = X_NEW(struct mail);

	m->domain = d;
	m->until_ms = until_ms;
	return m;
}

void
mail_add(struct mail *m, struct entry *e)
{
	m->entries = x_grow(m->entries, &m->cap, m->n + 1, sizeof(*m->entries));
	m->entries[m->n++] = e;
	m->open++;
}

bool
mail_fits(const struct mail *m, const struct entry *e)
{
	const struct msg_queue_item *a = mail_item(m), *b = &e->item;

	return a->message == b->message && a->prefix == b->prefix &&
	       str_eq(a->route, b->route) && a->is_local == b->is_local;
}

struct entry *
mail_take(struct mail *m, size_t i)
{
	struct entry *e = m->entries[i];

	ASSERT(i < m->n && e != NULL);
	m->entries[i] = NULL;
	m->open--;
	return e;
}

bool
mail_is_unfit(const struct mail *m, struct str host)
{
	struct str rest = buf_str(&m->unfit), name;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &name);
		if (str_eq_case(name, host))
			return true;
	}
	return false;
}

bool
mail_note_unfit(struct mail *m, struct str host)
{
	if (mail_is_unfit(m, host))
		return false;
	if (m->unfit.max == 0)
		m->unfit = BUF_INIT(UNFIT_MAX);
	buf_put_str(&m->unfit, host);
	buf_put_char(&m->unfit, '\n');
	return !m->unfit.failed;
}

void
mail_free(struct mail *m)
{
	ASSERT(m->open == 0 && m->reports == NULL);
	free(m->entries);
	free(m->via);
	buf_done(&m->unfit);
	free(m);
}

const struct msg_queue_item *
mail_item(const struct mail *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i] != NULL)
			return &m->entries[i]->item;
	die("send: a mail without open entries");
}

/* SPDX-License-Identifier: ISC */
/* posts.c - the index of public posts. See posts.h. */
#include "web/table/posts.h"

#include "base/hash.h"
#include "web/page/page.h"

struct counts {
	struct posts_count *v;
	size_t n, cap;
};

struct posts {
	struct server *sv;
	struct ledger_mirror *mirror;
	struct posts_entry *entries;
	size_t n, cap;
	struct counts tags, categories, months;
	size_t n_open;
	const struct status_affects **incidents; /* open ones, in entries */
	size_t n_incidents, incidents_cap;
	/* When the next post becomes public; 0: none waits. */
	uint64_t next_s;
	uint64_t version, digest, changed_at;
};

/* --- counting ------------------------------------------------------------------------ */

static void
count_word(struct counts *c, struct str word)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq_case(c->v[i].word, word)) {
			c->v[i].n++;
			return;
		}
	c->v = x_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
	c->v[c->n++] = (struct posts_count){ .word = word, .n = 1 };
}

/* Posts are in the order of their times. */
static void
count_month(struct counts *c, const struct posts_entry *e)
{
	struct posts_count *last = c->n > 0 ? &c->v[c->n - 1] : NULL;

	if (last != NULL && last->year == e->year && last->month == e->month) {
		last->n++;
		return;
	}
	c->v = x_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
	c->v[c->n++] =
	    (struct posts_count){ .year = e->year, .month = e->month, .n = 1 };
}

static int
by_name(const void *pa, const void *pb)
{
	const struct posts_count *a = pa, *b = pb;
	size_t n = MIN(a->word.n, b->word.n);

	for (size_t i = 0; i < n; i++) {
		int d = (unsigned char)ascii_lower(a->word.p[i]) -
		        (unsigned char)ascii_lower(b->word.p[i]);

		if (d != 0)
			return d;
	}
	return a->word.n < b->word.n ? -1 : a->word.n > b->word.n;
}

static void
count_open(struct posts *p, const struct status_post *post)
{
	if (!status_post_is_open(post))
		return;
	/* Planned work that has not begun is nothing to wait for. */
	p->n_open += post->state != STATUS_STATE_PLANNED;
	if (post->kind != STATUS_INCIDENT)
		return;
	p->incidents = x_grow(p->incidents, &p->incidents_cap,
	    p->n_incidents + 1, sizeof(struct status_affects *));
	p->incidents[p->n_incidents++] = &post->affects;
}

static void
count_all(struct posts *p)
{
	p->tags.n = p->categories.n = p->months.n = 0;
	p->n_open = p->n_incidents = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct status_post *post = &p->entries[i].post;

		for (size_t k = 0; k < post->n_tags; k++)
			count_word(&p->tags, post->tags[k]);
		for (size_t k = 0; k < post->n_categories; k++)
			count_word(&p->categories, post->categories[k]);
		count_month(&p->months, &p->entries[i]);
		count_open(p, post);
	}
	if (p->tags.n > 0)
		qsort(p->tags.v, p->tags.n, sizeof(*p->tags.v), by_name);
	if (p->categories.n > 0)
		qsort(p->categories.v, p->categories.n,
		    sizeof(*p->categories.v), by_name);
}

/* --- the index ------------------------------------------------------------------------ */

static int
newest_first(const void *pa, const void *pb)
{
	const struct posts_entry *a = pa, *b = pb;

	if (a->post.published_s != b->post.published_s)
		return a->post.published_s > b->post.published_s ? -1 : 1;
	return a->number > b->number ? -1 : a->number < b->number;
}

static void
take_post(struct posts *p, uint32_t number, size_t row, struct str value)
{
	uint64_t now = loop_time(p->sv->loop);
	struct posts_entry e = { .number = number, .row = row };

	if (!status_post_decode(value, &e.post))
		return;
	if (!status_post_is_public(&e.post, now)) {
		if (e.post.published_s > now)
			p->next_s = p->next_s == 0
			                ? e.post.published_s
			                : MIN(p->next_s, e.post.published_s);
		return;
	}
	status_month_of(e.post.published_s, &e.year, &e.month);
	p->entries = x_grow(p->entries, &p->cap, p->n + 1, sizeof(*p->entries));
	p->entries[p->n++] = e;
}

static uint64_t
digest_of(const struct posts *p)
{
	uint64_t h = p->n;

	for (size_t i = 0; i < p->n; i++) {
		const struct posts_entry *e = &p->entries[i];
		const uint64_t v[] = { e->number, e->n_updates,
			e->post.published_s, e->post.changed_s,
			e->post.edited_s };

		h = hash64_seed(v, sizeof(v), h);
	}
	return h;
}

static void
index_all(struct posts *p)
{
	uint64_t before;
	size_t rows = ledger_mirror_count(p->mirror, LEDGER_POST);

	p->n = 0;
	p->next_s = 0;
	for (size_t i = 0; i < rows; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(p->mirror, LEDGER_POST, i);
		uint32_t number, update;

		if (!status_post_key_parse(row.key, &number, &update))
			continue;
		if (update == 0)
			take_post(p, number, i, row.value);
		else if (p->n > 0 && p->entries[p->n - 1].number == number)
			p->entries[p->n - 1].n_updates++;
	}
	if (p->n > 0)
		qsort(p->entries, p->n, sizeof(*p->entries), newest_first);
	count_all(p);
	p->version++;
	before = p->digest;
	p->digest = digest_of(p);
	if (p->digest != before)
		p->changed_at = loop_time(p->sv->loop);
	server_changed(p->sv);
}

static void
on_changed(void *arg)
{
	index_all(arg);
}

/* --- life ------------------------------------------------------------------------------ */

struct posts *
posts_new(struct server *sv)
{
	static const enum ledger_table tables[] = { LEDGER_POST };
	struct posts *p = X_NEW(struct posts);

	p->sv = sv;
	p->mirror =
	    ledger_mirror_new(sv->rt, tables, ARRAY_LEN(tables), on_changed, p);
	return p;
}

void
posts_free(struct posts *p)
{
	if (p == NULL)
		return;
	ledger_mirror_stop(p->mirror);
	free(p->entries);
	free(p->incidents);
	free(p->tags.v);
	free(p->categories.v);
	free(p->months.v);
	free(p);
}

void
posts_load(struct posts *p)
{
	ledger_mirror_load(p->mirror);
}

bool
posts_changed(struct posts *p, struct str body)
{
	return ledger_mirror_changed(p->mirror, body);
}

void
posts_tick(struct posts *p)
{
	if (p->next_s != 0 && loop_time(p->sv->loop) >= p->next_s)
		index_all(p);
}

/* --- looking ---------------------------------------------------------------------------- */

uint64_t
posts_digest(const struct posts *p)
{
	return p->digest;
}

uint64_t
posts_version(const struct posts *p)
{
	return p->version;
}

uint64_t
posts_changed_at(const struct posts *p)
{
	return p->changed_at;
}

size_t
posts_count(const struct posts *p)
{
	return p->n;
}

const struct posts_entry *
posts_at(const struct posts *p, size_t i)
{
	ASSERT(i < p->n);
	return &p->entries[i];
}

const struct posts_entry *
posts_find(const struct posts *p, uint32_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].number == number)
			return &p->entries[i];
	return NULL;
}

const struct posts_entry *
posts_find_path(const struct posts *p, struct str path)
{
	const struct posts_entry *found = NULL;
	struct str end = str_from(path, (size_t)(str_rfind(path, '/') + 1));
	struct buf b = BUF_INIT(KIB(1));

	for (size_t i = 0; i < p->n && found == NULL; i++) {
		if (!str_ends(p->entries[i].post.slug, end))
			continue;
		buf_reset(&b, KIB(1));
		status_post_put_path(&p->entries[i].post, &b);
		if (str_eq(buf_str(&b), path))
			found = &p->entries[i];
	}
	buf_done(&b);
	return found;
}

bool
posts_update(const struct posts *p, const struct posts_entry *e, size_t i,
    struct status_update *ret)
{
	ASSERT(i < e->n_updates);
	return status_update_decode(
	    ledger_mirror_row(p->mirror, LEDGER_POST, e->row + 1 + i).value,
	    ret);
}

const struct status_affects *const *
posts_incidents(const struct posts *p, size_t *ret_n)
{
	*ret_n = p->n_incidents;
	return p->incidents;
}

size_t
posts_n_open(const struct posts *p)
{
	return p->n_open;
}

const struct status_post *
posts_next_update(const struct posts *p)
{
	const struct status_post *first = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct status_post *post = &p->entries[i].post;

		if (status_post_is_open(post) && post->next_update_s != 0 &&
		    (first == NULL ||
			post->next_update_s < first->next_update_s))
			first = post;
	}
	return first;
}

const struct posts_count *
posts_tags(const struct posts *p, size_t *ret_n)
{
	*ret_n = p->tags.n;
	return p->tags.v;
}

const struct posts_count *
posts_categories(const struct posts *p, size_t *ret_n)
{
	*ret_n = p->categories.n;
	return p->categories.v;
}

const struct posts_count *
posts_months(const struct posts *p, size_t *ret_n)
{
	*ret_n = p->months.n;
	return p->months.v;
}

void
posts_put_link(
    struct page *page, struct buf *to, const struct status_post *post)
{
	struct buf path = BUF_INIT(KIB(1));

	status_post_put_path(post, &path);
	HTML(to, "<a href=\"");
	html_text(to, buf_str(&path));
	if (page->is_asked)
		buf_printf(to, "?lang=%s", language_code(page->lang));
	HTML(to, "\">");
	html_text(to, post->title);
	HTML(to, "</a>");
	buf_done(&path);
}

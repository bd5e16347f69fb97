/* SPDX-License-Identifier: ISC */
/* cmd_post_list.c - mailstead post list|show|delete. */
#include "cli/post/cmd_post.h"
#include "cli/output/output.h"
#include "proto/status/status_date.h"
#include "proto/status/status_json.h"

/* --- list ------------------------------------------------------------------------- */

struct line {
	uint32_t number;
	struct buf row;
	struct status_post p;
};

struct list {
	const struct post_words *w;
	enum status_post_kind kind;
	struct line *lines;
	size_t n, cap;
};

static bool
is_wanted(const struct list *l, const struct status_post *p)
{
	const struct post_words *w = l->w;

	return (w->kind == NULL || p->kind == l->kind) &&
	       (w->tag == NULL || status_post_has_tag(p, str_c(w->tag))) &&
	       (!w->is_open || status_post_is_open(p));
}

/* A copy: the row is gone when this returns. */
static void
take_post(void *arg, uint32_t number, const struct status_post *p)
{
	struct list *l = arg;
	struct line *line;
	bool is_read;

	if (!is_wanted(l, p))
		return;
	l->lines = x_grow(l->lines, &l->cap, l->n + 1, sizeof(*l->lines));
	line = &l->lines[l->n++];
	*line = (struct line){ .number = number,
		.row = BUF_INIT(STATUS_POST_ROW_MAX) };
	status_post_encode(p, &line->row);
	is_read = status_post_decode(buf_str(&line->row), &line->p);
	ASSERT(is_read);
}

/* The latest first; a draft by when it was made. */
static uint64_t
order_of(const struct line *l)
{
	return l->p.published_s ? l->p.published_s : l->p.created_s;
}

static int
compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	uint64_t at_x = order_of(x), at_y = order_of(y);

	if (at_x != at_y)
		return at_x > at_y ? -1 : 1;
	return x->number > y->number ? -1 : 1;
}

static void
put_affects(struct buf *to, const struct status_affects *a, const char *between)
{
	for (size_t i = 0; i < a->n; i++)
		buf_printf(to, "%s%.*s=%s", i > 0 ? between : "",
		    STR_ARG(a->v[i].system),
		    status_impact_name(a->v[i].impact));
}

static void
print_lines(struct admin *a, const struct list *l, size_t max)
{
	static const struct output_field fields[] = {
		{ "number", "NUMBER", OUTPUT_COUNT },
		{ "kind", "KIND", OUTPUT_TEXT },
		{ "state", "STATE", OUTPUT_WORD },
		{ "published", "PUBLISHED", OUTPUT_TIME },
		{ "updates", "UPDATES", OUTPUT_COUNT },
		{ "affected", "AFFECTED", OUTPUT_LIST },
		{ "title", "TITLE", OUTPUT_TEXT },
	};
	struct output *o = output_new("posts", fields, ARRAY_LEN(fields));
	struct buf affects = BUF_INIT(KIB(4));

	output_spare(o, "updates affected");
	for (size_t i = 0; i < l->n && i < max; i++) {
		const struct status_post *p = &l->lines[i].p;

		buf_reset(&affects, KIB(4));
		put_affects(&affects, &p->affects, "\n");
		output_put_number(o, l->lines[i].number);
		output_put_text(o, str_c(status_post_kind_name(p->kind)));
		output_put_text(o, p->state == STATUS_STATE_NONE
				       ? STR_NONE
				       : str_c(status_state_name(p->state)));
		output_put_number(o, p->published_s);
		output_put_number(o, p->last_update);
		output_put_text(o, buf_str(&affects));
		output_put_text(o, p->title);
	}
	output_print(o, a->is_json);
	output_free(o);
	buf_done(&affects);
}

int
post_list(struct admin *a, struct post_words *w)
{
	struct list l = { .w = w };
	uint32_t max = UINT32_MAX;
	int r;

	if (w->args.n_words != 0)
		return admin_usage(a, NULL);
	if (w->kind != NULL && !status_post_kind_parse(str_c(w->kind), &l.kind))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no kind of post: incident, notice, maintenance "
		    "or post-mortem",
		    w->kind);
	if (w->limit != NULL && !str_to_u32(str_c(w->limit), UINT32_MAX, &max))
		return admin_usage(a, "--limit needs a number");
	r = post_rows_each(a, take_post, &l);
	if (r == ADMIN_OK && l.n > 1)
		qsort(l.lines, l.n, sizeof(*l.lines), compare);
	if (r == ADMIN_OK)
		print_lines(a, &l, max);
	for (size_t i = 0; i < l.n; i++)
		buf_done(&l.lines[i].row);
	free(l.lines);
	return r;
}

/* --- show ----------------------------------------------------------------------------- */

struct show {
	struct buf out;
	bool is_json;
	bool has_post;
	size_t updates;
};

static void
put_line(struct buf *to, const char *name, struct str value)
{
	if (value.n > 0)
		buf_printf(to, "%-13s %.*s\n", name, STR_ARG(value));
}

static void
put_time(struct buf *to, const char *name, uint64_t s)
{
	struct buf text = BUF_INIT(100);

	if (s > 0)
		status_date_put(&text, s);
	put_line(to, name, buf_str(&text));
	buf_done(&text);
}

static void
put_list(struct buf *to, const char *name, const struct str *v, size_t n)
{
	struct buf text = BUF_INIT(KIB(4));

	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%.*s", i > 0 ? ", " : "", STR_ARG(v[i]));
	put_line(to, name, buf_str(&text));
	buf_done(&text);
}

static void
put_body(struct buf *to, struct str body)
{
	if (body.n > 0)
		buf_printf(to, "\n%.*s\n", STR_ARG(body));
}

static void
show_post(struct buf *to, uint32_t number, const struct status_post *p)
{
	struct buf affects = BUF_INIT(KIB(4));

	put_affects(&affects, &p->affects, ", ");
	buf_printf(to, "Post          %u\n", number);
	put_line(to, "Title", p->title);
	put_line(to, "Kind", str_c(status_post_kind_name(p->kind)));
	if (p->state != STATUS_STATE_NONE)
		put_line(to, "State", str_c(status_state_name(p->state)));
	put_line(to, "Affected", buf_str(&affects));
	put_list(to, "Tags", p->tags, p->n_tags);
	put_list(to, "Categories", p->categories, p->n_categories);
	put_line(to, "Author", p->author);
	put_line(to, "Language", p->language);
	put_line(to, "Slug", p->slug);
	put_time(to, "Created", p->created_s);
	if (p->published_s == 0)
		put_line(to, "Published", STR("not yet: a draft"));
	put_time(to, "Published", p->published_s);
	put_time(to, "Edited", p->edited_s);
	put_time(to, "Resolved", p->resolved_s);
	put_time(to, "Next update", p->next_update_s);
	put_time(to, "From", p->from_s);
	put_time(to, "To", p->to_s);
	if (p->incident > 0)
		buf_printf(to, "Incident      %u\n", p->incident);
	put_body(to, p->body);
	buf_done(&affects);
}

static void
show_update(struct buf *to, uint32_t number, const struct status_update *u)
{
	struct buf affects = BUF_INIT(KIB(4));

	put_affects(&affects, &u->affects, ", ");
	buf_printf(to, "\nUpdate        %u\n", number);
	if (u->state != STATUS_STATE_NONE)
		put_line(to, "State", str_c(status_state_name(u->state)));
	put_line(to, "Affected", buf_str(&affects));
	put_line(to, "Author", u->author);
	put_time(to, "Created", u->created_s);
	put_time(to, "Edited", u->edited_s);
	put_time(to, "Next update", u->next_update_s);
	put_body(to, u->body);
	buf_done(&affects);
}

static void
take_row(void *arg, const struct msg_ledger_row *row)
{
	struct show *s = arg;
	struct status_update u;
	struct status_post p;
	uint32_t number, update;

	if (!status_post_key_parse(row->key, &number, &update))
		return;
	if (update == 0 && status_post_decode(row->value, &p)) {
		s->has_post = true;
		if (s->is_json)
			status_json_begin_post(&s->out, number, &p);
		else
			show_post(&s->out, number, &p);
	} else if (update > 0 && s->has_post &&
		   status_update_decode(row->value, &u)) {
		if (s->is_json)
			status_json_put_update(
			    &s->out, update, &u, s->updates == 0);
		else
			show_update(&s->out, update, &u);
		s->updates++;
	}
}

static void
print(struct show *s)
{
	struct buf json = BUF_INIT(MIB(128));

	if (s->is_json) {
		status_json_end_post(&s->out);
		buf_put_char(&s->out, '\n');
		output_escape_json(&json, buf_str(&s->out));
		output_write(buf_str(&json));
	} else {
		output_tame_lines(s->out.p, s->out.n);
		output_write(buf_str(&s->out));
	}
	buf_done(&json);
}

int
post_show(struct admin *a, struct post_words *w)
{
	struct show s = { .out = BUF_INIT(MIB(64)), .is_json = a->is_json };
	struct ledger_rows rows = { LEDGER_POST, STR_NONE, "post" };
	struct buf key = BUF_INIT(100);
	uint32_t number, update;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!post_number(a, w->args.words[0], &number, &update))
		return ADMIN_USAGE;
	status_post_put_key(&key, number, 0);
	/* With the slash: all rows of this post. */
	rows.prefix = str_first(buf_str(&key), key.n - 4);
	r = ledger_rows_each(a, &rows, take_row, &s);
	if (r == ADMIN_OK && !s.has_post)
		r = admin_error(
		    a, ADMIN_REFUSED, "post %u: it does not exist", number);
	if (r == ADMIN_OK)
		print(&s);
	buf_done(&key);
	buf_done(&s.out);
	return r;
}

/* --- delete ------------------------------------------------------------------------------ */

struct keys {
	size_t n;
	char v[STATUS_UPDATES_MAX + 2][STATUS_POST_KEY_LEN];
};

static void
take_key(void *arg, const struct msg_ledger_row *row)
{
	struct keys *k = arg;

	if (k->n < ARRAY_LEN(k->v) && row->key.n == STATUS_POST_KEY_LEN)
		memcpy(k->v[k->n++], row->key.p, STATUS_POST_KEY_LEN);
}

int
post_delete(struct admin *a, struct post_words *w)
{
	struct msg_ledger_row rows[STATUS_UPDATES_MAX + 2];
	struct ledger_rows range = { LEDGER_POST, STR_NONE, "post" };
	struct keys k = { 0 };
	struct buf key = BUF_INIT(100);
	uint32_t number, update;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!post_number(a, w->args.words[0], &number, &update))
		return ADMIN_USAGE;
	status_post_put_key(&key, number, update);
	range.prefix = str_first(buf_str(&key), update > 0 ? key.n : key.n - 4);
	r = ledger_rows_each(a, &range, take_key, &k);
	if (r == ADMIN_OK && k.n == 0)
		r = admin_error(a, ADMIN_REFUSED, "post %s: it does not exist",
		    w->args.words[0]);
	for (size_t i = 0; i < k.n; i++)
		rows[i] = (struct msg_ledger_row){
			.key = str_make(k.v[i], STATUS_POST_KEY_LEN),
			.is_gone = 1,
		};
	if (r == ADMIN_OK)
		r = ledger_rows_change(a,
		    &(struct ledger_change){ .table = LEDGER_POST,
			.rows = rows,
			.n = k.n,
			.what = "post.delete",
			.object = str_c(w->args.words[0]) },
		    "post", NULL);
	if (r == ADMIN_OK)
		r = admin_say(
		    a, "deleted", str_c(w->args.words[0]), "deleted post");
	buf_done(&key);
	return r;
}

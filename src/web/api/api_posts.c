/* SPDX-License-Identifier: ISC */
/* api_posts.c - posts of the API: list, show, add. See api.h. */
#include "web/api/api_posts.h"

/* --- list ------------------------------------------------------------------------ */

/* What the query asks for; false: 400 was answered. */
static bool
read_filter(struct api_call *c)
{
	struct buf kind = BUF_INIT(KIB(1)), open = BUF_INIT(KIB(1));
	bool is_kind = true, is_open = true;

	c->only.has_kind = api_query(c, "kind", &kind);
	if (c->only.has_kind)
		is_kind = status_post_kind_parse(buf_str(&kind), &c->only.kind);
	if (api_query(c, "open", &open)) {
		c->only.is_open = str_eq(buf_str(&open), STR("true"));
		is_open =
		    c->only.is_open || str_eq(buf_str(&open), STR("false"));
	}
	if (!api_query(c, "tag", &c->only.text))
		buf_reset(&c->only.text, 0);
	buf_done(&kind);
	buf_done(&open);
	if (!is_kind)
		api_fail_query(c, STR("kind"),
		    "something else than incident, notice, "
		    "maintenance or post-mortem");
	else if (!is_open)
		api_fail_query(
		    c, STR("open"), "something else than true or false");
	return is_kind && is_open;
}

static bool
is_wanted(const struct api_call *c, const struct status_post *p)
{
	return (!c->only.has_kind || p->kind == c->only.kind) &&
	       (!c->only.is_open || status_post_is_open(p)) &&
	       (c->only.text.n == 0 ||
		   status_post_has_tag(p, buf_str(&c->only.text)));
}

/*
 * The newest is first, so the updates of a post come before the post, the last
 * one of them first: they are held back, each in front of its length, and the
 * way to its beginning is from the end.
 */
static void
hold_update(struct api_call *c, uint32_t number, struct str value)
{
	size_t before = c->held.n;
	struct status_update u;
	uint32_t length;

	if (!status_update_decode(value, &u))
		return;
	status_json_put_update(&c->held, number, &u, true);
	length = (uint32_t)(c->held.n - before);
	buf_put(&c->held, &length, sizeof(length));
}

static void
put_held(struct api_call *c)
{
	struct str held = buf_str(&c->held);

	while (held.n > 0) {
		uint32_t length;
		struct str one;

		held.n -= sizeof(length);
		memcpy(&length, held.p + held.n, sizeof(length));
		held.n -= length;
		one = str_make(held.p + held.n, length);
		if (c->out.p[c->out.n - 1] != '[')
			buf_put_char(&c->out, ',');
		buf_put_str(&c->out, one);
	}
}

static void
put_listed(struct api_call *c, uint32_t number, const struct status_post *p)
{
	if (c->count++ > 0)
		buf_put_char(&c->out, ',');
	status_json_begin_post(&c->out, number, p);
	if (c->held.failed || c->out.failed)
		c->out.failed = true;
	else
		put_held(c);
	status_json_end_post(&c->out);
	c->number = number;
}

static bool
take_listed(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_post p;
	uint32_t number, update;

	if (!status_post_key_parse(row->key, &number, &update))
		return true;
	if (update > 0) {
		hold_update(c, update, row->value);
		return true;
	}
	if (status_post_decode(row->value, &p) && is_wanted(c, &p)) {
		/* What stands in next is the last one shown. */
		c->is_taken = c->count == c->limit;
		if (c->is_taken)
			return false;
		put_listed(c, number, &p);
	}
	buf_reset(&c->held, KIB(64));
	return !c->out.failed;
}

static void
end_list(struct api_call *c)
{
	buf_reset(&c->next, KIB(1));
	if (c->is_taken)
		buf_put_u64(&c->next, c->number);
	api_end_page(c);
	api_reply(c, 200);
}

void
api_posts_list(struct api_call *c)
{
	struct buf after = BUF_INIT(100);
	uint32_t number;

	if (!read_filter(c) || !api_query_page(c))
		return;
	if (c->next.n > 0) {
		if (!str_to_u32(buf_str(&c->next), STATUS_POST_MAX, &number) ||
		    number == 0) {
			api_fail_query(
			    c, STR("after"), "something else than a number");
			return;
		}
		/* Without itself and its updates. */
		status_post_put_key(&after, number, 0);
	}
	buf_put_c(&c->out, "{\"posts\":[");
	api_read(c, &(struct api_read){ .table = LEDGER_POST,
			.after = buf_str(&after),
			.is_reverse = true,
			.row = take_listed,
			.then = end_list });
	buf_done(&after);
}

/* --- one post ---------------------------------------------------------------------- */

static bool
take_shown(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_update u;
	uint32_t number, update;

	if (!status_post_key_parse(row->key, &number, &update))
		return true;
	if (update == 0) {
		buf_reset(&c->row_now, STATUS_POST_ROW_MAX);
		buf_put_str(&c->row_now, row->value);
		c->is_found =
		    status_post_decode(buf_str(&c->row_now), &c->post);
		if (!c->is_found)
			return false;
		status_json_begin_post(&c->out, number, &c->post);
		c->number = number;
	} else if (c->is_found && status_update_decode(row->value, &u)) {
		status_json_put_update(
		    &c->out, update, &u, c->out.p[c->out.n - 1] == '[');
		if (update == c->numbers[1]) {
			buf_reset(&c->other, STATUS_POST_ROW_MAX);
			buf_put_str(&c->other, row->value);
		}
	}
	api_hash_row(c, row->value);
	api_posts_note_key(c, row->key);
	return !c->out.failed;
}

void
api_posts_note_key(struct api_call *c, struct str key)
{
	buf_put_str(&c->keys, key);
}

static void
with_post(struct api_call *c)
{
	void (*then)(struct api_call *) = c->with_post;

	if (!c->is_found) {
		api_fail(c, 404, "There is no such post.");
		return;
	}
	status_json_end_post(&c->out);
	then(c);
}

void
api_posts_read(
    struct api_call *c, uint32_t number, void (*then)(struct api_call *c))
{
	struct buf key = BUF_INIT(100);

	if (number == 0 || number > STATUS_POST_MAX) {
		api_fail(c, 404, "There is no such post.");
		buf_done(&key);
		return;
	}
	buf_reset(&c->out, c->out.cap);
	buf_reset(&c->keys, c->keys.cap);
	c->hash = 0;
	c->is_found = false;
	c->with_post = then;
	status_post_put_key(&key, number, 0);
	/* With the slash: the post and its updates. */
	api_read(c, &(struct api_read){ .table = LEDGER_POST,
			.prefix = str_first(buf_str(&key), key.n - 4),
			.row = take_shown,
			.then = with_post });
	buf_done(&key);
}

static void
show(struct api_call *c)
{
	api_reply(c, 200);
}

static void
show_new(struct api_call *c)
{
	char location[64];

	snprintf(location, sizeof(location), "/posts/%u", c->number);
	api_reply_created(c, location);
}

void
api_posts_reply(struct api_call *c, uint32_t number, bool is_new)
{
	api_posts_read(c, number, is_new ? show_new : show);
}

void
api_posts_show(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], show);
}

/* --- what it affects ------------------------------------------------------------------ */

void
api_posts_with_systems(struct api_call *c, void (*then)(struct api_call *c))
{
	if (jsonnode_get(c->json, "affected") != NULL)
		api_systems_read(c, then);
	else
		then(c);
}

bool
api_posts_fit(struct api_call *c, struct status_affects *affects,
    const struct status_affects *was)
{
	struct status_fault f;

	if (c->systems == NULL ||
	    status_systems_fit_affects(c->systems, affects, was, &f))
		return true;
	api_fail_fault(c, &f);
	return false;
}

/* --- adding -------------------------------------------------------------------------- */

#define TRIES 20

static void look_at_all(struct api_call *c);

static void
was_added(struct api_call *c, enum reason reason)
{
	if (reason == REASON_NONE)
		api_posts_reply(c, c->number, true);
	else if (++c->tries == TRIES)
		api_fail(c, 503, "Others keep adding posts: try again.");
	else
		look_at_all(c);
}

static void
add(struct api_call *c)
{
	struct buf counter = BUF_INIT(KIB(1)), key = BUF_INIT(100);
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);
	struct msg_ledger_row rows[2];
	char object[16];

	c->number++;
	status_counter_encode(c->number, &counter);
	status_post_put_key(&key, c->number, 0);
	status_post_encode(&c->post, &row);
	snprintf(object, sizeof(object), "%u", c->number);
	rows[0] = (struct msg_ledger_row){ .key = STR(STATUS_COUNTER_KEY),
		.value = buf_str(&counter) };
	rows[1] = (struct msg_ledger_row){ .key = buf_str(&key),
		.value = buf_str(&row) };
	api_put(
	    c, &(struct api_change){ .table = LEDGER_POST,
		   .rows = rows,
		   .n = 2,
		   .only_if = c->other.n > 0 ? LEDGER_IF_SAME : LEDGER_IF_NEW,
		   .was = buf_str(&c->other),
		   .what = "post.new",
		   .object = str_c(object),
		   .detail = c->post.title,
		   .done = was_added });
	buf_done(&counter);
	buf_done(&key);
	buf_done(&row);
}

static void
make_slug(struct api_call *c, unsigned n)
{
	buf_reset(&c->slug, c->slug.cap);
	status_post_make_slug(&c->post, n, &c->slug);
	c->post.slug = buf_str(&c->slug);
}

/* The counter, and whether the slug is free. */
static bool
take_any(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_post p;
	uint32_t number, update;

	if (str_eq(row->key, STR(STATUS_COUNTER_KEY))) {
		buf_put_str(&c->other, row->value);
	} else if (status_post_key_parse(row->key, &number, &update) &&
		   update == 0 && status_post_decode(row->value, &p)) {
		c->is_taken |= str_eq(p.slug, c->post.slug);
		if (c->makes_slug)
			c->slug_taken = MAX(c->slug_taken,
			    status_post_slug_number(&c->post, p.slug));
		/* A post-mortem is of an incident that there is. */
		c->is_found |=
		    number == c->post.incident && p.kind == STATUS_INCIDENT;
	}
	return true;
}

static void
with_all(struct api_call *c)
{
	struct status_fault f = { STR("incident"),
		"the number of an incident that there is" };

	if (c->post.incident > 0 && !c->is_found) {
		api_fail_fault(c, &f);
	} else if (c->is_taken && !c->makes_slug) {
		f = (struct status_fault){ c->post.slug,
			"a slug that no other post has" };
		api_fail_fault(c, &f);
	} else if (!status_counter_decode(buf_str(&c->other), &c->number) ||
		   c->number >= STATUS_POST_MAX) {
		api_fail(c, 507, "Posts cannot be numbered any more.");
	} else {
		if (c->makes_slug)
			make_slug(c, c->slug_taken + 1);
		add(c);
	}
}

static void
look_at_all(struct api_call *c)
{
	buf_reset(&c->other, c->other.cap);
	c->is_taken = c->is_found = false;
	c->slug_taken = 0;
	api_read(
	    c, &(struct api_read){
		   .table = LEDGER_POST, .row = take_any, .then = with_all });
}

static void
add_new(struct api_call *c)
{
	enum status_post_kind kind;
	struct status_fault f;

	if (!status_json_read_kind(c->json, &kind, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	c->post = status_post_begin(kind, api_now());
	if (!status_json_read_post(c->json, STATUS_JSON_NEW, &c->post, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	c->makes_slug = c->post.slug.n == 0;
	if (c->makes_slug)
		make_slug(c, 1);
	if (!status_post_is_sane(&c->post, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	if (api_posts_fit(c, &c->post.affects, NULL))
		look_at_all(c);
}

void
api_posts_new(struct api_call *c)
{
	api_posts_with_systems(c, add_new);
}

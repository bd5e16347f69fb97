/* SPDX-License-Identifier: ISC */
/* api_post_change.c - changes of posts by the API, and updates. See api.h. */
#include "web/api/api_posts.h"

static void
was_changed(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		api_fail(c, 409,
		    "It was changed at the same time: read it "
		    "again.");
	else
		api_posts_reply(c, c->numbers[0], false);
}

static void
update_was_added(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		was_changed(c, reason);
	else
		api_posts_reply(c, c->numbers[0], true);
}

static void
was_deleted(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		was_changed(c, reason);
	else
		api_reply_nothing(c);
}

/* Row 0000 as c->post is now, with an update or without. */
static void
put_post(struct api_call *c, const struct status_update *u, const char *what,
    void (*done)(struct api_call *c, enum reason reason))
{
	struct buf keys[2] = { BUF_INIT(100), BUF_INIT(100) };
	struct buf values[2] = { BUF_INIT(STATUS_POST_ROW_MAX),
		BUF_INIT(STATUS_POST_ROW_MAX) };
	struct msg_ledger_row rows[2];
	char object[16];

	snprintf(object, sizeof(object), "%u", c->number);
	status_post_put_key(&keys[0], c->number, 0);
	status_post_encode(&c->post, &values[0]);
	if (u != NULL) {
		status_post_put_key(&keys[1], c->number, c->post.last_update);
		status_update_encode(u, &values[1]);
	}
	for (size_t i = 0; i < 2; i++)
		rows[i] = (struct msg_ledger_row){ .key = buf_str(&keys[i]),
			.value = buf_str(&values[i]) };
	api_put(c, &(struct api_change){ .table = LEDGER_POST,
		       .rows = rows,
		       .n = u != NULL ? 2 : 1,
		       .only_if = LEDGER_IF_SAME,
		       .was = buf_str(&c->row_now),
		       .what = what,
		       .object = str_c(object),
		       .detail = c->post.title,
		       .done = done });
	for (size_t i = 0; i < 2; i++) {
		buf_done(&keys[i]);
		buf_done(&values[i]);
	}
}

/* --- edit ----------------------------------------------------------------------------- */

static void
edit(struct api_call *c)
{
	struct status_affects was = c->post.affects;
	uint32_t incident = c->post.incident;
	struct status_fault f;

	if (!api_if_match(c))
		return;
	if (!status_json_read_post(c->json, STATUS_JSON_CHANGE, &c->post, &f) ||
	    !status_post_is_sane(&c->post, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	if (c->post.incident != incident && c->post.incident > 0) {
		f = (struct status_fault){ STR("incident"),
			"the incident of a post-mortem when it is added" };
		api_fail_fault(c, &f);
		return;
	}
	if (!api_posts_fit(c, &c->post.affects, &was))
		return;
	c->post.edited_s = c->post.changed_s = api_now();
	put_post(c, NULL, "post.edit", was_changed);
}

static void
with_systems_to_edit(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], edit);
}

void
api_posts_edit(struct api_call *c)
{
	api_posts_with_systems(c, with_systems_to_edit);
}

/* --- updates ------------------------------------------------------------------------------ */

static void
add_update(struct api_call *c, bool is_end)
{
	struct status_update u = status_update_begin(&c->post, api_now());
	struct status_affects was = c->post.affects;
	struct status_fault f;

	if (!api_if_match(c))
		return;
	if ((is_end && !status_update_resolve(&u, &c->post, &f)) ||
	    !status_json_read_update(c->json, STATUS_JSON_NEW, &u, &f) ||
	    !status_post_apply(&c->post, &u, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	if (!api_posts_fit(c, &u.affects, &was))
		return;
	put_post(c, &u, is_end ? "post.resolve" : "post.update",
	    is_end ? was_changed : update_was_added);
}

static void
with_post_to_update(struct api_call *c)
{
	add_update(c, false);
}

static void
with_systems_to_update(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], with_post_to_update);
}

void
api_updates_new(struct api_call *c)
{
	api_posts_with_systems(c, with_systems_to_update);
}

static void
with_post_to_resolve(struct api_call *c)
{
	add_update(c, true);
}

static void
with_systems_to_resolve(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], with_post_to_resolve);
}

void
api_posts_resolve(struct api_call *c)
{
	api_posts_with_systems(c, with_systems_to_resolve);
}

/* --- one update ------------------------------------------------------------------------------ */

/* c->other is its row; false: 404 or 412 was answered. */
static bool
has_update(struct api_call *c)
{
	if (!api_if_match(c))
		return false;
	if (c->other.n > 0 && c->numbers[1] > 0 &&
	    status_update_decode(buf_str(&c->other), &c->update))
		return true;
	api_fail(c, 404, "There is no such update.");
	return false;
}

static void
put_update(struct api_call *c, struct str value, const char *what,
    void (*done)(struct api_call *c, enum reason reason))
{
	struct buf key = BUF_INIT(100);
	struct msg_ledger_row row;
	char object[32];

	snprintf(object, sizeof(object), "%u/%u", c->number, c->numbers[1]);
	status_post_put_key(&key, c->number, c->numbers[1]);
	row = (struct msg_ledger_row){
		.key = buf_str(&key), .value = value, .is_gone = value.n == 0
	};
	api_put(c, &(struct api_change){ .table = LEDGER_POST,
		       .rows = &row,
		       .n = 1,
		       .only_if = LEDGER_IF_SAME,
		       .was = buf_str(&c->other),
		       .what = what,
		       .object = str_c(object),
		       .detail = c->post.title,
		       .done = done });
	buf_done(&key);
}

static void
edit_update(struct api_call *c)
{
	struct buf value = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_fault f;

	if (!has_update(c))
		return;
	c->update.edited_s = api_now();
	if (!status_json_read_update(
		c->json, STATUS_JSON_CHANGE, &c->update, &f) ||
	    !status_update_is_sane(&c->update, c->post.kind, &f)) {
		api_fail_fault(c, &f);
		return;
	}
	status_update_encode(&c->update, &value);
	put_update(c, buf_str(&value), "post.edit", was_changed);
	buf_done(&value);
}

static void
delete_update(struct api_call *c)
{
	if (has_update(c))
		put_update(c, STR_NONE, "post.delete", was_deleted);
}

void
api_updates_edit(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], edit_update);
}

void
api_updates_delete(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], delete_update);
}

/* --- delete ------------------------------------------------------------------------------------ */

static void
delete_post(struct api_call *c)
{
	struct msg_ledger_row *rows;
	size_t n = c->keys.n / STATUS_POST_KEY_LEN;
	char object[16];

	if (!api_if_match(c))
		return;
	rows = x_calloc(n, sizeof(*rows));
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct msg_ledger_row){
			.key = str_sub(buf_str(&c->keys),
			    i * STATUS_POST_KEY_LEN, STATUS_POST_KEY_LEN),
			.is_gone = 1,
		};
	snprintf(object, sizeof(object), "%u", c->number);
	api_put(c, &(struct api_change){ .table = LEDGER_POST,
		       .rows = rows,
		       .n = n,
		       .only_if = LEDGER_IF_SAME,
		       .was = buf_str(&c->row_now),
		       .what = "post.delete",
		       .object = str_c(object),
		       .detail = c->post.title,
		       .done = was_deleted });
	free(rows);
}

void
api_posts_delete(struct api_call *c)
{
	api_posts_read(c, c->numbers[0], delete_post);
}

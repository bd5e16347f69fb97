/* SPDX-License-Identifier: ISC */
/* post_rows.c - posts as rows of the ledger. See post_rows.h. */
#include "cli/post/post_rows.h"

#define TRIES 20

void
post_row_done(struct post_row *p)
{
	buf_done(&p->row);
}

void
update_row_done(struct update_row *u)
{
	buf_done(&u->row);
}

int
post_row_fault(struct admin *a, const struct status_fault *f)
{
	/* Parts of a post, and what is typed for them. */
	static const char *const parts[][2] = {
		{ "body", "--text or --file" },
		{ "from", "--from and --to" },
		{ "affected", "--affects" },
		{ "impact", "--affects" },
		{ "state", "--state" },
		{ "tags", "--tags and --categories" },
		{ "author", "--author" },
		{ "incident", "--incident" },
		{ "time", "one of the times" },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (str_eq(f->part, str_c(parts[i][0])))
			return admin_error(a, ADMIN_USAGE, "%s: expected %s",
			    parts[i][1], f->expected);
	return admin_error(a, ADMIN_USAGE, "\"%.*s\": expected %s",
	    STR_ARG(f->part), f->expected);
}

bool
post_number(struct admin *a, const char *word, uint32_t *ret_number,
    uint32_t *ret_update)
{
	struct str number, update = str_split(str_c(word), '/', &number);

	*ret_update = 0;
	if (str_to_u32(number, STATUS_POST_MAX, ret_number) &&
	    *ret_number > 0 &&
	    (number.n == strlen(word) ||
		(str_to_u32(update, STATUS_UPDATES_MAX, ret_update) &&
		    *ret_update > 0)))
		return true;
	admin_error(a, ADMIN_USAGE,
	    "\"%s\" is no number of a post, like 17, or of one of its "
	    "updates, like 17/2; 'mailstead post list' shows them",
	    word);
	return false;
}

int
post_row_get(struct admin *a, uint32_t number, struct post_row *ret)
{
	CLEANUP(freep) char *what = x_asprintf("post %u", number);
	struct buf key = BUF_INIT(100);
	int r;

	*ret = (struct post_row){ .number = number,
		.row = BUF_INIT(STATUS_POST_ROW_MAX) };
	status_post_put_key(&key, number, 0);
	r = ledger_rows_get(a, LEDGER_POST, buf_str(&key), what, &ret->row);
	buf_done(&key);
	if (r == ADMIN_OK && !status_post_decode(buf_str(&ret->row), &ret->p))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood", what);
	return r;
}

int
update_row_get(
    struct admin *a, uint32_t post, uint32_t number, struct update_row *ret)
{
	CLEANUP(freep) char *what = x_asprintf("update %u/%u", post, number);
	struct buf key = BUF_INIT(100);
	int r;

	*ret = (struct update_row){ .number = number,
		.row = BUF_INIT(STATUS_POST_ROW_MAX) };
	status_post_put_key(&key, post, number);
	r = ledger_rows_get(a, LEDGER_POST, buf_str(&key), what, &ret->row);
	buf_done(&key);
	if (r == ADMIN_OK && !status_update_decode(buf_str(&ret->row), &ret->u))
		r = admin_error(a, ADMIN_REFUSED,
		    "%s: what is stored of it is not understood", what);
	return r;
}

/* --- all of them ----------------------------------------------------------------- */

struct each {
	post_fn fn;
	void *arg;
};

static void
take_row(void *arg, const struct msg_ledger_row *row)
{
	const struct each *e = arg;
	struct status_post p;
	uint32_t number, update;

	if (status_post_key_parse(row->key, &number, &update) && update == 0 &&
	    status_post_decode(row->value, &p))
		e->fn(e->arg, number, &p);
}

int
post_rows_each(struct admin *a, post_fn fn, void *arg)
{
	const struct ledger_rows rows = { LEDGER_POST, STR_NONE, "posts" };
	struct each e = { fn, arg };

	return ledger_rows_each(a, &rows, take_row, &e);
}

/* --- adding ------------------------------------------------------------------------ */

struct slug_search {
	const struct status_post *of;
	unsigned taken; /* the greatest number */
};

static void
compare_slug(void *arg, UNUSED uint32_t number, const struct status_post *p)
{
	struct slug_search *s = arg;

	s->taken = MAX(s->taken, status_post_slug_number(s->of, p->slug));
}

static int
choose_slug(struct admin *a, struct status_post *p, struct buf *slug)
{
	struct slug_search s = { .of = p };
	int r = ADMIN_OK;

	if (p->slug.n > 0)
		return ADMIN_OK;
	r = post_rows_each(a, compare_slug, &s);
	buf_reset(slug, KIB(1));
	status_post_make_slug(p, s.taken + 1, slug);
	p->slug = buf_str(slug);
	return r;
}

/* Once; *ret_reason: another one was quicker. */
static int
try_to_add(struct admin *a, const struct status_post *p, uint32_t *ret_number,
    enum reason *ret_reason)
{
	struct buf was = BUF_INIT(KIB(1)), counter = BUF_INIT(KIB(1));
	struct buf key = BUF_INIT(100), row = BUF_INIT(STATUS_POST_ROW_MAX);
	CLEANUP(freep) char *object = NULL;
	bool is_there;
	uint32_t last;
	int r = ledger_rows_find(
	    a, LEDGER_POST, STR(STATUS_COUNTER_KEY), &is_there, &was);

	if (r == ADMIN_OK && (!status_counter_decode(buf_str(&was), &last) ||
				 last == STATUS_POST_MAX))
		r = admin_error(
		    a, ADMIN_REFUSED, "posts cannot be numbered any more");
	if (r == ADMIN_OK) {
		struct msg_ledger_row rows[2];

		status_counter_encode(last + 1, &counter);
		status_post_put_key(&key, last + 1, 0);
		status_post_encode(p, &row);
		rows[0] =
		    (struct msg_ledger_row){ .key = STR(STATUS_COUNTER_KEY),
			    .value = buf_str(&counter) };
		rows[1] = (struct msg_ledger_row){ .key = buf_str(&key),
			.value = buf_str(&row) };
		object = x_asprintf("%u", last + 1);
		r = ledger_rows_change(a,
		    &(struct ledger_change){ .table = LEDGER_POST,
			.rows = rows,
			.n = 2,
			.only_if = is_there ? LEDGER_IF_SAME : LEDGER_IF_NEW,
			.was = buf_str(&was),
			.what = p->is_imported ? "post.import" : "post.new",
			.object = str_c(object),
			.detail = p->title },
		    "post", ret_reason);
		*ret_number = last + 1;
	}
	buf_done(&was);
	buf_done(&counter);
	buf_done(&key);
	buf_done(&row);
	return r;
}

int
post_row_add(struct admin *a, struct status_post *p, struct buf *slug,
    uint32_t *ret_number)
{
	enum reason reason = REASON_EXISTS;
	struct status_fault fault;
	int r = choose_slug(a, p, slug);

	if (r == ADMIN_OK && !status_post_is_sane(p, &fault))
		r = post_row_fault(a, &fault);
	if (r != ADMIN_OK)
		return r;
	for (int i = 0; i < TRIES && reason != REASON_NONE; i++)
		r = try_to_add(a, p, ret_number, &reason);
	if (reason != REASON_NONE)
		r = admin_error(a, ADMIN_TEMPFAIL,
		    "others keep adding posts at the same time: try again");
	return r;
}

/* --- changing ------------------------------------------------------------------------ */

static int
tell_conflict(struct admin *a, int r, enum reason reason, const char *object)
{
	if (reason == REASON_NONE)
		return r;
	return admin_error(a, ADMIN_REFUSED,
	    "%s: somebody else changed it at the same time; look at it again "
	    "with 'mailstead post show'",
	    object);
}

int
post_row_change(struct admin *a, const struct post_row *was,
    const struct status_post *p, const struct status_update *update,
    const char *what)
{
	struct buf keys[2] = { BUF_INIT(100), BUF_INIT(100) };
	struct buf values[2] = { BUF_INIT(STATUS_POST_ROW_MAX),
		BUF_INIT(STATUS_POST_ROW_MAX) };
	CLEANUP(freep) char *object = x_asprintf("%u", was->number);
	struct msg_ledger_row rows[2];
	struct status_fault fault;
	enum reason reason;
	int r;

	if (!status_post_is_sane(p, &fault))
		return post_row_fault(a, &fault);
	status_post_put_key(&keys[0], was->number, 0);
	status_post_encode(p, &values[0]);
	if (update != NULL) {
		status_post_put_key(&keys[1], was->number, p->last_update);
		status_update_encode(update, &values[1]);
	}
	for (size_t i = 0; i < 2; i++)
		rows[i] = (struct msg_ledger_row){ .key = buf_str(&keys[i]),
			.value = buf_str(&values[i]) };
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_POST,
		.rows = rows,
		.n = update != NULL ? 2 : 1,
		.only_if = LEDGER_IF_SAME,
		.was = buf_str(&was->row),
		.what = what,
		.object = str_c(object),
		.detail = p->title },
	    object, &reason);
	r = tell_conflict(a, r, reason, object);
	for (size_t i = 0; i < 2; i++) {
		buf_done(&keys[i]);
		buf_done(&values[i]);
	}
	return r;
}

int
update_row_change(struct admin *a, uint32_t post, const struct update_row *was,
    const struct status_update *u)
{
	struct buf key = BUF_INIT(100), value = BUF_INIT(STATUS_POST_ROW_MAX);
	CLEANUP(freep) char *object = x_asprintf("%u/%u", post, was->number);
	struct msg_ledger_row row;
	enum reason reason;
	int r;

	status_post_put_key(&key, post, was->number);
	status_update_encode(u, &value);
	row = (struct msg_ledger_row){ .key = buf_str(&key),
		.value = buf_str(&value) };
	r = ledger_rows_change(a,
	    &(struct ledger_change){ .table = LEDGER_POST,
		.rows = &row,
		.n = 1,
		.only_if = LEDGER_IF_SAME,
		.was = buf_str(&was->row),
		.what = "post.edit",
		.object = str_c(object) },
	    object, &reason);
	r = tell_conflict(a, r, reason, object);
	buf_done(&key);
	buf_done(&value);
	return r;
}

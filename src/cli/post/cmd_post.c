/* SPDX-License-Identifier: ISC */
/* cmd_post.c - mailstead post new|update|resolve|edit|delete. */
#include "cli/post/cmd_post.h"

#include "cli/post/post_body.h"
#include "cli/watch_rows.h"

#include <time.h>

#define TEXT "[--file FILE | --text TEXT]"
#define USAGE_NEW \
	"post new KIND TITLE " TEXT " [--state STATE] [--affects LIST] " \
	"[--tags LIST] [--categories LIST] [--from WHEN --to WHEN] " \
	"[--next-update WHEN] [--incident NUMBER] [--author NAME] " \
	"[--language CODE] [--slug SLUG] [--draft | --publish WHEN] " \
	"[--quiet] [--json]"
#define USAGE_UPDATE \
	"post update NUMBER " TEXT " [--state STATE] [--affects LIST] " \
	"[--next-update WHEN] [--author NAME] [--quiet] [--json]"
#define USAGE_RESOLVE \
	"post resolve NUMBER " TEXT " [--author NAME] [--quiet] [--json]"
#define USAGE_EDIT \
	"post edit NUMBER[/UPDATE] " TEXT " [--title TITLE] [--slug SLUG] " \
	"[--affects LIST] [--tags LIST] [--categories LIST] [--from WHEN] " \
	"[--to WHEN] [--next-update WHEN] [--incident NUMBER] " \
	"[--author NAME] [--language CODE] [--draft | --publish WHEN] " \
	"[--json]"
#define USAGE_DELETE "post delete NUMBER[/UPDATE] [--json]"
#define USAGE_LIST \
	"post list [--kind KIND] [--tag TAG] [--open] [--limit N] [--json]"
#define USAGE_SHOW   "post show NUMBER [--json]"
#define USAGE_IMPORT "post import FILE [--dry-run] [--json]"

/* --- options -------------------------------------------------------------------- */

/* "+30m" from now, or a moment. */
static int
read_when(struct admin *a, const char *s, uint64_t now, uint64_t *ret)
{
	if (strcmp(s, "none") == 0) {
		*ret = 0;
		return ADMIN_OK;
	}
	if (args_when(s, now, ret))
		return ADMIN_OK;
	return admin_error(a, ADMIN_USAGE,
	    "\"%s\" is no time: write it like \"2026-11-20 18:30\", or +30m "
	    "from now; none: there is none",
	    s);
}

/* "30m" is half an hour ago. */
static int
read_next_update(struct admin *a, const struct post_words *w, uint64_t *ret)
{
	int r = read_when(a, w->next_update, w->now_s, ret);

	if (r == ADMIN_OK && *ret > 0 && *ret < w->now_s)
		r = admin_error(a, ADMIN_USAGE,
		    "--next-update %s: that time is over; +30m is in half an "
		    "hour",
		    w->next_update);
	return r;
}

static int
read_times(struct admin *a, const struct post_words *w, struct status_post *p)
{
	const struct {
		const char *text;
		uint64_t *ret;
	} times[] = {
		{ w->from, &p->from_s },
		{ w->to, &p->to_s },
		{ w->publish, &p->published_s },
	};
	int r = ADMIN_OK;

	for (size_t i = 0; i < ARRAY_LEN(times) && r == ADMIN_OK; i++)
		if (times[i].text != NULL)
			r = read_when(a, times[i].text, w->now_s, times[i].ret);
	if (w->next_update != NULL && r == ADMIN_OK)
		r = read_next_update(a, w, &p->next_update_s);
	if (w->is_draft)
		p->published_s = 0;
	return r;
}

/* A mistyped name would make the whole site red, and nobody would see why. */
static int
have_systems(struct admin *a, struct status_affects *affects,
    const struct status_affects *was)
{
	const struct status_systems *all;
	struct status_fault fault;
	int r = watch_systems_read(a, &all);

	if (r == ADMIN_OK &&
	    !status_systems_fit_affects(all, affects, was, &fault))
		r = watch_misfit(a, &fault);
	return r;
}

static int
read_affects(struct admin *a, const struct post_words *w,
    enum status_post_kind kind, struct status_affects *ret)
{
	enum status_impact usual =
	    kind == STATUS_PLANNED    ? STATUS_IMPACT_MAINTENANCE
	    : kind == STATUS_INCIDENT ? STATUS_IMPACT_DOWN
				      : STATUS_IMPACT_NONE;
	struct status_affects was = *ret;
	struct status_fault fault;

	if (w->affects == NULL)
		return ADMIN_OK;
	if (strcmp(w->affects, "none") == 0) {
		ret->n = 0;
		return ADMIN_OK;
	}
	return status_affects_set(ret, str_c(w->affects), usual, &fault)
	           ? have_systems(a, ret, &was)
	           : post_row_fault(a, &fault);
}

/* From an update on: who says "none" has not taken back what was before. */
static int
read_update_affects(struct admin *a, const struct post_words *w,
    enum status_post_kind kind, struct status_affects *ret)
{
	if (w->affects == NULL || strcmp(w->affects, "none") != 0)
		return read_affects(a, w, kind, ret);
	status_affects_end(ret);
	return ADMIN_OK;
}

static int
read_lists(struct admin *a, const struct post_words *w, struct status_post *p)
{
	struct status_fault fault;

	if (w->tags != NULL && !status_post_set_tags(p, str_c(w->tags), &fault))
		return post_row_fault(a, &fault);
	if (w->categories != NULL &&
	    !status_post_set_categories(p, str_c(w->categories), &fault))
		return post_row_fault(a, &fault);
	return read_affects(a, w, p->kind, &p->affects);
}

static int
read_state(struct admin *a, const struct post_words *w,
    enum status_post_kind kind, enum status_state *ret)
{
	enum status_state state;

	if (w->state == NULL)
		return ADMIN_OK;
	if (!status_state_parse(str_c(w->state), &state) ||
	    !status_state_is_of(state, kind))
		return admin_error(a, ADMIN_USAGE,
		    "--state \"%s\": of this kind of post (%s) expected %s",
		    w->state, status_post_kind_name(kind),
		    status_states_expected(kind));
	*ret = state;
	return ADMIN_OK;
}

/* What new and edit have in common. */
static int
read_options(struct admin *a, const struct post_words *w, struct status_post *p)
{
	int r = read_times(a, w, p);

	if (w->title != NULL)
		p->title = str_trim(str_c(w->title));
	if (w->slug != NULL)
		p->slug = str_c(w->slug);
	if (w->author != NULL)
		p->author = str_c(w->author);
	if (w->language != NULL)
		p->language = str_c(w->language);
	if (w->incident != NULL &&
	    !str_to_u32(str_c(w->incident), STATUS_POST_MAX, &p->incident))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no number of a post", w->incident);
	return r == ADMIN_OK ? read_lists(a, w, p) : r;
}

/* --- new -------------------------------------------------------------------------- */

/* A post-mortem is of an incident that there is. */
static int
check_incident(struct admin *a, const struct status_post *p)
{
	struct post_row other = { 0 };
	int r = ADMIN_OK;

	if (p->incident > 0)
		r = post_row_get(a, p->incident, &other);
	if (r == ADMIN_OK && p->incident > 0 && other.p.kind != STATUS_INCIDENT)
		r = admin_error(
		    a, ADMIN_USAGE, "post %u is no incident", p->incident);
	post_row_done(&other);
	return r;
}

static int new (struct admin *a, struct post_words *w)
{
	struct buf body = BUF_INIT(STATUS_BODY_MAX), slug = BUF_INIT(KIB(1));
	enum status_post_kind kind;
	struct status_post p;
	uint32_t number = 0;
	int r;

	if (w->args.n_words != 2)
		return admin_usage(a, NULL);
	if (!status_post_kind_parse(str_c(w->args.words[0]), &kind))
		return admin_error(a, ADMIN_USAGE,
		    "\"%s\" is no kind of post: incident, notice, maintenance "
		    "or post-mortem",
		    w->args.words[0]);
	p = status_post_begin(kind, w->now_s);
	w->title = w->args.words[1];
	p.is_quiet = w->is_quiet;
	r = read_options(a, w, &p);
	if (r == ADMIN_OK)
		r = read_state(a, w, kind, &p.state);
	/* A wrong month would tell all subscribers of work that is over. */
	if (r == ADMIN_OK && kind == STATUS_PLANNED &&
	    status_post_is_open(&p) && p.to_s > 0 && p.to_s <= w->now_s)
		r = admin_error(a, ADMIN_USAGE,
		    "the time of --to is over; with --state done it is "
		    "written down afterwards");
	if (r == ADMIN_OK)
		r = check_incident(a, &p);
	if (r == ADMIN_OK)
		r = post_body_read(
		    a, w->text, w->file, POST_BODY_EDITOR, &body);
	if (r == ADMIN_OK)
		r = post_body_need(a, &body);
	p.body = buf_str(&body);
	if (r == ADMIN_OK)
		r = post_row_add(a, &p, &slug, &number);
	if (r == ADMIN_OK)
		r = admin_say_number(a, "added", number, "added post");
	buf_done(&body);
	buf_done(&slug);
	return r;
}

/* --- update, resolve ------------------------------------------------------------------ */

static int
add_update(struct admin *a, const struct post_words *w, struct post_row *row,
    bool is_end)
{
	struct status_update u = status_update_begin(&row->p, w->now_s);
	struct buf body = BUF_INIT(STATUS_BODY_MAX);
	struct status_post p = row->p;
	struct status_fault fault;
	int r = ADMIN_OK;

	u.is_quiet = w->is_quiet;
	u.author = str_c(w->author);
	if (is_end && p.state != STATUS_STATE_NONE && !status_post_is_open(&p))
		r = admin_error(a, ADMIN_REFUSED, "post %u is %s already",
		    row->number,
		    p.kind == STATUS_INCIDENT ? "resolved" : "done");
	else if (is_end && !status_update_resolve(&u, &row->p, &fault))
		r = post_row_fault(a, &fault);
	if (r == ADMIN_OK)
		r = read_state(a, w, p.kind, &u.state);
	if (r == ADMIN_OK)
		r = read_update_affects(a, w, p.kind, &u.affects);
	if (r == ADMIN_OK && w->next_update != NULL)
		r = read_next_update(a, w, &u.next_update_s);
	if (r == ADMIN_OK)
		r = post_body_read(a, w->text, w->file,
		    is_end ? POST_BODY_OPTIONAL : POST_BODY_EDITOR, &body);
	u.body = buf_str(&body);
	if (r == ADMIN_OK && !status_post_apply(&p, &u, &fault))
		r = post_row_fault(a, &fault);
	if (r == ADMIN_OK)
		r = post_row_change(
		    a, row, &p, &u, is_end ? "post.resolve" : "post.update");
	if (r == ADMIN_OK && is_end)
		r = admin_say_number(
		    a, "resolved", row->number, "resolved post");
	else if (r == ADMIN_OK)
		r = admin_say_number(a, "added", p.last_update, "added update");
	buf_done(&body);
	return r;
}

static int
update_or_end(struct admin *a, struct post_words *w, bool is_end)
{
	uint32_t number, which;
	struct post_row row;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!post_number(a, w->args.words[0], &number, &which))
		return ADMIN_USAGE;
	if (which > 0)
		return admin_usage(a, "an update has no updates");
	r = post_row_get(a, number, &row);
	if (r == ADMIN_OK)
		r = add_update(a, w, &row, is_end);
	post_row_done(&row);
	return r;
}

static int
update(struct admin *a, struct post_words *w)
{
	return update_or_end(a, w, false);
}

static int
resolve(struct admin *a, struct post_words *w)
{
	return update_or_end(a, w, true);
}

/* --- edit ------------------------------------------------------------------------------- */

static bool
changes_text(const struct post_words *w)
{
	return w->text != NULL || w->file != NULL;
}

static bool
changes_words(const struct post_words *w)
{
	return w->title || w->slug || w->affects || w->tags || w->categories ||
	       w->from || w->to || w->next_update || w->incident || w->author ||
	       w->language || w->publish || w->is_draft;
}

/* Without any option that changes something: the text, from standard input or in the
 * editor. Nothing on standard input takes no text away. */
static int
edit_text(struct admin *a, const struct post_words *w, struct str was,
    struct buf *body)
{
	int r;

	if (changes_text(w))
		return post_body_read(
		    a, w->text, w->file, POST_BODY_EDITOR, body);
	if (changes_words(w)) {
		buf_put_str(body, was);
		return ADMIN_OK;
	}
	if (post_body_is_piped()) {
		r = post_body_read(a, NULL, "-", POST_BODY_OPTIONAL, body);
		return r == ADMIN_OK ? post_body_need(a, body) : r;
	}
	buf_put_str(body, was);
	r = post_body_edit(a, body);
	if (r == ADMIN_OK && str_eq(buf_str(body), was))
		r = admin_error(a, ADMIN_REFUSED,
		    "the text is what it was: nothing was changed");
	return r;
}

static int
edit_post(struct admin *a, const struct post_words *w, struct post_row *row)
{
	struct buf body = BUF_INIT(STATUS_BODY_MAX);
	struct status_post p = row->p;
	int r = read_options(a, w, &p);

	if (r == ADMIN_OK)
		r = check_incident(a, &p);
	if (r == ADMIN_OK)
		r = edit_text(a, w, p.body, &body);
	if (r == ADMIN_OK && (changes_text(w) || !changes_words(w)))
		r = post_body_need(a, &body);
	p.body = buf_str(&body);
	p.edited_s = p.changed_s = w->now_s;
	if (r == ADMIN_OK)
		r = post_row_change(a, row, &p, NULL, "post.edit");
	if (r == ADMIN_OK)
		r = admin_say_number(a, "changed", row->number, "changed post");
	buf_done(&body);
	return r;
}

static int
edit_update(struct admin *a, const struct post_words *w, uint32_t post,
    struct update_row *row)
{
	struct buf body = BUF_INIT(STATUS_BODY_MAX);
	struct status_update u = row->u;
	struct post_words other = *w;
	int r;

	other.author = NULL;
	if (changes_words(&other))
		return admin_usage(
		    a, "of an update only text and author can be changed");
	r = edit_text(a, w, u.body, &body);
	u.body = buf_str(&body);
	u.edited_s = w->now_s;
	if (w->author != NULL)
		u.author = str_c(w->author);
	if (r == ADMIN_OK)
		r = update_row_change(a, post, row, &u);
	if (r == ADMIN_OK)
		r = admin_say_number(
		    a, "changed", row->number, "changed update");
	buf_done(&body);
	return r;
}

static int
edit(struct admin *a, struct post_words *w)
{
	struct update_row urow = { 0 };
	struct post_row row = { 0 };
	uint32_t number, which;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!post_number(a, w->args.words[0], &number, &which))
		return ADMIN_USAGE;
	if (which > 0)
		r = update_row_get(a, number, which, &urow);
	else
		r = post_row_get(a, number, &row);
	if (r == ADMIN_OK)
		r = which > 0 ? edit_update(a, w, number, &urow)
		              : edit_post(a, w, &row);
	post_row_done(&row);
	update_row_done(&urow);
	return r;
}

/* --- the table of them --------------------------------------------------------------------- */

const char *const post_usage[] = { USAGE_NEW, USAGE_UPDATE, USAGE_RESOLVE,
	USAGE_EDIT, USAGE_DELETE, USAGE_LIST, USAGE_SHOW, USAGE_IMPORT, NULL };

static const struct {
	const char *verb;
	int (*run)(struct admin *a, struct post_words *w);
} verbs[] = {
	{ "new", new },
	{ "update", update },
	{ "resolve", resolve },
	{ "edit", edit },
	{ "delete", post_delete },
	{ "list", post_list },
	{ "show", post_show },
	{ "import", post_import },
};

int
admin_post(struct admin *a, int argc, char **argv)
{
	struct post_words w = { .now_s = (uint64_t)time(NULL) };
	const struct arg_option options[] = {
		{ "--file", &w.file, NULL },
		{ "--text", &w.text, NULL },
		{ "--title", &w.title, NULL },
		{ "--slug", &w.slug, NULL },
		{ "--state", &w.state, NULL },
		{ "--affects", &w.affects, NULL },
		{ "--tags", &w.tags, NULL },
		{ "--categories", &w.categories, NULL },
		{ "--from", &w.from, NULL },
		{ "--to", &w.to, NULL },
		{ "--next-update", &w.next_update, NULL },
		{ "--publish", &w.publish, NULL },
		{ "--incident", &w.incident, NULL },
		{ "--author", &w.author, NULL },
		{ "--language", &w.language, NULL },
		{ "--kind", &w.kind, NULL },
		{ "--tag", &w.tag, NULL },
		{ "--limit", &w.limit, NULL },
		{ "--draft", NULL, &w.is_draft },
		{ "--quiet", NULL, &w.is_quiet },
		{ "--open", NULL, &w.is_open },
		{ "--dry-run", NULL, &w.is_dry_run },
		ADMIN_OPTIONS(a),
	};

	w.args = (struct args){ options, ARRAY_LEN(options), { 0 }, 0, "" };
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[0], verbs[i].verb) != 0)
			continue;
		if (!admin_args(a, &w.args, argc - 1, argv + 1))
			return ADMIN_USAGE;
		return verbs[i].run(a, &w);
	}
	return admin_usage(a, NULL);
}

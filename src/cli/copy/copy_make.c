/* SPDX-License-Identifier: ISC */
/* copy_make.c - asking role web for everything. See copy_make.h. */
#include "cli/copy/copy_make.h"

#include "base/hash.h"
#include "cli/copy/copy_html.h"
#include "cli/ledger_rows.h"
#include "proto/http/http_text.h"
#include "proto/status/status_news.h"
#include "proto/status/status_path.h"

#include <inttypes.h>

#define PAGE_BYTES    MIB(24)
#define LANGUAGES_MAX 16

struct strings {
	char **v;
	size_t n, cap;
};

struct work {
	struct copy_maker *m;
	struct copy *copy;
	bool only_live;
	char *languages[LANGUAGES_MAX]; /* the usual one first */
	size_t n_languages;
	struct strings queue, seen; /* paths; seen is sorted */
};

/* --- asking ---------------------------------------------------------------------------- */

void
copy_maker_done(struct copy_maker *m)
{
	ipc_client_free(m->web);
	m->web = NULL;
}

/* What GET of path gives; *ret points into reply. */
static int
ask(struct copy_maker *m, struct str path, const char *language,
    struct buf *reply, struct msg_site_make_reply *ret)
{
	struct msg_site_make q = { .path = path, .language = str_c(language) };
	struct buf body = BUF_INIT(KIB(16));
	enum outcome o;
	int fd = -1, r = ADMIN_OK;

	buf_reset(reply, reply->cap);
	if (m->web == NULL)
		r = admin_role(m->a, ROLE_WEB, &m->web);
	if (r != ADMIN_OK)
		return r;
	msg_site_make_put(&body, &q);
	r = ipc_client_call(m->web,
	    &(struct ipc_call){
		.type = MSG_SITE_MAKE, .body = buf_str(&body), .fd = -1 },
	    &o, reply, &fd);
	buf_done(&body);
	closep(&fd);
	if (r < 0) {
		m->a->asked = MSG_SITE_MAKE;
		r = admin_broken(m->a, m->web, r);
		copy_maker_done(m);
		return r;
	}
	if (o != DONE)
		return admin_refused(
		    m->a, o, buf_str(reply), "a page of the site");
	if (!msg_site_make_reply_get(buf_str(reply), ret))
		return admin_error(m->a, ADMIN_TEMPFAIL,
		    "the server's answer makes no sense: after an update of "
		    "the program, restart it");
	return ADMIN_OK;
}

int
copy_version(struct copy_maker *m, uint64_t *ret)
{
	struct buf reply = BUF_INIT(PAGE_BYTES);
	struct msg_site_make_reply r;
	int code = ask(m, STR("/api/v2/summary.json"), "", &reply, &r);

	if (code == ADMIN_OK)
		*ret = r.status == 200
		           ? hash64_seed(r.body.p, r.body.n, r.posts) | 1
		           : 0;
	buf_done(&reply);
	return code;
}

/* --- what there is ------------------------------------------------------------------- */

static bool
find_seen(const struct strings *s, struct str path, size_t *ret_at)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		int c = str_cmp(str_c(s->v[mid]), path);

		if (c == 0) {
			*ret_at = mid;
			return true;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_at = low;
	return false;
}

static void
want(struct work *w, struct str path)
{
	size_t at;
	char *own;

	if (w->only_live && !status_path_is_live(path) &&
	    !str_starts(path, STR("/badge")) &&
	    !str_starts(path, STR("/api/v2/")))
		return;
	if (w->queue.n >= COPY_FILES_MAX || find_seen(&w->seen, path, &at))
		return;
	own = str_dup(path);
	w->seen.v =
	    x_grow(w->seen.v, &w->seen.cap, w->seen.n + 1, sizeof(*w->seen.v));
	memmove(&w->seen.v[at + 1], &w->seen.v[at],
	    (w->seen.n++ - at) * sizeof(*w->seen.v));
	w->seen.v[at] = own;
	w->queue.v = x_grow(
	    w->queue.v, &w->queue.cap, w->queue.n + 1, sizeof(*w->queue.v));
	w->queue.v[w->queue.n++] = own;
}

/* Of the languages that there are: a link may name anything. */
static void
take_language(struct work *w, struct str code)
{
	if (!str_eq(status_news_language(code), code))
		return;
	for (size_t i = 0; i < w->n_languages; i++)
		if (str_eq(code, str_c(w->languages[i])))
			return;
	if (w->n_languages < LANGUAGES_MAX)
		w->languages[w->n_languages++] = str_dup(code);
}

static void
take_links(struct work *w, struct str html)
{
	struct str before, value;

	while (copy_link_next(&html, &before, &value)) {
		struct copy_link l;

		if (copy_link_parse(value, &l)) {
			struct str path = buf_str(&l.path);

			want(w, path);
			if (l.language.n > 0)
				take_language(w, l.language);
			if (str_starts(path, STR("/systems/")) &&
			    str_find(str_from(path, 9), '/') < 0) {
				struct buf badge = BUF_INIT(KIB(8));

				buf_put_c(&badge, "/badge/");
				buf_put_str(&badge, str_from(path, 9));
				buf_put_c(&badge, ".svg");
				want(w, buf_str(&badge));
				buf_done(&badge);
			}
		}
		buf_done(&l.path);
	}
}

static void
take_post(void *arg, const struct msg_ledger_row *row)
{
	uint32_t number, update;
	char path[40];

	if (!status_post_key_parse(row->key, &number, &update) || update != 0)
		return;
	snprintf(path, sizeof(path), "/posts/%" PRIu32, number);
	want(arg, str_c(path));
}

static int
seed(struct work *w)
{
	static const char *const paths[] = { "/", "/feed.rss", "/feed.atom",
		"/feed.json", "/calendar.ics", "/badge.svg",
		"/api/v2/summary.json", "/api/v2/status.json",
		"/api/v2/components.json", "/api/v2/incidents.json",
		"/api/v2/incidents/unresolved.json",
		"/api/v2/scheduled-maintenances.json",
		"/api/v2/scheduled-maintenances/upcoming.json",
		"/api/v2/scheduled-maintenances/active.json" };
	const struct ledger_rows rows = { .table = LEDGER_POST,
		.what = "posts" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		want(w, str_c(paths[i]));
	return w->only_live ? ADMIN_OK
	                    : ledger_rows_each(w->m->a, &rows, take_post, w);
}

/* --- files ----------------------------------------------------------------------------- */

static void
keep(struct work *w, const struct copy_place *p, struct str body)
{
	struct copy *c = w->copy;
	struct buf name = BUF_INIT(KIB(16));

	copy_put_place(&name, p);
	c->files = x_grow(c->files, &c->cap, c->n + 1, sizeof(*c->files));
	c->files[c->n++] = (struct copy_file){ .name = str_dup(buf_str(&name)),
		.body = str_copy(body),
		.is_live = status_path_is_live(p->path) };
	c->bytes += body.n;
	buf_done(&name);
}

static int
take_reply(struct work *w, const struct copy_place *p,
    const struct msg_site_make_reply *r)
{
	struct buf html = BUF_INIT(PAGE_BYTES);
	bool fits;

	if (r->status == 200 && str_starts(r->type, STR("text/html"))) {
		take_links(w, r->body);
		copy_put_html(&html, p, r->body);
		keep(w, p, buf_str(&html));
	} else if (r->status == 200) {
		keep(w, p, r->body);
	} else if (r->location.n > 0) {
		copy_put_redirect(&html, p, r->location);
		keep(w, p, buf_str(&html));
	} else if (r->status < 400 || r->status >= 500) {
		return admin_error(w->m->a, ADMIN_TEMPFAIL,
		    "the server has no %.*s just now (%u): try again in a "
		    "moment",
		    STR_ARG(p->path), r->status);
	}
	fits = !html.failed && w->copy->bytes <= COPY_BYTES_MAX;
	buf_done(&html);
	if (!fits)
		return admin_error(w->m->a, ADMIN_REFUSED,
		    "the site is too large for a static copy");
	return ADMIN_OK;
}

static int
make_one(struct work *w, struct str path, const char *language)
{
	struct copy_place p = { .usual = str_c(w->languages[0]),
		.language = str_c(language),
		.path = path,
		.site = w->m->site };
	struct buf reply = BUF_INIT(PAGE_BYTES);
	struct msg_site_make_reply r;
	int code = ask(w->m, path, language, &reply, &r);

	if (code == ADMIN_OK)
		code = take_reply(w, &p, &r);
	buf_done(&reply);
	return code;
}

/* The language of who asks for none, by the page itself. */
static int
find_usual(struct work *w)
{
	struct buf reply = BUF_INIT(PAGE_BYTES);
	struct msg_site_make_reply r;
	int code = ask(w->m, STR("/"), "", &reply, &r);
	struct str mark = STR("<html lang=\""), code_text = STR("en");
	ptrdiff_t at;

	if (code == ADMIN_OK) {
		at = str_search(r.body, mark);
		if (at >= 0)
			(void)str_split(str_from(r.body, (size_t)at + mark.n),
			    '"', &code_text);
		take_language(w, str_first(code_text, 12));
		take_links(w, r.body);
	}
	buf_done(&reply);
	return code;
}

static int
make_all(struct work *w, struct progress *progress)
{
	int r = ADMIN_OK;

	for (size_t i = 0; i < w->queue.n && r == ADMIN_OK; i++) {
		struct str path = str_c(w->queue.v[i]);
		size_t n = copy_has_language(path) ? w->n_languages : 1;

		for (size_t k = 0; k < n && r == ADMIN_OK; k++)
			r = make_one(w, path, w->languages[k]);
		if (progress == NULL)
			continue;
		/* The more pages are read, the more there are. */
		progress->total = w->queue.n;
		progress_set(progress, i + 1, w->copy->n);
	}
	return r;
}

int
copy_make(struct copy_maker *m, bool only_live, struct progress *progress,
    struct copy *ret)
{
	struct work w = { .m = m, .copy = ret, .only_live = only_live };
	int r;

	*ret = (struct copy){ 0 };
	r = seed(&w);
	if (r == ADMIN_OK)
		r = find_usual(&w);
	if (r == ADMIN_OK)
		r = make_all(&w, progress);
	for (size_t i = 0; i < w.n_languages; i++)
		free(w.languages[i]);
	for (size_t i = 0; i < w.queue.n; i++)
		free(w.queue.v[i]);
	free(w.queue.v);
	free(w.seen.v);
	if (r != ADMIN_OK)
		copy_free(ret);
	return r;
}

void
copy_free(struct copy *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->files[i].name);
		str_free(&c->files[i].body);
	}
	free(c->files);
	*c = (struct copy){ 0 };
}

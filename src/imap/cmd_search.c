/* SPDX-License-Identifier: ISC */
/*
 * cmd_search.c - SEARCH: candidates from the view, the rest from the store.
 *
 * First every message is judged by what the view knows. Those that stay open
 * are read in portions (headers only when that is enough) and judged again.
 */
#include "imap/search.h"
#include "imap/session.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define HEADER_GUESS   KIB(16)
#define REQUEST_UIDS   KIB(256)
#define CANDIDATES_MAX (SIZE_MAX / 2)

struct search_cmd {
	struct search_program program;
	struct buf hits;  /* UID set */
	struct buf open;  /* UID set: not decided yet */
	struct buf again; /* UID set: header longer than the guess */
	struct str left;
	size_t asked;
	bool header_only;
	bool is_damaged;
	uint64_t modseq; /* highest of the hits */
};

static void ask_portion(struct session *s);
static void search_more(struct session *s);

static void
cleanup(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	search_done(&sc->program);
	buf_done(&sc->hits);
	buf_done(&sc->open);
	buf_done(&sc->again);
}

/* --- the answer ------------------------------------------------------------------------ */

static uint32_t
number_of(struct session *s, uint32_t uid)
{
	return s->cmd->c.is_uid ? uid : view_seq(s->view, uid);
}

typedef void (*hit_fn)(void *arg, uint32_t number);

static void
each_hit(struct session *s, hit_fn fn, void *arg)
{
	struct search_cmd *sc = s->cmd->data;
	struct str set = buf_str(&sc->hits);
	uint32_t first, last;

	while (uid_set_next(&set, &first, &last))
		for (uint32_t uid = first;; uid++) {
			fn(arg, number_of(s, uid));
			if (uid == last)
				break;
		}
}

static void
put_number(void *arg, uint32_t number)
{
	struct buf *b = arg;

	buf_put_char(b, ' ');
	imap_put_number(b, number);
}

static void
put_plain(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	buf_put_c(&s->out, "* SEARCH");
	each_hit(s, put_number, &s->out);
	if (s->cmd->c.u.search.has_modseq && sc->hits.n)
		buf_printf(
		    &s->out, " (MODSEQ %llu)", (unsigned long long)sc->modseq);
	buf_put_c(&s->out, "\r\n");
}

struct extremes {
	uint32_t min, max, count;
	struct imap_set_writer w;
};

static void
note_hit(void *arg, uint32_t number)
{
	struct extremes *x = arg;

	if (!x->count++)
		x->min = number;
	x->max = number;
	imap_set_writer_add(&x->w, number);
}

/* RFC 4731 3.1: without a hit MIN, MAX and ALL are left out. */
static void
put_extended(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	unsigned r = s->cmd->c.u.search.returns;
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	struct extremes x = { .w = { .b = &all } };

	each_hit(s, note_hit, &x);
	imap_set_writer_end(&x.w);
	buf_put_c(&s->out, "* ESEARCH (TAG ");
	imap_put_string(&s->out, s->cmd->c.tag);
	buf_put_c(&s->out, s->cmd->c.is_uid ? ") UID" : ")");
	if (r & IMAP_RETURN_MIN && x.count)
		buf_printf(&s->out, " MIN %u", x.min);
	if (r & IMAP_RETURN_MAX && x.count)
		buf_printf(&s->out, " MAX %u", x.max);
	if (r & IMAP_RETURN_ALL && x.count)
		buf_printf(&s->out, " ALL %.*s", STR_ARG(buf_str(&all)));
	if (r & IMAP_RETURN_COUNT)
		buf_printf(&s->out, " COUNT %u", x.count);
	if (s->cmd->c.u.search.has_modseq && x.count)
		buf_printf(
		    &s->out, " MODSEQ %llu", (unsigned long long)sc->modseq);
	buf_put_c(&s->out, "\r\n");
	buf_done(&all);
}

/* SAVE with MIN or MAX only keeps those (RFC 5182 2.1). */
static void
save(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	unsigned r = s->cmd->c.u.search.returns;
	struct str hits = buf_str(&sc->hits), last_pair;
	struct buf *to = &s->view->saved;
	uint32_t first, last;

	buf_reset(to, 0);
	if (!hits.n)
		return;
	if (!(r & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) ||
	    r & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) {
		buf_put_str(to, hits);
		return;
	}
	last_pair = str_from(hits, hits.n - 8);
	if (r & IMAP_RETURN_MIN && uid_set_next(&hits, &first, &last))
		uid_set_add(to, first, first);
	if (r & IMAP_RETURN_MAX && uid_set_next(&last_pair, &first, &last) &&
	    !uid_set_has(buf_str(to), last))
		uid_set_add(to, last, last);
}

static void
finish(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	const struct imap_search *c = &s->cmd->c.u.search;
	bool tells =
	    !c->is_esearch || (c->returns & ~(unsigned)IMAP_RETURN_SAVE);

	if (c->returns & IMAP_RETURN_SAVE)
		save(s);
	if (!c->is_esearch)
		put_plain(s);
	else if (tells)
		put_extended(s);
	if (sc->is_damaged)
		session_finish(s, IMAP_OK, STR_NONE,
		    STR("Done, but a damaged message could not be searched"));
	else
		session_ok(s, "Done");
}

/* --- judging -------------------------------------------------------------------------------- */

static void
add_hit(struct search_cmd *sc, const struct ipc_entry *e)
{
	uid_set_add(&sc->hits, e->uid, e->uid);
	sc->modseq = MAX(sc->modseq, e->modseq);
}

static void
judge_all(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	struct search_message msg = { .view = s->view };

	for (size_t i = 0; i < s->view->n; i++) {
		msg.entry = &s->view->entries[i];
		msg.seq = (uint32_t)i + 1;
		switch (search_eval(&sc->program, &msg)) {
		case VERDICT_YES:
			add_hit(sc, msg.entry);
			break;
		case VERDICT_UNKNOWN:
			uid_set_add(&sc->open, msg.entry->uid, msg.entry->uid);
			break;
		case VERDICT_NO:
			break;
		}
	}
}

static void
judge_item(struct session *s, const struct msg_fetch_item *m)
{
	struct search_cmd *sc = s->cmd->data;
	uint32_t seq = view_seq(s->view, m->uid);
	struct search_message msg = { .view = s->view, .seq = seq, .m = m };
	struct mime_structure structure;
	size_t header = mime_header_length(m->body);
	uint64_t shared = m->size - MIN(m->size, m->prefix.n);

	if (!seq)
		return;
	if (m->is_corrupt) {
		sc->is_damaged = true;
		return;
	}
	msg.entry = &s->view->entries[seq - 1];
	msg.has_body = true;
	msg.header = str_first(m->body, header);
	if (sc->header_only && header == m->body.n && m->body.n < shared) {
		uid_set_add(&sc->again, m->uid, m->uid);
		return;
	}
	if (mime_structure_view(m->structure, shared, &structure))
		msg.structure = &structure;
	if (search_eval(&sc->program, &msg) == VERDICT_YES)
		add_hit(sc, msg.entry);
}

/* --- reading ----------------------------------------------------------------------------------- */

static bool
judge_big(struct session *s, const struct msg_fetch_reply *r, int fd)
{
	struct wire w = wire_read(r->items);
	struct msg_fetch_item m;
	struct stat st;
	void *bytes;

	if (!msg_fetch_item_read(&w, &m) || fd < 0 || fstat(fd, &st) < 0 ||
	    st.st_size <= 0)
		return false;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	m.body = str_make(bytes, (size_t)st.st_size);
	judge_item(s, &m);
	(void)munmap(bytes, (size_t)st.st_size);
	return true;
}

static bool
judge_items(struct session *s, struct str items)
{
	struct wire w = wire_read(items);
	struct msg_fetch_item m;

	while (msg_fetch_item_read(&w, &m))
		judge_item(s, &m);
	return wire_is_complete(&w);
}

static void
on_portion(struct session *s, struct ipc_msg *m)
{
	struct search_cmd *sc = s->cmd->data;
	struct msg_fetch_reply r;

	if (m->outcome != DONE) {
		session_failed(s, m);
		return;
	}
	if (!msg_fetch_reply_get(m->body, &r)) {
		session_broken_reply(s);
		return;
	}
	sc->left = uid_set_after(&sc->open, sc->left, sc->asked, r.next_uid);
	/* The next portion is read while this one is judged. */
	if (sc->left.n && !r.is_body_in_fd)
		ask_portion(s);
	if (!(r.is_body_in_fd ? judge_big(s, &r, m->fd)
			      : judge_items(s, r.items))) {
		session_bye(s, "SERVERBUG", "Internal error");
		return;
	}
	if (!session_is_asking(s))
		search_more(s);
}

static void
ask_portion(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	struct buf b = BUF_INIT(KIB(512));
	struct msg_fetch req = { .mailbox = s->view->mailbox,
		.uids = str_first(sc->left, REQUEST_UIDS),
		.want = FETCH_SIZE | FETCH_DATES | FETCH_PREFIX,
		.size = sc->header_only ? HEADER_GUESS : 0,
		.max_bytes = KIB(512) };

	if (sc->program.needs & IMAP_NEED_SENT_DATE)
		req.want |= FETCH_STRUCTURE;
	if (sc->program.needs & (IMAP_NEED_HEADER | IMAP_NEED_BODY))
		req.want |= FETCH_BODY;
	sc->asked = req.uids.n;
	msg_fetch_put(&b, &req);
	imap_session_ask(s, MSG_FETCH, &b, -1, on_portion);
	buf_done(&b);
}

static void
search_more(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	if (!sc->left.n && sc->again.n) {
		buf_done(&sc->open);
		sc->open = sc->again;
		buf_init(&sc->again, CANDIDATES_MAX);
		sc->left = buf_str(&sc->open);
		sc->header_only = false;
	}
	if (!sc->left.n) {
		finish(s);
		return;
	}
	ask_portion(s);
}

void
imap_cmd_search(struct session *s)
{
	const struct imap_search *c = &s->cmd->c.u.search;
	struct search_cmd *sc = session_cmd_data(s, sizeof(*sc));

	s->cmd->cleanup = cleanup;
	buf_init(&sc->hits, CANDIDATES_MAX);
	buf_init(&sc->open, CANDIDATES_MAX);
	buf_init(&sc->again, CANDIDATES_MAX);
	if (c->has_modseq)
		s->enabled |= ENABLED_CONDSTORE;
	sc->program.now = loop_time(s->sv->loop);
	if (!search_prepare(&sc->program, &s->cmd->arena, c, s->view)) {
		session_no(s, "LIMIT", "The search is too complex");
		return;
	}
	sc->header_only =
	    c->needs & IMAP_NEED_HEADER && !(c->needs & IMAP_NEED_BODY);
	judge_all(s);
	sc->left = buf_str(&sc->open);
	search_more(s);
}

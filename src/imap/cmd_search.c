/* SPDX-License-Identifier: ISC */
/*
 * cmd_search.c - SEARCH: candidates from the view, the rest from the store.
 *
 * First every message is judged by what the view knows. Those that stay open
 * are read in portions (headers only when that is enough) and judged again.
 * With more than one string to look for, a portion is kept until it is judged,
 * which may take several turns.
 */
#include "imap/kept.h"
#include "imap/search.h"

#define HEADER_GUESS   KIB(16)
#define PORTION        KIB(256) /* judged at one go, a few milliseconds */
#define TURN_KEYS      200000U  /* keys looked at before others' turn */
#define TURN_BYTES     MIB(1)   /* of text looked through, likewise */
#define REQUEST_UIDS   KIB(256)
#define CANDIDATES_MAX (SIZE_MAX / 2)

struct search_cmd {
	struct search_program program;
	struct buf hits;  /* UID set: what is told */
	struct buf found; /* UID set: hits of the pass under way */
	struct buf open;  /* UID set: not decided yet */
	struct buf again; /* UID set: header longer than the guess */
	struct str left;
	size_t asked;
	size_t at; /* in the view: what is judged next */
	bool header_only;
	struct str held;      /* owned: items of the portion under way */
	struct str items;     /* in it: what is not judged yet */
	struct body_map *map; /* the body of the only one, when it is large */
	bool is_damaged, is_limited;
	bool is_done;
	uint64_t modseq; /* highest of the hits */
};

static void ask_portion(struct session *s);
static void search_more(struct session *s);

static void
drop_held(struct search_cmd *sc)
{
	str_free(&sc->held);
	sc->held = sc->items = STR_NONE;
	if (sc->map)
		body_map_unref(TAKE_PTR(sc->map));
}

static void
cleanup(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	drop_held(sc);
	/* A search that failed leaves nothing saved (RFC 5182 2.1). */
	if (!sc->is_done && s->view &&
	    s->cmd->c.u.search.returns & IMAP_RETURN_SAVE)
		buf_reset(&s->view->saved, 0);
	search_done(&sc->program);
	buf_done(&sc->hits);
	buf_done(&sc->found);
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

	buf_put_c(&s->client.out, "* SEARCH");
	each_hit(s, put_number, &s->client.out);
	if (s->cmd->c.u.search.has_modseq && sc->hits.n)
		buf_printf(&s->client.out, " (MODSEQ %llu)",
		    (unsigned long long)sc->modseq);
	buf_put_c(&s->client.out, "\r\n");
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

static uint64_t
modseq_of(struct session *s, uint32_t uid)
{
	size_t i = view_lower(s->view, uid);

	return i < s->view->n ? s->view->entries[i].modseq : 0;
}

/* RFC 7162 3.1.10: of MIN and MAX, when nothing else is asked for. */
static uint64_t
told_modseq(struct session *s, unsigned r)
{
	const struct search_cmd *sc = s->cmd->data;
	struct str first = buf_str(&sc->hits);
	struct str last = str_from(first, first.n - MIN(first.n, 8));
	uint32_t lo, hi, to;
	uint64_t modseq = 0;

	if (r & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT) ||
	    !(r & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)))
		return sc->modseq;
	if (r & IMAP_RETURN_MIN && uid_set_next(&first, &lo, &to))
		modseq = modseq_of(s, lo);
	if (r & IMAP_RETURN_MAX && uid_set_next(&last, &to, &hi))
		modseq = MAX(modseq, modseq_of(s, hi));
	return modseq;
}

/* RFC 4731 3.1: without a hit MIN, MAX and ALL are left out. */
static void
put_extended(struct session *s)
{
	unsigned r = s->cmd->c.u.search.returns;
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	struct extremes x = { .w = { .b = &all } };

	each_hit(s, note_hit, &x);
	imap_set_writer_end(&x.w);
	buf_put_c(&s->client.out, "* ESEARCH (TAG ");
	imap_put_string(&s->client.out, s->cmd->c.tag);
	buf_put_c(&s->client.out, s->cmd->c.is_uid ? ") UID" : ")");
	if (r & IMAP_RETURN_MIN && x.count)
		buf_printf(&s->client.out, " MIN %u", x.min);
	if (r & IMAP_RETURN_MAX && x.count)
		buf_printf(&s->client.out, " MAX %u", x.max);
	if (r & IMAP_RETURN_ALL && x.count)
		buf_printf(&s->client.out, " ALL %.*s", STR_ARG(buf_str(&all)));
	if (r & IMAP_RETURN_COUNT)
		buf_printf(&s->client.out, " COUNT %u", x.count);
	if (s->cmd->c.u.search.has_modseq && x.count)
		buf_printf(&s->client.out, " MODSEQ %llu",
		    (unsigned long long)told_modseq(s, r));
	buf_put_c(&s->client.out, "\r\n");
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

	if (sc->is_limited) {
		session_no(s, "LIMIT", "Too many large messages at once");
		return;
	}
	sc->is_done = true;
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
	uid_set_add(&sc->found, e->uid, e->uid);
	sc->modseq = MAX(sc->modseq, e->modseq);
}

/* Each pass finds hits in ascending order; together they are one set. */
static void
end_pass(struct search_cmd *sc)
{
	uid_set_merge(&sc->hits, buf_str(&sc->found));
	buf_reset(&sc->found, 0);
}

static void
judge_entry(struct session *s, struct search_message *msg)
{
	struct search_cmd *sc = s->cmd->data;

	switch (search_eval(&sc->program, msg)) {
	case VERDICT_YES:
		add_hit(sc, msg->entry);
		break;
	case VERDICT_UNKNOWN:
		uid_set_add(&sc->open, msg->entry->uid, msg->entry->uid);
		break;
	case VERDICT_NO:
		break;
	}
}

static void
judge_more(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	struct search_message msg = { .view = s->view };
	size_t turn = TURN_KEYS / (s->cmd->c.u.search.n_keys + 1) + 1;
	size_t end = MIN(s->view->n, sc->at + turn);

	for (; sc->at < end; sc->at++) {
		msg.entry = &s->view->entries[sc->at];
		msg.seq = (uint32_t)sc->at + 1;
		judge_entry(s, &msg);
	}
	if (sc->at < s->view->n) {
		session_yield(s, judge_more);
		return;
	}
	end_pass(sc);
	sc->left = buf_str(&sc->open);
	search_more(s);
}

/* A portion may take more than a turn. */
static bool
is_heavy(const struct search_cmd *sc)
{
	return sc->program.needles > 1;
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

/* False: there is nothing to judge. */
static bool
map_big(struct session *s, const struct msg_fetch_reply *r, int fd)
{
	struct search_cmd *sc = s->cmd->data;
	bool is_limit;

	/* No item: the message went while it was being read. */
	if (!r->items.n)
		return false;
	sc->map = body_map_new(s, fd, &is_limit);
	sc->is_limited |= is_limit;
	sc->is_damaged |= !sc->map && !is_limit;
	return sc->map != NULL;
}

/* As much as the budget allows. False: the items are malformed. */
static bool
judge_items(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	struct wire w = wire_read(sc->items);
	struct msg_fetch_item m;

	sc->program.budget = is_heavy(sc) ? TURN_BYTES : SIZE_MAX;
	while (msg_fetch_item_read(&w, &m)) {
		if (sc->map)
			m.body = sc->map->bytes;
		judge_item(s, &m);
		if (sc->program.is_paused)
			return true;
		sc->items = w.in;
	}
	return wire_is_complete(&w);
}

static void
judge_held(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	sc->program.is_paused = false;
	if (!judge_items(s)) {
		session_bye(s, "SERVERBUG", "Internal error");
		return;
	}
	if (sc->program.is_paused) {
		session_yield(s, judge_held);
		return;
	}
	drop_held(sc);
	if (!client_is_asking(&s->client))
		search_more(s);
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
	if (sc->left.n && !r.is_body_in_fd && !is_heavy(sc))
		ask_portion(s);
	if (r.is_body_in_fd && !map_big(s, &r, m->fd)) {
		search_more(s);
		return;
	}
	if (is_heavy(sc))
		sc->held = str_copy(r.items);
	sc->items = is_heavy(sc) ? sc->held : r.items;
	judge_held(s);
}

static void
ask_portion(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;
	struct buf b = BUF_INIT(KIB(512));
	struct msg_fetch req = { .mailbox = s->view->mailbox,
		.uids = str_first(sc->left, REQUEST_UIDS),
		.want = FETCH_SIZE | FETCH_DATES,
		.size = sc->header_only ? HEADER_GUESS : 0,
		.max_bytes = PORTION };

	if (sc->program.needs & IMAP_NEED_SENT_DATE)
		req.want |= FETCH_STRUCTURE | FETCH_PREFIX;
	if (sc->program.needs & (IMAP_NEED_HEADER | IMAP_NEED_BODY))
		req.want |= FETCH_BODY | FETCH_PREFIX;
	sc->asked = req.uids.n;
	msg_fetch_put(&b, &req);
	imap_session_ask(s, MSG_FETCH, &b, -1, on_portion);
	buf_done(&b);
}

static void
search_more(struct session *s)
{
	struct search_cmd *sc = s->cmd->data;

	if (!sc->left.n)
		end_pass(sc);
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
	buf_init(&sc->found, CANDIDATES_MAX);
	buf_init(&sc->open, CANDIDATES_MAX);
	buf_init(&sc->again, CANDIDATES_MAX);
	if (c->has_modseq)
		session_enable(s, ENABLED_CONDSTORE);
	sc->program.now = loop_time(s->client.sv->loop);
	if (!search_prepare(&sc->program, &s->cmd->arena, c, s->view)) {
		session_no(s, "LIMIT", "The search is too complex");
		return;
	}
	sc->header_only =
	    c->needs & IMAP_NEED_HEADER && !(c->needs & IMAP_NEED_BODY);
	judge_more(s);
}

/* SPDX-License-Identifier: ISC */
/*
 * view.c - the selected mailbox as one session sees it. See view.h.
 */
#include "imap/view.h"

#include "proto/imap/imap_write.h"

struct view *
view_new(const struct msg_mailbox *mb, bool is_readonly)
{
	struct view *v = X_NEW(struct view);

	v->mailbox = mb->id;
	v->name = str_dup(mb->name);
	v->is_readonly = is_readonly;
	v->uidvalidity = mb->uidvalidity;
	v->uidnext = mb->uidnext;
	v->modseq = mb->modseq;
	buf_init(&v->gone, SIZE_MAX / 2);
	buf_init(&v->saved, SIZE_MAX / 2);
	return v;
}

static void
free_keywords(struct view *v)
{
	for (size_t i = 0; i < v->n_keywords; i++)
		str_free(&v->keywords[i]);
	free(v->keywords);
	v->keywords = NULL;
	v->n_keywords = 0;
}

void
view_free(struct view *v)
{
	if (!v)
		return;
	free_keywords(v);
	buf_done(&v->gone);
	buf_done(&v->saved);
	free(v->entries);
	free(v->name);
	free(v);
}

void
view_rename(struct view *v, struct str name)
{
	free(v->name);
	v->name = str_dup(name);
}

size_t
view_lower(const struct view *v, uint32_t uid)
{
	size_t lo = 0, hi = v->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (v->entries[mid].uid < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t
view_seq(const struct view *v, uint32_t uid)
{
	size_t i = view_lower(v, uid);

	return i < v->n && v->entries[i].uid == uid ? (uint32_t)i + 1 : 0;
}

uint32_t
view_count_recent(const struct view *v)
{
	if (!v->recent_from)
		return 0;
	return (uint32_t)(v->n - view_lower(v, v->recent_from));
}

uint32_t
view_first_unseen(const struct view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (!(v->entries[i].flags & IMAP_FLAG_SEEN))
			return (uint32_t)i + 1;
	return 0;
}

bool
view_set_keywords(struct view *v, struct str list)
{
	struct wire w = wire_read(list);
	struct msg_text t;
	struct str *names = x_calloc(IPC_KEYWORDS_MAX, sizeof(*names));
	size_t n = 0;

	while (n < IPC_KEYWORDS_MAX && msg_text_read(&w, &t) &&
	       imap_keyword_is_valid(t.text))
		names[n++] = str_copy(t.text);
	if (!wire_is_complete(&w) || n < v->n_keywords) {
		for (size_t i = 0; i < n; i++)
			str_free(&names[i]);
		free(names);
		return false;
	}
	free_keywords(v);
	v->keywords = names;
	v->n_keywords = n;
	return true;
}

size_t
view_keywords(const struct view *v, const struct ipc_entry *e, struct str *out)
{
	size_t n = 0;

	if (!(e->keywords[0] | e->keywords[1]))
		return 0;
	for (size_t i = 0; i < v->n_keywords; i++)
		if (e->keywords[i / 64] >> (i % 64) & 1)
			out[n++] = v->keywords[i];
	return n;
}

int
view_keyword_index(const struct view *v, struct str name)
{
	for (size_t i = 0; i < v->n_keywords; i++)
		if (str_eq_case(v->keywords[i], name))
			return (int)i;
	return -1;
}

static bool
append_entry(struct view *v, const struct ipc_entry *e)
{
	if (v->n >= VIEW_MESSAGES_MAX)
		return false;
	if (v->n && v->entries[v->n - 1].uid >= e->uid)
		return false;
	v->entries = x_grow(v->entries, &v->cap, v->n + 1, sizeof(*e));
	v->entries[v->n++] = *e;
	if (e->uid >= v->uidnext)
		v->uidnext = e->uid + 1;
	return true;
}

/* Entry number i of a packed list; the host is little-endian or not. */
static struct ipc_entry
unpack(struct str packed, size_t i)
{
	struct wire w =
	    wire_read(str_from(packed, i * sizeof(struct ipc_entry)));
	struct ipc_entry e;

	e.uid = wire_get_u32(&w);
	e.flags = wire_get_u32(&w);
	e.modseq = wire_get_u64(&w);
	e.keywords[0] = wire_get_u64(&w);
	e.keywords[1] = wire_get_u64(&w);
	return e;
}

bool
view_load(struct view *v, struct str packed)
{
	if (packed.n % sizeof(struct ipc_entry))
		return false;
	for (size_t i = 0; i < packed.n / sizeof(struct ipc_entry); i++) {
		struct ipc_entry e = unpack(packed, i);

		if (e.uid == 0 || !append_entry(v, &e))
			return false;
	}
	return true;
}

/* --- taking over changes --------------------------------------------------------- */

void
uid_set_merge(struct buf *into, struct str more)
{
	struct buf merged = BUF_INIT(SIZE_MAX / 2);
	struct str a = buf_str(into), b = more;
	uint32_t af = 0, al = 0, bf = 0, bl = 0;
	bool has_a = uid_set_next(&a, &af, &al);
	bool has_b = uid_set_next(&b, &bf, &bl);

	while (has_a || has_b) {
		bool take_a = has_a && (!has_b || af <= bf);

		uid_set_add(&merged, take_a ? af : bf, take_a ? al : bl);
		if (take_a)
			has_a = uid_set_next(&a, &af, &al);
		else
			has_b = uid_set_next(&b, &bf, &bl);
	}
	buf_done(into);
	*into = merged;
}

void
view_put_vanished(struct str uids, bool is_earlier, struct buf *out)
{
	uint32_t first, last;
	const char *comma = " ";

	if (!uids.n)
		return;
	buf_put_c(out, is_earlier ? "* VANISHED (EARLIER)" : "* VANISHED");
	while (uid_set_next(&uids, &first, &last)) {
		buf_printf(out, "%s%u", comma, first);
		if (last > first)
			buf_printf(out, ":%u", last);
		comma = ",";
	}
	buf_put_c(out, "\r\n");
}

/* Remove what is gone; EXPUNGE numbers are those at the moment each is sent. */
static void
expunge_gone(
    struct view *v, const struct view_apply_options *o, struct buf *out)
{
	struct str set = buf_str(&v->gone);
	struct buf told = BUF_INIT(SIZE_MAX / 2);
	size_t to = 0;
	uint32_t told_gone = 0, first = 0, last = 0;

	for (size_t i = 0; i < v->n; i++) {
		uint32_t uid = v->entries[i].uid;

		/* Both ascend: one pass, however many went. */
		while (last < uid && uid_set_next(&set, &first, &last))
			;
		if (uid < first || uid > last) {
			v->entries[to++] = v->entries[i];
			continue;
		}
		told_gone += i < v->told_exists;
		if (o->with_vanished)
			uid_set_add(&told, uid, uid);
		else if (i < v->told_exists)
			buf_printf(out, "* %zu EXPUNGE\r\n", to + 1);
	}
	view_put_vanished(buf_str(&told), false, out);
	v->told_exists -= told_gone;
	v->n = to;
	buf_done(&told);
	buf_reset(&v->gone, 0);
}

void
view_put_flags(const struct view *v, const struct ipc_entry *e, struct buf *out)
{
	struct str names[IPC_KEYWORDS_MAX];
	unsigned bits = e->flags & IMAP_FLAGS_STORED;

	if (view_is_recent(v, e))
		bits |= IMAP_FLAG_RECENT;
	buf_put_c(out, "FLAGS (");
	imap_put_flags(out, bits, names, view_keywords(v, e, names));
	buf_put_char(out, ')');
}

void
view_put_entry(struct view *v, size_t i, const struct view_apply_options *o,
    struct buf *out)
{
	const struct ipc_entry *e = &v->entries[i];
	bool is_silent = uid_set_has(o->silent, e->uid);

	if (is_silent && !o->with_modseq)
		return;
	imap_put_fetch_open(out, (uint32_t)i + 1);
	if (o->with_uid)
		buf_printf(out, "UID %u ", e->uid);
	if (o->with_modseq)
		buf_printf(out, "MODSEQ (%llu)%s",
		    (unsigned long long)e->modseq, is_silent ? "" : " ");
	if (!is_silent)
		view_put_flags(v, e, out);
	buf_put_c(out, ")\r\n");
}

void
view_put_flags_lines(const struct view *v, struct buf *out)
{
	buf_put_c(
	    out, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft");
	for (size_t i = 0; i < v->n_keywords; i++)
		buf_printf(out, " %.*s", STR_ARG(v->keywords[i]));
	buf_put_c(out, ")\r\n* OK [PERMANENTFLAGS (");
	if (!v->is_readonly) {
		buf_put_c(out, "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
		for (size_t i = 0; i < v->n_keywords; i++)
			buf_printf(out, " %.*s", STR_ARG(v->keywords[i]));
		if (v->n_keywords < IPC_KEYWORDS_MAX)
			buf_put_c(out, " \\*");
	}
	buf_put_c(out, ")] Flags that are kept\r\n");
}

/* Old entries change in place; new ones go to the end. */
static bool
take_entries(struct view *v, struct str packed, const size_t old_n)
{
	for (size_t k = 0; k < packed.n / sizeof(struct ipc_entry); k++) {
		struct ipc_entry e = unpack(packed, k);
		size_t i = view_lower(v, e.uid);

		if (i < v->n && v->entries[i].uid == e.uid) {
			v->entries[i] = e;
		} else if (i < old_n) {
			/* It was expunged from our view already. */
			continue;
		} else if (!append_entry(v, &e)) {
			return false;
		}
	}
	return true;
}

static void
tell_changed(struct view *v, struct str packed, size_t old_n,
    const struct view_apply_options *o, struct buf *out)
{
	for (size_t k = 0; k < packed.n / sizeof(struct ipc_entry); k++) {
		uint32_t seq = view_seq(v, unpack(packed, k).uid);

		if (seq && seq <= old_n)
			view_put_entry(v, seq - 1, o, out);
	}
}

static void
tell_counts(struct view *v, struct buf *out)
{
	uint32_t recent = view_count_recent(v);

	if (v->n != v->told_exists)
		buf_printf(out, "* %zu EXISTS\r\n", v->n);
	if (v->n != v->told_exists || recent != v->told_recent)
		buf_printf(out, "* %u RECENT\r\n", recent);
	v->told_exists = (uint32_t)v->n;
	v->told_recent = recent;
}

static int
by_uid(const void *a, const void *b)
{
	uint32_t ua = ((const struct ipc_entry *)a)->uid;
	uint32_t ub = ((const struct ipc_entry *)b)->uid;

	return ua < ub ? -1 : ua > ub;
}

/* Changes come in the order of their mod-sequence: sort by UID. */
static struct str
sort_entries(struct str packed, struct buf *copy)
{
	size_t n = packed.n / sizeof(struct ipc_entry);
	struct ipc_entry *all = x_calloc(n, sizeof(*all));

	for (size_t i = 0; i < n; i++)
		all[i] = unpack(packed, i);
	qsort(all, n, sizeof(*all), by_uid);
	for (size_t i = 0; i < n; i++) {
		wire_put_u32(copy, all[i].uid);
		wire_put_u32(copy, all[i].flags);
		wire_put_u64(copy, all[i].modseq);
		wire_put_u64(copy, all[i].keywords[0]);
		wire_put_u64(copy, all[i].keywords[1]);
	}
	free(all);
	return buf_str(copy);
}

bool
view_apply(struct view *v, const struct msg_entries_reply *r,
    const struct view_apply_options *o, struct buf *out)
{
	struct buf sorted = BUF_INIT(SIZE_MAX / 2);
	struct str packed;
	bool is_ok;

	if (r->entries.n % sizeof(struct ipc_entry) ||
	    !uid_set_is_valid(r->vanished))
		return false;
	if (r->keywords.n && !view_set_keywords(v, r->keywords))
		return false;
	packed = sort_entries(r->entries, &sorted);
	is_ok = take_entries(v, packed, v->n);
	if (is_ok) {
		if (r->vanished.n)
			uid_set_merge(&v->gone, r->vanished);
		if (o->allow_expunge && v->gone.n)
			expunge_gone(v, o, out);
		size_t old_n = v->told_exists;

		tell_counts(v, out);
		if (v->told_keywords != v->n_keywords) {
			v->told_keywords = v->n_keywords;
			view_put_flags_lines(v, out);
		}
		tell_changed(v, packed, old_n, o, out);
		v->modseq = MAX(v->modseq, r->modseq);
		v->uidnext = MAX(v->uidnext, r->uidnext);
	}
	buf_done(&sorted);
	return is_ok;
}

/* --- what a client need not know any more ---------------------------------------- */

/* Add the UIDs of [lo, hi] that are not in the view. */
static void
add_missing(const struct view *v, uint32_t lo, uint32_t hi, struct buf *to)
{
	size_t i = view_lower(v, lo);
	uint64_t next = lo;

	for (; next <= hi && i < v->n && v->entries[i].uid <= hi; i++) {
		if (v->entries[i].uid > next)
			uid_set_add(to, (uint32_t)next, v->entries[i].uid - 1);
		next = (uint64_t)v->entries[i].uid + 1;
	}
	if (next <= hi)
		uid_set_add(to, (uint32_t)next, hi);
}

/* *among is what the ranges before this one did not use up. */
static void
missing_in(const struct view *v, const struct imap_range *r, struct str *among,
    struct buf *to)
{
	struct str rest = *among;
	uint32_t first, last;

	for (; uid_set_next(&rest, &first, &last) && first <= r->hi;
	     *among = rest) {
		if (last >= r->lo)
			add_missing(v, MAX(first, r->lo), MIN(last, r->hi), to);
		if (last > r->hi)
			return;
	}
}

void
view_missing(const struct view *v, const struct imap_set *known,
    const struct str *among, struct buf *ret_uids)
{
	struct imap_range all = { 1, v->uidnext - 1 };
	struct imap_set everything = { .ranges = &all, .n = 1 };
	const struct imap_set *set = known ? known : &everything;
	struct str left = among ? *among : STR_NONE;

	if (v->uidnext <= 1)
		return;
	for (size_t i = 0; i < set->n; i++) {
		struct imap_range r = set->ranges[i];

		r.hi = MIN(r.hi, all.hi);
		if (r.lo > r.hi)
			continue;
		if (among)
			missing_in(v, &r, &left, ret_uids);
		else
			add_missing(v, r.lo, r.hi, ret_uids);
	}
}

/* --- sets -------------------------------------------------------------------------- */

static bool
resolve_saved(struct view *v, struct buf *ret_uids)
{
	buf_put_str(ret_uids, buf_str(&v->saved));
	return true;
}

bool
view_resolve(struct view *v, struct arena *a, const struct imap_set *set,
    bool is_uid, struct buf *ret_uids)
{
	struct imap_set norm;
	uint32_t max =
	    is_uid ? (v->n ? v->entries[v->n - 1].uid : 0) : (uint32_t)v->n;

	if (set->is_saved)
		return resolve_saved(v, ret_uids);
	/* Numbers beyond the end are an error, UIDs are not. */
	for (size_t i = 0; !is_uid && i < set->n; i++)
		if (set->ranges[i].lo > max || set->ranges[i].hi > max ||
		    max == 0)
			return false;
	if (!imap_set_normalise(a, set, max, &norm))
		return false;
	for (size_t i = 0; i < norm.n; i++) {
		size_t from, to; /* to is behind the last one */

		if (is_uid) {
			from = view_lower(v, norm.ranges[i].lo);
			to = view_lower(v, norm.ranges[i].hi);
			if (to < v->n &&
			    v->entries[to].uid == norm.ranges[i].hi)
				to++;
		} else {
			from = norm.ranges[i].lo - 1;
			to = norm.ranges[i].hi;
		}
		if (from < to)
			uid_set_add(ret_uids, v->entries[from].uid,
			    v->entries[to - 1].uid);
	}
	return true;
}

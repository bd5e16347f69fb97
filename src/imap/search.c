/* SPDX-License-Identifier: ISC */
/*
 * search.c - evaluation of a SEARCH program. See search.h.
 */
#include "imap/search.h"

#define DAY 86400

static bool
prepare_set(struct search_node *n, struct arena *a, struct view *v)
{
	bool is_uid = n->key->op == IMAP_SEARCH_UID;
	uint32_t max =
	    is_uid ? (v->n ? v->entries[v->n - 1].uid : 0) : (uint32_t)v->n;
	const struct imap_set *set = &n->key->u.set;

	/* RFC 3501: a message number beyond the end is a client's error;
	 * in a SEARCH it matches nothing, as other servers do it. */
	return imap_set_normalise(a, set, max, &n->set);
}

static struct search_node *
prepare_node(struct search_program *p, const struct imap_search_key *key,
    struct arena *a, struct view *v)
{
	struct search_node *n = ARENA_NEW(a, struct search_node);
	struct search_node **tail;

	if (!n)
		return NULL;
	n->key = key;
	if (key->op == IMAP_SEARCH_SEQ || key->op == IMAP_SEARCH_UID) {
		if (!prepare_set(n, a, v))
			return NULL;
	} else if (key->op == IMAP_SEARCH_KEYWORD) {
		n->keyword = view_keyword_index(v, key->u.text);
	} else if (key->op == IMAP_SEARCH_HEADER ||
		   key->op == IMAP_SEARCH_BODY || key->op == IMAP_SEARCH_TEXT) {
		mime_needle_init(&n->needle, key->op == IMAP_SEARCH_HEADER
						 ? key->u.header.value
						 : key->u.text);
		n->has_needle = true;
		p->needles++;
	}
	tail = &n->child;
	for (const struct imap_search_key *c = key->child; c; c = c->next) {
		*tail = prepare_node(p, c, a, v);
		if (!*tail)
			return NULL;
		tail = &(*tail)->next;
	}
	return n;
}

bool
search_prepare(struct search_program *p, struct arena *a,
    const struct imap_search *search, struct view *v)
{
	p->needs = search->needs;
	p->needles = 0;
	p->budget = SIZE_MAX;
	p->root = prepare_node(p, search->root, a, v);
	return p->root != NULL;
}

static void
node_done(struct search_node *n)
{
	for (; n; n = n->next) {
		if (n->has_needle)
			mime_needle_done(&n->needle);
		node_done(n->child);
	}
}

void
search_done(struct search_program *p)
{
	node_done(p->root);
	p->root = NULL;
}

/* --- evaluation ---------------------------------------------------------------------- */

static enum verdict
yes_if(bool b)
{
	return b ? VERDICT_YES : VERDICT_NO;
}

static enum verdict
eval_flag(const struct search_node *n, const struct search_message *msg)
{
	unsigned bits = msg->entry->flags;

	if (view_is_recent(msg->view, msg->entry))
		bits |= IMAP_FLAG_RECENT;
	return yes_if(!!(bits & n->key->u.flag.bit) == n->key->u.flag.want);
}

static enum verdict
eval_keyword(const struct search_node *n, const struct search_message *msg)
{
	if (n->keyword < 0)
		return VERDICT_NO;
	return yes_if(
	    msg->entry->keywords[n->keyword / 64] >> (n->keyword % 64) & 1);
}

static enum verdict
eval_size(const struct search_node *n, const struct search_message *msg)
{
	if (!msg->m)
		return VERDICT_UNKNOWN;
	if (n->key->op == IMAP_SEARCH_LARGER)
		return yes_if(msg->m->size > n->key->u.number);
	return yes_if(msg->m->size < n->key->u.number);
}

static enum verdict
compare_day(enum imap_search_op op, int64_t day, int32_t want)
{
	if (op == IMAP_SEARCH_BEFORE || op == IMAP_SEARCH_SENT_BEFORE)
		return yes_if(day < want);
	if (op == IMAP_SEARCH_ON || op == IMAP_SEARCH_SENT_ON)
		return yes_if(day == want);
	return yes_if(day >= want);
}

static enum verdict
eval_date(const struct search_node *n, const struct search_message *msg)
{
	if (!msg->m)
		return VERDICT_UNKNOWN;
	return compare_day(
	    n->key->op, (int64_t)(msg->m->internaldate / DAY), n->key->u.day);
}

static enum verdict
eval_age(const struct search_program *p, const struct search_node *n,
    const struct search_message *msg)
{
	uint64_t edge = p->now - MIN(p->now, n->key->u.number);

	if (!msg->m)
		return VERDICT_UNKNOWN;
	if (n->key->op == IMAP_SEARCH_OLDER)
		return yes_if(msg->m->internaldate <= edge);
	return yes_if(msg->m->internaldate >= edge);
}

/* The Date field in its own zone; INTERNALDATE when there is none. */
static enum verdict
eval_sent(const struct search_node *n, const struct search_message *msg)
{
	const struct mime_structure *v = msg->structure;
	int64_t day;

	if (!msg->m || !v)
		return VERDICT_UNKNOWN;
	day = v->flags & MIME_HAS_DATE ? mime_date_day(v->date)
	                               : (int64_t)(msg->m->internaldate / DAY);
	return compare_day(n->key->op, day, n->key->u.day);
}

static enum verdict
eval_header(const struct search_node *n, const struct search_message *msg)
{
	return yes_if(
	    mime_search_field(
		&n->needle, msg->m->prefix, n->key->u.header.name) ||
	    mime_search_field(&n->needle, msg->header, n->key->u.header.name));
}

static enum verdict
eval_text(const struct search_node *n, const struct search_message *msg)
{
	bool is_text = n->key->op == IMAP_SEARCH_TEXT;
	unsigned which = MIME_TEXT_BODY | (is_text ? MIME_TEXT_HEADER : 0);

	if (is_text && msg->m->prefix.n &&
	    mime_search_message(
		&n->needle, msg->m->prefix, MIME_TEXT_HEADER, NULL))
		return VERDICT_YES;
	return yes_if(
	    mime_search_message(&n->needle, msg->m->body, which, NULL));
}

/* A key with a needle: remembered, or looked for if the budget allows it. */
static enum verdict
eval_needle(struct search_program *p, struct search_node *n,
    const struct search_message *msg)
{
	bool is_header = n->key->op == IMAP_SEARCH_HEADER;
	size_t cost = is_header ? msg->header.n : msg->m ? msg->m->body.n : 0;

	if (!msg->has_body)
		return VERDICT_UNKNOWN;
	if (n->answered_uid == msg->entry->uid)
		return n->answer;
	if (p->budget == 0) {
		p->is_paused = true;
		return VERDICT_UNKNOWN;
	}
	p->budget -= MIN(p->budget, cost + 1);
	n->answer = is_header ? eval_header(n, msg) : eval_text(n, msg);
	n->answered_uid = msg->entry->uid;
	return n->answer;
}

static enum verdict eval_node(struct search_program *p, struct search_node *n,
    const struct search_message *msg);

/* AND ends at the first no, OR at the first yes. */
static enum verdict
eval_list(struct search_program *p, struct search_node *n,
    const struct search_message *msg)
{
	enum verdict ends =
	    n->key->op == IMAP_SEARCH_AND ? VERDICT_NO : VERDICT_YES;
	enum verdict result =
	    n->key->op == IMAP_SEARCH_AND ? VERDICT_YES : VERDICT_NO;

	for (struct search_node *c = n->child; c; c = c->next) {
		enum verdict v = eval_node(p, c, msg);

		if (v == ends)
			return v;
		if (v == VERDICT_UNKNOWN)
			result = v;
	}
	return result;
}

static enum verdict
eval_not(struct search_program *p, struct search_node *n,
    const struct search_message *msg)
{
	enum verdict v = eval_node(p, n->child, msg);

	if (v == VERDICT_UNKNOWN)
		return v;
	return yes_if(v == VERDICT_NO);
}

static bool
is_saved(const struct search_message *msg)
{
	return uid_set_has(buf_str(&msg->view->saved), msg->entry->uid);
}

static enum verdict
eval_node(struct search_program *p, struct search_node *n,
    const struct search_message *msg)
{
	switch (n->key->op) {
	case IMAP_SEARCH_ALL:
		return VERDICT_YES;
	case IMAP_SEARCH_SEQ:
		return yes_if(n->key->u.set.is_saved
				  ? is_saved(msg)
				  : imap_set_has(&n->set, msg->seq));
	case IMAP_SEARCH_UID:
		return yes_if(n->key->u.set.is_saved
				  ? is_saved(msg)
				  : imap_set_has(&n->set, msg->entry->uid));
	case IMAP_SEARCH_SAVED:
		return yes_if(is_saved(msg));
	case IMAP_SEARCH_FLAG:
		return eval_flag(n, msg);
	case IMAP_SEARCH_KEYWORD:
		return eval_keyword(n, msg);
	case IMAP_SEARCH_MODSEQ:
		return yes_if(msg->entry->modseq >= n->key->u.number);
	case IMAP_SEARCH_LARGER:
	case IMAP_SEARCH_SMALLER:
		return eval_size(n, msg);
	case IMAP_SEARCH_BEFORE:
	case IMAP_SEARCH_ON:
	case IMAP_SEARCH_SINCE:
		return eval_date(n, msg);
	case IMAP_SEARCH_OLDER:
	case IMAP_SEARCH_YOUNGER:
		return eval_age(p, n, msg);
	case IMAP_SEARCH_SENT_BEFORE:
	case IMAP_SEARCH_SENT_ON:
	case IMAP_SEARCH_SENT_SINCE:
		return eval_sent(n, msg);
	case IMAP_SEARCH_HEADER:
	case IMAP_SEARCH_BODY:
	case IMAP_SEARCH_TEXT:
		return eval_needle(p, n, msg);
	case IMAP_SEARCH_NOT:
		return eval_not(p, n, msg);
	case IMAP_SEARCH_AND:
	case IMAP_SEARCH_OR:
		return eval_list(p, n, msg);
	}
	return VERDICT_NO;
}

enum verdict
search_eval(struct search_program *p, const struct search_message *msg)
{
	enum verdict v;

	p->is_paused = false;
	v = eval_node(p, p->root, msg);
	p->is_paused &= v == VERDICT_UNKNOWN;
	return v;
}

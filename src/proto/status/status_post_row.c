/* SPDX-License-Identifier: ISC */
/* status_post_row.c - posts and their updates as rows. See status_post.h. */
#include "proto/status/status_post.h"

#define VERSION_POST    1
#define VERSION_UPDATE  1
#define VERSION_COUNTER 1

enum flag { IS_IMPORTED = 1, IS_QUIET = 2, IS_AUTO = 4, FLAGS = 7 };

static void
put_affects(struct buf *to, const struct status_affects *a)
{
	wire_put_varint(to, a->n);
	for (size_t i = 0; i < a->n; i++) {
		wire_put_vstr(to, a->v[i].system);
		wire_put_u8(to, (uint8_t)a->v[i].impact);
	}
}

static void
get_affects(struct wire *w, struct status_affects *ret)
{
	uint64_t n = wire_get_varint(w);

	if (n > STATUS_AFFECTED_MAX)
		w->failed = true;
	for (size_t i = 0; i < n && !w->failed; i++) {
		ret->v[i].system = wire_get_vstr(w);
		ret->v[i].impact = (enum status_impact)wire_get_u8(w);
		ret->n = i + 1;
	}
}

static void
put_list(struct buf *to, const struct str *v, size_t n)
{
	wire_put_varint(to, n);
	for (size_t i = 0; i < n; i++)
		wire_put_vstr(to, v[i]);
}

static size_t
get_list(struct wire *w, struct str *v, size_t max)
{
	uint64_t n = wire_get_varint(w);
	size_t i;

	if (n > max)
		w->failed = true;
	for (i = 0; i < n && !w->failed; i++)
		v[i] = wire_get_vstr(w);
	return i;
}

void
status_counter_encode(uint32_t last, struct buf *to)
{
	wire_put_u8(to, VERSION_COUNTER);
	wire_put_varint(to, last);
}

bool
status_counter_decode(struct str value, uint32_t *ret_last)
{
	struct wire w = wire_read_version(value, VERSION_COUNTER);
	uint32_t last = wire_get_v32(&w);

	if (value.n == 0) {
		*ret_last = 0;
		return true;
	}
	if (!wire_is_complete(&w) || last > STATUS_POST_MAX)
		return false;
	*ret_last = last;
	return true;
}

/* The times in the order in which they lie in a row. */
#define POST_TIMES(p) \
	{ \
		&(p)->created_s, &(p)->published_s, &(p)->edited_s, \
		    &(p)->changed_s, &(p)->resolved_s, &(p)->next_update_s, \
		    &(p)->from_s, &(p)->to_s \
	}

void
status_post_encode(const struct status_post *p, struct buf *to)
{
	const uint64_t *const times[] = POST_TIMES(p);

	wire_put_u8(to, VERSION_POST);
	wire_put_u8(to, (uint8_t)p->kind);
	wire_put_u8(to, (uint8_t)p->state);
	wire_put_u8(to, (uint8_t)((p->is_imported ? IS_IMPORTED : 0) |
				  (p->is_quiet ? IS_QUIET : 0) |
				  (p->is_auto ? IS_AUTO : 0)));
	wire_put_vstr(to, p->title);
	wire_put_vstr(to, p->slug);
	wire_put_vstr(to, p->author);
	wire_put_vstr(to, p->language);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		wire_put_varint(to, *times[i]);
	wire_put_varint(to, p->incident);
	wire_put_varint(to, p->last_update);
	put_affects(to, &p->affects);
	put_list(to, p->tags, p->n_tags);
	put_list(to, p->categories, p->n_categories);
	wire_put_vstr(to, p->body);
}

bool
status_post_decode(struct str value, struct status_post *ret)
{
	struct wire w = wire_read_version(value, VERSION_POST);
	struct status_post p = { 0 };
	uint64_t *const times[] = POST_TIMES(&p);
	struct status_fault fault;
	uint8_t flags;

	p.kind = (enum status_post_kind)wire_get_u8(&w);
	p.state = (enum status_state)wire_get_u8(&w);
	flags = wire_get_u8(&w);
	p.is_imported = flags & IS_IMPORTED;
	p.is_quiet = flags & IS_QUIET;
	p.is_auto = flags & IS_AUTO;
	p.title = wire_get_vstr(&w);
	p.slug = wire_get_vstr(&w);
	p.author = wire_get_vstr(&w);
	p.language = wire_get_vstr(&w);
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		*times[i] = wire_get_varint(&w);
	p.incident = wire_get_v32(&w);
	p.last_update = wire_get_v32(&w);
	get_affects(&w, &p.affects);
	p.n_tags = get_list(&w, p.tags, STATUS_TAGS_MAX);
	p.n_categories = get_list(&w, p.categories, STATUS_CATEGORIES_MAX);
	p.body = wire_get_vstr(&w);
	if ((flags & ~FLAGS) || !wire_is_complete(&w) ||
	    !status_post_is_sane(&p, &fault))
		return false;
	*ret = p;
	return true;
}

void
status_update_encode(const struct status_update *u, struct buf *to)
{
	wire_put_u8(to, VERSION_UPDATE);
	wire_put_u8(to, (uint8_t)u->state);
	wire_put_u8(to, (uint8_t)((u->is_quiet ? IS_QUIET : 0) |
				  (u->is_auto ? IS_AUTO : 0)));
	wire_put_varint(to, u->created_s);
	wire_put_varint(to, u->edited_s);
	wire_put_varint(to, u->next_update_s);
	wire_put_vstr(to, u->author);
	put_affects(to, &u->affects);
	wire_put_vstr(to, u->body);
}

/* A state is of one kind of post, or of two that have no other. */
static enum status_post_kind
kind_of(enum status_state s)
{
	if (status_state_is_of(s, STATUS_INCIDENT))
		return STATUS_INCIDENT;
	if (status_state_is_of(s, STATUS_PLANNED))
		return STATUS_PLANNED;
	return STATUS_NOTICE;
}

bool
status_update_decode(struct str value, struct status_update *ret)
{
	struct wire w = wire_read_version(value, VERSION_UPDATE);
	struct status_update u = { 0 };
	struct status_fault fault;
	uint8_t flags;

	u.state = (enum status_state)wire_get_u8(&w);
	flags = wire_get_u8(&w);
	u.is_quiet = flags & IS_QUIET;
	u.is_auto = flags & IS_AUTO;
	u.created_s = wire_get_varint(&w);
	u.edited_s = wire_get_varint(&w);
	u.next_update_s = wire_get_varint(&w);
	u.author = wire_get_vstr(&w);
	get_affects(&w, &u.affects);
	u.body = wire_get_vstr(&w);
	if ((flags & ~(IS_QUIET | IS_AUTO)) || !wire_is_complete(&w) ||
	    !status_update_is_sane(&u, kind_of(u.state), &fault))
		return false;
	*ret = u;
	return true;
}

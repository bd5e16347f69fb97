/* SPDX-License-Identifier: ISC */
/*
 * kept.c - large messages that clients read piece by piece. See kept.h.
 */
#include "imap/kept.h"

#include <sys/mman.h>
#include <sys/stat.h>

#define ITEM_MAX MIB(24) /* of a store's reply, without the body */

struct kept_body {
	TAILQ_ENTRY(kept_body) link;
	const struct session *owner;
	uint32_t mailbox, uid;
	struct body_map *map;
	struct buf item; /* encoded, its body empty */
};

/* Sizes of messages, each in memory until its last byte was read. */
static bool
is_too_much(struct session *s, uint64_t size)
{
	uint64_t all = 0, own = 0;
	struct body_map *map;

	LIST_FOREACH(map, &s->client.sv->maps, link)
	{
		all += map->bytes.n;
		if (strcmp(map->login, s->client.login) == 0)
			own += map->bytes.n;
	}
	return (own > 0 && own + size > SERVER_MAPS_ACCOUNT_MAX) ||
	       (all > 0 && all + size > SERVER_MAPS_MAX);
}

struct body_map *
body_map_new(struct session *s, int fd, bool *ret_is_limit)
{
	struct body_map *map;
	struct stat st;
	void *bytes;

	*ret_is_limit = false;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return NULL;
	*ret_is_limit = is_too_much(s, (uint64_t)st.st_size);
	if (*ret_is_limit)
		return NULL;
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return NULL;
	map = X_NEW(struct body_map);
	map->bytes = str_make(bytes, (size_t)st.st_size);
	map->refs = 1;
	map->login = x_strdup(s->client.login);
	LIST_INSERT_HEAD(&s->client.sv->maps, map, link);
	return map;
}

struct body_map *
body_map_ref(struct body_map *map)
{
	map->refs++;
	return map;
}

void
body_map_unref(void *arg)
{
	struct body_map *map = arg;

	if (--map->refs)
		return;
	(void)munmap((void *)(uintptr_t)map->bytes.p, map->bytes.n);
	LIST_REMOVE(map, link);
	free(map->login);
	free(map);
}

static void
forget(struct server *sv, struct kept_body *k)
{
	TAILQ_REMOVE(&sv->kept, k, link);
	sv->kept_bytes -= k->map->bytes.n;
	body_map_unref(k->map);
	buf_done(&k->item);
	free(k);
}

static struct kept_body *
find(const struct session *s, uint32_t uid)
{
	struct kept_body *k;

	TAILQ_FOREACH(k, &s->client.sv->kept, link)
	if (k->owner == s && k->mailbox == s->view->mailbox && k->uid == uid)
		return k;
	return NULL;
}

void
kept_put(
    struct session *s, const struct msg_fetch_item *item, struct body_map *map)
{
	struct server *sv = s->client.sv;
	struct msg_fetch_item bare = *item;
	struct kept_body *k;

	if (map->bytes.n > SERVER_KEPT_MAX / 2 || find(s, item->uid))
		return;
	while (sv->kept_bytes + map->bytes.n > SERVER_KEPT_MAX)
		forget(sv, TAILQ_LAST(&sv->kept, kept_list));
	bare.body = STR_NONE;
	k = X_NEW(struct kept_body);
	k->owner = s;
	k->mailbox = s->view->mailbox;
	k->uid = item->uid;
	k->map = body_map_ref(map);
	buf_init(&k->item, ITEM_MAX);
	msg_fetch_item_put(&k->item, &bare);
	TAILQ_INSERT_HEAD(&sv->kept, k, link);
	sv->kept_bytes += map->bytes.n;
}

struct body_map *
kept_find(struct session *s, uint32_t uid, struct msg_fetch_item *ret_item)
{
	struct kept_body *k = find(s, uid);

	if (!k || !msg_fetch_item_get(buf_str(&k->item), ret_item))
		return NULL;
	TAILQ_REMOVE(&s->client.sv->kept, k, link);
	TAILQ_INSERT_HEAD(&s->client.sv->kept, k, link);
	ret_item->body = k->map->bytes;
	return k->map;
}

void
kept_drop(struct session *s)
{
	struct kept_body *k, *next;

	for (k = TAILQ_FIRST(&s->client.sv->kept); k; k = next) {
		next = TAILQ_NEXT(k, link);
		if (k->owner == s)
			forget(s->client.sv, k);
	}
}

/* SPDX-License-Identifier: ISC */
/*
 * ipc_msgs.c - encoders and decoders made from ipc_structs.def, the table of
 * who may send what, and UID sets. See ipc_msgs.h.
 */
#include "proc/ipc_msgs.h"

#include "base/hash.h"

#include <endian.h>

#define SUP    ROLE_BIT(ROLE_SUPERVISOR)
#define STORE  ROLE_BIT(ROLE_STORE)
#define AUTH   ROLE_BIT(ROLE_AUTH)
#define FILTER ROLE_BIT(ROLE_FILTER)
#define SMTP   ROLE_BIT(ROLE_SMTP)
#define IMAP   ROLE_BIT(ROLE_IMAP)
#define SEND   ROLE_BIT(ROLE_SEND)
#define WATCH  ROLE_BIT(ROLE_WATCH)
#define WEB    ROLE_BIT(ROLE_WEB)
#define ACME   ROLE_BIT(ROLE_ACME)
#define CLI    ROLE_BIT(ROLE_CLI)
#define ALL    (STORE | AUTH | FILTER | SMTP | IMAP | SEND | WATCH | WEB | ACME)
#define ASK    MSG_ASK
#define FD     MSG_FD
#define GRANT  MSG_GRANT
#define RFD    MSG_REPLY_FD
#define LOOK   MSG_LOOK

static const struct msg_rule rules[] = {
#define MSG(name_, from_, to_, flags_, max_) \
	[MSG_##name_] = { #name_, from_, to_, flags_, max_ },
#include "proc/ipc_msgs.def"
#undef MSG
};

const struct msg_rule *
msg_rule(unsigned type)
{
	return type < ARRAY_LEN(rules) ? &rules[type] : NULL;
}

#define F(type, field) wire_put_##type(b, m->field);
#define STRUCT(name, fields) \
	void msg_##name##_put(struct buf *b, const struct msg_##name *m) \
	{ \
		fields \
	}
#include "proc/ipc_structs.def"
#undef STRUCT
#undef F

#define F(type, field) m.field = wire_get_##type(w);
#define STRUCT(name, fields) \
	bool msg_##name##_read(struct wire *w, struct msg_##name *ret) \
	{ \
		struct msg_##name m; \
\
		if (w->failed || w->in.n == 0) \
			return false; \
		fields if (w->failed) return false; \
		*ret = m; \
		return true; \
	} \
	bool msg_##name##_get(struct str body, struct msg_##name *ret) \
	{ \
		struct wire w = wire_read(body); \
		struct msg_##name m; \
\
		if (!msg_##name##_read(&w, &m) || !wire_is_complete(&w)) \
			return false; \
		*ret = m; \
		return true; \
	}
#include "proc/ipc_structs.def"
#undef STRUCT
#undef F

uint64_t
ipc_layout(void)
{
	/* The tables as they are written, without their comments. */
#define STRUCT(name, fields)                 #name #fields
#define MSG(name_, from_, to_, flags_, max_) #name_
	static const char text[] =
#include "proc/ipc_structs.def"
#include "proc/ipc_msgs.def"
	    ;
#undef STRUCT
#undef MSG

	return hash64(text, sizeof(text) - 1);
}

const char *
reason_str(enum reason r)
{
	static const char *const names[] = {
		[REASON_NONE] = "none",
		[REASON_INTERNAL] = "internal",
		[REASON_GONE] = "gone",
		[REASON_IO] = "io",
		[REASON_DISK_FULL] = "disk-full",
		[REASON_OVERQUOTA] = "overquota",
		[REASON_TOO_BIG] = "too-big",
		[REASON_LIMIT] = "limit",
		[REASON_NO_MAILBOX] = "no-mailbox",
		[REASON_EXISTS] = "exists",
		[REASON_NAME] = "name",
		[REASON_HAS_CHILDREN] = "has-children",
		[REASON_FORBIDDEN] = "forbidden",
		[REASON_NOT_LOCAL] = "not-local",
		[REASON_NO_USER] = "no-user",
		[REASON_NO_DOMAIN] = "no-domain",
		[REASON_IN_USE] = "in-use",
		[REASON_LOOP] = "loop",
		[REASON_NOT_GRANTED] = "not-granted",
		[REASON_AUTH] = "auth",
		[REASON_AUTH_KNOWN] = "auth",
		[REASON_AUTH_MECHANISM] = "auth-mechanism",
		[REASON_AUTH_SYNTAX] = "auth-syntax",
		[REASON_BANNED] = "banned",
		[REASON_CORRUPT] = "corrupt",
		[REASON_CONFLICT] = "conflict",
		[REASON_QUEUE_LIMIT] = "queue-limit",
		[REASON_BLOCKED] = "blocked",
	};

	return (unsigned)r < ARRAY_LEN(names) ? names[r] : "unknown";
}

#define UID_PAIR 8

static void
read_pair(struct str set, size_t index, uint32_t *first, uint32_t *last)
{
	struct wire w = wire_read(str_sub(set, index * UID_PAIR, UID_PAIR));

	*first = wire_get_u32(&w);
	*last = wire_get_u32(&w);
}

void
uid_set_add(struct buf *b, uint32_t first, uint32_t last)
{
	uint32_t f, l;

	if (b->n >= UID_PAIR) {
		read_pair(buf_str(b), b->n / UID_PAIR - 1, &f, &l);
		if (first == l + 1 && l != UINT32_MAX) {
			b->n -= UID_PAIR;
			first = f;
		}
	}
	wire_put_u32(b, first);
	wire_put_u32(b, last);
}

bool
uid_set_next(struct str *set, uint32_t *ret_first, uint32_t *ret_last)
{
	if (set->n < UID_PAIR)
		return false;
	read_pair(*set, 0, ret_first, ret_last);
	*set = str_from(*set, UID_PAIR);
	return true;
}

bool
uid_set_is_valid(struct str set)
{
	uint64_t above = 0;
	uint32_t first, last;

	if (set.n % UID_PAIR)
		return false;
	while (uid_set_next(&set, &first, &last)) {
		if (first <= above || last < first)
			return false;
		above = last;
	}
	return true;
}

bool
uid_set_has(struct str set, uint32_t uid)
{
	size_t lo = 0, hi = set.n / UID_PAIR;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		uint32_t first, last;

		read_pair(set, mid, &first, &last);
		if (uid < first)
			hi = mid;
		else if (uid > last)
			lo = mid + 1;
		else
			return true;
	}
	return false;
}

struct str
uid_set_after(struct buf *all, struct str left, size_t asked, uint32_t next_uid)
{
	struct str set = str_first(left, asked);
	uint32_t first, last;

	while (next_uid && uid_set_next(&set, &first, &last)) {
		size_t at = (size_t)(set.p - all->p) - UID_PAIR;
		uint32_t cut = htole32(next_uid);

		if (last < next_uid)
			continue;
		if (first < next_uid)
			memcpy(all->p + at, &cut, sizeof(cut));
		return str_from(buf_str(all), at);
	}
	return str_from(left, asked);
}

/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/proc/ipc_frame.c src/proc/ipc_msgs.c src/proc/role.c
 *
 * ipc_fuzz.c - frames and bodies of internal messages from a hostile process.
 *
 * The first two bytes choose the two ends, the rest is a stream. What passes
 * as a frame is within its limit and is the same bytes when encoded again; a
 * cut stream never passes as something else. Each body goes through every
 * decoder: what decodes encodes to the same bytes.
 */
#include "proc/ipc_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_bodies(struct str body)
{
	struct buf b = BUF_INIT(MIB(64));

#define F(type, field)
#define STRUCT(name, fields) \
	{ \
		struct msg_##name m; \
\
		if (msg_##name##_get(body, &m)) { \
			buf_reset(&b, MIB(1)); \
			msg_##name##_put(&b, &m); \
			ASSERT(str_eq(buf_str(&b), body)); \
		} \
	}
#include "proc/ipc_structs.def"
#undef STRUCT
#undef F
	buf_done(&b);
}

static void
check_sets(struct str set)
{
	uint32_t first, last, before = 0;

	if (!uid_set_is_valid(set))
		return;
	for (struct str rest = set; uid_set_next(&rest, &first, &last);) {
		ASSERT(first > before && last >= first);
		ASSERT(uid_set_has(set, first) && uid_set_has(set, last));
		before = last;
	}
}

static void
check_frame(
    struct str in, struct ipc_ends ends, const struct ipc_frame *f, size_t used)
{
	const struct msg_rule *rule = msg_rule(f->type);
	char header[IPC_HEADER_BYTES];
	struct ipc_frame again;
	const char *why;
	size_t need;

	ASSERT(rule != NULL && used == IPC_HEADER_BYTES + f->body.n);
	ASSERT(f->body.n <= (f->is_reply ? IPC_REPLY_MAX : rule->max_body));
	ASSERT(ipc_frame_refusal(f, f->body.n, ends) == NULL);
	ipc_frame_header(f, header);
	ASSERT(memcmp(header, in.p, sizeof(header)) == 0);
	for (size_t n = 0; n < used && n < 64; n++)
		ASSERT(ipc_frame_next(str_first(in, n), ends, &again, &need,
			   &why) == IPC_FRAME_MORE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_ends ends;
	struct str in = str_make(data, size);
	struct ipc_frame f;
	const char *why;
	size_t need;

	if (size < 2)
		return 0;
	ends.sender = (enum role)(data[0] % ROLE_COUNT);
	ends.receiver = (enum role)(data[1] % ROLE_COUNT);
	in = str_from(in, 2);
	check_bodies(in);
	check_sets(in);
	for (;;) {
		enum ipc_verdict v = ipc_frame_next(in, ends, &f, &need, &why);

		if (v == IPC_FRAME_MORE) {
			ASSERT(need > in.n);
			ASSERT(need <= IPC_HEADER_BYTES + IPC_REPLY_MAX);
		}
		if (v != IPC_FRAME_OK)
			break;
		check_frame(in, ends, &f, need);
		check_bodies(f.body);
		in = str_from(in, need);
	}
	return 0;
}

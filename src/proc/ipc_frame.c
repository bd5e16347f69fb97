/* SPDX-License-Identifier: ISC */
/*
 * ipc_frame.c - frames of the internal protocol. See ipc_frame.h.
 */
#include "proc/ipc_frame.h"

const char *
ipc_frame_refusal(
    const struct ipc_frame *f, size_t body_bytes, struct ipc_ends ends)
{
	const struct msg_rule *rule = msg_rule(f->type);
	/* A reply travels against the direction of its request. */
	enum role asker = f->is_reply ? ends.receiver : ends.sender;
	enum role answerer = f->is_reply ? ends.sender : ends.receiver;

	if (rule == NULL)
		return "unknown message";
	if (!(rule->from & ROLE_BIT(asker)) || !(rule->to & ROLE_BIT(answerer)))
		return "not allowed from this sender";
	if (body_bytes > (f->is_reply ? IPC_REPLY_MAX : rule->max_body))
		return "too long";
	if (f->has_fd && !(rule->flags & (f->is_reply ? MSG_REPLY_FD : MSG_FD)))
		return "descriptor not allowed";
	if (f->is_reply && (!(rule->flags & MSG_ASK) || f->id == 0))
		return "reply without a request";
	if (!f->is_reply && f->id != 0 && !(rule->flags & MSG_ASK))
		return "this message has no reply";
	if (!f->is_reply && f->outcome != DONE)
		return "outcome in a request";
	return NULL;
}

enum ipc_verdict
ipc_frame_next(struct str in, struct ipc_ends ends, struct ipc_frame *ret,
    size_t *ret_need, const char **ret_why)
{
	struct wire w = wire_read(in);
	struct ipc_frame f = { 0 };
	unsigned type, flags, outcome;
	const char *why;
	size_t n;

	if (in.n < IPC_HEADER_BYTES) {
		*ret_need = IPC_HEADER_BYTES;
		return IPC_FRAME_MORE;
	}
	n = wire_get_u32(&w);
	type = wire_get_u16(&w);
	flags = wire_get_u8(&w);
	outcome = wire_get_u8(&w);
	f.id = wire_get_u32(&w);
	f.session = wire_get_u32(&w);
	f.type = (enum msg_type)type;
	f.is_reply = flags & IPC_FLAG_REPLY;
	f.has_fd = flags & IPC_FLAG_FD;
	f.outcome = (enum outcome)outcome;
	why = ipc_frame_refusal(&f, n, ends);
	if (why == NULL && (flags & ~(IPC_FLAG_REPLY | IPC_FLAG_FD)))
		why = "unknown flag";
	if (why == NULL && outcome > PERMFAIL)
		why = "unknown outcome";
	if (why != NULL) {
		*ret_why = why;
		return IPC_FRAME_BAD;
	}
	*ret_need = IPC_HEADER_BYTES + n;
	if (in.n < *ret_need)
		return IPC_FRAME_MORE;
	f.body = str_sub(in, IPC_HEADER_BYTES, n);
	*ret = f;
	return IPC_FRAME_OK;
}

void
ipc_frame_header(const struct ipc_frame *f, char *to)
{
	/* Encoded in place: this runs for every message. */
	struct buf b = {
		.p = to, .cap = IPC_HEADER_BYTES, .max = IPC_HEADER_BYTES
	};
	unsigned flags =
	    (f->is_reply ? IPC_FLAG_REPLY : 0) | (f->has_fd ? IPC_FLAG_FD : 0);

	ASSERT(f->body.n <= UINT32_MAX);
	wire_put_u32(&b, (uint32_t)f->body.n);
	wire_put_u16(&b, (uint16_t)f->type);
	wire_put_u8(&b, (uint8_t)flags);
	wire_put_u8(&b, (uint8_t)f->outcome);
	wire_put_u32(&b, f->id);
	wire_put_u32(&b, f->session);
	ASSERT(b.p == to && b.n == IPC_HEADER_BYTES);
}

static bool
asks(enum role from, enum role to, unsigned flags)
{
	const struct msg_rule *rule;

	for (unsigned i = 0; (rule = msg_rule(i)) != NULL; i++)
		if ((rule->from & ROLE_BIT(from)) &&
		    (rule->to & ROLE_BIT(to)) && (rule->flags & flags) == flags)
			return true;
	return false;
}

bool
ipc_may_pause(struct ipc_ends e)
{
	return asks(e.receiver, e.sender, MSG_ASK) &&
	       !asks(e.sender, e.receiver, MSG_ASK);
}

bool
ipc_is_linked(enum role a, enum role b)
{
	return asks(a, b, 0) || asks(b, a, 0);
}

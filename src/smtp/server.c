/* SPDX-License-Identifier: ISC */
/* server.c - the ids that a worker gives to sessions and messages. */
#include "smtp/server.h"

#include "smtp/envelope.h"

uint32_t
server_session_id(struct server *sv)
{
	if (++sv->next_session == 0)
		sv->next_session = 1;
	return sv->next_session;
}

void
server_trace_id(struct server *sv, char ret[TRACE_ID_LEN + 1])
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	uint64_t v = loop_time(sv->loop) << 32 |
	             (uint64_t)(runtime_worker(sv->rt) & 0xfff) << 20 |
	             (sv->next_trace++ & 0xfffff);

	for (int i = TRACE_ID_LEN; i-- > 0; v >>= 5)
		ret[i] = digits[v & 31];
	ret[TRACE_ID_LEN] = '\0';
}

uint32_t
server_rcpts_max(const struct server *sv)
{
	return MIN(sv->conf->recipients_max, ENVELOPE_RCPTS_MAX);
}

/* SPDX-License-Identifier: ISC */
/* server.c - the ids that a worker gives to sessions and messages. */
#include "smtp/server.h"

#include "base/secret.h"
#include "smtp/envelope.h"

#define TIME_DIGITS 13 /* 65 bits: time, worker, counter */

/* Workers are numbered anew when the supervisor is, and so may be the second:
 * a counter from 0 would say the same again. */
void
server_ids_init(struct server *sv)
{
	secret_random(&sv->next_trace, sizeof(sv->next_trace));
	secret_random(&sv->trace_salt, sizeof(sv->trace_salt));
}

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
	uint32_t salt = sv->trace_salt;
	uint64_t v = loop_time(sv->loop) << 32 |
	             (uint64_t)(runtime_worker(sv->rt) & 0xfff) << 20 |
	             (sv->next_trace++ & 0xfffff);

	for (int i = TIME_DIGITS; i-- > 0; v >>= 5)
		ret[i] = digits[v & 31];
	for (int i = TIME_DIGITS; i < TRACE_ID_LEN; i++, salt >>= 5)
		ret[i] = digits[salt & 31];
	ret[TRACE_ID_LEN] = '\0';
}

uint32_t
server_rcpts_max(const struct server *sv)
{
	return MIN(sv->conf->recipients_max, ENVELOPE_RCPTS_MAX);
}

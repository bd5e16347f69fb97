/* SPDX-License-Identifier: ISC */
/*
 * stand_in_phone.c - a telephone system that tells that it is there (RFC 3261 section
 * 11), and takes no calls. See stand_in.h.
 */
#include "cli/demo/stand_in.h"
#include "proto/sip/sip_serve.h"

static void
answer(const struct sip_request *r, const struct stand_in_peer *peer,
    struct buf *out)
{
	bool is_options = str_eq(r->method, STR("OPTIONS"));
	struct sip_answer a = { .code = is_options ? 200 : 405,
		.reason = is_options ? "OK" : "Method Not Allowed",
		.allow = "OPTIONS",
		.tag = "stand-in",
		.peer_ip = peer->ip,
		.peer_port = peer->port };

	/* Section 17.1.1.3: nobody answers it. */
	if (!str_eq(r->method, STR("ACK")))
		sip_answer_put(out, r, &a);
}

void
stand_in_sip_packet(
    struct str in, const struct stand_in_peer *peer, struct buf *out)
{
	struct sip_request r;

	if (sip_request_read(in, &r) == SIP_ASKED)
		answer(&r, peer, out);
}

size_t
stand_in_sip_stream(struct str in, const struct stand_in_peer *peer,
    struct buf *out, bool *ret_is_over)
{
	struct sip_request r = { 0 };
	size_t blank = 0;

	*ret_is_over = false;
	/* Section 7.5: empty lines in front of a request are nothing. */
	while (
	    blank + 1 < in.n && in.p[blank] == '\r' && in.p[blank + 1] == '\n')
		blank += 2;
	if (blank > 0)
		return blank;
	switch (sip_request_read(in, &r)) {
	case SIP_ASKED_MORE:
		return 0;
	case SIP_ASKED_BAD:
		*ret_is_over = true;
		return in.n;
	case SIP_ASKED:
		break;
	}
	answer(&r, peer, out);
	return r.n;
}

/* SPDX-License-Identifier: ISC */
/* reach_event.c - events to bytes and back. See reach_event.h. */
#include "proto/reach/reach_event.h"

const char *
reach_end_name(enum reach_end e)
{
	static const char *const names[REACH_ENDS] = {
		[REACH_END_WELL] = "well",
		[REACH_END_LEFT] = "left",
		[REACH_END_RESET] = "reset",
		[REACH_END_TIMEOUT] = "timeout",
		[REACH_END_TLS] = "tls",
		[REACH_END_AUTH] = "auth",
		[REACH_END_BAN] = "ban",
		[REACH_END_LIMIT] = "limit",
		[REACH_END_SERVER] = "server",
	};

	return (unsigned)e < REACH_ENDS ? names[e] : "unknown";
}

const char *
reach_tls_name(enum reach_tls v)
{
	static const char *const names[REACH_TLS_VERSIONS] = {
		[REACH_TLS_NONE] = "none",
		[REACH_TLS_OLDER] = "older",
		[REACH_TLS_10] = "TLSv1.0",
		[REACH_TLS_11] = "TLSv1.1",
		[REACH_TLS_12] = "TLSv1.2",
		[REACH_TLS_13] = "TLSv1.3",
	};

	return (unsigned)v < REACH_TLS_VERSIONS ? names[v] : "unknown";
}

enum reach_tls
reach_tls_of(uint16_t wire)
{
	if (wire == 0)
		return REACH_TLS_NONE;
	if (wire < 0x0301)
		return REACH_TLS_OLDER;
	return (enum reach_tls)MIN(
	    (unsigned)REACH_TLS_10 + (wire - 0x0301U), (unsigned)REACH_TLS_13);
}

void
reach_event_put(struct buf *b, const struct reach_event *e)
{
	wire_put_u8(b, e->service);
	wire_put_u16(b, e->port);
	wire_put_u8(b, e->family);
	buf_put(b, e->address, sizeof(e->address));
	wire_put_u8(b, e->stages);
	wire_put_u8(b, e->end);
	wire_put_u8(b, e->alert);
	wire_put_u8(b, e->own_alert);
	wire_put_u8(b, e->tls);
	wire_put_u32(b, e->rtt_us);
	wire_put_u16(b, e->retransmits);
	wire_put_u64(b, e->account);
	wire_put_u64(b, e->organisation);
}

static bool
is_sane(const struct reach_event *e)
{
	return e->service < REACH_SERVICES &&
	       (e->family == 4 || e->family == 6) &&
	       (e->stages & ~REACH_STAGES) == 0 && e->end < REACH_ENDS &&
	       e->tls < REACH_TLS_VERSIONS;
}

bool
reach_event_read(struct wire *w, struct reach_event *ret)
{
	struct reach_event e = { 0 };
	struct str address;

	if (w->in.n == 0 || w->failed)
		return false;
	e.service = wire_get_u8(w);
	e.port = wire_get_u16(w);
	e.family = wire_get_u8(w);
	address = wire_get_bytes(w, sizeof(e.address));
	e.stages = wire_get_u8(w);
	e.end = wire_get_u8(w);
	e.alert = wire_get_u8(w);
	e.own_alert = wire_get_u8(w);
	e.tls = wire_get_u8(w);
	e.rtt_us = wire_get_u32(w);
	e.retransmits = wire_get_u16(w);
	e.account = wire_get_u64(w);
	e.organisation = wire_get_u64(w);
	if (w->failed || !is_sane(&e)) {
		w->failed = true;
		return false;
	}
	memcpy(e.address, address.p, sizeof(e.address));
	*ret = e;
	return true;
}

const char *
reach_alert_name(uint8_t alert)
{
	static const struct {
		uint8_t alert;
		const char *name;
	} names[] = {
		{ 10, "unexpected_message" },
		{ 20, "bad_record_mac" },
		{ 22, "record_overflow" },
		{ 40, "handshake_failure" },
		{ 42, "bad_certificate" },
		{ 43, "unsupported_certificate" },
		{ 44, "certificate_revoked" },
		{ 45, "certificate_expired" },
		{ 46, "certificate_unknown" },
		{ 47, "illegal_parameter" },
		{ 48, "unknown_ca" },
		{ 49, "access_denied" },
		{ 50, "decode_error" },
		{ 51, "decrypt_error" },
		{ 70, "protocol_version" },
		{ 71, "insufficient_security" },
		{ 80, "internal_error" },
		{ 86, "inappropriate_fallback" },
		{ 90, "user_canceled" },
		{ 109, "missing_extension" },
		{ 110, "unsupported_extension" },
		{ 112, "unrecognized_name" },
		{ 113, "bad_certificate_status_response" },
		{ 115, "unknown_psk_identity" },
		{ 116, "certificate_required" },
		{ 120, "no_application_protocol" },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].alert == alert)
			return names[i].name;
	return NULL;
}

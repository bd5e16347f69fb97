/* SPDX-License-Identifier: ISC */
/* signed.c - DNSSEC in probes. See signed.h. */
#include "watch/probe/signed.h"

#include "proto/http/http_text.h"

#define DAY_S 86400

static bool
is_wanted(const struct probe *p)
{
	return status_check_is(p->check, STATUS_OPT_DNSSEC, false);
}

/* The fewest days of all that this probe has seen. */
static void
note_days(struct probe *p, uint64_t left_s)
{
	p->days =
	    (uint16_t)MIN(p->days, MIN(left_s / DAY_S, PROBE_NO_DAYS - 1));
	p->has_signed = true;
}

bool
signed_can_judge(struct probe *p)
{
	if (!is_wanted(p) || p->sv->validates)
		return true;
	probe_unclear(p, "signatures are not checked here: dns.dnssec is off, "
			 "or there is no trust anchor (dns.trust_anchor; "
			 "Debian's is in package dns-root-data)");
	return false;
}

bool
signed_judge_answer(struct probe *p, const struct dns_answer *a)
{
	uint64_t now = loop_time(p->sv->loop);

	if (a->status == DNS_TEMPFAIL) {
		probe_fail(
		    p, WATCH_NAME, "no answer: %s", probe_cut(str_c(a->why)));
		return false;
	}
	if (a->status == DNS_BOGUS) {
		probe_fail(p, WATCH_BOGUS,
		    "signatures do not hold; look at the DS record above the "
		    "zone, and at its keys: %s",
		    probe_cut(str_c(a->why)));
		return false;
	}
	if (is_wanted(p) && !a->is_secure) {
		probe_fail(p, WATCH_UNSIGNED,
		    "the answer is not signed: is the zone signed, and is "
		    "there a DS record of its key above it?");
		return false;
	}
	if (a->signed_until_s > 0 &&
	    status_check_count(p->check, STATUS_OPT_DAYS) > 0)
		note_days(
		    p, a->signed_until_s > now ? a->signed_until_s - now : 0);
	return true;
}

/* --- servers ------------------------------------------------------------------ */

unsigned
signed_flags(const struct probe *p)
{
	return status_check_count(p->check, STATUS_OPT_DAYS) > 0 ? DNSMSG_SIGNED
	                                                         : 0;
}

/* It ended, or has not begun. */
static void
fail_by_time(struct probe *p, struct str server, const struct dnsmsg_span *s,
    uint64_t now)
{
	bool is_early = dnsmsg_serial_is_behind((uint32_t)now, s->from);
	/* The nearest time with these 32 bits. */
	int32_t off =
	    (int32_t)((is_early ? s->from : s->until) - (uint32_t)now);
	struct buf date = BUF_INIT(64);

	http_date_format(&date, (uint64_t)((int64_t)now + off));
	probe_fail(p, WATCH_BOGUS, "%.*s: the signature %s %s: %s",
	    STR_ARG(server), is_early ? "begins" : "ended", buf_c(&date),
	    is_early ? "is a clock wrong?" : "does signing go on?");
	buf_done(&date);
}

bool
signed_judge_server(struct probe *p, struct str server, struct str raw,
    const struct dnsmsg *m, unsigned type)
{
	uint64_t now = loop_time(p->sv->loop);
	struct dnsmsg_span span;
	uint32_t left;

	if (signed_flags(p) == 0)
		return true;
	if (!dnsmsg_signature(raw, m, type, &span)) {
		probe_fail(p, WATCH_UNSIGNED,
		    "%.*s sends no signature: is the zone signed there?",
		    STR_ARG(server));
		return false;
	}
	left = dnsmsg_span_left(&span, now);
	if (left == 0) {
		fail_by_time(p, server, &span, now);
		return false;
	}
	note_days(p, left);
	return true;
}

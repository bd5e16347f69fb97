/* SPDX-License-Identifier: ISC */
/* alert_text.c - alerts in words. See alert_text.h. */
#include "watch/alert/alert_text.h"

#include "base/jsondoc.h"

#include <time.h>

const char *
alert_told_name(enum watch_told t)
{
	switch (t) {
	case WATCH_TOLD_FINE:
		return "fine";
	case WATCH_TOLD_DOWN:
		return "down";
	case WATCH_TOLD_UNSTABLE:
		return "unstable";
	case WATCH_TOLD_DEGRADED:
		return "degraded";
	case WATCH_TOLDS:
		break;
	}
	return "?";
}

const char *
alert_key_prefix(const struct alert_facts *f)
{
	if (f->is_removed)
		return ALERT_KEY_REMOVED;
	return f->now == WATCH_TOLD_FINE ? ALERT_KEY_WELL : ALERT_KEY_BAD;
}

void
alert_time(struct buf *to, uint64_t ms, bool is_json)
{
	time_t t = (time_t)(ms / 1000);
	char text[40];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	(void)strftime(text, sizeof(text),
	    is_json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S UTC", &tm);
	buf_put_c(to, text);
}

void
alert_duration(struct buf *to, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (s < 90)
		buf_printf(to, "%llu s", s);
	else if (s < 3600)
		buf_printf(to, "%llu min", (s + 30) / 60);
	else if (s < 48 * 3600)
		buf_printf(to, "%llu h %llu min", s / 3600, s % 3600 / 60);
	else
		buf_printf(to, "%llu days %llu h", s / 86400, s % 86400 / 3600);
}

/* --- what to do ------------------------------------------------------------------ */

static const char *
advice(enum watch_cause cause)
{
	switch (cause) {
	case WATCH_TIMEOUT:
		return "Nothing answers: is the machine on, and its network? "
		       "A firewall may drop what comes in.";
	case WATCH_REFUSED:
		return "The machine answers, but nobody listens on the port: "
		       "is the service running?";
	case WATCH_UNREACHABLE:
		return "There is no way there from here: look at routes, "
		       "addresses, and this machine's own network.";
	case WATCH_NAME:
		return "The name does not resolve: look at its zone and its "
		       "name servers.";
	case WATCH_TLS:
		return "TLS does not come about: look at the service's "
		       "certificate, key and TLS settings.";
	case WATCH_CERTIFICATE:
		return "Clients will refuse the certificate: renew or replace "
		       "it, with its whole chain.";
	case WATCH_PROTOCOL:
		return "Something answers that is not this service, or it is "
		       "broken: look at its log.";
	case WATCH_LOGIN:
		return "Signing in fails: has the probe's password changed, or "
		       "is the service that checks passwords down?";
	case WATCH_CONTENT:
		return "The answer is not what it should be: look at the "
		       "service's log.";
	case WATCH_DISAGREES:
		return "The servers disagree: is the zone transferred to all "
		       "secondaries?";
	case WATCH_LISTED:
		return "Find out what was sent from the address, end it, then "
		       "ask the list for removal.";
	case WATCH_UNSIGNED:
		return "Validators take the zone for one without DNSSEC: is it "
		       "signed, and is there a DS record of its key at the "
		       "zone above?";
	case WATCH_BOGUS:
		return "Validators refuse the zone's answers: did signatures "
		       "end, or was a key changed without its DS record at "
		       "the zone above?";
	case WATCH_LATE:
		return "It answers, later than its limit: look at its load, "
		       "and at what it waits for.";
	case WATCH_CAUSE_NONE:
	case WATCH_CAUSES:
		break;
	}
	return "Look at what the last probe found.";
}

/* --- words ------------------------------------------------------------------------- */

const char *
alert_tag(enum watch_told t, bool is_removed)
{
	if (is_removed)
		return "REMOVED";
	switch (t) {
	case WATCH_TOLD_FINE:
		return "UP";
	case WATCH_TOLD_DOWN:
		return "DOWN";
	case WATCH_TOLD_UNSTABLE:
		return "UNSTABLE";
	case WATCH_TOLD_DEGRADED:
		return "DEGRADED";
	case WATCH_TOLDS:
		break;
	}
	return "?";
}

void
alert_subject(const struct alert_facts *f, struct buf *to)
{
	struct str name = f->check;
	ptrdiff_t slash = str_find(name, '/');

	buf_printf(to, "[%s] %.*s: %.*s", alert_tag(f->now, f->is_removed),
	    STR_ARG(f->system), STR_ARG(str_from(name, (size_t)(slash + 1))));
	if (f->now == WATCH_TOLD_DOWN || f->now == WATCH_TOLD_DEGRADED)
		buf_printf(to, " (%.*s)", STR_ARG(f->target));
}

/* An incident has several outages when it was well for a short time only. */
static void
put_length(const struct alert_facts *f, struct buf *to)
{
	static const char *const words[] = { "second", "third", "fourth",
		"fifth" };

	buf_put_c(to, f->outages == 1 ? "It all took " : "This time it took ");
	alert_duration(to, f->since_ms - f->outage_ms);
	buf_put_c(to, ".");
	if (f->outages > 1 && f->outages - 2 < ARRAY_LEN(words))
		buf_printf(
		    to, " It was the %s time since ", words[f->outages - 2]);
	else if (f->outages > 1)
		buf_printf(to, " It was time number %u since ", f->outages);
	if (f->outages > 1) {
		alert_time(to, f->bad_ms, false);
		buf_put_char(to, '.');
	}
	buf_put_char(to, '\n');
}

void
alert_first_line(const struct alert_facts *f, struct buf *to)
{
	buf_put_str(to, f->check);
	if (f->is_removed) {
		buf_printf(to, " is not watched any more. It was %s",
		    alert_told_name(f->before));
		if (f->outage_ms > 0) {
			buf_put_c(to, " since ");
			alert_time(to, f->outage_ms, false);
		}
		buf_put_c(to, ".\n");
		return;
	}
	switch (f->now) {
	case WATCH_TOLD_DOWN:
		buf_put_c(to, f->is_new || f->before == WATCH_TOLD_DEGRADED
				  ? " is down since "
				  : " is down again since ");
		alert_time(to, f->since_ms, false);
		break;
	case WATCH_TOLD_DEGRADED:
		buf_put_c(to, f->before == WATCH_TOLD_FINE
				  ? " is degraded since "
				  : " answers again, but not as it should, "
				    "since ");
		alert_time(to, f->since_ms, false);
		break;
	case WATCH_TOLD_UNSTABLE:
		buf_put_c(to, " goes up and down. You are told no more about "
			      "it until it is steady");
		break;
	case WATCH_TOLD_FINE:
		buf_put_c(to, " is up again since ");
		alert_time(to, f->since_ms, false);
		break;
	case WATCH_TOLDS:
		break;
	}
	buf_put_c(to, ".\n");
	if (f->now == WATCH_TOLD_FINE && f->outages > 0 &&
	    f->since_ms > f->outage_ms)
		put_length(f, to);
}

void
alert_put_line(struct buf *to, const char *name, struct str value)
{
	if (value.n > 0)
		buf_printf(to, "%-11s%.*s\n", name, STR_ARG(value));
}

static void
put_facts(const struct alert_facts *f, struct buf *to)
{
	struct buf line = BUF_INIT(KIB(2));

	buf_printf(&line, "%.*s, %.*s%s%.*s", STR_ARG(f->system),
	    STR_ARG(f->role), f->place.n > 0 ? ", " : "", STR_ARG(f->place));
	alert_put_line(to, "System:", buf_str(&line));
	buf_reset(&line, KIB(2));
	buf_printf(&line, "%.*s %.*s", STR_ARG(f->kind), STR_ARG(f->target));
	alert_put_line(to, "Check:", buf_str(&line));
	alert_put_line(to, "Found:", f->found);
	alert_put_line(to, "Decided:", f->reason);
	buf_reset(&line, KIB(2));
	buf_printf(&line, "%.*s #%u", STR_ARG(f->check), f->incident);
	alert_put_line(to, "Incident:", buf_str(&line));
	alert_put_line(to, "Silenced:", f->silenced);
	buf_done(&line);
}

void
alert_body(const struct alert_facts *f, struct buf *to)
{
	alert_first_line(f, to);
	buf_put_char(to, '\n');
	put_facts(f, to);
	if (f->now != WATCH_TOLD_FINE) {
		buf_put_c(to, "\nNext:\n- ");
		buf_put_c(to, f->now == WATCH_TOLD_DEGRADED
				  ? advice(WATCH_CAUSE_NONE)
				  : advice(f->cause));
		buf_printf(to,
		    "\n- mailstead check run %.*s\n"
		    "  probes it now and shows the dialogue.\n",
		    STR_ARG(f->check));
	}
	if (f->now == WATCH_TOLD_DOWN && f->is_new)
		buf_put_c(to, "- Your customers ask whether it is them or "
			      "you: tell them on the status page.\n");
	if (f->silenced.n > 0)
		buf_put_c(to, "\nSilenced are checks that depend on this one: "
			      "they go on, and are told about\nwhen they stay "
			      "down behind it.\n");
	if (f->site.n > 0)
		buf_printf(to, "\nStatus page: %.*s\n", STR_ARG(f->site));
}

/* --- JSON ----------------------------------------------------------------------------- */

static void
put_member(struct buf *to, const char *name, struct str value)
{
	buf_printf(to, ",\"%s\":", name);
	jsondoc_put_text(to, value);
}

static void
put_time_member(struct buf *to, const char *name, uint64_t ms)
{
	buf_printf(to, ",\"%s\":", name);
	if (ms == 0) {
		buf_put_c(to, "null");
		return;
	}
	buf_put_char(to, '"');
	alert_time(to, ms, true);
	buf_put_char(to, '"');
}

void
alert_json(const struct alert_facts *f, const char *id, struct buf *to)
{
	struct buf subject = BUF_INIT(KIB(2));

	alert_subject(f, &subject);
	buf_put_c(to, "{\"type\":\"alert\"");
	put_member(to, "id", str_c(id));
	/* What chat programs show of a webhook. */
	put_member(to, "text", buf_str(&subject));
	put_member(to, "state",
	    str_c(f->is_removed ? "removed" : alert_told_name(f->now)));
	put_member(to, "before", str_c(alert_told_name(f->before)));
	buf_printf(to, ",\"is_new\":%s,\"is_over\":%s,\"incident\":%u",
	    f->is_new ? "true" : "false",
	    f->now == WATCH_TOLD_FINE ? "true" : "false", f->incident);
	put_member(to, "check", f->check);
	put_member(to, "system", f->system);
	put_member(to, "kind", f->kind);
	put_member(to, "target", f->target);
	put_time_member(to, "since", f->since_ms);
	put_time_member(to, "incident_since", f->bad_ms);
	buf_printf(to, ",\"outage\":%u", f->outages);
	put_time_member(to, "outage_since", f->outage_ms);
	put_time_member(to, "at", f->at_ms);
	put_member(to, "cause", str_c(watch_cause_text(f->cause)));
	put_member(to, "reason", f->reason);
	put_member(to, "found", f->found);
	put_member(to, "site", f->site);
	buf_put_c(to, "}");
	buf_done(&subject);
}

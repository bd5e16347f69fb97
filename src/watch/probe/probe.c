/* SPDX-License-Identifier: ISC */
/* probe.c - the life of a probe, and what is common to reports. */
#include "watch/probe/probe_internal.h"

/* A certificate behind STARTTLS is what those who speak that protocol see. */
static const struct probe_kind *
certificate_kind(const struct status_check *c)
{
	switch ((enum status_protocol)status_check_word(
	    c, STATUS_OPT_PROTOCOL, STATUS_PROTOCOL_TLS)) {
	case STATUS_PROTOCOL_SMTP:
		return &probe_smtp;
	case STATUS_PROTOCOL_IMAP:
	case STATUS_PROTOCOL_POP3:
	case STATUS_PROTOCOL_SIEVE:
		return &probe_talk;
	case STATUS_PROTOCOL_TLS:
		break;
	}
	return &probe_certificate;
}

static const struct probe_kind *
kind_of(const struct status_check *c)
{
	switch (c->kind) {
	case STATUS_TCP:
		return &probe_tcp;
	case STATUS_PING:
		return &probe_ping;
	case STATUS_TLS:
		return certificate_kind(c);
	case STATUS_SMTP:
	case STATUS_SUBMISSION:
		return &probe_smtp;
	case STATUS_IMAP:
	case STATUS_POP3:
	case STATUS_SIEVE:
		return &probe_talk;
	case STATUS_HTTP:
		return &probe_http;
	case STATUS_DNS:
		return &probe_dns;
	case STATUS_SOA:
		return &probe_soa;
	case STATUS_BLOCKLIST:
		return &probe_blocklist;
	case STATUS_SIP:
		return &probe_sip;
	case STATUS_ROUNDTRIP:
		return &probe_roundtrip;
	case STATUS_KINDS:
		break;
	}
	ASSERT(false);
	return NULL;
}

/* --- its end ------------------------------------------------------------------ */

/* The connection may still be saying good-bye. */
static void
free_if_done(struct probe *p)
{
	if (!p->is_told || p->conn != NULL)
		return;
	free(p->state);
	free(p);
}

static void
tell(void *arg)
{
	struct probe *p = arg;
	struct probe_report r = { .outcome = p->outcome,
		.cause = p->cause,
		.us = p->us,
		.text = p->text,
		.days = p->days,
		.stages = p->stages,
		.n_stages = p->n_stages };

	if (p->fn != NULL)
		p->fn(p->arg, &r);
	p->is_told = true;
	free_if_done(p);
}

static void
end(struct probe *p, bool is_rude)
{
	p->is_over = true;
	p->sv->n_probes--;
	loop_timer_free(p->limit);
	if (p->kind->stop != NULL)
		p->kind->stop(p);
	probe_link_stop(p, is_rude);
	p->dialogue = NULL;
	p->check = NULL;
	loop_defer(p->sv->loop, tell, p);
}

static void finish(struct probe *p, enum watch_outcome outcome,
    enum watch_cause cause, const char *fmt, va_list ap) PRINTF_LIKE(4, 0);
static void
finish(struct probe *p, enum watch_outcome outcome, enum watch_cause cause,
    const char *fmt, va_list ap)
{
	if (p->is_over)
		return;
	(void)vsnprintf(p->text, sizeof(p->text), fmt, ap);
	p->outcome = outcome;
	p->cause = cause;
	if (p->us == 0)
		p->us = (uint32_t)MAX(
		    1, MIN(server_now_us() - p->began_us, UINT32_MAX));
	probe_tell(p, '*', str_c(p->text));
	end(p, outcome != WATCH_OK);
}

static void add_text(struct probe *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
add_text(struct probe *p, const char *fmt, ...)
{
	size_t n = strlen(p->text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->text + n, sizeof(p->text) - n, fmt, ap);
	va_end(ap);
}

void
probe_ok(struct probe *p, const char *fmt, ...)
{
	uint64_t slow, limit;
	uint32_t days;
	va_list ap;

	if (p->is_over)
		return;
	slow = status_check_ms(p->check, STATUS_OPT_SLOW) * 1000;
	limit = status_check_ms(p->check, STATUS_OPT_LIMIT) * 1000;
	days = status_check_number(p->check, STATUS_OPT_DAYS, 14);
	va_start(ap, fmt);
	finish(p, WATCH_OK, WATCH_CAUSE_NONE, fmt, ap);
	va_end(ap);
	if (slow > 0 && p->us > slow) {
		p->outcome = WATCH_SLOW;
		add_text(p, "; slow");
	}
	if (p->days != PROBE_NO_DAYS && p->days < days) {
		p->outcome = WATCH_SLOW;
		add_text(p, "; %s ends in %u day%s",
		    p->has_signed ? "signature" : "certificate", p->days,
		    str_s(p->days));
	}
	if (limit > 0 && p->us > limit) {
		p->outcome = WATCH_FAILED;
		p->cause = WATCH_LATE;
		(void)snprintf(p->text, sizeof(p->text),
		    "answers after %.1f ms, and its limit is %llu ms",
		    p->us / 1000.0, (unsigned long long)limit / 1000);
	}
}

void
probe_fail(struct probe *p, enum watch_cause cause, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finish(p, WATCH_FAILED, cause, fmt, ap);
	va_end(ap);
}

void
probe_unclear(struct probe *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	finish(p, WATCH_INCONCLUSIVE, WATCH_CAUSE_NONE, fmt, ap);
	va_end(ap);
}

static void
on_limit(void *arg)
{
	struct probe *p = arg;

	if (p->kind->late != NULL)
		p->kind->late(p);
	if (!p->is_over)
		probe_fail(p, WATCH_TIMEOUT, "no answer within %llu ms",
		    (unsigned long long)status_check_ms(
			p->check, STATUS_OPT_TIMEOUT));
}

/* --- its beginning -------------------------------------------------------------- */

static void
start(void *arg)
{
	struct probe *p = arg;

	if (!p->is_over)
		p->kind->start(p);
}

struct probe *
probe_start(struct server *sv, const struct status_check *check,
    struct buf *dialogue, probe_fn fn, void *arg)
{
	struct probe *p = X_NEW(struct probe);

	p->sv = sv;
	p->check = check;
	p->target = status_check_target(check);
	p->kind = kind_of(check);
	p->dialogue = dialogue;
	p->fn = fn;
	p->arg = arg;
	p->days = PROBE_NO_DAYS;
	p->began_us = p->marked_us = server_now_us();
	if (p->kind->state_size > 0)
		p->state = x_zalloc(p->kind->state_size);
	p->limit = loop_timer_new(sv->loop, on_limit, p);
	loop_timer_set(p->limit, status_check_ms(check, STATUS_OPT_TIMEOUT));
	sv->n_probes++;
	loop_defer(sv->loop, start, p);
	return p;
}

void
probe_cancel(struct probe *p)
{
	p->fn = NULL;
	p->dialogue = NULL;
	if (!p->is_over)
		end(p, true);
}

/* --- what it tells ---------------------------------------------------------------- */

void
probe_add_stage(struct probe *p, const struct probe_stage *stage)
{
	if (p->n_stages < PROBE_STAGES_MAX)
		p->stages[p->n_stages++] = *stage;
}

void
probe_mark(struct probe *p, const char *stage)
{
	uint64_t now = server_now_us();

	probe_add_stage(p,
	    &(struct probe_stage){ .name = stage, .us = now - p->marked_us });
	p->marked_us = now;
}

void
probe_mark_open(struct probe *p, const char *stage)
{
	probe_add_stage(p, &(struct probe_stage){ .name = stage,
			       .how = WATCH_STAGE_OPEN,
			       .us = server_now_us() - p->marked_us });
}

void
probe_put_stages(const struct probe_stage *stages, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n; i++)
		msg_watch_stage_put(to,
		    &(struct msg_watch_stage){ .name = str_c(stages[i].name),
			.host = str_c(stages[i].host),
			.how = (uint8_t)stages[i].how,
			.us = stages[i].us });
}

static bool
is_plain(char c)
{
	return (unsigned char)c >= ' ' && (unsigned char)c < 0x7F;
}

void
probe_tell(struct probe *p, char what, struct str text)
{
	struct str line;

	if (p->dialogue == NULL)
		return;
	while (text.n > 0 && p->dialogue->n < PROBE_DIALOGUE_MAX) {
		text = str_split(text, '\n', &line);
		if (str_ends(line, STR("\r")))
			line.n--;
		buf_put_char(p->dialogue, what);
		buf_put_char(p->dialogue, ' ');
		for (size_t i = 0; i < MIN(line.n, 500); i++)
			buf_put_char(
			    p->dialogue, is_plain(line.p[i]) ? line.p[i] : '?');
		buf_put_char(p->dialogue, '\n');
	}
}

const char *
probe_cut(struct str s)
{
	static char to[121];
	size_t n = 0;

	s = str_trim(s);
	for (; n < s.n && n < sizeof(to) - 1; n++) {
		if (s.p[n] == '\r' || s.p[n] == '\n')
			break;
		to[n] = is_plain(s.p[n]) ? s.p[n] : '?';
	}
	to[n] = '\0';
	return to;
}

void
probe_link_gone(struct probe *p)
{
	free_if_done(p);
}

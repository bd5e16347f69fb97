/* SPDX-License-Identifier: ISC */
/* status_message.c - rows of what is sent to people. See status_message.h. */
#include "proto/status/status_message.h"

#include "proto/status/status_internal.h"

#define VERSION_MESSAGE 2 /* 1 has no n_more */

const char *
status_channel_name(enum status_channel c)
{
	ASSERT((unsigned)c < STATUS_CHANNELS);
	return c == STATUS_BY_MAIL ? "mail" : "webhook";
}

const char *
status_purpose_name(enum status_purpose p)
{
	static const char *const names[STATUS_PURPOSES] = {
		[STATUS_FOR_ALERT] = "alert",
		[STATUS_FOR_TEST] = "test",
		[STATUS_FOR_CONFIRM] = "confirmation",
		[STATUS_FOR_NEWS] = "news",
	};

	ASSERT((unsigned)p < STATUS_PURPOSES);
	return names[p];
}

const char *
status_progress_name(enum status_progress p)
{
	static const char *const names[STATUS_PROGRESSES] = {
		[STATUS_WAITING] = "waiting",
		[STATUS_SENT] = "sent",
		[STATUS_REFUSED] = "refused",
		[STATUS_EXPIRED] = "expired",
	};

	ASSERT((unsigned)p < STATUS_PROGRESSES);
	return names[p];
}

/* --- where to -------------------------------------------------------------------- */

bool
status_is_mailbox(struct str s)
{
	struct status_target t;

	return s.n <= 254 && str_is_ascii(s) &&
	       status_target_parse(STATUS_ROUNDTRIP, s, &t);
}

bool
status_is_url(struct str s)
{
	struct status_target t;

	return s.n <= STATUS_URL_MAX && str_is_ascii(s) &&
	       status_target_parse(STATUS_HTTP, s, &t);
}

struct status_url
status_url_parts(struct str url)
{
	struct status_target t;

	if (!status_target_parse(STATUS_HTTP, url, &t))
		ASSERT(false);
	return (struct status_url){ .host = t.host,
		.port = t.port != 0  ? t.port
		        : t.is_https ? 443
		                     : 80,
		.path = t.path,
		.is_https = t.is_https };
}

/* --- sanity ----------------------------------------------------------------------- */

static bool
is_line(struct str s, size_t max)
{
	return s.n <= max && str_is_utf8(s) && !str_has_control(s, "");
}

static bool
is_body(struct str s)
{
	return s.n <= STATUS_LETTER_MAX && str_is_utf8(s) &&
	       !str_has_control(s, "\n\t");
}

/* "en", "pt-BR" */
static bool
is_language(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_is_alpha(s.p[i]) && s.p[i] != '-')
			return false;
	return s.n >= 2 && s.n <= 16;
}

static bool
are_texts_sane(const struct status_message *m, struct status_fault *ret)
{
	if (!is_line(m->subject, STATUS_SUBJECT_MAX))
		return status_fault_set(ret, m->subject, "one line of text");
	if (!is_body(m->body))
		return status_fault_set(
		    ret, STR("the text"), "at most 48 KiB of text");
	if (!is_language(m->language))
		return status_fault_set(ret, m->language, "a language");
	if (!is_line(m->about, STATUS_TEXT_MAX))
		return status_fault_set(ret, m->about, "a short text");
	if (!is_line(m->thread, STATUS_TEXT_MAX))
		return status_fault_set(ret, m->thread, "a short text");
	if (m->unsubscribe.n > 0 && !status_is_url(m->unsubscribe))
		return status_fault_set(ret, m->unsubscribe, "a URL");
	if (!is_line(m->secret, STATUS_SECRET_MAX))
		return status_fault_set(ret, STR("the secret"), "a text");
	return true;
}

bool
status_message_is_sane(const struct status_message *m, struct status_fault *ret)
{
	if ((unsigned)m->channel >= STATUS_CHANNELS ||
	    (unsigned)m->purpose >= STATUS_PURPOSES ||
	    (unsigned)m->progress >= STATUS_PROGRESSES)
		return status_fault_set(ret, STR_NONE, "a kind of message");
	if (m->channel == STATUS_BY_MAIL && !status_is_mailbox(m->to))
		return status_fault_set(ret, m->to, "an address");
	if (m->channel == STATUS_BY_WEBHOOK && !status_is_url(m->to))
		return status_fault_set(ret, m->to, "a URL");
	if (m->n_attempts > STATUS_ATTEMPTS_MAX || m->n_attempts > m->tries)
		return status_fault_set(ret, STR_NONE, "fewer attempts");
	for (size_t i = 0; i < m->n_attempts; i++)
		if (m->attempts[i].outcome > PERMFAIL)
			return status_fault_set(ret, STR_NONE, "an outcome");
	return are_texts_sane(m, ret);
}

/* --- rows --------------------------------------------------------------------------- */

/* What others say has any bytes. */
static void
put_said(struct buf *to, struct str s)
{
	struct buf tame = BUF_INIT(STATUS_SAID_MAX);

	s = str_first(s, STATUS_SAID_MAX);
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(&tame,
		    (unsigned char)s.p[i] >= ' ' && (unsigned char)s.p[i] < 0x7F
			? s.p[i]
			: ' ');
	wire_put_vstr(to, buf_str(&tame));
	buf_done(&tame);
}

void
status_message_encode(const struct status_message *m, struct buf *to)
{
	wire_put_u8(to, VERSION_MESSAGE);
	wire_put_u8(to, (uint8_t)m->channel);
	wire_put_u8(to, (uint8_t)m->purpose);
	wire_put_u8(to, (uint8_t)m->progress);
	wire_put_varint(to, m->made_ms);
	wire_put_varint(to, m->next_ms);
	wire_put_varint(to, m->expires_ms);
	wire_put_vstr(to, m->to);
	wire_put_vstr(to, m->subject);
	wire_put_vstr(to, m->body);
	wire_put_vstr(to, m->language);
	wire_put_vstr(to, m->about);
	wire_put_vstr(to, m->thread);
	wire_put_vstr(to, m->unsubscribe);
	wire_put_vstr(to, m->secret);
	wire_put_varint(to, m->rounds);
	wire_put_varint(to, m->tries);
	wire_put_u8(to, (uint8_t)m->n_attempts);
	for (size_t i = 0; i < m->n_attempts; i++) {
		wire_put_varint(to, m->attempts[i].at_ms);
		wire_put_u8(to, (uint8_t)m->attempts[i].outcome);
		put_said(to, m->attempts[i].by);
		put_said(to, m->attempts[i].said);
	}
	wire_put_varint(to, m->n_more);
}

bool
status_message_decode(struct str value, struct status_message *ret)
{
	struct wire w = wire_read(value);
	struct status_fault fault;
	struct status_message m = { 0 };
	uint8_t version = wire_get_u8(&w);

	m.channel = (enum status_channel)wire_get_u8(&w);
	m.purpose = (enum status_purpose)wire_get_u8(&w);
	m.progress = (enum status_progress)wire_get_u8(&w);
	m.made_ms = wire_get_varint(&w);
	m.next_ms = wire_get_varint(&w);
	m.expires_ms = wire_get_varint(&w);
	m.to = wire_get_vstr(&w);
	m.subject = wire_get_vstr(&w);
	m.body = wire_get_vstr(&w);
	m.language = wire_get_vstr(&w);
	m.about = wire_get_vstr(&w);
	m.thread = wire_get_vstr(&w);
	m.unsubscribe = wire_get_vstr(&w);
	m.secret = wire_get_vstr(&w);
	m.rounds = wire_get_v32(&w);
	m.tries = wire_get_v32(&w);
	m.n_attempts = wire_get_u8(&w);
	for (size_t i = 0; i < MIN(m.n_attempts, STATUS_ATTEMPTS_MAX); i++) {
		struct status_attempt *a = &m.attempts[i];

		a->at_ms = wire_get_varint(&w);
		a->outcome = (enum outcome)wire_get_u8(&w);
		a->by = wire_get_vstr(&w);
		a->said = wire_get_vstr(&w);
		if (!is_line(a->by, STATUS_SAID_MAX) ||
		    !is_line(a->said, STATUS_SAID_MAX))
			return false;
	}
	if (version == VERSION_MESSAGE)
		m.n_more = wire_get_v32(&w);
	if (!wire_is_complete(&w) || version == 0 ||
	    version > VERSION_MESSAGE || !status_message_is_sane(&m, &fault))
		return false;
	*ret = m;
	return true;
}

/* --- its life ------------------------------------------------------------------------- */

void
status_message_note(
    struct status_message *m, const struct status_attempt *attempt)
{
	m->tries++;
	if (m->n_attempts == STATUS_ATTEMPTS_MAX) {
		memmove(&m->attempts[STATUS_ATTEMPTS_FIRST],
		    &m->attempts[STATUS_ATTEMPTS_FIRST + 1],
		    (STATUS_ATTEMPTS_MAX - STATUS_ATTEMPTS_FIRST - 1) *
			sizeof(m->attempts[0]));
		m->n_attempts--;
	}
	m->attempts[m->n_attempts++] = *attempt;
}

void
status_message_finish(struct status_message *m, enum status_progress progress)
{
	m->progress = progress;
	m->body = m->secret = m->unsubscribe = STR_NONE;
}

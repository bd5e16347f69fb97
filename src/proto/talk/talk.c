/* SPDX-License-Identifier: ISC */
/* talk.c - a client of IMAP, POP3 and ManageSieve. See talk.h. */
#include "proto/talk/talk.h"

#include "base/base64.h"

void
talk_init(struct talk *t, const struct talk_config *config)
{
	*t = (struct talk){ .config = *config,
		.has_tls = config->has_tls,
		.out = BUF_INIT(KIB(16)),
		.untagged = BUF_INIT(TALK_UNTAGGED_MAX),
		.kept = BUF_INIT(TALK_KEPT_MAX) };
}

void
talk_done(struct talk *t)
{
	buf_done_secret(&t->out);
	buf_done(&t->untagged);
	buf_done(&t->kept);
}

struct buf *
talk_out(struct talk *t)
{
	return &t->out;
}

struct str
talk_untagged(const struct talk *t)
{
	return buf_str(&t->untagged);
}

struct str
talk_literals(const struct talk *t)
{
	return buf_str(&t->kept);
}

const char *
talk_text(const struct talk *t)
{
	return t->text;
}

enum talk_stage
talk_stage(const struct talk *t)
{
	return t->stage;
}

/* --- what we say ---------------------------------------------------------- */

static void
say(struct talk *t, enum talk_stage stage, const char *line)
{
	t->stage = stage;
	t->is_secret = false;
	buf_reset(&t->untagged, TALK_UNTAGGED_MAX);
	buf_reset(&t->kept, TALK_KEPT_MAX);
	if (t->config.kind == TALK_IMAP)
		buf_printf(&t->out, "a%u ", ++t->tag);
	buf_put_c(&t->out, line);
	buf_put_c(&t->out, "\r\n");
}

/* RFC 4616: the message of PLAIN. */
static void
say_plain(struct talk *t)
{
	struct buf plain = BUF_INIT(KIB(4));

	buf_put_char(&plain, '\0');
	buf_put_str(&plain, t->config.login);
	buf_put_char(&plain, '\0');
	buf_put_str(&plain, t->config.password);
	base64_encode(&t->out, buf_str(&plain));
	buf_put_c(&t->out, "\r\n");
	buf_done_secret(&plain);
	t->is_secret = true;
}

static void
say_word(struct talk *t, enum talk_stage stage, const char *verb, struct str s)
{
	t->stage = stage;
	t->is_secret = true;
	buf_printf(&t->out, "%s %.*s\r\n", verb, STR_ARG(s));
}

static enum talk_event
give_up(struct talk *t, enum talk_event event, struct str line)
{
	size_t n = MIN(line.n, sizeof(t->text) - 1);

	for (size_t i = 0; i < n; i++)
		t->text[i] = (unsigned char)line.p[i] < ' ' ||
		                     (unsigned char)line.p[i] >= 0x7F
		                 ? '?'
		                 : line.p[i];
	t->text[n] = '\0';
	if (t->stage != TALK_COMMAND || event == TALK_NONSENSE)
		t->stage = TALK_OVER;
	else
		t->stage = TALK_IDLE;
	return event;
}

/* Greeted, or behind TLS: the next step. */
static enum talk_event
advance(struct talk *t)
{
	bool wants_login = t->config.login.n > 0;

	if (t->config.starts_tls && !t->has_tls) {
		say(t, TALK_STARTTLS,
		    t->config.kind == TALK_POP3 ? "STLS" : "STARTTLS");
		return TALK_MORE;
	}
	if (!wants_login || t->config.kind == TALK_SIEVE) {
		t->stage = TALK_IDLE;
		return TALK_READY;
	}
	if (!t->has_tls)
		return give_up(t, TALK_REFUSED, STR("no sign-in without TLS"));
	if (t->config.kind == TALK_IMAP)
		say(t, TALK_LOGIN, "AUTHENTICATE PLAIN");
	else
		say_word(t, TALK_USER, "USER", t->config.login);
	return TALK_MORE;
}

void
talk_secured(struct talk *t)
{
	t->has_tls = true;
	t->skip = 0;
	t->is_continued = false;
	if (t->config.kind == TALK_SIEVE) {
		t->stage = TALK_CAPABILITY;
		return;
	}
	t->event = advance(t);
	t->has_event = t->event != TALK_MORE;
}

void
talk_command(struct talk *t, struct str line)
{
	char *copy;

	if (t->stage != TALK_IDLE)
		return;
	copy = str_dup(line);
	say(t, TALK_COMMAND, copy);
	free(copy);
}

void
talk_end(struct talk *t)
{
	say(t, TALK_OVER, t->config.kind == TALK_POP3 ? "QUIT" : "LOGOUT");
}

/* --- what the server says --------------------------------------------------- */

/* It did what was asked. */
static enum talk_event
granted(struct talk *t)
{
	switch (t->stage) {
	case TALK_GREETING:
	case TALK_CAPABILITY:
		return advance(t);
	case TALK_STARTTLS:
		t->stage = TALK_HANDSHAKE;
		return TALK_START_TLS;
	case TALK_USER:
		say_word(t, TALK_LOGIN, "PASS", t->config.password);
		return TALK_MORE;
	case TALK_LOGIN:
		t->stage = TALK_IDLE;
		return TALK_READY;
	case TALK_COMMAND:
		t->stage = TALK_IDLE;
		return TALK_ANSWER;
	case TALK_HANDSHAKE:
	case TALK_IDLE:
	case TALK_OVER:
		break;
	}
	return TALK_MORE;
}

static void
keep_untagged(struct talk *t, struct str line)
{
	if (t->untagged.n + line.n + 1 > TALK_UNTAGGED_MAX)
		return;
	buf_put_str(&t->untagged, line);
	buf_put_char(&t->untagged, '\n');
}

static enum talk_event
imap_greeting(struct talk *t, struct str line)
{
	if (str_starts_case(line, STR("* OK")))
		return granted(t);
	if (str_starts_case(line, STR("* BYE")))
		return give_up(t, TALK_REFUSED, line);
	/* Signed in already, without TLS: nothing that one wants to see. */
	return give_up(t, TALK_NONSENSE, line);
}

static enum talk_event
imap_line(struct talk *t, struct str line)
{
	char tag[16];

	if (t->stage == TALK_GREETING)
		return imap_greeting(t, line);
	if (str_starts(line, STR("* "))) {
		if (str_starts_case(line, STR("* BYE")))
			return give_up(t, TALK_REFUSED, line);
		keep_untagged(t, str_from(line, 2));
		return TALK_MORE;
	}
	if (str_starts(line, STR("+")) && t->stage == TALK_LOGIN &&
	    !t->is_secret) {
		say_plain(t);
		return TALK_MORE;
	}
	(void)snprintf(tag, sizeof(tag), "a%u ", t->tag);
	if (t->tag == 0 || !str_starts(line, str_c(tag)))
		return give_up(t, TALK_NONSENSE, line);
	line = str_from(line, strlen(tag));
	if (str_starts_case(line, STR("OK")))
		return granted(t);
	return give_up(t, TALK_REFUSED, line);
}

static enum talk_event
pop3_line(struct talk *t, struct str line)
{
	if (str_starts(line, STR("+OK")))
		return granted(t);
	if (str_starts(line, STR("-ERR")))
		return give_up(t, TALK_REFUSED, line);
	return give_up(t, TALK_NONSENSE, line);
}

/* Lines of capabilities begin with a quote; the last one is OK. */
static enum talk_event
sieve_line(struct talk *t, struct str line)
{
	if (str_starts_case(line, STR("OK")))
		return granted(t);
	if (str_starts_case(line, STR("NO")) ||
	    str_starts_case(line, STR("BYE")))
		return give_up(t, TALK_REFUSED, line);
	if (line.n > 0 && (line.p[0] == '"' || line.p[0] == '{'))
		return TALK_MORE;
	return give_up(t, TALK_NONSENSE, line);
}

/* "{12}" or "{12+}" at the end: so many bytes come before the line goes on. */
static bool
read_literal(struct str line, uint64_t *ret)
{
	ptrdiff_t open = str_rfind(line, '{');
	struct str digits;

	if (open < 0 || line.n == 0 || line.p[line.n - 1] != '}')
		return false;
	digits = str_sub(line, (size_t)open + 1, line.n - (size_t)open - 2);
	if (str_ends(digits, STR("+")))
		digits.n--;
	return str_to_u64(digits, UINT32_MAX, ret);
}

static enum talk_event
take_line(struct talk *t, struct str line)
{
	bool was_continued = t->is_continued;
	uint64_t n;

	t->is_continued = t->config.kind != TALK_POP3 && read_literal(line, &n);
	if (t->is_continued && n > TALK_LITERAL_MAX)
		return give_up(t, TALK_NONSENSE, line);
	t->skip = t->is_continued ? n : 0;
	if (was_continued)
		return TALK_MORE;
	switch (t->config.kind) {
	case TALK_IMAP:
		return imap_line(t, line);
	case TALK_POP3:
		return pop3_line(t, line);
	case TALK_SIEVE:
		break;
	}
	return sieve_line(t, line);
}

enum talk_event
talk_next(struct talk *t, struct str *in)
{
	enum talk_event e = TALK_MORE;

	if (t->has_event) {
		t->has_event = false;
		return t->event;
	}
	while (e == TALK_MORE && in->n > 0 && t->stage != TALK_OVER) {
		size_t n = MIN(in->n, t->skip);
		ptrdiff_t end;
		struct str line;

		buf_put_str(&t->kept,
		    str_first(*in, MIN(n, TALK_KEPT_MAX - t->kept.n)));
		*in = str_from(*in, n);
		t->skip -= n;
		if (in->n == 0)
			break;
		end = str_find(str_first(*in, TALK_LINE_MAX), '\n');
		if (end < 0 && in->n >= TALK_LINE_MAX)
			return give_up(t, TALK_NONSENSE, *in);
		if (end < 0)
			break;
		line = str_first(*in, (size_t)end);
		*in = str_from(*in, (size_t)end + 1);
		if (str_ends(line, STR("\r")))
			line.n--;
		e = take_line(t, line);
	}
	if (t->stage == TALK_OVER)
		*in = str_from(*in, in->n);
	return e;
}

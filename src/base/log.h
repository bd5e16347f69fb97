/* SPDX-License-Identifier: ISC */
/*
 * log.h - one line for each event, made from the table events.def.
 *
 *   2026-11-23T18:03:53.120Z imap[1234] info event=imap.login sid=3fa2 ...
 *
 * Every event has a name, a level, the counter it adds to, and a sentence in
 * the manual; they all come from events.def. Values are escaped, so that no
 * outsider can forge a line. Never log a password, a token or mail content.
 * Lines go to standard error, one write each. base/ and proto/ do not log.
 */
#pragma once

#include "base/buf.h"

enum log_level {
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARN,
	LOG_LEVEL_ERROR
};

enum event_id {
#define EVENT(id, name, level, help) EV_##id,
#include "base/events.def"
#undef EVENT
	EVENT_COUNT
};

/* Once at start: what stands in front of each line. */
void log_init(const char *process, enum log_level least);
void log_set_level(enum log_level least);
/* "debug", "info", "warn", "error"; false for anything else. */
const char *log_level_name(enum log_level level);
bool log_level_from_name(const char *name, enum log_level *ret) WARN_UNUSED;

/*
 * log_event(EV_SMTP_RCPT_REJECT, LS("sid", sid), LU("reply", 550));
 * The table says the level. Also adds one to the event's counter (metrics.h).
 */
struct log_field {
	const char *key;
	enum { LOG_STR, LOG_U64, LOG_I64 } type;
	struct str s;
	uint64_t u;
	int64_t i;
};
#define LS(k, v) \
	{ \
		.key = (k), .type = LOG_STR, .s = (v) \
	}
#define LC(k, v) \
	{ \
		.key = (k), .type = LOG_STR, .s = str_c(v) \
	}
#define LU(k, v) \
	{ \
		.key = (k), .type = LOG_U64, .u = (v) \
	}
#define LI(k, v) \
	{ \
		.key = (k), .type = LOG_I64, .i = (v) \
	}
#define log_event(id, ...) \
	log_fields((id), (const struct log_field[]){ __VA_ARGS__ }, \
	    sizeof((const struct log_field[]){ __VA_ARGS__ }) / \
		sizeof(struct log_field))
void log_fields(enum event_id id, const struct log_field *fields, size_t n);
/* The line itself, with its line end: for tests, and for log_fields(). Values
 * are cut after 1024 bytes, lines after 4000. */
void log_format(struct buf *b, uint64_t unix_ms, enum event_id id,
    const struct log_field *fields, size_t n);
/* For an event without fields. */
#define log_event0(id) log_fields((id), NULL, 0)

const char *event_name(enum event_id id);
const char *event_help(enum event_id id);
enum log_level event_level(enum event_id id);

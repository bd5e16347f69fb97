/* SPDX-License-Identifier: ISC */
/*
 * smtp_command.h - one command line of an SMTP or LMTP client as a value.
 *
 * The framer has cut the line; here it becomes a verb and the arguments that
 * this verb's grammar knows. Which command is legal when, what is enabled
 * and which reply an error becomes are the session's decisions.
 *
 * Layer: proto. No I/O.
 */
#pragma once

#include "proto/smtp/smtp_path.h"

/*
 * Longest command line, CRLF not counted: 512 of RFC 5321 section 4.5.3.1.4
 * and what the extensions of MAIL and RCPT add to it (RFC 1870, 3461, 4954,
 * 6531 and others; UTF-8 paths).
 */
#define SMTP_COMMAND_LINE_MAX 2046
#define SMTP_ENVID_MAX        100 /* RFC 3461 section 4.4 */
#define SMTP_ORCPT_MAX        500 /* RFC 3461 section 4.2 */
#define SMTP_MECHANISM_MAX    20  /* RFC 4422 section 3.1 */
/* The arena bytes that parsing one line of that length can ask for. */
#define SMTP_COMMAND_ARENA KIB(16)

enum smtp_verb {
	SMTP_VERB_UNKNOWN,
	SMTP_VERB_EHLO,
	SMTP_VERB_HELO,
	SMTP_VERB_LHLO,
	SMTP_VERB_MAIL,
	SMTP_VERB_RCPT,
	SMTP_VERB_DATA,
	SMTP_VERB_BDAT,
	SMTP_VERB_RSET,
	SMTP_VERB_NOOP,
	SMTP_VERB_QUIT,
	SMTP_VERB_VRFY,
	SMTP_VERB_EXPN,
	SMTP_VERB_HELP,
	SMTP_VERB_STARTTLS,
	SMTP_VERB_AUTH,
};

enum smtp_command_error {
	SMTP_COMMAND_OK,
	SMTP_COMMAND_BAD_CHAR,      /* 500 5.5.2: control or broken UTF-8 */
	SMTP_COMMAND_UNKNOWN_VERB,  /* 500 5.5.1 */
	SMTP_COMMAND_FOREIGN,       /* 500, and close: speaks HTTP */
	SMTP_COMMAND_SYNTAX,        /* 501 5.5.4 */
	SMTP_COMMAND_NO_ARGUMENT,   /* 501 5.5.4: this verb takes none */
	SMTP_COMMAND_BAD_DOMAIN,    /* 501 5.5.4: EHLO's name; path_error */
	SMTP_COMMAND_BAD_PATH,      /* 501 5.1.7 or 5.1.3; see path_error */
	SMTP_COMMAND_NEEDS_UTF8,    /* 553 5.6.7: RFC 6531 section 3.5 */
	SMTP_COMMAND_UNKNOWN_PARAM, /* 555 5.5.4; see culprit */
	SMTP_COMMAND_TWICE,         /* 501 5.5.4: duplicate; see culprit */
	SMTP_COMMAND_BAD_PARAM,     /* 501 5.5.4: value; see culprit */
	SMTP_COMMAND_NO_MEMORY,     /* 452 4.3.1: the arena is full */
};

/* Parameters of MAIL and RCPT; which ones count is in the options. */
enum smtp_param {
	SMTP_PARAM_SIZE = 1 << 0,        /* RFC 1870 */
	SMTP_PARAM_BODY = 1 << 1,        /* RFC 6152 */
	SMTP_PARAM_BINARYMIME = 1 << 2,  /* RFC 3030: a value of BODY */
	SMTP_PARAM_SMTPUTF8 = 1 << 3,    /* RFC 6531 */
	SMTP_PARAM_RET = 1 << 4,         /* RFC 3461 */
	SMTP_PARAM_ENVID = 1 << 5,       /* RFC 3461 */
	SMTP_PARAM_AUTH = 1 << 6,        /* RFC 4954 */
	SMTP_PARAM_REQUIRETLS = 1 << 7,  /* RFC 8689 */
	SMTP_PARAM_MT_PRIORITY = 1 << 8, /* RFC 6710 */
	SMTP_PARAM_HOLDFOR = 1 << 9,     /* RFC 4865 */
	SMTP_PARAM_HOLDUNTIL = 1 << 10,  /* RFC 4865 */
	SMTP_PARAM_BY = 1 << 11,         /* RFC 2852 */
	SMTP_PARAM_NOTIFY = 1 << 12,     /* RFC 3461 */
	SMTP_PARAM_ORCPT = 1 << 13,      /* RFC 3461 */
};
#define SMTP_PARAMS_NONE 0u
#define SMTP_PARAMS_DSN \
	((unsigned)SMTP_PARAM_RET | SMTP_PARAM_ENVID | SMTP_PARAM_NOTIFY | \
	    SMTP_PARAM_ORCPT)

enum smtp_body {
	SMTP_BODY_7BIT, /* also when nothing was said */
	SMTP_BODY_8BITMIME,
	SMTP_BODY_BINARYMIME,
};

enum smtp_ret {
	SMTP_RET_UNSET,
	SMTP_RET_FULL,
	SMTP_RET_HDRS,
};

enum smtp_notify {
	SMTP_NOTIFY_SUCCESS = 1 << 0,
	SMTP_NOTIFY_FAILURE = 1 << 1,
	SMTP_NOTIFY_DELAY = 1 << 2,
	SMTP_NOTIFY_NEVER = 1 << 3, /* never with another */
};

/* What is to be done when the time of BY has passed (RFC 2852). */
enum smtp_by {
	SMTP_BY_NONE,
	SMTP_BY_RETURN, /* the message goes back */
	SMTP_BY_NOTIFY, /* the sender is told, and it goes on */
	SMTP_BY_MODE = 3,
	SMTP_BY_TRACE = 4, /* one more bit: tell when it is handed on */
};

/* What the session has announced or allows. */
struct smtp_command_options {
	unsigned params;       /* of enum smtp_param; others are unknown */
	bool is_utf8;          /* RCPT, VRFY, EXPN: MAIL had SMTPUTF8 */
	bool allow_underscore; /* in domains of paths */
};

struct smtp_mail {
	struct smtp_path from;
	unsigned given; /* of enum smtp_param */
	uint64_t size;
	enum smtp_body body;
	enum smtp_ret ret;
	struct str envid;      /* decoded; printable ASCII */
	struct smtp_path auth; /* AUTH=<> is is_null */
	int mt_priority;       /* -9 to 9 */
	uint32_t hold_seconds;
	uint64_t hold_until; /* seconds since 1970 */
	int32_t by_seconds;  /* from MAIL on; not above 0 only with NOTIFY */
	unsigned by_mode;    /* of enum smtp_by */
};

struct smtp_rcpt {
	struct smtp_path to;
	unsigned given;
	unsigned notify;       /* of enum smtp_notify; 0 when not given */
	struct str orcpt_type; /* lower case: "rfc822", "utf-8" */
	struct str orcpt;      /* decoded, without controls */
};

struct smtp_bdat {
	uint64_t size;
	bool is_last;
};

struct smtp_auth {
	struct str mechanism; /* upper case */
	bool has_initial;
	struct str initial; /* as written: sasl_line_decode() takes it */
};

/*
 * Strings point into the line or the arena: valid until the caller drops the
 * line or resets the arena.
 */
struct smtp_command {
	enum smtp_verb verb;
	struct str word; /* the verb as written */
	struct str args; /* all behind it, outer spaces trimmed */
	union {
		struct smtp_path helo; /* EHLO HELO LHLO: domain, is_literal */
		struct smtp_mail mail;
		struct smtp_rcpt rcpt;
		struct smtp_bdat bdat;
		struct smtp_auth auth;
	} u;                             /* VRFY EXPN HELP NOOP: use args */
	enum smtp_path_error path_error; /* why, for BAD_PATH, BAD_DOMAIN */
	struct str culprit;              /* the parameter's keyword */
};

/*
 * Parse one line, CRLF removed. *ret is always set: on failure it holds the
 * verb, where one was recognised, and what the error's comment names.
 *
 * More than the RFCs ask is tolerated in two places: spaces behind "FROM:"
 * and "TO:", and repeated or trailing spaces between arguments.
 */
enum smtp_command_error smtp_command_parse(struct arena *a, struct str line,
    const struct smtp_command_options *options,
    struct smtp_command *ret) WARN_UNUSED;

/* "MAIL"; "UNKNOWN" for SMTP_VERB_UNKNOWN. */
const char *smtp_verb_str(enum smtp_verb verb);
const char *smtp_command_error_str(enum smtp_command_error e);

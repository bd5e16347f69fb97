/* SPDX-License-Identifier: ISC */
/*
 * pop3_command.h - one command line of a POP3 client as a value.
 *
 * RFC 1939 with the extensions of RFC 2449 (CAPA), 2595 (STLS), 5034 (AUTH)
 * and 6856 (UTF8, LANG). Which command is legal in which state is the
 * session's business. Layer: proto. No I/O.
 */
#pragma once

#include "base/str.h"

/* RFC 2449 section 4: 255 octets with CRLF. SASL lines have SASL_LINE_MAX. */
#define POP3_LINE_MAX      253
#define POP3_MECHANISM_MAX 20 /* RFC 4422 section 3.1 */

enum pop3_verb {
	POP3_VERB_UNKNOWN,
	POP3_VERB_USER,
	POP3_VERB_PASS,
	POP3_VERB_APOP, /* recognised, so that it can be refused by name */
	POP3_VERB_AUTH,
	POP3_VERB_STLS,
	POP3_VERB_CAPA,
	POP3_VERB_STAT,
	POP3_VERB_LIST,
	POP3_VERB_UIDL,
	POP3_VERB_RETR,
	POP3_VERB_TOP,
	POP3_VERB_DELE,
	POP3_VERB_RSET,
	POP3_VERB_NOOP,
	POP3_VERB_UTF8,
	POP3_VERB_LANG,
	POP3_VERB_QUIT,
};

enum pop3_command_error {
	POP3_COMMAND_OK,
	POP3_COMMAND_UNKNOWN_VERB,
	POP3_COMMAND_BAD_CHAR,   /* a control character */
	POP3_COMMAND_MISSING,    /* an argument is missing */
	POP3_COMMAND_UNEXPECTED, /* an argument too many */
	POP3_COMMAND_BAD_NUMBER, /* not a number, or a message number of 0 */
	POP3_COMMAND_SYNTAX,
};

/* Strings point into the line, and live as long as it does. */
struct pop3_command {
	enum pop3_verb verb;
	/*
	 * USER: the name. PASS: the password, every byte of it. AUTH: the
	 * mechanism, case as written, or empty to ask for the list. LANG: the
	 * tag, or empty for the list. APOP: all of the arguments.
	 */
	struct str text;
	bool has_initial;   /* AUTH: an initial response was given */
	struct str initial; /* as written: sasl_line_decode() takes it */
	bool has_message;   /* LIST and UIDL go without */
	uint32_t message;   /* from 1 */
	uint32_t lines;     /* TOP */
};

/* Parse one line, CRLF removed. *ret is always set; verb even on failure. */
enum pop3_command_error pop3_command_parse(
    struct str line, struct pop3_command *ret) WARN_UNUSED;

/* "RETR"; "UNKNOWN" for POP3_VERB_UNKNOWN. */
const char *pop3_verb_str(enum pop3_verb verb);
const char *pop3_command_error_str(enum pop3_command_error e);

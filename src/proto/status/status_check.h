/* SPDX-License-Identifier: ISC */
/*
 * status_check.h - one check of a system, as people write it:
 *
 *	KIND TARGET [NAME=VALUE ...]
 *	imap mail.example.org login=probe@example.org password=... slow=2s
 *
 * It is a row of the ledger's table CHECK; the key is the system's key, a '/',
 * and the check's id in lower case. The values stay as they were typed; numbers
 * are read when they are wanted, so text and row are held to the same rules.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_text.h"

#define STATUS_OPTIONS_MAX 48
#define STATUS_VALUE_MAX   256
/* Of CONFIRM and RECOVER. */
#define STATUS_RUN_MAX 10
#define STATUS_KEY_MAX (2 * STATUS_ID_MAX + 1)

enum status_kind {
	STATUS_TCP,
	STATUS_PING,
	STATUS_TLS, /* the certificate, also behind STARTTLS */
	STATUS_SMTP,
	STATUS_SUBMISSION,
	STATUS_IMAP,
	STATUS_POP3,
	STATUS_SIEVE,
	STATUS_HTTP,
	STATUS_DNS,
	STATUS_SOA,
	STATUS_BLOCKLIST,
	STATUS_SIP,
	STATUS_ROUNDTRIP,
	STATUS_KINDS
};

enum status_opt {
#define OPT(id, name, type, kinds, max, help) STATUS_OPT_##id,
#include "proto/status/status_options.def"
#undef OPT
	STATUS_OPTS
};

enum status_tls { STATUS_TLS_NEVER, STATUS_TLS_START, STATUS_TLS_IMPLICIT };
/* In the order of the words of PROTOCOL, TRANSPORT and RECORD. */
enum status_protocol {
	STATUS_PROTOCOL_TLS,
	STATUS_PROTOCOL_SMTP,
	STATUS_PROTOCOL_IMAP,
	STATUS_PROTOCOL_POP3,
	STATUS_PROTOCOL_SIEVE,
};
enum status_transport { STATUS_UDP, STATUS_OVER_TCP, STATUS_OVER_TLS };

struct status_option {
	enum status_opt opt;
	struct str value;
};

struct status_check {
	enum status_kind kind;
	struct str target;
	size_t n;
	struct status_option options[STATUS_OPTIONS_MAX];
};

const char *status_kind_name(enum status_kind k);
bool status_kind_parse(struct str word, enum status_kind *ret) WARN_UNUSED;
const char *status_opt_name(enum status_opt o);
bool status_opt_is_secret(enum status_opt o);
bool status_opt_is_of(enum status_opt o, enum status_kind k);

/*
 * Build one from words: begin, then each "NAME=VALUE" (which also replaces the
 * value of an option that may stand once), then finish, which looks at the whole.
 * "NAME=" takes all of that name away. Texts are borrowed. False: *ret says why.
 */
bool status_check_begin(struct status_check *c, struct str kind,
    struct str target, struct status_fault *ret) WARN_UNUSED;
bool status_check_put(struct status_check *c, struct str word,
    struct status_fault *ret) WARN_UNUSED;
bool status_check_finish(
    const struct status_check *c, struct status_fault *ret) WARN_UNUSED;

/* What there is of the name of "NAME=VALUE" goes, before others of it are put. A
 * word without such a name does nothing: put says what is wrong with it. */
void status_check_forget(struct status_check *c, struct str word);
/* Another target for what there is, of the same kind. */
bool status_check_retarget(struct status_check *c, struct str target,
    struct status_fault *ret) WARN_UNUSED;

void status_check_encode(const struct status_check *c, struct buf *to);
/* Texts point into the value. False: not sane, or another version. */
bool status_check_decode(
    struct str value, struct status_check *ret) WARN_UNUSED;
/* "NAME=VALUE NAME=VALUE", without secrets. */
void status_check_put_options(const struct status_check *c, struct buf *to);

/* --- what it says, of a check that is finished or was decoded ---------------- */

/* The i-th value of an option; empty when there is none. */
struct str status_check_text(
    const struct status_check *c, enum status_opt o, size_t i);
size_t status_check_count(const struct status_check *c, enum status_opt o);
/* A TIME, or what it is for this kind by default. */
uint64_t status_check_ms(const struct status_check *c, enum status_opt o);
uint32_t status_check_number(
    const struct status_check *c, enum status_opt o, uint32_t fallback);
/* The index of a word of TLS, PROTOCOL, TRANSPORT, RECORD. */
unsigned status_check_word(
    const struct status_check *c, enum status_opt o, unsigned fallback);
/* YESNO */
bool status_check_is(
    const struct status_check *c, enum status_opt o, bool fallback);
/* With the port, or what kind and port say by default. */
enum status_tls status_check_tls(const struct status_check *c);

/* Where it goes. */
struct status_target {
	struct str host; /* or the DNS name that is asked about */
	uint16_t port;   /* 0: the kind has none */
	struct str path; /* of a URL, with its query; "/" when it has none */
	bool is_https;
};
struct status_target status_check_target(const struct status_check *c);
/* Is code among "200-299,301"? */
bool status_codes_contain(struct str codes, unsigned code);
/* "a.b=VALUE" -> "a.b" and "VALUE" */
struct str status_field_path(struct str field, struct str *ret_value);

/* SYSTEM/CHECK in two ids; false: it is not that. */
bool status_split_key(
    struct str key, struct str *ret_system, struct str *ret_check) WARN_UNUSED;

/* --- from where (status_at.c) -------------------------------------------------- */

/* From this server itself? */
bool status_check_is_here(const struct status_check *c);
/*
 * From the agent with that name? Not by default when the check signs in, for an
 * agent's machine should not hold a password without anybody having said so;
 * nor when it is about an address that is another machine's elsewhere (loopback,
 * private, link-local) or a name of that sort.
 */
bool status_check_is_at(const struct status_check *c, struct str agent);

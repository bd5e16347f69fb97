/* SPDX-License-Identifier: ISC */
/*
 * spf_macro.h - macros in names and explanations, RFC 7208 section 7.
 *
 * Whether a text is right is decided before it is expanded, and never looked
 * at again afterwards: what a client says in HELO cannot make a record wrong.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/spf/spf_address.h"
#include "proto/spf/spf_name.h"

/* What the letters stand for. Views; they live as long as the caller says. */
struct spf_macro_env {
	struct str sender;         /* s: local part, "@", domain */
	struct str local;          /* l */
	struct str sender_domain;  /* o */
	struct str domain;         /* d: where the record was found */
	struct str helo;           /* h */
	struct str receiver;       /* r: name of this server */
	struct str validated;      /* p: "unknown" where nothing is known */
	struct spf_address client; /* i, c, v */
	uint64_t now;              /* t: seconds since 1970 */
};

/* No value of a letter may be longer: the longest is a whole sender. */
#define SPF_VALUE_MAX 512

/* Grammar of macro-string; %{c}, %{r} and %{t} are not in it. */
bool spf_macro_is_string(struct str s);
/* Grammar of explain-string: spaces and all letters are allowed. */
bool spf_macro_is_explanation(struct str s);
/* Grammar of domain-spec: ends with a macro or with a top-level label. */
bool spf_macro_is_domain(struct str s);
/* Does s, a right one of the three above, ask for the letter? */
bool spf_macro_has(struct str s, char letter);

/*
 * Does the spec ask for a local part that is not ASCII? The term matches
 * nothing then (RFC 8616 section 4), and its name cannot be asked for.
 */
bool spf_macro_is_international(
    const struct spf_macro_env *env, struct str spec);

/*
 * The name that a right domain-spec stands for. Labels are dropped at the
 * left until it fits 253 bytes (section 7.3). False, and *ret untouched, when
 * the outcome is no name that can be asked for: an empty or long label, or a
 * byte that is not ASCII.
 */
bool spf_macro_name(const struct spf_macro_env *env, struct str spec,
    struct spf_name *ret) WARN_UNUSED;

/*
 * The text that a right explain-string stands for. Control characters in
 * values become "?", so that the outcome is always one line. The buffer's
 * maximum is the limit: out->failed says that the text was longer.
 */
void spf_macro_text(
    const struct spf_macro_env *env, struct str text, struct buf *out);

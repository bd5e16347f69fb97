/* SPDX-License-Identifier: ISC */
/*
 * agent_message.h - what an agent and its master say to each other.
 *
 * Each request of an agent is an envelope: who, an epoch, a number, the time, what
 * it says, and an Ed25519 signature over all of that and the path that it is
 * sent to. The epoch is a random number of the master's process, which an
 * agent learns from a first answer that refuses it; within an epoch the
 * numbers must rise. So a request that somebody recorded is good for nothing,
 * and neither side has to remember anything on disk for that.
 *
 * Times of results are ages: the agent measures them with a clock that does
 * not jump, so that a wrong wall clock does not make wrong times.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "base/crypt.h"
#include "base/wire.h"

#define AGENT_PATH_ENROL "/api/agent/v1/enrol"
#define AGENT_PATH_SYNC  "/api/agent/v1/sync"
#define AGENT_MEDIA_TYPE "application/vnd.mailstead.agent"

#define AGENT_BODY_MAX     KIB(256) /* of a request */
#define AGENT_REPLY_MAX    KIB(768)
#define AGENT_ID_MAX       40
#define AGENT_KEY_MAX      81   /* SYSTEM/CHECK */
#define AGENT_RESULTS_MAX  2000 /* of one request */
#define AGENT_TEXT_MAX     120  /* of one result */
#define AGENT_SOFTWARE_MAX 40
#define AGENT_CHECKS_MAX   4096
#define AGENT_LOOK_MAX     64
#define AGENT_KEY_BYTES    32
#define AGENT_TOKEN_MAX    96
/* Outcomes and causes are those of proto/watch; whoever uses them looks. */
#define AGENT_OUTCOME_MAX 3
#define AGENT_NO_DAYS     UINT16_MAX

/* --- envelopes --------------------------------------------------------------- */

struct agent_envelope {
	struct str id;
	uint64_t epoch, seq;
	uint64_t time_ms; /* the agent's wall clock: to tell how wrong it is */
	struct str payload;
	struct str signature;
};

/* Append it, signed; e->signature is not looked at. False: the key is no private
 * one, or it does not fit. */
bool agent_envelope_seal(struct buf *to, const struct agent_envelope *e,
    const char *path, const struct crypt_key *key) WARN_UNUSED;
/* Texts point into body. False: it is none, or of another version. */
bool agent_envelope_read(
    struct str body, struct agent_envelope *ret) WARN_UNUSED;
bool agent_envelope_is_by(const struct agent_envelope *e, const char *path,
    const struct crypt_key *key) WARN_UNUSED;

/* --- enrolment: the payload's signature is by the key that it brings ---------- */

struct agent_enrol {
	struct str token;
	struct str key; /* AGENT_KEY_BYTES */
	struct str software;
};
void agent_enrol_put(struct buf *to, const struct agent_enrol *e);
bool agent_enrol_read(struct str payload, struct agent_enrol *ret) WARN_UNUSED;

/* --- what an agent found --------------------------------------------------------- */

struct agent_result {
	struct str key;
	uint64_t age_ms;  /* since its end, when the request was made */
	uint32_t took_ms; /* from its start to its end */
	uint8_t outcome, cause;
	uint32_t us;   /* until the answer that counts */
	uint16_t days; /* left of a certificate; AGENT_NO_DAYS */
	struct str text;
};
/* A text that is too long is cut. */
void agent_result_put(struct buf *to, const struct agent_result *r);
/* False at the end of w, or when it is no result (then w has failed). */
bool agent_result_read(struct wire *w, struct agent_result *ret) WARN_UNUSED;

struct agent_sync {
	struct str software;
	uint64_t list; /* the list of checks that it has; 0: none */
	uint64_t left; /* results that wait behind these */
	uint64_t lost; /* that had no room, ever */
	uint32_t n;    /* results */
	struct str results;
	/* With no results: the answer may wait so long for something to say. 0, and
	 * of an agent that does not say it: it comes at once. */
	uint32_t wait_ms;
};
void agent_sync_put(struct buf *to, const struct agent_sync *s);
/* Every result was looked at, too: reading them cannot fail. */
bool agent_sync_read(struct str payload, struct agent_sync *ret) WARN_UNUSED;

/* --- what the master answers ------------------------------------------------------ */

/* A check: its row, as the ledger has it. */
struct agent_check {
	struct str key, row;
};
void agent_check_put(struct buf *to, const struct agent_check *c);
bool agent_check_read(struct wire *w, struct agent_check *ret) WARN_UNUSED;

/* To an agent that is known: of 200, and of 409, which says which epoch and what
 * number it has to go on behind. */
struct agent_reply {
	uint64_t epoch, seq;
	uint64_t time_ms; /* the master's wall clock */
	uint32_t poll_ms; /* the longest time until the next request */
	uint64_t list;
	bool has_checks; /* the agent's list is another one: this is it */
	uint32_t n;
	struct str checks;
	/* Keys of checks that somebody sees failing: probe them now. */
	struct str look;
};
void agent_reply_put(struct buf *to, const struct agent_reply *r);
/* Everything in it was looked at. */
bool agent_reply_read(struct str body, struct agent_reply *ret) WARN_UNUSED;
/* The next of look; false at its end. */
bool agent_look_read(struct wire *w, struct str *ret) WARN_UNUSED;

/* SPDX-License-Identifier: ISC */
/*
 * reach_judge.h - is what is seen of a network unusual? Suspected, never more.
 *
 * Seven signals (docs/reach.md):
 *   QUIET    fewer connections than usual for that hour and weekday
 *   STUCK    connections come in, but do not get to TLS
 *   ALERTS   clients refuse our TLS with one alert more often than usual
 *   SIGN_IN  devices that signed in before cannot any more (guesses of
 *            attackers are from elsewhere, and do not count)
 *   TLS      handshakes fail more often than usual for that hour and weekday,
 *            for whatever reason
 *   CUT      people get in, and then their sessions are broken off, more often
 *            than is usual for that hour and weekday
 *   FEW      connections come as ever, and people do not get in by them
 *
 * Each is a test of counts (Poisson with measured overdispersion, binomial), at
 * a level that a thousand networks pass in months, not days, and with a least
 * number and a least size of the effect. Stretches of 15, 30 and 60 minutes
 * are looked at: the shortest with enough in it. A signal is raised when it is
 * found REACH_RAISE times in a row, and ends when it is surely not found
 * REACH_END times in a row.
 *
 * Layer: proto. No I/O, no clock, no allocation.
 */
#pragma once

#include "proto/reach/reach_cell.h"
#include "proto/reach/reach_profile.h"

#define REACH_RECENT     12 /* stretches of 5 minutes that are looked at */
#define REACH_RAISE      2
#define REACH_END        3
#define REACH_FADE       144 /* times in a row that nothing can be said: 12 hours */
#define REACH_P_ODD      1e-6 /* less likely than this: it is found */
#define REACH_P_FINE     1e-2 /* likelier than this: it is surely not */
#define REACH_USUAL_MIN  14 /* connections expected (over phi): e^-14 < 1e-6 */
#define REACH_STUCK_MIN  12 /* connections */
#define REACH_ALERTS_MIN 8
#define REACH_ALERT_NETS 3 /* networks that send it */
#define REACH_FEW_USUAL  5 /* accounts in five minutes: else there are too few */

enum reach_signal_kind {
	REACH_QUIET,
	REACH_STUCK,
	REACH_ALERTS,
	REACH_SIGN_IN,
	REACH_TLS_FAILS,
	REACH_CUT_OFF,
	REACH_FEW,
	REACH_SIGNALS, /* those of networks, which are judged here */
	/* Not judged here: */
	REACH_REFUSED = REACH_SIGNALS, /* a receiver refuses our address */
	REACH_SLOW,     /* mail to others takes long (sent_profile.h) */
	REACH_REFUSALS, /* a receiver refuses more mail than usual */
	REACH_BACKLOG,  /* what waits for a receiver only grows */
	REACH_KINDS
};
const char *reach_signal_name(enum reach_signal_kind k);
/*
 * What a person calls it by: "quiet/imaps-993-v4/AS37146". At most
 * REACH_ID_MAX bytes.
 */
#define REACH_ID_MAX 160
void reach_signal_put_id(struct buf *to, enum reach_signal_kind k,
    const char *service, const struct reach_key *key);

/* Five minutes of one network and port. */
struct reach_step {
	bool is_known; /* the watcher ran; else nothing follows from zeros */
	uint32_t attempts, could_tls, tls, signed_in, accounts, limited;
	uint32_t alerts, alert_nets; /* of the commonest alert */
	uint8_t alert;
	uint32_t known, known_failed, failed_nets;
	/* Handshakes of networks that usually get in (struct reach_tls_cap). */
	uint32_t tls_tried, tls_failed;
	struct reach_alert failure; /* the commonest */
	double tls_failing;         /* the usual share; below 0: not known */
	uint32_t sessions;          /* REACH_N_SESSIONS */
	double usual_cut;           /* the usual share; below 0: not known */
	/* By account or client; LOTS_CUT of all networks together: by network. */
	uint16_t lots[REACH_LOTS_KINDS][REACH_LOTS];
	bool has_usual;
	double usual[REACH_MEANS];
};

/* The last stretches, newest last. */
struct reach_recent {
	struct reach_step steps[REACH_RECENT];
};
void reach_recent_push(struct reach_recent *r, const struct reach_step *s);
/* All networks of a port, without one of them: their accounts, sign-ins and what
 * is usual of both. */
void reach_recent_less(
    struct reach_recent *all, const struct reach_recent *one);

enum reach_verdict {
	REACH_NOTHING, /* too little to say */
	REACH_FINE,
	REACH_BETWEEN, /* neither: what was said before stays */
	REACH_ODD,
};

/* is_large: the effect matters, and there was enough to see. */
enum reach_verdict reach_verdict_of(double p, bool is_large);

/* What a test found, of the stretch that decided. */
struct reach_finding {
	enum reach_verdict verdict;
	double p;
	unsigned minutes;
	uint32_t seen, of; /* QUIET: of 0; else seen among of */
	double usual;      /* QUIET: connections; else a share */
	/* FEW: seen and usual are accounts in five minutes, of connections. */
	uint8_t alert;
	struct reach_alert failure; /* TLS_FAILS: the commonest */
};

/* phi: reach_profile_phi(). */
struct reach_finding reach_judge_quiet(
    const struct reach_recent *r, double phi);
/* share: of those who could, how many are usually without TLS. */
struct reach_finding reach_judge_stuck(
    const struct reach_recent *r, double share);
struct reach_finding reach_judge_alerts(const struct reach_recent *r);
/* failing: reach_profile_failing(). */
struct reach_finding reach_judge_sign_in(
    const struct reach_recent *r, double failing);

struct reach_finding reach_judge_tls(const struct reach_recent *r);

/* phi: reach_profile_phi_cut(). */
struct reach_finding reach_judge_cut(const struct reach_recent *r, double phi);
/*
 * phi: reach_profile_phi_accounts(). rank: so many clients have to try, 1 to
 * REACH_LOT_RANK (reach_few_rank()).
 */
struct reach_finding reach_judge_few(
    const struct reach_recent *r, double phi, unsigned rank);
/* Of reach_profile_clients(): behind an address translator there is one client. */
unsigned reach_few_rank(double clients);

/*
 * One phone that tries all day is no fault of ours: for reach_judge_tls() no
 * network counts for more failures than the one that has the
 * REACH_ALERT_NETS-th most of them. So fewer networks than that count nothing.
 */
struct reach_tls_cap {
	uint32_t most[REACH_ALERT_NETS]; /* of one network, falling */
};
void reach_tls_cap_see(struct reach_tls_cap *c, uint32_t failed);
uint32_t reach_tls_cap(const struct reach_tls_cap *c, uint32_t failed);

/* One signal of one network and port. */
struct reach_signal {
	bool is_raised;
	uint8_t hits, misses, silent;
	uint64_t since;            /* Unix time; when it was found first */
	uint64_t raised;           /* when it was raised */
	struct reach_finding last; /* the last that was ODD */
};
/* What was found at now; true when is_raised changed. */
bool reach_signal_step(
    struct reach_signal *s, const struct reach_finding *f, uint64_t now);

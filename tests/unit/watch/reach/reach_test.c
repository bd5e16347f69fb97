/* SPDX-License-Identifier: ISC */
/*
 * reach_test.c - weeks of connections through role watch, in simulated time:
 * the case of the reference (customers of one provider cannot connect, while
 * all probes are green), what must not be taken for it, and restarts.
 */
#include "../../test.h"
#include "conf/breaker_row.h"
#include "proto/status/status_signal.h"
#include "watch/reach/reach_internal.h"

#include <math.h>
#include <stdlib.h>

#define NETWORKS 6
#define MTN      0
#define STEP     REACH_INTERVAL_S
#define WEEK     (UINT64_C(7) * 86400)
#define MONDAY   (UINT64_C(4) * 86400) /* 5 January 1970 */

static const uint32_t networks[NETWORKS] = { 36962, 37146, 37154, 37287, 30844,
	328 };

struct world {
	struct server sv;
	struct conf conf;
	char dir[64];
	struct reach *r;
	/* What people decided, and who refuses; and those of before a restart. */
	struct ledger_mirror *decided, *old[4];
	size_t n_old;
	unsigned organisations;
	/* What goes wrong with connections of a network, or (NETWORKS) of all. */
	unsigned odd, cut_of_ten, out_of_ten;
	uint64_t now, seed;
};

static void
world_start(struct world *w)
{
	w->r = reach_new(&w->sv);
	reach_told_start_alone(w->r, &w->decided);
	ASSERT(w->n_old < ARRAY_LEN(w->old));
	w->old[w->n_old++] = w->decided;
	reach_start_at(w->r, w->now);
}

static void
world_init(struct world *w)
{
	static char none[] = "";

	*w = (struct world){ .now = MONDAY, .seed = 4, .organisations = 9 };
	snprintf(w->dir, sizeof(w->dir), "/tmp/reach_test.XXXXXX");
	if (mkdtemp(w->dir) == NULL)
		die("mkdtemp");
	w->conf.reach_as_database = none;
	w->conf.reach_as_zone = none;
	w->sv.conf = &w->conf;
	w->sv.loop = loop_new();
	w->sv.dir = w->dir;
	world_start(w);
}

static void
world_done(struct world *w)
{
	CLEANUP(freep) char *rm = x_asprintf("rm -r %s", w->dir);

	reach_stop(w->r);
	reach_free(w->r);
	while (w->n_old > 0)
		ledger_mirror_free_alone(w->old[--w->n_old]);
	loop_free(w->sv.loop);
	if (system(rm) != 0)
		die("%s", rm);
}

static double
any(struct world *w)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) +
	          UINT64_C(1442695040888963407);
	return (double)(w->seed >> 11) / 9007199254740992.0;
}

static unsigned
poisson(struct world *w, double lambda)
{
	double limit = exp(-lambda), p;
	unsigned n = 0;

	for (p = any(w); p > limit; p *= any(w))
		n++;
	return n;
}

static void
come(struct world *w, unsigned network, unsigned n, bool has_tls, uint8_t alert)
{
	struct reach_net net = { REACH_NET_AS, networks[network] };
	struct reach_event e = { .service = SERVICE_IMAPS,
		.port = 993,
		.family = 4,
		.stages = REACH_GREETED | REACH_TLS | REACH_SIGNED_IN,
		.rtt_us = 200000,
		.alert = alert };

	if (!has_tls) {
		e.stages = 0;
		e.end = alert != 0 ? REACH_END_TLS : REACH_END_TIMEOUT;
		e.tls = REACH_TLS_12;
	}
	for (unsigned i = 0; i < n; i++) {
		bool is_odd = w->odd == network || w->odd == NETWORKS;

		e.account = has_tls ? network * 1000 + i + 1 : 0;
		e.organisation = 1 + i % w->organisations;
		e.address[3] = (uint8_t)i;
		if (has_tls && is_odd && w->cut_of_ten > any(w) * 10) {
			e.stages |= REACH_CUT;
			e.end = REACH_END_RESET;
		}
		if (has_tls && is_odd && w->out_of_ten > any(w) * 10) {
			e.stages = REACH_GREETED | REACH_TLS;
			e.end = REACH_END_LEFT;
			e.account = 0;
		}
		reach_count(w->r, &e, &net);
		if (has_tls) {
			e.stages = REACH_GREETED | REACH_TLS | REACH_SIGNED_IN;
			e.end = REACH_END_WELL;
		}
	}
}

/* What goes on for a while: 25 connections of each network in five minutes,
 * but of those that are silent. */
struct episode {
	unsigned minutes;
	bool is_mtn_silent, is_all_silent, is_mtn_stuck;
	uint8_t alert; /* a tenth of all clients send it */
	bool is_worse; /* half of them */
};

static void
pass(struct world *w, const struct episode *e)
{
	for (unsigned m = 0; m < e->minutes; m += 5) {
		for (unsigned i = 0; i < NETWORKS; i++) {
			unsigned n = poisson(w, 25);

			if (e->is_all_silent || (i == MTN && e->is_mtn_silent))
				n = 0;
			come(w, i, n, i != MTN || !e->is_mtn_stuck, 0);
			n = e->alert == 0 ? 0 : e->is_worse ? 25 : 3;
			come(w, i, n, false, e->alert);
		}
		w->now += STEP;
		reach_tick_at(w->r, w->now);
	}
}

static const struct series *
series_of(const struct world *w, enum reach_net_kind kind, uint32_t value)
{
	struct reach_key k = { { (uint8_t)kind, value }, 993, SERVICE_IMAPS,
		4 };

	return reach_series_find(w->r, &k);
}

static bool
is_raised(const struct world *w, int network, enum reach_signal_kind kind)
{
	const struct series *s =
	    network < 0 ? series_of(w, REACH_NET_ALL, 0)
			: series_of(w, REACH_NET_AS, networks[network]);

	return s != NULL && s->signals[kind].is_raised;
}

static unsigned
raised(const struct world *w)
{
	unsigned n = 0;

	for (size_t i = 0; i < w->r->n_series; i++)
		for (unsigned k = 0; k < REACH_SIGNALS; k++)
			n += w->r->series[i]->signals[k].is_raised;
	return n;
}

static void
usual_weeks(struct world *w)
{
	pass(w, &(struct episode){ .minutes = 15 * 24 * 60 + 10 * 60 });
	CHECK(raised(w) == 0, "two usual weeks and a morning");
	CHECK(w->r->n_series == NETWORKS + 1, "each of them, and all");
}

/* 6 June: nobody gets through from one provider, and the server is well. */
TEST(one_provider_falls_silent_and_comes_back)
{
	struct buf text = BUF_INIT(KIB(1));
	const struct series *s;
	struct world w;
	uint64_t since;

	world_init(&w);
	usual_weeks(&w);
	pass(&w, &(struct episode){ .minutes = 10, .is_mtn_silent = true });
	CHECK(raised(&w) == 0, "ten minutes prove nothing");
	pass(&w, &(struct episode){ .minutes = 15, .is_mtn_silent = true });
	CHECK(is_raised(&w, MTN, REACH_QUIET), "after 25 minutes");
	CHECK(raised(&w) == 1, "and nobody else");
	s = series_of(&w, REACH_NET_AS, networks[MTN]);
	since = s->signals[REACH_QUIET].since;
	CHECK(
	    since + 40 * 60 > w.now && since <= w.now - 15 * 60, "since then");
	reach_series_text(w.r, s, REACH_QUIET, &text);
	CHECK(str_eq(buf_str(&text),
		  STR("fewer connections than usual from AS36962 on imaps "
		      "(port 993), IPv4")),
	    "in words");
	/* A new process knows the same. */
	reach_stop(w.r);
	reach_free(w.r);
	world_start(&w);
	CHECK(is_raised(&w, MTN, REACH_QUIET) && raised(&w) == 1, "restarted");
	s = series_of(&w, REACH_NET_AS, networks[MTN]);
	CHECK(s->signals[REACH_QUIET].since == since, "since the same time");
	pass(&w, &(struct episode){ .minutes = 40 });
	CHECK(raised(&w) == 0, "over");
	buf_done(&text);
	world_done(&w);
}

/* --- who hears of it --------------------------------------------------------------- */

/* What strangers are told; "": nothing. */
static size_t
told(struct world *w, struct msg_watch_suspected *ret)
{
	static struct buf items;
	struct wire r;
	size_t n = 0;

	buf_done(&items);
	items = BUF_INIT(KIB(16));
	reach_told_put(w->r, &items);
	r = wire_read(buf_str(&items));
	while (msg_watch_suspected_read(&r, ret))
		n++;
	return n;
}

static void
set_row(struct world *w, enum ledger_table table, struct str key,
    const struct buf *value)
{
	struct ledger_mirror_row row = { key, buf_str(value) };

	ledger_mirror_set(w->decided, table, &row, key.n > 0);
}

static void
decide(struct world *w, const char *id, bool is_approved, const char *text)
{
	struct buf value = BUF_INIT(KIB(1));

	status_signal_encode(
	    &(struct status_signal){ is_approved, w->now, str_c(text) },
	    &value);
	set_row(w, LEDGER_SIGNAL, str_c(id), &value);
	buf_done(&value);
}

#define QUIET_ID "quiet/imaps-993-v4/AS36962"

TEST(strangers_hear_later_unless_somebody_looked)
{
	struct msg_watch_suspected s;
	struct reach_public p;
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	pass(&w, &(struct episode){ .minutes = 25, .is_mtn_silent = true });
	CHECK(is_raised(&w, MTN, REACH_QUIET), "it is suspected");
	CHECK(told(&w, &s) == 0, "and not told yet");
	p = reach_told_of(
	    w.r, series_of(&w, REACH_NET_AS, networks[MTN]), REACH_QUIET);
	CHECK(!reach_public_may_tell(&p) && reach_public_is_many(&p),
	    "nor to a visitor who checks his connection");
	decide(&w, "quiet/imaps-993-v4/AS37146", true, "");
	CHECK(told(&w, &s) == 0, "another one was approved");
	decide(&w, QUIET_ID, true, "");
	CHECK(told(&w, &s) == 1 && s.kind == REACH_QUIET && s.is_network &&
		  s.service == SERVICE_IMAPS && s.name.n == 0,
	    "approved: at once, without the network's name");
	decide(&w, QUIET_ID, true, "MTN looks into it");
	CHECK(told(&w, &s) == 1 && str_eq(s.text, STR("MTN looks into it")),
	    "in own words");
	decide(&w, QUIET_ID, false, "");
	pass(&w, &(struct episode){ .minutes = 30, .is_mtn_silent = true });
	CHECK(told(&w, &s) == 0, "dismissed: never");
	set_row(&w, LEDGER_SIGNAL, STR(""), &(struct buf){ 0 });
	CHECK(told(&w, &s) == 1, "undecided: a quarter of an hour later");
	world_done(&w);
}

TEST(strangers_never_hear_of_two_organisations)
{
	struct msg_watch_suspected s;
	struct world w;

	world_init(&w);
	w.organisations = 2;
	usual_weeks(&w);
	pass(&w, &(struct episode){ .minutes = 60, .is_mtn_silent = true });
	CHECK(is_raised(&w, MTN, REACH_QUIET), "it is suspected");
	CHECK(told(&w, &s) == 0, "an hour");
	decide(&w, QUIET_ID, true, "");
	CHECK(told(&w, &s) == 0, "approved, but in our words it says too much");
	decide(&w, QUIET_ID, true, "We call them");
	CHECK(told(&w, &s) == 1, "a person knows what can be said");
	world_done(&w);
}

static void
refuse(struct world *w, const char *scope, uint32_t code)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(8));
	uint64_t accounts[] = { 4, 9 };
	struct breaker_row row = { .scope = str_c(scope),
		.source = STR("192.0.2.1"),
		.since_ms = w->now * 1000,
		.messages = 5,
		.accounts = accounts,
		.n_accounts = 2,
		.code = code,
		.reply = STR("5.7.606 Access denied") };

	breaker_row_put(&value, &row);
	breaker_key_put(&key, row.scope, row.source);
	set_row(w, LEDGER_BREAKER, buf_str(&key), &value);
	buf_done(&key);
	buf_done(&value);
}

TEST(of_who_refuses_our_mail_a_person_tells)
{
	struct msg_watch_suspected s;
	struct world w;

	world_init(&w);
	refuse(&w, "microsoft", 550);
	pass(&w, &(struct episode){ .minutes = 60 });
	CHECK(told(&w, &s) == 0, "nobody said so");
	decide(&w, "refused/microsoft/192.0.2.1", true, "");
	CHECK(told(&w, &s) == 1 && s.kind == REACH_REFUSED &&
		  str_eq(s.name, STR("Microsoft 365")),
	    "by name");
	/* A customer's correspondent is nobody's business. */
	refuse(&w, "domain:example.org", 550);
	CHECK(told(&w, &s) == 0, "another signal");
	decide(&w, "refused/domain:example.org/192.0.2.1", true, "");
	CHECK(told(&w, &s) == 1 && s.name.n == 0, "without a name");
	/* What the operator avoids by hand. */
	refuse(&w, "domain:example.org", 0);
	CHECK(told(&w, &s) == 0, "is no refusal");
	world_done(&w);
}

TEST(when_all_are_silent_it_is_about_the_port)
{
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	pass(&w, &(struct episode){ .minutes = 40, .is_all_silent = true });
	CHECK(is_raised(&w, -1, REACH_QUIET), "the port");
	CHECK(raised(&w) == 1, "no network");
	world_done(&w);
}

TEST(a_watcher_that_was_away_says_nothing)
{
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	reach_stop(w.r);
	reach_free(w.r);
	w.now += 3 * 3600 + 120;
	world_start(&w);
	CHECK(raised(&w) == 0, "the gap is no outage");
	pass(&w, &(struct episode){ .minutes = 5 });
	CHECK(raised(&w) == 0, "nor are its last minutes");
	/* Suspended for hours, with the machine. */
	pass(&w, &(struct episode){ .minutes = 60 });
	w.now += 3 * 3600;
	reach_tick_at(w.r, w.now);
	CHECK(raised(&w) == 0, "nor is sleep");
	pass(&w, &(struct episode){ .minutes = 5 });
	CHECK(raised(&w) == 0, "nor its last minutes");
	world_done(&w);
}

TEST(tls_that_does_not_come_about_and_alerts)
{
	struct world w;

	world_init(&w);
	pass(&w, &(struct episode){ .minutes = 60 });
	pass(&w, &(struct episode){ .minutes = 25, .is_mtn_stuck = true });
	CHECK(
	    is_raised(&w, MTN, REACH_STUCK) && raised(&w) == 1, "one network");
	pass(&w, &(struct episode){ .minutes = 90 });
	CHECK(raised(&w) == 0, "over");
	pass(&w, &(struct episode){ .minutes = 20, .alert = 46 });
	CHECK(is_raised(&w, -1, REACH_ALERTS) && raised(&w) == 1,
	    "certificate_unknown on 993");
	CHECK(
	    series_of(&w, REACH_NET_ALL, 0)->signals[REACH_ALERTS].last.alert ==
		46,
	    "its number");
	world_done(&w);
}

/* What usually works fails, with one alert; as many others never got in. */
TEST(tls_that_fails_is_told_with_alert_and_version)
{
	struct reach_net scanner = { REACH_NET_AS, 64500 };
	struct buf text = BUF_INIT(KIB(1));
	const struct series *all;
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	for (unsigned m = 0; m < 60; m += 5) {
		for (unsigned i = 0; i < 900; i++)
			reach_count(w.r,
			    &(struct reach_event){ .service = SERVICE_IMAPS,
				.port = 993,
				.family = 4,
				.end = REACH_END_TLS,
				.own_alert = 70,
				.tls = REACH_TLS_10 },
			    &scanner);
		pass(&w, &(struct episode){ .minutes = 5 });
	}
	CHECK(raised(&w) == 0, "scanners are no signal");
	pass(&w,
	    &(struct episode){ .minutes = 10, .alert = 45, .is_worse = true });
	CHECK(is_raised(&w, -1, REACH_TLS_FAILS), "after ten minutes");
	all = series_of(&w, REACH_NET_ALL, 0);
	reach_series_text(w.r, all, REACH_TLS_FAILS, &text);
	CHECK(str_eq(buf_str(&text),
		  STR("TLS fails more often than usual, mostly TLSv1.2, "
		      "alert 45 (certificate_expired) sent by clients on "
		      "imaps (port 993), IPv4")),
	    "in words");
	buf_done(&text);
	world_done(&w);
}

/* --- behind sign-in ----------------------------------------------------------------- */

static bool
says(
    struct world *w, int network, enum reach_signal_kind kind, const char *text)
{
	const struct series *s =
	    network < 0 ? series_of(w, REACH_NET_ALL, 0)
			: series_of(w, REACH_NET_AS, networks[network]);
	struct buf b = BUF_INIT(KIB(1));
	bool is_same;

	reach_series_text(w->r, s, kind, &b);
	is_same = str_eq(buf_str(&b), str_c(text));
	buf_done(&b);
	return is_same;
}

TEST(customers_of_one_provider_get_in_and_no_further_or_not_at_all)
{
	struct msg_watch_suspected s;
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	w.cut_of_ten = 6;
	pass(&w, &(struct episode){ .minutes = 10 });
	CHECK(raised(&w) == 0, "ten minutes prove nothing");
	pass(&w, &(struct episode){ .minutes = 35 });
	CHECK(is_raised(&w, MTN, REACH_CUT_OFF), "after 45");
	CHECK(raised(&w) == 1, "and nobody else");
	CHECK(says(&w, MTN, REACH_CUT_OFF,
		  "sessions break off behind sign-in more often than usual "
		  "from AS36962 on imaps (port 993), IPv4"),
	    "in words");
	pass(&w, &(struct episode){ .minutes = 20 });
	CHECK(told(&w, &s) == 1 && s.kind == REACH_CUT_OFF && s.is_network,
	    "strangers hear of it");
	/* A new process knows the same. */
	reach_stop(w.r);
	reach_free(w.r);
	world_start(&w);
	CHECK(
	    is_raised(&w, MTN, REACH_CUT_OFF) && raised(&w) == 1, "restarted");
	w.cut_of_ten = 0;
	pass(&w, &(struct episode){ .minutes = 60 });
	CHECK(raised(&w) == 0, "over");
	w.out_of_ten = 9;
	pass(&w, &(struct episode){ .minutes = 40 });
	CHECK(is_raised(&w, MTN, REACH_FEW), "they are missed");
	CHECK(raised(&w) == 1, "and nobody else");
	CHECK(says(&w, MTN, REACH_FEW,
		  "connections come as usual, and far fewer accounts than "
		  "usual get in from AS36962 on imaps (port 993), IPv4"),
	    "in words");
	w.out_of_ten = 0;
	pass(&w, &(struct episode){ .minutes = 60 });
	CHECK(raised(&w) == 0, "over");
	world_done(&w);
}

TEST(when_it_is_so_for_all_it_is_about_the_port)
{
	struct world w;

	world_init(&w);
	usual_weeks(&w);
	w.odd = NETWORKS;
	w.cut_of_ten = 6;
	pass(&w, &(struct episode){ .minutes = 40 });
	CHECK(is_raised(&w, -1, REACH_CUT_OFF), "the port");
	CHECK(raised(&w) == 1, "no network");
	w.cut_of_ten = 0;
	pass(&w, &(struct episode){ .minutes = 60 });
	CHECK(raised(&w) == 0, "over");
	w.out_of_ten = 9;
	pass(&w, &(struct episode){ .minutes = 40 });
	CHECK(is_raised(&w, -1, REACH_FEW), "the port");
	CHECK(raised(&w) == 1, "no network");
	world_done(&w);
}

/* Two in three of all customers are of one provider, and these do not get in. */
TEST(what_the_largest_misses_is_not_about_the_port)
{
	struct world w;

	world_init(&w);
	for (unsigned m = 0; m < 15 * 24 * 60 + 10 * 60; m += 5) {
		come(&w, MTN, 250, true, 0);
		pass(&w, &(struct episode){ .minutes = 5 });
	}
	CHECK(raised(&w) == 0, "two usual weeks");
	w.out_of_ten = 9;
	for (unsigned m = 0; m < 40; m += 5) {
		come(&w, MTN, 250, true, 0);
		pass(&w, &(struct episode){ .minutes = 5 });
	}
	CHECK(is_raised(&w, MTN, REACH_FEW), "the provider");
	CHECK(!is_raised(&w, -1, REACH_FEW), "not the port");
	w.out_of_ten = 0;
	w.cut_of_ten = 7;
	for (unsigned m = 0; m < 90; m += 5) {
		come(&w, MTN, 250, true, 0);
		pass(&w, &(struct episode){ .minutes = 5 });
	}
	CHECK(is_raised(&w, MTN, REACH_CUT_OFF), "the provider");
	CHECK(!is_raised(&w, -1, REACH_CUT_OFF), "not the port");
	world_done(&w);
}

TEST_MAIN(UNIT(customers_of_one_provider_get_in_and_no_further_or_not_at_all),
    UNIT(when_it_is_so_for_all_it_is_about_the_port),
    UNIT(what_the_largest_misses_is_not_about_the_port),
    UNIT(tls_that_fails_is_told_with_alert_and_version),
    UNIT(one_provider_falls_silent_and_comes_back),
    UNIT(strangers_hear_later_unless_somebody_looked),
    UNIT(strangers_never_hear_of_two_organisations),
    UNIT(of_who_refuses_our_mail_a_person_tells),
    UNIT(when_all_are_silent_it_is_about_the_port),
    UNIT(a_watcher_that_was_away_says_nothing),
    UNIT(tls_that_does_not_come_about_and_alerts))

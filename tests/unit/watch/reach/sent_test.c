/* SPDX-License-Identifier: ISC */
/*
 * sent_test.c - weeks of mail to others through role watch, in simulated time: a provider
 * that becomes slow, one that refuses more than usual, who hears of it, and restarts.
 */
#include "../../test.h"
#include "conf/breaker_row.h"
#include "proto/status/status_signal.h"
#include "watch/reach/reach_internal.h"
#include "watch/reach/sent_internal.h"

#include <stdlib.h>

/* What receivers that refuse say. */
#define QUOTES "see https://www.spamhaus.org/query/ip/192.0.2.1"
#define MONDAY (UINT64_C(4) * 86400) /* 5 January 1970 */

struct world {
	struct server sv;
	struct conf conf;
	char dir[64];
	struct reach *r;
	struct ledger_mirror *decided, *old[4];
	size_t n_old;
	uint64_t now, seed;
};

static void
world_start(struct world *w)
{
	w->r = reach_new(&w->sv);
	w->sv.reach = w->r;
	reach_told_start_alone(w->r, &w->decided);
	ASSERT(w->n_old < ARRAY_LEN(w->old));
	w->old[w->n_old++] = w->decided;
	reach_start_at(w->r, w->now);
}

static void
world_init(struct world *w)
{
	static char none[] = "";

	*w = (struct world){ .now = MONDAY, .seed = 4 };
	snprintf(w->dir, sizeof(w->dir), "/tmp/sent_test.XXXXXX");
	if (mkdtemp(w->dir) == NULL)
		die("mkdtemp");
	w->conf.reach_as_database = none;
	w->conf.reach_as_zone = none;
	w->conf.send_providers = none;
	w->sv.conf = &w->conf;
	w->sv.loop = loop_new();
	w->sv.dir = w->dir;
	world_start(w);
}

static void
world_stop(struct world *w)
{
	reach_stop(w->r);
	reach_free(w->r);
}

static void
world_done(struct world *w)
{
	CLEANUP(freep) char *rm = x_asprintf("rm -r %s", w->dir);

	world_stop(w);
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

/* Shares of what goes to Microsoft. */
struct weather {
	double late, refused;
};

/* What role send tells of one receiver. */
static void
put(struct world *w, struct buf *to, const char *name, const struct weather *m)
{
	struct sent_cell c = { .refused = 0 };
	struct buf parts[5];

	for (unsigned i = 0; i < 20; i++) {
		uint64_t ms = 500 + (uint64_t)(any(w) * 3000);
		uint64_t account = (uint64_t)(any(w) * 30);

		if (any(w) < m->refused) {
			c.refused++;
			sent_senders_add(&c.refused_by, account);
			continue;
		}
		if (any(w) < m->late) {
			ms = 900000;
			sent_senders_add(&c.slow_by, account);
		}
		sent_hist_add(&c.stages[SENT_WAIT], ms / 2);
		sent_hist_add(&c.stages[SENT_TALK], ms / 2);
		sent_hist_add(&c.stages[SENT_WHOLE], ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = BUF_INIT(KIB(1));
	for (size_t i = 0; i < SENT_STAGES; i++)
		sent_hist_put(&parts[i], &c.stages[i]);
	sent_senders_put(&parts[3], &c.refused_by);
	sent_senders_put(&parts[4], &c.slow_by);
	msg_sent_count_put(
	    to, &(struct msg_sent_count){ .name = str_c(name),
		    .wait = buf_str(&parts[0]),
		    .talk = buf_str(&parts[1]),
		    .whole = buf_str(&parts[2]),
		    .refused = c.refused,
		    .refused_by = buf_str(&parts[3]),
		    .slow_by = buf_str(&parts[4]),
		    .reply = c.refused ? STR("550 5.7.1 " QUOTES) : STR("") });
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		buf_done(&parts[i]);
}

static void
pass(struct world *w, unsigned minutes, struct weather microsoft)
{
	static const struct weather fine = { 0.02, 0.02 };

	for (unsigned m = 0; m < minutes; m += 5) {
		struct buf b = BUF_INIT(KIB(16));

		put(w, &b, "microsoft", &microsoft);
		put(w, &b, "google", &fine);
		put(w, &b, SENT_OTHERS, &fine);
		CHECK(sent_take(w->r->sent, buf_str(&b)), "taken");
		buf_done(&b);
		w->now += SENT_INTERVAL_S;
		reach_tick_at(w->r, w->now);
	}
}

static const struct weather usual = { 0.02, 0.02 };

static void
weeks(struct world *w)
{
	pass(w, 15 * 24 * 60 + 10 * 60, usual);
}

struct found {
	unsigned n;
	enum reach_signal_kind kind;
	char name[40], text[300], reply[100];
	uint64_t since;
};

static void
on_signal(void *arg, const struct sent_on *on)
{
	struct found *s = arg;
	struct buf text = BUF_INIT(KIB(1));

	s->n++;
	s->kind = on->kind;
	s->since = on->signal->since;
	snprintf(s->name, sizeof(s->name), "%s", on->name);
	snprintf(s->reply, sizeof(s->reply), "%s", on->reply);
	sent_put_text(on, STR("Microsoft 365"), &text);
	snprintf(s->text, sizeof(s->text), "%s", buf_c(&text));
	buf_done(&text);
}

static struct found
signals(const struct world *w)
{
	struct found s = { 0 };

	sent_each_signal(w->r->sent, on_signal, &s);
	return s;
}

static void
set_row(struct world *w, enum ledger_table table, const char *key,
    const struct buf *value)
{
	struct ledger_mirror_row row = { str_c(key), buf_str(value) };

	ledger_mirror_set(w->decided, table, &row, key[0] != '\0');
}

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

TEST(a_provider_that_becomes_slow_is_named_and_a_restart_knows_it)
{
	struct buf value = BUF_INIT(KIB(1));
	struct msg_watch_suspected told_of;
	struct world w;
	struct found s, again;

	world_init(&w);
	weeks(&w);
	CHECK(signals(&w).n == 0, "two usual weeks and a morning");
	pass(&w, 30, (struct weather){ 0.5, 0.02 });
	s = signals(&w);
	/* Of all mail a sixth is late: that is told as well, or not. */
	CHECK(s.n >= 1 && s.n <= 2 && s.kind == REACH_SLOW, "slow");
	CHECK(strstr(s.text, "Microsoft 365 takes longer than usual: 95 in 100 "
			     "up to 17 min, usually ") != NULL,
	    "in words");
	CHECK(s.since + 60 * 60 > w.now && s.since < w.now, "since then");
	world_stop(&w);
	world_start(&w);
	again = signals(&w);
	CHECK(again.n == s.n && again.since == s.since, "restarted");

	CHECK(told(&w, &told_of) == 0, "nobody said so");
	status_signal_encode(
	    &(struct status_signal){ true, w.now, STR("") }, &value);
	set_row(&w, LEDGER_SIGNAL, "slow/microsoft", &value);
	CHECK(told(&w, &told_of) == 1 && told_of.kind == REACH_SLOW &&
		  str_eq(told_of.name, STR("Microsoft 365")),
	    "approved: by name");
	pass(&w, 90, usual);
	CHECK(signals(&w).n == 0, "over by itself");
	CHECK(told(&w, &told_of) == 0, "and told no more");
	buf_done(&value);
	world_done(&w);
}

static void
refuse(struct world *w, const char *scope, uint32_t code)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(8));
	struct breaker_row row = { .scope = str_c(scope),
		.source = STR("192.0.2.1"),
		.since_ms = w->now * 1000,
		.code = code,
		.reply = STR("5.7.606 Access denied") };

	breaker_row_put(&value, &row);
	breaker_key_put(&key, row.scope, row.source);
	set_row(w, LEDGER_BREAKER, buf_c(&key), &value);
	buf_done(&key);
	buf_done(&value);
}

TEST(refusals_are_one_receivers_and_not_told_twice)
{
	struct world w;
	struct found s;

	world_init(&w);
	pass(&w, 120, usual);
	CHECK(signals(&w).n == 0, "a few are usual");
	pass(&w, 20, (struct weather){ 0.02, 0.6 });
	s = signals(&w);
	CHECK(s.n == 1 && s.kind == REACH_REFUSALS &&
		  strcmp(s.name, "microsoft") == 0,
	    "of one receiver");
	CHECK(strcmp(s.reply, "550 5.7.1 " QUOTES) == 0, "in its words");
	/* Its breaker opens: that is the same, and says more. */
	refuse(&w, "google", 550);
	pass(&w, 20, (struct weather){ 0.02, 0.6 });
	CHECK(signals(&w).n == 1, "another one's changes nothing");
	refuse(&w, "microsoft", 550);
	pass(&w, 20, (struct weather){ 0.02, 0.6 });
	CHECK(signals(&w).n == 0, "its own does");
	world_done(&w);
}

static void
stuck_by(struct world *w, const char *name, uint32_t waiting, const char *reply)
{
	struct buf b = BUF_INIT(KIB(4));

	if (waiting > 0)
		msg_sent_stuck_put(
		    &b, &(struct msg_sent_stuck){ .name = str_c(name),
			    .waiting = waiting,
			    .began = 120,
			    .left = 2,
			    .since = w->now - 1800,
			    .cause = STR("rate"),
			    .code = 450,
			    .reply = str_c(reply) });
	CHECK(sent_take_stuck(w->r->sent, buf_str(&b)), "taken");
	buf_done(&b);
}

static void
stuck(struct world *w, const char *name, uint32_t waiting)
{
	stuck_by(w, name, waiting, "4.7.1 slow down");
}

TEST(what_only_grows_is_told_as_long_as_send_says_so)
{
	struct buf value = BUF_INIT(KIB(1));
	struct msg_watch_suspected told_of;
	struct world w;
	struct found s;

	world_init(&w);
	stuck(&w, "example.org", 530);
	s = signals(&w);
	CHECK(s.n == 1 && s.kind == REACH_BACKLOG && s.since == w.now - 1800,
	    "a domain");
	CHECK(strcmp(s.reply, "450 4.7.1 slow down") == 0, "its words");
	stuck(&w, "microsoft", 530);
	s = signals(&w);
	CHECK(s.n == 1 && strcmp(s.name, "microsoft") == 0, "another one");
	CHECK(strcmp(s.text,
		  "530 recipients wait for Microsoft 365 and become more: 120 "
		  "came and 2 left in 30 minutes (rate)") == 0,
	    "in words");
	CHECK(told(&w, &told_of) == 0, "nobody said so");
	status_signal_encode(
	    &(struct status_signal){ true, w.now, STR("") }, &value);
	set_row(&w, LEDGER_SIGNAL, "backlog/microsoft", &value);
	CHECK(told(&w, &told_of) == 1 && told_of.kind == REACH_BACKLOG &&
		  str_eq(told_of.name, STR("Microsoft 365")),
	    "approved");
	refuse(&w, "microsoft", 550);
	CHECK(signals(&w).n == 0, "its breaker says that, and more");
	stuck(&w, "example.org", 30);
	CHECK(signals(&w).n == 1, "still told");
	stuck(&w, "", 0);
	CHECK(signals(&w).n == 0, "no more");
	stuck(&w, "", 900);
	CHECK(signals(&w).n == 1, "all together");
	w.now += 170;
	reach_tick_at(w.r, w.now);
	CHECK(signals(&w).n == 1, "a message may be late");
	w.now += 20;
	reach_tick_at(w.r, w.now);
	CHECK(signals(&w).n == 0, "who is gone says nothing");
	buf_done(&value);
	world_done(&w);
}

/* --- as operators see it, and what the public gets of that -------------------------------- */

/* What our own check of a block list says of 192.0.2.1. */
struct checked {
	struct watched w;
	struct watched *all[1];
	char key[16];
};

static void
check_lists(struct world *w, struct checked *c)
{
	struct status_fault f;

	*c = (struct checked){ .key = "mx/lists" };
	c->w.key = c->key;
	c->w.at_wall_ms = 1;
	c->w.cause = WATCH_LISTED;
	c->w.outcome = WATCH_FAILED;
	snprintf(c->w.text, sizeof(c->w.text), "listed by zen.spamhaus.org");
	if (!status_check_begin(
		&c->w.check, STR("blocklist"), STR("192.0.2.1"), &f) ||
	    !status_check_put(&c->w.check, STR("list=zen.spamhaus.org"), &f))
		fail_msg("no check");
	c->all[0] = &c->w;
	w->sv.watched = c->all;
	w->sv.n_watched = 1;
	w->sv.suffixes = suffixes_parse(STR("org\n"));
}

#define LISTS \
	"; zen.spamhaus.org, which the reply quotes, lists 192.0.2.1 " \
	"(check mx/lists)"

static void
decide(struct world *w, const char *id)
{
	struct buf value = BUF_INIT(KIB(1));

	status_signal_encode(
	    &(struct status_signal){ true, w->now, STR("") }, &value);
	set_row(w, LEDGER_SIGNAL, id, &value);
	buf_done(&value);
}

/* The only row; what it points to lives until the next call. */
static struct msg_reach_signal
row(struct world *w)
{
	static struct buf items;
	struct msg_reach_signal m = { 0 };
	struct wire r;

	buf_done(&items);
	items = BUF_INIT(KIB(16));
	reach_told_rows(w->r, &items);
	r = wire_read(buf_str(&items));
	if (!msg_reach_signal_read(&r, &m) || r.in.n > 0)
		fail_msg("not one row");
	return m;
}

static bool
ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && str_eq(str_from(s, s.n - n), str_c(end));
}

/* A breaker's row: microsoft refuses this address of ours with these words. */
static void
ban(struct world *w, const char *own_ip, const char *reply)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(8));
	uint64_t accounts[] = { 4, 9 };
	struct breaker_row b = { .scope = STR("microsoft"),
		.source = STR("default"),
		.own_ip = str_c(own_ip),
		.since_ms = w->now * 1000,
		.messages = 5,
		.accounts = accounts,
		.n_accounts = 2,
		.code = 550,
		.reply = str_c(reply),
		.link = STR("https://sender.office.com/") };

	breaker_row_put(&value, &b);
	breaker_key_put(&key, b.scope, b.source);
	set_row(w, LEDGER_BREAKER, buf_c(&key), &value);
	buf_done(&key);
	buf_done(&value);
}

TEST(a_refusal_names_the_list_that_it_quotes_for_operators_alone)
{
	struct msg_watch_suspected told_of;
	struct msg_reach_signal m;
	struct checked checked;
	struct world w;

	world_init(&w);
	check_lists(&w, &checked);
	ban(&w, "192.0.2.1", QUOTES);
	m = row(&w);
	CHECK(m.kind == REACH_REFUSED && m.state == REACH_UNDECIDED &&
		  str_eq(m.id, STR("refused/microsoft/default")) &&
		  str_eq(m.subject, STR("Microsoft 365")) && m.messages == 5 &&
		  m.accounts == 2 && str_eq(m.reply, STR("550 " QUOTES)) &&
		  str_eq(m.link, STR("https://sender.office.com/")),
	    "who, whom, and in which words");
	CHECK(str_eq(m.text, STR("Microsoft 365 refuses mail from 192.0.2.1; 5 "
				 "messages of 2 accounts wait" LISTS)),
	    "and the list that has us");
	CHECK(m.public_text.n == 0, "nobody said that it may be told");
	decide(&w, "refused/microsoft/default");
	m = row(&w);
	CHECK(m.state == REACH_APPROVED &&
		  str_eq(m.public_text,
		      STR("Mail is refused, waits or takes another way (to "
			  "Microsoft 365)")),
	    "our words: no list, no address, no reply");
	CHECK(told(&w, &told_of) == 1 && told_of.text.n == 0 &&
		  str_eq(told_of.name, STR("Microsoft 365")),
	    "nor more to the site");
	ban(&w, "192.0.2.9", QUOTES);
	m = row(&w);
	CHECK(ends_with(m.text, " wait"), "the list has another address");
	ban(&w, "192.0.2.1", "5.7.1 spam");
	m = row(&w);
	CHECK(ends_with(m.text, " wait"), "no list is quoted");
	suffixes_free(w.sv.suffixes);
	world_done(&w);
}

TEST(what_grows_and_what_is_refused_more_names_the_list_too)
{
	struct msg_watch_suspected told_of;
	struct msg_reach_signal m;
	struct checked checked;
	struct world w;

	world_init(&w);
	check_lists(&w, &checked);
	stuck_by(&w, "example.org", 530, QUOTES);
	m = row(&w);
	CHECK(m.kind == REACH_BACKLOG && m.messages == 530 && m.seen == 2 &&
		  m.of == 120 && str_eq(m.subject, STR("example.org")) &&
		  str_eq(m.reply, STR("450 " QUOTES)),
	    "a customer's correspondent, for operators");
	CHECK(ends_with(m.text, "2 left in 30 minutes (rate)" LISTS), "list");
	decide(&w, "backlog/example.org");
	m = row(&w);
	CHECK(str_eq(m.public_text, STR("Mail to others waits")), "no name");
	CHECK(told(&w, &told_of) == 1 && told_of.kind == REACH_BACKLOG &&
		  told_of.name.n == 0 && told_of.text.n == 0 &&
		  told_of.since_s == w.now - 1800,
	    "nor on the site");
	stuck(&w, "", 0);
	pass(&w, 120, usual);
	pass(&w, 20, (struct weather){ 0.02, 0.6 });
	m = row(&w);
	CHECK(m.kind == REACH_REFUSALS && m.messages == 0 && m.seen > 8 &&
		  str_eq(m.id, STR("refusals/microsoft")) &&
		  str_eq(m.reply, STR("550 5.7.1 " QUOTES)),
	    "refusals");
	CHECK(ends_with(m.text, LISTS), "and its list");
	decide(&w, "refusals/microsoft");
	m = row(&w);
	CHECK(str_eq(m.public_text,
		  STR("More mail than usual is refused (to Microsoft 365)")),
	    "in our words");
	suffixes_free(w.sv.suffixes);
	world_done(&w);
}

TEST(of_slow_mail_no_reply_is_told)
{
	struct msg_reach_signal m;
	struct checked checked;
	struct world w;

	world_init(&w);
	check_lists(&w, &checked);
	weeks(&w);
	/* It was refused before, for other reasons. */
	pass(&w, 120, (struct weather){ 0.02, 0.06 });
	for (unsigned i = 0; i < 60 && signals(&w).n == 0; i += 5)
		pass(&w, 5, (struct weather){ 0.3, 0.02 });
	m = row(&w);
	CHECK(m.kind == REACH_SLOW && m.reply.n == 0 && m.messages == 0 &&
		  str_eq(m.id, STR("slow/microsoft")) && m.usual > 0,
	    "slow");
	CHECK(str_search(m.text, STR("spamhaus")) < 0, "no list");
	decide(&w, "slow/microsoft");
	m = row(&w);
	CHECK(
	    str_eq(m.public_text, STR("Mail to others takes longer than usual "
				      "(to Microsoft 365)")),
	    "in our words");
	suffixes_free(w.sv.suffixes);
	world_done(&w);
}

TEST(a_watcher_that_was_away_says_nothing)
{
	struct world w;

	world_init(&w);
	pass(&w, 120, usual);
	pass(&w, 5, (struct weather){ 0.02, 0.9 });
	w.now += 3 * 3600;
	reach_tick_at(w.r, w.now);
	pass(&w, 5, (struct weather){ 0.02, 0.9 });
	CHECK(signals(&w).n == 0, "two pieces are not one");
	world_done(&w);
}

TEST(what_is_malformed_is_refused)
{
	struct buf b = BUF_INIT(KIB(16));
	struct world w;

	world_init(&w);
	put(&w, &b, "google", &usual);
	CHECK(!sent_take(w.r->sent, str_first(buf_str(&b), b.n - 1)), "cut");
	CHECK(sent_take(w.r->sent, buf_str(&b)), "whole");
	buf_done(&b);
	world_done(&w);
}

TEST_MAIN(UNIT(a_provider_that_becomes_slow_is_named_and_a_restart_knows_it),
    UNIT(refusals_are_one_receivers_and_not_told_twice),
    UNIT(what_only_grows_is_told_as_long_as_send_says_so),
    UNIT(a_refusal_names_the_list_that_it_quotes_for_operators_alone),
    UNIT(what_grows_and_what_is_refused_more_names_the_list_too),
    UNIT(of_slow_mail_no_reply_is_told),
    UNIT(a_watcher_that_was_away_says_nothing),
    UNIT(what_is_malformed_is_refused))

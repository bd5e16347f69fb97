/* SPDX-License-Identifier: ISC */
/* watched_test.c - what is watched comes and goes: its states, and what people are told. */
#include "../test.h"
#include "watch/alert/alert.h"
#include "watch/outbox/outbox_internal.h"
#include "watch/place/places.h"

#include <fcntl.h>
#include <unistd.h>

#define MINUTE_MS 60000ULL

static void
nothing(UNUSED void *arg)
{
}

/* A server's watcher without its runtime: its loop is never run, so nothing is sent,
 * saved or probed. It lives as long as the process, as it does in role watch: the
 * list is for those who look for leaks. */
static struct server *
server_new(void)
{
	static struct server *all[16];
	static size_t n;
	static const enum ledger_table tables[] = { LEDGER_SYSTEM, LEDGER_CHECK,
		LEDGER_MAINTENANCE, LEDGER_AGENT, LEDGER_ALERT, LEDGER_TOLD };
	static char host[] = "mail.example.org", none[] = "";
	struct server *sv = X_NEW(struct server);

	sv->loop = loop_new();
	sv->conf = X_NEW(struct conf);
	sv->conf->hostname = host;
	sv->conf->site_url = none;
	sv->conf->watch_confirm_s = 15;
	sv->mirror = ledger_mirror_new_alone(
	    sv->loop, tables, ARRAY_LEN(tables), nothing, NULL);
	sv->places = places_new(sv);
	sv->calls = calls_new();
	sv->lates = lates_new(sv);
	sv->outbox = outbox_new(sv);
	ASSERT(n < ARRAY_LEN(all));
	all[n++] = sv;
	return sv;
}

static void
put(struct server *sv, enum ledger_table table, const char *key,
    const struct buf *value)
{
	ledger_mirror_note(sv->mirror, table,
	    &(struct msg_ledger_row){
		.key = str_c(key), .value = buf_str(value) });
}

static void
drop(struct server *sv, enum ledger_table table, const char *key)
{
	ledger_mirror_note(sv->mirror, table,
	    &(struct msg_ledger_row){ .key = str_c(key), .is_gone = 1 });
}

static void
put_contact(struct server *sv, const char *id, const char *word)
{
	struct status_contact c = { .id = str_c(id) };
	struct status_fault fault;
	struct buf b = BUF_INIT(KIB(1));

	assert_true(status_contact_put(&c, str_c(word), &fault));
	status_contact_encode(&c, &b);
	put(sv, LEDGER_ALERT, id, &b);
	buf_done(&b);
}

static void
put_system(struct server *sv, const char *id)
{
	const struct status_system s = { .id = str_c(id),
		.role = STATUS_ROLE_OTHER };
	struct buf b = BUF_INIT(KIB(1));

	status_system_encode(&s, &b);
	put(sv, LEDGER_SYSTEM, id, &b);
	buf_done(&b);
}

static void
put_check(struct server *sv, const char *key, const char *at)
{
	struct status_check c;
	struct status_fault fault;
	struct buf b = BUF_INIT(KIB(1));

	assert_true(status_check_begin(
	    &c, STR("tcp"), STR("mail.example.org:143"), &fault));
	assert_true(status_check_put(&c, STR("every=10s"), &fault));
	assert_true(status_check_put(&c, str_c(at), &fault));
	assert_true(status_check_finish(&c, &fault));
	status_check_encode(&c, &b);
	put(sv, LEDGER_CHECK, key, &b);
	buf_done(&b);
}

static void
put_agent(struct server *sv, const char *id)
{
	struct crypt_key *key = crypt_key_generate(CRYPT_ED25519, 0);
	struct buf pub = BUF_INIT(KIB(1)), b = BUF_INIT(KIB(1));
	struct status_agent a = { .id = str_c(id),
		.network = STR("AS64500"),
		.made_s = 1795392000,
		.enrolled_s = 1795392000 };

	crypt_key_to_public(key, &pub);
	a.key = buf_str(&pub);
	status_agent_encode(&a, &b);
	put(sv, LEDGER_AGENT, id, &b);
	key = crypt_key_free(key);
	buf_done(&pub);
	buf_done(&b);
}

static void
see(struct watched *w, size_t place, enum watch_outcome outcome)
{
	const struct watch_result r = { .outcome = outcome,
		.cause = outcome == WATCH_OK ? WATCH_CAUSE_NONE : WATCH_REFUSED,
		.started_ms = server_now_ms(),
		.ended_ms = server_now_ms() };

	schedule_result(w, place, &r, 100);
}

/* It was told, before this process began or by it. */
static void
put_told(struct server *sv, const char *check, enum watch_told told)
{
	const struct status_told t = { .told = (uint8_t)told,
		.incident = 3,
		.serial = 8,
		.told_ms = loop_time_ms(sv->loop),
		.bad_since_ms = 1795392000000,
		.outages = 1,
		.outage_since_ms = 1795392000000 };
	struct buf b = BUF_INIT(KIB(1)), key = BUF_INIT(KIB(1));

	buf_printf(&key, STATUS_TOLD_CHECK "%s", check);
	status_told_encode(&t, &b);
	put(sv, LEDGER_TOLD, buf_c(&key), &b);
	buf_done(&b);
	buf_done(&key);
}

/* The message of that key, which is in the outbox, decoded. */
static const struct status_message *
message(struct server *sv, const char *key)
{
	static struct status_message m;
	const struct outbox *o = sv->outbox;

	for (size_t i = 0; i < o->n; i++)
		if (str_eq(o->v[i]->key, str_c(key)) &&
		    status_message_decode(o->v[i]->value, &m))
			return &m;
	return NULL;
}

static bool
says(const struct status_message *m, const char *text)
{
	return m != NULL && str_search(m->body, str_c(text)) >= 0;
}

TEST(what_is_removed_while_it_is_down_is_closed)
{
	struct server *sv = server_new();
	struct buf rows = BUF_INIT(KIB(64));
	const struct status_message *m;
	struct str value;

	put_contact(sv, "ops", "mail=ops@example.org");
	put_contact(sv, "pager", "webhook=https://example.org/hook");
	put_system(sv, "box");
	put_check(sv, "box/imap", "at=here");
	put_check(sv, "box/pop3", "at=here");
	put_told(sv, "box/imap", WATCH_TOLD_DOWN);
	put_told(sv, "box/pop3", WATCH_TOLD_FINE);
	watched_update(sv);
	CHECK(sv->n_watched == 2 && sv->outbox->n == 0, "as it was told");
	drop(sv, LEDGER_CHECK, "box/imap");
	drop(sv, LEDGER_CHECK, "box/pop3");
	watched_update(sv);
	CHECK(sv->n_watched == 0 && sv->outbox->n == 2, "two are told of one");
	m = message(sv, "m/r/box/imap/9/ops");
	CHECK(m != NULL && str_eq(m->subject, STR("[REMOVED] box: imap")) &&
		  str_eq(m->thread, STR("box/imap#3")),
	    "in its thread");
	CHECK(says(m, "box/imap is not watched any more. It was down since "
		      "2026-11-23 00:00:00 UTC.\n"),
	    "in words");
	m = message(sv, "m/r/box/imap/9/pager");
	CHECK(says(m, "\"id\":\"box/imap#3\"") &&
		  says(m, "\"state\":\"removed\",\"before\":\"down\"") &&
		  says(m, "\"is_over\":true"),
	    "for a pager");
	CHECK(!ledger_mirror_find(
		  sv->mirror, LEDGER_TOLD, STR("c/box/imap"), &value),
	    "forgotten");
	CHECK(alert_put_rows(sv, &rows) &&
		  str_search(buf_str(&rows), STR("c/box/imap")) >= 0,
	    "and in the ledger");
	alert_saved(sv, false);
	CHECK(sv->told_gone.n == 2, "which was not there");
	CHECK(alert_put_rows(sv, &rows), "again");
	alert_saved(sv, true);
	CHECK(sv->told_gone.n == 0 && !alert_put_rows(sv, &rows), "done");
	watched_update(sv);
	CHECK(sv->outbox->n == 2, "once");
	buf_done(&rows);
}

TEST(what_was_removed_while_nobody_watched_is_closed)
{
	struct server *sv = server_new();

	put_contact(sv, "ops", "mail=ops@example.org");
	put_contact(sv, "pager", "webhook=https://example.org/hook");
	put_told(sv, "box/imap", WATCH_TOLD_DOWN);
	put_told(sv, "box/pop3", WATCH_TOLD_UNSTABLE);
	put_told(sv, "box/smtp", WATCH_TOLD_FINE);
	watched_update(sv);
	CHECK(message(sv, "m/r/box/imap/9/pager") != NULL, "one");
	CHECK(message(sv, "m/r/box/pop3/9/pager") != NULL, "two");
	CHECK(sv->outbox->n == 3 && sv->told_gone.n == 3, "one mail of both");
}

static struct status_message
alert_of(struct server *sv, const char *about)
{
	return (struct status_message){ .purpose = STATUS_FOR_ALERT,
		.to = STR("ops@example.org"),
		.about = str_c(about),
		.made_ms = loop_time_ms(sv->loop) };
}

TEST(an_alert_that_waited_is_told_only_while_it_is_true)
{
	const struct str down = STR("m/a/box/imap/8/ops");
	struct server *sv = server_new();
	struct status_message m, up;
	struct watched *w;

	m = alert_of(sv, "box/imap");
	CHECK(!alert_is_over(sv, down, &m), "nothing is known yet");
	put_contact(sv, "ops", "mail=ops@example.org");
	put_system(sv, "box");
	put_check(sv, "box/imap", "at=here");
	put_told(sv, "box/imap", WATCH_TOLD_DOWN);
	watched_update(sv);
	w = watched_find(sv, STR("box/imap"));
	m = up = alert_of(sv, "box/imap");
	CHECK(!alert_is_over(sv, down, &m), "it is down");
	w->told.told = WATCH_TOLD_FINE;
	w->told.fine_since_ms = up.made_ms = m.made_ms + 40000;
	CHECK(alert_is_over(sv, down, &m), "it is up, and that is told");
	CHECK(!alert_is_over(sv, STR("m/w/box/imap/9/ops"), &up), "by this");
	w->told.told = WATCH_TOLD_DOWN;
	w->told.told_ms = m.made_ms + 80000;
	CHECK(alert_is_over(sv, down, &m), "another outage");
	CHECK(alert_is_over(sv, STR("m/w/box/imap/9/ops"), &up), "not up");
	m.purpose = STATUS_FOR_TEST;
	CHECK(!alert_is_over(sv, down, &m), "no alert");
	m = alert_of(sv, "box/imap");
	drop(sv, LEDGER_CHECK, "box/imap");
	watched_update(sv);
	CHECK(alert_is_over(sv, down, &m), "removed");
	CHECK(!alert_is_over(sv, STR("m/w/box/imap/9/ops"), &up), "it ended");
	CHECK(!alert_is_over(sv, STR("m/r/box/imap/9/ops"), &m), "and that");
}

TEST(a_mail_about_several_checks_says_what_is_left_of_it)
{
	const struct str down = STR("m/a/+/0123456789abcdef/ops");
	struct server *sv = server_new();
	struct buf b = BUF_INIT(KIB(4));
	struct status_message m;
	struct watched *imap, *pop3;

	put_contact(sv, "ops", "mail=ops@example.org");
	put_system(sv, "box");
	put_check(sv, "box/imap", "at=here");
	put_check(sv, "box/pop3", "at=here");
	put_check(sv, "box/smtp", "at=here");
	put_told(sv, "box/imap", WATCH_TOLD_DOWN);
	put_told(sv, "box/pop3", WATCH_TOLD_DOWN);
	put_told(sv, "box/smtp", WATCH_TOLD_DOWN);
	watched_update(sv);
	imap = watched_find(sv, STR("box/imap"));
	pop3 = watched_find(sv, STR("box/pop3"));
	/* That was told long before. */
	watched_find(sv, STR("box/smtp"))->told.told_ms -= MINUTE_MS;
	m = alert_of(sv, "box/imap");
	m.n_more = 1;
	CHECK(!alert_is_over(sv, down, &m), "both are down");
	alert_put_left(sv, down, &m, &b);
	CHECK(b.n == 0, "nothing to add");
	imap->told.told = WATCH_TOLD_FINE;
	imap->told.fine_since_ms = m.made_ms + 40000;
	CHECK(!alert_is_over(sv, down, &m), "one is");
	alert_put_left(sv, down, &m, &b);
	assert_string_equal(buf_c(&b),
	    "This mail is late. Of what it says below, this is still so:\n"
	    "- box/pop3: down\n\n");
	pop3->told = imap->told;
	CHECK(alert_is_over(sv, down, &m), "none is");
	pop3->told.told = WATCH_TOLD_DOWN;
	put_contact(sv, "ops", "mail=else@example.org");
	CHECK(alert_is_over(sv, down, &m), "nobody's");
	buf_done(&b);
}

TEST(a_late_end_of_several_is_told_while_one_of_them_is_well)
{
	const struct str up = STR("m/w/+/0123456789abcdef/ops");
	struct server *sv = server_new();
	struct status_message m;
	struct watched *imap, *pop3;

	put_contact(sv, "ops", "mail=ops@example.org");
	put_system(sv, "box");
	put_check(sv, "box/imap", "at=here");
	put_check(sv, "box/pop3", "at=here");
	put_told(sv, "box/imap", WATCH_TOLD_FINE);
	put_told(sv, "box/pop3", WATCH_TOLD_FINE);
	watched_update(sv);
	imap = watched_find(sv, STR("box/imap"));
	pop3 = watched_find(sv, STR("box/pop3"));
	m = alert_of(sv, "box/imap");
	m.n_more = 1;
	m.thread = STR("box/imap#3,box/pop3#1");
	imap->told.fine_since_ms = pop3->told.fine_since_ms = m.made_ms;
	CHECK(!alert_is_over(sv, up, &m), "both are well");
	imap->told.told = WATCH_TOLD_DOWN;
	imap->told.told_ms = m.made_ms + 40000;
	CHECK(!alert_is_over(sv, up, &m), "one is");
	pop3->told = imap->told;
	CHECK(alert_is_over(sv, up, &m), "none is, and that is told");
	m.n_more = 2;
	CHECK(!alert_is_over(sv, up, &m), "nobody knows of the third");
	m.n_more = 1;
	drop(sv, LEDGER_CHECK, "box/pop3");
	watched_update(sv);
	CHECK(!alert_is_over(sv, up, &m), "that of what was removed ends");
}

TEST(alerts_of_one_incident_keep_their_order)
{
	struct status_message a = { .to = STR("ops@example.org"),
		.thread = STR("box/imap#3,box/pop3#1") };
	struct status_message b = a;

	b.thread = STR("box/pop3#1");
	CHECK(alert_is_of_same(&a, &b) && alert_is_of_same(&b, &a), "one");
	b.thread = STR("box/pop3#2");
	CHECK(!alert_is_of_same(&a, &b), "another incident");
	b = a;
	b.to = STR("else@example.org");
	CHECK(!alert_is_of_same(&a, &b), "another receiver");
	b = a;
	b.purpose = STATUS_FOR_NEWS;
	CHECK(!alert_is_of_same(&a, &b), "no alert");
}

/* Begin, with what the file says of the time before; how many are told. */
static size_t
begin(struct server *sv, uint64_t ago_ms)
{
	CLEANUP(freep) char *path = x_asprintf("%s/watched.at", sv->dir);
	struct absence *a;
	uint8_t bytes[8];
	size_t before = sv->outbox->n;
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	be64_put(bytes, loop_time_ms(sv->loop) - ago_ms);
	assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	closep(&fd);
	a = absence_new(sv);
	absence_tick(a);
	absence_tick(a);
	a = absence_free(a);
	/* The next one finds that there was a watcher. */
	a = absence_new(sv);
	absence_tick(a);
	a = absence_free(a);
	return sv->outbox->n - before;
}

TEST(that_nobody_watched_for_a_while_is_told)
{
	char dir[] = "/tmp/absence-XXXXXX";
	struct server *sv = server_new();
	struct absence *a;

	assert_non_null(mkdtemp(dir));
	put_contact(sv, "ops", "mail=ops@example.org");
	watched_update(sv);
	sv->dir = dir;
	a = absence_new(sv);
	absence_tick(a);
	a = absence_free(a);
	CHECK(sv->outbox->n == 0, "the first one ever");
	CHECK(begin(sv, 5 * MINUTE_MS) == 0, "nothing was watched anyway");
	sv->dir = NULL; /* no history */
	put_system(sv, "box");
	put_check(sv, "box/imap", "at=here");
	watched_update(sv);
	sv->dir = dir;
	CHECK(begin(sv, 20000) == 0, "a restart");
	CHECK(begin(sv, -5 * MINUTE_MS) == 0, "a clock that went back");
	CHECK(begin(sv, 5 * MINUTE_MS) == 1, "five minutes");
	CHECK(str_starts(sv->outbox->v[0]->key, STR("m/u/")), "its name");
	CHECK(says(message(sv, sv->outbox->v[0]->key.p), "did not run"),
	    "in words");
	sv->dir = NULL;
	{
		CLEANUP(freep) char *path = x_asprintf("%s/watched.at", dir);

		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

TEST(what_a_silent_agent_saw_is_unknown_at_once)
{
	struct server *sv = server_new();
	struct watched *w, *both;
	struct place *p;
	uint64_t later;

	put_system(sv, "box");
	put_check(sv, "box/imap", "at=ndola");
	put_check(sv, "box/pop3", "at=all");
	put_agent(sv, "ndola");
	watched_update(sv);
	w = watched_find(sv, STR("box/imap"));
	both = watched_find(sv, STR("box/pop3"));
	p = place_find(sv, STR("ndola"));
	CHECK(w != NULL && w->n_seen == 1 && both->n_seen == 2, "places");
	p->was_heard = true;
	see(w, 0, WATCH_OK);
	see(both, 0, WATCH_OK);
	see(both, 1, WATCH_OK);
	places_tick(sv, server_now_ms());
	CHECK(watched_state(w)->state.status == WATCH_UP, "heard");
	later = p->heard_ms + PLACE_SILENT_MS;
	places_tick(sv, later);
	CHECK(p->is_silent, "told");
	CHECK(watched_state(w)->state.status == WATCH_UNKNOWN, "as is said");
	CHECK(watched_state(both)->state.status == WATCH_UP, "seen from here");
	CHECK(watched_state(both)->state.vantages[1].verdict == WATCH_UNKNOWN,
	    "and from there not");
}

TEST(an_agent_that_was_never_heard_is_told_as_that)
{
	struct server *sv = server_new();
	struct place *p;

	put_system(sv, "box");
	put_check(sv, "box/imap", "at=ndola");
	put_agent(sv, "ndola");
	put_contact(sv, "night", "mail=ops@example.net");
	watched_update(sv);
	p = place_find(sv, STR("ndola"));
	places_tick(sv, p->heard_ms + PLACE_SILENT_MS);
	CHECK(p->is_silent && sv->outbox->n == 1, "told");
	CHECK(says(message(sv, sv->outbox->v[0]->key.p), "was never heard."),
	    "no time that was none");
}

TEST_MAIN(UNIT(what_is_removed_while_it_is_down_is_closed),
    UNIT(an_alert_that_waited_is_told_only_while_it_is_true),
    UNIT(a_mail_about_several_checks_says_what_is_left_of_it),
    UNIT(a_late_end_of_several_is_told_while_one_of_them_is_well),
    UNIT(alerts_of_one_incident_keep_their_order),
    UNIT(that_nobody_watched_for_a_while_is_told),
    UNIT(what_was_removed_while_nobody_watched_is_closed),
    UNIT(what_a_silent_agent_saw_is_unknown_at_once),
    UNIT(an_agent_that_was_never_heard_is_told_as_that))

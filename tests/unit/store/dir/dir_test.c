/* SPDX-License-Identifier: ISC */
/* dir_test.c - domains, users, aliases, and where an address leads. */
#include "../mail/fixture.h"

static struct fixture f;
static uint64_t alice, bob, carol;

static int
setup(UNUSED void **state)
{
	fixture_start(&f);
	alice = add_user(&f, "alice@demo.example");
	bob = add_user(&f, "Bob@Demo.Example");
	carol = add_user(&f, "carol@other.example");
	return 0;
}

static int
teardown(UNUSED void **state)
{
	fixture_stop(&f);
	return 0;
}

static struct verdict
alias(const char *address, const char *targets)
{
	struct buf list = BUF_INIT(KIB(64));
	struct msg_alias q = { .address = str_c(address),
		.targets = texts(&list, targets) };
	struct verdict v = dir_alias_add(f.d, &q);

	buf_done(&list);
	return v;
}

/* "ab" for alice and bob, or the reason. */
static const char *
leads_to(const char *address)
{
	static char text[8];
	struct dir_accounts accounts;
	struct verdict v = dir_resolve(f.d, str_c(address), &accounts);
	size_t n = 0;

	if (!verdict_is_done(v))
		return reason_str(v.reason);
	for (size_t i = 0; i < accounts.n && n < 7; i++)
		text[n++] = accounts.v[i] == alice   ? 'a'
		            : accounts.v[i] == bob   ? 'b'
		            : accounts.v[i] == carol ? 'c'
		                                     : '?';
	text[n] = '\0';
	return text;
}

TEST(an_address_leads_where_it_should)
{
	static const struct {
		const char *address, *want;
	} cases[] = {
		{ "alice@demo.example", "a" },
		{ "ALICE@DEMO.EXAMPLE", "a" },
		{ "bob@demo.example", "b" },
		{ "alice+tag@demo.example", "a" },
		{ "alice+a+b@demo.example", "a" },
		{ "+alice@demo.example", "no-user" },
		{ "nobody@demo.example", "no-user" },
		{ "alice@elsewhere.example", "not-local" },
		{ "alice@sub.demo.example", "not-local" },
		{ "alice", "name" },
		{ "@demo.example", "name" },
		{ "alice@[192.0.2.1]", "name" },
		{ "team@demo.example", "abc" },
		{ "team+x@demo.example", "abc" },
		{ "nested@demo.example", "abc" },
		{ "alice+special@demo.example", "b" },
		{ "anything@other.example", "c" },
		{ "carol@other.example", "c" },
		{ "catch@other.example", "a" },
	};

	CHECK(verdict_is_done(alias("team@demo.example",
		  "alice@demo.example BOB@demo.example carol@other.example "
		  "alice@demo.example")),
	    "team");
	CHECK(
	    verdict_is_done(alias("nested@demo.example", "team@demo.example")),
	    "nested");
	CHECK(verdict_is_done(
		  alias("alice+special@demo.example", "bob@demo.example")),
	    "exact match wins over the tag");
	CHECK(verdict_is_done(alias("@other.example", "carol@other.example")),
	    "catch-all");
	CHECK(
	    verdict_is_done(alias("catch@other.example", "alice@demo.example")),
	    "exact match wins over catch-all");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(strcmp(leads_to(cases[i].address), cases[i].want) == 0,
		    cases[i].address);
	CHECK(count_problems(&f) == 0, "check");
}

TEST(an_alias_is_checked_when_it_is_made)
{
	static const struct {
		const char *address, *targets;
		enum reason want;
	} cases[] = {
		{ "x@demo.example", "alice@demo.example", REASON_NONE },
		{ "x@demo.example", "bob@demo.example", REASON_EXISTS },
		{ "alice@demo.example", "bob@demo.example", REASON_EXISTS },
		{ "y@nowhere.example", "bob@demo.example", REASON_NO_DOMAIN },
		{ "z@demo.example", "Out.Side@gmail.example", REASON_NONE },
		{ "y@demo.example", "out@[192.0.2.1]", REASON_NAME },
		{ "y@demo.example", "nobody@demo.example", REASON_NO_USER },
		{ "y@demo.example", "y@demo.example", REASON_LOOP },
		{ "y@demo.example", "", REASON_NAME },
		{ "y y@demo.example", "bob@demo.example", REASON_NAME },
		{ "y@-demo.example", "bob@demo.example", REASON_NAME },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(alias(cases[i].address, cases[i].targets).reason ==
			  cases[i].want,
		    cases[i].address);
	CHECK(count_problems(&f) == 0, "check");
}

TEST(alias_loops_end)
{
	struct msg_name name = { STR("b@demo.example") };

	CHECK(
	    verdict_is_done(alias("b@demo.example", "bob@demo.example")), "b");
	CHECK(verdict_is_done(alias("a@demo.example", "b@demo.example")), "a");
	CHECK(verdict_is_done(dir_alias_remove(f.d, &name)), "b again");
	CHECK(strcmp(leads_to("a@demo.example"), "no-user") == 0, "dangles");
	CHECK(verdict_is_done(alias("@demo.example", "alice@demo.example")),
	    "catch-all");
	CHECK(verdict_is_done(alias("b@demo.example", "a@demo.example")),
	    "b to a to b");
	CHECK(strcmp(leads_to("a@demo.example"), "loop") == 0, "loop");
	CHECK(strcmp(leads_to("b@demo.example"), "loop") == 0, "loop");
}

TEST(deep_chains_of_aliases_end)
{
	char name[64], target[64] = "alice@demo.example";

	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "deep%d@demo.example", i);
		if (!verdict_is_done(alias(name, target)))
			break;
		memcpy(target, name, sizeof(name));
	}
	CHECK(strcmp(name, "deep10@demo.example") == 0, name);
	CHECK(strcmp(leads_to("deep9@demo.example"), "a") == 0, "ten");
}

TEST(a_domain_in_use_stays)
{
	struct msg_name domain = { STR("OTHER.example") };
	struct msg_name user = { STR("carol@other.example") };
	struct msg_domain_add again = { .name = STR("OTHER.example") };
	struct msg_domain_add bad = { .name = STR("no_underscore.example") };

	CHECK(dir_domain_add(f.d, &again).reason == REASON_EXISTS, "exists");
	CHECK(dir_domain_add(f.d, &bad).reason == REASON_NAME, "name");
	CHECK(dir_domain_remove(f.d, &domain).reason == REASON_IN_USE, "use");
	CHECK(verdict_is_done(dir_user_remove(f.d, &user)), "remove user");
	CHECK(verdict_is_done(dir_domain_remove(f.d, &domain)), "remove");
	CHECK(
	    dir_domain_remove(f.d, &domain).reason == REASON_NO_DOMAIN, "gone");
	CHECK(dir_user_undelete(f.d, &user).reason == REASON_NO_DOMAIN,
	    "no domain to come back to");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_removed_user_comes_back_with_the_mail)
{
	struct msg_name name = { STR("alice@demo.example") };
	struct msg_verifier_get get = { STR("Alice@demo.example") };
	struct msg_verifier_get_reply r;
	struct msg_mailbox mb;

	add_message(&f, alice, "INBOX", "mail");
	CHECK(verdict_is_done(dir_user_remove(f.d, &name)), "remove");
	CHECK(strcmp(leads_to("alice@demo.example"), "no-user") == 0, "gone");
	CHECK(dir_verifier(f.d, &get, fresh(&f)).outcome == NOT_FOUND,
	    "cannot sign in");
	CHECK(dir_has_account(f.d, alice).outcome == NOT_FOUND, "no account");
	CHECK(count_problems(&f) == 0, "check");
	CHECK(verdict_is_done(dir_user_undelete(f.d, &name)), "undelete");
	CHECK(strcmp(leads_to("alice@demo.example"), "a") == 0, "back");
	CHECK(verdict_is_done(dir_verifier(f.d, &get, fresh(&f))) &&
		  msg_verifier_get_reply_get(buf_str(&f.out), &r) &&
		  r.account == alice && str_eq(r.login, name.name) &&
		  str_eq(r.argon2, STR("x")),
	    "verifier");
	CHECK(status_of(&f, alice, "INBOX", &mb) && mb.messages == 1, "mail");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(a_login_used_again_is_another_account)
{
	struct msg_name name = { STR("alice@demo.example") };
	uint64_t other;
	bool is_gone = false;
	struct engine_stats stats;

	add_message(&f, alice, "INBOX", "mail");
	CHECK(verdict_is_done(dir_user_remove(f.d, &name)), "remove");
	other = add_user(&f, "alice@demo.example");
	CHECK(other != alice, "another number");
	CHECK(dir_user_undelete(f.d, &name).reason == REASON_EXISTS, "taken");
	f.now += 15 * 24 * 3600;
	CHECK(verdict_is_done(dir_purge_step(f.d)), "purge");
	CHECK(dir_user_undelete(f.d, &name).reason == REASON_NO_USER, "late");
	engine_stats(f.engine, &stats);
	CHECK(stats.blobs == 0, "its mail is gone");
	CHECK(verdict_is_done(mail_account_purge(f.mail, alice, &is_gone)) &&
		  is_gone,
	    "again is harmless");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(lists_come_in_pages)
{
	struct msg_list q = { .filter = STR("USER") };
	char last[64] = "";
	unsigned n = 0, pages = 0;
	struct msg_list_reply r;

	for (int i = 0; i < 1100; i++) {
		char login[64];

		snprintf(login, sizeof(login), "user%d@demo.example", i);
		add_user(&f, login);
	}
	do {
		struct msg_user user;
		struct wire w;

		q.after = str_c(last);
		CHECK(verdict_is_done(dir_user_list(f.d, &q, fresh(&f))) &&
			  msg_list_reply_get(buf_str(&f.out), &r),
		    "list");
		w = wire_read(r.items);
		while (msg_user_read(&w, &user)) {
			CHECK(str_cmp(str_c(last), user.login) < 0, "order");
			snprintf(
			    last, sizeof(last), "%.*s", STR_ARG(user.login));
			CHECK(user.mailboxes == 6, "mailboxes");
			n++;
		}
		pages++;
	} while (r.has_more);
	CHECK(n == 1100 && pages == 3, "all of them");
	CHECK(count_problems(&f) == 0, "check");
}

TEST(who_may_send_as_whom)
{
	CHECK(verdict_is_done(alias(
		  "team@demo.example", "alice@demo.example bob@demo.example")),
	    "team");
	CHECK(verdict_is_done(dir_owns(f.d, alice, STR("Alice@demo.example"))),
	    "self");
	CHECK(
	    verdict_is_done(dir_owns(f.d, alice, STR("alice+x@demo.example"))),
	    "tag");
	CHECK(verdict_is_done(dir_owns(f.d, bob, STR("team@demo.example"))),
	    "alias");
	CHECK(dir_owns(f.d, carol, STR("team@demo.example")).reason ==
		  REASON_FORBIDDEN,
	    "not hers");
	CHECK(dir_owns(f.d, carol, STR("carol@gmail.example")).reason ==
		  REASON_FORBIDDEN,
	    "not ours");
}

static bool
limits_are(uint64_t bytes, uint64_t messages)
{
	struct msg_quota_reply r;

	return verdict_is_done(mail_quota(f.mail, bob, fresh(&f))) &&
	       msg_quota_reply_get(buf_str(&f.out), &r) &&
	       r.bytes_limit == bytes && r.messages_limit == messages;
}

TEST(a_limit_that_is_not_named_stays)
{
	struct msg_user_quota q = { .login = STR("bob@demo.example"),
		.sets_bytes = true,
		.bytes_limit = 100,
		.sets_messages = true,
		.messages_limit = 5 };

	CHECK(verdict_is_done(dir_user_quota(f.d, &q)), "set");
	CHECK(limits_are(100, 5), "both");
	q.sets_messages = false;
	q.messages_limit = 0;
	q.bytes_limit = 200;
	CHECK(verdict_is_done(dir_user_quota(f.d, &q)), "set");
	CHECK(limits_are(200, 5), "bytes");
	q.sets_bytes = false;
	q.sets_messages = true;
	CHECK(verdict_is_done(dir_user_quota(f.d, &q)), "set");
	CHECK(limits_are(200, 0), "messages taken away");
	q.login = STR("nobody@demo.example");
	CHECK(dir_user_quota(f.d, &q).outcome == NOT_FOUND, "no such user");
}

TEST(the_key_of_salts_is_made_once)
{
	struct msg_salt_key_reply r;
	char first[DIR_SECRET_BYTES];
	uint64_t position;

	CHECK(verdict_is_done(dir_salt_key(f.d, fresh(&f))) &&
		  msg_salt_key_reply_get(buf_str(&f.out), &r) &&
		  r.key.n == sizeof(first),
	    "made");
	memcpy(first, r.key.p, sizeof(first));
	position = dir_position(f.d);
	CHECK(position == engine_position(f.engine),
	    "answers of the directory wait until it is durable");
	fixture_close(&f);
	fixture_open(&f);
	CHECK(verdict_is_done(dir_salt_key(f.d, fresh(&f))) &&
		  msg_salt_key_reply_get(buf_str(&f.out), &r) &&
		  str_eq(r.key, str_make(first, sizeof(first))),
	    "the same");
	CHECK(engine_position(f.engine) == position, "nothing is written");
}

#define U_LABEL \
	"b\xC3\xBC" \
	"cher.example"
#define A_LABEL "xn--bcher-kva.example"

TEST(a_domain_is_one_however_it_is_spelled)
{
	static const char *const spellings[] = { "uli@" U_LABEL, "uli@" A_LABEL,
		"ULI@XN--BCHER-KVA.Example",
		"Uli@B\xC3\x9C"
		"cher.example",
		"uli+x@" A_LABEL, "all@" U_LABEL, "ALL@" A_LABEL };
	struct dir_accounts *to = dir_accounts_new();
	struct msg_verifier_get get = { STR("uli@" A_LABEL) };
	struct msg_verifier_get_reply verifier;
	uint64_t uli, id;

	CHECK(verdict_is_done(dir_domain_add(
		  f.d, &(struct msg_domain_add){ .name = STR(A_LABEL) })),
	    "domain");
	CHECK(dir_domain_add(
		  f.d, &(struct msg_domain_add){ .name = STR(U_LABEL) })
		      .reason == REASON_EXISTS,
	    "twice");
	CHECK(dir_domain_add(
		  f.d, &(struct msg_domain_add){ .name = STR("xn--a.x") })
		      .reason == REASON_NAME,
	    "no A-label");
	uli = add_user(&f, "uli@" U_LABEL);
	CHECK(verdict_is_done(alias("all@" A_LABEL, "uli@" A_LABEL)), "alias");
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		CHECK(verdict_is_done(
			  dir_resolve(f.d, str_c(spellings[i]), to)) &&
			  to->n == 1 && to->v[0] == uli,
		    spellings[i]);
		CHECK(verdict_is_done(dir_owns(f.d, uli, str_c(spellings[i]))),
		    spellings[i]);
		CHECK(!dir_is_remote(f.d, str_c(spellings[i])), spellings[i]);
	}
	CHECK(dir_is_remote(f.d, STR("uli@bucher.example")), "remote");
	CHECK(!dir_is_remote(f.d, STR("nobody@" A_LABEL)), "ours, or nobody's");
	CHECK(verdict_is_done(dir_account(f.d, get.login, &id)) && id == uli,
	    "login");
	CHECK(verdict_is_done(dir_verifier(f.d, &get, fresh(&f))) &&
		  msg_verifier_get_reply_get(buf_str(&f.out), &verifier) &&
		  str_eq(verifier.login, STR("uli@" U_LABEL)),
	    "shown as people read it");
	CHECK(dir_resolve(f.d, STR("uli@bucher.example"), to).outcome != DONE,
	    "another domain");
	dir_accounts_free(to);
}

TEST(a_full_mailbox_is_told_at_rcpt)
{
	struct mail_quota quota = { .bytes_limit = 10 };
	struct msg_rcpt_check q = { .address = STR("bob@demo.example") };
	struct msg_rcpt_check_reply r;

	CHECK(verdict_is_done(mail_account_quota(f.mail, bob, quota)), "set");
	CHECK(verdict_is_done(dir_rcpt_check(f.d, &q, fresh(&f))) &&
		  msg_rcpt_check_reply_get(buf_str(&f.out), &r) &&
		  r.max_size == 10,
	    "room");
	add_message(&f, bob, "INBOX", "0123456789");
	CHECK(dir_rcpt_check(f.d, &q, fresh(&f)).outcome == TEMPFAIL, "full");
	q.address = STR("alice@demo.example");
	CHECK(verdict_is_done(dir_rcpt_check(f.d, &q, fresh(&f))) &&
		  msg_rcpt_check_reply_get(buf_str(&f.out), &r) &&
		  r.max_size == 0,
	    "no limit");
}

/* --- senders of what is forwarded ---------------------------------------------- */

#define DAY 86400

/* The remote addresses that a bounce to this one leads to, or the reason. */
static const char *
bounce_to(const char *address, const char *sender)
{
	static char text[300];
	struct dir_accounts *to = dir_accounts_new();
	struct verdict v =
	    dir_resolve_mail(f.d, str_c(address), str_c(sender), to);
	struct wire w = wire_read(buf_str(&to->remote));
	struct str first = to->n_remote ? wire_get_vstr(&w) : STR("here");

	snprintf(text, sizeof(text), "%.*s",
	    (int)(verdict_is_done(v) ? first.n : 60),
	    verdict_is_done(v) ? first.p : reason_str(v.reason));
	dir_accounts_free(to);
	return text;
}

static struct buf rewritten = { .max = KIB(1) };

static const char *
forward_as(const char *sender, const char *via)
{
	CHECK(verdict_is_done(
		  dir_srs_forward(f.d, str_c(sender), str_c(via), &rewritten)),
	    sender);
	return buf_c(&rewritten);
}

TEST(a_forward_is_in_our_name_and_its_bounce_goes_back)
{
	static const struct {
		const char *sender, *back;
	} cases[] = {
		{ "Bob@far.example", "Bob@far.example" },
		{ "\"b o b\"@far.example", "b o b@far.example" },
		{ "b=o=b@far.example", "b=o=b@far.example" },
		{ "bob@b\xc3\xbc"
		  "cher.example",
		    "bob@xn--bcher-kva.example" },
		{ "SRS0=HH=TT=a.example=x@far.example",
		    "SRS0=HH=TT=a.example=x@far.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char own[300], plain[300];

		snprintf(own, sizeof(own), "%s",
		    forward_as(cases[i].sender, "demo.example"));
		CHECK(strstr(own, "@demo.example") &&
			  !strncmp(own, "SRS", 3) == (own[0] != '"'),
		    own);
		/* As smtp knows it: without quotes. */
		snprintf(plain, sizeof(plain), "%s", own);
		if (own[0] == '"') {
			char *end = strrchr(plain, '"');

			memmove(end, end + 1, strlen(end));
			memmove(plain, plain + 1, strlen(plain));
		}
		CHECK(!strcmp(bounce_to(plain, ""), cases[i].back), own);
		CHECK(!strcmp(bounce_to(plain, "a@b.c"), "no-user"), own);
	}
}

TEST(who_needs_no_other_name_keeps_it)
{
	char long_one[] = "a-local-part-that-leaves-no-room-for-the-way-back"
			  "@a-domain-of-some-length.example";

	CHECK(!strcmp(forward_as("", "demo.example"), ""), "a bounce");
	CHECK(!strcmp(forward_as("alice@demo.example", "demo.example"), ""),
	    "ours");
	CHECK(!strcmp(forward_as(long_one, "demo.example"), ""), "too long");
}

TEST(a_way_back_ends_after_some_weeks_and_survives_a_restart)
{
	char own[300];

	f.now = 1790000000;
	snprintf(own, sizeof(own), "%s",
	    forward_as("b@far.example", "demo.example"));
	f.now += 20 * DAY;
	fixture_close(&f);
	fixture_open(&f);
	CHECK(!strcmp(bounce_to(own, ""), "b@far.example"), "in time");
	f.now += 3 * DAY;
	CHECK(!strcmp(bounce_to(own, ""), "no-user"), "too late");
}

/* Whoever asks for a file of a domain writes what he likes. */
TEST(whether_a_domain_is_hosted_is_told_of_any_name)
{
	static const struct {
		const char *name;
		enum outcome want;
	} cases[] = {
		{ "demo.example", DONE },
		{ "Other.EXAMPLE", DONE },
		{ "elsewhere.example", NOT_FOUND },
		{ "sub.demo.example", NOT_FOUND },
		{ "example", NOT_FOUND },
		{ "demo.example.", NOT_FOUND },
		{ "", NOT_FOUND },
		{ ".", NOT_FOUND },
		{ "demo.example/x", NOT_FOUND },
		{ "\xff\xfe", NOT_FOUND },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct msg_name q = { str_c(cases[i].name) };

		CHECK(dir_domain_check(f.d, &q).outcome == cases[i].want,
		    cases[i].name);
	}
}

TEST_MAIN(CASE(an_address_leads_where_it_should),
    CASE(an_alias_is_checked_when_it_is_made), CASE(alias_loops_end),
    CASE(deep_chains_of_aliases_end), CASE(a_domain_in_use_stays),
    CASE(a_removed_user_comes_back_with_the_mail),
    CASE(a_login_used_again_is_another_account), CASE(lists_come_in_pages),
    CASE(who_may_send_as_whom), CASE(a_limit_that_is_not_named_stays),
    CASE(the_key_of_salts_is_made_once),
    CASE(a_domain_is_one_however_it_is_spelled),
    CASE(whether_a_domain_is_hosted_is_told_of_any_name),
    CASE(a_full_mailbox_is_told_at_rcpt),
    CASE(a_forward_is_in_our_name_and_its_bounce_goes_back),
    CASE(who_needs_no_other_name_keeps_it),
    CASE(a_way_back_ends_after_some_weeks_and_survives_a_restart))

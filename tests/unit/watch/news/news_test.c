/* SPDX-License-Identifier: ISC */
/* news_test.c - who hears of a post, who does no more, and who does not exist. */
#include "../../test.h"
#include "proto/status/status_post.h"
#include "proto/status/status_subscriber.h"
#include "watch/news/bounces.h"
#include "watch/news/news.h"
#include "watch/outbox/still.h"

TEST(only_what_is_new_and_public_is_told)
{
	uint64_t now = 1795392000, old = now - 3 * 86400;
	struct status_post p = { .published_s = now - 5 };
	struct status_update u = { .created_s = now - 1 };

	CHECK(news_judge(&p, NULL, now) == NEWS_NOW, "new");
	CHECK(news_judge(&p, &u, now) == NEWS_NOW, "an update");
	u.is_quiet = true;
	CHECK(news_judge(&p, &u, now) == NEWS_NEVER, "quiet");
	u = (struct status_update){ .created_s = now - 6 };
	CHECK(news_judge(&p, &u, now) == NEWS_NEVER, "before it was public");
	p.is_imported = true;
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "of an archive");
	p = (struct status_post){ .published_s = old };
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "old");
	CHECK(news_judge(&p, &u, now) == NEWS_NOW, "an update of an old one");
	p.published_s = now + 60;
	CHECK(news_judge(&p, NULL, now) == NEWS_LATER, "in a minute");
	p.published_s = 0;
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "a draft");
	p = (struct status_post){ .published_s = now, .is_quiet = true };
	CHECK(news_judge(&p, NULL, now) == NEWS_NEVER, "a quiet one");
}

TEST(who_came_later_has_read_it)
{
	struct status_post p = { .published_s = 100, .created_s = 90 };
	struct status_update u = { .created_s = 200 };
	struct status_subscriber s = { .is_confirmed = true,
		.scope = STATUS_SCOPE_ALL,
		.confirmed_s = 100 };

	CHECK(news_is_for(&s, &p, NULL), "was there");
	s.confirmed_s = 101;
	CHECK(!news_is_for(&s, &p, NULL), "came later");
	CHECK(news_is_for(&s, &p, &u), "and hears of what comes");
	s.confirmed_s = 201;
	CHECK(!news_is_for(&s, &p, &u), "unless that was there as well");
	/* Written now, about what was an hour ago. */
	p.created_s = 3700;
	CHECK(news_is_for(&s, &p, NULL), "it is new");
	s.is_confirmed = false;
	CHECK(!news_is_for(&s, &p, NULL), "nobody yet");
}

/* Is what waits for the update of KEY still said, given these rows? */
static bool
is_said(const char *key, struct str post, const char *update_key,
    struct str update, uint64_t now)
{
	struct news_still s;

	CHECK(news_still_begin(&s, str_c(key), now), key);
	news_still_row(&s, STR("00000007/0000"), post);
	if (update_key != NULL)
		news_still_row(&s, str_c(update_key), update);
	return news_still_is(&s);
}

TEST(what_was_taken_back_is_not_told)
{
	const uint64_t now = 1795392000;
	struct status_post p = { .kind = STATUS_NOTICE,
		.title = STR("One"),
		.slug = STR("one"),
		.language = STR("en"),
		.created_s = now - 9,
		.changed_s = now - 9,
		.published_s = now - 5 };
	struct status_update u = { .body = STR("two"), .created_s = now - 1 };
	struct buf post = BUF_INIT(KIB(4)), draft = BUF_INIT(KIB(4));
	struct buf update = BUF_INIT(KIB(4));
	struct news_still s;

	status_post_encode(&p, &post);
	p.published_s = 0;
	status_post_encode(&p, &draft);
	status_update_encode(&u, &update);
	CHECK(is_said("00000007/0000", buf_str(&post), NULL, STR_NONE, now),
	    "a post");
	CHECK(is_said("00000007/0001", buf_str(&post), "00000007/0001",
		  buf_str(&update), now),
	    "an update");
	CHECK(!is_said("00000007/0000", buf_str(&draft), NULL, STR_NONE, now),
	    "a draft again");
	CHECK(!is_said("00000007/0001", buf_str(&draft), "00000007/0001",
		  buf_str(&update), now),
	    "an update of one");
	CHECK(
	    !is_said("00000007/0000", buf_str(&post), NULL, STR_NONE, now - 6),
	    "put off");
	CHECK(!is_said("00000007/0001", buf_str(&post), "00000007/0002",
		  buf_str(&update), now),
	    "another update");
	CHECK(!is_said("00000008/0000", buf_str(&post), NULL, STR_NONE, now),
	    "another post");
	CHECK(!news_still_begin(&s, STR("box/smtp"), now), "no post");
	buf_done(&post);
	buf_done(&draft);
	buf_done(&update);
}

TEST(who_left_is_not_written_to)
{
	static const char hash[STATUS_SECRET_HASH] = { 1 };
	struct status_subscriber s = { .language = STR("en"),
		.created_s = 1795392000,
		.token_hash = str_make(hash, sizeof(hash)) };
	struct status_message m = { .to = STR("ops@example.org") };
	struct buf row = BUF_INIT(KIB(1));

	m.purpose = STATUS_FOR_NEWS;
	CHECK(still_judge(&m, STR_NONE) != NULL, "there is no row");
	status_subscriber_encode(&s, &row);
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "pending");
	m.purpose = STATUS_FOR_CONFIRM;
	CHECK(still_judge(&m, STR_NONE) != NULL, "it ended");
	CHECK(still_judge(&m, buf_str(&row)) == NULL, "it waits for that");
	s.is_confirmed = true;
	s.confirmed_s = s.created_s;
	buf_reset(&row, 0);
	status_subscriber_encode(&s, &row);
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "it is confirmed");
	m.purpose = STATUS_FOR_NEWS;
	CHECK(still_judge(&m, buf_str(&row)) == NULL, "news");
	m.to = STR("OPS@example.org");
	CHECK(still_judge(&m, buf_str(&row)) != NULL, "another's row");
	buf_done(&row);
}

TEST(only_who_does_not_exist_counts)
{
	static const char *const dead[] = { "550 5.1.1 No such user",
		("550 5.1.1 <a@example.org>: Recipient address rejected: User "
		 "unknown"),
		"550 5.2.1 The account is disabled",
		"550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found" };
	static const char *const alive[] = { "450 4.2.1 No such user, later",
		"550 5.7.1 Relaying denied", "552 5.2.2 Mailbox full",
		"550 5.7.1 Spam", "554 5.7.1 Service unavailable; blocked",
		"no such user", "", "999 no such user" };
	/* They live as long as their process. */
	static struct server sv;
	static struct bounces *b;

	b = bounces_new(&sv);

	for (size_t i = 0; i < ARRAY_LEN(dead); i++)
		CHECK(bounces_is_dead(b, str_c(dead[i])), dead[i]);
	for (size_t i = 0; i < ARRAY_LEN(alive); i++)
		CHECK(!bounces_is_dead(b, str_c(alive[i])), alive[i]);
}

TEST_MAIN(UNIT(only_what_is_new_and_public_is_told),
    UNIT(who_came_later_has_read_it), UNIT(what_was_taken_back_is_not_told),
    UNIT(who_left_is_not_written_to), UNIT(only_who_does_not_exist_counts))

/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * Rows of posts, updates, subscribers, API keys and the log of changes, and
 * what people write of them. The first byte says which. Properties: what can be
 * read is written as a row that reads back to the same bytes; what a line of
 * text makes is sane, or says what was expected; slugs are slugs.
 */
#include "proto/status/status_audit.h"
#include "proto/status/status_key.h"
#include "proto/status/status_post_edit.h"
#include "proto/status/status_subscriber.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fuzz_post(struct str in)
{
	struct buf one = BUF_INIT(STATUS_POST_ROW_MAX);
	struct buf two = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_fault fault;
	struct status_post p, back;

	if (!status_post_decode(in, &p))
		return;
	status_post_encode(&p, &one);
	ASSERT(!one.failed && status_post_decode(buf_str(&one), &back));
	status_post_encode(&back, &two);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	ASSERT(status_post_is_sane(&back, &fault));
	buf_done(&one);
	buf_done(&two);
}

static void
fuzz_update(struct str in)
{
	struct buf one = BUF_INIT(STATUS_POST_ROW_MAX);
	struct buf two = BUF_INIT(STATUS_POST_ROW_MAX);
	struct status_update u, back;

	if (!status_update_decode(in, &u))
		return;
	status_update_encode(&u, &one);
	ASSERT(!one.failed && status_update_decode(buf_str(&one), &back));
	status_update_encode(&back, &two);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	buf_done(&one);
	buf_done(&two);
}

static void
fuzz_subscriber(struct str in)
{
	struct buf one = BUF_INIT(KIB(4)), two = BUF_INIT(KIB(4));
	struct status_subscriber s, back;
	struct str key, row = str_split(in, '\n', &key);

	if (status_subscriber_decode(key, row, &s)) {
		status_subscriber_encode(&s, &one);
		ASSERT(status_subscriber_decode(key, buf_str(&one), &back));
		status_subscriber_encode(&back, &two);
		ASSERT(!one.failed && str_eq(buf_str(&one), buf_str(&two)));
		buf_reset(&two, 0);
		status_subscriber_put_leave(key, &s, &two);
		ASSERT(
		    status_subscriber_leave_matches(key, &back, buf_str(&two)));
	}
	buf_done(&one);
	buf_done(&two);
}

static void
fuzz_key(struct str in)
{
	struct buf one = BUF_INIT(KIB(4));
	struct status_key k, back;
	struct str id, secret;

	if (status_key_decode(in, &k)) {
		status_key_encode(&k, &one);
		ASSERT(!one.failed && status_key_decode(buf_str(&one), &back));
		ASSERT(k.scopes == back.scopes && str_eq(k.name, back.name));
		buf_reset(&one, 0);
	}
	if (status_key_split_token(in, &id, &secret)) {
		status_key_put_token(&one, id, secret);
		ASSERT(str_eq(buf_str(&one), in));
	}
	buf_done(&one);
}

static void
fuzz_audit(struct str in)
{
	struct buf key = BUF_INIT(100), row = BUF_INIT(STATUS_AUDIT_ROW_MAX);
	struct status_audit a, back;
	struct str name, rest = str_split(in, '\n', &name);

	if (status_audit_decode(name, rest, &a))
		ASSERT(status_is_text(a.who));
	/* Whatever is logged can be read. */
	a = (struct status_audit){
		.at_ms = in.n, .who = name, .what = rest, .object = in
	};
	status_audit_put_key(&key, a.at_ms, (uint32_t)in.n);
	status_audit_encode(&a, &row);
	ASSERT(!row.failed);
	ASSERT(status_audit_decode(buf_str(&key), buf_str(&row), &back));
	ASSERT(!status_is_text(name) || str_eq(back.who, name));
	buf_done(&key);
	buf_done(&row);
}

/* TITLE, TAGS, AFFECTED and TARGET, a line each. */
static void
fuzz_words(struct str in)
{
	struct status_post p = status_post_begin(STATUS_INCIDENT, 1790000000);
	struct buf slug = BUF_INIT(KIB(1)), key = BUF_INIT(KIB(1));
	struct status_fault fault = { 0 };
	struct str tags, affected, target;

	in = str_split(in, '\n', &p.title);
	in = str_split(in, '\n', &tags);
	in = str_split(in, '\n', &affected);
	p.body = str_split(in, '\n', &target);
	status_put_slug(&slug, p.title);
	ASSERT(slug.n == 0 || status_is_slug(buf_str(&slug)));
	buf_reset(&slug, KIB(1));
	status_post_make_slug(&p, (unsigned)in.n, &slug);
	ASSERT(status_is_slug(buf_str(&slug)));
	p.slug = buf_str(&slug);
	if (status_post_set_tags(&p, tags, &fault) &&
	    status_affects_set(
		&p.affects, affected, STATUS_IMPACT_DOWN, &fault) &&
	    status_post_is_sane(&p, &fault)) {
		struct buf row = BUF_INIT(STATUS_POST_ROW_MAX);

		status_post_encode(&p, &row);
		ASSERT(!row.failed);
		fuzz_post(buf_str(&row));
		buf_done(&row);
	} else {
		ASSERT(fault.expected != NULL);
	}
	if (status_subscriber_put_key(&key, target, &fault)) {
		struct buf again = BUF_INIT(KIB(1));

		ASSERT(
		    status_subscriber_put_key(&again, buf_str(&key), &fault));
		ASSERT(str_eq(buf_str(&again), buf_str(&key)));
		buf_done(&again);
	}
	buf_done(&slug);
	buf_done(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'p':
		fuzz_post(in);
		break;
	case 'u':
		fuzz_update(in);
		break;
	case 's':
		fuzz_subscriber(in);
		break;
	case 'k':
		fuzz_key(in);
		break;
	case 'a':
		fuzz_audit(in);
		break;
	default:
		fuzz_words(in);
	}
	return 0;
}

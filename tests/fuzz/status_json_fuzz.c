/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * Bodies of requests to the HTTP API; the first byte says of what. Properties:
 * what is read and sane becomes a row that reads back and prints as JSON; what
 * is not says what was expected.
 */
#include "proto/status/status_json.h"
#include "proto/status/status_json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_json(struct buf *b)
{
	struct jsondoc *doc = jsondoc_parse(buf_str(b), MIB(4));

	ASSERT(!b->failed && doc != NULL);
	jsondoc_free(doc);
	buf_done(b);
}

static bool
fuzz_post(const struct jsonnode *o, struct status_fault *f)
{
	enum status_post_kind kind;
	struct status_post p, back;
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX), json = BUF_INIT(MIB(4));

	if (!status_json_read_kind(o, &kind, f))
		return false;
	p = status_post_begin(kind, 1790000000);
	p.slug = STR("slug");
	if (!status_json_read_post(o, STATUS_JSON_NEW, &p, f) ||
	    !status_post_is_sane(&p, f))
		return false;
	status_post_encode(&p, &row);
	ASSERT(!row.failed && status_post_decode(buf_str(&row), &back));
	status_json_begin_post(&json, 1, &back);
	status_json_end_post(&json);
	check_json(&json);
	buf_done(&row);
	return true;
}

static bool
fuzz_update(const struct jsonnode *o, struct status_fault *f)
{
	struct status_update u = { .created_s = 1790000000 }, back;
	struct buf row = BUF_INIT(STATUS_POST_ROW_MAX), json = BUF_INIT(MIB(4));

	u.state = STATUS_INVESTIGATING;
	if (!status_json_read_update(o, STATUS_JSON_NEW, &u, f) ||
	    !status_update_is_sane(&u, STATUS_INCIDENT, f))
		return false;
	status_update_encode(&u, &row);
	ASSERT(!row.failed && status_update_decode(buf_str(&row), &back));
	status_json_put_update(&json, 1, &back, true);
	check_json(&json);
	buf_done(&row);
	return true;
}

static bool
fuzz_system(const struct jsonnode *o, struct status_fault *f)
{
	struct status_system s = { .id = STR("NC036") }, back;
	struct buf row = BUF_INIT(KIB(8)), json = BUF_INIT(KIB(64));

	if (!status_json_read_system(o, &s, f) || !status_system_is_sane(&s, f))
		return false;
	status_system_encode(&s, &row);
	ASSERT(!row.failed && status_system_decode(buf_str(&row), &back));
	status_json_put_system(&json, &back);
	check_json(&json);
	buf_done(&row);
	return true;
}

static bool
fuzz_window(const struct jsonnode *o, struct status_fault *f)
{
	struct status_window w = { 0 };
	struct buf json = BUF_INIT(KIB(64));

	if (!status_json_read_window(o, &w, f) || !status_window_is_sane(&w, f))
		return false;
	status_json_put_window(&json, STR("key"), &w);
	check_json(&json);
	return true;
}

static bool
fuzz_subscriber(const struct jsonnode *o, struct status_fault *f)
{
	static const char hash[STATUS_SECRET_HASH];
	struct status_subscriber s = { .language = STR("en"),
		.token_hash = str_make(hash, sizeof(hash)),
		.created_s = 1,
		.confirmed_s = 1,
		.is_confirmed = true };
	struct buf key = BUF_INIT(KIB(1)), json = BUF_INIT(KIB(64));
	struct str to;
	bool is = status_json_read_subscriber(o, &s, &to, f) &&
	          status_subscriber_put_key(&key, to, f) &&
	          status_subscriber_is_sane(buf_str(&key), &s, f);

	if (is) {
		status_json_put_subscriber(&json, buf_str(&key), &s);
		check_json(&json);
	}
	buf_done(&key);
	return is;
}

static bool
fuzz_check(const struct jsonnode *o, struct status_fault *f)
{
	struct buf scratch = BUF_INIT(KIB(16)), row = BUF_INIT(KIB(32));
	struct status_check c, back;
	bool is = status_json_read_check(o, &c, &scratch, f);

	if (is) {
		status_check_encode(&c, &row);
		ASSERT(
		    !row.failed && status_check_decode(buf_str(&row), &back));
	} else {
		/* It points into scratch. */
		f->part = STR_NONE;
	}
	buf_done(&scratch);
	buf_done(&row);
	return is;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const all[])(const struct jsonnode *o,
	    struct status_fault *f) = { fuzz_post, fuzz_update, fuzz_system,
		fuzz_window, fuzz_subscriber, fuzz_check };
	struct str in = str_from(str_make(data, size), 1);
	struct status_fault f = { 0 };
	struct jsondoc *doc;

	if (size == 0)
		return 0;
	doc = jsondoc_parse(in, KIB(256));
	if (jsonnode_is_object(jsondoc_root(doc)) &&
	    !all[data[0] % ARRAY_LEN(all)](jsondoc_root(doc), &f))
		ASSERT(f.expected != NULL);
	jsondoc_free(doc);
	return 0;
}

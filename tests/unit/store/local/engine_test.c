/* SPDX-License-Identifier: ISC */
/*
 * engine_test.c - the conformance test: what engine.h promises.
 *
 * Written against engine.h alone and run on every engine of the table.
 */
#include "../../test.h"
#include "kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct engine_shard A = { 'a', 7 }, B = { 'a', 8 };

static const struct {
	const char *name;
	unsigned threads;
} engines[] = {
	{ "local, no threads", 0 },
	{ "local, two helpers", 2 },
};

#define EACH_ENGINE(k) \
	for (size_t i_ = 0; i_ < ARRAY_LEN(engines); i_++) \
		for (struct kit k, *once_ = start(&k, i_); once_; \
		     kit_done(&k), once_ = NULL)

static struct kit *
start(struct kit *k, size_t i)
{
	kit_init(k, engines[i].threads);
	kit_open(k);
	return k;
}

static bool
has(struct kit *k, struct engine_shard shard, const char *key, const char *val)
{
	struct str got;
	int r = engine_get(k->e, shard, str_c(key), &got);

	if (!val)
		return r == 0;
	return r == 1 && str_eq(got, str_c(val));
}

TEST(what_is_committed_is_there_also_after_opening_again)
{
	EACH_ENGINE(k)
	{
		CHECK(kit_put(&k, A, "k1", STR("one")) == 0, "put");
		CHECK(kit_put(&k, A, "k1", STR("two")) == 0, "put again");
		CHECK(kit_put(&k, B, "k1", STR("")) == 0, "empty value");
		CHECK(has(&k, A, "k1", "two"), "read");
		kit_close(&k);
		kit_open(&k);
		CHECK(has(&k, A, "k1", "two"), "read after opening");
		CHECK(has(&k, B, "k1", ""), "empty after opening");
		CHECK(has(&k, A, "k2", NULL), "absent");
		CHECK(k.report.torn_bytes == 0, "nothing torn");
	}
}

TEST(a_commit_is_seen_before_it_is_durable)
{
	EACH_ENGINE(k)
	{
		struct engine_batch *b = engine_batch_new(k.e);
		uint64_t before = engine_position(k.e);

		batch_put(b, A, STR("x"), STR("y"));
		CHECK(engine_commit(k.e, b, NULL, NULL) == 0, "commit");
		CHECK(has(&k, A, "x", "y"), "seen");
		CHECK(engine_position(k.e) == before + 1, "position");
		CHECK(engine_durable(k.e) < engine_position(k.e), "not yet");
	}
}

static void
count_err(void *arg, int err)
{
	if (err == 0)
		++*(int *)arg;
}

TEST(sync_runs_at_once_or_when_durable)
{
	EACH_ENGINE(k)
	{
		int n = 0;

		CHECK(kit_put(&k, A, "x", STR("y")) == 0, "put");
		engine_sync(k.e, engine_position(k.e), count_err, &n);
		CHECK(n == 1, "at once");
		n = 0;
		struct engine_batch *b = engine_batch_new(k.e);
		batch_put(b, A, STR("x"), STR("z"));
		CHECK(engine_commit(k.e, b, NULL, NULL) == 0, "commit");
		engine_sync(k.e, engine_position(k.e), count_err, &n);
		CHECK(n == 0, "waits");
		kit_wait(&k, &n);
		CHECK(engine_durable(k.e) >= engine_position(k.e), "durable");
	}
}

TEST(checks_decide_and_a_refused_batch_changes_nothing)
{
	EACH_ENGINE(k)
	{
		struct engine_batch *b;
		uint64_t pos;

		CHECK(kit_put(&k, A, "v", STR("1")) == 0, "put");
		pos = engine_position(k.e);
		b = engine_batch_new(k.e);
		batch_check_eq(b, A, STR("v"), STR("2"));
		batch_put(b, A, STR("w"), STR("x"));
		CHECK(kit_commit(&k, b) == ENGINE_CONFLICT, "not equal");
		b = engine_batch_new(k.e);
		batch_check_absent(b, A, STR("v"));
		batch_put(b, A, STR("w"), STR("x"));
		CHECK(kit_commit(&k, b) == ENGINE_CONFLICT, "not absent");
		CHECK(has(&k, A, "w", NULL), "nothing changed");
		CHECK(engine_position(k.e) == pos, "position");
		b = engine_batch_new(k.e);
		batch_check_eq(b, A, STR("v"), STR("1"));
		batch_check_absent(b, B, STR("v"));
		batch_put(b, A, STR("v"), STR("2"));
		batch_put(b, B, STR("v"), STR("3"));
		CHECK(kit_commit(&k, b) == 0, "both hold");
		CHECK(has(&k, A, "v", "2") && has(&k, B, "v", "3"), "done");
	}
}

TEST(too_big_is_refused_whole)
{
	EACH_ENGINE(k)
	{
		struct buf big = BUF_INIT(MIB(16));
		struct engine_batch *b = engine_batch_new(k.e);

		kit_noise(&big, 1, ENGINE_VALUE_MAX + 1);
		batch_put(b, A, STR("ok"), STR("ok"));
		batch_put(b, A, STR("k"), buf_str(&big));
		CHECK(kit_commit(&k, b) == ENGINE_TOO_BIG, "value");
		b = engine_batch_new(k.e);
		batch_put(b, A, str_first(buf_str(&big), 201), STR("v"));
		CHECK(kit_commit(&k, b) == ENGINE_TOO_BIG, "key");
		b = engine_batch_new(k.e);
		for (int i = 0; i < 129; i++)
			batch_put(b, A, str_first(buf_str(&big), 20),
			    str_first(buf_str(&big), ENGINE_VALUE_MAX));
		CHECK(kit_commit(&k, b) == ENGINE_TOO_BIG, "batch");
		CHECK(has(&k, A, "ok", NULL), "nothing changed");
		b = engine_batch_new(k.e);
		batch_put(b, A, str_first(buf_str(&big), ENGINE_KEY_MAX),
		    str_first(buf_str(&big), ENGINE_VALUE_MAX));
		CHECK(kit_commit(&k, b) == 0, "the largest");
		buf_done(&big);
	}
}

static int
join_keys(void *arg, struct str key, struct str val)
{
	struct buf *b = arg;

	buf_put_str(b, key);
	buf_put_str(b, val);
	return b->n >= 200;
}

static const struct {
	const char *from, *to;
	bool is_reverse;
	const char *want;
} scans[] = {
	{ "", "", false, "a1b2c3d4" },
	{ "", "", true, "d4c3b2a1" },
	{ "b", "", false, "b2c3d4" },
	{ "b", "d", false, "b2c3" },
	{ "b", "d", true, "c3b2" },
	{ "bb", "cc", false, "c3" },
	{ "bb", "cc", true, "c3" },
	{ "x", "", false, "" },
	{ "x", "", true, "" },
	{ "c", "b", false, "" },
	{ "", "a", true, "" },
};

TEST(scans_are_ordered_and_stay_in_their_shard)
{
	EACH_ENGINE(k)
	{
		struct engine_shard neighbours[] = { { 'a', 6 }, A, B,
			{ 'b', 7 }, { 'a', UINT64_MAX } };
		struct buf b = BUF_INIT(KIB(4));

		for (size_t i = 0; i < ARRAY_LEN(neighbours); i++) {
			kit_put(&k, neighbours[i], "c", STR("3"));
			kit_put(&k, neighbours[i], "a", STR("1"));
			kit_put(&k, neighbours[i], "d", STR("4"));
			kit_put(&k, neighbours[i], "b", STR("2"));
		}
		for (size_t s = 0; s < ARRAY_LEN(neighbours); s++) {
			for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
				struct engine_range r = { neighbours[s],
					str_c(scans[i].from),
					str_c(scans[i].to),
					scans[i].is_reverse };

				buf_reset(&b, KIB(4));
				CHECK(engine_scan(k.e, &r, join_keys, &b) == 0,
				    scans[i].want);
				CHECK(str_eq(buf_str(&b), str_c(scans[i].want)),
				    scans[i].want);
			}
		}
		buf_done(&b);
	}
}

TEST(shards_of_a_kind_are_listed_in_pages)
{
	EACH_ENGINE(k)
	{
		uint64_t ids[] = { 0, 1, 5, 300, UINT64_MAX }, out[8];

		for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
			struct engine_shard s = { 'a', ids[i] };

			kit_put(&k, s, "x", STR("x"));
			kit_put(&k, s, "y", STR("y"));
		}
		kit_put(&k, (struct engine_shard){ 'b', 2 }, "x", STR("x"));
		CHECK(engine_shards(k.e, 'a', 0, out, 8) == 5, "all");
		CHECK(memcmp(out, ids, sizeof(ids)) == 0, "in order");
		CHECK(engine_shards(k.e, 'a', 1, out, 2) == 2, "a page");
		CHECK(out[0] == 5 && out[1] == 300, "exclusive");
		CHECK(engine_shards(k.e, 'a', UINT64_MAX, out, 8) == 0, "end");
		CHECK(engine_shards(k.e, 'c', 0, out, 8) == 0, "none");
	}
}

TEST(a_range_is_deleted_and_nothing_else)
{
	EACH_ENGINE(k)
	{
		struct engine_batch *b;

		kit_put(&k, A, "a", STR("1"));
		kit_put(&k, A, "b", STR("1"));
		kit_put(&k, A, "bz", STR("1"));
		kit_put(&k, A, "c", STR("1"));
		kit_put(&k, B, "b", STR("1"));
		b = engine_batch_new(k.e);
		batch_del_range(b, A, STR("b"), STR("c"));
		batch_put(b, A, STR("bb"), STR("new"));
		CHECK(kit_commit(&k, b) == 0, "commit");
		for (int round = 0; round < 2; round++) {
			CHECK(has(&k, A, "a", "1"), "below");
			CHECK(has(&k, A, "b", NULL), "first");
			CHECK(has(&k, A, "bz", NULL), "last");
			CHECK(has(&k, A, "bb", "new"), "put after it");
			CHECK(has(&k, A, "c", "1"), "to is exclusive");
			CHECK(has(&k, B, "b", "1"), "other shard");
			kit_close(&k);
			kit_open(&k);
		}
		b = engine_batch_new(k.e);
		batch_del_range(b, A, STR_NONE, STR_NONE);
		CHECK(kit_commit(&k, b) == 0, "all of it");
		CHECK(has(&k, A, "a", NULL) && has(&k, A, "c", NULL), "gone");
		CHECK(has(&k, B, "b", "1"), "other shard");
	}
}

static const size_t sizes[] = { 0, 1, 100, 10000, KIB(256), KIB(256) + 1,
	KIB(512), 3000000 };

TEST(blobs_come_back_whole_and_in_parts)
{
	EACH_ENGINE(k)
	{
		for (size_t i = 0; i < 2 * ARRAY_LEN(sizes); i++) {
			size_t n = sizes[i / 2];
			struct buf raw = BUF_INIT(MIB(4)), b = BUF_INIT(MIB(4));
			uint64_t blob, size = 0;

			if (i % 2)
				kit_noise(&raw, i, n);
			else
				kit_text(&raw, i, n);
			blob = kit_blob(&k, buf_str(&raw));
			CHECK(blob != 0, "put");
			CHECK(engine_blob_size(k.e, blob, &size) == 1, "size");
			CHECK(size == n, "size");
			CHECK(kit_read(&k, blob, 0, SIZE_MAX, &b) == (int64_t)n,
			    "all");
			CHECK(str_eq(buf_str(&b), buf_str(&raw)), "all");
			for (size_t off = 0; off < n; off += n / 3 + 1) {
				buf_reset(&b, MIB(4));
				CHECK(kit_read(&k, blob, off, 1000, &b) ==
					  (int64_t)MIN(1000, n - off),
				    "part");
				CHECK(str_eq(buf_str(&b),
					  str_sub(buf_str(&raw), off, 1000)),
				    "part");
			}
			buf_reset(&b, MIB(4));
			CHECK(kit_read(&k, blob, n + 5, 10, &b) == 0, "past");
			buf_done(&raw);
			buf_done(&b);
		}
		struct buf none = BUF_INIT(10);
		CHECK(kit_read(&k, 999999, 0, 10, &none) == -ENOENT, "none");
		buf_done(&none);
	}
}

/* The last one is too large to be copied in the main thread. */
TEST(what_is_gone_soon_is_stored_as_it_is)
{
	static const size_t brief[] = { 1, 10000, KIB(32), KIB(32) + 1 };

	EACH_ENGINE(k)
	{
		for (size_t i = 0; i < ARRAY_LEN(brief); i++) {
			struct buf raw = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));
			struct engine_batch *batch = engine_batch_new(k.e);
			struct engine_stats was, now;
			uint64_t blob;
			bool is_raw;

			kit_text(&raw, i, brief[i]);
			engine_stats(k.e, &was);
			blob = batch_blob_new(
			    batch, kit_brief_ticket(&k, buf_str(&raw)));
			CHECK(kit_commit(&k, batch) == 0, "commit");
			engine_stats(k.e, &now);
			is_raw = now.blob_stored_bytes ==
			         was.blob_stored_bytes + brief[i];
			CHECK(is_raw == (brief[i] <= KIB(32)), "packed or not");
			CHECK(kit_read(&k, blob, 0, SIZE_MAX, &b) ==
				      (int64_t)brief[i] &&
				  str_eq(buf_str(&b), buf_str(&raw)),
			    "all");
			buf_reset(&b, MIB(1));
			CHECK(kit_read(&k, blob, brief[i] / 2, 100, &b) >= 0 &&
				  str_eq(buf_str(&b), str_sub(buf_str(&raw),
							  brief[i] / 2, 100)),
			    "a part");
			buf_done(&raw);
			buf_done(&b);
		}
	}
}

/* A blob that is dropped at once. */
static void
put_garbage(struct kit *k, uint64_t seed, size_t n)
{
	struct buf raw = BUF_INIT(MIB(1));
	struct engine_batch *b = engine_batch_new(k->e);
	uint64_t blob;

	kit_noise(&raw, seed, n);
	blob = kit_blob(k, buf_str(&raw));
	batch_blob_drop(b, blob);
	CHECK(kit_commit(k, b) == 0, "drop");
	buf_done(&raw);
}

TEST(garbage_piles_up_to_a_bound)
{
	struct engine_stats st;
	struct kit k;

	kit_init(&k, 0);
	k.config.segment_bytes = KIB(128);
	k.config.gc_pile_bytes = MIB(1);
	kit_open(&k);
	CHECK(kit_put(&k, A, "k", STR("v")) == 0, "something lives");
	for (uint64_t i = 0; i < 20; i++)
		put_garbage(&k, i, KIB(40));
	for (int i = 0; i < 50; i++)
		engine_tick(k.e);
	engine_stats(k.e, &st);
	CHECK(st.gc_segments == 0, "not yet");
	for (uint64_t i = 0; i < 60; i++)
		put_garbage(&k, i, KIB(40));
	for (int i = 0; i < 500; i++)
		engine_tick(k.e);
	/* The files go with a commit of the index. */
	kit_close(&k);
	kit_open(&k);
	engine_stats(k.e, &st);
	CHECK(st.log_bytes < MIB(1) + KIB(400), "no more than the bound");
	CHECK(st.log_bytes > KIB(700), "and no less");
	CHECK(has(&k, A, "k", "v"), "what lives stays");
	kit_done(&k);
}

TEST(a_blob_lives_as_long_as_it_is_referred_to)
{
	EACH_ENGINE(k)
	{
		uint64_t blob = kit_blob(&k, STR("bytes")), size;
		struct engine_batch *b = engine_batch_new(k.e);

		batch_blob_ref(b, blob);
		batch_blob_ref(b, blob);
		CHECK(kit_commit(&k, b) == 0, "three now");
		b = engine_batch_new(k.e);
		batch_blob_drop(b, blob);
		batch_blob_drop(b, blob);
		CHECK(kit_commit(&k, b) == 0, "one now");
		kit_close(&k);
		kit_open(&k);
		CHECK(engine_blob_size(k.e, blob, &size) == 1, "still there");
		b = engine_batch_new(k.e);
		batch_blob_drop(b, blob);
		batch_blob_drop(b, blob);
		batch_put(b, A, STR("x"), STR("x"));
		CHECK(kit_commit(&k, b) == -EINVAL, "below zero");
		CHECK(has(&k, A, "x", NULL), "nothing changed");
		b = engine_batch_new(k.e);
		batch_blob_drop(b, blob);
		CHECK(kit_commit(&k, b) == 0, "the last");
		CHECK(engine_blob_size(k.e, blob, &size) == 0, "gone");
		b = engine_batch_new(k.e);
		batch_blob_ref(b, blob);
		CHECK(kit_commit(&k, b) == -ENOENT, "not revived");
		CHECK(kit_blob(&k, STR("bytes")) > blob, "ids are not reused");
	}
}

TEST(a_batch_can_hold_many_blobs_and_shards)
{
	EACH_ENGINE(k)
	{
		struct engine_batch *b = engine_batch_new(k.e);
		uint64_t ids[20];

		for (uint64_t i = 0; i < ARRAY_LEN(ids); i++) {
			struct buf raw = BUF_INIT(KIB(64));
			struct engine_ticket *t;

			kit_noise(&raw, i, 1000 * (i + 1));
			t = kit_ticket(&k, buf_str(&raw));
			ids[i] = batch_blob_new(b, t);
			batch_put(b, (struct engine_shard){ 'a', i }, STR("b"),
			    str_make(&ids[i], 8));
			buf_done(&raw);
		}
		CHECK(kit_commit(&k, b) == 0, "commit");
		for (uint64_t i = 0; i < ARRAY_LEN(ids); i++) {
			struct buf raw = BUF_INIT(KIB(64));
			struct buf got = BUF_INIT(KIB(64));

			kit_noise(&raw, i, 1000 * (i + 1));
			kit_read(&k, ids[i], 0, SIZE_MAX, &got);
			CHECK(str_eq(buf_str(&raw), buf_str(&got)), "bytes");
			buf_done(&raw);
			buf_done(&got);
		}
	}
}

struct lease_wait {
	int flag, err;
	uint64_t epoch;
};

static void
got_lease(void *arg, int err, uint64_t epoch)
{
	struct lease_wait *w = arg;

	w->flag = 1;
	w->err = err;
	w->epoch = epoch;
}

static struct lease_wait
lease(struct kit *k, const char *owner, uint32_t ttl_ms)
{
	struct lease_wait w = { 0 };

	engine_lease(k->e, A, str_c(owner), ttl_ms, got_lease, &w);
	kit_wait(k, &w.flag);
	return w;
}

static int
fenced_put(struct kit *k, uint64_t epoch)
{
	struct engine_batch *b = engine_batch_new(k->e);

	batch_check_lease(b, A, epoch);
	batch_put(b, A, STR("x"), STR("y"));
	return kit_commit(k, b);
}

TEST(a_lease_has_one_owner_and_fences_the_last_one)
{
	EACH_ENGINE(k)
	{
		struct lease_wait one = lease(&k, "one", 60000), two;

		CHECK(one.err == 0 && one.epoch > 0, "first");
		CHECK(lease(&k, "two", 60000).err == -EBUSY, "busy");
		CHECK(lease(&k, "one", 60000).epoch == one.epoch, "renewed");
		CHECK(fenced_put(&k, one.epoch) == 0, "owner writes");
		CHECK(fenced_put(&k, one.epoch + 1) == ENGINE_FENCED, "wrong");
		kit_close(&k);
		kit_open(&k);
		CHECK(lease(&k, "two", 60000).err == -EBUSY, "outlives close");
		CHECK(engine_release(k.e, A, one.epoch) == 0, "release");
		CHECK(
		    engine_release(k.e, A, one.epoch) == ENGINE_FENCED, "once");
		two = lease(&k, "two", 60000);
		CHECK(two.err == 0 && two.epoch > one.epoch, "next owner");
		CHECK(fenced_put(&k, one.epoch) == ENGINE_FENCED, "fenced");
		CHECK(fenced_put(&k, two.epoch) == 0, "new owner writes");
	}
}

static void
count_watch(void *arg, UNUSED struct engine_shard shard)
{
	++*(int *)arg;
}

TEST(a_watch_runs_after_durable_commits_of_its_shard)
{
	EACH_ENGINE(k)
	{
		int a = 0, b = 0;
		uint64_t id = engine_watch(k.e, A, count_watch, &a);

		engine_watch(k.e, B, count_watch, &b);
		CHECK(kit_put(&k, A, "x", STR("1")) == 0, "put");
		CHECK(a == 1 && b == 0, "one");
		engine_unwatch(k.e, id);
		CHECK(kit_put(&k, A, "x", STR("2")) == 0, "put");
		CHECK(kit_put(&k, B, "x", STR("2")) == 0, "put");
		CHECK(a == 1 && b == 1, "ended");
	}
}

TEST(only_one_process_has_it_open)
{
	EACH_ENGINE(k)
	{
		struct engine *other = NULL;

		CHECK(engine_open(&k.config, NULL, &other) == -EBUSY, "busy");
		CHECK(!other, "untouched");
	}
}

static size_t
test_blobs_of(UNUSED struct str key, struct str val, uint64_t *out, size_t max)
{
	if (val.n != 8 || max == 0)
		return 0;
	memcpy(out, val.p, 8);
	return 1;
}

static void
test_remap(const struct engine_blob_map *map, UNUSED struct str key,
    struct str val, struct buf *to)
{
	uint64_t blob;

	if (val.n != 8) {
		buf_put_str(to, val);
		return;
	}
	memcpy(&blob, val.p, 8);
	blob = engine_blob_map_get(map, blob);
	buf_put(to, &blob, 8);
}

/* Keys, a blob that is referred to twice, and a large one. */
static void
fill_for_export(struct kit *k)
{
	struct engine_batch *b = engine_batch_new(k->e);
	struct buf big = BUF_INIT(MIB(4));
	uint64_t twice, large;

	kit_noise(&big, 5, MIB(2));
	twice = batch_blob_new(b, kit_ticket(k, STR("twice")));
	large = batch_blob_new(b, kit_ticket(k, buf_str(&big)));
	batch_blob_ref(b, twice);
	batch_put(b, A, STR("1"), str_make(&twice, 8));
	batch_put(b, A, STR("2"), str_make(&twice, 8));
	batch_put(b, A, STR("3"), str_make(&large, 8));
	batch_put(b, A, STR("4"), STR("plain"));
	CHECK(kit_commit(k, b) == 0, "fill");
	buf_done(&big);
}

static void
check_imported(struct kit *k)
{
	struct buf got = BUF_INIT(MIB(4)), big = BUF_INIT(MIB(4));
	struct engine_batch *b = engine_batch_new(k->e);
	struct str val;
	uint64_t twice, large, size;

	CHECK(has(k, B, "4", "plain"), "plain");
	CHECK(engine_get(k->e, B, STR("1"), &val) == 1, "1");
	memcpy(&twice, val.p, 8);
	CHECK(has(k, B, "2", NULL) == false, "2");
	CHECK(engine_get(k->e, B, STR("3"), &val) == 1, "3");
	memcpy(&large, val.p, 8);
	kit_noise(&big, 5, MIB(2));
	CHECK(kit_read(k, large, 0, SIZE_MAX, &got) == (int64_t)MIB(2), "big");
	CHECK(str_eq(buf_str(&got), buf_str(&big)), "big");
	batch_blob_drop(b, twice);
	CHECK(kit_commit(k, b) == 0, "drop one");
	CHECK(engine_blob_size(k->e, twice, &size) == 1, "one is left");
	b = engine_batch_new(k->e);
	batch_blob_drop(b, twice);
	CHECK(kit_commit(k, b) == 0, "drop two");
	CHECK(engine_blob_size(k->e, twice, &size) == 0, "two it had");
	buf_done(&got);
	buf_done(&big);
}

TEST(a_shard_moves_to_another_engine)
{
	EACH_ENGINE(k)
	{
		struct engine_stats st;
		struct kit to;
		char path[100];
		int fd;

		start(&to, i_);
		kit_blob(&to, STR("ids differ"));
		snprintf(path, sizeof(path), "%s/export", to.dir);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		fill_for_export(&k);
		CHECK(engine_export(k.e, A, test_blobs_of, fd) == 0, "export");
		off_t size = lseek(fd, 0, SEEK_END);
		/* Cut anywhere, it is refused and nothing stays. */
		for (int i = 1; i < 6; i++) {
			CHECK(ftruncate(fd, size - i * i * 40) == 0, "cut");
			lseek(fd, 0, SEEK_SET);
			CHECK(engine_import(to.e, fd, B, test_remap) ==
				  ENGINE_CORRUPT,
			    "cut");
			engine_stats(to.e, &st);
			CHECK(st.keys == 0 && st.blobs == 1, "nothing stays");
		}
		lseek(fd, 0, SEEK_SET);
		CHECK(engine_export(k.e, A, test_blobs_of, fd) == 0, "again");
		lseek(fd, 0, SEEK_SET);
		CHECK(engine_import(to.e, fd, B, test_remap) == 0, "import");
		CHECK(engine_import(to.e, fd, B, test_remap) == -EEXIST,
		    "only into an empty shard");
		check_imported(&to);
		close(fd);
		kit_done(&to);
	}
}

TEST(an_idle_engine_wants_no_tick)
{
	struct kit k;
	struct engine_batch *b;

	kit_init(&k, 0);
	k.config.index_commit_ms = 1000;
	kit_open(&k);
	engine_tick(k.e);
	CHECK(engine_tick_ms(k.e) == UINT_MAX, "nothing was done yet");
	b = engine_batch_new(k.e);
	batch_put(b, A, STR("k"), STR("v"));
	CHECK(kit_commit(&k, b) == 0, "commit");
	CHECK(engine_tick_ms(k.e) <= 1000, "the index is to be committed");
	for (int i = 0; i < 300 && engine_tick_ms(k.e) != UINT_MAX; i++) {
		unsigned left = engine_tick_ms(k.e);

		engine_tick(k.e);
		CHECK(left == 0 || engine_tick_ms(k.e) != UINT_MAX,
		    "not before its time");
		usleep(10000);
	}
	CHECK(engine_tick_ms(k.e) == UINT_MAX, "then it rests");
	kit_done(&k);
}

/* A child commits and dies without closing; what it said was durable is
 * there. */
static void
commit_and_die(struct kit *k, int fd)
{
	kit_open(k);
	for (uint64_t i = 0;; i++) {
		struct buf raw = BUF_INIT(KIB(32));
		struct engine_batch *b;
		struct engine_ticket *t;
		char key[8];

		kit_text(&raw, i, 5000);
		t = kit_ticket(k, buf_str(&raw));
		b = engine_batch_new(k->e);
		uint64_t blob = batch_blob_new(b, t);

		memcpy(key, &i, 8);
		batch_put(b, A, str_make(key, 8), str_make(&blob, 8));
		batch_put(b, B, str_make(key, 8), str_make(&i, 8));
		if (kit_commit(k, b) != 0 || write(fd, &i, 8) != 8)
			_exit(1);
		engine_tick(k->e);
		buf_done(&raw);
	}
}

static void
check_after_kill(struct kit *k, uint64_t acked)
{
	for (uint64_t i = 0; i <= acked; i++) {
		struct buf raw = BUF_INIT(KIB(32)), got = BUF_INIT(KIB(32));
		struct str val;
		uint64_t blob;

		kit_text(&raw, i, 5000);
		CHECK(engine_get(k->e, A, str_make(&i, 8), &val) == 1, "key");
		memcpy(&blob, val.p, 8);
		CHECK(kit_read(k, blob, 0, SIZE_MAX, &got) == 5000, "blob");
		CHECK(str_eq(buf_str(&raw), buf_str(&got)), "bytes");
		CHECK(engine_get(k->e, B, str_make(&i, 8), &val) == 1, "B");
		buf_done(&raw);
		buf_done(&got);
	}
}

TEST(what_was_acknowledged_survives_being_killed)
{
	for (unsigned round = 0; round < 6; round++) {
		struct kit k;
		uint64_t acked = 0;
		int fds[2], status;
		pid_t pid;

		kit_init(&k, round % 2 ? 2 : 0);
		k.config.segment_bytes = KIB(256);
		k.config.index_commit_ms = 5;
		CHECK(pipe(fds) == 0, "pipe");
		pid = fork();
		if (pid == 0)
			commit_and_die(&k, fds[1]);
		close(fds[1]);
		while (acked < 40 + 61 * round)
			CHECK(read(fds[0], &acked, 8) == 8, "child works");
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		while (read(fds[0], &acked, 8) == 8)
			;
		close(fds[0]);
		kit_open(&k);
		CHECK(k.report.bad_records == 0, "no damage");
		check_after_kill(&k, acked);
		kit_done(&k);
	}
}

TEST_MAIN(UNIT(what_is_committed_is_there_also_after_opening_again),
    UNIT(a_commit_is_seen_before_it_is_durable),
    UNIT(sync_runs_at_once_or_when_durable),
    UNIT(checks_decide_and_a_refused_batch_changes_nothing),
    UNIT(too_big_is_refused_whole),
    UNIT(scans_are_ordered_and_stay_in_their_shard),
    UNIT(shards_of_a_kind_are_listed_in_pages),
    UNIT(a_range_is_deleted_and_nothing_else),
    UNIT(blobs_come_back_whole_and_in_parts),
    UNIT(what_is_gone_soon_is_stored_as_it_is),
    UNIT(garbage_piles_up_to_a_bound),
    UNIT(a_blob_lives_as_long_as_it_is_referred_to),
    UNIT(a_batch_can_hold_many_blobs_and_shards),
    UNIT(a_lease_has_one_owner_and_fences_the_last_one),
    UNIT(a_watch_runs_after_durable_commits_of_its_shard),
    UNIT(only_one_process_has_it_open), UNIT(a_shard_moves_to_another_engine),
    UNIT(an_idle_engine_wants_no_tick),
    UNIT(what_was_acknowledged_survives_being_killed))

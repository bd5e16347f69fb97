/* SPDX-License-Identifier: ISC */
/* auto_post_test.c - which posts count for those that write themselves. */
#include "../../test.h"
#include "proto/status/status_post_edit.h"
#include "watch/news/auto_post_internal.h"

static struct server sv;
static struct auto_post *ap;

/* One for all: it lives as long as its process. */
static int
setup(UNUSED void **state)
{
	if (ap != NULL)
		return 0;
	sv.loop = loop_new();
	ap = auto_post_new(&sv);
	return 0;
}

/* As the store tells of it. */
static void
tell(uint32_t number, const char *system, enum status_state state)
{
	uint64_t now = loop_time(sv.loop);
	struct status_post p = status_post_begin(STATUS_INCIDENT, now);
	struct buf key = BUF_INIT(100), value = BUF_INIT(STATUS_POST_ROW_MAX);
	struct buf rows = BUF_INIT(KIB(64));
	struct status_fault f;

	p.title = STR("x");
	p.slug = STR("x");
	p.state = state;
	p.resolved_s = state == STATUS_RESOLVED ? now : 0;
	if (system != NULL)
		assert_true(status_affects_add(
		    &p.affects, str_c(system), STATUS_IMPACT_DOWN, &f));
	status_post_put_key(&key, number, 0);
	status_post_encode(&p, &value);
	msg_ledger_row_put(
	    &rows, &(struct msg_ledger_row){
		       .key = buf_str(&key), .value = buf_str(&value) });
	auto_post_changed(
	    ap, &(struct msg_ledger_changed){ LEDGER_POST, buf_str(&rows) });
	buf_done(&rows);
	buf_done(&value);
	buf_done(&key);
}

TEST(what_somebody_writes_about_is_spoken_for)
{
	uint64_t now = loop_time(sv.loop);

	assert_false(auto_post_is_spoken_for(ap, STR("Gate"), now));
	tell(1, "gate", STATUS_INVESTIGATING);
	assert_true(auto_post_is_spoken_for(ap, STR("Gate"), now));
	assert_false(auto_post_is_spoken_for(ap, STR("Box"), now));
	tell(1, "gate", STATUS_RESOLVED);
	assert_true(auto_post_is_spoken_for(ap, STR("Gate"), now - 60));
	assert_false(auto_post_is_spoken_for(ap, STR("Gate"), now + 60));
	assert_false(auto_post_is_spoken_for(ap, STR("Gate"), now));
}

TEST(notices_do_not_crowd_out_what_is_about_systems)
{
	uint64_t now = loop_time(sv.loop);

	for (uint32_t i = 1; i <= 3000; i++)
		tell(i, NULL, STATUS_INVESTIGATING);
	tell(3001, "shop", STATUS_INVESTIGATING);
	assert_true(auto_post_is_spoken_for(ap, STR("Shop"), now));
}

#define SET_UP(name) cmocka_unit_test_setup(name, setup)

TEST_MAIN(SET_UP(what_somebody_writes_about_is_spoken_for),
    SET_UP(notices_do_not_crowd_out_what_is_about_systems))

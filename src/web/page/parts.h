/* SPDX-License-Identifier: ISC */
/* parts.h - the parts that the first page is made of, and others use too. */
#pragma once

#include "web/page/charts.h"
#include "web/page/page.h"
#include "web/table/posts.h"
#include "web/said.h"
#include "web/site.h"

/* --- verdict.c ------------------------------------------------------------------ */

/* What is worst of all that is not planned. */
struct verdict {
	enum look look;
	bool is_stale;
	enum word sentence;
	bool has_planned;
	bool is_starting; /* what is not known has no result yet */
	/* Bits of enum status_service. */
	unsigned services, down, ill, unknown;
	unsigned systems_down, systems_ill, systems_unknown;
};
struct verdict verdict_of(const struct server *sv);
struct verdict verdict_from(
    const struct site_state *t, const struct said *said);
/* All that is watched answers as it should: also what is not mail's. */
bool verdict_is_all_well(const struct verdict *v);
/* Nothing is known to be wrong, and something is not known. */
bool verdict_is_unsure(const struct verdict *v);
enum look look_of_impact(enum status_impact i);
enum look look_by_checks(
    const struct site_state *t, const struct msg_watch_system *m);
enum word word_of_look(enum look l);

/* One system or service as it is shown everywhere: the worse of what checks find
 * and of what open incidents say of it. */
struct shown {
	enum look look;
	enum word word;
};
struct shown shown_system(const struct site_state *t,
    const struct msg_watch_system *m, enum status_impact said);
struct shown shown_service(const struct site_state *t,
    const struct msg_watch_service *s, const struct said *said);

/* --- conclusion.c ---------------------------------------------------------------- */

/* What is known of one visitor. */
struct facts {
	bool has_client, has_reach; /* auth and watch have answered */
	unsigned state;             /* enum auth_client_state */
	uint64_t until;             /* of a ban */
	unsigned answer;            /* enum reach_answer */
};
/* Is it them, or is it us? One of T_C_SO_*; of T_OTHERS_ILL it is about mail. */
enum word conclude(
    const struct facts *f, const struct verdict *v, enum look *ret_look);

/* --- part_now.c: the first screen ------------------------------------------------ */

void part_now(struct page *p, const struct verdict *v);
/* What is suspected: not confirmed by a probe or a person, and said so; the verdict stays.
 * What reads the same is said once, and of a stale state nothing. */
void part_suspected(struct page *p, const struct site_state *t);
/* What is not well, by its names. */
void part_not_well(struct page *p, const struct verdict *v);
void part_services(struct page *p);

/* --- part_systems.c -------------------------------------------------------------- */

void part_systems(struct page *p);
/* "Mail server", ... */
enum word word_of_role(unsigned role);
/* "Amsterdam, Netherlands"; nothing when neither is known. */
void part_place(struct page *p, const struct msg_watch_system *m);
/* "23 ms", "no reply", ... */
void part_ping(struct page *p, const struct msg_watch_system *m);
/* Its 90 days: a list with one tab stop, and in words what disturbed them. */
void part_days(struct page *p, const struct msg_watch_system *m);
/* The days that were not as they should be, in words, the newest first. */
void part_trouble(struct page *p, const struct msg_watch_system *m);
void part_uptime(struct page *p, const struct msg_watch_system *m);

/* --- part_posts.c ---------------------------------------------------------------- */

enum word word_of_kind(enum status_post_kind k);
/* What is open, with its last words; nothing when nothing is. */
void part_running(struct page *p);
/* Planned work that has not begun: posts, and windows of systems. */
void part_coming(struct page *p);
/* What of it begins first; NULL: there is none. */
const struct status_post *part_next_work(const struct page *p);
/* The newest ones, at their length or the beginning of it. */
void part_recent(struct page *p);
/* One line: its time, title, state. */
void part_post_line(struct page *p, const struct posts_entry *e);
/* <ul> of those of all that fn wants; 0: there were none, and nothing is
 * written. */
size_t part_post_list(struct page *p,
    bool (*fn)(const struct posts_entry *e, const void *arg), const void *arg);
/* What is affected, each with a link. */
void part_affected(struct page *p, const struct status_affects *a);
/* State, or kind where there is none. */
void part_post_state(struct page *p, const struct status_post *post);

/* --- part_windows.c --------------------------------------------------------------- */

/* Planned work of single systems that has not begun; begin is called before the first
 * of it, if there is one. How many there were. */
size_t part_windows(struct page *p, void (*begin)(struct page *p));

/* --- part_side.c: archives, categories, tags, subscriptions ----------------------- */

void part_side(struct page *p);
void part_months(struct page *p);
/* <a> to "/tag/X" or "/category/X". */
void part_word_link(struct page *p, const char *prefix, struct str word);

/* --- part_chart.c ------------------------------------------------------------------ */

void part_chart(struct page *p, const struct chart *c);

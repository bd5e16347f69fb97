/* SPDX-License-Identifier: ISC */
/* pages.h - what the routes run: each answers its visit, now or later. */
#pragma once

#include "web/visit.h"

/* --- page_home.c ---------------------------------------------------------------- */

void page_home(struct visit *v);
/* /systems: where they are. */
void page_systems(struct visit *v);

/* --- page_search.c -------------------------------------------------------------- */

void page_search(struct visit *v);

/* --- feeds.c, calendar.c, badges.c, summary.c: documents ------------------------- */

void feed_all(struct visit *v);
void feed_system(struct visit *v);
void feed_tag(struct visit *v);
void feed_category(struct visit *v);
void calendar_all(struct visit *v);
void calendar_post(struct visit *v);
void calendar_window(struct visit *v);
void badge_all(struct visit *v);
void badge_system(struct visit *v);
void api_summary(struct visit *v);
/* --- page_check.c --------------------------------------------------------------- */

void page_check(struct visit *v);

/* --- page_subscribe.c ----------------------------------------------------------- */

void page_subscribe(struct visit *v);
void page_subscribe_post(struct visit *v);
void page_confirm(struct visit *v);
void page_confirm_post(struct visit *v);
void page_unsubscribe(struct visit *v);
void page_unsubscribe_post(struct visit *v);

/* --- page_posts.c --------------------------------------------------------------- */

void page_post(struct visit *v);
void page_archive(struct visit *v);
void page_month(struct visit *v);
void page_tag(struct visit *v);
void page_category(struct visit *v);

/* --- page_system.c -------------------------------------------------------------- */

void page_system(struct visit *v);

/* --- challenge.c --------------------------------------------------------------- */

void page_challenge(struct visit *v);

/* --- page_small.c --------------------------------------------------------------- */

void page_robots(struct visit *v);
void page_favicon(struct visit *v);

/* --- page_hosted.c: files of the domains that are hosted here -------------------- */

void page_mtasts(struct visit *v);
void page_autoconfig(struct visit *v);

/* --- api.c: everything below /api/v1/ --------------------------------------------- */

void page_api(struct visit *v);

/* --- agent_page.c --------------------------------------------------------------- */

void page_agent_enrol(struct visit *v);
void page_agent_sync(struct visit *v);

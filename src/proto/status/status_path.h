/* SPDX-License-Identifier: ISC */
/*
 * status_path.h - where a post is on the status site.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/status/status_post.h"

/*
 * "/posts/2018/06/07-nc036-migration-update-17": the month of its publication,
 * and its slug without that month where it begins with it. For people; it
 * changes with the slug. What never changes is "/posts/" and the number, which leads
 * there.
 */
void status_post_put_path(const struct status_post *p, struct buf *to);
/* Of a page of the site: does it say how things are now? Static copies of such
 * pages are renewed each minute. */
bool status_path_is_live(struct str path);
/* The year and month of a time. */
void status_month_of(uint64_t t, unsigned *ret_year, unsigned *ret_month);

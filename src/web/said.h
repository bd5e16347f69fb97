/* SPDX-License-Identifier: ISC */
/*
 * said.h - what the incidents that are open and public say, of each system, of
 * what customers do, and of mail and other systems apart.
 *
 * An incident counts with what it says of each system that it names; the worst of
 * several wins; an impact of none says nothing. A system is mail's when its role is
 * mail or relay, or when one of its checks tells of what customers do. An incident
 * that names no system that there is says that mail has problems: somebody wrote that
 * something is wrong, and nothing says that it is only something else. Planned
 * work says nothing here.
 */
#pragma once

#include "proto/status/status_post.h"
#include "web/site.h"

struct posts;

struct said {
	enum status_impact mail, others; /* the worst of each */
	/* Bits of enum status_service. Down: all systems with a check of it
	 * are said to be; ill: one of them is said to be less than well. */
	unsigned down, ill;
};

/* open: those of n incidents. */
struct said said_from(const struct site_state *t,
    const struct status_affects *const *open, size_t n);
struct said said_of(const struct server *sv);
/* Of one system; of internal ones nothing is told. */
enum status_impact said_of_system(
    const struct server *sv, const struct msg_watch_system *m);

/* SPDX-License-Identifier: ISC */
/*
 * route_words.h - mailstead route: what its two files share.
 *
 *   cmd_route.c         routes: add, list, show, change, remove, test
 *   cmd_route_status.c  who refuses us: status, open, close; tables
 */
#pragma once

#include "cli/admin.h"

#define ROUTE_USAGE_STATUS "route status [--json]"
#define ROUTE_USAGE_OPEN   "route open GROUP|HOST|HOST:PORT [--source A] [--json]"
#define ROUTE_USAGE_CLOSE \
	"route close GROUP|HOST|HOST:PORT|--all [--source A] [--json]"
#define ROUTE_USAGE_GROUPS "route groups [--text] [--json]"

struct route_words {
	const char *number, *source;
	bool reads_password, is_all, is_text;
	struct args args;
};

int route_status(struct admin *a, struct route_words *w);
int route_open(struct admin *a, struct route_words *w);
int route_close(struct admin *a, struct route_words *w);
int route_groups(struct admin *a, struct route_words *w);

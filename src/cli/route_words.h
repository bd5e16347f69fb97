/* SPDX-License-Identifier: ISC */
/*
 * route_words.h - mailstead route: what its files share.
 *
 *   cmd_route.c         routes: add, list, show, change, remove, test
 *   cmd_route_status.c  who refuses us: status; tables
 *   cmd_route_avoid.c   by hand: avoid, resume
 */
#pragma once

#include "cli/admin.h"

#define ROUTE_USAGE_STATUS "route status [--json]"
#define ROUTE_USAGE_AVOID \
	"route avoid GROUP|HOST|HOST:PORT|domain:DOMAIN [--source A] [--json]"
#define ROUTE_USAGE_RESUME \
	"route resume GROUP|HOST|HOST:PORT|domain:DOMAIN | --all [--source " \
	"A] " \
	"[--json]"
#define ROUTE_USAGE_GROUPS "route groups [--text] [--json]"

struct route_words {
	const char *number, *source;
	bool reads_password, is_all, is_text;
	struct args args;
};

/* The operator's table of providers, else the built-in one; NULL: it cannot be
 * read by whoever says this, or has an error. The caller's to free. */
struct provider_table *route_providers(void);
/* Where the tables cannot be read, any name may be one. */
bool route_is_group(struct str name);
int route_status(struct admin *a, struct route_words *w);
int route_avoid(struct admin *a, struct route_words *w);
int route_resume(struct admin *a, struct route_words *w);
int route_groups(struct admin *a, struct route_words *w);

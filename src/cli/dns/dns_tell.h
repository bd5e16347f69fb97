/* SPDX-License-Identifier: ISC */
/*
 * dns_tell.h - what a plan for a zone does, for people or as JSON.
 */
#pragma once

#include "cli/dns/dns_plan.h"
#include "cli/output/output.h"

/* Print a line for each record that is added, removed, left, skipped or there
 * already; or make the table that is printed as JSON later (the caller's to
 * free), else NULL. */
struct output *dns_tell_plan(struct dns_plan *p, bool is_json);

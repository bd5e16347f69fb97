/* SPDX-License-Identifier: ISC */
/*
 * tls_reports.h - what tls_count.h counted, sent as reports when its period is
 * over (RFC 8460 sections 4 and 5): by mail, or by HTTPS.
 *
 * The rows of a report are ended behind it. Who dies in between sends it again,
 * and by mail that is the same message, which the store knows.
 */
#pragma once

#include "proto/tlsrpt/tlsrpt_tally.h"

struct server;
struct tls_reports;

struct tls_reports *tls_reports_new(struct server *sv);
/* The process ends: begin nothing more. */
void tls_reports_stop(struct tls_reports *r);

/* --- one report (tls_report_job.c) ------------------------------------------------- */

struct tls_report_group {
	uint64_t begin;
	char domain[TLSRPT_KEY_DOMAIN_MAX + 1];
};

typedef void (*tls_report_fn)(void *arg);
/* fn runs once, from the loop; rows that are left are for another time. */
void tls_report_start(struct server *sv, const struct tls_report_group *g,
    tls_report_fn fn, void *arg);

/*
 * The receiver of "mailto:local@domain" (percent-encoding undone, no more than
 * one, parameters dropped), appended. False when it is none.
 */
bool tls_report_mailbox(struct str uri, struct buf *to) WARN_UNUSED;

/* "https://host[:port]/path" taken apart. */
struct tls_report_place {
	char host[254];
	uint16_t port;
	char path[1000];
};
bool tls_report_place(struct str uri, struct tls_report_place *ret) WARN_UNUSED;

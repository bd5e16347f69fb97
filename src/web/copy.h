/* SPDX-License-Identifier: ISC */
/*
 * copy.h - static copies of the site (mailstead status export and push).
 *
 * A copy has no server that could say how old it is. So its pages that tell
 * how things are now (status_path_is_live) know it themselves: they say when they
 * were made, ask the browser to come again each minute, and a script of a few
 * lines turns them grey three minutes after that. Their
 * Content-Security-Policy is in the page, with the hash of that script.
 */
#pragma once

#include "proc/ipc.h"
#include "web/page/page.h"

#define COPY_EVERY_S 60 /* how often the command line renews them */

void copy_put_head(struct page *p);
void copy_put_banner(struct page *p);
void copy_put_script(struct page *p);
/* MSG_SITE_MAKE. False: it is malformed. */
bool copy_request(
    struct server *sv, struct ipc_peer *p, struct ipc_msg *m) WARN_UNUSED;

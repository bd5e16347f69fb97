/* SPDX-License-Identifier: ISC */
/* page_frame.h - what stands in every page as it is: style and script. */
#pragma once

#include "base/buf.h"

struct str page_style(void);
struct str page_script(void);
/* Of Check my connection, beside the other. */
struct str page_check_script(void);
/* The usual policy; connect: what the script may ask, or NULL. */
void page_put_policy(struct buf *to, const char *connect);
/* That of a static copy, to stand in it: with a second script, and forms that
 * lead to the site itself. */
void page_put_copy_policy(struct buf *to, struct str script, struct str site);

/* SPDX-License-Identifier: ISC */
/* members_mail.h - the mail that asks whether somebody really wants to be told. */
#pragma once

#include "web/server.h"
#include "web/page/words.h"

/* A row of the outbox: to key, with a link that has the token. */
void members_put_mail(const struct server *sv, struct str key,
    enum language language, struct str token, struct buf *to);

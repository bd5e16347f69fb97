/* SPDX-License-Identifier: ISC */
/*
 * link_text.h - a link as it stands in the configuration: a URL, a blank, and
 * the words that are shown for it, such as
 * "https://www.example.org/help Help with mail".
 *
 * Pure.
 */
#pragma once

#include "base/str.h"

/* https, http or mailto; no blanks, no controls. Nothing else may become the
 * target of a link: what a page says would run. */
bool link_is_url(struct str s) WARN_UNUSED;
/* False: it is none. Points into s. */
bool link_parse(
    struct str s, struct str *ret_url, struct str *ret_title) WARN_UNUSED;

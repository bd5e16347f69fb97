/* SPDX-License-Identifier: ISC */
/*
 * api_field.h - what of a request's body is wrong, as its sender knows it: the way
 * to it through the JSON.
 *
 * Checks of what a body says tell a part: the name of a member, or a value that
 * does not fit. It is looked for in the body, for a client can do nothing with a
 * value.
 *
 * Pure.
 */
#pragma once

#include "base/buf.h"
#include "base/jsondoc.h"

/*
 * Append the way to part: "title", "affected[0].system", "options.every". The value
 * whose bytes part is made of counts first, then a member of the body with this name,
 * a value that reads the same, a member further within. What is in none of them
 * is appended as it is: it is the name of a member that is missing.
 */
void api_field_put(
    struct buf *to, const struct jsonnode *body, struct str part);

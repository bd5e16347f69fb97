/* SPDX-License-Identifier: ISC */
/*
 * mirror_text.h - where a static copy of the status site goes, as it stands in
 * the configuration: a folder of this machine ("/srv/status"), or HOST:PATH or
 * USER@HOST:PATH for rsync over ssh.
 *
 * Pure.
 */
#pragma once

#include "base/str.h"

enum mirror_kind { MIRROR_BAD, MIRROR_FOLDER, MIRROR_RSYNC };

/*
 * What is good can be an argument of rsync as it is: it begins with no dash,
 * has no blanks and controls, and is neither of rsync's own protocol ("::") nor
 * of another host's shell.
 */
enum mirror_kind mirror_kind_of(struct str s);

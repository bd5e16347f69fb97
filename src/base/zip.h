/* SPDX-License-Identifier: ISC */
/*
 * zip.h - the first file of a zip archive, whole in memory: some send reports
 * in one.
 *
 * A reader of our own, over zlib: libraries for archives bring along what a
 * hostile file should never reach (encryption, other compressions, names of
 * files, writing). Nothing of the archive's names is used.
 *
 * Layer: base. No I/O.
 */
#pragma once

#include "base/gzip.h"

/*
 * Append the first file that is not empty, by the central directory: stored
 * or deflated, with the right size and sum. GUNZIP_BAD: no archive, damaged,
 * encrypted, none such in it, or of a kind that is not known (zip64, several
 * disks). GUNZIP_TOO_BIG: to's max is not enough. On a failure to is as it
 * was.
 */
enum gunzip unzip_first(struct buf *to, struct str in) WARN_UNUSED;

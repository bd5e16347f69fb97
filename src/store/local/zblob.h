/* SPDX-License-Identifier: ISC */
/*
 * zblob.h - packing of blobs; wraps libzstd.
 *
 * Level 1 with a fixed dictionary that is part of the program: in trials on
 * mail it is both smaller and faster than level 1 without. A context belongs
 * to one thread; the dictionary is shared.
 */
#pragma once

#include "base/buf.h"

struct zblob_dict;
struct zblob_dict *zblob_dict_new(void);
void zblob_dict_free(struct zblob_dict *d);

struct zblob;
struct zblob *zblob_new(const struct zblob_dict *d);
void zblob_free(struct zblob *z);

/* Append raw, packed, to out; *ret_codec is raw when packing saves nothing.
 * raw is at most FRAME_RAW bytes. False when out is full. */
bool zblob_pack(struct zblob *z, struct str raw, struct buf *out,
    uint8_t *ret_codec) WARN_UNUSED;
/* Exactly raw bytes to to; false when the stored bytes make no sense. */
bool zblob_unpack(struct zblob *z, uint8_t codec, struct str stored, char *to,
    size_t raw) WARN_UNUSED;

/* SPDX-License-Identifier: ISC */
/*
 * dns_data.h - data of DNS records: bytes of a message, values of a zone file.
 */
#pragma once

#include "base/buf.h"
#include "net/resolver.h"

/* Append the bytes of a value of struct dns_record. False when it is none, or
 * of a type that we never write. */
bool dns_data_encode(
    enum dns_type type, const char *value, struct buf *to) WARN_UNUSED;

/* Append the text of data, near enough for people; the bytes may be
 * anything. */
void dns_data_put_text(enum dns_type type, struct str data, struct buf *to);

/* SPDX-License-Identifier: ISC */
/*
 * imap_fetch.h - what a FETCH asks for (RFC 3501 6.4.5, RFC 3516, RFC 7162).
 *
 * Items that are one word are bits; sections of the body are a list in the
 * client's order. Macros (ALL, FAST, FULL) are gone: they became bits.
 *
 * Layer: proto. No I/O, no clock.
 */
#pragma once

#include "proto/imap/imap_set.h"

#define IMAP_MAX_FETCH_SECTIONS 64
#define IMAP_MAX_SECTION_PARTS  32 /* numbers in "1.2.3.4" */
#define IMAP_MAX_HEADER_NAMES   256

enum imap_fetch_attr {
	IMAP_FETCH_UID = 1 << 0,
	IMAP_FETCH_FLAGS = 1 << 1,
	IMAP_FETCH_INTERNALDATE = 1 << 2,
	IMAP_FETCH_SIZE = 1 << 3, /* RFC822.SIZE */
	IMAP_FETCH_ENVELOPE = 1 << 4,
	IMAP_FETCH_BODY = 1 << 5, /* BODY without a section */
	IMAP_FETCH_BODYSTRUCTURE = 1 << 6,
	IMAP_FETCH_MODSEQ = 1 << 7,
};

enum imap_section_kind {
	IMAP_SECTION_ALL,        /* [] or [1.2] */
	IMAP_SECTION_HEADER,     /* [HEADER] */
	IMAP_SECTION_FIELDS,     /* [HEADER.FIELDS (..)] */
	IMAP_SECTION_FIELDS_NOT, /* [HEADER.FIELDS.NOT (..)] */
	IMAP_SECTION_TEXT,       /* [TEXT] */
	IMAP_SECTION_MIME,       /* [1.MIME] */
};

enum imap_section_form {
	IMAP_FORM_BODY,          /* BODY[..] */
	IMAP_FORM_BINARY,        /* BINARY[..]: transfer encoding undone */
	IMAP_FORM_BINARY_SIZE,   /* BINARY.SIZE[..] */
	IMAP_FORM_RFC822,        /* RFC822: as BODY[], old name */
	IMAP_FORM_RFC822_HEADER, /* as BODY.PEEK[HEADER] */
	IMAP_FORM_RFC822_TEXT,   /* as BODY[TEXT] */
};

struct imap_section {
	enum imap_section_form form;
	enum imap_section_kind kind;
	bool is_peek; /* does not set \Seen */
	bool has_partial;
	uint32_t partial_from;  /* first octet */
	uint32_t partial_count; /* at least 1 */
	const uint32_t *parts;
	size_t n_parts;
	const struct str *names; /* FIELDS and FIELDS_NOT */
	size_t n_names;
};

struct imap_fetch {
	struct imap_set set;
	unsigned attrs; /* of enum imap_fetch_attr */
	const struct imap_section *sections;
	size_t n_sections;
	bool has_changed_since; /* implies MODSEQ in the answer */
	uint64_t changed_since;
	bool vanished;  /* UID FETCH (CHANGEDSINCE n VANISHED) */
	bool sets_seen; /* some section is not a peek */
};

/*
 * The name of a section as the answer must repeat it, without the value:
 * "BODY[HEADER.FIELDS (DATE \"FROM\")]<0>".
 */
void imap_put_section_name(struct buf *b, const struct imap_section *s);

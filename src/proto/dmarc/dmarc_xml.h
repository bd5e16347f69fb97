/* SPDX-License-Identifier: ISC */
/*
 * dmarc_xml.h - the little XML that aggregate reports are made of.
 *
 * A pull parser for elements and text. Attributes are checked and dropped,
 * prefixes of names, too; comments and processing instructions are passed
 * over. Documents with a DTD or with sections of CDATA are refused: nothing
 * in a report needs them, and they are what attacks are made of.
 *
 * Layer: proto. No I/O, no allocation; one pass.
 */
#pragma once

#include "base/buf.h"

/* Elements inside each other; a report has six. */
#define DMARC_XML_DEPTH_MAX 16
/* Bytes of a name. */
#define DMARC_XML_NAME_MAX 64

enum dmarc_xml_event {
	DMARC_XML_OPEN,  /* an element begins: its name */
	DMARC_XML_CLOSE, /* it ends: the same name */
	DMARC_XML_TEXT,  /* text, for dmarc_xml_decode(); may come in parts */
	DMARC_XML_END,   /* the document is complete */
	DMARC_XML_BAD,   /* not well-formed, or more than is understood */
};

struct dmarc_xml {
	struct str rest;
	struct str open[DMARC_XML_DEPTH_MAX];
	size_t depth;
	bool is_empty; /* the open element was <x/> */
	bool has_root;
};

/* Start with a document, which is borrowed. */
void dmarc_xml_init(struct dmarc_xml *x, struct str document);

/*
 * The next event. *ret is set for the first three, and points into the
 * document. After the last two it stays with them.
 */
enum dmarc_xml_event dmarc_xml_next(
    struct dmarc_xml *x, struct str *ret) WARN_UNUSED;

/*
 * Append text with its references replaced. False for a reference that is
 * not one of the five names or a number of a character, or without room.
 */
bool dmarc_xml_decode(struct str text, struct buf *to) WARN_UNUSED;

/*
 * Append s as text. Bytes that XML cannot hold, or that are not UTF-8, become
 * "?".
 */
void dmarc_xml_put_text(struct buf *to, struct str s);

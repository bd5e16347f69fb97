/* SPDX-License-Identifier: ISC */
/*
 * LINK: feedback mime dmarc tlsrpt dsn status
 * OBJS: src/filter/feedback_read.c src/filter/feedback_dmarc.c src/filter/feedback_tls.c src/filter/feedback_abuse.c src/filter/feedback_bounce.c src/proc/ipc_msgs.c
 *
 * Messages to an address for reports. Properties: rows are within their
 * limits, each has a key and a value that can be read, and is about the
 * domain that it came to; a complaint's texts are within the message's bounds; of what
 * comes back of news there is a row at most, with one line.
 */
#include "filter/feedback_read.h"
#include "proc/ipc_msgs.h"
#include "proto/status/status_bounce.h"

#define DOMAIN "d.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_row(const struct msg_ledger_row *row)
{
	struct feedback_head head;
	struct feedback_item item;
	struct wire items;

	ASSERT(row->key.n > 0 && row->key.n <= FEEDBACK_KEY_MAX);
	ASSERT(row->value.n <= KIB(60));
	ASSERT(feedback_read_head(row->value, &head, &items));
	ASSERT(str_ends_case(head.domain, STR(DOMAIN)));
	while (feedback_read_item(&items, head.kind, &item))
		;
	ASSERT(!items.failed);
}

static void
check_bounce(const struct feedback *f)
{
	struct wire w = wire_read(buf_str(&f->rows));
	struct msg_ledger_row row;
	struct str said;

	if (w.in.n == 0)
		return;
	ASSERT(msg_ledger_row_read(&w, &row) && w.in.n == 0);
	ASSERT(row.key.n == 3 && status_bounce_read_row(row.value, &said));
}

/* The same message, come back to a tag. */
static void
read_bounce(struct str message)
{
	struct feedback_context c = { STR(DOMAIN), STR("mx." DOMAIN),
		1790000000, STR("TAG") };
	struct feedback f;

	switch (feedback_read(message, &c, &f)) {
	case FEEDBACK_NOTHING:
		ASSERT(f.fault && f.rows.n == 0);
		break;
	case FEEDBACK_BOUNCE:
		check_bounce(&f);
		break;
	case FEEDBACK_ROWS:
	case FEEDBACK_COMPLAINT:
		ASSERT(false);
	}
	feedback_done(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback_context c = { STR(DOMAIN), STR("mx." DOMAIN),
		1790000000, STR_NONE };
	struct msg_ledger_row row;
	struct feedback f;
	struct wire w;

	switch (feedback_read(str_make(data, size), &c, &f)) {
	case FEEDBACK_NOTHING:
		ASSERT(f.fault && f.rows.n == 0);
		break;
	case FEEDBACK_ROWS:
		ASSERT(f.rows.n > 0);
		break;
	case FEEDBACK_BOUNCE:
		ASSERT(false);
		break;
	case FEEDBACK_COMPLAINT:
		ASSERT(f.abuse.trace.n <= 64);
		feedback_finish(&f, STR("a@" DOMAIN), 3);
		break;
	}
	ASSERT(!f.rows.failed && !f.texts.failed);
	for (w = wire_read(buf_str(&f.rows)); w.in.n;) {
		ASSERT(msg_ledger_row_read(&w, &row));
		check_row(&row);
	}
	feedback_done(&f);
	read_bounce(str_make(data, size));
	return 0;
}

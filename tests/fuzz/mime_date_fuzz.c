/* SPDX-License-Identifier: ISC */
/*
 * LINK: mime
 *
 * mime_date_fuzz.c - what is a date comes back the same from its canonical
 * form, and every number formats to a date that parses.
 */
#include "proto/mime/mime_date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(struct mime_date d)
{
	struct buf text = BUF_INIT(64);
	struct buf again = BUF_INIT(64);
	struct mime_date got = { 0 };

	mime_date_format(d, &text);
	ASSERT(!text.failed && text.n == 31);
	ASSERT(mime_date_parse(buf_str(&text), &got));
	mime_date_format(got, &again);
	ASSERT(str_eq(buf_str(&text), buf_str(&again)));
	buf_done(&text);
	buf_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_date d;

	if (mime_date_parse(str_make(data, size), &d)) {
		struct mime_civil c = mime_civil_of(d);
		struct mime_date same = mime_civil_to_date(c, d.zone_min);

		ASSERT(c.year >= MIME_YEAR_MIN && c.year <= MIME_YEAR_MAX);
		ASSERT(same.epoch == d.epoch);
		ASSERT(d.zone_min > -1440 && d.zone_min < 1440);
		check_round_trip(d);
	}
	if (size >= 12) {
		memcpy(&d.epoch, data, 8);
		memcpy(&d.zone_min, data + 8, 4);
		check_round_trip(d);
	}
	return 0;
}

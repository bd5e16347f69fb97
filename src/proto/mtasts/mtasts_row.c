/* SPDX-License-Identifier: ISC */
/* mtasts_row.c - a kept policy. See mtasts_row.h. */
#include "proto/mtasts/mtasts_row.h"

#include "base/wire.h"

#define ROW_VERSION 1

void
mtasts_row_encode(const struct mtasts_row *row, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u64(to, row->fetched);
	wire_put_u64(to, row->until);
	wire_put_vstr(to, row->id);
	wire_put_vstr(to, row->text);
}

bool
mtasts_row_decode(
    struct str value, struct mtasts_row *ret, struct mtasts_policy *ret_policy)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct mtasts_policy policy;
	struct mtasts_row row;

	row.fetched = wire_get_u64(&w);
	row.until = wire_get_u64(&w);
	row.id = wire_get_vstr(&w);
	row.text = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || row.id.n > MTASTS_ID_MAX ||
	    mtasts_policy_parse(row.text, &policy) != NULL)
		return false;
	*ret = row;
	*ret_policy = policy;
	return true;
}

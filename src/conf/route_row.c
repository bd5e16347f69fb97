/* SPDX-License-Identifier: ISC */
/* route_row.c - rows of the table ROUTE. See route_row.h. */
#include "conf/route_row.h"

#include "base/wire.h"

#define VERSION_OF_ROW 1

void
route_key_put(struct buf *to, uint32_t number)
{
	char key[ROUTE_KEY_BYTES];

	be32_put(key, number);
	buf_put(to, key, sizeof(key));
}

bool
route_key_get(struct str key, uint32_t *ret)
{
	uint32_t number;

	if (key.n != ROUTE_KEY_BYTES)
		return false;
	number = be32_get(key.p);
	if (number == 0 || number > ROUTE_NUMBER_MAX)
		return false;
	*ret = number;
	return true;
}

void
route_row_put(struct buf *to, const struct route_row *row)
{
	wire_put_u8(to, VERSION_OF_ROW);
	wire_put_vstr(to, row->text);
	wire_put_vstr(to, row->password);
}

bool
route_row_get(struct str value, struct route_row *ret)
{
	struct wire w = wire_read_version(value, VERSION_OF_ROW);
	struct route_row row;
	struct route route;

	row.text = wire_get_vstr(&w);
	row.password = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || row.password.n > ROUTE_PASSWORD_MAX ||
	    memchr(row.password.p ? row.password.p : "", 0, row.password.n) ||
	    !route_text_parse(row.text, &route))
		return false;
	*ret = row;
	return true;
}

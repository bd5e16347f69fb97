/* SPDX-License-Identifier: ISC */
/* status_signal.c - rows of the table SIGNAL. See status_signal.h. */
#include "proto/status/status_signal.h"

#include "base/wire.h"

#define VERSION_OF_ROW 1

void
status_signal_encode(const struct status_signal *s, struct buf *to)
{
	wire_put_u8(to, VERSION_OF_ROW);
	wire_put_u8(to, s->is_approved);
	wire_put_u64(to, s->at_s);
	wire_put_vstr(to, s->text);
}

bool
status_signal_decode(struct str value, struct status_signal *ret)
{
	struct wire w = wire_read_version(value, VERSION_OF_ROW);
	struct status_signal s = { 0 };
	unsigned approved = wire_get_u8(&w);

	s.is_approved = approved == 1;
	s.at_s = wire_get_u64(&w);
	s.text = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || approved > 1 ||
	    (s.text.n > 0 && !status_is_text(s.text)))
		return false;
	*ret = s;
	return true;
}

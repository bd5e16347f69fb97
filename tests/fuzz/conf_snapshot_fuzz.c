/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/conf/schema.c src/conf/conf_wire.c src/proc/role.c src/conf/route_text.c src/conf/network_text.c
 *
 * conf_snapshot_fuzz.c - configuration snapshots, and single values.
 *
 * A snapshot that decodes encodes to the same bytes. A value that an option
 * takes survives the snapshot.
 */
#include "conf/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_snapshot(struct str in)
{
	struct buf b = BUF_INIT(MIB(8));
	struct conf *c;

	if (conf_decode(in, &c) < 0)
		return;
	conf_encode(c, ROLE_SMTP, &b);
	ASSERT(str_eq(buf_str(&b), in));
	buf_done(&b);
	conf_free(c);
}

static void
check_value(const struct conf_option *o, struct str text)
{
	struct conf *c = conf_new(), *d;
	struct buf a = BUF_INIT(MIB(8)), b = BUF_INIT(MIB(8));

	if (conf_set(o, c, text)) {
		conf_encode(c, ROLE_SMTP, &a);
		ASSERT(conf_decode(buf_str(&a), &d) == 0);
		conf_encode(d, ROLE_SMTP, &b);
		ASSERT(str_eq(buf_str(&a), buf_str(&b)));
		conf_free(d);
	}
	conf_free(c);
	buf_done(&a);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size);

	check_snapshot(in);
	if (size > 0)
		check_value(&conf_options[data[0] % conf_option_count],
		    str_from(in, 1));
	return 0;
}

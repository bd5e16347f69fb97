/* SPDX-License-Identifier: ISC */
/*
 * LINK:
 * OBJS: src/conf/schema.c src/conf/conf_wire.c src/conf/conf_cert.c src/proc/role.c src/conf/route_text.c src/conf/network_text.c src/conf/link_text.c src/conf/mirror_text.c
 *
 * conf_snapshot_fuzz.c - configuration snapshots, and single values.
 *
 * A snapshot that decodes encodes to the same bytes. A value that an option
 * takes survives the snapshot. No seed holds a snapshot, which would get old
 * with each option: the input is also laid over the one of today's defaults.
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

/* Two bytes say where the rest belongs. */
static void
check_patched(struct str in)
{
	struct conf *c = conf_new();
	struct buf b = BUF_INIT(MIB(8));

	conf_encode(c, ROLE_SMTP, &b);
	conf_free(c);
	ASSERT(conf_decode(buf_str(&b), &c) == 0);
	conf_free(c);
	if (in.n > 2) {
		size_t at = ((uint8_t)in.p[0] * 256U + (uint8_t)in.p[1]) % b.n;

		memcpy(b.p + at, in.p + 2, MIN(in.n - 2, b.n - at));
		check_snapshot(buf_str(&b));
	}
	buf_done(&b);
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
	check_patched(in);
	if (size > 0)
		check_value(&conf_options[data[0] % conf_option_count],
		    str_from(in, 1));
	return 0;
}

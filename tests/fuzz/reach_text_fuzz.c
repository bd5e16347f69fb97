/* SPDX-License-Identifier: ISC */
/*
 * LINK: reach
 *
 * Texts of outsiders: a network is the same when it is written and read again;
 * what is asked of the DNS is a domain name; names of AS are cut and hold no
 * controls, and stay as they are when they are cleaned once more.
 */
#include "proto/reach/reach_origin.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_network(struct str s)
{
	struct buf b = BUF_INIT(KIB(1));
	struct reach_net net, again;
	char text[REACH_NET_TEXT];

	if (!reach_net_parse(s, &net))
		return;
	reach_net_format(&net, text);
	if (!reach_net_is_sane(&net) || !reach_net_parse(str_c(text), &again) ||
	    !reach_net_eq(&net, &again))
		abort();
	if (reach_origin_question(&b, &net, "as.example") && b.n > 253)
		abort();
	buf_done(&b);
}

static void
check_name(struct str s)
{
	char name[REACH_AS_NAME_MAX + 1], again[REACH_AS_NAME_MAX + 1];

	reach_as_name(s, name);
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
	reach_as_name(str_c(name), again);
	if (strlen(name) > REACH_AS_NAME_MAX ||
	    !str_eq(str_trim(str_c(name)), str_c(again)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = str_make(data, size);
	char name[REACH_AS_NAME_MAX + 1];
	uint32_t as = 0;

	check_network(s);
	check_name(s);
	if (reach_origin_answer(s, &as) && as == 0)
		abort();
	if (reach_as_answer(s, name))
		check_name(str_c(name));
	return 0;
}

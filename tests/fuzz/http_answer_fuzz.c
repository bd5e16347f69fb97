/* SPDX-License-Identifier: ISC */
/*
 * LINK: http
 *
 * What a web server sends. Properties: a status of three digits; a body has
 * one length, or none, or the connection's end; fields lie within the head.
 */
#include "proto/http/http_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_make(data, size), head;
	size_t seen = 0, used;
	struct http_answer a;

	if (http_frame_head(in, &seen, &head, &used) != HTTP_FRAME_HEAD ||
	    !http_answer_parse(head, false, &a))
		return 0;
	ASSERT(a.status >= 100 && a.status <= 599);
	ASSERT(!a.ends_with_connection || a.body == HTTP_BODY_NONE);
	ASSERT(a.body != HTTP_BODY_LENGTH || a.length > 0);
	for (size_t i = 0; i < a.n_fields; i++)
		ASSERT(
		    a.fields[i].name.p >= head.p &&
		    a.fields[i].name.p + a.fields[i].name.n <= head.p + head.n);
	return 0;
}

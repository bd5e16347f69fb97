/* SPDX-License-Identifier: ISC */
/* api_openapi.c - the description of the API, which needs no key. */
#include "web/api/api.h"

/* The file's bytes: this process has no files when it is asked. */
__asm__(".section .rodata\n"
	"openapi_start:\n"
	".incbin \"docs/openapi.json\"\n"
	"openapi_end:\n"
	".byte 0\n"
	".previous\n");
extern const char openapi_start[], openapi_end[];

void
api_openapi(struct api_call *c)
{
	buf_put(&c->out, openapi_start, (size_t)(openapi_end - openapi_start));
	while (c->out.n > 0 && c->out.p[c->out.n - 1] == '\n')
		c->out.n--;
	api_reply(c, 200);
}

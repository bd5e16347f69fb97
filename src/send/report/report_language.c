/* SPDX-License-Identifier: ISC */
/* report_language.c - which words the sender reads. See report_language.h. */
#include "send/report/report_language.h"

#include "proto/dsn/dsn_text.h"
#include "proto/mime/mime_language.h"

const char *
report_language(struct str message, const char *usual)
{
	struct str known[DSN_LANGUAGES_MAX];
	size_t n = 0, i;

	for (; dsn_language_code((int)n) != NULL; n++)
		known[n] = str_c(dsn_language_code((int)n));
	if (!mime_language(message, known, n, &i))
		i = (size_t)dsn_language(str_c(usual));
	return dsn_language_code((int)i);
}

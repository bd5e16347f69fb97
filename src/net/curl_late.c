/* SPDX-License-Identifier: ISC */
/*
 * curl_late.c - the functions of libcurl that we call, found when the first of
 * them is called.
 *
 * libcurl brings twenty other libraries (Kerberos, LDAP, SSH, another TLS), a
 * quarter of the time that a process takes to start; only who asks other
 * servers by HTTP needs it. It is loaded with curl_global_init(), which a role
 * calls before its sandbox. Their header is curl/curl.h.
 */
#include "base/base.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>

/* Of the flavour with OpenSSL, which http_client.c hands its contexts to. */
#define LIBRARY "libcurl.so.4"

/* Macros that check types; the functions behind them are meant here. */
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

#define FUNCTIONS(X) \
	X(curl_easy_cleanup) \
	X(curl_easy_getinfo) \
	X(curl_easy_init) \
	X(curl_easy_setopt) \
	X(curl_easy_strerror) \
	X(curl_global_init) \
	X(curl_multi_add_handle) \
	X(curl_multi_assign) \
	X(curl_multi_cleanup) \
	X(curl_multi_info_read) \
	X(curl_multi_init) \
	X(curl_multi_remove_handle) \
	X(curl_multi_setopt) \
	X(curl_multi_socket_action) \
	X(curl_slist_append) \
	X(curl_slist_free_all)

#define MEMBER(name) __typeof__(name) *name;
static struct {
	FUNCTIONS(MEMBER)
} late;

static void *
find(void *library, const char *name)
{
	void *p = dlsym(library, name);

	if (p == NULL)
		die("%s has no %s", LIBRARY, name);
	return p;
}

static void
load(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		die("cannot load a library: %s", dlerror());
#define FIND(name) late.name = (__typeof__(late.name))find(library, #name);
	FUNCTIONS(FIND)
}

CURLcode
curl_global_init(long flags)
{
	if (late.curl_global_init == NULL)
		load();
	return late.curl_global_init(flags);
}

/* --- easy ------------------------------------------------------------------- */

CURL *
curl_easy_init(void)
{
	return late.curl_easy_init();
}

/* What follows is a long, a pointer or a curl_off_t, by ranges of options. */
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, option);
	if (option < CURLOPTTYPE_OBJECTPOINT)
		code = late.curl_easy_setopt(easy, option, va_arg(ap, long));
	else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
		code =
		    late.curl_easy_setopt(easy, option, va_arg(ap, curl_off_t));
	else
		code = late.curl_easy_setopt(easy, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLcode
curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
	CURLcode code;
	va_list ap;

	va_start(ap, info);
	code = late.curl_easy_getinfo(easy, info, va_arg(ap, void *));
	va_end(ap);
	return code;
}

const char *
curl_easy_strerror(CURLcode code)
{
	return late.curl_easy_strerror(code);
}

void
curl_easy_cleanup(CURL *easy)
{
	late.curl_easy_cleanup(easy);
}

/* --- multi ------------------------------------------------------------------ */

CURLM *
curl_multi_init(void)
{
	return late.curl_multi_init();
}

CURLMcode
curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
	CURLMcode code;
	va_list ap;

	va_start(ap, option);
	if ((int)option < CURLOPTTYPE_OBJECTPOINT)
		code = late.curl_multi_setopt(multi, option, va_arg(ap, long));
	else
		code =
		    late.curl_multi_setopt(multi, option, va_arg(ap, void *));
	va_end(ap);
	return code;
}

CURLMcode
curl_multi_add_handle(CURLM *multi, CURL *easy)
{
	return late.curl_multi_add_handle(multi, easy);
}

CURLMcode
curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
	return late.curl_multi_remove_handle(multi, easy);
}

CURLMcode
curl_multi_assign(CURLM *multi, curl_socket_t fd, void *arg)
{
	return late.curl_multi_assign(multi, fd, arg);
}

CURLMcode
curl_multi_socket_action(
    CURLM *multi, curl_socket_t fd, int events, int *running)
{
	return late.curl_multi_socket_action(multi, fd, events, running);
}

CURLMsg *
curl_multi_info_read(CURLM *multi, int *left)
{
	return late.curl_multi_info_read(multi, left);
}

CURLMcode
curl_multi_cleanup(CURLM *multi)
{
	return late.curl_multi_cleanup(multi);
}

/* --- lists ------------------------------------------------------------------ */

struct curl_slist *
curl_slist_append(struct curl_slist *list, const char *text)
{
	return late.curl_slist_append(list, text);
}

void
curl_slist_free_all(struct curl_slist *list)
{
	if (list != NULL)
		late.curl_slist_free_all(list);
}

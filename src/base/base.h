/* SPDX-License-Identifier: ISC */
/*
 * base.h - what every file of Mailstead may rely on.
 *
 * Assertions stay on in production: a bug ends the process, the supervisor
 * starts it again. Out of memory ends the process too, so allocators never
 * return NULL; in exchange every quantity that an outsider controls has a
 * named limit that is checked before allocating.
 *
 * Layer: base. Knows no mail and no sockets.
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_LEN(a)      (sizeof(a) / sizeof((a)[0]))
#define WARN_UNUSED       __attribute__((warn_unused_result))
#define NORETURN          __attribute__((noreturn))
#define UNUSED            __attribute__((unused))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define CLEANUP(fn)       __attribute__((cleanup(fn)))
#define MIN(a, b)         ((a) < (b) ? (a) : (b))
#define MAX(a, b)         ((a) > (b) ? (a) : (b))
#define KIB(n)            ((size_t)(n) << 10)
#define MIB(n)            ((size_t)(n) << 20)
#define CONTAINER_OF(p, type, member) \
	((type *)(void *)((char *)(p)-offsetof(type, member)))

/* Take the pointer out of a variable, so that its cleanup does nothing. */
#define TAKE_PTR(p) \
	({ \
		__typeof__(p) *take_from_ = &(p); \
		__typeof__(p) taken_ = *take_from_; \
		*take_from_ = NULL; \
		taken_; \
	})

/* Take a descriptor out of a variable, which becomes -1. */
#define TAKE_FD(fd) \
	({ \
		int *take_from_ = &(fd); \
		int taken_ = *take_from_; \
		*take_from_ = -1; \
		taken_; \
	})

/* Close-on-leave for a descriptor variable: CLEANUP(closep) int fd = -1; */
void closep(int *fd);
/* Free-on-leave for a malloc'ed pointer: CLEANUP(freep) char *p = NULL; */
void freep(void *pp);

/*
 * ASSERT() is always compiled in: it is for bugs, never for input. A failure
 * prints file, line and condition to standard error and aborts.
 */
#define ASSERT(cond) \
	((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))
NORETURN void assert_failed(const char *file, int line, const char *cond);
/* For an allocation or system call that must not fail: says what, aborts. */
NORETURN void die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Allocators that never return NULL; new memory of x_zalloc is zeroed. */
void *x_malloc(size_t n) __attribute__((malloc, alloc_size(1)));
void *x_zalloc(size_t n) __attribute__((malloc, alloc_size(1)));
void *x_calloc(size_t count, size_t n)
    __attribute__((malloc, alloc_size(1, 2)));
void *x_realloc(void *p, size_t n) __attribute__((alloc_size(2)));
/* Grow an array of *cap elements to hold at least need; doubles. */
void *x_grow(void *p, size_t *cap, size_t need, size_t elem_size);
char *x_strdup(const char *s) __attribute__((malloc));
char *x_asprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);
#define X_NEW(type) ((type *)x_zalloc(sizeof(type)))

/*
 * How a request about mail ended. Temporary is not permanent, and a look-up
 * that failed is not "not found": that is why this is a type of its own.
 * Switch over it without default, so that the compiler finds what is missing.
 */
enum outcome {
	DONE,      /* it is done, and durable where durability was asked for */
	NOT_FOUND, /* we looked, and it does not exist */
	TEMPFAIL,  /* could not tell or could not do it now: try later */
	PERMFAIL,  /* will not work, however often it is tried */
};
const char *outcome_str(enum outcome o);

/* The headers that declare them come first; some are macros for clang. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gets

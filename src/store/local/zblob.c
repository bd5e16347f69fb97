/* SPDX-License-Identifier: ISC */
/*
 * zblob.c - wraps libzstd, with the dictionary built in. See zblob.h.
 *
 * mail_1.dict was made by `zstd --train -1 --maxdict=65536` from public mail
 * (the SpamAssassin corpus, two thirds of it) and generated headers; see
 * docs/store.md. It must never change: a better one gets the next number.
 */
#include "store/local/zblob.h"

#include "store/local/frame.h"

#include <zstd.h>

#define LEVEL 1

__asm__(".section .rodata\n"
	".balign 16\n"
	".globl zblob_mail_1\n"
	".globl zblob_mail_1_end\n"
	"zblob_mail_1:\n"
	".incbin \"src/store/local/mail_1.dict\"\n"
	"zblob_mail_1_end:\n"
	".byte 0\n"
	".previous\n");
extern const char zblob_mail_1[], zblob_mail_1_end[];

struct zblob_dict {
	ZSTD_CDict *c;
	ZSTD_DDict *d;
};

struct zblob {
	ZSTD_CCtx *c;
	ZSTD_DCtx *d;
	const struct zblob_dict *dict;
};

struct zblob_dict *
zblob_dict_new(void)
{
	struct zblob_dict *d = X_NEW(struct zblob_dict);
	size_t n = (size_t)(zblob_mail_1_end - zblob_mail_1);

	/* Raw bytes of our own program: a NULL means out of memory. */
	d->c = ZSTD_createCDict(zblob_mail_1, n, LEVEL);
	d->d = ZSTD_createDDict(zblob_mail_1, n);
	if (!d->c || !d->d)
		die("zstd: cannot load the dictionary");
	return d;
}

void
zblob_dict_free(struct zblob_dict *d)
{
	if (!d)
		return;
	ZSTD_freeCDict(d->c);
	ZSTD_freeDDict(d->d);
	free(d);
}

struct zblob *
zblob_new(const struct zblob_dict *d)
{
	struct zblob *z = X_NEW(struct zblob);

	z->dict = d;
	z->c = ZSTD_createCCtx();
	z->d = ZSTD_createDCtx();
	if (!z->c || !z->d)
		die("zstd: out of memory");
	/* The codec number names the dictionary; our records have sums. */
	ZSTD_CCtx_setParameter(z->c, ZSTD_c_dictIDFlag, 0);
	ZSTD_CCtx_setParameter(z->c, ZSTD_c_checksumFlag, 0);
	ZSTD_CCtx_refCDict(z->c, d->c);
	ZSTD_DCtx_refDDict(z->d, d->d);
	return z;
}

void
zblob_free(struct zblob *z)
{
	if (!z)
		return;
	ZSTD_freeCCtx(z->c);
	ZSTD_freeDCtx(z->d);
	free(z);
}

bool
zblob_pack(struct zblob *z, struct str raw, struct buf *out, uint8_t *ret_codec)
{
	size_t bound = ZSTD_compressBound(raw.n), n;
	char *to = buf_reserve(out, bound);

	ASSERT(raw.n <= FRAME_RAW);
	if (!to)
		return false;
	n = ZSTD_compress2(z->c, to, bound, raw.p, raw.n);
	if (!ZSTD_isError(n) && n < raw.n) {
		*ret_codec = FRAME_CODEC_ZSTD_1;
		out->n += n;
		return true;
	}
	*ret_codec = FRAME_CODEC_RAW;
	buf_put_str(out, raw);
	return true;
}

bool
zblob_unpack(
    struct zblob *z, uint8_t codec, struct str stored, char *to, size_t raw)
{
	if (codec == FRAME_CODEC_RAW) {
		if (stored.n != raw)
			return false;
		if (raw > 0)
			memcpy(to, stored.p, raw);
		return true;
	}
	return codec == FRAME_CODEC_ZSTD_1 &&
	       ZSTD_decompressDCtx(z->d, to, raw, stored.p, stored.n) == raw;
}

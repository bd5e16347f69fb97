/* SPDX-License-Identifier: ISC */
/* prepare_job.c - convert, sign, seal. See prepare_job.h. */
#include "send/message/prepare_job.h"

#include "proto/arc/arc_seal.h"
#include "proto/authres/authres.h"
#include "proto/mime/mime_downgrade.h"
#include "proto/mime/mime_header.h"
#include "proto/smtp/smtp_client_body.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK KIB(64)
/* Larger ones are not encoded anew: it takes memory five times their size. */
#define CONVERT_MAX MIB(256)
#define TOP_MAX     KIB(96)
/* Results that go into a seal: what our filter writes is far shorter. */
#define RESULTS_MAX KIB(12)

/* --- converting ---------------------------------------------------------------------- */

bool
prepare_is_unfit(const struct content *c, unsigned can, bool is_kept)
{
	if (c->has_binary)
		return !(can & PREPARE_BINARY);
	if (c->has_8bit && !(can & (PREPARE_8BIT | PREPARE_BINARY)))
		return true;
	/* It would break the signatures of others, and most servers pass such
	 * lines on. */
	return c->has_long_line && !is_kept;
}

static bool
look(struct prepare_work *w)
{
	uint64_t at = 0;

	w->content = (struct content){ 0 };
	while (at < w->letter.size) {
		char scratch[CHUNK];
		struct str s = letter_piece(&w->letter, at, scratch, CHUNK);

		if (s.n == 0)
			return false;
		content_feed(&w->content, s);
		at += s.n;
	}
	content_finish(&w->content);
	return true;
}

/* In a file, so that the heap gives back what it was made in. */
static bool
replace(struct letter *l, struct buf *b)
{
	CLEANUP(closep) int fd = memfd_create("message", MFD_CLOEXEC);
	struct str s = buf_str(b);

	while (fd >= 0 && s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_from(s, (size_t)n);
	}
	if (fd < 0)
		return false;
	l->size = b->n;
	l->prefix = MIN(l->prefix, b->n);
	buf_done(&l->data);
	closep(&l->fd);
	l->fd = TAKE_FD(fd);
	return true;
}

static enum prepare_result
convert(struct prepare_work *w)
{
	struct buf in = BUF_INIT(CONVERT_MAX);
	struct buf out = BUF_INIT(3 * CONVERT_MAX + MIB(1));
	enum prepare_result r = PREPARE_OK;

	if (w->letter.size > CONVERT_MAX)
		return PREPARE_UNFIT;
	if (!letter_read(&w->letter, &in)) {
		buf_done(&in);
		return PREPARE_UNREADABLE;
	}
	switch (mime_downgrade(buf_str(&in), NULL, &out)) {
	case MIME_DOWNGRADE_DONE:
		buf_done(&in);
		w->is_converted = true;
		r = replace(&w->letter, &out) ? PREPARE_OK : PREPARE_LATER;
		break;
	case MIME_DOWNGRADE_NOT_NEEDED:
		break;
	case MIME_DOWNGRADE_TOO_COMPLEX:
	case MIME_DOWNGRADE_TOO_LARGE:
		r = PREPARE_UNFIT;
		break;
	}
	buf_done(&in);
	buf_done(&out);
	return r;
}

/* --- signing and sealing -------------------------------------------------------------- */

struct feed {
	void (*put)(void *arg, struct str part);
	void *arg;
};

/* The body as the next server will have it: with DATA, CRLF ends its lines. */
static bool
feed_body(const struct prepare_work *w, uint64_t at, const struct feed *to)
{
	struct smtp_client_body lines = { .has_no_dots = true };
	struct buf clean = BUF_INIT(SMTP_CLIENT_BODY_GROWTH(CHUNK));
	bool is_raw = w->content.has_binary && !w->is_converted;

	while (at < w->letter.size) {
		char scratch[CHUNK];
		struct str s = letter_piece(&w->letter, at, scratch, CHUNK);

		if (s.n == 0) {
			buf_done(&clean);
			return false;
		}
		at += s.n;
		if (!is_raw) {
			buf_reset(&clean, clean.cap);
			smtp_client_body_put(&lines, s, &clean);
			s = buf_str(&clean);
		}
		to->put(to->arg, s);
	}
	buf_done(&clean);
	return true;
}

static void
put_to_signer(void *arg, struct str part)
{
	dkim_signer_body(arg, part);
}

static void
put_to_sealer(void *arg, struct str part)
{
	arc_sealer_body(arg, part);
}

static enum prepare_result
sign(struct prepare_work *w, struct str header)
{
	struct dkim_sign_options o = { .domain = str_c(w->keys->domain),
		.keys_n = w->keys->n,
		.now = w->now };
	struct dkim_signer *s;
	struct feed feed = { .put = put_to_signer };
	enum prepare_result r = PREPARE_OK;

	for (size_t i = 0; i < w->keys->n; i++)
		o.keys[i] = w->keys->keys[i];
	s = dkim_signer_new(header, &o);
	/* A header that no signature can hold: nobody could check it either. */
	if (s == NULL)
		return PREPARE_OK;
	feed.arg = s;
	if (!feed_body(w, header.n, &feed))
		r = PREPARE_UNREADABLE;
	else if (!dkim_signer_finish(s, &w->letter.top))
		r = PREPARE_KEYS;
	dkim_signer_free(s);
	return r;
}

static bool
cv_of(const struct authres_result *r, enum arc_cv *ret)
{
	static const enum arc_cv all[] = { ARC_NONE, ARC_PASS, ARC_FAIL };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_eq_case(r->result, str_c(arc_cv_str(all[i])))) {
			*ret = all[i];
			return true;
		}
	return false;
}

/* What our filter found of the chain when the message came. False: it did not
 * look, or could not tell. */
static bool
read_cv(struct str results, enum arc_cv *ret)
{
	struct buf field = BUF_INIT(RESULTS_MAX + KIB(1));
	bool is_known = false;
	struct arena arena;
	struct authres a;

	arena_init(&arena, AUTHRES_ARENA_MAX);
	buf_put_c(&field, "x; ");
	buf_put_str(&field, results);
	if (authres_parse(buf_str(&field), &arena, &a))
		for (size_t i = 0; i < a.results_n && !is_known; i++)
			is_known =
			    str_eq_case(a.results[i].method, STR("arc")) &&
			    cv_of(&a.results[i], ret);
	arena_done(&arena);
	buf_done(&field);
	return is_known;
}

/* ARC verifiers know RSA for certain (RFC 8617 section 4.1.3). */
static const struct dkim_sign_key *
key_for_seal(const struct keyset *keys)
{
	for (size_t i = 0; i < keys->n; i++)
		if (crypt_key_kind(keys->keys[i].key) == CRYPT_RSA)
			return &keys->keys[i];
	return &keys->keys[0];
}

static enum prepare_result
seal(struct prepare_work *w, struct str header)
{
	const struct dkim_sign_key *key = key_for_seal(w->keys);
	struct arc_seal_options o = { .cv = ARC_NONE,
		.domain = str_c(w->keys->domain),
		.selector = key->selector,
		.key = key->key,
		.authserv_id = w->hostname,
		.now = w->now };
	struct buf results = BUF_INIT(RESULTS_MAX);
	struct feed feed = { .put = put_to_sealer };
	enum prepare_result r = PREPARE_OK;
	struct arc_sealer *s = NULL;

	/* Our own words stand in what we put in front, and nowhere else. */
	if (arc_collect_results(
		str_first(header, w->letter.prefix), w->hostname, &results) &&
	    !results.failed)
		o.results = buf_str(&results);
	/* A chain of which nothing is known is left as it is: a seal would
	 * have to call it broken. */
	if (read_cv(o.results, &o.cv) ||
	    mime_header_count(header, STR("ARC-Seal")) == 0)
		s = arc_sealer_new(header, &o);
	feed.arg = s;
	/* NULL: the chain is at its end; then it goes as it is. */
	if (s != NULL && !feed_body(w, header.n, &feed))
		r = PREPARE_UNREADABLE;
	else if (s != NULL && !arc_sealer_finish(s, &w->letter.top))
		r = PREPARE_KEYS;
	arc_sealer_free(s);
	buf_done(&results);
	return r;
}

static enum prepare_result
sign_or_seal(struct prepare_work *w)
{
	struct buf bytes = BUF_INIT(LETTER_HEADER_MAX + CHUNK);
	enum prepare_result r = PREPARE_OK;
	struct str header;

	w->letter.top = BUF_INIT(TOP_MAX);
	/* One that is too long is not signed: nobody would read it either. */
	if (letter_header(&w->letter, &bytes, &header))
		r = w->kind == IDENTITY_FORWARD ? seal(w, header)
		                                : sign(w, header);
	buf_done(&bytes);
	return r;
}

void
prepare_work(struct prepare_work *w)
{
	w->result = look(w) ? PREPARE_OK : PREPARE_UNREADABLE;
	if (w->result == PREPARE_OK &&
	    prepare_is_unfit(&w->content, w->can, w->is_kept))
		w->result = convert(w);
	if (w->result == PREPARE_OK && w->signs && w->keys != NULL &&
	    w->keys->n > 0)
		w->result = sign_or_seal(w);
}

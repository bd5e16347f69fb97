/* SPDX-License-Identifier: ISC */
/*
 * dkim_write.c - write signature fields, folded.
 */
#include "proto/dkim/dkim_write.h"

#include "base/base64.h"

/* A space: verifiers were seen that look for " i=1;" as it stands. */
#define FOLD "\r\n "

static struct buf *
part_of(struct dkim_draft *d)
{
	return d->has_b ? &d->behind : &d->before;
}

void
dkim_draft_init(struct dkim_draft *d, const char *field_name)
{
	*d = (struct dkim_draft){
		.before = BUF_INIT(DKIM_SIGNATURE_FIELD_MAX),
		.behind = BUF_INIT(DKIM_SIGNATURE_FIELD_MAX),
	};
	buf_put_c(&d->before, field_name);
	buf_put_char(&d->before, ':');
	d->column = d->before.n;
}

void
dkim_draft_done(struct dkim_draft *d)
{
	buf_done(&d->before);
	buf_done(&d->behind);
}

static void
put(struct dkim_draft *d, struct str s)
{
	buf_put_str(part_of(d), s);
	d->column += s.n;
}

/* A blank, or a fold when n more bytes do not fit on this line. */
static void
blank(struct dkim_draft *d, size_t n)
{
	if (d->column + 1 + n <= DKIM_LINE_MAX) {
		put(d, STR(" "));
		return;
	}
	buf_put_c(part_of(d), FOLD);
	d->column = strlen(FOLD) - 2;
}

/* Begin a tag of which n bytes stand together. */
static void
begin(struct dkim_draft *d, const char *name, size_t n)
{
	struct buf *b = part_of(d);

	if (b->n == 0 || b->p[b->n - 1] != ':')
		put(d, STR(";"));
	blank(d, strlen(name) + 1 + n);
	put(d, str_c(name));
	put(d, STR("="));
}

void
dkim_draft_tag(struct dkim_draft *d, const char *name, struct str value)
{
	begin(d, name, value.n + 1);
	put(d, value);
}

void
dkim_draft_number(struct dkim_draft *d, const char *name, uint64_t v)
{
	struct buf b = BUF_INIT(32);

	buf_put_u64(&b, v);
	dkim_draft_tag(d, name, buf_str(&b));
	buf_done(&b);
}

void
dkim_draft_base64(struct dkim_draft *d, const char *name, struct str bytes)
{
	struct buf b = BUF_INIT(base64_encoded_len(bytes.n));

	base64_encode(&b, bytes);
	dkim_draft_tag(d, name, buf_str(&b));
	buf_done(&b);
}

void
dkim_draft_names(struct dkim_draft *d, const char *name, struct str list)
{
	bool is_first = true;
	struct str one;

	while (list.n) {
		list = str_split(list, ':', &one);
		if (is_first) {
			begin(d, name, one.n + 1);
		} else {
			put(d, STR(":"));
			if (d->column + one.n + 1 > DKIM_LINE_MAX) {
				buf_put_c(part_of(d), FOLD);
				d->column = 8;
			}
		}
		put(d, one);
		is_first = false;
	}
}

/*
 * What stands behind the bytes of b= begins a line of its own: where they
 * will end is not known yet.
 */
void
dkim_draft_b(struct dkim_draft *d, bool folds_b)
{
	begin(d, "b", 8);
	d->has_b = true;
	d->folds_b = folds_b;
	d->column = DKIM_LINE_MAX;
}

bool
dkim_draft_field(
    const struct dkim_draft *d, struct buf *to, struct dkim_field *ret)
{
	struct str whole;
	ptrdiff_t colon;

	if (d->before.failed || d->behind.failed)
		return false;
	buf_reset(to, 0);
	buf_put_str(to, buf_str(&d->before));
	buf_put_str(to, buf_str(&d->behind));
	if (to->failed)
		return false;
	whole = buf_str(to);
	colon = str_find(whole, ':');
	ASSERT(colon > 0);
	*ret = (struct dkim_field){
		.name = str_first(whole, (size_t)colon),
		.value = str_from(whole, (size_t)colon + 1),
		.whole = whole,
	};
	return true;
}

/* Column behind the last line end of s. */
static size_t
column_of(struct str s)
{
	ptrdiff_t at = str_rfind(s, '\n');

	return at < 0 ? s.n : s.n - (size_t)at + 6;
}

/* Append text, which begins at this column, in lines. */
static void
put_folded(struct str text, size_t column, struct buf *to)
{
	while (text.n) {
		size_t room = DKIM_LINE_MAX - MIN(column, DKIM_LINE_MAX - 8);

		buf_put_str(to, str_first(text, room));
		text = str_from(text, room);
		if (text.n)
			buf_put_c(to, FOLD);
		column = 8;
	}
}

void
dkim_draft_finish(
    const struct dkim_draft *d, struct str signature, struct buf *to)
{
	struct buf text = BUF_INIT(base64_encoded_len(signature.n));

	base64_encode(&text, signature);
	buf_put_str(to, buf_str(&d->before));
	if (d->folds_b)
		put_folded(buf_str(&text), column_of(buf_str(&d->before)), to);
	else
		buf_put_str(to, buf_str(&text));
	buf_put_str(to, buf_str(&d->behind));
	buf_put_c(to, "\r\n");
	buf_done(&text);
}

const char *
dkim_key_algorithm(const struct crypt_key *key)
{
	return crypt_key_kind(key) == CRYPT_RSA ? "rsa-sha256"
	                                        : "ed25519-sha256";
}

/* SPDX-License-Identifier: ISC */
/*
 * dkim_record.c - the keys of a domain, and how they come and go. See
 * dkim_record.h.
 *
 *	          seen in DNS              changes_at
 *	PENDING ◄────────────► PUBLISHED ────────────► ACTIVE
 *	   │    not any more                             │ another one of its kind
 *	   │ seen, and none of its kind signs            ▼ becomes active
 *	   └──────────────────────────────► ACTIVE    RETIRED ───────────► (gone)
 *	                                                     changes_at
 *
 * What DNS does to them is in dkim_seen.c. Without changes_at, a PUBLISHED one waits for
 * the operator.
 */
#include "store/dir/dkim_record.h"

#include "base/crypt.h"
#include "proc/ipc_msgs.h"

/* 2 has found, looked, seen and look_at. */
#define RECORD_VERSION 2

/* Numbers of an entry: eleven varints and the lengths of three texts. */
#define ENTRY_OVERHEAD 96
_Static_assert(
    DKIM_KEYS_MAX *(DKIM_SELECTOR_MAX + DKIM_KEY_RECORD_MAX + DKIM_PEM_MAX +
		    ENTRY_OVERHEAD) < DKIM_RECORD_BYTES_MAX,
    "a full record is a legal value");

/* Labels of a host name, in small letters (RFC 6376 section 3.1). */
static bool
is_selector(struct str s)
{
	char before = '.';

	if (s.n == 0 || s.n > DKIM_SELECTOR_MAX)
		return false;
	for (size_t i = 0; i < s.n; before = s.p[i++]) {
		char c = s.p[i];
		bool is_plain = (c >= 'a' && c <= 'z') || ascii_is_digit(c);

		if (c == '.' || c == '-') {
			if (before == '.' || (c == '.' && before == '-'))
				return false;
		} else if (!is_plain && c != '_') {
			return false;
		}
	}
	return before != '.' && before != '-';
}

bool
dkim_entry_is_valid(const struct dkim_entry *e)
{
	return is_selector(e->selector) && e->kind <= CRYPT_ED25519 &&
	       e->state <= DKIM_STATE_PENDING && e->found <= DKIM_FOUND_OTHER &&
	       e->record.n > 0 && e->record.n <= DKIM_KEY_RECORD_MAX &&
	       e->pem.n > 0 && e->pem.n <= DKIM_PEM_MAX;
}

void
dkim_record_encode(struct buf *b, const struct dkim_record *r)
{
	wire_put_u8(b, RECORD_VERSION);
	wire_put_varint(b, r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct dkim_entry *e = &r->v[i];

		wire_put_vstr(b, e->selector);
		wire_put_u8(b, e->kind);
		wire_put_u8(b, e->state);
		wire_put_varint(b, e->created);
		wire_put_varint(b, e->changes_at);
		wire_put_varint(b, e->activated);
		wire_put_varint(b, e->retired);
		wire_put_vstr(b, e->record);
		wire_put_vstr(b, e->pem);
		wire_put_u8(b, e->found);
		wire_put_varint(b, e->looked);
		wire_put_varint(b, e->seen);
		wire_put_varint(b, e->look_at);
	}
}

static bool
decode_entry(struct wire *w, uint8_t version, struct dkim_entry *e)
{
	*e = (struct dkim_entry){ 0 };
	e->selector = wire_get_vstr(w);
	e->kind = wire_get_u8(w);
	e->state = wire_get_u8(w);
	e->created = wire_get_varint(w);
	e->changes_at = wire_get_varint(w);
	e->activated = wire_get_varint(w);
	e->retired = wire_get_varint(w);
	e->record = wire_get_vstr(w);
	e->pem = wire_get_vstr(w);
	if (version > 1) {
		e->found = wire_get_u8(w);
		e->looked = wire_get_varint(w);
		e->seen = wire_get_varint(w);
		e->look_at = wire_get_varint(w);
	}
	return !w->failed && dkim_entry_is_valid(e);
}

bool
dkim_record_decode(struct str val, struct dkim_record *ret)
{
	struct wire w = wire_read(val);
	uint8_t version = wire_get_u8(&w);
	uint64_t n = wire_get_varint(&w);

	if (w.failed || version == 0 || version > RECORD_VERSION || n == 0 ||
	    n > DKIM_KEYS_MAX)
		return false;
	ret->n = 0;
	while (ret->n < n) {
		struct dkim_entry e;

		if (!decode_entry(&w, version, &e) ||
		    dkim_record_find(ret, e.selector))
			return false;
		ret->v[ret->n++] = e;
	}
	return wire_is_complete(&w);
}

struct dkim_entry *
dkim_record_find(struct dkim_record *r, struct str selector)
{
	for (size_t i = 0; i < r->n; i++)
		if (str_eq(r->v[i].selector, selector))
			return &r->v[i];
	return NULL;
}

/* What is looked for changes when DNS says so, whatever the time. */
static bool
has_time(const struct dkim_entry *e)
{
	return e->changes_at > 0 &&
	       (e->state == DKIM_STATE_RETIRED || e->look_at == 0);
}

/* The entry that changes first, or n. */
static size_t
next_change(const struct dkim_record *r)
{
	size_t first = r->n;

	for (size_t i = 0; i < r->n; i++)
		if (has_time(&r->v[i]) &&
		    (first == r->n ||
			r->v[i].changes_at < r->v[first].changes_at))
			first = i;
	return first;
}

uint64_t
dkim_record_due(const struct dkim_record *r)
{
	size_t i = next_change(r);

	return i < r->n ? r->v[i].changes_at : 0;
}

uint64_t
dkim_record_look_at(const struct dkim_record *r)
{
	uint64_t first = 0;

	for (size_t i = 0; i < r->n; i++) {
		uint64_t at = r->v[i].look_at;

		if (at > 0 && (first == 0 || at < first))
			first = at;
	}
	return first;
}

void
dkim_record_activate(
    struct dkim_record *r, size_t i, uint64_t now, uint32_t keep_s)
{
	for (size_t j = 0; j < r->n; j++) {
		struct dkim_entry *e = &r->v[j];

		if (j == i || e->kind != r->v[i].kind ||
		    e->state != DKIM_STATE_ACTIVE)
			continue;
		e->state = DKIM_STATE_RETIRED;
		e->retired = now;
		e->changes_at = now + keep_s;
		e->look_at = 0;
	}
	r->v[i].state = DKIM_STATE_ACTIVE;
	r->v[i].activated = now;
	r->v[i].retired = 0;
	r->v[i].changes_at = 0;
}

void
dkim_record_remove(struct dkim_record *r, size_t i)
{
	r->n--;
	memmove(&r->v[i], &r->v[i + 1], (r->n - i) * sizeof(r->v[0]));
}

bool
dkim_record_signs(const struct dkim_record *r, uint8_t kind)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].kind == kind && r->v[i].state == DKIM_STATE_ACTIVE)
			return true;
	return false;
}

bool
dkim_entry_is_next(const struct dkim_entry *e)
{
	return e->state == DKIM_STATE_PENDING ||
	       (e->state == DKIM_STATE_PUBLISHED && e->changes_at > 0);
}

bool
dkim_record_has_next(const struct dkim_record *r, uint8_t kind)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].kind == kind && dkim_entry_is_next(&r->v[i]))
			return true;
	return false;
}

bool
dkim_record_is_old(
    const struct dkim_record *r, size_t i, uint64_t now, uint32_t rotate_s)
{
	const struct dkim_entry *e = &r->v[i];

	return rotate_s > 0 && e->state == DKIM_STATE_ACTIVE &&
	       now >= rotate_s && e->activated <= now - rotate_s &&
	       !dkim_record_has_next(r, e->kind);
}

bool
dkim_record_advance(
    struct dkim_record *r, uint64_t now, uint32_t keep_s, bool checks)
{
	bool has_changed = false;

	for (;;) {
		size_t i = next_change(r);

		if (i == r->n || r->v[i].changes_at > now)
			return has_changed;
		/* Retired here, it stays for keep_s from now on, whatever
		 * stood still: its signatures are younger than that. */
		if (r->v[i].state == DKIM_STATE_PUBLISHED && checks)
			r->v[i].look_at = now;
		else if (r->v[i].state == DKIM_STATE_PUBLISHED)
			dkim_record_activate(r, i, now, keep_s);
		else
			dkim_record_remove(r, i);
		has_changed = true;
	}
}

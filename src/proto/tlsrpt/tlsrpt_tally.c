/* SPDX-License-Identifier: ISC */
/* tlsrpt_tally.c - count sessions. See tlsrpt_tally.h. */
#include "proto/tlsrpt/tlsrpt_tally.h"

#include "base/hostname.h"
#include "base/wire.h"

#define ROW_VERSION 1
#define COUNT_MAX   UINT32_MAX /* of one row; sums have 64 bits */
#define KEY_DIGITS  12         /* of the period, so that keys sort by it */

struct policy {
	enum tlsrpt_policy_type type;
	struct str domain, strings, mx_hosts; /* copies */
	uint64_t good, failed;
};

struct failure {
	size_t policy; /* which one */
	enum tlsrpt_result result;
	struct str sending_ip, mx, receiving_ip, information; /* copies */
	uint64_t n;
};

struct tlsrpt_tally {
	struct policy *policies;
	size_t n_policies, cap_policies;
	struct failure *failures;
	size_t n_failures, cap_failures;
	size_t bytes; /* of all texts */
};

struct tlsrpt_tally *
tlsrpt_tally_new(void)
{
	return X_NEW(struct tlsrpt_tally);
}

struct tlsrpt_tally *
tlsrpt_tally_free(struct tlsrpt_tally *t)
{
	if (t == NULL)
		return NULL;
	for (size_t i = 0; i < t->n_policies; i++) {
		str_free(&t->policies[i].domain);
		str_free(&t->policies[i].strings);
		str_free(&t->policies[i].mx_hosts);
	}
	for (size_t i = 0; i < t->n_failures; i++) {
		str_free(&t->failures[i].sending_ip);
		str_free(&t->failures[i].mx);
		str_free(&t->failures[i].receiving_ip);
		str_free(&t->failures[i].information);
	}
	free(t->policies);
	free(t->failures);
	free(t);
	return NULL;
}

/* --- counting ------------------------------------------------------------------------- */

static struct str
cut(struct str s)
{
	return str_first(s, TLSRPT_TALLY_TEXT);
}

static size_t
policy_bytes(const struct tlsrpt_session *s)
{
	return cut(s->domain).n + cut(s->strings).n + cut(s->mx_hosts).n + 40;
}

static size_t
failure_bytes(const struct tlsrpt_session *s)
{
	return cut(s->sending_ip).n + cut(s->mx).n + cut(s->receiving_ip).n +
	       cut(s->information).n + 40;
}

static bool
is_policy(const struct policy *p, const struct tlsrpt_session *s)
{
	return p->type == s->type && str_eq(p->domain, cut(s->domain)) &&
	       str_eq(p->strings, cut(s->strings)) &&
	       str_eq(p->mx_hosts, cut(s->mx_hosts));
}

/* The last one takes what there is no room for. */
static size_t
find_policy(struct tlsrpt_tally *t, const struct tlsrpt_session *s)
{
	size_t bytes = policy_bytes(s);

	for (size_t i = 0; i < t->n_policies; i++)
		if (is_policy(&t->policies[i], s))
			return i;
	if (t->n_policies == TLSRPT_TALLY_POLICIES ||
	    t->bytes + bytes > TLSRPT_TALLY_BYTES / 2)
		return t->n_policies - 1;
	t->bytes += bytes;
	t->policies = x_grow(t->policies, &t->cap_policies, t->n_policies + 1,
	    sizeof(*t->policies));
	t->policies[t->n_policies] = (struct policy){
		.type = s->type,
		.domain = str_copy(cut(s->domain)),
		.strings = str_copy(cut(s->strings)),
		.mx_hosts = str_copy(cut(s->mx_hosts)),
	};
	return t->n_policies++;
}

static bool
is_failure(
    const struct failure *f, size_t policy, const struct tlsrpt_session *s)
{
	return f->policy == policy && f->result == s->result &&
	       str_eq(f->sending_ip, cut(s->sending_ip)) &&
	       str_eq(f->mx, cut(s->mx)) &&
	       str_eq(f->receiving_ip, cut(s->receiving_ip)) &&
	       str_eq(f->information, cut(s->information));
}

static void
add_failure(struct tlsrpt_tally *t, size_t policy,
    const struct tlsrpt_session *s, uint64_t n)
{
	size_t bytes = failure_bytes(s);

	t->policies[policy].failed += n;
	for (size_t i = 0; i < t->n_failures; i++)
		if (is_failure(&t->failures[i], policy, s)) {
			t->failures[i].n += n;
			return;
		}
	/* Details are optional (RFC 8460 section 4.4). */
	if (t->n_failures == TLSRPT_TALLY_FAILURES ||
	    t->bytes + bytes > TLSRPT_TALLY_BYTES - KIB(4))
		return;
	t->bytes += bytes;
	t->failures = x_grow(t->failures, &t->cap_failures, t->n_failures + 1,
	    sizeof(*t->failures));
	t->failures[t->n_failures++] = (struct failure){
		.policy = policy,
		.result = s->result,
		.sending_ip = str_copy(cut(s->sending_ip)),
		.mx = str_copy(cut(s->mx)),
		.receiving_ip = str_copy(cut(s->receiving_ip)),
		.information = str_copy(cut(s->information)),
		.n = n,
	};
}

void
tlsrpt_tally_add(struct tlsrpt_tally *t, const struct tlsrpt_session *s)
{
	size_t i = find_policy(t, s);

	if (s->is_good)
		t->policies[i].good++;
	else
		add_failure(t, i, s, 1);
}

/* --- rows ------------------------------------------------------------------------------ */

void
tlsrpt_tally_encode(const struct tlsrpt_tally *t, struct buf *to)
{
	wire_put_u8(to, ROW_VERSION);
	wire_put_u8(to, (uint8_t)t->n_policies);
	for (size_t i = 0; i < t->n_policies; i++) {
		const struct policy *p = &t->policies[i];

		wire_put_u8(to, (uint8_t)p->type);
		wire_put_vstr(to, p->domain);
		wire_put_vstr(to, p->strings);
		wire_put_vstr(to, p->mx_hosts);
		wire_put_varint(to, MIN(p->good, COUNT_MAX));
		wire_put_varint(to, MIN(p->failed, COUNT_MAX));
	}
	wire_put_u8(to, (uint8_t)t->n_failures);
	for (size_t i = 0; i < t->n_failures; i++) {
		const struct failure *f = &t->failures[i];

		wire_put_u8(to, (uint8_t)f->policy);
		wire_put_u8(to, (uint8_t)f->result);
		wire_put_vstr(to, f->sending_ip);
		wire_put_vstr(to, f->mx);
		wire_put_vstr(to, f->receiving_ip);
		wire_put_vstr(to, f->information);
		wire_put_varint(to, MIN(f->n, COUNT_MAX));
	}
}

struct row {
	struct tlsrpt_session policies[TLSRPT_TALLY_POLICIES];
	uint64_t good[TLSRPT_TALLY_POLICIES], failed[TLSRPT_TALLY_POLICIES];
	size_t n_policies;
	struct tlsrpt_session failures[TLSRPT_TALLY_FAILURES];
	size_t of[TLSRPT_TALLY_FAILURES];
	uint64_t counts[TLSRPT_TALLY_FAILURES];
	size_t n_failures;
};

static uint64_t
get_count(struct wire *w)
{
	uint64_t n = wire_get_varint(w);

	return MIN(n, COUNT_MAX);
}

static bool
read_policies(struct wire *w, struct row *r)
{
	r->n_policies = wire_get_u8(w);
	if (r->n_policies > TLSRPT_TALLY_POLICIES)
		return false;
	for (size_t i = 0; i < r->n_policies; i++) {
		struct tlsrpt_session *s = &r->policies[i];
		uint8_t type = wire_get_u8(w);

		if (type > TLSRPT_STS)
			return false;
		s->type = (enum tlsrpt_policy_type)type;
		s->domain = wire_get_vstr(w);
		s->strings = wire_get_vstr(w);
		s->mx_hosts = wire_get_vstr(w);
		r->good[i] = get_count(w);
		r->failed[i] = get_count(w);
	}
	return !w->failed;
}

static bool
read_failures(struct wire *w, struct row *r)
{
	r->n_failures = wire_get_u8(w);
	if (r->n_failures > TLSRPT_TALLY_FAILURES)
		return false;
	for (size_t i = 0; i < r->n_failures; i++) {
		struct tlsrpt_session *s = &r->failures[i];
		uint8_t result;

		r->of[i] = wire_get_u8(w);
		result = wire_get_u8(w);
		if (r->of[i] >= r->n_policies ||
		    result > TLSRPT_STS_WEBPKI_INVALID)
			return false;
		s->result = (enum tlsrpt_result)result;
		s->sending_ip = wire_get_vstr(w);
		s->mx = wire_get_vstr(w);
		s->receiving_ip = wire_get_vstr(w);
		s->information = wire_get_vstr(w);
		r->counts[i] = get_count(w);
	}
	return wire_is_complete(w);
}

/* Failures with details count what the sum of the policy has already. */
static void
merge(struct tlsrpt_tally *t, const struct row *r)
{
	size_t at[TLSRPT_TALLY_POLICIES];

	for (size_t i = 0; i < r->n_policies; i++) {
		at[i] = find_policy(t, &r->policies[i]);
		t->policies[at[i]].good += r->good[i];
		t->policies[at[i]].failed += r->failed[i];
	}
	for (size_t i = 0; i < r->n_failures; i++) {
		size_t p = at[r->of[i]];

		add_failure(t, p, &r->failures[i], r->counts[i]);
		t->policies[p].failed -= r->counts[i];
	}
}

bool
tlsrpt_tally_decode(struct str value, struct tlsrpt_tally *t)
{
	struct wire w = wire_read_version(value, ROW_VERSION);
	struct row *r = X_NEW(struct row);
	bool ok = read_policies(&w, r) && read_failures(&w, r);

	if (ok)
		merge(t, r);
	free(r);
	return ok;
}

/* --- as a report ------------------------------------------------------------------------- */

static bool
put_lines(struct str lines, struct arena *arena, struct tlsrpt_text **to)
{
	struct str line;

	while (lines.n > 0) {
		struct tlsrpt_text *text = ARENA_NEW(arena, struct tlsrpt_text);

		lines = str_split(lines, '\n', &line);
		if (text == NULL)
			return false;
		text->text = line;
		*to = text;
		to = &text->next;
	}
	return true;
}

static bool
put_failures(const struct tlsrpt_tally *t, size_t policy, struct arena *arena,
    struct tlsrpt_failure **to)
{
	for (size_t i = 0; i < t->n_failures; i++) {
		const struct failure *from = &t->failures[i];
		struct tlsrpt_failure *f;

		if (from->policy != policy)
			continue;
		f = ARENA_NEW(arena, struct tlsrpt_failure);
		if (f == NULL)
			return false;
		f->result = from->result;
		f->sending_mta_ip = from->sending_ip;
		f->receiving_mx_hostname = from->mx;
		f->receiving_ip = from->receiving_ip;
		f->additional_information = from->information;
		f->sessions = from->n;
		*to = f;
		to = &f->next;
	}
	return true;
}

struct tlsrpt_policy *
tlsrpt_tally_policies(const struct tlsrpt_tally *t, struct arena *arena)
{
	struct tlsrpt_policy *first = NULL, **to = &first;

	for (size_t i = 0; i < t->n_policies; i++) {
		const struct policy *from = &t->policies[i];
		struct tlsrpt_policy *p =
		    ARENA_NEW(arena, struct tlsrpt_policy);

		if (p == NULL ||
		    !put_lines(from->strings, arena, &p->strings) ||
		    !put_lines(from->mx_hosts, arena, &p->mx_hosts) ||
		    !put_failures(t, i, arena, &p->failures))
			return NULL;
		p->type = from->type;
		p->domain = from->domain;
		p->successful = from->good;
		p->failed = from->failed;
		*to = p;
		to = &p->next;
	}
	return first;
}

/* --- keys ------------------------------------------------------------------------------- */

void
tlsrpt_key_put(const struct tlsrpt_key *key, struct buf *to)
{
	ASSERT(key->domain.n > 0 && key->domain.n <= TLSRPT_KEY_DOMAIN_MAX);
	buf_printf(to, "%0*llu/%.*s/%016llx", KEY_DIGITS,
	    (unsigned long long)key->begin, STR_ARG(key->domain),
	    (unsigned long long)key->process);
}

static bool
parse_hex(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n != 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
			return false;
		v = v << 4 |
		    (uint64_t)(ascii_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret = v;
	return true;
}

bool
tlsrpt_key_parse(struct str text, struct tlsrpt_key *ret)
{
	struct tlsrpt_key key = { 0 };
	struct str begin, rest = str_split(text, '/', &begin);

	rest = str_split(rest, '/', &key.domain);
	if (begin.n != KEY_DIGITS || key.domain.n > TLSRPT_KEY_DOMAIN_MAX ||
	    !hostname_is_valid(key.domain) ||
	    !str_to_u64(begin, UINT64_MAX, &key.begin) ||
	    !parse_hex(rest, &key.process))
		return false;
	*ret = key;
	return true;
}

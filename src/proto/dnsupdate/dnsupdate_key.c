/* SPDX-License-Identifier: ISC */
/* dnsupdate_key.c - read key files. See dnsupdate_key.h. */
#include "proto/dnsupdate/dnsupdate_key.h"

#include "base/base64.h"
#include "proto/dnsupdate/dnsupdate_name.h"

/* What was found so far; points into the text. */
struct found {
	struct str name, algorithm, secret;
	const char *why;
};

static const struct {
	const char *name;
	enum crypt_mac mac;
} algorithms[] = {
	{ "hmac-sha256", CRYPT_MAC_SHA256 },
	{ "hmac-sha384", CRYPT_MAC_SHA384 },
	{ "hmac-sha512", CRYPT_MAC_SHA512 },
};

const char *
dnsupdate_algorithm_name(enum crypt_mac mac)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].mac == mac)
			return algorithms[i].name;
	return "?";
}

/* --- words ------------------------------------------------------------------------ */

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '{' ||
	       c == '}' || c == ';';
}

/* Behind comments: # and // up to the end of the line, and C's. */
static struct str
skip_space(struct str s)
{
	struct str skipped;

	for (;;) {
		if (s.n && is_space(s.p[0])) {
			s = str_from(s, 1);
		} else if (str_starts(s, STR("#")) ||
			   str_starts(s, STR("//"))) {
			s = str_split(s, '\n', &skipped);
		} else if (str_starts(s, STR("/*"))) {
			ptrdiff_t end = str_search(s, STR("*/"));

			s = end < 0 ? STR_NONE : str_from(s, (size_t)end + 2);
		} else {
			return s;
		}
	}
}

/* The next word without quotes, and without a colon at its end. */
static struct str
next_word(struct str s, struct str *ret_word)
{
	size_t n = 0;

	s = skip_space(s);
	if (s.n && (s.p[0] == '"' || s.p[0] == '\''))
		return str_split(str_from(s, 1), s.p[0], ret_word);
	while (n < s.n && !is_space(s.p[n]))
		n++;
	*ret_word = str_first(s, n);
	if (n > 1 && s.p[n - 1] == ':')
		ret_word->n--;
	return str_from(s, n);
}

/* --- forms ------------------------------------------------------------------------- */

/* [algorithm:]name:secret */
static void
read_line(struct str line, struct found *f)
{
	ptrdiff_t colon = str_rfind(line, ':');
	struct str rest;

	f->secret = str_from(line, (size_t)colon + 1);
	f->name = str_first(line, (size_t)colon);
	rest = str_split(f->name, ':', &f->algorithm);
	if (rest.p)
		f->name = rest;
	else
		f->algorithm = STR("hmac-sha256");
}

static void
set_once(struct str word, struct str *to, struct found *f)
{
	if (to->n)
		f->why = "it holds more than one key; make a file with the one";
	*to = word;
}

/* key "name" { algorithm a; secret "s"; };  or the same words as YAML */
static void
read_statement(struct str rest, struct found *f)
{
	struct str word;

	while (rest = next_word(rest, &word), word.n && !f->why) {
		if (str_eq_case(word, STR("key")) ||
		    str_eq_case(word, STR("id"))) {
			bool is_list;

			rest = next_word(rest, &word);
			is_list = str_eq(word, STR("-"));
			if (is_list) {
				rest = next_word(rest, &word);
				if (!str_eq_case(word, STR("id")))
					break;
				rest = next_word(rest, &word);
			}
			set_once(word, &f->name, f);
		} else if (str_eq_case(word, STR("algorithm"))) {
			rest = next_word(rest, &word);
			set_once(word, &f->algorithm, f);
		} else if (str_eq_case(word, STR("secret"))) {
			rest = next_word(rest, &word);
			set_once(word, &f->secret, f);
		} else if (!str_eq(word, STR("-"))) {
			f->why = "it is no key file of BIND, nsupdate or knot";
		}
	}
}

/* --- judging ------------------------------------------------------------------------- */

static const char *
set_algorithm(struct str name, struct dnsupdate_key *k)
{
	if (str_ends(name, STR(".")))
		name = str_first(name, name.n - 1);
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (str_eq_case(name, str_c(algorithms[i].name))) {
			k->mac = algorithms[i].mac;
			return NULL;
		}
	return "its algorithm is none of hmac-sha256, hmac-sha384, hmac-sha512";
}

static const char *
set_name(struct str name, struct dnsupdate_key *k)
{
	struct buf wire = BUF_INIT(DNSUPDATE_NAME_MAX);
	struct buf text = BUF_INIT(DNSUPDATE_TEXT_MAX);
	size_t at = 0;
	bool ok = name.n && dnsupdate_name_put(name, &wire) &&
	          dnsupdate_name_read(buf_str(&wire), &at, &text);

	if (ok)
		k->name = str_dup(buf_str(&text));
	buf_done(&wire);
	buf_done(&text);
	return ok ? NULL : "its key has no name, or one that DNS cannot have";
}

static const char *
set_secret(struct str text, struct dnsupdate_key *k)
{
	struct buf bytes = BUF_INIT(DNSUPDATE_KEY_FILE_MAX);
	bool ok =
	    base64_decode(&bytes, text) && bytes.n >= DNSUPDATE_SECRET_MIN;

	if (ok)
		secret_set(&k->secret, buf_str(&bytes));
	buf_done_secret(&bytes);
	return ok ? NULL : "its secret is not base64, or too short";
}

bool
dnsupdate_key_parse(
    struct str text, struct dnsupdate_key *ret, const char **ret_why)
{
	struct dnsupdate_key k = { 0 };
	struct found f = { 0 };
	struct str word;

	next_word(text, &word);
	if (str_find(word, ':') > 0)
		read_line(word, &f);
	else
		read_statement(text, &f);
	if (!f.why)
		f.why = set_name(f.name, &k);
	if (!f.why)
		f.why = set_algorithm(f.algorithm, &k);
	if (!f.why)
		f.why = set_secret(f.secret, &k);
	if (f.why) {
		*ret_why = f.why;
		dnsupdate_key_done(&k);
		return false;
	}
	*ret = k;
	return true;
}

void
dnsupdate_key_done(struct dnsupdate_key *k)
{
	free(k->name);
	secret_done(&k->secret);
	*k = (struct dnsupdate_key){ 0 };
}

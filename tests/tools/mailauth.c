/* SPDX-License-Identifier: ISC */
/*
 * mailauth.c - our DKIM and ARC on the command line, for tests that compare
 * them with other implementations. Not installed.
 *
 *	mailauth verify RECORDS <message     prints "dkim SELECTOR VERDICT" for
 *	                                     each signature, and "arc CV"
 *	mailauth sign DOMAIN (SELECTOR PEM)... <message >signed
 *	mailauth seal DOMAIN SELECTOR PEM CV <message >sealed
 *	mailauth record PEM                  prints the record of a key
 *
 * RECORDS has a line for each key: its DNS name, a blank, the record.
 * Messages have CRLF. The clock is that of the machine.
 */
#include "proto/arc/arc_seal.h"
#include "proto/arc/arc_verify.h"
#include "proto/dkim/dkim_sign.h"
#include "proto/dkim/dkim_verify.h"

#include <time.h>

struct mail {
	struct buf bytes;
	struct str header;
	struct str body;
};

static void
read_all(FILE *f, struct buf *to)
{
	char part[65536];
	size_t n;

	if (!f)
		die("cannot open a file");
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(to, part, n);
	if (to->failed)
		die("too much input");
}

static struct mail
read_mail(void)
{
	struct mail m = { .bytes = BUF_INIT(MIB(64)) };
	ptrdiff_t end;

	read_all(stdin, &m.bytes);
	m.header = buf_str(&m.bytes);
	end = str_search(m.header, STR("\r\n\r\n"));
	if (end >= 0) {
		m.body = str_from(m.header, (size_t)end + 4);
		m.header.n = (size_t)end + 2;
	}
	return m;
}

static struct crypt_key *
read_key(const char *path)
{
	struct buf pem = BUF_INIT(CRYPT_PEM_MAX);
	FILE *f = fopen(path, "rb");
	struct crypt_key *key;

	read_all(f, &pem);
	fclose(f);
	key = crypt_key_from_pem(buf_str(&pem));
	if (!key)
		die("%s: not a private key", path);
	buf_done_secret(&pem);
	return key;
}

static enum dkim_answer
look_up(struct str records, const struct buf *name, struct str *ret)
{
	struct str line, head, rest;

	while (records.n) {
		records = str_split(records, '\n', &line);
		rest = str_split(line, ' ', &head);
		if (!str_eq_case(head, buf_str(name)))
			continue;
		*ret = rest;
		return DKIM_ANSWER_RECORD;
	}
	return DKIM_ANSWER_NONE;
}

static void
verify_dkim(const struct mail *m, struct str records)
{
	struct dkim_verifier *v = dkim_verifier_new(m->header, NULL);

	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		struct buf name = BUF_INIT(300);
		struct str record = STR_NONE;

		if (dkim_verifier_query(v, i, &name))
			dkim_verifier_key(
			    v, i, look_up(records, &name, &record), record);
		buf_done(&name);
	}
	dkim_verifier_body(v, m->body);
	dkim_verifier_finish(v, (uint64_t)time(NULL));
	for (size_t i = 0; i < dkim_verifier_count(v); i++) {
		const struct dkim_result *r = dkim_verifier_result(v, i);

		printf("dkim %.*s %s\n", STR_ARG(r->selector),
		    dkim_verdict_str(r->verdict));
	}
	dkim_verifier_free(v);
}

static void
verify_arc(const struct mail *m, struct str records)
{
	struct arc_verifier *v = arc_verifier_new(m->header, NULL);

	for (size_t i = 0; i < arc_verifier_keys(v); i++) {
		struct buf name = BUF_INIT(300);
		struct str record = STR_NONE;

		arc_verifier_query(v, i, &name);
		arc_verifier_key(
		    v, i, look_up(records, &name, &record), record);
		buf_done(&name);
	}
	arc_verifier_body(v, m->body);
	printf("arc %s\n", arc_cv_str(arc_verifier_finish(v).cv));
	arc_verifier_free(v);
}

static int
run_verify(char **args)
{
	struct buf records = BUF_INIT(MIB(1));
	struct mail m = read_mail();
	FILE *f = fopen(args[0], "rb");

	read_all(f, &records);
	fclose(f);
	verify_dkim(&m, buf_str(&records));
	verify_arc(&m, buf_str(&records));
	buf_done(&m.bytes);
	buf_done(&records);
	return 0;
}

/* The new fields, then the message as it came. */
static void
put_mail(const struct mail *m, struct buf *fields)
{
	fwrite(fields->p, 1, fields->n, stdout);
	fwrite(m->bytes.p, 1, m->bytes.n, stdout);
	buf_done(fields);
}

static int
run_sign(int count, char **args)
{
	struct dkim_sign_options o = { .domain = str_c(args[0]),
		.now = (uint64_t)time(NULL) };
	struct crypt_key *keys[DKIM_SIGN_KEYS_MAX];
	struct buf fields = BUF_INIT(KIB(64));
	struct mail m = read_mail();
	struct dkim_signer *s;

	for (int i = 1; i + 1 < count && o.keys_n < DKIM_SIGN_KEYS_MAX;
	     i += 2) {
		keys[o.keys_n] = read_key(args[i + 1]);
		o.keys[o.keys_n].selector = str_c(args[i]);
		o.keys[o.keys_n].key = keys[o.keys_n];
		o.keys_n++;
	}
	s = dkim_signer_new(m.header, &o);
	if (!s)
		die("cannot sign this header");
	dkim_signer_body(s, m.body);
	if (!dkim_signer_finish(s, &fields))
		die("cannot sign");
	put_mail(&m, &fields);
	dkim_signer_free(s);
	for (size_t i = 0; i < o.keys_n; i++)
		crypt_key_free(keys[i]);
	buf_done(&m.bytes);
	return 0;
}

static int
run_seal(char **args)
{
	struct crypt_key *key = read_key(args[2]);
	struct arc_seal_options o = {
		.domain = str_c(args[0]),
		.selector = str_c(args[1]),
		.key = key,
		.authserv_id = str_c(args[0]),
		.results = STR("spf=pass smtp.mailfrom=a@example.org"),
		.cv = str_eq(str_c(args[3]), STR("pass")) ? ARC_PASS : ARC_NONE,
		.now = (uint64_t)time(NULL),
	};
	struct buf fields = BUF_INIT(KIB(64));
	struct mail m = read_mail();
	struct arc_sealer *s = arc_sealer_new(m.header, &o);

	if (!s)
		die("must not seal this");
	arc_sealer_body(s, m.body);
	if (!arc_sealer_finish(s, &fields))
		die("cannot seal");
	put_mail(&m, &fields);
	arc_sealer_free(s);
	crypt_key_free(key);
	buf_done(&m.bytes);
	return 0;
}

static int
run_record(char **args)
{
	struct crypt_key *key = read_key(args[0]);
	struct buf record = BUF_INIT(DKIM_RECORD_MAX);

	dkim_key_format(key, &record);
	printf("%s\n", buf_c(&record));
	buf_done(&record);
	crypt_key_free(key);
	return 0;
}

int
main(int argc, char **argv)
{
	struct str verb = str_c(argc > 1 ? argv[1] : "");

	if (str_eq(verb, STR("verify")) && argc == 3)
		return run_verify(argv + 2);
	if (str_eq(verb, STR("sign")) && argc >= 5)
		return run_sign(argc - 2, argv + 2);
	if (str_eq(verb, STR("seal")) && argc == 6)
		return run_seal(argv + 2);
	if (str_eq(verb, STR("record")) && argc == 3)
		return run_record(argv + 2);
	fprintf(stderr, "usage: mailauth verify|sign|seal|record ...\n");
	return 2;
}

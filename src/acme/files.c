/* SPDX-License-Identifier: ISC */
/*
 * files.c - DATA/acme:
 *
 *   account-HASH.pem     the key of the account, by the hash of the directory
 *   certs/HOST/          fullchain.pem, privkey.pem: what the supervisor reads
 *   certs/.HOST/         the next, or the last, of them
 *   orders/HOST          an order under way: its address, names, the new key
 *
 * A file is written whole beside its place and then renamed; of certificate and
 * key the whole folder is exchanged, so that whoever looks sees a pair. Names of
 * hosts have no dot at their beginning and no slash.
 */
#include "acme/server.h"

#include "base/certificate.h"
#include "base/crypt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHAIN_FILE "fullchain.pem"
#define KEY_FILE   "privkey.pem"
#define HASH_BYTES 8
#define ORDER_MAX  KIB(64)

/* --- single files ----------------------------------------------------------------- */

static int
make_dir(int at, const char *name, int *ret)
{
	if (mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	*ret =
	    openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? -errno : 0;
}

static int
open_dir(int at, const char *name)
{
	return openat(
	    at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* All of a file of at most max bytes; false when that cannot be had. */
static bool
read_file(int at, const char *name, size_t max, struct secret *ret)
{
	CLEANUP(closep)
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct buf b = BUF_INIT(max + 1);
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, buf_reserve(&b, max + 1), max + 1, 0);
	if (n >= 0 && (size_t)n <= max) {
		b.n = (size_t)n;
		secret_set(ret, buf_str(&b));
	}
	b.n = b.cap;
	buf_done_secret(&b);
	if (n >= 0 && (size_t)n > max)
		errno = EFBIG;
	return n >= 0 && (size_t)n <= max;
}

static int
put_file(int at, const char *name, struct str text)
{
	CLEANUP(closep)
	int fd = openat(at, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0)
			return -errno;
		text = str_from(text, (size_t)n);
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Durable when it is 0, and never half. */
static int
replace_file(int at, const char *name, struct str text)
{
	char *fresh = x_asprintf(".%s", name);
	int r = put_file(at, fresh, text);

	if (r == 0 && (renameat(at, fresh, at, name) < 0 || fsync(at) < 0))
		r = -errno;
	free(fresh);
	return r;
}

int
files_open(struct server *sv)
{
	int dir = -1, r;

	sv->dir =
	    open(sv->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sv->dir < 0)
		return -errno;
	r = make_dir(sv->dir, "certs", &dir);
	closep(&dir);
	dir = -1;
	if (r == 0)
		r = make_dir(sv->dir, "orders", &dir);
	closep(&dir);
	return r;
}

/* --- the account's key --------------------------------------------------------------- */

static void
key_name(const char *directory, char *to, size_t max)
{
	struct crypt_digest *d = crypt_digest_new(CRYPT_SHA256);
	char hex[2 * HASH_BYTES + 1];
	struct crypt_sum sum;

	crypt_digest_put(d, str_c(directory));
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	for (size_t i = 0; i < HASH_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum.v[i]);
	snprintf(to, max, "account-%s.pem", hex);
}

int
files_account_key(
    struct server *sv, const char *directory, struct es256_key **ret)
{
	struct secret text = SECRET_NONE;
	struct buf fresh = BUF_INIT(CERTIFICATE_KEY_MAX);
	char name[64];
	int r = 0;

	key_name(directory, name, sizeof(name));
	if (!read_file(sv->dir, name, CERTIFICATE_KEY_MAX, &text)) {
		if (errno != ENOENT)
			return -errno;
		if (!certificate_make_key(CERTIFICATE_EC, &fresh))
			return -EIO;
		r = replace_file(sv->dir, name, buf_str(&fresh));
		secret_set(&text, buf_str(&fresh));
		buf_done_secret(&fresh);
	}
	if (r == 0)
		*ret = es256_key_from_pem(secret_str(&text));
	secret_done(&text);
	return r < 0 ? r : *ret != NULL ? 0 : -EBADMSG;
}

/* --- certificates --------------------------------------------------------------------- */

bool
files_certificate(struct server *sv, const char *host,
    struct certificate_facts *ret, struct secret *ret_key)
{
	CLEANUP(closep) int certs = open_dir(sv->dir, "certs");
	CLEANUP(closep) int dir = certs < 0 ? -1 : open_dir(certs, host);
	struct secret chain = SECRET_NONE, key = SECRET_NONE;
	bool ok =
	    dir >= 0 &&
	    read_file(dir, CHAIN_FILE, CERTIFICATE_CHAIN_MAX, &chain) &&
	    read_file(dir, KEY_FILE, CERTIFICATE_KEY_MAX, &key) &&
	    certificate_fault(secret_str(&chain), secret_str(&key)) == NULL;

	if (ok && ret != NULL)
		ok = certificate_read(secret_str(&chain), ret);
	if (ok && ret_key != NULL)
		secret_move(ret_key, &key);
	secret_done(&chain);
	secret_done(&key);
	return ok;
}

/* The folder beside, without what an earlier attempt left. */
static int
save_beside(int certs, const char *beside, struct str chain, struct str key)
{
	CLEANUP(closep) int dir = -1;
	int r = make_dir(certs, beside, &dir);

	if (r == 0)
		r = put_file(dir, KEY_FILE, key);
	if (r == 0)
		r = put_file(dir, CHAIN_FILE, chain);
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	return r;
}

/* The old pair is of no use any more, its key least of all. */
static void
remove_beside(int certs, const char *beside)
{
	CLEANUP(closep) int dir = open_dir(certs, beside);

	if (dir < 0)
		return;
	(void)unlinkat(dir, KEY_FILE, 0);
	(void)unlinkat(dir, CHAIN_FILE, 0);
	(void)unlinkat(certs, beside, AT_REMOVEDIR);
}

int
files_save(
    struct server *sv, const char *host, struct str chain, struct str key)
{
	CLEANUP(closep) int certs = open_dir(sv->dir, "certs");
	char *beside = x_asprintf(".%s", host);
	int r = certs < 0 ? -errno : save_beside(certs, beside, chain, key);

	if (r == 0 &&
	    renameat2(certs, beside, certs, host, RENAME_EXCHANGE) < 0)
		r = -errno;
	/* The first one. */
	if (r == -ENOENT)
		r = renameat(certs, beside, certs, host) < 0 ? -errno : 0;
	if (r == 0 && fsync(certs) < 0)
		r = -errno;
	if (r == 0)
		remove_beside(certs, beside);
	free(beside);
	return r;
}

/* --- orders under way ------------------------------------------------------------------- */

void
files_order_done(struct files_order *o)
{
	free(o->names);
	o->names = NULL;
	secret_done(&o->key);
}

/* The address, the names with blanks between, the key. */
static bool
parse_order(struct str text, struct files_order *ret)
{
	struct str url, names, key;
	struct acme_url parts;

	text = str_split(text, '\n', &url);
	key = str_split(text, '\n', &names);
	if (!acme_url_parse(url, &parts) || names.n == 0 || key.n == 0)
		return false;
	memcpy(ret->url, url.p, url.n);
	ret->url[url.n] = '\0';
	ret->names = x_asprintf("%.*s\n", STR_ARG(names));
	for (char *p = ret->names; *p != '\0'; p++)
		if (*p == ' ')
			*p = '\n';
	secret_set(&ret->key, key);
	return true;
}

bool
files_order_read(struct server *sv, const char *host, struct files_order *ret)
{
	CLEANUP(closep) int orders = open_dir(sv->dir, "orders");
	struct secret text = SECRET_NONE;
	bool ok = orders >= 0 && read_file(orders, host, ORDER_MAX, &text) &&
	          parse_order(secret_str(&text), ret);

	secret_done(&text);
	return ok;
}

bool
files_order_is_there(struct server *sv, const char *host)
{
	struct files_order o = { 0 };
	bool ok = files_order_read(sv, host, &o);

	files_order_done(&o);
	return ok;
}

int
files_order_write(
    struct server *sv, const char *host, const struct files_order *o)
{
	CLEANUP(closep) int orders = open_dir(sv->dir, "orders");
	struct buf text = BUF_INIT(ORDER_MAX);
	int r;

	if (orders < 0)
		return -errno;
	buf_printf(&text, "%s\n", o->url);
	for (const char *p = o->names; *p != '\0'; p++)
		buf_put_char(&text, *p == '\n' && p[1] != '\0' ? ' ' : *p);
	buf_put_str(&text, secret_str(&o->key));
	r = text.failed ? -EFBIG : replace_file(orders, host, buf_str(&text));
	buf_done_secret(&text);
	return r;
}

void
files_order_drop(struct server *sv, const char *host)
{
	CLEANUP(closep) int orders = open_dir(sv->dir, "orders");

	if (orders >= 0)
		(void)unlinkat(orders, host, 0);
}

/* SPDX-License-Identifier: ISC */
/*
 * conf_cert_read.c - certificates from files. See conf_cert_read.h.
 *
 * The folder of role acme belongs to the user that processes become, who may
 * have been taken over: nothing in it is reached through a link, only plain
 * files with one name and of a sane size are read, and a certificate counts for
 * no other names than those that the configuration wants from there.
 */
#include "conf/conf_cert_read.h"

#include "base/hostname.h"
#include "net/tls.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHAIN_FILE     "fullchain.pem"
#define KEY_FILE       "privkey.pem"
#define PATH_MAX_BYTES 2048
#define OWN_SECONDS    (30U * 86400)

struct reading {
	const struct conf *conf;
	char hostname[HOSTNAME_MAX + 1]; /* in lower case */
	struct conf_certs *list;
	const struct conf_certs *old; /* NULL: none */
	struct tls_context *checker;
	uint64_t now;
};

/* --- files ---------------------------------------------------------------------- */

enum trust {
	OPERATORS, /* links are followed: certbot uses them */
	STRANGERS,
};

/* A text file of at most max bytes below dir: NULL, or on the heap what is wrong
 * with it. *ret is replaced. */
static char *
read_pem(int dir, const char *name, size_t max, enum trust trust, char **ret)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	            (trust == STRANGERS ? O_NOFOLLOW : 0);
	CLEANUP(closep) int fd = openat(dir, name, flags);
	struct buf b = BUF_INIT(max + 1);
	struct stat st;
	char *to, *fault = NULL;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return x_asprintf("cannot read %s: %s", name, strerror(errno));
	if (!S_ISREG(st.st_mode) || (trust == STRANGERS && st.st_nlink != 1))
		return x_asprintf("cannot read %s: it is not a file", name);
	to = buf_reserve(&b, max + 1);
	n = pread(fd, to, max + 1, 0);
	if (n < 0)
		fault = x_asprintf("cannot read %s: %s", name, strerror(errno));
	else if ((size_t)n > max)
		fault = x_asprintf("cannot read %s: too large", name);
	else if (memchr(to, 0, (size_t)n) != NULL)
		fault =
		    x_asprintf("%s: it has a NUL byte; expected text", name);
	if (fault == NULL) {
		b.n = (size_t)n;
		if (str_search(buf_str(&b), STR("-----BEGIN ")) < 0)
			fault = x_asprintf("%s has no PEM text; expected a %s",
			    name,
			    max == CERTIFICATE_KEY_MAX ? "private key"
						       : "certificate");
	}
	if (fault == NULL) {
		free(*ret);
		*ret = str_dup(buf_str(&b));
	}
	b.n = b.cap;
	buf_done_secret(&b);
	return fault;
}

/* --- one certificate --------------------------------------------------------------- */

static void
drop_texts(struct conf_cert *c)
{
	free(c->chain);
	c->chain = x_strdup("");
	if (c->key != NULL)
		explicit_bzero(c->key, strlen(c->key));
	free(c->key);
	c->key = x_strdup("");
}

/* The very same as before: it was looked at then. Thousands are read anew
 * whenever one of them changes. */
static bool
take_known(const struct reading *r, struct conf_cert *c)
{
	struct certificate_facts f = { 0 };

	for (size_t i = 0; r->old != NULL && i < r->old->n; i++) {
		const struct conf_cert *o = &r->old->v[i];

		if (o->source != c->source || !conf_cert_is_usable(o) ||
		    strcmp(o->label, c->label) != 0 ||
		    strcmp(o->chain, c->chain) != 0 ||
		    strcmp(o->key, c->key) != 0)
			continue;
		conf_cert_copy(c, o);
		/* All of them: others may be wanted now. */
		if (certificate_read(str_c(c->chain), &f)) {
			free(c->names);
			c->names = x_strdup(f.names);
			certificate_facts_done(&f);
		}
		return true;
	}
	return false;
}

static void
take_facts(struct reading *r, struct conf_cert *c)
{
	struct certificate_facts f = { 0 };

	if (c->fault == NULL && take_known(r, c))
		return;
	if (c->fault == NULL) {
		(void)!tls_checker_look(
		    r->checker, str_c(c->chain), str_c(c->key), &c->fault);
		if (c->fault == NULL && !certificate_read(str_c(c->chain), &f))
			c->fault = x_strdup("its dates cannot be read");
	}
	if (c->fault != NULL)
		drop_texts(c);
	c->names = f.names != NULL ? f.names : x_strdup("");
	c->issuer = f.issuer != NULL ? f.issuer : x_strdup("");
	c->kind = f.kind;
	c->begins = f.begins;
	c->ends = f.ends;
}

static void
take_pair(struct reading *r, struct conf_cert *c, int dir, enum trust trust)
{
	c->fault =
	    read_pem(dir, CHAIN_FILE, CERTIFICATE_CHAIN_MAX, trust, &c->chain);
	if (c->fault == NULL)
		c->fault = read_pem(
		    dir, KEY_FILE, CERTIFICATE_KEY_MAX, trust, &c->key);
	take_facts(r, c);
}

/* --- tls.certificate ----------------------------------------------------------------- */

static int
read_files(struct reading *r, char **ret_error)
{
	const char *chain = r->conf->tls_certificate_file;
	const char *key = r->conf->tls_key_file;
	struct conf_cert *c;

	if (chain[0] == '\0')
		return 0;
	c = conf_certs_add(r->list);
	c->source = CONF_CERT_FILES;
	c->label = x_strdup("");
	c->fault = read_pem(
	    AT_FDCWD, chain, CERTIFICATE_CHAIN_MAX, OPERATORS, &c->chain);
	if (c->fault == NULL)
		c->fault = read_pem(
		    AT_FDCWD, key, CERTIFICATE_KEY_MAX, OPERATORS, &c->key);
	if (c->fault != NULL) {
		*ret_error = x_asprintf("tls: %s\n", c->fault);
		return -1;
	}
	take_facts(r, c);
	if (c->fault != NULL) {
		*ret_error =
		    x_asprintf("tls: %s and %s: %s\n", chain, key, c->fault);
		return -1;
	}
	return 0;
}

/* --- tls.folder ------------------------------------------------------------------------- */

/* "README" and other things of no interest have neither file. */
static bool
has_files(int dir)
{
	return faccessat(dir, CHAIN_FILE, F_OK, 0) == 0 ||
	       faccessat(dir, KEY_FILE, F_OK, 0) == 0;
}

static void
read_sub_folder(struct reading *r, int parent, const char *name)
{
	CLEANUP(closep)
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct conf_cert *c;

	if (dir < 0 || !has_files(dir) || r->list->n >= CONF_CERTS_MAX)
		return;
	c = conf_certs_add(r->list);
	c->source = CONF_CERT_FOLDER;
	c->label = x_strdup(name);
	take_pair(r, c, dir, OPERATORS);
}

static int
read_folder(struct reading *r, char **ret_error)
{
	const char *path = r->conf->tls_folder;
	struct dirent *e;
	DIR *d;

	if (path[0] == '\0')
		return 0;
	d = opendir(path);
	if (d == NULL) {
		*ret_error = x_asprintf(
		    "tls.folder: cannot read %s: %s\n", path, strerror(errno));
		return -1;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			read_sub_folder(r, dirfd(d), e->d_name);
	closedir(d);
	return 0;
}

/* --- acme.hosts --------------------------------------------------------------------------- */

char *
conf_acme_names(struct str line)
{
	char *names = x_asprintf("%.*s\n", STR_ARG(line));

	for (char *p = names; *p != '\0'; p++)
		if (*p == ' ')
			*p = '\n';
	return names;
}

/* Only those names that are wanted from there. */
static void
keep_wanted(struct conf_cert *c, struct str line)
{
	struct conf_cert wanted = { .names = conf_acme_names(line) };
	struct buf kept = BUF_INIT(CERTIFICATE_CHAIN_MAX);
	struct str rest = str_c(c->names), one;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &one);
		if (conf_cert_covers(&wanted, one))
			buf_printf(&kept, "%.*s\n", STR_ARG(one));
	}
	free(wanted.names);
	free(c->names);
	c->names = str_dup(buf_str(&kept));
	buf_done(&kept);
}

static void
read_host(struct reading *r, int parent, struct str line)
{
	CLEANUP(closep) int dir = -1;
	struct str host;
	struct conf_cert *c;
	char *name;

	(void)str_split(line, ' ', &host);
	name = str_dup(host);
	if (parent >= 0)
		dir = openat(parent, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r->list->n >= CONF_CERTS_MAX) {
		free(name);
		return;
	}
	c = conf_certs_add(r->list);
	c->source = CONF_CERT_ACME;
	c->label = name;
	c->is_missing = dir < 0 || !has_files(dir);
	if (c->is_missing) {
		c->fault = x_strdup("there is none yet");
		take_facts(r, c);
	} else {
		take_pair(r, c, dir, STRANGERS);
	}
	keep_wanted(c, line);
}

static void
read_acme(struct reading *r)
{
	char *path = x_asprintf("%s/acme", r->conf->data_dir);
	CLEANUP(closep)
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(closep) int certs = -1;
	struct str hosts = str_c(r->conf->acme_hosts), line;

	free(path);
	if (dir >= 0)
		certs = openat(dir, "certs",
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	while (hosts.n > 0) {
		hosts = str_split(hosts, '\n', &line);
		read_host(r, certs, line);
	}
}

/* --- all together ------------------------------------------------------------------------- */

/* What was good before goes on when what is there now is not. */
static void
keep_older(struct conf_certs *list, const struct conf_certs *old)
{
	for (size_t i = 0; i < list->n; i++) {
		struct conf_cert *c = &list->v[i];

		for (size_t j = 0; c->fault != NULL && j < old->n; j++) {
			const struct conf_cert *o = &old->v[j];
			char *fault;

			if (o->source != c->source || !conf_cert_is_usable(o) ||
			    strcmp(o->label, c->label) != 0)
				continue;
			fault = x_strdup(c->fault);
			conf_cert_copy(c, o);
			c->fault = fault;
			break;
		}
	}
}

static bool
has_usable(const struct conf_certs *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (conf_cert_is_usable(&list->v[i]))
			return true;
	return false;
}

/* Clients that check will not like it; without it there would be no TLS. */
static void
make_own(struct reading *r)
{
	struct buf key = BUF_INIT(CERTIFICATE_KEY_MAX);
	struct buf chain = BUF_INIT(CERTIFICATE_CHAIN_MAX);
	struct conf_cert *c = conf_certs_add(r->list);

	if (!certificate_make_key(CERTIFICATE_EC, &key) ||
	    !certificate_self(buf_str(&key), str_c(r->conf->hostname), NULL,
		OWN_SECONDS, &chain))
		die("a certificate of our own cannot be made");
	c->source = CONF_CERT_OWN;
	c->label = x_strdup(r->conf->hostname);
	c->chain = str_dup(buf_str(&chain));
	c->key = str_dup(buf_str(&key));
	take_facts(r, c);
	buf_done(&chain);
	buf_done_secret(&key);
}

static void
fill_in(struct reading *r)
{
	const struct conf_certs *old = r->old;
	bool are_to_come =
	    r->conf->tls_folder[0] != '\0' || r->conf->acme_hosts[0] != '\0';

	if (old != NULL)
		keep_older(r->list, old);
	if (has_usable(r->list) || !are_to_come)
		return;
	for (size_t i = 0; old != NULL && i < old->n; i++)
		if (old->v[i].source == CONF_CERT_OWN &&
		    old->v[i].ends > r->now + OWN_SECONDS / 2) {
			conf_cert_copy(conf_certs_add(r->list), &old->v[i]);
			return;
		}
	make_own(r);
}

/* The order in which certificates count; small is first. */
static unsigned
rank_of(const struct reading *r, const struct conf_cert *c)
{
	unsigned rank = c->source == CONF_CERT_FILES              ? 0
	                : conf_cert_covers(c, str_c(r->hostname)) ? 1
	                                                          : 2;

	if (c->begins > r->now || c->ends <= r->now)
		rank += 4;
	return conf_cert_is_usable(c) ? rank : rank + 8;
}

static int
compare(const void *x, const void *y, void *arg)
{
	const struct conf_cert *a = x, *b = y;
	unsigned ra = rank_of(arg, a), rb = rank_of(arg, b);

	if (ra != rb)
		return ra < rb ? -1 : 1;
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->ends != b->ends)
		return a->ends > b->ends ? -1 : 1;
	return strcmp(a->label, b->label);
}

int
conf_certs_read(const struct conf *c, const struct conf_certs *old,
    struct conf_certs *ret, char **ret_error)
{
	struct reading r = {
		.conf = c, .list = ret, .old = old, .now = (uint64_t)time(NULL)
	};

	for (size_t i = 0; i < HOSTNAME_MAX && c->hostname[i] != '\0'; i++)
		r.hostname[i] = ascii_lower(c->hostname[i]);
	int e;

	r.checker = tls_checker_new();
	e = read_files(&r, ret_error);
	if (e == 0)
		e = read_folder(&r, ret_error);
	if (e == 0) {
		read_acme(&r);
		fill_in(&r);
	}
	tls_context_unref(r.checker);
	if (e < 0) {
		conf_certs_done(ret);
		return -1;
	}
	if (ret->n > 1)
		qsort_r(ret->v, ret->n, sizeof(ret->v[0]), compare, &r);
	return 0;
}

int
conf_read_tls(struct conf *c, char **ret_error)
{
	return conf_certs_read(c, NULL, &c->certs, ret_error);
}

/* SPDX-License-Identifier: ISC */
/* copy_write.c - files of a static copy, and the list of them. See
 * copy_write.h. */
#include "cli/copy/copy_write.h"

#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAGE     ".mailstead-new"
#define LIST_MAX  MIB(256)
#define FILE_MODE 0644
#define DIR_MODE  0755

/* One line of the list: a hash and a name. */
struct known {
	uint64_t hash;
	struct str name; /* points into the list's bytes */
	bool is_there;   /* in what is written now */
};

struct folder {
	struct admin *a;
	const char *path;
	int fd, stage;
	struct buf list;
	struct known *known; /* by their names */
	size_t n_known;
};

static int
fail(struct folder *f, const char *what, const char *name, int error)
{
	return admin_error(f->a, ADMIN_TEMPFAIL, "cannot %s %s/%s: %s", what,
	    f->path, name, strerror(error));
}

/* --- the list -------------------------------------------------------------------------- */

static int
by_name(const void *pa, const void *pb)
{
	const struct known *a = pa, *b = pb;

	return str_cmp(a->name, b->name);
}

/* Names that lead out of the folder are not ours, whoever wrote them. */
static bool
is_good_name(struct str s)
{
	return s.n > 0 && s.p[0] != '/' && s.p[0] != '.' &&
	       str_search(s, STR("/.")) < 0 && str_find(s, '\0') < 0;
}

static bool
parse_line(struct str line, struct known *ret)
{
	char *end, hash[20];
	struct str head;

	ret->name = str_split(line, ' ', &head);
	if (head.n != 16 || !is_good_name(ret->name))
		return false;
	memcpy(hash, head.p, head.n);
	hash[head.n] = '\0';
	ret->hash = strtoull(hash, &end, 16);
	ret->is_there = false;
	return *end == '\0';
}

static void
read_list(struct folder *f)
{
	CLEANUP(closep)
	int fd = openat(f->fd, COPY_LIST, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct str rest, line;
	size_t cap = 0;
	ssize_t n;
	char *p;

	buf_init(&f->list, LIST_MAX);
	while (fd >= 0 && (p = buf_reserve(&f->list, KIB(64))) != NULL &&
	       (n = read(fd, p, KIB(64))) > 0)
		f->list.n += (size_t)n;
	rest = buf_str(&f->list);
	while (rest.n > 0) {
		struct known k;

		rest = str_split(rest, '\n', &line);
		if (!parse_line(line, &k))
			continue;
		f->known =
		    x_grow(f->known, &cap, f->n_known + 1, sizeof(*f->known));
		f->known[f->n_known++] = k;
	}
	if (f->n_known > 0)
		qsort(f->known, f->n_known, sizeof(*f->known), by_name);
}

static struct known *
find_known(const struct folder *f, const char *name)
{
	const struct known key = { .name = str_c(name) };

	return f->n_known == 0 ? NULL
	                       : bsearch(&key, f->known, f->n_known,
				     sizeof(*f->known), by_name);
}

/* --- writing --------------------------------------------------------------------------- */

static int
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		s = str_from(s, (size_t)n);
	}
	return 0;
}

/* A new file in the stage; 0 or -errno. */
static int
stage_file(struct folder *f, const char *name, struct str body)
{
	CLEANUP(closep)
	int fd = openat(f->stage, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	int r;

	if (fd < 0)
		return -errno;
	r = write_all(fd, body);
	/* Whatever the mask says: a web server has to read it. */
	if (r == 0 && fchmod(fd, FILE_MODE) < 0)
		r = -errno;
	return r;
}

/* The folders above name; 0 or -errno. */
static int
make_folders(struct folder *f, const char *name)
{
	char *path = x_strdup(name);
	int r = 0;

	for (char *p = path; r == 0 && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdirat(f->fd, path, DIR_MODE) < 0 && errno != EEXIST)
			r = -errno;
		*p = '/';
	}
	free(path);
	return r;
}

/* Into its place; 0 or -errno. */
static int
place_file(struct folder *f, const char *staged, const char *name)
{
	int r = make_folders(f, name);

	if (r == 0 && renameat(f->stage, staged, f->fd, name) < 0)
		r = -errno;
	return r;
}

static void
stage_name(size_t i, char to[24])
{
	snprintf(to, 24, "%zu", i);
}

/* --- all of it -------------------------------------------------------------------------- */

struct job {
	struct folder f;
	const struct copy *c;
	uint64_t *hashes;
	bool *is_staged;
	struct copy_result *result;
};

static void
note(struct copy_result *r, struct str name)
{
	if (!r->want_names)
		return;
	r->changed.v = x_grow(r->changed.v, &r->changed.cap, r->changed.n + 1,
	    sizeof(*r->changed.v));
	r->changed.v[r->changed.n++] = str_dup(name);
}

static int
stage_all(struct job *j)
{
	for (size_t i = 0; i < j->c->n; i++) {
		const struct copy_file *file = &j->c->files[i];
		struct known *k = find_known(&j->f, file->name);
		char name[24];
		int r;

		j->hashes[i] = hash64(file->body.p, file->body.n);
		if (k != NULL)
			k->is_there = true;
		if (k != NULL && k->hash == j->hashes[i] &&
		    faccessat(j->f.fd, file->name, F_OK, 0) == 0) {
			j->result->unchanged++;
			continue;
		}
		if (!is_good_name(str_c(file->name)))
			continue;
		stage_name(i, name);
		r = stage_file(&j->f, name, file->body);
		if (r < 0)
			return fail(&j->f, "write", file->name, -r);
		j->is_staged[i] = true;
	}
	return ADMIN_OK;
}

/* The page that people come to first leads to all others. */
static bool
is_first_page(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strcmp(slash ? slash + 1 : name, "index.html") == 0 &&
	       (slash == NULL || slash - name == 2);
}

static int
place_all(struct job *j, bool first_pages)
{
	for (size_t i = 0; i < j->c->n; i++) {
		const char *to = j->c->files[i].name;
		char name[24];
		int r;

		if (!j->is_staged[i] || is_first_page(to) != first_pages)
			continue;
		stage_name(i, name);
		r = place_file(&j->f, name, to);
		if (r < 0)
			return fail(&j->f, "write", to, -r);
		j->result->written++;
		note(j->result, str_c(to));
	}
	return ADMIN_OK;
}

static void
remove_old(struct job *j)
{
	for (size_t i = 0; i < j->f.n_known; i++) {
		const struct known *k = &j->f.known[i];
		char *name;

		if (k->is_there)
			continue;
		name = str_dup(k->name);
		if (unlinkat(j->f.fd, name, 0) == 0)
			j->result->removed++;
		note(j->result, k->name);
		/* Folders that are empty now; rsync wants those of what it is
		 * to remove. */
		for (char *p; !j->result->want_names &&
			      (p = strrchr(name, '/')) != NULL;) {
			*p = '\0';
			if (unlinkat(j->f.fd, name, AT_REMOVEDIR) < 0)
				break;
		}
		free(name);
	}
}

static int
write_list(struct job *j, bool is_whole)
{
	struct buf b = BUF_INIT(LIST_MAX);
	int r;

	for (size_t i = 0; i < j->c->n; i++)
		buf_printf(&b, "%016" PRIx64 " %s\n", j->hashes[i],
		    j->c->files[i].name);
	for (size_t i = 0; i < j->f.n_known && !is_whole; i++)
		if (!j->f.known[i].is_there)
			buf_printf(&b, "%016" PRIx64 " %.*s\n",
			    j->f.known[i].hash, STR_ARG(j->f.known[i].name));
	r = stage_file(&j->f, "list", buf_str(&b));
	if (r == 0)
		r = place_file(&j->f, "list", COPY_LIST);
	buf_done(&b);
	return r < 0 ? fail(&j->f, "write", COPY_LIST, -r) : ADMIN_OK;
}

static int
open_folder(struct admin *a, const char *dir, struct folder *f)
{
	*f = (struct folder){ .a = a, .path = dir, .fd = -1, .stage = -1 };
	if (mkdir(dir, DIR_MODE) < 0 && errno != EEXIST)
		return fail(f, "make", "", errno);
	f->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return fail(f, "open", "", errno);
	if (flock(f->fd, LOCK_EX | LOCK_NB) < 0)
		return admin_error(a, ADMIN_TEMPFAIL,
		    "another 'mailstead status export' or 'push' is writing "
		    "into %s",
		    dir);
	if (mkdirat(f->fd, STAGE, 0700) < 0 && errno != EEXIST)
		return fail(f, "make", STAGE, errno);
	f->stage = openat(
	    f->fd, STAGE, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (f->stage < 0)
		return fail(f, "open", STAGE, errno);
	read_list(f);
	return ADMIN_OK;
}

static void
close_folder(struct folder *f)
{
	if (f->fd >= 0)
		(void)!unlinkat(f->fd, STAGE, AT_REMOVEDIR);
	closep(&f->stage);
	closep(&f->fd);
	buf_done(&f->list);
	free(f->known);
}

int
copy_write(struct admin *a, const struct copy *c, const char *dir,
    bool is_whole, struct copy_result *ret)
{
	struct job j = { .c = c, .result = ret };
	int r = open_folder(a, dir, &j.f);

	j.hashes = x_calloc(c->n + 1, sizeof(*j.hashes));
	j.is_staged = x_calloc(c->n + 1, sizeof(*j.is_staged));
	if (r == ADMIN_OK)
		r = stage_all(&j);
	if (r == ADMIN_OK)
		r = place_all(&j, false);
	if (r == ADMIN_OK)
		r = place_all(&j, true);
	if (r == ADMIN_OK && is_whole)
		remove_old(&j);
	if (r == ADMIN_OK)
		r = write_list(&j, is_whole);
	close_folder(&j.f);
	free(j.hashes);
	free(j.is_staged);
	return r;
}

void
copy_result_done(struct copy_result *r)
{
	for (size_t i = 0; i < r->changed.n; i++)
		free(r->changed.v[i]);
	free(r->changed.v);
	*r = (struct copy_result){ 0 };
}

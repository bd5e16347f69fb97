/* SPDX-License-Identifier: ISC */
/*
 * cmd_post_import.c - mailstead post import: the text of another status page
 * (proto/status/status_import.h) as posts. One that is here already, by its time
 * and title, is left alone, so that the same text can be imported again.
 */
#include "cli/post/cmd_post.h"
#include "cli/output/output.h"
#include "proto/status/status_import.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define POSTS_MAX 10000

struct import {
	struct buf text;
	struct str tags[STATUS_IMPORT_TAGS_MAX];
	size_t n_tags;
	struct status_import_post *posts;
	size_t n, cap;
	bool *is_known; /* of each of them */
	uint32_t added;
};

static int
read_text(struct admin *a, const char *file, struct buf *ret)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char part[KIB(16)];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_put(ret, part, (size_t)n);
	if (n < 0)
		admin_error(a, ADMIN_USAGE, "cannot read %s: %s", file,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return ADMIN_USAGE;
	if (ret->failed)
		return admin_error(a, ADMIN_USAGE,
		    "%s is too large: %zu bytes at most", file,
		    STATUS_IMPORT_MAX);
	return ADMIN_OK;
}

static int
find_posts(struct admin *a, const char *file, struct import *im)
{
	struct status_import it = status_import_begin(buf_str(&im->text));
	struct status_import_post p;

	while (im->n < POSTS_MAX && status_import_next(&it, &p)) {
		im->posts = x_grow(im->posts, &im->cap, im->n + 1, sizeof(p));
		im->posts[im->n++] = p;
	}
	if (im->n == 0)
		return admin_error(a, ADMIN_REFUSED,
		    "%s has no posts: a title is expected, and below it a date "
		    "like \"7 June 2018 09:12:19 +0000\"",
		    file);
	im->n_tags = status_import_tags(
	    buf_str(&im->text), im->tags, ARRAY_LEN(im->tags));
	im->is_known = x_calloc(im->n, sizeof(*im->is_known));
	return ADMIN_OK;
}

static void
compare_post(void *arg, UNUSED uint32_t number, const struct status_post *p)
{
	struct import *im = arg;

	for (size_t i = 0; i < im->n; i++)
		if (status_import_is(&im->posts[i], p))
			im->is_known[i] = true;
}

static int
add_post(struct admin *a, struct import *im, size_t i, bool is_dry_run)
{
	struct buf body = BUF_INIT(STATUS_BODY_MAX), slug = BUF_INIT(KIB(1));
	struct status_fault fault;
	struct status_post p;
	uint32_t number;
	int r = ADMIN_OK;

	if (!status_import_make(
		&im->posts[i], im->tags, im->n_tags, &body, &p, &fault))
		r = post_row_fault(a, &fault);
	if (r == ADMIN_OK && !is_dry_run)
		r = post_row_add(a, &p, &slug, &number);
	if (r == ADMIN_OK)
		im->added++;
	buf_done(&body);
	buf_done(&slug);
	return r;
}

static int
tell(struct admin *a, const struct import *im, bool is_dry_run)
{
	static const struct output_field fields[] = {
		{ "found", "found", OUTPUT_COUNT },
		{ "added", "added", OUTPUT_COUNT },
	};
	struct output *o;

	if (!a->is_json) {
		printf("%zu post%s found, %u %s\n", im->n, str_s(im->n),
		    im->added, is_dry_run ? "would be added" : "added");
		return ADMIN_OK;
	}
	o = output_new("", fields, ARRAY_LEN(fields));
	output_put_number(o, im->n);
	output_put_number(o, im->added);
	output_print_one(o, true);
	output_free(o);
	return ADMIN_OK;
}

static int
import_file(
    struct admin *a, const char *file, bool is_dry_run, struct import *im)
{
	int r = read_text(a, file, &im->text);

	if (r == ADMIN_OK)
		r = find_posts(a, file, im);
	if (r == ADMIN_OK)
		r = post_rows_each(a, compare_post, im);
	/* A page has the latest on top; numbers rise with time. */
	for (size_t i = im->n; i-- > 0 && r == ADMIN_OK;)
		if (!im->is_known[i])
			r = add_post(a, im, i, is_dry_run);
	return r;
}

static void
import_done(struct import *im)
{
	buf_done(&im->text);
	free(im->posts);
	free(im->is_known);
}

int
post_import_file(struct admin *a, const char *file)
{
	struct import im = { .text = BUF_INIT(STATUS_IMPORT_MAX) };
	int r = import_file(a, file, false, &im);

	import_done(&im);
	return r;
}

int
post_import(struct admin *a, struct post_words *w)
{
	struct import im = { .text = BUF_INIT(STATUS_IMPORT_MAX) };
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	r = import_file(a, w->args.words[0], w->is_dry_run, &im);
	if (r == ADMIN_OK)
		r = tell(a, &im, w->is_dry_run);
	import_done(&im);
	return r;
}

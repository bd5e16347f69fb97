/* SPDX-License-Identifier: ISC */
/* post_body.c - where the text of a post comes from. See post_body.h. */
#include "cli/post/post_body.h"

#include "proto/status/status_post.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0, or -errno. What is too long: ret->failed. */
static int
read_all(int fd, struct buf *ret)
{
	char part[KIB(8)];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_put(ret, part, (size_t)n);
	}
	return 0;
}

/* Line ends of other systems, and empty lines at the end. */
static void
straighten(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != '\r' || i + 1 == b->n || b->p[i + 1] != '\n')
			b->p[n++] = b->p[i];
	while (n > 0 && (b->p[n - 1] == '\n' || b->p[n - 1] == ' '))
		n--;
	b->n = n;
}

static int
check(struct admin *a, struct buf *ret)
{
	if (ret->failed)
		return admin_error(a, ADMIN_USAGE,
		    "the text is too long: a post has at most %zu bytes",
		    STATUS_BODY_MAX);
	straighten(ret);
	if (!status_is_body(buf_str(ret)))
		return admin_error(a, ADMIN_USAGE,
		    "the text is no UTF-8, or has control characters");
	return ADMIN_OK;
}

static int
read_file(struct admin *a, const char *file, struct buf *ret)
{
	bool is_input = strcmp(file, "-") == 0;
	int fd = is_input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : read_all(fd, ret);

	if (!is_input && fd >= 0)
		(void)close(fd);
	if (r < 0)
		return admin_error(a, ADMIN_USAGE, "cannot read %s: %s",
		    is_input ? "standard input" : file, strerror(-r));
	return check(a, ret);
}

/* --- the editor --------------------------------------------------------------- */

static const char *
editor(void)
{
	const char *names[] = { getenv("VISUAL"), getenv("EDITOR") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i] != NULL && names[i][0] != '\0')
			return names[i];
	return "vi";
}

/* By the shell, for people write words behind its name: "code --wait". */
static bool
run_editor(const char *path)
{
	char *command = x_asprintf("%s \"$1\"", editor());
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
		_exit(127);
	}
	free(command);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = str_from(s, (size_t)n);
	}
	return true;
}

/* Read by name: an editor may have put another file in its place. */
static int
edit_file(struct admin *a, int fd, const char *path, struct buf *ret)
{
	if (!write_all(fd, buf_str(ret)) || !write_all(fd, STR("\n")))
		return admin_error(a, ADMIN_TEMPFAIL, "cannot write %s: %s",
		    path, strerror(errno));
	if (!run_editor(path))
		return admin_error(a, ADMIN_REFUSED,
		    "the editor \"%s\" failed; nothing was changed. Set "
		    "EDITOR, "
		    "or use --file",
		    editor());
	ret->n = 0;
	return read_file(a, path, ret);
}

int
post_body_edit(struct admin *a, struct buf *ret)
{
	const char *dir = getenv("TMPDIR");
	char *path = x_asprintf("%s/mailstead-post-XXXXXX.md",
	    dir != NULL && dir[0] == '/' ? dir : "/tmp");
	int fd = mkostemps(path, 3, O_CLOEXEC);
	int r;

	if (fd < 0) {
		r = admin_error(a, ADMIN_TEMPFAIL, "cannot make %s: %s", path,
		    strerror(errno));
	} else {
		r = edit_file(a, fd, path, ret);
		(void)close(fd);
		(void)unlink(path);
	}
	free(path);
	return r;
}

int
post_body_need(struct admin *a, const struct buf *body)
{
	if (str_trim(buf_str(body)).n > 0)
		return ADMIN_OK;
	return admin_error(a, ADMIN_USAGE,
	    "a post needs a text: by --text, --file or standard input");
}

bool
post_body_is_piped(void)
{
	return !isatty(STDIN_FILENO);
}

int
post_body_read(struct admin *a, const char *text, const char *file,
    enum post_body_ask ask, struct buf *ret)
{
	if (text != NULL) {
		buf_put_c(ret, text);
		return check(a, ret);
	}
	if (file != NULL)
		return read_file(a, file, ret);
	if (post_body_is_piped())
		return read_file(a, "-", ret);
	return ask == POST_BODY_EDITOR ? post_body_edit(a, ret) : ADMIN_OK;
}

/* SPDX-License-Identifier: ISC */
/*
 * export_mbox.c - write one mailbox as an mbox file (mboxrd), beside its
 * place, and rename it when it is whole.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mailbox/exporter.h"
#include "proto/mailfile/mbox.h"
#include "proto/mime/mime_header.h"

#define WRITE_AT MIB(1)

/* One mailbox: the path itself; several: files in that folder. */
static int
make_path(struct export_writer *w)
{
	struct buf *p = &w->path;

	buf_put_c(p, w->target->path);
	if (w->target->mailbox.n > 0)
		return 0;
	if (mkdir(w->target->path, 0700) < 0 && errno != EEXIST)
		return -errno;
	buf_put_char(p, '/');
	/* import reads a backslash as the "/" between levels. */
	for (size_t i = 0; i < w->mailbox.n; i++)
		buf_put_char(
		    p, (char)(w->mailbox.p[i] == '/' ? '\\' : w->mailbox.p[i]));
	buf_put_c(p, ".mbox");
	return 0;
}

static char *
part_path(struct export_writer *w)
{
	return x_asprintf("%s.part", buf_c(&w->path));
}

int
export_mbox_open(struct export_writer *w)
{
	char *part CLEANUP(freep) = NULL;
	int r = make_path(w);

	if (r < 0)
		return r;
	part = part_path(w);
	w->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return w->fd < 0 ? -errno : 0;
}

static int
write_out(struct export_writer *w)
{
	struct str s = buf_str(&w->out);

	while (s.n > 0) {
		ssize_t n = write(w->fd, s.p, s.n);

		if (n < 0 && errno != EINTR)
			return -errno;
		s = str_from(s, n < 0 ? 0 : (size_t)n);
	}
	buf_reset(&w->out, WRITE_AT);
	return 0;
}

/* Who sent it: what stands in Return-Path, without brackets. */
static struct str
sender_of(struct str message)
{
	struct mime_field f;
	struct str s;

	if (!mime_header_find(message, STR("Return-Path"), &f))
		return STR_NONE;
	s = str_trim(f.value);
	if (str_starts(s, STR("<")) && str_ends(s, STR(">")))
		s = str_sub(s, 1, s.n - 2);
	return s;
}

int
export_mbox_put(struct export_writer *w, const struct export_message *m)
{
	mbox_from_format(
	    &(struct mbox_from){ sender_of(m->bytes), m->internaldate },
	    &w->out);
	/* In front, where they cannot be taken for the message's own last
	 * lines; import takes them out again. */
	mbox_put_status(&w->out, m->flags);
	if (m->n_keywords > 0) {
		buf_put_c(&w->out, "X-Keywords:");
		for (size_t i = 0; i < m->n_keywords; i++) {
			buf_put_char(&w->out, ' ');
			buf_put_str(&w->out, m->keywords[i]);
		}
		buf_put_char(&w->out, '\n');
	}
	mbox_put_message(&w->out, m->bytes);
	return w->out.n >= WRITE_AT ? write_out(w) : 0;
}

int
export_mbox_close(struct export_writer *w, bool is_whole)
{
	char *part CLEANUP(freep) = part_path(w);
	int r = 0;

	if (w->fd < 0)
		return 0;
	if (is_whole)
		r = write_out(w);
	if (r == 0 && is_whole && fsync(w->fd) < 0)
		r = -errno;
	closep(&w->fd);
	w->fd = -1;
	if (!is_whole || r < 0)
		return r;
	return rename(part, buf_c(&w->path)) < 0 ? -errno : 0;
}

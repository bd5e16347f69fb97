/* SPDX-License-Identifier: ISC */
/* message.c - the bytes of one message into a sealed memory file. */
#include "smtp/message.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define TAIL_MAX KIB(16) /* gathered before a write */

struct message *
message_new(const struct message_config *config)
{
	struct message *m = X_NEW(struct message);

	m->spool_bytes = config->spool_bytes;
	m->spool_max = config->spool_max;
	m->size_max = config->size_max;
	m->tail = BUF_INIT(TAIL_MAX);
	m->fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	m->is_failed = m->fd < 0;
	return m;
}

/* Give the memory back, as soon as it is known that it is of no use. */
static void
drop_bytes(struct message *m)
{
	buf_done(&m->tail);
	closep(&m->fd);
	m->fd = -1;
	*m->spool_bytes -= m->size;
	m->size = 0;
}

void
message_free(struct message *m)
{
	if (m == NULL)
		return;
	drop_bytes(m);
	free(m);
}

static bool
write_all(int fd, struct str s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_from(s, (size_t)n);
	}
	return true;
}

static void
flush(struct message *m)
{
	if (m->tail.n > 0 && !write_all(m->fd, buf_str(&m->tail)))
		m->is_failed = true;
	m->tail.n = 0;
}

void
message_put(struct message *m, struct str s)
{
	if (s.n == 0 || m->is_too_big || m->is_failed)
		return;
	if (s.n > m->size_max - m->size)
		m->is_too_big = true;
	else if (s.n > m->spool_max - MIN(m->spool_max, *m->spool_bytes))
		m->is_failed = true;
	if (m->is_too_big || m->is_failed) {
		drop_bytes(m);
		return;
	}
	if (!m->has_nul && memchr(s.p, '\0', s.n) != NULL)
		m->has_nul = true;
	m->size += s.n;
	*m->spool_bytes += s.n;
	if (s.n > TAIL_MAX - m->tail.n)
		flush(m);
	if (s.n < TAIL_MAX)
		buf_put_str(&m->tail, s);
	else if (!write_all(m->fd, s))
		m->is_failed = true;
	if (m->is_failed)
		drop_bytes(m);
}

void
message_check_eol(struct message *m, struct str s)
{
	if (s.n == 0 && m->is_after_cr)
		m->has_bare_eol = true;
	for (size_t i = 0; i < s.n && !m->has_bare_eol; i++) {
		char c = s.p[i];

		if (m->is_after_cr != (c == '\n'))
			m->has_bare_eol = true;
		m->is_after_cr = c == '\r';
	}
}

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

int
message_seal(struct message *m)
{

	if (!m->is_failed)
		flush(m);
	if (m->is_failed)
		return -ENOSPC;
	buf_done(&m->tail);
	if (fcntl(m->fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return 0;
}

/* All of from, from its beginning, to the present place in to. */
static bool
copy_file(int to, int from, uint64_t size)
{
	off_t at = 0;

	while ((uint64_t)at < size) {
		ssize_t n = sendfile(to, from, &at, size - (uint64_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
	}
	return true;
}

int
message_prepend(struct message *m, struct str lines)
{
	CLEANUP(closep) int fd = -1;

	if (lines.n > m->spool_max - MIN(m->spool_max, *m->spool_bytes))
		return -ENOSPC;
	fd = memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (!write_all(fd, lines) || !copy_file(fd, m->fd, m->size) ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return errno ? -errno : -EIO;
	closep(&m->fd);
	m->fd = TAKE_FD(fd);
	m->size += lines.n;
	*m->spool_bytes += lines.n;
	return 0;
}

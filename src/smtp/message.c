/* SPDX-License-Identifier: ISC */
/* message.c - the bytes of one message into a sealed memory file. */
#include "smtp/message.h"

#include "proc/ipc_msgs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Gathered before a write; a message that fits needs no file at all. */
#define TAIL_MAX INLINE_MESSAGE_MAX
/*
 * Room beyond spool_max for messages without a file. Large ones that come
 * slowly, or not to an end, can fill the rest; most mail still goes through.
 */
#define SMALL_RESERVE MIB(128)

struct message *
message_new(const struct message_config *config)
{
	struct message *m = X_NEW(struct message);

	m->spool_bytes = config->spool_bytes;
	m->spool_max = config->spool_max;
	m->size_max = config->size_max;
	m->tail = BUF_INIT(TAIL_MAX);
	m->fd = -1;
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

static int
new_file(void)
{
	return memfd_create("message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
}

static void
flush(struct message *m)
{
	if (m->fd < 0)
		m->fd = new_file();
	if (m->fd < 0 || !write_all(m->fd, buf_str(&m->tail)))
		m->is_failed = true;
	m->tail.n = 0;
}

static bool
has_room(const struct message *m, size_t n)
{
	bool is_small = m->fd < 0 && m->size + n <= TAIL_MAX;
	uint64_t max = m->spool_max + (is_small ? SMALL_RESERVE : 0);

	return n <= max - MIN(max, *m->spool_bytes);
}

void
message_put(struct message *m, struct str s)
{
	if (s.n == 0 || m->is_too_big || m->is_failed)
		return;
	if (s.n > m->size_max - m->size)
		m->is_too_big = true;
	else if (!has_room(m, s.n))
		m->is_failed = true;
	if (m->is_too_big || m->is_failed) {
		drop_bytes(m);
		return;
	}
	if (!m->has_nul && memchr(s.p, '\0', s.n) != NULL)
		m->has_nul = true;
	m->size += s.n;
	m->has_end = s.p[s.n - 1] == '\n';
	*m->spool_bytes += s.n;
	if (s.n > TAIL_MAX - m->tail.n)
		flush(m);
	if (m->is_failed)
		return drop_bytes(m);
	if (s.n <= TAIL_MAX - m->tail.n)
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

	if (!m->is_failed && m->fd >= 0)
		flush(m);
	if (m->is_failed)
		return -ENOSPC;
	if (m->fd < 0)
		return 0;
	buf_done(&m->tail);
	if (fcntl(m->fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return 0;
}

/* The bytes of from between two offsets, to the present place in to. */
static bool
copy_file(int to, int from, uint64_t begin, uint64_t end)
{
	off_t at = (off_t)begin;

	while ((uint64_t)at < end) {
		ssize_t n = sendfile(to, from, &at, end - (uint64_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
	}
	return true;
}

bool
message_lend(const struct message *m, struct str *ret_data, int *ret_fd)
{
	int fd = m->fd < 0 ? -1 : fcntl(m->fd, F_DUPFD_CLOEXEC, 3);

	if (m->fd >= 0 && fd < 0)
		return false;
	*ret_data = m->fd < 0 ? buf_str(&m->tail) : STR_NONE;
	*ret_fd = fd;
	return true;
}

static int
prepend_in_memory(struct message *m, struct str lines)
{
	struct buf b = BUF_INIT(2 * TAIL_MAX);

	buf_put_str(&b, lines);
	buf_put_str(&b, buf_str(&m->tail));
	if (b.failed) {
		buf_done(&b);
		return -ENOSPC;
	}
	buf_done(&m->tail);
	m->tail = b;
	return 0;
}

static int
prepend_in_file(struct message *m, struct str lines)
{
	CLEANUP(closep) int fd = new_file();

	if (fd < 0)
		return -errno;
	if (!write_all(fd, lines) || !copy_file(fd, m->fd, 0, m->size) ||
	    fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return errno ? -errno : -EIO;
	closep(&m->fd);
	m->fd = TAKE_FD(fd);
	return 0;
}

int
message_prepend(struct message *m, struct str lines)
{
	int r;

	if (!has_room(m, lines.n))
		return -ENOSPC;
	r = m->fd < 0 ? prepend_in_memory(m, lines) : prepend_in_file(m, lines);
	if (r < 0)
		return r;
	m->size += lines.n;
	*m->spool_bytes += lines.n;
	return 0;
}

/* --- taking parts out ------------------------------------------------------------ */

/* What is kept in front of each cut, and behind the last one. */
struct pieces {
	struct wire cuts;
	uint64_t at, size;
};

/* The next piece; false at the end, or when the cuts are wrong. */
static bool
next_piece(struct pieces *p, uint64_t *ret_begin, uint64_t *ret_end)
{
	struct msg_cut cut;

	if (p->cuts.failed || p->at > p->size)
		return false;
	*ret_begin = p->at;
	*ret_end = p->size;
	if (p->cuts.in.n == 0) {
		p->at = p->size + 1; /* that was the last one */
		return true;
	}
	if (!msg_cut_read(&p->cuts, &cut) || cut.offset < p->at ||
	    cut.n > p->size || cut.offset > p->size - cut.n) {
		p->cuts.failed = true;
		return false;
	}
	*ret_end = cut.offset;
	p->at = cut.offset + (uint64_t)cut.n;
	return true;
}

static int
cut_memory(struct message *m, struct pieces *p)
{
	struct buf b = BUF_INIT(TAIL_MAX);
	uint64_t begin, end;

	while (next_piece(p, &begin, &end))
		buf_put(&b, m->tail.p + begin, (size_t)(end - begin));
	if (p->cuts.failed) {
		buf_done(&b);
		return -EINVAL;
	}
	buf_done(&m->tail);
	m->tail = b;
	m->size = b.n;
	return 0;
}

static int
cut_file(struct message *m, struct pieces *p)
{
	CLEANUP(closep) int fd = new_file();
	uint64_t begin, end, size = 0;

	if (fd < 0)
		return -errno;
	while (next_piece(p, &begin, &end)) {
		if (!copy_file(fd, m->fd, begin, end))
			return errno ? -errno : -EIO;
		size += end - begin;
	}
	if (p->cuts.failed)
		return -EINVAL;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	closep(&m->fd);
	m->fd = TAKE_FD(fd);
	m->size = size;
	return 0;
}

int
message_cut(struct message *m, struct str cuts)
{
	struct pieces p = { .cuts = wire_read(cuts), .size = m->size };
	uint64_t before = m->size;
	int r = m->fd < 0 ? cut_memory(m, &p) : cut_file(m, &p);

	if (r == 0)
		*m->spool_bytes -= before - m->size;
	return r;
}

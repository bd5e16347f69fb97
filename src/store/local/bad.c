/* SPDX-License-Identifier: ISC */
/*
 * bad.c - what cannot be read is kept aside and named, never just skipped.
 *
 * bad/<segment>-<offset>.bin holds the bytes, .txt says in words what they
 * are, as far as they can be read: which shards and keys, which blobs.
 */
#include "store/local/local.h"

#include <fcntl.h>
#include <unistd.h>

#define TEXT_MAX  MIB(1)
#define KEEP_MAX  MIB(64)
#define NAME_SIZE 64

static void
put_key(struct buf *b, struct str key)
{
	for (size_t i = 0; i < key.n; i++) {
		unsigned char c = (unsigned char)key.p[i];

		if (c > ' ' && c < 0x7f && c != '\\')
			buf_put_char(b, (char)c);
		else
			buf_printf(b, "\\%02x", c);
	}
}

static void
put_op(struct buf *b, const struct op *op)
{
	static const char *const names[] = { "?", "put", "delete",
		"delete range", "blob", "references" };

	buf_printf(b, "  %s ", names[op->kind]);
	if (op->kind >= OP_BLOB) {
		buf_printf(b, "%llu (%u bytes, %u references)\n",
		    (unsigned long long)op->blob, op->raw, op->refs);
		return;
	}
	buf_printf(b, "shard %c/%llu key ",
	    ascii_is_alpha((char)op->shard.kind) ? op->shard.kind : '?',
	    (unsigned long long)op->shard.id);
	put_key(b, op->key);
	buf_put_char(b, '\n');
}

/* Read the ops without believing any checksum: it is for a person. */
static void
describe(struct buf *b, struct str bytes)
{
	struct wire w = wire_read(bytes);
	struct record rec = { .kind = RECORD_BATCH };
	struct op_reader o;
	uint32_t ops_len;
	struct op op;

	wire_get_u32(&w);
	ops_len = wire_get_u32(&w);
	rec.seq = wire_get_u64(&w);
	rec.ops = str_sub(bytes, RECORD_HEADER, ops_len);
	rec.data = str_from(bytes, RECORD_HEADER + (size_t)ops_len);
	wire_get_u64(&w);
	wire_get_u32(&w);
	if (wire_get_u32(&w) == RECORD_RELOC)
		rec.kind = RECORD_RELOC;
	buf_printf(b, "If its header can be believed, it is record %llu:\n",
	    (unsigned long long)rec.seq);
	o = op_read(&rec);
	while (op_next(&o, &op) > 0)
		put_op(b, &op);
}

static void
write_file(struct engine *e, int dirfd, const char *name, struct str bytes)
{
	struct iovec iov = { (void *)(uintptr_t)bytes.p, bytes.n };
	CLEANUP(closep)
	int fd =
	    e->fs->open(e->fs->arg, dirfd, name, O_WRONLY | O_CREAT | O_TRUNC);

	/* A report that cannot be written must not keep the store down. */
	if (fd >= 0 && fsops_write_all(e->fs, fd, &iov, 1, 0) == 0)
		(void)e->fs->fdatasync(e->fs->arg, fd);
}

void
bad_keep(struct engine *e, struct segment *s, uint64_t off, uint64_t end,
    const char *why)
{
	CLEANUP(closep) int dirfd = -1;
	CLEANUP(freep) char *bytes = NULL;
	struct buf text = BUF_INIT(TEXT_MAX);
	size_t n = (size_t)MIN(end - off, KEEP_MAX);
	char name[NAME_SIZE];
	int fd = segment_ref(&e->log, s);

	bytes = x_malloc(MAX(n, 1));
	if (fd >= 0) {
		if (fsops_read_all(fd, bytes, n, off) < 0)
			n = 0;
		segment_unref(&e->log, s);
	}
	s->is_bad = true;
	buf_printf(&text, "Segment %016llx, bytes %llu to %llu: %s.\n",
	    (unsigned long long)s->id, (unsigned long long)off,
	    (unsigned long long)end, why);
	describe(&text, str_make(bytes, n));

	dirfd = openat(e->dir_fd, "bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%016llx-%llu.bin",
	    (unsigned long long)s->id, (unsigned long long)off);
	write_file(e, dirfd, name, str_make(bytes, n));
	snprintf(name, sizeof(name), "%016llx-%llu.txt",
	    (unsigned long long)s->id, (unsigned long long)off);
	write_file(e, dirfd, name, buf_str(&text));
	(void)e->fs->sync_dir(e->fs->arg, dirfd);
	buf_done(&text);
}

void
bad_missing(struct engine *e, uint64_t id, uint64_t live)
{
	CLEANUP(closep)
	int dirfd =
	    openat(e->dir_fd, "bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf text = BUF_INIT(KIB(1));
	char name[NAME_SIZE];

	buf_printf(&text,
	    "Segment %016llx is missing; the index refers to %llu bytes in "
	    "it. A check names them.\n",
	    (unsigned long long)id, (unsigned long long)live);
	snprintf(
	    name, sizeof(name), "%016llx-missing.txt", (unsigned long long)id);
	write_file(e, dirfd, name, buf_str(&text));
	buf_done(&text);
}

/* SPDX-License-Identifier: ISC */
/* importer.c - batches of messages on their way in. See importer.h. */
#include "cli/mailbox/importer.h"

#include <unistd.h>

#include "auth/scram.h"
#include "proto/imap/imap_flags.h"
#include "proto/mime/mime_structure.h"
#include "proto/pop3/pop3_write.h"

#define KEY_BYTES 16

void
importer_init(struct importer *im, struct admin *a)
{
	*im = (struct importer){ .a = a,
		.mailbox = BUF_INIT(KIB(4)),
		.bytes = BUF_INIT(IMPORT_BATCH_BYTES + IMPORT_MESSAGE_MAX),
		.items = BUF_INIT(MIB(16)),
		.structures = BUF_INIT(MIME_STRUCTURE_MAX) };
}

void
importer_done(struct importer *im)
{
	buf_done(&im->mailbox);
	buf_done(&im->bytes);
	buf_done(&im->items);
	buf_done(&im->structures);
	free(im->seen);
	free(im->seen_times);
}

void
importer_skip(struct importer *im, const char *source, const char *why)
{
	progress_clear(&im->progress);
	fprintf(stderr, "mailstead: %s: skipped: %s\n", source, why);
	im->failed++;
}

/* --- keys ------------------------------------------------------------------------ */

static uint64_t *
seen_slot(struct importer *im, uint64_t print)
{
	size_t i = print & (im->cap_seen - 1);

	while (im->seen[i] && im->seen[i] != print)
		i = (i + 1) & (im->cap_seen - 1);
	return &im->seen[i];
}

static void
seen_grow(struct importer *im)
{
	size_t old_cap = im->cap_seen;
	uint64_t *old = im->seen;
	uint32_t *old_times = im->seen_times;

	im->cap_seen = old_cap ? old_cap * 2 : 1024;
	im->seen = x_calloc(im->cap_seen, sizeof(*im->seen));
	im->seen_times = x_calloc(im->cap_seen, sizeof(*im->seen_times));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i]) {
			uint64_t *to = seen_slot(im, old[i]);

			*to = old[i];
			im->seen_times[to - im->seen] = old_times[i];
		}
	free(old);
	free(old_times);
}

/* How many messages with this digest came before? */
static uint32_t
occurrence(struct importer *im, const uint8_t *digest)
{
	uint64_t print = be64_get(digest) | 1, *slot;

	if (im->n_seen * 2 >= im->cap_seen)
		seen_grow(im);
	slot = seen_slot(im, print);
	if (!*slot) {
		*slot = print;
		im->n_seen++;
	}
	return im->seen_times[slot - im->seen]++;
}

/* The text that the store knows this message by. */
static void
put_key(struct importer *im, const struct import_message *m, struct buf *out)
{
	struct buf b = BUF_INIT(KIB(8));
	uint8_t digest[SCRAM_KEY_BYTES];

	scram_hash(m->bytes, digest);
	buf_put(&b, digest, sizeof(digest));
	wire_put_str(&b, m->mailbox);
	wire_put_str(&b, m->unique);
	scram_hash(buf_str(&b), digest);
	if (m->unique.n == 0) {
		wire_put_u32(&b, occurrence(im, digest));
		scram_hash(buf_str(&b), digest);
	}
	buf_put_c(out, "import-");
	for (size_t i = 0; i < KEY_BYTES; i++)
		buf_printf(out, "%02x", digest[i]);
	buf_done(&b);
}

/* --- sending --------------------------------------------------------------------- */

static void
empty_batch(struct importer *im)
{
	buf_reset(&im->bytes, IMPORT_BATCH_BYTES);
	buf_reset(&im->items, MIB(1));
	im->n = 0;
}

/* Send these items, whose messages are in im->bytes. False: refused, reply
 * says why. */
static bool
append(struct importer *im, struct str items, size_t n, struct buf *reply,
    enum outcome *ret_outcome)
{
	struct buf body = BUF_INIT(MIB(16));
	struct msg_append_reply r;
	int fd = mailstore_memfd(buf_str(&im->bytes));

	if (fd < 0) {
		im->error = admin_error(
		    im->a, ADMIN_TEMPFAIL, "no memory file: %s", strerror(-fd));
		return true;
	}
	msg_append_put(
	    &body, &(struct msg_append){ buf_str(&im->mailbox), items });
	im->error = mailstore_ask(im->a,
	    &(struct admin_call){ MSG_APPEND, 0, buf_str(&body), fd },
	    ret_outcome, reply, NULL);
	close(fd);
	buf_done(&body);
	if (im->error != ADMIN_OK)
		return true;
	if (*ret_outcome != DONE)
		return false;
	if (!msg_append_reply_get(buf_str(reply), &r) || r.count > n) {
		im->error = admin_error(
		    im->a, ADMIN_TEMPFAIL, "the server's answer is no answer");
		return true;
	}
	im->added += r.count;
	im->known += n - r.count;
	return true;
}

/* One message of a batch was refused: find out which. */
static void
append_each(struct importer *im)
{
	struct buf reply = BUF_INIT(KIB(64)), one = BUF_INIT(MIB(16));
	struct wire w = wire_read(buf_str(&im->items));
	struct msg_append_item item;
	enum outcome o;

	while (im->error == ADMIN_OK && msg_append_item_read(&w, &item)) {
		buf_reset(&one, one.cap);
		msg_append_item_put(&one, &item);
		if (append(im, buf_str(&one), 1, &reply, &o))
			continue;
		progress_clear(&im->progress);
		admin_refused(im->a, o, buf_str(&reply), "a message");
		im->failed++;
	}
	buf_done(&reply);
	buf_done(&one);
}

static bool
is_about_one_message(enum reason r)
{
	return r == REASON_TOO_BIG || r == REASON_INTERNAL || r == REASON_NAME;
}

void
importer_flush(struct importer *im)
{
	struct buf reply = BUF_INIT(KIB(64));
	enum reason reason;
	enum outcome o;

	if (im->error == ADMIN_OK && im->n > 0 &&
	    !append(im, buf_str(&im->items), im->n, &reply, &o)) {
		reason = admin_reason(buf_str(&reply));
		if (o == PERMFAIL && im->n > 1 && is_about_one_message(reason))
			append_each(im);
		else {
			progress_clear(&im->progress);
			im->error = admin_refused(im->a, o, buf_str(&reply),
			    "import stopped (run it again to go on)");
		}
	}
	empty_batch(im);
	progress_set(&im->progress, im->done, im->added + im->known);
	buf_done(&reply);
}

/* The batch belongs to one mailbox, which must exist. */
static void
enter_mailbox(struct importer *im, struct str name)
{
	if (str_eq(buf_str(&im->mailbox), name))
		return;
	importer_flush(im);
	buf_reset(&im->mailbox, KIB(4));
	buf_put_str(&im->mailbox, name);
	im->mailboxes++;
	if (im->error == ADMIN_OK && !str_eq(name, STR("INBOX")))
		im->error = mailstore_create(im->a, name);
}

void
importer_add(struct importer *im, const struct import_message *m)
{
	struct msg_append_item item = { .size = m->bytes.n,
		.crlf_extra = pop3_crlf_extra(m->bytes),
		.flags = m->flags & IMAP_FLAGS_STORED,
		.keywords = m->keywords,
		.internaldate = m->date };
	struct buf key = BUF_INIT(64);

	if (im->error != ADMIN_OK)
		return;
	if (m->bytes.n == 0 || m->bytes.n > IMPORT_MESSAGE_MAX) {
		importer_skip(im, m->source,
		    m->bytes.n ? "larger than 256 MiB" : "empty");
		return;
	}
	enter_mailbox(im, m->mailbox);
	buf_reset(&im->structures, im->structures.cap);
	if (!mime_structure_build(m->bytes, NULL, &im->structures))
		buf_reset(&im->structures, im->structures.cap);
	/* A request holds 8 MiB of items. */
	if (im->items.n + im->structures.n + KIB(16) > MIB(6) ||
	    im->n == IMPORT_BATCH_MESSAGES ||
	    (im->n > 0 && im->bytes.n + m->bytes.n > IMPORT_BATCH_BYTES))
		importer_flush(im);
	put_key(im, m, &key);
	item.offset = im->bytes.n;
	item.structure = buf_str(&im->structures);
	item.dedupe = buf_str(&key);
	buf_put_str(&im->bytes, m->bytes);
	msg_append_item_put(&im->items, &item);
	im->added_bytes += m->bytes.n;
	im->n++;
	buf_done(&key);
}

/* SPDX-License-Identifier: ISC */
/*
 * import_mbox.c - read mbox files, of any size with the memory of one
 * message. Flags come from Status, X-Status and X-Keywords, which belong to
 * the mbox and not to the message: they are left out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/mailbox/importer.h"
#include "proto/imap/imap_flags.h"
#include "proto/imap/imap_utf7.h"
#include "proto/mailfile/mbox.h"
#include "proto/mime/mime_header.h"

struct reading {
	struct importer *im;
	const char *path;
	struct str mailbox;
	struct buf message;
	uint64_t date;
};

/* "a b,c" as a list of msg_text. */
static void
put_keywords(struct str value, struct buf *out)
{
	size_t at = 0, n = 0;

	for (size_t i = 0; i <= value.n; i++) {
		struct str word = str_sub(value, at, i - at);

		if (i < value.n && !strchr(" ,\t", value.p[i]))
			continue;
		if (imap_keyword_is_valid(word) && n++ < IMPORT_KEYWORDS_MAX)
			msg_text_put(out, &(struct msg_text){ word });
		at = i + 1;
	}
}

/* Is it a field that mail programs keep for themselves in an mbox? */
static bool
take_field(const struct mime_field *f, unsigned *flags, struct buf *keywords)
{
	struct str value = str_trim(f->value);

	if (str_eq_case(f->name, STR("Status")) ||
	    str_eq_case(f->name, STR("X-Status")))
		*flags |= mbox_status_flags(value);
	else if (str_eq_case(f->name, STR("X-Keywords")))
		put_keywords(value, keywords);
	else
		return str_eq_case(f->name, STR("X-UID")) ||
		       str_eq_case(f->name, STR("X-IMAP")) ||
		       str_eq_case(f->name, STR("X-IMAPbase"));
	return true;
}

/* Take those fields out of the message, in place; the answer is flags. */
static unsigned
take_fields(struct buf *message, struct buf *keywords)
{
	struct mime_header_iter it;
	struct mime_field f;
	unsigned flags = 0;
	size_t kept = 0, end = 0;

	mime_header_start(&it, buf_str(message));
	while (mime_header_next(&it, &f)) {
		end = f.off + f.whole.n;
		if (take_field(&f, &flags, keywords))
			continue;
		/* Only to the left of what the iterator still looks at. */
		memmove(message->p + kept, message->p + f.off, f.whole.n);
		kept += f.whole.n;
	}
	if (kept < end) {
		memmove(message->p + kept, message->p + end, message->n - end);
		message->n -= end - kept;
	}
	return flags;
}

static void
on_begin(void *arg, const struct mbox_from *from)
{
	struct reading *r = arg;

	buf_reset(&r->message, MIB(1));
	r->date = from->time;
}

static void
on_data(void *arg, struct str bytes)
{
	struct reading *r = arg;

	buf_put_str(&r->message, bytes);
}

static void
on_end(void *arg)
{
	struct reading *r = arg;
	struct buf keywords = BUF_INIT(KIB(8));
	unsigned flags;

	if (r->message.failed) {
		importer_skip(r->im, r->path, "a message over 256 MiB");
		return;
	}
	flags = take_fields(&r->message, &keywords);
	importer_add(r->im, &(struct import_message){ .mailbox = r->mailbox,
				.bytes = buf_str(&r->message),
				.flags = flags,
				.keywords = buf_str(&keywords),
				.date = r->date,
				.source = r->path });
	buf_done(&keywords);
}

static void
read_mbox(struct reading *r, int fd, enum mbox_quoting quoting)
{
	static const struct mbox_handlers handlers = { on_begin, on_data,
		on_end };
	struct mbox_reader reader;
	char *part = x_malloc(KIB(256));
	ssize_t n = 0;

	mbox_reader_init(&reader, quoting, &handlers, r);
	while (r->im->error == ADMIN_OK && (n = read(fd, part, KIB(256))) > 0) {
		mbox_reader_feed(&reader, str_make(part, (size_t)n));
		r->im->done += (uint64_t)n;
	}
	if (n < 0)
		importer_skip(r->im, r->path, strerror(errno));
	mbox_reader_finish(&reader);
	if (reader.junk > 0)
		importer_skip(r->im, r->path,
		    "what stands before the first \"From \" line; is this "
		    "an mbox?");
	mbox_reader_done(&reader);
	free(part);
}

static enum mbox_quoting
quoting_of(const struct import_source *s)
{
	return s->is_o ? MBOX_O : MBOX_RD;
}

static void
import_file(struct importer *im, const struct import_source *s,
    const char *path, struct str mailbox)
{
	struct reading r = { .im = im,
		.path = path,
		.mailbox = mailbox,
		.message = BUF_INIT(IMPORT_MESSAGE_MAX) };
	int fd CLEANUP(closep) = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		importer_skip(im, path, strerror(errno));
	else
		read_mbox(&r, fd, quoting_of(s));
	importer_flush(im);
	buf_done(&r.message);
}

void
import_mbox(struct importer *im, const struct import_source *s)
{
	struct stat st = { 0 };

	(void)stat(s->path, &st);
	progress_start(&im->progress, (uint64_t)st.st_size, !im->a->is_json);
	import_file(im, s, s->path, s->mailbox.n ? s->mailbox : STR("INBOX"));
}

/* Mailbox of a file in a folder: its name without ".mbox". */
static bool
mailbox_of(const char *file, struct str base, struct buf *ret)
{
	struct str name = str_c(file);

	if (str_ends(name, STR(".mbox")))
		name.n -= 5;
	if (base.n > 0) {
		buf_put_str(ret, base);
		buf_put_char(ret, '/');
	}
	buf_put_str(
	    ret, base.n == 0 && imap_name_is_inbox(name) ? STR("INBOX") : name);
	/* What export wrote for a "/". */
	for (size_t i = 0; i < ret->n; i++)
		if (ret->p[i] == '\\')
			ret->p[i] = '/';
	return imap_name_check(buf_str(ret)) == IMAP_NAME_OK;
}

static int
is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

void
import_mbox_folder(struct importer *im, const struct import_source *s)
{
	struct dirent **files = NULL;
	int n = scandir(s->path, &files, is_visible, alphasort);
	uint64_t total = 0;
	struct stat st;

	for (int i = 0; i < n; i++) {
		char *path = x_asprintf("%s/%s", s->path, files[i]->d_name);

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
			total += (uint64_t)st.st_size;
		free(path);
	}
	progress_start(&im->progress, total, !im->a->is_json);
	for (int i = 0; i < n; i++) {
		char *path = x_asprintf("%s/%s", s->path, files[i]->d_name);
		struct buf mailbox = BUF_INIT(KIB(4));

		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			;
		else if (mailbox_of(files[i]->d_name, s->mailbox, &mailbox))
			import_file(im, s, path, buf_str(&mailbox));
		else
			importer_skip(im, path, "not a mailbox name");
		buf_done(&mailbox);
		free(path);
		free(files[i]);
	}
	free(files);
}

/* SPDX-License-Identifier: ISC */
/* analyse_test.c - messages in memory files, sealed and not, good and bad. */
#include "../test.h"
#include "filter/analyse.h"
#include "proc/ipc_msgs.h"
#include "proto/mime/mime_author.h"
#include "proto/mime/mime_hop.h"
#include "proto/mime/mime_structure.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int
memfd(struct str s, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CHECK(fd >= 0, "memfd");
	CHECK(write(fd, s.p, s.n) == (ssize_t)s.n, "write");
	CHECK(fcntl(fd, F_ADD_SEALS, seals) == 0, "seal");
	return fd;
}

/* As filter does it. */
static int
analyse_fd(int fd, uint64_t size, bool wants_authors, struct analysis *ret)
{
	struct analyse_source src;
	int r = analyse_open(&src, fd, STR_NONE, size);

	if (r < 0)
		return r;
	analyse_bytes(src.message, wants_authors, STR("mx.example"), ret);
	analyse_close(&src);
	return 0;
}

static const struct str mail = { "Received: a\r\nReceived: b\r\n"
				 "Subject: x\r\n\r\nHello\r\n",
	47 };

TEST(sealed_or_not_the_answer_is_the_same)
{
	static const int seals[] = { 0, F_SEAL_WRITE | F_SEAL_SHRINK,
		F_SEAL_SHRINK };
	struct buf first = BUF_INIT(MIB(2));

	for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
		int fd = memfd(mail, seals[i]);
		struct mime_structure view;
		struct analysis a;

		CHECK(analyse_fd(fd, mail.n, false, &a) == 0, "analysed");
		CHECK(a.hops == 2, "hops");
		CHECK(a.missing == (MIME_LACKS_DATE | MIME_LACKS_FROM |
				       MIME_LACKS_MESSAGE_ID),
		    "missing");
		CHECK(!a.is_limited, "no limit");
		CHECK(mime_structure_view(buf_str(&a.structure), mail.n, &view),
		    "structure belongs to it");
		if (i == 0)
			buf_put_str(&first, buf_str(&a.structure));
		CHECK(str_eq(buf_str(&first), buf_str(&a.structure)), "same");
		analysis_done(&a);
		close(fd);
	}
	buf_done(&first);
}

TEST(authors_are_found_when_they_are_asked_for)
{
	struct str m = STR("From: We: a@b, \"c d\"@e;\r\n"
			   "From: f@g\r\n\r\n");
	struct analysis a;
	struct msg_text t;
	struct wire w;
	int fd = memfd(m, F_SEAL_WRITE | F_SEAL_SHRINK);

	analyse_bytes(m, false, STR("mx.example"), &a);
	CHECK(a.authors.n == 0 && a.author_faults == 0, "not asked for");
	analysis_done(&a);
	CHECK(analyse_fd(fd, m.n, true, &a) == 0, "analysed");
	w = wire_read(buf_str(&a.authors));
	CHECK(msg_text_read(&w, &t) && str_eq(t.text, STR("a@b")), "first");
	CHECK(msg_text_read(&w, &t) && str_eq(t.text, STR("c d@e")), "second");
	CHECK(a.author_faults == MIME_AUTHOR_TWICE, "two From fields");
	analysis_done(&a);
	close(fd);
}

TEST(what_cannot_be_read_is_said)
{
	int fd = memfd(mail, 0), pipes[2];
	struct analysis a;

	CHECK(analyse_fd(fd, mail.n + 1, false, &a) == -ENODATA, "shorter");
	CHECK(analyse_fd(fd, ANALYSE_SIZE_MAX + 1, false, &a) == -EFBIG, "big");
	CHECK(analyse_fd(fd, 0, false, &a) == 0, "empty is some message");
	analysis_done(&a);
	CHECK(pipe(pipes) == 0, "pipe");
	CHECK(analyse_fd(pipes[0], 1, false, &a) == -EBADF, "no file");
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

TEST(fields_that_forge_our_results_are_found)
{
	static const char head[] = "Received: a\r\n";
	static const char ours[] =
	    "Authentication-Results: mx.example;\r\n"
	    " spf=pass smtp.helo=a\r\n"
	    "AUTHENTICATION-RESULTS : MX.Example; none\r\n";
	static const char others[] = "Authentication-Results: mx2.example; "
				     "none\r\n";
	static const char again[] = "Authentication-Results: mx.example\r\n";
	static const char body[] =
	    "\r\nAuthentication-Results: mx.example; none\r\n";
	struct buf b = BUF_INIT(MIB(8));
	struct msg_cut cut;
	struct analysis a;
	struct wire w;

	buf_printf(&b, "%s%s%s%s%s", head, ours, others, again, body);
	analyse_bytes(buf_str(&b), false, STR("mx.example"), &a);
	w = wire_read(buf_str(&a.cuts));
	CHECK(msg_cut_read(&w, &cut), "the first two");
	CHECK(cut.offset == strlen(head) && cut.n == strlen(ours), "together");
	CHECK(msg_cut_read(&w, &cut), "and another");
	CHECK(cut.offset == strlen(head) + strlen(ours) + strlen(others) &&
		  cut.n == strlen(again),
	    "behind that of others");
	CHECK(w.in.n == 0 && !a.is_stuffed, "no more");
	analysis_done(&a);
	buf_reset(&b, 0);
	for (int i = 0; i <= ANALYSE_CUTS_N; i++)
		buf_printf(&b, "%sA: b\r\n", again);
	analyse_bytes(buf_str(&b), false, STR("mx.example"), &a);
	CHECK(a.is_stuffed && a.cuts.n <= ANALYSE_CUTS_MAX && !a.cuts.failed,
	    "bounded");
	analysis_done(&a);
	buf_done(&b);
}

/* A million fields, a thousand parts, nesting: all within the limits. */
TEST(hostile_messages_are_bounded)
{
	struct buf b = BUF_INIT(MIB(64));
	struct analysis a;

	for (int i = 0; i < 100000; i++)
		buf_put_c(&b, "To: a@b, c@d, e@f, \"g\" <h@i>\r\n");
	analyse_bytes(buf_str(&b), true, STR("mx.example"), &a);
	CHECK(a.structure.n > 0 && a.structure.n <= ANALYSE_STRUCTURE_MAX,
	    "fields");
	analysis_done(&a);
	buf_reset(&b, 0);
	for (int i = 0; i < 2000; i++)
		buf_printf(&b,
		    "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
		    "--b%d\r\n",
		    i, i);
	analyse_bytes(buf_str(&b), true, STR("mx.example"), &a);
	CHECK(a.is_limited, "said so");
	CHECK(a.structure.n > 0 && a.structure.n <= ANALYSE_STRUCTURE_MAX,
	    "nesting");
	analysis_done(&a);
	buf_done(&b);
}

TEST_MAIN(UNIT(sealed_or_not_the_answer_is_the_same),
    UNIT(authors_are_found_when_they_are_asked_for),
    UNIT(fields_that_forge_our_results_are_found),
    UNIT(what_cannot_be_read_is_said), UNIT(hostile_messages_are_bounded))

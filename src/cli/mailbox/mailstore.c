/* SPDX-License-Identifier: ISC */
/* mailstore.c - an administrator's session on an account. See the header. */
#include "cli/mailbox/mailstore.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define TRIES 5

int
mailstore_open(struct admin *a, const char *login)
{
	struct buf address = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf reply = BUF_INIT(KIB(4)), what = BUF_INIT(KIB(4));
	enum outcome o;
	int r = ADMIN_USAGE;

	if (admin_address(a, login, &address)) {
		msg_admin_session_put(
		    &body, &(struct msg_admin_session){ buf_str(&address) });
		r = admin_ask(a,
		    &(struct admin_call){ MSG_ADMIN_SESSION, MAILSTORE_SESSION,
			buf_str(&body), -1 },
		    &o, &reply, NULL);
		buf_printf(&what, "user %s", buf_c(&address));
		if (r == ADMIN_OK && o != DONE)
			r = admin_refused(a, o, buf_str(&reply), buf_c(&what));
	}
	buf_done(&address);
	buf_done(&body);
	buf_done(&reply);
	buf_done(&what);
	return r;
}

int
mailstore_ask(struct admin *a, const struct admin_call *call,
    enum outcome *ret_outcome, struct buf *reply, int *ret_fd)
{
	struct timespec pause = { .tv_nsec = 300000000 };
	struct admin_call c = *call;
	int r;

	c.session = MAILSTORE_SESSION;
	for (int i = 0;; i++) {
		r = admin_ask(a, &c, ret_outcome, reply, ret_fd);
		if (r != ADMIN_OK || *ret_outcome != TEMPFAIL || i == TRIES)
			return r;
		nanosleep(&pause, NULL);
	}
}

int
mailstore_create(struct admin *a, struct str name)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4));
	enum outcome o;
	int r;

	msg_mailbox_create_put(
	    &body, &(struct msg_mailbox_create){ .name = name });
	r = mailstore_ask(a,
	    &(struct admin_call){ MSG_MAILBOX_CREATE, 0, buf_str(&body), -1 },
	    &o, &reply, NULL);
	buf_printf(&what, "mailbox %.*s", STR_ARG(name));
	if (r == ADMIN_OK && o != DONE &&
	    admin_reason(buf_str(&reply)) != REASON_EXISTS)
		r = admin_refused(a, o, buf_str(&reply), buf_c(&what));
	buf_done(&body);
	buf_done(&reply);
	buf_done(&what);
	return r;
}

int
mailstore_memfd(struct str bytes)
{
	int fd = memfd_create("import", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int e = 0;

	if (fd < 0)
		return -errno;
	while (bytes.n > 0 && e == 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0)
			e = errno == EINTR ? 0 : errno;
		else
			bytes = str_from(bytes, (size_t)n);
	}
	if (e == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		e = errno;
	if (e) {
		close(fd);
		return -e;
	}
	return fd;
}

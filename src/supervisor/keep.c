/* SPDX-License-Identifier: ISC */
/*
 * keep.c - memory that outlives the process that writes it, and us.
 *
 * A file in run/ that the process maps: what it has written is in the system's
 * memory, whoever is killed. It is never synced, for it need not survive the
 * machine. Here it is made and handed over, and never read.
 */
#include "supervisor/internal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int
open_file(const char *path, uint32_t size)
{
	CLEANUP(closep)
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* With its bytes on disk: a full disk is found here, not at a write. */
	r = posix_fallocate(fd, 0, size);
	if (r != 0)
		return -r;
	return TAKE_FD(fd);
}

int
keep_open(const struct supervisor *sup, const char *name, uint32_t size)
{
	char *path = x_asprintf("%s/run/%s", sup->conf->data_dir, name);
	int fd = open_file(path, size);

	if (fd < 0) {
		log_event(
		    EV_SUP_KEEP, LC("path", path), LC("error", strerror(-fd)));
		fd = memfd_create(name, MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, size) < 0)
			die("%s: %s", path, strerror(errno));
	}
	free(path);
	return fd;
}

void
keep_send(int keep, struct ipc_peer *to, uint32_t size)
{
	struct msg_ctl_keep m = { .size = size };
	struct buf body = BUF_INIT(KIB(1));
	int fd = fcntl(keep, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		die("memory that is kept: %s", strerror(errno));
	msg_ctl_keep_put(&body, &m);
	ipc_notify(to, MSG_CTL_KEEP, 0, buf_str(&body), fd);
	buf_done(&body);
}

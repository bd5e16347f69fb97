/* SPDX-License-Identifier: ISC */
/* cells.c - files of counts. See cells.h. */
#include "watch/reach/cells.h"

#include <fcntl.h>
#include <unistd.h>

int
cells_open(const char *dir, const char *name)
{
	CLEANUP(freep) char *path = x_asprintf("%s/%s", dir, name);

	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int
cells_write(int fd, const uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0)
			return -errno;
		p += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

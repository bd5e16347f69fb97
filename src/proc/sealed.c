/* SPDX-License-Identifier: ISC */
/* sealed.c - messages that were made here, as descriptors. See sealed.h. */
#include "proc/sealed.h"

#include "proc/ipc_msgs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sealed file with the text, for what does not fit into a message. */
static int
sealed_file(struct str s)
{
	int fd = memfd_create("report", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	while (fd >= 0 && s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			closep(&fd);
		else
			s = str_from(s, (size_t)n);
	}
	if (fd >= 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		closep(&fd);
	return fd;
}

bool
sealed_lend(struct str text, struct str *ret_data, int *ret_fd)
{
	*ret_fd = -1;
	*ret_data = STR_NONE;
	if (text.n <= INLINE_MESSAGE_MAX)
		*ret_data = text;
	else
		*ret_fd = sealed_file(text);
	return text.n <= INLINE_MESSAGE_MAX || *ret_fd >= 0;
}

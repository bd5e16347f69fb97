/* SPDX-License-Identifier: ISC */
/* notify_test.c - what a service manager hears. */
#include "../test.h"
#include "supervisor/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
listen_at(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t n = strlen(name);

	memcpy(un.sun_path, name, n);
	if (name[0] == '@')
		un.sun_path[0] = '\0';
	assert_int_equal(
	    bind(fd, (const struct sockaddr *)&un,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	return fd;
}

static void
hears(const char *name)
{
	int fd = listen_at(name);
	char got[64] = "";

	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_manager("READY=1\nSTATUS=x"), 0);
	assert_int_equal(recv(fd, got, sizeof(got) - 1, 0), 16);
	assert_string_equal(got, "READY=1\nSTATUS=x");
	(void)close(fd);
}

TEST(a_manager_hears_at_its_path_or_abstract_name)
{
	char dir[] = "/tmp/notify-XXXXXX", path[64], name[64];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	hears(path);
	(void)unlink(path);
	(void)rmdir(dir);
	snprintf(name, sizeof(name), "@mailstead-test-%d", (int)getpid());
	hears(name);
}

TEST(without_a_manager_nothing_is_done)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_manager("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_manager("READY=1"), 0);
}

TEST(a_socket_that_is_none_is_an_error_and_no_more)
{
	char longest[200];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(notify_manager("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:1:2", 1);
	assert_int_equal(notify_manager("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/nonexistent/s", 1);
	assert_int_equal(notify_manager("READY=1"), -ENOENT);
}

TEST_MAIN(UNIT(a_manager_hears_at_its_path_or_abstract_name),
    UNIT(without_a_manager_nothing_is_done),
    UNIT(a_socket_that_is_none_is_an_error_and_no_more))

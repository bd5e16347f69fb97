/* SPDX-License-Identifier: ISC */
/* agent_dir.c - the folder of an agent. See agent.h. */
#include "watch/agent/agent.h"

#include "base/hash.h"
#include "base/secret.h"
#include "proto/status/status_text.h"

#include <fcntl.h>
#include <unistd.h>

#define SELF_MAX KIB(4)

int
agent_dir_write(const char *dir, const char *name, struct str bytes)
{
	CLEANUP(freep) char *path = x_asprintf("%s/%s", dir, name);
	CLEANUP(freep) char *fresh = x_asprintf("%s.new", path);
	CLEANUP(closep)
	int fd = open(
	    fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (done < bytes.n) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	if (fdatasync(fd) < 0 || rename(fresh, path) < 0)
		return -errno;
	return 0;
}

int
agent_dir_read(const char *dir, const char *name, size_t max, struct buf *ret)
{
	CLEANUP(freep) char *path = x_asprintf("%s/%s", dir, name);
	CLEANUP(closep)
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	buf_init(ret, max);
	do {
		char *to = buf_reserve(ret, MIN(max - ret->n, KIB(64)));

		if (to == NULL || max == ret->n)
			break;
		n = read(fd, to, MIN(max - ret->n, KIB(64)));
		if (n > 0)
			ret->n += (size_t)n;
	} while (n > 0);
	return 0;
}

bool
agent_url_parse(const char *url, char **ret_host, uint16_t *ret_port)
{
	struct str s = str_c(url), host;
	uint16_t port;

	if (!str_starts_case(s, STR("https://")))
		return false;
	s = str_from(s, 8);
	if (str_ends(s, STR("/")))
		s.n--;
	if (!status_host_port(s, &host, &port) || host.n > DNS_NAME_MAX)
		return false;
	*ret_host = str_dup(host);
	*ret_port = port != 0 ? port : 443;
	return true;
}

/* --- who it is ------------------------------------------------------------------- */

static int
load_self(struct agent *a)
{
	struct buf b = BUF_INIT(SELF_MAX);
	struct str magic, url, id, rest;
	int r = agent_dir_read(a->dir, AGENT_FILE_SELF, SELF_MAX, &b);

	if (r == -ENOENT) {
		fprintf(stderr,
		    "mailstead: agent: %s is no folder of an agent; make one "
		    "with 'mailstead agent enrol'\n",
		    a->dir);
		return -1;
	}
	rest = str_split(buf_str(&b), '\n', &magic);
	rest = str_split(rest, '\n', &url);
	(void)str_split(rest, '\n', &id);
	if (r == 0 && str_eq(magic, STR(AGENT_SELF_MAGIC)) &&
	    status_is_id(id)) {
		CLEANUP(freep) char *text = str_dup(url);

		a->id = str_dup(id);
		if (agent_url_parse(text, &a->host, &a->port)) {
			buf_done(&b);
			return 0;
		}
	}
	fprintf(stderr, "mailstead: agent: %s/%s: %s\n", a->dir,
	    AGENT_FILE_SELF, r < 0 ? strerror(-r) : "it is damaged");
	buf_done(&b);
	return -1;
}

static int
load_key(struct agent *a)
{
	struct buf b = BUF_INIT(CRYPT_PEM_MAX);
	int r = agent_dir_read(a->dir, AGENT_FILE_KEY, CRYPT_PEM_MAX, &b);

	if (r == 0)
		a->key = crypt_key_from_pem(buf_str(&b));
	buf_done_secret(&b);
	if (a->key != NULL)
		return 0;
	fprintf(stderr, "mailstead: agent: %s/%s: %s\n", a->dir, AGENT_FILE_KEY,
	    r < 0 ? strerror(-r) : "no private key");
	return -1;
}

static int
load_conf(struct agent *a)
{
	CLEANUP(freep)
	char *path = x_asprintf("%s/%s", a->dir, AGENT_FILE_CONF);
	char *error = NULL;

	if (conf_load_agent(path, &a->sv.conf, &error) == 0)
		return 0;
	fprintf(stderr, "mailstead: agent: %s\n", error);
	free(error);
	return -1;
}

static uint64_t
boot_of(void)
{
	struct buf b = BUF_INIT(KIB(1));
	uint64_t boot = 0;

	/* Without it, each process is a boot of its own. */
	if (agent_dir_read("/proc/sys/kernel/random", "boot_id", KIB(1), &b) ==
		0 &&
	    b.n > 0)
		boot = hash64(b.p, b.n);
	else
		secret_random(&boot, sizeof(boot));
	buf_done(&b);
	return boot;
}

int
agent_dir_load(struct agent *a, const char *dir)
{
	a->dir = dir;
	a->boot = boot_of();
	if (load_self(a) < 0 || load_key(a) < 0 || load_conf(a) < 0)
		return -1;
	return 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * demo_files.c - the demo's folder, certificate and configuration file.
 *
 * What is there stays as it is, so that people can change the configuration
 * and try. The key is made by the openssl command, in a file of its own that
 * takes its name only when it is complete.
 */
#include "cli/demo/demo.h"

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Configurations that are kept; the last one is written over. */
#define OLD_MAX 99

extern char **environ;

/* --- folder ------------------------------------------------------------------- */

/* A path goes into a quoted string of the configuration file. */
static bool
is_clean_path(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7F)
			return false;
	return true;
}

static int
make_folder(struct admin *a, struct demo *d, const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return admin_error(a, ADMIN_REFUSED,
		    "cannot make the folder %s: %s", dir, strerror(errno));
	d->dir = realpath(dir, NULL);
	if (!d->dir || stat(d->dir, &st) < 0 || !S_ISDIR(st.st_mode))
		return admin_error(a, ADMIN_REFUSED, "%s is not a folder", dir);
	if (access(d->dir, W_OK | X_OK) < 0)
		return admin_error(a, ADMIN_REFUSED, "cannot write to %s: %s",
		    d->dir, strerror(errno));
	d->conf_path = x_asprintf("%s/mailstead.conf", d->dir);
	d->control = x_asprintf("%s/run/control.sock", d->dir);
	d->marker_path = x_asprintf("%s/demo-accounts", d->dir);
	d->ports_path = x_asprintf("%s/demo-ports", d->dir);
	if (strlen(d->control) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return admin_error(a, ADMIN_REFUSED,
		    "the path %s is too long for a Unix socket; choose a "
		    "shorter one",
		    d->control);
	if (!is_clean_path(d->dir))
		return admin_error(a, ADMIN_REFUSED,
		    "the folder's name has control characters; choose "
		    "another");
	return ADMIN_OK;
}

/* --- certificate ---------------------------------------------------------------- */

static int
run_openssl(char *const argv[])
{
	posix_spawn_file_actions_t fa;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&fa);
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(
		    &fa, fd, "/dev/null", O_RDWR, 0);
	if (posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&fa);
	return status;
}

static char *
word(const char *s)
{
	return x_strdup(s);
}

static int
make_pair(const char *key, const char *certificate)
{
	char *argv[] = { word("openssl"), word("req"), word("-x509"),
		word("-newkey"), word("ec"), word("-pkeyopt"),
		word("ec_paramgen_curve:prime256v1"), word("-nodes"),
		word("-batch"), word("-days"), word("3650"), word("-subj"),
		word("/CN=mail." DEMO_DOMAIN), word("-addext"),
		word("subjectAltName=DNS:mail." DEMO_DOMAIN ",DNS:" DEMO_DOMAIN
		     ",DNS:localhost,IP:127.0.0.1"),
		word("-keyout"), word(key), word("-out"), word(certificate),
		NULL };
	int status = run_openssl(argv);

	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	return status;
}

static int
make_certificate(struct admin *a, const struct demo *d)
{
	CLEANUP(freep) char *key = x_asprintf("%s/key.pem", d->dir);
	CLEANUP(freep) char *cert = x_asprintf("%s/certificate.pem", d->dir);
	CLEANUP(freep) char *new_key = x_asprintf("%s.new", key);
	CLEANUP(freep) char *new_cert = x_asprintf("%s.new", cert);

	if (access(key, F_OK) == 0 && access(cert, F_OK) == 0)
		return ADMIN_OK;
	if (make_pair(new_key, new_cert) != 0)
		return admin_error(a, ADMIN_REFUSED,
		    "cannot make a certificate: the openssl command failed "
		    "(Debian package openssl)");
	/* The certificate last: with it the pair is complete. */
	if (rename(new_key, key) < 0 || rename(new_cert, cert) < 0)
		return admin_error(
		    a, ADMIN_REFUSED, "%s: %s", cert, strerror(errno));
	return ADMIN_OK;
}

/* --- configuration ---------------------------------------------------------------- */

/* In single quotes nothing is expanded; two characters need a backslash. */
static void
put_quoted(struct buf *b, const char *s)
{
	buf_put_char(b, '\'');
	for (; *s; s++) {
		if (*s == '\'' || *s == '\\')
			buf_put_char(b, '\\');
		buf_put_char(b, *s);
	}
	buf_put_char(b, '\'');
}

static void
put_path(struct buf *b, const char *key, const struct demo *d, const char *name)
{
	CLEANUP(freep) char *path = x_asprintf("%s%s", d->dir, name);

	buf_put_c(b, key);
	put_quoted(b, path);
	buf_put_c(b, "\n");
}

static void
put_listen(struct buf *b, const struct demo *d)
{
	static const struct {
		const char *key;
		unsigned port;
	} services[] = {
		{ "mx", 25 },
		{ "submission", 587 },
		{ "submissions", 465 },
		{ "imap", 143 },
		{ "imaps", 993 },
		{ "pop3", 110 },
		{ "pop3s", 995 },
		{ "http", 80 },
		{ "https", 443 },
	};

	buf_put_c(b, "\nlisten {\n");
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		buf_printf(b, "\t%s = { \"127.0.0.1:%u\" }\n", services[i].key,
		    d->ports + services[i].port);
	buf_put_c(b, "\tlmtp = { ");
	{
		CLEANUP(freep)
		char *path = x_asprintf("%s/run/lmtp.sock", d->dir);

		put_quoted(b, path);
	}
	buf_printf(b, " }\n\tmetrics = \"127.0.0.1:%u\"\n}\n", d->ports + 90);
}

/* Its links lead to the demo itself: nobody leaves this machine by accident. */
static void
put_site(struct buf *b, const struct demo *d)
{
	unsigned http = d->ports + 80, https = d->ports + 443;

	buf_printf(b,
	    "\n# The status site.\nsite {\n"
	    "\ttitle = \"Demo Mail\"\n"
	    "\turl = \"https://127.0.0.1:%u\"\n"
	    "\tcontact = \"support@" DEMO_DOMAIN "\"\n"
	    "\tmail_host = \"127.0.0.1:%u\"\n",
	    https, https);
	buf_printf(b,
	    "\tlinks = { \"http://127.0.0.1:%u/calendar.ics "
	    "Planned work as a calendar\", "
	    "\"http://127.0.0.1:%u/api/v1/openapi.json "
	    "What programs can ask\", "
	    "\"mailto:postmaster@" DEMO_DOMAIN " Write to the postmaster\" }"
	    "\n}\n",
	    http, http);
}

/* Can everybody pass all folders above this one? */
static bool
is_open_above(const char *dir)
{
	CLEANUP(freep) char *path = x_strdup(dir);
	char *slash;
	struct stat st;

	while ((slash = strrchr(path, '/')) != NULL && slash != path) {
		*slash = '\0';
		if (stat(path, &st) < 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

/*
 * Started as root, the processes become an ordinary user that owns nothing
 * else on a usual system. In a closed home that user could not reach the
 * folder: there they stay root, without capabilities and in their sandbox,
 * and `mailstead status` says so.
 */
static const char *
unprivileged_user(const struct demo *d)
{
	return getpwnam("nobody") && is_open_above(d->dir) ? "nobody" : "";
}

static void
put_configuration(struct buf *b, const struct demo *d)
{
	buf_put_c(b, "# Made by `mailstead demo`. Change it and try: "
		     "`mailstead reload` takes it over.\n"
		     "# Remove it, and the next start makes it anew. See "
		     "mailstead.conf(5).\n"
		     "hostname = \"mail." DEMO_DOMAIN "\"\n");
	put_path(b, "data = ", d, "");
	buf_printf(b, "user = \"%s\"\n", unprivileged_user(d));
	buf_put_c(
	    b, "log_level = \"warn\" # info shows every event\n\ntls {\n");
	put_path(b, "\tcertificate = ", d, "/certificate.pem");
	put_path(b, "\tkey = ", d, "/key.pem");
	buf_put_c(b, "}\n");
	put_listen(b, d);
	put_site(b, d);
	buf_put_c(b, "\n# All clients of a demo have one address.\n"
		     "limits {\n\tconnections = 20000\n"
		     "\tconnections_per_address = 0\n"
		     "\trate_per_address = 0\n}\n");
	buf_put_c(b, "\n# Checks that come by the HTTP API may go to the "
		     "demo itself.\n"
		     "watch {\n\tapi_networks = { \"127.0.0.0/8\" }\n}\n");
	buf_put_c(b, "\n# Mail for other servers is held in the queue: a demo "
		     "reaches nobody by accident.\n"
		     "# A route lets a domain out:\n"
		     "# send {\n#\troutes = { \"example.net "
		     "127.0.0.1:2525\" }\n# }\n"
		     "send {\n\tdirect = no\n}\n");
	buf_put_c(b, "\n# Nobody publishes the keys of a demo.\n"
		     "dkim {\n\tcheck = no\n}\n");
}

static int
write_configuration(struct admin *a, const struct demo *d)
{
	CLEANUP(freep) char *fresh = x_asprintf("%s.new", d->conf_path);
	CLEANUP(closep) int fd = -1;
	struct buf b = BUF_INIT(KIB(64));
	bool is_written;

	put_configuration(&b, d);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	is_written = fd >= 0 && !b.failed &&
	             write(fd, b.p, b.n) == (ssize_t)b.n &&
	             rename(fresh, d->conf_path) == 0;
	buf_done(&b);
	if (!is_written)
		return admin_error(
		    a, ADMIN_REFUSED, "%s: %s", d->conf_path, strerror(errno));
	return ADMIN_OK;
}

/* --- ports --------------------------------------------------------------------------- */

/* What stands in for other systems is not in the configuration, and is found where it
 * was: the checks know it by its port. */
static int
write_ports(struct admin *a, const struct demo *d)
{
	CLEANUP(freep) char *text = x_asprintf("%u\n", d->ports);
	CLEANUP(closep)
	int fd =
	    open(d->ports_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return admin_error(
		    a, ADMIN_REFUSED, "%s: %s", d->ports_path, strerror(errno));
	return ADMIN_OK;
}

/* False: a demo that was made before there were any, which has them where they are
 * usual. */
static bool
read_ports(const struct demo *d, uint32_t *ret)
{
	CLEANUP(closep) int fd = open(d->ports_path, O_RDONLY | O_CLOEXEC);
	char text[16];
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
	struct str line;

	if (n <= 0)
		return false;
	(void)str_split(str_make(text, (size_t)n), '\n', &line);
	return str_to_u32(line, DEMO_PORTS_MAX, ret);
}

/* Is there one, for this folder? One with an error stays too: the start says
 * what is wrong with it. */
static bool
has_configuration(const struct demo *d)
{
	struct conf *c = NULL;
	char *error = NULL;
	bool is_ours = true;

	if (access(d->conf_path, F_OK) < 0)
		return false;
	if (conf_load(d->conf_path, &c, &error) == 0) {
		is_ours = strcmp(c->data_dir, d->dir) == 0;
		conf_free(c);
	}
	free(error);
	return is_ours;
}

/* What somebody may have changed since is kept beside the new one. */
static int
put_aside(struct admin *a, const struct demo *d)
{
	CLEANUP(freep) char *to = x_asprintf("%s.old", d->conf_path);

	for (unsigned n = 1; access(to, F_OK) == 0 && n <= OLD_MAX; n++) {
		free(to);
		to = x_asprintf("%s.old.%u", d->conf_path, n);
	}
	if (rename(d->conf_path, to) < 0)
		return errno == ENOENT ? ADMIN_OK
		                       : admin_error(a, ADMIN_REFUSED, "%s: %s",
					     to, strerror(errno));
	fprintf(stderr,
	    "mailstead: the configuration is written anew; the one before is "
	    "%s\n",
	    to);
	return ADMIN_OK;
}

/* As it is, unless other ports are asked for. */
static bool
is_kept(struct demo *d)
{
	uint32_t was;

	if (!has_configuration(d))
		return false;
	if (!d->has_ports) {
		(void)!read_ports(d, &d->ports);
		return true;
	}
	return read_ports(d, &was) && was == d->ports;
}

static int
make_configuration(struct admin *a, const struct demo *d)
{
	int r = put_aside(a, d);

	if (r == ADMIN_OK)
		r = write_configuration(a, d);
	return r == ADMIN_OK ? write_ports(a, d) : r;
}

int
demo_make_files(struct admin *a, struct demo *d, const char *dir)
{
	mode_t old = umask(0077);
	int r = make_folder(a, d, dir);

	if (r == ADMIN_OK)
		r = make_certificate(a, d);
	if (r == ADMIN_OK && !is_kept(d))
		r = make_configuration(a, d);
	umask(old);
	return r;
}

void
demo_done(struct demo *d)
{
	free(d->dir);
	free(d->conf_path);
	free(d->control);
	free(d->marker_path);
	free(d->ports_path);
}

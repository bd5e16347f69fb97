/* SPDX-License-Identifier: ISC */
/*
 * demo_tell.c - wait for the demo's ports, then say what to try.
 */
#include "cli/demo/demo.h"
#include "cli/demo/stand_in.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 5000

/* --- ports ---------------------------------------------------------------------- */

static int
connect_to(const struct conf_listener *l)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(l->port) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	bool is_path = l->address[0] == '/';
	int fd =
	    socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -1;
	if (is_path) {
		snprintf(un.sun_path, sizeof(un.sun_path), "%s", l->address);
		r = connect(fd, (struct sockaddr *)&un, sizeof(un));
	} else if (inet_pton(AF_INET, l->address, &in.sin_addr) == 1) {
		r = connect(fd, (struct sockaddr *)&in, sizeof(in));
	} else {
		r = -1;
	}
	if (r < 0)
		closep(&fd);
	return fd;
}

/* The greeting's first byte has come, or the answer's where clients begin. */
static bool
answers(const struct conf_listener *l)
{
	static const char question[] = "HEAD /robots.txt HTTP/1.0\r\n\r\n";
	CLEANUP(closep) int fd = connect_to(l);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char c;

	if (fd < 0)
		return false;
	if (l->service == SERVICE_HTTP)
		(void)!send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL);
	return poll(&p, 1, ANSWER_MS) == 1 && recv(fd, &c, 1, 0) == 1;
}

bool
demo_ports_answer(const struct conf *c)
{
	for (uint32_t i = 0; i < c->listener_count; i++) {
		const struct conf_listener *l = &c->listeners[i];

		/* Where TLS is first the client speaks first; these are served
		 * by the same processes as the others. IPv6: somebody changed
		 * the file. */
		if (service_is_implicit_tls(l->service) ||
		    strchr(l->address, ':'))
			continue;
		if (!answers(l)) {
			fprintf(stderr,
			    "mailstead: %s does not answer on %s port %u\n",
			    service_name(l->service), l->address, l->port);
			return false;
		}
	}
	return true;
}

/* --- words ----------------------------------------------------------------------- */

static unsigned
port_of(const struct conf *c, enum service service)
{
	for (uint32_t i = 0; i < c->listener_count; i++)
		if (c->listeners[i].service == service)
			return c->listeners[i].port;
	return 0;
}

/* For a shell: in quotes if it has anything but plain characters. */
static void
put_word(struct buf *b, const char *s)
{
	bool is_plain = s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._-+@")] == '\0';

	if (is_plain) {
		buf_put_c(b, s);
		return;
	}
	buf_put_char(b, '\'');
	for (; *s; s++)
		if (*s == '\'')
			buf_put_c(b, "'\\''");
		else
			buf_put_char(b, *s);
	buf_put_char(b, '\'');
}

void
demo_tell(const struct demo *d, const struct conf *c)
{
	unsigned mx = port_of(c, SERVICE_MX);
	unsigned submission = port_of(c, SERVICE_SUBMISSION);
	unsigned imaps = port_of(c, SERVICE_IMAPS);
	unsigned pop3s = port_of(c, SERVICE_POP3S);
	struct buf self = BUF_INIT(KIB(8));

	put_word(&self, program_invocation_name);
	buf_put_c(&self, " -c ");
	put_word(&self, d->conf_path);
	printf("\nThe status site: http://127.0.0.1:%u/ and "
	       "https://127.0.0.1:%u/\n",
	    port_of(c, SERVICE_HTTP), port_of(c, SERVICE_HTTPS));
	printf("\nMailstead demo: alice@%s, bob@%s and user1@ .. user%d@%s,\n"
	       "password %s. Data and configuration are in\n%s.\n\n",
	    DEMO_DOMAIN, DEMO_DOMAIN, DEMO_USERS, DEMO_DOMAIN, DEMO_PASSWORD,
	    d->dir);
	printf("  SMTP %u, submission %u (STARTTLS) and %u (TLS), IMAP %u and "
	       "%u (TLS),\n  POP3 %u and %u (TLS); the certificate is "
	       "self-signed.\n\nTry:\n",
	    mx, submission, port_of(c, SERVICE_SUBMISSIONS),
	    port_of(c, SERVICE_IMAP), imaps, port_of(c, SERVICE_POP3), pop3s);
	printf("  dig @" STAND_IN_PRIMARY " -p %u " DEMO_DOMAIN " SOA\n",
	    d->ports + STAND_IN_DNS_PORT);
	printf(
	    "  swaks --server 127.0.0.1:%u --to alice@" DEMO_DOMAIN "\n", mx);
	printf(
	    "  swaks --server 127.0.0.1:%u -tls --auth-user alice@" DEMO_DOMAIN
	    " \\\n      --auth-password " DEMO_PASSWORD
	    " --from alice@" DEMO_DOMAIN " --to bob@" DEMO_DOMAIN "\n",
	    submission);
	printf("  curl -k -u alice@" DEMO_DOMAIN ":" DEMO_PASSWORD
	       " 'imaps://127.0.0.1:%u/INBOX;MAILINDEX=*'\n",
	    imaps);
	printf("  curl -k -u alice@" DEMO_DOMAIN ":" DEMO_PASSWORD
	       " pop3s://127.0.0.1:%u/\n",
	    pop3s);
	printf("  neomutt -f imaps://alice%%40" DEMO_DOMAIN "@127.0.0.1:%u/\n",
	    imaps);
	printf("  %s status\n  %s user list\n  %s system list\n\nCtrl-C stops "
	       "it; started again "
	       "it has all mail.\n\n",
	    buf_c(&self), buf_c(&self), buf_c(&self));
	buf_done(&self);
}

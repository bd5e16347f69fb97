/* SPDX-License-Identifier: ISC */
/* dns_server.c - a conversation with one name server. See dns_server.h. */
#include "cli/dns/dns_server.h"

#include "net/connect.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define ANSWER_MS  15000
#define PREFIX     2 /* bytes of length in front of each message */

unsigned
dns_server_id(void)
{
	uint16_t id;

	secret_random(&id, sizeof(id));
	return id;
}

void
dns_server_init(struct dns_server *s, const struct dnsupdate_key *key,
    const struct sockaddr_storage *addrs, size_t n)
{
	*s = (struct dns_server){ .key = key, .fd = -1 };
	s->n_addrs = MIN(n, ARRAY_LEN(s->addrs));
	memcpy(s->addrs, addrs, s->n_addrs * sizeof(*addrs));
}

void
dns_server_close(struct dns_server *s)
{
	closep(&s->fd);
	s->fd = -1;
	s->was_used = false;
}

/* --- bytes -------------------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0 when fd is ready, else -errno. */
static int
wait_for(int fd, short events, int64_t until)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = until - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)left);
	} while (n == 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static socklen_t
address_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in)
	                               : sizeof(struct sockaddr_in6);
}

static int
connect_one(const struct sockaddr_storage *a, int *ret_fd)
{
	int fd =
	    socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(int);
	int r, error = 0;

	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)a, address_len(a)) < 0 ? -errno
	                                                                : 0;
	if (r == -EINPROGRESS)
		r = wait_for(fd, POLLOUT, now_ms() + CONNECT_MS);
	if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0)
		r = -error;
	if (r == 0)
		*ret_fd = fd;
	else
		close(fd);
	return r;
}

static void
set_name(struct dns_server *s, const struct sockaddr_storage *a)
{
	char ip[INET6_ADDRSTRLEN];
	const struct sockaddr_in *in4 = (const void *)a;
	bool is_six = a->ss_family == AF_INET6;

	connect_ip(a, ip);
	/* The port stands at the same place in both. */
	snprintf(s->name, sizeof(s->name), is_six ? "[%s]:%u" : "%s:%u", ip,
	    ntohs(in4->sin_port));
}

static int
open_connection(struct dns_server *s)
{
	int r = -EHOSTUNREACH;

	for (size_t i = 0; i < s->n_addrs; i++) {
		set_name(s, &s->addrs[i]);
		r = connect_one(&s->addrs[i], &s->fd);
		if (r == 0)
			return 0;
	}
	return r;
}

static int
write_all(int fd, struct str bytes, int64_t until)
{
	while (bytes.n) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		int r = n < 0 && errno == EAGAIN ? wait_for(fd, POLLOUT, until)
		        : n < 0                  ? -errno
		                                 : 0;

		if (r < 0)
			return r;
		bytes = str_from(bytes, n > 0 ? (size_t)n : 0);
	}
	return 0;
}

static int
read_all(int fd, char *to, size_t n, int64_t until)
{
	while (n > 0) {
		ssize_t got = recv(fd, to, n, 0);

		if (got > 0) {
			to += got;
			n -= (size_t)got;
			continue;
		}
		if (got == 0)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (wait_for(fd, POLLIN, until) < 0)
			return -ETIMEDOUT;
	}
	return 0;
}

/* One message there, one back (RFC 1035 section 4.2.2). */
static int
exchange(struct dns_server *s, struct str message, struct buf *reply)
{
	struct buf out = BUF_INIT(DNSUPDATE_MESSAGE_MAX + PREFIX);
	int64_t until = now_ms() + ANSWER_MS;
	unsigned char prefix[PREFIX];
	size_t n;
	int r;

	dnsupdate_put_u16(&out, (unsigned)message.n);
	buf_put_str(&out, message);
	r = out.failed ? -EMSGSIZE : write_all(s->fd, buf_str(&out), until);
	buf_done(&out);
	if (r == 0)
		r = read_all(s->fd, (char *)prefix, PREFIX, until);
	if (r < 0)
		return r;
	n = (size_t)prefix[0] << 8 | prefix[1];
	buf_reset(reply, reply->cap);
	if (n == 0)
		return -EPROTO;
	r = read_all(s->fd, buf_reserve(reply, n), n, until);
	reply->n = r == 0 ? n : 0;
	return r;
}

/* --- judging --------------------------------------------------------------------- */

const char *
dns_server_advice(unsigned code, bool is_update)
{
	switch (code) {
	case DNSUPDATE_FORMERR:
		return "it did not understand the message; is it a server "
		       "that takes updates (RFC 2136)?";
	case DNSUPDATE_SERVFAIL:
		return "it could not do it; its log says why (often it may "
		       "not write the zone's file or journal)";
	case DNSUPDATE_NXDOMAIN:
	case DNSUPDATE_YXDOMAIN:
	case DNSUPDATE_YXRRSET:
	case DNSUPDATE_NXRRSET:
		return "somebody else changed these records in the meantime, "
		       "or the name has others that stand in the way: look "
		       "at them and run this again";
	case DNSUPDATE_NOTIMP:
		return "it takes no updates: name the primary server with "
		       "--server, or change the records by hand";
	case DNSUPDATE_REFUSED:
		if (!is_update)
			return "it has no such zone, or does not answer this "
			       "key about it; name the primary server with "
			       "--server";
		return "it does not allow this key to change these records: "
		       "in BIND see allow-update or update-policy of the "
		       "zone, in knot its acl (action: update; and query, "
		       "where that is limited)";
	case DNSUPDATE_NOTAUTH:
		return "it is not the primary server of the zone, or does not "
		       "accept the key for it: name the primary with --server";
	case DNSUPDATE_NOTZONE:
		return "a name is not in the zone: part of the domain is a "
		       "zone of its own";
	case DNSUPDATE_BADKEY:
		return "it does not know the key, or not for this zone: name "
		       "and algorithm in the key file must be those of the "
		       "server's configuration";
	case DNSUPDATE_BADSIG:
		return "the signature is wrong: the secret in the key file is "
		       "not the server's";
	case DNSUPDATE_BADTIME:
		return "its clock and ours differ by more than five minutes: "
		       "set them (NTP)";
	case DNSUPDATE_BADTRUNC:
		return "it wants a longer signature than the algorithm gives";
	default:
		return "see its log";
	}
}

static char *
say_code(const struct dns_server *s, const struct dns_said_what *w,
    bool is_update, const char *how)
{
	struct buf b = BUF_INIT(KIB(2));
	uint64_t theirs, ours = (uint64_t)time(NULL);
	char name[16];
	char *said;

	buf_printf(&b, "%s answered %s%s: %s", s->name,
	    dnsupdate_rcode_name(w->code, name), how,
	    dns_server_advice(w->code, is_update));
	if (w->reply.has_tsig && dnsupdate_server_time(&w->reply.tsig, &theirs))
		buf_printf(&b, " (its clock is %s by %llu s)",
		    theirs > ours ? "ahead" : "behind",
		    (unsigned long long)(theirs > ours ? theirs - ours
						       : ours - theirs));
	said = x_strdup(buf_c(&b));
	buf_done(&b);
	return said;
}

static char *
say_untrusted(const struct dns_server *s, enum dnsupdate_verdict v,
    const struct dns_said_what *w, bool is_update)
{
	switch (v) {
	case DNSUPDATE_SIGNED:
		break;
	case DNSUPDATE_NOT_SIGNED:
		/* What is claimed without a signature is only a hint, but
		 * refusals come that way. */
		if (w->code != DNSUPDATE_NOERROR)
			return say_code(
			    s, w, is_update, ", without a signature");
		return x_asprintf("%s answered without a signature: it may "
				  "not be the server, or not know TSIG",
		    s->name);
	case DNSUPDATE_OTHER_KEY:
		return x_asprintf(
		    "%s signed its answer with another key", s->name);
	case DNSUPDATE_BAD_SIGNATURE:
		return x_asprintf("the signature of the answer from %s is "
				  "wrong: the secret in the key file is not "
				  "the server's, or somebody changed it",
		    s->name);
	case DNSUPDATE_OTHER_TIME:
		return x_asprintf("the answer from %s is from another time: "
				  "set both clocks (NTP)",
		    s->name);
	}
	return NULL;
}

/* A message that was sent, and what else is needed to judge the reply. */
struct sent {
	unsigned id;
	bool is_update;
	struct crypt_sum mac;
};

static enum dns_said
judge_code(
    const struct dns_server *s, const struct sent *m, struct dns_said_what *ret)
{
	if (ret->code == DNSUPDATE_NOERROR ||
	    (ret->code == DNSUPDATE_NXDOMAIN && !m->is_update))
		return DNS_SAID;
	ret->error = say_code(s, ret, m->is_update, "");
	return ret->code == DNSUPDATE_SERVFAIL ? DNS_LATER : DNS_REFUSED;
}

static enum dns_said
judge(const struct dns_server *s, const struct sent *m, struct str message,
    struct arena *arena, struct dns_said_what *ret)
{
	struct dnsupdate_reply *r = &ret->reply;
	enum dnsupdate_verdict v = DNSUPDATE_SIGNED;
	struct str copy;

	if (!arena_str(arena, message, &copy) ||
	    !dnsupdate_reply_parse(copy, arena, r) || r->id != m->id ||
	    r->is_cut) {
		ret->error = x_asprintf(
		    "%s answered with what is no reply to this", s->name);
		return DNS_UNTRUSTED;
	}
	ret->code = r->has_tsig && r->tsig.error ? r->tsig.error : r->rcode;
	if (s->key)
		v = dnsupdate_verify(
		    s->key, (uint64_t)time(NULL), copy, r, &m->mac);
	/* Only the word that the clocks differ may be of another time. */
	if (v == DNSUPDATE_SIGNED ||
	    (v == DNSUPDATE_OTHER_TIME && ret->code == DNSUPDATE_BADTIME))
		return judge_code(s, m, ret);
	ret->error = say_untrusted(s, v, ret, m->is_update);
	return DNS_UNTRUSTED;
}

/* --- asking ------------------------------------------------------------------------ */

static int
exchange_again(struct dns_server *s, struct str message, struct buf *reply)
{
	int r = s->fd < 0 ? open_connection(s) : 0;

	return r == 0 ? exchange(s, message, reply) : r;
}

static enum dns_said
send_message(struct dns_server *s, struct sent *m, struct buf *message,
    struct arena *arena, struct dns_said_what *ret)
{
	struct buf reply = BUF_INIT(DNSUPDATE_MESSAGE_MAX);
	bool was_used = s->was_used;
	enum dns_said said = DNS_LATER;
	int r = -EMSGSIZE;

	*ret = (struct dns_said_what){ 0 };
	if (!s->key ||
	    dnsupdate_sign(s->key, (uint64_t)time(NULL), message, &m->mac))
		r = exchange_again(s, buf_str(message), &reply);
	/* A connection that was idle may have been closed. */
	if (r < 0 && !m->is_update && was_used) {
		dns_server_close(s);
		r = exchange_again(s, buf_str(message), &reply);
	}
	if (r < 0) {
		dns_server_close(s);
		ret->error = x_asprintf("no answer from the name server %s: %s",
		    s->name, strerror(-r));
	} else {
		s->was_used = true;
		said = judge(s, m, buf_str(&reply), arena, ret);
	}
	buf_done(&reply);
	return said;
}

enum dns_said
dns_server_ask(struct dns_server *s, struct str name, unsigned type,
    struct arena *arena, struct dns_said_what *ret)
{
	struct buf message = BUF_INIT(DNSUPDATE_MESSAGE_MAX);
	struct sent m = { .id = dns_server_id() };
	enum dns_said said = DNS_REFUSED;

	if (dnsupdate_put_question(m.id, name, type, &message)) {
		said = send_message(s, &m, &message, arena, ret);
	} else {
		*ret = (struct dns_said_what){ 0 };
		ret->error =
		    x_asprintf("%.*s cannot be a name in DNS", STR_ARG(name));
	}
	buf_done(&message);
	return said;
}

enum dns_said
dns_server_update(struct dns_server *s, struct dnsupdate *u,
    struct arena *arena, struct dns_said_what *ret)
{
	struct sent m = { .id = u->id, .is_update = true };

	dns_server_close(s);
	if (dnsupdate_finish(u))
		return send_message(s, &m, &u->out, arena, ret);
	*ret = (struct dns_said_what){ 0 };
	ret->error = x_strdup("the changes do not fit into an update");
	return DNS_REFUSED;
}

/* SPDX-License-Identifier: ISC */
/* relays.c - the relays of our own mail. See relays.h. */
#include "watch/outbox/relays.h"

#include "net/addresses.h"

#include <fcntl.h>
#include <unistd.h>

#define SMTP_PORT  25
#define FILE_MAX   KIB(16)
#define LOGINS_MAX 32

#define LOOK_MS 600000

/* An address that is known. */
struct known {
	char host[DNS_NAME_MAX + 1];
	uint16_t port;
	struct sockaddr_storage addrs[CONNECT_ADDRS_MAX];
	size_t n;
	uint32_t at; /* a number that grows */
};

struct relays {
	struct buf text; /* of the file; holds passwords */
	struct relay_login logins[LOGINS_MAX];
	size_t n;
	struct known known[WAY_RELAYS_MAX]; /* host empty: none */
	uint32_t clock;
	uint64_t look_ms; /* server_now_ms() */
};

/* --- signing in ------------------------------------------------------------------- */

bool
relays_parse_line(struct str line, struct relay_login *ret)
{
	struct str relay, login, rest;

	line = str_trim(line);
	rest = str_trim(str_split(line, ' ', &relay));
	rest = str_trim(str_split(rest, ' ', &login));
	if (login.n == 0 || rest.n == 0 || !str_is_utf8(line))
		return false;
	ret->login = login;
	ret->password = rest;
	return status_host_port(relay, &ret->host, &ret->port);
}

static void
parse(struct relays *r, const char *file)
{
	struct str line, rest = buf_str(&r->text);
	unsigned number = 0;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		number++;
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (r->n < LOGINS_MAX &&
		    relays_parse_line(line, &r->logins[r->n]))
			r->n++;
		else
			fprintf(stderr,
			    "mailstead: watch: %s:%u: expected RELAY LOGIN "
			    "PASSWORD; this line does not count\n",
			    file, number);
	}
}

struct relays *
relays_new(const char *logins_file)
{
	struct relays *r = X_NEW(struct relays);
	CLEANUP(closep) int fd = -1;
	ssize_t n = 0;
	char *to;

	r->text = BUF_INIT(FILE_MAX);
	if (logins_file[0] == '\0')
		return r;
	fd = open(logins_file, O_RDONLY | O_CLOEXEC);
	to = buf_reserve(&r->text, FILE_MAX);
	if (fd >= 0)
		n = read(fd, to, FILE_MAX);
	if (fd < 0 || n < 0) {
		fprintf(stderr, "mailstead: watch: %s: %s\n", logins_file,
		    strerror(errno));
		return r;
	}
	r->text.n = (size_t)n;
	parse(r, logins_file);
	return r;
}

void
relays_login(const struct relays *r, struct str host, uint16_t port,
    struct str *ret_login, struct str *ret_password)
{
	*ret_login = *ret_password = STR_NONE;
	for (size_t i = 0; i < r->n; i++) {
		const struct relay_login *l = &r->logins[i];

		if (!str_eq_case(l->host, host) ||
		    (l->port != 0 && l->port != port))
			continue;
		*ret_login = l->login;
		*ret_password = l->password;
		return;
	}
}

/* --- which there are ---------------------------------------------------------------- */

enum relay_sign
relays_sign(const struct way *relay, const struct status_check *c,
    enum watch_status status, bool is_masked)
{
	struct status_target t = status_check_target(c);

	if (!str_eq_case(t.host, relay->host) ||
	    (c->kind != STATUS_PING && t.port != relay->port))
		return RELAY_UNSEEN;
	switch (status) {
	case WATCH_DOWN:
		return c->kind == STATUS_PING ? RELAY_HOST_DOWN : RELAY_DOWN;
	case WATCH_UP:
	case WATCH_DEGRADED:
		return c->kind == STATUS_PING ? RELAY_UNSEEN : RELAY_WORKS;
	case WATCH_UNKNOWN:
		break;
	}
	return is_masked ? RELAY_HOST_DOWN : RELAY_UNSEEN;
}

static bool
is_down(struct server *sv, const struct way *relay)
{
	enum relay_sign most = RELAY_UNSEEN;

	for (size_t i = 0; i < sv->n_watched; i++) {
		const struct watched *w = sv->watched[i];
		enum relay_sign sign = relays_sign(relay, &w->check,
		    watched_state(w)->state.status,
		    watch_check_is_masked(&sv->set, w->index));

		most = MAX(most, sign);
	}
	return most == RELAY_DOWN || most == RELAY_HOST_DOWN;
}

size_t
relays_list(struct server *sv, struct str list, struct way ret[WAY_RELAYS_MAX])
{
	struct str line;
	size_t n = 0;

	while (list.n > 0 && n < WAY_RELAYS_MAX) {
		struct way w = { .kind = WAY_RELAY };

		list = str_split(list, '\n', &line);
		if (!status_host_port(line, &w.host, &w.port))
			continue;
		if (w.port == 0)
			w.port = SMTP_PORT;
		w.is_down = is_down(sv, &w);
		ret[n++] = w;
	}
	return n;
}

/* --- where they are --------------------------------------------------------------- */

static bool
is_known(const struct known *k, const char *host, uint16_t port)
{
	return k->port == port && str_eq_case(str_c(k->host), str_c(host));
}

/* In its own place, or in that of the one that was not seen for longest. */
void
relays_remember(struct relays *r, const char *host, uint16_t port,
    const struct sockaddr_storage *addrs, size_t n)
{
	struct known *k = &r->known[0];

	for (size_t i = 0; i < ARRAY_LEN(r->known); i++) {
		if (is_known(&r->known[i], host, port)) {
			k = &r->known[i];
			break;
		}
		if (r->known[i].at < k->at)
			k = &r->known[i];
	}
	(void)snprintf(k->host, sizeof(k->host), "%s", host);
	k->port = port;
	k->n = MIN(n, CONNECT_ADDRS_MAX);
	memcpy(k->addrs, addrs, k->n * sizeof(*addrs));
	k->at = ++r->clock;
}

size_t
relays_recall(const struct relays *r, const char *host, uint16_t port,
    struct sockaddr_storage ret[CONNECT_ADDRS_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(r->known); i++) {
		const struct known *k = &r->known[i];

		if (!is_known(k, host, port))
			continue;
		memcpy(ret, k->addrs, k->n * sizeof(*ret));
		return k->n;
	}
	return 0;
}

/* A relay that is being looked up. */
struct look {
	struct relays *relays;
	char host[DNS_NAME_MAX + 1];
	uint16_t port;
};

static void
on_addresses(void *arg, const struct sockaddr_storage *addrs, size_t n,
    UNUSED const char *why)
{
	struct look *l = arg;

	if (n > 0)
		relays_remember(l->relays, l->host, l->port, addrs, n);
	free(l);
}

void
relays_tick(struct server *sv)
{
	struct relays *r = sv->relays;
	struct way ways[WAY_RELAYS_MAX];
	size_t n;

	if (server_now_ms() < r->look_ms)
		return;
	r->look_ms = server_now_ms() + LOOK_MS;
	n = relays_list(sv, str_c(sv->conf->watch_relays), ways);
	for (size_t i = 0; i < n; i++) {
		struct look *l = X_NEW(struct look);
		struct addresses_wish wish = { .loop = sv->loop,
			.resolver = sv->resolver,
			.host = l->host,
			.port = ways[i].port };

		l->relays = r;
		l->port = ways[i].port;
		(void)snprintf(
		    l->host, sizeof(l->host), "%.*s", STR_ARG(ways[i].host));
		(void)addresses_find(&wish, on_addresses, l);
	}
}

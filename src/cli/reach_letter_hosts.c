/* SPDX-License-Identifier: ISC */
/*
 * reach_letter_hosts.c - names and addresses of this server, for a letter: whoever runs
 * a firewall works with addresses. See reach_letter.h.
 */
#include "cli/dns/dns_look.h"
#include "cli/reach_letter.h"

void
reach_letter_add_address(
    struct reach_letter *l, struct str name, const char *text)
{
	size_t i = 0;

	while (i < l->n_addresses && strcmp(l->addresses[i].text, text) != 0)
		i++;
	if (i < l->n_addresses || i == REACH_LETTER_ADDRS)
		return;
	l->addresses[i].name = name;
	snprintf(
	    l->addresses[i].text, sizeof(l->addresses[i].text), "%s", text);
	l->n_addresses++;
}

/* The address in its usual form; false: it is none. */
static bool
read_address(struct str word, char text[INET6_ADDRSTRLEN])
{
	CLEANUP(freep) char *s = str_dup(word);
	struct in6_addr addr;
	int family = AF_INET;

	if (memchr(s, 0, word.n) != NULL)
		return false;
	if (inet_pton(family, s, &addr) != 1)
		family = AF_INET6;
	if (family == AF_INET6 && inet_pton(family, s, &addr) != 1)
		return false;
	return inet_ntop(family, &addr, text, INET6_ADDRSTRLEN) != NULL;
}

void
reach_letter_take_hosts(
    struct reach_letter *l, struct str hosts, struct buf *names)
{
	char text[INET6_ADDRSTRLEN];
	struct str word;

	while (hosts.n > 0) {
		hosts = str_split(hosts, ',', &word);
		word = str_trim(word);
		if (read_address(word, text))
			reach_letter_add_address(l, STR_NONE, text);
		else if (word.n > 0)
			buf_printf(names, "%s%.*s", names->n > 0 ? "," : "",
			    STR_ARG(word));
	}
	l->hosts = buf_str(names);
}

static void
take_found(struct reach_letter *l, struct str name,
    const struct sockaddr_storage *addr)
{
	const void *raw =
	    addr->ss_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)addr)->sin_addr
		: &((const struct sockaddr_in6 *)addr)->sin6_addr;
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(addr->ss_family, raw, text, sizeof(text)) != NULL)
		reach_letter_add_address(l, name, text);
}

/* *ret_error says why there are none, when it is NULL before. */
static void
ask(struct reach_letter *l, struct dns_look *look, struct str name,
    char **ret_error)
{
	struct sockaddr_storage found[DNS_LOOK_ADDRS];
	char *error = NULL;
	size_t n = dns_look_host(look, name, 0, found, &error);

	for (size_t i = 0; i < n; i++)
		take_found(l, name, &found[i]);
	if (error != NULL && *ret_error == NULL)
		*ret_error = error;
	else
		free(error);
}

void
reach_letter_find_hosts(struct reach_letter *l, const struct conf *c,
    const char *hosts, struct buf *names)
{
	CLEANUP(freep) char *error = NULL;
	struct dns_look *look;
	struct str rest, name;

	reach_letter_take_hosts(l, str_c(hosts), names);
	if (l->n_addresses > 0)
		return;
	look = dns_look_new(c, &error);
	if (look != NULL) {
		ask(l, look, l->hostname, &error);
		rest = l->hosts;
		while (rest.n > 0) {
			rest = str_split(rest, ',', &name);
			ask(l, look, name, &error);
		}
	}
	dns_look_free(look);
	if (l->n_addresses == 0)
		fprintf(stderr,
		    "mailstead: the letter has no addresses of this server "
		    "(%s); name them with --hosts\n",
		    error != NULL ? error : "none was found");
}

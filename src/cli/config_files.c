/* SPDX-License-Identifier: ISC */
/* config_files.c - files that the configuration names. See config_files.h. */
#include "cli/config_files.h"

#include "conf/conf_acme.h"
#include "proto/provider/provider.h"
#include "proto/reply/reply.h"

#include <fcntl.h>
#include <unistd.h>

#define ANCHOR_FILE "/usr/share/dns/root.key"

bool
config_file_read(const char *path, struct buf *to)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char part[4096];
	ssize_t n = -1;

	while (fd >= 0 && (n = read(fd, part, sizeof(part))) > 0)
		buf_put(to, part, (size_t)n);
	if (n == 0 && to->failed)
		errno = EFBIG;
	return n == 0 && !to->failed;
}

static bool
read_table(
    const char *option, const char *path, struct buf *to, struct buf *ret_error)
{
	if (config_file_read(path, to))
		return true;
	buf_printf(ret_error, "%s: cannot read %s: %s\n", option, path,
	    strerror(errno));
	return false;
}

static void
check_providers(const char *path, struct buf *ret_error)
{
	struct buf text = BUF_INIT(PROVIDER_TABLE_MAX);
	struct provider_error e;
	struct provider_table *t = NULL;

	if (path[0] && read_table("send.providers", path, &text, ret_error)) {
		t = provider_table_parse(buf_str(&text), &e);
		if (t == NULL)
			buf_printf(
			    ret_error, "%s:%zu: %s\n", path, e.line, e.text);
	}
	provider_table_free(t);
	buf_done(&text);
}

static void
check_refusals(const char *path, struct buf *ret_error)
{
	struct buf text = BUF_INIT(REPLY_TABLE_MAX);
	struct reply_error e = { 0 };
	struct reply_table *t = NULL;

	if (path[0] && read_table("send.refusals", path, &text, ret_error)) {
		t = reply_table_parse(buf_str(&text), &e);
		if (t == NULL)
			buf_printf(
			    ret_error, "%s:%zu: %s\n", path, e.line, e.text);
	}
	reply_table_free(t);
	buf_done(&text);
}

static void
warn_without(const char *option, const char *path, const char *what)
{
	if (access(path, R_OK) != 0)
		fprintf(stderr, "mailstead: %s: cannot read %s: %s\n", option,
		    path, what);
}

bool
config_files_check(const struct conf *c, struct buf *ret_error)
{
	size_t before = ret_error->n;

	check_providers(c->send_providers, ret_error);
	check_refusals(c->send_refusals, ret_error);
	if (c->dns_dnssec)
		warn_without("dns.trust_anchor",
		    c->dns_trust_anchor[0] ? c->dns_trust_anchor : ANCHOR_FILE,
		    "no signature of DNS is checked, so there is no DANE "
		    "(Debian: dns-root-data)");
	warn_without("send.authorities", c->send_authorities,
	    "no certificate of another server is good (Debian: "
	    "ca-certificates)");
	if (c->acme_hosts[0] && conf_acme_lack(c) != NULL)
		fprintf(stderr,
		    "mailstead: %s: no certificate can be obtained\n",
		    conf_acme_lack(c));
	if (c->acme_ca_file[0])
		warn_without("acme.ca_file", c->acme_ca_file,
		    "the authority's server is not trusted");
	if (c->watch_ca_file[0])
		warn_without("watch.ca_file", c->watch_ca_file,
		    "no certificate is good in checks");
	if (c->reach_as_database[0])
		warn_without("reach.as_database", c->reach_as_database,
		    "networks of clients are told apart by prefix");
	return ret_error->n == before;
}

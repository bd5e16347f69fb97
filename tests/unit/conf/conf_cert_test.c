/* SPDX-License-Identifier: ISC */
/* conf_cert_test.c - certificates from files, and what a folder of somebody who
 * was taken over cannot do. */
#include "../test.h"
#include "conf/conf_cert_read.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400U

static char root[] = "/tmp/mailstead-certs-XXXXXX";

static char *
path_of(const char *name)
{
	return x_asprintf("%s/%s", root, name);
}

static void
put_text(const char *name, struct str text)
{
	CLEANUP(freep) char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ASSERT(fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n);
	close(fd);
}

static void
make_dir(const char *name)
{
	CLEANUP(freep) char *path = path_of(name);

	ASSERT(mkdir(path, 0700) == 0 || errno == EEXIST);
}

/* A pair in a folder below root, for one name. */
static void
put_pair(const char *dir, const char *host, uint32_t seconds)
{
	struct buf key = BUF_INIT(KIB(16)), chain = BUF_INIT(KIB(16));
	CLEANUP(freep) char *chain_name = x_asprintf("%s/fullchain.pem", dir);
	CLEANUP(freep) char *key_name = x_asprintf("%s/privkey.pem", dir);

	make_dir(dir);
	ASSERT(certificate_make_key(CERTIFICATE_EC, &key));
	ASSERT(certificate_self(
	    buf_str(&key), str_c(host), NULL, seconds, &chain));
	put_text(chain_name, buf_str(&chain));
	put_text(key_name, buf_str(&key));
	buf_done(&key);
	buf_done(&chain);
}

/* A configuration with these hosts, and a folder or "". */
static struct conf
make_conf(const char *hosts, const char *folder)
{
	return (struct conf){ .hostname = x_strdup("Mail.Example"),
		.data_dir = x_strdup(root),
		.tls_certificate_file = x_strdup(""),
		.tls_key_file = x_strdup(""),
		.tls_folder = folder[0] ? path_of(folder) : x_strdup(""),
		.acme_hosts = x_strdup(hosts) };
}

static void
conf_end(struct conf *c)
{
	free(c->hostname);
	free(c->data_dir);
	free(c->tls_certificate_file);
	free(c->tls_key_file);
	free(c->tls_folder);
	free(c->acme_hosts);
}

static struct conf_certs
read_all(const struct conf *c, const struct conf_certs *old)
{
	struct conf_certs certs = { 0 };
	char *error = NULL;

	CHECK(conf_certs_read(c, old, &certs, &error) == 0, error);
	return certs;
}

static const struct conf_cert *
find(const struct conf_certs *certs, const char *label)
{
	for (size_t i = 0; i < certs->n; i++)
		if (strcmp(certs->v[i].label, label) == 0)
			return &certs->v[i];
	fail_msg("no certificate %s", label);
	return NULL;
}

TEST(links_and_other_things_in_the_folder_of_acme_are_not_followed)
{
	static const char *const hosts[] = { "link.example", "file.example",
		"second.example", "fifo.example", "large.example",
		"folder.example" };
	struct buf all = BUF_INIT(KIB(4)), large = BUF_INIT(MIB(1));
	struct conf_certs certs;
	struct conf c;
	char *path, *from;

	make_dir("acme");
	make_dir("acme/certs");
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		CLEANUP(freep)
		char *dir = x_asprintf("acme/certs/%s", hosts[i]);

		buf_printf(&all, "%s\n", hosts[i]);
		put_pair(dir, hosts[i], DAY);
	}
	c = make_conf(buf_c(&all), "");
	certs = read_all(&c, NULL);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		CHECK(conf_cert_is_usable(find(&certs, hosts[i])), hosts[i]);
	conf_certs_done(&certs);

	/* A link to a key elsewhere. */
	path = path_of("acme/certs/link.example/privkey.pem");
	from = path_of("elsewhere.pem");
	ASSERT(rename(path, from) == 0 && symlink(from, path) == 0);
	free(path);
	free(from);
	/* A folder where a file should be. */
	path = path_of("acme/certs/file.example/privkey.pem");
	ASSERT(unlink(path) == 0 && mkdir(path, 0700) == 0);
	free(path);
	/* A second name of somebody's file. */
	path = path_of("acme/certs/second.example/privkey.pem");
	from = path_of("other.pem");
	ASSERT(link(path, from) == 0);
	free(path);
	free(from);
	/* One that would wait for ever. */
	path = path_of("acme/certs/fifo.example/privkey.pem");
	ASSERT(unlink(path) == 0 && mkfifo(path, 0600) == 0);
	free(path);
	while (large.n <= CERTIFICATE_CHAIN_MAX)
		buf_put_c(&large, "-----BEGIN CERTIFICATE-----\n");
	put_text("acme/certs/large.example/fullchain.pem", buf_str(&large));
	/* The whole folder is a link. */
	path = path_of("acme/certs/folder.example");
	from = path_of("moved");
	ASSERT(rename(path, from) == 0 && symlink(from, path) == 0);
	free(path);
	free(from);
	certs = read_all(&c, NULL);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		CHECK(!conf_cert_is_usable(find(&certs, hosts[i])), hosts[i]);
		CHECK(find(&certs, hosts[i])->fault != NULL, hosts[i]);
	}
	CHECK(certs.v[0].source == CONF_CERT_OWN, "one of our own stands in");
	conf_certs_done(&certs);
	conf_end(&c);
	buf_done(&all);
	buf_done(&large);
}

TEST(what_acme_wrote_counts_for_no_other_names_than_wanted)
{
	struct conf c = make_conf("wanted.example also.example\n", "");
	struct conf_certs certs;

	make_dir("acme");
	make_dir("acme/certs");
	put_pair("acme/certs/wanted.example", "bank.example", DAY);
	certs = read_all(&c, NULL);
	CHECK(certs.n == 1, "one");
	CHECK(strcmp(certs.v[0].names, "") == 0, certs.v[0].names);
	conf_certs_done(&certs);
	put_pair("acme/certs/wanted.example", "wanted.example", DAY);
	certs = read_all(&c, NULL);
	CHECK(strcmp(certs.v[0].names, "wanted.example\n") == 0, "names");
	conf_certs_done(&certs);
	conf_end(&c);
}

TEST(the_order_is_what_is_good_now_ours_and_long)
{
	struct conf c = make_conf("", "live");
	struct conf_certs certs;

	make_dir("live");
	put_pair("live/b-short", "x.example", DAY);
	put_pair("live/a-long", "x.example", 9 * DAY);
	put_pair("live/mine", "mail.example", DAY);
	certs = read_all(&c, NULL);
	CHECK(certs.n == 3, "three");
	CHECK(strcmp(certs.v[0].label, "mine") == 0, certs.v[0].label);
	CHECK(strcmp(certs.v[1].label, "a-long") == 0, certs.v[1].label);
	conf_certs_done(&certs);
	conf_end(&c);
}

TEST(an_older_one_goes_on_when_the_new_one_is_bad)
{
	struct conf c = make_conf("", "kept");
	struct conf_certs before, after, third;
	char *chain;

	make_dir("kept");
	put_pair("kept/one", "one.example", DAY);
	before = read_all(&c, NULL);
	chain = x_strdup(before.v[0].chain);
	put_text("kept/one/privkey.pem", STR("-----BEGIN nothing"));
	after = read_all(&c, &before);
	CHECK(after.n == 1 && after.v[0].fault != NULL, "it is said");
	CHECK(strcmp(after.v[0].chain, chain) == 0, "the older one");
	CHECK(conf_cert_covers(&after.v[0], STR("one.example")), "names");
	/* And once more: it does not get lost. */
	third = read_all(&c, &after);
	CHECK(strcmp(third.v[0].chain, chain) == 0, "the older one still");
	conf_certs_done(&third);
	put_pair("kept/one", "one.example", DAY);
	third = read_all(&c, &after);
	CHECK(third.v[0].fault == NULL, "good again");
	CHECK(strcmp(third.v[0].chain, chain) != 0, "the new one");
	conf_certs_done(&third);
	conf_certs_done(&after);
	conf_certs_done(&before);
	free(chain);
	conf_end(&c);
}

TEST(a_wildcard_covers_one_label)
{
	struct conf_cert c = { .names =
				   (char[]){ "*.a.example\nb.example\n" } };

	CHECK(conf_cert_covers(&c, STR("x.a.example")), "one");
	CHECK(!conf_cert_covers(&c, STR("x.y.a.example")), "two");
	CHECK(!conf_cert_covers(&c, STR("a.example")), "none");
	CHECK(conf_cert_covers(&c, STR("b.example")), "whole");
	CHECK(!conf_cert_covers(&c, STR("")), "empty");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(
		    links_and_other_things_in_the_folder_of_acme_are_not_followed),
		UNIT(what_acme_wrote_counts_for_no_other_names_than_wanted),
		UNIT(the_order_is_what_is_good_now_ours_and_long),
		UNIT(an_older_one_goes_on_when_the_new_one_is_bad),
		UNIT(a_wildcard_covers_one_label),
	};
	char *command;
	int r;

	ASSERT(mkdtemp(root) != NULL);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	command = x_asprintf("rm -rf '%s'", root);
	ASSERT(system(command) == 0);
	free(command);
	return r;
}

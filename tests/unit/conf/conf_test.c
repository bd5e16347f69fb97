/* SPDX-License-Identifier: ISC */
/* conf_test.c - the configuration file, its errors, and the snapshot. */
#include "../test.h"
#include "conf/schema.h"

#include <unistd.h>

static int
load(const char *text, struct conf **ret, char **ret_error)
{
	char path[] = "/tmp/mailstead-conf-XXXXXX";
	int fd = mkstemp(path), r;

	ASSERT(
	    fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	r = conf_load(path, ret, ret_error);
	unlink(path);
	return r;
}

#define MX "listen { mx = { \"127.0.0.1:25\" } }\n"

TEST(a_full_file_is_understood)
{
	struct conf *c;
	char *error = NULL;
	int r = load("# all of it\n"
		     "hostname = mail.example.org\n"
		     "data = \"/srv/mail\"\n"
		     "log_level = debug\n"
		     "workers { smtp = 3 }\n"
		     "tls {\n\tcertificate = /c.pem\n\tkey = /k.pem\n}\n"
		     "listen {\n"
		     "\tmx = { \"0.0.0.0:25\", \"[::]:25\" }\n"
		     "\timaps = { \"[::1]:993\" }\n"
		     "\tlmtp = { \"/run/lmtp.sock\" }\n"
		     "\tmetrics = \"127.0.0.1:9154\"\n"
		     "}\n"
		     "smtp { message_size = 10M idle = 2m }\n"
		     "store { undelete = 30d quota = 1G }\n"
		     "auth { allow_plaintext = yes }\n",
	    &c, &error);

	CHECK(r == 0, error ? error : "load");
	CHECK(strcmp(c->hostname, "mail.example.org") == 0, "hostname");
	CHECK(strcmp(c->data_dir, "/srv/mail") == 0, "data");
	CHECK(c->workers_smtp == 3 && c->workers_imap == 1, "workers");
	CHECK(c->listener_count == 4, "listeners");
	CHECK(c->listeners[1].port == 25, "port");
	CHECK(strcmp(c->listeners[1].address, "::") == 0, "v6");
	CHECK(strcmp(c->metrics_address, "127.0.0.1") == 0 &&
		  c->metrics_port == 9154,
	    "metrics");
	CHECK(c->message_size_max == 10 * MIB(1), "size");
	CHECK(c->smtp_idle_s == 120, "time");
	CHECK(c->store_undelete_days == 30, "days");
	CHECK(c->quota_bytes == 1024 * MIB(1), "quota");
	CHECK(c->auth_allow_plaintext, "bool");
	CHECK(c->imap_idle_s == 1800, "default");
	conf_free(c);
}

TEST(errors_say_file_line_and_what_was_expected)
{
	static const struct {
		const char *text, *line, *want;
	} cases[] = {
		{ "\n\nsmtp { message_size = 5x }\n", ":3: ",
		    "smtp.message_size: \"5x\" is not possible; expected a "
		    "size such as 64K, 50M or 2G, from 64K to 1G" },
		{ "smtp {\nrecipients = 5\n}\n", ":2: ", "from 100 to 100000" },
		{ "hostname = \"-bad-\"\n", ":1: ", "expected a host name" },
		{ "data = relative\n", ":1: ", "expected an absolute path" },
		{ "log_level = loud\n", ":1: ", "debug, info, warn or error" },
		{ "\nlisten {\n mx = { \"127.0.0.1:25\",\n\"x:25\" }\n}\n",
		    ":4: ", "listen.mx: \"x:25\"" },
		{ "listen { imap = { \"127.0.0.1\" } }\n",
		    ":1: ", "an address and port" },
		{ "listen { imap = { \"127.0.0.1:0\" } }\n",
		    ":1: ", "an address and port" },
		{ "listen { metrics = \"192.0.2.1:80\" }\n",
		    ":1: ", "a loopback address" },
		{ "listen { lmtp = { \"x\" } }\n", ":1: ", "absolute path" },
		{ "\nwrong = 1\n", ":2: ", "expected one of: hostname, data" },
		{ "smtp {\n wrong = 1\n}\n",
		    ":2: ", "expected one of: message_size" },
		{ "user = a\nuser = b\n" MX, ":2: ", "first is in line 1" },
		{ "smtp {\nidle = 1m\n", ":", "" },
		{ MX "smtp {\nidle = 1m\n", ":3: ", "smtp is not closed" },
		{ MX "smtp {\nidle = 1m # no line end", ":3: ", "not closed" },
		{ MX "smtp { /* idle = 1m }\n", ": ", "within a comment" },
		{ "auth { allow_plaintext = maybe }\n", ":1: ", "yes or no" },
		{ "report { from = postmaster }\n", ":1: ", "an address such" },
		{ "report { from = \"a@b c\" }\n", ":1: ", "an address such" },
		{ "report { from = \"a..b@c\" }\n", ":1: ", "an address such" },
		{ "report { from = \"<a@b>\" }\n", ":1: ", "an address such" },
		{ MX "send { source4 = 300.1.1.1 }\n", ": ",
		    "send.source4: \"300.1.1.1\" is not possible" },
		{ MX "send { source6 = 192.0.2.1 }\n", ": ", "send.source6" },
		{ MX "send { helo4 = \"a b\" }\n", ": ",
		    "send.helo4: \"a b\" is not possible" },
		{ MX "send { helo6 = \"[::1]\" }\n", ": ", "send.helo6" },
		{ MX "typo = 1\n", ": ", "dns, dkim, send, incoming, report" },
		{ "hostname = a.b\n", ": ", "nothing to listen on" },
		{ "hostname = a.b\nlisten { imaps = { \"127.0.0.1:993\" } }\n",
		    ": ", "expected tls.certificate" },
		{ "acme { hosts = { \"-a\" } }\n", ":1: ", "host names in" },
		{ "acme { hosts = { \"A.example\" } }\n",
		    ":1: ", "in lower case" },
		{ "acme { hosts = { \"a  b\" } }\n", ":1: ", "one blank" },
		{ "acme { hosts = { \"*.a.b\" } }\n", ":1: ", "one blank" },
		{ MX "acme { hosts = { \"a.b\" } }\n", ": ", "acme.agree" },
		{ MX "acme { agree = yes hosts = { \"a.b c.d\", \"a.b\" } }\n",
		    ": ", "each first name once" },
		{ MX "site { proxy_field = X-Real-IP }\n", ": ", "Forwarded" },
		{ "site { proxies = { example.org } }\n", ":1: ", "network" },
		{ MX "acme { challenge = dns-01 }\n", ": ", "tls-alpn-01" },
		{ MX "send { report_language = nl }\n", ": ",
		    "send.report_language: \"nl\" is not possible; expected "
		    "en, de, fr or pt" },
		{ MX "send { report_language = de-AT }\n", ": ", "de, fr or" },
		{ MX "acme { directory = \"http://a/\" }\n", ": ", "https" },
		{ "hostname = a.b\ntls { key = /k }\n" MX, ": ",
		    "belong together" },
		{ "hostname = a.b\nlisten { mx = { \"127.0.0.1:25\", "
		  "\"127.0.0.1:25\" } }\n",
		    ": ", "expected each address once" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct conf *c = NULL;
		char *error = NULL;

		CHECK(load(cases[i].text, &c, &error) == -1, cases[i].text);
		CHECK(strstr(error, cases[i].line) != NULL, error);
		CHECK(strstr(error, cases[i].want) != NULL, error);
		CHECK(strncmp(error, "/tmp/mailstead-conf-", 20) == 0, error);
		free(error);
	}
}

TEST(files_that_are_no_files_are_refused)
{
	struct conf *c;
	char *error = NULL;

	CHECK(conf_load("/nonexistent", &c, &error) == -1, "missing");
	CHECK(strstr(error, "No such file") != NULL, error);
	free(error);
	CHECK(conf_load("/tmp", &c, &error) == -1, "folder");
	CHECK(strstr(error, "not a file") != NULL, error);
	free(error);
	CHECK(conf_load("/dev/zero", &c, &error) == -1, "device");
	free(error);
}

static void
put_certificate(struct conf *c)
{
	struct conf_cert *cert = conf_certs_add(&c->certs);

	cert->chain = x_strdup("chain");
	cert->key = x_strdup("secret");
	cert->names = x_strdup("a.example\n");
	cert->kind = CERTIFICATE_EC;
	conf_certs_add(&c->certs)->fault = x_strdup("broken");
}

TEST(the_snapshot_comes_back_as_it_was)
{
	struct conf *c, *d;
	struct buf a = BUF_INIT(MIB(1)), b = BUF_INIT(MIB(1));
	char *error = NULL;

	CHECK(load("hostname = a.example\n" MX "smtp { hops = 33 }", &c,
		  &error) == 0,
	    "load");
	put_certificate(c);
	conf_encode(c, ROLE_SMTP, &a);
	CHECK(conf_decode(buf_str(&a), &d) == 0, "decode");
	CHECK(d->hops_max == 33, "value");
	CHECK(d->certs.n == 1, "only what can be used");
	CHECK(strcmp(d->certs.v[0].key, "secret") == 0, "key");
	CHECK(strcmp(d->certs.v[0].names, "a.example\n") == 0, "names");
	conf_encode(d, ROLE_SMTP, &b);
	CHECK(str_eq(buf_str(&a), buf_str(&b)), "same bytes");
	conf_free(d);

	buf_reset(&b, 0);
	conf_encode(c, ROLE_FILTER, &b);
	CHECK(str_search(buf_str(&b), STR("secret")) < 0,
	    "no key for who serves no TLS");
	for (size_t n = 0; n < a.n; n++)
		CHECK(conf_decode(str_first(buf_str(&a), n), &d) == -EBADMSG,
		    "cut");
	conf_free(c);
	buf_done(&a);
	buf_done(&b);
}

TEST_MAIN(UNIT(a_full_file_is_understood),
    UNIT(errors_say_file_line_and_what_was_expected),
    UNIT(files_that_are_no_files_are_refused),
    UNIT(the_snapshot_comes_back_as_it_was))

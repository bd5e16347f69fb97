/* SPDX-License-Identifier: ISC */
/*
 * conf_file.c - read mailstead.conf. The one wrapper of libconfuse.
 *
 * The library cuts the file into sections, options and lists, and counts the
 * lines. What a value may be is ours to say (schema.h): each option is text to
 * the library, with a check that runs while it still knows the line.
 */
#include "conf/schema.h"

#include "conf/route_text.h"
#include "proto/dsn/dsn_text.h"

#include <arpa/inet.h>
#include <confuse.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX     KIB(256)
#define ERRORS_MAX   KIB(16)
#define SECTIONS_MAX 32

/* Put behind the text: the library takes a file that ends within a section,
 * a comment or a string for a whole one, and half of it may be missing. */
#define LAST_OPTION "end_of_file"

/* How far an option has been read. */
struct progress {
	int line;
	unsigned taken; /* values */
	bool is_complete;
};

struct reading {
	struct conf *conf;
	const char *path;
	struct buf errors;
	int last_line;
	struct progress progress[CONF_OPTIONS_MAX];
};

/* The library's callbacks have no argument of ours. Only the supervisor and
 * the command line read files, one at a time. */
static struct reading *now;

static void PRINTF_LIKE(2, 0) put_error(int line, const char *fmt, va_list ap)
{
	if (line > 0)
		buf_printf(&now->errors, "%s:%d: ", now->path, line);
	else
		buf_printf(&now->errors, "%s: ", now->path);
	buf_vprintf(&now->errors, fmt, ap);
	buf_put_char(&now->errors, '\n');
}

static void PRINTF_LIKE(2, 3) add_error(int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_error(line, fmt, ap);
	va_end(ap);
}

static void
put_sections(struct buf *b)
{
	const char *last = "", *comma = "";

	buf_put_c(b, ", or a section: ");
	for (size_t i = 0; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, last) != 0) {
			last = conf_options[i].section;
			buf_printf(b, "%s%s", comma, last);
			comma = ", ";
		}
}

static void
put_known(struct buf *b, const char *section)
{
	const char *comma = "";

	for (size_t i = 0; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, section) == 0) {
			buf_printf(b, "%s%s", comma, conf_options[i].key);
			comma = ", ";
		}
	if (section[0] == '\0')
		put_sections(b);
}

/* What the library finds: wrong syntax, unknown names. */
static void PRINTF_LIKE(2, 0) on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct buf text = BUF_INIT(KIB(8));
	bool is_root = strcmp(cfg_name(cfg), "root") == 0;
	int line = cfg->line;

	buf_vprintf(&text, fmt, ap);
	if (!is_root && strstr(buf_c(&text), LAST_OPTION) != NULL) {
		line = now->last_line; /* the library's is behind it */
		buf_reset(&text, KIB(8));
		buf_printf(&text, "the section %s is not closed; expected }",
		    cfg_name(cfg));
	} else if (str_starts(buf_str(&text), STR("no such option"))) {
		buf_put_c(&text, is_root
				     ? "; expected one of: "
				     : " in this section; expected one of: ");
		put_known(&text, is_root ? "" : cfg_name(cfg));
	}
	add_error(line, "%s", buf_c(&text));
	buf_done(&text);
}

static const struct conf_option *
find_option(const char *section, const char *key)
{
	for (size_t i = 0; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, section) == 0 &&
		    strcmp(conf_options[i].key, key) == 0)
			return &conf_options[i];
	return NULL;
}

static void
add_value_error(int line, const struct conf_option *o, const char *text)
{
	struct buf expected = BUF_INIT(KIB(1));

	conf_expected(o, &expected);
	add_error(line, "%s%s%s: \"%s\" is not possible; expected %s",
	    o->section, o->section[0] ? "." : "", o->key, text,
	    buf_c(&expected));
	buf_done(&expected);
}

/* One value, or one element of a list. 0, or -1 and an error. */
static int
take_value(int line, const struct conf_option *o, const char *text)
{
	if (conf_set(o, now->conf, str_c(text)))
		return 0;
	add_value_error(line, o, text ? text : "");
	return -1;
}

/* Runs after a value; of a list, after each element and at its end. */
static int
on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *name = cfg_name(cfg);
	const struct conf_option *o =
	    find_option(strcmp(name, "root") == 0 ? "" : name, opt->name);
	unsigned n = cfg_opt_size(opt);
	struct progress *p;

	ASSERT(o != NULL);
	p = &now->progress[o - conf_options];
	if (p->is_complete) {
		add_error(cfg->line,
		    "%s is given twice; the first is in line %d", o->key,
		    p->line);
		return -1;
	}
	p->line = cfg->line;
	p->is_complete = !conf_is_list(o) || n == p->taken;
	if (n == p->taken)
		return 0;
	p->taken = n;
	return take_value(cfg->line, o, cfg_opt_getnstr(opt, n - 1));
}

/* --- the library's tables, made from ours ------------------------------------------ */

struct tables {
	cfg_opt_t root[CONF_OPTIONS_MAX];
	cfg_opt_t sections[SECTIONS_MAX][CONF_OPTIONS_MAX];
	size_t root_count, section_count;
};

static cfg_opt_t
make_option(const struct conf_option *o)
{
	cfg_opt_t plain = CFG_STR(o->key, NULL, CFGF_NODEFAULT);
	cfg_opt_t list = CFG_STR_LIST(o->key, NULL, CFGF_NODEFAULT);
	cfg_opt_t opt = conf_is_list(o) ? list : plain;

	opt.validcb = on_value;
	return opt;
}

static void
make_section(struct tables *t, size_t first)
{
	const char *name = conf_options[first].section;
	static const cfg_opt_t end = CFG_END();
	cfg_opt_t *opts = t->sections[t->section_count++];
	size_t n = 0;

	ASSERT(t->section_count < SECTIONS_MAX);
	for (size_t i = first; i < conf_option_count; i++)
		if (strcmp(conf_options[i].section, name) == 0)
			opts[n++] = make_option(&conf_options[i]);
	opts[n] = end;
	t->root[t->root_count++] = (cfg_opt_t)CFG_SEC(name, opts, CFGF_NONE);
}

static void
make_tables(struct tables *t)
{
	static const cfg_opt_t end = CFG_END();

	for (size_t i = 0; i < conf_option_count; i++) {
		const struct conf_option *o = &conf_options[i];

		if (o->section[0] == '\0')
			t->root[t->root_count++] = make_option(o);
		else if (i == 0 || strcmp(o->section, o[-1].section) != 0)
			make_section(t, i);
	}
	t->root[t->root_count++] =
	    (cfg_opt_t)CFG_STR(LAST_OPTION, NULL, CFGF_NODEFAULT);
	t->root[t->root_count] = end;
}

/* --- checks of the whole ---------------------------------------------------------------- */

static bool
is_same(const struct conf_listener *a, const struct conf_listener *b)
{
	return a->port == b->port && strcmp(a->address, b->address) == 0;
}

static void
check_listeners(const struct conf *c)
{
	if (c->listener_count == 0)
		add_error(0,
		    "nothing to listen on; expected a section listen with at "
		    "least one address");
	for (uint32_t i = 0; i < c->listener_count; i++) {
		const struct conf_listener *l = &c->listeners[i];

		for (uint32_t j = 0; j < i; j++)
			if (is_same(l, &c->listeners[j]))
				add_error(0,
				    "%s port %u is listed for %s and for %s; "
				    "expected each address once",
				    l->address, l->port,
				    service_name(c->listeners[j].service),
				    service_name(l->service));
		if (service_is_implicit_tls(l->service) &&
		    c->tls_certificate_file[0] == '\0' &&
		    c->tls_folder[0] == '\0' && c->acme_hosts[0] == '\0')
			add_error(0,
			    "listen.%s needs TLS; expected tls.certificate and "
			    "tls.key, tls.folder, or acme.hosts",
			    service_name(l->service));
	}
}

static void
check_source(const char *name, int family, const char *value)
{
	struct in6_addr address;

	if (value[0] != '\0' && inet_pton(family, value, &address) != 1)
		add_error(0,
		    "%s: \"%s\" is not possible; expected an address of this "
		    "machine such as %s",
		    name, value,
		    family == AF_INET ? "192.0.2.1" : "2001:db8::1");
}

static void
check_helo(const char *name, const char *value)
{
	if (value[0] != '\0' && !route_is_helo(str_c(value)))
		add_error(0,
		    "%s: \"%s\" is not possible; expected a host name in ASCII "
		    "such as mail.example.org",
		    name, value);
}

static bool
is_listed_before(struct str all, struct str line)
{
	struct str host, one, before;

	(void)str_split(line, ' ', &host);
	while (all.p != line.p) {
		all = str_split(all, '\n', &before);
		(void)str_split(before, ' ', &one);
		if (str_eq(one, host))
			return true;
	}
	return false;
}

static void
check_acme(const struct conf *c)
{
	struct str all = str_c(c->acme_hosts), rest = all, line;

	while (rest.n > 0) {
		rest = str_split(rest, '\n', &line);
		if (is_listed_before(all, line))
			add_error(0,
			    "acme.hosts: \"%.*s\" begins with the name of "
			    "another one; expected each first name once",
			    STR_ARG(line));
	}
	if (all.n > 0 && !c->acme_agree)
		add_error(0, "acme.hosts needs your consent to the terms of "
			     "service of the authority; expected acme.agree = "
			     "yes");
	if (!str_starts(str_c(c->acme_directory), STR("https://")))
		add_error(0,
		    "acme.directory: \"%s\" is not possible; expected "
		    "an address that begins with https://",
		    c->acme_directory);
	if (strcmp(c->acme_challenge, "any") != 0 &&
	    strcmp(c->acme_challenge, "http-01") != 0 &&
	    strcmp(c->acme_challenge, "tls-alpn-01") != 0)
		add_error(0,
		    "acme.challenge: \"%s\" is not possible; expected "
		    "any, http-01 or tls-alpn-01",
		    c->acme_challenge);
}

/* Those that there are words in. */
static void
check_report_language(const char *value)
{
	struct buf all = BUF_INIT(KIB(1));

	for (int i = 0; dsn_language_code(i) != NULL; i++) {
		if (strcmp(value, dsn_language_code(i)) == 0) {
			buf_done(&all);
			return;
		}
		buf_put_c(&all, i == 0                             ? ""
				: dsn_language_code(i + 1) != NULL ? ", "
								   : " or ");
		buf_put_c(&all, dsn_language_code(i));
	}
	add_error(0,
	    "send.report_language: \"%s\" is not possible; expected %s", value,
	    buf_c(&all));
	buf_done(&all);
}

static void
check_site(const struct conf *c)
{
	struct str field = str_c(c->site_proxy_field);

	if (!str_eq_case(field, STR("X-Forwarded-For")) &&
	    !str_eq_case(field, STR("Forwarded")))
		add_error(0,
		    "site.proxy_field: \"%s\" is not possible; expected "
		    "X-Forwarded-For or Forwarded",
		    c->site_proxy_field);
}

static void
check_whole(const struct conf *c)
{
	if ((c->tls_certificate_file[0] == '\0') !=
	    (c->tls_key_file[0] == '\0'))
		add_error(0, "tls.certificate and tls.key belong together; "
			     "expected both or none");
	if (c->hostname[0] == '\0')
		add_error(0, "the system has no usable host name; expected "
			     "hostname = \"mail.example.org\"");
	check_listeners(c);
	check_site(c);
	check_acme(c);
	check_source("send.source4", AF_INET, c->send_source4);
	check_source("send.source6", AF_INET6, c->send_source6);
	check_helo("send.helo4", c->send_helo4);
	check_helo("send.helo6", c->send_helo6);
	check_report_language(c->send_report_language);
}

static void
default_hostname(struct conf *c)
{
	const struct conf_option *o = find_option("", "hostname");
	char name[256] = "";

	if (c->hostname[0] != '\0' || gethostname(name, sizeof(name) - 1) < 0)
		return;
	/* An unusable name stays empty, which the check reports. */
	if (!conf_set(o, c, str_c(name)))
		c->hostname[0] = '\0';
}

/* --- files ------------------------------------------------------------------------------- */

/* The whole of a text file of at most max bytes. 0, or -1 and an error. */
static int
read_text(const char *path, size_t max, struct buf *b)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0) {
		add_error(0, "cannot read %s: %s", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		add_error(0, "cannot read %s: it is not a file", path);
		return -1;
	}
	while (b->n <= max) {
		char *to = buf_reserve(b, 4096);

		n = to == NULL ? -1 : read(fd, to, 4096);
		if (n <= 0)
			break;
		b->n += (size_t)n;
	}
	if (n != 0 || b->n > max) {
		add_error(0, "cannot read %s: %s", path,
		    b->n > max ? "too large" : strerror(errno));
		return -1;
	}
	if (b->n > 0 && memchr(b->p, 0, b->n) != NULL) {
		add_error(0, "%s: it has a NUL byte; expected text", path);
		return -1;
	}
	return 0;
}

static void
parse_text(struct buf *text)
{
	struct tables *t = X_NEW(struct tables);
	cfg_t *cfg;

	make_tables(t);
	cfg = cfg_init(t->root, CFGF_NONE);
	if (cfg == NULL)
		die("cfg_init: out of memory");
	cfg_set_error_function(cfg, on_error);
	if (text->n > 0 && text->p[text->n - 1] != '\n')
		buf_put_char(text, '\n');
	for (size_t i = 0; i < text->n; i++)
		now->last_line += text->p[i] == '\n';
	buf_put_c(text, LAST_OPTION " = yes\n");
	if (cfg_parse_buf(cfg, buf_c(text)) != CFG_SUCCESS &&
	    now->errors.n == 0)
		add_error(cfg->line, "it cannot be understood");
	if (now->errors.n == 0 && cfg_size(cfg, LAST_OPTION) == 0)
		add_error(0, "it ends within a comment or a string");
	cfg_free(cfg);
	free(t);
}

static char *
take_errors(struct reading *r)
{
	char *text = str_dup(buf_str(&r->errors));

	buf_done(&r->errors);
	return text;
}

static int
load(const char *path, bool is_server, struct conf **ret, char **ret_error)
{
	struct reading r = { .path = path, .errors = BUF_INIT(ERRORS_MAX) };
	struct buf text = BUF_INIT(FILE_MAX + 4096);

	now = &r;
	r.conf = conf_new();
	if (read_text(path, FILE_MAX, &text) == 0)
		parse_text(&text);
	buf_done(&text);
	if (r.errors.n == 0) {
		default_hostname(r.conf);
		if (is_server)
			check_whole(r.conf);
	}
	now = NULL;
	if (r.errors.n > 0) {
		*ret_error = take_errors(&r);
		conf_free(r.conf);
		return -1;
	}
	*ret = r.conf;
	return 0;
}

int
conf_load(const char *path, struct conf **ret, char **ret_error)
{
	return load(path, true, ret, ret_error);
}

int
conf_load_agent(const char *path, struct conf **ret, char **ret_error)
{
	return load(path, false, ret, ret_error);
}

/* SPDX-License-Identifier: ISC */
/*
 * demo_systems.c - the demo's systems: a small provider with ten of them, each
 * at an address of loopback of its own. What the demo itself serves is checked
 * for real, up to a mail that goes round; the web servers are its own role web.
 * Name servers and the telephone are small ones of the demo (stand_in.h).
 */
#include "cli/demo/demo.h"
#include "cli/demo/stand_in.h"
#include "cli/watch_rows.h"

/* clang-format off */
static const struct {
	struct status_system s;
	const char *address;
} systems[] = {
	{ { .id = STR("NC023"), STATUS_ROLE_RELAY, STR("London"), STR("United Kingdom"), .is_internal = true }, "127.0.0.23" },
	{ { .id = STR("NC028"), STATUS_ROLE_MONITORING, STR("Vancouver"), STR("Canada"), .is_internal = true }, "127.0.0.28" },
	{ { .id = STR("NC031"), STATUS_ROLE_WEB, STR("New York"), STR("United States of America"), .is_internal = true }, "127.0.0.31" },
	{ { .id = STR("NC033"), STATUS_ROLE_PRIMARY_NS, STR("Toronto"), STR("Canada") }, "127.0.0.33" },
	{ { .id = STR("NC034"), STATUS_ROLE_PHONE, STR("Lusaka"), STR("Zambia"), .is_internal = true }, "127.0.0.34" },
	{ { .id = STR("NC035"), STATUS_ROLE_SECONDARY_NS, STR("Sydney"), STR("Australia") }, "127.0.0.35" },
	{ { .id = STR("NC036"), STATUS_ROLE_MAIL, STR("Amsterdam"), STR("Netherlands") }, "127.0.0.36" },
	{ { .id = STR("NC040"), STATUS_ROLE_WEB, STR("Toronto"), STR("Canada"), .is_internal = true }, "127.0.0.40" },
	{ { .id = STR("NC041"), STATUS_ROLE_WEB, STR("New York"), STR("United States of America") }, "127.0.0.41" },
	{ { .id = STR("NC042"), STATUS_ROLE_STATUS, STR("Seattle"), STR("United States of America") }, "127.0.0.42" },
};

#define LOGIN    "login=bob@" DEMO_DOMAIN
#define PASSWORD "password=" DEMO_PASSWORD
/* The certificate is self-signed. */
#define ANY      "verify=no"

/* A port of the demo stands behind the target; 0: none does. */
static const struct {
	const char *key, *kind, *target;
	unsigned port, via, imap;
	const char *options[6];
	const char *path; /* behind the port */
} checks[] = {
	{ "nc023/smtp",       "smtp",       "127.0.0.1",  25,  0, 0, { "tls=starttls", ANY }, "" },
	{ "nc023/submissions", "tcp",       "127.0.0.1", 465,  0, 0, { NULL }, "" },
	{ "nc028/metrics",    "http",       "http://127.0.0.1", 90, 0, 0, { "body=mailstead_" }, "/metrics" },
	{ "nc031/web",        "http",       "http://127.0.0.1", 80, 0, 0, { "body=</html>" }, "/archive" },
	{ "nc033/soa",        "soa",        DEMO_DOMAIN, 0, 0, 0, { NULL }, "" },
	{ "nc033/zone",       "dns",        DEMO_DOMAIN, 0, 0, 0, { "type=NS", "value=ns1." DEMO_DOMAIN, "value=ns2." DEMO_DOMAIN }, "" },
	{ "nc034/sip",        "sip",        STAND_IN_PHONE, STAND_IN_SIP_PORT, 0, 0, { NULL }, "" },
	{ "nc034/sip-tcp",    "sip",        STAND_IN_PHONE, STAND_IN_SIP_PORT, 0, 0, { "transport=tcp" }, "" },
	{ "nc035/mail-host",  "dns",        "mail." DEMO_DOMAIN, 0, 0, 0, { "value=127.0.0.36" }, "" },
	{ "nc035/tcp",        "tcp",        STAND_IN_SECONDARY, STAND_IN_DNS_PORT, 0, 0, { NULL }, "" },
	{ "nc036/smtp",       "smtp",       "127.0.0.1",  25,  0, 0, { NULL }, "" },
	{ "nc036/submission", "submission", "127.0.0.1", 587,  0, 0, { LOGIN, PASSWORD, ANY }, "" },
	{ "nc036/imap",       "imap",       "127.0.0.1", 993,  0, 0, { "tls=implicit", LOGIN, PASSWORD, ANY }, "" },
	{ "nc036/pop3",       "pop3",       "127.0.0.1", 110,  0, 0, { LOGIN, PASSWORD, ANY }, "" },
	{ "nc036/certificate", "tls",       "127.0.0.1", 143,  0, 0, { "protocol=imap", ANY }, "" },
	{ "nc036/round-trip", "roundtrip",  "bob@" DEMO_DOMAIN, 0, 587, 143, { LOGIN, PASSWORD, ANY, "every=1m" }, "" },
	{ "nc040/web",        "http",       "http://127.0.0.1", 80, 0, 0, { "body=</html>" }, "/search" },
	{ "nc041/web",        "http",       "https://127.0.0.1", 443, 0, 0, { "body=</html>", ANY }, "/" },
	{ "nc041/certificate", "tls",       "127.0.0.1", 443,  0, 0, { ANY }, "" },
	{ "nc042/site",       "http",       "http://127.0.0.1", 80, 0, 0, { "body=NC042" }, "/" },
	{ "nc042/summary",    "http",       "http://127.0.0.1", 80, 0, 0, { "body=\"status\"" }, "/api/v2/summary.json" },
};
/* clang-format on */

/* Whom checks ask for names; the primary first. */
static const struct {
	const char *key, *address;
} servers[] = {
	{ "nc033/soa", STAND_IN_PRIMARY },
	{ "nc033/soa", STAND_IN_SECONDARY },
	{ "nc033/zone", STAND_IN_PRIMARY },
	{ "nc035/mail-host", STAND_IN_SECONDARY },
};

static int
put_check(struct admin *a, struct str key, const struct status_check *c)
{
	struct buf value = BUF_INIT(KIB(16));
	struct status_fault fault;
	int r;

	if (!status_check_finish(c, &fault))
		die("check %.*s of the demo: expected %s", STR_ARG(key),
		    fault.expected);
	status_check_encode(c, &value);
	r = ledger_rows_put(a, LEDGER_CHECK,
	    &(struct msg_ledger_row){ .key = key, .value = buf_str(&value) },
	    "the demo's checks");
	buf_done(&value);
	return r;
}

static void
put_word(struct status_check *c, const char *word)
{
	struct status_fault fault;

	if (!status_check_put(c, str_c(word), &fault))
		die("%s: expected %s", word, fault.expected);
}

static void
begin(struct status_check *c, const char *kind, const char *target)
{
	struct status_fault fault;

	if (!status_check_begin(c, str_c(kind), str_c(target), &fault))
		die("%s %s: expected %s", kind, target, fault.expected);
}

static int
add_ping(struct admin *a, struct str system, const char *address)
{
	struct buf key = BUF_INIT(STATUS_KEY_MAX);
	struct status_check c;
	int r;

	begin(&c, "ping", address);
	status_put_key(&key, system);
	buf_put_c(&key, "/ping");
	r = put_check(a, buf_str(&key), &c);
	buf_done(&key);
	return r;
}

static int
add_check(struct admin *a, const struct demo *d, size_t i)
{
	CLEANUP(freep) char *target = x_strdup(checks[i].target);
	CLEANUP(freep) char *via = NULL, *imap = NULL;
	char *words[ARRAY_LEN(servers)];
	size_t n_words = 0;
	struct status_check c;
	int r;

	if (checks[i].port != 0) {
		free(target);
		target = x_asprintf("%s:%u%s", checks[i].target,
		    d->ports + checks[i].port, checks[i].path);
	}
	begin(&c, checks[i].kind, target);
	for (size_t k = 0; checks[i].options[k] != NULL; k++)
		put_word(&c, checks[i].options[k]);
	for (size_t k = 0; k < ARRAY_LEN(servers); k++)
		if (strcmp(servers[k].key, checks[i].key) == 0)
			words[n_words++] = x_asprintf("server=%s:%u",
			    servers[k].address, d->ports + STAND_IN_DNS_PORT);
	for (size_t k = 0; k < n_words; k++)
		put_word(&c, words[k]);
	if (checks[i].via != 0) {
		via = x_asprintf("via=127.0.0.1:%u", d->ports + checks[i].via);
		imap =
		    x_asprintf("imap=127.0.0.1:%u", d->ports + checks[i].imap);
		put_word(&c, via);
		put_word(&c, imap);
	}
	r = put_check(a, str_c(checks[i].key), &c);
	while (n_words > 0)
		free(words[--n_words]);
	return r;
}

int
demo_make_systems(struct admin *a, const struct demo *d)
{
	int r = ADMIN_OK;

	for (size_t i = 0; r == ADMIN_OK && i < ARRAY_LEN(systems); i++) {
		struct status_system s = systems[i].s;

		s.order = (uint32_t)i + 1;
		r = watch_system_put(a, &s);
		if (r == ADMIN_OK)
			r = add_ping(a, s.id, systems[i].address);
	}
	for (size_t i = 0; r == ADMIN_OK && i < ARRAY_LEN(checks); i++)
		r = add_check(a, d, i);
	return r;
}

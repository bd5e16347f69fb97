/* SPDX-License-Identifier: ISC */
/*
 * conf.h - the configuration of one machine: schema table, parser, snapshot.
 *
 * The file holds what a machine needs (names, ports, folders, limits); domains
 * and users are data in the store. It is parsed once by the supervisor, checked
 * as a whole, and handed to the roles as an immutable snapshot. Errors say
 * file, line and what was expected. The schema table (schema.def) makes the
 * parser, the defaults, the checker and the manual page.
 */
#pragma once

#include "base/buf.h"
#include "conf/conf_cert.h"
#include "proc/role.h"

#define CONF_LISTENERS_MAX 64

struct conf_listener {
	enum service service;
	char *address; /* "127.0.0.1", "::", "/path" for LMTP */
	uint16_t port;
};

struct conf {
	/* general */
	char *hostname; /* our name in banners, Received and EHLO */
	char *data_dir; /* absolute */
	char *user;     /* run as; "" when not started as root */
	char *log_level;
	uint32_t workers_smtp, workers_imap, workers_filter, workers_web;
	/* tls: certificates and keys as read by the supervisor; in a snapshot
	 * those that can be used, for roles that speak TLS */
	char *tls_certificate_file, *tls_key_file, *tls_folder;
	struct conf_certs certs;
	/* listeners */
	struct conf_listener listeners[CONF_LISTENERS_MAX];
	uint32_t listener_count;
	char *metrics_address; /* "" off, else loopback address */
	uint32_t metrics_port;
	/* smtp */
	uint64_t message_size_max;  /* bytes */
	uint32_t recipients_max;    /* of one message */
	uint32_t smtp_errors_max;   /* then 421 and close */
	uint32_t smtp_messages_max; /* in one connection */
	uint32_t smtp_idle_s;       /* RFC 5321 4.5.3.2: 5 minutes */
	uint32_t smtp_data_idle_s;
	uint32_t hops_max;    /* Received fields */
	bool smtp_check_from; /* submission: From must be the account's */
	/* imap and pop3 */
	uint32_t imap_idle_s; /* RFC 3501: at least 30 minutes */
	uint32_t imap_preauth_idle_s;
	uint64_t imap_append_max; /* bytes of one message; 0: as smtp */
	uint32_t pop3_idle_s;     /* RFC 1939: at least 10 minutes */
	/* limits on clients */
	uint32_t connections_max;        /* for one worker */
	uint32_t connections_per_ip;     /* for one worker; 0: no limit */
	uint32_t connection_rate_per_ip; /* new ones a minute; 0: no limit */
	/* watch */
	bool watch_enabled;
	char *watch_uplink; /* lines of addresses with ports */
	char *watch_ca_file;
	char *watch_relays, *watch_relay_logins;
	bool watch_direct, watch_allow_local;
	char *watch_api_networks;
	uint32_t watch_confirm_s, watch_retry_s;
	/* site */
	char *site_title, *site_from, *site_url, *site_contact, *site_home;
	char *site_mail_host;
	char *site_links;   /* lines of a URL, a blank and words */
	char *site_mirrors; /* lines of targets of static copies */
	char *site_proxies; /* lines of networks */
	char *site_proxy_field;
	char *site_language;
	uint32_t site_post_after_s;
	/* reach */
	char *reach_as_database, *reach_as_zone;
	/* store */
	uint64_t store_segment_bytes;
	uint64_t store_reserve_bytes; /* disk space that stays free */
	uint32_t store_undelete_days;
	uint64_t queue_entries;
	uint64_t queue_account_entries;
	uint32_t queue_history_days;
	uint64_t account_recipients;
	uint64_t account_first_time;
	uint64_t account_surge;
	uint32_t store_threads;
	uint64_t quota_bytes; /* default for a new account; 0: none */
	uint64_t quota_messages;
	/* auth */
	uint32_t auth_cache_s;      /* how long a verified password is known */
	uint32_t auth_failures_max; /* of one address in auth_window_s */
	uint32_t auth_window_s, auth_ban_s;
	uint32_t auth_threads;
	bool
	    auth_allow_plaintext; /* PLAIN, LOGIN, USER without TLS: default no */
	/* dns; lists: each element ends with a line feed */
	char *dns_servers;
	bool dns_dnssec;
	char *dns_trust_anchor;
	/* dkim */
	uint32_t dkim_wait_s, dkim_keep_s, dkim_rotate_s;
	bool dkim_check;
	/* send */
	bool send_direct;
	uint32_t send_canary_s, send_canary_max_s;
	char *send_providers, *send_refusals;
	char *send_routes;
	uint32_t send_port;
	bool send_allow_loopback;
	uint32_t send_https_port;
	char *send_authorities;
	char *send_source4, *send_source6;
	char *send_helo4, *send_helo6;
	uint32_t send_connections, send_destination_connections;
	uint32_t send_connection_messages;
	uint32_t send_timeout_s, send_connect_s, send_idle_s;
	uint32_t send_retry_s, send_retry_max_s;
	uint32_t send_delay_notice_s, send_expire_s;
	char *send_report_language;
	uint32_t send_suppress_after;
	uint32_t send_suppress_apart_s;
	uint32_t send_suppress_s;
	/* incoming; lists as above */
	bool incoming_checks, incoming_reject, incoming_check_loopback;
	uint32_t incoming_timeout_s;
	char *incoming_trusted, *incoming_sealers, *incoming_lists;
	/* acme; hosts: lines, each one certificate's names, blanks between */
	char *acme_hosts, *acme_directory, *acme_email, *acme_challenge;
	char *acme_ca_file, *acme_external_account;
	bool acme_agree, acme_new_keys, acme_allow_loopback;
	/* report */
	char *report_from;
	bool report_dmarc, report_tls;
	uint32_t report_interval_s;
};

/*
 * Parse and check a file. 0, or -1 with *ret_error on the heap: one or more
 * lines "file:line: what is wrong; expected ...". Certificates are not read.
 */
int conf_load(
    const char *path, struct conf **ret, char **ret_error) WARN_UNUSED;
/* The same of an agent (docs/watch.md), which serves nobody: each option is checked,
 * the whole is not. */
int conf_load_agent(
    const char *path, struct conf **ret, char **ret_error) WARN_UNUSED;
/* Read the certificates and keys (conf_cert_read.h) into c, which has none yet. As
 * conf_load(). */
int conf_read_tls(struct conf *c, char **ret_error) WARN_UNUSED;
void conf_free(struct conf *c);

/* Does it get private keys? */
bool conf_serves_tls(enum role role);
/* The snapshot that travels to the roles. Private keys go only to roles that
 * serve TLS. conf_decode checks everything: 0 or -EBADMSG. */
void conf_encode(const struct conf *c, enum role for_role, struct buf *b);
int conf_decode(struct str snapshot, struct conf **ret) WARN_UNUSED;
/* A role's way: *c is replaced, and a snapshot that is none ends the process. */
void conf_take(struct conf **c, struct str snapshot);

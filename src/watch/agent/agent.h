/* SPDX-License-Identifier: ISC */
/*
 * agent.h - role watch as an agent: the checks come from a master over HTTPS, and
 * what they find goes there. Everything between is the same code.
 *
 *   agent_dir.c    its folder: who it is, its key, its last list of checks
 *   agent_spool.c  results that the master does not have yet, in a file
 *   agent_link.c   what it says to the master, and when
 *   agent_enrol.c  how it comes by all that
 *   agent_run.c    the process
 */
#pragma once

#include "base/crypt.h"
#include "net/http_client.h"
#include "proto/agent/agent_message.h"
#include "proto/agent/agent_page.h"
#include "watch/server.h"
#include "watch/watch.h"

struct spool;

struct agent {
	struct server sv; /* sv.agent is this */
	const char *dir;
	char *id, *host;
	uint16_t port;
	struct crypt_key *key;
	uint64_t boot; /* which start of this machine */
	struct spool *spool;
	/* of agent_link.c */
	struct http_client *http;
	struct tls_context *tls; /* the authorities of the master's name */
	struct loop_timer *due;
	uint64_t due_ms; /* of the timer; 0: it does not run */
	bool is_asking, is_away, is_refused;
	bool is_waiting;          /* asking, and the answer may take a while */
	struct http_query *query; /* of is_asking */
	unsigned stale;           /* answers in a row that said so */
	uint32_t pause_ms;        /* after a refusal */
	uint64_t epoch, seq, list;
	uint64_t sent;    /* the first result that is not in the request */
	int64_t ahead_ms; /* the master's wall clock less ours */
	uint64_t lost_told;
};

/* --- agent_dir.c ----------------------------------------------------------------- */

/* These print what is wrong; 0 or -1. */
int agent_dir_load(struct agent *a, const char *dir);
/* "https://HOST[:PORT]". False: it is not. *ret_host is on the heap. */
bool agent_url_parse(
    const char *url, char **ret_host, uint16_t *ret_port) WARN_UNUSED;
/* As a whole or not at all; mode 0600. 0 or -errno. */
int agent_dir_write(const char *dir, const char *name, struct str bytes);
/* All of a file of at most max bytes. 0 or -errno. */
int agent_dir_read(
    const char *dir, const char *name, size_t max, struct buf *ret);
#define AGENT_SELF_MAGIC  "mailstead agent 1"
#define AGENT_FILE_CONF   "agent.conf" /* sections of mailstead.conf(5) */
#define AGENT_FILE_SELF   "enrolled"   /* the master, and its own name */
#define AGENT_FILE_KEY    "key.pem"
#define AGENT_FILE_MASTER "master.pem" /* authorities; may be missing */
#define AGENT_FILE_CHECKS "checks"     /* the last answer with a list */
#define AGENT_FILE_SPOOL  "results.ring"

/* --- agent_spool.c ---------------------------------------------------------------- */

#define SPOOL_PAGES 4096 /* 16 MiB: two days of 100 checks each 30 s */
/* 0 or -errno: no room, not ours to write. */
int spool_open(const char *path, unsigned pages, struct spool **ret);
void spool_close(struct spool *s); /* NULL is fine */
/* A result. boot and wall_ms say what its time means (agent_page.h). */
void spool_put(struct spool *s, const struct agent_kept *k, uint64_t boot,
    uint64_t wall_ms);
/* Numbers of the first result that is not sent yet, and behind the last one. */
uint64_t spool_first(const struct spool *s);
uint64_t spool_end(const struct spool *s);
/* That many were given up, ever. */
uint64_t spool_lost(const struct spool *s);
/* Those from spool_first() on, in order, until fn says false; the answer is the
 * number of the first one that it did not take. */
typedef bool (*spool_fn)(
    void *arg, const struct agent_page *p, const struct agent_kept *k);
uint64_t spool_read(struct spool *s, spool_fn fn, void *arg);
/* The master has all before that number. */
void spool_sent(struct spool *s, uint64_t before);

/* --- agent_link.c ------------------------------------------------------------------- */

void agent_link_start(struct agent *a);
/* What it found: into the spool, and soon to the master when it matters. */
void agent_keep(
    struct agent *a, const struct watched *w, const struct watch_result *r);
/* Take the checks of an answer. False: they are not in order. */
bool agent_take_checks(struct agent *a, const struct agent_reply *r);

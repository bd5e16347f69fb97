/* SPDX-License-Identifier: ISC */
/*
 * agent_enrol.c - a new agent: its folder, its key, and the master's word.
 *
 * The folder is complete or it is no agent's: the file that says who it is
 * comes last.
 */
#include "watch/agent/agent.h"

#include "conf/conf_resolver.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIMIT_MS 20000
#define CA_MAX   MIB(1)

struct asking {
	struct loop *loop;
	char *id;    /* NULL: it did not work */
	char *error; /* why not */
};

/* --- the folder ---------------------------------------------------------------- */

/* What stands in the quotes of the configuration. */
static bool
is_plain(const char *s)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789.:[]@_-/, ";

	return s == NULL || s[strspn(s, good)] == '\0';
}

static void
put_list(struct buf *to, const char *name, const char *list)
{
	struct str rest = str_c(list), one;
	bool is_first = true;

	buf_printf(to, "\t%s = { ", name);
	while (rest.n > 0) {
		rest = str_split(rest, ',', &one);
		one = str_trim(one);
		buf_printf(
		    to, "%s\"%.*s\"", is_first ? "" : ", ", STR_ARG(one));
		is_first = false;
	}
	buf_put_c(to, " }\n");
}

static int
write_conf(const struct watch_agent_options *o)
{
	struct buf b = BUF_INIT(KIB(64));
	int r;

	buf_put_c(&b,
	    "# Of an agent: what mailstead.conf(5) says of user, and of the\n"
	    "# sections dns and watch (uplink, confirm and ca_file).\n");
	buf_printf(&b, "user = \"%s\"\n", o->user ? o->user : "");
	if (o->dns) {
		buf_put_c(&b, "dns {\n");
		put_list(&b, "servers", o->dns);
		buf_put_c(&b, "}\n");
	}
	if (o->uplink) {
		buf_put_c(&b, "watch {\n");
		put_list(&b, "uplink", o->uplink);
		buf_put_c(&b, "}\n");
	}
	r = agent_dir_write(o->dir, AGENT_FILE_CONF, buf_str(&b));
	buf_done(&b);
	return r;
}

static int
copy_ca(const struct watch_agent_options *o)
{
	CLEANUP(freep) char *dir = x_strdup(o->ca);
	struct buf b = BUF_INIT(0);
	char *slash = strrchr(dir, '/');
	const char *name = slash ? slash + 1 : o->ca;
	int r;

	if (slash != NULL)
		*slash = '\0';
	r = agent_dir_read(slash == NULL  ? "."
			   : slash == dir ? "/"
					  : dir,
	    name, CA_MAX, &b);
	if (r == 0)
		r = agent_dir_write(o->dir, AGENT_FILE_MASTER, buf_str(&b));
	buf_done(&b);
	return r;
}

static int
write_key(const struct watch_agent_options *o, const struct crypt_key *key)
{
	struct buf b = BUF_INIT(CRYPT_PEM_MAX);
	int r = -EIO;

	if (crypt_key_to_pem(key, &b))
		r = agent_dir_write(o->dir, AGENT_FILE_KEY, buf_str(&b));
	buf_done_secret(&b);
	return r;
}

static int
write_self(const struct watch_agent_options *o, const char *id)
{
	struct buf b = BUF_INIT(KIB(4));
	int r;

	buf_printf(&b, "%s\n%s\n%s\n", AGENT_SELF_MAGIC, o->url, id);
	r = agent_dir_write(o->dir, AGENT_FILE_SELF, buf_str(&b));
	buf_done(&b);
	return r;
}

/* To the user that it will run as. */
static int
give_away(const struct watch_agent_options *o)
{
	static const char *const files[] = { AGENT_FILE_CONF, AGENT_FILE_KEY,
		AGENT_FILE_MASTER, AGENT_FILE_SELF };
	struct passwd *pw;

	if (geteuid() != 0 || o->user == NULL)
		return 0;
	errno = 0;
	pw = getpwnam(o->user);
	if (pw == NULL)
		return errno ? -errno : -ENOENT;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		CLEANUP(freep)
		char *path = x_asprintf("%s/%s", o->dir, files[i]);

		if (lchown(path, pw->pw_uid, pw->pw_gid) < 0 && errno != ENOENT)
			return -errno;
	}
	return lchown(o->dir, pw->pw_uid, pw->pw_gid) < 0 ? -errno : 0;
}

/* --- the master ------------------------------------------------------------------ */

static void
on_reply(void *arg, const struct http_reply *r)
{
	struct asking *q = arg;
	struct str first;

	(void)str_split(str_first(r->body, 300), '\n', &first);
	if (r->end != HTTP_END_REPLY)
		q->error = x_asprintf("the master: %s", r->why);
	else if (r->status == 200 && status_is_id(r->body))
		q->id = str_dup(r->body);
	else if (r->status == 200)
		q->error = x_strdup("what answers there is no Mailstead");
	else
		q->error = x_asprintf(
		    "the master says %u: %.*s", r->status, STR_ARG(first));
	loop_stop(q->loop);
}

static void
seal(const struct watch_agent_options *o, const struct crypt_key *key,
    struct buf *to)
{
	struct buf public = BUF_INIT(KIB(1)), payload = BUF_INIT(KIB(2));
	struct agent_enrol e = { .token = str_c(o->token),
		.software = STR("mailstead " VERSION) };
	struct agent_envelope env = { .id = STR("-") };

	crypt_key_to_public(key, &public);
	e.key = buf_str(&public);
	agent_enrol_put(&payload, &e);
	env.payload = buf_str(&payload);
	if (!agent_envelope_seal(to, &env, AGENT_PATH_ENROL, key))
		die("agent: a request cannot be signed");
	buf_done(&public);
	buf_done_secret(&payload);
}

static void
ask(const struct watch_agent_options *o, const struct crypt_key *key,
    struct agent *a, struct asking *q)
{
	struct buf body = BUF_INIT(KIB(4));
	struct http_client *http;
	char *error = NULL;
	bool validates;

	q->loop = a->sv.loop = loop_new();
	if (conf_resolver_new(
		a->sv.conf, q->loop, &a->sv.resolver, &validates, &error) < 0) {
		q->error = error;
		return;
	}
	a->tls =
	    o->ca ? tls_client_context_new(o->ca) : tls_client_context_of("");
	http = http_client_new(&(struct http_client_config){
	    .loop = q->loop, .resolver = a->sv.resolver, .tls = a->tls });
	seal(o, key, &body);
	(void)http_ask(http,
	    &(struct http_request){ .host = a->host,
		.port = a->port,
		.path = AGENT_PATH_ENROL,
		.type = AGENT_MEDIA_TYPE,
		.body = buf_str(&body),
		.reply_max = KIB(16),
		.limit_ms = LIMIT_MS,
		.idle_s = 10,
		.allow_local = true },
	    on_reply, q);
	loop_run(q->loop);
	buf_done_secret(&body);
}

/* --- both -------------------------------------------------------------------------- */

static char *
begin_dir(const struct watch_agent_options *o)
{
	CLEANUP(freep)
	char *self = x_asprintf("%s/%s", o->dir, AGENT_FILE_SELF);

	if (!is_plain(o->dir) || !is_plain(o->user) || !is_plain(o->uplink) ||
	    !is_plain(o->dns))
		return x_strdup("quotes and the like are in no name here");
	if (o->dir[0] != '/')
		return x_strdup("--state needs a path that begins with /");
	if (geteuid() == 0 && o->user == NULL)
		return x_strdup("as root, say --user NAME: whom the agent is "
				"to become");
	if (access(self, F_OK) == 0)
		return x_asprintf("%s is an agent's already", o->dir);
	if (mkdir(o->dir, 0700) < 0 && errno != EEXIST)
		return x_asprintf("%s: %s", o->dir, strerror(errno));
	return NULL;
}

static char *
fill_dir(const struct watch_agent_options *o, const struct crypt_key *key)
{
	int r = write_conf(o);

	if (r == 0)
		r = write_key(o, key);
	if (r == 0 && o->ca != NULL) {
		r = copy_ca(o);
		if (r < 0)
			return x_asprintf("%s: %s", o->ca, strerror(-r));
	}
	return r < 0 ? x_asprintf("%s: %s", o->dir, strerror(-r)) : NULL;
}

static char *
load_conf(const struct watch_agent_options *o, struct agent *a)
{
	CLEANUP(freep)
	char *path = x_asprintf("%s/%s", o->dir, AGENT_FILE_CONF);
	char *error = NULL;

	return conf_load_agent(path, &a->sv.conf, &error) < 0 ? error : NULL;
}

int
watch_agent_enrol(const struct watch_agent_options *o, char **ret)
{
	struct crypt_key *key = crypt_key_generate(CRYPT_ED25519, 0);
	struct agent *a = X_NEW(struct agent);
	struct asking q = { 0 };
	int r = 0;

	if (key == NULL)
		die("agent: no key can be made");
	if (!agent_url_parse(o->url, &a->host, &a->port))
		q.error = x_asprintf(
		    "\"%s\": expected https://HOST or https://HOST:PORT",
		    o->url);
	if (q.error == NULL)
		q.error = begin_dir(o);
	if (q.error == NULL)
		q.error = fill_dir(o, key);
	if (q.error == NULL)
		q.error = load_conf(o, a);
	if (q.error == NULL)
		ask(o, key, a, &q);
	if (q.id != NULL)
		r = write_self(o, q.id);
	if (q.id != NULL && r == 0)
		r = give_away(o);
	if (r < 0)
		q.error = x_asprintf("%s: %s", o->dir, strerror(-r));
	crypt_key_free(key);
	free(a);
	*ret = q.error != NULL ? q.error : q.id;
	return q.error != NULL ? -1 : 0;
}

/* SPDX-License-Identifier: ISC */
/*
 * dispatch_hook.c - a webhook: one POST of JSON, signed when there is a secret
 * (Standard Webhooks: webhook-id, webhook-timestamp, webhook-signature). The id is
 * the same at each attempt. 2xx is success; 410 means that nobody wants it any
 * more; all else is tried again. No redirects, and no way into our own networks.
 */
#include "net/http_client.h"
#include "watch/outbox/dispatch.h"

#define LIMIT_MS  15000
#define IDLE_S    8
#define REPLY_MAX KIB(4)

static enum outcome
judge(const struct http_reply *r)
{
	if (r->end != HTTP_END_REPLY)
		return TEMPFAIL;
	if (r->status >= 200 && r->status <= 299)
		return DONE;
	return r->status == 410 ? PERMFAIL : TEMPFAIL;
}

static void
on_reply(void *arg, const struct http_reply *r)
{
	struct dispatch *d = arg;
	enum outcome outcome = judge(r);
	char said[STATUS_SAID_MAX + 1];

	if (r->end == HTTP_END_REPLY)
		(void)snprintf(said, sizeof(said), "status %u", r->status);
	else
		(void)snprintf(said, sizeof(said), "%s", r->why);
	dispatch_note(d, outcome, said);
	dispatch_end(d, outcome);
}

static void
ask(struct dispatch *d, const char *const *fields)
{
	const struct status_message *m = d->w.message;
	struct status_url u = status_url_parts(m->to);
	CLEANUP(freep) char *host = str_dup(u.host);
	CLEANUP(freep) char *path = str_dup(u.path);
	const struct http_request r = { .host = host,
		.owner = u.host,
		.idle_s = IDLE_S,
		.port = u.port,
		.path = path,
		.type = "application/json",
		.body = m->body,
		.reply_max = REPLY_MAX,
		.limit_ms = LIMIT_MS,
		.allow_local = d->w.sv->conf->watch_allow_local,
		.is_public_only = true,
		.is_plain = !u.is_https,
		.fields = fields };

	dispatch_begin(d, "%s:%u", host, u.port);
	(void)http_ask(d->w.sv->http, &r, on_reply, d);
}

void
dispatch_hook(struct dispatch *d)
{
	const struct status_message *m = d->w.message;
	uint64_t now = loop_time(d->w.sv->loop);
	CLEANUP(freep)
	char *id = x_asprintf("webhook-id: %s", d->w.id);
	CLEANUP(freep)
	char *time =
	    x_asprintf("webhook-timestamp: %llu", (unsigned long long)now);
	struct buf signature = BUF_INIT(KIB(1));
	const char *fields[4] = { id, time };

	if (m->secret.n > 0) {
		buf_put_c(&signature, "webhook-signature: ");
		letter_sign(m, d->w.id, now, &signature);
		fields[2] = buf_c(&signature);
	}
	ask(d, fields);
	buf_done(&signature);
}

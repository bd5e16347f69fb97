/* SPDX-License-Identifier: ISC */
/*
 * cmd_trace.c - mailstead trace ID|ADDRESS: how messages came, the mailboxes they
 * went into, and what other servers said to them, word for word.
 */
#include "base/arena.h"
#include "cli/output/output.h"
#include "cli/queue/queue_words.h"
#include "net/idn.h"
#include "proto/smtp/smtp_path.h"

#include <time.h>

const char *
queue_event_name(unsigned state)
{
	static const char *const names[] = {
		[QUEUE_RELEASED] = "given-back",
		[QUEUE_DEFERRED] = "deferred",
		[QUEUE_DELIVERED] = "delivered",
		[QUEUE_FAILED] = "failed",
		[QUEUE_HELD] = "held",
		[QUEUE_WAS_CANCELLED] = "cancelled-by-operator",
		[QUEUE_WAS_RETURNED] = "returned-by-operator",
		[QUEUE_WAS_HELD] = "held-by-operator",
		[QUEUE_WAS_FREED] = "released-by-operator",
		[QUEUE_WAS_HURRIED] = "retried-by-operator",
		[QUEUE_WAS_ROUTED] = "rerouted-by-operator",
		[QUEUE_WAS_LIMITED] = "held-by-limit",
	};

	return state < ARRAY_LEN(names) && names[state] ? names[state]
	                                                : "unknown";
}

static const struct output_field fields[] = {
	{ "id", "ID", OUTPUT_TEXT },
	{ "sender", "SENDER", OUTPUT_TEXT },
	{ "recipient", "RECIPIENT", OUTPUT_TEXT },
	{ "time", "TIME", OUTPUT_TIME },
	{ "event", "EVENT", OUTPUT_TEXT },
	{ "reply", "REPLY", OUTPUT_TEXT },
	{ "mx", "MX", OUTPUT_TEXT },
	{ "ip", "IP", OUTPUT_TEXT },
	{ "source_ip", "SOURCE", OUTPUT_TEXT },
	{ "tls", "TLS", OUTPUT_TEXT },
	{ "route", "ROUTE", OUTPUT_TEXT },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "service", "SERVICE", OUTPUT_TEXT },
	{ "client", "CLIENT", OUTPUT_TEXT },
	{ "account", "ACCOUNT", OUTPUT_TEXT },
	{ "mailbox", "MAILBOX", OUTPUT_TEXT },
	{ "results", "RESULTS", OUTPUT_TEXT },
	{ "about", "ABOUT", OUTPUT_TEXT },
};

/* What an event of the queue does not have. */
struct extra {
	struct str service, client, account, mailbox, results;
};

static void
put_row(struct output *o, const struct msg_queue_life *m,
    const struct msg_queue_event *e, const char *event, const struct extra *x)
{
	output_put_text(o, m->id);
	output_put_text(o, m->sender);
	output_put_text(o, e->recipient);
	output_put_number(o, e->time_ms / 1000);
	output_put_text(o, str_c(event));
	output_put_text(o, e->reply);
	output_put_text(o, e->mx);
	output_put_text(o, e->mx_ip);
	output_put_text(o, e->source_ip);
	output_put_text(o, e->tls);
	output_put_text(o, e->route);
	output_put_number(o, e->due_ms / 1000);
	output_put_text(o, x->service);
	output_put_text(o, x->client);
	output_put_text(o, x->account);
	output_put_text(o, x->mailbox);
	output_put_text(o, x->results);
	output_put_text(o, m->about);
}

static struct str
mailbox_name(const struct msg_queue_copied *c)
{
	return c->is_junk ? STR("Junk") : STR("INBOX");
}

static void
put_arrival(struct output *o, const struct msg_queue_life *m)
{
	struct msg_queue_event e = { .time_ms = m->arrival_ms };
	struct msg_queue_copied c;
	struct msg_arrival a;

	if (!msg_arrival_get(m->arrival, &a))
		return;
	e.mx_ip = a.ip;
	e.tls = a.tls;
	put_row(o, m, &e, "received",
	    &(struct extra){
		a.service, a.client, m->login, STR_NONE, a.results });
	e = (struct msg_queue_event){ .time_ms = m->arrival_ms };
	for (struct wire w = wire_read(m->copies);
	     msg_queue_copied_read(&w, &c);) {
		e.recipient = c.recipient;
		if (c.is_forwarded)
			put_row(o, m, &e, "forwarded",
			    &(struct extra){ .account = c.login });
		else
			put_row(o, m, &e, "delivered",
			    &(struct extra){ .account = c.login,
				.mailbox = mailbox_name(&c) });
	}
}

static void
put_json(struct output *o, const struct msg_queue_life *m)
{
	struct msg_queue_event e = { .time_ms = m->arrival_ms };
	const struct extra none = { 0 };
	struct msg_text rcpt;

	put_arrival(o, m);
	if (m->recipients)
		put_row(o, m, &e, "queued", &none);
	for (struct wire w = wire_read(m->events);
	     msg_queue_event_read(&w, &e);)
		put_row(o, m, &e, queue_event_name(e.state), &none);
	e = (struct msg_queue_event){ 0 };
	for (struct wire w = wire_read(m->rcpts); msg_text_read(&w, &rcpt);) {
		e.recipient = rcpt.text;
		put_row(o, m, &e, "in-queue", &none);
	}
}

/* --- for people ------------------------------------------------------------------ */

static void
print_time(uint64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	char text[32];

	localtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fputs(text, stdout);
}

/* Nothing that another server says may steer the terminal. */
static void
print_text(const char *before, struct str s)
{
	CLEANUP(freep) char *text = NULL;

	if (s.n == 0)
		return;
	text = str_dup(s);
	output_tame(text, s.n);
	fputs(before, stdout);
	fwrite(text, 1, s.n, stdout);
}

static void
print_event(const struct msg_queue_event *e)
{
	fputs("  ", stdout);
	print_time(e->time_ms);
	printf("  %s", queue_event_name(e->state));
	print_text(" ", e->recipient);
	print_text(" by ", e->mx);
	print_text(" [", e->mx_ip);
	fputs(e->mx_ip.n ? "]" : "", stdout);
	print_text(" from ", e->source_ip);
	print_text(", ", e->tls);
	print_text(", route ", e->route);
	if (e->due_ms) {
		fputs(", again ", stdout);
		print_time(e->due_ms);
	}
	print_text("\n      ", e->reply);
	putchar('\n');
}

static void
print_arrival(const struct msg_queue_life *m)
{
	struct msg_arrival a;

	if (!msg_arrival_get(m->arrival, &a))
		return;
	fputs("  ", stdout);
	print_time(m->arrival_ms);
	if (a.ip.n == 0 && a.client.n == 0) {
		print_text("  written here by ", a.service);
		print_text(" about message ", m->about);
		putchar('\n');
		return;
	}
	print_text("  received by ", a.service);
	print_text(" from ", a.client);
	print_text(" [", a.ip);
	fputs(a.ip.n ? "]" : "", stdout);
	print_text(", signed in as ", m->login);
	print_text(", ", a.tls);
	print_text("\n      ", a.results);
	putchar('\n');
}

static void
print_copies(const struct msg_queue_life *m)
{
	struct msg_queue_copied c;

	for (struct wire w = wire_read(m->copies);
	     msg_queue_copied_read(&w, &c);) {
		fputs("  ", stdout);
		print_time(m->arrival_ms);
		if (c.is_forwarded) {
			print_text("  forwarded ", c.recipient);
			print_text(" to ", c.login);
		} else {
			print_text("  delivered ", c.recipient);
			print_text(" into ", mailbox_name(&c));
			if (!str_eq_case(c.login, c.recipient))
				print_text(" of ", c.login);
		}
		putchar('\n');
	}
}

static void
print_life(const struct msg_queue_life *m)
{
	struct msg_queue_event e;
	struct msg_text rcpt;
	char size[32];

	output_bytes(m->size, size, sizeof(size));
	print_text("", m->id);
	print_text(" from <", m->sender);
	printf("%s, %s%s\n", m->sender.n ? ">" : " from <>", size,
	    m->size < KIB(1) ? " bytes" : "B");
	print_arrival(m);
	print_copies(m);
	if (m->recipients) {
		fputs("  ", stdout);
		print_time(m->arrival_ms);
		printf("  queued for %u recipient%s\n", m->recipients,
		    str_s(m->recipients));
	}
	for (struct wire w = wire_read(m->events);
	     msg_queue_event_read(&w, &e);)
		print_event(&e);
	for (struct wire w = wire_read(m->rcpts); msg_text_read(&w, &rcpt);) {
		print_text("  still in the queue: ", rcpt.text);
		putchar('\n');
	}
}

/* --- the command ------------------------------------------------------------------- */

static int
print_portion(struct admin *a, struct output *o, struct str reply,
    struct buf *after, uint64_t *found)
{
	struct msg_queue_trace_reply r;
	struct msg_queue_life m;

	if (!msg_queue_trace_reply_get(reply, &r))
		return admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	for (struct wire w = wire_read(r.items); msg_queue_life_read(&w, &m);) {
		if (a->is_json)
			put_json(o, &m);
		else
			print_life(&m);
		(*found)++;
	}
	if (a->is_json)
		output_flush(o, true);
	buf_reset(after, KIB(1));
	buf_put_str(after, r.after);
	return ADMIN_OK;
}

int
queue_print_trace(struct admin *a, struct str text, uint64_t *ret_found)
{
	struct output *o = output_new("trace", fields, ARRAY_LEN(fields));
	struct buf after = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(8));
	struct buf reply = BUF_INIT(MIB(32));
	uint64_t found = 0;
	int r;

	do {
		buf_reset(&body, KIB(8));
		msg_queue_trace_put(
		    &body, &(struct msg_queue_trace){ text, buf_str(&after) });
		r = admin_do(
		    a, MSG_QUEUE_TRACE, buf_str(&body), "trace", &reply);
		if (r == ADMIN_OK)
			r = print_portion(
			    a, o, buf_str(&reply), &after, &found);
	} while (r == ADMIN_OK && after.n);
	if (r == ADMIN_OK && a->is_json)
		output_print(o, true);
	*ret_found = found;
	output_free(o);
	buf_done(&after);
	buf_done(&body);
	buf_done(&reply);
	return r;
}

/* As addresses are kept: one mailbox may be written in several ways ("joe"@example.org). */
static void
put_address(const char *typed, struct buf *to)
{
	struct smtp_path path;
	struct arena arena;

	arena_init(&arena, KIB(8));
	if (smtp_mailbox_parse(&arena, str_c(typed), SMTP_PATH_ALLOW_UTF8,
		&path) == SMTP_PATH_OK) {
		buf_printf(to, "%.*s@", STR_ARG(path.local));
		if (path.is_literal || !idn_canonical(path.domain, to))
			buf_reset(to, to->cap);
	}
	arena_done(&arena);
}

static int
find(struct admin *a, const char *typed, uint64_t *ret_found)
{
	struct buf address = BUF_INIT(KIB(2));
	int r;

	put_address(typed, &address);
	r = queue_print_trace(
	    a, address.n > 0 ? buf_str(&address) : str_c(typed), ret_found);
	buf_done(&address);
	return r;
}

int
admin_trace(struct admin *a, int argc, char **argv)
{
	const struct arg_option options[] = { ADMIN_OPTIONS(a) };
	struct args args = { options, ARRAY_LEN(options), { 0 }, 0, "" };
	uint64_t found;
	int r;

	if (!admin_args(a, &args, argc, argv))
		return ADMIN_USAGE;
	if (args.n_words != 1 || args.words[0][0] == '\0' ||
	    strlen(args.words[0]) > KIB(1))
		return admin_usage(a, NULL);
	r = find(a, args.words[0], &found);
	if (r == ADMIN_OK && !a->is_json && found == 0) {
		print_text("nothing is known of ", str_c(args.words[0]));
		puts(": no message of that id, sender or recipient was "
		     "accepted here in the last days (queue.history); what "
		     "was refused is in the log");
	}
	return r;
}

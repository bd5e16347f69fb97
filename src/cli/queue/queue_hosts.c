/* SPDX-License-Identifier: ISC */
/*
 * queue_hosts.c - whose mail servers --mx is about. See queue_command.h.
 *
 * Role send looks up the mail servers of the domains that have mail in the queue, and the
 * store, which does no look-ups, is told them before it selects: so mail is found that was
 * never tried.
 */
#include "cli/output/output.h"
#include "cli/queue/queue_command.h"
#include "cli/queue/queue_words.h"

/* Bytes of what is remembered of look-ups that failed, to say why. */
#define FAILED_MAX MIB(1)

/* Domains of one request. */
struct batch {
	struct buf domains; /* msg_text each */
	size_t n;
};

static void
note_failures(struct queue_hosts *h, struct str found)
{
	struct msg_list_reply l;
	struct msg_mx_found m;

	if (!msg_list_reply_get(found, &l))
		return;
	for (struct wire w = wire_read(l.items); msg_mx_found_read(&w, &m);)
		if (!m.is_known &&
		    h->failed.n + m.domain.n + m.why.n + KIB(1) < FAILED_MAX)
			msg_mx_found_put(&h->failed, &m);
}

/* Send finds out, the store is told. An exit code. */
static int
look_up(struct admin *a, struct queue_hosts *h, struct batch *b)
{
	struct buf body = BUF_INIT(KIB(64)), found = BUF_INIT(MIB(1));
	int r;

	if (b->n == 0)
		return ADMIN_OK;
	msg_mx_ask_put(&body, &(struct msg_mx_ask){ buf_str(&b->domains) });
	r = admin_do_role(a, ROLE_SEND,
	    &(struct admin_call){
		.type = MSG_MX_ASK, .body = buf_str(&body), .fd = -1 },
	    "the mail servers of domains", &found);
	if (r == ADMIN_OK)
		r = admin_do(
		    a, MSG_QUEUE_HOSTS, buf_str(&found), "queue", NULL);
	if (r == ADMIN_OK)
		note_failures(h, buf_str(&found));
	b->n = 0;
	buf_reset(&b->domains, KIB(60));
	buf_done(&body);
	buf_done(&found);
	return r;
}

static int
add_domain(
    struct admin *a, struct queue_hosts *h, struct batch *b, struct str name)
{
	msg_text_put(&b->domains, &(struct msg_text){ name });
	return ++b->n < MX_ASK_MAX ? ADMIN_OK : look_up(a, h, b);
}

/* A portion of the domains that have mail; after: the last one. */
static int
add_portion(struct admin *a, struct queue_hosts *h, struct batch *b,
    struct buf *after, bool *ret_more)
{
	struct buf body = BUF_INIT(KIB(2)), reply = BUF_INIT(MIB(8));
	struct msg_queue_target t;
	struct msg_list_reply l;
	int r;

	msg_queue_targets_put(
	    &body, &(struct msg_queue_targets){ buf_str(after) });
	r = admin_do(a, MSG_QUEUE_TARGETS, buf_str(&body), "queue", &reply);
	if (r == ADMIN_OK && !msg_list_reply_get(buf_str(&reply), &l))
		r = admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	*ret_more = r == ADMIN_OK && l.has_more;
	for (struct wire w = wire_read(r == ADMIN_OK ? l.items : STR_NONE);
	     r == ADMIN_OK && msg_queue_target_read(&w, &t);) {
		buf_reset(after, KIB(1));
		buf_put_str(after, t.domain);
		r = add_domain(a, h, b, t.domain);
	}
	buf_done(&body);
	buf_done(&reply);
	return r;
}

static int
add_all(struct admin *a, struct queue_hosts *h, struct batch *b)
{
	struct buf after = BUF_INIT(KIB(1));
	bool has_more = true;
	int r = ADMIN_OK;

	while (r == ADMIN_OK && has_more)
		r = add_portion(a, h, b, &after, &has_more);
	buf_done(&after);
	return r;
}

/* When it is not there, or hangs, the command says so and goes on. */
static bool
has_sender(struct admin *a)
{
	struct buf body = BUF_INIT(KIB(1)), reply = BUF_INIT(KIB(4));
	bool is_there;

	msg_mx_ask_put(&body, &(struct msg_mx_ask){ STR_NONE });
	is_there = admin_try_role(a, ROLE_SEND,
	    &(struct admin_call){
		.type = MSG_MX_ASK, .body = buf_str(&body), .fd = -1 },
	    IPC_CLIENT_PATIENCE_S * 1000, &reply);
	buf_done(&body);
	buf_done(&reply);
	return is_there;
}

int
queue_learn_hosts(
    struct admin *a, const struct queue_words *w, struct queue_hosts *h)
{
	const struct msg_queue_filter *f = &w->filter;
	struct batch b = { .domains = BUF_INIT(KIB(60)) };
	ptrdiff_t at = str_rfind(f->recipient, '@');
	int r = ADMIN_OK;

	if (w->mx == NULL)
		return ADMIN_OK;
	h->failed = BUF_INIT(FAILED_MAX);
	h->is_asked = true;
	h->is_send_gone = !has_sender(a);
	if (h->is_send_gone)
		return ADMIN_OK;
	if (f->domain.n > 0)
		r = add_domain(a, h, &b, f->domain);
	else if (at >= 0)
		r = add_domain(
		    a, h, &b, str_from(f->recipient, (size_t)at + 1));
	else
		r = add_all(a, h, &b);
	if (r == ADMIN_OK)
		r = look_up(a, h, &b);
	buf_done(&b.domains);
	return r;
}

void
queue_hosts_done(struct queue_hosts *h)
{
	buf_done(&h->failed);
	buf_done(&h->domain);
}

void
queue_note_unknown(struct queue_hosts *h, uint64_t n, struct str domain)
{
	if (n > 0 && h->n_unknown == 0) {
		h->domain = BUF_INIT(KIB(1));
		buf_put_str(&h->domain, domain);
	}
	h->n_unknown += n;
}

static void
put_why(const struct queue_hosts *h, struct buf *to)
{
	struct msg_mx_found m;

	if (h->is_send_gone) {
		buf_put_c(to, "process send does not answer");
		return;
	}
	for (struct wire w = wire_read(buf_str(&h->failed));
	     msg_mx_found_read(&w, &m);)
		if (str_eq(m.domain, buf_str(&h->domain))) {
			buf_put_str(to, m.why);
			return;
		}
	buf_put_c(to, "it was not looked up yet: try again");
}

int
queue_tell_unknown(struct admin *a, struct queue_hosts *h)
{
	struct buf text = BUF_INIT(KIB(4));

	if (h->n_unknown > 0) {
		buf_printf(&text,
		    "mailstead: %llu recipient%s %s left out, as the mail "
		    "servers are not known now; %.*s: ",
		    (unsigned long long)h->n_unknown, str_s(h->n_unknown),
		    h->n_unknown == 1 ? "is" : "are",
		    STR_ARG(buf_str(&h->domain)));
		put_why(h, &text);
		output_tame(text.p, text.n);
		if (!a->is_json)
			fflush(stdout);
		fprintf(stderr, "%s\n", buf_c(&text));
	}
	buf_done(&text);
	return h->n_unknown > 0 ? ADMIN_TEMPFAIL : ADMIN_OK;
}

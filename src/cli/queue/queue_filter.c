/* SPDX-License-Identifier: ISC */
/* queue_filter.c - which messages of the queue a command is about. See queue_command.h. */
#include "cli/queue/queue_command.h"
#include "cli/queue/queue_words.h"

static const char *const states[] = {
	[QUEUE_SHOW_ALL] = "all",
	[QUEUE_SHOW_WAITING] = "waiting",
	[QUEUE_SHOW_DEFERRED] = "deferred",
	[QUEUE_SHOW_ACTIVE] = "active",
	[QUEUE_SHOW_HELD] = "held",
};

const char *
queue_state_name(unsigned state)
{
	return state < ARRAY_LEN(states) ? states[state] : "unknown";
}

bool
queue_state_from_name(const char *name, uint8_t *ret)
{
	for (uint8_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(states[i], name) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

bool
queue_has_selector(const struct queue_words *w)
{
	return w->is_all || w->sender || w->recipient || w->domain || w->mx ||
	       w->state || w->account || w->args.n_words;
}

static bool
is_id(const char *s)
{
	return s[0] && strlen(s) <= 64 && !strchr(s, '@');
}

/* The number of a login; an exit code. */
static int
find_account(struct admin *a, const char *word, uint64_t *ret)
{
	struct buf login = BUF_INIT(KIB(2)), body = BUF_INIT(KIB(4));
	struct buf what = BUF_INIT(KIB(4)), reply = BUF_INIT(KIB(4));
	struct msg_admin_session_reply r;
	int code = ADMIN_USAGE;

	if (admin_address(a, word, &login)) {
		msg_admin_session_put(
		    &body, &(struct msg_admin_session){ buf_str(&login) });
		buf_printf(&what, "account %s", buf_c(&login));
		code = admin_do(
		    a, MSG_ADMIN_SESSION, buf_str(&body), buf_c(&what), &reply);
	}
	if (code == ADMIN_OK &&
	    msg_admin_session_reply_get(buf_str(&reply), &r))
		*ret = r.account;
	buf_done(&login);
	buf_done(&body);
	buf_done(&what);
	buf_done(&reply);
	return code;
}

bool
queue_make_filter(struct admin *a, struct queue_words *w)
{
	struct msg_queue_filter *f = &w->filter;

	*f = (struct msg_queue_filter){ .sender = str_c(w->sender),
		.mx = str_c(w->mx) };
	if (w->recipient && !admin_address(a, w->recipient, &w->address))
		return false;
	if (w->domain && !admin_domain_name(a, w->domain, &w->name))
		return false;
	f->recipient = buf_str(&w->address);
	f->domain = buf_str(&w->name);
	if (w->account && find_account(a, w->account, &f->account) != ADMIN_OK)
		return false;
	if (w->state && !queue_state_from_name(w->state, &f->state)) {
		admin_error(a, ADMIN_USAGE,
		    "%s is no state: waiting, deferred, active or held",
		    w->state);
		return false;
	}
	for (size_t i = 0; i < w->args.n_words; i++)
		if (!is_id(w->args.words[i])) {
			admin_error(a, ADMIN_USAGE,
			    "%s is no id of a message: see --sender and "
			    "--recipient",
			    w->args.words[i]);
			return false;
		}
	return true;
}

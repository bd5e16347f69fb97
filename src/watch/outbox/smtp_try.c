/* SPDX-License-Identifier: ISC */
/* smtp_try.c - one mail to one host. See smtp_try.h. */
#include "watch/outbox/smtp_try.h"

#include "watch/outbox/smtp_line.h"

#define WHOLE_MS 180000

struct smtp_try {
	struct smtp_try_wish wish;
	char host[DNS_NAME_MAX + 1];
	smtp_try_fn fn;
	void *arg;
	struct smtp_line *line;
	struct loop_timer *limit;
	bool is_late;
};

static void on_result(void *arg, const struct smtp_line_result *result);

static void
send_it(struct smtp_try *t)
{
	t->line = smtp_line_send(t->wish.sv->lines, &t->wish, on_result, t);
}

static void
on_result(void *arg, const struct smtp_line_result *result)
{
	struct smtp_try *t = arg;
	smtp_try_fn fn = t->fn;

	arg = t->arg;
	t->line = NULL;
	/* This ends: each line that is stale is gone, and a new one is not. */
	if (result->is_stale && !t->is_late) {
		send_it(t);
		return;
	}
	loop_timer_free(t->limit);
	free(t);
	fn(arg, &result->r);
}

static void
on_limit(void *arg)
{
	struct smtp_try *t = arg;

	t->is_late = true;
	smtp_line_fail(t->line, "it took too long");
}

void
smtp_try_start(const struct smtp_try_wish *wish, smtp_try_fn fn, void *arg)
{
	struct smtp_try *t = X_NEW(struct smtp_try);

	t->wish = *wish;
	(void)snprintf(t->host, sizeof(t->host), "%s", wish->host);
	t->wish.host = t->host;
	t->fn = fn;
	t->arg = arg;
	t->limit = loop_timer_new(wish->sv->loop, on_limit, t);
	loop_timer_set(t->limit,
	    wish->limit_ms > 0 ? MIN(wish->limit_ms, WHOLE_MS) : WHOLE_MS);
	send_it(t);
}

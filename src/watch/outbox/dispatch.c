/* SPDX-License-Identifier: ISC */
/* dispatch.c - a round of attempts begins and ends. See dispatch.h. */
#include "watch/outbox/dispatch.h"

static void
start(void *arg)
{
	struct dispatch *d = arg;

	if (d->w.message->channel == STATUS_BY_MAIL)
		dispatch_mail(d);
	else
		dispatch_hook(d);
}

struct dispatch *
dispatch_start(const struct dispatch_wish *wish)
{
	struct dispatch *d = X_NEW(struct dispatch);

	d->w = *wish;
	loop_defer(wish->sv->loop, start, d);
	return d;
}

void
dispatch_begin(struct dispatch *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(d->by, sizeof(d->by), fmt, ap);
	va_end(ap);
	d->by_ms = server_now_ms();
}

struct str
dispatch_trying(const struct dispatch *d, uint64_t *ret_since_ms)
{
	*ret_since_ms = d->by_ms;
	return str_c(d->by);
}

void
dispatch_note(struct dispatch *d, enum outcome outcome, const char *said)
{
	const struct status_attempt a = {
		.at_ms = loop_time_ms(d->w.sv->loop),
		.outcome = outcome,
		.by = str_c(d->by),
		.said = str_c(said),
	};

	d->w.note(d->w.arg, &a);
}

void
dispatch_end(struct dispatch *d, enum outcome outcome)
{
	dispatch_done_fn done = d->w.done;
	void *arg = d->w.arg;
	char dead[sizeof(d->dead)];

	(void)snprintf(dead, sizeof(dead), "%s", d->dead);
	buf_done(&d->letter);
	buf_done(&d->path);
	author_done(&d->author);
	free(d->relays);
	free(d->mx);
	free(d);
	done(arg, outcome, dead[0] != '\0' ? dead : NULL);
}

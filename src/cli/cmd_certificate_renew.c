/* SPDX-License-Identifier: ISC */
/*
 * cmd_certificate_renew.c - have certificates renewed now, and wait for the end.
 *
 * Role acme works by itself; this looks, and prints each step when it changes.
 * Who stops looking (Ctrl-C) stops nothing.
 */
#include "cli/certificate_rows.h"
#include "cli/output/output.h"

#include <unistd.h>

#define LOOK_US 200000

static const struct output_field fields[] = {
	{ "name", "NAME", OUTPUT_TEXT },
	{ "renewed", "RENEWED", OUTPUT_YES },
	{ "ends", "ENDS", OUTPUT_TIME },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "error", "ERROR", OUTPUT_WORD },
};

struct renewal {
	struct admin *a;
	const char *host; /* "": all */
	struct certificate_states *before, *now;
	char *said; /* the last step that was printed */
};

static bool
is_wanted(const struct renewal *w, const struct certificate_state *s)
{
	return w->host[0] == '\0' || strcmp(w->host, s->host) == 0;
}

/* Has an attempt ended since? What is gone from the list has. A process that was
 * started anew meanwhile counts anew, and goes on. */
static bool
is_over(const struct renewal *w, const struct certificate_state *s)
{
	const struct certificate_state *now =
	    certificate_states_find(w->now, str_c(s->host));

	return now == NULL || strcmp(now->state, "blocked") == 0 ||
	       (now->runs != s->runs && !now->is_running);
}

/* To standard error: what comes of it is the output. */
static void
say_step(struct renewal *w, const struct certificate_state *s)
{
	char *text;

	if (strcmp(s->state, "running") != 0 || s->step[0] == '\0')
		return;
	text = x_asprintf("%s: %s", s->host, s->step);
	if (w->said == NULL || strcmp(text, w->said) != 0) {
		output_tame(text, strlen(text));
		fprintf(stderr, "%s\n", text);
	}
	free(w->said);
	w->said = text;
}

static int
look(struct renewal *w, bool *ret_is_over)
{
	int r = certificate_states_read(w->a, w->now);

	*ret_is_over = true;
	for (size_t i = 0;
	     r == ADMIN_OK && i < certificate_states_count(w->now); i++)
		if (is_wanted(w, certificate_states_at(w->now, i)))
			say_step(w, certificate_states_at(w->now, i));
	for (size_t i = 0; i < certificate_states_count(w->before); i++) {
		const struct certificate_state *s =
		    certificate_states_at(w->before, i);

		if (is_wanted(w, s) && !is_over(w, s))
			*ret_is_over = false;
	}
	return r;
}

static int
wait_for_end(struct renewal *w)
{
	bool is_done = false;
	int r = ADMIN_OK;

	while (r == ADMIN_OK && !is_done) {
		(void)usleep(LOOK_US);
		r = look(w, &is_done);
	}
	return r;
}

static int
print(struct renewal *w)
{
	struct output *o =
	    output_new("certificates", fields, ARRAY_LEN(fields));
	int r = ADMIN_OK;

	for (size_t i = 0; i < certificate_states_count(w->now); i++) {
		const struct certificate_state *s =
		    certificate_states_at(w->now, i);

		if (!is_wanted(w, s))
			continue;
		output_put_text(o, str_c(s->host));
		output_put_number(o, s->error[0] == '\0');
		output_put_number(o, s->ends);
		output_put_number(o, s->next);
		output_put_text(o, str_c(s->error));
		if (s->error[0] != '\0')
			r = ADMIN_REFUSED;
	}
	output_print(o, w->a->is_json);
	output_free(o);
	return r;
}

static int
ask(struct renewal *w, bool has_new_key)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(KIB(64));
	struct msg_acme_renew m = { str_c(w->host), has_new_key };
	int r;

	msg_acme_renew_put(&body, &m);
	r = admin_do_role(w->a, ROLE_ACME,
	    &(struct admin_call){
		.type = MSG_ACME_RENEW, .body = buf_str(&body), .fd = -1 },
	    w->host[0] ? w->host : "acme.hosts", &reply);
	buf_done(&body);
	buf_done(&reply);
	return r;
}

int
certificate_renew(struct admin *a, const char *host, bool has_new_key)
{
	struct renewal w = { .a = a,
		.host = host,
		.before = certificate_states_new(),
		.now = certificate_states_new() };
	bool has_acme = false;
	int r = certificate_rows_each(a, NULL, NULL, &has_acme);

	if (r == ADMIN_OK && !has_acme)
		r = admin_error(a, ADMIN_REFUSED,
		    "no certificate is obtained by this server; expected "
		    "acme.hosts in the configuration");
	if (r == ADMIN_OK)
		r = certificate_states_read(a, w.before);
	if (r == ADMIN_OK)
		r = ask(&w, has_new_key);
	if (r == ADMIN_OK)
		r = wait_for_end(&w);
	if (r == ADMIN_OK)
		r = print(&w);
	certificate_states_free(w.before);
	certificate_states_free(w.now);
	free(w.said);
	return r;
}

/* SPDX-License-Identifier: ISC */
/* api_people.c - subscribers and the log of changes of the API. See api.h. */
#include "base/secret.h"
#include "net/connect.h"
#include "proto/status/status_bounce.h"
#include "proto/status/status_message.h"
#include "proto/status/status_news.h"
#include "web/api/api.h"

static const struct api_row subscriber_row = { LEDGER_SUBSCRIBER,
	"subscriber.remove", "There is no such subscriber." };

/* --- subscribers -------------------------------------------------------------------- */

static bool
take_subscriber(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_subscriber s;

	if (!status_subscriber_decode(row->key, row->value, &s))
		return true;
	if (c->count == c->limit) {
		c->is_taken = true;
		return false;
	}
	if (c->count++ > 0)
		buf_put_char(&c->out, ',');
	status_json_put_subscriber(&c->out, row->key, &s);
	buf_reset(&c->next, KIB(1));
	buf_put_str(&c->next, row->key);
	return true;
}

static void
end_list(struct api_call *c)
{
	if (!c->is_taken)
		buf_reset(&c->next, 0);
	api_end_page(c);
	api_reply(c, 200);
}

static void
read_page(struct api_call *c, const char *name, struct api_read read)
{
	struct buf after = BUF_INIT(KIB(1));

	if (!api_query_page(c))
		return;
	buf_put_str(&after, buf_str(&c->next));
	buf_printf(&c->out, "{\"%s\":[", name);
	read.after = buf_str(&after);
	read.then = end_list;
	api_read(c, &read);
	buf_done(&after);
}

/* An address in a path would be in too many logs: "?to=". False: 400 was
 * answered. */
static bool
read_key(struct api_call *c, struct str to)
{
	struct status_fault f;

	if (status_subscriber_put_key(&c->slug, to, &f))
		return true;
	api_fail_query(c, STR("to"), "something else than an address or URL");
	return false;
}

static void
show_one(struct api_call *c)
{
	struct status_subscriber s;

	buf_put_c(&c->out, "{\"subscribers\":[");
	if (c->is_found && status_subscriber_decode(
			       buf_str(&c->slug), buf_str(&c->row_now), &s))
		status_json_put_subscriber(&c->out, buf_str(&c->slug), &s);
	end_list(c);
}

void
api_subscribers_list(struct api_call *c)
{
	struct buf to = BUF_INIT(KIB(1));

	if (!api_query(c, "to", &to))
		read_page(c, "subscribers",
		    (struct api_read){
			.table = LEDGER_SUBSCRIBER, .row = take_subscriber });
	else if (read_key(c, buf_str(&to)))
		api_row_find(c, LEDGER_SUBSCRIBER, show_one);
	buf_done(&to);
}

static void
subscriber_was_put(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		api_fail(c, 409, "It is there already.");
	else
		api_reply(c, 201);
}

/* Webhooks are not sent into networks of ours. */
static bool
is_reachable(const struct api_call *c, struct str to, struct status_fault *ret)
{
	if (!status_subscriber_is_webhook(to) ||
	    c->sv->conf->watch_allow_local ||
	    !connect_host_is_private(status_url_parts(to).host))
		return true;
	return status_fault_set(ret, to,
	    "a URL that is not of this machine or of a private network: "
	    "watch.allow_local permits it, for tests");
}

/* Whoever holds the key says that these people want it: they are confirmed. */
static void
put_subscriber(struct api_call *c, struct status_subscriber *s)
{
	unsigned char raw[STATUS_SECRET_RAW], hash[STATUS_SECRET_HASH];
	struct buf secret = BUF_INIT(100), value = BUF_INIT(KIB(2));
	struct msg_ledger_row row;
	struct status_fault f;

	secret_random(hash, sizeof(hash));
	s->token_hash = str_make(hash, sizeof(hash));
	if (status_subscriber_is_webhook(buf_str(&c->slug))) {
		secret_random(raw, sizeof(raw));
		status_secret_put(&secret, raw);
		s->secret = buf_str(&secret);
		secret_wipe(raw, sizeof(raw));
	}
	if (!status_subscriber_is_sane(buf_str(&c->slug), s, &f) ||
	    !is_reachable(c, buf_str(&c->slug), &f)) {
		api_fail_fault(c, &f);
	} else {
		status_subscriber_encode(s, &value);
		status_json_put_subscriber(&c->out, buf_str(&c->slug), s);
		/* Shown this once. */
		c->out.n--;
		status_json_word(&c->out, "secret", s->secret);
		buf_put_char(&c->out, '}');
		row = (struct msg_ledger_row){ .key = buf_str(&c->slug),
			.value = buf_str(&value) };
		api_put(c, &(struct api_change){ .table = LEDGER_SUBSCRIBER,
			       .rows = &row,
			       .n = 1,
			       .only_if = LEDGER_IF_NEW,
			       .what = "subscriber.add",
			       .object = buf_str(&c->slug),
			       .detail = str_c(status_scope_name(s->scope)),
			       .done = subscriber_was_put });
	}
	buf_done_secret(&secret);
	buf_done_secret(&value);
}

void
api_subscribers_new(struct api_call *c)
{
	uint64_t now = api_now();
	struct status_subscriber s = { .is_confirmed = true,
		.language = STR("en"),
		.created_s = now,
		.confirmed_s = now };
	struct status_fault f;
	struct str to;

	buf_reset(&c->slug, c->slug.cap);
	if (!status_json_read_subscriber(c->json, &s, &to, &f) ||
	    !status_subscriber_put_key(&c->slug, to, &f) ||
	    !status_news_has_language(s.language, &f))
		api_fail_fault(c, &f);
	else if (s.scope == STATUS_SCOPE_SYSTEMS && c->systems == NULL)
		/* Begin again, with them. */
		api_systems_read(c, api_subscribers_new);
	else if (s.scope == STATUS_SCOPE_SYSTEMS &&
		 !status_systems_have_all(c->systems, s.names, s.n_names, &f))
		api_fail_fault(c, &f);
	else
		put_subscriber(c, &s);
}

void
api_subscribers_delete(struct api_call *c)
{
	struct buf to = BUF_INIT(KIB(1));

	(void)!api_query(c, "to", &to);
	if (read_key(c, buf_str(&to)))
		api_row_delete(c, &subscriber_row);
	buf_done(&to);
}

/* --- confirm, resume ------------------------------------------------------------------- */

static void
subscriber_was_changed(struct api_call *c, enum reason reason)
{
	if (reason != REASON_NONE)
		api_fail(c, 409, "It was changed at the same time.");
	else
		api_reply(c, 200);
}

/* What it is like now is in c->out. */
static void
put_changed(
    struct api_call *c, const struct status_subscriber *s, const char *what)
{
	struct buf value = BUF_INIT(KIB(2));
	struct msg_ledger_row row;

	status_subscriber_encode(s, &value);
	row = (struct msg_ledger_row){ .key = buf_str(&c->slug),
		.value = buf_str(&value) };
	api_put(c, &(struct api_change){ .table = LEDGER_SUBSCRIBER,
		       .rows = &row,
		       .n = 1,
		       .only_if = LEDGER_IF_SAME,
		       .was = buf_str(&c->row_now),
		       .what = what,
		       .object = buf_str(&c->slug),
		       .detail = str_c(status_scope_name(s->scope)),
		       .done = subscriber_was_changed });
	buf_done_secret(&value);
}

/* change says whether it is another one then: else nothing is put. */
static void
change_found(struct api_call *c, const char *what,
    bool (*change)(struct status_subscriber *s))
{
	struct status_subscriber s;
	bool is_other;

	if (!c->is_found || !status_subscriber_decode(
				buf_str(&c->slug), buf_str(&c->row_now), &s)) {
		api_fail(c, 404, subscriber_row.missing);
		return;
	}
	if (!api_if_match(c))
		return;
	is_other = change(&s);
	status_json_put_subscriber(&c->out, buf_str(&c->slug), &s);
	c->hash = 0;
	if (is_other)
		put_changed(c, &s, what);
	else
		api_reply(c, 200);
}

/* The operator has heard it from whom it concerns. */
static bool
confirm(struct status_subscriber *s)
{
	if (s->is_confirmed)
		return false;
	s->is_confirmed = true;
	s->confirmed_s = api_now();
	return true;
}

static void
confirm_found(struct api_call *c)
{
	change_found(c, "subscriber.confirm", confirm);
}

/* It is paused since mail came back, and that is mended. */
static void
resume_found(struct api_call *c)
{
	change_found(c, "subscriber.resume", status_bounce_forgive);
}

static void
find_to_change(struct api_call *c, void (*then)(struct api_call *c))
{
	struct buf to = BUF_INIT(KIB(1));

	(void)!api_query(c, "to", &to);
	if (read_key(c, buf_str(&to)))
		api_row_find(c, LEDGER_SUBSCRIBER, then);
	buf_done(&to);
}

void
api_subscribers_confirm(struct api_call *c)
{
	find_to_change(c, confirm_found);
}

void
api_subscribers_resume(struct api_call *c)
{
	find_to_change(c, resume_found);
}

/* --- the log ------------------------------------------------------------------------------- */

/*
 * Who may not list subscribers does not find them here either: neither their
 * addresses nor their URLs, which may hold secrets. Signals no key can list:
 * their names say which network of whose customers is looked at.
 */
static void
hide(const struct api_call *c, struct status_audit *a)
{
	/* Contacts no key can list: where they are told is for nobody. */
	if (str_starts(a->what, STR("alert.")))
		a->detail = STR("");
	if (!str_starts(a->what, STR("signal.")) &&
	    (!str_starts(a->what, STR("subscriber.")) ||
		(c->scopes & STATUS_MAY_SUBSCRIBERS) != 0))
		return;
	a->object = STR("");
	a->detail = STR("");
}

static bool
take_line(struct api_call *c, const struct msg_ledger_row *row)
{
	struct status_audit a;

	if (!status_audit_decode(row->key, row->value, &a))
		return true;
	if (c->count == c->limit) {
		c->is_taken = true;
		return false;
	}
	if (c->count++ > 0)
		buf_put_char(&c->out, ',');
	hide(c, &a);
	status_json_put_audit(&c->out, &a);
	buf_reset(&c->next, KIB(1));
	buf_put_str(&c->next, row->key);
	return true;
}

void
api_audit_list(struct api_call *c)
{
	read_page(c, "lines",
	    (struct api_read){
		.table = LEDGER_AUDIT, .is_reverse = true, .row = take_line });
}

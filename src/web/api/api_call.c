/* SPDX-License-Identifier: ISC */
/* api_call.c - rows for a request of the API, and answers. See api.h. */
#include "base/hash.h"
#include "base/secret.h"
#include "proto/http/http_response.h"
#include "proto/http/http_text.h"
#include "proto/status/status_audit.h"
#include "web/api/api.h"
#include "web/api/api_field.h"

#include <inttypes.h>
#include <time.h>

void
api_call_free(struct api_call *c)
{
	struct buf *all[] = { &c->path, &c->query, &c->if_match, &c->peer,
		&c->who, &c->out, &c->row_now, &c->slug, &c->next, &c->keys,
		&c->held, &c->only.text };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_done(all[i]);
	buf_done_secret(&c->token);
	/* A check's password may be in them. */
	buf_done_secret(&c->body);
	buf_done_secret(&c->other);
	(void)status_systems_free(c->systems);
	api_import_free(c->import);
	jsondoc_free(c->doc);
	free(c);
}

uint64_t
api_now(void)
{
	return (uint64_t)time(NULL);
}

/* --- rows -------------------------------------------------------------------------- */

/* Whoever has seen enough hears no more of it: that is the end, too. */
static bool
on_row(void *arg, const struct msg_ledger_row *row)
{
	struct api_call *c = arg;

	if (c->v == NULL) {
		api_call_free(c);
		return false;
	}
	if (c->row(c, row))
		return true;
	c->then(c);
	return false;
}

static void
on_read(void *arg, enum outcome outcome)
{
	struct api_call *c = arg;

	if (c->v == NULL)
		api_call_free(c);
	else if (outcome != DONE)
		api_fail(c, 503, "The store cannot be asked now: try again.");
	else
		c->then(c);
}

void
api_read(struct api_call *c, const struct api_read *r)
{
	c->row = r->row;
	c->then = r->then;
	ledger_read(c->sv->rt, &(struct ledger_read){ .table = r->table,
				   .prefix = r->prefix,
				   .after = r->after,
				   .is_reverse = r->is_reverse,
				   .row = on_row,
				   .done = on_read,
				   .arg = c });
}

static void
on_put(void *arg, struct ipc_msg *m)
{
	struct api_call *c = arg;
	struct msg_error e = { 0 };
	enum reason reason = REASON_NONE;

	if (m->outcome != DONE && msg_error_get(m->body, &e))
		reason = (enum reason)e.reason;
	if (c->v == NULL) {
		api_call_free(c);
	} else if (m->outcome == DONE ||
		   (m->outcome == PERMFAIL && (reason == REASON_EXISTS ||
						  reason == REASON_CONFLICT))) {
		c->done(c, reason);
	} else if (reason == REASON_LIMIT) {
		api_fail(c, 507, "The table is full.");
	} else if (m->outcome == PERMFAIL) {
		api_fail(c, 422, "The store does not take it.");
	} else {
		api_fail(c, 503, "The store cannot do it now: try again.");
	}
}

static void
put_audit(
    const struct api_call *c, const struct api_change *ch, struct buf *rows)
{
	struct buf key = BUF_INIT(100), value = BUF_INIT(STATUS_AUDIT_ROW_MAX);
	struct timespec now;
	uint32_t random;

	clock_gettime(CLOCK_REALTIME, &now);
	secret_random(&random, sizeof(random));
	status_audit_put_key(&key,
	    (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
	    random);
	status_audit_encode(&(struct status_audit){ .who = buf_str(&c->who),
				.what = str_c(ch->what),
				.object = ch->object,
				.from = buf_str(&c->peer),
				.detail = ch->detail },
	    &value);
	msg_ledger_row_put(
	    rows, &(struct msg_ledger_row){ .key = buf_str(&key),
		      .until = (uint64_t)now.tv_sec + STATUS_AUDIT_KEEP_S,
		      .value = buf_str(&value) });
	buf_done(&key);
	buf_done(&value);
}

void
api_put(struct api_call *c, const struct api_change *ch)
{
	struct buf rows = BUF_INIT(LEDGER_PUT_MAX), also = BUF_INIT(KIB(4));

	for (size_t i = 0; i < ch->n; i++)
		msg_ledger_row_put(&rows, &ch->rows[i]);
	put_audit(c, ch, &also);
	if (rows.failed) {
		api_fail(c, 413, NULL);
	} else {
		c->done = ch->done;
		ledger_put_if(c->sv->rt,
		    &(struct msg_ledger_put){ .table = (uint8_t)ch->table,
			.rows = buf_str(&rows),
			.only_if = (uint8_t)ch->only_if,
			.was = ch->was,
			.also = LEDGER_AUDIT,
			.also_rows = buf_str(&also) },
		    on_put, c);
	}
	buf_done(&rows);
	buf_done(&also);
}

/* --- answers -------------------------------------------------------------------------- */

static void
finish(struct api_call *c, const struct visit_reply *r)
{
	visit_reply(c->v, r);
	api_call_free(c);
}

/* RFC 9457; the kind of a problem is its status. */
static void
put_problem(
    struct buf *to, unsigned status, struct str detail, struct str field)
{
	buf_put_char(to, '{');
	status_json_text(to, "type", STR("about:blank"));
	status_json_text(to, "title", str_c(http_reason(status)));
	status_json_number(to, "status", status);
	if (detail.n > 0)
		status_json_text(to, "detail", detail);
	if (field.n > 0)
		status_json_text(to, "field", field);
	buf_put_c(to, "}\n");
}

static void
put_fields(const struct api_call *c, unsigned status, struct buf *fields)
{
	struct buf retry = BUF_INIT(32);

	if (status == 401)
		http_response_field(fields, "WWW-Authenticate",
		    STR("Bearer realm=\"mailstead\""));
	if (status == 403)
		http_response_field(fields, "WWW-Authenticate",
		    STR("Bearer realm=\"mailstead\", "
			"error=\"insufficient_scope\""));
	if (status == 405)
		http_response_field(fields, "Allow", buf_str(&c->next));
	if (status == 503 || status == 429) {
		buf_put_u64(&retry, status == 503 ? 5 : c->retry_s);
		http_response_field(fields, "Retry-After", buf_str(&retry));
	}
	buf_done(&retry);
}

static void
fail(struct api_call *c, unsigned status, struct str detail, struct str field)
{
	struct buf body = BUF_INIT(KIB(8)), fields = BUF_INIT(KIB(1));

	put_problem(&body, status, detail, field);
	put_fields(c, status, &fields);
	finish(c, &(struct visit_reply){ .status = status,
		      .type = "application/problem+json",
		      .body = buf_str(&body),
		      .fields = buf_str(&fields),
		      .is_private = true });
	buf_done(&body);
	buf_done(&fields);
}

void
api_fail(struct api_call *c, unsigned status, const char *detail)
{
	fail(c, status, str_c(detail), STR_NONE);
}

void
api_fail_fault(struct api_call *c, const struct status_fault *f)
{
	struct buf text = BUF_INIT(KIB(1)), field = BUF_INIT(KIB(2));

	buf_printf(&text, "expected %s", f->expected);
	api_field_put(&field, c->json, str_first(f->part, STATUS_TEXT_MAX));
	fail(c, 422, buf_str(&text), buf_str(&field));
	buf_done(&text);
	buf_done(&field);
}

void
api_fail_query(struct api_call *c, struct str name, const char *fault)
{
	struct buf text = BUF_INIT(KIB(1));

	name = str_first(name, STATUS_TEXT_MAX);
	if (!status_is_text(name))
		name = STR("");
	buf_printf(&text, "The query has %s: %.*s", fault, STR_ARG(name));
	fail(c, 400, buf_str(&text), name);
	buf_done(&text);
}

static void
reply(struct api_call *c, unsigned status, struct str fields)
{
	char etag[32] = "";

	if (c->out.failed) {
		api_fail(c, 500, "The answer is too large.");
		return;
	}
	buf_put_char(&c->out, '\n');
	if (c->hash != 0)
		snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", c->hash);
	finish(c, &(struct visit_reply){ .status = status,
		      .type = "application/json",
		      .body = buf_str(&c->out),
		      .etag = str_c(etag),
		      .fields = fields,
		      .is_private = true });
}

void
api_reply(struct api_call *c, unsigned status)
{
	reply(c, status, STR_NONE);
}

void
api_reply_created(struct api_call *c, const char *location)
{
	struct buf fields = BUF_INIT(KIB(2)), where = BUF_INIT(KIB(1));

	buf_printf(&where, "/api/v1%s", location);
	http_response_field(&fields, "Location", buf_str(&where));
	reply(c, 201, buf_str(&fields));
	buf_done(&fields);
	buf_done(&where);
}

void
api_reply_nothing(struct api_call *c)
{
	finish(c, &(struct visit_reply){ .status = 204, .is_private = true });
}

/* --- what handlers share ------------------------------------------------------------------ */

bool
api_query(struct api_call *c, const char *name, struct buf *ret)
{
	return http_form_get(buf_str(&c->query), str_c(name), ret);
}

bool
api_query_page(struct api_call *c)
{
	struct buf text = BUF_INIT(KIB(1));
	const char *wrong = NULL;
	uint32_t n = API_PAGE;

	if (api_query(c, "limit", &text) &&
	    (!str_to_u32(buf_str(&text), API_PAGE_MAX, &n) || n == 0))
		wrong = "limit";
	c->limit = n;
	buf_done(&text);
	if (!api_query(c, "after", &c->next))
		buf_reset(&c->next, 0);
	if (c->next.n > LEDGER_KEY_MAX)
		wrong = "after";
	if (wrong != NULL)
		fail(c, 400,
		    STR("limit is a number from 1 to 100, and after "
			"what an answer gave as next."),
		    str_c(wrong));
	return wrong == NULL;
}

bool
api_query_system(struct api_call *c)
{
	struct buf id = BUF_INIT(KIB(1));
	bool ok = true;

	if (api_query(c, "system", &id)) {
		ok = status_is_id(buf_str(&id));
		status_put_key(&c->only.text, buf_str(&id));
		buf_put_char(&c->only.text, '/');
	}
	buf_done(&id);
	if (!ok)
		fail(c, 400, STR("system is the id of one."), STR("system"));
	return ok;
}

bool
api_if_match(struct api_call *c)
{
	char etag[32];

	if (!c->has_if_match)
		return true;
	snprintf(etag, sizeof(etag), "\"%016" PRIx64 "\"", c->hash);
	if (http_if_match(buf_str(&c->if_match), str_c(etag)) == HTTP_MATCH_YES)
		return true;
	api_fail(c, 412, "It was changed: read it again.");
	return false;
}

bool
api_may_put(struct api_call *c)
{
	if (c->must_be_new && c->is_found)
		api_fail(c, 412, "It is there already.");
	else if (c->has_if_match && !c->is_found)
		api_fail(c, 412, "It is not there.");
	else
		return api_if_match(c);
	return false;
}

void
api_hash_row(struct api_call *c, struct str value)
{
	c->hash = hash64_seed(value.p, value.n, c->hash);
}

void
api_end_page(struct api_call *c)
{
	buf_put_char(&c->out, ']');
	status_json_word(&c->out, "next", buf_str(&c->next));
	buf_put_char(&c->out, '}');
}

bool
api_key(struct api_call *c, size_t i, struct buf *ret)
{
	if (!status_is_id(c->names[i])) {
		api_fail(c, 404, "That is no name of a system or a check.");
		return false;
	}
	status_put_key(ret, c->names[i]);
	return true;
}

/* SPDX-License-Identifier: ISC */
/*
 * http_server.c - requests and answers over a connection. See http_server.h.
 *
 *   IDLE --first byte--> HEAD --head()--> BODY --request()--> ANSWER --reply--> IDLE
 *                          \                \
 *                           +--- what is refused: reply, and the end
 */
#include "net/http_server.h"

#include "proto/http/http_body.h"
#include "proto/http/http_response.h"

#define IN_MAX    (HTTP_HEAD_MAX + KIB(16))
#define OUT_HIGH  KIB(256)
#define OUT_LOW   KIB(64)
#define HEAD_ROOM KIB(16) /* of an answer */
#define HEAD_FEW  256     /* of that, without the fields of the reply */
#define CLOSE_MS  5000    /* for the last one, and as its size wants */
/* A body is kept with room for this much; more comes with the bytes. */
#define BODY_BYTES_PER_S 4096

enum state {
	STATE_IDLE,
	STATE_HEAD,
	STATE_BODY,
	STATE_ANSWER,
	STATE_ENDED,
};

struct http_visit {
	struct conn *conn;
	struct loop *loop;
	const struct http_handlers *handlers;
	void *arg, *data;
	struct http_times times;
	struct loop_timer *deadline;
	struct loop_timer *taking; /* of answers */
	uint64_t take_until_ms;    /* while there is output */
	enum state state;
	size_t seen;     /* of a head */
	struct buf head; /* a copy: the connection's input moves */
	struct http_request request;
	struct http_body framer;
	struct buf body;
	enum conn_end how; /* it ended */
	bool is_ending;    /* behind the present request */
	bool is_reading;   /* on_data() is at work: no need to wake it */
};

static void
enter(struct http_visit *c, enum state state, uint64_t deadline_ms)
{
	c->state = state;
	if (deadline_ms > 0)
		loop_timer_set(c->deadline, deadline_ms);
	else
		loop_timer_clear(c->deadline);
	conn_set_timeout(
	    c->conn, state == STATE_IDLE ? c->times.idle : c->times.write);
}

static uint64_t
ms_for(const struct http_visit *c, size_t bytes)
{
	return (uint64_t)bytes * 1000 / c->times.rate;
}

static void
end(struct http_visit *c)
{
	size_t left = conn_out_bytes(c->conn);

	enter(c, STATE_ENDED, 0);
	loop_timer_clear(c->taking);
	conn_close_within(c->conn, CLOSE_MS + ms_for(c, left));
}

static void
refuse(struct http_visit *c, unsigned status)
{
	char text[100];

	snprintf(text, sizeof(text), "%u %s\n", status, http_reason(status));
	http_visit_reply(c, &(struct http_reply){ .status = status,
				.fields = STR("Content-Type: text/plain\r\n"),
				.body = str_c(text),
				.is_last = true });
}

/* --- reading --------------------------------------------------------------------- */

static void
begin_body(struct http_visit *c, uint64_t max)
{
	const struct http_request *r = &c->request;

	http_body_init(&c->framer, r->body, r->length, max);
	buf_init(&c->body, (size_t)MIN(max, SIZE_MAX / 2));
	if (r->body == HTTP_BODY_LENGTH && r->length > max) {
		refuse(c, 413);
		return;
	}
	if (r->expects_continue && r->body != HTTP_BODY_NONE)
		conn_put(c->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"));
	enter(c, STATE_BODY,
	    c->times.body + MIN(r->length, max) * 1000 / BODY_BYTES_PER_S);
}

/* A head is there. */
static void
take_head(struct http_visit *c, struct str head, size_t used)
{
	uint64_t max;
	int status;

	buf_init(&c->head, HTTP_HEAD_MAX);
	buf_put_str(&c->head, head);
	conn_consume(c->conn, used);
	status = http_request_parse(buf_str(&c->head), &c->request);
	c->state = STATE_BODY;
	if (status != 0) {
		c->request.method = HTTP_OTHER;
		refuse(c, (unsigned)status);
		return;
	}
	if (!c->request.is_kept)
		c->is_ending = true;
	max = c->handlers->head(c->arg, c);
	if (c->state == STATE_BODY)
		begin_body(c, max);
}

/* False: more input has to come. */
static bool
read_head(struct http_visit *c)
{
	struct str in = conn_in(c->conn), head;
	size_t used;

	if (in.n > 0 && c->state == STATE_IDLE)
		enter(c, STATE_HEAD, c->times.head);
	switch (http_frame_head(in, &c->seen, &head, &used)) {
	case HTTP_FRAME_MORE:
		return false;
	case HTTP_FRAME_HEAD:
		take_head(c, head, used);
		return true;
	case HTTP_FRAME_TOO_LONG:
		break;
	}
	c->request.method = HTTP_OTHER;
	refuse(c, 431);
	return false;
}

static bool
read_body(struct http_visit *c)
{
	struct str data;
	size_t used;
	enum http_body_state s =
	    http_body_next(&c->framer, conn_in(c->conn), &data, &used);

	buf_put_str(&c->body, data);
	conn_consume(c->conn, used);
	switch (s) {
	case HTTP_BODY_MORE:
		return used > 0;
	case HTTP_BODY_DONE:
		enter(c, STATE_ANSWER, 0);
		conn_set_timeout(c->conn, 0);
		c->handlers->request(c->arg, c);
		return false; /* others first */
	case HTTP_BODY_TOO_BIG:
		refuse(c, 413);
		return false;
	case HTTP_BODY_BAD:
		break;
	}
	refuse(c, 400);
	return false;
}

static void
on_data(void *arg)
{
	struct http_visit *c = arg;
	bool goes_on = true;

	c->is_reading = true;
	while (goes_on) {
		switch (c->state) {
		case STATE_IDLE:
		case STATE_HEAD:
			goes_on = !conn_is_full(c->conn) && read_head(c);
			break;
		case STATE_BODY:
			goes_on = read_body(c);
			break;
		case STATE_ANSWER:
		case STATE_ENDED:
			goes_on = false;
			break;
		}
	}
	c->is_reading = false;
	/* One request a turn, however many are here: the next one has its turn
	 * when all other connections had theirs. */
	if (c->state == STATE_IDLE && !conn_is_full(c->conn) &&
	    conn_in(c->conn).n > 0)
		conn_resume(c->conn);
}

/* --- answering ------------------------------------------------------------------------ */

static void
put_body(struct http_visit *c, const struct http_reply *r)
{
	bool is_wanted = c->request.method != HTTP_HEAD && r->status != 304;

	if (r->release == NULL) {
		if (is_wanted)
			conn_put(c->conn, r->body);
	} else if (is_wanted && r->body.n > 0) {
		conn_put_ref(c->conn, r->body, r->release, r->arg);
	} else {
		r->release(r->arg);
	}
}

/* Output was added: until when all of it has to be taken. */
static void
expect_taking(struct http_visit *c, size_t before)
{
	uint64_t now = loop_now_ms(c->loop);
	size_t added = conn_out_bytes(c->conn) - before;

	if (added == 0)
		return;
	if (before == 0)
		c->take_until_ms = now + c->times.write;
	c->take_until_ms += ms_for(c, added);
	loop_timer_set(
	    c->taking, c->take_until_ms > now ? c->take_until_ms - now : 1);
}

/* The next one may be here already. */
static void
next_request(struct http_visit *c)
{
	buf_done(&c->head);
	buf_done(&c->body);
	c->seen = 0;
	enter(c, STATE_IDLE, 0);
	if (!c->is_reading)
		conn_resume(c->conn);
}

void
http_visit_reply(struct http_visit *c, const struct http_reply *r)
{
	bool is_last = c->is_ending || r->is_last || c->state != STATE_ANSWER;
	const struct http_response head = {
		.status = r->status,
		.now = loop_time(c->loop),
		.length = r->body.n,
		.is_kept = !is_last,
	};
	struct buf b = BUF_INIT(HEAD_ROOM);
	size_t before = conn_out_bytes(c->conn);

	ASSERT(c->state != STATE_IDLE && c->state != STATE_ENDED);
	(void)buf_reserve(&b, HEAD_FEW + r->fields.n);
	http_response_begin(&b, &head);
	buf_put_str(&b, r->fields);
	http_response_end(&b);
	ASSERT(!b.failed);
	conn_put_buf(c->conn, &b);
	buf_done(&b);
	put_body(c, r);
	expect_taking(c, before);
	if (is_last)
		end(c);
	else
		next_request(c);
}

/* --- the connection ---------------------------------------------------------------------- */

static void
on_drained(void *arg)
{
	struct http_visit *c = arg;

	if (c->state == STATE_IDLE)
		conn_resume(c->conn);
}

static void
on_tls_ready(void *arg)
{
	struct http_visit *c = arg;

	/* An authority's look at a challenge (RFC 8737 section 3). */
	if (conn_tls_is_challenge(c->conn))
		end(c);
}

static void
on_timeout(void *arg)
{
	struct http_visit *c = arg;

	/* Other times may be over in the same round. And whoever owes an answer
	 * hears of the end only in the next: he may give it until then, to
	 * nobody. */
	loop_timer_clear(c->deadline);
	loop_timer_clear(c->taking);
	if (c->state != STATE_ANSWER)
		c->state = STATE_ENDED;
	conn_abort(c->conn);
}

/* An answer should have been taken; it may have been, long ago. */
static void
on_take_limit(void *arg)
{
	struct http_visit *c = arg;

	if (conn_out_bytes(c->conn) > 0)
		on_timeout(c);
}

/* A request takes too long. */
static void
on_deadline(void *arg)
{
	struct http_visit *c = arg;

	c->request.method = HTTP_OTHER;
	refuse(c, 408);
}

static void
free_client(void *arg)
{
	struct http_visit *c = arg;

	loop_timer_free(c->deadline);
	loop_timer_free(c->taking);
	buf_done(&c->head);
	buf_done(&c->body);
	free(c);
}

static void
on_closed(void *arg, enum conn_end how, UNUSED const char *detail)
{
	struct http_visit *c = arg;

	c->how = how;
	c->state = STATE_ENDED;
	loop_timer_clear(c->deadline);
	loop_timer_clear(c->taking);
	c->handlers->closed(c->arg, c);
	loop_defer(c->loop, free_client, c);
}

static uint64_t
time_or(uint64_t ms, uint64_t default_ms)
{
	return ms > 0 ? ms : default_ms;
}

struct http_visit *
http_visit_new(const struct http_visit_config *config)
{
	static const struct conn_handlers handlers = {
		.data = on_data,
		.drained = on_drained,
		.tls_ready = on_tls_ready,
		.timeout = on_timeout,
		.closed = on_closed,
	};
	struct http_visit *c = X_NEW(struct http_visit);
	struct conn_config cc = config->conn;

	c->loop = cc.loop;
	c->handlers = config->handlers;
	c->arg = config->arg;
	c->times = (struct http_times){
		.idle = time_or(config->times.idle, 60000),
		.head = time_or(config->times.head, 15000),
		.body = time_or(config->times.body, 30000),
		.write = time_or(config->times.write, 30000),
		.rate = time_or(config->times.rate, 1024),
	};
	c->deadline = loop_timer_new(c->loop, on_deadline, c);
	c->taking = loop_timer_new(c->loop, on_take_limit, c);
	cc.in_max = IN_MAX;
	cc.out_high = OUT_HIGH;
	cc.out_low = OUT_LOW;
	cc.handlers = &handlers;
	cc.arg = c;
	c->conn = conn_new(&cc);
	/* A connection that says nothing is waited for as for a head. */
	enter(c, STATE_IDLE, 0);
	conn_set_timeout(c->conn, c->times.head);
	return c;
}

const struct http_request *
http_visit_request(const struct http_visit *c)
{
	return &c->request;
}

struct str
http_visit_body(const struct http_visit *c)
{
	return buf_str(&c->body);
}

enum conn_end
http_visit_how(const struct http_visit *c)
{
	return c->how;
}

struct conn *
http_visit_conn(struct http_visit *c)
{
	return c->conn;
}

void
http_visit_set_data(struct http_visit *c, void *data)
{
	c->data = data;
}

void *
http_visit_data(const struct http_visit *c)
{
	return c->data;
}

void
http_visit_end(struct http_visit *c)
{
	c->is_ending = true;
	if (c->state == STATE_IDLE)
		end(c);
}

/* SPDX-License-Identifier: ISC */
/* certificate_rows.c - lists of certificates. See certificate_rows.h. */
#include "cli/certificate_rows.h"

#include "conf/conf_cert.h"

int
certificate_rows_each(
    struct admin *a, certificate_row_fn fn, void *arg, bool *ret_has_acme)
{
	struct buf body = BUF_INIT(KIB(1)), reply = BUF_INIT(MIB(16));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_cert_row row;
	uint32_t n = 0;
	int r = ADMIN_OK;

	while (l.has_more && r == ADMIN_OK) {
		buf_reset(&body, KIB(1));
		buf_reset(&reply, KIB(64));
		msg_cert_list_put(&body, &(struct msg_cert_list){ n });
		r = admin_ask_supervisor(
		    a, MSG_CERT_LIST, buf_str(&body), "certificates", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_cert_row_read(&w, &row); n++) {
			*ret_has_acme |= row.source == CONF_CERT_ACME;
			if (fn != NULL)
				fn(arg, &row);
		}
	}
	buf_done(&body);
	buf_done(&reply);
	return r;
}

/* --- of role acme --------------------------------------------------------------------- */

struct certificate_states {
	struct certificate_state *v;
	size_t n;
};

struct certificate_states *
certificate_states_new(void)
{
	return X_NEW(struct certificate_states);
}

static void
empty(struct certificate_states *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].host);
		free(s->v[i].names);
		free(s->v[i].step);
		free(s->v[i].error);
	}
	free(s->v);
	s->v = NULL;
	s->n = 0;
}

void
certificate_states_free(struct certificate_states *s)
{
	empty(s);
	free(s);
}

static const char *
state_name(unsigned state)
{
	static const char *const names[] = {
		[ACME_STATE_WAITING] = "waiting",
		[ACME_STATE_QUEUED] = "queued",
		[ACME_STATE_RUNNING] = "running",
		[ACME_STATE_BLOCKED] = "blocked",
	};

	return state < ARRAY_LEN(names) ? names[state] : "?";
}

static void
add(struct certificate_states *s, const struct msg_acme_row *row)
{
	struct certificate_state *to;

	if ((s->n & (s->n - 1)) == 0) {
		to = x_calloc(MAX(s->n * 2, (size_t)1), sizeof(*to));
		if (s->n > 0)
			memcpy(to, s->v, s->n * sizeof(*to));
		free(s->v);
		s->v = to;
	}
	to = &s->v[s->n++];
	*to = (struct certificate_state){ .host = str_dup(row->host),
		.names = str_dup(row->names),
		.step = str_dup(row->step),
		.error = str_dup(row->error),
		.state = state_name(row->state),
		.is_running = row->state == ACME_STATE_RUNNING ||
		              row->state == ACME_STATE_QUEUED,
		.ends = row->ends,
		.next = row->next,
		.runs = row->runs };
}

int
certificate_states_read(struct admin *a, struct certificate_states *s)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(MIB(16));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_acme_row row;
	int r = ADMIN_OK;

	empty(s);
	while (l.has_more && r == ADMIN_OK) {
		struct str after =
		    s->n > 0 ? str_c(s->v[s->n - 1].host) : STR_NONE;

		buf_reset(&body, KIB(4));
		buf_reset(&reply, KIB(64));
		msg_acme_list_put(&body, &(struct msg_acme_list){ after });
		r = admin_do_role(a, ROLE_ACME,
		    &(struct admin_call){ .type = MSG_ACME_LIST,
			.body = buf_str(&body),
			.fd = -1 },
		    "certificates of acme.hosts", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_acme_row_read(&w, &row);)
			add(s, &row);
	}
	buf_done(&body);
	buf_done(&reply);
	return r;
}

size_t
certificate_states_count(const struct certificate_states *s)
{
	return s->n;
}

const struct certificate_state *
certificate_states_at(const struct certificate_states *s, size_t i)
{
	return &s->v[i];
}

const struct certificate_state *
certificate_states_find(const struct certificate_states *s, struct str host)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_c(s->v[i].host), host))
			return &s->v[i];
	return NULL;
}

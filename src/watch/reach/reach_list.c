/* SPDX-License-Identifier: ISC */
/*
 * reach_list.c - answers about networks: a table for operators, and whether a
 * visitor's neighbours get through.
 */
#include "watch/reach/reach_internal.h"

#include <arpa/inet.h>

#define REPLY_MAX KIB(800)
#define ROWS_MAX  3000
#define LAST      3 /* stretches that are "the last 15 minutes" */

/* --- rows --------------------------------------------------------------------------- */

/* Networks that are usually there, and of which nothing came. */
static void
add_missing(
    struct reach *r, const struct reach_filter *f, struct reach_sum *sum)
{
	for (size_t i = 0; i < r->n_series; i++) {
		const struct reach_key *k = &r->series[i]->profile.key;

		if (reach_filter_fits(f, k) && k->net.kind != REACH_NET_ALL)
			(void)reach_table_cell(
			    &sum->table, k, REACH_RANK_PROFILE);
	}
}

static bool
usual_of(const struct reach_sum *sum, const struct series *s,
    double ret[REACH_MEANS])
{
	double one[REACH_MEANS];
	bool is_known = false;

	for (size_t m = 0; m < REACH_MEANS; m++)
		ret[m] = 0;
	for (size_t h = 0; h < REACH_SUM_HOURS; h++) {
		if (sum->known[h] == 0)
			continue;
		if (!reach_profile_usual(&s->profile, sum->first_hour + h, one))
			return false;
		is_known = true;
		for (size_t m = 0; m < REACH_MEANS; m++)
			ret[m] += one[m] * sum->known[h];
	}
	return is_known;
}

/* --- the table ------------------------------------------------------------------------- */

static void
put_known(const struct reach_sum *sum, const struct series *s,
    struct msg_reach_row *row)
{
	double usual[REACH_MEANS];

	if (s == NULL)
		return;
	if (usual_of(sum, s, usual)) {
		row->has_usual = 1;
		row->usual = (uint64_t)(usual[REACH_MEAN_ATTEMPTS] * 256);
		row->usual_tls = (uint64_t)(usual[REACH_MEAN_TLS] * 256);
	}
	for (unsigned k = 0; k < REACH_SIGNALS; k++) {
		if (!s->signals[k].is_raised)
			continue;
		if (row->raised == 0 || s->signals[k].since < row->since)
			row->since = s->signals[k].since;
		row->raised |= (uint8_t)(1u << k);
	}
}

static void
put_row(struct reach *r, const struct reach_sum *sum,
    const struct reach_cell *c, struct buf *to)
{
	const struct reach_key *k = &c->key;
	const uint32_t *n = c->counts;
	struct msg_reach_row row = {
		.at = sum->table.interval * REACH_INTERVAL_S,
		.net_kind = k->net.kind,
		.net_value = k->net.value,
		.name = str_c(reach_nets_name(r->nets, &k->net)),
		.port = k->port,
		.service = k->service,
		.family = k->family,
		.attempts = n[REACH_ATTEMPTS],
		.greeted = n[REACH_N_GREETED],
		.tls = n[REACH_N_TLS],
		.signed_in = n[REACH_N_SIGNED_IN],
		.well = n[REACH_N_WELL],
		.left = n[REACH_N_LEFT],
		.reset = n[REACH_N_RESET],
		.timeout = n[REACH_N_TIMEOUT],
		.tls_failed = n[REACH_N_TLS_FAILED],
		.auth_failed = n[REACH_N_AUTH_FAILED],
		.banned = n[REACH_N_BANNED],
		.limited = n[REACH_N_LIMITED],
		.server = n[REACH_N_SERVER],
		.stalled = n[REACH_N_STALLED],
		.sessions = n[REACH_N_SESSIONS],
		.cut = n[REACH_N_CUT],
		.known = n[REACH_N_KNOWN],
		.known_failed = n[REACH_N_KNOWN_FAILED],
		.rtt50_us = reach_cell_rtt_us(c, 500),
		.rtt95_us = reach_cell_rtt_us(c, 950),
		.accounts = reach_accounts_guess(&c->accounts),
		.alert = reach_cell_alert(c).alert,
		.alerts = reach_cell_alerts(c),
	};

	put_known(sum, reach_series_find(r, k), &row);
	msg_reach_row_put(to, &row);
}

static void
put_piece(struct reach *r, const struct reach_filter *f, uint64_t from,
    uint64_t to, struct buf *items, size_t *rows)
{
	struct reach_sum *sum = X_NEW(struct reach_sum);

	reach_sum_up(r, f, from, to, sum);
	add_missing(r, f, sum);
	for (size_t i = 0; i < sum->table.n && *rows < ROWS_MAX; i++, ++*rows)
		put_row(r, sum, &sum->table.entries[i].cell, items);
	reach_table_done(&sum->table);
	free(sum);
}

void
reach_answer_items(struct ipc_peer *p, struct ipc_msg *m, struct buf *items)
{
	struct msg_list_reply reply = { .items = buf_str(items) };
	struct buf body = BUF_INIT(MIB(1));
	struct ipc_return ret = ipc_return_new(p, m);

	msg_list_reply_put(&body, &reply);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&body);
	buf_done(items);
}

static bool
req_list(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX);
	struct reach_filter f;
	struct msg_reach_list q;
	uint64_t from, to, step;
	size_t rows = 0;

	if (!reach_query_read(m->body, &q, &f))
		return false;
	from = q.from / REACH_INTERVAL_S;
	to = (q.to + REACH_INTERVAL_S - 1) / REACH_INTERVAL_S;
	step = MAX(q.step_s / REACH_INTERVAL_S, 1U);
	if (q.step_s == 0)
		step = MAX(to - from, UINT64_C(1));
	for (; from < to; from += step)
		put_piece(r, &f, from, MIN(from + step, to), &items, &rows);
	reach_answer_items(p, m, &items);
	return true;
}

/* --- a visitor's own network ---------------------------------------------------------------- */

static bool
parse_address(struct str s, unsigned *ret_family, uint8_t ret[16])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(ret, 0, 16);
	*ret_family = 4;
	if (inet_pton(AF_INET, text, ret) == 1)
		return true;
	if (inet_pton(AF_INET6, text, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six)) {
		memcpy(ret, six.s6_addr + 12, 4);
		return true;
	}
	*ret_family = 6;
	memcpy(ret, six.s6_addr, 16);
	return true;
}

static bool
is_asked_for(const struct reach_key *k, const struct reach_key *like)
{
	return reach_net_eq(&k->net, &like->net) && k->family == like->family &&
	       (like->service == REACH_ANY_SERVICE
		       ? reach_has_accounts(k->service)
		       : k->service == like->service);
}

static void
add_accounts(
    struct reach *r, const struct reach_key *like, struct reach_accounts *ret)
{
	for (uint64_t k = 0; k <= LAST; k++) {
		struct reach_table room = { 0 }, *t;

		t = reach_interval(r, r->open.interval - k, &room);
		for (size_t i = 0; t != NULL && i < t->n; i++)
			if (is_asked_for(&t->entries[i].cell.key, like))
				reach_accounts_merge(
				    ret, &t->entries[i].cell.accounts);
		reach_table_done(&room);
	}
}

/* What may be told goes before what may not, and that before nothing. */
static void
take_worst(struct reach *r, const struct series *s, enum reach_signal_kind kind,
    struct reach_public *p)
{
	struct reach_public one = reach_told_of(r, s, kind);
	bool is_dismissed = one.decision == REACH_DISMISSED;

	one.accounts = p->accounts;
	if (reach_public_may_tell(&one) ||
	    (!is_dismissed && !reach_public_may_tell(p)))
		*p = one;
}

static enum reach_answer
answer_of(struct reach *r, const struct reach_key *like)
{
	struct reach_accounts accounts = { 0 };
	struct reach_public p = { .accounts = &accounts, .now = r->now };

	add_accounts(r, like, &accounts);
	for (size_t i = 0; i < r->n_series; i++) {
		const struct series *s = r->series[i];

		if (!is_asked_for(&s->profile.key, like))
			continue;
		for (unsigned k = 0; k < REACH_SIGNALS; k++)
			if (s->signals[k].is_raised)
				take_worst(r, s, (enum reach_signal_kind)k, &p);
	}
	return reach_public_answer(&p);
}

static bool
req_ask(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf body = BUF_INIT(KIB(1));
	struct reach_key like = { .port = 0 };
	struct ipc_return ret;
	struct msg_reach_ask q;
	uint8_t address[16];
	unsigned family;
	char text[REACH_NET_TEXT];

	if (!msg_reach_ask_get(m->body, &q) ||
	    (q.service != REACH_ANY_SERVICE && q.service >= SERVICE_COUNT))
		return false;
	ret = ipc_return_new(p, m);
	if (!parse_address(q.address, &family, address)) {
		ipc_reply_error(
		    &ret, NOT_FOUND, REASON_NONE, "that is no IP address");
		return true;
	}
	like.family = (uint8_t)family;
	like.service = q.service;
	like.net = reach_nets_now(r->nets, family, address);
	reach_net_format(&like.net, text);
	msg_reach_ask_reply_put(
	    &body, &(struct msg_reach_ask_reply){
		       .answer = (uint8_t)answer_of(r, &like),
		       .network = str_c(text),
		       .name = str_c(reach_nets_name(r->nets, &like.net)) });
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&body);
	return true;
}

bool
reach_list_request(struct reach *r, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_REACH_LIST)
		return req_list(r, p, m);
	if (m->type == MSG_REACH_SIGNALS)
		return reach_told_request(r, p, m);
	if (m->type == MSG_REACH_TLS)
		return reach_tls_request(r, p, m);
	return m->type == MSG_REACH_ASK && req_ask(r, p, m);
}

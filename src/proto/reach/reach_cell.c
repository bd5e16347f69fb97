/* SPDX-License-Identifier: ISC */
/* reach_cell.c - counting, adding up, bytes. See reach_cell.h. */
#include "proto/reach/reach_cell.h"

#include <math.h>

#define RTT_FIRST_US 256
#define INDEX_BITS   7
#define RANK_MAX     (64 - INDEX_BITS + 1)
#define DENSE        255 /* in place of how many registers are in use */
#define SPARSE_MAX   (REACH_SKETCH_BYTES / 2)

_Static_assert(REACH_SKETCH_BYTES == 1 << INDEX_BITS, "an index is a register");
_Static_assert((int)REACH_N_WELL + (int)REACH_END_SERVER == (int)REACH_N_SERVER,
    "ends are counted in their order");

static uint32_t
plus(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* --- round trips -------------------------------------------------------------- */

/* Half octaves: step 2k begins at 256 * 2^k us, step 2k + 1 at 1.5 times that. */
static unsigned
step_of(uint32_t us)
{
	unsigned step = 0;
	uint64_t from = RTT_FIRST_US;

	while (us >= 2 * from && step < REACH_RTT_STEPS) {
		from *= 2;
		step += 2;
	}
	if (us >= from + from / 2)
		step++;
	return MIN(step, REACH_RTT_STEPS - 1U);
}

/* Its middle. */
static uint32_t
step_us(unsigned step)
{
	uint32_t from = (uint32_t)RTT_FIRST_US << step / 2;

	return step % 2 ? from / 4 * 7 : from / 4 * 5;
}

uint32_t
reach_cell_rtt_us(const struct reach_cell *c, unsigned permille)
{
	uint64_t total = 0, seen = 0;

	for (unsigned i = 0; i < REACH_RTT_STEPS; i++)
		total += c->rtt[i];
	for (unsigned i = 0; i < REACH_RTT_STEPS && total > 0; i++) {
		seen += c->rtt[i];
		if (seen * 1000 >= total * permille && c->rtt[i] > 0)
			return step_us(i);
	}
	return 0;
}

/* --- alerts --------------------------------------------------------------------- */

static bool
is_kind(const struct reach_alert *a, const struct reach_alert *b)
{
	return a->alert == b->alert && a->tls == b->tls &&
	       a->is_ours == b->is_ours;
}

void
reach_cell_add_alert(struct reach_cell *c, const struct reach_alert *add)
{
	static const struct reach_alert other = { .alert = REACH_ALERT_OTHER };

	for (size_t i = 0; i < REACH_ALERT_KINDS && add->n > 0; i++) {
		struct reach_alert *a = &c->alerts[i];
		bool is_last = i == REACH_ALERT_KINDS - 1;
		uint32_t n = a->n;

		if (n > 0 && !is_kind(a, add) && !is_last)
			continue;
		if (n == 0)
			*a = *add;
		else if (!is_kind(a, add))
			*a = other;
		a->n = plus(n, add->n);
		return;
	}
}

static bool
is_of_client(const struct reach_alert *a)
{
	return a->n > 0 && a->alert != 0 && !a->is_ours;
}

uint32_t
reach_cell_alerts(const struct reach_cell *c)
{
	uint32_t n = 0;

	for (size_t i = 0; i < REACH_ALERT_KINDS; i++)
		if (is_of_client(&c->alerts[i]))
			n = plus(n, c->alerts[i].n);
	return n;
}

struct reach_alert
reach_cell_alert(const struct reach_cell *c)
{
	struct reach_alert most = { 0 };

	for (size_t i = 0; i < REACH_ALERT_KINDS; i++) {
		struct reach_alert sum = { .alert = c->alerts[i].alert };

		if (!is_of_client(&c->alerts[i]))
			continue;
		for (size_t k = 0; k < REACH_ALERT_KINDS; k++)
			if (is_of_client(&c->alerts[k]) &&
			    c->alerts[k].alert == sum.alert)
				sum.n = plus(sum.n, c->alerts[k].n);
		if (sum.n > most.n)
			most = sum;
	}
	return most;
}

struct reach_alert
reach_cell_failure(const struct reach_cell *c)
{
	struct reach_alert most = { 0 };

	for (size_t i = 0; i < REACH_ALERT_KINDS; i++)
		if (c->alerts[i].n > most.n)
			most = c->alerts[i];
	return most;
}

/* --- accounts ------------------------------------------------------------------- */

static uint32_t
occupied(const struct reach_accounts *a)
{
	uint32_t n = 0;

	for (size_t i = 0; i < REACH_SKETCH_BYTES; i++)
		n += a->registers[i] > 0;
	return n;
}

/*
 * Each register that is occupied stands for at least one account that no
 * other register has seen.
 */
uint32_t
reach_accounts_least(const struct reach_accounts *a)
{
	return MAX(occupied(a), a->other_least);
}

uint32_t
reach_accounts_guess(const struct reach_accounts *a)
{
	const double m = REACH_SKETCH_BYTES;
	double sum = 0, guess;
	uint32_t n = occupied(a);

	if (n == 0)
		return a->other_guess;
	for (size_t i = 0; i < REACH_SKETCH_BYTES; i++)
		sum += ldexp(1, -a->registers[i]);
	guess = 0.7213 / (1 + 1.079 / m) * m * m / sum;
	if (guess <= 2.5 * m && n < REACH_SKETCH_BYTES)
		guess = m * log(m / (m - (double)n)); /* linear counting */
	guess = MIN(guess, 4e9);
	return MAX(MAX((uint32_t)(guess + 0.5), n), a->other_guess);
}

/* Two in one place are one: never more than there are. */
uint32_t
reach_accounts_organisations(const struct reach_accounts *a)
{
	uint32_t n = (uint32_t)__builtin_popcountll(a->organisations);

	return MAX(n, a->other_organisations);
}

static void
count_account(struct reach_accounts *a, const struct reach_who *who)
{
	uint64_t rest = who->account << INDEX_BITS;
	unsigned i = (unsigned)(who->account >> (64 - INDEX_BITS));
	unsigned rank = 1;

	while (rank < RANK_MAX && !(rest >> 63)) {
		rest <<= 1;
		rank++;
	}
	if (a->epoch != who->epoch) {
		struct reach_accounts fresh = { .epoch = who->epoch,
			.other_least = reach_accounts_least(a),
			.other_guess = reach_accounts_guess(a),
			.other_organisations =
			    (uint8_t)reach_accounts_organisations(a) };

		*a = fresh;
	}
	if (a->registers[i] < rank)
		a->registers[i] = (uint8_t)rank;
	if (who->organisation != 0)
		a->organisations |= UINT64_C(1) << (who->organisation >> 58);
}

void
reach_accounts_merge(struct reach_accounts *to, const struct reach_accounts *a)
{
	if (a->epoch == 0 && a->other_least == 0)
		return;
	if (to->epoch == 0 && to->other_least == 0) {
		*to = *a;
		return;
	}
	to->other_least = MAX(to->other_least, a->other_least);
	to->other_guess = MAX(to->other_guess, a->other_guess);
	to->other_organisations =
	    MAX(to->other_organisations, a->other_organisations);
	if (to->epoch != a->epoch) {
		to->other_least = MAX(to->other_least, reach_accounts_least(a));
		to->other_guess = MAX(to->other_guess, reach_accounts_guess(a));
		to->other_organisations = (uint8_t)MAX(
		    to->other_organisations, reach_accounts_organisations(a));
		return;
	}
	to->organisations |= a->organisations;
	for (size_t i = 0; i < REACH_SKETCH_BYTES; i++)
		to->registers[i] = MAX(to->registers[i], a->registers[i]);
}

/* --- lots ---------------------------------------------------------------------- */

void
reach_lot_add(uint16_t *lot, uint32_t n)
{
	*lot = (uint16_t)MIN(*lot + (uint64_t)n, (uint64_t)UINT16_MAX);
}

/* The rank-th most: of the first that are so many. */
static uint32_t
cap_of(const uint32_t lots[REACH_LOTS], unsigned rank)
{
	uint32_t most[REACH_LOT_RANK] = { 0 };

	for (size_t i = 0; i < REACH_LOTS; i++) {
		uint32_t n = lots[i];

		for (size_t k = 0; k < REACH_LOT_RANK; k++) {
			uint32_t less = MIN(most[k], n);

			most[k] = MAX(most[k], n);
			n = less;
		}
	}
	return most[rank - 1];
}

uint32_t
reach_lots_capped(const uint32_t lots[REACH_LOTS], unsigned rank)
{
	uint32_t cap = cap_of(lots, rank), sum = 0;

	for (size_t i = 0; i < REACH_LOTS; i++)
		sum = plus(sum, MIN(lots[i], cap));
	return sum;
}

/* --- counting --------------------------------------------------------------------- */

/* How TLS failed: an alert of either side; else that it broke off. */
static void
count_failure(struct reach_cell *c, const struct reach_event *e)
{
	struct reach_alert a = { .alert = e->alert, .tls = e->tls, .n = 1 };

	if (e->alert == 0 && e->own_alert == 0 && e->end != REACH_END_TLS)
		return;
	if (e->alert == 0 && e->own_alert != 0) {
		a.alert = e->own_alert;
		a.is_ours = true;
	}
	reach_cell_add_alert(c, &a);
}

static unsigned
lot_of(uint64_t hash)
{
	return (unsigned)(hash >> 60);
}

/* Whoever tries passwords, or is kept out, is not who misses his mail. */
static bool
is_guess(const struct reach_event *e)
{
	return e->end == REACH_END_BAN || e->end == REACH_END_LIMIT ||
	       (e->end == REACH_END_AUTH && !(e->stages & REACH_KNOWN));
}

/* How far people came. */
static void
count_people(struct reach_cell *c, const struct reach_event *e,
    const struct reach_who *who)
{
	unsigned client = lot_of(who->client);
	unsigned one = who->account != 0 ? lot_of(who->account) : client;
	uint32_t *n = c->counts;

	if (e->stages & REACH_SIGNED_IN) {
		reach_lot_add(&c->lots[REACH_LOTS_IN][one], 1);
		c->clients |= (uint16_t)(1U << client);
	} else if (who->may_sign_in && !is_guess(e)) {
		reach_lot_add(&c->lots[REACH_LOTS_OUT][client], 1);
	}
	if (!who->is_session)
		return;
	n[REACH_N_SESSIONS] = plus(n[REACH_N_SESSIONS], 1);
	if (e->stages & REACH_CUT) {
		n[REACH_N_CUT] = plus(n[REACH_N_CUT], 1);
		reach_lot_add(&c->lots[REACH_LOTS_CUT][one], 1);
	}
}

void
reach_cell_add(struct reach_cell *c, const struct reach_event *e,
    const struct reach_who *who)
{
	uint32_t *n = c->counts;

	n[REACH_ATTEMPTS] = plus(n[REACH_ATTEMPTS], 1);
	if (e->stages & REACH_GREETED)
		n[REACH_N_GREETED] = plus(n[REACH_N_GREETED], 1);
	if (e->stages & REACH_TLS)
		n[REACH_N_TLS] = plus(n[REACH_N_TLS], 1);
	if (e->stages & REACH_TLS && e->tls == REACH_TLS_13)
		n[REACH_N_TLS_13] = plus(n[REACH_N_TLS_13], 1);
	if (e->stages & REACH_SIGNED_IN)
		n[REACH_N_SIGNED_IN] = plus(n[REACH_N_SIGNED_IN], 1);
	if (e->stages & REACH_KNOWN)
		n[REACH_N_KNOWN] = plus(n[REACH_N_KNOWN], 1);
	if ((e->stages & (REACH_KNOWN | REACH_SIGNED_IN)) == REACH_KNOWN)
		n[REACH_N_KNOWN_FAILED] = plus(n[REACH_N_KNOWN_FAILED], 1);
	n[REACH_N_WELL + e->end] = plus(n[REACH_N_WELL + e->end], 1);
	if (e->retransmits > 0)
		n[REACH_N_STALLED] = plus(n[REACH_N_STALLED], 1);
	if (e->rtt_us > 0)
		c->rtt[step_of(e->rtt_us)] =
		    plus(c->rtt[step_of(e->rtt_us)], 1);
	count_failure(c, e);
	count_people(c, e, who);
	if (e->account != 0 && e->stages & REACH_SIGNED_IN)
		count_account(&c->accounts, who);
}

void
reach_cell_merge(struct reach_cell *to, const struct reach_cell *c)
{
	for (size_t i = 0; i < REACH_COUNTS; i++)
		to->counts[i] = plus(to->counts[i], c->counts[i]);
	for (size_t i = 0; i < REACH_RTT_STEPS; i++)
		to->rtt[i] = plus(to->rtt[i], c->rtt[i]);
	for (size_t i = 0; i < REACH_ALERT_KINDS; i++)
		reach_cell_add_alert(to, &c->alerts[i]);
	reach_accounts_merge(&to->accounts, &c->accounts);
	for (size_t k = 0; k < REACH_LOTS_KINDS; k++)
		for (size_t i = 0; i < REACH_LOTS; i++)
			reach_lot_add(&to->lots[k][i], c->lots[k][i]);
	to->clients |= c->clients;
}

/* --- bytes ------------------------------------------------------------------------ */

/* Values that are not 0, each behind its place. */
static void
put_sparse(struct buf *b, const uint32_t *v, size_t n)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		used += v[i] != 0;
	wire_put_u8(b, (uint8_t)used);
	for (size_t i = 0; i < n; i++)
		if (v[i] != 0) {
			wire_put_u8(b, (uint8_t)i);
			wire_put_varint(b, v[i]);
		}
}

/* In ascending order, so that there is one encoding of a cell. */
static void
get_used(struct wire *w, unsigned used, uint32_t *ret, size_t n, uint32_t max)
{
	unsigned next = 0;

	for (unsigned k = 0; k < used && !w->failed; k++) {
		unsigned i = wire_get_u8(w);
		uint32_t v = wire_get_v32(w);

		if (i < next || i >= n || v == 0 || v > max) {
			w->failed = true;
			return;
		}
		ret[i] = v;
		next = i + 1;
	}
}

static void
get_sparse(struct wire *w, uint32_t *ret, size_t n, uint32_t max)
{
	get_used(w, wire_get_u8(w), ret, n, max);
}

/* Those in use, or all of them when that is shorter. */
static void
put_registers(struct buf *b, const struct reach_accounts *a)
{
	uint32_t registers[REACH_SKETCH_BYTES];

	if (occupied(a) > SPARSE_MAX) {
		wire_put_u8(b, DENSE);
		buf_put(b, a->registers, REACH_SKETCH_BYTES);
		return;
	}
	for (size_t i = 0; i < REACH_SKETCH_BYTES; i++)
		registers[i] = a->registers[i];
	put_sparse(b, registers, REACH_SKETCH_BYTES);
}

static void
get_registers(struct wire *w, unsigned form, struct reach_accounts *ret)
{
	uint32_t registers[REACH_SKETCH_BYTES] = { 0 };
	unsigned used = wire_get_u8(w);
	struct str all;

	if (form < 3 || used != DENSE) {
		get_used(w, used, registers, REACH_SKETCH_BYTES, RANK_MAX);
		for (size_t i = 0; i < REACH_SKETCH_BYTES; i++)
			ret->registers[i] = (uint8_t)registers[i];
		return;
	}
	all = wire_get_bytes(w, REACH_SKETCH_BYTES);
	for (size_t i = 0; i < all.n && !w->failed; i++) {
		ret->registers[i] = (uint8_t)all.p[i];
		w->failed |= ret->registers[i] > RANK_MAX;
	}
}

static void
put_accounts(struct buf *b, const struct reach_accounts *a)
{
	put_registers(b, a);
	if (occupied(a) > 0) {
		wire_put_u64(b, a->epoch);
		wire_put_u64(b, a->organisations);
	}
	wire_put_varint(b, a->other_least);
	wire_put_varint(b, a->other_guess);
	wire_put_u8(b, a->other_organisations);
}

static void
get_accounts(struct wire *w, unsigned form, struct reach_accounts *ret)
{
	get_registers(w, form, ret);
	if (occupied(ret) > 0) {
		ret->epoch = wire_get_u64(w);
		w->failed |= ret->epoch == 0;
		if (form > 1)
			ret->organisations = wire_get_u64(w);
	}
	ret->other_least = wire_get_v32(w);
	ret->other_guess = wire_get_v32(w);
	if (form > 1)
		ret->other_organisations = wire_get_u8(w);
	if (ret->other_organisations > 64 ||
	    ret->other_least > REACH_SKETCH_BYTES ||
	    ret->other_guess < ret->other_least)
		w->failed = true;
}

static void
put_alerts(struct buf *b, const struct reach_alert *a)
{
	uint8_t used = 0;

	while (used < REACH_ALERT_KINDS && a[used].n > 0)
		used++;
	wire_put_u8(b, used);
	for (size_t i = 0; i < used; i++) {
		wire_put_u8(b, a[i].alert);
		wire_put_u8(b, (uint8_t)(a[i].tls << 1 | a[i].is_ours));
		wire_put_varint(b, a[i].n);
	}
}

static void
get_alerts(struct wire *w, struct reach_alert *ret)
{
	unsigned used = wire_get_u8(w);

	w->failed |= used > REACH_ALERT_KINDS;
	for (size_t i = 0; i < used && !w->failed; i++) {
		uint8_t bits;

		ret[i].alert = wire_get_u8(w);
		bits = wire_get_u8(w);
		ret[i].tls = bits >> 1;
		ret[i].is_ours = bits & 1;
		ret[i].n = wire_get_v32(w);
		w->failed |= ret[i].tls >= REACH_TLS_VERSIONS || ret[i].n == 0;
	}
}

/* Form 1: as many as there are, up to four; all of clients. */
static void
get_old_alerts(struct wire *w, struct reach_alert *ret)
{
	for (size_t i = 0; i < 4; i++) {
		ret[i].alert = wire_get_u8(w);
		if (ret[i].alert == 0)
			break;
		ret[i].n = wire_get_v32(w);
	}
}

/* Which of them there are, a bit each; then these. */
static void
put_lots(struct buf *b, const uint16_t lots[REACH_LOTS])
{
	uint16_t used = 0;

	for (size_t i = 0; i < REACH_LOTS; i++)
		used |= (uint16_t)((lots[i] > 0) << i);
	wire_put_u16(b, used);
	for (size_t i = 0; i < REACH_LOTS; i++)
		if (lots[i] > 0)
			wire_put_varint(b, lots[i]);
}

static void
get_lots(struct wire *w, uint16_t ret[REACH_LOTS])
{
	uint16_t used = wire_get_u16(w);

	for (size_t i = 0; i < REACH_LOTS && !w->failed; i++) {
		uint32_t n = used >> i & 1 ? wire_get_v32(w) : 1;

		w->failed |= n == 0 || n > UINT16_MAX;
		ret[i] = used >> i & 1 ? (uint16_t)n : 0;
	}
}

void
reach_cell_put(struct buf *b, const struct reach_cell *c)
{
	reach_key_put(b, &c->key);
	put_sparse(b, c->counts, REACH_COUNTS);
	put_sparse(b, c->rtt, REACH_RTT_STEPS);
	put_alerts(b, c->alerts);
	put_accounts(b, &c->accounts);
	for (size_t k = 0; k < REACH_LOTS_KINDS; k++)
		put_lots(b, c->lots[k]);
	wire_put_u16(b, c->clients);
}

void
reach_cell_get(struct wire *w, unsigned form, struct reach_cell *ret)
{
	memset(ret, 0, sizeof(*ret));
	reach_key_get(w, &ret->key);
	get_sparse(w, ret->counts, REACH_COUNTS, UINT32_MAX);
	get_sparse(w, ret->rtt, REACH_RTT_STEPS, UINT32_MAX);
	if (form > 1)
		get_alerts(w, ret->alerts);
	else
		get_old_alerts(w, ret->alerts);
	get_accounts(w, form, &ret->accounts);
	if (form < 3)
		return;
	for (size_t k = 0; k < REACH_LOTS_KINDS; k++)
		get_lots(w, ret->lots[k]);
	ret->clients = wire_get_u16(w);
}

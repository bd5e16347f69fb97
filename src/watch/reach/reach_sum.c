/* SPDX-License-Identifier: ISC */
/*
 * reach_sum.c - counts of several stretches added up, and questions about them.
 */
#include "watch/reach/reach_internal.h"

#define RANGE_MAX     (UINT64_C(9) * 86400)
#define CELLS_AN_HOUR 12

bool
reach_query_read(struct str body, struct msg_reach_list *ret,
    struct reach_filter *ret_filter)
{
	struct reach_filter f = { .service = REACH_ANY_SERVICE };

	if (!msg_reach_list_get(body, ret) || ret->to < ret->from ||
	    ret->to - ret->from > RANGE_MAX)
		return false;
	f.service = ret->service;
	f.has_net = ret->network.n > 0;
	if (f.has_net && !reach_net_parse(ret->network, &f.net))
		return false;
	*ret_filter = f;
	return true;
}

bool
reach_filter_fits(const struct reach_filter *f, const struct reach_key *k)
{
	return (!f->has_net || reach_net_eq(&f->net, &k->net)) &&
	       (f->service == REACH_ANY_SERVICE || f->service == k->service);
}

void
reach_sum_up(struct reach *r, const struct reach_filter *f, uint64_t from,
    uint64_t to, struct reach_sum *ret)
{
	reach_table_init(&ret->table, from, r->seed);
	ret->first_hour = from / CELLS_AN_HOUR;
	for (; from < to; from++) {
		struct reach_table room = { 0 }, *t;

		t = reach_interval(r, from, &room);
		if (t == NULL)
			continue;
		ret->known[from / CELLS_AN_HOUR - ret->first_hour]++;
		for (size_t i = 0; i < t->n; i++) {
			const struct reach_cell *c = &t->entries[i].cell;

			if (reach_filter_fits(f, &c->key))
				reach_table_merge(&ret->table, c,
				    reach_series_find(r, &c->key) != NULL
					? REACH_RANK_PROFILE
					: REACH_RANK_ANY);
		}
		reach_table_done(&room);
	}
}

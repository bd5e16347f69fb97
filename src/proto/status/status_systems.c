/* SPDX-License-Identifier: ISC */
/* status_systems.c - all systems that there are. See status_systems.h. */
#include "proto/status/status_systems.h"

#define ORDER_STEP 10

struct key {
	char v[STATUS_ID_MAX + 1]; /* in lower case */
};

struct one {
	struct key key;
	struct key id; /* as it writes itself */
	size_t n_parents;
	struct key parents[STATUS_PARENTS_MAX];
};

struct status_systems {
	struct one *v; /* sorted by key */
	size_t n, cap;
	uint32_t last_order;
};

struct status_systems *
status_systems_new(void)
{
	return X_NEW(struct status_systems);
}

struct status_systems *
status_systems_free(struct status_systems *all)
{
	if (all != NULL)
		free(all->v);
	free(all);
	return NULL;
}

/* --- one of them ------------------------------------------------------------------ */

/* Of an id that is one. */
static struct key
key_of(struct str id)
{
	struct key k = { "" };

	ASSERT(id.n <= STATUS_ID_MAX);
	for (size_t i = 0; i < id.n; i++)
		k.v[i] = ascii_lower(id.p[i]);
	return k;
}

/* Where it stands, or would stand. */
static size_t
place_of(const struct status_systems *all, const struct key *key)
{
	size_t low = 0, high = all->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(all->v[middle].key.v, key->v) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Its index; all->n: there is none. */
static size_t
find(const struct status_systems *all, const struct key *key)
{
	size_t i = place_of(all, key);

	return i < all->n && strcmp(all->v[i].key.v, key->v) == 0 ? i : all->n;
}

void
status_systems_add(struct status_systems *all, struct str value)
{
	struct status_system s;
	struct one one = { 0 };
	size_t i;

	if (!status_system_decode(value, &s))
		return;
	all->last_order = MAX(all->last_order, s.order);
	one.key = key_of(s.id);
	memcpy(one.id.v, s.id.p, s.id.n);
	one.n_parents = s.n_parents;
	for (size_t k = 0; k < s.n_parents; k++)
		one.parents[k] = key_of(s.parents[k]);
	i = place_of(all, &one.key);
	if (i < all->n && strcmp(all->v[i].key.v, one.key.v) == 0) {
		all->v[i] = one;
		return;
	}
	all->v = x_grow(all->v, &all->cap, all->n + 1, sizeof(*all->v));
	memmove(&all->v[i + 1], &all->v[i], (all->n - i) * sizeof(*all->v));
	all->v[i] = one;
	all->n++;
}

/* --- names ------------------------------------------------------------------------ */

/* Is there one? Then its id in its own spelling. */
static bool
take(const struct status_systems *all, struct str *id)
{
	struct key key;
	size_t i;

	if (!status_is_id(*id))
		return false;
	key = key_of(*id);
	i = find(all, &key);
	if (i < all->n)
		*id = str_c(all->v[i].id.v);
	return i < all->n;
}

static bool
unknown(struct str id, struct status_fault *ret)
{
	return status_fault_set(
	    ret, id, "a system that there is: this one does not exist");
}

bool
status_systems_have(const struct status_systems *all, struct str id)
{
	return take(all, &id);
}

bool
status_systems_have_all(const struct status_systems *all, struct str *ids,
    size_t n, struct status_fault *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!take(all, &ids[i]))
			return unknown(ids[i], ret);
	return true;
}

bool
status_systems_fit_affects(const struct status_systems *all,
    struct status_affects *affects, const struct status_affects *was,
    struct status_fault *ret)
{
	enum status_impact impact;

	for (size_t i = 0; i < affects->n; i++) {
		struct str *id = &affects->v[i].system;

		if (!take(all, id) &&
		    (was == NULL || !status_affects_find(was, *id, &impact)))
			return unknown(*id, ret);
	}
	return true;
}

/* --- parents ---------------------------------------------------------------------- */

/* Does the one at from lead to target, by its parents and theirs? */
static bool
leads_to(
    const struct status_systems *all, size_t from, const struct key *target)
{
	size_t *stack = x_calloc(all->n, sizeof(*stack)), n = 1;
	bool *is_seen = x_calloc(all->n, sizeof(*is_seen)), is_found = false;

	stack[0] = from;
	is_seen[from] = true;
	while (n > 0 && !is_found) {
		const struct one *one = &all->v[stack[--n]];

		is_found = strcmp(one->key.v, target->v) == 0;
		for (size_t i = 0; i < one->n_parents; i++) {
			size_t parent = find(all, &one->parents[i]);

			if (parent == all->n || is_seen[parent])
				continue;
			is_seen[parent] = true;
			stack[n++] = parent;
		}
	}
	free(stack);
	free(is_seen);
	return is_found;
}

bool
status_systems_fit_parents(const struct status_systems *all,
    struct status_system *s, struct status_fault *ret)
{
	struct key own = key_of(s->id);

	for (size_t i = 0; i < s->n_parents; i++) {
		struct key parent;

		if (!take(all, &s->parents[i]))
			return unknown(s->parents[i], ret);
		parent = key_of(s->parents[i]);
		if (leads_to(all, find(all, &parent), &own))
			return status_fault_set(ret, s->parents[i],
			    "a system that does not depend on this one itself");
	}
	return true;
}

uint32_t
status_systems_next_order(const struct status_systems *all)
{
	if (all->n == 0)
		return ORDER_STEP;
	return all->last_order <= UINT32_MAX - ORDER_STEP
	           ? all->last_order + ORDER_STEP
	           : UINT32_MAX;
}

/* SPDX-License-Identifier: ISC */
/* status_system.c - rows of systems and windows. See status_system.h. */
#include "proto/status/status_system.h"

#include <inttypes.h>

#define VERSION_SYSTEM 1
#define VERSION_WINDOW 1
#define DIGITS         12
#define YEARS_100      3155760000ULL

static const char *const names[STATUS_ROLES] = {
	[STATUS_ROLE_MAIL] = "mail",
	[STATUS_ROLE_RELAY] = "relay",
	[STATUS_ROLE_WEB] = "web",
	[STATUS_ROLE_PRIMARY_NS] = "primary-ns",
	[STATUS_ROLE_SECONDARY_NS] = "secondary-ns",
	[STATUS_ROLE_PHONE] = "phone",
	[STATUS_ROLE_MONITORING] = "monitoring",
	[STATUS_ROLE_STATUS] = "status",
	[STATUS_ROLE_OTHER] = "other",
};

const char *
status_role_name(enum status_role r)
{
	ASSERT((unsigned)r < STATUS_ROLES);
	return names[r];
}

const char *
status_role_title(enum status_role r)
{
	static const char *const titles[STATUS_ROLES] = {
		[STATUS_ROLE_MAIL] = "Mail server",
		[STATUS_ROLE_RELAY] = "Relay server",
		[STATUS_ROLE_WEB] = "Web server",
		[STATUS_ROLE_PRIMARY_NS] = "Primary nameserver",
		[STATUS_ROLE_SECONDARY_NS] = "Secondary nameserver",
		[STATUS_ROLE_PHONE] = "Phone server",
		[STATUS_ROLE_MONITORING] = "Monitoring server",
		[STATUS_ROLE_STATUS] = "Status website",
		[STATUS_ROLE_OTHER] = "Server",
	};

	ASSERT((unsigned)r < STATUS_ROLES);
	return titles[r];
}

bool
status_role_parse(struct str word, enum status_role *ret)
{
	int i = status_word_find(names, STATUS_ROLES, word);

	if (i >= 0)
		*ret = (enum status_role)i;
	return i >= 0;
}

bool
status_system_is_sane(const struct status_system *s, struct status_fault *ret)
{
	if (!status_is_id(s->id))
		return status_fault_set(ret, s->id, STATUS_ID_EXPECTED);
	if ((unsigned)s->role >= STATUS_ROLES)
		return status_fault_set(ret, STR_NONE, "a role");
	if (!status_is_text(s->city))
		return status_fault_set(ret, s->city, "a short text");
	if (!status_is_text(s->country))
		return status_fault_set(ret, s->country, "a short text");
	if (s->n_parents > STATUS_PARENTS_MAX)
		return status_fault_set(ret, STR_NONE, "at most 8 parents");
	for (size_t i = 0; i < s->n_parents; i++) {
		if (!status_is_id(s->parents[i]))
			return status_fault_set(
			    ret, s->parents[i], STATUS_ID_EXPECTED);
		if (str_eq_case(s->parents[i], s->id))
			return status_fault_set(
			    ret, s->parents[i], "another system");
		for (size_t k = 0; k < i; k++)
			if (str_eq_case(s->parents[i], s->parents[k]))
				return status_fault_set(
				    ret, s->parents[i], "each parent once");
	}
	return true;
}

void
status_system_encode(const struct status_system *s, struct buf *to)
{
	wire_put_u8(to, VERSION_SYSTEM);
	wire_put_vstr(to, s->id);
	wire_put_u8(to, (uint8_t)s->role);
	wire_put_vstr(to, s->city);
	wire_put_vstr(to, s->country);
	wire_put_u8(to, s->is_internal);
	wire_put_u32(to, s->order);
	wire_put_varint(to, s->n_parents);
	for (size_t i = 0; i < s->n_parents; i++)
		wire_put_vstr(to, s->parents[i]);
}

bool
status_system_decode(struct str value, struct status_system *ret)
{
	struct wire w = wire_read_version(value, VERSION_SYSTEM);
	struct status_system s = { 0 };
	struct status_fault fault;
	uint8_t internal;

	s.id = wire_get_vstr(&w);
	s.role = (enum status_role)wire_get_u8(&w);
	s.city = wire_get_vstr(&w);
	s.country = wire_get_vstr(&w);
	internal = wire_get_u8(&w);
	s.is_internal = internal != 0;
	s.order = wire_get_u32(&w);
	s.n_parents = wire_get_varint(&w);
	for (size_t i = 0; i < s.n_parents && i < STATUS_PARENTS_MAX; i++)
		s.parents[i] = wire_get_vstr(&w);
	if (internal > 1 || s.n_parents > STATUS_PARENTS_MAX ||
	    !wire_is_complete(&w) || !status_system_is_sane(&s, &fault))
		return false;
	*ret = s;
	return true;
}

/* --- windows -------------------------------------------------------------- */

bool
status_window_is_sane(const struct status_window *w, struct status_fault *ret)
{
	if (!status_is_id(w->system))
		return status_fault_set(ret, w->system, STATUS_ID_EXPECTED);
	if (w->from_s > 253402300799ULL)
		return status_fault_set(
		    ret, STR("from"), "a start before 10000");
	if (w->length_s == 0 || w->length_s > YEARS_100)
		return status_fault_set(ret, STR("length"), "a length above 0");
	if (w->every_s != 0 &&
	    (w->every_s < w->length_s || w->every_s > YEARS_100))
		return status_fault_set(
		    ret, STR("every"), "a time that is not below the length");
	if (!status_is_text(w->note))
		return status_fault_set(ret, w->note, "a short text");
	return true;
}

bool
status_window_turn(
    const struct status_window *w, uint64_t now_s, uint64_t *ret_from_s)
{
	uint64_t end_s = w->from_s + w->length_s, turns = 0;

	if (end_s <= now_s && w->every_s == 0)
		return false;
	if (end_s <= now_s)
		turns = (now_s - end_s) / w->every_s + 1;
	*ret_from_s = w->from_s + turns * w->every_s;
	return true;
}

void
status_window_put_key(struct buf *to, const struct status_window *w)
{
	status_put_key(to, w->system);
	buf_printf(to, "/%0*" PRIu64, DIGITS, w->from_s);
}

void
status_window_encode(const struct status_window *w, struct buf *to)
{
	wire_put_u8(to, VERSION_WINDOW);
	wire_put_varint(to, w->length_s);
	wire_put_varint(to, w->every_s);
	wire_put_vstr(to, w->note);
}

bool
status_window_decode(
    struct str key, struct str value, struct status_window *ret)
{
	struct wire w = wire_read_version(value, VERSION_WINDOW);
	struct status_window win = { 0 };
	struct status_fault fault;
	struct str digits = str_split(key, '/', &win.system);

	win.length_s = wire_get_varint(&w);
	win.every_s = wire_get_varint(&w);
	win.note = wire_get_vstr(&w);
	if (digits.n != DIGITS || !wire_is_complete(&w) ||
	    !str_to_u64(digits, UINT64_MAX, &win.from_s) ||
	    !status_window_is_sane(&win, &fault))
		return false;
	*ret = win;
	return true;
}

/* SPDX-License-Identifier: ISC */
/*
 * conclusion.c - is it you, or is it me? What follows for one visitor from how mail
 * is, from what is held against the address, and from whether others on the
 * same network get through; the surest first.
 */
#include "proc/ipc_msgs.h"
#include "proto/reach/reach_public.h"
#include "web/page/parts.h"

/* Something is wrong with mail, or with all that there is to look at. */
static bool
is_ours(const struct verdict *v)
{
	return (v->look == LOOK_DOWN || v->look == LOOK_DEGRADED) &&
	       v->sentence != T_OTHERS_ILL && v->sentence != T_NOT_SEEN;
}

static bool
is_in_doubt(const struct facts *f, const struct verdict *v)
{
	return !f->has_client || !f->has_reach || v->sentence == T_NOT_SEEN ||
	       v->look == LOOK_UNKNOWN || v->look == LOOK_PLAIN;
}

enum word
conclude(const struct facts *f, const struct verdict *v, enum look *ret_look)
{
	bool do_others = f->has_reach && f->answer == REACH_OTHERS_YES;

	*ret_look = LOOK_DOWN;
	if (f->has_client && f->state == AUTH_CLIENT_BANNED)
		return T_C_SO_BANNED;
	*ret_look = v->look;
	if (is_ours(v))
		return T_C_SO_US;
	*ret_look = LOOK_DEGRADED;
	if (f->has_reach && f->answer == REACH_OTHERS_NO)
		return T_C_SO_NETWORK;
	*ret_look = LOOK_UNKNOWN;
	if (is_in_doubt(f, v))
		return T_C_SO_UNKNOWN;
	*ret_look = v->look;
	if (v->sentence == T_OTHERS_ILL)
		return do_others ? T_C_SO_MAIL_DEVICE : T_C_SO_MAIL_WELL;
	return do_others ? T_C_SO_DEVICE : T_C_SO_WELL;
}

/* SPDX-License-Identifier: ISC */
/* served.c - is a domain one of ours? A list of a mistyped one is empty, and
 * looks as if all were well. */
#include "cli/admin.h"

int
admin_served(struct admin *a, const char *word)
{
	struct buf body = BUF_INIT(KIB(4)), reply = BUF_INIT(MIB(16));
	struct buf name = BUF_INIT(KIB(2)), after = BUF_INIT(KIB(2));
	struct msg_list_reply l = { .has_more = 1 };
	struct msg_domain d;
	bool is_served = false;
	int r = admin_domain_name(a, word, &name) ? ADMIN_OK : ADMIN_USAGE;

	while (r == ADMIN_OK && l.has_more && !is_served) {
		buf_reset(&body, KIB(4));
		msg_list_put(
		    &body, &(struct msg_list){ .after = buf_str(&after),
			       .filter = buf_str(&name) });
		r = admin_do(
		    a, MSG_DOMAIN_LIST, buf_str(&body), "domains", &reply);
		if (r != ADMIN_OK || !msg_list_reply_get(buf_str(&reply), &l))
			break;
		for (struct wire w = wire_read(l.items);
		     msg_domain_read(&w, &d);) {
			is_served |= str_eq(d.name, buf_str(&name));
			buf_reset(&after, KIB(2));
			buf_put_str(&after, d.name);
		}
	}
	if (r == ADMIN_OK && !is_served)
		r = admin_error(a, ADMIN_REFUSED,
		    "the domain %s is not served here; 'mailstead domain list' "
		    "shows those that are",
		    buf_c(&name));
	buf_done(&body);
	buf_done(&reply);
	buf_done(&name);
	buf_done(&after);
	return r;
}

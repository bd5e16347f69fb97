/* SPDX-License-Identifier: ISC */
/*
 * domain.c - domains: add, list, remove.
 */
#include "store/dir/dir_internal.h"

struct verdict
dir_domain_add(struct dir *d, const struct msg_domain_add *q)
{
	struct buf clean = BUF_INIT(DOMAIN_MAX);
	struct domain_record r;
	struct dir_change c;
	struct verdict v;
	int got;

	if (!domain_clean(q->name, &clean)) {
		buf_done(&clean);
		return verdict_permfail(REASON_NAME);
	}
	got = dir_get_domain(d, buf_str(&clean), &r);
	if (got != 0) {
		buf_done(&clean);
		return got < 0 ? verdict_engine(got)
		               : verdict_permfail(REASON_EXISTS);
	}
	c = dir_change_begin(d);
	r = (struct domain_record){ .created = dir_now(d) };
	domain_record_encode(&c.val, &r);
	dir_change_put(&c, dir_key('D', buf_str(&clean)));
	v = dir_dkim_first(&c, buf_str(&clean), q->keys);
	if (verdict_is_done(v))
		v = dir_change_commit(&c);
	else
		dir_change_abort(&c);
	if (verdict_is_done(v))
		dir_dkim_changed(d, buf_str(&clean));
	buf_done(&clean);
	return v;
}

struct verdict
dir_domain_list(struct dir *d, const struct msg_list *q, struct buf *out)
{
	struct dir_page page = { .max = DIR_PAGE, .filter = q->filter };
	struct msg_list_reply reply = { 0 };
	struct buf items = BUF_INIT(MAIL_REPLY_MAX);
	struct verdict v = dir_page_read(d, 'D', q->after, &page);

	for (size_t i = 0; i < page.n && verdict_is_done(v); i++) {
		struct msg_domain item = { .name = str_c(page.v[i].name) };
		struct domain_record r;

		if (!domain_record_decode(
			str_make(page.v[i].val, page.v[i].val_n), &r)) {
			v = verdict_engine(ENGINE_CORRUPT);
			break;
		}
		item.created = r.created;
		item.users = r.users;
		item.aliases = r.aliases;
		msg_domain_put(&items, &item);
	}
	if (verdict_is_done(v)) {
		reply.items = buf_str(&items);
		reply.has_more = page.has_more;
		msg_list_reply_put(out, &reply);
	}
	dir_page_done(&page);
	buf_done(&items);
	return v;
}

struct verdict
dir_domain_remove(struct dir *d, const struct msg_name *q)
{
	struct buf clean = BUF_INIT(DOMAIN_MAX);
	struct domain_record r = { 0 };
	struct dir_change c;
	struct verdict v;
	int got = domain_clean(q->name, &clean)
	              ? dir_get_domain(d, buf_str(&clean), &r)
	              : 0;

	if (got < 0)
		v = verdict_engine(got);
	else if (got == 0)
		v = verdict_not_found(REASON_NO_DOMAIN);
	else if (r.users || r.aliases)
		v = verdict_permfail(REASON_IN_USE);
	else {
		c = dir_change_begin(d);
		dir_change_del(&c, dir_key('D', buf_str(&clean)));
		v = dir_dkim_drop(&c, buf_str(&clean));
		if (verdict_is_done(v))
			v = dir_change_commit(&c);
		else
			dir_change_abort(&c);
		if (verdict_is_done(v))
			dir_dkim_changed(d, buf_str(&clean));
	}
	buf_done(&clean);
	return v;
}

/* SPDX-License-Identifier: ISC */
/*
 * alias.c - aliases: add, list, remove.
 *
 * A target must lead to a user of ours when the alias is made, or to another
 * server: mail for it goes through the queue.
 */
#include "store/dir/dir_internal.h"

#define TARGETS_BYTES_MAX KIB(60)

/* "local@domain" or "@domain" for a catch-all. */
static bool
alias_clean(struct str address, struct buf *out)
{
	if (address.n && address.p[0] == '@')
		return catch_all_clean(address, out) && out->n <= ADDRESS_MAX;
	return address_clean(address, out) && address_is_plain(buf_str(out));
}

/* A target: what leads to a user of ours in small letters, as it is kept; of
 * another server's address only the domain, for its local part is theirs. */
static void
put_target(struct buf *targets, struct str target, struct str clean,
    const struct dir_accounts *found)
{
	struct buf kept = BUF_INIT(KIB(1));

	if (found->n_remote == 1 && found->n == 0 && target.n == clean.n) {
		struct wire w = wire_read(buf_str(&found->remote));

		if (str_eq(wire_get_vstr(&w), clean)) {
			buf_put_str(&kept, address_local(target));
			buf_put_str(
			    &kept, str_from(clean, address_local(clean).n));
			clean = buf_str(&kept);
		}
	}
	wire_put_vstr(targets, clean);
	buf_done(&kept);
}

/* Does a target lead to the alias that is being made? */
static struct verdict
add_target(
    struct dir *d, struct str alias, struct str target, struct buf *targets)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct dir_accounts *accounts;
	struct verdict v;

	if (!address_clean(target, &clean) || clean.n > ADDRESS_MAX) {
		buf_done(&clean);
		return verdict_permfail(REASON_NAME);
	}
	if (str_eq(buf_str(&clean), alias)) {
		buf_done(&clean);
		return verdict_permfail(REASON_LOOP);
	}
	accounts = dir_accounts_new();
	v = dir_resolve_from(d, buf_str(&clean), 1, accounts);
	put_target(targets, target, buf_str(&clean), accounts);
	dir_accounts_free(accounts);
	buf_done(&clean);
	return v;
}

static struct verdict
read_targets(struct dir *d, struct str alias, struct str list,
    struct alias_record *r, struct buf *targets)
{
	struct wire w = wire_read(list);
	struct msg_text target;

	*r = (struct alias_record){ 0 };
	while (w.in.n) {
		struct verdict v;

		if (!msg_text_read(&w, &target))
			return verdict_permfail(REASON_INTERNAL);
		if (++r->n > DIR_TARGETS_MAX)
			return verdict_permfail(REASON_LIMIT);
		v = add_target(d, alias, target.text, targets);
		if (!verdict_is_done(v))
			return v;
	}
	r->targets = buf_str(targets);
	if (targets->failed)
		return verdict_permfail(REASON_LIMIT);
	return r->n ? VERDICT_DONE : verdict_permfail(REASON_NAME);
}

static struct verdict
add_clean(struct dir *d, struct str alias, struct str list)
{
	struct buf targets = BUF_INIT(TARGETS_BYTES_MAX);
	struct dir_change c = dir_change_begin(d);
	struct alias_record r;
	struct verdict v = dir_is_free(d, alias);

	if (verdict_is_done(v))
		v = dir_count(&c, address_domain(alias), 0, 1);
	if (verdict_is_done(v))
		v = read_targets(d, alias, list, &r, &targets);
	if (verdict_is_done(v)) {
		alias_record_encode(&c.val, &r);
		dir_change_put(&c, dir_key('A', alias));
		v = dir_change_commit(&c);
	} else {
		dir_change_abort(&c);
	}
	buf_done(&targets);
	return v;
}

struct verdict
dir_alias_add(struct dir *d, const struct msg_alias *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct verdict v = alias_clean(q->address, &clean)
	                       ? add_clean(d, buf_str(&clean), q->targets)
	                       : verdict_permfail(REASON_NAME);

	buf_done(&clean);
	return v;
}

static void
put_alias(struct buf *items, const char *name, const struct alias_record *r)
{
	struct buf targets = BUF_INIT(KIB(256));
	struct wire w = wire_read(r->targets);
	struct msg_alias item = { .address = str_c(name) };

	for (uint32_t i = 0; i < r->n; i++) {
		struct msg_text target = { wire_get_vstr(&w) };

		msg_text_put(&targets, &target);
	}
	item.targets = buf_str(&targets);
	msg_alias_put(items, &item);
	buf_done(&targets);
}

struct verdict
dir_alias_list(struct dir *d, const struct msg_list *q, struct buf *out)
{
	struct dir_page page = { .max = DIR_PAGE, .filter = q->filter };
	struct msg_list_reply reply = { 0 };
	struct buf items = BUF_INIT(MAIL_REPLY_MAX);
	struct verdict v = dir_page_read(d, 'A', q->after, &page);
	size_t i;

	for (i = 0; i < page.n && verdict_is_done(v); i++) {
		struct alias_record r;

		/* Long aliases make the page shorter. */
		if (items.n > MIB(4))
			break;
		if (alias_record_decode(
			str_make(page.v[i].val, page.v[i].val_n), &r))
			put_alias(&items, page.v[i].name, &r);
		else
			v = verdict_engine(ENGINE_CORRUPT);
	}
	if (verdict_is_done(v)) {
		reply.items = buf_str(&items);
		reply.has_more = page.has_more || i < page.n;
		msg_list_reply_put(out, &reply);
	}
	dir_page_done(&page);
	buf_done(&items);
	return v;
}

struct verdict
dir_alias_remove(struct dir *d, const struct msg_name *q)
{
	struct buf clean = BUF_INIT(KIB(1));
	struct alias_record r;
	struct dir_change c;
	struct verdict v;
	int got = alias_clean(q->name, &clean)
	              ? dir_get_alias(d, buf_str(&clean), &r)
	              : 0;

	if (got <= 0) {
		buf_done(&clean);
		return got < 0 ? verdict_engine(got)
		               : verdict_not_found(REASON_NO_USER);
	}
	c = dir_change_begin(d);
	v = dir_count(&c, address_domain(buf_str(&clean)), 0, -1);
	if (verdict_is_done(v)) {
		dir_change_del(&c, dir_key('A', buf_str(&clean)));
		v = dir_change_commit(&c);
	} else {
		dir_change_abort(&c);
	}
	buf_done(&clean);
	return v;
}

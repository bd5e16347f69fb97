/* SPDX-License-Identifier: ISC */
/*
 * pop3_drop.c - the maildrop of one POP3 session. See pop3_drop.h.
 */
#include "imap/pop3_drop.h"

#include "proto/imap/imap_flags.h"

void
pop3_drop_init(struct pop3_drop *d, const struct msg_mailbox *mb)
{
	*d = (struct pop3_drop){
		.mailbox = mb->id,
		.uidvalidity = mb->uidvalidity,
	};
}

void
pop3_drop_done(struct pop3_drop *d)
{
	free(d->v);
	*d = (struct pop3_drop){ 0 };
}

bool
pop3_drop_load(struct pop3_drop *d, struct str entries)
{
	size_t count = entries.n / sizeof(struct ipc_entry);

	if (entries.n % sizeof(struct ipc_entry) ||
	    count > POP3_MESSAGES_MAX - d->n)
		return false;
	d->v = x_grow(d->v, &d->cap, d->n + count, sizeof(*d->v));
	for (size_t i = 0; i < count; i++) {
		struct ipc_entry e;

		memcpy(&e, entries.p + i * sizeof(e), sizeof(e));
		if (d->n && e.uid <= d->v[d->n - 1].uid)
			return false;
		d->v[d->n++] = (struct pop3_message){
			.uid = e.uid,
			.is_seen = e.flags & IMAP_FLAG_SEEN,
		};
	}
	return true;
}

bool
pop3_drop_load_sizes(struct pop3_drop *d, struct str items)
{
	struct wire w = wire_read(items);
	struct msg_fetch_item m;

	while (msg_fetch_item_read(&w, &m)) {
		while (d->sized < d->n && d->v[d->sized].uid < m.uid)
			d->sized++;
		if (d->sized == d->n || d->v[d->sized].uid != m.uid)
			continue; /* came after the entries */
		d->v[d->sized].size = m.size + m.crlf_extra;
		d->v[d->sized].is_sized = true;
	}
	return wire_is_complete(&w);
}

void
pop3_drop_ready(struct pop3_drop *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (!d->v[i].is_sized)
			continue; /* expunged while we were loading */
		d->v[n++] = d->v[i];
		d->bytes += d->v[i].size;
	}
	d->n = n;
	d->left = (uint32_t)n;
}

struct pop3_message *
pop3_drop_get(struct pop3_drop *d, uint32_t number)
{
	if (number == 0 || number > d->n)
		return NULL;
	return &d->v[number - 1];
}

void
pop3_drop_delete(struct pop3_drop *d, struct pop3_message *m)
{
	ASSERT(!m->is_deleted);
	m->is_deleted = true;
	d->left--;
	d->bytes -= m->size;
}

void
pop3_drop_reset(struct pop3_drop *d)
{
	for (size_t i = 0; i < d->n; i++) {
		if (!d->v[i].is_deleted)
			continue;
		d->v[i].is_deleted = false;
		d->left++;
		d->bytes += d->v[i].size;
	}
}

bool
pop3_drop_marked(
    const struct pop3_drop *d, size_t *at, struct buf *uids, size_t max)
{
	bool has_any = false;

	for (; *at < d->n && uids->n < max; (*at)++) {
		if (!d->v[*at].is_deleted)
			continue;
		uid_set_add(uids, d->v[*at].uid, d->v[*at].uid);
		has_any = true;
	}
	return has_any;
}

void
pop3_drop_put_uidl(
    const struct pop3_drop *d, const struct pop3_message *m, struct buf *out)
{
	buf_put_u64(out, d->uidvalidity);
	buf_put_char(out, '.');
	buf_put_u64(out, m->uid);
}

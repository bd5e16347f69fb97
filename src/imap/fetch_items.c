/* SPDX-License-Identifier: ISC */
/*
 * fetch_items.c - one message of a FETCH answer: attributes and sections.
 *
 * A stored message is a prefix (its own header lines) and the shared bytes;
 * sections are ranges of both together. Bytes go from the store's reply to
 * the connection; only HEADER.FIELDS and BINARY are put together here.
 */
#include "imap/fetch.h"

#include "proto/mime/mime_cte.h"
#include "proto/mime/mime_header.h"
#include "proto/mime/mime_structure.h"

/* From here on bytes are lent to the connection and not copied. */
#define LEND_MIN KIB(64)
/*
 * A client may ask for one message in 64 ways at once, and each of them may be
 * all of it. What is copied for one response has this limit; honest clients
 * stay below it, since their sections do not overlap much.
 */
#define COPY_FACTOR 4
#define COPY_LEAST  MIB(1)

/* A message while its response is written. */
struct item {
	struct session *s;
	struct fetch *f;
	const struct msg_fetch_item *m;
	const struct ipc_entry *entry;
	struct mime_structure view;
	struct buf rebuilt; /* when the record was of no use */
	bool has_view;
	bool has_output;
	struct body_map *map; /* what body lies in, or NULL */
	bool is_partial;      /* body is only the beginning of the message */
	uint64_t copied, copy_max;
};

/* The bytes [off, off+len) of prefix and body together, as two pieces. */
static void
pieces(const struct item *it, struct mime_range r, struct str out[2])
{
	struct str prefix = it->m->prefix, body = it->m->body;
	uint64_t in_prefix =
	    r.off < prefix.n ? MIN(r.len, prefix.n - r.off) : 0;

	out[0] = str_sub(prefix, r.off, in_prefix);
	out[1] = STR_NONE;
	if (r.len > in_prefix)
		out[1] = str_sub(body, r.off > prefix.n ? r.off - prefix.n : 0,
		    r.len - in_prefix);
}

/* False: it would be too much; the section is left out. */
static bool
may_copy(struct item *it, uint64_t n)
{
	if (it->copied + n > it->copy_max) {
		it->f->is_cut = true;
		return false;
	}
	it->copied += n;
	return true;
}

/* RFC 3501 6.4.5: the partial counts from the section's first octet. */
static struct mime_range
clip(struct mime_range r, const struct imap_section *x)
{
	if (!x->has_partial)
		return r;
	if (x->partial_from >= r.len)
		return (struct mime_range){ r.off + r.len, 0 };
	r.off += x->partial_from;
	r.len = MIN(r.len - x->partial_from, x->partial_count);
	return r;
}

static bool
is_zero_free(struct str s)
{
	return s.n == 0 || !memchr(s.p, 0, s.n);
}

/* NUL cannot be in a literal; a message that has one is sent with 0x80 in
 * its place, as imap_put_string() does. BINARY sends it as it is. */
static void
put_bytes(struct buf *b, struct str s)
{
	if (is_zero_free(s)) {
		buf_put_str(b, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		buf_put_char(b, s.p[i] ? s.p[i] : (char)0x80);
}

static void
put_range(struct item *it, struct mime_range r)
{
	struct buf *b = &it->s->client.out;
	struct str part[2];
	bool is_lent;

	pieces(it, r, part);
	is_lent = it->map && part[1].n >= LEND_MIN && is_zero_free(part[1]);
	if (!is_lent && !may_copy(it, part[0].n + part[1].n)) {
		buf_put_c(b, "NIL");
		return;
	}
	imap_put_literal(b, part[0].n + part[1].n, false);
	put_bytes(b, part[0]);
	if (!is_lent) {
		put_bytes(b, part[1]);
		return;
	}
	client_flush(&it->s->client);
	conn_put_ref(
	    it->s->client.conn, part[1], body_map_unref, body_map_ref(it->map));
}

static void
put_scratch(struct item *it, const struct imap_section *x, bool is_binary)
{
	struct buf *b = &it->s->client.out;
	struct mime_range all = { 0, it->f->scratch.n };
	struct mime_range r = clip(all, x);
	struct str s = str_sub(buf_str(&it->f->scratch), r.off, r.len);
	bool has_nul = is_binary && !is_zero_free(s);

	if (!may_copy(it, s.n)) {
		buf_put_c(b, "NIL");
		return;
	}
	imap_put_literal(b, s.n, has_nul);
	if (has_nul)
		buf_put_str(b, s);
	else
		put_bytes(b, s);
}

static struct mime_section
section_of(const struct imap_section *x)
{
	struct mime_section m = { .n = (uint32_t)x->n_parts };

	_Static_assert(IMAP_MAX_SECTION_PARTS <= MIME_SECTION_DEPTH,
	    "every section that parses can be looked up");
	for (size_t i = 0; i < x->n_parts; i++)
		m.path[i] = x->parts[i];
	switch (x->kind) {
	case IMAP_SECTION_ALL:
		m.what = MIME_SECTION_PART;
		break;
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
		m.what = MIME_SECTION_HEADER;
		break;
	case IMAP_SECTION_TEXT:
		m.what = MIME_SECTION_TEXT;
		break;
	case IMAP_SECTION_MIME:
		m.what = MIME_SECTION_MIME;
		break;
	}
	return m;
}

static void
put_fields(struct item *it, const struct imap_section *x, struct mime_range r)
{
	struct mime_names names = { x->names, x->n_names };
	struct buf header = BUF_INIT(SIZE_MAX / 2);
	struct str part[2];

	if (!may_copy(it, r.len)) {
		buf_put_c(&it->s->client.out, "NIL");
		return;
	}
	pieces(it, r, part);
	buf_put_str(&header, part[0]);
	buf_put_str(&header, part[1]);
	buf_reset(&it->f->scratch, KIB(256));
	mime_header_select(buf_str(&header), names,
	    x->kind == IMAP_SECTION_FIELDS_NOT, &it->f->scratch);
	buf_done(&header);
	put_scratch(it, x, false);
}

/* RFC 3516: the transfer encoding undone. */
static void
decode_part(struct item *it, const struct imap_section *x, struct mime_range r)
{
	struct mime_section mime = section_of(x);
	struct mime_range head;
	struct mime_field field;
	struct str part[2];
	struct mime_cte_decoder d;
	enum mime_cte cte = MIME_CTE_IDENTITY;

	/* A part's own header says how it is encoded. Of a whole message
	 * nothing is decoded. */
	mime.what = MIME_SECTION_MIME;
	if (x->n_parts &&
	    mime_structure_find(&it->view, &mime, it->m->prefix.n, &head)) {
		pieces(it, head, part);
		if (mime_header_find(
			part[1], STR("Content-Transfer-Encoding"), &field))
			cte = mime_cte_of(field.value);
	}
	pieces(it, r, part);
	buf_reset(&it->f->scratch, KIB(256));
	mime_cte_init(&d, cte);
	mime_cte_feed(&d, part[0], &it->f->scratch);
	mime_cte_feed(&d, part[1], &it->f->scratch);
	mime_cte_finish(&d, &it->f->scratch);
}

static void
put_binary(struct item *it, const struct imap_section *x, struct mime_range r)
{
	if (!may_copy(it, r.len)) {
		buf_put_c(&it->s->client.out,
		    x->form == IMAP_FORM_BINARY_SIZE ? "0" : "NIL");
		return;
	}
	decode_part(it, x, r);
	if (x->form == IMAP_FORM_BINARY_SIZE)
		buf_put_u64(&it->s->client.out, it->f->scratch.n);
	else
		put_scratch(it, x, true);
}

static void
put_section(struct item *it, const struct imap_section *x)
{
	struct buf *b = &it->s->client.out;
	struct mime_section m = section_of(x);
	struct mime_range r = { 0, 0 };

	imap_put_section_name(b, x);
	buf_put_char(b, ' ');
	if (!mime_structure_find(&it->view, &m, it->m->prefix.n, &r)) {
		buf_put_c(b, x->form == IMAP_FORM_BINARY_SIZE ? "0" : "NIL");
		return;
	}
	if (x->form == IMAP_FORM_BINARY || x->form == IMAP_FORM_BINARY_SIZE)
		put_binary(it, x, r);
	else if (x->kind == IMAP_SECTION_FIELDS ||
		 x->kind == IMAP_SECTION_FIELDS_NOT)
		put_fields(it, x, r);
	else
		put_range(it, clip(r, x));
}

/* A blank before every item but the first. */
static void
put_item_name(struct item *it, size_t start, const char *name)
{
	if (it->has_output || it->s->client.out.n > start)
		buf_put_char(&it->s->client.out, ' ');
	it->has_output = true;
	buf_put_c(&it->s->client.out, name);
}

static void
put_response(struct item *it)
{
	struct buf *b = &it->s->client.out;
	unsigned a = it->f->attrs;
	size_t start;

	imap_put_fetch_open(
	    b, (uint32_t)(it->entry - it->s->view->entries) + 1);
	start = b->n;
	fetch_put_view_items(it->s, it->entry);
	if (a & IMAP_FETCH_INTERNALDATE) {
		put_item_name(it, start, "INTERNALDATE ");
		imap_put_date_time(
		    b, (struct imap_time){ (int64_t)it->m->internaldate, 0 });
	}
	if (a & IMAP_FETCH_SIZE) {
		put_item_name(it, start, "RFC822.SIZE ");
		buf_put_u64(b, it->m->size);
	}
	if (a & IMAP_FETCH_ENVELOPE) {
		put_item_name(it, start, "ENVELOPE ");
		buf_put_str(b, it->view.envelope);
	}
	if (a & IMAP_FETCH_BODYSTRUCTURE) {
		put_item_name(it, start, "BODYSTRUCTURE ");
		buf_put_str(b, it->view.bodystructure);
	}
	if (a & IMAP_FETCH_BODY) {
		put_item_name(it, start, "BODY ");
		mime_structure_put_body(&it->view, b);
	}
	for (size_t i = 0; i < it->f->c->n_sections; i++) {
		put_item_name(it, start, "");
		put_section(it, &it->f->c->sections[i]);
	}
	buf_put_c(b, ")\r\n");
}

/*
 * The structure record; when it is not usable (older version, damaged) it is
 * made anew if the whole message is here.
 */
static void
open_view(struct item *it)
{
	const struct msg_fetch_item *m = it->m;
	uint64_t shared = m->size - MIN(m->size, m->prefix.n);

	buf_init(&it->rebuilt, MIME_STRUCTURE_MAX);
	it->has_view = mime_structure_view(m->structure, shared, &it->view);
	if (it->has_view || it->is_partial || !(it->f->want & FETCH_BODY))
		return;
	it->has_view =
	    mime_structure_build(m->body, NULL, &it->rebuilt) &&
	    mime_structure_view(buf_str(&it->rebuilt), m->body.n, &it->view);
}

static void
put_item(
    struct session *s, const struct msg_fetch_item *m, struct body_map *map)
{
	struct fetch *f = s->cmd->data;
	uint32_t seq = view_seq(s->view, m->uid);
	struct item it = { .s = s,
		.f = f,
		.m = m,
		.map = map,
		.copy_max = COPY_FACTOR * m->size + COPY_LEAST };
	bool is_usable;

	if (!seq)
		return; /* expunged in the meantime */
	if (m->is_corrupt) {
		f->is_damaged = true;
		return;
	}
	it.entry = &s->view->entries[seq - 1];
	it.is_partial = f->header_only && m->prefix.n + m->body.n < m->size;
	if (f->want & FETCH_STRUCTURE)
		open_view(&it);
	is_usable = !(f->want & FETCH_STRUCTURE) ||
	            (it.has_view &&
			(!it.is_partial || it.view.header_length <= m->body.n));
	if (is_usable)
		put_response(&it);
	else if (!f->is_again)
		uid_set_add(&f->again, m->uid, m->uid);
	else
		f->is_damaged = true;
	buf_done(&it.rebuilt);
}

bool
fetch_put_items(struct session *s, struct str items)
{
	struct wire w = wire_read(items);
	struct msg_fetch_item m;

	while (msg_fetch_item_read(&w, &m)) {
		put_item(s, &m, NULL);
		if (s->client.out.n > CLIENT_OUT_CHUNK)
			client_flush(&s->client);
	}
	return wire_is_complete(&w);
}

/* No item: the message went while it was being read. */
bool
fetch_put_big(struct session *s, const struct msg_fetch_reply *r, int fd)
{
	struct fetch *f = s->cmd->data;
	struct wire w = wire_read(r->items);
	struct msg_fetch_item item;
	struct body_map *map;
	bool is_limit = false;

	if (!r->items.n)
		return true;
	if (!msg_fetch_item_read(&w, &item))
		return false;
	map = item.is_corrupt ? NULL : body_map_new(s, fd, &is_limit);
	if (!map) {
		f->is_cut |= is_limit;
		f->is_damaged |= !is_limit;
		return true;
	}
	item.body = map->bytes;
	put_item(s, &item, map);
	if (f->is_pieces)
		kept_put(s, &item, map);
	client_flush(&s->client);
	body_map_unref(map);
	return true;
}

bool
fetch_put_kept(struct session *s, uint32_t uid)
{
	struct msg_fetch_item item;
	struct body_map *map = kept_find(s, uid, &item);

	if (!map)
		return false;
	put_item(s, &item, map);
	return true;
}

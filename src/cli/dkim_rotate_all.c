/* SPDX-License-Identifier: ISC */
/* dkim_rotate_all.c - new keys for all domains whose keys are old. See dkim_rotate_all.h. */
#include "cli/dkim_rotate_all.h"

#include "cli/dkim_keys.h"
#include "cli/output/output.h"

#include <time.h>

#define KEYS_MAX    KIB(60)
#define DOMAINS_MAX MIB(256)

/* What there is of one domain; as bits: 1 << enum crypt_kind. */
struct keys_of {
	struct buf domain;
	unsigned old, followed;
};

struct finding {
	uint64_t before; /* signs since then, or longer; 0: the server says */
	struct keys_of at;
	struct buf found; /* msg_dkim_row, its domain and a kind */
};

static void
end_domain(struct finding *f)
{
	unsigned kinds = f->at.old & ~f->at.followed;

	for (uint8_t kind = 0; kinds >> kind != 0; kind++)
		if (kinds >> kind & 1)
			msg_dkim_row_put(
			    &f->found, &(struct msg_dkim_row){
					   .domain = buf_str(&f->at.domain),
					   .kind = kind });
	f->at.old = f->at.followed = 0;
}

static bool
is_old(const struct finding *f, const struct msg_dkim_row *row)
{
	if (f->before == 0)
		return row->is_old;
	return row->state == DKIM_STATE_ACTIVE && row->activated <= f->before;
}

static void
look_at(void *arg, const struct msg_dkim_row *row)
{
	struct finding *f = arg;

	if (!str_eq(row->domain, buf_str(&f->at.domain))) {
		end_domain(f);
		buf_reset(&f->at.domain, KIB(1));
		buf_put_str(&f->at.domain, row->domain);
	}
	if (is_old(f, row))
		f->at.old |= 1U << row->kind;
	if (row->state == DKIM_STATE_PENDING ||
	    (row->state == DKIM_STATE_PUBLISHED && row->changes_at > 0))
		f->at.followed |= 1U << row->kind;
}

/* NULL, or why not. */
static const char *
send_key(struct admin *a, struct str domain, struct str key, int *ret_code)
{
	struct buf body = BUF_INIT(KIB(64)), reply = BUF_INIT(KIB(4));
	struct msg_dkim_add q = { domain, key, true };
	enum outcome o = DONE;

	msg_dkim_add_put(&body, &q);
	*ret_code = admin_ask(a,
	    &(struct admin_call){ MSG_DKIM_ADD, 0, buf_str(&body), -1 }, &o,
	    &reply, NULL);
	buf_done_secret(&body);
	buf_done(&reply);
	return o == DONE       ? NULL
	       : o == TEMPFAIL ? "the server cannot do it now"
	                       : "it has too many keys, or is gone";
}

static int
rotate_one(struct admin *a, const struct msg_dkim_row *row, struct output *o,
    bool *ret_failed)
{
	struct buf selectors = BUF_INIT(KIB(8)), key = BUF_INIT(KEYS_MAX);
	int code = dkim_keys_selectors(a, row->domain, &selectors);
	size_t old_n = selectors.n;
	const char *why = "a key could not be made";
	struct str made;

	if (code == ADMIN_OK &&
	    dkim_keys_make((enum crypt_kind)row->kind, &selectors, &key))
		why = send_key(a, row->domain, buf_str(&key), &code);
	made = str_from(buf_str(&selectors), old_n);
	if (code == ADMIN_OK) {
		output_put_text(o, row->domain);
		output_put_text(
		    o, why != NULL ? STR_NONE : str_first(made, made.n - 1));
		output_put_text(o, str_c(why));
		*ret_failed |= why != NULL;
	}
	buf_done(&selectors);
	buf_done_secret(&key);
	return code;
}

static int
rotate(struct admin *a, struct str found)
{
	static const struct output_field fields[] = {
		{ "domain", "DOMAIN", OUTPUT_TEXT },
		{ "selector", "NEW KEY", OUTPUT_WORD },
		{ "error", "ERROR", OUTPUT_WORD },
	};
	struct output *o = output_new("rotated", fields, ARRAY_LEN(fields));
	bool has_failed = false;
	struct msg_dkim_row row;
	int r = ADMIN_OK;

	for (struct wire w = wire_read(found);
	     r == ADMIN_OK && msg_dkim_row_read(&w, &row);)
		r = rotate_one(a, &row, o, &has_failed);
	/* What was begun is told, whatever broke then. */
	if (r == ADMIN_OK || !output_is_empty(o))
		output_print(o, a->is_json);
	if (r == ADMIN_OK && !a->is_json && !output_is_empty(o))
		puts("publish what is new of each: mailstead dns DOMAIN");
	output_free(o);
	return r != ADMIN_OK ? r : has_failed ? ADMIN_REFUSED : ADMIN_OK;
}

int
dkim_rotate_all(struct admin *a, uint64_t age_s)
{
	uint64_t now = (uint64_t)time(NULL);
	struct finding f = { .at.domain = BUF_INIT(KIB(1)),
		.before = age_s > 0 ? now - MIN(age_s, now - 1) : 0,
		.found = BUF_INIT(DOMAINS_MAX) };
	int r = dkim_keys_each(a, STR_NONE, look_at, &f);

	end_domain(&f);
	if (r == ADMIN_OK)
		r = rotate(a, buf_str(&f.found));
	buf_done(&f.at.domain);
	buf_done(&f.found);
	return r;
}

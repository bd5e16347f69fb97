/* SPDX-License-Identifier: ISC */
/* dkim_list.c - the keys, and what DNS has of them. See dkim_list.h. */
#include "cli/dkim_list.h"

#include "cli/dkim_keys.h"
#include "cli/output/output.h"
#include "proc/dkim_found.h"
#include "proto/dkim/dkim_key.h"

static const char *const states[] = {
	[DKIM_STATE_PUBLISHED] = "published",
	[DKIM_STATE_ACTIVE] = "active",
	[DKIM_STATE_RETIRED] = "retired",
	[DKIM_STATE_PENDING] = "pending",
};

/* "rsa-2048": the number of bits is that of what is published. */
static void
put_algorithm(struct output *o, const struct msg_dkim_row *row)
{
	struct buf text = BUF_INIT(64);
	struct dkim_finding why;
	struct dkim_key key;

	if (row->kind == CRYPT_ED25519) {
		buf_put_c(&text, "ed25519");
	} else if (dkim_key_parse(row->record, &key, &why)) {
		buf_printf(
		    &text, "rsa-%u", key.key ? crypt_key_bits(key.key) : 0);
		dkim_key_done(&key);
	} else {
		buf_put_c(&text, "rsa");
	}
	output_put_text(o, buf_str(&text));
	buf_done(&text);
}

/* What signs no more may go from DNS. */
static struct str
found_of(const struct msg_dkim_row *row)
{
	return row->state == DKIM_STATE_RETIRED
	           ? STR_NONE
	           : str_c(dkim_found_str(row->found));
}

/* What is wrong with it, and what to do; NULL: nothing. */
static const char *
advice(const struct msg_dkim_row *row)
{
	bool is_next = row->state == DKIM_STATE_PENDING;
	bool signs = row->state == DKIM_STATE_ACTIVE;

	if (is_next && row->found == DKIM_FOUND_OTHER)
		return "does not sign: DNS has another record; publish that "
		       "of 'mailstead dns'";
	if (is_next && row->found == DKIM_FOUND_NONE)
		return "does not sign: not in DNS yet; publish what "
		       "'mailstead dns' prints";
	if (is_next)
		return "does not sign: DNS has not said yet whether it has "
		       "the record";
	if (signs && row->found == DKIM_FOUND_OTHER)
		return "signs in vain: DNS has another record; publish that "
		       "of 'mailstead dns'";
	if (signs && row->found == DKIM_FOUND_NONE)
		return "signs in vain: not in DNS; publish what 'mailstead "
		       "dns' prints";
	return row->is_old ? "old: rotate it" : NULL;
}

static void
put_row(void *arg, const struct msg_dkim_row *row)
{
	const char *why = advice(row);
	struct output *o = arg;

	output_put_text(o, row->domain);
	output_put_text(o, row->selector);
	put_algorithm(o, row);
	output_put_text(
	    o, str_c(row->state < ARRAY_LEN(states) ? states[row->state]
						    : "unknown"));
	output_put_text(o, found_of(row));
	output_put_number(o, row->created);
	output_put_number(o, row->activated);
	output_put_number(o, row->retired);
	output_put_number(o, row->is_old);
	output_put_number(o, row->changes_at);
	if (why != NULL)
		output_show(o, str_c(why));
	output_put_number(o, row->seen);
	output_put_number(o, row->looked);
}

int
dkim_list(struct admin *a, struct args *args)
{
	static const struct output_field fields[] = {
		{ "domain", "DOMAIN", OUTPUT_TEXT },
		{ "selector", "SELECTOR", OUTPUT_TEXT },
		{ "algorithm", "ALGORITHM", OUTPUT_TEXT },
		{ "state", "STATE", OUTPUT_TEXT },
		{ "dns", "IN DNS", OUTPUT_WORD },
		{ "created", "CREATED", OUTPUT_TIME },
		{ "activated", "ACTIVATED", OUTPUT_TIME },
		{ "retired", "RETIRED", OUTPUT_TIME },
		{ "old", NULL, OUTPUT_YES },
		{ "changes", "NEXT CHANGE", OUTPUT_TIME },
		{ "seen", NULL, OUTPUT_TIME },
		{ "looked", NULL, OUTPUT_TIME },
	};
	struct output *o;
	struct buf domain = BUF_INIT(KIB(2));
	int r = ADMIN_USAGE;

	if (args->n_words > 1)
		return admin_usage(a, NULL);
	if (args->n_words == 0 ||
	    admin_domain_name(a, args->words[0], &domain)) {
		o = output_new("keys", fields, ARRAY_LEN(fields));
		r = dkim_keys_each(a, buf_str(&domain), put_row, o);
		if (r == ADMIN_OK && domain.n > 0 && output_is_empty(o))
			r = admin_served(a, args->words[0]);
		if (r == ADMIN_OK)
			output_print(o, a->is_json);
		output_free(o);
	}
	buf_done(&domain);
	return r;
}

/* SPDX-License-Identifier: ISC */
/* queue_list.c - mailstead queue list|show: what waits. See queue_command.h. */
#include "cli/output/output.h"
#include "cli/queue/queue_command.h"
#include "cli/queue/queue_words.h"

/* People get what fits into a line. */
static const struct output_field short_fields[] = {
	{ "id", "ID", OUTPUT_TEXT },
	{ "state", "STATE", OUTPUT_TEXT },
	{ "attempts", "TRIES", OUTPUT_COUNT },
	{ "next", "NEXT", OUTPUT_TIME },
	{ "sender", "SENDER", OUTPUT_TEXT },
	{ "recipient", "RECIPIENT", OUTPUT_TEXT },
	{ "reply", "LAST REPLY", OUTPUT_TEXT },
};

static const struct output_field all_fields[] = {
	{ "id", "Message", OUTPUT_TEXT },
	{ "state", "State", OUTPUT_TEXT },
	{ "attempts", "Attempts", OUTPUT_COUNT },
	{ "next", "Next attempt", OUTPUT_TIME },
	{ "sender", "Sender", OUTPUT_TEXT },
	{ "recipient", "Recipient", OUTPUT_TEXT },
	{ "reply", "Last reply", OUTPUT_TEXT },
	{ "returning", "To be returned", OUTPUT_YES },
	{ "account", "Account", OUTPUT_COUNT },
	{ "size", "Size", OUTPUT_BYTES },
	{ "priority", "Priority", OUTPUT_COUNT },
	{ "arrived", "Arrived", OUTPUT_TIME },
	{ "tried", "Last attempt", OUTPUT_TIME },
	{ "mx", "Last host", OUTPUT_TEXT },
	{ "route", "Route", OUTPUT_TEXT },
};

static void
put_rest(struct output *o, const struct msg_queue_row *row)
{
	output_put_number(o, row->is_cancelled);
	output_put_number(o, row->account);
	output_put_number(o, row->size);
	output_put_signed(o, row->priority - DELIVER_PRIORITY_NORMAL);
	output_put_number(o, row->arrival_ms / 1000);
	output_put_number(o, row->tried_ms / 1000);
	output_put_text(o, row->mx);
	output_put_text(o, row->route);
}

static void
put_row(struct output *o, const struct msg_queue_row *row, bool is_all,
    bool is_json)
{
	output_put_text(o, row->id);
	output_put_text(o, str_c(queue_state_name(row->state)));
	output_put_number(o, row->attempts);
	output_put_number(o, row->due_ms / 1000);
	output_put_text(o, row->sender.n || is_json ? row->sender : STR("<>"));
	output_put_text(o, row->recipient);
	output_put_text(o, row->reply);
	if (is_all)
		put_rest(o, row);
}

static int
print_rows(struct admin *a, struct queue_listing *l, struct str reply,
    struct buf *after)
{
	struct msg_queue_list_reply r;
	struct msg_queue_row row;

	if (!msg_queue_list_reply_get(reply, &r))
		return admin_error(
		    a, ADMIN_TEMPFAIL, "the server's answer is not understood");
	for (struct wire w = wire_read(r.items);
	     msg_queue_row_read(&w, &row);) {
		l->n++;
		if (!l->o)
			continue;
		put_row(l->o, &row, l->is_all, a->is_json);
		if (l->is_one_by_one) {
			output_print_one(l->o, false);
			putchar('\n');
		}
	}
	if (l->o && !l->is_one_by_one)
		output_flush(l->o, a->is_json);
	queue_note_unknown(&l->hosts, r.unknown, r.unknown_domain);
	buf_reset(after, KIB(1));
	buf_put_str(after, r.after);
	return ADMIN_OK;
}

int
queue_list_filter(struct admin *a, struct queue_listing *l,
    const struct msg_queue_filter *filter)
{
	struct buf after = BUF_INIT(KIB(1)), body = BUF_INIT(KIB(16));
	struct buf reply = BUF_INIT(MIB(16)), f = BUF_INIT(KIB(8));
	int r;

	msg_queue_filter_put(&f, filter);
	do {
		buf_reset(&body, KIB(16));
		msg_queue_list_put(&body,
		    &(struct msg_queue_list){ buf_str(&f), buf_str(&after) });
		r = admin_do(
		    a, MSG_QUEUE_LIST, buf_str(&body), "queue", &reply);
		if (r == ADMIN_OK)
			r = print_rows(a, l, buf_str(&reply), &after);
	} while (r == ADMIN_OK && after.n);
	buf_done(&after);
	buf_done(&body);
	buf_done(&reply);
	buf_done(&f);
	return r;
}

int
queue_count_held(struct admin *a, uint64_t account, uint64_t *ret)
{
	struct queue_listing l = { .o = NULL };
	struct msg_queue_filter filter = { .account = account };
	int r = queue_list_filter(a, &l, &filter);

	if (r == ADMIN_OK)
		*ret = l.n;
	return r;
}

int
queue_list(struct admin *a, struct queue_words *w)
{
	struct queue_listing l = { .is_all = a->is_json };
	int r = ADMIN_OK;

	if (!queue_make_filter(a, w))
		return ADMIN_USAGE;
	r = queue_learn_hosts(a, w, &l.hosts);
	l.o = a->is_json
	          ? output_new("queue", all_fields, ARRAY_LEN(all_fields))
	          : output_new("queue", short_fields, ARRAY_LEN(short_fields));
	for (size_t i = 0; i < MAX(w->args.n_words, 1) && r == ADMIN_OK; i++) {
		w->filter.id = str_c(w->args.n_words ? w->args.words[i] : NULL);
		r = queue_list_filter(a, &l, &w->filter);
	}
	if (l.hosts.is_asked)
		output_beside(l.o, "unknown", l.hosts.n_unknown);
	if (r == ADMIN_OK)
		output_print(l.o, a->is_json);
	if (r == ADMIN_OK)
		r = queue_tell_unknown(a, &l.hosts);
	queue_hosts_done(&l.hosts);
	output_free(l.o);
	return r;
}

int
queue_show(struct admin *a, struct queue_words *w)
{
	struct queue_listing l = { .is_all = true,
		.is_one_by_one = !a->is_json };
	uint64_t found = 0;
	int r;

	if (w->args.n_words != 1)
		return admin_usage(a, NULL);
	if (!queue_make_filter(a, w))
		return ADMIN_USAGE;
	l.o = output_new("queue", all_fields, ARRAY_LEN(all_fields));
	w->filter.id = str_c(w->args.words[0]);
	r = queue_list_filter(a, &l, &w->filter);
	if (r == ADMIN_OK && l.n == 0)
		r = admin_error(a, ADMIN_REFUSED,
		    "%s is not in the queue; see 'mailstead trace'",
		    w->args.words[0]);
	else if (r == ADMIN_OK && a->is_json)
		output_print(l.o, true);
	else if (r == ADMIN_OK)
		r = queue_print_trace(a, w->filter.id, &found);
	output_free(l.o);
	return r;
}

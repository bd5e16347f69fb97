/* SPDX-License-Identifier: ISC */
/*
 * alert_late.c - an alert waited: is what it says still so? See alert.h.
 *
 * What was told last about a check is known, and when. So a message stands as long as
 * nothing was told about its check since it was made. One about several checks is
 * about those that were told in the same moment.
 */
#include "watch/alert/alert.h"

#include "watch/alert/alert_text.h"

#define SAME_MS 500 /* what is told together has one message within that time */
#define MANY    "+/"

struct late_alert {
	const struct status_message *m;
	bool is_bad, is_well, is_many;
};

/* False: it is none of these. */
static bool
is_alert(struct str key, const struct status_message *m, struct late_alert *ret)
{
	*ret = (struct late_alert){ .m = m };
	if (m->purpose != STATUS_FOR_ALERT ||
	    !str_starts(key, STR(STATUS_TOLD_MESSAGE)))
		return false;
	key = str_from(key, sizeof(STATUS_TOLD_MESSAGE) - 1);
	ret->is_bad = str_starts(key, STR(ALERT_KEY_BAD));
	ret->is_well = str_starts(key, STR(ALERT_KEY_WELL));
	if (!ret->is_bad && !ret->is_well)
		return false;
	ret->is_many =
	    str_starts(str_from(key, sizeof(ALERT_KEY_BAD) - 1), STR(MANY));
	return true;
}

static bool
stands(const struct late_alert *l, const struct watched *w)
{
	bool is_fine = w->told.told == WATCH_TOLD_FINE;
	uint64_t at = is_fine ? w->told.fine_since_ms : w->told.told_ms;

	return is_fine == l->is_well && at <= l->m->made_ms &&
	       (!l->is_many || at + SAME_MS >= l->m->made_ms);
}

/* Its receiver is told about that system. */
static bool
is_for(const struct late_alert *l, const struct watched *w)
{
	size_t n = ledger_mirror_count(w->sv->mirror, LEDGER_ALERT);
	struct status_contact c;
	struct str system;

	(void)str_split(str_c(w->key), '/', &system);
	for (size_t i = 0; i < n; i++)
		if (status_contact_decode(
			ledger_mirror_row(w->sv->mirror, LEDGER_ALERT, i).value,
			&c) &&
		    c.channel == l->m->channel && str_eq(c.to, l->m->to) &&
		    status_contact_wants(&c, system))
			return true;
	return false;
}

static size_t
count_left(
    const struct late_alert *l, const struct server *sv, struct buf *names)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->n_watched; i++) {
		const struct watched *w = sv->watched[i];

		if (!stands(l, w) || !is_for(l, w))
			continue;
		n++;
		buf_printf(names, "- %s: %s\n", w->key,
		    alert_told_name((enum watch_told)w->told.told));
	}
	return n;
}

/*
 * "Up" of what was removed meanwhile still ends something. All checks that it is about
 * are known where their threads did fit: "box/imap#3,box/pop3#1".
 */
static bool
all_are_there(struct server *sv, const struct status_message *m)
{
	struct str rest = m->thread, one;
	size_t n = 0;

	while (rest.n > 0) {
		ptrdiff_t end;

		rest = str_split(rest, ',', &one);
		end = str_rfind(one, '#');
		if (end < 0 ||
		    watched_find(sv, str_first(one, (size_t)end)) == NULL)
			return false;
		n++;
	}
	return n == m->n_more + 1;
}

bool
alert_is_over(struct server *sv, struct str key, const struct status_message *m)
{
	struct buf names = BUF_INIT(STATUS_LETTER_MAX);
	const struct watched *w;
	struct late_alert l;
	bool is_over;

	/* The rows were not taken over yet: nobody knows. */
	if (!is_alert(key, m, &l) || sv->set.checks == NULL)
		return false;
	if (l.is_many) {
		is_over = count_left(&l, sv, &names) == 0 &&
		          (l.is_bad || all_are_there(sv, m));
		buf_done(&names);
		return is_over;
	}
	w = watched_find(sv, m->about);
	return w == NULL ? l.is_bad : !stands(&l, w);
}

void
alert_put_left(struct server *sv, struct str key,
    const struct status_message *m, struct buf *to)
{
	struct buf names = BUF_INIT(KIB(8));
	struct late_alert l;
	size_t n;

	if (!is_alert(key, m, &l) || sv->set.checks == NULL || !l.is_many)
		return;
	n = count_left(&l, sv, &names);
	if (n < m->n_more + 1U && !names.failed) {
		buf_put_c(to,
		    "This mail is late. Of what it says below, this is still "
		    "so:\n");
		buf_put_str(to, n > 0 ? buf_str(&names) : STR("- nothing\n"));
		buf_put_char(to, '\n');
	}
	buf_done(&names);
}

bool
alert_is_of_same(const struct status_message *a, const struct status_message *b)
{
	struct str rest = a->thread, one;

	if (a->purpose != STATUS_FOR_ALERT || b->purpose != STATUS_FOR_ALERT ||
	    a->channel != b->channel || !str_eq(a->to, b->to))
		return false;
	while (rest.n > 0) {
		struct str others = b->thread, other;

		rest = str_split(rest, ',', &one);
		while (others.n > 0) {
			others = str_split(others, ',', &other);
			if (str_eq(one, other))
				return true;
		}
	}
	return false;
}

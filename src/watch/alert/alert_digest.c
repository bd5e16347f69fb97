/* SPDX-License-Identifier: ISC */
/* alert_digest.c - several alerts in one mail. See alert_digest.h. */
#include "watch/alert/alert_digest.h"

#include "base/hash.h"
#include "watch/alert/alert.h"

#define EXPIRY_MS   (24ULL * 3600 * 1000)
#define NAMED_MAX   4  /* in the subject */
#define SHOWN_MAX   30 /* in full */
#define LISTED_MAX  200
#define THREAD_ROOM 90 /* of one incident: a key and a number */

/* --- words ------------------------------------------------------------------------ */

static bool
is_same_system(const struct raised *a, const struct raised *b)
{
	return str_eq(a->facts.system, b->facts.system);
}

/* They stand together. */
static size_t
count_systems(struct raised *const *v, size_t n)
{
	size_t systems = 0;

	for (size_t i = 0; i < n; i++)
		systems += i == 0 || !is_same_system(v[i], v[i - 1]);
	return systems;
}

/* "imap" of "box/imap" */
static struct str
name_of(const struct raised *r)
{
	ptrdiff_t slash = str_find(r->facts.check, '/');

	return str_from(r->facts.check, (size_t)(slash + 1));
}

/* The worst of them. */
static enum watch_told
worst(struct raised *const *v, size_t n)
{
	static const unsigned weight[WATCH_TOLDS] = { [WATCH_TOLD_DEGRADED] = 1,
		[WATCH_TOLD_UNSTABLE] = 2,
		[WATCH_TOLD_DOWN] = 3 };
	enum watch_told told = WATCH_TOLD_FINE;

	for (size_t i = 0; i < n; i++)
		if (weight[v[i]->a.now] > weight[told])
			told = v[i]->a.now;
	return told;
}

static void
put_names(struct raised *const *v, size_t n, bool is_of_checks, struct buf *to)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_of_checks && i > 0 && is_same_system(v[i], v[i - 1]))
			continue;
		if (k++ >= NAMED_MAX)
			continue;
		buf_put_c(to, k > 1 ? ", " : "");
		buf_put_str(
		    to, is_of_checks ? name_of(v[i]) : v[i]->facts.system);
	}
	if (k > NAMED_MAX)
		buf_printf(to, " and %zu more", k - NAMED_MAX);
}

void
alert_digest_subject(struct raised *const *v, size_t n, struct buf *to)
{
	size_t systems = count_systems(v, n);

	buf_printf(to, "[%s] ", alert_tag(worst(v, n), v[0]->facts.is_removed));
	if (systems == 1)
		buf_printf(to, "%.*s: ", STR_ARG(v[0]->facts.system));
	else
		buf_printf(to, "%zu checks of %zu systems: ", n, systems);
	put_names(v, n, systems == 1, to);
}

static void
put_one(const struct raised *r, struct buf *to)
{
	buf_put_char(to, '\n');
	alert_first_line(&r->facts, to);
	alert_put_line(to, "Target:", r->facts.target);
	if (r->a.now != WATCH_TOLD_FINE)
		alert_put_line(to, "Found:", r->facts.found);
	if (!r->facts.is_removed)
		alert_put_line(to, "Decided:", r->facts.reason);
	alert_put_line(to, "Silenced:", r->facts.silenced);
}

static void
put_rest(struct raised *const *v, size_t n, struct buf *to)
{
	if (n == 0)
		return;
	buf_put_c(to, "\nAnd these:\n");
	for (size_t i = 0; i < MIN(n, LISTED_MAX); i++)
		buf_printf(to, "- %.*s: %s\n", STR_ARG(v[i]->facts.check),
		    v[i]->facts.is_removed ? "removed"
					   : alert_told_name(v[i]->a.now));
	if (n > LISTED_MAX)
		buf_printf(to, "- and %zu more\n", n - LISTED_MAX);
}

void
alert_digest_body(struct raised *const *v, size_t n, struct buf *to)
{
	size_t systems = count_systems(v, n), shown = MIN(n, SHOWN_MAX);
	bool is_well = worst(v, n) == WATCH_TOLD_FINE;

	buf_printf(to, "%zu check%s of %zu system%s %s.\n", n, str_s(n),
	    systems, str_s(systems),
	    v[0]->facts.is_removed ? "are not watched any more"
	    : is_well              ? "are up again, since about the same time"
				   : "failed at about the same time");
	for (size_t i = 0; i < shown; i++)
		put_one(v[i], to);
	put_rest(v + shown, n - shown, to);
	if (!is_well)
		buf_put_c(to,
		    "\nNext:\n"
		    "- What do they have in common: a machine, a network, a "
		    "name server, a certificate?\n"
		    "- mailstead watch status\n"
		    "  shows how things are; mailstead check run CHECK probes "
		    "one and shows the dialogue.\n"
		    "- Your customers ask whether it is them or you: tell "
		    "them on the status page.\n");
	if (v[0]->facts.site.n > 0)
		buf_printf(
		    to, "\nStatus page: %.*s\n", STR_ARG(v[0]->facts.site));
}

/* --- the message ------------------------------------------------------------------- */

/* Those that fit: a mail that is about one of them alone has that in common. */
static void
put_threads(struct raised *const *v, size_t n, struct buf *to)
{
	for (size_t i = 0; i < n && to->n + THREAD_ROOM < STATUS_TEXT_MAX; i++)
		buf_printf(to, "%s%s#%u", i > 0 ? "," : "", v[i]->w->key,
		    v[i]->facts.incident);
}

/* The same alerts, the same key; others, another one: so nothing is left out when not all
 * of it was in the ledger before we died. */
static void
put_what(struct raised *const *v, size_t n, struct buf *to)
{
	struct buf all = BUF_INIT(n * (STATUS_TEXT_MAX + 16));

	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s/%u ", v[i]->w->key, v[i]->w->told.serial);
	buf_printf(to, "%s+/%016llx", alert_key_prefix(&v[0]->facts),
	    (unsigned long long)hash64(buf_str(&all).p, all.n));
	buf_done(&all);
}

void
alert_digest_send(struct server *sv, const struct status_contact *c,
    struct raised *const *v, size_t n)
{
	struct buf subject = BUF_INIT(STATUS_SUBJECT_MAX);
	struct buf body = BUF_INIT(STATUS_LETTER_MAX);
	struct buf thread = BUF_INIT(STATUS_TEXT_MAX), what = BUF_INIT(KIB(1));
	struct buf about = BUF_INIT(STATUS_TEXT_MAX);
	struct status_message m = { .purpose = STATUS_FOR_ALERT,
		.expires_ms = v[0]->facts.at_ms + EXPIRY_MS };

	alert_digest_subject(v, n, &subject);
	alert_digest_body(v, n, &body);
	put_threads(v, n, &thread);
	put_what(v, n, &what);
	buf_printf(&about, "%s and %zu more", v[0]->w->key, n - 1);
	m.subject = buf_str(&subject);
	m.body = buf_str(&body);
	m.thread = buf_str(&thread);
	m.about = buf_str(&about);
	m.n_more = (uint32_t)(n - 1);
	alert_send(sv, c, buf_str(&what), &m);
	buf_done(&subject);
	buf_done(&body);
	buf_done(&thread);
	buf_done(&about);
	buf_done(&what);
}

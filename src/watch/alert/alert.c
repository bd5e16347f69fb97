/* SPDX-License-Identifier: ISC */
/* alert.c - whom to tell what, and what was told. See alert.h. */
#include "watch/alert/alert.h"

#include "base/log.h"
#include "watch/alert/alert_digest.h"
#include "watch/outbox/outbox.h"

#define EXPIRY_MS  (24ULL * 3600 * 1000)
#define ABSENCE_MS (3ULL * 24 * 3600 * 1000)
#define SHOWN_MAX  8    /* silenced checks by name */
#define GONE_MAX   1000 /* rows that go in one put */

/* --- contacts -------------------------------------------------------------------- */

/* How bad it is, in the order of enum status_least. */
static unsigned
weight(enum watch_told t)
{
	if (t == WATCH_TOLD_FINE)
		return 0;
	return t == WATCH_TOLD_DEGRADED ? 1 : 2;
}

/* Who came in between was told nothing that could end. */
static bool
is_wanted(const struct status_contact *c, const struct watched *w,
    const struct watch_alert *a)
{
	struct str system;

	(void)str_split(str_c(w->key), '/', &system);
	if (!status_contact_wants(c, system))
		return false;
	if (a->now == WATCH_TOLD_FINE && c->added_s * 1000 > w->told.told_ms)
		return false;
	return MAX(weight(a->now), weight(a->before)) >=
	       (c->least == STATUS_FROM_DOWN ? 2 : 1);
}

void
alert_send(struct server *sv, const struct status_contact *c, struct str what,
    struct status_message *m)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);

	m->channel = c->channel;
	m->to = c->to;
	m->secret = c->channel == STATUS_BY_WEBHOOK ? c->secret : STR_NONE;
	m->language = STR("en");
	m->made_ms = m->next_ms = loop_time_ms(sv->loop);
	buf_put_str(&key, what);
	buf_put_char(&key, '/');
	status_put_key(&key, c->id);
	outbox_add(sv->outbox, buf_str(&key), m);
	buf_done(&key);
}

/* --- one alert ---------------------------------------------------------------------- */

static void
put_silenced(struct server *sv, const struct watched *w, struct buf *to)
{
	size_t n = 0;

	for (size_t i = 0; i < sv->n_watched; i++) {
		const struct watch_check *c = watched_state(sv->watched[i]);

		for (size_t k = 0; k < c->n_parents; k++) {
			if (c->parents[k] != w->index ||
			    c->state.status != WATCH_DOWN)
				continue;
			if (n++ < SHOWN_MAX)
				buf_printf(to, "%s%s", to->n > 0 ? ", " : "",
				    sv->watched[i]->key);
		}
	}
	if (n > SHOWN_MAX)
		buf_printf(to, " and %zu more", n - SHOWN_MAX);
}

static void
gather(struct raised *r)
{
	const struct watched *w = r->w;
	const struct watch_alert *a = &r->a;
	struct alert_texts *t = &r->texts;
	struct server *sv = w->sv;
	struct str system, value;

	t->place = BUF_INIT(KIB(1));
	t->silenced = BUF_INIT(KIB(1));
	t->site = BUF_INIT(STATUS_URL_MAX);
	(void)str_split(str_c(w->key), '/', &system);
	if (!ledger_mirror_find(sv->mirror, LEDGER_SYSTEM, system, &value) ||
	    !status_system_decode(value, &t->system))
		t->system = (struct status_system){ .id = system,
			.role = STATUS_ROLE_OTHER };
	buf_printf(&t->place, "%.*s%s%.*s", STR_ARG(t->system.city),
	    t->system.city.n > 0 && t->system.country.n > 0 ? ", " : "",
	    STR_ARG(t->system.country));
	if (server_has_site(sv))
		server_put_site(sv, &t->site);
	if (a->now == WATCH_TOLD_DOWN)
		put_silenced(sv, w, &t->silenced);
	r->facts = (struct alert_facts){ .now = a->now,
		.before = a->before,
		.is_new = a->is_new,
		.is_removed = r->is_removed,
		.incident = a->incident,
		.check = str_c(w->key),
		.system = t->system.id,
		.role = str_c(status_role_title(t->system.role)),
		.place = buf_str(&t->place),
		.kind = w->check.target.n > 0
		            ? str_c(status_kind_name(w->check.kind))
		            : STR_NONE,
		.target = w->check.target,
		.reason = str_c(a->reason),
		.found = str_c(w->text),
		.silenced = buf_str(&t->silenced),
		.site = buf_str(&t->site),
		.cause = a->cause,
		.since_ms = server_wall_ms(sv, a->since_ms),
		.bad_ms = w->told.bad_since_ms,
		.outages = w->told.outages,
		.outage_ms = w->told.outage_since_ms,
		.at_ms = loop_time_ms(sv->loop) };
}

static void
end_gathered(struct raised *r)
{
	buf_done(&r->texts.place);
	buf_done(&r->texts.silenced);
	buf_done(&r->texts.site);
}

static void
tell_alone(const struct raised *r, const struct status_contact *c)
{
	const struct alert_facts *f = &r->facts;
	const struct watched *w = r->w;
	struct buf subject = BUF_INIT(STATUS_SUBJECT_MAX);
	struct buf body = BUF_INIT(STATUS_LETTER_MAX);
	struct buf thread = BUF_INIT(STATUS_TEXT_MAX);
	struct buf what = BUF_INIT(LEDGER_KEY_MAX);
	struct status_message m = { .purpose = STATUS_FOR_ALERT,
		.about = f->check };

	alert_subject(f, &subject);
	buf_printf(&thread, "%s#%u", w->key, f->incident);
	if (c->channel == STATUS_BY_MAIL)
		alert_body(f, &body);
	else
		alert_json(f, buf_c(&thread), &body);
	m.subject = buf_str(&subject);
	m.body = buf_str(&body);
	m.thread = buf_str(&thread);
	m.expires_ms = f->at_ms + EXPIRY_MS;
	buf_printf(
	    &what, "%s%s/%u", alert_key_prefix(f), w->key, w->told.serial);
	alert_send(w->sv, c, buf_str(&what), &m);
	buf_done(&subject);
	buf_done(&body);
	buf_done(&thread);
	buf_done(&what);
}

/* From when on the incident's time is counted, and what was told. */
static void
note_told(struct watched *w, const struct watch_alert *a)
{
	const struct watch_check *c = watched_state(w);
	uint64_t now = loop_time_ms(w->sv->loop);

	w->told.serial = status_told_next(&w->told, now);
	if (a->is_new)
		w->told.bad_since_ms = server_wall_ms(w->sv, a->since_ms);
	if (a->before == WATCH_TOLD_FINE) {
		w->told.outages = a->is_new ? 1 : w->told.outages + 1;
		w->told.outage_since_ms = server_wall_ms(w->sv, a->since_ms);
	}
	w->told.told = (uint8_t)a->now;
	w->told.incident = a->incident;
	if (a->now == WATCH_TOLD_FINE)
		w->told.fine_since_ms = now;
	else
		w->told.told_ms = now;
	ASSERT(c->told == a->now);
	w->is_told_new = true;
}

/* A mail about all that this contact wants to hear; of webhooks one for each. */
static void
tell_contact(struct server *sv, const struct status_contact *c,
    struct raised *v, size_t n)
{
	struct raised **wanted = x_calloc(n, sizeof(struct raised *));
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (is_wanted(c, v[i].w, &v[i].a)) {
			v[i].n_contacts++;
			wanted[k++] = &v[i];
		}
	if (k > 1 && c->channel == STATUS_BY_MAIL)
		alert_digest_send(sv, c, wanted, k);
	else
		for (size_t i = 0; i < k; i++)
			tell_alone(wanted[i], c);
	free(wanted);
}

/* All contacts, what was noted as told. */
static void
tell_all(struct server *sv, struct raised *v, size_t n)
{
	size_t n_contacts = ledger_mirror_count(sv->mirror, LEDGER_ALERT);
	struct status_contact c;

	for (size_t i = 0; i < n; i++)
		gather(&v[i]);
	for (size_t i = 0; i < n_contacts; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_ALERT, i);

		if (status_contact_decode(row.value, &c))
			tell_contact(sv, &c, v, n);
		else
			log_event(EV_WATCH_BAD_ROW, LS("contact", row.key));
	}
	for (size_t i = 0; i < n; i++) {
		log_event(EV_WATCH_ALERT, LC("check", v[i].w->key),
		    LC("state", v[i].is_removed ? "removed"
						: alert_told_name(v[i].a.now)),
		    LU("incident", v[i].a.incident),
		    LU("contacts", v[i].n_contacts));
		end_gathered(&v[i]);
	}
}

/* --- what was told, in the ledger ------------------------------------------------------ */

static void
put_told(struct server *sv, struct watched *w, struct buf *rows)
{
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), value = BUF_INIT(KIB(1));
	struct msg_ledger_row row;

	buf_printf(&key, STATUS_TOLD_CHECK "%s", w->key);
	status_told_encode(&w->told, &value);
	row = (struct msg_ledger_row){ .key = buf_str(&key),
		.value = buf_str(&value) };
	msg_ledger_row_put(rows, &row);
	ledger_mirror_note(sv->mirror, LEDGER_TOLD, &row);
	buf_done(&key);
	buf_done(&value);
}

/* Of checks that are removed; a new one of that name may be there already. */
static bool
put_gone(struct server *sv, struct buf *rows)
{
	struct told_gone *g = &sv->told_gone;

	g->n_saving = MIN(g->n, GONE_MAX);
	for (size_t i = 0; i < g->n_saving; i++)
		msg_ledger_row_put(
		    rows, &(struct msg_ledger_row){
			      .key = str_c(g->keys[i]), .is_gone = 1 });
	return g->n_saving > 0;
}

static void
gone_saved(struct told_gone *g, bool ok)
{
	size_t n = ok ? g->n_saving : 0;

	for (size_t i = 0; i < n; i++)
		free(g->keys[i]);
	if (n > 0)
		memmove(g->keys, g->keys + n, (g->n - n) * sizeof(*g->keys));
	g->n -= n;
	g->n_saving = 0;
}

bool
alert_put_rows(struct server *sv, struct buf *rows)
{
	bool is_any = put_gone(sv, rows);

	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		if (!w->is_told_new)
			continue;
		w->is_told_new = false;
		w->is_told_saving = true;
		put_told(sv, w, rows);
		is_any = true;
	}
	return is_any;
}

void
alert_saved(struct server *sv, bool ok)
{
	gone_saved(&sv->told_gone, ok);
	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		w->is_told_new |= w->is_told_saving && !ok;
		w->is_told_saving = false;
	}
}

/* --- removed ----------------------------------------------------------------------------- */

static void
forget(struct server *sv, const struct watched *w)
{
	struct told_gone *g = &sv->told_gone;
	struct buf key = BUF_INIT(LEDGER_KEY_MAX);

	buf_printf(&key, STATUS_TOLD_CHECK "%s", w->key);
	ledger_mirror_note(sv->mirror, LEDGER_TOLD,
	    &(struct msg_ledger_row){ .key = buf_str(&key), .is_gone = 1 });
	g->keys = x_grow(g->keys, &g->cap, g->n + 1, sizeof(*g->keys));
	g->keys[g->n++] = x_strdup(buf_c(&key));
	buf_done(&key);
}

void
alert_removed(struct server *sv, struct watched *const *v, size_t n)
{
	struct raised *bad = x_calloc(n, sizeof(*bad));
	size_t n_bad = 0;

	for (size_t i = 0; i < n; i++) {
		struct watched *w = v[i];
		struct raised *r = &bad[n_bad];

		forget(sv, w);
		if (w->told.told == WATCH_TOLD_FINE)
			continue;
		n_bad++;
		w->told.serial++;
		r->w = w;
		r->is_removed = true;
		r->a = (struct watch_alert){ .now = WATCH_TOLD_FINE,
			.before = (enum watch_told)w->told.told,
			.incident = w->told.incident,
			.since_ms = server_now_ms() };
	}
	tell_all(sv, bad, n_bad);
	free(bad);
}

/* As much of it as its row TOLD knows; NULL: it is there. */
static struct watched *
old_check(struct server *sv, struct ledger_mirror_row row)
{
	struct str key = str_from(row.key, sizeof(STATUS_TOLD_CHECK) - 1);
	struct watched *w;
	struct str value;

	if (ledger_mirror_find(sv->mirror, LEDGER_CHECK, key, &value))
		return NULL;
	w = X_NEW(struct watched);
	w->sv = sv;
	w->key = str_dup(key);
	if (!status_told_decode(row.value, &w->told) ||
	    w->told.told >= WATCH_TOLDS)
		w->told = (struct status_told){ 0 };
	return w;
}

void
alert_sweep(struct server *sv)
{
	size_t rows = ledger_mirror_count(sv->mirror, LEDGER_TOLD), n = 0;
	struct watched **v = x_calloc(rows, sizeof(struct watched *));

	for (size_t i = 0; i < rows; i++) {
		v[n] = old_check(
		    sv, ledger_mirror_row(sv->mirror, LEDGER_TOLD, i));
		n += v[n] != NULL;
	}
	alert_removed(sv, v, n);
	for (size_t i = 0; i < n; i++) {
		free(v[i]->key);
		free(v[i]);
	}
	free(v);
}

/* --- time ------------------------------------------------------------------------------ */

/* All of one kind that are to be told. */
static void
raise_alerts(struct server *sv, enum watch_gather_kind kind, uint64_t now)
{
	struct raised *v = x_calloc(sv->n_watched, sizeof(struct raised));
	enum watch_told told;
	size_t n = 0;

	for (size_t i = 0; i < sv->n_watched; i++) {
		struct watched *w = sv->watched[i];

		if (watch_set_has_alert(&sv->set, w->index, now, &told) &&
		    watch_gather_kind_of(told) == kind &&
		    watch_set_alert(&sv->set, w->index, now, &v[n].a)) {
			v[n].w = w;
			note_told(w, &v[n++].a);
		}
	}
	tell_all(sv, v, n);
	free(v);
}

void
alert_tick(struct server *sv)
{
	bool is_time[WATCH_GATHER_KINDS];
	uint64_t now = server_now_ms();

	watch_gather_step(&sv->gather, &sv->set, now, is_time);
	for (unsigned k = 0; k < WATCH_GATHER_KINDS; k++)
		if (is_time[k])
			raise_alerts(sv, (enum watch_gather_kind)k, now);
}

/* --- nothing was seen ------------------------------------------------------------------- */

static void
put_absence(const struct status_contact *c, uint64_t from_ms, uint64_t to_ms,
    const char *why, struct buf *to)
{
	if (c->channel == STATUS_BY_MAIL) {
		buf_put_c(to, "From ");
		alert_time(to, from_ms, false);
		buf_put_c(to, " to ");
		alert_time(to, to_ms, false);
		buf_printf(to,
		    " nothing could be watched:\n%s.\n\n"
		    "What was down in that time is not known: the history has "
		    "a gap there. What is\ndown now is told as usual.\n",
		    why);
		return;
	}
	buf_put_c(to, "{\"type\":\"absence\",\"text\":\"Nothing was watched "
		      "for a while\",\"from\":\"");
	alert_time(to, from_ms, true);
	buf_put_c(to, "\",\"to\":\"");
	alert_time(to, to_ms, true);
	buf_printf(to, "\",\"why\":\"%s\"}", why);
}

void
alert_absence(
    struct server *sv, uint64_t from_ms, uint64_t to_ms, const char *why)
{
	size_t n = ledger_mirror_count(sv->mirror, LEDGER_ALERT);
	struct buf what = BUF_INIT(KIB(1)), subject = BUF_INIT(KIB(1));
	struct status_contact c;

	buf_printf(&what, "u/%llu", (unsigned long long)(from_ms / 1000));
	buf_put_c(&subject, "[UNKNOWN] Nothing was watched for ");
	alert_duration(&subject, to_ms - from_ms);
	for (size_t i = 0; i < n; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_ALERT, i);
		struct buf body = BUF_INIT(KIB(2));
		struct status_message m = { .purpose = STATUS_FOR_ALERT,
			.subject = buf_str(&subject),
			.about = STR("the watcher"),
			.expires_ms = to_ms + ABSENCE_MS };

		if (status_contact_decode(row.value, &c)) {
			put_absence(&c, from_ms, to_ms, why, &body);
			m.body = buf_str(&body);
			alert_send(sv, &c, buf_str(&what), &m);
		}
		buf_done(&body);
	}
	buf_done(&what);
	buf_done(&subject);
}

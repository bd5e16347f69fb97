/* SPDX-License-Identifier: ISC */
/* statuspage.c - JSON in another one's words. See statuspage.h. */
#include "proto/feed/statuspage.h"

#include "base/jsondoc.h"
#include "proto/feed/feed_text.h"

#include <inttypes.h>

static const char *const states[STATUSPAGE_STATES] = {
	[STATUSPAGE_OPERATIONAL] = "operational",
	[STATUSPAGE_MAINTENANCE] = "under_maintenance",
	[STATUSPAGE_DEGRADED] = "degraded_performance",
	[STATUSPAGE_PARTIAL] = "partial_outage",
	[STATUSPAGE_MAJOR] = "major_outage",
};

/* Of the whole page, and an incident's impact. */
static const struct {
	const char *indicator, *impact, *description;
} totals[STATUSPAGE_STATES] = {
	[STATUSPAGE_OPERATIONAL] = { "none", "none",
	    "All Systems Operational" },
	[STATUSPAGE_MAINTENANCE] = { "maintenance", "maintenance",
	    "Service Under Maintenance" },
	[STATUSPAGE_DEGRADED] = { "minor", "minor",
	    "Partially Degraded Service" },
	[STATUSPAGE_PARTIAL] = { "major", "major", "Partial System Outage" },
	[STATUSPAGE_MAJOR] = { "critical", "critical", "Major System Outage" },
};

const char *
statuspage_state_name(enum statuspage_state s)
{
	ASSERT((unsigned)s < STATUSPAGE_STATES);
	return states[s];
}

/* --- members: "name":value with a comma in front of all but the first ---------- */

static void
put_name(struct buf *to, const char *name)
{
	bool is_first = to->n > 0 && to->p[to->n - 1] == '{';

	buf_printf(to, "%s\"%s\":", is_first ? "" : ",", name);
}

static void
put_text(struct buf *to, const char *name, struct str value)
{
	put_name(to, name);
	jsondoc_put_text(to, value);
}

static void
put_bare(struct buf *to, const char *name, const char *value)
{
	put_name(to, name);
	buf_put_c(to, value);
}

/* With milliseconds, as the original has them; 0 is null. */
static void
put_time(struct buf *to, const char *name, uint64_t s)
{
	struct buf text = BUF_INIT(40);

	put_name(to, name);
	if (s == 0) {
		buf_put_c(to, "null");
		return;
	}
	feed_put_time(&text, s);
	buf_put_char(to, '"');
	buf_put_str(to, str_first(buf_str(&text), text.n - 1));
	buf_put_c(to, ".000Z\"");
	buf_done(&text);
}

/* "post-7", "post-7-2": ids are texts over there. */
static void
put_number(struct buf *to, const char *name, uint32_t post, int update)
{
	put_name(to, name);
	buf_printf(to, "\"post-%" PRIu32, post);
	if (update >= 0)
		buf_printf(to, "-%d", update);
	buf_put_char(to, '"');
}

/* --- documents -------------------------------------------------------------------- */

void
statuspage_begin(struct buf *to, const struct statuspage_page *p)
{
	buf_put_char(to, '{');
	put_bare(to, "page", "{");
	put_text(to, "id", p->id);
	put_text(to, "name", p->name);
	put_text(to, "url", p->url);
	put_text(to, "time_zone", STR("Etc/UTC"));
	put_time(to, "updated_at", p->updated_s);
	buf_put_char(to, '}');
}

void
statuspage_put_status(
    struct buf *to, enum statuspage_state worst, struct str description)
{
	ASSERT((unsigned)worst < STATUSPAGE_STATES);
	put_bare(to, "status", "{");
	put_text(to, "indicator", str_c(totals[worst].indicator));
	put_text(to, "description",
	    description.n > 0 ? description : str_c(totals[worst].description));
	buf_put_char(to, '}');
}

static void
put_component(struct buf *to, const struct statuspage_page *p,
    const struct statuspage_component *c)
{
	char position[12];

	buf_put_char(to, '{');
	put_text(to, "id", c->id);
	put_text(to, "name", c->name);
	put_text(to, "status", str_c(statuspage_state_name(c->state)));
	put_time(to, "created_at", c->created_s);
	put_time(to, "updated_at", c->updated_s);
	snprintf(position, sizeof(position), "%" PRIu32, c->position);
	put_bare(to, "position", position);
	if (c->description.n > 0)
		put_text(to, "description", c->description);
	else
		put_bare(to, "description", "null");
	put_bare(to, "showcase", "false");
	put_bare(to, "start_date", "null");
	put_bare(to, "group_id", "null");
	put_text(to, "page_id", p->id);
	put_bare(to, "group", "false");
	put_bare(to, "only_show_if_degraded", "false");
	buf_put_char(to, '}');
}

void
statuspage_put_components(struct buf *to, const struct statuspage_page *p,
    const struct statuspage_component *v, size_t n)
{
	put_bare(to, "components", "[");
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_put_char(to, ',');
		put_component(to, p, &v[i]);
	}
	buf_put_char(to, ']');
}

static void
put_changes(struct buf *to, const struct statuspage_update *u)
{
	if (u->n_changes == 0) {
		put_bare(to, "affected_components", "null");
		return;
	}
	put_bare(to, "affected_components", "[");
	for (size_t i = 0; i < u->n_changes; i++) {
		const struct statuspage_change *c = &u->changes[i];

		buf_put_c(to, i > 0 ? ",{" : "{");
		put_text(to, "code", c->id);
		put_text(to, "name", c->name);
		put_text(
		    to, "old_status", str_c(statuspage_state_name(c->before)));
		put_text(
		    to, "new_status", str_c(statuspage_state_name(c->after)));
		buf_put_char(to, '}');
	}
	buf_put_char(to, ']');
}

static void
put_update(struct buf *to, const struct statuspage_incident *i,
    const struct statuspage_update *u)
{
	buf_put_char(to, '{');
	put_number(to, "id", i->number, (int)u->number);
	put_text(to, "status", u->status);
	put_text(to, "body", u->body);
	put_number(to, "incident_id", i->number, -1);
	put_time(to, "created_at", u->created_s);
	put_time(to, "updated_at", u->updated_s);
	put_time(to, "display_at", u->created_s);
	put_changes(to, u);
	put_bare(to, "deliver_notifications", "false");
	put_bare(to, "custom_tweet", "null");
	put_bare(to, "tweet_id", "null");
	buf_put_char(to, '}');
}

void
statuspage_list_begin(struct statuspage_list *l, struct buf *to,
    const struct statuspage_page *p, const char *name)
{
	*l = (struct statuspage_list){ .to = to, .page = p };
	put_bare(to, name, "[");
}

static void
put_times(struct buf *to, const struct statuspage_incident *i)
{
	put_time(to, "created_at", i->created_s);
	put_time(to, "updated_at", i->updated_s);
	put_time(to, "monitoring_at", i->monitoring_s);
	put_time(to, "resolved_at", i->resolved_s);
	put_time(
	    to, "started_at", i->is_maintenance ? i->from_s : i->created_s);
	if (i->is_maintenance) {
		put_time(to, "scheduled_for", i->from_s);
		put_time(to, "scheduled_until", i->to_s);
	}
}

void
statuspage_list_put(
    struct statuspage_list *l, const struct statuspage_incident *i)
{
	struct buf *to = l->to;
	enum statuspage_state impact =
	    i->is_maintenance ? STATUSPAGE_MAINTENANCE : i->worst;

	ASSERT((unsigned)impact < STATUSPAGE_STATES);
	buf_put_c(to, l->n++ > 0 ? ",{" : "{");
	put_number(to, "id", i->number, -1);
	put_text(to, "name", i->name);
	put_text(to, "status", i->status);
	put_times(to, i);
	put_text(to, "impact", str_c(totals[impact].impact));
	put_text(to, "shortlink", i->url);
	put_text(to, "page_id", l->page->id);
	put_bare(to, "incident_updates", "[");
	for (size_t u = 0; u < i->n_updates; u++) {
		if (u > 0)
			buf_put_char(to, ',');
		put_update(to, i, &i->updates[u]);
	}
	buf_put_char(to, ']');
	statuspage_put_components(to, l->page, i->components, i->n_components);
	put_bare(to, "reminder_intervals", "null");
	buf_put_char(to, '}');
}

void
statuspage_list_end(struct statuspage_list *l)
{
	buf_put_char(l->to, ']');
}

void
statuspage_end(struct buf *to)
{
	buf_put_c(to, "}\n");
}

/* SPDX-License-Identifier: ISC */
/*
 * demo_posts.c - what the demo's status site tells: an incident that is over, and
 * its post-mortem, planned work, a notice; and the archive of another
 * status page, if there is a file with its text.
 */
#include "cli/post/cmd_post.h"
#include "cli/demo/demo.h"

#include <time.h>

#define HOUR 3600U
#define DAY  86400U

/* Nobody is told: the demo has no subscribers, and shall write to none. */
static int
add(struct admin *a, struct status_post *p, const char *affects,
    const char *tags, uint32_t *ret_number)
{
	struct buf slug = BUF_INIT(KIB(1));
	struct status_fault f;
	int r = ADMIN_OK;

	p->author = STR("Operations");
	p->is_quiet = true;
	if (!status_affects_set(
		&p->affects, str_c(affects), STATUS_IMPACT_NONE, &f) ||
	    !status_post_set_tags(p, str_c(tags), &f))
		r = post_row_fault(a, &f);
	if (r == ADMIN_OK)
		r = post_row_add(a, p, &slug, ret_number);
	buf_done(&slug);
	return r;
}

static int
update(struct admin *a, uint32_t number, enum status_state state,
    const char *affects, const char *body, uint64_t at_s)
{
	struct status_update u;
	struct status_fault f;
	struct post_row row;
	struct status_post p;
	int r = post_row_get(a, number, &row);

	if (r == ADMIN_OK) {
		p = row.p;
		u = status_update_begin(&p, at_s);
		u.state = state;
		u.body = str_c(body);
		u.is_quiet = true;
		if (!status_affects_set(
			&u.affects, str_c(affects), STATUS_IMPACT_NONE, &f) ||
		    !status_post_apply(&p, &u, &f))
			r = post_row_fault(a, &f);
		else
			r = post_row_change(a, &row, &p, &u, "post.update");
	}
	post_row_done(&row);
	return r;
}

static int
add_incident(struct admin *a, uint64_t now)
{
	uint64_t at = now - 9 * DAY;
	struct status_post p = status_post_begin(STATUS_INCIDENT, at);
	uint32_t number;
	int r;

	p.title = STR("NC036: mail over one mobile network comes late");
	p.body = STR("Customers of one mobile network tell us that they cannot "
		     "always connect. All our checks are green, from "
		     "everywhere else mail is read and sent as ever, and **no "
		     "mail is lost**: it waits in your mailbox.");
	r = add(a, &p, "NC036=degraded", "mail server,network", &number);
	if (r == ADMIN_OK)
		r = update(a, number, STATUS_IDENTIFIED, "NC036=degraded",
		    "Connections to ports 993 and 587 are cut after the "
		    "first packet, inside that network. We have written to "
		    "them, with the evidence.",
		    at + 2 * HOUR);
	if (r == ADMIN_OK)
		r = update(a, number, STATUS_RESOLVED, "NC036=none",
		    "The network has found a filter that was set by mistake, "
		    "and taken it away.",
		    at + 6 * HOUR);
	if (r != ADMIN_OK)
		return r;
	p = status_post_begin(STATUS_POSTMORTEM, at + 2 * DAY);
	p.title = STR("What happened on the mobile network");
	p.incident = number;
	p.body = STR("For six hours a filter of that network took encrypted "
		     "mail for something else.\n\n"
		     "- *What was affected:* reading and sending there, at "
		     "times.\n"
		     "- *What we change:* our monitor compares networks with "
		     "what is usual for the hour, and tells us before you "
		     "have to.");
	return add(a, &p, "NC036=none", "network", &number);
}

static int
add_planned(struct admin *a, uint64_t now)
{
	struct status_post p = status_post_begin(STATUS_PLANNED, now - DAY);
	uint32_t number;

	p.title = STR("NC041: new disks");
	/* The next full hour of a night to come. */
	p.from_s = (now / DAY + 4) * DAY + HOUR;
	p.to_s = p.from_s + 2 * HOUR;
	p.body = STR("Web sites on NC041 are away for some minutes while "
		     "they move. Mail is not affected.");
	return add(a, &p, "NC041=maintenance", "web server,hardware", &number);
}

static int
add_notice(struct admin *a, uint64_t now)
{
	struct status_post p = status_post_begin(STATUS_NOTICE, now - 2 * DAY);
	uint32_t number;

	p.title = STR("This page has moved to a server of its own");
	p.body = STR("It stands in another data centre than the mail server, "
		     "so that it can be read when that cannot.");
	return add(a, &p, "NC042=none", "status", &number);
}

int
demo_make_posts(struct admin *a, const struct demo *d)
{
	uint64_t now = (uint64_t)time(NULL);
	int r = d->archive == NULL ? ADMIN_OK : post_import_file(a, d->archive);

	if (r == ADMIN_OK)
		r = add_incident(a, now);
	if (r == ADMIN_OK)
		r = add_planned(a, now);
	if (r == ADMIN_OK)
		r = add_notice(a, now);
	return r;
}

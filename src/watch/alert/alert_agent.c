/* SPDX-License-Identifier: ISC */
/* alert_agent.c - people are told that a vantage point fell silent. See alert.h. */
#include "watch/alert/alert.h"

#include "watch/alert/alert_text.h"

#define EXPIRY_MS (24ULL * 3600 * 1000)

static void
put_mail(const struct alert_place *p, struct buf *to)
{
	buf_printf(to, "The vantage point %.*s (network %.*s) ", STR_ARG(p->id),
	    STR_ARG(p->network));
	if (!p->is_silent) {
		buf_put_c(to, "is heard again.\n");
		return;
	}
	if (p->since_ms == 0) {
		buf_put_c(to, "was never heard");
	} else {
		buf_put_c(to, "is not heard since ");
		alert_time(to, p->since_ms, false);
	}
	buf_put_c(to,
	    ".\n\nWhat it saw becomes unknown. Where it was the only one in "
	    "another network, an\noutage that is seen from here alone is "
	    "unknown, not down, until it is heard or\nremoved "
	    "(mailstead watch agent list).\n");
}

static void
put_webhook(const struct alert_place *p, struct buf *to)
{
	buf_printf(to,
	    "{\"type\":\"agent\",\"state\":\"%s\",\"agent\":\"%.*s\","
	    "\"text\":\"The vantage point %.*s %s\",\"since\":",
	    p->is_silent ? "silent" : "heard", STR_ARG(p->id), STR_ARG(p->id),
	    p->is_silent ? "is not heard" : "is heard again");
	if (p->since_ms == 0) {
		buf_put_c(to, "null}");
		return;
	}
	buf_put_char(to, '"');
	alert_time(to, p->since_ms, true);
	buf_put_c(to, "\"}");
}

void
alert_agent(struct server *sv, const struct alert_place *p)
{
	size_t n = ledger_mirror_count(sv->mirror, LEDGER_ALERT);
	struct buf what = BUF_INIT(KIB(1)), subject = BUF_INIT(KIB(1)),
		   thread = BUF_INIT(KIB(1));
	struct status_contact c;

	buf_printf(&what, "g/%.*s/%llu%s", STR_ARG(p->id),
	    (unsigned long long)p->mark_s, p->is_silent ? "" : "+");
	buf_printf(&thread, "agent/%.*s", STR_ARG(p->id));
	buf_printf(&subject, "[%s] The vantage point %.*s is %s",
	    p->is_silent ? "SILENT" : "HEARD", STR_ARG(p->id),
	    p->is_silent ? "not heard" : "heard again");
	for (size_t i = 0; i < n; i++) {
		struct ledger_mirror_row row =
		    ledger_mirror_row(sv->mirror, LEDGER_ALERT, i);
		struct buf body = BUF_INIT(KIB(2));
		struct status_message m = { .purpose = STATUS_FOR_ALERT,
			.subject = buf_str(&subject),
			.about = p->id,
			.thread = buf_str(&thread),
			.expires_ms = loop_time_ms(sv->loop) + EXPIRY_MS };

		if (status_contact_decode(row.value, &c)) {
			if (c.channel == STATUS_BY_MAIL)
				put_mail(p, &body);
			else
				put_webhook(p, &body);
			m.body = buf_str(&body);
			alert_send(sv, &c, buf_str(&what), &m);
		}
		buf_done(&body);
	}
	buf_done(&what);
	buf_done(&subject);
	buf_done(&thread);
}

/* SPDX-License-Identifier: ISC */
/*
 * page_hosted.c - what others look for under names of the domains that are hosted
 * here: the MTA-STS policy (RFC 8461 section 3.3) and the settings of mail programs.
 *
 * What they say is conf_public.h's business; here is whom it is said to. The store
 * knows the domains. A name that is none of ours has no such page, like any other
 * path. When nobody can tell, it is 503 and nothing that may be kept: "not now" is
 * not "there is none".
 */
#include "base/hostname.h"
#include "conf/conf_public.h"
#include "net/idn.h"
#include "proto/autoconfig/autoconfig.h"
#include "proto/http/http_text.h"
#include "proto/mtasts/mtasts.h"
#include "web/page/pages.h"
#include "web/page/parts.h"

/* Senders of mail wait for a policy; ours for ten seconds. */
#define PATIENCE_MS  5000
#define AUTOCONFIG_S 3600
#define ADDRESS_MAX  KIB(1)

typedef void (*hosted_fn)(struct visit *v, const char *domain);

/* A visit that waits until it is known whether the domain is one of ours. */
struct hosted {
	struct visit *visit; /* NULL: gone, or told */
	struct loop_timer *limit;
	hosted_fn answer;
	char domain[IDN_NAME_MAX + 1]; /* in ASCII */
};

/* --- whose is it? ---------------------------------------------------------------- */

static void
reply_later(struct visit *v)
{
	visit_reply(v, &(struct visit_reply){ .status = 503,
			   .type = "text/plain; charset=utf-8",
			   .body = STR("This cannot be looked up now; try "
				       "again in a moment.\n"),
			   .fields = STR("Retry-After: 10\r\n"),
			   .is_private = true });
}

static void
on_gone(void *arg)
{
	struct hosted *h = arg;

	h->visit = NULL;
	loop_timer_clear(h->limit);
}

static void
on_late(void *arg)
{
	struct hosted *h = arg;
	struct visit *v = TAKE_PTR(h->visit);

	reply_later(v);
}

static void
on_reply(void *arg, struct ipc_msg *m)
{
	struct hosted *h = arg;

	loop_timer_free(h->limit);
	if (h->visit != NULL) {
		switch (m->outcome) {
		case DONE:
			h->answer(h->visit, h->domain);
			break;
		case NOT_FOUND:
			page_error(h->visit, 404);
			break;
		case TEMPFAIL:
		case PERMFAIL:
			reply_later(h->visit);
			break;
		}
	}
	free(h);
}

static void
ask_store(struct visit *v, struct str name, const char *ascii, hosted_fn answer)
{
	struct server *sv = visit_server(v);
	struct buf body = BUF_INIT(KIB(1));
	struct hosted *h = X_NEW(struct hosted);

	h->visit = v;
	h->answer = answer;
	snprintf(h->domain, sizeof(h->domain), "%s", ascii);
	h->limit = loop_timer_new(sv->loop, on_late, h);
	loop_timer_set(h->limit, PATIENCE_MS);
	visit_wait(v, on_gone, h);
	msg_name_put(&body, &(struct msg_name){ .name = name });
	runtime_request(sv->rt,
	    &(struct ipc_peer_request){ .to = ROLE_STORE,
		.type = MSG_DOMAIN_CHECK,
		.body = buf_str(&body),
		.fd = -1 },
	    on_reply, h);
	buf_done(&body);
}

/* answer() runs when it is a domain of ours, in any spelling; empty: it is not. */
static void
ask(struct visit *v, struct str domain, hosted_fn answer)
{
	struct buf name = BUF_INIT(IDN_NAME_MAX);
	char ascii[IDN_NAME_MAX + 1];

	if (domain.n > 0 && domain.n <= IDN_NAME_MAX &&
	    idn_canonical(domain, &name) &&
	    idn_to_ascii(buf_str(&name), ascii, sizeof(ascii)))
		ask_store(v, buf_str(&name), ascii, answer);
	else
		page_error(v, 404);
	buf_done(&name);
}

/* The name by which the client asks, without a port. */
static struct str
host_of(const struct visit *v)
{
	struct str host;

	(void)str_split(visit_request(v)->host, ':', &host);
	return hostname_trim(host);
}

/* What is behind the label; empty: the name does not begin with it. */
static struct str
below(struct str host, struct str label)
{
	return str_starts_case(host, label) ? str_from(host, label.n) : STR("");
}

/* --- MTA-STS ----------------------------------------------------------------------- */

/* Others do not heed what HTTP says of keeping it (RFC 8461 section 3.3): max_age
 * is in the text. */
static void
answer_mtasts(struct visit *v, UNUSED const char *domain)
{
	struct buf policy = BUF_INIT(MTASTS_POLICY_MAX), etag = BUF_INIT(64);

	if (conf_put_mtasts(visit_server(v)->conf, &policy)) {
		buf_put_char(&etag, '"');
		conf_put_mtasts_id(buf_str(&policy), &etag);
		buf_put_char(&etag, '"');
		visit_reply(v, &(struct visit_reply){ .status = 200,
				   .type = "text/plain",
				   .body = buf_str(&policy),
				   .etag = buf_str(&etag) });
	} else {
		page_error(v, 404);
	}
	buf_done(&policy);
	buf_done(&etag);
}

void
page_mtasts(struct visit *v)
{
	ask(v, below(host_of(v), STR("mta-sts.")), answer_mtasts);
}

/* --- mail programs ----------------------------------------------------------------- */

static void
answer_autoconfig(struct visit *v, const char *domain)
{
	struct buf xml = BUF_INIT(AUTOCONFIG_MAX);

	if (conf_put_autoconfig(visit_server(v)->conf, str_c(domain), &xml))
		visit_reply(v, &(struct visit_reply){ .status = 200,
				   .type = "application/xml; charset=utf-8",
				   .body = buf_str(&xml),
				   .max_age = AUTOCONFIG_S });
	else
		page_error(v, 404);
	buf_done(&xml);
}

/* Of the address that it asks for; it need not name one. False: it does not. */
static bool
put_domain_of_address(struct visit *v, struct buf *to)
{
	struct buf address = BUF_INIT(ADDRESS_MAX);
	struct str query = visit_request(v)->query;
	ptrdiff_t at;
	bool ok = http_form_get(query, STR("emailaddress"), &address) &&
	          address.n > 0;

	at = ok ? str_rfind(buf_str(&address), '@') : -1;
	if (at >= 0)
		buf_put_str(to, str_from(buf_str(&address), (size_t)at + 1));
	buf_done(&address);
	return ok;
}

/*
 * The address decides, whatever name is asked: programs that find nothing below
 * the user's domain try the one that its MX host belongs to. Without one the name
 * does: "autoconfig.DOMAIN", or, of the well-known path, DOMAIN itself.
 */
void
page_autoconfig(struct visit *v)
{
	struct buf domain = BUF_INIT(ADDRESS_MAX);
	struct str host = host_of(v), name = below(host, STR("autoconfig."));

	if (put_domain_of_address(v, &domain))
		name = buf_str(&domain);
	else if (name.n == 0 && str_starts(visit_path(v), STR("/.well-known/")))
		name = host;
	ask(v, name, answer_autoconfig);
	buf_done(&domain);
}

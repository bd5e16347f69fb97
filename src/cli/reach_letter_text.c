/* SPDX-License-Identifier: ISC */
/* reach_letter_text.c - the words of the letter. See reach_letter.h. */
#include "cli/reach_letter.h"

#include "proto/reach/reach_stat.h"

#include <inttypes.h>
#include <time.h>

#define WIDTH        76
#define BROKEN_MIN   5    /* connections */
#define BROKEN_SHARE 0.02 /* so many break anyway */

/* --- small things --------------------------------------------------------------------- */

static void
put_time(struct buf *b, uint64_t at)
{
	time_t t = (time_t)at;
	char text[32];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
	buf_put_c(b, text);
}

/* A paragraph: words with breaks between them. */
static void
put_text(struct buf *b, const char *indent, struct str text)
{
	size_t column = 0;
	struct str word;

	while (text.n > 0) {
		text = str_split(text, ' ', &word);
		if (column > 0 && column + 1 + word.n > WIDTH) {
			buf_put_char(b, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_put_c(b, indent);
			column = strlen(indent);
		} else {
			buf_put_char(b, ' ');
			column++;
		}
		buf_put_str(b, word);
		column += word.n;
	}
	buf_put_char(b, '\n');
}

static void
put_name(struct buf *b, const struct reach_letter *l)
{
	if (l->name[0] != '\0')
		buf_printf(b, "%s (%s)", l->name, l->network);
	else
		buf_put_c(b, l->network);
}

void
reach_letter_add(
    struct reach_letter_counts *to, const struct msg_reach_row *row)
{
	to->attempts += row->attempts;
	to->greeted += row->greeted;
	to->tls += row->tls;
	to->signed_in += row->signed_in;
	to->reset += row->reset;
	to->timeout += row->timeout;
	to->tls_failed += row->tls_failed;
	to->left += row->left;
	to->stalled += row->stalled;
	if (row->has_usual) {
		to->usual += row->usual;
		to->has_usual = true;
	}
	if (row->attempts > to->rtt_of && row->rtt50_us > 0) {
		to->rtt_of = row->attempts;
		to->rtt50_us = row->rtt50_us;
		to->rtt95_us = row->rtt95_us;
	}
}

/* --- what the server is ------------------------------------------------------------------ */

static const char *
what_it_is(enum service s)
{
	switch (s) {
	case SERVICE_MX:
		return "mail from other servers: SMTP with STARTTLS (RFC "
		       "5321, RFC 3207)";
	case SERVICE_SUBMISSION:
		return "sending mail: SMTP with STARTTLS (RFC 6409, RFC 3207)";
	case SERVICE_SUBMISSIONS:
		return "sending mail: SMTP, TLS from the start (RFC 6409, "
		       "RFC 8314)";
	case SERVICE_IMAP:
		return "reading mail: IMAP with STARTTLS (RFC 9051)";
	case SERVICE_IMAPS:
		return "reading mail: IMAP, TLS from the start (RFC 9051, "
		       "RFC 8314)";
	case SERVICE_POP3:
		return "reading mail: POP3 with STARTTLS (RFC 1939, RFC 2595)";
	case SERVICE_POP3S:
		return "reading mail: POP3, TLS from the start (RFC 1939, "
		       "RFC 8314)";
	case SERVICE_HTTP:
		return "web: HTTP (RFC 9110)";
	case SERVICE_HTTPS:
		return "web: HTTPS (RFC 9110, RFC 8446)";
	case SERVICE_LMTP:
		break;
	}
	return "a service of this server";
}

static void
put_addresses(struct buf *b, const struct reach_letter *l)
{
	for (size_t i = 0; i < l->n_addresses; i++) {
		buf_printf(b, "\n  %-11s %s", i == 0 ? "Addresses:" : "",
		    l->addresses[i].text);
		if (l->addresses[i].name.n > 0)
			buf_printf(b, " (%.*s)", STR_ARG(l->addresses[i].name));
	}
}

static void
put_server(struct buf *b, const struct reach_letter *l)
{
	buf_put_c(b, "WHAT THIS SERVER IS\n\n");
	put_text(b, "",
	    STR("It is an ordinary mail server. It speaks the same protocols "
		"on the same port numbers as every other mail server on the "
		"Internet, and mail programs and telephones of your customers "
		"are set to just these. Nothing about it is particular to "
		"us."));
	buf_printf(b, "\n  Host names: %.*s", STR_ARG(l->hostname));
	if (l->hosts.n > 0)
		buf_printf(b, ",\n              %.*s", STR_ARG(l->hosts));
	put_addresses(b, l);
	buf_put_c(b, "\n\n  Ports, all of them TCP, on each address:\n");
	for (size_t i = 0; i < l->n_ports; i++)
		if (l->ports[i].is_offered)
			buf_printf(b, "  %6u  %s\n", l->ports[i].port,
			    what_it_is(l->ports[i].service));
	buf_put_c(b, "\n");
	put_text(b, "",
	    STR("TLS is version 1.2 or 1.3 (RFC 5246, RFC 8446). What goes "
		"through these connections is a person's mail, in encrypted "
		"form."));
}

/* --- the evidence -------------------------------------------------------------------------- */

static void
put_usual(struct buf *b, const struct reach_letter_counts *c)
{
	if (c->has_usual)
		buf_printf(b, "%9" PRIu64, (c->usual + 128) / 256);
	else
		buf_put_c(b, "        -");
}

static void
put_counts(struct buf *b, const struct reach_letter_counts *c)
{
	buf_printf(b, "%9" PRIu64, c->attempts);
	put_usual(b, c);
	buf_printf(b, "%8" PRIu64 "%11" PRIu64 "%8" PRIu64 "%8" PRIu64 "\n",
	    c->tls, c->signed_in, c->reset, c->timeout);
}

#define HEADINGS " connects    usual     TLS  signed in   reset   timed\n"
#define HEADING2 "                                                out\n"

static void
put_ports(struct buf *b, const struct reach_letter *l)
{
	buf_put_c(b, "  port          " HEADINGS "                " HEADING2);
	for (size_t i = 0; i < l->n_ports; i++) {
		const struct reach_letter_counts *c = &l->ports[i].seen;

		if (c->attempts == 0 && !c->has_usual)
			continue;
		buf_printf(b, "%6u %-11s", l->ports[i].port,
		    service_name(l->ports[i].service));
		put_counts(b, c);
	}
}

static void
put_hours(struct buf *b, const struct reach_letter *l)
{
	buf_put_c(b,
	    "\nBy hour, all ports together (UTC):\n\n"
	    "  from            " HEADINGS "                  " HEADING2);
	for (size_t i = 0; i < l->n_hours; i++) {
		if (l->hours[i].attempts == 0 && !l->hours[i].has_usual)
			continue;
		buf_put_c(b, "  ");
		put_time(b, l->hours[i].at);
		put_counts(b, &l->hours[i]);
	}
}

static void
put_elsewhere(struct buf *b, const struct reach_letter *l)
{
	struct buf text = BUF_INIT(KIB(2));
	uint64_t attempts = 0, tls = 0, resets = 0;

	for (size_t i = 0; i < l->n_ports; i++) {
		attempts += l->ports[i].elsewhere.attempts;
		tls += l->ports[i].elsewhere.tls;
		resets += l->ports[i].elsewhere.reset;
	}
	if (attempts > 0) {
		buf_printf(&text,
		    "From all other networks together there came %" PRIu64
		    " connections to these ports in the same time; %" PRIu64
		    " of them had TLS, and %" PRIu64 " were reset.",
		    attempts, tls, resets);
		buf_put_char(b, '\n');
		put_text(b, "", buf_str(&text));
	}
	buf_done(&text);
}

static void
put_ms(struct buf *b, uint32_t us)
{
	if (us < 10000)
		buf_printf(b, "%u.%u ms", us / 1000, us / 100 % 10);
	else
		buf_printf(b, "%u ms", (us + 500) / 1000);
}

static void
put_path(struct buf *b, const struct reach_letter *l)
{
	struct buf text = BUF_INIT(KIB(2));
	const struct reach_letter_counts *most = NULL;
	uint64_t stalled = 0, attempts = 0;

	for (size_t i = 0; i < l->n_ports; i++) {
		const struct reach_letter_counts *c = &l->ports[i].seen;

		stalled += c->stalled;
		attempts += c->attempts;
		if (c->rtt50_us > 0 &&
		    (most == NULL || c->attempts > most->attempts))
			most = c;
	}
	if (most != NULL) {
		buf_put_c(&text, "Half of the connections had a round trip of "
				 "at most about ");
		put_ms(&text, most->rtt50_us);
		buf_put_c(&text, ", and 95 in 100 of at most about ");
		put_ms(&text, most->rtt95_us);
		buf_printf(&text,
		    ". In %" PRIu64 " of %" PRIu64
		    " connections our server had to send something again, "
		    "because nobody acknowledged it.",
		    stalled, attempts);
		buf_put_char(b, '\n');
		put_text(b, "", buf_str(&text));
	}
	buf_done(&text);
}

static void
put_seen(struct buf *b, const struct reach_letter *l)
{
	struct buf text = BUF_INIT(KIB(2));

	buf_put_c(b, "\nWHAT WE SEE\n\n");
	buf_put_c(&text, "These are the TCP connections that reached our "
			 "server from ");
	put_name(&text, l);
	buf_put_c(&text, " between ");
	put_time(&text, l->from);
	buf_put_c(&text, " and ");
	put_time(&text, l->to);
	buf_put_c(&text,
	    ". All times are UTC. \"Usual\" is the mean of the last weeks at "
	    "the same hours and weekdays. A connection that something on the "
	    "way drops before it reaches us is in no column: it only makes "
	    "the first one smaller than the second.");
	put_text(b, "", buf_str(&text));
	buf_put_char(b, '\n');
	buf_done(&text);
	put_ports(b, l);
	put_elsewhere(b, l);
	put_path(b, l);
	put_hours(b, l);
}

/* --- what it says ------------------------------------------------------------------------------ */

/* Accounts are told as a share: how many customers there are is nobody's business. */
static void
put_found(struct buf *text, const struct reach_letter *l, size_t i)
{
	uint32_t of = l->signals[i].of, seen = l->signals[i].seen;
	unsigned minutes = l->signals[i].minutes;
	uint64_t usual = l->signals[i].usual;

	switch ((enum reach_signal_kind)l->signals[i].kind) {
	case REACH_QUIET:
		buf_printf(text,
		    "%u connection%s within %u minutes, where %" PRIu64
		    " are usual at that hour.",
		    seen, str_s(seen), minutes, (usual + 128) / 256);
		break;
	case REACH_CUT_OFF:
		buf_printf(text,
		    "of %u sessions within %u minutes, %u were broken off "
		    "after everything had begun well, where %" PRIu64
		    " in 100 are usual at that hour.",
		    of, minutes, seen, usual * 100 / 256);
		break;
	case REACH_FEW:
		buf_printf(text,
		    "%u connections within %u minutes, as usual, but only "
		    "%" PRIu64 " in 100 of the customers who usually sign in "
		    "at that hour did.",
		    of, minutes,
		    seen * UINT64_C(25600) / MAX(usual, UINT64_C(1)));
		break;
	case REACH_STUCK:
		buf_printf(text,
		    "of %u connections that were made within %u minutes, %u "
		    "did not get as far as TLS.",
		    of, minutes, seen);
		break;
	case REACH_ALERTS:
	case REACH_SIGN_IN:
	case REACH_TLS_FAILS:
	case REACH_REFUSED:
	case REACH_SLOW:
	case REACH_REFUSALS:
	case REACH_BACKLOG:
	case REACH_KINDS:
		break;
	}
}

static void
put_signal(struct buf *b, const struct reach_letter *l, size_t i)
{
	struct buf text = BUF_INIT(KIB(2));

	buf_put_c(&text, "Since about ");
	put_time(&text, l->signals[i].since);
	buf_printf(&text, ", port %u (%s, IPv%u): ", l->signals[i].port,
	    service_name(l->signals[i].service), l->signals[i].family);
	put_found(&text, l, i);
	buf_put_c(&text, " Chance alone does this less than once in a million "
			 "times.");
	put_text(b, "  ", buf_str(&text));
	buf_done(&text);
}

/*
 * Connections that were reset or fell silent, port by port, where they are more
 * than elsewhere at the same time. True: there are some.
 */
static bool
put_broken(struct buf *b, const struct reach_letter *l)
{
	bool has_any = false;

	for (size_t i = 0; i < l->n_ports; i++) {
		const struct reach_letter_counts *c = &l->ports[i].seen;
		const struct reach_letter_counts *e = &l->ports[i].elsewhere;
		uint64_t n = c->reset + c->timeout, m = e->reset + e->timeout;
		double share =
		    e->attempts > 0 ? (double)m / (double)e->attempts : 0;
		struct buf text = BUF_INIT(KIB(2));

		if (n < BROKEN_MIN ||
		    reach_binomial_upper(n, c->attempts,
			MAX(share, BROKEN_SHARE)) >= REACH_P_ODD)
			continue;
		buf_printf(&text,
		    "Port %u (%s): of %" PRIu64 " connections %" PRIu64
		    " were reset and %" PRIu64
		    " fell silent until we gave up; from all other networks it "
		    "was %" PRIu64 " of %" PRIu64
		    ". Chance alone does this less than once in a million "
		    "times.",
		    l->ports[i].port, service_name(l->ports[i].service),
		    c->attempts, c->reset, c->timeout, m, e->attempts);
		put_text(b, "  ", buf_str(&text));
		buf_done(&text);
		has_any = true;
	}
	return has_any;
}

static bool
has_signal(const struct reach_letter *l, enum reach_signal_kind kind)
{
	for (size_t i = 0; i < l->n_signals; i++)
		if (l->signals[i].kind == kind)
			return true;
	return false;
}

static void
put_meaning(struct buf *b, const struct reach_letter *l)
{
	bool is_quiet = has_signal(l, REACH_QUIET);
	bool is_stuck = has_signal(l, REACH_STUCK);
	bool is_few = has_signal(l, REACH_FEW), is_broken;

	buf_put_c(b, "\nWHAT STANDS OUT\n\n");
	for (size_t i = 0; i < l->n_signals; i++)
		put_signal(b, l, i);
	is_broken = put_broken(b, l) || has_signal(l, REACH_CUT_OFF);
	if (is_quiet)
		put_text(b, "",
		    STR("Fewer connections than usual, while those from other "
			"networks come in: packets to these ports are lost or "
			"refused before they reach us."));
	if (is_stuck)
		put_text(b, "",
		    STR("Connections that are made and then do not get to TLS: "
			"something on the way lets them be made, and then "
			"holds back or changes what follows."));
	if (is_broken)
		put_text(b, "",
		    STR("Connections that are reset or fall silent when they "
			"are made already: something on the way ends them, "
			"forgets them, or stops passing them on. Large packets "
			"that are lost while small ones pass look like that, "
			"too."));
	if (is_few)
		put_text(b, "",
		    STR("Connections that come as ever, or are tried again and "
			"again, while few get as far as signing in: what works "
			"for some of your customers does not for the others."));
	if (!is_quiet && !is_stuck && !is_broken && !is_few)
		put_text(b, "",
		    STR("At this moment no test finds these numbers unusual. "
			"Your customers tell us of connections that work one "
			"minute and not the next; such ones may never reach "
			"us, and we cannot see them from here. You can."));
}

static void
put_questions(struct buf *b, const struct reach_letter *l)
{
	static const char *const asked[] = {
		("Is traffic to these ports filtered, redirected, shaped or "
		 "inspected anywhere between your customers and us - by a "
		 "firewall, a transparent proxy, packet inspection, or an "
		 "address translator that runs out of places - for all of your "
		 "customers or for some, always or at times?"),
		("If so, please end that for the ports above. There is no way "
		 "to run a mail server on other ones that the programs of your "
		 "customers would know."),
		("If not, please send us a trace of TCP, not of ICMP, from the "
		 "line of a customer who is affected to one of these ports "
		 "(for example \"mtr --tcp --port PORT HOST\"), once when it "
		 "works and once when it does not."),
		("Please tell us whom we may send further measurements to. We "
		 "are glad to test together at an agreed time."),
	};

	buf_put_c(b, "\nWHAT WE ASK OF YOU\n\n");
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		struct buf text = BUF_INIT(KIB(1));

		buf_printf(&text, "%zu. %s", i + 1, asked[i]);
		put_text(b, "  ", buf_str(&text));
		buf_done(&text);
	}
	buf_put_char(b, '\n');
	put_text(b, "",
	    STR("The numbers above are counts by network. This letter holds "
		"no address and no name of any of your customers, and our "
		"server keeps none for it."));
	buf_printf(b, "\nYou reach us at %.*s.\n\n%.*s\n", STR_ARG(l->contact),
	    STR_ARG(l->hostname));
}

void
reach_letter_put_subject(struct buf *b, const struct reach_letter *l)
{
	buf_put_c(b, "Connections from ");
	put_name(b, l);
	buf_printf(b, " to the mail server %.*s", STR_ARG(l->hostname));
}

void
reach_letter_put(struct buf *b, const struct reach_letter *l)
{
	struct buf text = BUF_INIT(KIB(1));

	/* A prefix is nobody's name. */
	buf_put_c(&text, strchr(l->network, '/')
			     ? "To those who run the network "
			     : "To the network operations of ");
	put_name(&text, l);
	put_text(b, "", buf_str(&text));
	buf_reset(&text, KIB(1));
	buf_printf(&text,
	    "We run the mail server %.*s. Customers of yours have their mail "
	    "here, and some of them can connect to it only at times, or not "
	    "at all, while others can. Below is what our server is, what we "
	    "measured on our side, and what we ask of you.",
	    STR_ARG(l->hostname));
	buf_put_char(b, '\n');
	put_text(b, "", buf_str(&text));
	buf_put_char(b, '\n');
	buf_done(&text);
	put_server(b, l);
	put_seen(b, l);
	put_meaning(b, l);
	put_questions(b, l);
}

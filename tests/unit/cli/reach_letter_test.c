/* SPDX-License-Identifier: ISC */
/*
 * reach_letter_test.c - the letter to a provider: the case of the reference,
 * customers on one network who can connect at times only.
 */
#include "../test.h"
#include "cli/reach_letter.h"

#define JUNE_7 UINT64_C(1528362000) /* 2018-06-07 09:00:00 UTC */

static void
add_port(struct reach_letter *l, enum service service, uint16_t port)
{
	size_t i = l->n_ports++;

	l->ports[i].service = service;
	l->ports[i].port = port;
	l->ports[i].is_offered = true;
}

static struct reach_letter *
example(void)
{
	struct reach_letter *l = X_NEW(struct reach_letter);

	snprintf(l->network, sizeof(l->network), "AS36962");
	snprintf(l->name, sizeof(l->name), "MTN Zambia");
	l->hostname = STR("mail.example.net");
	l->contact = STR("postmaster@example.net");
	l->hosts = STR("imap.example.net");
	l->from = JUNE_7 - 86400;
	l->to = JUNE_7;
	add_port(l, SERVICE_IMAPS, 993);
	add_port(l, SERVICE_SUBMISSION, 587);
	return l;
}

static void
count(struct reach_letter_counts *c, uint32_t attempts, uint32_t tls,
    uint32_t reset, uint32_t timeout, uint32_t usual)
{
	struct msg_reach_row row = { .attempts = attempts,
		.tls = tls,
		.signed_in = tls,
		.reset = reset,
		.timeout = timeout,
		.rtt50_us = 312000,
		.rtt95_us = 1200000,
		.stalled = reset,
		.has_usual = usual > 0,
		.usual = usual * 256 };

	reach_letter_add(c, &row);
}

static void
signal_of(struct reach_letter *l, enum reach_signal_kind kind, uint32_t seen,
    uint32_t of)
{
	size_t i = l->n_signals++;

	l->signals[i].kind = (uint8_t)kind;
	l->signals[i].service = SERVICE_IMAPS;
	l->signals[i].port = 993;
	l->signals[i].family = 4;
	l->signals[i].since = JUNE_7 - 4 * 3600;
	l->signals[i].seen = seen;
	l->signals[i].of = of;
	l->signals[i].usual = 214 * 256;
	l->signals[i].minutes = 30;
}

/* Line breaks are not what is tested. */
static char *
written(const struct reach_letter *l)
{
	struct buf b = BUF_INIT(KIB(64));
	char *text, *to;

	reach_letter_put(&b, l);
	CHECK(!b.failed, "it fits");
	for (struct str rest = buf_str(&b), line; rest.n > 0;) {
		rest = str_split(rest, '\n', &line);
		CHECK(line.n <= 78, "lines of a letter");
	}
	text = str_dup(buf_str(&b));
	to = text;
	for (const char *p = text; *p != '\0'; p++)
		if ((*p != ' ' && *p != '\n') || (to > text && to[-1] != ' '))
			*to++ = *p == '\n' ? ' ' : *p;
	*to = '\0';
	buf_done(&b);
	return text;
}

static void
check_says(const struct reach_letter *l, const char *what, bool is_there)
{
	CLEANUP(freep) char *text = written(l);

	if ((strstr(text, what) != NULL) != is_there)
		fail_msg(
		    "%s: %s\n%s", is_there ? "missing" : "there", what, text);
}

TEST(it_says_what_the_server_is)
{
	CLEANUP(freep) struct reach_letter *l = example();
	struct buf subject = BUF_INIT(KIB(1));

	reach_letter_put_subject(&subject, l);
	CHECK(str_eq(buf_str(&subject),
		  STR("Connections from MTN Zambia (AS36962) to the mail "
		      "server mail.example.net")),
	    "subject");
	check_says(l, "Host names: mail.example.net, imap.example.net", true);
	check_says(l,
	    "993 reading mail: IMAP, TLS from the start (RFC 9051, "
	    "RFC 8314)",
	    true);
	check_says(l,
	    "587 sending mail: SMTP with STARTTLS (RFC 6409, RFC "
	    "3207)",
	    true);
	check_says(l, "You reach us at postmaster@example.net", true);
	/* A port that is no longer ours is not offered. */
	l->ports[1].is_offered = false;
	check_says(l, "587 sending mail", false);
	check_says(l,
	    "To the network operations of MTN Zambia (AS36962) We run", true);
	buf_done(&subject);
}

/* Who runs a firewall works with addresses. */
TEST(it_has_the_addresses_of_the_server)
{
	CLEANUP(freep) struct reach_letter *l = example();
	struct buf names = BUF_INIT(KIB(1));

	check_says(l, "Addresses:", false);
	reach_letter_add_address(l, STR("mail.example.net"), "192.0.2.25");
	reach_letter_add_address(l, STR("mail.example.net"), "2001:db8::25");
	reach_letter_add_address(l, STR("imap.example.net"), "192.0.2.25");
	check_says(l,
	    "imap.example.net Addresses: 192.0.2.25 (mail.example.net) "
	    "2001:db8::25 (mail.example.net) Ports, all of them TCP, on each "
	    "address: 993",
	    true);
	/* Those that the operator names among the hosts. */
	l->n_addresses = 0;
	reach_letter_take_hosts(l,
	    STR("imap.example.net, 2001:DB8:0::25,pop.example.net,192.0.2.9,"),
	    &names);
	check_says(l,
	    "Host names: mail.example.net, imap.example.net,pop.example.net "
	    "Addresses: 2001:db8::25 192.0.2.9 Ports",
	    true);
	buf_done(&names);
}

TEST(it_has_as_many_addresses_as_fit)
{
	CLEANUP(freep) struct reach_letter *l = example();
	char text[INET6_ADDRSTRLEN];

	for (unsigned i = 0; i < REACH_LETTER_ADDRS + 1; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		reach_letter_add_address(l, STR_NONE, text);
	}
	assert_int_equal(l->n_addresses, REACH_LETTER_ADDRS);
}

TEST(a_network_without_a_name_is_not_spoken_to_as_if_it_had_one)
{
	CLEANUP(freep) struct reach_letter *l = example();

	l->name[0] = '\0';
	check_says(l, "To the network operations of AS36962 We run", true);
	snprintf(l->network, sizeof(l->network), "10.7.0.0/16");
	check_says(l, "To those who run the network 10.7.0.0/16 We run", true);
}

TEST(it_gives_the_numbers_with_their_times)
{
	CLEANUP(freep) struct reach_letter *l = example();

	count(&l->ports[0].seen, 1204, 1100, 40, 6, 3000);
	count(&l->ports[0].elsewhere, 9000, 8950, 12, 0, 9000);
	l->n_hours = 2;
	l->hours[0].at = JUNE_7 - 7200;
	count(&l->hours[0], 7, 3, 1, 0, 214);
	l->hours[1].at = JUNE_7 - 3600;
	count(&l->hours[1], 190, 188, 0, 0, 0);
	check_says(l,
	    "from MTN Zambia (AS36962) between 2018-06-06 09:00 and "
	    "2018-06-07 09:00. All times are UTC.",
	    true);
	check_says(l, "993 imaps 1204 3000 1100 1100 40 6", true);
	check_says(l, "2018-06-07 07:00 7 214 3 3 1 0", true);
	check_says(l, "2018-06-07 08:00 190 - 188 188 0 0", true);
	check_says(l,
	    "From all other networks together there came 9000 "
	    "connections to these ports in the same time; 8950 of "
	    "them had TLS, and 12 were reset.",
	    true);
	check_says(l,
	    "at most about 312 ms, and 95 in 100 of at most about "
	    "1200 ms. In 40 of 1204",
	    true);
}

TEST(what_stands_out_is_what_was_found)
{
	CLEANUP(freep) struct reach_letter *l = example();

	check_says(l, "no test finds these numbers unusual", true);
	check_says(l, "a million", false);
	signal_of(l, REACH_QUIET, 3, 0);
	check_says(l,
	    "Since about 2018-06-07 05:00, port 993 (imaps, IPv4): "
	    "3 connections within 30 minutes, where 214 are usual "
	    "at that hour.",
	    true);
	check_says(l, "lost or refused before they reach us", true);
	check_says(l, "no test finds", false);
	signal_of(l, REACH_STUCK, 48, 51);
	check_says(l,
	    "of 51 connections that were made within 30 minutes, 48 "
	    "did not get as far as TLS",
	    true);
	check_says(l, "holds back or changes what follows", true);
	signal_of(l, REACH_CUT_OFF, 40, 51);
	l->signals[l->n_signals - 1].usual = 26; /* a tenth */
	check_says(l,
	    "of 51 sessions within 30 minutes, 40 were broken off after "
	    "everything had begun well, where 10 in 100 are usual at that "
	    "hour.",
	    true);
	check_says(l, "Large packets that are lost while small ones", true);
	check_says(l, "while few get as far", false);
	signal_of(l, REACH_FEW, 5, 400);
	l->signals[l->n_signals - 1].usual = 50 * 256;
	check_says(l,
	    "400 connections within 30 minutes, as usual, but only 10 in "
	    "100 of the customers who usually sign in at that hour did.",
	    true);
	check_says(l, "while few get as far as signing in", true);
}

/* It works one minute and stops working the next: no history is needed. */
TEST(broken_connections_are_compared_with_elsewhere)
{
	CLEANUP(freep) struct reach_letter *l = example();
	static const char says[] =
	    "Port 993 (imaps): of 60 connections 21 were reset and 9 fell "
	    "silent until we gave up; from all other networks it was 12 of "
	    "9000.";

	count(&l->ports[0].seen, 60, 30, 21, 9, 0);
	count(&l->ports[0].elsewhere, 9000, 8950, 12, 0, 0);
	check_says(l, says, true);
	check_says(l, "something on the way ends them", true);
	/* When it is so everywhere, it is not about them. */
	count(&l->ports[0].elsewhere, 9000, 100, 8900, 0, 0);
	check_says(l, "fell silent until", false);
}

TEST_MAIN(UNIT(it_says_what_the_server_is),
    UNIT(it_has_the_addresses_of_the_server),
    UNIT(it_has_as_many_addresses_as_fit),
    UNIT(a_network_without_a_name_is_not_spoken_to_as_if_it_had_one),
    UNIT(it_gives_the_numbers_with_their_times),
    UNIT(what_stands_out_is_what_was_found),
    UNIT(broken_connections_are_compared_with_elsewhere))

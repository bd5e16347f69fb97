/* SPDX-License-Identifier: ISC */
/*
 * LINK: status
 *
 * Rows of messages ('m'), contacts ('c') and what was told ('t'): what can be read
 * is the same when it is written and read again; whom a message goes to can be
 * written into a command and a field; noting attempts keeps it one.
 */
#include "proto/status/status_contact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_harmless(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		ASSERT((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7F);
}

static void
fuzz_message(struct str in)
{
	struct buf one = BUF_INIT(KIB(64)), two = BUF_INIT(KIB(64));
	struct status_message m, back;

	if (!status_message_decode(in, &m))
		return;
	check_harmless(m.to);
	check_harmless(m.subject);
	check_harmless(m.unsubscribe);
	for (size_t i = 0; i <= STATUS_ATTEMPTS_MAX; i++)
		status_message_note(&m, &(struct status_attempt){ .said = in });
	status_message_encode(&m, &one);
	ASSERT(!one.failed && status_message_decode(buf_str(&one), &back));
	status_message_encode(&back, &two);
	ASSERT(str_eq(buf_str(&one), buf_str(&two)));
	ASSERT(back.n_attempts == STATUS_ATTEMPTS_MAX);
	if (back.channel == STATUS_BY_WEBHOOK) {
		struct status_url u = status_url_parts(back.to);

		ASSERT(u.host.n > 0 && u.port != 0 && u.path.p[0] == '/');
	}
	buf_done(&one);
	buf_done(&two);
}

static void
fuzz_contact(struct str in)
{
	struct buf one = BUF_INIT(KIB(8));
	struct status_contact c, back;

	if (!status_contact_decode(in, &c))
		return;
	check_harmless(c.to);
	status_contact_encode(&c, &one);
	ASSERT(status_contact_decode(buf_str(&one), &back));
	ASSERT(str_eq(c.to, back.to) && c.n_systems == back.n_systems);
	buf_done(&one);
}

static void
fuzz_words(struct str in)
{
	struct status_contact c = { .id = STR("x") };
	struct status_fault fault = { 0 };
	struct str word;

	while (in.n > 0) {
		in = str_split(in, '\n', &word);
		if (!status_contact_put(&c, word, &fault)) {
			ASSERT(fault.expected != NULL);
			return;
		}
	}
	if (status_contact_finish(&c, &fault))
		check_harmless(c.to);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_from(str_make(data, size), 1);
	struct status_told t, back;
	struct buf b = BUF_INIT(KIB(1));

	if (size == 0)
		return 0;
	if (data[0] == 'm')
		fuzz_message(in);
	else if (data[0] == 'c')
		fuzz_contact(in);
	else if (data[0] == 'w')
		fuzz_words(in);
	else if (status_told_decode(in, &t)) {
		status_told_encode(&t, &b);
		ASSERT(status_told_decode(buf_str(&b), &back));
		ASSERT(memcmp(&t, &back, sizeof(t)) == 0);
	}
	buf_done(&b);
	return 0;
}

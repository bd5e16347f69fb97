/* SPDX-License-Identifier: ISC */
/* status_contact.c - who is told, and what was. See status_contact.h. */
#include "proto/status/status_contact.h"

#define VERSION_CONTACT 1
#define VERSION_TOLD    2 /* 1 has no outages */

static bool
put_to(struct status_contact *c, enum status_channel channel, struct str value,
    struct status_fault *ret)
{
	if (c->to.n > 0)
		return status_fault_set(
		    ret, value, "one mail= or webhook=, not several");
	c->channel = channel;
	c->to = value;
	if (channel == STATUS_BY_MAIL && !status_is_mailbox(value))
		return status_fault_set(
		    ret, value, "an address such as ops@example.org");
	if (channel == STATUS_BY_WEBHOOK && !status_is_url(value))
		return status_fault_set(
		    ret, value, "a URL such as https://example.org/hook");
	return true;
}

static bool
put_system(struct status_contact *c, struct str value, struct status_fault *ret)
{
	if (!status_is_id(value))
		return status_fault_set(ret, value, STATUS_ID_EXPECTED);
	if (c->n_systems == STATUS_CONTACT_SYSTEMS_MAX)
		return status_fault_set(ret, value, "at most 16 systems");
	c->systems[c->n_systems++] = value;
	return true;
}

static bool
put_least(struct status_contact *c, struct str value, struct status_fault *ret)
{
	static const char *const words[] = { "degraded", "down" };
	int i = status_word_find(words, ARRAY_LEN(words), value);

	if (i < 0)
		return status_fault_set(ret, value, "down or degraded");
	c->least = (enum status_least)i;
	return true;
}

bool
status_contact_put(
    struct status_contact *c, struct str word, struct status_fault *ret)
{
	struct str name, value = str_split(word, '=', &name);

	if (str_eq_case(name, STR("mail")))
		return put_to(c, STATUS_BY_MAIL, value, ret);
	if (str_eq_case(name, STR("webhook")))
		return put_to(c, STATUS_BY_WEBHOOK, value, ret);
	if (str_eq_case(name, STR("system")))
		return put_system(c, value, ret);
	if (str_eq_case(name, STR("min")))
		return put_least(c, value, ret);
	return status_fault_set(ret, word, "mail=, webhook=, system= or min=");
}

void
status_contact_forget(struct status_contact *c, struct str word)
{
	struct str name;

	(void)str_split(word, '=', &name);
	if (str_eq_case(name, STR("mail")) || str_eq_case(name, STR("webhook")))
		c->to = STR_NONE;
	if (str_eq_case(name, STR("mail")))
		c->secret = STR_NONE;
	if (str_eq_case(name, STR("system")))
		c->n_systems = 0;
}

bool
status_contact_finish(const struct status_contact *c, struct status_fault *ret)
{
	struct status_fault fault;
	struct status_contact again = { 0 };

	if (!status_is_id(c->id))
		return status_fault_set(ret, c->id, STATUS_ID_EXPECTED);
	if (c->to.n == 0)
		return status_fault_set(
		    ret, c->id, "mail=ADDRESS or webhook=URL");
	if ((unsigned)c->channel >= STATUS_CHANNELS ||
	    (unsigned)c->least > STATUS_FROM_DOWN ||
	    !put_to(&again, c->channel, c->to, &fault))
		return status_fault_set(ret, c->to, "an address or a URL");
	if (c->secret.n > STATUS_SECRET_MAX || !status_is_text(c->secret))
		return status_fault_set(
		    ret, STR("the secret"), "at most 200 characters");
	if (c->n_systems > STATUS_CONTACT_SYSTEMS_MAX)
		return status_fault_set(ret, c->id, "at most 16 systems");
	for (size_t i = 0; i < c->n_systems; i++)
		if (!status_is_id(c->systems[i]))
			return status_fault_set(
			    ret, c->systems[i], STATUS_ID_EXPECTED);
	return true;
}

/* "https://hooks.example.org/..." */
static void
put_origin(struct buf *to, struct str url)
{
	ptrdiff_t scheme = str_search(url, STR("://"));
	size_t at = scheme < 0 ? 0 : (size_t)scheme + 3;

	while (at < url.n && url.p[at] != '/' && url.p[at] != '?')
		at++;
	buf_put_str(to, str_first(url, at));
	if (at + 1 < url.n)
		buf_put_c(to, "/...");
}

void
status_contact_put_words(const struct status_contact *c, struct buf *to)
{
	buf_put_c(to, c->channel == STATUS_BY_MAIL ? "mail=" : "webhook=");
	if (c->channel == STATUS_BY_MAIL)
		buf_put_str(to, c->to);
	else
		put_origin(to, c->to);
	if (c->least == STATUS_FROM_DOWN)
		buf_put_c(to, " min=down");
	for (size_t i = 0; i < c->n_systems; i++)
		buf_printf(to, " system=%.*s", STR_ARG(c->systems[i]));
}

void
status_contact_encode(const struct status_contact *c, struct buf *to)
{
	wire_put_u8(to, VERSION_CONTACT);
	wire_put_vstr(to, c->id);
	wire_put_u8(to, (uint8_t)c->channel);
	wire_put_vstr(to, c->to);
	wire_put_vstr(to, c->secret);
	wire_put_u8(to, (uint8_t)c->least);
	wire_put_varint(to, c->added_s);
	wire_put_u8(to, (uint8_t)c->n_systems);
	for (size_t i = 0; i < c->n_systems; i++)
		wire_put_vstr(to, c->systems[i]);
}

bool
status_contact_decode(struct str value, struct status_contact *ret)
{
	struct wire w = wire_read_version(value, VERSION_CONTACT);
	struct status_fault fault;
	struct status_contact c = { 0 };

	c.id = wire_get_vstr(&w);
	c.channel = (enum status_channel)wire_get_u8(&w);
	c.to = wire_get_vstr(&w);
	c.secret = wire_get_vstr(&w);
	c.least = (enum status_least)wire_get_u8(&w);
	c.added_s = wire_get_varint(&w);
	c.n_systems = wire_get_u8(&w);
	for (size_t i = 0; i < MIN(c.n_systems, STATUS_CONTACT_SYSTEMS_MAX);
	     i++)
		c.systems[i] = wire_get_vstr(&w);
	if (!wire_is_complete(&w) || !status_contact_finish(&c, &fault))
		return false;
	*ret = c;
	return true;
}

bool
status_contact_wants(const struct status_contact *c, struct str system)
{
	for (size_t i = 0; i < c->n_systems; i++)
		if (str_eq_case(c->systems[i], system))
			return true;
	return c->n_systems == 0;
}

/* --- what was told ------------------------------------------------------------- */

void
status_told_encode(const struct status_told *t, struct buf *to)
{
	wire_put_u8(to, VERSION_TOLD);
	wire_put_u8(to, t->told);
	wire_put_varint(to, t->incident);
	wire_put_varint(to, t->serial);
	wire_put_varint(to, t->told_ms);
	wire_put_varint(to, t->bad_since_ms);
	wire_put_varint(to, t->fine_since_ms);
	wire_put_varint(to, t->outages);
	wire_put_varint(to, t->outage_since_ms);
}

uint32_t
status_told_next(const struct status_told *t, uint64_t now_ms)
{
	return t->serial > 0 ? t->serial + 1 : (uint32_t)(now_ms / 1000);
}

bool
status_told_decode(struct str value, struct status_told *ret)
{
	struct wire w = wire_read(value);
	struct status_told t = { 0 };
	uint8_t version = wire_get_u8(&w);

	t.told = wire_get_u8(&w);
	t.incident = wire_get_v32(&w);
	t.serial = wire_get_v32(&w);
	t.told_ms = wire_get_varint(&w);
	t.bad_since_ms = wire_get_varint(&w);
	t.fine_since_ms = wire_get_varint(&w);
	if (version == VERSION_TOLD) {
		t.outages = wire_get_v32(&w);
		t.outage_since_ms = wire_get_varint(&w);
	}
	if (!wire_is_complete(&w) || version == 0 || version > VERSION_TOLD)
		return false;
	*ret = t;
	return true;
}

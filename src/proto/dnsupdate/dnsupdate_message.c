/* SPDX-License-Identifier: ISC */
/* dnsupdate_message.c - write questions and updates. See the header. */
#include "proto/dnsupdate/dnsupdate_message.h"

#define HEADER_BYTES  12
#define OPCODE_QUERY  0
#define OPCODE_UPDATE 5

const char *
dnsupdate_rcode_name(unsigned rcode, char to[16])
{
	static const char *const names[] = {
		[DNSUPDATE_NOERROR] = "NOERROR",
		[DNSUPDATE_FORMERR] = "FORMERR",
		[DNSUPDATE_SERVFAIL] = "SERVFAIL",
		[DNSUPDATE_NXDOMAIN] = "NXDOMAIN",
		[DNSUPDATE_NOTIMP] = "NOTIMP",
		[DNSUPDATE_REFUSED] = "REFUSED",
		[DNSUPDATE_YXDOMAIN] = "YXDOMAIN",
		[DNSUPDATE_YXRRSET] = "YXRRSET",
		[DNSUPDATE_NXRRSET] = "NXRRSET",
		[DNSUPDATE_NOTAUTH] = "NOTAUTH",
		[DNSUPDATE_NOTZONE] = "NOTZONE",
		[DNSUPDATE_BADSIG] = "BADSIG",
		[DNSUPDATE_BADKEY] = "BADKEY",
		[DNSUPDATE_BADTIME] = "BADTIME",
		[DNSUPDATE_BADTRUNC] = "BADTRUNC",
	};

	if (rcode < ARRAY_LEN(names) && names[rcode])
		return names[rcode];
	snprintf(to, 16, "RCODE %u", rcode & 0xffff);
	return to;
}

/* Counts follow with the records. */
static void
put_header(struct buf *to, unsigned id, unsigned opcode)
{
	dnsupdate_put_u16(to, id);
	dnsupdate_put_u16(to, opcode << 11);
	dnsupdate_put_u16(to, 1);
	dnsupdate_put_u16(to, 0);
	dnsupdate_put_u16(to, 0);
	dnsupdate_put_u16(to, 0);
}

bool
dnsupdate_put_question(
    unsigned id, struct str name, unsigned type, struct buf *to)
{
	put_header(to, id, OPCODE_QUERY);
	if (!dnsupdate_name_put(name, to))
		return false;
	dnsupdate_put_u16(to, type);
	dnsupdate_put_u16(to, DNSUPDATE_CLASS_IN);
	return !to->failed;
}

void
dnsupdate_init(struct dnsupdate *u, unsigned id, struct str zone)
{
	*u = (struct dnsupdate){ .out = BUF_INIT(DNSUPDATE_MESSAGE_MAX),
		.id = id };
	put_header(&u->out, id, OPCODE_UPDATE);
	u->failed = !dnsupdate_name_put(zone, &u->out);
	dnsupdate_put_u16(&u->out, DNSUPDATE_TYPE_SOA);
	dnsupdate_put_u16(&u->out, DNSUPDATE_CLASS_IN);
}

void
dnsupdate_done(struct dnsupdate *u)
{
	buf_done(&u->out);
}

/* A record without its TTL and data. */
static void
put_owner(struct dnsupdate *u, struct str name, unsigned type, unsigned class)
{
	if (!dnsupdate_name_put(name, &u->out))
		u->failed = true;
	dnsupdate_put_u16(&u->out, type);
	dnsupdate_put_u16(&u->out, class);
}

static void
put_data(struct dnsupdate *u, uint32_t ttl, struct str data)
{
	if (data.n > DNSUPDATE_DATA_MAX) {
		u->failed = true;
		return;
	}
	dnsupdate_put_u32(&u->out, ttl);
	dnsupdate_put_u16(&u->out, (unsigned)data.n);
	buf_put_str(&u->out, data);
}

void
dnsupdate_if_record(
    struct dnsupdate *u, struct str name, unsigned type, struct str data)
{
	ASSERT(u->n_changes == 0);
	u->n_before++;
	put_owner(u, name, type, DNSUPDATE_CLASS_IN);
	put_data(u, 0, data);
}

void
dnsupdate_if_none(struct dnsupdate *u, struct str name, unsigned type)
{
	ASSERT(u->n_changes == 0);
	u->n_before++;
	put_owner(u, name, type, DNSUPDATE_CLASS_NONE);
	put_data(u, 0, STR_NONE);
}

void
dnsupdate_if_unused(struct dnsupdate *u, struct str name)
{
	dnsupdate_if_none(u, name, DNSUPDATE_TYPE_ANY);
}

void
dnsupdate_add(struct dnsupdate *u, struct str name, unsigned type, uint32_t ttl,
    struct str data)
{
	u->n_changes++;
	put_owner(u, name, type, DNSUPDATE_CLASS_IN);
	put_data(u, ttl, data);
}

void
dnsupdate_delete(
    struct dnsupdate *u, struct str name, unsigned type, struct str data)
{
	u->n_changes++;
	put_owner(u, name, type, DNSUPDATE_CLASS_NONE);
	put_data(u, 0, data);
}

static void
set_u16(struct buf *b, size_t at, unsigned v)
{
	b->p[at] = (char)(v >> 8);
	b->p[at + 1] = (char)v;
}

bool
dnsupdate_finish(struct dnsupdate *u)
{
	u->failed = u->failed || u->out.failed || u->n_before > UINT16_MAX ||
	            u->n_changes > UINT16_MAX;
	if (u->failed)
		return false;
	set_u16(&u->out, 6, u->n_before);
	set_u16(&u->out, 8, u->n_changes);
	return true;
}

/* SPDX-License-Identifier: ISC */
/* list.c - what the command line asks: how far each certificate is; renew. */
#include "acme/server.h"

#define REPLY_MAX  MIB(2)
#define REPLY_ROWS 200

static bool
req_list(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct buf items = BUF_INIT(REPLY_MAX), body = BUF_INIT(REPLY_MAX * 2);
	struct msg_list_reply reply = { 0 };
	struct msg_acme_list q;
	struct msg_acme_row row;
	struct ipc_return ret;
	size_t n = hosts_count(sv->hosts), i = 0, rows = 0;

	if (!msg_acme_list_get(m->body, &q))
		return false;
	/* Behind the one that was the last; when it is gone, there is no more. */
	while (q.after.n > 0 && i < n) {
		hosts_row(sv->hosts, i++, &row);
		if (str_eq(row.host, q.after))
			break;
	}
	for (; i < n && rows < REPLY_ROWS; i++, rows++) {
		hosts_row(sv->hosts, i, &row);
		msg_acme_row_put(&items, &row);
	}
	reply.items = buf_str(&items);
	reply.has_more = i < n;
	msg_list_reply_put(&body, &reply);
	ret = ipc_return_new(p, m);
	ipc_reply(&ret, buf_str(&body), -1);
	buf_done(&items);
	buf_done(&body);
	return true;
}

static bool
req_renew(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	struct msg_acme_renew q;
	struct ipc_return ret;

	if (!msg_acme_renew_get(m->body, &q))
		return false;
	ret = ipc_return_new(p, m);
	if (hosts_renew(sv->hosts, q.host, q.with_new_key))
		ipc_reply(&ret, STR_NONE, -1);
	else
		ipc_reply_error(&ret, PERMFAIL, REASON_CONFLICT,
		    "no text of acme.hosts begins with that name");
	return true;
}

bool
list_request(struct server *sv, struct ipc_peer *p, struct ipc_msg *m)
{
	if (m->type == MSG_ACME_LIST)
		return req_list(sv, p, m);
	return m->type == MSG_ACME_RENEW && req_renew(sv, p, m);
}

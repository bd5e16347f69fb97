/* SPDX-License-Identifier: ISC */
/*
 * arrival.c - see arrival.h.
 */
#include "smtp/arrival.h"

#include "proto/authres/authres.h"

void
arrival_put(struct buf *b, const struct session *s)
{
	struct buf tls = BUF_INIT(256), results = BUF_INIT(ARRIVAL_RESULTS_MAX);
	struct msg_arrival m = {
		.service = str_c(service_name(s->service)),
		.client = s->helo != NULL ? str_c(s->helo) : STR_NONE,
		.ip = str_c(conn_peer_ip(s->conn)),
	};

	if (conn_has_tls(s->conn))
		buf_printf(&tls, "%s %s", conn_tls_version(s->conn),
		    conn_tls_cipher(s->conn));
	authres_brief(buf_str(&s->headers), ARRIVAL_RESULTS_MAX, &results);
	m.tls = buf_str(&tls);
	m.results = buf_str(&results);
	msg_arrival_put(b, &m);
	buf_done(&tls);
	buf_done(&results);
}

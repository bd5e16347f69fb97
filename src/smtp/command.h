/* SPDX-License-Identifier: ISC */
/* command.h - the commands: one table, one function and file for each. */
#pragma once

#include "smtp/session.h"

/* A complete line, without CRLF, in a state that takes commands. */
void command_run(struct session *s, struct str line);

/*
 * Each answers with the reply, or with REPLY_NONE when it sent one itself or
 * sends one later. c is valid during the call only.
 */
typedef enum reply_id (*command_fn)(
    struct session *s, const struct smtp_command *c);

enum reply_id cmd_helo(struct session *s, const struct smtp_command *c);
enum reply_id cmd_mail(struct session *s, const struct smtp_command *c);
enum reply_id cmd_rcpt(struct session *s, const struct smtp_command *c);
enum reply_id cmd_data(struct session *s, const struct smtp_command *c);
enum reply_id cmd_bdat(struct session *s, const struct smtp_command *c);
enum reply_id cmd_starttls(struct session *s, const struct smtp_command *c);
enum reply_id cmd_auth(struct session *s, const struct smtp_command *c);
enum reply_id cmd_rset(struct session *s, const struct smtp_command *c);
enum reply_id cmd_noop(struct session *s, const struct smtp_command *c);
enum reply_id cmd_quit(struct session *s, const struct smtp_command *c);
enum reply_id cmd_vrfy(struct session *s, const struct smtp_command *c);
enum reply_id cmd_expn(struct session *s, const struct smtp_command *c);
enum reply_id cmd_help(struct session *s, const struct smtp_command *c);

/* Take what fits from in and say how much. */
size_t data_input(struct session *s, struct str in);
size_t bdat_input(struct session *s, struct str in);
/* A line of a SASL exchange. */
void auth_line(struct session *s, struct str line);

/* MAIL parameters that this session was offered. */
unsigned cmd_params(const struct session *s);
/* Mechanisms for EHLO: "AUTH PLAIN LOGIN ..."; false when there are none. */
bool auth_keyword(const struct session *s, struct buf *b);

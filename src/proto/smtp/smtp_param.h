/* SPDX-License-Identifier: ISC */
/*
 * smtp_param.h - the ESMTP parameters behind MAIL FROM:<> and RCPT TO:<>.
 *
 * A part of smtp_command, in its own file for its length. Layer: proto.
 */
#pragma once

#include "proto/smtp/smtp_command.h"

/*
 * Parse what follows the path. The path is in *cmd already; the parameters
 * are added, cmd->culprit is set on failure.
 */
enum smtp_command_error smtp_mail_params(struct arena *a, struct str in,
    unsigned allowed, struct smtp_command *cmd) WARN_UNUSED;
enum smtp_command_error smtp_rcpt_params(struct arena *a, struct str in,
    unsigned allowed, struct smtp_command *cmd) WARN_UNUSED;

/* SPDX-License-Identifier: ISC */
/* smtp.h - the smtp process: MX, submission, submissions, LMTP. */
#pragma once

int smtp_main(void);

/* SPDX-License-Identifier: ISC */
/* main.h - the entry of the imap role; the answer is the exit status. */
#pragma once

int imap_main(void);

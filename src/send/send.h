/* SPDX-License-Identifier: ISC */
/* send.h - the entry point of role send. */
#pragma once

int send_main(void);

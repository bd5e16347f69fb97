/* SPDX-License-Identifier: ISC */
/* store.h - the store process. */
#pragma once

/* Runs the role to its end; the answer is the exit status. */
int store_main(void);

/* SPDX-License-Identifier: ISC */
/* acme.h - the entry point of the acme role. */
#pragma once

int acme_main(void);

/* SPDX-License-Identifier: ISC */
/* web.h - the web role's entry point; the answer is the exit status. */
#pragma once

int web_main(void);

/* SPDX-License-Identifier: ISC */
/* watch.h - the watch role's entry point. */
#pragma once

int watch_main(void);

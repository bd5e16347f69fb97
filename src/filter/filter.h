/* SPDX-License-Identifier: ISC */
/* filter.h - the filter process: analyses one message at a time. */
#pragma once

int filter_main(void);

/* SPDX-License-Identifier: ISC */
/*
 * reach_profile_internal.h - units and limits of a profile, for the files that learn
 * it (reach_profile.c) and that keep it (reach_profile_page.c).
 */
#pragma once

#include "proto/reach/reach_profile.h"

#define PHI_FIRST   (8 * 256) /* caution, until it is known */
#define FAILING_ONE 65536.0
#define MEAN_MAX    (1U << 30)
#define WEEKS_MAX   255
#define CLIENTS_MAX 16
#define ONE         256.0

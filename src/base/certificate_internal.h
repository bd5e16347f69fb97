/* SPDX-License-Identifier: ISC */
/* certificate_internal.h - what the files of certificates share. */
#pragma once

#include "base/certificate.h"

typedef struct evp_pkey_st EVP_PKEY;

/* Any private key; NULL when it is none. EVP_PKEY_free() frees it. */
EVP_PKEY *certificate_read_key(struct str pem);

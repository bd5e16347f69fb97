/* SPDX-License-Identifier: ISC */
/*
 * reach_asdb.c - a data base of networks in MaxMind's format, such as
 * GeoLite2-ASN.mmdb. The one wrapper of libmaxminddb, which maps the file:
 * opened before the sandbox, it can be read behind it.
 */
#include "watch/reach/reach_internal.h"

#include <arpa/inet.h>
#include <maxminddb.h>

struct asdb {
	MMDB_s db;
};

int
asdb_open(const char *path, struct asdb **ret, char **ret_error)
{
	struct asdb *a = X_NEW(struct asdb);
	int r = MMDB_open(path, MMDB_MODE_MMAP, &a->db);

	if (r != MMDB_SUCCESS) {
		*ret_error = x_asprintf("%s: %s", path, MMDB_strerror(r));
		free(a);
		return -EINVAL;
	}
	*ret = a;
	return 0;
}

void
asdb_close(struct asdb *a)
{
	if (a == NULL)
		return;
	MMDB_close(&a->db);
	free(a);
}

static void
get_name(MMDB_entry_s *entry, char ret[REACH_AS_NAME_MAX + 1])
{
	MMDB_entry_data_s data;

	ret[0] = '\0';
	if (MMDB_get_value(entry, &data, "autonomous_system_organization",
		NULL) == MMDB_SUCCESS &&
	    data.has_data && data.type == MMDB_DATA_TYPE_UTF8_STRING)
		reach_as_name(str_make(data.utf8_string, data.data_size), ret);
}

bool
asdb_find(struct asdb *a, unsigned family, const uint8_t address[16],
    uint32_t *ret_as, char ret_name[REACH_AS_NAME_MAX + 1])
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	const struct sockaddr *sa =
	    family == 4 ? (const void *)&in4 : (const void *)&in6;
	MMDB_entry_data_s data;
	MMDB_lookup_result_s found;
	int error;

	memcpy(&in4.sin_addr, address, 4);
	memcpy(&in6.sin6_addr, address, 16);
	found = MMDB_lookup_sockaddr(&a->db, sa, &error);
	if (error != MMDB_SUCCESS || !found.found_entry ||
	    MMDB_get_value(&found.entry, &data, "autonomous_system_number",
		NULL) != MMDB_SUCCESS ||
	    !data.has_data || data.type != MMDB_DATA_TYPE_UINT32 ||
	    data.uint32 == 0)
		return false;
	*ret_as = data.uint32;
	get_name(&found.entry, ret_name);
	return true;
}

/* SPDX-License-Identifier: ISC */
/*
 * index.c - wraps LMDB. See index.h.
 *
 * The map is address space, not disk: it is made so large that it never has
 * to grow, because growing needs a moment without transactions.
 */
#include "store/local/index.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_BYTES     (1ull << 40)
#define MAP_MIN_BYTES (1ull << 30)

struct index {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi[INDEX_TABLES];
	bool is_read_only;
	uint64_t reserved; /* the file has real blocks up to here */
};

struct index_cursor {
	MDB_cursor *c;
};

static int
index_err(int r)
{
	if (r <= 0)
		return r == 0 ? 0 : -EIO; /* LMDB's own codes are negative */
	return -r;
}

static MDB_val
to_val(struct str s)
{
	/* LMDB takes pointers to non-const, but does not write there. */
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct str
from_val(MDB_val v)
{
	return str_make(v.mv_data, v.mv_size);
}

/* The address space is shared with everything else in the process. */
static size_t
map_size(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_AS, &rl) < 0 || rl.rlim_cur == RLIM_INFINITY ||
	    rl.rlim_cur / 2 >= MAP_BYTES)
		return MAP_BYTES;
	return (size_t)(rl.rlim_cur / 2) & ~(size_t)0xfffff;
}

static int
open_tables(struct index *ix)
{
	static const char *const names[INDEX_TABLES] = { "kv", "blob", "meta" };
	unsigned flags = ix->is_read_only ? 0 : MDB_CREATE;

	for (size_t i = 0; i < INDEX_TABLES; i++) {
		int r = mdb_dbi_open(ix->txn, names[i], flags, &ix->dbi[i]);

		if (r != 0)
			return index_err(r);
	}
	return 0;
}

static int
begin(struct index *ix)
{
	return index_err(mdb_txn_begin(
	    ix->env, NULL, ix->is_read_only ? MDB_RDONLY : 0, &ix->txn));
}

static int
open_env(struct index *ix, const char *path, size_t map)
{
	/* Keys are asked for here and there: what lies beside one would only
	 * push out what is needed when memory is short. */
	unsigned flags =
	    MDB_NOTLS | MDB_NORDAHEAD | (ix->is_read_only ? MDB_RDONLY : 0);
	int r = index_err(mdb_env_create(&ix->env));

	if (r == 0)
		r = index_err(mdb_env_set_maxdbs(ix->env, INDEX_TABLES));
	if (r == 0)
		r = index_err(mdb_env_set_mapsize(ix->env, map));
	if (r == 0)
		r = index_err(mdb_env_open(ix->env, path, flags, 0600));
	if (r < 0 && ix->env) {
		mdb_env_close(ix->env);
		ix->env = NULL;
	}
	return r;
}

int
index_open(const char *path, bool is_read_only, struct index **ret)
{
	struct index *ix = X_NEW(struct index);
	size_t map = map_size();
	int r;

	ix->is_read_only = is_read_only;
	/* Some systems do not have so much address space to give. */
	do
		r = open_env(ix, path, map);
	while (r == -ENOMEM && (map /= 4) >= MAP_MIN_BYTES);
	if (r == 0)
		r = begin(ix);
	if (r == 0)
		r = open_tables(ix);
	/* Handles of tables outlive only a transaction that commits. */
	if (r == 0)
		r = index_commit(ix);
	if (r < 0) {
		index_close(ix);
		return r;
	}
	*ret = ix;
	return 0;
}

void
index_close(struct index *ix)
{
	if (!ix)
		return;
	if (ix->txn)
		mdb_txn_abort(ix->txn);
	if (ix->env)
		mdb_env_close(ix->env);
	free(ix);
}

int
index_remove(const char *path)
{
	static const char *const names[] = { "data.mdb", "lock.mdb" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *p = x_asprintf("%s/%s", path, names[i]);

		if (unlink(p) < 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int
index_reserve(struct index *ix, uint64_t bytes)
{
	MDB_envinfo info;
	MDB_stat st;
	uint64_t end;
	int fd, r;

	r = mdb_env_info(ix->env, &info);
	if (r == 0)
		r = mdb_env_stat(ix->env, &st);
	if (r == 0)
		r = mdb_env_get_fd(ix->env, &fd);
	if (r != 0)
		return index_err(r);
	end = (info.me_last_pgno + 1) * st.ms_psize;
	if (ix->reserved >= end + bytes / 2)
		return 0;
	/* The size stays as it is: LMDB takes it for its own mark. */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)(end + bytes)) < 0)
		return -errno;
	ix->reserved = end + bytes;
	return 0;
}

int
index_commit(struct index *ix)
{
	int r = index_err(mdb_txn_commit(ix->txn));

	ix->txn = NULL;
	return r < 0 ? r : begin(ix);
}

int
index_refresh(struct index *ix)
{
	mdb_txn_reset(ix->txn);
	return index_err(mdb_txn_renew(ix->txn));
}

int
index_get(
    struct index *ix, enum index_table t, struct str key, struct str *ret_val)
{
	MDB_val k = to_val(key), v;
	int r = mdb_get(ix->txn, ix->dbi[t], &k, &v);

	if (r == MDB_NOTFOUND)
		return 0;
	if (r != 0)
		return index_err(r);
	*ret_val = from_val(v);
	return 1;
}

int
index_put(struct index *ix, enum index_table t, struct str key, size_t size,
    char **ret_room)
{
	MDB_val k = to_val(key), v = { size, NULL };
	int r = mdb_put(ix->txn, ix->dbi[t], &k, &v, MDB_RESERVE);

	if (r != 0)
		return index_err(r);
	*ret_room = v.mv_data;
	return 0;
}

int
index_del(struct index *ix, enum index_table t, struct str key)
{
	MDB_val k = to_val(key);
	int r = mdb_del(ix->txn, ix->dbi[t], &k, NULL);

	if (r == MDB_NOTFOUND)
		return 0;
	return r == 0 ? 1 : index_err(r);
}

uint64_t
index_count(struct index *ix, enum index_table t)
{
	MDB_stat st;

	return mdb_stat(ix->txn, ix->dbi[t], &st) == 0 ? st.ms_entries : 0;
}

/* --- cursors -------------------------------------------------------------- */

struct index_cursor *
index_cursor_new(struct index *ix, enum index_table t)
{
	struct index_cursor *c = X_NEW(struct index_cursor);

	if (mdb_cursor_open(ix->txn, ix->dbi[t], &c->c) != 0)
		die("index: out of memory for a cursor");
	return c;
}

void
index_cursor_free(struct index_cursor *c)
{
	if (!c)
		return;
	mdb_cursor_close(c->c);
	free(c);
}

void
index_cursor_freep(struct index_cursor **c)
{
	index_cursor_free(*c);
}

static int
cursor_get(struct index_cursor *c, MDB_val *k, MDB_cursor_op op,
    struct str *ret_key, struct str *ret_val)
{
	MDB_val v;
	int r = mdb_cursor_get(c->c, k, &v, op);

	if (r == MDB_NOTFOUND)
		return 0;
	if (r != 0)
		return index_err(r);
	*ret_key = from_val(*k);
	*ret_val = from_val(v);
	return 1;
}

int
index_move(struct index_cursor *c, enum index_move how, struct str *ret_key,
    struct str *ret_val)
{
	static const MDB_cursor_op ops[] = {
		[INDEX_FIRST] = MDB_FIRST,
		[INDEX_LAST] = MDB_LAST,
		[INDEX_NEXT] = MDB_NEXT,
		[INDEX_PREV] = MDB_PREV,
	};
	MDB_val k = { 0, NULL };

	return cursor_get(c, &k, ops[how], ret_key, ret_val);
}

int
index_seek(struct index_cursor *c, struct str key, struct str *ret_key,
    struct str *ret_val)
{
	MDB_val k = to_val(key);

	return cursor_get(c, &k, MDB_SET_RANGE, ret_key, ret_val);
}

int
index_cursor_del(struct index_cursor *c)
{
	return index_err(mdb_cursor_del(c->c, 0));
}

/* SPDX-License-Identifier: ISC */
/* worker.c - scratch of the helper threads. See worker.h. */
#include "store/local/worker.h"

#include "store/local/frame.h"
#include "store/local/record.h"

#define SCRATCH_KEEP MIB(1)

static void *
begin(void *dict)
{
	struct worker *w = X_NEW(struct worker);

	w->z = zblob_new(dict);
	w->in = BUF_INIT(ENGINE_BLOB_MAX + MIB(1));
	w->out = BUF_INIT(RECORD_DATA_MAX);
	return w;
}

static void
rest(void *own)
{
	struct worker *w = own;

	buf_reset(&w->in, SCRATCH_KEEP);
	buf_reset(&w->out, SCRATCH_KEEP);
}

static void
end(void *own)
{
	struct worker *w = own;

	zblob_free(w->z);
	buf_done(&w->in);
	buf_done(&w->out);
	free(w);
}

struct pool *
worker_pool_new(unsigned threads, int event_fd, struct zblob_dict *dict)
{
	return pool_new(&(struct pool_config){
	    .threads = threads,
	    .event_fd = event_fd,
	    .begin = begin,
	    .rest = rest,
	    .end = end,
	    .arg = dict,
	});
}

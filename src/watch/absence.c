/* SPDX-License-Identifier: ISC */
/*
 * absence.c - for how long nobody watched before this process began.
 *
 * A file of 8 bytes says when there was a watcher last, by the wall clock; it is
 * written over each few seconds. A restart is no absence; a stop, a crash or a power cut
 * of a minute is, and told when contacts and checks are known.
 */
#include "base/log.h"
#include "base/wire.h"
#include "watch/alert/alert.h"

#include <fcntl.h>
#include <unistd.h>

#define NOTE_MS 5000
#define FILE_AT "watched.at"

struct absence {
	struct server *sv;
	int fd;          /* -1: it could not be opened */
	bool has_failed; /* and that was logged */
	uint64_t noted_ms;
	uint64_t from_ms, to_ms; /* to be told; 0: there is nothing */
};

/* Once, not each few seconds. */
static void
log_failure(struct absence *a)
{
	if (!a->has_failed)
		log_event(EV_WATCH_HISTORY, LC("file", FILE_AT),
		    LC("error", strerror(errno)));
	a->has_failed = true;
}

static uint64_t
read_last(const struct absence *a)
{
	uint8_t bytes[8];

	if (pread(a->fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
		return 0;
	return be64_get(bytes);
}

struct absence *
absence_new(struct server *sv)
{
	CLEANUP(freep) char *path = x_asprintf("%s/%s", sv->dir, FILE_AT);
	struct absence *a = X_NEW(struct absence);
	uint64_t last, now = loop_time_ms(sv->loop);

	a->sv = sv;
	a->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (a->fd < 0)
		log_failure(a);
	last = a->fd >= 0 ? read_last(a) : 0;
	/* A clock that went back is no absence. */
	if (last > 0 && now >= last + SERVER_ABSENCE_MS) {
		a->from_ms = last;
		a->to_ms = now;
	}
	return a;
}

void
absence_note(struct absence *a)
{
	uint8_t bytes[8];

	be64_put(bytes, loop_time_ms(a->sv->loop));
	a->noted_ms = server_now_ms();
	/* Where it has its block already a full disk does not matter. */
	if (a->fd >= 0 && pwrite(a->fd, bytes, sizeof(bytes), 0) < 0)
		log_failure(a);
}

void
absence_tick(struct absence *a)
{
	struct server *sv = a->sv;

	if (server_now_ms() >= a->noted_ms + NOTE_MS)
		absence_note(a);
	if (a->from_ms == 0 || sv->set.checks == NULL)
		return;
	/* Where nothing is watched nobody misses it. */
	if (sv->n_watched > 0)
		alert_absence(
		    sv, a->from_ms, a->to_ms, "the watcher did not run");
	a->from_ms = 0;
}

struct absence *
absence_free(struct absence *a)
{
	closep(&a->fd);
	free(a);
	return NULL;
}

/* SPDX-License-Identifier: ISC */
/*
 * fixture.h - a store in a folder of its own, for tests of store/mail and
 * store/dir: the real local engine without helper threads.
 */
#pragma once

#include "../../test.h"
#include "proto/imap/imap_flags.h"
#include "store/dir/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char dir[64];
	struct engine *engine;
	struct mail *mail;
	struct dir *d;
	uint64_t now;
	uint32_t undelete_days;
	unsigned changes; /* how often a mailbox changed */
	struct buf out;   /* the last reply */
	const struct fsops *fs;
	uint64_t segment_bytes; /* 0: a megabyte */
	uint64_t reserve_bytes;
};

static UNUSED uint64_t
fixture_now(void *arg)
{
	return ((struct fixture *)arg)->now;
}

static UNUSED void
fixture_changed(void *arg, UNUSED uint64_t account, UNUSED uint32_t mailbox)
{
	((struct fixture *)arg)->changes++;
}

static UNUSED int
fixture_try_open(struct fixture *f)
{
	struct engine_config ec = { .dir = f->dir,
		.segment_bytes = f->segment_bytes ? f->segment_bytes : MIB(1),
		.fs = f->fs,
		.reserve_bytes = f->reserve_bytes,
		.index_commit_ms = f->fs ? 1 : 0 };
	struct engine_open_report report;
	int r = engine_open(&ec, &report, &f->engine);

	if (r < 0)
		return r;
	f->mail = mail_new(&(struct mail_config){ .engine = f->engine,
	    .now = fixture_now,
	    .changed = fixture_changed,
	    .arg = f,
	    .undelete_days = f->undelete_days,
	    .cache_accounts = 2 });
	f->d = dir_new(&(struct dir_config){ .engine = f->engine,
	    .mail = f->mail,
	    .now = fixture_now,
	    .arg = f,
	    .undelete_days = f->undelete_days });
	return 0;
}

static UNUSED void
fixture_open(struct fixture *f)
{
	int r = fixture_try_open(f);

	if (r < 0)
		fail_msg("engine_open: %d", r);
}

static UNUSED void
fixture_close(struct fixture *f)
{
	engine_close(f->engine);
	dir_free(f->d);
	mail_free(f->mail);
	f->engine = NULL;
}

static UNUSED void
remove_tree(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *p;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		p = x_asprintf("%s/%s", path, e->d_name);
		if (unlink(p) < 0)
			remove_tree(p);
		free(p);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

static UNUSED void
fixture_start(struct fixture *f)
{
	*f = (struct fixture){ .now = 1790000000, .undelete_days = 14 };
	snprintf(f->dir, sizeof(f->dir), "/tmp/mailstead-test-XXXXXX");
	ASSERT(mkdtemp(f->dir));
	buf_init(&f->out, MIB(64));
	fixture_open(f);
}

static UNUSED void
fixture_stop(struct fixture *f)
{
	if (f->engine)
		fixture_close(f);
	buf_done(&f->out);
	remove_tree(f->dir);
}

/* The reply buffer, emptied. */
static UNUSED struct buf *
fresh(struct fixture *f)
{
	buf_reset(&f->out, MIB(1));
	return &f->out;
}

static UNUSED void
fixture_problem(UNUSED void *arg, const char *text)
{
	print_message("problem: %s\n", text);
}

/* Problems that the mail-level check finds in everything. */
static UNUSED uint64_t
count_problems(struct fixture *f)
{
	struct mail_check check = { .problem = fixture_problem };
	uint64_t ids[64];
	int n = engine_shards(f->engine, 'a', 0, ids, ARRAY_LEN(ids));

	ASSERT(n >= 0);
	if (!verdict_is_done(dir_check(f->d, &check)))
		return 1000;
	for (int i = 0; i < n; i++)
		if (dir_is_checked(f->d, ids[i]) &&
		    !verdict_is_done(
			mail_check_account(f->mail, ids[i], &check)))
			return 1000;
	return check.problems;
}

static UNUSED uint64_t
add_user(struct fixture *f, const char *login)
{
	struct msg_user_add q = { .login = str_c(login), .argon2 = STR("x") };
	struct msg_domain_add domain = {
		.name = str_from(
		    str_c(login), (size_t)str_rfind(str_c(login), 0x40) + 1)
	};
	uint64_t account = 0;

	(void)verdict_is_done(dir_domain_add(f->d, &domain));
	if (!verdict_is_done(dir_user_add(f->d, &q)) ||
	    !verdict_is_done(dir_account(f->d, q.login, &account)))
		fail_msg("cannot add %s", login);
	return account;
}

static UNUSED void
keep_ticket(void *arg, int err, struct engine_ticket *t)
{
	ASSERT(err == 0);
	*(struct engine_ticket **)arg = t;
}

/* Bytes stored, not referred to yet. */
static UNUSED struct engine_ticket *
ticket_of(struct fixture *f, struct str bytes)
{
	struct engine_source src = { .fd = -1, .size = bytes.n, .mem = bytes };
	struct engine_ticket *t = NULL;

	engine_blob_put(f->engine, &src, keep_ticket, &t);
	while (!t)
		engine_dispatch(f->engine);
	return t;
}

/* A list of msg_text in b from words divided by blanks. */
static UNUSED struct str
texts(struct buf *b, const char *words)
{
	struct str rest = str_c(words), word;

	buf_reset(b, 0);
	while (rest.n) {
		struct msg_text t;

		rest = str_split(rest, ' ', &word);
		t.text = word;
		msg_text_put(b, &t);
	}
	return buf_str(b);
}

/* Append one message; its UID, or 0 and *ret_v. */
struct append_one {
	const char *mailbox;
	struct str bytes;
	uint32_t flags;
	const char *keywords;
	const char *dedupe;
};
static UNUSED uint32_t
append_to(struct fixture *f, uint64_t account, const struct append_one *a,
    struct verdict *ret_v)
{
	struct buf kw = BUF_INIT(KIB(8));
	struct mail_append_item item = {
		.msg = { .size = a->bytes.n,
		    .flags = a->flags,
		    .keywords = texts(&kw, a->keywords ? a->keywords : ""),
		    .dedupe = str_c(a->dedupe),
		    .structure = STR("structure") },
	};
	struct msg_append_reply reply = { 0 };
	struct verdict v;

	if (a->bytes.n)
		item.ticket = ticket_of(f, a->bytes);
	v = mail_append(
	    f->mail, account, str_c(a->mailbox), &item, 1, fresh(f));
	engine_ticket_free(item.ticket);
	buf_done(&kw);
	if (ret_v)
		*ret_v = v;
	if (!verdict_is_done(v) ||
	    !msg_append_reply_get(buf_str(&f->out), &reply))
		return 0;
	return reply.count ? reply.first_uid : 0;
}

static UNUSED uint32_t
add_message(
    struct fixture *f, uint64_t account, const char *mailbox, const char *text)
{
	struct append_one a = { .mailbox = mailbox, .bytes = str_c(text) };
	uint32_t uid = append_to(f, account, &a, NULL);

	ASSERT(uid);
	return uid;
}

/* The state of a mailbox; its name points into f->out. */
static UNUSED bool
status_of(struct fixture *f, uint64_t account, const char *name,
    struct msg_mailbox *ret)
{
	struct msg_mailbox_status q = { .name = str_c(name) };
	struct msg_mailbox_status_reply reply;

	return verdict_is_done(mail_status(f->mail, account, &q, fresh(f))) &&
	       msg_mailbox_status_reply_get(buf_str(&f->out), &reply) &&
	       msg_mailbox_get(reply.mailbox, ret);
}

static UNUSED uint32_t
mailbox_id(struct fixture *f, uint64_t account, const char *name)
{
	struct msg_mailbox mb;

	return status_of(f, account, name, &mb) ? mb.id : 0;
}

/* A set of one range, in a buffer that the test frees. */
static UNUSED struct str
range_set(struct buf *b, uint32_t first, uint32_t last)
{
	buf_reset(b, 0);
	uid_set_add(b, first, last);
	return buf_str(b);
}

static UNUSED struct verdict
set_flags(struct fixture *f, uint64_t account, struct msg_flags q,
    uint32_t first, uint32_t last)
{
	struct buf set = BUF_INIT(KIB(1));
	struct verdict v;

	q.uids = range_set(&set, first, last);
	v = mail_flags(f->mail, account, &q, fresh(f));
	buf_done(&set);
	return v;
}

static UNUSED struct verdict
copy_to(struct fixture *f, uint64_t account, uint32_t from, const char *to,
    bool is_move)
{
	struct buf set = BUF_INIT(KIB(1));
	struct msg_copy q = { .mailbox = from,
		.uids = range_set(&set, 1, UINT32_MAX),
		.to_name = str_c(to),
		.is_move = is_move };
	struct verdict v = mail_copy(f->mail, account, &q, fresh(f));

	buf_done(&set);
	return v;
}

static UNUSED struct verdict
expunge(struct fixture *f, uint64_t account, uint32_t mailbox, uint32_t first,
    uint32_t last, bool is_any)
{
	struct buf set = BUF_INIT(KIB(1));
	struct msg_expunge q = { .mailbox = mailbox,
		.uids = range_set(&set, first, last),
		.is_any_flag = is_any };
	struct verdict v = mail_expunge(f->mail, account, &q, fresh(f));

	buf_done(&set);
	return v;
}

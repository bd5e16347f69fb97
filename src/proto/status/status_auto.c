/* SPDX-License-Identifier: ISC */
/* status_auto.c - what the program writes by itself. See status_auto.h. */
#include "proto/status/status_auto.h"

#include "proto/status/status_auto_words.h"
#include "proto/status/status_news.h"
#include "proto/status/status_post_edit.h"

#include <time.h>

/* Of what is back, a fifth of after_s and the whole of it three times. */
#define STEADY_PART 5
#define CALM_TIMES  3

/* --- judging -------------------------------------------------------------------- */

bool
status_auto_owns(const struct status_post *p)
{
	return p->is_auto && p->edited_s == 0 && p->kind == STATUS_INCIDENT &&
	       status_post_is_open(p);
}

static bool
is_named(const struct status_auto *a, struct str id, enum status_impact *ret)
{
	*ret = STATUS_IMPACT_NONE;
	return a->post != NULL &&
	       status_affects_find(&a->post->affects, id, ret);
}

static uint64_t
lasts(const struct status_auto *a, const struct status_auto_system *s)
{
	return a->now_s > s->since_s ? a->now_s - s->since_s : 0;
}

static bool
is_left_alone(const struct status_auto_system *s)
{
	return s->is_excused || s->is_spoken_for;
}

/* What was said to be down is so until it has answered for a moment. */
static bool
is_down(const struct status_auto *a, const struct status_auto_system *s,
    bool was_down)
{
	if (is_left_alone(s))
		return false;
	if (was_down)
		return s->is != STATUS_AUTO_UP ||
		       lasts(a, s) < a->after_s / STEADY_PART;
	return s->is == STATUS_AUTO_DOWN && lasts(a, s) >= a->after_s;
}

struct count {
	size_t was, kept, joined; /* down */
	bool is_restless; /* what the post names has not been up for long */
};

static bool
count_system(const struct status_auto *a, const struct status_auto_system *s,
    struct count *c, struct status_affects *ret)
{
	enum status_impact was;
	bool has_name = is_named(a, s->id, &was);
	bool was_down = was == STATUS_IMPACT_DOWN;
	bool is = is_down(a, s, was_down);
	struct status_fault fault;

	if (!has_name && !is)
		return true;
	if (!status_affects_add(ret, s->id,
		is ? STATUS_IMPACT_DOWN : STATUS_IMPACT_NONE, &fault))
		return false; /* more than a post names */
	c->kept += is && was_down;
	c->joined += is && !was_down;
	c->is_restless |=
	    !is_left_alone(s) &&
	    (s->is != STATUS_AUTO_UP || lasts(a, s) < CALM_TIMES * a->after_s);
	return true;
}

static size_t
count_down(const struct status_affects *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += a->v[i].impact == STATUS_IMPACT_DOWN;
	return n;
}

enum status_auto_step
status_auto_judge(const struct status_auto *a, struct status_affects *ret)
{
	struct count c = { .was = a->post ? count_down(&a->post->affects) : 0 };

	ret->n = 0;
	for (size_t i = 0; i < a->n; i++)
		if (!count_system(a, &a->v[i], &c, ret))
			break;
	if (a->post == NULL)
		return c.joined > 0 ? STATUS_AUTO_OPEN : STATUS_AUTO_NOTHING;
	if (c.joined > 0)
		return c.was > 0 ? STATUS_AUTO_MORE : STATUS_AUTO_AGAIN;
	if (c.kept < c.was)
		return c.kept > 0 ? STATUS_AUTO_FEWER : STATUS_AUTO_BACK;
	if (c.was > 0 || c.is_restless)
		return STATUS_AUTO_NOTHING;
	return STATUS_AUTO_RESOLVE;
}

/* --- writing -------------------------------------------------------------------- */

static const struct status_auto_system *
find(const struct status_auto *a, struct str id)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->v[i].id, id))
			return &a->v[i];
	return NULL;
}

static enum status_auto_how
how_is(const struct status_auto *a, struct str id)
{
	const struct status_auto_system *s = find(a, id);

	/* What was down before, and is not seen any more, is not seen to fail. */
	return s != NULL && s->is == STATUS_AUTO_DOWN ? s->how
	                                              : STATUS_AUTO_FAILS;
}

static void
put_item(const struct status_auto *a, struct str id, struct buf *to)
{
	const struct status_auto_language *l =
	    status_auto_language(a->language);
	const struct status_auto_system *s = find(a, id);
	bool is_down = s != NULL && s->is == STATUS_AUTO_DOWN;
	time_t seconds = is_down ? (time_t)s->since_s : 0;
	struct status_auto_fill fill = { .id = id };
	char text[40];
	struct tm tm;

	buf_put_c(to, "- ");
	status_auto_put(to, l->how[how_is(a, id)].item, &fill);
	if (is_down && gmtime_r(&seconds, &tm) != NULL &&
	    strftime(text, sizeof(text), "%H:%M UTC", &tm) > 0) {
		fill.time = str_c(text);
		status_auto_put(to, l->words[STATUS_AUTO_W_ITEM], &fill);
	}
	buf_put_char(to, '\n');
}

static void
put_list(const struct status_auto *a, const struct status_affects *affects,
    struct buf *to)
{
	const struct status_auto_language *l =
	    status_auto_language(a->language);
	size_t n = 0;

	buf_put_c(to, "\n\n");
	for (size_t i = 0; i < affects->n; i++)
		if (affects->v[i].impact == STATUS_IMPACT_DOWN &&
		    n++ < STATUS_AUTO_NAMED)
			put_item(a, affects->v[i].system, to);
	if (n > STATUS_AUTO_NAMED) {
		buf_put_c(to, "- ");
		status_auto_put(to, l->words[STATUS_AUTO_W_OTHERS],
		    &(struct status_auto_fill){
			.number = n - STATUS_AUTO_NAMED });
		buf_put_char(to, '\n');
	}
}

/* All of a new post are down. */
static void
put_title(const struct status_auto *a, const struct status_affects *affects,
    struct buf *to)
{
	const struct status_auto_language *l =
	    status_auto_language(a->language);
	const struct status_auto_fill fill = { .id = affects->v[0].system,
		.number = affects->n - 1 };
	bool is_silent = true;

	if (affects->n == 1) {
		status_auto_put(
		    to, l->how[how_is(a, affects->v[0].system)].title, &fill);
		return;
	}
	for (size_t i = 0; i < affects->n; i++)
		is_silent &=
		    how_is(a, affects->v[i].system) == STATUS_AUTO_SILENT;
	status_auto_put(to,
	    l->words[is_silent ? STATUS_AUTO_W_SEVERAL : STATUS_AUTO_W_MIXED],
	    &fill);
}

/* For how long all that the post names has been answering. */
static size_t
calm_minutes(const struct status_auto *a)
{
	uint64_t least = UINT64_MAX;
	enum status_impact was;

	for (size_t i = 0; i < a->n; i++)
		if (is_named(a, a->v[i].id, &was) && !is_left_alone(&a->v[i]))
			least = MIN(least, lasts(a, &a->v[i]));
	/* None of them is there any more. */
	if (least == UINT64_MAX)
		least = CALM_TIMES * a->after_s;
	return (size_t)(least / 60);
}

void
status_auto_post(const struct status_auto *a,
    const struct status_affects *affects, struct buf *text,
    struct status_post *ret)
{
	const struct status_auto_language *l =
	    status_auto_language(a->language);
	struct status_post p = status_post_begin(STATUS_INCIDENT, a->now_s);
	size_t title;

	ASSERT(affects->n > 0);
	put_title(a, affects, text);
	title = text->n;
	buf_put_c(text, l->words[STATUS_AUTO_W_DOWN]);
	put_list(a, affects, text);
	buf_printf(text, "\n%s", l->words[STATUS_AUTO_W_AUTO]);
	p.title = str_first(buf_str(text), title);
	p.body = str_from(buf_str(text), title);
	p.language = status_news_language(a->language);
	p.affects = *affects;
	p.is_auto = true;
	*ret = p;
}

void
status_auto_update(const struct status_auto *a, enum status_auto_step step,
    const struct status_affects *affects, struct buf *text,
    struct status_update *ret)
{
	static const enum status_auto_word words[] = {
		[STATUS_AUTO_MORE] = STATUS_AUTO_W_MORE,
		[STATUS_AUTO_FEWER] = STATUS_AUTO_W_FEWER,
		[STATUS_AUTO_BACK] = STATUS_AUTO_W_BACK,
		[STATUS_AUTO_AGAIN] = STATUS_AUTO_W_AGAIN,
		[STATUS_AUTO_RESOLVE] = STATUS_AUTO_W_RESOLVED,
	};
	const char *word =
	    status_auto_language(a->language)->words[words[step]];
	struct status_update u = status_update_begin(a->post, a->now_s);

	ASSERT(step >= STATUS_AUTO_MORE);
	status_auto_put(text, word,
	    &(struct status_auto_fill){ .number = calm_minutes(a) });
	if (count_down(affects) > 0)
		put_list(a, affects, text);
	u.body = buf_str(text);
	u.affects = *affects;
	u.state = step == STATUS_AUTO_RESOLVE ? STATUS_RESOLVED
	          : step == STATUS_AUTO_BACK  ? STATUS_MONITORING
	                                      : STATUS_INVESTIGATING;
	u.is_quiet = step != STATUS_AUTO_MORE && step != STATUS_AUTO_RESOLVE;
	u.is_auto = true;
	*ret = u;
}

/* SPDX-License-Identifier: ISC */
/* news_write.c - one piece of news for one subscriber. */
#include "base/crypt.h"
#include "base/hash.h"
#include "proto/http/http_text.h"
#include "watch/news/news_internal.h"
#include "watch/outbox/outbox.h"

#define EXPIRY_MS (2ULL * 86400 * 1000)
#define PLAIN_MAX 120 /* bytes of a subscriber in the key of a message */

uint64_t
news_hash(struct str message_key)
{
	return hash64(message_key.p, message_key.n);
}

/* "n/NNNNNNNN/SSSS/TO"; who is longer is named by a digest. */
static void
put_key(struct buf *to, const struct news_item *item, struct str who)
{
	struct crypt_digest *d;
	struct crypt_sum sum;

	buf_printf(to, "n/%s/", item->key.p);
	if (who.n <= PLAIN_MAX) {
		buf_put_str(to, who);
		return;
	}
	d = crypt_digest_new(CRYPT_SHA256);
	crypt_digest_put(d, who);
	crypt_digest_finish(d, &sum);
	crypt_digest_free(d);
	for (size_t i = 0; i < 32; i++)
		buf_printf(to, "%02x", sum.v[i]);
}

static bool
is_known(const struct news_known *known, struct str key)
{
	struct buf whole = BUF_INIT(LEDGER_KEY_MAX);
	uint64_t h;

	if (known->n == 0)
		return false;
	buf_put_c(&whole, STATUS_TOLD_MESSAGE);
	buf_put_str(&whole, key);
	h = news_hash(buf_str(&whole));
	buf_done(&whole);
	for (size_t i = 0; i < known->n; i++)
		if (known->hashes[i] == h)
			return true;
	return false;
}

static void
put_leave(const struct server *sv, struct str to,
    const struct status_subscriber *s, struct buf *url)
{
	struct buf token = BUF_INIT(KIB(1));

	status_subscriber_put_leave(to, s, &token);
	server_put_site(sv, url);
	buf_put_c(url, "/unsubscribe?to=");
	http_encode(url, to);
	buf_put_c(url, "&token=");
	http_encode(url, buf_str(&token));
	buf_done(&token);
}

/* A text that does not fit is left out: the link leads to it. */
static void
put_text(struct status_news *n, bool is_hook, struct buf *to)
{
	struct status_post post = *n->post;
	struct status_update update = { 0 };

	(is_hook ? status_news_json : status_news_body)(n, to);
	if (!to->failed)
		return;
	buf_reset(to, 0);
	post.body = STR_NONE;
	n->post = &post;
	if (n->update != NULL) {
		update = *n->update;
		update.body = STR_NONE;
		n->update = &update;
	}
	(is_hook ? status_news_json : status_news_body)(n, to);
}

static void
add(struct server *sv, struct str key, struct status_message *m,
    struct status_news *n)
{
	struct buf subject = BUF_INIT(STATUS_SUBJECT_MAX);
	struct buf body = BUF_INIT(STATUS_LETTER_MAX);
	struct buf thread = BUF_INIT(KIB(1));

	status_news_subject(n, &subject);
	put_text(n, m->channel == STATUS_BY_WEBHOOK, &body);
	buf_printf(&thread, "post %u", n->number);
	m->subject = buf_str(&subject);
	m->body = buf_str(&body);
	m->thread = buf_str(&thread);
	outbox_add(sv->outbox, key, m);
	buf_done(&subject);
	buf_done(&body);
	buf_done(&thread);
}

void
news_write(struct server *sv, const struct news_item *item, struct str to,
    const struct status_subscriber *s, const struct news_known *known)
{
	const struct conf *c = sv->conf;
	bool is_hook = status_subscriber_is_webhook(to);
	struct buf key = BUF_INIT(LEDGER_KEY_MAX), site = BUF_INIT(KIB(2));
	struct buf leave = BUF_INIT(STATUS_URL_MAX);
	struct status_news n = { .language = s->language,
		.site = str_c(c->site_title[0] ? c->site_title : c->hostname),
		.number = item->number,
		.post = &item->post,
		.update = item->update_number != 0 ? &item->update : NULL };
	struct status_message m = {
		.channel = is_hook ? STATUS_BY_WEBHOOK : STATUS_BY_MAIL,
		.purpose = STATUS_FOR_NEWS,
		.to = to,
		.language = status_news_language(s->language),
		.about = buf_str(&item->key),
		.secret = is_hook ? s->secret : STR_NONE,
	};

	put_key(&key, item, to);
	if (!is_known(known, buf_str(&key))) {
		server_put_site(sv, &site);
		put_leave(sv, to, s, &leave);
		n.url = buf_str(&site);
		n.leave = buf_str(&leave);
		m.unsubscribe = is_hook ? STR_NONE : n.leave;
		m.made_ms = m.next_ms = loop_time_ms(sv->loop);
		m.expires_ms = m.made_ms + EXPIRY_MS;
		add(sv, buf_str(&key), &m, &n);
	}
	buf_done(&key);
	buf_done(&site);
	buf_done(&leave);
}

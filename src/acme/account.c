/* SPDX-License-Identifier: ISC */
/*
 * account.c - our account at the authority (RFC 8555 section 7.3). The key is
 * all that is kept: asking for a new account with it finds the one that is
 * there.
 */
#include "acme/server.h"

#include "base/base64.h"

#define BINDING_KEY_MAX 256

struct account {
	struct es256_key *key;
	char *directory;
	char url[ACME_URL_MAX + 1];
	failure_fn fn;
	void *arg;
};

int
account_load(struct server *sv)
{
	const char *directory = sv->conf->acme_directory;
	struct account *a = sv->account;
	struct es256_key *key = NULL;
	int r;

	if (a != NULL && strcmp(a->directory, directory) == 0)
		return 0;
	r = files_account_key(sv, directory, &key);
	if (r < 0)
		return r;
	if (a == NULL)
		a = sv->account = X_NEW(struct account);
	es256_key_free(a->key);
	free(a->directory);
	a->key = key;
	a->directory = x_strdup(directory);
	a->url[0] = '\0';
	calls_reset(sv->calls);
	return 0;
}

const struct es256_key *
account_key(const struct server *sv)
{
	return sv->account->key;
}

struct str
account_url(const struct server *sv)
{
	return str_c(sv->account->url);
}

void
account_forget(struct server *sv)
{
	sv->account->url[0] = '\0';
}

/* --- making sure of it ------------------------------------------------------------ */

static void
end(struct account *a, const struct failure *f)
{
	failure_fn fn = a->fn;

	a->fn = NULL;
	fn(a->arg, f);
}

static void
fail(struct account *a, const char *text)
{
	struct failure f;

	failure_set(&f, "%s", text);
	end(a, &f);
}

/* It is only about letters: go on when the authority does not want it. */
static void
on_contact(void *arg, UNUSED const struct call_result *r)
{
	struct server *sv = arg;

	end(sv->account, NULL);
}

static void
change_contact(struct server *sv)
{
	struct buf payload = BUF_INIT(KIB(1));

	acme_put_contact(&payload, str_c(sv->conf->acme_email));
	call_post(sv,
	    &(struct call_request){
		.url = sv->account->url, .payload = buf_str(&payload) },
	    on_contact, sv);
	buf_done(&payload);
}

static void
on_account(void *arg, const struct call_result *r)
{
	struct server *sv = arg;
	struct account *a = sv->account;
	struct buf contact = BUF_INIT(ACME_BODY_MAX);
	struct acme_url url;
	bool is_valid = false, is_other;

	if (r->failure != NULL) {
		end(a, r->failure);
		return;
	}
	if (!acme_account_read(r->body, &is_valid, &contact) ||
	    !acme_url_parse(r->location, &url)) {
		buf_done(&contact);
		fail(a, "the authority's answer to a new account is none");
		return;
	}
	is_other = !str_eq(buf_str(&contact), str_c(sv->conf->acme_email));
	buf_done(&contact);
	if (!is_valid) {
		fail(a, "the authority has deactivated our account; remove "
			"its key from the folder acme to make another one");
		return;
	}
	memcpy(a->url, r->location.p, r->location.n);
	a->url[r->location.n] = '\0';
	log_event(EV_ACME_ACCOUNT, LS("account", r->location),
	    LC("directory", a->directory));
	if (is_other)
		change_contact(sv);
	else
		end(a, NULL);
}

/* "kid key" of the file; false: it is not like that. */
static bool
put_binding(struct server *sv, struct buf *to)
{
	struct str kid, key = str_trim(secret_str(&sv->binding));
	struct buf mac = BUF_INIT(BINDING_KEY_MAX);
	bool ok;

	while (
	    key.n > 0 && (key.p[key.n - 1] == '\n' || key.p[key.n - 1] == '\r'))
		key.n--;
	key = str_trim(str_split(key, ' ', &kid));
	ok = kid.n > 0 && key.n > 0 && base64url_decode(&mac, key);
	if (ok)
		acme_binding_put(to, sv->account->key, kid, buf_str(&mac),
		    str_c(call_directory(sv)->account));
	buf_done_secret(&mac);
	return ok;
}

static void
on_open(void *arg, const struct failure *f)
{
	struct server *sv = arg;
	struct buf binding = BUF_INIT(KIB(16)), payload = BUF_INIT(KIB(32));

	if (f != NULL) {
		end(sv->account, f);
		return;
	}
	if (sv->account->url[0] != '\0') {
		end(sv->account, NULL);
		return;
	}
	if (sv->binding.n > 0 && !put_binding(sv, &binding)) {
		fail(sv->account,
		    "acme.external_account: the file does not have an "
		    "identifier and a key in base64url, with a blank between");
		return;
	}
	if (sv->binding.n == 0 && call_directory(sv)->wants_binding) {
		fail(sv->account,
		    "the authority wants the account to be bound to one that "
		    "you have there; expected acme.external_account");
		return;
	}
	acme_put_account(&payload, str_c(sv->conf->acme_email),
	    sv->conf->acme_agree, buf_str(&binding));
	call_post(sv,
	    &(struct call_request){ .url = call_directory(sv)->account,
		.payload = buf_str(&payload),
		.is_by_key = true },
	    on_account, sv);
	buf_done(&binding);
	buf_done(&payload);
}

void
account_ensure(struct server *sv, failure_fn fn, void *arg)
{
	sv->account->fn = fn;
	sv->account->arg = arg;
	call_open(sv, on_open, sv);
}

/* SPDX-License-Identifier: ISC */
/* status_news.c - what subscribers are written. See status_news.h. */
#include "proto/status/status_news.h"

#include "base/jsondoc.h"
#include "base/markdown.h"

#include <time.h>

#define WIDTH 72

enum word {
	W_UPDATE,
	W_STATE,
	W_AFFECTED,
	W_NEXT,
	W_PLANNED,
	W_READ,
	W_LEAVE,
	WORDS
};

enum language { EN, FR, PT, LANGUAGES };

static const char *const languages[LANGUAGES] = { "en", "fr", "pt" };
#define LANGUAGES_EXPECTED "a language that news are written in: en, fr or pt"

/* clang-format off */
static const char *const words[LANGUAGES][WORDS] = {
	[EN] = {
		[W_UPDATE] = "Update",
		[W_STATE] = "State",
		[W_AFFECTED] = "Affected",
		[W_NEXT] = "Next update",
		[W_PLANNED] = "Planned",
		[W_READ] = "The whole story",
		[W_LEAVE] = "You get this because you asked for it. To end it",
	},
	[FR] = {
		[W_UPDATE] = "Mise à jour",
		[W_STATE] = "État",
		[W_AFFECTED] = "Concerne",
		[W_NEXT] = "Prochaine nouvelle",
		[W_PLANNED] = "Prévu",
		[W_READ] = "Tout le détail",
		[W_LEAVE] = "Vous recevez ceci parce que vous l'avez demandé. Pour arrêter",
	},
	[PT] = {
		[W_UPDATE] = "Atualização",
		[W_STATE] = "Estado",
		[W_AFFECTED] = "Afeta",
		[W_NEXT] = "Próxima notícia",
		[W_PLANNED] = "Previsto",
		[W_READ] = "Todos os pormenores",
		[W_LEAVE] = "Recebe isto porque o pediu. Para terminar",
	},
};

static const char *const states[LANGUAGES][STATUS_STATES] = {
	[EN] = { "", "investigating", "identified", "monitoring", "resolved", "planned", "in progress", "done" },
	[FR] = { "", "recherche en cours", "cause trouvée", "sous surveillance", "résolu", "prévu", "en cours", "terminé" },
	[PT] = { "", "em investigação", "causa encontrada", "em observação", "resolvido", "previsto", "em curso", "concluído" },
};

static const char *const impacts[LANGUAGES][STATUS_IMPACTS] = {
	[EN] = { "works", "maintenance", "degraded", "partly down", "down" },
	[FR] = { "fonctionne", "maintenance", "dégradé", "en partie en panne", "en panne" },
	[PT] = { "funciona", "manutenção", "degradado", "parcialmente em baixo", "em baixo" },
};
/* clang-format on */

/* LANGUAGES: there is none that fits. */
static enum language
language_find(struct str s)
{
	struct str primary;
	unsigned i = 0;

	(void)str_split(s, '-', &primary);
	while (i < LANGUAGES && !str_eq_case(primary, str_c(languages[i])))
		i++;
	return (enum language)i;
}

static enum language
language_of(struct str s)
{
	enum language l = language_find(s);

	return l < LANGUAGES ? l : EN;
}

bool
status_news_has_language(struct str language, struct status_fault *ret)
{
	if (language_find(language) < LANGUAGES)
		return true;
	return status_fault_set(ret, language, LANGUAGES_EXPECTED);
}

struct str
status_news_language(struct str language)
{
	return str_c(languages[language_of(language)]);
}

static void
put_time(struct buf *to, uint64_t t)
{
	time_t seconds = (time_t)t;
	char text[40];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) != NULL &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm) > 0)
		buf_put_c(to, text);
}

/* --- news: what is true at this point ---------------------------------------------- */

static enum status_state
state_of(const struct status_news *n)
{
	return n->update != NULL ? n->update->state : n->post->state;
}

static const struct status_affects *
affects_of(const struct status_news *n)
{
	return n->update != NULL ? &n->update->affects : &n->post->affects;
}

static uint64_t
next_of(const struct status_news *n)
{
	return n->update != NULL ? n->update->next_update_s
	                         : n->post->next_update_s;
}

static struct str
body_of(const struct status_news *n)
{
	return n->update != NULL ? n->update->body : n->post->body;
}

static void
put_link(const struct status_news *n, struct buf *to)
{
	buf_put_str(to, n->url);
	buf_printf(to, "/posts/%u", n->number);
}

/* --- as a mail ----------------------------------------------------------------------- */

void
status_news_subject(const struct status_news *n, struct buf *to)
{
	enum language l = language_of(n->language);
	enum status_state state = state_of(n);

	buf_printf(to, "[%.*s] ", STR_ARG(n->site));
	if (state != STATUS_STATE_NONE)
		buf_printf(to, "%s: ", states[l][state]);
	else if (n->update != NULL)
		buf_printf(to, "%s: ", words[l][W_UPDATE]);
	buf_put_str(to, n->post->title);
}

static void
put_affected(const struct status_news *n, enum language l, struct buf *to)
{
	const struct status_affects *a = affects_of(n);

	if (a->n == 0)
		return;
	buf_printf(to, "%s:", words[l][W_AFFECTED]);
	for (size_t i = 0; i < a->n; i++)
		buf_printf(to, "%s %.*s (%s)", i > 0 ? "," : "",
		    STR_ARG(a->v[i].system), impacts[l][a->v[i].impact]);
	buf_put_char(to, '\n');
}

static void
put_times(const struct status_news *n, enum language l, struct buf *to)
{
	if (n->post->kind == STATUS_PLANNED && n->post->from_s > 0) {
		buf_printf(to, "%s: ", words[l][W_PLANNED]);
		put_time(to, n->post->from_s);
		buf_put_c(to, " - ");
		put_time(to, n->post->to_s);
		buf_put_c(to, " UTC\n");
	}
	if (next_of(n) > 0) {
		buf_printf(to, "%s: ", words[l][W_NEXT]);
		put_time(to, next_of(n));
		buf_put_c(to, " UTC\n");
	}
}

void
status_news_body(const struct status_news *n, struct buf *to)
{
	enum language l = language_of(n->language);

	buf_put_str(to, n->post->title);
	buf_put_char(to, '\n');
	if (state_of(n) != STATUS_STATE_NONE)
		buf_printf(
		    to, "%s: %s\n", words[l][W_STATE], states[l][state_of(n)]);
	put_affected(n, l, to);
	put_times(n, l, to);
	buf_put_char(to, '\n');
	markdown_text(body_of(n), WIDTH, to);
	buf_printf(to, "\n%s:\n", words[l][W_READ]);
	put_link(n, to);
	if (n->leave.n > 0)
		buf_printf(to, "\n\n-- \n%s:\n%.*s", words[l][W_LEAVE],
		    STR_ARG(n->leave));
	buf_put_char(to, '\n');
}

/* --- as JSON -------------------------------------------------------------------------- */

static void
put_member(struct buf *to, const char *name, struct str value)
{
	buf_printf(to, ",\"%s\":", name);
	jsondoc_put_text(to, value);
}

void
status_news_json(const struct status_news *n, struct buf *to)
{
	const struct status_affects *a = affects_of(n);
	struct buf text = BUF_INIT(to->max);

	buf_printf(to, "{\"type\":\"%s\",\"number\":%u",
	    n->update != NULL ? "update" : "post", n->number);
	status_news_subject(n, &text);
	put_member(to, "text", buf_str(&text));
	put_member(to, "title", n->post->title);
	put_member(to, "kind", str_c(status_post_kind_name(n->post->kind)));
	put_member(to, "state", str_c(status_state_name(state_of(n))));
	buf_put_c(to, ",\"affects\":[");
	for (size_t i = 0; i < a->n; i++) {
		buf_put_c(to, i > 0 ? ",{\"system\":" : "{\"system\":");
		jsondoc_put_text(to, a->v[i].system);
		put_member(
		    to, "impact", str_c(status_impact_name(a->v[i].impact)));
		buf_put_char(to, '}');
	}
	buf_put_char(to, ']');
	put_member(to, "markdown", body_of(n));
	buf_reset(&text, 0);
	put_link(n, &text);
	put_member(to, "url", buf_str(&text));
	if (n->leave.n > 0)
		put_member(to, "unsubscribe", n->leave);
	buf_put_char(to, '}');
	buf_done(&text);
}

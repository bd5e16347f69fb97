/* SPDX-License-Identifier: ISC */
/* status_auto_words.c - see status_auto_words.h. */
#include "proto/status/status_auto_words.h"

#include "proto/status/status_news.h"

/* clang-format off */
static const struct status_auto_language languages[] = {
	{ "en", {
		[STATUS_AUTO_W_SEVERAL] = "@ and one more do not answer|@ and # more do not answer",
		[STATUS_AUTO_W_MIXED] = "@ and one more do not work|@ and # more do not work",
		[STATUS_AUTO_W_DOWN] = "Our monitoring has found:",
		[STATUS_AUTO_W_MORE] = "Not working now:",
		[STATUS_AUTO_W_FEWER] = "Some of it works again. Still not working:",
		[STATUS_AUTO_W_BACK] = "All of it works again. We go on watching.",
		[STATUS_AUTO_W_AGAIN] = "Not working again:",
		[STATUS_AUTO_W_RESOLVED] = "All of it has been working for one minute.|All of it has been working for # minutes.",
		[STATUS_AUTO_W_ITEM] = ", since ~",
		[STATUS_AUTO_W_OTHERS] = "and one more|and # more",
		[STATUS_AUTO_W_AUTO] = "*This was written by our monitoring. Mail that cannot be delivered meanwhile waits, and is tried again.*",
	}, {
		[STATUS_AUTO_FAILS] = { "@ does not work", "`@`: it does not work" },
		[STATUS_AUTO_SILENT] = { "@ does not answer", "`@`: no answer" },
		[STATUS_AUTO_NAMELESS] = { "The name of @ is not found", "`@`: its name is not found" },
		[STATUS_AUTO_NO_TLS] = { "@ takes no encrypted connections", "`@`: no encrypted connection" },
		[STATUS_AUTO_CERTIFICATE] = { "The certificate of @ is not accepted", "`@`: its certificate is not accepted" },
		[STATUS_AUTO_LOGIN] = { "Signing in to @ fails", "`@`: signing in fails" },
		[STATUS_AUTO_WRONG] = { "@ gives wrong answers", "`@`: wrong answers" },
		[STATUS_AUTO_DISAGREES] = { "@ and other name servers disagree", "`@`: it and other name servers disagree" },
		[STATUS_AUTO_LISTED] = { "@ is on a block list", "`@`: it is on a block list" },
	} },
	{ "fr", {
		[STATUS_AUTO_W_SEVERAL] = "@ et un autre ne répondent pas|@ et # autres ne répondent pas",
		[STATUS_AUTO_W_MIXED] = "@ et un autre ne fonctionnent pas|@ et # autres ne fonctionnent pas",
		[STATUS_AUTO_W_DOWN] = "Notre surveillance a constaté :",
		[STATUS_AUTO_W_MORE] = "Ne fonctionnent pas maintenant :",
		[STATUS_AUTO_W_FEWER] = "Une partie fonctionne de nouveau. Ne fonctionnent pas encore :",
		[STATUS_AUTO_W_BACK] = "Tout fonctionne de nouveau. Nous continuons à surveiller.",
		[STATUS_AUTO_W_AGAIN] = "De nouveau en panne :",
		[STATUS_AUTO_W_RESOLVED] = "Tout fonctionne depuis une minute.|Tout fonctionne depuis # minutes.",
		[STATUS_AUTO_W_ITEM] = ", depuis ~",
		[STATUS_AUTO_W_OTHERS] = "et un autre|et # autres",
		[STATUS_AUTO_W_AUTO] = "*Ceci a été écrit par notre surveillance. Le courrier qui ne peut pas être remis attend et sera présenté de nouveau.*",
	}, {
		[STATUS_AUTO_FAILS] = { "@ ne fonctionne pas", "`@` : ne fonctionne pas" },
		[STATUS_AUTO_SILENT] = { "@ ne répond pas", "`@` : pas de réponse" },
		[STATUS_AUTO_NAMELESS] = { "Le nom de @ est introuvable", "`@` : nom introuvable" },
		[STATUS_AUTO_NO_TLS] = { "@ n'accepte pas de connexion chiffrée", "`@` : pas de connexion chiffrée" },
		[STATUS_AUTO_CERTIFICATE] = { "Le certificat de @ n'est pas accepté", "`@` : son certificat n'est pas accepté" },
		[STATUS_AUTO_LOGIN] = { "L'ouverture de session sur @ échoue", "`@` : l'ouverture de session échoue" },
		[STATUS_AUTO_WRONG] = { "@ donne de fausses réponses", "`@` : de fausses réponses" },
		[STATUS_AUTO_DISAGREES] = { "@ et d'autres serveurs de noms se contredisent", "`@` : contredit d'autres serveurs de noms" },
		[STATUS_AUTO_LISTED] = { "@ est sur une liste de blocage", "`@` : sur une liste de blocage" },
	} },
	{ "pt", {
		[STATUS_AUTO_W_SEVERAL] = "@ e mais um não respondem|@ e mais # não respondem",
		[STATUS_AUTO_W_MIXED] = "@ e mais um não funcionam|@ e mais # não funcionam",
		[STATUS_AUTO_W_DOWN] = "A nossa monitorização verificou:",
		[STATUS_AUTO_W_MORE] = "Não funcionam agora:",
		[STATUS_AUTO_W_FEWER] = "Uma parte funciona de novo. Ainda não funcionam:",
		[STATUS_AUTO_W_BACK] = "Tudo funciona de novo. Continuamos a observar.",
		[STATUS_AUTO_W_AGAIN] = "De novo em baixo:",
		[STATUS_AUTO_W_RESOLVED] = "Tudo funciona há um minuto.|Tudo funciona há # minutos.",
		[STATUS_AUTO_W_ITEM] = ", desde ~",
		[STATUS_AUTO_W_OTHERS] = "e mais um|e mais #",
		[STATUS_AUTO_W_AUTO] = "*Isto foi escrito pela nossa monitorização. O correio que não pode ser entregue espera e será tentado de novo.*",
	}, {
		[STATUS_AUTO_FAILS] = { "@ não funciona", "`@`: não funciona" },
		[STATUS_AUTO_SILENT] = { "@ não responde", "`@`: sem resposta" },
		[STATUS_AUTO_NAMELESS] = { "O nome de @ não é encontrado", "`@`: o nome não é encontrado" },
		[STATUS_AUTO_NO_TLS] = { "@ não aceita ligações cifradas", "`@`: sem ligação cifrada" },
		[STATUS_AUTO_CERTIFICATE] = { "O certificado de @ não é aceite", "`@`: o certificado não é aceite" },
		[STATUS_AUTO_LOGIN] = { "O início de sessão em @ falha", "`@`: o início de sessão falha" },
		[STATUS_AUTO_WRONG] = { "@ dá respostas erradas", "`@`: respostas erradas" },
		[STATUS_AUTO_DISAGREES] = { "@ e outros servidores de nomes discordam", "`@`: discorda de outros servidores de nomes" },
		[STATUS_AUTO_LISTED] = { "@ está numa lista de bloqueio", "`@`: está numa lista de bloqueio" },
	} },
};
/* clang-format on */

const struct status_auto_language *
status_auto_language(struct str language)
{
	struct str code = status_news_language(language);

	for (size_t i = 0; i < ARRAY_LEN(languages); i++)
		if (str_eq(code, str_c(languages[i].code)))
			return &languages[i];
	return &languages[0];
}

void
status_auto_put(
    struct buf *to, const char *words, const struct status_auto_fill *fill)
{
	struct str s = str_c(words), one, many;

	many = str_split(s, '|', &one);
	s = many.n == 0 || fill->number == 1 ? one : many;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '@')
			buf_put_str(to, fill->id);
		else if (s.p[i] == '~')
			buf_put_str(to, fill->time);
		else if (s.p[i] == '#')
			buf_printf(to, "%zu", fill->number);
		else
			buf_put_char(to, s.p[i]);
}

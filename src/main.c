/* SPDX-License-Identifier: ISC */
/*
 * main.c - one program, many processes: the supervisor starts it again with
 * --role NAME for each of them; everything else is the command line.
 */
#include "cli/cli.h"
#include "proc/role.h"

#include <sys/prctl.h>

#define WEAK __attribute__((weak))

int store_main(void) WEAK;
int auth_main(void) WEAK;
int filter_main(void) WEAK;
int smtp_main(void) WEAK;
int imap_main(void) WEAK;
int send_main(void) WEAK;
int watch_main(void) WEAK;
int acme_main(void) WEAK;
int web_main(void) WEAK;

#if defined(__SANITIZE_ADDRESS__)
/* The leak check traces its own process, which the sandbox forbids. Unit
 * tests have it on. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int
role_main(const char *name)
{
	int (*const mains[ROLE_COUNT])(void) = {
		[ROLE_STORE] = store_main,
		[ROLE_AUTH] = auth_main,
		[ROLE_FILTER] = filter_main,
		[ROLE_SMTP] = smtp_main,
		[ROLE_IMAP] = imap_main,
		[ROLE_SEND] = send_main,
		[ROLE_WATCH] = watch_main,
		[ROLE_WEB] = web_main,
		[ROLE_ACME] = acme_main,
	};
	enum role role;
	char comm[16];

	if (!role_from_name(name, &role) || mains[role] == NULL) {
		fprintf(stderr, "mailstead: no such role: %s\n", name);
		return 2;
	}
	/* What top shows; 15 bytes at most. */
	snprintf(comm, sizeof(comm), "mailstead-%s", name);
	(void)prctl(PR_SET_NAME, comm);
	return mains[role]();
}

int
main(int argc, char **argv)
{
	if (argc >= 3 && strcmp(argv[1], "--role") == 0)
		return role_main(argv[2]);
	return cli_main(argc, argv);
}

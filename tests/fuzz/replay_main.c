/* SPDX-License-Identifier: ISC */
/*
 * replay_main.c - run a fuzz target over files, without libFuzzer, so that
 * every compiler can replay the corpora as part of `make check`.
 */
#include "base/buf.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	char part[65536];
	size_t n;

	if (!f)
		die("cannot open %s", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(b, part, n);
	fclose(f);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct buf b = BUF_INIT(MIB(64));
		uint8_t *exact;

		read_file(argv[i], &b);
		/* An exact copy lets ASan see a read of one byte too many. */
		exact = x_malloc(b.n);
		memcpy(exact, b.p ? b.p : "", b.n);
		LLVMFuzzerTestOneInput(exact, b.n);
		free(exact);
		buf_done(&b);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}

/* LINK: adapters/village/decode.o adapters/village/csv.o adapters/village/head.o adapters/village/roster.o adapters/village/render.o adapters/village/answers.o */
/* A file from a village's drop folder: whatever its bytes are, it is read as a roster or refused with
 * a code that has a text, and what is read can be answered. Input: the bytes of the file. */
#include "adapters/village/render.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool good)
{
	if (!good)
		abort();
}

static ssize_t from_memory(void *arg, void *to, size_t n, struct err *e)
{
	struct str *left = arg;

	(void)e;
	if (n > left->n)
		n = left->n;
	if (n > 0)
		memcpy(to, left->p, n);
	*left = (struct str){left->p + n, left->n - n};
	return (ssize_t)n;
}

static int count(void *arg, const void *p, size_t n, struct err *e)
{
	(void)e;
	must(n > 0 && utf8_valid((struct str){p, n}));
	*(size_t *)arg += n;
	return 0;
}

/* Reads it to the end; gives the number of records, -1 when refused. */
static int64_t try_rows(struct roster *r)
{
	static char name[3 * CSV_RECORD_MAX + 16];
	enum roster_line line;
	struct err e = {0};

	for (;;) {
		struct row_form form;

		if (roster_next(r, &line, &e) < 0) {
			must(e.class == ERR_PERM && text_get(r->refused, LANG_ZH) != NULL);
			return -1;
		}
		if (line == ROSTER_END)
			return r->csv.record;
		must(r->csv.record > r->header_last && r->csv.count > 0);
		if (line == ROSTER_ROW)
			row_read(&form, r->cells, 20810, name, sizeof name);
	}
}

static void try_answer(struct decoder *d)
{
	static struct answers *none;
	char path[] = "/tmp/qiao-fuzz-XXXXXX";
	struct spool_meta meta = {.year = 2026, .village = "330603001008"};
	struct roster *r = calloc(1, sizeof *r);
	struct rendering out = {&meta, "柯桥街道", "管墅社区居委会", r, NULL};
	struct err e = {0};
	size_t bytes = 0;
	int fd;

	must(r != NULL);
	if (none == NULL) {
		fd = mkstemp(path);
		must(fd >= 0 && answers_open(&none, path, INT32_MAX, &e) == 0);
		unlink(path);
		close(fd);
	}
	out.answers = none;
	must(roster_open(r, d, &e) == 0 && render(&out, (struct sink){count, &bytes}, &e) == 0);
	must(bytes > 100);
	roster_close(r);
	free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = {(const char *)data, size}, left = bytes;
	struct source src = {from_memory, &left};
	struct roster *r;
	struct decoder *d;
	struct sniff sniff;
	enum encoding enc;
	struct err e = {0};
	int64_t records = -1;
	const char *code;

	sniff_init(&sniff);
	sniff_add(&sniff, data, size);
	code = sniff_end(&sniff, &enc);
	if (code) {
		must(text_get(code, LANG_ZH) != NULL);
		return 0;
	}
	r = calloc(1, sizeof *r);
	must(r != NULL && decoder_open(&d, enc, src, &e) == 0);
	if (roster_open(r, d, &e) < 0)
		must(e.class == ERR_PERM && text_get(r->refused, LANG_ZH) != NULL);
	else
		records = try_rows(r);
	roster_close(r);
	free(r);
	decoder_close(d);
	if (records < 0)
		return 0;
	left = bytes;
	must(decoder_open(&d, enc, src, &e) == 0);
	try_answer(d);
	decoder_close(d);
	return 0;
}

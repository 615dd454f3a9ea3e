/* For tests/scenario/test_event_codec.py: what our codec says, to be compared with fastavro.
 *
 *   event_tool samples SEED COUNT  a line "schema NAME FINGERPRINT CANONICAL" for each type, then
 *                                  COUNT random events of each: "event NAME HEX"
 *   event_tool echo                reads "NAME HEX", decodes, encodes again: "HEX" or "error TEXT"
 *   event_tool corpus DIR          one file a type, as the fuzz target reads it: type, then the
 *                                  event without head */
#include "base/fs.h"
#include "tests/lib/event_gen.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct codec *codec;
static struct buf out = {.max = 4 << 20};

static int die(const struct err *e)
{
	fprintf(stderr, "event_tool: %s\n", e->text);
	return 1;
}

static void print_hex(const struct buf *b)
{
	char *hex = malloc(2 * b->len + 1);

	if (hex == NULL)
		exit(1);
	hex_put(hex, b->data, b->len);
	puts(hex);
	free(hex);
}

static int samples(uint64_t seed, int count)
{
	struct event_gen g;
	union any_event ev;
	struct err e = {0};
	uint64_t fingerprint;

	event_gen_init(&g, seed);
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		buf_reset(&out);
		if (schema_fingerprint(pinned_schema(t), &fingerprint, &e) ||
		    schema_canonical(pinned_schema(t), &out, &e))
			return die(&e);
		printf("schema %s %016" PRIx64 " %s\n", event_name(t), fingerprint, buf_text(&out));
	}
	for (int i = 0; i < count * EVENT_TYPES; i++) {
		enum event_type t = (enum event_type)(i % EVENT_TYPES);

		buf_reset(&out);
		event_gen_make(&g, t, &ev);
		if (codec_encode(codec, t, &ev, &out, &e))
			return die(&e);
		printf("event %s ", event_name(t));
		print_hex(&out);
	}
	event_gen_fini(&g);
	return 0;
}

static int echo_line(char *line)
{
	char *blank = strchr(line, ' ');
	struct err e = {0};
	union any_event ev;
	enum event_type t;
	uint8_t *in;
	size_t n;

	line[strcspn(line, "\n")] = '\0';
	if (blank == NULL)
		return -1;
	*blank++ = '\0';
	n = strlen(blank) / 2;
	in = malloc(n + 1);
	if (in == NULL || hex_get(in, n, str_of(blank)) || event_type_of(str_of(line), &t)) {
		free(in);
		return -1;
	}
	buf_reset(&out);
	if (codec_decode(codec, t, (struct str){(char *)in, n}, &ev, &e) ||
	    codec_encode(codec, t, &ev, &out, &e))
		printf("error %s\n", e.text);
	else
		print_hex(&out);
	free(in);
	return 0;
}

static int echo(void)
{
	char *line = NULL;
	size_t cap = 0;
	int rc = 0;

	while (rc == 0 && getline(&line, &cap, stdin) > 0)
		rc = echo_line(line);
	free(line);
	return rc ? 1 : 0;
}

static int corpus(const char *dir)
{
	struct event_gen g;
	union any_event ev;
	struct err e = {0};
	char path[4096];

	event_gen_init(&g, 1);
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		do {
			buf_reset(&out);
			event_gen_make(&g, t, &ev);
			if (codec_encode(codec, t, &ev, &out, &e))
				return die(&e);
		} while (out.len > 600);  /* small ones mutate better */
		out.data[9] = (uint8_t)t; /* the last byte of the head */
		if (fs_join(path, sizeof path, dir, event_name(t)) ||
		    fs_write_atomic(path, out.data + 9, out.len - 9, 0644, &e))
			return die(&e);
	}
	event_gen_fini(&g);
	return 0;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int rc = 2;

	if (codec_open(&codec, NULL, &e))
		return die(&e);
	if (argc == 4 && !strcmp(argv[1], "samples"))
		rc = samples(strtoull(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
	else if (argc == 2 && !strcmp(argv[1], "echo"))
		rc = echo();
	else if (argc == 3 && !strcmp(argv[1], "corpus"))
		rc = corpus(argv[2]);
	else
		fputs("usage: event_tool samples SEED COUNT | echo | corpus DIR\n", stderr);
	codec_close(codec);
	buf_fini(&out);
	return rc;
}

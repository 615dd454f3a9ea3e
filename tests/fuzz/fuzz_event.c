/* Fuzzes codec_decode: the first byte names the type, the rest is the event behind its head, which
 * is put before it here (no mutation would find a fingerprint). What decodes goes the round trip.
 *
 *   clang -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -Igateway -I. \
 *     -o build/fuzz_event tests/fuzz/fuzz_event.c gateway/events/[a-z]*.c \
 *     gateway/base/{err,buf,str,fs}.c gateway/crypto/digest.c \
 *     $(pkg-config --libs avro-c jansson libcrypto)
 *   build/fuzz_event -max_len=4096 build/fuzz_corpus tests/fuzz/corpus/event
 *
 * The corpus is one event a type (event_tool corpus DIR), made again when a schema changes. */
#include "tests/lib/event_gen.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A writer's schema with everything that ours do not have. */
static const char newer[] = "{\"type\":\"record\",\"name\":\"FeedPosition\",\"namespace\":\"cn."
			    "keqiao.qiao\",\"fields\":["
			    "{\"name\":\"m\",\"type\":{\"type\":\"map\",\"values\":{\"type\":"
			    "\"array\",\"items\":[\"null\",\"double\",\"string\"]}}},"
			    "{\"name\":\"feed\",\"type\":\"string\"},{\"name\":\"e\",\"type\":{"
			    "\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}},"
			    "{\"name\":\"as_of\",\"type\":\"int\"},{\"name\":\"n\",\"type\":{"
			    "\"type\":\"array\",\"items\":{\"type\":\"array\","
			    "\"items\":\"null\"}}},{\"name\":\"f\",\"type\":\"float\"},{\"name\":"
			    "\"cursor\",\"type\":\"string\"},"
			    "{\"name\":\"x\",\"type\":[\"bytes\",\"boolean\",\"E\"]}]}";

static struct codec *codec;
static struct buf once, twice;
static uint64_t fingerprints[EVENT_TYPES + 1]; /* the last: of `newer` */

static void start(void)
{
	struct err e = {0};

	if (codec_open(&codec, NULL, &e) || codec_add_schema(codec, str_of(newer), &e) ||
	    schema_fingerprint(str_of(newer), &fingerprints[EVENT_TYPES], &e))
		abort();
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		if (schema_fingerprint(pinned_schema(t), &fingerprints[t], &e))
			abort();
	}
	buf_init(&once, 4 << 20);
	buf_init(&twice, 4 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union any_event ev;
	struct err e = {0};
	enum event_type t;
	uint8_t *copy; /* of its own, so that the address sanitizer sees one byte too far */
	struct str in;

	if (codec == NULL)
		start();
	copy = size ? malloc(size + 9) : NULL;
	if (copy == NULL)
		return 0;
	t = (enum event_type)(data[0] % (EVENT_TYPES + 1));
	in = (struct str){(char *)copy, size + 9};
	copy[0] = 0xc3;
	copy[1] = 0x01;
	for (int i = 0; i < 8; i++)
		copy[2 + i] = (uint8_t)(fingerprints[t] >> 8 * i);
	memcpy(copy + 10, data + 1, size - 1);
	if (t == EVENT_TYPES)
		t = EV_FEED_POSITION;
	if (codec_decode(codec, t, in, &ev, &e) == 0) {
		buf_reset(&once);
		buf_reset(&twice);
		if (codec_encode(codec, t, &ev, &once, &e))
			abort();
		if (codec_decode(codec, t, (struct str){(char *)once.data, once.len}, &ev, &e) ||
		    codec_encode(codec, t, &ev, &twice, &e))
			abort();
		if (once.len != twice.len || memcmp(once.data, twice.data, once.len))
			abort();
	}
	free(copy);
	return 0;
}

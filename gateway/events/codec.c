/* Bytes <-> structs, in the single-object encoding or in that of a schema registry (framing.h).
 * See bind.c for how avro-c reads and writes our structs directly. */
#include "base/fs.h"
#include "crypto/digest.h"
#include "events/arena.h"
#include "events/bind.h"
#include "events/check.h"
#include "events/framing.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 10	       /* C3 01 and the fingerprint */
#define NUMBER_HEAD 5  /* 00 and the registry's number */
#define NUMBERS_MAX 64 /* numbers remembered; what comes past them is asked for each time */
#define VARINT_MAX 10

/* A writer's schema of a type. */
struct writer {
	struct writer *next;
	uint64_t fingerprint;
	struct schema_mark mark;
	int32_t id; /* our own: the number under which we write; 0 = not asked for yet */
	struct check check;
	struct bind *bind;
	avro_schema_t avro;
};

/* What a number of the registry turned out to mean. */
struct number {
	int32_t id;
	enum event_type type;
	const struct writer *writer;
};

struct codec {
	struct writer *writers[EVENT_TYPES]; /* the first is our own */
	struct codec_ids ids;
	struct number numbers[NUMBERS_MAX];
	int number_count;
	struct arena arenas[EVENT_TYPES];
	avro_reader_t reader;
	avro_writer_t out;
};

static void writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	check_fini(&w->check);
	bind_free(w->bind);
	if (w->avro)
		avro_schema_decref(w->avro);
	free(w);
}

static int type_of_record(const struct schema *s, enum event_type *t)
{
	const char *name = s->nodes[0].name;

	if (s->nodes[0].type != SCH_RECORD ||
	    strncmp(name, EVENT_NAMESPACE, sizeof EVENT_NAMESPACE - 1))
		return -1;
	return event_type_of(str_of(name + sizeof EVENT_NAMESPACE - 1), t);
}

/* The two ways in which a schema is known: by fingerprint in the single-object encoding, by mark
 * where a registry gives numbers. */
static int identify(const struct schema *s, uint64_t *fingerprint, struct schema_mark *mark,
		    struct err *e)
{
	struct buf text;
	int rc;

	buf_init(&text, SCHEMA_TEXT_MAX);
	rc = schema_write_canonical(s, &text, e);
	if (rc == 0) {
		*fingerprint = schema_crc64(text.data, text.len);
		sha256(text.data, text.len, mark->sha256);
		memcpy(mark->name, s->nodes[0].name, sizeof mark->name);
	}
	buf_fini(&text);
	return rc;
}

static struct writer *writer_find(const struct codec *c, enum event_type t, uint64_t fingerprint)
{
	struct writer *w = c->writers[t];

	while (w && w->fingerprint != fingerprint)
		w = w->next;
	return w;
}

/* avro-c's parser comes last: what ours has bounded and understood. */
static int writer_new(struct writer **out, const struct schema *s, enum event_type t,
		      struct str avsc, struct err *e)
{
	struct writer *w = calloc(1, sizeof *w);

	if (w == NULL)
		return err_set(e, ERR_TEMP, "schema: out of memory");
	if (identify(s, &w->fingerprint, &w->mark, e) || check_compile(&w->check, s, e))
		goto fail;
	if (avro_schema_from_json_length(avsc.p, avsc.n, &w->avro)) {
		w->avro = NULL;
		err_set(e, ERR_CONF, "schema: avro-c: %s", avro_strerror());
		goto fail;
	}
	if (bind_new(&w->bind, shape_of(t), &s->nodes[0], w->avro, e))
		goto fail;
	*out = w;
	return 0;
fail:
	writer_free(w);
	return -1;
}

static int add_schema(struct codec *c, struct str avsc, bool own, struct err *e)
{
	struct schema s;
	struct writer *w = NULL, **at;
	enum event_type t;
	uint64_t fingerprint;
	struct schema_mark mark;
	int rc = -1;

	if (schema_parse(&s, avsc, e))
		return -1;
	if (type_of_record(&s, &t)) {
		err_set(e, ERR_CONF, "schema: %s is no record of ours", s.nodes[0].name);
		goto out;
	}
	if (identify(&s, &fingerprint, &mark, e) ||
	    (own && shape_agree(shape_of(t), &s.nodes[0], e)))
		goto out;
	if (writer_find(c, t, fingerprint) == NULL) {
		if (writer_new(&w, &s, t, avsc, e)) {
			err_wrap(e, "%s", event_name(t));
			goto out;
		}
		for (at = &c->writers[t]; *at; at = &(*at)->next)
			;
		*at = w;
	}
	rc = 0;
out:
	schema_fini(&s);
	return rc;
}

int codec_add_schema(struct codec *c, struct str avsc, struct err *e)
{
	return add_schema(c, avsc, false, e);
}

static int add_file(struct codec *c, const char *dir, const char *name, struct err *e)
{
	char path[4096];
	struct buf text;
	int rc = -1;

	buf_init(&text, SCHEMA_TEXT_MAX);
	if (fs_join(path, sizeof path, dir, name)) {
		err_set(e, ERR_CONF, "%s: path too long", name);
		goto out;
	}
	if (fs_read(path, &text, e))
		goto out;
	if (codec_add_schema(c, (struct str){(const char *)text.data, text.len}, e)) {
		err_wrap(e, "%s", path);
		goto out;
	}
	rc = 0;
out:
	buf_fini(&text);
	return rc;
}

static int add_folder(struct codec *c, const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	const struct dirent *f;
	int rc = 0;

	if (d == NULL)
		return err_sys(e, ERR_CONF, errno, "%s", dir);
	while (rc == 0 && (f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);

		if (n > 5 && f->d_name[0] != '.' && !strcmp(f->d_name + n - 5, ".avsc"))
			rc = add_file(c, dir, f->d_name, e);
	}
	closedir(d);
	return rc;
}

int codec_open(struct codec **out, const char *more_schemas, struct err *e)
{
	static bool adopted;
	struct codec *c = calloc(1, sizeof *c);

	if (!adopted)
		arena_adopt_avro();
	adopted = true;
	if (c == NULL)
		return err_set(e, ERR_TEMP, "codec: out of memory");
	c->reader = avro_reader_memory("", 0);
	c->out = avro_writer_memory("", 0);
	if (c->reader == NULL || c->out == NULL) {
		err_set(e, ERR_TEMP, "codec: out of memory");
		goto fail;
	}
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		if (add_schema(c, pinned_schema(t), true, e))
			goto fail;
		if (c->writers[t] == NULL) {
			err_set(e, ERR_CONF, "schema %s: is not that record", event_name(t));
			goto fail;
		}
	}
	if (more_schemas && add_folder(c, more_schemas, e))
		goto fail;
	*out = c;
	return 0;
fail:
	codec_close(c);
	return -1;
}

void codec_close(struct codec *c)
{
	if (c == NULL)
		return;
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		while (c->writers[t]) {
			struct writer *w = c->writers[t];

			c->writers[t] = w->next;
			writer_free(w);
		}
		arena_fini(&c->arenas[t]);
	}
	if (c->reader)
		avro_reader_free(c->reader);
	if (c->out)
		avro_writer_free(c->out);
	free(c);
}

void codec_use_ids(struct codec *c, const struct codec_ids *ids)
{
	c->ids = *ids;
}

int schema_mark_of(struct schema_mark *out, struct str avsc, struct err *e)
{
	struct schema s;
	uint64_t fingerprint;
	int rc;

	if (schema_parse(&s, avsc, e))
		return -1;
	if (s.nodes[0].type != SCH_RECORD)
		rc = err_set(e, ERR_CONF, "schema: no record");
	else
		rc = identify(&s, &fingerprint, out, e);
	schema_fini(&s);
	return rc;
}

bool schema_mark_eq(const struct schema_mark *a, const struct schema_mark *b)
{
	return memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0 && !strcmp(a->name, b->name);
}

struct str event_schema(enum event_type t)
{
	return pinned_schema(t);
}

/* ---- encoding ---- */

/* Adds the most that a text or bytes can take; what is wrong with it, or NULL. */
static const char *measure_str(const struct member *m, const struct str *s, size_t *size)
{
	bool text = m->kind == M_TEXT || m->kind == M_OPT_TEXT;

	*size += 1 + VARINT_MAX;
	if (s->p == NULL)
		return m->kind == M_TEXT || m->kind == M_BYTES ? "has no value" : NULL;
	if (s->n > (size_t)(text ? EVENT_TEXT_MAX : EVENT_BYTES_MAX))
		return "is too long";
	if (text && !check_text(s->p, s->n))
		return "is not UTF-8";
	*size += s->n;
	return NULL;
}

static const char *measure_opt(const struct member *m, const struct opt_long *o, size_t *size)
{
	*size += 1 + VARINT_MAX;
	if (!o->set || m->kind == M_OPT_LONG)
		return NULL;
	if (m->kind == M_OPT_BOOL)
		return o->v == 0 || o->v == 1 ? NULL : "is neither 0 nor 1";
	return o->v == (int32_t)o->v ? NULL : "is out of range";
}

/* Everything that avro-c would write without a word, although no reader takes it. */
static const char *measure(const struct shape *s, const void *event, size_t *size,
			   const char **where)
{
	const char *bad = NULL;

	for (int i = 0; i < s->count && bad == NULL; i++) {
		const struct member *m = &s->members[i];
		const void *at = (const char *)event + m->offset;

		switch (m->kind) {
		case M_TEXT:
		case M_OPT_TEXT:
		case M_BYTES:
		case M_OPT_BYTES:
			bad = measure_str(m, at, size);
			break;
		case M_OPT_INT:
		case M_OPT_DATE:
		case M_OPT_LONG:
		case M_OPT_BOOL:
			bad = measure_opt(m, at, size);
			break;
		case M_LONGS:
		case M_RECORDS: {
			int32_t count = *(const int32_t *)((const char *)event + m->count_offset);
			const char *items = *(const char *const *)at;

			*size += 2 * VARINT_MAX;
			if (count < 0 || count > CHECK_ITEMS_MAX || (count > 0 && items == NULL)) {
				bad = "has a wrong count";
				break;
			}
			if (m->kind == M_LONGS)
				*size += (size_t)count * VARINT_MAX;
			for (int32_t k = 0; m->items && k < count && bad == NULL; k++)
				bad = measure(m->items, items + (size_t)k * m->items->size, size,
					      where);
			break;
		}
		default:
			*size += 1 + ID_LEN; /* the largest of the others */
		}
		if (bad && *where == NULL)
			*where = m->name;
	}
	return bad;
}

/* Writes the head of an event of ours; *head is its length. */
static int put_head(struct codec *c, enum event_type t, uint8_t to[HEAD], size_t *head,
		    struct err *e)
{
	struct writer *w = c->writers[t];

	if (c->ids.id_of == NULL) {
		to[0] = 0xc3;
		to[1] = 0x01;
		for (int i = 0; i < 8; i++)
			to[2 + i] = (uint8_t)(w->fingerprint >> 8 * i);
		*head = HEAD;
		return 0;
	}
	if (w->id == 0 && c->ids.id_of(c->ids.arg, t, &w->mark, &w->id, e)) {
		w->id = 0;
		return -1;
	}
	to[0] = 0;
	for (int i = 0; i < 4; i++)
		to[1 + i] = (uint8_t)((uint32_t)w->id >> (24 - 8 * i));
	*head = NUMBER_HEAD;
	return 0;
}

int codec_encode(struct codec *c, enum event_type t, const void *event, struct buf *out,
		 struct err *e)
{
	const struct shape *s = shape_of(t);
	const char *where = NULL, *bad;
	size_t size = HEAD, head;
	avro_value_t value;
	uint8_t *to;

	if (s == NULL)
		return err_set(e, ERR_PERM, "event type %d: unknown", (int)t);
	bad = measure(s, event, &size, &where);
	if (bad)
		return err_set(e, ERR_PERM, "%s: %s %s", s->name, where, bad);
	if (size > CHECK_EVENT_MAX || out->len > out->max || size > out->max - out->len)
		return err_set(e, ERR_PERM, "%s: no room for %zu bytes", s->name, size);
	to = buf_reserve(out, size);
	if (to == NULL)
		return err_set(e, ERR_TEMP, "%s: out of memory", s->name);
	if (put_head(c, t, to, &head, e))
		return -1;
	value = bind_value(c->writers[t]->bind, (void *)event);
	avro_writer_memory_set_dest(c->out, (char *)to + head, (int64_t)(size - head));
	if (avro_value_write(c->out, &value))
		return err_set(e, ERR_PERM, "%s: avro-c: %s", s->name, avro_strerror());
	out->len += head + (size_t)avro_writer_tell(c->out);
	return 0;
}

/* ---- decoding ---- */

static int by_fingerprint(const struct codec *c, enum event_type t, const uint8_t *p,
			  const struct writer **w, struct err *e)
{
	uint64_t fingerprint = 0;

	for (int i = 0; i < 8; i++)
		fingerprint |= (uint64_t)p[2 + i] << 8 * i;
	*w = writer_find(c, t, fingerprint);
	if (*w)
		return 0;
	for (enum event_type o = 0; o < EVENT_TYPES; o++) {
		if (writer_find(c, o, fingerprint))
			return err_set(e, ERR_PERM, "undecodable: %s: holds %s", event_name(t),
				       event_name(o));
	}
	return err_set(e, ERR_PERM, "unknown_schema: %s: %016" PRIx64, event_name(t), fingerprint);
}

static bool number_known(const struct codec *c, int32_t id, struct number *out)
{
	for (int i = 0; i < c->number_count; i++) {
		if (c->numbers[i].id == id) {
			*out = c->numbers[i];
			return true;
		}
	}
	return false;
}

/* Asks what the number means and finds the writer's schema of ours that is the same. */
static int learn_number(struct codec *c, enum event_type t, int32_t id, struct number *out,
			struct err *e)
{
	struct schema_mark mark;
	struct err why = {0};
	int known = 0;

	if (c->ids.mark_of && id > 0)
		known = c->ids.mark_of(c->ids.arg, id, &mark, &why);
	if (known < 0) {
		*e = why;
		return -1;
	}
	if (known == 0)
		return err_set(e, ERR_PERM, "unknown_schema: %s: id %" PRId32 "%s%s", event_name(t),
			       id, why.text[0] ? ": " : "", why.text);
	for (enum event_type o = 0; o < EVENT_TYPES; o++) {
		for (const struct writer *w = c->writers[o]; w; w = w->next) {
			if (!schema_mark_eq(&w->mark, &mark))
				continue;
			*out = (struct number){id, o, w};
			if (c->number_count < NUMBERS_MAX)
				c->numbers[c->number_count++] = *out;
			return 0;
		}
	}
	return err_set(e, ERR_PERM, "unknown_schema: %s: id %" PRId32 " is %s%s", event_name(t), id,
		       mark.name,
		       strncmp(mark.name, EVENT_NAMESPACE, sizeof EVENT_NAMESPACE - 1)
			       ? ""
			       : " of another version");
}

static int by_number(struct codec *c, enum event_type t, const uint8_t *p, const struct writer **w,
		     struct err *e)
{
	uint32_t id = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	struct number n;

	if (id > INT32_MAX)
		id = 0; /* nobody's */
	if (!number_known(c, (int32_t)id, &n) && learn_number(c, t, (int32_t)id, &n, e))
		return -1;
	if (n.type != t)
		return err_set(e, ERR_PERM, "undecodable: %s: holds %s", event_name(t),
			       event_name(n.type));
	*w = n.writer;
	return 0;
}

/* The writer's schema that the head names, and where the body begins. */
static int read_head(struct codec *c, enum event_type t, struct str bytes, const struct writer **w,
		     struct str *body, struct err *e)
{
	const uint8_t *p = (const uint8_t *)bytes.p;
	bool single = bytes.n >= HEAD && p[0] == 0xc3 && p[1] == 0x01;
	size_t head = single ? HEAD : NUMBER_HEAD;

	if (bytes.n > CHECK_EVENT_MAX || (!single && (bytes.n < NUMBER_HEAD || p[0] != 0)))
		return err_set(e, ERR_PERM, "undecodable: %s: no single-object encoding",
			       event_name(t));
	*body = (struct str){bytes.p + head, bytes.n - head};
	return single ? by_fingerprint(c, t, p, w, e) : by_number(c, t, p, w, e);
}

/* avro-c with the arena in its hands: whatever happens, it is taken away again. */
static int read_value(struct codec *c, struct arena *a, struct str body, avro_value_t *value)
{
	int rc;

	/* The shortest item of an array is 2 bytes and takes three times its struct, of some 90
	 * bytes. */
	arena_begin(a, 128 * body.n);
	arena_use(a);
	avro_reader_memory_set_source(c->reader, body.p, (int64_t)body.n);
	rc = avro_value_read(c->reader, value);
	arena_use(NULL);
	return rc;
}

int codec_decode(struct codec *c, enum event_type t, struct str bytes, void *event, struct err *e)
{
	struct str body;
	const struct writer *w;
	const char *bad;
	avro_value_t value;

	if (shape_of(t) == NULL)
		return err_set(e, ERR_PERM, "undecodable: event type %d", (int)t);
	if (read_head(c, t, bytes, &w, &body, e))
		return -1;
	bad = check_run(&w->check, body);
	if (bad)
		return err_set(e, ERR_PERM, "undecodable: %s: %s", event_name(t), bad);
	bind_clear(w->bind, event);
	value = bind_value(w->bind, event);
	if (read_value(c, &c->arenas[t], body, &value)) {
		bind_clear(w->bind, event);
		if (c->arenas[t].no_memory)
			return err_set(e, ERR_TEMP, "%s: out of memory", event_name(t));
		return err_set(e, ERR_PERM, "undecodable: %s: avro-c: %s", event_name(t),
			       avro_strerror());
	}
	return 0;
}

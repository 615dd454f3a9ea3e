/* Schemas: JSON text -> tree -> parsing canonical form -> CRC-64-AVRO, by the Avro specification
 * 1.11.
 *
 * avro-c has neither of the last two, and forgets logicalType and default, so it is asked for
 * nothing here. Schemas are not outside data: they are pinned with the program or named by the
 * operator. They are bounded all the same, and where functions call themselves SCHEMA_DEPTH_MAX
 * is the end. */
#include "events/schema.h"
#include "events/events.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[SCH_TYPES] = {
	"null",	  "boolean", "int",  "long",  "float", "double", "bytes",
	"string", "record",  "enum", "fixed", "array", "map",	 "union",
};

/* What one level of the text is read with. */
struct level {
	struct schema *s;
	const char *space; /* namespace around it, "" = none */
	int depth;
	struct err *e;
};

static struct schema_node *read_node(const struct level *l, const json_t *j);

int schema_parse(struct schema *s, struct str avsc, struct err *e)
{
	struct level top = {s, "", 0, e};
	json_error_t why;

	memset(s, 0, sizeof *s);
	if (avsc.p == NULL || avsc.n > SCHEMA_TEXT_MAX)
		return err_set(e, ERR_CONF, "schema: no text or over %d bytes", SCHEMA_TEXT_MAX);
	s->json = json_loadb(avsc.p, avsc.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
	if (s->json == NULL)
		return err_set(e, ERR_CONF, "schema: line %d: %s", why.line, why.text);
	s->nodes = calloc(SCHEMA_NODES_MAX, sizeof *s->nodes);
	if (s->nodes == NULL) {
		err_set(e, ERR_TEMP, "schema: out of memory");
		goto out;
	}
	if (read_node(&top, s->json))
		return 0;
out:
	schema_fini(s);
	return -1;
}

void schema_fini(struct schema *s)
{
	free(s->nodes);
	if (s->json)
		json_decref(s->json);
	memset(s, 0, sizeof *s);
}

static struct schema_node *refuse(const struct level *l, const char *what, const char *name)
{
	err_set(l->e, ERR_CONF, "schema: %s%s%s", what, name ? ": " : "", name ? name : "");
	return NULL;
}

static struct schema_node *new_node(const struct level *l, enum schema_type type)
{
	struct schema_node *n;

	if (l->s->used == SCHEMA_NODES_MAX)
		return refuse(l, "too many types", NULL);
	n = &l->s->nodes[l->s->used++];
	n->type = type;
	return n;
}

static bool is_name(const char *s, bool dotted)
{
	bool first = true;

	for (; *s; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_';

		if (*s == '.' && dotted && !first)
			first = true;
		else if (letter || (*s >= '0' && *s <= '9' && !first))
			first = false;
		else
			return false;
	}
	return !first;
}

/* out = the full name. A name with a dot is full already; else the namespace goes before it. */
static int full_name(char out[SCHEMA_NAME_MAX], const char *space, const char *name)
{
	size_t before = strchr(name, '.') ? 0 : strlen(space), n = strlen(name);

	if (before + 1 + n >= SCHEMA_NAME_MAX || !is_name(name, true))
		return -1;
	if (before) {
		memcpy(out, space, before);
		out[before++] = '.';
	}
	memcpy(out + before, name, n + 1);
	return is_name(out, true) ? 0 : -1;
}

static struct schema_node *find_named(const struct schema *s, const char *full)
{
	for (int i = 0; i < s->used; i++) {
		if (s->nodes[i].name[0] && !s->nodes[i].again && !strcmp(s->nodes[i].name, full))
			return &s->nodes[i];
	}
	return NULL;
}

static struct schema_node *read_name(const struct level *l, const char *name)
{
	char full[SCHEMA_NAME_MAX];
	const struct schema_node *target;
	struct schema_node *n;

	for (enum schema_type t = SCH_NULL; t <= SCH_STRING; t++) {
		if (!strcmp(name, type_names[t]))
			return new_node(l, t);
	}
	if (full_name(full, l->space, name))
		return refuse(l, "bad name", name);
	target = find_named(l->s, full);
	if (target == NULL)
		return refuse(l, "unknown type", name);
	n = new_node(l, target->type);
	if (n == NULL)
		return NULL;
	*n = *target;
	n->again = true;
	n->recursive = target->open;
	if (n->recursive) {
		n->child = NULL;
		n->count = 0;
	}
	n->open = false;
	n->next = NULL;
	n->field = NULL;
	n->dflt = DEFAULT_NONE;
	return n;
}

/* Reads one more child and hangs it behind *last. */
static struct schema_node *read_child(const struct level *l, struct schema_node *parent,
				      struct schema_node **last, const json_t *j)
{
	struct level below = *l;
	struct schema_node *n;

	below.depth++;
	n = read_node(&below, j);
	if (n == NULL)
		return NULL;
	if (*last)
		(*last)->next = n;
	else
		parent->child = n;
	*last = n;
	parent->count++;
	return n;
}

static struct schema_node *read_union(const struct level *l, const json_t *j)
{
	struct schema_node *u = new_node(l, SCH_UNION), *last = NULL;

	if (json_array_size(j) == 0)
		return refuse(l, "empty union", NULL);
	for (size_t i = 0; u && i < json_array_size(j); i++) {
		if (read_child(l, u, &last, json_array_get(j, i)) == NULL)
			return NULL;
		if (last->type == SCH_UNION)
			return refuse(l, "union in a union", NULL);
	}
	return u;
}

static enum schema_default default_kind(const json_t *j)
{
	if (j == NULL)
		return DEFAULT_NONE;
	if (json_is_null(j) || json_is_false(j) ||
	    (json_is_integer(j) && json_integer_value(j) == 0) ||
	    (json_is_string(j) && json_string_length(j) == 0) ||
	    (json_is_array(j) && json_array_size(j) == 0))
		return DEFAULT_EMPTY;
	return DEFAULT_OTHER;
}

static struct schema_node *read_fields(const struct level *l, struct schema_node *rec,
				       const json_t *j)
{
	const json_t *fields = json_object_get(j, "fields");
	struct schema_node *last = NULL;

	if (!json_is_array(fields))
		return refuse(l, "record without fields", rec->name);
	rec->open = true;
	for (size_t i = 0; i < json_array_size(fields); i++) {
		const json_t *f = json_array_get(fields, i), *type = json_object_get(f, "type");
		const char *name = json_string_value(json_object_get(f, "name"));

		if (name == NULL || type == NULL || !is_name(name, false))
			return refuse(l, "field without name or type in", rec->name);
		for (const struct schema_node *n = rec->child; n; n = n->next) {
			if (!strcmp(n->field, name))
				return refuse(l, "field twice", name);
		}
		if (read_child(l, rec, &last, type) == NULL)
			return NULL;
		last->field = name;
		last->dflt = default_kind(json_object_get(f, "default"));
	}
	rec->open = false;
	return rec;
}

static struct schema_node *read_enum(const struct level *l, struct schema_node *n, const json_t *j)
{
	n->symbols = json_object_get(j, "symbols");
	n->size = (uint32_t)json_array_size(n->symbols);
	if (n->size == 0)
		return refuse(l, "enum without symbols", n->name);
	for (uint32_t i = 0; i < n->size; i++) {
		const char *symbol = json_string_value(json_array_get(n->symbols, i));

		if (symbol == NULL || !is_name(symbol, false))
			return refuse(l, "bad symbol in", n->name);
	}
	return n;
}

static struct schema_node *read_fixed(const struct level *l, struct schema_node *n, const json_t *j)
{
	const json_t *size = json_object_get(j, "size");

	/* avro-c cannot read a fixed of 0 bytes. */
	if (!json_is_integer(size) || json_integer_value(size) < 1 ||
	    json_integer_value(size) > SCHEMA_TEXT_MAX)
		return refuse(l, "size of", n->name);
	n->size = (uint32_t)json_integer_value(size);
	return n;
}

static struct schema_node *read_named(const struct level *l, enum schema_type type, const json_t *j)
{
	const char *name = json_string_value(json_object_get(j, "name"));
	const char *space = json_string_value(json_object_get(j, "namespace"));
	struct schema_node *n = new_node(l, type);
	struct level inside = *l;
	char within[SCHEMA_NAME_MAX], full[SCHEMA_NAME_MAX], *dot;

	if (n == NULL)
		return NULL;
	if (name == NULL || full_name(full, space ? space : l->space, name))
		return refuse(l, "bad name", name);
	if (find_named(l->s, full))
		return refuse(l, "type defined twice", full);
	memcpy(n->name, full, sizeof full);
	memcpy(within, full, sizeof full);
	dot = strrchr(within, '.');
	*(dot ? dot : within) = '\0';
	inside.space = within;
	if (type == SCH_RECORD)
		return read_fields(&inside, n, j);
	return type == SCH_ENUM ? read_enum(l, n, j) : read_fixed(l, n, j);
}

static struct schema_node *read_object(const struct level *l, const json_t *j)
{
	const char *type = json_string_value(json_object_get(j, "type"));
	struct schema_node *n = NULL, *last = NULL;

	if (type == NULL)
		return refuse(l, "object without the name of a type", NULL);
	for (enum schema_type t = SCH_RECORD; t <= SCH_FIXED; t++) {
		if (!strcmp(type, type_names[t]))
			return read_named(l, t, j);
	}
	if (!strcmp(type, "array") || !strcmp(type, "map")) {
		const json_t *of = json_object_get(j, type[0] == 'a' ? "items" : "values");

		n = new_node(l, type[0] == 'a' ? SCH_ARRAY : SCH_MAP);
		if (n == NULL || of == NULL || read_child(l, n, &last, of) == NULL)
			return of ? NULL : refuse(l, "no items or values of", type);
		return n;
	}
	n = read_name(l, type);
	if (n && !n->again)
		n->logical = json_string_value(json_object_get(j, "logicalType"));
	return n;
}

static struct schema_node *read_node(const struct level *l, const json_t *j)
{
	if (l->depth > SCHEMA_DEPTH_MAX)
		return refuse(l, "nested too deep", NULL);
	if (json_is_string(j))
		return read_name(l, json_string_value(j));
	if (json_is_array(j))
		return read_union(l, j);
	if (json_is_object(j))
		return read_object(l, j);
	return refuse(l, "neither name, list nor object", NULL);
}

static int write_node(const struct schema_node *n, struct buf *out);

static int write_children(const struct schema_node *n, struct buf *out)
{
	int rc = 0;

	for (const struct schema_node *c = n->child; c && rc == 0; c = c->next) {
		rc |= c == n->child ? 0 : buf_put_str(out, ",");
		if (n->type == SCH_RECORD)
			rc |= buf_printf(out, "{\"name\":\"%s\",\"type\":", c->field);
		rc |= write_node(c, out);
		if (n->type == SCH_RECORD)
			rc |= buf_put_str(out, "}");
	}
	return rc;
}

static int write_symbols(const struct schema_node *n, struct buf *out)
{
	int rc = 0;

	for (uint32_t i = 0; i < n->size; i++)
		rc |= buf_printf(out, "%s\"%s\"", i ? "," : "",
				 json_string_value(json_array_get(n->symbols, i)));
	return rc;
}

static int write_named(const struct schema_node *n, struct buf *out)
{
	int rc = buf_printf(out, "{\"name\":\"%s\",\"type\":\"%s\"", n->name, type_names[n->type]);

	if (n->type == SCH_FIXED)
		return rc | buf_printf(out, ",\"size\":%u}", n->size);
	rc |= buf_put_str(out, n->type == SCH_RECORD ? ",\"fields\":[" : ",\"symbols\":[");
	rc |= n->type == SCH_RECORD ? write_children(n, out) : write_symbols(n, out);
	return rc | buf_put_str(out, "]}");
}

static int write_node(const struct schema_node *n, struct buf *out)
{
	int rc;

	if (n->again)
		return buf_printf(out, "\"%s\"", n->name);
	switch (n->type) {
	case SCH_RECORD:
	case SCH_ENUM:
	case SCH_FIXED:
		return write_named(n, out);
	case SCH_ARRAY:
	case SCH_MAP:
		rc = buf_put_str(out, n->type == SCH_ARRAY ? "{\"type\":\"array\",\"items\":"
							   : "{\"type\":\"map\",\"values\":");
		return rc | write_children(n, out) | buf_put_str(out, "}");
	case SCH_UNION:
		rc = buf_put_str(out, "[");
		return rc | write_children(n, out) | buf_put_str(out, "]");
	default:
		return buf_printf(out, "\"%s\"", type_names[n->type]);
	}
}

int schema_write_canonical(const struct schema *s, struct buf *out, struct err *e)
{
	if (write_node(&s->nodes[0], out))
		return err_set(e, ERR_CONF, "schema: canonical form too large");
	return 0;
}

/* The Rabin fingerprint of the specification, bit by bit: a schema is fingerprinted once a run.
 * The empty text has the fingerprint EMPTY. */
uint64_t schema_crc64(const void *p, size_t n)
{
	static const uint64_t empty = 0xc15d213aa4d7a795;
	const uint8_t *b = p;
	uint64_t crc = empty;

	for (size_t i = 0; i < n; i++) {
		crc ^= b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (empty & (0 - (crc & 1)));
	}
	return crc;
}

int schema_canonical(struct str avsc, struct buf *out, struct err *e)
{
	struct schema s;
	int rc = -1;

	if (schema_parse(&s, avsc, e))
		return -1;
	rc = schema_write_canonical(&s, out, e);
	schema_fini(&s);
	return rc;
}

int schema_fingerprint(struct str avsc, uint64_t *crc64, struct err *e)
{
	struct buf text;
	int rc;

	buf_init(&text, SCHEMA_TEXT_MAX);
	rc = schema_canonical(avsc, &text, e);
	if (rc == 0)
		*crc64 = schema_crc64(text.data, text.len);
	buf_fini(&text);
	return rc;
}

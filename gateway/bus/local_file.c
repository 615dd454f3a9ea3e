#include "bus/local.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_KIB = 256 }; /* a batch is read once, so pages are not worth keeping */

static int kind_load(struct topic_file *f, uint32_t number, struct err *e);
static int kind_room(struct topic_file *f, uint32_t number, struct err *e);
static int kind_parse(struct kind *k, struct str headers);
static struct str header_of(struct str headers, const char *name);
static struct str record_name(struct str type);

int topic_file_open(struct topic_file *f, const char *dir, const struct topic *t, int flags,
		    const char *vfs, struct err *e)
{
	struct store_options o = {.flags = flags, .cache_kib = CACHE_KIB, .vfs = vfs};
	char path[CONF_PATH + NAME_BYTES];

	*f = (struct topic_file){.topic = t};
	if (topic_path(path, sizeof path, dir, t->name, e) < 0 ||
	    store_open(&f->store, path, &topic_kind, &o, e) < 0)
		return -1;
#define ROW "SELECT first, count, data FROM batch WHERE first "
	if (store_prepare(f->store, &f->from, ROW ">= ?1 ORDER BY first", e) < 0 ||
	    store_prepare(f->store, &f->holding, ROW "<= ?1 ORDER BY first DESC LIMIT 1", e) < 0 ||
	    store_prepare(f->store, &f->before, ROW "< ?1 ORDER BY first DESC LIMIT 1", e) < 0 ||
	    store_prepare(f->store, &f->edges,
			  "SELECT (SELECT min(first) FROM batch), first + count FROM batch"
			  " ORDER BY first DESC LIMIT 1",
			  e) < 0 ||
	    store_prepare(f->store, &f->kind, "SELECT headers FROM kind WHERE id = ?1", e) < 0) {
		topic_file_close(f);
		return -1;
	}
#undef ROW
	return 0;
}

void topic_file_close(struct topic_file *f)
{
	store_close(f->store);
	for (uint32_t i = 0; i < f->kind_count; i++)
		free(f->kinds[i].headers);
	free(f->kinds);
	*f = (struct topic_file){0};
}

int topic_file_step(struct stmt *st, struct row *out, struct err *e)
{
	int rc = stmt_step(st, e);
	int64_t count;

	if (rc != 1)
		return rc;
	count = stmt_get_int(st, 1);
	out->first = stmt_get_int(st, 0);
	out->count = count > 0 && count <= BATCH_EVENTS_MAX ? (int)count : 0;
	out->blob = stmt_get_blob(st, 2);
	return 1;
}

int topic_file_ends(struct topic_file *f, int64_t *first, int64_t *end, struct err *e)
{
	int rc = stmt_step(f->edges, e);

	*first = *end = 0;
	if (rc == 1) {
		*first = stmt_get_int(f->edges, 0);
		*end = stmt_get_int(f->edges, 1);
		stmt_reset(f->edges);
	}
	return rc < 0 ? -1 : 0;
}

int topic_file_kind(struct topic_file *f, uint32_t number, struct bus_record *out, struct err *e)
{
	if (number >= f->kind_count || f->kinds[number].headers == NULL)
		if (kind_load(f, number, e) < 0)
			return -1;
	out->event.type = f->kinds[number].type;
	out->ledger = f->kinds[number].ledger;
	return 0;
}

int topic_file_event(struct topic_file *f, int64_t offset, struct buf *hold, struct bus_record *out,
		     struct err *e)
{
	struct cursor events;
	struct row row;
	uint32_t kind;
	int rc;

	stmt_int(f->holding, 1, offset);
	rc = topic_file_step(f->holding, &row, e);
	if (rc != 1)
		return rc;
	buf_reset(hold);
	rc = offset < row.first + row.count;
	if (rc == 1 && buf_put(hold, row.blob.p, row.blob.n) < 0)
		rc = err_set(e, ERR_TEMP, "topic %s: out of memory", f->topic->name);
	stmt_reset(f->holding);
	if (rc != 1)
		return rc;
	if (batch_open((struct str){(const char *)hold->data, hold->len}, &events) < 0)
		return topic_file_damaged(f, row.first, e);
	for (int64_t at = row.first; at <= offset; at++)
		if (batch_get(&events, &kind, &out->event) < 0)
			return topic_file_damaged(f, row.first, e);
	out->offset = offset;
	out->partition = 0;
	return topic_file_kind(f, kind, out, e) < 0 ? -1 : 1;
}

int topic_file_damaged(const struct topic_file *f, int64_t first, struct err *e)
{
	return err_set(
		e, ERR_SAFE,
		"topic %s: the batch at %lld is damaged; restore the bus from the last backup",
		f->topic->name, (long long)first);
}

static int kind_load(struct topic_file *f, uint32_t number, struct err *e)
{
	struct str headers;
	int rc;

	stmt_int(f->kind, 1, number);
	rc = stmt_step(f->kind, e);
	if (rc < 0)
		return -1;
	if (rc == 0 || number >= KINDS_MAX)
		return err_set(
			e, ERR_SAFE,
			"topic %s: kind %u is not known; restore the bus from the last backup",
			f->topic->name, (unsigned)number);
	headers = stmt_get_text(f->kind, 0);
	rc = kind_room(f, number, e);
	if (rc == 0 && kind_parse(&f->kinds[number], headers) < 0)
		rc = err_set(e, ERR_SAFE,
			     "topic %s: kind %u is damaged; restore the bus from the last backup",
			     f->topic->name, (unsigned)number);
	stmt_reset(f->kind);
	return rc;
}

static int kind_room(struct topic_file *f, uint32_t number, struct err *e)
{
	struct kind *more;

	if (number < f->kind_count)
		return 0;
	more = realloc(f->kinds, (number + 1) * sizeof *more);
	if (more == NULL)
		return err_set(e, ERR_TEMP, "topic %s: out of memory", f->topic->name);
	f->kinds = more;
	memset(more + f->kind_count, 0, (number + 1 - f->kind_count) * sizeof *more);
	f->kind_count = number + 1;
	return 0;
}

static int kind_parse(struct kind *k, struct str headers)
{
	struct str kept;

	k->headers = headers.p ? strndup(headers.p, headers.n) : NULL;
	kept = str_of(k->headers);
	k->type = record_name(header_of(kept, "type"));
	k->ledger = header_of(kept, "qiao_ledger");
	if (k->type.n > 0)
		return 0;
	free(k->headers);
	k->headers = NULL;
	return -1;
}

/* Lines "name: value". */
static struct str header_of(struct str headers, const char *name)
{
	size_t n = strlen(name);

	while (headers.n > 0) {
		const char *end = memchr(headers.p, '\n', headers.n);
		struct str line = {headers.p, end ? (size_t)(end - headers.p) : headers.n};

		if (line.n > n + 2 && memcmp(line.p, name, n) == 0 &&
		    memcmp(line.p + n, ": ", 2) == 0)
			return (struct str){line.p + n + 2, line.n - n - 2};
		headers.p += line.n + (end != NULL);
		headers.n -= line.n + (end != NULL);
	}
	return (struct str){0};
}

/* "cn.keqiao.qiao.SubsidyPayment.v1" -> "SubsidyPayment"; another form is given as it is. */
static struct str record_name(struct str type)
{
	static const char prefix[] = "cn.keqiao.qiao.";
	size_t n = sizeof prefix - 1;
	const char *dot = type.n > n ? memrchr(type.p, '.', type.n) : NULL;

	if (dot == NULL || memcmp(type.p, prefix, n) != 0 || dot <= type.p + n || dot[1] != 'v')
		return type;
	return (struct str){type.p + n, (size_t)(dot - type.p) - n};
}

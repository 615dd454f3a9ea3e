/* An open hash over an array of pointers: submissions are added and looked up, never removed, and
 * others keep pointers to them. */
#include "adapters/village/submissions.h"
#include "base/buf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_VERSION = 1, ANSWER_SHARE = 10, PAUSES_MAX = 16 };

static int grow(struct submissions *s);
static size_t slot_of(const struct submissions *s, const struct id *id);

void submissions_fini(struct submissions *s)
{
	for (int i = 0; i < s->count; i++) {
		for (int k = 0; k < s->at[i]->name_count; k++) {
			free(s->at[i]->names[k].name);
			free(s->at[i]->names[k].answer);
		}
		free(s->at[i]);
	}
	free(s->at);
	free(s->index);
	*s = (struct submissions){0};
}

struct submission *submissions_find(const struct submissions *s, const struct id *id)
{
	if (s->index_cap == 0)
		return NULL;
	for (size_t i = slot_of(s, id);; i = (i + 1) % (size_t)s->index_cap) {
		if (s->index[i] < 0)
			return NULL;
		if (id_eq(&s->at[s->index[i]]->meta.submission, id))
			return s->at[s->index[i]];
	}
}

struct submission *submissions_add(struct submissions *s, const struct spool_meta *meta)
{
	struct submission *one;
	size_t i;

	if (s->count == s->cap && grow(s) < 0)
		return NULL;
	one = calloc(1, sizeof *one);
	if (one == NULL)
		return NULL;
	one->meta = *meta;
	for (i = slot_of(s, &meta->submission); s->index[i] >= 0;)
		i = (i + 1) % (size_t)s->index_cap;
	s->index[i] = s->count;
	s->at[s->count++] = one;
	return one;
}

static int grow(struct submissions *s)
{
	int cap = s->cap ? s->cap * 2 : 64;
	struct submission **at = realloc(s->at, sizeof *at * (size_t)cap);
	int *index;

	if (at == NULL)
		return -1;
	s->at = at;
	index = malloc(sizeof *index * (size_t)cap * 2);
	if (index == NULL)
		return -1;
	free(s->index);
	s->index = index;
	s->cap = cap;
	s->index_cap = cap * 2;
	for (int i = 0; i < s->index_cap; i++)
		index[i] = -1;
	for (int k = 0; k < s->count; k++) {
		size_t i = slot_of(s, &s->at[k]->meta.submission);

		while (index[i] >= 0)
			i = (i + 1) % (size_t)s->index_cap;
		index[i] = k;
	}
	return 0;
}

/* Ids are digests: their bytes are as good as any hash. */
static size_t slot_of(const struct submissions *s, const struct id *id)
{
	uint32_t h;

	memcpy(&h, id->b, sizeof h);
	return h % (size_t)s->index_cap;
}

struct file_name *submission_name(struct submission *s, const char *name)
{
	for (int i = 0; i < s->name_count; i++) {
		if (strcmp(s->names[i].name, name) == 0)
			return &s->names[i];
	}
	return NULL;
}

struct file_name *submission_add_name(struct submission *s, const char *name, const char *answer)
{
	struct file_name *n = &s->names[s->name_count];

	if (s->name_count == NAMES_MAX)
		return NULL;
	*n = (struct file_name){.name = strdup(name), .answer = strdup(answer)};
	if (n->name && n->answer) {
		s->name_count++;
		return n;
	}
	free(n->name);
	free(n->answer);
	return NULL;
}

/* Two digests, because between storing the new one and the rename the old file still lies there. */
bool file_name_wrote(const struct file_name *n, const uint8_t digest[SHA256_LEN])
{
	for (int i = 0; i < 2; i++) {
		if (n->known[i] && memcmp(n->written[i], digest, SHA256_LEN) == 0)
			return true;
	}
	return false;
}

void file_name_will_write(struct file_name *n, const uint8_t digest[SHA256_LEN],
			  const uint8_t *there)
{
	memcpy(n->written[0], digest, SHA256_LEN);
	n->known[0] = true;
	n->known[1] = there != NULL;
	if (there)
		memcpy(n->written[1], there, SHA256_LEN);
}

int file_name_set_answer(struct file_name *n, const char *answer)
{
	char *copy = strdup(answer);

	if (copy == NULL)
		return -1;
	free(n->answer);
	n->answer = copy;
	n->known[0] = n->known[1] = false;
	return 0;
}

int submission_names_put(const struct submission *s, struct buf *out)
{
	int rc = buf_put_u8(out, NAMES_VERSION) | buf_put_u32(out, (uint32_t)s->name_count);

	for (int i = 0; i < s->name_count; i++) {
		const struct file_name *n = &s->names[i];
		const char *texts[] = {n->name, n->answer};

		for (int k = 0; k < 2; k++) {
			rc |= buf_put_u32(out, (uint32_t)strlen(texts[k]));
			rc |= buf_put_str(out, texts[k]);
		}
		for (int k = 0; k < 2; k++) {
			rc |= buf_put_u8(out, n->known[k]);
			rc |= buf_put(out, n->written[k], SHA256_LEN);
		}
	}
	return rc;
}

/* Names beyond the limit are dropped, so that a file of a newer program with a larger one is
 * read. */
int submission_names_get(struct submission *s, struct str bytes)
{
	struct cursor c = cursor_of(bytes.p, bytes.n);
	uint32_t count;

	if (cursor_u8(&c) != NAMES_VERSION)
		return -1;
	count = cursor_u32(&c);
	for (uint32_t i = 0; i < count && !c.bad; i++) {
		char texts[2][FILE_NAME_MAX + 1];
		struct file_name *n;

		for (int k = 0; k < 2; k++) {
			size_t len = cursor_u32(&c);
			const uint8_t *p = cursor_bytes(&c, len);

			if (p == NULL || str_copy(texts[k], sizeof texts[k],
						  (struct str){(const char *)p, len}) < 0)
				return -1;
		}
		n = submission_add_name(s, texts[0], texts[1]);
		for (int k = 0; k < 2; k++) {
			bool known = cursor_u8(&c) != 0;
			const uint8_t *p = cursor_bytes(&c, SHA256_LEN);

			if (p == NULL)
				return -1;
			if (n == NULL)
				continue;
			n->known[k] = known;
			memcpy(n->written[k], p, SHA256_LEN);
		}
	}
	return c.bad ? -1 : 0;
}

static int64_t least_pause(const struct submission *s, int64_t interval_ms)
{
	int64_t share = ANSWER_SHARE * s->answer_took;

	return share > interval_ms ? share : interval_ms;
}

void submission_touch(struct submission *s, int64_t now, int64_t interval_ms)
{
	int64_t least = least_pause(s, interval_ms), rested = now + interval_ms, latest;

	if (s->answer_due > 0 && s->answer_retry > 0)
		return; /* it could not be written: that pause counts */
	if (s->answer_written == 0) {
		s->answer_due = now;
		return;
	}
	if (s->answer_due == 0)
		s->answer_since = now;
	if (s->answer_pause < 2 * least)
		s->answer_pause = 2 * least;
	latest = s->answer_since + s->answer_pause;
	s->answer_busy = latest < rested;
	s->answer_due = s->answer_busy ? latest : rested;
	if (s->answer_due < s->answer_written + least)
		s->answer_due = s->answer_written + least;
	if (s->answer_due < now)
		s->answer_due = now;
}

void submission_wrote(struct submission *s, int64_t began, int64_t now, int64_t interval_ms)
{
	int64_t most;

	s->answer_written = now;
	s->answer_took = now - began;
	most = PAUSES_MAX * least_pause(s, interval_ms);
	s->answer_pause = s->answer_busy ? 2 * s->answer_pause : 0;
	if (s->answer_pause > most)
		s->answer_pause = most;
	s->answer_busy = false;
}

/* A name at the limit of the file system loses its end, not the word that says what it is. */
void answer_name(char out[FILE_NAME_MAX + 1], const char *name, const char *suffix, int k,
		 const char *kind)
{
	char tail[64];
	size_t n = strlen(name), cut = strlen(suffix), room;

	if (k > 1)
		snprintf(tail, sizeof tail, ".回执-%d%s", k, kind);
	else
		snprintf(tail, sizeof tail, ".回执%s", kind);
	if (n > cut)
		n -= cut;
	room = FILE_NAME_MAX - strlen(tail);
	if (n > room)
		n = utf8_cut(name, room);
	memcpy(out, name, n);
	memcpy(out + n, tail, strlen(tail) + 1);
}

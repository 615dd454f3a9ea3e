#include "http/registry_cache.h"
#include "base/conf.h"
#include "base/fs.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 << 10, SHA_HEX = 64 };

static int take_line(struct registry_cache *c, struct str line, const char **why, struct err *e);
static struct str next_word(struct str *line);

int registry_cache_load(struct registry_cache *c, const char *file, struct err *e)
{
	struct buf text;
	struct str rest;
	const char *why = NULL;
	int rc = -1, number = 0;

	if (!fs_exists(file))
		return 0;
	buf_init(&text, FILE_MAX_BYTES);
	if (fs_read(file, &text, e) != 0)
		goto out;
	rest = (struct str){(const char *)text.data, text.len};
	while (rest.n > 0) {
		const char *end = memchr(rest.p, '\n', rest.n);
		struct str line = {rest.p, end ? (size_t)(end - rest.p) : rest.n};

		number++;
		if (end == NULL)
			why = "is cut off";
		else if (take_line(c, line, &why, e) != 0 && why == NULL)
			goto out;
		if (why) {
			err_set(e, ERR_SAFE,
				"%s: line %d %s: restore it from a backup; or, if the schema "
				"registry has never been changed or replaced, remove it",
				file, number, why);
			goto out;
		}
		rest = (struct str){end + 1, rest.n - line.n - 1};
	}
	rc = 0;
out:
	buf_fini(&text);
	return rc;
}

int registry_cache_load_all(struct registry_cache *c, const char *data_dir, struct err *e)
{
	char folder[CONF_PATH], path[CONF_PATH];
	const struct dirent *f;
	DIR *d;
	int rc = 0;

	if (fs_join(folder, sizeof folder, data_dir, REGISTRY_FOLDER) != 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	d = opendir(folder);
	if (d == NULL)
		return errno == ENOENT ? 0 : err_sys(e, ERR_CONF, errno, "%s", folder);
	while (rc == 0 && (f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);

		if (f->d_name[0] == '.' || n < 4 || strcmp(f->d_name + n - 4, ".ids") != 0)
			continue;
		if (fs_join(path, sizeof path, folder, f->d_name) != 0)
			rc = err_set(e, ERR_CONF, "[data] dir: path too long");
		else
			rc = registry_cache_load(c, path, e);
	}
	closedir(d);
	return rc;
}

int registry_cache_save(const struct registry_cache *c, const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	char folder[CONF_PATH], hex[SHA_HEX + 1];
	struct buf text;
	int rc = 0;

	if (slash == NULL ||
	    str_copy(folder, sizeof folder, (struct str){file, (size_t)(slash - file)}) != 0)
		return err_set(e, ERR_CONF, "%s: path too long", file);
	buf_init(&text, FILE_MAX_BYTES);
	for (int i = 0; i < c->count; i++) {
		hex_put(hex, c->at[i].mark.sha256, sizeof c->at[i].mark.sha256);
		rc |= buf_printf(&text, "%" PRId32 " %s %s\n", c->at[i].id, c->at[i].mark.name,
				 hex);
	}
	if (rc != 0)
		err_set(e, ERR_TEMP, "%s: out of memory", file);
	else if (fs_mkdirs(folder, e) != 0 ||
		 fs_write_durable(file, text.data ? (const void *)text.data : "", text.len, 0600,
				  e) != 0)
		rc = -1;
	buf_fini(&text);
	return rc;
}

int registry_cache_add(struct registry_cache *c, int32_t id, const struct schema_mark *mark,
		       struct err *e)
{
	const struct registry_id *known = registry_cache_id(c, id);

	if (known && schema_mark_eq(&known->mark, mark))
		return 0;
	if (known)
		return registry_changed(id, &known->mark, mark, e);
	if (c->count == REGISTRY_IDS_MAX)
		return err_set(e, ERR_CONF, "schema registry: more than %d ids of ours",
			       REGISTRY_IDS_MAX);
	c->at[c->count++] = (struct registry_id){id, *mark};
	return 0;
}

const struct registry_id *registry_cache_id(const struct registry_cache *c, int32_t id)
{
	for (int i = 0; i < c->count; i++) {
		if (c->at[i].id == id)
			return &c->at[i];
	}
	return NULL;
}

const struct registry_id *registry_cache_mark(const struct registry_cache *c,
					      const struct schema_mark *mark)
{
	for (int i = 0; i < c->count; i++) {
		if (schema_mark_eq(&c->at[i].mark, mark))
			return &c->at[i];
	}
	return NULL;
}

int registry_changed(int32_t id, const struct schema_mark *meant, const struct schema_mark *means,
		     struct err *e)
{
	return err_set(e, ERR_SAFE,
		       "schema registry: id %" PRId32 " meant %.60s and now means %s%.60s: events "
		       "would be misread. Restore the registry from its backup, or set [registry] "
		       "url to the one whose ids are in <data dir>/registry",
		       id, meant->name,
		       strcmp(meant->name, means->name) == 0 ? "another version of " : "",
		       means->name);
}

/* -1 with *why: the line is damaged; -1 without: *e. */
static int take_line(struct registry_cache *c, struct str line, const char **why, struct err *e)
{
	struct schema_mark mark = {0};
	struct str id = next_word(&line), name = next_word(&line);
	int64_t number;

	if (str_int(id, 1, INT32_MAX, &number) != 0)
		*why = "has no id";
	else if (name.n == 0 || str_copy(mark.name, sizeof mark.name, name) != 0)
		*why = "has no name";
	else if (hex_get(mark.sha256, sizeof mark.sha256, line) != 0)
		*why = "has no SHA-256";
	else
		return registry_cache_add(c, (int32_t)number, &mark, e);
	return -1;
}

static struct str next_word(struct str *line)
{
	const char *blank = line->n ? memchr(line->p, ' ', line->n) : NULL;
	struct str word = {line->p, blank ? (size_t)(blank - line->p) : line->n};
	size_t taken = word.n + (blank != NULL);

	*line = (struct str){line->p + taken, line->n - taken};
	return word;
}

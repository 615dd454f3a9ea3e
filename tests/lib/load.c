#include "tests/lib/load.h"
#include "base/fs.h"
#include "domain/village.h"
#include "ledger/read.h"
#include "tests/lib/bulk.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VILLAGES_BYTES = 1 << 20 };

/* next/<i>.csv, with covers <i>.cover.json and <i>.plan.json; next/<i>.to names the folder that they are for. */
int load_write(const struct load *l, const struct world *w, void (*told)(void *arg, int64_t rows), void *arg, struct err *e)
{
	struct villages villages = {0};
	struct complaints why = {0};
	struct buf csv;
	char dir[512], path[700], roster[800], cover[800];
	int rc = -1;

	buf_init(&csv, VILLAGES_BYTES);
	snprintf(path, sizeof path, "%s/config/villages.csv", w->root);
	if (fs_read(path, &csv, e) < 0 || fs_mkdirs(world_path(w, dir, "next"), e) < 0)
		goto out;
	if (villages_parse(&villages, (struct str){(char *)csv.data, csv.len}, &why) < 0 ||
	    villages.count == 0) {
		err_set(e, ERR_CONF, "%s: no list of villages", path);
		goto out;
	}
	for (int64_t first = 0, i = 0; first < l->rows; first += l->rows_each, i++) {
		const struct village *v = &villages.at[i % villages.count];
		int64_t left = l->rows - first;
		struct bulk bulk = {.seed = l->seed,
				    .town = v->town,
				    .village = v->name,
				    .code = v->code,
				    .first = (uint32_t)first,
				    .count = (uint32_t)(left < l->rows_each ? left : l->rows_each)};

		snprintf(roster, sizeof roster, "%s/%" PRId64 ".csv", dir, i);
		snprintf(cover, sizeof cover, "%s/%" PRId64 ".cover.json", dir, i);
		snprintf(path, sizeof path, "%s/data/inbox/%s", w->dir, v->code);
		if (bulk_write(&bulk, roster, l->covers ? cover : NULL, e) < 0 ||
		    fs_mkdirs(path, e) < 0)
			goto out;
		snprintf(path, sizeof path, "%s/%" PRId64 ".to", dir, i);
		if (fs_write_atomic(path, v->code, strlen(v->code), 0600, e) < 0)
			goto out;
		if (told)
			told(arg, first);
	}
	rc = 0;
out:
	villages_fini(&villages);
	buf_fini(&csv);
	return rc;
}

static int drop_one(const struct world *w, int64_t i, const char *code, const char *kind,
		    struct err *e)
{
	char from[512], to[512];

	snprintf(from, sizeof from, "%s/next/%" PRId64 ".%s", w->dir, i, kind);
	snprintf(to, sizeof to, "%s/data/inbox/%s/%" PRId64 ".%s", w->dir, code, i, kind);
	return rename(from, to) == 0 ? 0 : err_sys(e, ERR_TEMP, errno, "%s", to);
}

int load_drop(const struct load *l, const struct world *w, struct err *e)
{
	char path[512];
	struct buf code;
	int rc = 0;

	buf_init(&code, 64);
	for (int64_t i = 0; rc == 0; i++) {
		snprintf(path, sizeof path, "%s/next/%" PRId64 ".to", w->dir, i);
		if (!fs_exists(path))
			break;
		buf_reset(&code);
		if (fs_read(path, &code, e) < 0 || !buf_text(&code) ||
		    drop_one(w, i, (char *)code.data, "csv", e) < 0 ||
		    (l->covers && (drop_one(w, i, (char *)code.data, "plan.json", e) < 0 ||
				   drop_one(w, i, (char *)code.data, "cover.json", e) < 0)))
			rc = -1;
	}
	buf_fini(&code);
	return rc;
}

static int count_credited(void *arg, const struct stat *s)
{
	*(int64_t *)arg += s->count[SC_CREDITED];
	return 0;
}

int64_t load_credited(const struct world *w, struct err *e)
{
	char path[512];
	struct ledger_view *v;
	int64_t n = 0;
	int rc;

	if (view_open(&v, world_path(w, path, "data/gateway/ledger.db"), e) < 0)
		return -1;
	rc = view_stats(v, 0, (struct str){NULL, 0}, count_credited, &n, e);
	view_close(v);
	return rc < 0 ? -1 : n;
}

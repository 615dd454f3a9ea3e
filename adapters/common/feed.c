#include "adapters/common/feed.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int feed_path(const struct feed *f, char *out, size_t cap);
static const char *read_page(const struct feed *f, struct str body, struct page *p);

int feed_open(struct feed *f, struct adapter *a, struct peer *peer, struct err *e)
{
	f->a = a;
	f->peer = peer;
	peer_add(peer, &f->backoff, f->name);
	return feed_resume(f, e);
}

int feed_resume(struct feed *f, struct err *e)
{
	return feed_position_load(f->a, f->name, f->cursor, sizeof f->cursor, &f->as_of, e);
}

bool feed_fetch(struct feed *f, struct page *p, int64_t *wait_ms)
{
	char path[4 * FEED_CURSOR_MAX];
	struct answer answer;
	const char *wrong;
	enum exchange x;

	*p = (struct page){0};
	*wait_ms = peer_wait(f->peer, &f->backoff);
	if (*wait_ms > 0)
		return false;
	if (feed_path(f, path, sizeof path) != 0) {
		backoff_failed(f->peer, &f->backoff, -1, "cursor too long");
		goto later;
	}
	x = peer_exchange(f->peer, &f->backoff, path, (struct str){NULL, 0}, NULL, &answer);
	if (x == EX_SPLIT) /* a 400 for a cursor: nothing that we could halve */
		backoff_failed(f->peer, &f->backoff, -1, answer.why);
	if (x != EX_DONE)
		goto later;
	wrong = read_page(f, answer.http.body, p);
	if (wrong) {
		page_free(p);
		backoff_failed(f->peer, &f->backoff, -1, wrong);
		goto later;
	}
	backoff_worked(f->peer, &f->backoff, answer.http.took_ms);
	return true;
later:
	*wait_ms = peer_wait(f->peer, &f->backoff);
	return false;
}

int feed_done(struct feed *f, struct page *p, int64_t *wait_ms, struct err *e)
{
	bool moved = strcmp(f->cursor, p->next) != 0;

	*wait_ms = p->count >= FEED_PAGE ? 0 : f->peer->conf->feed_interval_ms;
	f->as_of = p->as_of;
	if (moved)
		memcpy(f->cursor, p->next, sizeof f->cursor);
	page_free(p);
	if (adapter_flush(f->a, e) != 0)
		return -1;
	if (!moved)
		return 0;
	if (feed_position_save(f->a, f->name, f->cursor, f->as_of, e) != 0)
		return -1;
	return adapter_flush(f->a, e);
}

void page_free(struct page *p)
{
	jsonin_free(p->root);
	p->root = NULL;
	p->entries = NULL;
}

static int feed_path(const struct feed *f, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s?limit=%d&after=", f->path, FEED_PAGE);
	size_t at = (size_t)n;

	for (const char *c = f->cursor; *c; c++) {
		bool safe = isalnum((unsigned char)*c) || strchr("-._~", *c);

		if (at + 4 > cap)
			return -1;
		at += (size_t)snprintf(out + at, cap - at, safe ? "%c" : "%%%02X",
				       (unsigned char)*c);
	}
	return 0;
}

/* NULL, or what is wrong with it. */
static const char *read_page(const struct feed *f, struct str body, struct page *p)
{
	struct str next;

	p->root = jsonin_parse(body);
	if (!p->root)
		return "answer is no JSON object";
	p->entries = jsonin_list(p->root, f->list);
	if (!p->entries || jsonin_time(p->root, "as_of", &p->as_of) != 0)
		return "answer is no page of the feed";
	p->count = json_array_size(p->entries);
	if (jsonin_str(p->root, "next", FEED_CURSOR_MAX - 1, &next) != 0 ||
	    str_copy(p->next, sizeof p->next, next) != 0)
		return "cursor missing or too long";
	/* It would bring the same page for ever. */
	if (p->count > 0 && strcmp(p->next, f->cursor) == 0)
		return "cursor does not move";
	return NULL;
}

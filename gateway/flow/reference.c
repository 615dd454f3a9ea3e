/* Reads the reference files into memory once, at start. */
#include "flow/reference.h"
#include "base/fs.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE_BYTES_MAX (16 << 20)

/* Passes complaints on with the file's name in front. */
static void blame(struct complaints *why, const char *file, const struct complaints *of)
{
	const char *base = strrchr(file, '/');
	for (int i = 0; i < of->count && i < COMPLAINTS_MAX; i++)
		complain(why, of->at[i].line, "%.80s: %s", base ? base + 1 : file, of->at[i].text);
}

static int slurp(const char *file, struct buf *text, struct complaints *why)
{
	struct err e;
	buf_reset(text);
	if (fs_read(file, text, &e) == 0)
		return 0;
	complain(why, 0, "%s", e.text);
	return -1;
}

static void load_policies(struct reference *r, const char *dir, struct buf *text, struct complaints *why)
{
	DIR *d = opendir(dir);
	if (!d) {
		complain(why, 0, "policy folder %.120s cannot be opened", dir);
		return;
	}
	for (struct dirent *it; (it = readdir(d));) {
		int64_t year;
		size_t n = strlen(it->d_name);
		char path[CONF_PATH + 64];
		if (n != 8 || strcmp(it->d_name + 4, ".ini") != 0 ||
		    str_int((struct str){it->d_name, 4}, 2000, 2200, &year) != 0)
			continue;
		if (r->policy_count == POLICY_YEARS_MAX || fs_join(path, sizeof(path), dir, it->d_name) != 0) {
			complain(why, 0, "too many policy files in %.120s", dir);
			break;
		}
		if (slurp(path, text, why) != 0)
			continue;
		struct complaints *own = calloc(1, sizeof(*own));
		if (own && policy_parse(&r->policies[r->policy_count], (int)year,
					(struct str){(char *)text->data, text->len}, own) == 0)
			r->policy_count++;
		else if (own)
			blame(why, path, own);
		free(own);
	}
	closedir(d);
	if (r->policy_count == 0)
		complain(why, 0, "no policy <year>.ini in %.120s", dir);
}

int reference_load(struct reference **out, const struct conf *c, struct complaints *why)
{
	struct reference *r = calloc(1, sizeof(*r));
	struct complaints *own = calloc(1, sizeof(*own));
	struct buf text;
	int before = why->count;
	buf_init(&text, REFERENCE_BYTES_MAX);
	if (!r || !own) {
		complain(why, 0, "out of memory");
		goto out;
	}
	load_policies(r, c->reference.policy, &text, why);
	if (slurp(c->reference.calendar, &text, why) == 0 &&
	    calendar_parse(&r->calendar, (struct str){(char *)text.data, text.len},
			   c->reference.no_change_known, own) != 0)
		blame(why, c->reference.calendar, own);
	own->count = 0;
	if (slurp(c->reference.villages, &text, why) == 0 &&
	    villages_parse(&r->villages, (struct str){(char *)text.data, text.len}, own) != 0)
		blame(why, c->reference.villages, own);
out:
	free(own);
	buf_fini(&text);
	if (why->count == before) {
		*out = r;
		return 0;
	}
	reference_free(r);
	return -1;
}

void reference_free(struct reference *r)
{
	if (r)
		villages_fini(&r->villages);
	free(r);
}

const struct policy *reference_policy(const struct reference *r, int year)
{
	for (int i = 0; i < r->policy_count; i++)
		if (r->policies[i].year == year)
			return &r->policies[i];
	return NULL;
}

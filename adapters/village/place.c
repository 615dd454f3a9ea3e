/* What a head line says goes to the look-up of domain/village.h; a title is searched for names
 * that are unique in the district, because there is no telling which words of it are meant as a
 * place. */
#include "adapters/village/place.h"
#include <stdio.h>
#include <string.h>

static const struct village *in_title(const struct villages *all, struct str text,
				      struct refusal *why);

/* R-02 R-35 */
const struct village *place_of(const struct roster *r, const struct reference *ref,
			       struct refusal *why)
{
	const struct village *at;
	const char *code = NULL;
	struct buf candidates;

	if (r->year == 0) {
		refusal_set(why, "year_missing", "%s", "");
		return NULL;
	}
	if (reference_policy(ref, r->year) == NULL) {
		refusal_set(why, "year_unknown", "%d", r->year);
		return NULL;
	}
	if (r->village[0] == '\0')
		return in_title(&ref->villages,
				(struct str){(char *)r->preface.data, r->preface.len}, why);
	buf_init(&candidates, sizeof why->what - 1);
	at = village_find(&ref->villages, str_of(r->town), str_of(r->village), &code, &candidates);
	if (at == NULL) {
		refusal_set(why, code, "%.*s", (int)candidates.len,
			    candidates.len ? (char *)candidates.data : "");
		snprintf(why->shown, sizeof why->shown, "名册上写的是：%s %s%s%s", r->town,
			 r->village, why->what[0] ? "；名称相近的有：" : "", why->what);
	}
	buf_fini(&candidates);
	return at;
}

/* A full name or code that is part of a longer one that is there too does not count. */
static const struct village *in_title(const struct villages *all, struct str text,
				      struct refusal *why)
{
	const struct village *found = NULL;

	for (int i = 0; text.n > 0 && i < all->count; i++) {
		const struct village *one = &all->at[i];
		bool named = memmem(text.p, text.n, one->name, strlen(one->name)) != NULL;

		if (!named && memmem(text.p, text.n, one->code, strlen(one->code)) == NULL)
			continue;
		if (found && strstr(found->name, one->name))
			continue;
		if (found && !strstr(one->name, found->name)) {
			refusal_set(why, "village_ambiguous", "%s、%s", found->name, one->name);
			return NULL;
		}
		found = one;
	}
	if (found == NULL)
		refusal_set(why, "village_missing", "%s", "");
	return found;
}

/* What covers and plans have in common: one function a key, each mistake a line with its JSON path. */
#ifndef QIAO_VILLAGE_CHECK_H
#define QIAO_VILLAGE_CHECK_H
#include "adapters/village/cover.h"
#include <jansson.h>

struct check {
	struct cover *cover;
	const struct reference *ref;
	int today;
	struct buf *wrong;
	const char *first; /* code of the first mistake */
};
void check_complain(struct check *c, const char *code, const char *path, const char *key);
void check_keys(struct check *c, const char *path, const json_t *o, const char *const *keys);
void check_village(struct check *c, const json_t *root);
void check_sponsor(struct check *c, const json_t *sponsor);
void check_standards(struct check *c, const json_t *list);
void check_gates(struct check *c, const json_t *list);
/* Amounts as text or whole numbers. */
bool check_money(struct check *c, const char *path, const json_t *v, int64_t *fen);
/* A short text or null. */
bool check_short(struct check *c, const char *path, const char *key, const json_t *v,
		struct str *out);

/* plan.c: all of a plan, into the cover's plan. */
void check_plan(struct check *c, const json_t *root);

#endif

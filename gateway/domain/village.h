/* The district's villages and communities (config/villages.csv). Pure; reference data, never
 * compiled in. */
#ifndef QIAO_DOMAIN_VILLAGE_H
#define QIAO_DOMAIN_VILLAGE_H
#include "base/buf.h"
#include "base/ini.h"

struct village {
	char code[13];	    /* 12 digits */
	char town_code[10]; /* 9 digits */
	char name[64], town[48];
	char kind[12];
};
struct villages {
	struct village *at;
	int count;
};
int villages_parse(struct villages *v, struct str csv, struct complaints *why);
void villages_fini(struct villages *v);
const struct village *village_by_code(const struct villages *v, struct str code12);
/* From what a head line says: code, else full name, else a short form (without
 * 社区居委会/村委会/居委会/村/社区 ...) unique in its town (or in the district when the town is
 * empty). NULL with *why = village_unknown | village_ambiguous | town_unknown; candidates (names
 * with towns, "、" between) are appended to `candidates` for the clerk. */
const struct village *village_find(const struct villages *v, struct str town, struct str name,
				   const char **why, struct buf *candidates);

#endif

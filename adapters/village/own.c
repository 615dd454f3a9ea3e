#include "adapters/village/own.h"
#include <string.h>

enum { HEAD = 4096 };

int own_begin(struct own_check *o)
{
	*o = (struct own_check){.digest = digest_new()};
	if (o->digest == NULL)
		return -1;
	digest_start(o->digest);
	return 0;
}

void own_add(struct own_check *o, const void *p, size_t n)
{
	const char *bytes = p, *mark = NULL;
	size_t label = strlen(OWN_LABEL);

	if (!o->begun && n > label + OWN_DIGITS)
		mark = memmem(bytes, n < HEAD ? n : HEAD, OWN_LABEL, label);
	o->begun = true;
	if (mark == NULL || (size_t)(mark - bytes) + label + OWN_DIGITS > n) {
		digest_add(o->digest, bytes, n);
		return;
	}
	mark += label;
	o->marked = true;
	o->at = mark - bytes;
	memcpy(o->code, mark, OWN_DIGITS);
	digest_add(o->digest, bytes, (size_t)o->at);
	digest_add(o->digest, OWN_BLANK, OWN_DIGITS);
	digest_add(o->digest, mark + OWN_DIGITS, n - (size_t)o->at - OWN_DIGITS);
}

void own_code(struct own_check *o, char out[OWN_DIGITS])
{
	uint8_t all[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	digest_end(o->digest, all);
	hex_put(hex, all, sizeof all);
	memcpy(out, hex, OWN_DIGITS);
}

bool own_is_true(struct own_check *o)
{
	char code[OWN_DIGITS];

	own_code(o, code);
	return o->marked && memcmp(code, o->code, OWN_DIGITS) == 0;
}

void own_end(struct own_check *o)
{
	digest_free(o->digest);
	o->digest = NULL;
}

bool own_name(const char *name)
{
	const char *mark = strstr(name, ".回执");
	size_t n = strlen(name);

	return mark && n > 4 && strcmp(name + n - 4, ".csv") == 0;
}

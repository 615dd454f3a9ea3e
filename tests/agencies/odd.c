#include "tests/agencies/odd.h"
#include "crypto/digest.h"
#include "tests/agencies/cut.h"
#include <stdio.h>
#include <string.h>

enum { SALT_ODD = 31 };
static const char *const names[ODD_KINDS] = {
	[ODD_NO_PAID] = "no_paid",	       [ODD_REORDERED] = "reordered",
	[ODD_OLDER] = "older",		       [ODD_TWO_RECEIPTS] = "two_receipts",
	[ODD_OTHER_AMOUNT] = "other_amount",   [ODD_REFUSED_AFTER] = "refused_after",
	[ODD_OTHER_YEAR] = "other_year",       [ODD_STRANGER] = "stranger",
	[ODD_GARBAGE] = "garbage",	       [ODD_DEBITED] = "debited",
};

static int parse_item(struct odd *o, struct str item, struct err *e)
{
	struct str rest = item, kind = str_cut(&rest, ':');
	int64_t sum = 0;
	int k = 0;

	while (k < ODD_KINDS && !str_is(kind, names[k]))
		k++;
	if (k == ODD_KINDS || str_int(rest, 0, 1000, &o->permille[k]) < 0)
		return err_set(e, ERR_CONF, "odd: %.*s: expected kind:permille", (int)item.n, item.p);
	for (int i = 0; i < ODD_KINDS; i++)
		sum += o->permille[i];
	o->any = sum > 0;
	return sum <= 1000 ? 0 : err_set(e, ERR_CONF, "odd: more than all of them");
}

int odd_open(struct odd *o, struct book *b, const char *spec, int64_t seed, struct err *e)
{
	struct str rest = str_of(spec ? spec : "");

	*o = (struct odd){.seed = seed, .book = b};
	while (rest.n > 0) {
		struct str item = str_trim(str_cut(&rest, ','));

		if (item.n > 0 && parse_item(o, item, e) < 0)
			return -1;
	}
	o->plant = book_prepare(b, "INSERT OR IGNORE INTO planted VALUES(?,?,?)");
	o->planted = book_prepare(b, "SELECT 1 FROM planted WHERE kind = ? AND subject = ?");
	return 0;
}

enum odd_kind odd_of(const struct odd *o, const struct id *subject)
{
	int64_t dice;

	if (!o->any)
		return ODD_NONE;
	dice = book_chance(subject, o->seed, SALT_ODD);
	for (int k = 0; k < ODD_KINDS; k++) {
		if (dice < o->permille[k])
			return (enum odd_kind)k;
		dice -= o->permille[k];
	}
	return ODD_NONE;
}

void odd_plant(struct odd *o, enum odd_kind kind, struct str subject, const char *what)
{
	book_write(o->book);
	stmt_text(o->plant, 1, str_of(names[kind]));
	stmt_text(o->plant, 2, subject);
	stmt_text(o->plant, 3, str_of(what));
	book_run(o->plant);
}

void odd_plant_payment(struct odd *o, enum odd_kind kind, const struct id *payment, const char *what)
{
	char hex[ID_HEX];

	odd_plant(o, kind, str_of(id_hex(payment, hex)), what);
}

bool odd_planted(struct odd *o, enum odd_kind kind, struct str subject)
{
	bool there;

	stmt_text(o->planted, 1, str_of(names[kind]));
	stmt_text(o->planted, 2, subject);
	there = book_step(o->planted);
	stmt_reset(o->planted);
	return there;
}

struct id odd_person(struct str number)
{
	uint8_t digest[SHA256_LEN];
	struct id id;

	sha256(number.p, number.n, digest);
	memcpy(id.b, digest, sizeof id.b);
	return id;
}

struct id odd_stranger(const struct id *payment)
{
	struct id id;

	for (size_t i = 0; i < sizeof id.b; i++)
		id.b[i] = payment->b[i] ^ 0x5a;
	return id;
}

int64_t odd_sequence(enum odd_kind kind, int64_t true_one)
{
	return ((int64_t)kind + 1) << 40 | true_one;
}

int odd_dump(const char *file, const struct store_kind *kind, struct err *e)
{
	struct book b;
	struct stmt *st;

	if (book_open_readonly(&b, file, kind, e) < 0)
		return -1;
	st = book_prepare(&b, "SELECT kind, subject, what FROM planted ORDER BY kind, subject");
	puts("kind,subject,what");
	while (book_step(st)) {
		struct str k = stmt_get_text(st, 0), s = stmt_get_text(st, 1), w = stmt_get_text(st, 2);

		printf("%.*s,%.*s,%.*s\n", (int)k.n, k.p, (int)s.n, s.p, (int)w.n, w.p);
	}
	book_close(&b);
	return fflush(stdout) == 0 ? 0 : err_set(e, ERR_TEMP, "stdout: write failed");
}

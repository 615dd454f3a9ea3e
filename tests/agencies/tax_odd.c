/* What the bureau's feed says wrongly on request (odd.h), beside or instead of the true entry. */
#include "tests/agencies/tax.h"

#define TWO_YEARS_MS (INT64_C(2) * 366 * 86400000)
enum { OTHER_RECEIPT = 1000000000 };

/* Told instead of "paid", or beside it: gives whether the true entry is told too. */
static bool odd_paid(struct page *p, enum odd_kind kind, struct change c)
{
	struct tax *t = p->agency;
	int64_t amount_fen = c.amount_fen;

	c.sequence = odd_sequence(kind, c.sequence);
	switch (kind) {
	case ODD_NO_PAID:
		odd_plant_payment(&t->odd, kind, &c.id, "03 is not told");
		return false;
	case ODD_REORDERED:
		odd_plant_payment(&t->odd, kind, &c.id, "03 behind 04");
		return false;
	case ODD_OTHER_AMOUNT:
		odd_plant_payment(&t->odd, kind, &c.id, "03 with a yuan more");
		c.amount_fen = amount_fen + 100;
		tax_put_change(p, &c);
		return false;
	case ODD_OTHER_YEAR:
		odd_plant_payment(&t->odd, kind, &c.id, "03 two years before");
		c.at -= TWO_YEARS_MS;
		tax_put_change(p, &c);
		return false;
	default:
		return true;
	}
}

static void odd_behind_paid(struct page *p, enum odd_kind kind, struct change c)
{
	struct tax *t = p->agency;

	c.sequence = odd_sequence(kind, c.sequence);
	if (kind == ODD_REFUSED_AFTER) {
		odd_plant_payment(&t->odd, kind, &c.id, "refused behind 03");
		c.status = "refused";
		c.reason = tax_reason(FATE_REFUSED);
		c.receipt = 0;
	} else if (kind == ODD_STRANGER) {
		c.id = odd_stranger(&c.id);
		odd_plant_payment(&t->odd, kind, &c.id, "03 of nobody's payment");
	} else if (kind == ODD_GARBAGE) {
		odd_plant_payment(&t->odd, kind, &c.id, "a status that is none");
		c.status = "99";
	} else {
		return;
	}
	tax_put_change(p, &c);
}

static void odd_behind_treasury(struct page *p, enum odd_kind kind, struct change c, const struct change *paid)
{
	struct tax *t = p->agency;

	if (kind == ODD_REORDERED) {
		tax_put_change(p, paid);
	} else if (kind == ODD_OLDER) {
		odd_plant_payment(&t->odd, kind, &c.id, "03 once more behind 04");
		tax_put_change(p, paid);
	} else if (kind == ODD_TWO_RECEIPTS) {
		odd_plant_payment(&t->odd, kind, &c.id, "04 under another receipt");
		c.sequence = odd_sequence(kind, c.sequence);
		c.receipt += OTHER_RECEIPT;
		tax_put_change(p, &c);
	}
}

void tax_put_odd(struct page *p, enum tax_kind kind, const struct change *c, const struct change *paid)
{
	const struct tax *t = p->agency;
	enum odd_kind odd = odd_of(&t->odd, &c->id);

	if (odd == ODD_NONE || kind != KIND_PAID || odd_paid(p, odd, *c))
		tax_put_change(p, c);
	if (odd != ODD_NONE && kind == KIND_PAID)
		odd_behind_paid(p, odd, *c);
	if (odd != ODD_NONE && kind == KIND_TREASURY)
		odd_behind_treasury(p, odd, *c, paid);
}

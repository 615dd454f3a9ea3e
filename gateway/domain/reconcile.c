/* Two books side by side: the words of each brought to one measure, one table that judges a pair, two merges that find the pairs. */
#include "domain/reconcile.h"
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define DAY_MS INT64_C(86400000)

const char *book_code(enum book b)
{
	return b == BOOK_TAX ? "tax" : "ssa";
}

int book_of(struct str code)
{
	return str_is(code, "tax") ? BOOK_TAX : str_is(code, "ssa") ? BOOK_SSA : -1;
}

static enum stand stand_at_tax(uint32_t facts)
{
	switch (state_of(facts)) {
	case ST_INSTRUCTED:
	case ST_IN_DOUBT:
	case ST_ACCEPTED:
		return STAND_OPEN;
	case ST_PAID:
	case ST_IN_TREASURY:
	case ST_CREDITED:
	case ST_CREDIT_REFUSED:
	case ST_REFUND_REQUESTED:
	case ST_REFUND_IN_DOUBT:
		return STAND_OK;
	case ST_FAILED:
	case ST_REFUNDED:
		return STAND_FAILED;
	default:
		return STAND_NONE;
	}
}

/* A refund is known to the account when the debit is; one that was refused leaves the money there. */
static enum stand stand_at_ssa(uint32_t facts)
{
	if (facts & F_CREDIT_REFUSED && !(facts & F_CREDITED))
		return STAND_FAILED;
	if (facts & F_DEBITED)
		return STAND_FAILED;
	if (facts & F_REFUNDED && !(facts & F_DEBIT_REFUSED))
		return facts & F_FED_BACK ? STAND_OPEN : STAND_NONE;
	if (facts & F_CREDITED)
		return STAND_OK;
	return facts & F_PAID ? STAND_OPEN : STAND_NONE;
}

enum stand stand_of_facts(enum book b, uint32_t facts)
{
	return b == BOOK_TAX ? stand_at_tax(facts) : stand_at_ssa(facts);
}

static const struct {
	enum book book;
	const char *word;
	enum stand stand;
} words[] = {
	{BOOK_TAX, "accepted", STAND_OPEN},   {BOOK_TAX, "paid", STAND_OK},
	{BOOK_TAX, "in_treasury", STAND_OK},  {BOOK_TAX, "refused", STAND_FAILED},
	{BOOK_TAX, "refunded", STAND_FAILED}, {BOOK_SSA, "pending", STAND_OPEN},
	{BOOK_SSA, "credited", STAND_OK},     {BOOK_SSA, "credit_refused", STAND_FAILED},
	{BOOK_SSA, "debited", STAND_FAILED},  {BOOK_SSA, "debit_refused", STAND_OK},
};

int book_word_of(enum book b, struct str word)
{
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].book == b && str_is(word, words[i].word))
			return (int)i;
	return -1;
}

const char *book_word(int number)
{
	return number >= 0 && (size_t)number < COUNT(words) ? words[number].word : "";
}

enum stand stand_of_word(int number)
{
	return words[number].stand;
}

static const struct {
	const char *code;
	bool differs;
} classes[BOOK_CLASSES] = {
	[BC_NONE] = {"none", false},
	[BC_SAME] = {"same", false},
	[BC_AMOUNT] = {"amount_differs", true},
	[BC_FAILED_THERE] = {"failed_there", true},
	[BC_MISSING_THERE] = {"missing_there", true},
	[BC_OK_THERE] = {"ok_there", true},
	[BC_UNKNOWN_HERE] = {"unknown_here", true},
	[BC_BOTH_FAILED] = {"both_failed", false},
	[BC_LATER] = {"expected_later", false},
};

const char *book_class_code(enum book_class c)
{
	return classes[c].code;
}

bool book_class_differs(enum book_class c)
{
	return classes[c].differs;
}

/* Rows: A; columns: B as NONE, OPEN, OK, FAILED. Amounts come first where both sides have money or are about to. */
static const enum book_class table[STANDS][STANDS] = {
	[STAND_NONE] = {BC_NONE, BC_UNKNOWN_HERE, BC_UNKNOWN_HERE, BC_NONE},
	[STAND_OPEN] = {BC_LATER, BC_LATER, BC_LATER, BC_LATER},
	[STAND_OK] = {BC_MISSING_THERE, BC_LATER, BC_SAME, BC_FAILED_THERE},
	[STAND_FAILED] = {BC_BOTH_FAILED, BC_OK_THERE, BC_OK_THERE, BC_BOTH_FAILED},
};

struct reconcile_terms reconcile_terms_of(int64_t from, int64_t to, int64_t as_of)
{
	return (struct reconcile_terms){.from = from, .as_of = as_of && as_of < to ? as_of : to, .grace_ms = 10 * INT64_C(60000),
					.patience_ms = 30 * DAY_MS, .window_ms = 31 * DAY_MS};
}

static bool has_money(const struct book_line *l)
{
	return l && (l->stand == STAND_OK || l->stand == STAND_OPEN);
}

/* Since when the two could be seen to differ: the newest word of either side. */
static int64_t since(const struct book_line *a, const struct book_line *b)
{
	return !a ? b->at : !b || a->at > b->at ? a->at : b->at;
}

int64_t reconcile_age(const struct reconcile_terms *t, const struct book_line *a, const struct book_line *b)
{
	int64_t ms = t->as_of - since(a, b);
	return ms > 0 ? ms / DAY_MS : 0;
}

enum book_class reconcile_judge(const struct reconcile_terms *t, const struct book_line *a, const struct book_line *b)
{
	enum stand ours = a ? (enum stand)a->stand : STAND_NONE, theirs = b ? (enum stand)b->stand : STAND_NONE;
	enum book_class c = table[ours][theirs];
	int64_t waited = t->as_of - since(a, b);
	/* Entered before the book begins: it says nothing about that. */
	if (!b && a && a->entered < t->from)
		return BC_NONE;
	if (has_money(a) && has_money(b) && a->amount_fen != b->amount_fen)
		return BC_AMOUNT;
	/* Another state, not another amount, and fresh: the news of it may be on its way. What is in the book and unknown here is told
	 * at once where it has no id: nobody will send news of it. */
	if ((c == BC_FAILED_THERE || c == BC_MISSING_THERE || c == BC_OK_THERE) && waited < t->grace_ms)
		return BC_LATER;
	if (c == BC_LATER && waited > t->patience_ms)
		return theirs == STAND_OK ? BC_OK_THERE : theirs == STAND_FAILED ? BC_FAILED_THERE : BC_MISSING_THERE;
	return c;
}

static int by_number(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

int book_line_by_pid(const void *x, const void *y)
{
	const struct book_line *a = x, *b = y;
	int d = memcmp(a->pid.b, b->pid.b, ID_LEN);
	return d ? d : by_number(a->ref, b->ref);
}

static int by_person_and_amount(const struct book_line *a, const struct book_line *b)
{
	int d = memcmp(a->token.b, b->token.b, ID_LEN);
	return d ? d : by_number(a->amount_fen, b->amount_fen);
}

int book_line_by_person(const void *x, const void *y)
{
	const struct book_line *a = x, *b = y;
	int d = by_person_and_amount(a, b);
	if (d == 0)
		d = by_number(a->at, b->at);
	return d ? d : by_number(a->ref, b->ref);
}

int reconcile_by_pid(const struct book_line *a, size_t a_count, const struct book_line *b, size_t b_count, reconcile_fn *fn, void *arg)
{
	size_t i = 0, k = 0;
	int rc = 0;
	while (rc == 0 && (i < a_count || k < b_count)) {
		int d = i == a_count ? 1 : k == b_count ? -1 : memcmp(a[i].pid.b, b[k].pid.b, ID_LEN);
		rc = fn(arg, d <= 0 ? &a[i] : NULL, d >= 0 ? &b[k] : NULL);
		i += d <= 0;
		k += d >= 0;
	}
	return rc;
}

/* Within one person and amount both sides go by time. An entry too early for the other side's next one can meet no later one either. */
int reconcile_by_person(const struct reconcile_terms *t, const struct book_line *a, size_t a_count, const struct book_line *b,
			size_t b_count, reconcile_fn *fn, void *arg)
{
	size_t i = 0, k = 0;
	int rc = 0;
	while (rc == 0 && (i < a_count || k < b_count)) {
		int d = i == a_count ? 1 : k == b_count ? -1 : by_person_and_amount(&a[i], &b[k]);
		if (d == 0 && a[i].at < b[k].at - t->window_ms)
			d = -1;
		else if (d == 0 && a[i].at > b[k].at + t->window_ms)
			d = 1;
		rc = fn(arg, d <= 0 ? &a[i] : NULL, d >= 0 ? &b[k] : NULL);
		i += d <= 0;
		k += d >= 0;
	}
	return rc;
}

/* Cells of a roster from outside: the functions that read them take any bytes, and what they take
 * for good is what they say it is. Input: cells parted by TAB, in the order of the form. */
#include "base/date.h"
#include "domain/cell.h"
#include "domain/citizen_id.h"
#include "domain/money.h"
#include "domain/row.h"
#include <stdlib.h>
#include <string.h>

#define NAME_ROOM 400

static void must(bool good)
{
	if (!good)
		abort();
}

static void try_number(struct str raw, int today)
{
	char number[24], again[24];
	const char *why;

	if (citizen_id_normalise(raw, number, sizeof(number)) != 0)
		return;
	must(strlen(number) < sizeof(number) &&
	     citizen_id_normalise(str_of(number), again, sizeof(again)) == 0);
	why = citizen_id_check(str_of(number), today);
	must(why != NULL || strlen(number) == CITIZEN_ID_LEN);
	must(why != NULL || strcmp(number, again) == 0); /* a good number is already normal */
	credit_code_check(raw);
	certificate_kind(raw);
}

static void try_amount(struct str raw)
{
	int64_t fen = -1, again;
	char text[24];
	const char *why = money_parse(raw, &fen);

	must(why == NULL ? fen > 0 && fen <= MONEY_MAX_FEN : fen == 0);
	if (why == NULL)
		must(money_parse(str_of(yuan(text, fen)), &again) == NULL && again == fen);
}

static void try_row(const struct str cells[COLUMNS], int today)
{
	/* On the heap and of the exact size that the contract asks for, so that a byte too far
	 * is seen. */
	size_t cap = 3 * cells[COL_NAME].n + 16;
	char *name = malloc(cap);
	struct row_form form;

	must(name != NULL);
	row_read(&form, cells, today, name, cap);
	must(form.defect_count >= 0 && form.defect_count <= DEFECTS_MAX);
	must(form.name.n <= cap && utf8_valid(form.name));
	must(form.number[0] == '\0' || citizen_id_check(str_of(form.number), today) == NULL);
	must(form.amount_known ? form.amount_fen > 0 : form.amount_fen == 0);
	must(form.arrived_on == DATE_NONE || form.arrived_on <= today);
	for (int i = 0; i < form.defect_count; i++)
		must(form.defects[i].code != NULL && form.defects[i].column != NULL);
	row_read(&form, cells, today, name,
		 cap < NAME_ROOM ? cap / 2 : NAME_ROOM / 2); /* too small: no overflow */
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int today = 20788; /* 2026-12-01 */
	struct str rest = {(const char *)data, size}, cells[COLUMNS] = {{NULL, 0}};
	enum column c;

	for (int i = 0; i < COLUMNS && rest.n > 0; i++) {
		const char *tab = memchr(rest.p, '\t', rest.n);
		size_t n = tab == NULL ? rest.n : (size_t)(tab - rest.p);

		cells[i] = (struct str){rest.p, n};
		rest = (struct str){rest.p + n + (tab != NULL), rest.n - n - (tab != NULL)};
		try_number(cells[i], today);
		try_amount(cells[i]);
		column_of_heading(cells[i], &c);
		cell_bare(cells[i]);
	}
	try_row(cells, today);
	return 0;
}

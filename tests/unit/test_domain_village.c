#include "domain/village.h"
#include "tests/lib/unit.h"
#include <string.h>

static struct villages all;
static struct buf candidates;

static int set_up(void **state)
{
	struct complaints why = {0};
	struct err e = {0};
	struct buf csv;

	(void)state;
	buf_init(&csv, 1 << 20);
	buf_init(&candidates, 4096);
	if (fs_read("config/villages.csv", &csv, &e) != 0)
		fail_msg("%s", e.text);
	if (villages_parse(&all, str_of(buf_text(&csv)), &why) != 0)
		fail_msg("line %d: %s", why.at[0].line, why.at[0].text);
	buf_fini(&csv);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	villages_fini(&all);
	buf_fini(&candidates);
	return 0;
}

static const struct village *find(const char *town, const char *name, const char **why)
{
	buf_reset(&candidates);
	return village_find(&all, str_of(town), str_of(name), why, &candidates);
}

static void the_district_has_341_units(void **state)
{
	const struct village *v;

	(void)state;
	assert_int_equal(all.count, 341);
	v = village_by_code(&all, STR("330603001008"));
	assert_non_null(v);
	assert_string_equal(v->name, "管墅社区居委会");
	assert_string_equal(v->town, "柯桥街道");
	assert_string_equal(v->town_code, "330603001");
	assert_string_equal(v->kind, "community");
	assert_null(village_by_code(&all, STR("330603001009")));
	assert_null(village_by_code(&all, STR("3306030010080")));
	assert_null(village_by_code(&all, STR("")));
}

static void each_unit_is_found_by_code_and_full_name(void **state)
{
	const char *why;

	(void)state;
	for (int i = 0; i < all.count; i++) {
		const struct village *v = &all.at[i];

		assert_ptr_equal(village_by_code(&all, str_of(v->code)), v);
		assert_ptr_equal(find("", v->code, &why), v);
		assert_ptr_equal(find(v->town, v->name, &why), v);
		assert_null(why);
		assert_ptr_equal(find("", v->name, &why),
				 v); /* full names are unique in the district */
	}
}

static void names_as_people_write_them(void **state)
{
	static const struct {
		const char *town, *name, *code;
	} table[] = {
		{"柯桥街道", "管墅", "330603001008"},
		{"柯桥街道", "管墅社区", "330603001008"},
		{"柯桥", "管墅社区居民委员会", "330603001008"},
		{"柯桥街道办事处", "管墅居委会", "330603001008"},
		{"330603001", "管墅", "330603001008"},
		{"钱清镇", "钱清村", "330603009214"},
		{"", "管墅", "330603001008"},
		{" 柯桥　街道", " 管 墅\t社区", "330603001008"},
		{"柯桥街道", "柯桥街道管墅社区", "330603001008"},
		{"", "柯桥街道管墅社区", "330603001008"},
		{"湖塘街道", "兴华", "330603004233"},
		{"华舍街道", "兴华", "330603003004"},
		{"", "兴华村", "330603004233"},
		{"", "兴华社区", "330603003004"},
		{"湖塘街道", "型塘村", "330603004242"},
		{"湖塘街道", "型塘居委会", "330603004002"},
		{"湖塘街道", "型塘社区", "330603004002"},
		{"湖塘街道", "型塘村民委员会", "330603004242"},
		{"湖塘街道", "330603004002", "330603004002"},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		const struct village *v = find(table[i].town, table[i].name, &why);

		if (v == NULL || strcmp(v->code, table[i].code) != 0)
			fail_msg("%s %s: %s", table[i].town, table[i].name, v ? v->code : why);
		assert_null(why);
		assert_int_equal(candidates.len, 0);
	}
}

static void what_is_not_unique_or_unknown_is_refused_with_candidates(void **state)
{
	static const struct {
		const char *town, *name, *why, *candidates;
	} table[] = {
		{"湖塘街道", "型塘", "village_ambiguous",
		 "型塘居委会（湖塘街道）、型塘村委会（湖塘街道）"},
		{"", "兴华", "village_ambiguous",
		 "兴华社区居委会（华舍街道）、兴华村委会（湖塘街道）"},
		{"柯桥街道", "兴华", "village_unknown",
		 "兴华社区居委会（华舍街道）、兴华村委会（湖塘街道）"},
		{"柯桥街道", "兴华村委会", "village_unknown", "兴华村委会（湖塘街道）"},
		{"湖塘街道", "兴华社区", "village_unknown", "兴华社区居委会（华舍街道）"},
		{"柯桥街道", "管", "village_unknown", "管墅社区居委会（柯桥街道）"},
		{"柯桥街道", "月亮湾", "village_unknown", ""},
		{"柯桥街道", "", "village_unknown", ""},
		{"柯桥街道", "330603001009", "village_unknown", ""},
		{"月亮镇", "管墅", "town_unknown", "管墅社区居委会（柯桥街道）"},
		{"柯桥区", "管墅", "town_unknown", "管墅社区居委会（柯桥街道）"},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		assert_null(find(table[i].town, table[i].name, &why));
		assert_string_equal(why, table[i].why);
		assert_true(str_is((struct str){(char *)candidates.data, candidates.len},
				   table[i].candidates) ||
			    (candidates.len == 0 && table[i].candidates[0] == '\0'));
	}
}

/* Every short form either finds its own unit in its town or is refused: never another one. */
static void a_short_form_never_finds_another_unit(void **state)
{
	static const char *const ends[] = {"社区居委会", "居委会", "村委会"};
	int found = 0;
	const char *why;

	(void)state;
	for (int i = 0; i < all.count; i++) {
		char name[sizeof all.at[i].name];

		memcpy(name, all.at[i].name, sizeof name);
		for (size_t k = 0; k < COUNT(ends); k++) {
			size_t n = strlen(name), end = strlen(ends[k]);

			if (n > end && strcmp(name + n - end, ends[k]) == 0)
				name[n - end] = '\0';
		}
		if (find(all.at[i].town, name, &why) == &all.at[i])
			found++;
		else
			assert_string_equal(why, "village_ambiguous");
	}
	assert_int_equal(found, 339); /* all but the two 型塘 */
}

static void long_texts_do_not_overflow(void **state)
{
	char lengthy[1000];
	const char *why;

	(void)state;
	memset(lengthy, 'a', sizeof lengthy - 1);
	lengthy[sizeof lengthy - 1] = '\0';
	assert_null(find("柯桥街道", lengthy, &why));
	assert_string_equal(why, "village_unknown");
	assert_null(find(lengthy, "管墅", &why));
	assert_string_equal(why, "town_unknown");
	assert_null(village_find(&all, (struct str){NULL, 0}, (struct str){NULL, 0}, &why,
				 &candidates));
}

static void bad_lists_are_told_by_line(void **state)
{
#define HEAD "town_code9,town_name,code12,name,kind\n"
	static const struct {
		const char *csv, *told;
		int line;
	} table[] = {
		{"", "no villages", 0},
		{HEAD, "no villages", 0},
		{"name,code\n330603001,柯桥街道,330603001008,管墅社区居委会,community\n", "head",
		 1},
		{HEAD "330603001,柯桥街道,330603001008,管墅社区居委会\n", "five cells", 2},
		{HEAD "330603001,柯桥街道,33060300100,管墅社区居委会,community\n", "12", 2},
		{HEAD "33060300x,柯桥街道,330603001008,管墅社区居委会,community\n", "9 digits", 2},
		{HEAD "330603002,柯桥街道,330603001008,管墅社区居委会,community\n",
		 "does not start", 2},
		{HEAD "330603001,柯桥街道,330603001008,,community\n", "empty", 2},
		{HEAD "330603001,柯桥街道,330603001008,a,b\n330603001,柯桥街道,330603001008,c,d\n",
		 "twice", 0},
		{HEAD "330603001,柯桥街道,330603001008,a,much too long a kind\n", "too long", 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct complaints why = {0};
		struct villages v;

		assert_int_equal(villages_parse(&v, str_of(table[i].csv), &why), -1);
		assert_int_equal(why.at[0].line, table[i].line);
		if (strstr(why.at[0].text, table[i].told) == NULL)
			fail_msg("%s", why.at[0].text);
		assert_null(v.at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_district_has_341_units),
		cmocka_unit_test(each_unit_is_found_by_code_and_full_name),
		cmocka_unit_test(names_as_people_write_them),
		cmocka_unit_test(what_is_not_unique_or_unknown_is_refused_with_candidates),
		cmocka_unit_test(a_short_form_never_finds_another_unit),
		cmocka_unit_test(long_texts_do_not_overflow),
		cmocka_unit_test(bad_lists_are_told_by_line),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

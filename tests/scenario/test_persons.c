/* What is decided about persons, through the commands on the real programs: two numbers become one person, and at the end the identities
 * of the year are destroyed. The books stay as they were, and everything starts again. */
#include "base/fs.h"
#include "tests/lib/people.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <string.h>

static struct tale t;
static struct buf out;
static char anna[512], berta[512];

#define qiao(...) (buf_reset(&out), world_qiao(&t.world, &out, __VA_ARGS__, NULL))
#define SIGNED_BY(who) "--reason", "a test", "--operator", #who, "--key", who
#define APPROVED_BY(who) "--approve-operator", #who, "--approve-key", who
#define HAS(part) \
	do { \
		if (strstr(buf_text(&out), part) == NULL) \
			fail_msg("\"%s\" is not in:\n%s", part, buf_text(&out)); \
	} while (0)

static void check(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s", e->text);
}

/* What the commands read next from their standard input. */
static void say(const char *text)
{
	char path[512];
	struct err e = {0};

	check(fs_write_atomic(world_path(&t.world, path, "said"), text, strlen(text), 0600, &e), &e);
	assert_non_null(freopen(path, "r", stdin));
}

/* Of the command's JSON. */
static void word(char *to, size_t cap, const char *key)
{
	json_t *root = json_loadb((const char *)out.data, out.len, 0, NULL);

	snprintf(to, cap, "%s", json_string_value(json_object_get(root, key)));
	json_decref(root);
}

static void live_until_the_new_year(void)
{
	struct world_options o = {.day = STORY_BEGINS};
	struct err e = {0};

	check(tale_open(&t, &o, 12, &e), &e);
	check(world_start_four(&t.world, &e), &e);
	world_path(&t.world, anna, "anna.key");
	world_path(&t.world, berta, "berta.key");
	assert_int_equal(qiao("keygen", "--operator", "anna", "--key", anna), 0);
	assert_int_equal(qiao("keygen", "--operator", "berta", "--key", berta), 0);
	/* Operators are read at start. */
	assert_int_equal(world_stop(&t.world, GATEWAY), 0);
	check(world_start(&t.world, GATEWAY, &e), &e);
	check(tale_hand_in(&t, 1, &e), &e);
}

static void two_numbers_become_one(void)
{
	struct invented older, newer;
	char id[40], state[40], both[100];

	invented_at(&older, 99, 1);
	invented_at(&newer, 99, 2);
	snprintf(both, sizeof both, "%s\n %s\r\n", older.number, newer.number);
	say(both);
	assert_int_equal(qiao("link", "--format", "json", "--wait", "60", SIGNED_BY(anna)), EXIT_YES);
	word(state, sizeof state, "state");
	assert_string_equal(state, "waiting_approval");
	word(id, sizeof id, "operation");
	assert_int_equal(qiao("approve", id, "--wait", "60", SIGNED_BY(anna)), EXIT_NO);
	assert_int_equal(qiao("approve", id, "--wait", "60", SIGNED_BY(berta)), EXIT_YES);
	assert_int_equal(qiao("operations", id), EXIT_YES);
	HAS("link");
	assert_null(strstr(buf_text(&out), older.number));
	say(both);
	assert_int_equal(qiao("link", "--wait", "60", SIGNED_BY(anna)), EXIT_YES); /* sent on; refused when it is approved */
	/* What is no number, the same one twice, one too few. */
	say("330621199001011230\n330621199001011231\n");
	assert_int_equal(qiao("link", SIGNED_BY(anna)), EXIT_USAGE);
	snprintf(both, sizeof both, "%s\n%s\n", older.number, older.number);
	say(both);
	assert_int_equal(qiao("link", SIGNED_BY(anna)), EXIT_USAGE);
	snprintf(both, sizeof both, "%s\n", older.number);
	say(both);
	assert_int_equal(qiao("unlink", SIGNED_BY(anna)), EXIT_USAGE);
	assert_int_equal(qiao("audit", "--role", "trace"), EXIT_YES);
	HAS("numbers_linked");
}

static void not_while_it_may_be_needed(void)
{
	struct err e = {0};

	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_NO); /* rows are open */
	/* By force before its time; its record says so. */
	assert_int_equal(qiao("keys", "destroy", "2025", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_NO);
	assert_int_equal(qiao("keys", "destroy", "2025", "--force", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_YES);
	assert_int_equal(qiao("audit", "--role", "keys"), EXIT_YES);
	HAS("seal_key_destroyed_by_force");
	for (int wave = 2; wave < STORY_WAVES; wave++)
		check(tale_hand_in(&t, wave, &e), &e);
	check(tale_end_year(&t, &e), &e);
	assert_int_equal(tale_check(&t, stdout), 0);
	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_NO); /* late arrivals */
	check(world_set_day(&t.world, "2029-01-02", &e), &e);
	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna), APPROVED_BY(anna)), EXIT_USAGE);
	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna), "--approve-operator", "berta", "--approve-key", anna), EXIT_USAGE);
	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna)), EXIT_USAGE);
	assert_int_equal(qiao("keys", "destroy", "2031", "--force", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_USAGE); /* no such key */
	assert_int_equal(qiao("audit", "--role", "keys"), EXIT_YES);
	assert_null(strstr(buf_text(&out), "2026/"));
}

static void the_identities_go(void)
{
	static const enum part four[] = {VILLAGE, TAX, SSA, GATEWAY};
	char before[1 << 16], path[512];
	struct err e = {0};

	for (size_t i = 0; i < COUNT(four); i++)
		assert_int_equal(world_stop(&t.world, four[i]), 0);
	assert_int_equal(qiao("statement", "--format", "json"), EXIT_YES);
	assert_true(out.len < sizeof before);
	snprintf(before, sizeof before, "%s", buf_text(&out));
	assert_int_equal(qiao("keys", "destroy", "2026", SIGNED_BY(anna), APPROVED_BY(berta)), EXIT_YES);
	HAS("village/seal-2026.key");
	HAS("tax/seal-2026.key");
	HAS("ssa/seal-2026.key");
	assert_false(fs_exists(world_path(&t.world, path, "keys/ssa/seal-2026.key")));
	assert_true(fs_exists(world_path(&t.world, path, "keys/ssa/seal-2026.destroyed")));
	assert_int_equal(qiao("audit", "--role", "keys"), EXIT_YES);
	HAS("seal_key_destroyed ");
	HAS("2026/anna/");
	HAS("seal_key_destruction_approved");
	HAS("2026/berta/");
	/* The books say what they said. */
	assert_int_equal(qiao("statement", "--format", "json"), EXIT_YES);
	assert_string_equal(buf_text(&out), before);
	assert_int_equal(qiao("check"), EXIT_YES);
	check(world_start_four(&t.world, &e), &e);
	assert_int_equal(tale_check(&t, stdout), 0);
	for (size_t i = 0; i < COUNT(four); i++)
		assert_true(world_alive(&t.world, four[i]));
}

/* By an id; names were never shown. */
static void a_payment_is_still_traced(void)
{
	char id[ID_HEX];

	id_hex(&t.rosters.rows[0].submission, id);
	assert_int_equal(qiao("trace", id), EXIT_YES);
	assert_int_equal(qiao("status", "--format", "json") == EXIT_USAGE, 0);
}

static void persons(void **state)
{
	(void)state;
	buf_init(&out, 16 << 20);
	live_until_the_new_year();
	two_numbers_become_one();
	not_while_it_may_be_needed();
	the_identities_go();
	a_payment_is_still_traced();
	buf_fini(&out);
	tale_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(persons)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

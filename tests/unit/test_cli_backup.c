/* WRAP: ledger_backup bus_backup */
/* LINK: gateway/cli/backup.o gateway/cli/files.o gateway/cli/data.o gateway/cli/common.o */
/* The order of a backup, with the world moving on between its steps: what the village program does
 * while ledger and bus are being copied is done here from within those two calls. */
#include "bus/bus.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/files.h"
#include "ledger/ledger.h"
#include "tests/lib/command.h"

#define OLD "11111111111111111111111111111111"
#define LATE "22222222222222222222222222222222"
#define DONE "44444444444444444444444444444444"
#define COVER "33333333333333333333333333333333"

static struct tmpdir dir;
static struct cli cli;
static int ledger_calls, bus_calls;
static int64_t bus_seq;

int cli_usage(const struct cli *c, const char *command, const char *code)
{
	(void)c;
	(void)command;
	(void)code;
	return EXIT_USAGE;
}

static void put(const char *name, const char *text)
{
	char path[CONF_PATH], folder[CONF_PATH];
	struct err e = {0};

	assert_int_equal(fs_join(path, sizeof path, cli.conf.data.dir, name), 0);
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	assert_int_equal(fs_mkdirs(folder, &e), 0);
	write_text(path, text);
}

static const char *copied(const char *name)
{
	static char text[4096];
	char path[CONF_PATH];

	snprintf(path, sizeof path, "%s/copy/%s", dir.path, name);
	return text_of(path, text, sizeof text);
}

static bool is_copied(const char *name)
{
	char path[CONF_PATH];

	snprintf(path, sizeof path, "%s/copy/%s", dir.path, name);
	return fs_exists(path);
}

int __real_ledger_backup(const char *path, const char *dst, int64_t *seq, struct err *e);
int __wrap_ledger_backup(const char *path, const char *dst, int64_t *seq, struct err *e);
int __real_bus_backup(const struct bus_options *from, const char *to, int64_t seq, struct err *e);
int __wrap_bus_backup(const struct bus_options *from, const char *to, int64_t seq, struct err *e);

int __wrap_ledger_backup(const char *path, const char *dst, int64_t *seq, struct err *e)
{
	assert_int_equal(bus_calls, 0);
	ledger_calls++;
	if (__real_ledger_backup(path, dst, seq, e) < 0)
		return -1;
	*seq = 77; /* only to see it passed on */
	return 0;
}

int __wrap_bus_backup(const struct bus_options *from, const char *to, int64_t seq, struct err *e)
{
	int rc = __real_bus_backup(from, to, seq, e);

	assert_int_equal(ledger_calls, 1);
	bus_calls++;
	bus_seq = seq;
	put("registry/tax.ids", "7 a 0\n8 b 0\n"); /* of an event that the copy may hold */
	/* Published after the bus was copied: the copy has none of their events. */
	put("spool/" OLD "/meta", "qiao-spool 1\nstate published\nrows 1\n");
	put("spool/" OLD "/answers.bin", "newer answers");
	put("spool/" OLD "/names.sealed", "newer names");
	put("spool/" LATE "/roster.sealed", "late roster");
	put("spool/" LATE "/meta", "qiao-spool 1\nreceipt 2\nstate published\nrows 2\n");
	put("spool/" LATE "/answers.bin", "late answers");
	put("spool/covers/" COVER ".sealed", "cover");
	put("spool/covers/" COVER ".meta", "qiao-spool 1\nstate published\n");
	return rc;
}

static int make_world(void **state)
{
	char path[CONF_PATH];
	struct err e = {0};

	(void)state;
	tmpdir_make(&dir);
	cli = (struct cli){.lang = LANG_EN};
	ledger_calls = bus_calls = 0;
	assert_int_equal(fs_join(cli.conf.data.dir, CONF_PATH, dir.path, "data"), 0);
	assert_int_equal(data_make_folders(cli.conf.data.dir, &e), 0);
	assert_int_equal(cli_path(&cli, path, "bus", &e), 0);
	assert_int_equal(bus_init(&(struct bus_options){.dir = path}, &e), 0);
	assert_int_equal(cli_path(&cli, path, CLI_LEDGER, &e), 0);
	assert_int_equal(ledger_init(path, NULL, &e), 0);
	put("spool/" OLD "/roster.sealed", "old roster");
	put("spool/" OLD "/meta", "qiao-spool 1\nstate spooled\nrows 1\n");
	put("spool/" OLD "/answers.bin", "older answers");
	put("spool/" OLD "/names.sealed", "older names");
	put("spool/" DONE "/meta", "qiao-spool 1\nstate published\nrows 3\n");
	put("spool/.new-" LATE "/roster.sealed", "half of it");
	put("refused/" OLD ".reason", "roster_no_header");
	put("inbox/sender/a.csv", "the village's own");
	put("run/tax.status", "pid 1");
	put("registry/tax.ids", "7 a 0\n");
	put("registry/.half.ids", "7");
	put("audit/tax-2026-12.log", "a record\n");
	put("audit/.tax.lock", "");
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	tmpdir_remove(&dir);
	return 0;
}

static int backup_to(const char *name)
{
	char path[320];
	char *argv[] = {(char[]){"backup"}, (char *)(uintptr_t)tmpdir_file(&dir, path, name), NULL};

	return cmd_backup(&cli, 2, argv);
}

static void copies_nothing_that_the_copied_bus_does_not_have(void **state)
{
	(void)state;
	assert_int_equal(backup_to("copy"), EXIT_YES);
	assert_int_equal(bus_calls, 1);
	assert_int_equal(bus_seq, 77);
	assert_string_equal(copied("spool/" OLD "/meta"), "qiao-spool 1\nstate spooled\nrows 1\n");
	assert_string_equal(copied("spool/" OLD "/roster.sealed"), "old roster");
	assert_string_equal(copied("spool/" DONE "/meta"),
			    "qiao-spool 1\nstate published\nrows 3\n");
	/* These came after the spool was copied, and perhaps after the bus was: they are published
	 * again after a restore. */
	assert_string_equal(copied("spool/" LATE "/meta"),
			    "qiao-spool 1\nreceipt 2\nstate spooled\nrows 2\n");
	assert_string_equal(copied("spool/" LATE "/roster.sealed"), "late roster");
	assert_string_equal(copied("spool/covers/" COVER ".meta"), "qiao-spool 1\nstate spooled\n");
	assert_string_equal(copied("spool/covers/" COVER ".sealed"), "cover");
	/* Answers: at least those that the copied position calls read. */
	assert_string_equal(copied("spool/" OLD "/answers.bin"), "newer answers");
	assert_string_equal(copied("spool/" OLD "/names.sealed"), "newer names");
	assert_string_equal(copied("spool/" LATE "/answers.bin"), "late answers");
}

static void copies_what_cannot_be_made_anew_and_no_more(void **state)
{
	(void)state;
	assert_int_equal(backup_to("copy/"), EXIT_YES);
	assert_true(is_copied("gateway/ledger.db"));
	assert_true(is_copied("bus/submissions.db"));
	assert_true(is_copied("bus/groups/tax.db"));
	assert_true(is_copied("refused/" OLD ".reason"));
	assert_string_equal(copied("registry/tax.ids"), "7 a 0\n8 b 0\n");
	assert_false(is_copied("registry/.half.ids"));
	assert_string_equal(copied("audit/tax-2026-12.log"), "a record\n");
	assert_false(is_copied("audit/.tax.lock"));
	assert_false(is_copied("spool/.new-" LATE));
	/* Folders of what is not copied are there, empty: a restored data folder is whole. */
	assert_true(is_copied("inbox"));
	assert_true(is_copied("run"));
	assert_false(is_copied("inbox/sender"));
	assert_false(is_copied("run/tax.status"));
}

static void the_manifest_tells_of_every_file(void **state)
{
	static char manifest[1 << 16];
	int lines = 0;

	(void)state;
	assert_int_equal(backup_to("copy"), EXIT_YES);
	snprintf(manifest, sizeof manifest, "%s", copied("manifest.sha256"));
	for (char *line = manifest, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
		char path[CONF_PATH], hex[FILE_DIGEST];
		struct err e = {0};

		*end = '\0';
		assert_true(end - line > 66);
		snprintf(path, sizeof path, "%s/copy/%.200s", dir.path, line + 66);
		assert_int_equal(file_digest(path, hex, &e), 0);
		assert_memory_equal(line, hex, 64);
	}
	assert_true(lines >= topic_count + 8);
}

static void refuses_a_folder_that_is_not_fresh(void **state)
{
	char path[320];

	(void)state;
	assert_int_equal(backup_to("copy"), EXIT_YES);
	assert_int_equal(backup_to("copy"), EXIT_USAGE);
	assert_int_equal(ledger_calls, 1);
	assert_int_equal(backup_to("data/copy"), EXIT_USAGE);
	assert_false(fs_exists(tmpdir_file(&dir, path, "data/copy")));
	assert_int_equal(ledger_calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_nothing_that_the_copied_bus_does_not_have,
						make_world, remove_world),
		cmocka_unit_test_setup_teardown(copies_what_cannot_be_made_anew_and_no_more,
						make_world, remove_world),
		cmocka_unit_test_setup_teardown(the_manifest_tells_of_every_file, make_world,
						remove_world),
		cmocka_unit_test_setup_teardown(refuses_a_folder_that_is_not_fresh, make_world,
						remove_world),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The commands that stand alone: check, keygen, init, status, submit, rejects. The part of the
 * village program is played here. */
#include "base/date.h"
#include "bus/bus.h"
#include "crypto/ids.h"
#include "events/events.h"
#include "tests/lib/command.h"
#include "tests/lib/which_bus.h"
#include <jansson.h>
#include <sys/stat.h>

static struct tmpdir dir;
static struct command_said said;
static struct which_bus which;
static char here[400], ini[320];

static void write_ini(const char *more)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	buf_printf(&text,
		   "[reference]\npolicy = %s/config/policy\ncalendar = %s/config/calendar.csv\n"
		   "villages = %s/config/villages.csv\n%s",
		   here, here, here, more);
	which_bus_put(&which, &text);
	write_text(ini, buf_text(&text));
	buf_fini(&text);
}

static int make_world(void **state)
{
	struct err e = {0};
	char data[320];

	(void)state;
	assert_non_null(getcwd(here, sizeof here));
	tmpdir_make(&dir);
	tmpdir_file(&dir, ini, "qiao.ini");
	if (which_bus_open(&which, tmpdir_file(&dir, data, "data"), &e) < 0)
		fail_msg("%s", e.text);
	write_ini("[run]\nprograms = qiao\n");
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	which_bus_close(&which);
	tmpdir_remove(&dir);
	return 0;
}

#define qiao(...) command_run(&said, &dir, "qiao", "-c", ini, __VA_ARGS__, NULL)

/* ---- the line itself ---- */

static void teaches_and_refuses(void **state)
{
	(void)state;
	assert_int_equal(command_run(&said, &dir, "qiao", "--help", NULL), EXIT_YES);
	assert_has(said.out, "qiao COMMAND --help");
	assert_int_equal(command_run(&said, &dir, "qiao", "--lang", "zh", "submit", "--help", NULL),
			 EXIT_YES);
	assert_has(said.out, "回执编号");
	assert_int_equal(command_run(&said, &dir, "qiao", NULL), EXIT_USAGE);
	assert_int_equal(command_run(&said, &dir, "qiao", "chekc", NULL), EXIT_USAGE);
	assert_has(said.err, "no command chekc");
	assert_int_equal(command_run(&said, &dir, "qiao", "--lang", "fr", "check", NULL),
			 EXIT_USAGE);
	assert_int_equal(qiao("status", "--cuonters"), EXIT_USAGE);
	assert_has(said.err, "qiao status [--counters]");
	assert_int_equal(qiao("status", "now"), EXIT_USAGE);
	assert_int_equal(command_run(&said, &dir, "qiao", "-c", "/no/such/file", "status", NULL),
			 EXIT_USAGE);
	assert_has(said.err, "/no/such/file");
}

/* ---- check ---- */

static void check_finds_nothing_where_nothing_is_wrong(void **state)
{
	(void)state;
	assert_int_equal(qiao("check"), EXIT_YES);
	assert_has(said.out, "ok\n");
	assert_has(said.out, "no keys yet");
	assert_string_equal(said.err, "");
	assert_int_equal(qiao("keygen"), EXIT_YES);
	assert_int_equal(qiao("check"), EXIT_YES);
	assert_null(strstr(said.out, "no keys yet"));
}

static void check_tells_every_error_with_its_line(void **state)
{
	static const int lines[] = {2, 4, 5, 8, 10};

	(void)state;
	write_text(ini, "[bus]\nretention_days = many\npoll_min = 1ms\nsegment = 1MiB\nno equals "
			"sign\n[nowhere]\n"
			"[tax]\nurl = http://tax.example.org\n[run]\nprograms = /bin/sh\n");
	assert_int_equal(qiao("check"), EXIT_USAGE);
	for (size_t i = 0; i < COUNT(lines); i++) {
		char place[400];

		snprintf(place, sizeof place, "%s:%d: ", ini, lines[i]);
		assert_has(said.err, place);
	}
	assert_null(strstr(said.out, "ok"));
	/* The same errors keep every other command from starting. */
	assert_int_equal(qiao("run"), EXIT_USAGE);
	assert_has(said.err, "retention_days");
}

static void check_looks_into_reference_data_keys_and_programs(void **state)
{
	char text[2048], path[320], key[400];

	(void)state;
	assert_int_equal(qiao("keygen"), EXIT_YES);
	assert_int_equal(mkdir(tmpdir_file(&dir, path, "policy"), 0700), 0);
	write_text(tmpdir_file(&dir, path, "policy/2026.ini"),
		   "[year]\n\nnonsense\nother nonsense\n");
	write_text(tmpdir_file(&dir, path, "calendar.csv"),
		   "date,off,name,paper\nnot a date,1,x,y\n");
	snprintf(text, sizeof text,
		 "[reference]\npolicy = policy\ncalendar = calendar.csv\nvillages = "
		 "missing.csv\n[run]\nprograms = qiao qiao-none\n");
	write_text(ini, text);
	snprintf(key, sizeof key, "%s/keys/tax/token.key", dir.path);
	assert_int_equal(chmod(key, 0644), 0);
	assert_int_equal(qiao("check"), EXIT_USAGE);
	assert_has(said.err, "2026.ini:3: ");
	assert_has(said.err, "2026.ini:4: ");
	assert_has(said.err, "calendar.csv:2: ");
	assert_has(said.err, "missing.csv");
	assert_has(said.err, "keys/tax/token.key");
	assert_has(said.err, "qiao-none: [run] programs: no such program");
}

static void check_looks_where_the_ids_of_a_registry_are_kept(void **state)
{
	char path[320];

	(void)state;
	assert_int_equal(mkdir(tmpdir_file(&dir, path, "data"), 0700), 0);
	write_text(tmpdir_file(&dir, path, "data/registry"), "no folder");
	assert_int_equal(qiao("check"), EXIT_YES); /* no registry: nobody cares */
	write_ini("[run]\nprograms = qiao\n[registry]\nurl = http://127.0.0.1:9\n");
	assert_int_equal(qiao("check"), EXIT_USAGE);
	assert_has(said.err, "data/registry: [registry] url");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(qiao("check"), EXIT_YES);
	assert_int_equal(mkdir(path, 0500), 0);
	/* Who is root may write anywhere. */
	assert_int_equal(qiao("check"), geteuid() == 0 ? EXIT_YES : EXIT_USAGE);
	assert_int_equal(rmdir(path), 0);
}

/* ---- keygen, init ---- */

static void keygen_makes_what_is_missing_and_shows_no_key(void **state)
{
	char path[320], key[200];

	(void)state;
	assert_int_equal(qiao("keygen", "--years", "2025-2026"), EXIT_YES);
	assert_has(said.out, "keys/village/spool.key");
	assert_has(said.out, "keys/ssa/seal-2025.key");
	assert_null(strstr(said.out, "seal-2024"));
	text_of(tmpdir_file(&dir, path, "keys/trace/token.key"), key, sizeof key);
	assert_true(strlen(key) == 65);
	key[64] = '\0';
	assert_null(strstr(said.out, key));
	assert_int_equal(qiao("keygen", "--years", "2025-2026"), EXIT_YES);
	assert_has(said.out, "nothing was missing");
	assert_int_equal(qiao("keygen"), EXIT_YES); /* the years of the policies: 2024 is new */
	assert_has(said.out, "keys/tax/seal-2024.key");
	assert_null(strstr(said.out, "seal-2025"));
	assert_int_equal(qiao("keygen", "--years", "2026-2025"), EXIT_USAGE);
	assert_int_equal(qiao("keygen", "--years", "soon"), EXIT_USAGE);
}

static void init_begins_once(void **state)
{
	char path[320];

	(void)state;
	assert_int_equal(qiao("status"), EXIT_NO);
	assert_has(said.out, "not initialised: qiao init");
	/* The villages' own files may be there before. */
	assert_int_equal(mkdir(tmpdir_file(&dir, path, "data"), 0700), 0);
	assert_int_equal(mkdir(tmpdir_file(&dir, path, "data/inbox"), 0700), 0);
	write_text(tmpdir_file(&dir, path, "data/inbox/note"), "x");
	assert_int_equal(qiao("init"), EXIT_YES);
	assert_true(fs_exists(tmpdir_file(&dir, path, "data/gateway/ledger.db")));
	if (!on_kafka())
		assert_true(fs_exists(tmpdir_file(&dir, path, "data/bus/payments.db")));
	assert_int_equal(qiao("init"), EXIT_USAGE);
	assert_has(said.err, "nothing was changed");
	assert_int_equal(unlink(tmpdir_file(&dir, path, "data/gateway/ledger.db")), 0);
	assert_int_equal(qiao("init"), EXIT_USAGE); /* a ledger lost is no fresh start */
	assert_false(fs_exists(tmpdir_file(&dir, path, "data/gateway/ledger.db")));
}

/* ---- status ---- */

static void status_is_read_by_monitors(void **state)
{
	char path[320], text[400];
	json_t *root;

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	/* "qiao" stands for a program, and this test for its process: another name, so not that
	 * program. */
	snprintf(text, sizeof text,
		 "pid %d\nstate running\nsince_ms 5\nat_ms 6\npeer open 7\ncounters rows=3 "
		 "files=4\n",
		 (int)getpid());
	write_text(tmpdir_file(&dir, path, "data/run/qiao.status"), text);
	assert_int_equal(qiao("status", "--format", "json", "--counters"), EXIT_NO);
	root = json_loads(said.out, 0, NULL);
	assert_non_null(root);
	json_t *program = json_array_get(json_object_get(root, "programs"), 0);
	assert_string_equal(json_string_value(json_object_get(program, "state")), "killed");
	assert_false(json_boolean_value(json_object_get(program, "alive")));
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(program, "counters"), "files")),
		4);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(program, "peer"), "since_ms")),
		7);
	assert_true(json_array_size(json_object_get(root, "topics")) >= 10);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(root, "todo"), 0), "code")),
			    "todo_start");
	json_decref(root);
}

/* ---- submit ---- */

static const char roster[] = "序号,姓名\r\n1,x\r\n", mended[] = "序号,姓名\r\n1,y\r\n";

static void names_of(const char *content, char hex[ID_HEX], char receipt[12])
{
	uint8_t sum[SHA256_LEN];
	char sum_hex[2 * SHA256_LEN + 1], digits[11];
	struct id id;

	sha256(content, strlen(content), sum);
	hex_put(sum_hex, sum, sizeof sum);
	submission_id(&id, STR("yangxunqiao"), str_of(sum_hex));
	id_hex(&id, hex);
	receipt_number(digits, &id);
	receipt_text(receipt, digits);
}

static void submit_hands_over_whole_files_and_waits(void **state)
{
	char path[320], file[320], text[600], hex[ID_HEX], receipt[12];

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	write_text(tmpdir_file(&dir, file, "roster.csv"), roster);
	write_text(tmpdir_file(&dir, path, "roster.cover.json"), "{}");
	names_of(roster, hex, receipt);
	assert_int_equal(qiao("submit", file, "--sender", "yangxunqiao", "--wait", "0"),
			 EXIT_LATER);
	assert_has(said.out, receipt);
	assert_has(said.err, "a new sender");
	assert_string_equal(text_of(tmpdir_file(&dir, path, "data/inbox/yangxunqiao/roster.csv"),
				    text, sizeof text),
			    roster);
	assert_string_equal(
		text_of(tmpdir_file(&dir, path, "data/inbox/yangxunqiao/roster.cover.json"), text,
			sizeof text),
		"{}");
	assert_false(fs_exists(tmpdir_file(&dir, path, "data/inbox/yangxunqiao/roster.csv.part")));

	snprintf(text, sizeof text, "data/spool/%s", hex);
	assert_int_equal(mkdir(tmpdir_file(&dir, path, text), 0700), 0);
	snprintf(text, sizeof text, "data/spool/%s/meta", hex);
	write_text(tmpdir_file(&dir, path, text), "x");
	assert_int_equal(qiao("submit", "--sender", "yangxunqiao", file), EXIT_YES);
	assert_has(said.out, "received, receipt ");
	assert_has(said.out, receipt);
	assert_has(said.out, "data/inbox/yangxunqiao/roster.回执.csv");
	assert_has(said.out, "one submission");
	assert_string_equal(said.err, "");
}

static void submit_tells_why_a_file_is_refused(void **state)
{
	char path[320], file[320], text[600], hex[ID_HEX], receipt[12];
	json_t *root;

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	write_text(tmpdir_file(&dir, file, "letter.csv"), mended);
	names_of(mended, hex, receipt);
	snprintf(text, sizeof text, "data/refused/%s.reason", hex);
	write_text(tmpdir_file(&dir, path, text),
		   "submit_waiting 12\n"); /* any code with a text and an argument */
	assert_int_equal(qiao("submit", file, "--sender", "yangxunqiao", "--wait=1"), EXIT_NO);
	assert_has(said.out, "waiting for qiao-village, 12 s");
	assert_has(said.out, "letter.回执.txt");
	assert_int_equal(qiao("submit", file, "--sender", "yangxunqiao", "--format", "json"),
			 EXIT_NO);
	root = json_loads(said.out, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "result")), "refused");
	assert_string_equal(json_string_value(json_object_get(root, "submission")), hex);
	assert_string_equal(json_string_value(json_object_get(root, "receipt")), receipt);
	json_decref(root);
}

static void submit_overwrites_only_when_told(void **state)
{
	char path[320], file[320], other[320], text[600];

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	write_text(tmpdir_file(&dir, file, "a.csv"), roster);
	assert_int_equal(qiao("submit", file, "--sender", "s", "--wait", "0"), EXIT_LATER);
	write_text(file, mended);
	write_text(tmpdir_file(&dir, other, "a.cover.json"), "{}");
	assert_int_equal(qiao("submit", file, "--sender", "s", "--wait", "0"), EXIT_NO);
	assert_has(said.err, "--replace");
	assert_string_equal(
		text_of(tmpdir_file(&dir, path, "data/inbox/s/a.csv"), text, sizeof text), roster);
	assert_false(fs_exists(tmpdir_file(&dir, path, "data/inbox/s/a.cover.json")));
	assert_int_equal(qiao("submit", file, "--sender", "s", "--wait", "0", "--replace"),
			 EXIT_LATER);
	assert_string_equal(
		text_of(tmpdir_file(&dir, path, "data/inbox/s/a.csv"), text, sizeof text), mended);
	assert_true(fs_exists(tmpdir_file(&dir, path, "data/inbox/s/a.cover.json")));
}

static void submit_stays_in_the_drop_folder(void **state)
{
	static const char *const senders[] = {"",    ".",	"..",	"../x",
					      "a/b", ".hidden", "a\nb", "\xff"};
	static const char *const names[] = {"x.xlsx", ".x.csv", "~$x.csv", ".csv", "x.csv.part"};
	char path[320], file[320];

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	write_text(tmpdir_file(&dir, file, "x.csv"), roster);
	for (size_t i = 0; i < COUNT(senders); i++)
		assert_int_equal(qiao("submit", file, "--sender", senders[i], "--wait", "0"),
				 EXIT_NO);
	for (size_t i = 0; i < COUNT(names); i++) {
		write_text(tmpdir_file(&dir, file, names[i]), roster);
		assert_int_equal(qiao("submit", file, "--sender", "s", "--wait", "0"), EXIT_NO);
	}
	assert_false(fs_exists(tmpdir_file(&dir, path, "data/inbox/s")));
	assert_int_equal(qiao("submit", file), EXIT_USAGE);
	assert_int_equal(qiao("submit", "--sender", "s"), EXIT_USAGE);
	assert_int_equal(qiao("submit", file, "--sender", "s", "--wait", "soon"), EXIT_USAGE);
	assert_int_equal(qiao("submit", "/no/such.csv", "--sender", "s"), EXIT_USAGE);
}

/* ---- rejects ---- */

static void put_reject(struct bus *b, struct codec *codec, const char *topic, int64_t offset)
{
	struct rejected_event ev = {.topic = str_of(topic),
				    .offset = offset,
				    .event_type = STR("CollectionResult"),
				    .reason = STR("undecodable"),
				    .detail = STR("trailing bytes"),
				    .bytes = STR("\x01\xab"),
				    .at = time_of_date(date_of(2026, 12, 24))};
	struct bus_event out = {.key = STR("k"), .type = STR("RejectedEvent"), .time_ms = ev.at};
	struct err e = {0};
	struct buf body;

	buf_init(&body, 1 << 16);
	assert_int_equal(codec_encode(codec, EV_REJECTED_EVENT, &ev, &body, &e), 0);
	out.data = (struct str){(const char *)body.data, body.len};
	random_bytes(&out.id, sizeof out.id);
	assert_int_equal(bus_publish(b, "rejects.gateway", &out, &e), 0);
	buf_fini(&body);
}

static void rejects_are_listed_and_shown(void **state)
{
	struct bus_options o;
	struct codec *codec = NULL;
	struct bus *b = NULL;
	struct err e = {0};
	json_t *root;

	(void)state;
	assert_int_equal(qiao("init"), EXIT_YES);
	assert_int_equal(qiao("rejects"), EXIT_YES);
	assert_has(said.out, "nothing was rejected");
	assert_int_equal(which_bus_load(&which, ini, &e), 0);
	o = which_bus_options(&which, "gateway");
	assert_int_equal(bus_open(&b, &o, &e), 0);
	assert_int_equal(codec_open(&codec, NULL, &e), 0);
	put_reject(b, codec, "collections", 41);
	put_reject(b, codec, "credits", 42);
	assert_int_equal(bus_flush(b, &e), 0);
	codec_close(codec);
	bus_close(b);

	assert_int_equal(qiao("rejects"), EXIT_NO);
	assert_has(said.out, "gateway:0");
	assert_has(said.out, "2026-12-24T00:00:00");
	assert_has(said.out, "collections");
	assert_has(said.out, "trailing bytes");
	assert_int_equal(qiao("rejects", "--topic", "credits"), EXIT_NO);
	assert_null(strstr(said.out, "gateway:0"));
	assert_has(said.out, "gateway:1");
	assert_int_equal(qiao("rejects", "--topic", "answers"), EXIT_YES);
	assert_int_equal(qiao("rejects", "--show", "gateway:1"), EXIT_NO);
	assert_has(said.out, "00000000  01 ab\n");
	assert_int_equal(qiao("rejects", "--show", "gateway:2"), EXIT_YES);
	assert_int_equal(qiao("rejects", "--show", "gateway"), EXIT_USAGE);
	assert_int_equal(qiao("rejects", "--format", "json"), EXIT_NO);
	root = json_loads(said.out, 0, NULL);
	assert_int_equal(json_array_size(root), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(root, 1), "event_offset")), 42);
	json_decref(root);
	assert_int_equal(qiao("status"), EXIT_NO);
	assert_has(said.out, "2 events could not be processed: qiao rejects");
}

int main(void)
{
#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		WITH_WORLD(teaches_and_refuses),
		WITH_WORLD(check_finds_nothing_where_nothing_is_wrong),
		WITH_WORLD(check_tells_every_error_with_its_line),
		WITH_WORLD(check_looks_into_reference_data_keys_and_programs),
		WITH_WORLD(check_looks_where_the_ids_of_a_registry_are_kept),
		WITH_WORLD(keygen_makes_what_is_missing_and_shows_no_key),
		WITH_WORLD(init_begins_once),
		WITH_WORLD(status_is_read_by_monitors),
		WITH_WORLD(submit_hands_over_whole_files_and_waits),
		WITH_WORLD(submit_tells_why_a_file_is_refused),
		WITH_WORLD(submit_overwrites_only_when_told),
		WITH_WORLD(submit_stays_in_the_drop_folder),
		WITH_WORLD(rejects_are_listed_and_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/conf.h"
#include "base/log.h"
#include "tests/lib/unit.h"
#include <string.h>

/* Run from the top folder, as make test does. */
static const char shipped[] = "config/qiao.ini";

static int parse(struct conf *c, const char *text, struct complaints *why)
{
	memset(why, 0, sizeof *why);
	return conf_parse(c, "/etc/qiao/qiao.ini", str_of(text), why);
}

static void assert_good(struct conf *c, const char *text)
{
	struct complaints why;

	if (parse(c, text, &why) < 0)
		fail_msg("line %d: %s", why.at[0].line, why.at[0].text);
}

static void the_shipped_file_is_the_printed_reference(void **state)
{
	struct buf printed, file;
	struct err e = {0};

	(void)state;
	buf_init(&printed, 1 << 20);
	buf_init(&file, 1 << 20);
	assert_int_equal(conf_reference(&printed), 0);
	if (fs_read(shipped, &file, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(buf_text(&file), buf_text(&printed));
	buf_fini(&printed);
	buf_fini(&file);
}

static void the_reference_says_the_defaults(void **state)
{
	struct conf by_default, by_reference;
	struct buf printed;

	(void)state;
	buf_init(&printed, 1 << 20);
	assert_int_equal(conf_reference(&printed), 0);
	assert_good(&by_default, "");
	assert_good(&by_reference, buf_text(&printed));
	assert_memory_equal(&by_default, &by_reference, sizeof by_default);
	buf_fini(&printed);
}

static void production_defaults(void **state)
{
	struct conf c;

	(void)state;
	assert_good(&c, "");
	assert_string_equal(c.file, "/etc/qiao/qiao.ini");
	assert_string_equal(c.dir, "/etc/qiao");
	assert_string_equal(c.data.dir, "/etc/qiao/data");
	assert_string_equal(c.log.dir, "");
	assert_int_equal(c.log.level, LOG_INFO);
	assert_string_equal(c.clock.file, "");
	assert_string_equal(c.bus.kind, "local");
	assert_int_equal(c.bus.retention_days, 400);
	assert_int_equal(c.bus.segment_bytes, 1 << 20);
	assert_int_equal(c.bus.poll_min_ms, 2);
	assert_int_equal(c.bus.poll_max_ms, 50);
	assert_string_equal(c.reference.policy, "/etc/qiao/policy");
	assert_false(c.reference.no_change_known);
	assert_int_equal(c.gateway.batch_events, 4000);
	assert_int_equal(c.gateway.contribution_retry_ms, 86400000);
	assert_int_equal(c.gateway.doubt_enquiry_ms, 60000);
	assert_int_equal(c.gateway.crediting, CREDITING_ADAPTER);
	assert_false(c.gateway.stand_by);
	assert_string_equal(c.village.inbox, "/etc/qiao/data/inbox");
	assert_int_equal(c.village.file_bytes_max, 64 << 20);
	assert_int_equal(c.tax.timeout_ms, 30000);
	assert_int_equal(c.ssa.batch_rows, 1000);
	assert_int_equal(c.ssa.backoff_max_ms, 30000);
	assert_int_equal(c.tax_terms.keys, KEYS_HONOURED);
	assert_int_equal(c.tax_terms.settlement_delay_ms, 600000);
	assert_string_equal(c.run.programs, "qiao-gateway qiao-ssa qiao-tax qiao-village");
	assert_int_equal(c.run.hang_timeout_ms, 30000);
}

static void what_the_file_says_arrives(void **state)
{
	struct conf c;

	(void)state;
	assert_good(&c, "[data]\ndir = /var/qiao\n[log]\ndir = log\nlevel = error\n"
			"[gateway]\ncrediting = consumer\nenquiry_timeout = 90s\n"
			"[reference]\nno_change_known = yes\n[village]\nfile_bytes_max = 512KiB\n"
			"[tax]\nurl = https://tax.example:8443\ncert = c.pem\nkey = /k.pem\n"
			"batch_rows = 17\nkeys = none\nkey_window = 2h\n"
			"[ssa]\nurl = http://127.0.0.1:8081\nrequests_per_s = 5\n"
			"[keys]\nseparate_users = yes\n[run]\nprograms = qiao-tax\n");
	assert_string_equal(c.data.dir, "/var/qiao");
	assert_string_equal(c.village.inbox, "/var/qiao/inbox");
	assert_string_equal(c.log.dir, "/etc/qiao/log");
	assert_int_equal(c.log.level, LOG_ERROR);
	assert_int_equal(c.gateway.crediting, CREDITING_CONSUMER);
	assert_int_equal(c.gateway.enquiry_timeout_ms, 90000);
	assert_true(c.reference.no_change_known);
	assert_true(c.keys.separate_users);
	assert_int_equal(c.village.file_bytes_max, 512 << 10);
	assert_string_equal(c.tax.url, "https://tax.example:8443");
	assert_string_equal(c.tax.cert, "/etc/qiao/c.pem");
	assert_string_equal(c.tax.key, "/k.pem");
	assert_int_equal(c.tax.batch_rows, 17);
	assert_int_equal(c.tax_terms.keys, KEYS_NONE);
	assert_int_equal(c.tax_terms.key_window_ms, 7200000);
	assert_string_equal(c.ssa.url, "http://127.0.0.1:8081");
	assert_int_equal(c.ssa.requests_per_s, 5);
	assert_int_equal(c.ssa.batch_rows, 1000); /* the peers are two */
	assert_string_equal(c.run.programs, "qiao-tax");
}

static void paths_start_at_the_folder_of_the_file(void **state)
{
	static const struct {
		const char *file, *dir;
	} table[] = {{"qiao.ini", "data"},
		     {"./qiao.ini", "data"},
		     {"conf/qiao.ini", "conf/data"},
		     {"/qiao.ini", "/data"}};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct complaints why = {0};
		struct conf c;

		assert_int_equal(conf_parse(&c, table[i].file, STR(""), &why), 0);
		assert_string_equal(c.data.dir, table[i].dir);
	}
}

/* Each row one mistake: the line that is named and a part of what is said. */
static const struct {
	const char *text;
	int line;
	const char *says;
} mistakes[] = {
	{"[data]\ndirr = x\n", 2, "unknown key dirr in [data]"},
	{"[daten]\ndir = x\n", 2, "unknown section [daten]"},
	{"dir = x\n", 1, "before the first [section]"},
	{"[data]\ndir = a\ndir = b\n", 3, "given already in line 2"},
	{"[data]\ndir =\n", 2, "dir: expected path, required"},
	{"[data]\nwhat\n", 2, "neither [section] nor key = value"},
	{"[log]\nlevel = loud\n", 2, "debug|info|warn|error"},
	{"[log]\nlevel = Info\n", 2, "level"},
	{"[bus]\nkind = carrier\n", 2, "kind: expected word, local"},
	{"[bus]\nsegment_bytes = 1MB\n", 2, "64KiB..1GiB"},
	{"[bus]\nsegment_bytes = 1\n", 2, "segment_bytes"},
	{"[bus]\nsegment_bytes = 2GiB\n", 2, "segment_bytes"},
	{"[bus]\npoll_min = 100ms\n", 2, "poll_min: more than poll_max"},
	{"[bus]\npoll_max = 1ms\n", 2, "poll_min: more than poll_max"},
	{"[reference]\nno_change_known = true\n", 2, "yes|no"},
	{"[gateway]\nbatch_events = 0\n", 2, "1..100000"},
	{"[gateway]\nbatch_events = 100001\n", 2, "batch_events"},
	{"[gateway]\nbatch_events = 4k\n", 2, "batch_events"},
	{"[gateway]\nbatch_events = -1\n", 2, "batch_events"},
	{"[gateway]\nbatch_events =\n", 2, "batch_events"},
	{"[gateway]\nenquiry_timeout = 10\n", 2, "1s..30d"},
	{"[gateway]\nenquiry_timeout = 10 s\n", 2, "enquiry_timeout"},
	{"[gateway]\nenquiry_timeout = 1.5h\n", 2, "enquiry_timeout"},
	{"[gateway]\nenquiry_timeout = 31d\n", 2, "enquiry_timeout"},
	{"[gateway]\nenquiry_timeout = 9223372036854775807d\n", 2, "enquiry_timeout"},
	{"[tax]\nbatch_rows = 1001\n", 2, "1..1000"},
	{"[tax]\nkeys = maybe\n", 2, "honoured|none"},
	{"[ssa]\nkeys = none\n", 2, "unknown key keys in [ssa]"},
	{"[tax]\nurl = ftp://tax.example\n", 2, "expected https://host:port"},
	{"[tax]\nurl = https://tax.example/api\n", 2, "expected https://host:port"},
	{"[tax]\nurl = https://user:secret@tax.example\n", 2, "expected https://host:port"},
	{"[tax]\nurl = https://tax.example:0\n", 2, "expected https://host:port"},
	{"[tax]\nurl = https://\n", 2, "expected https://host:port"},
	{"[tax]\nurl = http://tax.example\n", 2, "http:// only to loopback"},
	{"[ssa]\nurl = http://10.0.0.1:80\n", 2, "[ssa] url: http:// only to loopback"},
	{"[tax]\ncert = c.pem\n", 2, "only together"},
	{"[ssa]\n\nkey = k.pem\n", 3, "only together"},
	{"[tax]\nconnect_timeout = 31s\n", 2, "connect_timeout: more than timeout"},
	{"[run]\nbackoff_max = 10ms\n", 2, "backoff_min: more than backoff_max"},
	{"[clock]\nfile = c\n[tax]\nurl = https://tax.example\n", 2, "[tax] url is not loopback"},
	{"[ssa]\nurl = https://ssa.example\n[clock]\nfile = c\n", 4, "[ssa] url is not loopback"},
	{"[run]\nprograms = /bin/sh\n", 2, "expected names"},
	{"[run]\nprograms =\n", 2, "programs: expected text, required"},
};

static void every_mistake_has_its_line(void **state)
{
	struct complaints why;
	struct conf c;

	(void)state;
	for (size_t i = 0; i < COUNT(mistakes); i++) {
		assert_int_equal(parse(&c, mistakes[i].text, &why), -1);
		if (why.count != 1 || why.at[0].line != mistakes[i].line ||
		    !strstr(why.at[0].text, mistakes[i].says))
			fail_msg("%s-> %d: line %d: %s", mistakes[i].text, why.count,
				 why.at[0].line, why.at[0].text);
		assert_null(strstr(why.at[0].text, "secret"));
	}
}

static void all_mistakes_are_told_at_once(void **state)
{
	char text[4000] = "";
	size_t len = 0;
	struct complaints why;
	struct conf c;

	(void)state;
	for (size_t i = 0; i < 70; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "[x]\nkey%zu = v\n", i);
	assert_int_equal(parse(&c, text, &why), -1);
	assert_int_equal(why.count, 70);
	for (int i = 0; i < COMPLAINTS_MAX; i++)
		assert_int_equal(why.at[i].line, 2 * (i + 1));
}

static void good_addresses(void **state)
{
	static const char *const table[] = {
		"https://tax.example",	   "https://tax.example:8443", "https://10.1.2.3:1",
		"https://[2001:db8::1]:9", "http://127.0.0.1:8080",    "http://127.9.9.9",
		"http://localhost:65535",  "http://[::1]:8080",	       "http://LOCALHOST",
	};
	char text[200];
	struct conf c;

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		snprintf(text, sizeof text, "[tax]\nurl = %s\n", table[i]);
		assert_good(&c, text);
		assert_string_equal(c.tax.url, table[i]);
	}
}

static void only_loopback_is_loopback(void **state)
{
	static const char *const table[] = {
		"",
		"127.0.0.1",
		"http://",
		"http://126.0.0.1",
		"http://128.0.0.1",
		"http://127.0.0.1.evil.example",
		"http://127.evil.example",
		"http://127.1",
		"http://localhost.evil.example",
		"http://localhost@evil.example",
		"http://127.0.0.1:80@evil.example",
		"http://127.0.0.1\\@evil.example",
		"http://evil.example/127.0.0.1",
		"http://evil.example#127.0.0.1",
		"http://evil.example:127.0.0.1",
		"http://[::2]",
		"http://[::1].evil.example",
		"http://[::1",
		"HTTP://127.0.0.1",
		"http://127.0.0.1:99999",
		"http:// 127.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		if (conf_is_loopback(table[i]))
			fail_msg("%s", table[i]);
	}
	assert_true(conf_is_loopback("http://127.0.0.1:8080"));
	assert_true(conf_is_loopback("https://localhost"));
	assert_true(conf_is_loopback("http://[::1]:8080"));
}

static void a_clock_file_goes_with_loopback_peers(void **state)
{
	struct conf c;

	(void)state;
	assert_good(&c, "[clock]\nfile = clock\n");
	assert_good(&c, "[clock]\nfile = clock\n[tax]\nurl = http://127.0.0.1:1\n"
			"[ssa]\nurl = https://localhost:2\n");
	assert_string_equal(c.clock.file, "/etc/qiao/clock");
}

static void loads_files_and_says_when_there_is_none(void **state)
{
	struct complaints why = {0};
	struct tmpdir tmp;
	struct conf c;
	char path[320], data[320];

	(void)state;
	tmpdir_make(&tmp);
	tmpdir_file(&tmp, path, "qiao.ini");
	assert_int_equal(conf_load(&c, path, &why), -1);
	assert_int_equal(why.count, 1);
	assert_int_equal(why.at[0].line, 0);
	assert_non_null(strstr(why.at[0].text, "No such file"));
	memset(&why, 0, sizeof why);
	assert_int_equal(fs_write_atomic(path, "[data]\ndir = here\n", 18, 0600, NULL), 0);
	assert_int_equal(conf_load(&c, path, &why), 0);
	assert_string_equal(c.data.dir, tmpdir_file(&tmp, data, "here"));
	tmpdir_remove(&tmp);
}

static void paths_that_are_too_long_are_told(void **state)
{
	char text[700] = "[data]\ndir = ", file[600];
	size_t len = strlen(text);
	struct complaints why;
	struct conf c;

	(void)state;
	memset(text + len, 'x', 509); /* fits alone, not behind /etc/qiao */
	assert_int_equal(parse(&c, text, &why), -1);
	assert_int_equal(why.at[0].line, 2);
	text[len] = '/'; /* fits, but not with /inbox behind it */
	assert_int_equal(parse(&c, text, &why), -1);
	assert_int_equal(why.count, 1);
	assert_non_null(strstr(why.at[0].text, "too long"));
	memset(file, 'x', sizeof file - 1);
	file[sizeof file - 1] = '\0';
	memset(&why, 0, sizeof why);
	assert_int_equal(conf_parse(&c, file, STR(""), &why), -1);
	assert_int_equal(why.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_file_is_the_printed_reference),
		cmocka_unit_test(the_reference_says_the_defaults),
		cmocka_unit_test(production_defaults),
		cmocka_unit_test(what_the_file_says_arrives),
		cmocka_unit_test(paths_start_at_the_folder_of_the_file),
		cmocka_unit_test(every_mistake_has_its_line),
		cmocka_unit_test(all_mistakes_are_told_at_once),
		cmocka_unit_test(good_addresses),
		cmocka_unit_test(only_loopback_is_loopback),
		cmocka_unit_test(a_clock_file_goes_with_loopback_peers),
		cmocka_unit_test(loads_files_and_says_when_there_is_none),
		cmocka_unit_test(paths_that_are_too_long_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

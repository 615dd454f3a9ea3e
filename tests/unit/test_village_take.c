/* The drop folder: what is taken and when, what is refused and how that is told, and whose
 * answer lies where. */
/* LINK: adapters/village/inbox.o adapters/village/take.o adapters/village/take_cover.o adapters/village/claim.o adapters/village/place.o adapters/village/refusal.o adapters/village/tell.o adapters/village/cover.o adapters/village/plan.o adapters/village/spool.o adapters/village/meta.o adapters/village/submissions.o adapters/village/decode.o adapters/village/csv.o adapters/village/head.o adapters/village/roster.o adapters/village/answers.o adapters/village/render.o adapters/village/answer_file.o adapters/village/posting.o adapters/village/own.o */
#include "adapters/village/claim.h"
#include "base/date.h"
#include "base/text.h"
#include "crypto/ids.h"
#include "tests/lib/village_desk.h"

static struct desk d;

static int open_it(void **state)
{
	(void)state;
	desk_open(&d);
	return 0;
}

static int close_it(void **state)
{
	(void)state;
	desk_close(&d);
	return 0;
}

static void has(const char *name, const char *part)
{
	const char *text = desk_read(&d, "dong", name);

	if (text == NULL)
		fail_msg("no %s", name);
	if (strstr(text, part) == NULL)
		fail_msg("%s lacks %s: %s", name, part, text);
}

static void none(const char *name)
{
	if (desk_read(&d, "dong", name) != NULL)
		fail_msg("%s is there", name);
}

static const char *good(int persons)
{
	static char room[4096];

	return desk_roster(room, "管墅社区居委会", persons);
}

/* ---- taking ---- */

static void two_equal_looks_take_a_file(void **state)
{
	static const char more[] = "2,李四,330603197501011232,500\r\n";
	char path[640];
	int fd;

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(1));
	desk_look(&d);
	assert_int_equal(desk_count(&d, C_FILES_TAKEN), 0);
	fd = open(desk_path(&d, path, "dong", "a.csv"), O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, more, sizeof more - 1), sizeof more - 1);
	close(fd);
	desk_look(&d); /* it changed: not yet */
	assert_int_equal(desk_count(&d, C_FILES_TAKEN), 0);
	desk_look(&d);
	assert_int_equal(desk_count(&d, C_FILES_TAKEN), 1);
	assert_int_equal(d.v.submissions.at[0]->meta.rows, 2);
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_FILES_TAKEN), 1);
	has("a.回执.csv", "名册共2行");
}

static void a_submission_is_what_it_is(void **state)
{
	const struct spool_meta *m;
	uint8_t digest[SHA256_LEN];
	char hex[65], ten[11], receipt[12];
	struct id id;

	(void)state;
	desk_drop(&d, "dong", "a.CSV", good(3));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	m = &d.v.submissions.at[0]->meta;
	sha256(good(3), strlen(good(3)), digest);
	hex_put(hex, digest, sizeof digest);
	submission_id(&id, STR("dong"), str_of(hex));
	assert_memory_equal(&m->submission, &id, sizeof id);
	assert_string_equal(m->sha256, hex);
	assert_int_equal(m->year, 2026);
	assert_string_equal(m->village, "330603001008");
	assert_int_equal(m->rows, 3);
	assert_int_equal(m->records, 6);
	assert_true(m->received_at >= DESK_NOW && m->received_at < DESK_NOW + 60000);
	assert_int_equal(m->state, SPOOL_SPOOLED);
	receipt_number(ten, &id);
	has("a.回执.csv", receipt_text(receipt, ten));
}

static void what_is_in_the_works_is_left_alone(void **state)
{
	static const char *const names[] = {".a.csv", "~$a.csv", "a.csv.part", "a.csv.tmp",
					    "a.txt",  "a.xlsx",	 "a",	       "csv"};
	char path[640], target[640];

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		desk_drop(&d, "dong", names[i], good(1));
	desk_drop(&d, ".hidden", "a.csv", good(1));
	assert_int_equal(mkdir(desk_path(&d, path, "dong", "folder.csv"), 0700), 0);
	assert_int_equal(mkfifo(desk_path(&d, path, "dong", "pipe.csv"), 0600), 0);
	desk_drop(&d, "dong", "target.txt", good(1));
	assert_int_equal(symlink(desk_path(&d, target, "dong", "target.txt"),
				 desk_path(&d, path, "dong", "link.csv")),
			 0);
	snprintf(path, sizeof path, "%s/linked", d.role.conf.village.inbox);
	snprintf(target, sizeof target, "%s/dong", d.role.conf.village.inbox);
	assert_int_equal(symlink(target, path), 0);
	desk_turn(&d);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 0);
	assert_int_equal(desk_count(&d, C_FILES_REFUSED) + desk_count(&d, C_FILES_UNREADABLE), 0);
}

static void a_restart_knows_what_it_has(void **state)
{
	int64_t stamp;
	struct err e = {0};

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	stamp = d.v.submissions.at[0]->meta.received_at;
	assert_int_equal(clock_file_write(d.clock, DESK_NOW + DAY_MS, &e), 0);
	desk_restart(&d);
	assert_int_equal(d.v.submissions.count, 1);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	assert_int_equal(desk_count(&d, C_FILES_TAKEN) + desk_count(&d, C_FILES_AGAIN), 0);
	assert_int_equal(desk_count(&d, C_FILES_UNCHANGED), 1);
	assert_int_equal(desk_count(&d, C_FILES_WRITTEN), 0);
	assert_int_equal(d.v.submissions.at[0]->meta.received_at, stamp);
}

static void the_same_content_is_the_same_submission(void **state)
{
	static char first[1 << 16];

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	desk_drop(&d, "dong", "最终版.csv", good(2));
	desk_drop(&d, "dong", "a.csv", good(2)); /* sent twice */
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	assert_int_equal(desk_count(&d, C_FILES_AGAIN), 1);
	str_copy(first, sizeof first, str_of(desk_read(&d, "dong", "a.回执.csv")));
	assert_string_equal(desk_read(&d, "dong", "最终版.回执.csv"), first);
	/* Of another sender it is another one. */
	desk_drop(&d, "xi", "a.csv", good(2));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	desk_restart(&d);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	assert_int_equal(desk_count(&d, C_FILES_UNCHANGED), 3);
}

/* ---- whose answer lies where ---- */

static void saved_over_the_answer_is_of_the_new_content(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	has("a.回执.csv", "名册共2行");
	desk_drop(&d, "dong", "a.csv", good(3));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	has("a.回执.csv", "名册共3行");
	has("a.回执-2.csv", "名册共2行"); /* the older one goes on here */
	for (int i = 0; i < 2; i++) {
		desk_turn(&d);
		assert_int_equal(d.v.submissions.count, 2); /* answers are no rosters */
		desk_restart(&d);
	}
	desk_turn(&d);
	has("a.回执.csv", "名册共3行");
	has("a.回执-2.csv", "名册共2行");
	none("a.回执-3.csv");
}

static void change(const char *name, const char *from, const char *to)
{
	static char text[1 << 16];
	char *at;

	str_copy(text, sizeof text, str_of(desk_read(&d, "dong", name)));
	at = strstr(text, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	desk_drop(&d, "dong", name, text);
}

static void a_mended_answer_is_a_new_roster(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	change("a.回执.csv", ",201,", ",999,");
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	assert_int_equal(d.v.submissions.at[1]->meta.rows, 2);
	has("a.回执.csv", ",999,"); /* hers, untouched */
	has("a.回执.回执.csv", ",999,");
	/* The older one goes on under the next free name, as soon as it has something to say. */
	d.v.submissions.at[0]->answer_due = 1;
	desk_turn(&d);
	has("a.回执.csv", ",999,");
	has("a.回执-2.csv", ",201,");
	desk_restart(&d);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	has("a.回执.csv", ",999,");
}

/* Edited while we have something new to write: never over it. */
static void an_edited_answer_is_never_written_over(void **state)
{
	int64_t next;
	struct err e = {0};

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	change("a.回执.csv", ",201,", ",999,");
	d.v.submissions.at[0]->answer_due = 1;
	assert_int_equal(answer_files(&d.v, INT64_MAX, &next, &e), 0);
	has("a.回执.csv", ",999,");
	has("a.回执-2.csv", ",201,");
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
}

/* Killed twice between storing what it was about to write and putting it in place: what lies
 * there is still known as ours. */
static void a_writer_killed_twice_knows_its_file(void **state)
{
	static const uint8_t never_written[2][SHA256_LEN] = {{1}, {2}};
	uint8_t there[SHA256_LEN];
	struct err e = {0};

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	sha256(desk_read(&d, "dong", "a.回执.csv"), strlen(desk_read(&d, "dong", "a.回执.csv")),
	       there);
	for (int i = 0; i < 2; i++) {
		file_name_will_write(&d.v.submissions.at[0]->names[0], never_written[i], there);
		assert_int_equal(claim_store(&d.v, d.v.submissions.at[0], &e), 0);
		desk_restart(&d);
	}
	desk_look(&d);
	desk_look(&d);
	assert_int_equal(desk_count(&d, C_FILES_OURS), 1);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	none("a.回执-2.csv");
}

/* A spool that was restored, or lost, has never heard of the answer that lies there: it tells so itself. */
static void an_answer_tells_whose_it_is(void **state)
{
	char spool[320];
	struct err e = {0};

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	desk_stop(&d);
	assert_int_equal(fs_join(spool, sizeof spool, d.role.conf.data.dir, "spool"), 0);
	assert_int_equal(fs_remove_tree(spool, &e), 0);
	assert_int_equal(fs_mkdirs(spool, &e), 0);
	desk_start(&d);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	none("a.回执-2.csv");
	none("a.回执.回执.csv");
	/* Changed by one digit, it is hers. */
	change("a.回执.csv", ",201,", ",999,");
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	has("a.回执.csv", ",999,");
}

static void somebodys_file_is_not_ours(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "a.回执.csv", "手写的备忘，不是名册\n");
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	has("a.回执.csv", "手写的备忘");
	has("a.回执-2.csv", "名册共2行");
	has("a.回执.回执.txt", "没有收下");
}

static void deleted_answers_come_back(void **state)
{
	char path[640];

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	assert_int_equal(unlink(desk_path(&d, path, "dong", "a.回执.csv")), 0);
	desk_restart(&d);
	desk_turn(&d);
	has("a.回执.csv", "名册共2行");
}

static void two_names_with_one_answer_name(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_drop(&d, "dong", "a.CSV", good(3));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 2);
	assert_non_null(desk_read(&d, "dong", "a.回执.csv"));
	assert_non_null(desk_read(&d, "dong", "a.回执-2.csv"));
	desk_restart(&d);
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_FILES_UNCHANGED), 2);
	none("a.回执-3.csv");
}

static void very_long_names_get_answers(void **state)
{
	char name[256] = "", answer[FILE_NAME_MAX + 1];

	(void)state;
	for (int i = 0; i < 83; i++)
		memcpy(name + 3 * i, "村", 4);
	memcpy(name + 249, ".csv", 5);
	desk_drop(&d, "dong", name, good(2));
	desk_turn(&d);
	answer_name(answer, name, ".csv", 1, ".csv");
	assert_true(strlen(answer) <= FILE_NAME_MAX && utf8_valid(str_of(answer)));
	has(answer, "名册共2行");
}

/* A crash between the two writes of a change of hands: both claim the name; the later content
 * has it. */
static void a_name_with_two_owners_is_parted(void **state)
{
	struct submission *old;
	struct err e = {0};
	struct buf names;
	char path[640];

	(void)state;
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_turn(&d);
	clock_file_write(d.clock, DESK_NOW + 5000, &e);
	desk_restart(&d);
	desk_drop(&d, "dong", "a.csv", good(3));
	desk_turn(&d);
	old = d.v.submissions.at[d.v.submissions.at[0]->meta.rows == 2 ? 0 : 1];
	assert_int_equal(unlink(desk_path(&d, path, "dong", "a.回执-2.csv")), 0);
	assert_int_equal(file_name_set_answer(&old->names[0], "a.回执.csv"), 0);
	buf_init(&names, 1 << 16);
	assert_int_equal(submission_names_put(old, &names), 0);
	assert_int_equal(spool_put_names(&d.v.spool, &old->meta.submission,
					 (struct str){(char *)names.data, names.len}, &e),
			 0);
	buf_fini(&names);
	desk_restart(&d);
	desk_turn(&d);
	has("a.回执.csv", "名册共3行");
	assert_int_equal(d.v.submissions.count, 2);
	has("a.回执-2.csv", "名册共2行");
}

/* ---- refusals ---- */

#define TOP "补助年度：2026年,乡镇（街道）：柯桥街道,村（居）：管墅社区居委会\n"
#define COLS "姓名,公民身份号码,补助金额\n"
#define ROW "张三,11010519491231002X,500\n"

static const struct {
	const char *text, *code, *what;
} refusals[] = {
	{"", "file_empty", ""},
	{"PK\3\4zip", "file_is_workbook", ""},
	{TOP COLS "张\x80,1,2\n", "file_undecodable", "1"},
	{"关于报送名册的通知\n", "roster_no_header", "姓名、公民身份号码、补助金额"},
	{TOP COLS, "roster_no_rows", ""},
	{TOP COLS "合计,,500\n", "roster_no_rows", ""},
	{COLS ROW, "year_missing", ""},
	{"补助年度：2019年,村（居）：管墅社区居委会\n" COLS ROW, "year_unknown", "2019"},
	{"补助年度：2026年\n" COLS ROW, "village_missing", ""},
	{"补助年度：2026年,村（居）：桃花源村\n" COLS ROW, "village_unknown", ""},
	{"补助年度：2026年,乡镇（街道）：湖塘街道,村（居）：型塘\n" COLS ROW, "village_ambiguous",
	 "型塘居委会（湖塘街道）、型塘村委会（湖塘街道）"},
	{TOP COLS ROW "合计,,500\n" ROW, "roster_rows_after_total", "5"},
};

static int reasons(void)
{
	DIR *list = opendir(d.v.spool.refused);
	struct dirent *at;
	int count = 0;

	while ((at = readdir(list)) != NULL)
		count += strstr(at->d_name, ".reason") != NULL;
	closedir(list);
	return count;
}

/* */
static void what_is_wrong_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		char path[700], hex[65], id_text[ID_HEX];
		uint8_t digest[SHA256_LEN];
		struct buf reason;
		struct err e = {0};
		struct id id;
		struct str arg = str_of(refusals[i].what);
		struct buf told;

		desk_drop(&d, "dong", "x.csv", refusals[i].text);
		desk_turn(&d);
		assert_int_equal(d.v.submissions.count, 0);
		sha256(refusals[i].text, strlen(refusals[i].text), digest);
		hex_put(hex, digest, sizeof digest);
		submission_id(&id, STR("dong"), str_of(hex));
		snprintf(path, sizeof path, "%s/%s.reason", d.v.spool.refused,
			 id_hex(&id, id_text));
		buf_init(&reason, 4096);
		buf_init(&told, 4096);
		if (fs_read(path, &reason, &e) < 0)
			fail_msg("%s: %s", refusals[i].code, e.text);
		buf_printf(&told, "%s%s%s\n", refusals[i].code, arg.n ? " " : "", arg.p);
		assert_string_equal(buf_text(&reason), buf_text(&told));
		buf_reset(&told);
		text_fill(&told, text_get(refusals[i].code, LANG_ZH), &arg, 1);
		has("x.回执.txt", buf_text(&told));
		has("x.回执.txt", "处理办法：");
		assert_null(strstr(desk_read(&d, "dong", "x.回执.txt"), "{0}"));
		none("x.回执.csv");
		snprintf(path, sizeof path, "%s/%s.sealed", d.v.spool.refused, id_text);
		assert_true(fs_exists(path));
		buf_fini(&reason);
		buf_fini(&told);
	}
	assert_int_equal(reasons(), COUNT(refusals));
	assert_int_equal(desk_count(&d, C_FILES_REFUSED), COUNT(refusals));
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_FILES_REFUSED), COUNT(refusals)); /* once */
}

/* Mended in place: the refusal is taken back, beside the new answer. */
static void a_refused_file_may_be_mended(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "x.csv", COLS ROW);
	desk_turn(&d);
	has("x.回执.txt", "补助年度");
	desk_drop(&d, "dong", "x.csv", good(1));
	desk_turn(&d);
	none("x.回执.txt");
	has("x.回执.csv", "名册共1行");
}

/* On restart with other reference data the same file is judged anew. */
static void a_restart_judges_anew(void **state)
{
	(void)state;
	desk_drop(&d, "dong", "x.csv", good(1));
	d.role.conf.village.rows_max = 0;
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 0);
	assert_int_equal(reasons(), 1);
	has("x.回执.txt", "超过");
	d.role.conf.village.rows_max = 1000;
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 0);
	desk_restart(&d);
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 1);
	assert_int_equal(reasons(), 0);
	none("x.回执.txt");
}

static void too_large_is_refused_unread(void **state)
{
	(void)state;
	d.role.conf.village.file_bytes_max = 100;
	desk_drop(&d, "dong", "x.csv", good(9));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 0);
	assert_int_equal(reasons(), 1);
	has("x.回执.txt", "超过上限");
	d.role.conf.village.file_bytes_max = 1 << 20;
}

/* */
static void villages_are_found_where_they_stand(void **state)
{
	static const struct {
		const char *top, *code;
	} tops[] = {
		{"柯桥街道管墅社区居委会2026年集体补助人员名册\n", "330603001008"},
		{"补助年度：2026年,村（居）：330603001008\n", "330603001008"},
		{"补助年度：2026年,单位代码,330603001008\n", "330603001008"},
		{"补助年度：2026年,乡镇（街道）：柯桥,村（居）：管墅\n", "330603001008"},
		{"补助年度：2026年,村（居）：柯桥街道管墅社区\n", "330603001008"},
	};
	char text[1024], name[32];

	(void)state;
	for (size_t i = 0; i < COUNT(tops); i++) {
		snprintf(text, sizeof text, "%s%s%s", tops[i].top, COLS, ROW);
		snprintf(name, sizeof name, "%zu.csv", i);
		desk_drop(&d, "dong", name, text);
		desk_turn(&d);
		if (d.v.submissions.count != (int)i + 1)
			fail_msg("%s", tops[i].top);
		assert_string_equal(d.v.submissions.at[i]->meta.village, tops[i].code);
	}
}

/* ---- covers ---- */

static void covers_are_taken_once(void **state)
{
	char json[1024], hex[65];
	uint8_t digest[SHA256_LEN];

	(void)state;
	sha256(good(2), strlen(good(2)), digest);
	hex_put(hex, digest, sizeof digest);
	snprintf(json, sizeof json,
		 "{\"cover\":1,\"roster_sha256\":\"%s\",\"year\":2026,\"village\":\"330603001008\","
		 "\"sponsor\":{\"type\":\"collective\","
		 "\"code\":\"91350100M000100Y43\"},\"standards_yuan\":[\"500.00\"],\"gates\":[]}",
		 hex);
	desk_drop(&d, "dong", "a.cover.json", json);
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_COVERS_TAKEN), 1);
	assert_int_equal(d.v.cover_count, 1);
	has("a.cover.回执.txt", "尚未收到");
	desk_drop(&d, "dong", "a.csv", good(2));
	desk_drop(&d, "dong", "b.json", json);
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_COVERS_TAKEN), 1);
	assert_int_equal(desk_count(&d, C_COVERS_AGAIN), 1);
	has("b.回执.txt", "所属名册：已收到");
	desk_restart(&d);
	desk_turn(&d);
	assert_int_equal(desk_count(&d, C_COVERS_TAKEN), 0);
	desk_drop(&d, "dong", "c.json", "{\"cover\":1}");
	desk_turn(&d);
	has("c.回执.txt", "roster_sha256：");
	has("c.回执.txt", "sponsor：");
	assert_int_equal(desk_count(&d, C_COVERS_REFUSED), 1);
	assert_int_equal(reasons(), 1);
}

/* Its identities could not be sealed any more: the clerk is told, and nothing goes in circles. */
static void a_closed_year_is_refused(void **state)
{
	struct err e = {0};
	char keys[320];
	int count;

	(void)state;
	assert_int_equal(seal_key_destroy(tmpdir_file(&d.dir, keys, "keys"), 2026, NULL, NULL, &count, &e), 0);
	desk_restart(&d);
	desk_drop(&d, "dong", "a.csv", good(1));
	desk_turn(&d);
	assert_int_equal(d.v.submissions.count, 0);
	has("a.回执.txt", "2026年已经结清");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_it, close_it)
	const struct CMUnitTest tests[] = {
		TEST(two_equal_looks_take_a_file),
		TEST(a_submission_is_what_it_is),
		TEST(what_is_in_the_works_is_left_alone),
		TEST(a_restart_knows_what_it_has),
		TEST(the_same_content_is_the_same_submission),
		TEST(saved_over_the_answer_is_of_the_new_content),
		TEST(a_mended_answer_is_a_new_roster),
		TEST(an_edited_answer_is_never_written_over),
		TEST(a_writer_killed_twice_knows_its_file),
		TEST(an_answer_tells_whose_it_is),
		TEST(somebodys_file_is_not_ours),
		TEST(deleted_answers_come_back),
		TEST(two_names_with_one_answer_name),
		TEST(very_long_names_get_answers),
		TEST(a_name_with_two_owners_is_parted),
		TEST(what_is_wrong_is_told),
		TEST(a_refused_file_may_be_mended),
		TEST(a_restart_judges_anew),
		TEST(too_large_is_refused_unread),
		TEST(villages_are_found_where_they_stand),
		TEST(covers_are_taken_once),
		TEST(a_closed_year_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

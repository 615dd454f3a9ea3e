/* demo DIR: the whole way on one machine, told step by step. Rosters of some twenty villages go in as clerks send them; payments go
 * out to a simulated tax bureau, credits come back from a simulated social-security agency; the clock is moved over the end of the
 * year; and at the end the statement shows where every fen is. Ends with 0 only when it adds up, every row has the final answer that
 * the story expects, and the agencies' own books say the same. What it made stays in DIR.
 *
 * On a real broker with a registry (BUS=kafka, QIAO_REGISTRY) it ends with what a consumer of the SSA's own reads, and that must be what
 * the statement says. */
#include "base/clock.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "tests/lib/consumer.h"
#include "tests/lib/tale.h"
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_LINES = 12, SEED = 2026 };

struct demo {
	struct tale tale;
	int64_t began_ms;
};

static int open_demo(struct demo *d, const char *dir, struct err *e);
static int hand_in(struct demo *d, int wave, struct err *e);
static int end_of_year(struct demo *d, struct err *e);
static int show(struct demo *d, struct err *e);
static int check(struct demo *d, struct err *e);
static int show_consumer(struct demo *d, struct err *e);
static void tell_more(const struct demo *d, const char *dir);

/* A line with the seconds since the start. */
static void say(const struct demo *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct demo *d, const char *format, ...)
{
	int64_t ms = clock_monotonic() - d->began_ms;
	va_list ap;

	printf("%3" PRId64 ".%" PRId64 "秒  ", ms / 1000, ms % 1000 / 100);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct demo d;
	struct err e = {0};
	int rc = -1;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: demo DIR\n");
		return EXIT_USAGE;
	}
	signal(SIGPIPE, SIG_IGN);
	d.began_ms = clock_monotonic();
	if (open_demo(&d, argv[1], &e) < 0)
		goto out;
	for (int wave = 1; wave < STORY_WAVES; wave++)
		if (hand_in(&d, wave, &e) < 0)
			goto out;
	if (end_of_year(&d, &e) < 0 || show(&d, &e) < 0 || check(&d, &e) < 0 || show_consumer(&d, &e) < 0)
		goto out;
	rc = 0;
out:
	if (rc < 0)
		fprintf(stderr, "demo: %s\ndemo: the logs are in %s/log\n", e.text, d.tale.world.dir);
	if (world_stop(&d.tale.world, SUPERVISOR) != 0 && rc == 0) {
		fprintf(stderr, "demo: qiao run ended with %d\n", d.tale.world.parts[SUPERVISOR].status);
		rc = -1;
	}
	world_stop(&d.tale.world, SIM_TAX);
	world_stop(&d.tale.world, SIM_SSA);
	tale_close(&d.tale);
	if (rc == 0)
		tell_more(&d, argv[1]);
	return rc == 0 ? EXIT_YES : EXIT_NO;
}

static bool has_registry(const struct demo *d)
{
	return d->tale.world.bus.conf.registry.peer.url[0] != '\0';
}

static int open_demo(struct demo *d, const char *dir, struct err *e)
{
	static const char *const tax[] = {"--settle-ms", "300", "--refund-ms", "300", NULL};
	static const char *const ssa[] = {"--credit-ms", "150", NULL};
	struct world_options o = {.dir = dir, .day = STORY_BEGINS, .tax_args = tax, .ssa_args = ssa};
	struct tale *t = &d->tale;

	if (tale_open(t, &o, SEED, e) < 0)
		return -1;
	say(d, "写好了示范名册：%d份，%d行，%d人，样子和村里用Excel存出来的一样", rosters_submissions(&t->rosters, STORY_WAVES),
	    t->rosters.row_count, t->rosters.people);
	say(d, "模拟的税务系统和社保系统已启动（本机端口 %d、%d），时钟从 %s 09:00 开始走", t->world.parts[SIM_TAX].port,
	    t->world.parts[SIM_SSA].port, STORY_BEGINS);
	if (on_kafka())
		say(d, "消息走真正的 Kafka（%s）%s", t->world.bus.conf.kafka.brokers,
		    has_registry(d) ? "，模式（schema）已登记到注册中心" : "");
	if (world_start(&t->world, SUPERVISOR, e) < 0)
		return -1;
	say(d, "qiao run 启动了四个程序并看管着它们");
	return 0;
}

/* ---- the story ---- */

static void count_rows(const struct demo *d)
{
	static const struct {
		const char *result, *text;
	} shown[] = {{"accepted", "已受理"}, {"done", "已到账"}, {"mend", "需改正"}, {"waiting", "等待"}, {"stopped", "已终止"}};
	char line[200];
	size_t len = 0;

	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
		int n = 0;

		for (int k = 0; k < d->tale.outcomes.row_count; k++)
			n += strcmp(d->tale.outcomes.rows[k].result, shown[i].result) == 0;
		len += (size_t)snprintf(line + len, sizeof line - len, "%s%s%d行", len ? "，" : "", shown[i].text, n);
	}
	say(d, "　　目前：%s", line);
}

static int hand_in(struct demo *d, int wave, struct err *e)
{
	const struct rosters *r = &d->tale.rosters;

	for (int i = 0; i < r->step_count; i++)
		if (r->steps[i].wave == wave)
			say(d, "%2d. %s", i + 1, r->steps[i].what);
	if (tale_hand_in(&d->tale, wave, e) < 0)
		return -1;
	count_rows(d);
	return 0;
}

static int end_of_year(struct demo *d, struct err *e)
{
	struct tale *t = &d->tale;

	if (tale_await(t, outcomes_quiet, "nothing on its way", e) < 0)
		return -1;
	say(d, "能办的都办完了，其余的在等本人缴费到账或者等手续");
	count_rows(d);
	say(d, "时钟拨到 %s：几个人的缴费到账了", STORY_LATE_MONEY);
	if (world_set_day(&t->world, STORY_LATE_MONEY, e) < 0 ||
	    tale_await(t, outcomes_final_but_for_the_end, "the late contributions", e) < 0)
		return -1;
	count_rows(d);
	say(d, "时钟拨到 %s：申报期已过，还在等的都有了结果", STORY_ENDS);
	if (world_set_day(&t->world, STORY_ENDS, e) < 0 || hand_in(d, STORY_WAVES, e) < 0)
		return -1;
	return tale_await(t, outcomes_final, "the last answers", e);
}

/* ---- what came of it ---- */

/* The lines of an answer file before its rows: nothing personal. */
static int show_answer(struct demo *d, const struct expected_row *x, struct err *e)
{
	char path[900];
	struct buf b;
	const char *at;

	snprintf(path, sizeof path, "%s/%s/%.*s.回执.csv", d->tale.inbox, d->tale.rosters.steps[x->step].sender,
		 (int)strcspn(x->file, "."), x->file);
	buf_init(&b, 1 << 20);
	if (fs_read(path, &b, e) < 0 || !(at = buf_text(&b))) {
		buf_fini(&b);
		return -1;
	}
	printf("\n%s 的开头（下面是逐行的结果、原因和处理办法）：\n", path);
	if (strncmp(at, "\xEF\xBB\xBF", 3) == 0)
		at += 3;
	for (int i = 0; i < HEAD_LINES && *at && *at != '\r' && strncmp(at, "序号", 6) != 0; i++) {
		size_t n = strcspn(at, "\r\n");

		while (n > 0 && at[n - 1] == ',')
			n--;
		printf("    %.*s\n", (int)n, at);
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	buf_fini(&b);
	return 0;
}

static const struct expected_row *first_credited(const struct demo *d, const char **receipt)
{
	for (int i = 0; i < d->tale.rosters.row_count; i++) {
		const struct expected_row *x = &d->tale.rosters.rows[i];
		const struct outcome_roster *r = outcome_of_roster(&d->tale.outcomes, &x->submission);

		*receipt = r ? r->receipt : "";
		if (r && x->step == 0 && strcmp(x->code, "credited") == 0)
			return x;
	}
	return NULL;
}

static int show_command(struct demo *d, const char *command, const char *a, const char *b, struct err *e)
{
	struct buf out;
	int status;

	buf_init(&out, 1 << 20);
	status = world_qiao(&d->tale.world, &out, "--lang", "zh", command, a, b, NULL);
	printf("\n$ qiao %s%s%s%s%s\n%.*s", command, a ? " " : "", a ? a : "", b ? " " : "", b ? b : "", (int)out.len,
	       (const char *)out.data);
	buf_fini(&out);
	return status == 0 ? 0 : err_set(e, ERR_PERM, "qiao %s: exit %d", command, status);
}

static int show(struct demo *d, struct err *e)
{
	const char *receipt;
	const struct expected_row *x = first_credited(d, &receipt);
	char row[16];

	if (!x)
		return err_set(e, ERR_PERM, "nothing was credited");
	snprintf(row, sizeof row, "%d", x->row);
	say(d, "全部有了结果");
	count_rows(d);
	if (show_answer(d, x, e) < 0 ||
	    show_command(d, "trace", receipt, row, e) < 0)
		return -1;
	return show_command(d, "statement", NULL, NULL, e);
}

static int check(struct demo *d, struct err *e)
{
	int differences = tale_check(&d->tale, stderr);

	printf("\n");
	if (differences)
		return err_set(e, ERR_PERM, "%d differences", differences);
	say(d, "核对：%d行的最终答复都和预期一致，回执文件也是", d->tale.outcomes.row_count);
	say(d, "核对：税务和社保两边自己的账与台账一致，没有重复缴纳，账平");
	return 0;
}

static int show_consumer(struct demo *d, struct err *e)
{
	static const char *const as_json[] = {"--format", "json", NULL};
	struct world *w = &d->tale.world;
	struct buf out;
	int rc = -1, differences;

	if (!on_kafka() || !has_registry(d))
		return 0;
	buf_init(&out, 16 << 20);
	if (consumer_run(w, &out, as_json + 2, e) < 0)
		goto out;
	printf("\n社保方面自己的程序（tests/data/consumer.py：Python、confluent-kafka 和注册中心，不用桥的代码）从头读主题：\n\n%.*s\n",
	       (int)out.len, (const char *)out.data);
	if (consumer_run(w, &out, as_json, e) < 0)
		goto out;
	differences = consumer_compare(w, &out, stderr, e);
	if (differences > 0)
		err_set(e, ERR_PERM, "the consumer and the statement differ in %d places", differences);
	if (differences != 0)
		goto out;
	say(d, "核对：社保从主题里读到的反馈和统计，与 qiao statement 逐项一致");
	rc = 0;
out:
	buf_fini(&out);
	return rc;
}

static void tell_more(const struct demo *d, const char *dir)
{
	const char *bin = strncmp(d->tale.world.bin, d->tale.world.root, strlen(d->tale.world.root)) == 0
				  ? d->tale.world.bin + strlen(d->tale.world.root) + 1
				  : d->tale.world.bin;

	printf("\n名册和答复：%s/data/inbox/<报送单位>/　　日志：%s/log/\n"
	       "两个模拟系统自己的账：%s/agencies/　　名册原件和预期结果：%s/rosters/\n\n"
	       "接着可以试（程序已停，账还在）：\n"
	       "    %s/qiao -c %s/qiao.ini statement --village 330603001008\n"
	       "    %s/qiao -c %s/qiao.ini trace %s/data/inbox/330603001008/管墅社区集体补助名册.csv 4\n",
	       dir, dir, dir, dir, bin, dir, bin, dir, dir);
	/* These ask the bus, and the broker is gone with the demo. */
	if (!on_kafka())
		printf("    %s/qiao -c %s/qiao.ini status\n    %s/qiao -c %s/qiao.ini rejects\n", bin, dir, bin, dir);
}

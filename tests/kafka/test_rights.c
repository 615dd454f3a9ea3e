/* Least privilege by TLS: each program has a certificate of its own and just the rights that `qiao topics plan --acls` prints for it.
 *
 * So equipped, the story is begun. Then, while all are at work, every right of every program is taken away: each ends, names what it
 * lacks, gets that back, and is started again, until all are at work as before. The stand-by takes over with the gateway's rights, the
 * operator's commands work with theirs, and at the end nothing is lost or paid twice. */
#include "base/clock.h"
#include "tests/lib/kafka.h"
#include "tests/lib/kafka_rights.h"
#include "tests/lib/tale.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <signal.h>
#include <string.h>

enum { INI_MAX = 1 << 14, PLAN_MAX = 1 << 16, LOG_MAX = 4 << 20, LIMIT_MS = 60000, FOUR = 4 };

/* Whose CN a certificate has is who its bearer is to the brokers. */
static const struct bearer {
	enum part part;
	const char *ini, *name, *principal, *program; /* program: as the plan names it */
} bearers[] = {
	{GATEWAY, "qiao-gateway.ini", "gateway", "User:gateway", "qiao-gateway"},
	{VILLAGE, "qiao-village.ini", "village", "User:village", "qiao-village"},
	{TAX, "qiao-tax.ini", "tax", "User:tax", "qiao-tax"},
	{SSA, "qiao-ssa.ini", "ssa", "User:ssa", "qiao-ssa"},
	{SUPERVISOR, "qiao.ini", "operator", "User:operator", "qiao"},
	{SUPERVISOR, "topics.ini", "topics", "User:topics", "qiao topics"},
};

static struct cluster cluster;
static struct rights plan;
static struct tale tale;
static char plain[CLUSTER_SERVERS], folder[300], theirs[300]; /* folders: certificates of the brokers' authority, and of another one */
static char settings[INI_MAX]; /* qiao.ini of a broker without TLS */

#define DONE(call)                                                                                                                           \
	do {                                                                                                                                 \
		struct err e_ = {0};                                                                                                         \
		if ((call) < 0)                                                                                                              \
			fail_msg("%s (%s)", e_.text, tale.world.dir);                                                                        \
	} while (0)

/* ---- certificates, settings, rights ---- */

/* <dir>/<ini>: the settings, but by TLS. ca, certs: folders. */
static int put_ini(const struct world *w, const char *ini, const char *ca, const char *certs, const char *name, struct err *e)
{
	char path[512], servers[CLUSTER_SERVERS];
	struct buf b;
	int rc;

	buf_init(&b, INI_MAX);
	for (const char *line = settings; *line; line += strcspn(line, "\n") + 1) {
		if (strncmp(line, "brokers = ", 10) == 0)
			buf_printf(&b, "brokers = %s\n", cluster_servers(&cluster, CLUSTER_TLS, servers));
		else if (strncmp(line, "security = ", 11) == 0)
			buf_printf(&b, "security = tls\nca = %s/ca.pem\ncert = %s/%s.pem\nkey = %s/%s.key\n", ca, certs, name, certs, name);
		else
			buf_put(&b, line, strcspn(line, "\n") + 1);
	}
	rc = fs_write_atomic(world_path(w, path, ini), b.data, b.len, 0600, e);
	buf_fini(&b);
	return rc;
}

static int put_inis(const struct world *w, struct err *e)
{
	char path[512];
	struct buf b;
	int rc;

	buf_init(&b, INI_MAX);
	rc = fs_read(world_path(w, path, "qiao.ini"), &b, e);
	if (rc == 0)
		snprintf(settings, sizeof settings, "%s", buf_text(&b));
	buf_fini(&b);
	for (size_t i = 0; rc == 0 && i < COUNT(bearers); i++)
		rc = put_ini(w, bearers[i].ini, folder, folder, bearers[i].name, e);
	return rc == 0 ? put_ini(w, "qiao-gateway-standby.ini", folder, folder, "gateway", e) : rc;
}

static int give_rights(struct world *w, struct err *e)
{
	struct buf b;
	int rc;

	buf_init(&b, PLAN_MAX);
	if (world_qiao(w, &b, "topics", "plan", "--acls", "--format", "json", NULL) != EXIT_YES)
		rc = err_set(e, ERR_CONF, "qiao topics plan");
	else
		rc = rights_read(&plan, buf_text(&b), e);
	buf_fini(&b);
	for (size_t i = 0; rc == 0 && i < COUNT(bearers); i++)
		rc = rights_give(&plan, bearers[i].program, bearers[i].principal, plain, e);
	return rc;
}

/* The topics are there before the ledger: qiao init, run as the gateway, may not make any. */
static int equip(struct world *w, void *arg, struct err *e)
{
	char ini[512];
	const char *args[] = {"-c", world_path(w, ini, "topics.ini"), "topics", "create", NULL};

	(void)arg;
	if (put_inis(w, e) < 0 || give_rights(w, e) < 0)
		return -1;
	return world_run(w, NULL, "qiao", args) == EXIT_YES ? 0 : err_set(e, ERR_CONF, "qiao topics create");
}

static int make_certificates(struct err *e)
{
	snprintf(folder, sizeof folder, "%s/tls", cluster.dir);
	snprintf(theirs, sizeof theirs, "%s/theirs", cluster.dir);
	for (size_t i = 0; i < COUNT(bearers); i++)
		if (certs_client(folder, bearers[i].name, e) < 0)
			return -1;
	return certs_make(theirs, e) < 0 ? -1 : certs_client(theirs, "ssa", e);
}

static int open_all(void **state)
{
	static const struct cluster_options secure = {.secure = true, .authorizer = true};
	static const char *const tax[] = {"--settle-ms", "100", "--refund-ms", "100", NULL};
	static const struct world_options o = {.day = STORY_BEGINS, .tax_args = tax, .before_init = equip};
	struct err e = {0};

	(void)state;
	if (cluster_open(&cluster, &secure, &e) < 0 || make_certificates(&e) < 0)
		fail_msg("%s", e.text);
	setenv("BUS", "kafka", 1);
	setenv("QIAO_KAFKA", cluster_servers(&cluster, CLUSTER_PLAIN, plain), 1);
	if (tale_open(&tale, &o, 23, &e) < 0)
		fail_msg("%s (%s)", e.text, tale.world.dir);
	tale.world.keep = getenv("QIAO_KEEP") != NULL;
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	tale_close(&tale);
	cluster_close(&cluster);
	return 0;
}

/* ---- what a program says at its end ---- */

static void read_log(enum part p, struct buf *b)
{
	char path[512], name[64];
	struct err e = {0};

	buf_init(b, LOG_MAX);
	snprintf(name, sizeof name, "log/%s.log", part_name(p));
	if (fs_exists(world_path(&tale.world, path, name)) && fs_read(path, b, &e) < 0)
		fail_msg("%s", e.text);
}

static size_t log_size(enum part p)
{
	struct buf b;
	size_t n;

	read_log(p, &b);
	n = b.len;
	buf_fini(&b);
	return n;
}

/* The line of its log by which it ended with 2, since from. */
static int last_words(enum part p, size_t from, char out[1024], struct err *e)
{
	const char *at, *last = NULL;
	struct buf b;

	read_log(p, &b);
	at = buf_text(&b);
	for (at = at ? at + from : ""; (at = strstr(at, "ROLE-FAILED")) != NULL; at++)
		last = at;
	if (last)
		snprintf(out, 1024, "%.*s", (int)strcspn(last, "\n"), last);
	buf_fini(&b);
	return last && tale.world.parts[p].status == EXIT_USAGE
		       ? 0
		       : err_set(e, ERR_PERM, "%s ended with %d", part_name(p), tale.world.parts[p].status);
}

/* ---- all rights taken, and given back as they are asked for ---- */

static bool lacked[RIGHTS_MAX]; /* of the plan, still */
static size_t log_from[PARTS];

static void take_all(const struct bearer *b)
{
	for (int i = 0; i < plan.count; i++)
		lacked[i] = lacked[i] || strcmp(plan.at[i].program, b->program) == 0;
	log_from[b->part] = log_size(b->part);
	DONE(rights_take(&plan, b->program, b->principal, plain, &e_));
}

/* As a word: w1.tax is not in w1.tax.payments. */
static bool has_word(const char *text, const char *word)
{
	for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
		if (strchr(" :", at[strlen(word)]) && at > text && at[-1] == ' ')
			return true;
	return false;
}

/* The first that it lacks of what it names, with its kind. */
static int named(const struct bearer *b, const char *words)
{
	char name[160];

	for (int i = 0; i < plan.count; i++) {
		snprintf(name, sizeof name, "%s %s", plan.at[i].kind, plan.at[i].name);
		if (lacked[i] && strcmp(plan.at[i].program, b->program) == 0 && has_word(words, name))
			return i;
	}
	return -1;
}

static int give_one(const struct bearer *b, struct err *e)
{
	char words[1024];
	int i;

	if (last_words(b->part, log_from[b->part], words, e) < 0)
		return -1;
	i = named(b, words);
	if (i < 0 || strstr(words, "qiao topics plan --acls") == NULL)
		return err_set(e, ERR_PERM, "%s lacks a right and names none: %.300s", b->program, words);
	lacked[i] = false;
	log_from[b->part] = log_size(b->part);
	return right_give(&plan.at[i], b->principal, plain, e) < 0 ? -1 : world_spawn(&tale.world, b->part, e);
}

static int give_what_is_asked_for(struct tale *t, struct err *e)
{
	for (int i = 0; i < FOUR; i++)
		if (!world_alive(&t->world, bearers[i].part) && give_one(&bearers[i], e) < 0)
			return -1;
	return 0;
}

/* What the story does not need: nobody reads requests yet, the gateway rejects nothing, and its group is a note for the operator. */
static bool may_be_spared(const struct right *one)
{
	static const char *const spared[] = {"requests", "tax.requests", "ssa.requests", "rejects.gateway", "gateway"};
	const char *name = one->name + strlen(tale.world.bus.prefix);

	for (size_t i = 0; i < COUNT(spared); i++)
		if (strcmp(name, spared[i]) == 0)
			return true;
	return false;
}

static void give_the_rest(void)
{
	for (int b = 0; b < FOUR; b++)
		for (int i = 0; i < plan.count; i++) {
			const struct right *one = &plan.at[i];

			if (!lacked[i] || strcmp(one->program, bearers[b].program) != 0)
				continue;
			if (!may_be_spared(one))
				fail_msg("%s does without %s on %s %s (%s)", one->program, one->operation, one->kind, one->name,
					 tale.world.dir);
			DONE(right_give(one, bearers[b].principal, plain, &e_));
		}
}

/* ---- the story ---- */

static void the_four_begin_with_just_their_rights(void **state)
{
	(void)state;
	DONE(world_start_four(&tale.world, &e_));
	DONE(tale_hand_in(&tale, 1, &e_));
	DONE(tale_await(&tale, outcomes_quiet, "nothing on its way", &e_));
}

static void who_lacks_a_right_says_which(void **state)
{
	(void)state;
	for (int i = 0; i < FOUR; i++)
		take_all(&bearers[i]);
	tale.meanwhile = give_what_is_asked_for;
	DONE(tale_hand_in(&tale, 2, &e_));
	DONE(tale_await(&tale, outcomes_quiet, "nothing on its way", &e_));
	give_the_rest();
}

static int nobody_lacks_a_right(void **state)
{
	(void)state;
	tale.meanwhile = NULL;
	return 0;
}

static void a_stand_by_has_the_rights_of_its_gateway(void **state)
{
	(void)state;
	DONE(world_start(&tale.world, STANDBY, &e_));
	world_kill(&tale.world, GATEWAY);
	DONE(tale_hand_in(&tale, 3, &e_));
	DONE(tale_end_year(&tale, &e_));
	if (tale_check(&tale, stdout) != 0)
		fail_msg("what was told and what happened differ (%s)", tale.world.dir);
}

/* How many events wait for their readers, as the operator is told; -1: he is not. */
static int64_t waiting(struct world *w)
{
	json_error_t why;
	json_t *root, *one;
	int64_t sum = -1;
	struct buf b;
	size_t i;

	buf_init(&b, PLAN_MAX);
	world_qiao(w, &b, "status", "--format", "json", NULL);
	root = json_loads(buf_text(&b), 0, &why);
	buf_fini(&b);
	json_array_foreach(json_object_get(root, "topics"), i, one)
		sum = (sum < 0 ? 0 : sum) + json_integer_value(json_object_get(one, "waiting"));
	json_decref(root);
	return sum;
}

/* The gateway's group tells it with a delay. */
static int nothing_waits(void *arg, struct err *e)
{
	(void)e;
	return waiting(arg) == 0;
}

static void the_operator_sees_what_waits_and_what_was_rejected(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, PLAN_MAX);
	DONE(world_wait(LIMIT_MS, nothing_waits, &tale.world, &e_));
	assert_int_equal(world_qiao(&tale.world, &out, "rejects", NULL), EXIT_NO);
	assert_non_null(strstr(buf_text(&out), "status_400")); /* the row that the bureau does not take */
	assert_int_equal(world_qiao(&tale.world, NULL, "statement", NULL), EXIT_YES);
	buf_fini(&out);
}

/* ---- certificates of another authority ---- */

static void a_foreign_authority_is_named_by_its_setting(void **state)
{
	static const struct {
		enum part part;
		const char *ini, *name, *setting;
		bool ca;
	} cases[] = {{TAX, "qiao-tax.ini", "tax", "[kafka] ca", true}, {SSA, "qiao-ssa.ini", "ssa", "[kafka] cert", false}};
	char words[1024];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		world_stop(&tale.world, cases[i].part);
		log_from[cases[i].part] = log_size(cases[i].part);
		DONE(put_ini(&tale.world, cases[i].ini, cases[i].ca ? theirs : folder, cases[i].ca ? folder : theirs, cases[i].name, &e_));
		DONE(world_spawn(&tale.world, cases[i].part, &e_));
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		world_end(&tale.world, cases[i].part, LIMIT_MS);
		DONE(last_words(cases[i].part, log_from[cases[i].part], words, &e_));
		if (strstr(words, cases[i].setting) == NULL)
			fail_msg("%s: %s", part_name(cases[i].part), words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_four_begin_with_just_their_rights),
		cmocka_unit_test_teardown(who_lacks_a_right_says_which, nobody_lacks_a_right),
		cmocka_unit_test(a_stand_by_has_the_rights_of_its_gateway),
		cmocka_unit_test(the_operator_sees_what_waits_and_what_was_rejected),
		cmocka_unit_test(a_foreign_authority_is_named_by_its_setting),
	};

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	return cmocka_run_group_tests(tests, open_all, close_all);
}

/* Qiao and a real schema registry: what its own answers make of the command, of programs and of
 * events. What a registry does only when it is ill stands in tests/unit/test_registry.c. */
#include "events/framing.h"
#include "http/registry.h"
#include "tests/lib/command.h"
#include "tests/lib/kafka.h"
#include <jansson.h>

enum { ANSWER_MAX = 1 << 20 };

static struct apicurio apicurio;
static struct tmpdir dir;
static struct command_said said;
static char ini[320];

static int start_registry(void **state)
{
	struct err e = {0};

	(void)state;
	if (apicurio_open(&apicurio, NULL, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

static int end_registry(void **state)
{
	(void)state;
	apicurio_close(&apicurio);
	return 0;
}

static int make_world(void **state)
{
	char text[4096], here[400];

	(void)state;
	tmpdir_make(&dir);
	assert_non_null(getcwd(here, sizeof here));
	assert_true(
		snprintf(text, sizeof text,
			 "[reference]\npolicy = %s/config/policy\n"
			 "calendar = %s/config/calendar.csv\nvillages = %s/config/villages.csv\n"
			 "[log]\ndir = log\n[registry]\nurl = %s\n",
			 here, here, here, apicurio.url) < (int)sizeof text);
	write_text(tmpdir_file(&dir, ini, "qiao.ini"), text);
	return 0;
}

/* The next test finds an empty registry. */
static int remove_world(void **state)
{
	struct err e = {0};

	(void)state;
	tmpdir_remove(&dir);
	if (apicurio_forget(&apicurio, &e) < 0)
		fail_msg("%s", e.text);
	return 0;
}

#define qiao(...) command_run(&said, &dir, "qiao", "-c", ini, __VA_ARGS__, NULL)

/* Asks the registry itself; the answer belongs to the caller. */
static json_t *ask(const char *method, const char *path, json_t *body, int expected)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_t *root;
	struct buf answer;
	int status;

	buf_init(&answer, ANSWER_MAX);
	status = apicurio_ask(&apicurio, method, path, text, &answer);
	if (status != expected)
		fail_msg("%s %s: %d %s", method, path, status, (const char *)answer.data);
	root = json_loads((const char *)answer.data, JSON_DECODE_ANY, NULL);
	buf_fini(&answer);
	free(text);
	json_decref(body);
	return root;
}

static size_t subjects(void)
{
	json_t *list = ask("GET", "/subjects", NULL, 200);
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

/* Registers a text under the subject of a record; gives the id. */
static int put(const char *record, const char *text, size_t n)
{
	char path[200];
	json_t *answer;
	int id;

	snprintf(path, sizeof path, "/subjects/" EVENT_NAMESPACE "%s/versions", record);
	answer = ask("POST", path, json_pack("{s:s%}", "schema", text, n), 200);
	id = (int)json_integer_value(json_object_get(answer, "id"));
	json_decref(answer);
	assert_true(id > 0);
	return id;
}

/* The gateway's own schema of a type, changed by fn. */
static int put_changed(enum event_type t, void (*fn)(json_t *schema))
{
	struct str text = event_schema(t);
	json_t *schema = json_loadb(text.p, text.n, 0, NULL);
	char *other;
	int id;

	fn(schema);
	other = json_dumps(schema, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	id = put(event_name(t), other, strlen(other));
	free(other);
	json_decref(schema);
	return id;
}

static void other_words(json_t *schema)
{
	json_object_set_new(schema, "doc", json_string("In other words."));
}

/* Ours has the field, without a default: it cannot read what was written with this one, so it may not
 * follow it. */
static void without_last_field(json_t *schema)
{
	json_t *fields = json_object_get(schema, "fields");

	json_array_remove(fields, json_array_size(fields) - 1);
}

static void wait_for(const char *name, const char *part)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	static char text[1 << 16];
	char path[320];

	tmpdir_file(&dir, path, name);
	while (strstr(text_of(path, text, sizeof text), part) == NULL) {
		if (clock_monotonic() > until)
			fail_msg("%s: no \"%s\" in %s", name, part, text);
		poll(NULL, 0, LOOK_MS);
	}
}

static pid_t gateway(void)
{
	char path[512], out[320];
	char *argv[] = {path, (char[]){"-c"}, ini, NULL};

	built_program(path, "qiao-gateway");
	return command_start(argv, tmpdir_file(&dir, out, "gateway.out"), "/dev/null");
}

/* Starts it, waits until it runs, ends it. */
static void run_gateway(void)
{
	char status[320];
	pid_t pid;

	unlink(tmpdir_file(&dir, status, "data/run/gateway.status"));
	pid = gateway();
	wait_for("data/run/gateway.status", "state running");
	kill(pid, SIGTERM);
	assert_int_equal(command_wait(pid), EXIT_YES);
}

/* ---- */

static void registers_once_and_finds_all_well(void **state)
{
	(void)state;
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "cn.keqiao.qiao.SubsidyPayment: not registered");
	assert_null(strstr(said.out, "NONE")); /* the level of all holds for a new subject */
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_int_equal(subjects(), EVENT_TYPES);
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_null(strstr(said.out, "  registered\n"));
	assert_int_equal(qiao("schemas", "check"), EXIT_YES);
	json_decref(ask("PUT", "/config", json_pack("{s:s}", "compatibility", "NONE"), 200));
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "the level of compatibility is NONE");
	json_decref(ask("PUT", "/config", json_pack("{s:s}", "compatibility", "BACKWARD"), 200));
}

static void another_text_of_the_same_schema_is_no_other(void **state)
{
	(void)state;
	put_changed(EV_BOOK_CLOSED, other_words);
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_has(said.out, "there already");
	assert_int_equal(qiao("schemas", "check"), EXIT_YES);
}

static void an_incompatible_schema_keeps_all_out(void **state)
{
	(void)state;
	put_changed(EV_CONTRIBUTION_FEED_REACHED, without_last_field);
	assert_int_equal(qiao("schemas", "register"), EXIT_NO);
	assert_has(said.out, "incompatible");
	assert_int_equal(subjects(), 1);
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "cn.keqiao.qiao.ContributionFeedReached: not registered in the form");
}

static void a_program_runs_on_what_it_remembers(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(qiao("keygen"), EXIT_YES);
	assert_int_equal(qiao("init"), EXIT_YES);
	assert_int_equal(command_run(&said, &dir, "qiao-gateway", "-c", ini, NULL), EXIT_USAGE);
	wait_for("log/qiao-gateway.log", "run: qiao schemas register");
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	run_gateway();
	apicurio_kill(&apicurio);
	run_gateway();
	wait_for("log/qiao-gateway.log", "REGISTRY-DOWN");
	assert_int_equal(qiao("schemas", "check"), EXIT_LATER);
	if (apicurio_start(&apicurio, &e) < 0)
		fail_msg("%s", e.text);
	run_gateway();
	assert_int_equal(qiao("schemas", "check"), EXIT_YES);
}

/* The registry is replaced by an empty one, which gives the ids anew, in another order. */
static void ids_of_another_registry_stop_a_program(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(qiao("keygen"), EXIT_YES);
	assert_int_equal(qiao("init"), EXIT_YES);
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	run_gateway();
	if (apicurio_forget(&apicurio, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "the registry does not know id");
	for (enum event_type t = EVENT_TYPES; t-- > 0;) {
		struct str text = event_schema(t);

		put(event_name(t), text.p, text.n);
	}
	assert_int_equal(command_run(&said, &dir, "qiao-gateway", "-c", ini, NULL), EXIT_SAFE);
	wait_for("log/qiao-gateway.log", "schema registry: id ");
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "now means another schema");
	assert_int_equal(qiao("schemas", "register"), EXIT_SAFE);
}

static void events_are_framed_as_confluents(void **state)
{
	static const struct payment_enquiry enquiry = {.payment_id = {{7}}, .attempt = 3, .payment_attempt = 2};
	static const char foreign[] = "{\"type\":\"record\",\"name\":\"a.B\",\"fields\":[]}";
	static struct conf conf; /* too large for the stack */
	struct payment_enquiry back;
	struct schema_mark own, there;
	struct registry *registry;
	struct codec *codec;
	struct complaints *why = calloc(1, sizeof *why);
	struct err e = {0};
	struct buf body;
	char path[64];
	json_t *answer;
	int id;

	(void)state;
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_int_equal(conf_load(&conf, ini, why), 0);
	free(why);
	assert_int_equal(registry_codec_open(&codec, &registry, &conf, NULL, &e), 0);
	buf_init(&body, 1 << 16);
	assert_int_equal(codec_encode(codec, EV_PAYMENT_ENQUIRY, &enquiry, &body, &e), 0);
	assert_int_equal(body.data[0], 0);
	/* The registry, asked for the id in the head, has our schema. */
	id = body.data[1] << 24 | body.data[2] << 16 | body.data[3] << 8 | body.data[4];
	snprintf(path, sizeof path, "/schemas/ids/%d", id);
	answer = ask("GET", path, NULL, 200);
	assert_int_equal(schema_mark_of(&own, event_schema(EV_PAYMENT_ENQUIRY), &e), 0);
	assert_int_equal(
		schema_mark_of(&there, str_of(json_string_value(json_object_get(answer, "schema"))),
			       &e),
		0);
	assert_true(schema_mark_eq(&own, &there));
	json_decref(answer);
	/* Read by somebody who learns the id only from the event; then under an id of others. */
	registry_codec_close(codec, registry);
	assert_int_equal(registry_codec_open(&codec, &registry, &conf, NULL, &e), 0);
	assert_int_equal(codec_decode(codec, EV_PAYMENT_ENQUIRY,
				      (struct str){(const char *)body.data, body.len}, &back, &e),
			 0);
	assert_memory_equal(&back, &enquiry, sizeof back);
	answer = ask("POST", "/subjects/a.B/versions", json_pack("{s:s}", "schema", foreign), 200);
	body.data[4] = (uint8_t)json_integer_value(json_object_get(answer, "id"));
	json_decref(answer);
	assert_int_equal(codec_decode(codec, EV_PAYMENT_ENQUIRY,
				      (struct str){(const char *)body.data, body.len}, &back, &e),
			 -1);
	assert_int_equal(e.class, ERR_PERM);
	assert_has(e.text, "unknown_schema: PaymentEnquiry: id ");
	assert_has(e.text, " is a.B");
	registry_codec_close(codec, registry);
	buf_fini(&body);
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(registers_once_and_finds_all_well),
		IN_A_WORLD(another_text_of_the_same_schema_is_no_other),
		IN_A_WORLD(an_incompatible_schema_keeps_all_out),
		IN_A_WORLD(events_are_framed_as_confluents),
		IN_A_WORLD(a_program_runs_on_what_it_remembers),
		IN_A_WORLD(ids_of_another_registry_stop_a_program),
	};

	return cmocka_run_group_tests(tests, start_registry, end_registry);
}

/* qiao schemas, and real programs with a schema registry: what they do when it is away at their
 * start, when a schema is not registered, when ids were swapped. */
#include "events/framing.h"
#include "tests/lib/command.h"
#include "tests/lib/registry_sim.h"
#include "tests/lib/which_bus.h"
#include <jansson.h>

static struct tmpdir dir;
static struct command_said said;
static struct which_bus which;
static struct registry_sim *sim;
static char ini[320], url[100];

static void write_ini(const char *registry)
{
	struct buf text;
	char here[400];

	assert_non_null(getcwd(here, sizeof here));
	buf_init(&text, 1 << 16);
	buf_printf(&text,
		   "[reference]\npolicy = %s/config/policy\ncalendar = %s/config/calendar.csv\n"
		   "villages = %s/config/villages.csv\n%s",
		   here, here, here, registry);
	which_bus_put(&which, &text);
	write_text(ini, buf_text(&text));
	buf_fini(&text);
}

static int make_world(void **state)
{
	char registry[200], data[320];
	struct err e = {0};

	(void)state;
	tmpdir_make(&dir);
	if (which_bus_open(&which, tmpdir_file(&dir, data, "data"), &e) < 0)
		fail_msg("%s", e.text);
	tmpdir_file(&dir, ini, "qiao.ini");
	sim = registry_sim_start(url, sizeof url);
	snprintf(registry, sizeof registry, "[registry]\nurl = %s\n", url);
	write_ini(registry);
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	registry_sim_stop(sim);
	which_bus_close(&which);
	tmpdir_remove(&dir);
	return 0;
}

#define qiao(...) command_run(&said, &dir, "qiao", "-c", ini, __VA_ARGS__, NULL)

static void found(void)
{
	assert_int_equal(qiao("keygen"), EXIT_YES);
	assert_int_equal(qiao("init"), EXIT_YES);
}

/* Registers the schemas as they would be without one of them, under ids from first on. */
static void put_all_but(enum event_type left_out, int first)
{
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		char subject[128];
		struct str text = event_schema(t);

		snprintf(subject, sizeof subject, EVENT_NAMESPACE "%s", event_name(t));
		if (t != left_out)
			registry_sim_put(sim, subject, first + (int)t, text.p, text.n);
	}
}

/* ---- the command ---- */

static void registers_what_is_missing(void **state)
{
	(void)state;
	put_all_but(EV_OPERATION, 10);
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "cn.keqiao.qiao.Operation: not registered");
	assert_has(said.out, "run qiao schemas register");
	assert_int_equal(registry_sim_registered(sim), 0);
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_int_equal(registry_sim_registered(sim), 1);
	assert_has(said.out, "there already");
	assert_has(said.out, "  registered\n");
	assert_string_equal(said.err, "");
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	assert_int_equal(registry_sim_registered(sim), 1);
	assert_null(strstr(said.out, "  registered\n"));
	assert_int_equal(qiao("schemas", "check"), EXIT_YES);
	assert_has(said.out, "28 schemas are registered");
}

static void registers_all_into_an_empty_registry_as_json(void **state)
{
	json_t *root;

	(void)state;
	assert_int_equal(qiao("schemas", "register", "--format", "json"), EXIT_YES);
	assert_int_equal(registry_sim_registered(sim), EVENT_TYPES);
	root = json_loads(said.out, 0, NULL);
	assert_int_equal(json_array_size(root), EVENT_TYPES);
	for (size_t i = 0; i < EVENT_TYPES; i++) {
		const json_t *one = json_array_get(root, i);

		assert_string_equal(json_string_value(json_object_get(one, "outcome")),
				    "registered");
		assert_int_equal(json_integer_value(json_object_get(one, "id")), i + 1);
		assert_int_equal(json_integer_value(json_object_get(one, "version")), 1);
		assert_int_equal(strncmp(json_string_value(json_object_get(one, "subject")),
					 EVENT_NAMESPACE, strlen(EVENT_NAMESPACE)),
				 0);
	}
	json_decref(root);
	assert_int_equal(qiao("schemas", "check", "--format", "json"), EXIT_YES);
	assert_string_equal(said.out, "[]\n");
}

/* Another version stands under a subject and ours may not follow it: then nothing is registered. */
static void registers_nothing_beside_an_incompatible_schema(void **state)
{
	static const char other[] =
		"{\"type\":\"record\",\"name\":\"cn.keqiao.qiao.Operation\",\"fields\":[]}";

	(void)state;
	registry_sim_put(sim, "cn.keqiao.qiao.Operation", 5, other, strlen(other));
	registry_sim_refuse(sim, true, false);
	assert_int_equal(qiao("schemas", "register"), EXIT_NO);
	assert_has(said.out, "incompatible: a field has no default");
	assert_has(said.out, "not registered");
	assert_has(said.err, "so what is missing was not registered");
	assert_int_equal(registry_sim_registered(sim), 0);
	/* refused in the last moment */
	registry_sim_refuse(sim, false, true);
	assert_int_equal(qiao("schemas", "register", "--lang", "zh"), EXIT_NO);
	assert_has(said.out, "不兼容");
	assert_int_equal(registry_sim_registered(sim), 0);
}

static void finds_a_level_that_keeps_nothing(void **state)
{
	(void)state;
	put_all_but(EVENT_TYPES, 1);
	registry_sim_level(sim, "NONE");
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "cn.keqiao.qiao.BookClosed: the level of compatibility is NONE");
	assert_has(said.out, "set BACKWARD");
}

static void tells_what_keeps_it_from_asking(void **state)
{
	char text[400];

	(void)state;
	assert_int_equal(qiao("schemas"), EXIT_USAGE);
	assert_int_equal(qiao("schemas", "look"), EXIT_USAGE);
	assert_has(said.err, "qiao schemas register | check");
	registry_sim_mood(sim, REGISTRY_DOWN);
	assert_int_equal(qiao("schemas", "register"), EXIT_LATER);
	assert_has(said.err, "[registry] url http://127.0.0.1");
	registry_sim_mood(sim, REGISTRY_MAD);
	assert_int_equal(qiao("schemas", "check"), EXIT_USAGE);
	assert_has(said.err, "is no schema registry");
	snprintf(text, sizeof text, "[registry]\nurl = %s\ntoken_file = /nowhere\n", url);
	write_ini(text);
	assert_int_equal(qiao("schemas", "check"), EXIT_USAGE);
	assert_has(said.err, "[registry] token_file /nowhere");
	write_ini("");
	assert_int_equal(qiao("schemas", "check"), EXIT_USAGE);
	assert_has(said.err, "[registry] url: empty");
}

/* ---- programs ---- */

static pid_t gateway(void)
{
	char path[512], out[320],
		*argv[] = {built_program(path, "qiao-gateway") ? path : NULL, (char[]){"-c"}, ini,
			   NULL};

	return command_start(argv, tmpdir_file(&dir, out, "gateway.out"), "/dev/null");
}

/* Polls a text file until it holds the text. */
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

static int end(pid_t pid)
{
	kill(pid, SIGTERM);
	return command_wait(pid);
}

static void log_to_folder(void)
{
	char text[400];

	snprintf(text, sizeof text, "[log]\ndir = log\n[registry]\nurl = %s\n", url);
	write_ini(text);
}

static void a_program_waits_for_a_registry_and_then_needs_it_no_more(void **state)
{
	pid_t pid;

	(void)state;
	log_to_folder();
	found();
	put_all_but(EVENT_TYPES, 1);
	registry_sim_mood(sim, REGISTRY_DOWN);
	pid = gateway();
	wait_for("log/qiao-gateway.log", "REGISTRY-WAIT");
	registry_sim_mood(sim, REGISTRY_UP);
	wait_for("data/run/gateway.status", "state running");
	assert_int_equal(end(pid), EXIT_YES);
	/* Asked to stop while it waits, it stops. */
	registry_sim_mood(sim, REGISTRY_DOWN);
	pid = gateway();
	wait_for("data/run/gateway.status", "state running");
	assert_int_equal(end(pid), EXIT_YES);
	wait_for("log/qiao-gateway.log", "REGISTRY-DOWN");
}

static void a_program_stops_at_what_no_waiting_cures(void **state)
{
	(void)state;
	log_to_folder();
	found();
	put_all_but(EV_OPERATION, 1);
	assert_int_equal(command_run(&said, &dir, "qiao-gateway", "-c", ini, NULL), EXIT_USAGE);
	wait_for("log/qiao-gateway.log", "qiao schemas register");
	assert_int_equal(qiao("schemas", "register"), EXIT_YES);
	pid_t pid = gateway();
	wait_for("data/run/gateway.status", "state running");
	assert_int_equal(end(pid), EXIT_YES);
	registry_sim_swap(sim, 3, 4);
	assert_int_equal(command_run(&said, &dir, "qiao-gateway", "-c", ini, NULL), EXIT_SAFE);
	wait_for("log/qiao-gateway.log", "schema registry: id 3 meant");
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "id 3 now means another schema");
	assert_has(said.out, "id 4 now means another schema");
	/* Registering again would paper it over. */
	assert_int_equal(qiao("schemas", "register"), EXIT_SAFE);
	registry_sim_swap(sim, 3, 4);
	registry_sim_forget(sim, 1);
	assert_int_equal(qiao("schemas", "check"), EXIT_NO);
	assert_has(said.out, "the registry does not know id 1");
	assert_int_equal(qiao("schemas", "register"), EXIT_SAFE);
	assert_has(said.err, "SubmissionOpened was id 1 and is now id 30");
}

int main(void)
{
#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, remove_world)
	const struct CMUnitTest tests[] = {
		IN_A_WORLD(registers_what_is_missing),
		IN_A_WORLD(registers_all_into_an_empty_registry_as_json),
		IN_A_WORLD(registers_nothing_beside_an_incompatible_schema),
		IN_A_WORLD(finds_a_level_that_keeps_nothing),
		IN_A_WORLD(tells_what_keeps_it_from_asking),
		IN_A_WORLD(a_program_waits_for_a_registry_and_then_needs_it_no_more),
		IN_A_WORLD(a_program_stops_at_what_no_waiting_cures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The schema registry's client against answers by script: who it says it is, what it makes of good
 * answers, refusals and nonsense. */
#include "http/registry_client.h"
#include "tests/lib/registry_sim.h"
#include "tests/lib/script_server.h"
#include "tests/lib/unit.h"
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUBJECT EVENT_NAMESPACE "PaymentEnquiry"

static void assert_error(const struct err *e, enum err_class class, const char *part)
{
	if (e->class != class || strstr(e->text, part) == NULL)
		fail_msg("class %d: %s; expected class %d: %s", e->class, e->text, class, part);
}

#define JSON(status, body) "HTTP/1.1 " status " X\r\nConnection: close\r\n\r\n" body
#define JSON_STEP(status, body)                             \
	{                                                   \
		.answer = JSON(status, body), .close = true \
	}

/* A client of a server by script. */
struct talk {
	struct tmpdir dir;
	struct conf conf;
	struct script_server *server;
	struct registry_client *client;
	struct err e;
};

static void talk_start(struct talk *k, const struct script_step *steps, int count)
{
	struct conf *c = &k->conf;

	tmpdir_make(&k->dir);
	c->registry.peer.connect_timeout_ms = 1000;
	c->registry.peer.timeout_ms = 1000;
	k->server = script_start("http", steps, count, c->registry.peer.url,
				 sizeof c->registry.peer.url);
	str_copy(c->registry.path, sizeof c->registry.path, STR("/apis/ccompat/v7"));
}

static int talk_open(struct talk *k)
{
	k->e = (struct err){0};
	return registry_client_open(&k->client, &k->conf, false, &k->e);
}

static void talk_end(struct talk *k)
{
	registry_client_close(k->client);
	script_stop(k->server);
	tmpdir_remove(&k->dir);
}

static void write_secret(struct talk *k, char path[CONF_PATH], const char *text, mode_t mode)
{
	char file[320];

	tmpdir_file(&k->dir, file, "secret");
	unlink(file);
	assert_int_equal(fs_write_atomic(file, text, strlen(text), 0600, &k->e), 0);
	assert_int_equal(chmod(file, mode), 0);
	str_copy(path, CONF_PATH, str_of(file));
}

static void says_who_it_is_and_what_it_speaks(void **state)
{
	static const struct script_step steps[] = {
		JSON_STEP("404", "{\"error_code\":40403,\"message\":\"none\"}"),
		JSON_STEP("404", "{\"error_code\":40401,\"message\":\"none\"}"),
		JSON_STEP("404", "{\"error_code\":40403,\"message\":\"none\"}"),
	};
	struct talk k = {0};
	struct conf *c = &k.conf;
	struct schema_mark mark;
	struct registry_place place;
	const char *text;

	(void)state;
	talk_start(&k, steps, COUNT(steps));
	str_copy(c->registry.user, sizeof c->registry.user, STR("qiao"));
	write_secret(&k, c->registry.password_file, "geheim\n", 0600);
	assert_int_equal(talk_open(&k), 0);
	assert_int_equal(registry_meaning(k.client, 7, &mark, &k.e), 0);
	assert_int_equal(registry_find(k.client, EV_PAYMENT_ENQUIRY, &place, &k.e), 0);
	text = script_request(k.server, 0);
	assert_non_null(strstr(text, "GET /apis/ccompat/v7/schemas/ids/7 HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "Authorization: Basic cWlhbzpnZWhlaW0=\r\n"));
	assert_non_null(strstr(text, "Accept: application/vnd.schemaregistry.v1+json\r\n"));
	text = script_request(k.server, 1);
	assert_non_null(strstr(text, "POST /apis/ccompat/v7/subjects/" SUBJECT " HTTP/1.1\r\n"));
	assert_non_null(strstr(text, "Content-Type: application/vnd.schemaregistry.v1+json\r\n"));
	registry_client_close(k.client);
	c->registry.user[0] = '\0';
	write_secret(&k, c->registry.token_file, "abc.def", 0600);
	assert_int_equal(talk_open(&k), 0);
	assert_int_equal(registry_meaning(k.client, 7, &mark, &k.e), 0);
	assert_non_null(strstr(script_request(k.server, 2), "Authorization: Bearer abc.def\r\n"));
	talk_end(&k);
}

static void secrets_are_for_nobody_else(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *part;
	} bad[] = {
		{"geheim\n", 0640, "mode 0600"},
		{"geheim\n", 0604, "mode 0600"},
		{"", 0600, "must hold one line"},
		{"two\nlines\n", 0600, "must hold one line"},
	};
	struct talk k = {0};
	struct conf *c = &k.conf;

	(void)state;
	talk_start(&k, NULL, 0);
	for (size_t i = 0; i < COUNT(bad); i++) {
		write_secret(&k, c->registry.token_file, bad[i].text, bad[i].mode);
		assert_int_equal(talk_open(&k), -1);
		assert_error(&k.e, ERR_CONF, bad[i].part);
		assert_error(&k.e, ERR_CONF, "[registry] token_file");
		assert_null(strstr(k.e.text, "geheim"));
	}
	str_copy(c->registry.token_file, CONF_PATH, STR("/nowhere/token"));
	assert_int_equal(talk_open(&k), -1);
	assert_error(&k.e, ERR_CONF, "[registry] token_file /nowhere/token");
	str_copy(c->registry.user, sizeof c->registry.user, STR("qiao"));
	write_secret(&k, c->registry.password_file, "geheim", 0644);
	assert_int_equal(talk_open(&k), -1);
	assert_error(&k.e, ERR_CONF, "[registry] password_file");
	k.client = NULL;
	talk_end(&k);
}

static void what_an_answer_means(void **state)
{
#define PLACE(subject, id, version)                                       \
	"{\"subject\":\"" subject "\",\"id\":" id ",\"version\":" version \
	",\"schema\":\"\\\"int\\\"\"}"
	static const struct {
		struct script_step step;
		bool find; /* else meaning */
		int rc;
		enum err_class class;
		const char *part;
	} cases[] = {
		{JSON_STEP("404", "{\"error_code\":40403}"), false, 0, ERR_NONE, ""},
		{JSON_STEP("401", "{}"), false, -1, ERR_CONF,
		 "check [registry] user and password_file, token_file"},
		{JSON_STEP("403", "no"), true, -1, ERR_CONF, "(403)"},
		{JSON_STEP("500", "{\"error_code\":50001,\"message\":\"store\\u0007\"}"), true, -1,
		 ERR_TEMP, "(500) store?"},
		{JSON_STEP("503", ""), false, -1, ERR_TEMP, "[registry] url"},
		{JSON_STEP("429", ""), false, -1, ERR_TEMP, "[registry] url"},
		{{.close = true}, false, -1, ERR_TEMP, "no answer"},
		{{.answer = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", .close = true},
		 false,
		 -1,
		 ERR_TEMP,
		 "truncated"},
		{JSON_STEP("200", "<html>"), false, -1, ERR_CONF, "not JSON"},
		{JSON_STEP("200", "{}"), false, -1, ERR_CONF, "without a schema"},
		{JSON_STEP("200", "{\"schema\":7}"), false, -1, ERR_CONF, "without a schema"},
		{JSON_STEP("200", "{\"schema\":\"a\",\"schema\":\"b\"}"), false, -1, ERR_CONF,
		 "not JSON"},
		{JSON_STEP("200", "[]"), true, -1, ERR_CONF, "something else than id"},
		{JSON_STEP("404", "<html>"), false, -1, ERR_CONF, "/apis/ccompat/v7"},
		{JSON_STEP("404", "{\"error_code\":404}"), false, -1, ERR_CONF, "check host"},
		{JSON_STEP("302", ""), false, -1, ERR_CONF, "check host"},
		{JSON_STEP("409", "{\"error_code\":409}"), false, -1, ERR_CONF, "check host"},
		{JSON_STEP("200", PLACE(SUBJECT, "0", "1")), true, -1, ERR_CONF, "something else"},
		{JSON_STEP("200", PLACE(SUBJECT, "-3", "1")), true, -1, ERR_CONF, "something else"},
		{JSON_STEP("200", PLACE(SUBJECT, "\"7\"", "1")), true, -1, ERR_CONF,
		 "something else"},
		{JSON_STEP("200", PLACE(SUBJECT, "4294967297", "1")), true, -1, ERR_CONF,
		 "something else"},
		{JSON_STEP("200", PLACE("other", "7", "1")), true, -1, ERR_CONF, "something else"},
		{JSON_STEP("200", PLACE(SUBJECT, "7", "1")), true, -1, ERR_CONF, "another schema"},
		{JSON_STEP("422", "{\"error_code\":42201,\"message\":\"odd\"}"), true, -1, ERR_PERM,
		 "not taken for a schema: odd"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct talk k = {0};
		struct schema_mark mark;
		struct registry_place place;
		int rc;

		talk_start(&k, &cases[i].step, 1);
		assert_int_equal(talk_open(&k), 0);
		rc = cases[i].find ? registry_find(k.client, EV_PAYMENT_ENQUIRY, &place, &k.e)
				   : registry_meaning(k.client, 7, &mark, &k.e);
		if (rc != cases[i].rc)
			fail_msg("case %zu: %d, %s", i, rc, k.e.text);
		if (rc < 0)
			assert_error(&k.e, cases[i].class, cases[i].part);
		talk_end(&k);
	}
}

static void a_huge_answer_is_nonsense(void **state)
{
	static char huge[(1 << 20) + 100];
	struct script_step step = {.answer = huge, .close = true};
	struct talk k = {0};
	struct schema_mark mark;
	int n = snprintf(huge, sizeof huge, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");

	(void)state;
	memset(huge + n, ' ', sizeof huge - (size_t)n - 1);
	talk_start(&k, &step, 1);
	assert_int_equal(talk_open(&k), 0);
	assert_int_equal(registry_meaning(k.client, 7, &mark, &k.e), -1);
	assert_error(&k.e, ERR_CONF, "larger than any schema");
	assert_error(&k.e, ERR_CONF, "[registry] url http://127.0.0.1");
	talk_end(&k);
}

static void other_meanings_are_nobodys(void **state)
{
	static const struct {
		struct script_step step;
		const char *name;
	} cases[] = {
		{JSON_STEP("200", "{\"schema\":\"message M {}\",\"schemaType\":\"PROTOBUF\"}"),
		 "(no record of Avro)"},
		{JSON_STEP("200", "{\"schema\":\"\\\"string\\\"\"}"), "(no record of Avro)"},
		{JSON_STEP("200", "{\"schema\":\"{\"}"), "(no record of Avro)"},
		{JSON_STEP("200",
			   "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"a.B\\\","
			   "\\\"fields\\\":[]}\"}"),
		 "a.B"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct talk k = {0};
		struct schema_mark mark;

		talk_start(&k, &cases[i].step, 1);
		assert_int_equal(talk_open(&k), 0);
		assert_int_equal(registry_meaning(k.client, 7, &mark, &k.e), 1);
		assert_string_equal(mark.name, cases[i].name);
		talk_end(&k);
	}
}

static void refusals_to_register_are_told(void **state)
{
	static const struct script_step steps[] = {
		JSON_STEP("409", "{\"error_code\":409,\"message\":\"reader lacks a default\"}"),
		JSON_STEP("422", "{\"error_code\":42201,\"message\":\"odd\"}"),
		JSON_STEP("200", "{\"id\":\"seven\"}"),
		JSON_STEP("500", "{}"),
	};
	static const struct {
		enum err_class class;
		const char *part;
	} says[] = {
		{ERR_PERM, "incompatible with what is registered: reader lacks a default"},
		{ERR_PERM, "not taken for a schema: odd"},
		{ERR_CONF, "no id"},
		{ERR_TEMP, "(500)"},
	};
	struct talk k = {0};
	struct registry_place place;

	(void)state;
	talk_start(&k, steps, COUNT(steps));
	assert_int_equal(talk_open(&k), 0);
	for (size_t i = 0; i < COUNT(says); i++) {
		k.e = (struct err){0};
		assert_int_equal(registry_register(k.client, EV_PAYMENT_ENQUIRY, &place, &k.e), -1);
		assert_error(&k.e, says[i].class, says[i].part);
	}
	talk_end(&k);
}

static void registers_and_asks_for_compatibility(void **state)
{
	struct registry_sim *sim;
	struct registry_client *client;
	struct conf *c = calloc(1, sizeof *c);
	struct err e = {0};
	struct registry_place place;
	char why[REGISTRY_WHY], level[REGISTRY_LEVEL];

	(void)state;
	c->registry.peer.connect_timeout_ms = c->registry.peer.timeout_ms = 1000;
	sim = registry_sim_start(c->registry.peer.url, sizeof c->registry.peer.url);
	assert_int_equal(registry_client_open(&client, c, false, &e), 0);
	assert_int_equal(registry_find(client, EV_PAYMENT_ENQUIRY, &place, &e), 0);
	assert_int_equal(registry_fits(client, EV_PAYMENT_ENQUIRY, why, &e), 1); /* new */
	assert_int_equal(registry_register(client, EV_PAYMENT_ENQUIRY, &place, &e), 0);
	assert_int_equal(place.id, 1);
	assert_int_equal(place.version, 1);
	assert_int_equal(registry_find(client, EV_PAYMENT_ENQUIRY, &place, &e), 1);
	assert_int_equal(registry_fits(client, EV_PAYMENT_ENQUIRY, why, &e), 1);
	registry_sim_refuse(sim, true, true);
	assert_int_equal(registry_fits(client, EV_PAYMENT_ENQUIRY, why, &e), 0);
	assert_string_equal(why, "a field has no default");
	assert_int_equal(registry_level(client, EV_PAYMENT_ENQUIRY, level, &e), 0);
	assert_string_equal(level, "BACKWARD");
	registry_client_close(client);
	registry_sim_stop(sim);
	free(c);
}

/* The registry compares texts; we do not. */
static void another_text_of_the_same_form_is_found(void **state)
{
	struct registry_sim *sim;
	struct registry_client *client;
	struct conf *c = calloc(1, sizeof *c);
	struct err e = {0};
	struct registry_place place;
	struct str text = event_schema(EV_PAYMENT_ENQUIRY);
	json_t *schema = json_loadb(text.p, text.n, 0, NULL);
	char *other;

	(void)state;
	json_object_set_new(schema, "doc", json_string("other words"));
	other = json_dumps(schema, JSON_INDENT(3));
	c->registry.peer.connect_timeout_ms = c->registry.peer.timeout_ms = 1000;
	sim = registry_sim_start(c->registry.peer.url, sizeof c->registry.peer.url);
	registry_sim_put(sim, SUBJECT, 4, other, strlen(other));
	registry_sim_put(sim, SUBJECT, 5, "\"int\"", 5);
	assert_int_equal(registry_client_open(&client, c, false, &e), 0);
	assert_int_equal(registry_find(client, EV_PAYMENT_ENQUIRY, &place, &e), 1);
	assert_int_equal(place.id, 4);
	assert_int_equal(place.version, 1);
	registry_client_close(client);
	free(other);
	json_decref(schema);
	registry_sim_stop(sim);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_who_it_is_and_what_it_speaks),
		cmocka_unit_test(secrets_are_for_nobody_else),
		cmocka_unit_test(what_an_answer_means),
		cmocka_unit_test(a_huge_answer_is_nonsense),
		cmocka_unit_test(other_meanings_are_nobodys),
		cmocka_unit_test(refusals_to_register_are_told),
		cmocka_unit_test(registers_and_asks_for_compatibility),
		cmocka_unit_test(another_text_of_the_same_form_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

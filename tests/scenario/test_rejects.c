/* The operator's way with rejects, on the real gateway: seen, looked into, released and discarded by two persons; and an input of which
 * too much is rejected stops, outlives a kill, and goes on when it is told to. */
#include "bus/bus.h"
#include "crypto/ids.h"
#include "tests/lib/unit.h"
#include "tests/lib/world.h"
#include <jansson.h>
#include <string.h>

enum { LIMIT_MS = 60000 };

static struct world w;
static struct buf out;
static char anna[512], berta[512];

static void check(int rc, const struct err *e)
{
	if (rc < 0)
		fail_msg("%s", e->text);
}

/* A second reading of the same command goes over the first. */
#define qiao(...) (buf_reset(&out), world_qiao(&w, &out, __VA_ARGS__, NULL))
#define SIGNED_BY(who) "--reason", "a test", "--operator", #who, "--key", who, "--wait", "60"
#define HAS(part) \
	do { \
		if (strstr(buf_text(&out), part) == NULL) \
			fail_msg("\"%s\" is not in:\n%s", part, buf_text(&out)); \
	} while (0)
#define HAS_NOT(part) assert_null(strstr(buf_text(&out), part))

static void garbage(int count)
{
	struct bus_options o = which_bus_options(&w.bus, "tax");
	struct bus_event ev = {.type = STR("CollectionResult"), .time_ms = 1, .data = STR("\x01\xab")};
	struct bus *b = NULL;
	struct err e = {0};

	check(bus_open(&b, &o, &e), &e);
	for (int i = 0; i < count; i++) {
		random_bytes(&ev.id, sizeof ev.id);
		ev.trace = ev.id;
		ev.key = (struct str){(const char *)ev.id.b, ID_LEN};
		check(bus_publish(b, "collections", &ev, &e), &e);
	}
	check(bus_flush(b, &e), &e);
	bus_close(b);
}

static json_t *json_out(void)
{
	json_t *root = json_loadb((const char *)out.data, out.len, 0, NULL);

	assert_non_null(root);
	return root;
}

static int some_rejects(void *arg, struct err *e)
{
	(void)e;
	if (qiao("rejects", "--format", "json") != EXIT_NO)
		return 0;
	json_t *root = json_out();
	bool enough = json_array_size(root) >= (size_t)*(int *)arg;
	json_decref(root);
	return enough;
}

static void await_rejects(int count)
{
	struct err e = {0};

	check(world_wait(LIMIT_MS, some_rejects, &count, &e), &e);
}

static int status_int(const char *key)
{
	(void)qiao("status", "--format", "json");
	json_t *root = json_out(), *at = json_object_get(root, key);
	int n = json_is_array(at) ? (int)json_array_size(at) : (int)json_integer_value(at);
	json_decref(root);
	return n;
}

static int is_stopped(void *arg, struct err *e)
{
	(void)arg, (void)e;
	return status_int("stopped") == 1;
}

/* Decides as anna, and gives what berta is to approve. */
static const char *waiting_id(void)
{
	static char id[ID_HEX];
	json_t *root = json_out();

	assert_string_equal(json_string_value(json_object_get(root, "state")), "waiting_approval");
	snprintf(id, sizeof id, "%s", json_string_value(json_object_get(root, "operation")));
	json_decref(root);
	return id;
}

static void found_world(void)
{
	const struct world_options o = {.day = "2026-12-24"};
	struct err e = {0};

	check(world_open(&w, &o, &e), &e);
	check(world_found(&w, &e), &e);
	world_path(&w, anna, "anna.key");
	world_path(&w, berta, "berta.key");
	assert_int_equal(qiao("keygen", "--operator", "anna", "--key", anna), 0);
	assert_int_equal(qiao("keygen", "--operator", "berta", "--key", berta), 0);
	check(world_start(&w, GATEWAY, &e), &e);
}

static void settled_by_two(void)
{
	char id[ID_HEX];

	garbage(2);
	await_rejects(2);
	assert_int_equal(status_int("rejects"), 2);
	assert_int_equal(qiao("rejects", "show", "gateway:0"), EXIT_NO);
	HAS("00000000  01 ab\n");
	assert_int_equal(qiao("rejects", "release", "--dry-run", "gateway:0"), EXIT_YES);
	HAS("would be rejected again: undecodable");
	/* Discarded: by two, once. */
	assert_int_equal(qiao("rejects", "discard", "gateway:1", "--format", "json", SIGNED_BY(anna)), EXIT_YES);
	snprintf(id, sizeof id, "%s", waiting_id());
	assert_int_equal(qiao("approve", id, SIGNED_BY(anna)), EXIT_NO);
	assert_int_equal(status_int("rejects"), 2);
	assert_int_equal(qiao("approve", id, SIGNED_BY(berta)), EXIT_YES);
	assert_int_equal(status_int("rejects"), 1);
	assert_int_equal(qiao("rejects", "discard", "gateway:1", SIGNED_BY(anna)), EXIT_NO);
	assert_int_equal(qiao("rejects"), EXIT_NO);
	HAS("gateway:0");
	HAS_NOT("gateway:1");
	assert_int_equal(qiao("rejects", "list", "--all"), EXIT_NO);
	HAS("discarded");
	/* Released: rejected again, as a new one that names the decision. */
	assert_int_equal(qiao("rejects", "release", "gateway:0", "--format", "json", SIGNED_BY(anna)), EXIT_YES);
	snprintf(id, sizeof id, "%s", waiting_id());
	assert_int_equal(qiao("approve", id, SIGNED_BY(berta)), EXIT_YES);
	await_rejects(1);
	assert_int_equal(qiao("rejects", "list"), EXIT_NO);
	HAS("gateway:2");
	HAS(id);
	HAS_NOT("gateway:0");
	assert_int_equal(qiao("operations", id), EXIT_YES);
	HAS("rejected again");
	assert_int_equal(qiao("rejects", "release", "gateway:0", SIGNED_BY(anna)), EXIT_NO);
	/* What is not there, or not said. */
	assert_int_equal(qiao("rejects", "release", "gateway:77", SIGNED_BY(anna)), EXIT_NO);
	assert_int_equal(qiao("rejects", "release", "gateway:2"), EXIT_USAGE);
	assert_int_equal(qiao("rejects", "release", "the last one", SIGNED_BY(anna)), EXIT_USAGE);
	assert_int_equal(qiao("rejects", "conjure"), EXIT_USAGE);
	assert_int_equal(qiao("rejects", "resume", "collections", SIGNED_BY(anna)), EXIT_NO);
}

static void stopped_and_resumed(void)
{
	struct err e = {0};

	/* Two were rejected before, and one when it was released, which is no event of the topic. */
	garbage(58);
	check(world_wait(LIMIT_MS, is_stopped, NULL, &e), &e);
	await_rejects(49);
	assert_int_equal(status_int("rejects"), 49); /* 50 of 60, and two are settled, and one came again */
	assert_int_equal(qiao("status"), EXIT_NO);
	HAS("topic collections is not read any more");
	world_kill(&w, GATEWAY);
	check(world_start(&w, GATEWAY, &e), &e);
	assert_int_equal(status_int("stopped"), 1);
	assert_int_equal(status_int("rejects"), 49);
	assert_int_equal(qiao("rejects", "resume", "collections", SIGNED_BY(anna)), EXIT_YES);
	await_rejects(59);
	assert_int_equal(status_int("stopped"), 0);
	assert_int_equal(status_int("rejects"), 59);
}

static void what_an_operator_does(void **state)
{
	(void)state;
	buf_init(&out, 1 << 22);
	found_world();
	settled_by_two();
	stopped_and_resumed();
	assert_int_equal(world_stop(&w, GATEWAY), 0);
	buf_fini(&out);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_an_operator_does)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

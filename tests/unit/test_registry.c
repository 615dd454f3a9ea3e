/* Programs and their schema registry, one that goes away, hangs, forgets and swaps; what they
 * remember of it, and events framed with its ids. The client itself: test_registry_client.c. */
#include "base/role.h"
#include "events/framing.h"
#include "http/registry.h"
#include "http/registry_cache.h"
#include "http/registry_client.h"
#include "tests/lib/registry_sim.h"
#include "tests/lib/unit.h"
#include <string.h>
#include <sys/stat.h>

#define SUBJECT EVENT_NAMESPACE "PaymentEnquiry"
#define FIRST_ID 100 /* of the first type; the others follow */

struct rig {
	struct tmpdir dir;
	struct role role;
	struct registry_sim *sim;
	struct codec *codec;
	struct registry *registry;
	struct buf bytes;
	struct err e;
};

static void open_conf(struct rig *g)
{
	struct conf *c = &g->role.conf;
	char run[320];

	memset(g, 0, sizeof *g);
	g->role.name = "tax";
	g->role.state = "starting";
	str_copy(c->data.dir, sizeof c->data.dir, str_of(tmpdir_make(&g->dir)));
	assert_int_equal(fs_mkdirs(tmpdir_file(&g->dir, run, "run"), &g->e), 0);
	c->registry.peer.connect_timeout_ms = 1000;
	c->registry.peer.timeout_ms = 1000;
	buf_init(&g->bytes, 1 << 16);
}

static void close_conf(struct rig *g)
{
	buf_fini(&g->bytes);
	tmpdir_remove(&g->dir);
}

static void set_up(struct rig *g)
{
	struct conf *c = &g->role.conf;

	open_conf(g);
	g->sim = registry_sim_start(c->registry.peer.url, sizeof c->registry.peer.url);
	for (enum event_type t = 0; t < EVENT_TYPES; t++) {
		char subject[REGISTRY_SUBJECT];
		struct str text = event_schema(t);

		registry_sim_put(g->sim, registry_subject(subject, t), FIRST_ID + (int)t, text.p,
				 text.n);
	}
}

static void shut(struct rig *g)
{
	registry_codec_close(g->codec, g->registry);
	g->codec = NULL;
	g->registry = NULL;
}

static void tear_down(struct rig *g)
{
	shut(g);
	registry_sim_stop(g->sim);
	close_conf(g);
}

static int start(struct rig *g)
{
	g->e = (struct err){0};
	return registry_codec_open(&g->codec, &g->registry, &g->role.conf, &g->role, &g->e);
}

static int start_command(struct rig *g)
{
	g->e = (struct err){0};
	return registry_codec_open(&g->codec, &g->registry, &g->role.conf, NULL, &g->e);
}

static const struct payment_enquiry enquiry = {.payment_id = {{7}}, .attempt = 3, .payment_attempt = 2};

static int encode(struct rig *g)
{
	buf_reset(&g->bytes);
	return codec_encode(g->codec, EV_PAYMENT_ENQUIRY, &enquiry, &g->bytes, &g->e);
}

static int decode(struct rig *g, enum event_type t)
{
	struct str bytes = {(const char *)g->bytes.data, g->bytes.len};
	union {
		struct payment_enquiry enquiry;
		char any[4096];
	} out;

	g->e = (struct err){0};
	memset(&out, 0, sizeof out);
	if (codec_decode(g->codec, t, bytes, &out, &g->e) != 0)
		return -1;
	if (t == EV_PAYMENT_ENQUIRY)
		assert_memory_equal(&out.enquiry, &enquiry, sizeof enquiry);
	return 0;
}

/* The event that was encoded last, under another id. */
static void put_id(struct rig *g, uint32_t id)
{
	assert_int_equal(g->bytes.data[0], 0);
	for (int i = 0; i < 4; i++)
		g->bytes.data[1 + i] = (uint8_t)(id >> (24 - 8 * i));
}

static void assert_error(const struct err *e, enum err_class class, const char *part)
{
	if (e->class != class || strstr(e->text, part) == NULL)
		fail_msg("class %d: %s; expected class %d: %s", e->class, e->text, class, part);
}

/* ---- framing ---- */

static void events_carry_the_id_and_both_framings_are_read(void **state)
{
	static const uint8_t head[] = {0, 0, 0, 0, FIRST_ID + EV_PAYMENT_ENQUIRY};
	struct rig g;
	struct codec *plain;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	assert_memory_equal(g.bytes.data, head, sizeof head);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	/* Behind the heads both are the same. */
	assert_int_equal(codec_open(&plain, NULL, &g.e), 0);
	struct buf single;
	buf_init(&single, 1 << 16);
	assert_int_equal(codec_encode(plain, EV_PAYMENT_ENQUIRY, &enquiry, &single, &g.e), 0);
	assert_int_equal(single.len - 10, g.bytes.len - 5);
	assert_memory_equal(single.data + 10, g.bytes.data + 5, g.bytes.len - 5);
	buf_reset(&g.bytes);
	buf_put(&g.bytes, single.data, single.len);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	buf_fini(&single);
	codec_close(plain);
	tear_down(&g);
}

static void what_is_no_event_of_ours_is_refused(void **state)
{
	struct rig g;
	int asked;

	(void)state;
	set_up(&g);
	registry_sim_put(g.sim, "a.B", 7, "{\"type\":\"record\",\"name\":\"a.B\",\"fields\":[]}",
			 44);
	registry_sim_put(g.sim, SUBJECT, 8,
			 "{\"type\":\"record\",\"name\":\"" SUBJECT "\",\"fields\":[]}",
			 strlen("{\"type\":\"record\",\"name\":\"" SUBJECT "\",\"fields\":[]}"));
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	asked = registry_sim_requests(g.sim);
	/* an id of somebody else: asked for once */
	put_id(&g, 7);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "unknown_schema: PaymentEnquiry: id 7 is a.B");
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "unknown_schema: PaymentEnquiry: id 7: none of ours");
	assert_int_equal(registry_sim_requests(g.sim), asked + 1);
	/* an id that nobody knows */
	put_id(&g, 9);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
		assert_error(&g.e, ERR_PERM, "unknown_schema");
	}
	assert_int_equal(registry_sim_requests(g.sim), asked + 2);
	/* a record of ours in another version */
	put_id(&g, 8);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "of another version");
	/* an id of ours for another type */
	put_id(&g, FIRST_ID + EV_SUBSIDY_PAYMENT);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "undecodable: PaymentEnquiry: holds SubsidyPayment");
	/* ids that cannot be, which nobody is asked for */
	asked = registry_sim_requests(g.sim);
	put_id(&g, 0);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "unknown_schema");
	put_id(&g, 0x80000000);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "unknown_schema");
	assert_int_equal(registry_sim_requests(g.sim), asked);
	/* cut off, in the head and behind it */
	put_id(&g, FIRST_ID + EV_PAYMENT_ENQUIRY);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	while (g.bytes.len-- > 0) {
		assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
		assert_error(&g.e, ERR_PERM, "undecodable: PaymentEnquiry");
	}
	tear_down(&g);
}

/* An id is known to nobody here and the registry is away: wait, do not refuse. */
static void an_unknown_id_waits_for_the_registry(void **state)
{
	struct str text = event_schema(EV_PAYMENT_ENQUIRY);
	struct rig g;
	int before;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	registry_sim_put(g.sim, SUBJECT, 500, text.p, text.n);
	put_id(&g, 500);
	before = registry_sim_requests(g.sim);
	registry_sim_down_for(g.sim, 3);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	assert_true(registry_sim_requests(g.sim) > before + 1);
	shut(&g);
	/* remembered */
	registry_sim_mood(g.sim, REGISTRY_DOWN);
	assert_int_equal(start(&g), 0);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	shut(&g);
	/* A command says so instead; it has what programs remember. */
	assert_int_equal(start_command(&g), 0);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	put_id(&g, 501);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_TEMP, "[registry] url");
	tear_down(&g);
}

static void without_url_old_events_stay_readable(void **state)
{
	struct rig g;
	uint8_t framed[64];
	size_t n;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	n = g.bytes.len;
	memcpy(framed, g.bytes.data, n);
	shut(&g);
	g.role.conf.registry.peer.url[0] = '\0';
	assert_int_equal(start(&g), 0);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	assert_int_equal(encode(&g), 0);
	assert_int_equal(g.bytes.data[0], 0xc3);
	assert_int_equal(registry_tick(g.registry, INT64_MAX, &g.e), 0);
	buf_reset(&g.bytes);
	buf_put(&g.bytes, framed, n);
	put_id(&g, 5);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), -1);
	assert_error(&g.e, ERR_PERM, "[registry] url is not set");
	tear_down(&g);
}

/* ---- a program and its registry ---- */

static void a_registry_that_is_down_stops_nothing_known(void **state)
{
	enum registry_mood moods[] = {REGISTRY_DOWN, REGISTRY_HUNG, REGISTRY_MAD};
	struct rig g;
	char file[320];
	struct stat st;
	int asked;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	assert_int_equal(registry_sim_requests(g.sim), EVENT_TYPES);
	assert_int_equal(stat(tmpdir_file(&g.dir, file, "registry/tax.ids"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	shut(&g);
	/* again, with a look at each id */
	asked = registry_sim_requests(g.sim);
	assert_int_equal(start(&g), 0);
	assert_int_equal(registry_sim_requests(g.sim), asked + EVENT_TYPES);
	shut(&g);
	for (size_t i = 0; i < COUNT(moods); i++) {
		registry_sim_mood(g.sim, moods[i]);
		assert_int_equal(start(&g), 0);
		assert_int_equal(encode(&g), 0);
		assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
		shut(&g);
	}
	assert_int_equal(registry_sim_registered(g.sim), 0); /* programs never do */
	tear_down(&g);
}

static void without_memory_a_program_waits_and_a_command_does_not(void **state)
{
	struct rig g;

	(void)state;
	set_up(&g);
	registry_sim_mood(g.sim, REGISTRY_DOWN);
	assert_int_equal(start_command(&g), 0);
	assert_int_equal(encode(&g), -1);
	assert_error(&g.e, ERR_TEMP, "[registry] url");
	shut(&g);
	registry_sim_mood(g.sim, REGISTRY_UP);
	registry_sim_down_for(g.sim, 3);
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	shut(&g);
	tear_down(&g);
}

static void without_memory_nonsense_stops(void **state)
{
	struct rig g;
	char file[320];

	(void)state;
	set_up(&g);
	registry_sim_mood(g.sim, REGISTRY_MAD);
	assert_int_equal(start(&g), -1);
	assert_error(&g.e, ERR_CONF, "[registry] url");
	assert_null(g.codec);
	assert_null(g.registry);
	assert_false(fs_exists(tmpdir_file(&g.dir, file, "registry/tax.ids")));
	tear_down(&g);
}

static void a_schema_that_is_not_registered_stops(void **state)
{
	struct rig g;

	(void)state;
	open_conf(&g);
	g.sim = registry_sim_start(g.role.conf.registry.peer.url,
				   sizeof g.role.conf.registry.peer.url);
	assert_int_equal(start(&g), -1);
	assert_error(&g.e, ERR_CONF, "qiao schemas register");
	assert_error(&g.e, ERR_CONF, EVENT_NAMESPACE);
	assert_int_equal(registry_sim_registered(g.sim), 0);
	tear_down(&g);
}

static void swapped_ids_stop_the_start(void **state)
{
	struct rig g;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	shut(&g);
	registry_sim_swap(g.sim, FIRST_ID + 3, FIRST_ID + 20);
	assert_int_equal(start(&g), -1);
	assert_error(&g.e, ERR_SAFE, "id 103 meant cn.keqiao.qiao.GateDocuments and now means");
	assert_error(&g.e, ERR_SAFE, "[registry] url");
	/* The memory is as it was: the right registry is welcome again. */
	registry_sim_swap(g.sim, FIRST_ID + 3, FIRST_ID + 20);
	assert_int_equal(start(&g), 0);
	tear_down(&g);
}

static void swapped_ids_stop_a_running_program(void **state)
{
	int64_t now, end;
	int asked, rc = 0;
	struct rig g;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	now = clock_monotonic() + REGISTRY_EACH_MS;
	end = now + 2 * REGISTRY_EACH_MS;
	asked = registry_sim_requests(g.sim);
	/* One request when it is due, none before; a round takes its time. */
	assert_int_equal(registry_tick(g.registry, clock_monotonic(), &g.e), 0);
	assert_int_equal(registry_sim_requests(g.sim), asked);
	assert_int_equal(registry_tick(g.registry, now, &g.e), 0);
	assert_int_equal(registry_sim_requests(g.sim), asked + 1);
	assert_int_equal(registry_tick(g.registry, now + 1, &g.e), 0);
	assert_int_equal(registry_sim_requests(g.sim), asked + 1);
	registry_sim_swap(g.sim, FIRST_ID, FIRST_ID + 25);
	for (; rc == 0 && now < end; now += 1000)
		rc = registry_tick(g.registry, now, &g.e);
	assert_int_equal(rc, -1);
	assert_error(&g.e, ERR_SAFE, "now means");
	assert_true(registry_sim_requests(g.sim) <= asked + 1 + EVENT_TYPES);
	tear_down(&g);
}

static void a_registry_away_is_left_alone_for_minutes(void **state)
{
	static const enum registry_mood moods[] = {REGISTRY_DOWN, REGISTRY_HUNG, REGISTRY_MAD};
	struct rig g;
	int64_t now;

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	now = clock_monotonic() + REGISTRY_EACH_MS;
	for (size_t i = 0; i < COUNT(moods); i++) {
		int asked = registry_sim_requests(g.sim);

		registry_sim_mood(g.sim, moods[i]);
		for (int64_t t = now; t < now + REGISTRY_EACH_MS; t += 1000)
			assert_int_equal(registry_tick(g.registry, t, &g.e), 0);
		assert_int_equal(registry_sim_requests(g.sim), asked + 1);
		now += REGISTRY_EACH_MS;
	}
	/* back, and looked at again from where it was */
	registry_sim_mood(g.sim, REGISTRY_UP);
	registry_sim_forget(g.sim, FIRST_ID); /* no meaning is not another meaning */
	int asked = registry_sim_requests(g.sim);
	for (int64_t t = now; t < now + REGISTRY_EACH_MS; t += 100)
		assert_int_equal(registry_tick(g.registry, t, &g.e), 0);
	assert_true(registry_sim_requests(g.sim) >= asked + EVENT_TYPES - 1);
	assert_int_equal(encode(&g), 0);
	tear_down(&g);
}

static void a_hung_registry_holds_nobody_for_long(void **state)
{
	struct rig g;
	int64_t start_ms;

	(void)state;
	set_up(&g);
	g.role.conf.registry.peer.connect_timeout_ms = 60000;
	g.role.conf.registry.peer.timeout_ms = 60000;
	assert_int_equal(start(&g), 0);
	registry_sim_mood(g.sim, REGISTRY_HUNG);
	start_ms = clock_monotonic();
	assert_int_equal(registry_tick(g.registry, start_ms + REGISTRY_EACH_MS, &g.e), 0);
	assert_true(clock_monotonic() - start_ms < 10000);
	tear_down(&g);
}

/* Only what is new is asked for: an upgrade with the registry there. */
static void half_a_memory_is_completed(void **state)
{
	struct registry_cache *c = calloc(1, sizeof *c);
	struct rig g;
	char file[320];

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	shut(&g);
	tmpdir_file(&g.dir, file, "registry/tax.ids");
	assert_int_equal(registry_cache_load(c, file, &g.e), 0);
	assert_int_equal(c->count, EVENT_TYPES);
	c->count = 10;
	assert_int_equal(registry_cache_save(c, file, &g.e), 0);
	assert_int_equal(start(&g), 0);
	c->count = 0;
	assert_int_equal(registry_cache_load(c, file, &g.e), 0);
	assert_int_equal(c->count, EVENT_TYPES);
	free(c);
	tear_down(&g);
}

static void a_damaged_memory_stops(void **state)
{
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const char *const bad[] = {
		"7 a.B " SHA,			     /* no end of line */
		"x a.B " SHA "\n",		     /* */
		"0 a.B " SHA "\n",		     /* */
		"7  " SHA "\n",			     /* no name */
		"7 a.B 0123\n",			     /* */
		"7 a.B " SHA " \n",		     /* */
		"\n",				     /* */
		"7 a.B " SHA "\n7 a.C " SHA "\n",    /* both at once */
		"7 a.B " SHA "\n8 a.C " SHA "\n7\n", /* in the middle of a line */
		"4294967303 a.B " SHA "\n",	     /* */
	};
	struct rig g;
	char file[320];

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	shut(&g);
	tmpdir_file(&g.dir, file, "registry/tax.ids");
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(fs_write_atomic(file, bad[i], strlen(bad[i]), 0600, &g.e), 0);
		assert_int_equal(start(&g), -1);
		if (g.e.class != ERR_SAFE)
			fail_msg("%zu: %s", i, g.e.text);
	}
	tear_down(&g);
}

/* Two programs that remember different meanings: a command that reads for both cannot go on. */
static void commands_read_what_all_programs_remember(void **state)
{
	static const char other[] = "100 a.C " SHA "\n";
	struct rig g;
	char file[320];

	(void)state;
	set_up(&g);
	assert_int_equal(start(&g), 0);
	assert_int_equal(encode(&g), 0);
	shut(&g);
	registry_sim_mood(g.sim, REGISTRY_DOWN);
	assert_int_equal(start_command(&g), 0);
	assert_int_equal(decode(&g, EV_PAYMENT_ENQUIRY), 0);
	assert_int_equal(encode(&g), 0);
	shut(&g);
	tmpdir_file(&g.dir, file, "registry/ssa.ids");
	assert_int_equal(fs_write_atomic(file, other, strlen(other), 0600, &g.e), 0);
	assert_int_equal(start_command(&g), -1);
	assert_error(&g.e, ERR_SAFE, "id 100");
	tear_down(&g);
}

/* Last of all: a stop that was asked for stays asked for. */
static void a_stop_ends_the_waiting(void **state)
{
	struct rig g;

	(void)state;
	set_up(&g);
	registry_sim_mood(g.sim, REGISTRY_DOWN);
	role_stop();
	assert_int_equal(start(&g), -1);
	assert_error(&g.e, ERR_TEMP, "[registry] url");
	tear_down(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_carry_the_id_and_both_framings_are_read),
		cmocka_unit_test(what_is_no_event_of_ours_is_refused),
		cmocka_unit_test(an_unknown_id_waits_for_the_registry),
		cmocka_unit_test(without_url_old_events_stay_readable),
		cmocka_unit_test(a_registry_that_is_down_stops_nothing_known),
		cmocka_unit_test(without_memory_a_program_waits_and_a_command_does_not),
		cmocka_unit_test(without_memory_nonsense_stops),
		cmocka_unit_test(a_schema_that_is_not_registered_stops),
		cmocka_unit_test(swapped_ids_stop_the_start),
		cmocka_unit_test(swapped_ids_stop_a_running_program),
		cmocka_unit_test(a_registry_away_is_left_alone_for_minutes),
		cmocka_unit_test(a_hung_registry_holds_nobody_for_long),
		cmocka_unit_test(half_a_memory_is_completed),
		cmocka_unit_test(a_damaged_memory_stops),
		cmocka_unit_test(commands_read_what_all_programs_remember),
		cmocka_unit_test(a_stop_ends_the_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory first, then the registry: registry_cache.c is the one, registry_client.c the other. */
#include "http/registry.h"
#include "base/fs.h"
#include "http/registry_cache.h"
#include "http/registry_client.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At start the known numbers are asked for together, START_MS at most; what is left is for the
 * ticks. */
enum {
	WAIT_MIN_MS = 200,
	WAIT_MAX_MS = 5000,
	WAIT_TELL_MS = 60000,
	START_MS = 3000,
	STRANGERS = 64
};

struct registry {
	const struct conf *conf;
	struct role *role;		 /* NULL: a command */
	struct registry_client *patient; /* NULL: no url */
	struct registry_client *hurried; /* for what can wait: known numbers */
	struct registry_cache cache;
	char file[CONF_PATH]; /* "" = remember nothing */
	bool starting;	      /* the file is written once, at the end of the start */
	/* Numbers that are none of ours, so that a topic full of them does not ask each time. */
	int32_t strangers[STRANGERS];
	int stranger_count;
	/* the round of asking again */
	int next;
	int64_t due_ms;
	bool down;	    /* told in the log */
	int64_t waiting_ms; /* when waiting was told there, 0 = never */
	bool gone[REGISTRY_IDS_MAX];
};

static int open_registry(struct registry **out, const struct conf *c, struct role *role,
			 struct err *e);
static void close_registry(struct registry *r);
static int load(struct registry *r, struct err *e);
static int learn_all(struct registry *r, struct err *e);
static int check_all(struct registry *r, int count, struct err *e);
static int id_of(void *arg, enum event_type t, const struct schema_mark *own, int32_t *id,
		 struct err *e);
static int mark_of(void *arg, int32_t id, struct schema_mark *out, struct err *e);
static int remember(struct registry *r, int32_t id, const struct schema_mark *mark, struct err *e);
static bool wait_again(struct registry *r, int64_t *pause_ms, const struct err *e);
static int check_next(struct registry *r, bool *answered, struct err *e);
static void tell_down(struct registry *r, const struct err *why);

int registry_codec_open(struct codec **codec, struct registry **registry, const struct conf *c,
			struct role *role, struct err *e)
{
	struct codec_ids ids = {.mark_of = mark_of};

	*codec = NULL;
	*registry = NULL;
	if (codec_open(codec, NULL, e) != 0 || open_registry(registry, c, role, e) != 0) {
		registry_codec_close(*codec, *registry);
		*codec = NULL;
		*registry = NULL;
		return -1;
	}
	ids.arg = *registry;
	if ((*registry)->patient)
		ids.id_of = id_of;
	codec_use_ids(*codec, &ids);
	return 0;
}

void registry_codec_close(struct codec *codec, struct registry *registry)
{
	codec_close(codec);
	close_registry(registry);
}

int registry_tick(struct registry *r, int64_t now_ms, struct err *e)
{
	bool answered;

	if (r == NULL || r->hurried == NULL || r->cache.count == 0 || now_ms < r->due_ms)
		return 0;
	if (check_next(r, &answered, e) != 0)
		return -1;
	r->due_ms = now_ms + (answered ? REGISTRY_EACH_MS / r->cache.count : REGISTRY_EACH_MS);
	return 0;
}

static int open_registry(struct registry **out, const struct conf *c, struct role *role,
			 struct err *e)
{
	struct registry *r = calloc(1, sizeof *r);
	int known;

	if (r == NULL)
		return err_set(e, ERR_TEMP, "schema registry: out of memory");
	*out = r;
	r->conf = c;
	r->role = role;
	r->due_ms = clock_monotonic() + REGISTRY_EACH_MS;
	if (load(r, e) != 0)
		return -1;
	if (c->registry.peer.url[0] == '\0')
		return 0;
	if (registry_client_open(&r->patient, c, false, e) != 0 ||
	    registry_client_open(&r->hurried, c, true, e) != 0)
		return -1;
	if (role == NULL)
		return 0;
	registry_client_stop_when(r->patient, role_stopping);
	registry_client_stop_when(r->hurried, role_stopping);
	known = r->cache.count;
	/* What is remembered is looked at first: were it wrong, nothing may be built upon it. */
	return check_all(r, known, e) != 0 || learn_all(r, e) != 0 ? -1 : 0;
}

static void close_registry(struct registry *r)
{
	if (r == NULL)
		return;
	registry_client_close(r->patient);
	registry_client_close(r->hurried);
	free(r);
}

static int load(struct registry *r, struct err *e)
{
	char name[80];

	if (r->role == NULL)
		return registry_cache_load_all(&r->cache, r->conf->data.dir, e);
	snprintf(name, sizeof name, REGISTRY_FOLDER "/%s.ids", r->role->name);
	if (fs_join(r->file, sizeof r->file, r->conf->data.dir, name) != 0)
		return err_set(e, ERR_CONF, "[data] dir: path too long");
	return registry_cache_load(&r->cache, r->file, e);
}

/* The numbers under which this program writes, before it writes the first event. */
static int learn_all(struct registry *r, struct err *e)
{
	int before = r->cache.count, rc = 0;

	r->starting = true;
	for (enum event_type t = 0; t < EVENT_TYPES && rc == 0; t++) {
		struct schema_mark own;
		int32_t id;

		rc = schema_mark_of(&own, event_schema(t), e);
		rc = rc ? rc : id_of(r, t, &own, &id, e);
	}
	r->starting = false;
	if (rc == 0 && r->cache.count > before)
		rc = registry_cache_save(&r->cache, r->file, e);
	return rc;
}

static int check_all(struct registry *r, int count, struct err *e)
{
	int64_t end = clock_monotonic() + START_MS;
	bool answered = true;

	for (int i = 0; i < count && answered && clock_monotonic() < end; i++) {
		if (check_next(r, &answered, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- what the codec asks ---- */

static int id_of(void *arg, enum event_type t, const struct schema_mark *own, int32_t *id,
		 struct err *e)
{
	struct registry *r = arg;
	const struct registry_id *known = registry_cache_mark(&r->cache, own);
	struct registry_place place;
	int64_t pause_ms = WAIT_MIN_MS;
	struct err why;
	int found;

	if (known) {
		*id = known->id;
		return 0;
	}
	do {
		why = (struct err){0};
		found = registry_find(r->patient, t, &place, &why);
	} while (found < 0 && wait_again(r, &pause_ms, &why));
	if (found < 0)
		*e = why;
	if (found == 0)
		err_set(e, ERR_CONF,
			"schema registry: %s is not registered in the form of this program; run: "
			"qiao schemas register",
			own->name);
	if (found <= 0 || remember(r, place.id, own, e) != 0)
		return -1;
	*id = place.id;
	return 0;
}

static int mark_of(void *arg, int32_t id, struct schema_mark *out, struct err *e)
{
	struct registry *r = arg;
	const struct registry_id *known = registry_cache_id(&r->cache, id);
	int64_t pause_ms = WAIT_MIN_MS;
	struct err why;
	int found;

	if (known) {
		*out = known->mark;
		return 1;
	}
	for (int i = 0; i < r->stranger_count && i < STRANGERS; i++) {
		if (r->strangers[i] == id) {
			err_set(e, ERR_PERM, "none of ours");
			return 0;
		}
	}
	if (r->patient == NULL) {
		err_set(e, ERR_PERM, "[registry] url is not set");
		return 0;
	}
	do {
		why = (struct err){0};
		found = registry_meaning(r->patient, id, out, &why);
	} while (found < 0 && wait_again(r, &pause_ms, &why));
	if (found < 0) {
		*e = why;
		return -1;
	}
	/* Of our own records also other versions are remembered: what they mean counts as well. */
	if (found == 1 && strncmp(out->name, EVENT_NAMESPACE, strlen(EVENT_NAMESPACE)) == 0)
		return remember(r, id, out, e) == 0 ? 1 : -1;
	r->strangers[r->stranger_count++ % STRANGERS] = id;
	if (found == 0)
		err_set(e, ERR_PERM, "the registry has no such id");
	return found;
}

static int remember(struct registry *r, int32_t id, const struct schema_mark *mark, struct err *e)
{
	int before = r->cache.count;

	if (registry_cache_add(&r->cache, id, mark, e) != 0)
		return -1;
	if (r->starting || r->file[0] == '\0' || r->cache.count == before)
		return 0;
	if (registry_cache_save(&r->cache, r->file, e) == 0)
		return 0;
	r->cache.count = before; /* not known as long as it is not on disk */
	return -1;
}

/* A program waits for a registry that is away, and its status goes on saying that it lives. The
 * first line of the log comes at once, then one a minute. */
static bool wait_again(struct registry *r, int64_t *pause_ms, const struct err *e)
{
	int64_t now = clock_monotonic();
	char text[LOG_VALUE];

	if (r->role == NULL || e->class != ERR_TEMP || role_stopping())
		return false;
	if (r->waiting_ms == 0 || now - r->waiting_ms >= WAIT_TELL_MS) {
		r->waiting_ms = now;
		log_warn("REGISTRY-WAIT", "role=%s why=%s", r->role->name,
			 log_value(text, e->text));
	}
	role_tick(r->role);
	role_wait(*pause_ms);
	*pause_ms = *pause_ms * 2 < WAIT_MAX_MS ? *pause_ms * 2 : WAIT_MAX_MS;
	return !role_stopping();
}

/* ---- asking again ---- */

/* Asks for the next known number. Whatever else goes wrong than another meaning is told once in the
 * log and waits for the next round. */
static int check_next(struct registry *r, bool *answered, struct err *e)
{
	int i = r->next < r->cache.count ? r->next : 0;
	const struct registry_id *known = &r->cache.at[i];
	struct schema_mark means;
	struct err why = {0};
	int found = registry_meaning(r->hurried, known->id, &means, &why);

	*answered = found >= 0;
	if (found < 0) {
		tell_down(r, &why);
		return 0;
	}
	if (r->down)
		log_info("REGISTRY-BACK", "url=%s", r->conf->registry.peer.url);
	r->down = false;
	r->next = i + 1;
	if (r->next == r->cache.count)
		r->stranger_count = 0; /* they may have come to mean something */
	if (found == 1 && !schema_mark_eq(&means, &known->mark))
		return registry_changed(known->id, &known->mark, &means, e);
	if (found == 0 && !r->gone[i])
		log_warn("REGISTRY-ID-GONE",
			 "id=%" PRId32 " record=%s cure=\"restore the registry; others cannot read "
			 "our events\"",
			 known->id, known->mark.name);
	r->gone[i] = found == 0;
	return 0;
}

static void tell_down(struct registry *r, const struct err *why)
{
	char text[LOG_VALUE];

	if (!r->down)
		log_warn("REGISTRY-DOWN", "effect=\"what is known goes on\" why=%s",
			 log_value(text, why->text));
	r->down = true;
}

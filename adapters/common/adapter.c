#include "adapters/common/adapter.h"
#include "base/fs.h"
#include "crypto/ids.h"
#include "http/registry.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A full disk is waited for TRIES * PAUSE_MS at most. */
enum { TRIES = 20, PAUSE_MS = 500, BODY_MAX = 4 << 20, TOPIC_MAX = 40, ANY_PARTITION = -1 };

static int publish(struct adapter *a, enum event_type t, int partition, const void *event,
		   struct str key, const struct id *id, const struct id *trace, struct err *e);

static int topic_of(const struct adapter *a, enum event_type t, char topic[TOPIC_MAX],
		    struct err *e);
static bool try_again(int *tries, const struct err *e, const char *what);
static int publish_reject(struct adapter *a, struct rejected_event *r, struct err *e);

int adapter_open(struct adapter *a, struct role *role, struct err *e)
{
	char dir[CONF_PATH];
	struct bus_options o = {.dir = dir,
				.role = role->name,
				.conf = &role->conf,
				.waiting = role_going,
				.arg = role};

	*a = (struct adapter){.role = role};
	buf_init(&a->body, BODY_MAX);
	if (fs_join(dir, sizeof dir, role->conf.data.dir, "bus") != 0)
		return err_set(e, ERR_CONF, "data dir: path too long");
	if (audit_open(&a->audit, role->conf.data.dir, role->name, &role->clock, e) != 0)
		return -1;
	if (bus_open(&a->bus, &o, e) != 0) {
		adapter_close(a);
		return -1;
	}
	if (registry_codec_open(&a->codec, &a->registry, &role->conf, role, e) != 0) {
		adapter_close(a);
		return -1;
	}
	return 0;
}

void adapter_close(struct adapter *a)
{
	if (a->bus)
		bus_close(a->bus);
	registry_codec_close(a->codec, a->registry);
	audit_close(a->audit);
	a->audit = NULL;
	a->bus = NULL;
	a->codec = NULL;
	a->registry = NULL;
	buf_fini(&a->body);
}

int adapter_publish(struct adapter *a, enum event_type t, const void *event, struct str key,
		    const struct id *id, const struct id *trace, struct err *e)
{
	return publish(a, t, ANY_PARTITION, event, key, id, trace, e);
}

int adapter_publish_to(struct adapter *a, enum event_type t, int partition, const void *event,
		       struct str key, const struct id *id, struct err *e)
{
	return publish(a, t, partition, event, key, id, NULL, e);
}

static int publish(struct adapter *a, enum event_type t, int partition, const void *event,
		   struct str key, const struct id *id, const struct id *trace, struct err *e)
{
	char topic[TOPIC_MAX];
	struct bus_event ev = {.key = key,
			       .id = *id,
			       .type = str_of(event_name(t)),
			       .trace = trace ? *trace : *id};
	int tries = 0;

	if (topic_of(a, t, topic, e) != 0)
		return -1;
	buf_reset(&a->body);
	if (codec_encode(a->codec, t, event, &a->body, e) != 0)
		return -1;
	ev.time_ms = clock_now(&a->role->clock);
	ev.data = (struct str){(const char *)a->body.data, a->body.len};
	if (partition == ANY_PARTITION)
		partition = bus_partition_of(a->bus, topic, key);
	while (bus_publish_to(a->bus, topic, partition, &ev, e) != 0) {
		if (!try_again(&tries, e, "publish"))
			return -1;
	}
	return 0;
}

int adapter_flush(struct adapter *a, struct err *e)
{
	int tries = 0;

	while (bus_flush(a->bus, e) != 0) {
		if (!try_again(&tries, e, "flush"))
			return -1;
	}
	return 0;
}

int adapter_audit(struct adapter *a, const char *purpose, const char *batch, int64_t count, struct err *e)
{
	int tries = 0;

	while (count > 0 && audit_write(a->audit, purpose, batch, count, e) != 0) {
		if (!try_again(&tries, e, "audit"))
			return -1;
	}
	return 0;
}

int adapter_note(struct adapter *a, const char *purpose, const char *batch, int64_t count, struct err *e)
{
	int tries = 0;

	while (count > 0 && audit_note(a->audit, purpose, batch, count, e) != 0) {
		if (!try_again(&tries, e, "audit"))
			return -1;
	}
	return 0;
}

const char *audit_place(char out[AUDIT_PLACE], const char *topic, const struct bus_record *first)
{
	snprintf(out, AUDIT_PLACE, "%s/%d:%" PRId64, topic, (int)first->partition, first->offset);
	return out;
}

int adapter_store_position(struct bus_reader *r, struct err *e)
{
	int tries = 0;

	while (bus_store_position(r, e) != 0) {
		if (!try_again(&tries, e, "position"))
			return -1;
	}
	return 0;
}

int adapter_decode(struct adapter *a, const char *topic, const struct bus_record *r,
		   enum event_type first, enum event_type last, enum event_type *t, void *event,
		   struct err *e)
{
	struct err why = {0};
	char reason[40];

	if (event_type_of(r->event.type, t) != 0 || *t < first || *t > last)
		return adapter_reject(a, topic, r, "unknown_type", "this topic does not carry it",
				      e);
	if (codec_decode(a->codec, *t, r->event.data, event, &why) == 0)
		return 1;
	if (why.class != ERR_PERM) {
		*e = why;
		return -1;
	}
	/* The text begins with the reason: undecodable or unknown_schema. */
	snprintf(reason, sizeof reason, "%.*s",
		 (int)strspn(why.text, "abcdefghijklmnopqrstuvwxyz_"), why.text);
	return adapter_reject(a, topic, r, reason, why.text, e);
}

int adapter_reject(struct adapter *a, const char *topic, const struct bus_record *r,
		   const char *reason, const char *detail, struct err *e)
{
	struct rejected_event ev = {
		.topic = str_of(topic),
		.partition = r->partition,
		.offset = r->offset,
		.event_id = r->event.id,
		.event_type = r->event.type,
		.reason = str_of(reason),
		.detail = str_of(detail),
		.bytes = r->event.data,
	};
	return publish_reject(a, &ev, e);
}

int adapter_reject_entry(struct adapter *a, const char *feed, int64_t sequence, const char *reason,
			 struct str bytes, struct err *e)
{
	struct rejected_event ev = {
		.topic = str_of(feed),
		.offset = sequence,
		.event_type = STR("feed entry"),
		.reason = str_of(reason),
		.detail = STR("an entry of the outside feed could not be read; what may be shown "
			      "of it is in the bytes"),
		.bytes = bytes,
	};
	return publish_reject(a, &ev, e);
}

int feed_position_load(struct adapter *a, const char *feed, char *cursor, size_t cap,
		       int64_t *as_of, struct err *e)
{
	char topic[TOPIC_MAX];
	struct bus_record r;
	struct feed_position at;
	struct err why = {0};
	int found;

	cursor[0] = '\0';
	*as_of = 0;
	if (topic_of(a, EV_FEED_POSITION, topic, e) != 0)
		return -1;
	found = bus_last_of(a->bus, topic, str_of(feed), &r, e);
	if (found <= 0)
		return found;
	if (codec_decode(a->codec, EV_FEED_POSITION, r.event.data, &at, &why) != 0 ||
	    str_copy(cursor, cap, at.cursor) != 0)
		return err_set(e, ERR_SAFE,
			       "%s: the position of feed %s cannot be read (%s); restore the bus "
			       "from a backup",
			       topic, feed, why.class ? why.text : "cursor too long");
	*as_of = at.as_of;
	return 0;
}

int feed_position_save(struct adapter *a, const char *feed, const char *cursor, int64_t as_of,
		       struct err *e)
{
	struct feed_position at = {str_of(feed), str_of(cursor), as_of};
	struct str parts[] = {STR("FeedPosition"),
			      str_of(a->role->name),
			      at.feed,
			      at.cursor,
			      {(char *)&as_of, sizeof as_of}};
	struct id id;

	id_make(&id, parts, 5);
	return adapter_publish(a, EV_FEED_POSITION, &at, at.feed, &id, NULL, e);
}

int adapter_tick(struct adapter *a, struct err *e)
{
	role_tick(a->role);
	return registry_tick(a->registry, clock_monotonic(), e);
}

int adapter_run(struct adapter *a, struct stream *streams, int count, struct err *e)
{
	while (!role_stopping()) {
		int64_t next = INT64_MAX;

		if (adapter_tick(a, e) != 0)
			return -1;
		for (int i = 0; i < count && !role_stopping(); i++) {
			struct stream *s = &streams[i];
			int64_t wait_ms = 0;

			if (s->due_ms <= clock_monotonic()) {
				if (s->turn(s->arg, &wait_ms, e) != 0)
					return err_wrap(e, "%s", s->name);
				s->due_ms = clock_monotonic() + wait_ms;
			}
			if (s->due_ms < next)
				next = s->due_ms;
		}
		role_wait(next - clock_monotonic());
	}
	return 0;
}

void idle_init(struct idle *i, const struct conf *c)
{
	*i = (struct idle){c->bus.poll_min_ms, c->bus.poll_max_ms, c->bus.poll_min_ms};
}

int64_t idle_next(struct idle *i)
{
	int64_t ms = i->ms > 0 ? i->ms : 1;

	i->ms = ms * 2 < i->max_ms ? ms * 2 : i->max_ms;
	return ms;
}

void idle_reset(struct idle *i)
{
	i->ms = i->min_ms;
}

static int topic_of(const struct adapter *a, enum event_type t, char topic[TOPIC_MAX],
		    struct err *e)
{
	bool own = t == EV_FEED_POSITION || t == EV_REJECTED_EVENT || t == EV_BOOK_OPENED ||
		   t == EV_BOOK_ENTRY || t == EV_BOOK_CLOSED;
	int n = own ? snprintf(topic, TOPIC_MAX, "%s.%s", event_topic(t), a->role->name)
		    : snprintf(topic, TOPIC_MAX, "%s", event_topic(t));

	return n > 0 && n < TOPIC_MAX
		       ? 0
		       : err_set(e, ERR_CONF, "topic of %s: name too long", event_name(t));
}

/* Waits a little and says whether it is worth another try. */
static bool try_again(int *tries, const struct err *e, const char *what)
{
	if (e->class != ERR_TEMP || ++*tries >= TRIES)
		return false;
	log_warn("BUS-WAIT", "what=%s tries=%d why=\"%s\"", what, *tries, e->text);
	role_wait(PAUSE_MS);
	return true;
}

static int publish_reject(struct adapter *a, struct rejected_event *r, struct err *e)
{
	char key[120];
	struct id id;

	snprintf(key, sizeof key, "%.*s/%d/%" PRId64, (int)r->topic.n, r->topic.p,
		 (int)r->partition, r->offset);
	struct str parts[] = {STR("RejectedEvent"), str_of(a->role->name), str_of(key), r->bytes};
	id_make(&id, parts, 4);
	if (!r->bytes.p)
		r->bytes = STR("");
	if (r->bytes.n > EVENT_BYTES_MAX)
		r->bytes.n = EVENT_BYTES_MAX;
	r->at = clock_now(&a->role->clock);
	log_warn("REJECT", "place=%s event=%.*s reason=%.*s", key, (int)r->event_type.n,
		 r->event_type.p, (int)r->reason.n, r->reason.p);
	return adapter_publish(a, EV_REJECTED_EVENT, r, str_of(key), &id, NULL, e);
}

/* Events out and events in: encoding into the outbox, decoding with rejects. */
#include "flow/internal.h"
#include "crypto/ids.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str id_str(const struct id *id)
{
	return (struct str){(const char *)id->b, ID_LEN};
}

int flow_emit(struct flow *f, enum event_type t, const void *event, struct str key, const struct id *id, const struct id *trace,
	      struct err *e)
{
	int said = adopted_event_there(f->p.ledger, id, e);
	if (said != 0)
		return said < 0 ? -1 : 0; /* by the life that was lost */
	buf_reset(&f->body);
	if (codec_encode(f->p.codec, t, event, &f->body, e) != 0)
		return err_wrap(e, "%s", event_name(t));
	struct bus_event ev = {.key = key, .id = *id, .type = str_of(event_name(t)), .time_ms = f->now, .trace = *trace,
			       .data = {(const char *)f->body.data, f->body.len}};
	COUNT(C_EVENTS_OUT);
	f->touched = true;
	return outbox_add(f->p.ledger, f->out_topic[t], &ev, e);
}

/* What does not decode may be anything: cut to what an event of ours can carry, and its type replaced where it is no text. */
int flow_reject(struct flow *f, const char *topic, const struct bus_record *r, const char *reason, const char *detail,
		struct err *e)
{
	char key[96];
	struct rejected_event ev = {.topic = str_of(topic), .partition = r->partition, .offset = r->offset,
				    .event_id = r->event.id, .event_type = r->event.type, .reason = str_of(reason),
				    .detail = str_of(detail), .bytes = r->event.data, .at = f->now};
	int n = snprintf(key, sizeof(key), "%s/%d/%" PRId64, topic, r->partition, r->offset);
	char again[300], hex[ID_HEX];
	struct id id;
	decision_id(&id, STR("RejectedEvent"), f->releasing ? f->releasing : &r->event.id, r->offset);
	if (f->releasing) { /* another reject than the one that was released, and it names the release */
		snprintf(again, sizeof(again), "released by operation %s%s%.200s", id_hex(f->releasing, hex), detail ? ": " : "",
			 detail ? detail : "");
		ev.detail = str_of(again);
	}
	f->rejected = true;
	if (ev.bytes.n > REJECT_BYTES_MAX)
		ev.bytes.n = REJECT_BYTES_MAX;
	if (!ev.event_type.p || ev.event_type.n > 100 || !utf8_valid(ev.event_type))
		ev.event_type = STR("?");
	COUNT(C_REJECTS);
	log_warn("EVENT-REJECTED", "topic=%s partition=%d offset=%" PRId64 " reason=%s", topic, (int)r->partition, r->offset, reason);
	return flow_emit(f, EV_REJECTED_EVENT, &ev, (struct str){key, (size_t)n}, &id, &r->event.trace, e);
}

int flow_decode(struct flow *f, const char *topic, const struct bus_record *r, enum event_type t, void *event, struct err *e)
{
	struct err why = {0};
	if (codec_decode(f->p.codec, t, r->event.data, event, &why) == 0)
		return 1;
	if (why.class != ERR_PERM) {
		*e = why;
		return -1;
	}
	bool unknown = strncmp(why.text, "unknown_schema", 14) == 0;
	return flow_reject(f, topic, r, unknown ? "unknown_schema" : "undecodable", why.text, e);
}

int flow_activate(struct flow *f, int64_t sub, struct err *e)
{
	for (int i = 0; i < f->active_count; i++)
		if (f->active[i] == sub || f->active[i] == -sub)
			return 0;
	if (f->active_count == f->active_cap) {
		int cap = f->active_cap ? f->active_cap * 2 : 64;
		int64_t *more = realloc(f->active, sizeof(*more) * (size_t)cap);
		if (!more)
			return err_set(e, ERR_TEMP, "flow: out of memory");
		f->active = more;
		f->active_cap = cap;
	}
	f->active[f->active_count++] = sub;
	return 0;
}

int64_t flow_patience(int64_t first_ms, int32_t attempt)
{
	int steps = attempt > 4 ? attempt - 4 : 0;
	return first_ms << (steps < 6 ? steps : 6);
}

int flow_wait(struct flow *f, int64_t at, enum waiting kind, int64_t ref, struct err *e)
{
	if (at < f->due_at)
		f->due_at = at;
	f->touched = true;
	return waiting_put(f->p.ledger, at, kind, ref, e);
}

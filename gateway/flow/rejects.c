/* Rejects: a person has one taken again, or discards it; and the breaker of an input of which too much is rejected.
 *
 * A reject is known by the id of its RejectedEvent and settled once. Taken again, the kept bytes go to the handler of the topic that they
 * came from, under the event's own id, as if they had just been read: what guards against paying twice guards here too. One that is
 * rejected again becomes a new reject that names the release. The gateway can look only into its own rejects; those of an adapter it
 * cannot have taken again, and for discarding them it asks for two persons, whatever they are. */
#include "flow/internal.h"
#include "ledger/rejects.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char OWN[] = "rejects.gateway";

/* Nothing on them moves money. What is not on the list may. */
static const char *const harmless[] = {"operations", "enquiries", "requests", "statistics", "answers"};

struct reject {
	struct id id;
	bool own;                 /* the gateway's: what follows is known */
	struct rejected_event ev; /* valid until the next one is decoded */
	struct id trace;
	bool needs_two;
};

/* "<role>/<topic>/<partition>/<offset>" -> the key of the reject on its topic */
static bool split(struct str argument, char role[24], struct str *key)
{
	char topic[40];
	const char *slash = argument.p ? memchr(argument.p, '/', argument.n) : NULL;
	size_t n = slash ? (size_t)(slash - argument.p) : argument.n;
	*key = slash ? (struct str){slash + 1, argument.n - n - 1} : (struct str){NULL, 0};
	if (!argument.p || str_copy(role, 24, (struct str){argument.p, n}) != 0)
		return false;
	snprintf(topic, sizeof(topic), "rejects.%s", role);
	return topic_find(str_of(topic)) != NULL;
}

/* The gateway's own reject, as it lies on its topic. */
static int read_own(struct flow *f, struct reject *j, struct str key, const char **refused, struct err *e)
{
	struct bus_record r;
	struct err why = {0};
	*refused = "reject_not_found";
	int got = key.p && key.n ? bus_last_of(f->p.bus, OWN, key, &r, e) : 0;
	if (got <= 0)
		return got;
	if (!id_eq(&r.event.id, &j->id))
		return 0;
	if (codec_decode(f->p.codec, EV_REJECTED_EVENT, r.event.data, &j->ev, &why) != 0) {
		*refused = "reject_unreadable";
		if (why.class == ERR_PERM)
			return 0;
		*e = why;
		return -1;
	}
	*refused = NULL;
	j->trace = r.event.trace;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (str_is(j->ev.topic, harmless[i]))
			j->needs_two = false;
	return 0;
}

static int find(struct flow *f, const struct operation *op, struct reject *j, const char **refused, struct err *e)
{
	enum reject_state state;
	char role[24];
	struct str key;
	*j = (struct reject){.needs_two = true};
	*refused = NULL;
	if (id_parse(&j->id, op->subject) != 0 || !split(op->argument, role, &key)) {
		*refused = "reject_not_found";
		return 0;
	}
	if (reject_get(f->p.ledger, &j->id, &state, e) != 0)
		return -1;
	if (state != REJECT_OPEN) {
		*refused = state == REJECT_RELEASED ? "already_released" : "already_discarded";
		return 0;
	}
	j->own = strcmp(role, "gateway") == 0;
	return j->own ? read_own(f, j, key, refused, e) : 0;
}

static int input_of(struct str topic)
{
	for (int i = 0; i < INPUTS; i++)
		if (str_is(topic, flow_input(i)))
			return i;
	return -1;
}

static const char *cannot_release(const struct reject *j)
{
	if (!j->own)
		return "release_not_here";
	if (input_of(j->ev.topic) < 0)
		return "release_no_input";
	return j->ev.bytes.n >= REJECT_BYTES_MAX ? "release_cut" : NULL;
}

int reject_needs_two(struct flow *f, const struct operation *op, bool *two, const char **refused, struct err *e)
{
	struct reject j;
	bool release = str_is(op->kind, "reject_release");
	if (find(f, op, &j, refused, e) != 0)
		return -1;
	*two = j.needs_two;
	if (!*refused && release)
		*refused = cannot_release(&j);
	return 0;
}

int discard_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct reject j;
	char hex[ID_HEX];
	if (find(f, op, &j, refused, e) != 0)
		return -1;
	if (*refused)
		return 0;
	COUNT(C_REJECTS_DISCARDED);
	log_info("REJECT-DISCARDED", "reject=%s", id_hex(&j.id, hex));
	return reject_put(f->p.ledger, &j.id, REJECT_DISCARDED, cause, e);
}

/* What the handler decodes may be of any type, an operation too: nothing of op is looked at after it. */
static int take_again(struct flow *f, struct reject *j, const struct id *cause, struct err *e)
{
	char type[128] = "";
	struct id operation = *cause;
	int input = input_of(j->ev.topic);
	(void)str_copy(type, sizeof(type), j->ev.event_type);
	buf_reset(&f->released);
	if (buf_put(&f->released, j->ev.bytes.p, j->ev.bytes.n) != 0)
		return err_set(e, ERR_TEMP, "flow: out of memory");
	struct bus_record r = {.partition = j->ev.partition, .offset = j->ev.offset,
			       .event = {.id = j->ev.event_id, .type = str_of(type), .time_ms = j->ev.at, .trace = j->trace,
					 .data = {(const char *)f->released.data, f->released.len}}};
	f->releasing = &operation;
	f->rejected = false;
	int rc = flow_handle(f, input, &r, e);
	f->releasing = NULL;
	return rc;
}

int release_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	struct reject j;
	char hex[ID_HEX];
	if (find(f, op, &j, refused, e) != 0)
		return -1;
	if (!*refused)
		*refused = cannot_release(&j);
	if (*refused)
		return 0;
	if (reject_put(f->p.ledger, &j.id, REJECT_RELEASED, cause, e) != 0 || take_again(f, &j, cause, e) != 0)
		return -1;
	COUNT(C_REJECTS_RELEASED);
	log_info("REJECT-RELEASED", "reject=%s again=%s", id_hex(&j.id, hex), f->rejected ? "rejected" : "taken");
	if (f->rejected)
		*refused = "rejected_again";
	return 0;
}

/* ---- the breaker ---- */

int breakers_load(struct flow *f, struct err *e)
{
	struct flow_stop s;
	for (int i = 0; i < INPUTS; i++) {
		int got = flow_stop_get(f->p.ledger, flow_input(i), &s, e);
		if (got < 0)
			return -1;
		f->in[i].breaker.stopped = got == 1;
		if (got == 1)
			log_warn("FLOW-STOPPED", "topic=%s rejected=%" PRId64 " of=%" PRId64 " since_ms=%" PRId64, s.topic, s.rejected,
				 s.seen, s.at);
	}
	return 0;
}

/* Operations are always read: the word that an input goes on is one of them. */
bool breaker_trips(struct flow *f, int input)
{
	struct breaker *b = &f->in[input].breaker;
	bool *place = &b->was_rejected[b->next];
	b->rejected += f->rejected - (b->seen == BREAKER_WINDOW && *place);
	*place = f->rejected;
	b->next = b->next + 1 == BREAKER_WINDOW ? 0 : b->next + 1;
	b->seen += b->seen < BREAKER_WINDOW;
	return f->rejected && b->rejected >= BREAKER_LEAST && b->rejected * 100 > b->seen * f->p.conf->gateway.reject_share &&
	       input != IN_OPERATIONS && !b->stopped && !adopt_reading(f);
}

int breaker_stop(struct flow *f, int input, struct err *e)
{
	struct breaker *b = &f->in[input].breaker;
	struct flow_stop s = {.at = f->now, .rejected = b->rejected, .seen = b->seen};
	snprintf(s.topic, sizeof(s.topic), "%s", flow_input(input));
	b->stopped = true;
	COUNT(C_FLOWS_STOPPED);
	log_error("FLOW-STOPPED", "topic=%s rejected=%d of=%d", s.topic, b->rejected, b->seen);
	return flow_stop_put(f->p.ledger, &s, e);
}

int resume_operation(struct flow *f, const struct operation *op, const struct id *cause, const char **refused, struct err *e)
{
	int input = input_of(op->subject);
	(void)cause;
	if (input < 0 || !f->in[input].breaker.stopped) {
		*refused = "flow_not_stopped";
		return 0;
	}
	memset(&f->in[input].breaker, 0, sizeof(f->in[input].breaker));
	log_info("FLOW-RESUMED", "topic=%s", flow_input(input));
	return flow_stop_forget(f->p.ledger, flow_input(input), e);
}

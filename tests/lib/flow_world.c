#include "tests/lib/flow_world.h"
#include "base/date.h"
#include "flow/internal.h"
#undef COUNT /* there it counts what happens, here what an array holds */
#include "tests/lib/unit.h"
#include <string.h>
#include <unistd.h>

static int64_t at(const char *text)
{
	int64_t t;
	assert_int_equal(time_parse(str_of(text), &t), 0);
	return t;
}

static struct bus *open_bus(struct flow_world *w, const char *role, const char *vfs)
{
	char dir[340];
	struct bus *b;
	struct err e = {0};
	snprintf(dir, sizeof dir, "%s/bus", w->dir);
	struct bus_options o = {.dir = dir, .role = role, .conf = &w->conf, .vfs = vfs};
	if (bus_open(&b, &o, &e) != 0)
		fail_msg("%s", e.text);
	return b;
}

void fw_time(struct flow_world *w, const char *time)
{
	struct err e = {0};
	assert_int_equal(clock_file_write(w->clock_file, at(time), &e), 0);
	assert_int_equal(clock_init(&w->clock, w->clock_file, &e), 0);
}

/* Two people who may decide: anna and berta. */
static void make_operators(struct flow_world *w)
{
	char path[340], pub[340], folder[340];
	struct err e = {0};
	snprintf(folder, sizeof folder, "%.300s/operators", w->dir);
	assert_int_equal(fs_mkdirs(folder, &e), 0);
	for (int i = 0; i < 2; i++) {
		const char *name = i ? "berta" : "anna";
		snprintf(path, sizeof path, "%.300s/%s.key", w->dir, name);
		snprintf(pub, sizeof pub, "%.300s/%s.pub", folder, name);
		if (operator_keygen(path, pub, &e) != 0)
			fail_msg("%s", e.text);
	}
	if (operators_load(&w->operators, folder, &e) != 0)
		fail_msg("%s", e.text);
}

void fw_open(struct flow_world *w, const char *dir)
{
	static const char ini[] = "[data]\ndir = data\n[reference]\npolicy = config/policy\n"
				  "calendar = config/calendar.csv\nvillages = config/villages.csv\n"
				  "[gateway]\nenquiry_timeout = 10m\ndoubt_enquiry = 1m\n[tax]\nsettlement_delay = 10m\n";
	struct complaints *why = calloc(1, sizeof *why);
	struct err e = {0};
	char path[340], cwd[256];
	memset(w, 0, sizeof *w);
	snprintf(w->dir, sizeof w->dir, "%.250s", dir);
	snprintf(w->clock_file, sizeof w->clock_file, "%s/clock", w->dir);
	snprintf(w->ledger_path, sizeof w->ledger_path, "%s/gateway/ledger.db", w->dir);
	assert_non_null(getcwd(cwd, sizeof cwd));
	snprintf(path, sizeof path, "%s/qiao.ini", cwd);
	if (conf_parse(&w->conf, path, str_of(ini), why) != 0 || reference_load(&w->reference, &w->conf, why) != 0)
		fail_msg("%s", why->at[0].text);
	free(why);
	fw_time(w, FW_NOW);
	snprintf(path, sizeof path, "%s/gateway", w->dir);
	assert_int_equal(fs_mkdirs(path, &e), 0);
	snprintf(path, sizeof path, "%s/bus", w->dir);
	if (bus_init(&(struct bus_options){.dir = path}, &e) != 0 || ledger_init(w->ledger_path, NULL, &e) != 0 || codec_open(&w->codec, NULL, &e) != 0)
		fail_msg("%s", e.text);
	make_operators(w);
	w->village_bus = open_bus(w, "village", NULL);
	w->qiao_bus = open_bus(w, "qiao", NULL);
	w->tax_bus = open_bus(w, "tax", NULL);
	w->ssa_bus = open_bus(w, "ssa", NULL);
	if (fw_start(w, &e) != 0)
		fail_msg("%s", e.text);
}

int fw_start(struct flow_world *w, struct err *e)
{
	w->gateway_bus = open_bus(w, "gateway", w->bus_vfs);
	struct flow_parts parts = {&w->conf, &w->clock, w->reference, w->gateway_bus, NULL, w->codec, w->operators};
	if (ledger_open(&w->ledger, w->ledger_path, 4096, clock_now(&w->clock), w->vfs, e) != 0)
		return -1;
	parts.ledger = w->ledger;
	return flow_open(&w->flow, &parts, e);
}

void fw_stop(struct flow_world *w)
{
	flow_close(w->flow);
	ledger_close(w->ledger);
	bus_close(w->gateway_bus);
	w->flow = NULL;
	w->ledger = NULL;
	w->gateway_bus = NULL;
}

void fw_close(struct flow_world *w)
{
	fw_stop(w);
	bus_close(w->village_bus);
	bus_close(w->qiao_bus);
	operators_free(w->operators);
	bus_close(w->tax_bus);
	bus_close(w->ssa_bus);
	codec_close(w->codec);
	reference_free(w->reference);
}

int fw_try_turns(struct flow_world *w, struct err *e)
{
	bool worked = true;
	for (int i = 0; worked; i++) {
		assert_true(i < 10000);
		if (flow_turn(w->flow, &worked, e) != 0)
			return -1;
	}
	return 0;
}

void fw_turns(struct flow_world *w)
{
	struct err e = {0};
	if (fw_try_turns(w, &e) != 0)
		fail_msg("%s", e.text);
}

void fw_flush(struct flow_world *w)
{
	struct err e = {0};
	if (bus_flush(w->village_bus, &e) != 0 || bus_flush(w->tax_bus, &e) != 0 || bus_flush(w->ssa_bus, &e) != 0 ||
	    bus_flush(w->qiao_bus, &e) != 0)
		fail_msg("%s", e.text);
}

static void publish(struct flow_world *w, struct bus *b, enum event_type t, const void *event, struct id key, struct id *id)
{
	struct buf body;
	struct err e = {0};
	struct id own;
	buf_init(&body, 1 << 20);
	decision_id(&own, str_of(event_name(t)), &key, ++w->events);
	if (codec_encode(w->codec, t, event, &body, &e) != 0)
		fail_msg("%s", e.text);
	struct bus_event ev = {.key = {(char *)key.b, ID_LEN}, .id = id ? *id : own, .type = str_of(event_name(t)),
			       .time_ms = clock_now(&w->clock), .trace = own, .data = {(char *)body.data, body.len}};
	const char *topic = event_topic(t);
	if (strcmp(topic, "books") == 0)
		topic = b == w->ssa_bus ? "books.ssa" : "books.tax";
	if (bus_publish(b, topic, &ev, &e) != 0 || (!w->lazy && bus_flush(b, &e) != 0))
		fail_msg("%s", e.text);
	buf_fini(&body);
}

struct id fw_token(int person)
{
	struct id token;
	char n[4] = {(char)person, (char)(person >> 8), (char)(person >> 16), 0};
	struct str part[] = {STR("test token"), {n, 4}};
	id_make(&token, part, 2);
	return token;
}

struct id fw_operation(struct flow_world *w, const char *kind, const char *subject, const char *argument, const char *operator)
{
	uint8_t signature[SIGNATURE_LEN];
	struct buf text;
	struct err e = {0};
	char path[340];
	struct operation op = {.kind = str_of(kind), .subject = str_of(subject), .operator = str_of(operator),
			       .reason = STR("a test"), .argument = str_of(argument), .decided_at = clock_now(&w->clock)};
	struct str part[] = {STR("test operation"), {(char *)&w->events, sizeof w->events}};
	id_make(&op.operation_id, part, 2);
	snprintf(path, sizeof path, "%.300s/%s.key", w->dir, operator);
	buf_init(&text, 1 << 16);
	if (operation_text(&text, &op, &e) != 0 ||
	    operator_sign(path, (struct str){(char *)text.data, text.len}, signature, &e) != 0)
		fail_msg("%s", e.text);
	op.signature = (struct str){(char *)signature, SIGNATURE_LEN};
	publish(w, w->qiao_bus, EV_OPERATION, &op, op.operation_id, &op.operation_id);
	buf_fini(&text);
	return op.operation_id;
}

static int keep_operation(void *arg, const struct op_record *o)
{
	*(struct op_record *)arg = *o;
	return 1;
}

const char *fw_outcome(struct flow_world *w, struct id operation, char code[40])
{
	struct op_record o = {0};
	struct ledger_view *v;
	struct err e = {0};
	char hex[ID_HEX];
	if (view_open(&v, w->ledger_path, &e) != 0 || view_operations(v, str_of(id_hex(&operation, hex)), keep_operation, &o, &e) != 0)
		fail_msg("%s", e.text);
	view_close(v);
	snprintf(code, 40, "%s", o.code);
	return o.kind[0] ? op_state_code(o.state) : "";
}

void fw_publish(struct flow_world *w, enum event_type t, const void *event, struct id key)
{
	const struct topic *topic = topic_find(str_of(event_topic(t)));
	assert_non_null(topic);
	bool tax = strcmp(topic->producer, "tax") == 0, ssa = strcmp(topic->producer, "ssa") == 0;
	publish(w, tax ? w->tax_bus : ssa ? w->ssa_bus : w->village_bus, t, event, key, NULL);
}

void fw_publish_as(struct flow_world *w, struct bus *b, enum event_type t, const void *event, struct id key)
{
	publish(w, b, t, event, key, NULL);
}

struct fw_draft fw_draft_open(struct flow_world *w, const char *sender, const char *name, const char *village)
{
	struct fw_draft d = {0};
	char receipt[11], sha[65];
	uint8_t content[SHA256_LEN];
	submission_id(&d.sub, str_of(sender), str_of(name));
	sha256(name, strlen(name), content);
	hex_put(sha, content, sizeof content);
	attempt_id(&d.attempt, content, STR("test"));
	receipt_number(receipt, &d.sub);
	struct submission_opened o = {d.sub, d.attempt, str_of(sender), str_of(receipt), str_of(sha), 2026, str_of(village),
				      clock_now(&w->clock), STR("test")};
	publish(w, w->village_bus, EV_SUBMISSION_OPENED, &o, d.sub, NULL);
	return d;
}

void fw_draft_rows(struct flow_world *w, struct fw_draft *d, const struct fw_row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		struct ev_defect defect = {str_of(rows[i].defect), STR("id_number")};
		struct subsidy_declared row = {.submission_id = d->sub, .attempt_id = d->attempt, .row_no = d->rows++ + 5,
					       .member = {true, 1}};
		if (rows[i].person) {
			row.token = (struct opt_id){true, fw_token(rows[i].person)};
			row.identity = STR("sealed");
		}
		if (rows[i].amount_fen >= 0)
			row.amount_fen = (struct opt_long){true, rows[i].amount_fen};
		if (rows[i].defect) {
			row.defects = &defect;
			row.defect_count = 1;
		}
		d->amount_fen += rows[i].amount_fen >= 0 ? rows[i].amount_fen : 0;
		row_digest(&d->digest, &row);
		publish(w, w->village_bus, EV_SUBSIDY_DECLARED, &row, d->sub, NULL);
	}
}

void fw_draft_close(struct flow_world *w, const struct fw_draft *d)
{
	struct submission_closed c = {d->sub, d->attempt, d->rows, d->amount_fen, d->digest, {0}};
	publish(w, w->village_bus, EV_SUBMISSION_CLOSED, &c, d->sub, NULL);
}

struct id fw_roster(struct flow_world *w, const char *sender, const char *name, const char *village, const struct fw_row *rows,
		    int count, bool close)
{
	struct fw_draft d = fw_draft_open(w, sender, name, village);
	fw_draft_rows(w, &d, rows, count);
	if (close)
		fw_draft_close(w, &d);
	return d.sub;
}

static const struct {
	const char *gate, *date, *until;
} all_gates[] = {{"plan_agreed", "2026-11-02", NULL}, {"plan_posted", "2026-11-03", NULL},
		 {"plan_filed_town", "2026-11-10", NULL}, {"plan_filed_ssa", "2026-11-11", NULL},
		 {"agreement", "2026-11-12", NULL}, {"ssa_check", "2026-12-01", NULL}, {"vote", "2026-12-05", NULL},
		 {"posting", "2026-12-07", "2026-12-15"}, {"town_approval", "2026-12-17", NULL},
		 {"filed", "2026-12-20", NULL}};
#define PLAN_GATES 4
static const char paper[] = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

static void fill_gates(struct ev_gate *gates, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int day, until = 0;
		date_parse(str_of(all_gates[i].date), &day);
		if (all_gates[i].until)
			date_parse(str_of(all_gates[i].until), &until);
		gates[i] = (struct ev_gate){.gate = str_of(all_gates[i].gate), .date = day,
					    .until = {all_gates[i].until != NULL, until}, .document = str_of(paper),
					    .cites_roster = true};
	}
}

struct fw_plan fw_plan_of(const char *village, enum sponsor_type t, const char *sponsor)
{
	static int64_t standards[] = {20000, 50000, 60000, 300000};
	static struct ev_source source = {.kind = STR("collective_income")};
	struct fw_plan p = {.event = {.village = str_of(village), .sponsor_type = str_of(sponsor_type_code(t)),
				      .first_year = 2026, .last_year = 2026, .sources = &source, .source_count = 1,
				      .persons = STR("members"), .timing = STR("December"), .standards_fen = standards,
				      .standard_count = 4, .received_at = at("2026-11-12T09:00:00+08:00"),
				      .gate_count = PLAN_GATES}};
	fill_gates(p.gates, PLAN_GATES);
	sponsor_id(&p.event.sponsor_id, p.event.sponsor_type, str_of(sponsor));
	return p;
}

void fw_plan_put(struct flow_world *w, struct fw_plan *p)
{
	struct subsidy_plan *ev = &p->event;
	char year[4] = {(char)ev->first_year, (char)(ev->first_year >> 8), 0, 0};
	struct str part[] = {STR("plan"), ev->village, {(char *)ev->sponsor_id.b, ID_LEN}, {year, 4}};
	id_make(&ev->plan_id, part, 4);
	decision_id(&ev->document_id, STR("version"), &ev->plan_id, ev->received_at);
	ev->gates = p->gates;
	publish(w, w->village_bus, EV_SUBSIDY_PLAN, ev, ev->plan_id, NULL);
}

void fw_cover(struct flow_world *w, struct id submission, const char *village, enum sponsor_type t, const char *sponsor,
	      const char *received_at)
{
	struct fw_plan plan = fw_plan_of(village, t, sponsor);
	if (t == SPONSOR_COLLECTIVE && !w->no_plans)
		fw_plan_put(w, &plan);
	fw_cover_put(w, submission, village, t, sponsor, received_at);
}

void fw_cover_put(struct flow_world *w, struct id submission, const char *village, enum sponsor_type t, const char *sponsor,
		  const char *received_at)
{
	struct ev_gate gates[COUNT(all_gates)];
	struct gate_documents g = {.submission_id = submission, .received_at = at(received_at), .year = 2026,
				   .village = str_of(village), .sponsor_type = str_of(sponsor_type_code(t)),
				   .acceptance_no = STR("33060300000001"), .gates = gates + PLAN_GATES,
				   .gate_count = COUNT(all_gates) - PLAN_GATES};
	fill_gates(gates, COUNT(all_gates));
	sponsor_id(&g.sponsor_id, g.sponsor_type, str_of(sponsor));
	decision_id(&g.cover_id, STR("cover"), &submission, g.received_at);
	publish(w, w->village_bus, EV_GATE_DOCUMENTS, &g, submission, NULL);
}

struct id fw_payment(enum sponsor_type t, const char *sponsor, int person, int n)
{
	struct id s, token = fw_token(person), out;
	sponsor_id(&s, str_of(sponsor_type_code(t)), str_of(sponsor));
	payment_id(&out, 2026, &s, &token, n);
	return out;
}

static void status(struct flow_world *w, int person, bool arrived, const char *as_of, struct ev_outside *outside)
{
	struct ev_contribution entry = {2026, STR("10"), STR("1"), 100000, 20700, {arrived, 20701}, {0}};
	struct contribution_status s = {.token = fw_token(person), .as_of = at(as_of), .sequence = ++w->sequence, .insured = true,
					.insured_state = STR("1"), .entries = &entry, .entry_count = 1,
					.outside = outside, .outside_count = outside != NULL};
	publish(w, w->ssa_bus, EV_CONTRIBUTION_STATUS, &s, s.token, NULL);
}

void fw_status(struct flow_world *w, int person, bool arrived, const char *as_of)
{
	status(w, person, arrived, as_of, NULL);
}

void fw_outside(struct flow_world *w, int person, bool arrived, int year, int64_t outside_fen)
{
	struct ev_outside outside = {year, outside_fen};
	status(w, person, arrived, FW_NOW, &outside);
}

void fw_feed_reached(struct flow_world *w, const char *as_of)
{
	struct contribution_feed_reached r = {at(as_of), STR("1")};
	publish(w, w->ssa_bus, EV_CONTRIBUTION_FEED_REACHED, &r, fw_token(1), NULL);
}

static void result(struct flow_world *w, struct id payment, const char *state, int attempt, int64_t sequence, int64_t time,
		   int64_t amount_fen)
{
	bool told = strcmp(state, "paid") == 0 || strcmp(state, "in_treasury") == 0;
	struct collection_result r = {.payment_id = payment, .state = str_of(state), .at = time, .sequence = sequence,
				      .attempt = attempt, .amount_fen = {amount_fen >= 0, amount_fen}};
	if (told)
		r.receipt = STR("333000000000000001");
	publish(w, w->tax_bus, EV_COLLECTION_RESULT, &r, payment, NULL);
}

void fw_result(struct flow_world *w, struct id payment, const char *state, int attempt, const char *time)
{
	bool own = strcmp(state, "in_doubt") == 0 || strcmp(state, "unknown") == 0 || strcmp(state, "too_late") == 0;
	result(w, payment, state, attempt, own ? 0 : ++w->sequence, at(time), -1);
}

void fw_result_seq(struct flow_world *w, struct id payment, const char *state, int64_t sequence, int64_t amount_fen)
{
	result(w, payment, state, 0, sequence, clock_now(&w->clock), amount_fen);
}

void fw_credit(struct flow_world *w, enum event_type t, struct id payment, int64_t amount_fen)
{
	struct credit_result c = {payment, amount_fen, clock_now(&w->clock), ++w->sequence, {0}};
	publish(w, w->ssa_bus, t, &c, payment, NULL);
}

const char *fw_reverse(struct flow_world *w, struct id payment, const char *reason)
{
	const char *refused = NULL;
	char hex[ID_HEX];
	struct operation op = {.kind = STR("reverse"), .subject = str_of(id_hex(&payment, hex)), .argument = str_of(reason),
			       .operator= STR("li"), .reason = STR("twice")};
	struct err e = {0};
	w->flow->now = clock_now(&w->clock);
	ledger_set_now(w->ledger, w->flow->now);
	decision_id(&op.operation_id, op.kind, &payment, ++w->events);
	if (ledger_begin(w->ledger, &e) != 0 || reversal_start(w->flow, &op, &op.operation_id, &refused, &e) != 0 ||
	    flow_answer_submissions(w->flow, &e) != 0 || flow_publish_statistics(w->flow, &e) != 0 || ledger_commit(w->ledger, &e) != 0 ||
	    outbox_publish(w->ledger, w->gateway_bus, NULL, &e) != 0)
		fail_msg("%s", e.text);
	return refused;
}

/* ---- reading ---- */

typedef void each_fn(void *arg, const struct bus_record *r);
static void each(struct flow_world *w, const char *topic, each_fn *fn, void *arg)
{
	struct bus_reader *r;
	const struct bus_record *records;
	struct bus_position start = {0};
	struct err e = {0};
	int n;
	if (bus_reader_open(w->tax_bus, &r, topic, NULL, &e) != 0 || bus_seek(r, &start, 1, &e) != 0)
		fail_msg("%s", e.text);
	while ((n = bus_read(r, 1000, &records, &e)) > 0)
		for (int i = 0; i < n; i++)
			fn(arg, &records[i]);
	assert_int_equal(n, 0);
	bus_reader_close(r);
}

struct counting {
	struct flow_world *w;
	enum event_type t;
	void *out;
	int count;
};

static void count_one(void *arg, const struct bus_record *r)
{
	struct counting *c = arg;
	struct err e = {0};
	if (!str_is(r->event.type, event_name(c->t)))
		return;
	c->count++;
	if (c->out && codec_decode(c->w->codec, c->t, r->event.data, c->out, &e) != 0)
		fail_msg("%s", e.text);
}

int fw_count(struct flow_world *w, enum event_type t, void *out)
{
	struct counting c = {w, t, out, 0};
	char topic[60];
	bool own = strcmp(event_topic(t), "rejects") == 0;
	snprintf(topic, sizeof topic, "%s%s", event_topic(t), own ? ".gateway" : "");
	each(w, topic, count_one, &c);
	return c.count;
}

struct asking {
	struct flow_world *w;
	struct id submission;
	int row_no;
	struct fw_answer a;
};

static void see_answer(void *arg, const struct bus_record *r)
{
	struct asking *q = arg;
	struct row_answer a;
	struct err e = {0};
	if (!str_is(r->event.type, "RowAnswer"))
		return;
	if (codec_decode(q->w->codec, EV_ROW_ANSWER, r->event.data, &a, &e) != 0)
		fail_msg("%s", e.text);
	if (!id_eq(&a.submission_id, &q->submission) || a.row_no != q->row_no || a.version <= q->a.version)
		return;
	assert_int_equal(a.version, q->a.version + 1);
	q->a.version = a.version;
	q->a.final = a.final;
	str_copy(q->a.result, sizeof q->a.result, a.result);
	str_copy(q->a.code, sizeof q->a.code, a.code);
	q->a.detail[0] = q->a.warning[0] = '\0';
	if (a.detail.p)
		str_copy(q->a.detail, sizeof q->a.detail, a.detail);
	if (a.warning.p)
		str_copy(q->a.warning, sizeof q->a.warning, a.warning);
}

struct fw_answer fw_answer_of(struct flow_world *w, struct id submission, int row_no)
{
	struct asking q = {.w = w, .submission = submission, .row_no = row_no};
	each(w, "answers", see_answer, &q);
	return q.a;
}

struct sheet {
	struct stat keys[512]; /* by year, village and sponsor type, as kept */
	int count;
	struct stat total;
};

static void add_up(struct stat *to, const struct stat *s, int sign)
{
	for (int c = 0; c < STAT_CELLS; c++) {
		to->count[c] += sign * s->count[c];
		to->fen[c] += sign * s->fen[c];
	}
}

static int keep(void *arg, const struct stat *s)
{
	struct sheet *t = arg;
	assert_true(t->count < 512);
	t->keys[t->count++] = *s;
	add_up(&t->total, s, 1);
	return 0;
}

static int take_away(void *arg, const struct stat *s)
{
	struct sheet *t = arg;
	for (int i = 0; i < t->count; i++) {
		const struct stat_key *k = &t->keys[i].key;
		if (k->year != s->key.year || k->sponsor_type != s->key.sponsor_type || strcmp(k->village, s->key.village) != 0)
			continue;
		add_up(&t->keys[i], s, -1);
		return 0;
	}
	fail_msg("the recount has %d/%s/%d, the statistics do not", s->key.year, s->key.village, s->key.sponsor_type);
	return 0;
}

/* The cells from first to last are what the total says. */
static void sums(const struct stat *s, int first, int last, int total)
{
	int64_t count = 0, fen = 0;
	for (int c = first; c <= last; c++) {
		count += s->count[c];
		fen += s->fen[c];
	}
	assert_int_equal(count, s->count[total]);
	assert_int_equal(fen, s->fen[total]);
}

struct stat fw_statement(struct flow_world *w)
{
	struct sheet *t = calloc(1, sizeof *t);
	struct ledger_view *v;
	struct err e = {0};
	static const struct stat none;
	if (view_open(&v, w->ledger_path, &e) != 0 || view_stats(v, 0, (struct str){0}, keep, t, &e) != 0)
		fail_msg("%s", e.text);
	for (int i = 0; i < t->count; i++) {
		sums(&t->keys[i], 0, STAT_COLUMNS - 1, ST_DECLARED_TOTAL);
		sums(&t->keys[i], SC_REFUND_REQUESTED, SC_AWAITING_CREDIT, ST_COLLECTED_TOTAL);
		sums(&t->keys[i], SC_CREDITED, SC_AWAITING_CREDIT, ST_KEPT_TOTAL);
	}
	if (view_recount(v, 0, (struct str){0}, take_away, t, &e) != 0)
		fail_msg("%s", e.text);
	view_close(v);
	for (int i = 0; i < t->count; i++) {
		assert_memory_equal(t->keys[i].count, none.count, sizeof none.count);
		assert_memory_equal(t->keys[i].fen, none.fen, sizeof none.fen);
	}
	struct stat total = t->total;
	free(t);
	return total;
}

struct rebuilding {
	struct ledger_view *v;
	int count;
};

static int rebuild(void *arg, const struct view_decl *r)
{
	struct rebuilding *b = arg;
	struct view_history h[100];
	struct err e = {0};
	uint32_t facts = 0, implied;
	int n;
	assert_int_equal(view_history(b->v, &r->d, h, 100, &n, &e), 0);
	for (int i = 0; i < n; i++) {
		if (h[i].implied)
			continue; /* follows from the fact after it */
		if (strncmp(h[i].note, "cleared", 7) == 0)
			facts &= ~(uint32_t)h[i].fact;
		else
			assert_int_equal(fact_absorb(&facts, h[i].fact, &implied), ABSORB_NEW);
	}
	assert_int_equal(facts, r->d.facts);
	b->count++;
	return 0;
}

int fw_rebuild(struct flow_world *w, struct id submission)
{
	struct rebuilding b = {0};
	struct err e = {0};
	char hex[ID_HEX];
	if (view_open(&b.v, w->ledger_path, &e) != 0 ||
	    view_by_prefix(b.v, str_of(id_hex(&submission, hex)), rebuild, &b, &e) != 0)
		fail_msg("%s", e.text);
	view_close(b.v);
	return b.count;
}

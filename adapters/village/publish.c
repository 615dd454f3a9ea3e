/* The second half of an acceptance, and repeatable: a row's event id is made of submission,
 * attempt and row number, the attempt of content and reader version. So a process that dies
 * anywhere in here says the same again, and the gateway knows it for the same. Nothing of a row
 * stays in memory when the next one is read. */
#include "adapters/village/publish.h"
#include "adapters/village/cover.h"
#include "adapters/village/roster.h"
#include "base/date.h"
#include "crypto/ids.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TICK_ROWS = 4096,
	SEALED_MAX = CSV_RECORD_MAX + 1024,
	NAME_MAX_BYTES = 3 * CSV_RECORD_MAX + 16,
};

/* A roster on its way out. */
struct outgoing {
	struct village_role *v;
	struct submission *s;
	struct str key;
	struct id attempt;
	struct spool_reader *spool;
	struct decoder *decoder;
	struct roster roster;
	int today; /* the day of receipt: judgements do not depend on when the row is published */
	struct submission_closed closed;
	struct buf identity, cells, raw;
	int64_t with_defects;
	char name[NAME_MAX_BYTES];
};

static int open_outgoing(struct outgoing *o, struct err *e);
static int publish_all(struct outgoing *o, struct err *e);
static int publish_opened(struct outgoing *o, struct err *e);
static int publish_row(struct outgoing *o, struct err *e);
static int seal_row(struct outgoing *o, struct subsidy_declared *row, const struct row_form *form,
		    struct err *e);
static int seal_cells(struct outgoing *o, struct subsidy_declared *row, struct err *e);
static int publish_closed(struct outgoing *o, struct err *e);
static void event_id(struct id *id, const struct outgoing *o, enum event_type t, int32_t row);
static struct str of_id(const struct id *id);

int publish_roster(struct village_role *v, struct submission *s, struct err *e)
{
	struct outgoing *o = calloc(1, sizeof *o);
	struct spool_meta done = s->meta;
	char hex[ID_HEX], attempt[ID_HEX];
	int rc = -1;

	if (o == NULL)
		return err_sys(e, ERR_TEMP, ENOMEM, "publish");
	o->v = v;
	o->s = s;
	o->key = of_id(&s->meta.submission);
	o->today = date_of_time(s->meta.received_at);
	buf_init(&o->identity, SEALED_MAX);
	buf_init(&o->cells, SEALED_MAX);
	buf_init(&o->raw, SEALED_MAX);
	if (adapter_audit(&v->adapter, "roster_opened", id_hex(&s->meta.submission, hex), s->meta.rows, e) < 0)
		goto out;
	if (open_outgoing(o, e) < 0 || publish_all(o, e) < 0)
		goto out;
	if (adapter_flush(&v->adapter, e) < 0)
		goto out;
	done.state = SPOOL_PUBLISHED;
	if (spool_put_meta(&v->spool, &done, e) < 0)
		goto out;
	s->meta.state = SPOOL_PUBLISHED;
	village_count(v, C_ROSTERS_PUBLISHED, 1);
	log_info("ROSTER-PUBLISHED",
		 "submission=%s attempt=%s rows=%d amount_fen=%" PRId64 " with_defects=%" PRId64,
		 id_hex(&s->meta.submission, hex), id_hex(&o->attempt, attempt),
		 (int)o->closed.count, o->closed.amount_fen, o->with_defects);
	rc = 0;
out:
	roster_close(&o->roster);
	decoder_close(o->decoder);
	spool_read_close(o->spool);
	buf_fini(&o->identity);
	buf_fini(&o->cells);
	buf_fini(&o->raw);
	explicit_bzero(o, sizeof *o);
	free(o);
	return rc;
}

/* Bytes that were a roster at acceptance and are none now: the spool was changed from outside,
 * or the reader was. */
static int not_as_accepted(struct outgoing *o, struct err *e)
{
	char hex[ID_HEX];

	return err_set(e, ERR_SAFE,
		       "spool %s: cannot be read as it was accepted (%s): restore it from a "
		       "backup, or run the program version "
		       "that accepted it",
		       id_hex(&o->s->meta.submission, hex),
		       o->roster.refused ? o->roster.refused : "seal");
}

static int open_outgoing(struct outgoing *o, struct err *e)
{
	struct source src = {spool_read, NULL};
	uint8_t content[SHA256_LEN];

	if (hex_get(content, sizeof content, str_of(o->s->meta.sha256)) < 0)
		return not_as_accepted(o, e);
	attempt_id(&o->attempt, content, STR(ROSTER_READER));
	if (spool_read_open(&o->v->spool, &o->s->meta.submission, &o->spool, e) < 0)
		return -1;
	src.arg = o->spool;
	if (decoder_open(&o->decoder, o->s->meta.encoding, src, e) < 0)
		return -1;
	if (roster_open(&o->roster, o->decoder, e) < 0)
		return e->class == ERR_PERM ? not_as_accepted(o, e) : -1;
	return 0;
}

/* Long rosters keep the status file alive and let a stop through; the attempt is then voided by the
 * next start's SubmissionOpened. */
static int publish_all(struct outgoing *o, struct err *e)
{
	enum roster_line line;
	int64_t turns = 0;

	if (publish_opened(o, e) < 0)
		return -1;
	for (;;) {
		if (roster_next(&o->roster, &line, e) < 0)
			return e->class == ERR_PERM ? not_as_accepted(o, e) : -1;
		if (line == ROSTER_END)
			break;
		if (line == ROSTER_ROW && publish_row(o, e) < 0)
			return -1;
		if (++turns % TICK_ROWS != 0)
			continue;
		role_tick(o->v->role);
		if (role_stopping())
			return err_set(e, ERR_TEMP, "publish: stopping");
	}
	return publish_closed(o, e);
}

static int publish_opened(struct outgoing *o, struct err *e)
{
	const struct spool_meta *m = &o->s->meta;
	char receipt[11];
	struct id id;
	struct submission_opened ev = {
		.submission_id = m->submission,
		.attempt_id = o->attempt,
		.sender = str_of(m->sender),
		.roster_sha256 = str_of(m->sha256),
		.year = m->year,
		.village = str_of(m->village),
		.received_at = m->received_at,
		.reader = STR(ROSTER_READER),
	};

	receipt_number(receipt, &m->submission);
	ev.receipt = str_of(receipt);
	event_id(&id, o, EV_SUBMISSION_OPENED, 0);
	return adapter_publish(&o->v->adapter, EV_SUBMISSION_OPENED, &ev, o->key, &id,
			       &m->submission, e);
}

/* Every data row, good or bad: the gateway decides. */
static int publish_row(struct outgoing *o, struct err *e)
{
	struct ev_defect defects[DEFECTS_MAX];
	struct row_form form;
	struct subsidy_declared row = {
		.submission_id = o->s->meta.submission,
		.attempt_id = o->attempt,
		.row_no = (int32_t)o->roster.csv.record,
		.defects = defects,
	};
	struct id id;

	row_read(&form, o->roster.cells, o->today, o->name, sizeof o->name);
	for (int i = 0; i < form.defect_count; i++)
		defects[i] = (struct ev_defect){str_of(form.defects[i].code),
						str_of(form.defects[i].column)};
	row.defect_count = form.defect_count;
	row.amount_fen = (struct opt_long){form.amount_known, form.amount_fen};
	row.cert_kind = str_of(form.cert_kind);
	row.tier_fen = (struct opt_long){form.tier_known, form.tier_fen};
	row.other_amount_fen = (struct opt_long){form.other_known, form.other_fen};
	row.member = (struct opt_long){form.member_known, form.member};
	if (seal_row(o, &row, &form, e) < 0)
		return -1;
	row_digest(&o->closed.digest, &row);
	o->closed.count++;
	/* A sum past all money there is cannot come from a roster; it stays at the end of the
	 * range. */
	if (form.amount_known &&
	    __builtin_add_overflow(o->closed.amount_fen, form.amount_fen, &o->closed.amount_fen))
		o->closed.amount_fen = INT64_MAX;
	o->with_defects += form.defect_count > 0;
	village_count(o->v, C_ROWS_PUBLISHED, 1);
	village_count(o->v, C_ROWS_WITH_DEFECTS, form.defect_count > 0);
	event_id(&id, o, EV_SUBSIDY_DECLARED, row.row_no);
	return adapter_publish(&o->v->adapter, EV_SUBSIDY_DECLARED, &row, o->key, &id,
			       &o->s->meta.submission, e);
}

/* row_read gives a number only when it passed all checks. */
static int seal_row(struct outgoing *o, struct subsidy_declared *row, const struct row_form *form,
		    struct err *e)
{
	struct keyring *keys = o->v->keys;
	bool destroyed = seal_year_destroyed(keys, o->s->meta.year); /* after the file was taken: nothing to seal it with */

	if (form->number[0]) {
		struct str number = str_of(form->number);

		row->token.set = true;
		token_of(keys, number, &row->token.v);
		buf_reset(&o->identity);
		if ((destroyed ? identity_gone(o->s->meta.year, &o->identity, e)
			       : identity_seal(keys, o->s->meta.year, &row->token.v, number, form->name, &o->identity, e)) < 0)
			return -1;
		row->identity = (struct str){(char *)o->identity.data, o->identity.len};
	}
	return form->defect_count > 0 ? seal_cells(o, row, e) : 0;
}

/* The raw cells, 0x1F between, bound to submission and row. */
static int seal_cells(struct outgoing *o, struct subsidy_declared *row, struct err *e)
{
	char aad[ID_LEN + 4];

	buf_reset(&o->raw);
	for (int i = 0; i < o->roster.csv.count; i++) {
		struct str cell = o->roster.csv.cells[i];

		if (roster_hidden(&o->roster, i))
			continue;
		if ((o->raw.len > 0 && buf_put_u8(&o->raw, 0x1f) < 0) ||
		    buf_put(&o->raw, cell.p, cell.n) < 0)
			return err_sys(e, ERR_TEMP, ENOMEM, "publish");
	}
	memcpy(aad, row->submission_id.b, ID_LEN);
	for (int i = 0; i < 4; i++)
		aad[ID_LEN + i] = (char)((uint32_t)row->row_no >> 8 * i);
	buf_reset(&o->cells);
	if ((seal_year_destroyed(o->v->keys, o->s->meta.year)
		     ? identity_gone(o->s->meta.year, &o->cells, e)
		     : bytes_seal(o->v->keys, o->s->meta.year, (struct str){aad, sizeof aad},
				  (struct str){(char *)o->raw.data, o->raw.len}, &o->cells, e)) < 0)
		return -1;
	row->cells = (struct str){(char *)o->cells.data, o->cells.len};
	return 0;
}

static int publish_closed(struct outgoing *o, struct err *e)
{
	struct id id;

	o->closed.submission_id = o->s->meta.submission;
	o->closed.attempt_id = o->attempt;
	o->closed.stated_total_fen = (struct opt_long){o->roster.total_known, o->roster.total_fen};
	event_id(&id, o, EV_SUBMISSION_CLOSED, 0);
	return adapter_publish(&o->v->adapter, EV_SUBMISSION_CLOSED, &o->closed, o->key, &id,
			       &o->s->meta.submission, e);
}

/* Parsed anew, so that the spool holds what was sent and not what an older program made of it. */
int publish_cover(struct village_role *v, const struct id *cover, struct err *e)
{
	struct spool_cover meta;
	struct buf json, wrong;
	struct cover c;
	const char *code;
	char hex[ID_HEX];
	struct id id;
	int rc = -1;

	buf_init(&json, COVER_BYTES_MAX);
	buf_init(&wrong, 1 << 14);
	if (spool_get_cover(&v->spool, cover, &meta, e) < 0 ||
	    spool_get_cover_json(&v->spool, cover, &json, e) < 0)
		goto out;
	if (cover_parse(&c, (struct str){(char *)json.data, json.len}, v->reference,
			date_of_time(meta.received_at), &wrong, &code) < 0) {
		err_set(e, ERR_SAFE,
			"cover %s: accepted with other reference data (%s): put back the policy or "
			"village list",
			id_hex(cover, hex), code);
		goto out;
	}
	/* Of a cover only an individual sponsor is an identity; that is known once it is open. */
	if (adapter_audit(&v->adapter, "cover_opened", id_hex(cover, hex), c.individual, e) < 0) {
		cover_close(&c);
		goto out;
	}
	if (c.is_plan) {
		c.plan.document_id = *cover;
		c.plan.received_at = meta.received_at;
		decision_id(&id, STR("SubsidyPlan"), cover, 1);
		rc = adapter_publish(&v->adapter, EV_SUBSIDY_PLAN, &c.plan, of_id(&c.plan.plan_id),
				     &id, &meta.submission, e);
		cover_close(&c);
		goto published;
	}
	cover_sponsor(&c, v->keys);
	c.event.submission_id = meta.submission;
	c.event.cover_id = *cover;
	c.event.received_at = meta.received_at;
	decision_id(&id, STR("GateDocuments"), cover, 1);
	rc = adapter_publish(&v->adapter, EV_GATE_DOCUMENTS, &c.event, of_id(&meta.submission), &id,
			     &meta.submission, e);
	cover_close(&c);
published:
	if (rc < 0)
		goto out;
	rc = -1;
	meta.state = SPOOL_PUBLISHED;
	if (adapter_flush(&v->adapter, e) < 0 || spool_put_cover_meta(&v->spool, &meta, e) < 0)
		goto out;
	village_count(v, C_COVERS_PUBLISHED, 1);
	log_info("COVER-PUBLISHED", "cover=%s", id_hex(cover, hex));
	rc = 0;
out:
	if (json.data)
		explicit_bzero(json.data, json.cap);
	buf_fini(&json);
	buf_fini(&wrong);
	return rc;
}

/* Row 0 stands for Opened and Closed: rows of a file are numbered from 1. */
static void event_id(struct id *id, const struct outgoing *o, enum event_type t, int32_t row)
{
	char number[4];
	struct str parts[] = {str_of(event_name(t)),
			      of_id(&o->s->meta.submission),
			      of_id(&o->attempt),
			      {number, sizeof number}};

	for (int i = 0; i < 4; i++)
		number[i] = (char)((uint32_t)row >> 8 * i);
	id_make(id, parts, 4);
}

static struct str of_id(const struct id *id)
{
	return (struct str){(const char *)id->b, ID_LEN};
}

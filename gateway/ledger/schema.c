/* The ledger's tables and every statement on them: the on-disk format in one place.
 *
 * decl       one row of one roster, and once it has a pid, its payment: the projection of its history
 * history    every fact, appended; `prev` chains the facts of one declaration from decl.last_history back
 * person     a token and year: cap B's running sum, head of the chain of payments, state of the enquiry
 * waiting    what comes due: the subjects of one kind that wait for one moment, as varints; stale entries are passed over
 * outbox     events decided and not yet known as delivered: blobs of consecutive seqs (outbox.c)
 * operation  what people decided, with the signed event and what became of it (operations.h)
 * stat_log   each key of the statistics as it stood after each transaction that touched it (stats.h); before the first of them
 *            stat_base holds, as of the history's seq meta.stat_base: nothing, or what there was when the table came
 * cut        the end of each civil day in the statistics (cuts.h)
 * plan       every version of a sponsor's plan; filed_under: the version of each roster; plan_use: a sponsor's live payments in a year
 * annex      rosters that take rows out of the first one or lower them; annex_kept: rows of the first that such a one names
 * supervision the word of a supervision committee about a roster or a plan, by the cover or version that brought it
 * reconcile_run, book, book_part, reconcile_sum, difference_event: reconciliation with the agencies' books (books.h)
 * reject     rejects that a person released or discarded; flow_stop: inputs that are not read until a person resumes them (rejects.h)
 * reversal   each time that the bureau was asked to refund a payment
 * adopted_*  decisions of a lost life, found on the bus by a restored ledger (adopted.h)
 * The unique index on pid is the design's "at most one live payment per tuple": a pid is a hash of the tuple and of n, the number of
 * its earlier payments that have ended, so a second live one would need the same pid. */
#include "ledger/internal.h"

static const char *const steps[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE position(topic TEXT PRIMARY KEY, partition INTEGER NOT NULL, next INTEGER NOT NULL,"
	" last_id BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE submission(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, attempt BLOB NOT NULL, receipt TEXT NOT NULL,"
	" sender TEXT NOT NULL, village TEXT NOT NULL, roster_sha256 TEXT NOT NULL, year INTEGER NOT NULL,"
	" received_at INTEGER NOT NULL, state INTEGER NOT NULL, first_no INTEGER NOT NULL, last_no INTEGER NOT NULL,"
	" cursor INTEGER NOT NULL, rows INTEGER NOT NULL, amount_fen INTEGER NOT NULL, digest BLOB NOT NULL,"
	" stated_total_fen INTEGER, sponsor_type INTEGER NOT NULL, sponsor BLOB, sponsor_code TEXT,"
	" c1 INTEGER, c2 INTEGER, c3 INTEGER, c4 INTEGER, c5 INTEGER, f1 INTEGER, f2 INTEGER, f3 INTEGER, f4 INTEGER, f5 INTEGER,"
	" open_finals INTEGER, answer_version INTEGER NOT NULL, code TEXT, detail TEXT);"
	"CREATE TABLE cover(submission BLOB PRIMARY KEY, cover BLOB NOT NULL, received_at INTEGER NOT NULL,"
	" event BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE decl(no INTEGER PRIMARY KEY, sub INTEGER NOT NULL, row_no INTEGER NOT NULL, token BLOB, trace BLOB,"
	" amount_fen INTEGER, member INTEGER, facts INTEGER NOT NULL, code TEXT, col TEXT, voided INTEGER NOT NULL,"
	" repeat INTEGER NOT NULL, pid BLOB, year INTEGER, sponsor_type INTEGER, sponsor BLOB, attempt INTEGER, enquiry INTEGER,"
	" instructed_at INTEGER, doubt_at INTEGER, due INTEGER, tax_seq INTEGER, credit_seq INTEGER, paid_at INTEGER,"
	" treasury_at INTEGER, receipt TEXT, next INTEGER, answer_version INTEGER NOT NULL, result INTEGER NOT NULL,"
	" final INTEGER NOT NULL, last_history INTEGER NOT NULL, identity BLOB);"
	"CREATE UNIQUE INDEX decl_pid ON decl(pid) WHERE pid IS NOT NULL;"
	"CREATE TABLE history(seq INTEGER PRIMARY KEY, decl INTEGER, sub INTEGER, fact INTEGER, implied INTEGER, cause BLOB,"
	" effective_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, note TEXT, prev INTEGER);"
	"CREATE TABLE difference(no INTEGER PRIMARY KEY, decl INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT, cause BLOB,"
	" recorded_at INTEGER NOT NULL);"
	"CREATE TABLE person(token BLOB NOT NULL, year INTEGER NOT NULL, reserved_fen INTEGER NOT NULL, head INTEGER NOT NULL,"
	" mark_sub INTEGER NOT NULL, mark_no INTEGER NOT NULL, sequence INTEGER NOT NULL, enquiry_attempt INTEGER NOT NULL,"
	" enquiry_due INTEGER NOT NULL, PRIMARY KEY(token, year)) WITHOUT ROWID;"
	"CREATE TABLE waiting(at INTEGER NOT NULL, kind INTEGER NOT NULL, first INTEGER NOT NULL, refs BLOB NOT NULL,"
	" PRIMARY KEY(at, kind, first))"
	" WITHOUT ROWID;"
	"CREATE TABLE early(no INTEGER PRIMARY KEY, pid BLOB NOT NULL, topic TEXT NOT NULL, type TEXT NOT NULL, id BLOB NOT NULL,"
	" data BLOB NOT NULL);"
	"CREATE TABLE cutoff(year INTEGER PRIMARY KEY, at INTEGER NOT NULL, cursor INTEGER NOT NULL);"
	"CREATE TABLE outbox(seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE stat(year INTEGER, village TEXT, sponsor_type INTEGER, cell INTEGER, count INTEGER NOT NULL,"
	" fen INTEGER NOT NULL, PRIMARY KEY(year, village, sponsor_type, cell)) WITHOUT ROWID;"
	"CREATE TABLE stat_version(year INTEGER, village TEXT, sponsor_type INTEGER, version INTEGER NOT NULL,"
	" PRIMARY KEY(year, village, sponsor_type)) WITHOUT ROWID;",
	/* Each payment filed looks for its early results, each difference for itself. */
	"CREATE INDEX early_pid ON early(pid);"
	"CREATE INDEX difference_decl ON difference(decl);",
	/* Topics with partitions. */
	"ALTER TABLE position RENAME TO position_of_topic;"
	"CREATE TABLE position(topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, last_id BLOB NOT NULL,"
	" as_of INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(topic, partition)) WITHOUT ROWID;"
	"INSERT INTO position(topic, partition, next, last_id) SELECT topic, partition, next, last_id FROM position_of_topic;"
	"UPDATE position SET as_of = coalesce((SELECT value FROM meta WHERE key = 'feed_as_of'), 0) WHERE topic = 'contributions';"
	"DROP TABLE position_of_topic;"
	"DELETE FROM meta WHERE key = 'feed_as_of';"
	"CREATE TABLE delivered(topic TEXT NOT NULL, partition INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(topic, partition))"
	" WITHOUT ROWID;",
	/* What a restored ledger adopted from the bus (adopted.h). decl 0: a payment that no row has claimed. */
	"CREATE TABLE adopted_payment(pid BLOB PRIMARY KEY, token BLOB NOT NULL, sponsor BLOB NOT NULL, event BLOB NOT NULL,"
	" year INTEGER NOT NULL, village TEXT, sponsor_type INTEGER NOT NULL, amount_fen INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" enquiry INTEGER NOT NULL, enquiry_of INTEGER NOT NULL, instructed_at INTEGER NOT NULL, not_after INTEGER NOT NULL,"
	" decl INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX adopted_person ON adopted_payment(token, year) WHERE decl = 0;"
	"CREATE TABLE adopted_answer(submission BLOB NOT NULL, row_no INTEGER NOT NULL, version INTEGER NOT NULL,"
	" result INTEGER NOT NULL, code TEXT NOT NULL, col TEXT, detail TEXT, final INTEGER NOT NULL, pid BLOB,"
	" standing INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(submission, row_no)) WITHOUT ROWID;"
	"CREATE TABLE adopted_event(id BLOB PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE adopted_end(topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,"
	" PRIMARY KEY(topic, partition)) WITHOUT ROWID;",
	/* cases, operations, statistics, books: what people decided, and what is kept to be asked for afterwards */
	"CREATE TABLE operation(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL, argument TEXT,"
	" operator TEXT NOT NULL, approver TEXT, reason TEXT, document TEXT, state INTEGER NOT NULL, code TEXT,"
	" decided_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, event BLOB NOT NULL);"
	"CREATE INDEX operation_open ON operation(state) WHERE state < 2;"
	"CREATE TABLE stat_log(seq INTEGER NOT NULL, year INTEGER NOT NULL, village TEXT NOT NULL, sponsor_type INTEGER NOT NULL,"
	" at INTEGER NOT NULL, cells BLOB NOT NULL, PRIMARY KEY(seq, year, village, sponsor_type)) WITHOUT ROWID;"
	"CREATE TABLE stat_base AS SELECT year, village, sponsor_type, cell, count, fen FROM stat;"
	"INSERT INTO stat_base SELECT year, village, sponsor_type, -1, version, 0 FROM stat_version;"
	"CREATE TABLE cut(no INTEGER PRIMARY KEY, day INTEGER NOT NULL UNIQUE, seq INTEGER NOT NULL, made_at INTEGER NOT NULL,"
	" ledger TEXT NOT NULL, digest TEXT NOT NULL);"
	"INSERT INTO meta(key, value) SELECT 'stat_base', coalesce(max(seq), 0) FROM history;"
	"ALTER TABLE person ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE person ADD COLUMN eligible_until INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE plan(village TEXT NOT NULL, sponsor BLOB NOT NULL, first_year INTEGER NOT NULL, last_year INTEGER NOT NULL,"
	" received_at INTEGER NOT NULL, document BLOB NOT NULL UNIQUE, event BLOB NOT NULL,"
	" PRIMARY KEY(village, sponsor, first_year, received_at, document)) WITHOUT ROWID;"
	"CREATE TABLE filed_under(sub INTEGER PRIMARY KEY, document BLOB NOT NULL);"
	"CREATE TABLE annex(sub INTEGER PRIMARY KEY, first INTEGER NOT NULL);"
	"CREATE INDEX annex_first ON annex(first);"
	"CREATE TABLE annex_kept(sub INTEGER NOT NULL, decl INTEGER NOT NULL, PRIMARY KEY(sub, decl)) WITHOUT ROWID;"
	"CREATE INDEX submission_waiting ON submission(village) WHERE state = 3;"
	"CREATE TABLE supervision(subject BLOB NOT NULL, source BLOB NOT NULL, date INTEGER NOT NULL, result TEXT NOT NULL,"
	" passed_by TEXT, document TEXT, note TEXT, recorded_at INTEGER NOT NULL, PRIMARY KEY(subject, source)) WITHOUT ROWID;"
	"CREATE TABLE plan_use(year INTEGER NOT NULL, sponsor BLOB NOT NULL, village TEXT NOT NULL, heads INTEGER NOT NULL,"
	" fen INTEGER NOT NULL, PRIMARY KEY(year, sponsor, village)) WITHOUT ROWID;"
	/* Live: none of rejected, failed, refunded, expired, withdrawn (domain/payment.h). */
	"INSERT INTO plan_use(year, sponsor, village, heads, fen) SELECT decl.year, decl.sponsor, submission.village, count(*),"
	" sum(decl.amount_fen) FROM decl JOIN submission ON submission.no = decl.sub WHERE decl.pid IS NOT NULL AND decl.voided = 0"
	" AND decl.facts & 410626 = 0 GROUP BY 1, 2, 3;"
	/* reconciliation (books.h) */
	"ALTER TABLE difference ADD COLUMN state INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE difference ADD COLUMN owner TEXT;"
	"ALTER TABLE difference ADD COLUMN note TEXT;"
	"ALTER TABLE difference ADD COLUMN class INTEGER;"
	"ALTER TABLE difference ADD COLUMN book INTEGER;"
	"ALTER TABLE difference ADD COLUMN run INTEGER;"
	"ALTER TABLE difference ADD COLUMN seen_run INTEGER;"
	"ALTER TABLE difference ADD COLUMN key BLOB;"
	"ALTER TABLE difference ADD COLUMN pid BLOB;"
	"ALTER TABLE difference ADD COLUMN token BLOB;"
	"ALTER TABLE difference ADD COLUMN receipt TEXT;"
	"ALTER TABLE difference ADD COLUMN our_fen INTEGER;"
	"ALTER TABLE difference ADD COLUMN our_state TEXT;"
	"ALTER TABLE difference ADD COLUMN our_at INTEGER;"
	"ALTER TABLE difference ADD COLUMN their_fen INTEGER;"
	"ALTER TABLE difference ADD COLUMN their_state TEXT;"
	"ALTER TABLE difference ADD COLUMN their_at INTEGER;"
	"ALTER TABLE difference ADD COLUMN changed_at INTEGER;"
	"CREATE UNIQUE INDEX difference_key ON difference(key) WHERE key IS NOT NULL;"
	"CREATE TABLE difference_event(no INTEGER PRIMARY KEY, difference INTEGER NOT NULL, what TEXT NOT NULL, run INTEGER,"
	" operation BLOB, operator TEXT, note TEXT, at INTEGER NOT NULL);"
	"CREATE INDEX difference_event_of ON difference_event(difference);"
	"CREATE TABLE reconcile_run(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, year INTEGER NOT NULL, from_at INTEGER NOT NULL,"
	" to_at INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, state INTEGER NOT NULL,"
	" cursor INTEGER NOT NULL, found INTEGER NOT NULL, operator TEXT NOT NULL, why TEXT);"
	"CREATE TABLE book(run INTEGER NOT NULL, book INTEGER NOT NULL, closed INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" seq INTEGER NOT NULL, fen INTEGER NOT NULL, said_count INTEGER NOT NULL, said_fen INTEGER NOT NULL, as_of INTEGER NOT NULL,"
	" first_part INTEGER NOT NULL, parts INTEGER NOT NULL, strangers INTEGER NOT NULL, PRIMARY KEY(run, book)) WITHOUT ROWID;"
	"CREATE TABLE book_part(run INTEGER NOT NULL, book INTEGER NOT NULL, bucket INTEGER NOT NULL, part INTEGER NOT NULL,"
	" data BLOB NOT NULL, PRIMARY KEY(run, book, bucket, part)) WITHOUT ROWID;"
	"CREATE TABLE reconcile_sum(run INTEGER NOT NULL, book INTEGER NOT NULL, class INTEGER NOT NULL, count INTEGER NOT NULL,"
	" our_fen INTEGER NOT NULL, their_fen INTEGER NOT NULL, oldest INTEGER NOT NULL, PRIMARY KEY(run, book, class)) WITHOUT ROWID;"
	"CREATE TABLE reject(id BLOB PRIMARY KEY, state INTEGER NOT NULL, operation BLOB NOT NULL, recorded_at INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE flow_stop(topic TEXT PRIMARY KEY, at INTEGER NOT NULL, rejected INTEGER NOT NULL, seen INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE reversal(decl INTEGER NOT NULL, n INTEGER NOT NULL, id BLOB NOT NULL, reason TEXT NOT NULL,"
	" operator TEXT NOT NULL, requested_at INTEGER NOT NULL, state INTEGER NOT NULL, attempt INTEGER NOT NULL,"
	" enquiry INTEGER NOT NULL, doubt_at INTEGER NOT NULL, due INTEGER NOT NULL, sequence INTEGER NOT NULL,"
	" PRIMARY KEY(decl, n)) WITHOUT ROWID;"
	/* the tokens of one person (links.h) */
	"CREATE TABLE person_link(token BLOB PRIMARY KEY, grp BLOB NOT NULL) WITHOUT ROWID;"
	"ALTER TABLE person ADD COLUMN outside_fen INTEGER NOT NULL DEFAULT 0;",
};
const struct store_kind ledger_kind = {"ledger", 0x514c6467 /* "QLdg" */, steps, sizeof(steps) / sizeof(steps[0])};

#define SUB_COLS \
	"no, id, attempt, receipt, sender, village, roster_sha256, year, received_at, state, first_no, last_no, cursor, rows," \
	" amount_fen, digest, stated_total_fen, sponsor_type, sponsor, sponsor_code, c1, c2, c3, c4, c5, f1, f2, f3, f4, f5," \
	" open_finals, answer_version, code, detail"
#define DECL_COLS \
	"no, sub, row_no, token, trace, amount_fen, member, facts, code, col, voided, repeat, pid, year, sponsor_type, sponsor," \
	" attempt, enquiry, instructed_at, doubt_at, due, tax_seq, credit_seq, paid_at, treasury_at, receipt, next," \
	" answer_version, result, final, last_history, identity"

#define DECL_SET \
	"facts = ?8, code = ?9, col = ?10, voided = ?11, repeat = ?12, year = ?14, sponsor_type = ?15, attempt = ?17," \
	" enquiry = ?18, instructed_at = ?19, doubt_at = ?20, due = ?21, tax_seq = ?22, credit_seq = ?23, paid_at = ?24," \
	" treasury_at = ?25, receipt = ?26, next = ?27, answer_version = ?28, result = ?29, final = ?30, last_history = ?31"
#define PERSON_COLS "reserved_fen, head, mark_sub, mark_no, sequence, enquiry_attempt, enquiry_due, checked_at, eligible_until, outside_fen"

const char *const ledger_sql[SQLS] = {
	[Q_META_PUT] = "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)",
	[Q_POSITION_GET] = "SELECT partition, next, last_id FROM position WHERE topic = ?1 ORDER BY partition",
	[Q_POSITION_PUT] = "INSERT INTO position(topic, partition, next, last_id) VALUES(?1, ?2, ?3, ?4)"
			   " ON CONFLICT DO UPDATE SET next = ?3, last_id = ?4",
	[Q_FEED_PUT] = "UPDATE position SET as_of = ?2 WHERE topic = 'contributions' AND partition = ?1",
	[Q_SUB_BY_ID] = "SELECT no FROM submission WHERE id = ?1",
	[Q_SUB_BY_NO] = "SELECT " SUB_COLS " FROM submission WHERE no = ?1",
	[Q_SUB_INSERT] = "INSERT INTO submission(" SUB_COLS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
			 " ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34)",
	[Q_SUB_UPDATE] = "UPDATE submission SET attempt = ?3, receipt = ?4, sender = ?5, village = ?6, roster_sha256 = ?7, year = ?8,"
			 " received_at = ?9, state = ?10, first_no = ?11, last_no = ?12, cursor = ?13, rows = ?14,"
			 " amount_fen = ?15, digest = ?16, stated_total_fen = ?17, sponsor_type = ?18, sponsor = ?19,"
			 " sponsor_code = ?20, c1 = ?21, c2 = ?22, c3 = ?23, c4 = ?24, c5 = ?25, f1 = ?26, f2 = ?27, f3 = ?28,"
			 " f4 = ?29, f5 = ?30, open_finals = ?31, answer_version = ?32, code = ?33, detail = ?34 WHERE no = ?1",
	[Q_SUB_NEXT] = "SELECT no FROM submission WHERE no > ?1 AND state = ?2 AND (?3 = 0 OR year = ?3) ORDER BY no LIMIT 1",
	[Q_COVER_GET] = "SELECT event, received_at, cover FROM cover WHERE submission = ?1",
	[Q_COVER_PUT] = "INSERT OR REPLACE INTO cover(submission, cover, received_at, event) VALUES(?1, ?2, ?3, ?4)",
	[Q_PLAN_PUT] = "INSERT OR IGNORE INTO plan(village, sponsor, first_year, last_year, received_at, document, event)"
		       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[Q_PLAN_NEWEST] = "SELECT document FROM plan WHERE village = ?1 AND sponsor = ?2 AND first_year = ?3"
			  " ORDER BY received_at DESC, document DESC LIMIT 1",
	[Q_PLAN_FIND] = "SELECT first_year FROM plan p WHERE village = ?1 AND sponsor = ?2 AND first_year <= ?3 AND last_year >= ?3"
			" AND NOT EXISTS (SELECT 1 FROM plan n WHERE n.village = ?1 AND n.sponsor = ?2"
			" AND n.first_year = p.first_year AND (n.received_at, n.document) > (p.received_at, p.document))"
			" ORDER BY first_year DESC LIMIT 1",
	[Q_PLAN_GET] = "SELECT event FROM plan WHERE document = ?1",
	[Q_SUB_OF_VILLAGE] = "SELECT no FROM submission WHERE no > ?1 AND state = 3 AND village = ?2 ORDER BY no LIMIT 1",
	[Q_FILED_UNDER_PUT] = "INSERT OR REPLACE INTO filed_under(sub, document) VALUES(?1, ?2)",
	[Q_FILED_UNDER_GET] = "SELECT document FROM filed_under WHERE sub = ?1",
	[Q_ANNEX_PUT] = "INSERT OR REPLACE INTO annex(sub, first) VALUES(?1, ?2)",
	[Q_ANNEX_GET] = "SELECT first FROM annex WHERE sub = ?1",
	[Q_ANNEX_KEEP] = "INSERT OR IGNORE INTO annex_kept(sub, decl) VALUES(?1, ?2)",
	/* Rows of the first roster and of its other annexes that this one does not name. */
	[Q_ANNEX_MISSING] = "SELECT d.no FROM submission s JOIN decl d ON d.no >= s.first_no AND d.no <= s.last_no AND d.sub = s.no"
			    " WHERE (s.no = ?1 OR s.no IN (SELECT sub FROM annex WHERE first = ?1)) AND s.no <> ?2 AND d.no > ?3"
			    " AND d.pid IS NOT NULL AND d.voided = 0"
			    " AND NOT EXISTS (SELECT 1 FROM annex_kept k WHERE k.sub = ?2 AND k.decl = d.no) ORDER BY d.no LIMIT ?4",
	[Q_SUPERVISION_PUT] = "INSERT OR IGNORE INTO supervision(subject, source, date, result, passed_by, document, note, recorded_at)"
			      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[Q_PLAN_USE_GET] = "SELECT heads, fen FROM plan_use WHERE year = ?1 AND sponsor = ?2 AND village = ?3",
	[Q_PLAN_USE_PUT] = "INSERT OR REPLACE INTO plan_use(year, sponsor, village, heads, fen) VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_DECL_BY_NO] = "SELECT " DECL_COLS " FROM decl WHERE no = ?1",
	[Q_DECL_BY_PID] = "SELECT " DECL_COLS " FROM decl WHERE pid = ?1",
	[Q_DECL_INSERT] = "INSERT INTO decl(" DECL_COLS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
			  " ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)",
	[Q_DECL_UPDATE] = "UPDATE decl SET " DECL_SET " WHERE no = ?1",
	/* Apart, because naming an indexed column rewrites its index entry even where the value stays. */
	[Q_DECL_UPDATE_PID] = "UPDATE decl SET pid = ?13, sponsor = ?16, " DECL_SET " WHERE no = ?1",
	[Q_DECL_NUMBERS] = "SELECT no FROM decl WHERE no > ?1 AND no <= ?2 AND sub = ?3 AND voided = 0 ORDER BY no LIMIT ?4",
	[Q_DECL_VOID] = "UPDATE decl SET voided = 1 WHERE no >= ?1 AND no <= ?2 AND sub = ?3",
	[Q_DECL_PENDING] = "SELECT no, facts, year, voided FROM decl WHERE no > ?1 ORDER BY no LIMIT ?2",
	[Q_HISTORY_PUT] = "INSERT INTO history(seq, decl, sub, fact, implied, cause, effective_at, recorded_at, note, prev)"
			  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	[Q_DIFFERENCE_PUT] = "INSERT INTO difference(decl, kind, detail, cause, recorded_at) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS"
			     " (SELECT 1 FROM difference WHERE decl = ?1 AND kind = ?2 AND cause = ?4)",
	[Q_DIFFERENCE_ONCE] = "INSERT INTO difference(decl, kind, detail, cause, recorded_at) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS"
			      " (SELECT 1 FROM difference WHERE decl = ?1 AND kind = ?2 AND detail IS ?3)",
	[Q_REVERSAL_LAST] = "SELECT n, id, reason, operator, requested_at, state, attempt, enquiry, doubt_at, due, sequence"
			    " FROM reversal WHERE decl = ?1 ORDER BY n DESC LIMIT 1",
	[Q_REVERSAL_PUT] = "INSERT OR REPLACE INTO reversal(decl, n, id, reason, operator, requested_at, state, attempt, enquiry,"
			   " doubt_at, due, sequence) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[Q_PERSON_GET] = "SELECT " PERSON_COLS ", year FROM person WHERE token = ?1 AND year = ?2",
	[Q_PERSON_YEARS] = "SELECT " PERSON_COLS ", year FROM person WHERE token = ?1 ORDER BY year DESC",
	[Q_PERSON_INSERT] = "INSERT INTO person(token, year, reserved_fen, head, mark_sub, mark_no, sequence, enquiry_attempt,"
			    " enquiry_due, checked_at, eligible_until, outside_fen) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
			    " ?12)",
	[Q_PERSON_UPDATE] = "UPDATE person SET reserved_fen = ?3, head = ?4, mark_sub = ?5, mark_no = ?6, sequence = ?7,"
			    " enquiry_attempt = ?8, enquiry_due = ?9, checked_at = ?10, eligible_until = ?11,"
			    " outside_fen = ?12 WHERE token = ?1 AND year = ?2",
	[Q_WAITING_PUT] = "INSERT INTO waiting(at, kind, first, refs) VALUES(?1, ?2, ?3, ?4)",
	[Q_WAITING_TAKE] = "SELECT at, kind, first, refs FROM waiting WHERE at <= ?1 ORDER BY at, kind, first LIMIT 1",
	[Q_WAITING_FORGET] = "DELETE FROM waiting WHERE at = ?1 AND kind = ?2 AND first = ?3",
	[Q_WAITING_NEXT] = "SELECT at FROM waiting ORDER BY at LIMIT 1",
	[Q_EARLY_PUT] = "INSERT INTO early(pid, topic, type, id, data) VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_EARLY_TAKE] = "SELECT no, topic, type, id, data FROM early WHERE pid = ?1 AND no > ?2 ORDER BY no LIMIT 1",
	[Q_CUTOFF_GET] = "SELECT at, cursor FROM cutoff WHERE year = ?1",
	[Q_CUTOFF_PUT] = "INSERT OR REPLACE INTO cutoff(year, at, cursor) VALUES(?1, ?2, ?3)",
	[Q_YEARS] = "SELECT DISTINCT year FROM stat_version ORDER BY year DESC LIMIT ?1",
	[Q_OUTBOX_PUT] = "INSERT INTO outbox(seq, count, data) VALUES(?1, ?2, ?3)",
	[Q_OUTBOX_NEXT] = "SELECT seq, count, data FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT 1",
	[Q_DELIVERED_PUT] = "INSERT OR REPLACE INTO delivered(topic, partition, seq) VALUES(?1, ?2, ?3)",
	[Q_OUTBOX_FORGET] = "DELETE FROM outbox WHERE seq + count - 1 <= ?1",
	[Q_STAT_PUT] = "INSERT OR REPLACE INTO stat(year, village, sponsor_type, cell, count, fen) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_STAT_LOG_PUT] = "INSERT INTO stat_log(seq, year, village, sponsor_type, at, cells) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_CUT_PUT] = "INSERT INTO cut(no, day, seq, made_at, ledger, digest) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[Q_ADOPTED_PAYMENT_GET] = "SELECT " ADOPTED_COLS " FROM adopted_payment WHERE pid = ?1",
	[Q_ADOPTED_PAYMENT_OF] = "SELECT " ADOPTED_COLS " FROM adopted_payment WHERE token = ?1 AND year = ?2 AND sponsor = ?3"
				 " AND decl = 0 AND attempt > 0 ORDER BY instructed_at DESC LIMIT 1",
	[Q_ADOPTED_PAYMENT_PUT] = "INSERT OR REPLACE INTO adopted_payment(" ADOPTED_COLS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
				  " ?10, ?11, ?12, ?13, ?14)",
	[Q_ADOPTED_PAYMENT_CLAIM] = "UPDATE adopted_payment SET decl = ?2 WHERE pid = ?1",
	[Q_ADOPTED_ANSWER_GET] = "SELECT version, result, code, col, detail, final, pid, standing FROM adopted_answer"
				 " WHERE submission = ?1 AND row_no = ?2",
	[Q_ADOPTED_ANSWER_PUT] = "INSERT INTO adopted_answer(submission, row_no, version, result, code, col, detail, final, pid)"
				 " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET version = ?3, result = ?4,"
				 " code = ?5, col = ?6, detail = ?7, final = ?8, pid = coalesce(?9, pid) WHERE ?3 > version",
	[Q_ADOPTED_ANSWER_STANDS] = "UPDATE adopted_answer SET standing = ?3 WHERE submission = ?1 AND row_no = ?2",
	[Q_ADOPTED_ANSWER_OF] = "SELECT submission, row_no FROM adopted_answer WHERE pid = ?1 LIMIT 1",
	[Q_ADOPTED_EVENT_PUT] = "INSERT OR IGNORE INTO adopted_event(id) VALUES(?1)",
	[Q_ADOPTED_EVENT_GET] = "SELECT 1 FROM adopted_event WHERE id = ?1",
	[Q_ADOPTED_END_PUT] = "INSERT OR REPLACE INTO adopted_end(topic, partition, next) VALUES(?1, ?2, ?3)",
	[Q_ADOPTED_END_GET] = "SELECT next FROM adopted_end WHERE topic = ?1 AND partition = ?2",
	[Q_ADOPTED_DECLS] = "SELECT no FROM decl WHERE no > ?1 AND voided = 0 AND final = 0 ORDER BY no LIMIT ?2",
	[Q_OPERATION_GET] = "SELECT " OP_COLS ", event FROM operation WHERE id = ?1",
	[Q_OPERATION_PUT] = "INSERT INTO operation(" OP_COLS ", event) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
	[Q_OPERATION_UPDATE] = "UPDATE operation SET approver = ?2, state = ?3, code = ?4, recorded_at = ?5 WHERE id = ?1",
	[Q_OPERATION_HELD] = "SELECT id FROM operation WHERE state = ?1 AND state < 2 ORDER BY no LIMIT 1",
	[Q_DECL_OF_ROW] = "SELECT no FROM decl WHERE no BETWEEN ?1 AND ?2 AND sub = ?3 AND row_no = ?4 AND voided = 0",
	[Q_REJECT_GET] = "SELECT state FROM reject WHERE id = ?1",
	[Q_REJECT_PUT] = "INSERT INTO reject(id, state, operation, recorded_at) VALUES(?1, ?2, ?3, ?4)",
	[Q_FLOW_STOP_GET] = "SELECT topic, at, rejected, seen FROM flow_stop WHERE topic = ?1",
	[Q_FLOW_STOP_PUT] = "INSERT OR REPLACE INTO flow_stop(topic, at, rejected, seen) VALUES(?1, ?2, ?3, ?4)",
	[Q_FLOW_STOP_FORGET] = "DELETE FROM flow_stop WHERE topic = ?1",
	[Q_STAT_VERSION_PUT] = "INSERT OR REPLACE INTO stat_version(year, village, sponsor_type, version) VALUES(?1, ?2, ?3, ?4)",
	[Q_RUN_PUT] = "INSERT OR REPLACE INTO reconcile_run(" RUN_COLS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[Q_RUN_FIND] = "SELECT 1 FROM reconcile_run WHERE id = ?1",
	[Q_RUN_GOING] = "SELECT " RUN_COLS " FROM reconcile_run WHERE state < 3 ORDER BY no DESC LIMIT 1",
	[Q_RUN_BOOK_PUT] = "INSERT OR REPLACE INTO book(run, book, closed, attempt, seq, fen, said_count, said_fen, as_of, first_part, parts,"
			   " strangers) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
	[Q_RUN_BOOKS] = "SELECT book, closed, attempt, seq, fen, said_count, said_fen, as_of, first_part, parts, strangers FROM book"
			" WHERE run = ?1",
	[Q_RUN_SUM_ADD] = "INSERT INTO reconcile_sum(run, book, class, count, our_fen, their_fen, oldest) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
			  " ON CONFLICT DO UPDATE SET count = count + ?4, our_fen = our_fen + ?5, their_fen = their_fen + ?6,"
			  " oldest = max(oldest, ?7)",
	[Q_PART_PUT] = "INSERT INTO book_part(run, book, bucket, part, data) VALUES(?1, ?2, ?3, ?4, ?5)",
	[Q_PART_GET] = "SELECT data FROM book_part WHERE run = ?1 AND book = ?2 AND bucket = ?3 AND part >= ?4 ORDER BY part",
	[Q_PART_FORGET] = "DELETE FROM book_part WHERE run = ?1 AND book = ?2 AND bucket = ?3",
	[Q_PART_OLD] = "SELECT run, book, bucket FROM book_part WHERE run < ?1 ORDER BY run, book, bucket LIMIT 1",
	[Q_BOOK_OURS] = "SELECT no, token, amount_fen, facts, pid, instructed_at, paid_at, treasury_at, receipt, year FROM decl"
			" WHERE pid >= ?1 AND pid < ?2 AND voided = 0 ORDER BY pid",
	[Q_LINK_PUT] = "INSERT OR REPLACE INTO person_link(token, grp) VALUES(?1, ?2)",
	[Q_LINK_FORGET] = "DELETE FROM person_link WHERE token = ?1",
	[Q_LINK_ALL] = "SELECT token, grp FROM person_link ORDER BY grp, token",
	[Q_CASE_BY_KEY] = "SELECT no, state FROM difference WHERE key = ?1",
	[Q_CASE_PUT] = "INSERT INTO difference(decl, kind, cause, recorded_at, class, book, run, seen_run, key, pid, token, receipt, our_fen,"
		       " our_state, our_at, their_fen, their_state, their_at, changed_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ?10,"
		       " ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?4)",
	[Q_CASE_SEEN] = "UPDATE difference SET seen_run = ?2, changed_at = CASE state WHEN 3 THEN ?3 ELSE changed_at END,"
			" state = CASE state WHEN 3 THEN 0 ELSE state END, our_fen = ?4, our_state = ?5, our_at = ?6, their_fen = ?7,"
			" their_state = ?8, their_at = ?9 WHERE no = ?1",
	[Q_CASE_STATE] = "UPDATE difference SET state = ?2, owner = coalesce(?3, owner), note = coalesce(?4, note), changed_at = ?5"
			 " WHERE no = ?1",
	[Q_CASE_GET] = "SELECT state FROM difference WHERE no = ?1",
	[Q_CASE_UNSEEN] = "SELECT d.no FROM difference d JOIN reconcile_run r ON r.no = d.seen_run WHERE d.no > ?1 AND d.state < 2 AND"
			  " d.seen_run < ?2 AND r.year = ?3 AND r.from_at >= ?4 AND r.to_at <= ?5 AND ((d.book = 0 AND ?6) OR"
			  " (d.book = 1 AND ?7)) ORDER BY d.no LIMIT ?8",
	[Q_CASE_EVENT] = "INSERT INTO difference_event(difference, what, run, operation, operator, note, at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
};

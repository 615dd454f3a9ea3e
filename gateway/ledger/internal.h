/* Inside the ledger only: the handle, the transaction's cache, statement slots. */
#ifndef QIAO_LEDGER_INTERNAL_H
#define QIAO_LEDGER_INTERNAL_H
#include "base/buf.h"
#include "ledger/adopted.h"
#include "ledger/ledger.h"
#include "ledger/stats.h"
#include "store/store.h"

/* Records of one kind, touched in this transaction: stable addresses (blocks), found by a 64-bit key. Different records may
 * share a key (it is a hash for persons and payments); the caller compares. */
#define POOL_BLOCK 256
struct pool {
	size_t size;         /* of a record */
	char **blocks;
	int count, block_count;
};
struct map { /* open addressing, key -> pointer; several entries may carry one key */
	struct {
		uint64_t key;
		void *value;
	} *slots;
	size_t cap, count;
};
void *pool_take(struct pool *p);
void *pool_at(const struct pool *p, int i);
void pool_fini(struct pool *p);
int map_put(struct map *m, uint64_t key, void *value);
/* i-th probe: start with *at = SIZE_MAX; NULL at the end. */
void *map_next(const struct map *m, uint64_t key, size_t *at);
void map_clear(struct map *m);
void map_fini(struct map *m);

enum sql {
	Q_META_PUT, Q_POSITION_GET, Q_POSITION_PUT, Q_FEED_PUT,
	Q_SUB_BY_ID, Q_SUB_BY_NO, Q_SUB_INSERT, Q_SUB_UPDATE, Q_SUB_NEXT, Q_COVER_GET, Q_COVER_PUT,
	Q_PLAN_PUT, Q_PLAN_NEWEST, Q_PLAN_FIND, Q_PLAN_GET, Q_SUB_OF_VILLAGE, Q_FILED_UNDER_PUT, Q_FILED_UNDER_GET,
	Q_ANNEX_PUT, Q_ANNEX_GET, Q_ANNEX_KEEP, Q_ANNEX_MISSING, Q_SUPERVISION_PUT, Q_PLAN_USE_GET, Q_PLAN_USE_PUT,
	Q_DECL_BY_NO, Q_DECL_BY_PID, Q_DECL_INSERT, Q_DECL_UPDATE, Q_DECL_UPDATE_PID, Q_DECL_NUMBERS, Q_DECL_VOID, Q_DECL_PENDING,
	Q_HISTORY_PUT, Q_DIFFERENCE_PUT, Q_DIFFERENCE_ONCE, Q_REVERSAL_LAST, Q_REVERSAL_PUT,
	Q_PERSON_GET, Q_PERSON_INSERT, Q_PERSON_UPDATE, Q_PERSON_YEARS,
	Q_WAITING_PUT, Q_WAITING_TAKE, Q_WAITING_FORGET, Q_WAITING_NEXT,
	Q_EARLY_PUT, Q_EARLY_TAKE, Q_CUTOFF_GET, Q_CUTOFF_PUT, Q_YEARS,
	Q_OUTBOX_PUT, Q_OUTBOX_NEXT, Q_OUTBOX_FORGET, Q_DELIVERED_PUT, Q_STAT_PUT, Q_STAT_VERSION_PUT, Q_STAT_LOG_PUT, Q_CUT_PUT,
	Q_ADOPTED_PAYMENT_GET, Q_ADOPTED_PAYMENT_OF, Q_ADOPTED_PAYMENT_PUT, Q_ADOPTED_PAYMENT_CLAIM, Q_ADOPTED_ANSWER_GET,
	Q_ADOPTED_ANSWER_PUT, Q_ADOPTED_ANSWER_STANDS, Q_ADOPTED_ANSWER_OF, Q_ADOPTED_EVENT_PUT, Q_ADOPTED_EVENT_GET,
	Q_ADOPTED_END_PUT, Q_ADOPTED_END_GET, Q_ADOPTED_DECLS,
	Q_OPERATION_GET, Q_OPERATION_PUT, Q_OPERATION_UPDATE, Q_OPERATION_HELD, Q_DECL_OF_ROW, Q_REJECT_GET, Q_REJECT_PUT,
	Q_FLOW_STOP_GET, Q_FLOW_STOP_PUT, Q_FLOW_STOP_FORGET,
	Q_RUN_PUT, Q_RUN_FIND, Q_RUN_GOING, Q_RUN_BOOK_PUT, Q_RUN_BOOKS, Q_RUN_SUM_ADD,
	Q_PART_PUT, Q_PART_GET, Q_PART_FORGET, Q_PART_OLD, Q_BOOK_OURS,
	Q_LINK_PUT, Q_LINK_FORGET, Q_LINK_ALL,
	Q_CASE_BY_KEY, Q_CASE_PUT, Q_CASE_SEEN, Q_CASE_STATE, Q_CASE_GET, Q_CASE_UNSEEN, Q_CASE_EVENT, SQLS
};

struct link { /* of a token; next: the ring of its group, NULL when it was taken out */
	struct id token, group;
	struct link *next;
};

struct ledger_view;
struct ledger {
	struct store *st;
	struct stmt *q[SQLS];
	char mark[ID_HEX + 24];
	int64_t epoch, restored_at, now;
	int64_t feed_as_of[BUS_PARTITIONS_MAX]; /* by partition of contributions */
	int feed_partitions;
	int64_t last_decl, last_sub, last_history, last_waiting, early_count;
	int64_t kept_decl; /* declarations after it were made in this transaction */
	int fresh_persons; /* made in this transaction, not in the table yet */
	int64_t outbox_last, outbox_sent, outbox_forgotten; /* seqs */
	struct outbox_marks *delivered; /* those known to be on the bus, kept on disk with the mark */
	bool delivered_dirty[OUTBOX_TOPICS][BUS_PARTITIONS_MAX];
	struct buf outbox;          /* events of this transaction */
	int64_t outbox_first, outbox_count;
	struct pool decls, persons, subs, uses;
	struct pool links; /* all there are */
	struct map link_by_token;
	struct hold_block *held;   /* sealed identities of the cached declarations */
	struct due *waits;          /* of this transaction */
	int wait_count, wait_cap;
	struct map decl_by_no, decl_by_pid, person_by_key, sub_by_no, sub_by_id, use_by_key;
	struct stat *stats;
	int stat_count, stat_cap;
	int64_t cut_no; /* the last day cut, its day and digest */
	int cut_day;
	char cut_digest[65];
	int64_t stat_seq, stat_at; /* of the last transaction in stat_log */
	struct map stat_by_key;
	bool meta_dirty;
	bool woken; /* a copy, opened, and nothing was decided since */
	struct adopting adopting;
};
/* Bytes that live until the transaction ends; NULL when memory is out. */
struct hold_block {
	struct hold_block *next;
	size_t used, size;
	uint8_t data[];
};
uint8_t *hold_copy(struct hold_block **a, const void *p, size_t n);
void hold_clear(struct hold_block **a); /* keeps one block */
void hold_fini(struct hold_block **a);
int waiting_write(struct ledger *l, struct err *e);
/* column.c. A text or id that is not there, or does not fit, is empty, or zero and false; an empty text and no id go in as NULL, so that rows
 * stay small. */
void column_text(char *dst, size_t cap, struct str s);
bool column_id(struct id *dst, struct str s);
void column_put_text(struct stmt *q, int i, const char *z);
void column_put_id(struct stmt *q, int i, const struct id *id);
/* The bytes that q, asked by an id, gives in its first column: 1, 0 none. what: for the text of an error. */
int column_event(struct stmt *q, const struct id *key, struct buf *event, const char *what, struct err *e);
extern const struct store_kind ledger_kind;
extern const char *const ledger_sql[SQLS];
uint64_t id_key(const struct id *id); /* ids are hashes already: 8 of their bytes are a good key */
int persons_write(struct ledger *l, struct err *e);
int subs_write(struct ledger *l, struct err *e);
int plan_uses_write(struct ledger *l, struct err *e);
int decls_write(struct ledger *l, struct err *e);   /* dirty records of the cache to the tables */
int records_write(struct ledger *l, struct err *e); /* decls, persons, submissions, use of plans */
void records_clear(struct ledger *l);
/* Notes of the history that the statistics of a past moment are counted from. */
#define HISTORY_TYPED "typed"
#define HISTORY_VOIDED "attempt voided"
#define HISTORY_CLEARED "cleared"
/* A line of the history about nothing but this transaction. */
int history_mark(struct ledger *l, const char *what, struct err *e);
void decl_read(struct decl *d, struct stmt *q); /* all but the identity */  /* a row of Q_DECL_BY_NO */
void sub_read(struct submission *s, struct stmt *q);
/* ERR_SAFE where another one opened the ledger since. Only within a write transaction does the answer hold on; outside of one no other
 * statement may be open, for it would be the answer of an earlier moment. */
int still_ours(struct ledger *l, const char *unsaid, struct err *e);
int outbox_write(struct ledger *l, struct err *e);
int outbox_load(struct ledger *l, struct err *e);
int outbox_forget(struct ledger *l, struct err *e); /* what is known to be on the bus */
int stats_load(struct ledger *l, struct err *e);
/* The cells of a key as stat_log keeps them: a version, a mask of the cells that are not empty, count and sum of each of those. */
int stat_pack(struct buf *out, const struct stat *s);
int stat_unpack(struct str blob, struct stat *s); /* key stays; -1: damaged */
int stats_write(struct ledger *l, struct err *e);
int cut_load(struct ledger *l, struct err *e);
int links_load(struct ledger *l, struct err *e);
void stats_fini(struct ledger *l);
struct ledger_view;
struct store *view_store(struct ledger_view *v);
int meta_put(struct ledger *l, const char *key, int64_t v, struct err *e);
int one_int(struct store *st, const char *sql, int64_t *out, struct err *e); /* the one value of a query; 0 when there is none */
int adopted_load(struct ledger *l, struct err *e);
void adopted_payment_read(struct adopted_payment *p, struct stmt *q);
#define OP_COLS "id, kind, subject, argument, operator, approver, reason, document, state, code, decided_at, recorded_at"
#define RUN_COLS "no, id, year, from_at, to_at, started_at, ended_at, state, cursor, found, operator, why"
#define ADOPTED_COLS \
	"pid, token, sponsor, event, year, village, sponsor_type, amount_fen, attempt, enquiry, enquiry_of, instructed_at, not_after, decl"

#endif

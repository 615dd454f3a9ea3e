/* The events of the bus as C structs, one for each record of schemas/<Record>.avsc, and their encoder and decoder.
 *
 * Money is fen, dates are days since 1970-01-01, times are milliseconds since the epoch. A slice without value (p == NULL) is
 * null; opt_* carry their own presence. Decoded slices and arrays live in the codec until the next decode of that type.
 * Field names in the schemas are the member names. Only gateway/events includes avro-c. */
#ifndef QIAO_EVENTS_EVENTS_H
#define QIAO_EVENTS_EVENTS_H
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>

enum event_type {
	EV_SUBMISSION_OPENED, EV_SUBSIDY_DECLARED, EV_SUBMISSION_CLOSED, EV_GATE_DOCUMENTS, EV_SUBSIDY_PLAN, /* submissions */
	EV_OPERATION,                                                                       /* operations */
	EV_CONTRIBUTION_ENQUIRY,                                                            /* enquiries */
	EV_CONTRIBUTION_STATUS, EV_CONTRIBUTION_FEED_REACHED,                               /* contributions */
	EV_SUBSIDY_PAYMENT, EV_PAYMENT_REVERSAL, EV_PAYMENT_ENQUIRY,                        /* payments */
	EV_COLLECTION_RESULT,                                                               /* collections */
	EV_COLLECTED_SUBSIDY, EV_SUBSIDY_REFUNDED,                                          /* feedback */
	EV_ACCOUNT_CREDITED, EV_CREDIT_REFUSED, EV_ACCOUNT_DEBITED, EV_DEBIT_REFUSED,       /* credits */
	EV_COLLECTION_STATISTICS,                                                           /* statistics */
	EV_ROW_ANSWER, EV_SUBMISSION_ANSWER,                                                /* answers */
	EV_BOOK_REQUEST,                                                                    /* requests */
	EV_BOOK_OPENED, EV_BOOK_ENTRY, EV_BOOK_CLOSED,                                      /* books.<role> */
	EV_FEED_POSITION,                                                                   /* positions.<role> */
	EV_REJECTED_EVENT,                                                                  /* rejects.<role> */
	EVENT_TYPES
};
const char *event_name(enum event_type t);  /* "SubsidyPayment": record name, ce_type without namespace */
const char *event_topic(enum event_type t); /* "payments"; "positions", "rejects", "books" for those of a role */
int event_type_of(struct str name, enum event_type *t);

struct opt_long {
	bool set;
	int64_t v;
};
struct opt_id {
	bool set;
	struct id v;
};

/* ---- submissions: village -> gateway; key submission_id ---- */
struct submission_opened {
	struct id submission_id, attempt_id; /* attempt: content hash + reader version; a new attempt voids an unclosed one */
	struct str sender;    /* drop folder's name */
	struct str receipt;   /* ten digits */
	struct str roster_sha256; /* 64 hex: what covers cite */
	int32_t year;
	struct str village;   /* 12-digit code */
	int64_t received_at;
	struct str reader;    /* version of the roster reader */
};
struct ev_defect {
	struct str code, column;
};
struct subsidy_declared { /* one data row, good or bad */
	struct id submission_id, attempt_id;
	int32_t row_no;            /* line in the file as the clerk sees it, from 1 */
	struct opt_id token;       /* null: number unreadable */
	struct opt_long amount_fen;/* null: amount unreadable */
	struct str cert_kind;      /* or null */
	struct opt_long tier_fen, other_amount_fen;
	struct opt_long member;    /* 0, 1, null unknown */
	struct str identity;       /* sealed number and name; null when token is null */
	struct str cells;          /* sealed raw cells of a row with defects, else null */
	struct ev_defect *defects; /* found in its form */
	int32_t defect_count;
};
struct submission_closed {
	struct id submission_id, attempt_id;
	int32_t count;
	int64_t amount_fen;        /* sum of the readable amounts */
	struct id digest;          /* id_make-style running digest, see row_digest below */
	struct opt_long stated_total_fen; /* the roster's own total row */
};
struct ev_gate {
	struct str gate;           /* gate_code of domain/policy.h */
	int32_t date;
	struct opt_long until;     /* date; posting only */
	struct str document;       /* sha-256 of the document, 64 hex, or null */
	struct str passed_by;      /* office, or null */
	bool cites_roster;         /* the document cites this roster's digest */
	struct str result, note;   /* supervision only: signed or objected, and why; or null */
};
struct gate_documents { /* the cover of a roster; newest received_at wins */
	struct id submission_id, cover_id;
	int64_t received_at;
	int32_t year;
	struct str village;
	struct str sponsor_type;
	struct id sponsor_id;
	struct str sponsor_code;   /* unified social credit code; null for an individual */
	struct str acceptance_no;  /* the tax bureau's acceptance number, or null */
	int64_t *standards_fen;    /* of the filed plan */
	int32_t standard_count;
	struct ev_gate *gates;
	int32_t gate_count;
	struct str annex_to;       /* sha-256 of a filed roster, 64 hex: takes rows out of it or lowers them; or null */
	struct str reason, approver; /* of an annex */
};

struct ev_source {
	struct str kind;           /* collective_income, donation, government, other */
	struct str name;           /* a body, never a person; or null */
	struct opt_long amount_fen; /* a year */
};
struct subsidy_plan { /* of a sponsor, for one year or several; key plan_id; newest received_at wins */
	struct id plan_id, document_id; /* the plan; its version */
	int64_t received_at;
	struct str village, sponsor_type;
	struct id sponsor_id;
	struct str sponsor_code;
	int32_t first_year, last_year;
	struct ev_source *sources;
	int32_t source_count;
	struct str persons, timing; /* in words */
	int64_t *standards_fen;
	int32_t standard_count;
	struct opt_long heads, total_fen; /* a year, at most; null: not stated */
	struct ev_gate *gates;
	int32_t gate_count;
};

/* ---- operations ---- */
struct operation {
	struct id operation_id;
	struct str kind, subject, operator, reason, approval; /* approval: a document, or null */
	int64_t decided_at;
	struct str argument;       /* what the kind needs beside its subject, or null */
	struct str signature;      /* of operation_text by its operator (crypto/operator.h) */
};

/* ---- enquiries: gateway -> ssa; key person token ---- */
struct contribution_enquiry {
	struct id token;
	int32_t year, attempt;
	struct str identity;
};

/* ---- contributions: ssa -> gateway; key person token ---- */
struct ev_contribution {
	int32_t for_year;
	struct str kind, paid_by;
	int64_t tier_fen;
	int32_t paid_on;
	struct opt_long arrived_on, refunded_on; /* dates */
};
struct ev_outside { /* subsidies and sponsorships for a year that did not come through Qiao */
	int32_t for_year;
	int64_t amount_fen;
};
struct contribution_status {
	struct id token;
	int64_t as_of, sequence;   /* the SSA's own; the highest wins */
	struct opt_long attempt;   /* answers that enquiry; null: from the feed */
	bool insured;
	struct str insured_state;  /* AAC008: 0 1 2 4; "drawing" for (1,3) */
	struct opt_long pension_start; /* date */
	struct ev_contribution *entries;
	int32_t entry_count;
	struct ev_outside *outside;
	int32_t outside_count;
};
struct contribution_feed_reached {
	int64_t as_of;             /* everything up to then has been published */
	struct str cursor;
};

/* ---- payments: gateway -> tax; key person token ---- */
struct subsidy_payment {
	struct id payment_id;
	int32_t attempt;           /* 1, 2, ...: instructed again after the bureau said it never came */
	int32_t year;
	struct str village, sponsor_type;
	struct id sponsor_id;
	struct str sponsor_code;   /* or null */
	struct id token;
	struct str identity;       /* sealed */
	int64_t amount_fen;
	int64_t instructed_at, not_after; /* times */
	bool ask_first;            /* may have been sent in a history that was lost: ask by id before sending */
};
struct payment_reversal {
	struct id reversal_id, payment_id;
	struct str receipt, reason;
	int64_t amount_fen;
	int32_t attempt;           /* 1, 2, ... as of a payment */
	int64_t requested_at;      /* time of the first attempt */
	bool ask_first;            /* as of a payment */
};
struct payment_enquiry {
	struct id payment_id;
	int32_t attempt;           /* of the enquiry */
	int32_t payment_attempt;   /* or of the reversal */
	struct opt_id reversal_id; /* what it asks about; none: the payment */
};

/* ---- collections: tax -> gateway; key payment id ---- */
struct collection_result {
	struct id payment_id;
	/* accepted, paid, in_treasury, failed, in_doubt, unknown, refunded, too_late; of a reversal refund_requested,
	 * refund_refused, refund_in_doubt, refund_unknown, refunded */
	struct str state;
	struct str reason;         /* failed: reason code; in_doubt: what happened */
	struct str receipt;        /* electronic tax receipt number, AAD009 */
	struct opt_long amount_fen;
	int64_t at;                /* effective, the bureau's clock; for in_doubt and unknown ours */
	int64_t sequence;          /* the bureau's own, 0 for our in_doubt, unknown, too_late */
	int32_t attempt;           /* payment attempt or, for unknown, enquiry attempt it answers; 0 from the feed */
	struct str batch;          /* or null */
	struct opt_id reversal_id; /* the reversal that it is about, or none */
};

/* ---- feedback: gateway -> SSA; key person token ---- */
struct collected_subsidy {
	struct id payment_id, token;
	struct str identity;
	int32_t year, version;
	struct str village, sponsor_type;
	int64_t amount_fen;
	struct str receipt;
	int64_t paid_at, in_treasury_at;
};
struct subsidy_refunded {
	struct id payment_id, token;
	struct str identity;
	int32_t year, version;
	struct str village, sponsor_type;
	int64_t amount_fen;
	struct str receipt;        /* of the original */
	int64_t refunded_at;
};

/* ---- credits: ssa -> gateway; key payment id; four records of the same form ---- */
struct credit_result {
	struct id payment_id;
	int64_t amount_fen, at, sequence;
	struct str reason;         /* refusals; or null */
};

/* ---- statistics: gateway -> SSA; key "<year>/<village>/<sponsor_type>"; compacted, highest version wins ---- */
struct ev_stat {
	struct str column;         /* stat_column_code */
	int64_t count, amount_fen;
};
struct collection_statistics {
	int32_t year;
	struct str village, sponsor_type;
	int64_t version;
	int64_t as_of;
	int64_t declared_count, declared_fen, collected_count, collected_fen, kept_count, kept_fen;
	struct ev_stat *columns;
	int32_t column_count;
};

/* ---- answers: gateway -> village; key submission id ---- */
struct row_answer {
	struct id submission_id;
	int32_t row_no, version;   /* the highest version is the current answer */
	struct str result;         /* accepted, mend, waiting, done, stopped: what the clerk's column says */
	struct str code;           /* reason or state code with texts in base/text.h */
	struct str column;         /* column_code the reason is about, or null */
	struct str detail;         /* argument {0} of the text: e.g. remaining room in yuan, the first row's receipt and row */
	struct str warning;        /* amount_not_advised ..., or null */
	bool final;
	struct opt_long amount_fen;
	struct opt_id payment_id;
};
struct submission_answer {
	struct id submission_id;
	struct str receipt;
	int32_t version;
	struct str state;          /* incomplete, checked, waiting, held, refused, filed, final */
	struct str code;           /* why it waits or was refused, or null */
	struct str detail;         /* gate code or other argument, or null */
	int32_t rows, accepted, mend, waiting, done; /* rows = accepted + mend + waiting; done of accepted are credited */
	int64_t amount_fen, accepted_fen, done_fen;
	struct opt_long deadline;  /* date by when the next step must happen */
	bool final;
};

/* ---- requests, books.<role> ---- */
struct book_request {
	struct id run_id;
	struct str system, kind;   /* tax|ssa; book|plan */
	int32_t year;
	int64_t from, to;
};
struct book_opened {
	struct id run_id;
	int64_t from, to;
	int64_t attempt;           /* random; a new one voids what an unclosed one brought */
};
struct book_entry {
	struct id run_id;
	struct opt_id payment_id, token;
	int64_t amount_fen, at;
	struct str state, receipt;
	int64_t attempt, seq;      /* seq: from 1 without gaps */
};
struct book_closed {
	struct id run_id;
	int64_t count, amount_fen; /* as the outside system states them */
	int64_t attempt, as_of;
};

/* ---- positions.<role>: key feed ---- */
struct feed_position {
	struct str feed, cursor;
	int64_t as_of;
};

/* ---- rejects.<role>: key topic + position ---- */
struct rejected_event {
	struct str topic;
	int32_t partition;
	int64_t offset;
	struct id event_id;
	struct str event_type, reason, detail; /* reason: undecodable, unknown_schema, unknown_type, same_id_other_content, refused, ... */
	struct str bytes;
	int64_t at;
};

/* ---- codec ---- */
#define EVENT_TEXT_MAX 4096           /* bytes of one text */
#define EVENT_BYTES_MAX (1024 * 1024) /* of one field of bytes; who writes a RejectedEvent cuts */
struct codec; /* schemas, classes and values cached; one thread */

/* Schemas are compiled into the program (pinned). Also takes every *.avsc of more_schemas (NULL = none): what other versions
 * of the programs write. ERR_CONF when one does not parse or maps badly. */
int codec_open(struct codec **out, const char *more_schemas, struct err *e);
void codec_close(struct codec *c);
/* Knows a further writer's schema of a record by its text. */
int codec_add_schema(struct codec *c, struct str avsc, struct err *e);

/* Appends the single-object encoding (C3 01, CRC-64-AVRO fingerprint little endian, body) of *event, a struct of the type's kind;
 * with a schema registry that of framing.h, and then also fails as its id_of does.
 * ERR_PERM when a value cannot be encoded (text not UTF-8 or longer than its bound, a text that may not be null without
 * value) or out->max is reached; ERR_TEMP out of memory. On failure out is what it was. */
int codec_encode(struct codec *c, enum event_type t, const void *event, struct buf *out, struct err *e);
/* Decodes bytes from the bus into *event: bounded check first (lengths, items, depth, enum range, trailing bytes), then avro-c
 * with the writer's schema, then our mapping by name with defaults. ERR_PERM when it does not decode; text begins with
 * "unknown_schema" or "undecodable". ERR_TEMP out of memory, or what mark_of of framing.h says. Never crashes, never allocates
 * more than the bytes warrant. */
int codec_decode(struct codec *c, enum event_type t, struct str bytes, void *event, struct err *e);

/* The digest that SubmissionClosed carries: over the canonical plain fields of each row in order, so that the gateway can tell
 * that it holds exactly what the adapter sent. Running value in *d, zero at the start. */
void row_digest(struct id *d, const struct subsidy_declared *row);

/* Appends what the signature of an operation is over: a head line and every field but the signature, each as its length, a colon, its
 * bytes and a newline. ERR_TEMP when out is full. */
int operation_text(struct buf *out, const struct operation *o, struct err *e);

/* Parsing canonical form and fingerprint of a schema text (Avro specification), tested against fastavro's. */
int schema_canonical(struct str avsc, struct buf *out, struct err *e);
int schema_fingerprint(struct str avsc, uint64_t *crc64, struct err *e);

#endif

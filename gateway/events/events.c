/* Names, topics and the digest of rows: what of the events needs no codec. */
#include "events/events.h"
#include "crypto/digest.h"
#include "events/types.h"

const char *event_name(enum event_type t)
{
	const struct shape *s = shape_of(t);

	return s ? s->name : "unknown";
}

const char *event_topic(enum event_type t)
{
	/* In the order of the enum: up to and with the type, the topic. */
	static const struct {
		enum event_type last;
		const char *topic;
	} topics[] = {
		{EV_SUBSIDY_PLAN, "submissions"},
		{EV_OPERATION, "operations"},
		{EV_CONTRIBUTION_ENQUIRY, "enquiries"},
		{EV_CONTRIBUTION_FEED_REACHED, "contributions"},
		{EV_PAYMENT_ENQUIRY, "payments"},
		{EV_COLLECTION_RESULT, "collections"},
		{EV_SUBSIDY_REFUNDED, "feedback"},
		{EV_DEBIT_REFUSED, "credits"},
		{EV_COLLECTION_STATISTICS, "statistics"},
		{EV_SUBMISSION_ANSWER, "answers"},
		{EV_BOOK_REQUEST, "requests"},
		{EV_BOOK_CLOSED, "books"},
		{EV_FEED_POSITION, "positions"},
		{EV_REJECTED_EVENT, "rejects"},
	};
	size_t i = 0;

	while (i < sizeof topics / sizeof topics[0] - 1 && topics[i].last < t)
		i++;
	return topics[i].topic;
}

int event_type_of(struct str name, enum event_type *t)
{
	for (enum event_type i = 0; i < EVENT_TYPES; i++) {
		if (str_is(name, event_name(i))) {
			*t = i;
			return 0;
		}
	}
	return -1;
}

/* A part that says whether there is a value, then the value: 9 bytes. */
static struct str put_opt(uint8_t out[9], const struct opt_long *o)
{
	out[0] = o->set;
	for (int i = 0; i < 8; i++)
		out[1 + i] = o->set ? (uint8_t)((uint64_t)o->v >> 8 * i) : 0;
	return (struct str){(const char *)out, 9};
}

/* Left out: what is sealed (each sealing has a nonce of its own, so that a repeat differs) and
 * the attempt (the same rows read again are the same rows). A text without value is told from an
 * empty one by the byte before it. */
void row_digest(struct id *d, const struct subsidy_declared *row)
{
	const struct opt_long row_no = {true, row->row_no};
	const struct opt_long defect_count = {true, row->defect_count};
	struct id before = *d;
	uint8_t numbers[6][9];
	struct str parts[] = {
		STR("row"),
		{(const char *)before.b, ID_LEN},
		{(const char *)row->submission_id.b, ID_LEN},
		{(const char *)row->token.v.b, row->token.set ? ID_LEN : 0},
		put_opt(numbers[0], &row_no),
		put_opt(numbers[1], &row->amount_fen),
		put_opt(numbers[2], &row->tier_fen),
		put_opt(numbers[3], &row->other_amount_fen),
		put_opt(numbers[4], &row->member),
		put_opt(numbers[5], &defect_count),
		row->cert_kind.p ? STR("+") : STR("-"),
		row->cert_kind,
	};

	id_make(d, parts, sizeof parts / sizeof parts[0]);
	for (int32_t i = 0; i < row->defect_count; i++) {
		const struct ev_defect *f = &row->defects[i];
		struct str more[] = {
			STR("defect"), {(const char *)before.b, ID_LEN},
			f->code,       f->column.p ? STR("+") : STR("-"),
			f->column,
		};

		before = *d;
		id_make(d, more, sizeof more / sizeof more[0]);
	}
}

/* The SSA's feed of credits and debits to the personal accounts, and of those that it refused. */
#include "adapters/ssa/ssa.h"
#include "crypto/ids.h"
#include <string.h>

enum { WORD_MAX = 40 };
#define AMOUNT_MAX INT64_C(1000000000000000)

static int publish(struct ssa *s, const json_t *entry, struct err *e);
static int reject(struct ssa *s, const json_t *entry, struct err *e);
static struct str reason_code(struct str word);

int credits_turn(void *arg, int64_t *wait_ms, struct err *e)
{
	struct ssa *s = arg;
	struct page page;

	if (!s->leads) {
		*wait_ms = FEED_IDLE_MS;
		return 0;
	}
	if (!feed_fetch(&s->credits, &page, wait_ms))
		return 0;
	for (size_t i = 0; i < page.count; i++) {
		const json_t *entry = json_array_get(page.entries, i);
		int rc;

		TALLY(C_CREDITS);
		rc = publish(s, entry, e);
		if (rc == 0)
			rc = reject(s, entry, e);
		if (rc < 0) {
			page_free(&page);
			return -1;
		}
	}
	return feed_done(&s->credits, &page, wait_ms, e);
}

/* 1 published, 0 not readable, -1 error. */
static int publish(struct ssa *s, const json_t *entry, struct err *e)
{
	static const struct {
		const char *word;
		enum event_type type;
		bool refusal;
	} results[] = {
		{"credited", EV_ACCOUNT_CREDITED, false},
		{"credit_refused", EV_CREDIT_REFUSED, true},
		{"debited", EV_ACCOUNT_DEBITED, false},
		{"debit_refused", EV_DEBIT_REFUSED, true},
	};
	struct credit_result r = {0};
	struct err why = {0};
	char hex[ID_HEX];
	struct str word, reason;
	struct id id;
	int i = 0;

	if (jsonin_id(entry, "payment_id", &r.payment_id) != 0 ||
	    jsonin_str(entry, "result", WORD_MAX, &word) != 0 ||
	    jsonin_int(entry, "sequence", 1, INT64_MAX, &r.sequence) != 0 ||
	    jsonin_time(entry, "at", &r.at) != 0 ||
	    jsonin_int(entry, "amount_fen", 0, AMOUNT_MAX, &r.amount_fen) != 0 ||
	    jsonin_str_or_null(entry, "reason", WORD_MAX, &reason) != 0)
		return 0;
	while (i < 4 && !str_is(word, results[i].word))
		i++;
	if (i == 4)
		return 0;
	if (results[i].refusal)
		r.reason = reason_code(reason);
	outside_id(&id, str_of(event_name(results[i].type)), STR("ssa"),
		   str_of(id_hex(&r.payment_id, hex)), r.sequence);
	if (adapter_publish(&s->adapter, results[i].type, &r,
			    (struct str){(const char *)r.payment_id.b, ID_LEN}, &id, &r.payment_id,
			    &why) == 0)
		return 1;
	if (why.class == ERR_PERM)
		return 0;
	*e = why;
	return -1;
}

/* The SSA's words that have a text of ours; any other is a refusal without particulars. */
static struct str reason_code(struct str word)
{
	static const struct {
		const char *word, *code;
	} known[] = {
		{"account_closed", "ssa_account_closed"},
		{"account_frozen", "ssa_account_frozen"},
		{"unknown_person", "ssa_unknown_person"},
		{"malformed", "ssa_malformed"},
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (word.p && str_is(word, known[i].word))
			return str_of(known[i].code);
	}
	return STR("ssa_refused");
}

static int reject(struct ssa *s, const json_t *entry, struct err *e)
{
	static const char *const shown[] = {"sequence", "payment_id", "result",
					    "reason",	"amount_fen", "at"};
	struct jsonout text;
	int64_t sequence = -1;
	int rc;

	TALLY(C_CREDITS_REJECTED);
	jsonin_int(entry, "sequence", 0, INT64_MAX, &sequence);
	jsonout_init(&text, 4096);
	jsonin_show(entry, shown, sizeof shown / sizeof shown[0], &text);
	rc = adapter_reject_entry(&s->adapter, "ssa/credits", sequence, "unreadable_entry",
				  jsonout_text(&text), e);
	jsonout_fini(&text);
	return rc;
}

/* jansson reads it, this file checks it: one function a key, each mistake a line with its JSON
 * path. Texts are borrowed from the JSON tree, which therefore lives as long as the cover.
 * Nothing is taken over silently: an unknown key is a mistake, a number with a decimal point is
 * no amount. */
#include "adapters/village/check.h"
#include "base/date.h"
#include "base/text.h"
#include "crypto/ids.h"
#include "domain/citizen_id.h"
#include "domain/money.h"
#include <stdio.h>
#include <string.h>

enum { COVER_VERSION = 1, TEXT_CHARACTERS_MAX = 200 };

static void check_annex(struct check *c, const json_t *root);
static void check_year(struct check *c, const json_t *root);
static void check_individual(struct check *c, const json_t *sponsor);
static void check_gate(struct check *c, const char *path, const json_t *g, struct ev_gate *out);
static void check_word_of_supervision(struct check *c, const char *path, const json_t *g,
				      enum gate gate, struct ev_gate *out);
static bool check_date(struct check *c, const char *path, const char *key, const json_t *v,
		       bool future, int *day);
static bool check_sha256(struct check *c, const char *path, const json_t *v, struct str *out);

/* Goes on after each mistake: a clerk should not have to send five times to learn of five. */
void check_complain(struct check *c, const char *code, const char *path, const char *key)
{
	const char *cure;
	char cure_code[80];

	if (c->first == NULL)
		c->first = code;
	snprintf(cure_code, sizeof cure_code, "%s.cure", code);
	cure = text_get(cure_code, LANG_ZH);
	/* A full buffer keeps what fits: the first mistakes. */
	buf_printf(c->wrong, "%s%s：%s%s%s\n", path, key, text_or_code(code, LANG_ZH),
		   cure ? "。处理办法：" : "", cure ? cure : "");
}

static struct str text_of(const json_t *v)
{
	return (struct str){json_string_value(v), json_string_length(v)};
}

int cover_parse(struct cover *cover, struct str json, const struct reference *ref, int today,
		struct buf *wrong, const char **code)
{
	static const char *const keys[] = {"cover",	    "roster_sha256", "year",
					   "village",	    "sponsor",	     "standards_yuan",
					   "acceptance_no", "gates",	     "annex_to",
					   "reason",	    "approver",	     NULL};
	struct check c = {cover, ref, today, wrong, NULL};
	json_error_t where;
	json_t *root;
	struct str sha256;

	memset(cover, 0, sizeof *cover);
	if (json.n >= 3 && memcmp(json.p, "\xEF\xBB\xBF", 3) == 0)
		json = (struct str){json.p + 3, json.n - 3};
	root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &where);
	cover->json = root;
	if (!json_is_object(root)) {
		char line[32];

		snprintf(line, sizeof line, "第 %d 行", root ? 1 : where.line);
		check_complain(&c, "cover_not_json", line, "");
		goto out;
	}
	if (json_object_get(root, "plan") && !json_object_get(root, "cover")) {
		check_plan(&c, root);
		goto out;
	}
	check_keys(&c, "", root, keys);
	if (json_integer_value(json_object_get(root, "cover")) != COVER_VERSION)
		check_complain(&c, "cover_version", "", "cover");
	if (!json_is_string(json_object_get(root, "roster_sha256")))
		check_complain(&c, "cover_digest", "", "roster_sha256");
	else if (check_sha256(&c, "roster_sha256", json_object_get(root, "roster_sha256"), &sha256))
		str_copy(cover->roster_sha256, sizeof cover->roster_sha256, sha256);
	check_year(&c, root);
	check_village(&c, root);
	check_sponsor(&c, json_object_get(root, "sponsor"));
	check_standards(&c, json_object_get(root, "standards_yuan"));
	check_short(&c, "", "acceptance_no", json_object_get(root, "acceptance_no"),
		   &cover->event.acceptance_no);
	check_gates(&c, json_object_get(root, "gates"));
	check_annex(&c, root);
out:
	if (c.first == NULL)
		return 0;
	*code = c.first;
	cover_close(cover);
	return -1;
}

/* */
static void check_annex(struct check *c, const json_t *root)
{
	const json_t *to = json_object_get(root, "annex_to");
	struct gate_documents *ev = &c->cover->event;

	check_short(c, "", "reason", json_object_get(root, "reason"), &ev->reason);
	check_short(c, "", "approver", json_object_get(root, "approver"), &ev->approver);
	if (to == NULL || json_is_null(to)) {
		if (ev->reason.p || ev->approver.p)
			check_complain(c, "cover_annex", "", "annex_to");
		return;
	}
	check_sha256(c, "annex_to", to, &ev->annex_to);
	if (ev->reason.n == 0 || ev->approver.n == 0)
		check_complain(c, "cover_annex", "", ev->reason.n == 0 ? "reason" : "approver");
}

void cover_sponsor(struct cover *c, struct keyring *keys)
{
	struct id token;
	struct str who = c->event.sponsor_code;

	if (c->individual) {
		token_of(keys, str_of(c->number), &token);
		who = (struct str){(char *)token.b, ID_LEN};
	}
	sponsor_id(&c->event.sponsor_id, c->event.sponsor_type, who);
}

void cover_close(struct cover *c)
{
	json_decref(c->json);
	explicit_bzero(c, sizeof *c);
}

/* A key that we do not know is a slip of the pen, and what it meant to say would be missing. */
void check_keys(struct check *c, const char *path, const json_t *o, const char *const *keys)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)o, key, v)
	{
		char shown[64];
		int i = 0;

		while (keys[i] && strcmp(keys[i], key) != 0)
			i++;
		if (keys[i])
			continue;
		snprintf(shown, sizeof shown, "%.*s", (int)utf8_cut(key, strnlen(key, 60)), key);
		check_complain(c, "cover_key_unknown", path, shown);
	}
}

static void check_year(struct check *c, const json_t *root)
{
	const json_t *v = json_object_get(root, "year");
	json_int_t year = json_integer_value(v);

	if (!json_is_integer(v) || year < 1900 || year > 2200)
		check_complain(c, "cover_year", "", "year");
	else if (reference_policy(c->ref, (int)year) == NULL)
		check_complain(c, "cover_year_unknown", "", "year");
	c->cover->event.year = (int32_t)(year >= 0 && year <= 9999 ? year : 0);
}

void check_village(struct check *c, const json_t *root)
{
	const json_t *v = json_object_get(root, "village");
	const char *why = "village_unknown";
	const struct village *at = NULL;
	struct buf candidates;

	buf_init(&candidates, 2000);
	if (json_is_string(v))
		at = village_find(&c->ref->villages, STR(""), text_of(v), &why, &candidates);
	if (at)
		c->cover->event.village = str_of(at->code);
	else
		check_complain(c, why, "", "village");
	if (at == NULL && candidates.len > 0)
		buf_printf(c->wrong, "　　可选：%.*s\n", (int)candidates.len, candidates.data);
	buf_fini(&candidates);
}

/* Which keys are allowed depends on the type, so an unknown type ends this part. R-01 */
void check_sponsor(struct check *c, const json_t *sponsor)
{
	static const char *const keys[] = {"type", "code", "name", NULL};
	struct gate_documents *ev = &c->cover->event;
	enum sponsor_type type;
	const char *why;
	struct str ignored;

	if (!json_is_object(sponsor)) {
		check_complain(c, "cover_sponsor", "", "sponsor");
		return;
	}
	if (!json_is_string(json_object_get(sponsor, "type")) ||
	    sponsor_type_of(text_of(json_object_get(sponsor, "type")), &type) < 0) {
		check_complain(c, "cover_sponsor_unknown", "sponsor.", "type");
		return;
	}
	ev->sponsor_type = str_of(sponsor_type_code(type));
	if (type == SPONSOR_INDIVIDUAL) {
		check_individual(c, sponsor);
		return;
	}
	check_keys(c, "sponsor.", sponsor, keys);
	check_short(c, "sponsor.", "name", json_object_get(sponsor, "name"), &ignored);
	ev->sponsor_code = text_of(json_object_get(sponsor, "code"));
	why = credit_code_check(ev->sponsor_code.p ? ev->sponsor_code : STR(""));
	if (why)
		check_complain(c, why, "sponsor.", "code");
}

/* Name and number stay here: the number becomes a token, the name is read by nobody but the
 * check. */
static void check_individual(struct check *c, const json_t *sponsor)
{
	static const char *const keys[] = {"type", "id_number", "name", NULL};
	const json_t *v = json_object_get(sponsor, "id_number");
	const char *why = "id_missing";
	struct str name;

	c->cover->individual = true;
	check_keys(c, "sponsor.", sponsor, keys);
	if (json_is_string(v)) {
		why = "id_length";
		if (citizen_id_normalise(text_of(v), c->cover->number, sizeof c->cover->number) ==
		    0)
			why = citizen_id_check(str_of(c->cover->number), c->today);
	}
	if (why)
		check_complain(c, why, "sponsor.", "id_number");
	if (check_short(c, "sponsor.", "name", json_object_get(sponsor, "name"), &name) &&
	    name.n == 0)
		check_complain(c, "name_missing", "sponsor.", "name");
}

/* JSON's own fractions are binary and no money. */
bool check_money(struct check *c, const char *path, const json_t *v, int64_t *fen)
{
	const char *why = "amount_not_a_number";
	char digits[32];

	if (json_is_string(v)) {
		why = money_parse(text_of(v), fen);
	} else if (json_is_integer(v)) {
		snprintf(digits, sizeof digits, "%lld", (long long)json_integer_value(v));
		why = money_parse(str_of(digits), fen);
	}
	if (why)
		check_complain(c, why, path, "");
	return why == NULL;
}

void check_standards(struct check *c, const json_t *list)
{
	size_t count = json_array_size(list);

	if (list == NULL || json_is_null(list))
		return;
	if (!json_is_array(list) || count > POLICY_AMOUNTS_MAX) {
		check_complain(c, "cover_standards", "", "standards_yuan");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		char path[40];

		snprintf(path, sizeof path, "standards_yuan[%zu]", i);
		check_money(c, path, json_array_get(list, i), &c->cover->standards_fen[i]);
	}
	c->cover->event.standards_fen = c->cover->standards_fen;
	c->cover->event.standard_count = (int32_t)count;
}

/* A gate that is named twice would have two dates, and which one counts nobody could say. */
void check_gates(struct check *c, const json_t *list)
{
	size_t count = json_array_size(list);
	bool seen[GATES] = {false};
	enum gate gate;

	if (!json_is_array(list) || count > COVER_GATES_MAX) {
		check_complain(c, "cover_gates", "", "gates");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const json_t *g = json_array_get(list, i);
		char path[40];

		snprintf(path, sizeof path, "gates[%zu].", i);
		if (!json_is_object(g)) {
			check_complain(c, "cover_gate", path, "");
			continue;
		}
		check_gate(c, path, g, &c->cover->gates[i]);
		if (gate_of(c->cover->gates[i].gate, &gate) < 0)
			continue;
		if (seen[gate])
			check_complain(c, "cover_gate_twice", path, "gate");
		seen[gate] = true;
	}
	c->cover->event.gates = c->cover->gates;
	c->cover->event.gate_count = (int32_t)count;
}

static void check_gate(struct check *c, const char *path, const json_t *g, struct ev_gate *out)
{
	static const char *const keys[] = {"gate", "date",	   "until",  "document_sha256",
					   "by",   "cites_roster", "result", "note",
					   NULL};
	const json_t *name = json_object_get(g, "gate"), *until = json_object_get(g, "until"),
		     *document = json_object_get(g, "document_sha256"),
		     *cites = json_object_get(g, "cites_roster");
	enum gate gate = GATES;
	char at[60];
	int day = 0;

	check_keys(c, path, g, keys);
	out->gate = STR("");
	if (!json_is_string(name) || gate_of(text_of(name), &gate) < 0)
		check_complain(c, "cover_gate_unknown", path, "gate");
	else
		out->gate = str_of(gate_code(gate));
	if (check_date(c, path, "date", json_object_get(g, "date"), true, &day))
		out->date = day;
	if (until && !json_is_null(until)) {
		if (gate != GATES && gate != GATE_POSTING && gate != GATE_PLAN_POSTED)
			check_complain(c, "cover_until", path, "until");
		else if (check_date(c, path, "until", until, true, &day))
			out->until = (struct opt_long){true, day};
	}
	snprintf(at, sizeof at, "%sdocument_sha256", path);
	if (document && !json_is_null(document))
		check_sha256(c, at, document, &out->document);
	check_short(c, path, "by", json_object_get(g, "by"), &out->passed_by);
	if (cites && !json_is_boolean(cites))
		check_complain(c, "cover_boolean", path, "cites_roster");
	out->cites_roster = json_is_true(cites);
	check_word_of_supervision(c, path, g, gate, out);
}

static void check_word_of_supervision(struct check *c, const char *path, const json_t *g,
				      enum gate gate, struct ev_gate *out)
{
	const json_t *result = json_object_get(g, "result"), *note = json_object_get(g, "note");
	const char *word = json_string_value(result);

	if (gate != GATE_SUPERVISION) {
		if (result || note)
			check_complain(c, "cover_key_unknown", path, result ? "result" : "note");
		return;
	}
	if (!word || (strcmp(word, "signed") != 0 && strcmp(word, "objected") != 0))
		check_complain(c, "cover_supervision", path, "result");
	else
		out->result = text_of(result);
	check_short(c, path, "note", note, &out->note);
}

static bool check_date(struct check *c, const char *path, const char *key, const json_t *v,
		       bool future, int *day)
{
	if (json_is_string(v) && date_parse(text_of(v), day) == 0 && (future || *day <= c->today))
		return true;
	check_complain(c, "cover_date", path, key);
	return false;
}

static bool check_sha256(struct check *c, const char *path, const json_t *v, struct str *out)
{
	uint8_t digest[SHA256_LEN];
	struct str s = json_is_string(v) ? text_of(v) : STR("");

	if (hex_get(digest, sizeof digest, s) == 0) {
		*out = s;
		return true;
	}
	check_complain(c, "cover_digest", path, "");
	return false;
}

bool check_short(struct check *c, const char *path, const char *key, const json_t *v,
		struct str *out)
{
	struct str rest = json_is_string(v) ? text_of(v) : STR("");
	int characters = 0;
	uint32_t cp;

	*out = (struct str){NULL, 0};
	if (v == NULL || json_is_null(v))
		return true;
	while (utf8_next(&rest, &cp) == 1)
		characters++;
	if (json_is_string(v) && characters <= TEXT_CHARACTERS_MAX) {
		*out = text_of(v);
		return true;
	}
	check_complain(c, "cover_text", path, key);
	return false;
}

bool cover_is_plan(struct str json)
{
	json_error_t where;
	json_t *root;
	bool is;

	if (json.n >= 3 && memcmp(json.p, "\xEF\xBB\xBF", 3) == 0)
		json = (struct str){json.p + 3, json.n - 3};
	root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, &where);
	is = json_object_get(root, "plan") && !json_object_get(root, "cover");
	json_decref(root);
	return is;
}

#include "tests/lib/planted.h"
#include "tests/lib/findings.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 64 << 20, FINDINGS_MAX = 200000, NAMED_MAX = 10 };

static const struct {
	const char *kind, *of_tax, *of_ssa;
	bool unheard;
} fates[] = {
	{"no_paid", NULL, NULL, true},
	{"reordered", NULL, NULL, true},
	{"older", NULL, NULL, false},
	{"two_receipts", "other_receipt", NULL, false},
	{"other_amount", "other_amount", "other_amount", true},
	{"refused_after", "failed", "credit_refused", false},
	{"other_year", "other_year", NULL, true},
	{"stranger", "stranger", "stranger", false},
	{"garbage", "rejects", "rejects", false},
	{"debited", NULL, "debited", false},
};

/* kind,subject,what */
static int read_line(struct planted *p, bool tax, char *line, struct err *e)
{
	char *subject = strchr(line, ','), *what = subject ? strchr(subject + 1, ',') : NULL;
	size_t k = 0;

	if (!what)
		return err_set(e, ERR_PERM, "planted: a line is not understood");
	*subject++ = *what++ = '\0';
	while (k < sizeof fates / sizeof fates[0] && strcmp(fates[k].kind, line) != 0)
		k++;
	if (k == sizeof fates / sizeof fates[0])
		return err_set(e, ERR_PERM, "planted: nobody knows what becomes of %s", line);
	*p = (struct planted){.tax = tax, .becomes = tax ? fates[k].of_tax : fates[k].of_ssa, .unheard = tax && fates[k].unheard};
	snprintf(p->kind, sizeof p->kind, "%s", line);
	if (strlen(subject) == 2 * ID_LEN && id_parse(&p->payment, str_of(subject)) < 0)
		return err_set(e, ERR_PERM, "planted: a subject is not understood");
	return 0;
}

static int read_list(struct planted_list *l, bool tax, char *text, struct err *e)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);

	while (line && (line = strtok_r(NULL, "\n", &save)) != NULL)
		if (read_line(&l->at[l->count++], tax, line, e) < 0)
			return -1;
	return 0;
}

static int lines_in(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int planted_read(struct planted_list *l, struct world *w, struct err *e)
{
	struct buf out;
	int rc = 0;

	*l = (struct planted_list){NULL, 0};
	buf_init(&out, OUT_MAX);
	for (int tax = 0; rc == 0 && tax < 2; tax++) {
		char book[512];
		const char *args[] = {"--book", world_path(w, book, tax ? "agencies/tax.db" : "agencies/ssa.db"), "--planted", "csv", NULL};
		struct planted *more;

		if (world_run(w, &out, part_name(tax ? SIM_TAX : SIM_SSA), args) != 0 || !buf_text(&out)) {
			rc = err_set(e, ERR_TEMP, "%s --planted failed", part_name(tax ? SIM_TAX : SIM_SSA));
			break;
		}
		more = realloc(l->at, sizeof *more * (size_t)(l->count + lines_in((char *)out.data) + 1));
		if (!more) {
			rc = err_set(e, ERR_TEMP, "planted: no memory");
			break;
		}
		l->at = more;
		rc = read_list(l, tax, (char *)out.data, e);
	}
	buf_fini(&out);
	if (rc < 0)
		planted_free(l);
	return rc;
}

void planted_free(struct planted_list *l)
{
	free(l->at);
	*l = (struct planted_list){NULL, 0};
}

int planted_add(struct planted_list *l, const struct id *payment, const char *kind, const char *becomes, struct err *e)
{
	struct planted *more = realloc(l->at, sizeof *more * (size_t)(l->count + 1));

	if (!more)
		return err_set(e, ERR_TEMP, "planted: no memory");
	l->at = more;
	l->at[l->count] = (struct planted){.payment = *payment, .becomes = becomes};
	snprintf(l->at[l->count++].kind, sizeof more->kind, "%s", kind);
	return 0;
}

int planted_unheard(const struct planted_list *l)
{
	int n = 0;

	for (int i = 0; i < l->count; i++)
		n += l->at[i].unheard;
	return n;
}

/* ---- finding ---- */

static int by_payment(const void *a, const void *b)
{
	const struct planted *x = a, *y = b;

	return memcmp(x->payment.b, y->payment.b, ID_LEN);
}

void planted_sort(struct planted_list *l)
{
	if (l->count)
		qsort(l->at, (size_t)l->count, sizeof *l->at, by_payment);
}

/* The first of that payment, or where it would stand. */
static int place_of(const struct planted_list *l, const struct id *payment)
{
	int from = 0, to = l->count;

	while (from < to) {
		int mid = from + (to - from) / 2;

		if (memcmp(l->at[mid].payment.b, payment->b, ID_LEN) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool planted_unheard_of(const struct planted_list *l, const struct id *payment)
{
	for (int i = place_of(l, payment); i < l->count && id_eq(&l->at[i].payment, payment); i++)
		if (l->at[i].unheard)
			return true;
	return false;
}

/* Marks all of that payment and kind; false: there is none. */
static bool mark(struct planted_list *l, const struct finding *f)
{
	int from = place_of(l, &f->payment);
	bool any = false;

	for (; from < l->count && id_eq(&l->at[from].payment, &f->payment); from++)
		if (l->at[from].becomes && strcmp(l->at[from].becomes, f->kind) == 0)
			any = l->at[from].found = true;
	return any;
}

/* The different rejects, by what they are about: a page of a feed that is read again brings them again. */
static int count_rejects(struct world *w, const char *type, bool of_type)
{
	struct buf text;
	json_t *list, *seen = json_object();
	int n;

	buf_init(&text, OUT_MAX);
	world_qiao(w, &text, "--format", "json", "rejects", NULL);
	list = json_loads(buf_text(&text) ? (const char *)text.data : "", 0, NULL);
	buf_fini(&text);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);
		const char *topic = json_string_value(json_object_get(r, "topic")), *is = json_string_value(json_object_get(r, "event_type"));
		char key[120];

		snprintf(key, sizeof key, "%s %lld %lld", topic ? topic : "?", (long long)json_integer_value(json_object_get(r, "partition")),
			 (long long)json_integer_value(json_object_get(r, "event_offset")));
		if ((is && strcmp(is, type) == 0) == of_type)
			json_object_set_new(seen, key, json_true());
	}
	n = (int)json_object_size(seen);
	json_decref(seen);
	json_decref(list);
	return n;
}

int planted_other_rejects(struct world *w)
{
	return count_rejects(w, "feed entry", false);
}

/* They stand with the bytes of the feed, not with a payment: as many as were planted account for them. */
static int mark_rejects(struct planted_list *l, struct world *w, FILE *out)
{
	int n = count_rejects(w, "feed entry", true);

	for (int i = 0; i < l->count && n > 0; i++)
		if (l->at[i].becomes && strcmp(l->at[i].becomes, "rejects") == 0) {
			l->at[i].found = true;
			n--;
		}
	if (n > 0)
		fprintf(out, "%d entries of feeds more than were planted could not be read\n", n);
	return n;
}

int planted_find(struct planted_list *l, struct world *w, FILE *out, struct err *e)
{
	struct finding *found = calloc(FINDINGS_MAX, sizeof *found);
	char path[512], hex[ID_HEX];
	int n, strange = 0;

	if (!found)
		return err_set(e, ERR_TEMP, "planted: no memory");
	n = findings_read(world_path(w, path, "data/gateway/ledger.db"), found, FINDINGS_MAX, e);
	planted_sort(l);
	for (int i = 0; i < l->count; i++)
		l->at[i].found = l->at[i].becomes == NULL;
	for (int i = 0; i < n; i++)
		if (!mark(l, &found[i]) && strange++ < NAMED_MAX)
			fprintf(out, "payment %s: %s, %d times, and nobody planted it\n", id_hex(&found[i].payment, hex), found[i].kind, found[i].count);
	free(found);
	return n < 0 ? -1 : strange + mark_rejects(l, w, out);
}

/* Answers of the tax bureau and of the social-security agency: any bytes are read or refused, and
 * what is taken for good keeps its bounds. Input: the body of an answer. */
/* LINK: adapters/tax/answer.o adapters/ssa/status.o adapters/common/jsonin.o adapters/common/jsonout.o adapters/common/pass.o */
#include "adapters/ssa/ssa.h"
#include "adapters/tax/answer.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void try_batch(struct str body)
{
	static struct idmap rows;
	struct totals sent = {"b", "payment_id", 1, 1, 1};
	struct verdict out[1] = {{0}};
	struct id id = {{0}};
	int strangers;

	id.b[ID_LEN - 1] = 1;
	idmap_reset(&rows);
	idmap_add(&rows, &id, 0);
	if (answer_batch(body, &sent, &rows, out, &strangers))
		must(out[0].kind == V_MISSING);
	else if (out[0].kind == V_ACCEPTED || out[0].kind == V_REFUSED)
		must(out[0].sequence > 0 && (out[0].kind == V_ACCEPTED || out[0].reason));
}

static void try_entry(const json_t *o)
{
	static const char *const shown[] = {"sequence", "payment_id", "status", "at"};
	static struct ev_contribution entries[STATUS_ENTRIES_MAX];
	static struct ev_outside outside[STATUS_OUTSIDE_MAX];
	struct contribution_status status;
	struct collection_result r;
	struct jsonout text;

	if (answer_query_row(o, &r) == TOLD_STATE || answer_change(o, &r) == TOLD_STATE)
		must(r.sequence > 0 && r.amount_fen.v >= 0 && r.state.p && r.receipt.n <= 40);
	if (status_read(o, &status, outside, entries) == 0)
		must(status.entry_count <= STATUS_ENTRIES_MAX);
	jsonout_init(&text, 4096);
	jsonin_show(o, shown, 4, &text);
	must(!text.full && utf8_valid(jsonout_text(&text)));
	jsonout_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const lists[] = {"results", "changes", "persons", "credits"};
	struct str body = {(const char *)data, size};
	json_t *root;

	try_batch(body);
	root = jsonin_parse(body);
	for (int i = 0; i < 4 && root; i++) {
		const json_t *list = jsonin_list(root, lists[i]);

		for (size_t j = 0; j < json_array_size(list); j++)
			try_entry(json_array_get(list, j));
	}
	if (root)
		try_entry(root);
	jsonin_free(root);
	return 0;
}

#include "tests/lib/findings.h"
#include "ledger/internal.h"
#include <string.h>

int findings_read(const char *ledger, struct finding *out, int max, struct err *e)
{
	static const char sql[] =
		"SELECT d.pid, x.kind, count(*) FROM difference x LEFT JOIN decl d ON d.no = x.decl GROUP BY 1, 2"
		" UNION ALL SELECT pid, 'stranger', count(*) FROM early e WHERE NOT EXISTS (SELECT 1 FROM decl d WHERE d.pid = e.pid)"
		" GROUP BY pid ORDER BY 1, 2";
	struct store_options o = {.flags = STORE_READONLY, .busy_ms = 10000};
	struct store *st = NULL;
	struct stmt *q;
	int n = 0, got = -1;
	if (store_open(&st, ledger, &ledger_kind, &o, e) != 0)
		return -1;
	if (store_prepare(st, &q, sql, e) == 0)
		while ((got = stmt_step(q, e)) == 1 && n < max) {
			struct str pid = stmt_get_blob(q, 0);
			struct finding *f = &out[n++];
			*f = (struct finding){.count = (int)stmt_get_int(q, 2)};
			if (pid.n == ID_LEN)
				memcpy(f->payment.b, pid.p, ID_LEN);
			(void)str_copy(f->kind, sizeof f->kind, stmt_get_text(q, 1));
		}
	store_close(st);
	return got < 0 ? -1 : n;
}

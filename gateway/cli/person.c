/* qiao link, qiao unlink: two ID numbers are one person, or are not. Both decisions need a second person. */
#include "cli/person.h"
#include "base/clock.h"
#include "base/date.h"
#include "cli/operate.h"
#include "crypto/audit.h"
#include "crypto/identity.h"
#include "crypto/ids.h"
#include "domain/citizen_id.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NUMBER = 24, LINE = 200, NUMBERS_MAX = 2 };

static int record(const struct cli *c, struct clock *clock, const char *purpose, int count, struct err *e)
{
	struct audit *audit;
	if (clock_init(clock, c->conf.clock.file, e) != 0 || audit_open(&audit, c->conf.data.dir, "trace", clock, e) != 0)
		return -1;
	int rc = audit_write(audit, purpose, "stdin", count, e);
	audit_close(audit);
	return rc;
}

static struct str take_line(struct str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	*rest = (struct str){rest->p + line.n + (end != NULL), rest->n - line.n - (end != NULL)};
	return str_trim(line);
}

int person_tokens(const struct cli *c, const char *purpose, struct id *tokens, int count, int *line, struct err *e)
{
	struct keyring *k = NULL;
	struct clock clock;
	char text[NUMBERS_MAX * LINE], number[NUMBER];
	size_t n = 0;
	int rc = 0;
	if (keyring_open(&k, c->conf.keys.dir, "trace", c->conf.keys.separate_users, e) != 0)
		return -1;
	if (record(c, &clock, purpose, count, e) != 0) {
		keyring_free(k);
		return -1;
	}
	for (ssize_t got; n < sizeof text && (got = read(STDIN_FILENO, text + n, sizeof text - n)) > 0;)
		n += (size_t)got;
	struct str rest = {text, n};
	for (int i = 0; i < count && rc == 0; i++) {
		struct str at = take_line(&rest);
		*line = i + 1;
		/* As it is copied from a spreadsheet: guards, blanks, full-width digits and a lower-case x are undone. */
		if (at.n == 0 || citizen_id_normalise(at, number, sizeof number) != 0)
			rc = 1;
		else
			token_of(k, str_of(number), &tokens[i]);
		if (rc == 0 && count > 1 && citizen_id_check(str_of(number), date_of_time(clock_now(&clock))) != NULL)
			rc = 1;
	}
	explicit_bzero(number, sizeof number);
	explicit_bzero(text, sizeof text);
	keyring_free(k);
	return rc;
}

static int decide(struct cli *c, int argc, char **argv)
{
	struct operate o = {0};
	const struct cli_option options[] = {OPERATE_OPTIONS(o), {0}};
	char older[ID_HEX], newer[ID_HEX], number[12];
	struct id token[2];
	struct err e = {0};
	int line;
	if (cli_options(c, argc, argv, options, NULL, 0) < 0)
		return EXIT_USAGE;
	if (!o.reason || !o.reason[0])
		return cli_usage(c, argv[0], "operate_reason");
	int rc = person_tokens(c, "numbers_linked", token, 2, &line, &e);
	if (rc < 0)
		return cli_fail(&e);
	if (rc > 0) {
		snprintf(number, sizeof number, "%d", line);
		cli_warn(c, "link_number", number, NULL);
		return EXIT_USAGE;
	}
	if (id_eq(&token[0], &token[1])) {
		cli_warn(c, "link_what", NULL);
		return EXIT_USAGE;
	}
	return operate(c, &o, argv[0], id_hex(&token[0], older), id_hex(&token[1], newer));
}

int cmd_link(struct cli *c, int argc, char **argv)
{
	return decide(c, argc, argv);
}

int cmd_unlink(struct cli *c, int argc, char **argv)
{
	return decide(c, argc, argv);
}

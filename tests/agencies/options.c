/* --name value, each at most once in sense: the last one counts. */
#include "tests/agencies/options.h"
#include "base/err.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LEAVE = 1000 };

static int help(const char *program, const char *summary, const struct option_row *rows, int count);
static int set(const struct option_row *r, const char *value);
static int word_of(const char *words, struct str value);

void agency_option_rows(struct agency_options *o, struct option_row rows[AGENCY_ROWS])
{
	const struct option_row table[AGENCY_ROWS] = {
		{"book", &o->book, NULL, 0, 0, NULL,
		 "the agency's own book, a SQLite file; made when absent"},
		{"port", NULL, &o->port, 0, 65535, NULL, "port on 127.0.0.1; 0 = any free one"},
		{"port-file", &o->port_file, NULL, 0, 0, NULL,
		 "file that gets the port's number once it listens"},
		{"clock", &o->clock, NULL, 0, 0, NULL, "clock file to follow; else the wall clock"},
		{"seed", NULL, &o->seed, 0, INT64_MAX, NULL,
		 "of everything that happens by chance"},
		{"faults", &o->faults, NULL, 0, 0, NULL,
		 "[family/]kind:permille[:count],... with kinds slow slow_before e429 e500 "
		 "e500_after cut_before "
		 "cut_after truncated missing_row duplicate"},
		{"faults-file", &o->faults_file, NULL, 0, 0, NULL,
		 "a file of the same form; replaces the list whenever it changes"},
		{"slow-ms", NULL, &o->slow_ms, 0, 3600000, NULL,
		 "how long slow and slow_before take"},
		{"retry-after-s", NULL, &o->retry_after_s, 0, 3600, NULL,
		 "what e429 says in Retry-After"},
		{"report", &o->report, NULL, 0, 0, NULL, "json: print the book's totals and leave"},
		{"dump", &o->dump, NULL, 0, 0, NULL, "csv: print the book's entries and leave"},
		{"odd", &o->odd, NULL, 0, 0, NULL,
		 "kind:permille,... of what the feeds say wrongly: tests/agencies/odd.h"},
		{"planted", &o->planted, NULL, 0, 0, NULL,
		 "csv: print what was said wrongly and leave"},
	};

	memcpy(rows, table, sizeof table);
}

int options_parse(int argc, char **argv, const char *summary, const struct option_row *rows,
		  int count)
{
	for (int i = 1; i < argc; i += 2) {
		int r;

		if (strcmp(argv[i], "--help") == 0)
			return help(argv[0], summary, rows, count);
		for (r = 0; r < count; r++)
			if (strncmp(argv[i], "--", 2) == 0 &&
			    strcmp(argv[i] + 2, rows[r].name) == 0)
				break;
		if (r == count || i + 1 == argc || set(&rows[r], argv[i + 1]) < 0) {
			fprintf(stderr, "%s: %s: %s (see --help)\n", argv[0], argv[i],
				r == count	? "no such option"
				: i + 1 == argc ? "a value is missing"
						: "not such a value");
			return LEAVE + EXIT_USAGE;
		}
	}
	return 0;
}

static int help(const char *program, const char *summary, const struct option_row *rows, int count)
{
	printf("usage: %s --book FILE [options]\n\n%s\n\n", program, summary);
	for (int i = 0; i < count; i++) {
		const struct option_row *r = &rows[i];

		printf("  --%-24s %s", r->name, r->help);
		if (r->words)
			printf(" (%s)", r->words);
		else if (r->number && *r->number)
			printf(" (default %" PRId64 ")", *r->number);
		printf("\n");
	}
	return LEAVE + EXIT_YES;
}

static int set(const struct option_row *r, const char *value)
{
	if (r->text) {
		*r->text = value;
		return 0;
	}
	if (r->words) {
		int place = word_of(r->words, str_of(value));

		*r->number = place;
		return place < 0 ? -1 : 0;
	}
	return str_int(str_of(value), r->min, r->max, r->number);
}

/* Which of "one|two|three"; -1 when none. */
static int word_of(const char *words, struct str value)
{
	for (int i = 0;; i++) {
		size_t n = strcspn(words, "|");

		if (str_eq(value, (struct str){words, n}))
			return i;
		if (words[n] == '\0')
			return -1;
		words += n + 1;
	}
}

/* Command line of a simulated agency: one table, one row an option. */
#ifndef QIAO_AGENCIES_OPTIONS_H
#define QIAO_AGENCIES_OPTIONS_H
#include <stdint.h>

struct option_row {
	const char *name;  /* "settle-ms" */
	const char **text; /* where a text goes, or */
	int64_t *number;   /* where a number goes; what stands there before is the default */
	int64_t min, max;
	const char *words; /* "honoured|none": the number is the place of the word */
	const char *help;
};

/* The options that both agencies have. */
struct agency_options {
	const char *book, *clock, *port_file, *faults, *faults_file, *odd, *report, *dump, *planted;
	int64_t port, seed, slow_ms, retry_after_s;
};
enum { AGENCY_ROWS = 13 };
void agency_option_rows(struct agency_options *o, struct option_row rows[AGENCY_ROWS]);

/* 0; or the exit status + 1000 to leave main with at once (help shown, or complained on stderr). */
int options_parse(int argc, char **argv, const char *summary, const struct option_row *rows,
		  int count);

#endif

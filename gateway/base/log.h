/* Log lines: "time level EVENT-ID key=value ...", to stderr or to <dir>/<program>.log.
 *
 * On stderr, where several programs may write, the first pair is program=NAME. Event ids are stable
 * (operators grep for them). Submission and payment ids go on every line that is about one. No
 * name, ID number, body or key ever goes into a line. A line is one write of at most 2000 bytes;
 * control characters and bytes that are not UTF-8 are escaped. Values that may hold blanks (error
 * texts, paths) go through log_value. Before log_open: stderr, level info. */
#ifndef QIAO_BASE_LOG_H
#define QIAO_BASE_LOG_H
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* program: "qiao-tax". dir "" = stderr. Creates dir. Safe to call again to change. */
int log_open(const char *program, const char *dir, enum log_level min, struct err *e);
int log_reopen(struct err *e); /* SIGHUP */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Text as one value: as it is, or "quoted" with \" and \\ where it is empty or holds blanks, quotes
 * or '='. Long text is cut with "...". */
#define LOG_VALUE 512
const char *log_value(char out[LOG_VALUE], const char *text);
#define log_debug(event, ...) log_line(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_line(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_line(LOG_ERROR, event, __VA_ARGS__)

#endif

/* Errors: what a function that can fail says to its caller.
 *
 * A function returns 0 or -1 and, on -1, has filled the caller's struct err; on success it leaves
 * it alone. The class is decided where the knowledge is; everyone above branches on the class,
 * never on the text. Text is lower case, object first ("spool ab12: write: No space left on
 * device") and never holds personal data. */
#ifndef QIAO_BASE_ERR_H
#define QIAO_BASE_ERR_H

enum err_class {
	ERR_NONE = 0,
	ERR_TEMP, /* later may work: full disk, peer down, lock held */
	ERR_PERM, /* will never work: bad input */
	ERR_CONF, /* the set-up is wrong: stop and tell the operator */
	ERR_SAFE, /* going on could lose or double something: stop, exit 4 */
};

/* Exit status of every program and command. */
enum exit_status {
	EXIT_YES = 0,	/* done; the answer is yes */
	EXIT_NO = 1,	/* done; the answer is no, or a person must do something */
	EXIT_USAGE = 2, /* usage or configuration */
	EXIT_LATER = 3, /* try later */
	EXIT_SAFE = 4,	/* stopped to stay safe; the log names the cure */
};

struct err {
	enum err_class class;
	int sys; /* errno where the system spoke, else 0 */
	char text[400];
};

/* Fills e and returns -1, so that "return err_set(...)" reads well. Truncates long text. e may be
 * NULL. */
int err_set(struct err *e, enum err_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with ": strerror(sys)" appended. ENOSPC, EIO and the like are the caller's class to
 * choose. */
int err_sys(struct err *e, enum err_class class, int sys, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "prefix: " before the text, keeps class; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* TEMP -> 3, CONF -> 2, SAFE -> 4, PERM -> 1. */
enum exit_status err_exit(const struct err *e);

#endif

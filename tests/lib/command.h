/* Runs the built programs from a test: one at a time with its output caught, or beside the test.
 *
 * Programs are found from the test's own place (build/<variant>/test/<kind>/<test>), so that a test
 * runs those of its build. Whatever a test starts ends with it. */
#ifndef QIAO_TESTS_COMMAND_H
#define QIAO_TESTS_COMMAND_H
#include "base/clock.h"
#include "tests/lib/unit.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_ARGS = 24, COMMAND_OUT = 1 << 16, PATIENCE_MS = 20000, LOOK_MS = 10 };

struct command_said {
	int status; /* exit status, or -signal */
	char out[COMMAND_OUT], err[COMMAND_OUT];
};

/* out = build/<variant>/bin/name */
static inline const char *built_program(char out[512], const char *name)
{
	ssize_t n = readlink("/proc/self/exe", out, 500);

	assert_true(n > 0);
	out[n] = '\0';
	for (int i = 0; i < 3; i++) {
		assert_non_null(strrchr(out, '/'));
		*strrchr(out, '/') = '\0';
	}
	assert_true(snprintf(out + strlen(out), 512 - strlen(out), "/bin/%s", name) < 500);
	return out;
}

/* Starts argv[0] with both outputs into a file; the caller waits for it. */
static inline pid_t command_start(char *const argv[], const char *out_file, const char *err_file)
{
	pid_t parent = getpid(), pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(99);
	int out = open(out_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int err = open(err_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (out < 0 || err < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(98);
	setenv("LC_ALL", "C.UTF-8", 1);
	execv(argv[0], argv);
	_exit(97);
}

/* The content of a text file, "" when it is not there (yet). */
static inline const char *text_of(const char *path, char *to, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, to, cap - 1);

	if (fd >= 0)
		close(fd);
	to[n > 0 ? n : 0] = '\0';
	return to;
}

static inline int exit_of(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

/* Waits for one process with an end to its patience. */
static inline int command_wait(pid_t pid)
{
	int64_t until = clock_monotonic() + PATIENCE_MS;
	int wait_status;

	while (waitpid(pid, &wait_status, WNOHANG) != pid) {
		if (clock_monotonic() > until) {
			kill(pid, SIGKILL);
			waitpid(pid, &wait_status, 0);
			fail_msg("process %d did not end", (int)pid);
		}
		poll(NULL, 0, LOOK_MS);
	}
	return exit_of(wait_status);
}

/* Runs a program of the build with arguments up to NULL; gives its exit status. t holds the files
 * for a moment. */
static inline int command_run(struct command_said *said, const struct tmpdir *t,
			      const char *program, ...)
{
	char path[512], out[320], err[320], *argv[COMMAND_ARGS + 2];
	int argc = 0;
	va_list ap;

	argv[argc++] = (char *)(uintptr_t)built_program(path, program);
	va_start(ap, program);
	while (argc <= COMMAND_ARGS && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	argv[argc] = NULL;
	tmpdir_file(t, out, ".out");
	tmpdir_file(t, err, ".err");
	said->status = command_wait(command_start(argv, out, err));
	text_of(out, said->out, sizeof said->out);
	text_of(err, said->err, sizeof said->err);
	unlink(out);
	unlink(err);
	return said->status;
}

static inline void write_text(const char *path, const char *text)
{
	struct err e = {0};

	if (fs_write_atomic(path, text, strlen(text), 0600, &e) < 0)
		fail_msg("%s", e.text);
}

static inline void assert_has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

#endif

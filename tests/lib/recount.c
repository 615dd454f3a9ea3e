#include "tests/lib/recount.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_MAX = 64 << 20, ARGS_MAX = 16 };

static int store(struct world *w, const char *name, const struct buf *text, struct err *e)
{
	char path[512];

	return fs_write_atomic(world_path(w, path, name), text->data, text->len, 0600, e);
}

/* What the ledger and the agencies say, into recount/. */
static int gather(struct world *w, bool books, struct err *e)
{
	static const struct {
		const char *program, *book, *file;
	} agencies[] = {{"sim-tax", "agencies/tax.db", "recount/tax.csv"}, {"sim-ssa", "agencies/ssa.db", "recount/ssa.csv"}};
	struct buf text;
	char path[512];
	int rc = -1;

	buf_init(&text, TEXT_MAX);
	if (fs_mkdirs(world_path(w, path, "recount"), e) < 0)
		goto out;
	if (world_qiao(w, &text, "--format", "json", "statement", NULL) != 0) {
		err_set(e, ERR_PERM, "the statement does not add up");
		goto out;
	}
	if (store(w, "recount/statement.json", &text, e) < 0)
		goto out;
	for (int i = 0; books && i < 2; i++) {
		const char *args[] = {"--book", world_path(w, path, agencies[i].book), "--dump", "csv", NULL};

		if (world_run(w, &text, agencies[i].program, args) != 0) {
			err_set(e, ERR_TEMP, "%s cannot dump its book", agencies[i].program);
			goto out;
		}
		if (store(w, agencies[i].file, &text, e) < 0)
			goto out;
	}
	rc = 0;
out:
	buf_fini(&text);
	return rc;
}

/* Runs a script of tests/scenario with what was gathered; its exit status. */
static int run_script(const struct world *w, const char *script, const char *const *options)
{
	const char *python = getenv("QIAO_PYTHON"), *args[ARGS_MAX];
	char own[512], path[512], data[512], schemas[512], statement[512], said[512];
	int n = 0, fd, wait_status;
	pid_t pid;

	snprintf(own, sizeof own, "%s/build/venv/bin/python", w->root);
	snprintf(path, sizeof path, "%s/tests/scenario/%s", w->root, script);
	snprintf(schemas, sizeof schemas, "%s/schemas", w->root);
	args[n++] = python && python[0] ? python : own;
	args[n++] = path;
	args[n++] = world_path(w, data, "data");
	args[n++] = schemas;
	args[n++] = world_path(w, statement, "recount/statement.json");
	while (*options && n < ARGS_MAX - 1)
		args[n++] = *options++;
	args[n] = NULL;
	world_path(w, said, "recount/said");
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(98);
		execv(args[0], (char *const *)(uintptr_t)args);
		_exit(97);
	}
	if (pid < 0 || waitpid(pid, &wait_status, 0) != pid)
		return -1;
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

int recount_world(struct world *w, bool ended, struct err *e)
{
	char ini[512], tax[512], ssa[512];
	const char *options[] = {"--conf",
				 world_path(w, ini, "qiao.ini"),
				 ended ? "--tax-dump" : NULL,
				 world_path(w, tax, "recount/tax.csv"),
				 "--ssa-dump",
				 world_path(w, ssa, "recount/ssa.csv"),
				 "--all-final",
				 NULL};
	int status;

	if (gather(w, ended, e) < 0)
		return -1;
	status = run_script(w, "check_topics.py", options);
	return status == 0 ? 0 : err_set(e, ERR_PERM, "check_topics.py: exit %d", status);
}

void recount_show(const struct world *w)
{
	char path[512];
	struct buf said;
	struct err e;

	buf_init(&said, TEXT_MAX);
	if (fs_read(world_path(w, path, "recount/said"), &said, &e) == 0)
		fwrite(said.data, 1, said.len, stderr);
	buf_fini(&said);
}

int recount_tampered(struct world *w, struct err *e)
{
	char tax[512], ssa[512];
	const char *options[] = {world_path(w, tax, "recount/tax.csv"), world_path(w, ssa, "recount/ssa.csv"), NULL};
	int status = run_script(w, "tamper_topics.py", options);

	return status == 0 ? 0 : err_set(e, ERR_PERM, "tamper_topics.py: exit %d", status);
}

/* kafka_run [-n BROKERS] [-r] [-s] -- COMMAND...: a real Kafka (one broker, or three) for the time of a command, which finds it in
 * QIAO_KAFKA, and the first broker's process in QIAO_KAFKA_PID; with -r a schema registry, too, in QIAO_REGISTRY; with -s brokers for
 * figures: slower to start, and steady. Exit status is the command's, 128 + the signal that ended it, or 2
 * when there is nothing to run it with. A signal to end goes to the command; broker and registry end after it. */
#include "tests/lib/kafka.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2 };

static struct cluster kafka;
static struct apicurio registry;

static int run(char **command)
{
	char servers[CLUSTER_SERVERS], broker[16];
	pid_t parent = getpid(), pid;
	sigset_t waited, before;
	int signal, status;

	setenv("QIAO_KAFKA", cluster_servers(&kafka, CLUSTER_PLAIN, servers), 1);
	snprintf(broker, sizeof broker, "%d", (int)kafka.node[0].java.pid);
	setenv("QIAO_KAFKA_PID", broker, 1);
	if (registry.port)
		setenv("QIAO_REGISTRY", registry.url, 1);
	fprintf(stderr, "kafka %s%s%s\n", servers, registry.port ? " registry " : "", registry.url);
	sigemptyset(&waited);
	sigaddset(&waited, SIGINT);
	sigaddset(&waited, SIGTERM);
	sigaddset(&waited, SIGHUP);
	sigaddset(&waited, SIGCHLD);
	sigprocmask(SIG_BLOCK, &waited, &before);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(USAGE);
		sigprocmask(SIG_SETMASK, &before, NULL);
		execvp(command[0], command);
		perror(command[0]);
		_exit(127);
	}
	if (pid < 0)
		return USAGE;
	/* A broker's end is a SIGCHLD, too: only the command's matters here. */
	while (waitpid(pid, &status, WNOHANG) != pid)
		if (sigwait(&waited, &signal) == 0 && signal != SIGCHLD)
			kill(pid, signal);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct cluster_options options = {.nodes = 1};
	bool wants_registry = false;
	struct err e = {0};
	int option, status = USAGE;

	while ((option = getopt(argc, argv, "+n:rs")) != -1) {
		if (option == 'n')
			options.nodes = (int)strtol(optarg, NULL, 10);
		else if (option == 'r')
			wants_registry = true;
		else if (option == 's')
			options.steady = true;
		else
			goto usage;
	}
	if (optind == argc)
		goto usage;
	if (cluster_open(&kafka, &options, &e) < 0 ||
	    (wants_registry && apicurio_open(&registry, NULL, &e) < 0))
		fprintf(stderr, "kafka_run: %s\n", e.text);
	else
		status = run(argv + optind);
	apicurio_close(&registry);
	cluster_close(&kafka);
	return status;
usage:
	fprintf(stderr, "usage: kafka_run [-n 1|3] [-r] [-s] -- COMMAND...\n");
	return USAGE;
}

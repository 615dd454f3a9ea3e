/* Time as the programs see it. The file is looked at seldom and replaced as a whole by its driver:
 * reading it needs no lock, and between two looks time goes on with the wall clock. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 50 };

static int look(struct clock *c, struct err *e);
static int64_t read_ms(clockid_t which);

int clock_init(struct clock *c, const char *file, struct err *e)
{
	*c = (struct clock){.looked_ms = clock_monotonic()};
	if (str_copy(c->file, sizeof c->file, str_of(file)) < 0)
		return err_set(e, ERR_CONF, "clock file: path too long");
	if (c->file[0] == '\0')
		return 0;
	return look(c, e);
}

int64_t clock_now(struct clock *c)
{
	int64_t monotonic;

	if (c->file[0] == '\0')
		return clock_wall();
	monotonic = clock_monotonic();
	if (monotonic - c->looked_ms >= LOOK_MS) {
		c->looked_ms = monotonic;
		/* The driver replaces the file as a whole. Should it be gone, time goes on from the
		 * last look. */
		look(c, NULL);
	}
	return c->sim_ms + (clock_wall() - c->wall_ms);
}

int64_t clock_monotonic(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
	return read_ms(CLOCK_REALTIME);
}

int clock_file_write(const char *file, int64_t sim_ms, struct err *e)
{
	char line[64];

	snprintf(line, sizeof line, "%" PRId64 " %" PRId64 "\n", sim_ms, clock_wall());
	return fs_write_atomic(file, line, strlen(line), 0600, e);
}

/* Takes both numbers or none: half of a jump would be a time that never was. */
static int look(struct clock *c, struct err *e)
{
	struct buf text;
	struct str line, sim, wall;
	const char *blank;
	int64_t sim_ms, wall_ms;
	int rc = -1;

	buf_init(&text, 64);
	if (fs_read(c->file, &text, e) < 0) {
		if (e)
			e->class = ERR_CONF;
		goto out;
	}
	line = (struct str){(const char *)text.data, text.len};
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	blank = line.n ? memchr(line.p, ' ', line.n) : NULL;
	sim = (struct str){line.p, blank ? (size_t)(blank - line.p) : 0};
	wall = (struct str){line.p + (blank ? sim.n + 1 : 0), blank ? line.n - sim.n - 1 : 0};
	/* A quarter of the range: sums with a wall time cannot overflow. */
	if (str_int(sim, 0, INT64_MAX / 4, &sim_ms) < 0 ||
	    str_int(wall, 0, INT64_MAX / 4, &wall_ms) < 0) {
		err_set(e, ERR_CONF, "%s: expected one line \"SIM_MS WALL_MS\"", c->file);
		goto out;
	}
	c->sim_ms = sim_ms;
	c->wall_ms = wall_ms;
	rc = 0;
out:
	buf_fini(&text);
	return rc;
}

static int64_t read_ms(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

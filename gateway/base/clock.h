/* The one clock. Wall time, or for demo and tests the time in a file that their driver moves.
 *
 * The clock file holds one line "SIM_MS WALL_MS": now = SIM_MS + (wall - WALL_MS). All programs
 * follow the same file and see a jump within a tenth of a second. A configured clock file is
 * refused where a peer is not loopback (conf.h). */
#ifndef QIAO_BASE_CLOCK_H
#define QIAO_BASE_CLOCK_H
#include "base/err.h"
#include <stdint.h>

struct clock {
	char file[512]; /* "" = wall */
	int64_t sim_ms, wall_ms, looked_ms;
};
/* file "" or NULL: the wall clock. ERR_CONF when the file cannot be read. */
int clock_init(struct clock *c, const char *file, struct err *e);
int64_t clock_now(struct clock *c); /* ms since the epoch: the time that decisions and stamps use */
int64_t clock_wall(void); /* ms since the epoch of the machine: for log lines and status only */
int64_t clock_monotonic(void); /* ms, for time-outs and back-off only */
/* For drivers: sets the time to sim_ms from now on. */
int clock_file_write(const char *file, int64_t sim_ms, struct err *e);

#endif

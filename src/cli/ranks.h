/* The ranks of a job that was started by mpirun or srun.  Two files implement this, of which a
 * program is linked with one: ranks_alone.c (linprobe) and ranks_mpi.c (linprobe-mpi).
 *
 * Only rank 0 speaks: the others' standard streams lead nowhere, but what they failed of is said by
 * rank 0, with their number and host. */
#ifndef LP_CLI_RANKS_H
#define LP_CLI_RANKS_H

#include "linprobe/status.h"

/* Joins the job's team (base/team.h), before anything is opened or printed. */
LP_MUST_USE lp_status ranks_join(lp_error *err);

/* Ends this rank's part with an exit status and the message it printed ("": none), waits for the
 * others, and returns the exit status of all.  Where another rank has failed and this one has not,
 * rank 0 prints its message.  When others do not come, ends them. */
int ranks_leave(int exit_status, const char *message);

/* Where a rank may write what cannot wait, from a signal handler: a descriptor of what was its
 * standard error at the start. */
int ranks_voice(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that serve files for as long as a command runs */
#ifndef FMAP_COMMAND_H
#define FMAP_COMMAND_H

#include <stdint.h>

/* The status, if it was not the command that failed */
#define FMAP_COMMAND_FAILED	125

/* Say what failed and why, by errno: FMAP_COMMAND_FAILED */
int fmap_command_complain(const char *what);

/* Run a command; its status as a shell would have it */
int fmap_command_run(char **command);

/* What the clock says, in nanoseconds: for what is to be measured */
uint64_t fmap_now(void);

#endif /* FMAP_COMMAND_H */

/* The commands, one a file (cmd_*.c). */
#ifndef LP_CLI_COMMANDS_H
#define LP_CLI_COMMANDS_H

#include "cli/options.h"

extern const cli_command cli_inspect, cli_extract, cli_fit, cli_eval, cli_predict, cli_reproduce,
    cli_sweep, cli_compare, cli_fewshot, cli_knn, cli_generate, cli_models, cli_fetch, cli_cache;

#endif

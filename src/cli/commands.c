/* The list of commands, in the order of `linprobe --help`. */
#include "cli/commands.h"

#include <string.h>

const cli_command *const cli_commands[] = {&cli_reproduce, &cli_models,  &cli_fetch,   &cli_inspect,
                                           &cli_extract,   &cli_fit,     &cli_eval,    &cli_predict,
                                           &cli_sweep,     &cli_compare, &cli_fewshot, &cli_knn,
                                           &cli_generate,  &cli_cache,   NULL};

const cli_command *cli_command_named(const char *name) {
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0) {
            return cli_commands[i];
        }
    }
    return NULL;
}

/* Command-line options as tables. */
#ifndef LP_CLI_OPTIONS_H
#define LP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

typedef enum cli_kind {
    CLI_TEXT,
    CLI_REAL,
    CLI_COUNT,
    CLI_COUNTS, /* one or several, as in 1,2,4 */
    CLI_FLAG,
    CLI_CHOICE,
    CLI_PICTURE, /* a path that ends in .png or .svg */
    CLI_PAGE     /* a path that ends in .html */
} cli_kind;

typedef struct cli_counts {
    size_t count;
    size_t values[64];
} cli_counts;

/* One option.  The table ends with a row whose name is NULL; --help is known everywhere. */
typedef struct cli_option {
    const char *name;     /* "--model" or "-C" */
    const char *argument; /* its argument in the help: "FILE"; NULL for a flag */
    const char *help;     /* lines are broken at '\n' */
    cli_kind kind;
    void *value; /* const char ** (TEXT, PICTURE, PAGE), double *, size_t *, cli_counts *, bool *,
                    int * (CHOICE: the index) */
    double low, high;           /* REAL, COUNT and COUNTS: allowed range */
    const char *const *choices; /* CHOICE: names, NULL at the end */
    bool required;
    const char *needs; /* an option with an argument that this one is of no use without, or NULL */
} cli_option;

/* What a command is: `usage` stands behind its name ("--model FILE --data PATH"), and `words` holds
 * the arguments that are not options. */
typedef struct cli_command {
    const char *name;
    const char *summary;
    int (*run)(const struct cli_command *command, int argc, char **argv);
    const char *usage;
    const char *details; /* paragraphs for --help, or NULL */
} cli_command;

/* Exit statuses. */
enum { CLI_OK = 0, CLI_FAILURE = 1, CLI_USAGE = 2, CLI_NOT_CONVERGED = 3 };

enum { CLI_CONTINUE = -1 };

/* Fills in the options' values and `words` (min_words to max_words of them; the count goes to
 * *word_count when it is not NULL).  Returns CLI_CONTINUE, or the exit status after --help (printed
 * to standard output) or a wrong usage (explained on standard error). */
int cli_parse(const cli_command *command, const cli_option *options, int argc, char **argv,
              const char **words, size_t min_words, size_t max_words, size_t *word_count);

/* Explains on standard error what is wrong with the words given; returns CLI_USAGE. */
int cli_usage_error(const cli_command *command, const char *text);

/* Prints "linprobe COMMAND: text" on standard error and returns the exit status for it. */
int cli_fail(const cli_command *command, lp_status status, const lp_error *err);

/* The command line as one string, quoted for a shell; static storage. */
const char *cli_command_line(void);
void cli_keep_command_line(int argc, char **argv);

/* Flushes standard output and turns a write error into exit status 1. */
int cli_finish(int exit_status);

/* --format and --threads, the same everywhere. */
extern const char *const cli_formats[];
#define CLI_FORMAT_OPTION(pointer)                                                                 \
    {                                                                                              \
        .name = "--format", .argument = "F", .help = "text (default), csv or json",                \
        .kind = CLI_CHOICE, .value = (pointer), .choices = cli_formats                             \
    }
#define CLI_THREADS_OPTION(pointer)                                                                \
    {                                                                                              \
        .name = "--threads", .argument = "N",                                                      \
        .help = "threads (default: one a processor); never changes the result", .kind = CLI_COUNT, \
        .value = (pointer), .low = 1, .high = 1024                                                 \
    }

/* Commands, one a file. */
extern const cli_command cli_inspect, cli_extract, cli_fit, cli_eval, cli_predict, cli_reproduce,
    cli_sweep, cli_compare, cli_fewshot, cli_knn, cli_generate, cli_models, cli_fetch;

#endif

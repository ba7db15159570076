/* Command-line options as tables.
 *
 *     typedef struct settings {
 *         const char *out;
 *         cli_fit_settings fit;
 *     } settings;
 *     static const cli_option own[] = {
 *         {CLI_OUTPUT, "--out", "FILE", CLI_TEXT, offsetof(settings, out), .required = true,
 *          .help = "the probe file"},
 *         {.name = NULL}};
 *     settings s = {.fit = cli_fit_defaults()};
 *     const cli_group groups[] = {
 *         {own, &s, NULL}, {cli_solver_option, &s.fit, NULL}, {.options = NULL}};
 *     int exit_status = cli_parse(command, groups, argc, argv, words, 1, 1, NULL);
 *
 * A settings struct holds the defaults when it is handed in: --help prints them from there. */
#ifndef LP_CLI_OPTIONS_H
#define LP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

/* The headings of --help, in their order there. */
typedef enum cli_section {
    CLI_INPUT,
    CLI_ENCODER,
    CLI_METHOD,
    CLI_PROBE,
    CLI_OUTPUT,
    CLI_GENERAL,
    CLI_SECTIONS
} cli_section;

/* What an option's argument is, and the type of the member that it is stored in. */
typedef enum cli_kind {
    CLI_TEXT,       /* const char * */
    CLI_REAL,       /* double */
    CLI_COUNT,      /* size_t */
    CLI_COUNTS,     /* cli_counts: one or several, as in 1,2,4 */
    CLI_FLAG,       /* bool: no argument */
    CLI_RESIZE,     /* lp_resize_to: 256, or 256x256 */
    CLI_CHOICE,     /* an enum: the index of the name */
    CLI_OUT_FILE,   /* const char *: the path of a file to write */
    CLI_OUT_FOLDER, /* const char *: the path of a folder to make */
    CLI_PICTURE,    /* const char *: the same of a picture; it ends in .png or .svg */
    CLI_PAGE        /* const char *: the same of a page; it ends in .html */
} cli_kind;

typedef struct cli_counts {
    size_t count;
    size_t values[64];
} cli_counts;

/* One option.  A table ends with a row whose name is NULL; --help is known everywhere. */
typedef struct cli_option {
    cli_section section;
    const char *name;     /* "--model" or "-C" */
    const char *argument; /* its argument in the help: "FILE"; NULL for a flag */
    cli_kind kind;
    size_t offset;              /* of the member in the settings struct */
    double low, high;           /* REAL, COUNT and COUNTS: allowed range */
    const char *const *choices; /* CHOICE: names in the order of the enum, NULL at the end */
    bool required;
    const char *needs; /* an option with an argument that this one has no effect without, or NULL */
    const char *help;  /* one line; choices and the default are added where it is printed */
} cli_option;

/* A table with the struct that its offsets are into. */
typedef struct cli_group {
    const cli_option *options; /* NULL: the end of the list */
    void *settings;
    const char *needs; /* as cli_option.needs, for every option of the table; or NULL */
} cli_group;

/* What a command is.  Its texts are wrapped where they are printed. */
typedef struct cli_command {
    const char *name;
    const char *summary;
    int (*run)(const struct cli_command *command, int argc, char **argv);
    const char *usage;   /* what follows the name, "--out DIR [options]"; one form a line */
    const char *details; /* paragraphs for --help, one a line, or NULL */
} cli_command;

/* Exit statuses. */
enum { CLI_OK = 0, CLI_FAILURE = 1, CLI_USAGE = 2, CLI_NOT_CONVERGED = 3 };

enum { CLI_CONTINUE = -1 };

/* Stores an option by its name without the dashes ("pool") from a table.  LP_ERR_ARGUMENT for a
 * value that it does not take; *found is false where the table has no such option. */
LP_MUST_USE lp_status cli_store_named(const cli_option *options, void *settings, const char *name,
                                      const char *text, bool *found, lp_error *err);

/* Fills in the settings and `words`, the arguments that are not options (min_words to max_words of
 * them; the count goes to *word_count when it is not NULL).  Returns CLI_CONTINUE, or the exit
 * status after --help (printed to standard output), a wrong usage (explained on standard error) or
 * outputs that could not be written (all are named).
 */
int cli_parse(const cli_command *command, const cli_group *groups, int argc, char **argv,
              const char **words, size_t min_words, size_t max_words, size_t *word_count);

/* Explains on standard error what is wrong with the words given; returns CLI_USAGE. */
int cli_usage_error(const cli_command *command, const char *text);

/* Does a command's work and returns the exit status for what came out.  Prints the message of a
 * failure; a work that has none to give with LP_NOT_CONVERGED leaves it empty. */
int cli_work(const cli_command *command, lp_status (*work)(void *job, lp_error *err), void *job);

/* The command line as one string, quoted for a shell; static storage. */
const char *cli_command_line(void);
void cli_keep_command_line(int argc, char **argv);

/* Flushes standard output and turns a write error into exit status 1. */
int cli_finish(int exit_status);

/* Commands, one a file. */
extern const cli_command cli_inspect, cli_extract, cli_fit, cli_eval, cli_predict, cli_reproduce,
    cli_sweep, cli_compare, cli_fewshot, cli_knn, cli_generate, cli_models, cli_fetch;

#endif

/* Commands and their options as tables.
 *
 *     typedef struct fit_settings {
 *         const char *train, *out;
 *         cli_fit_settings fit;
 *     } fit_settings;
 *     #define AT(member) offsetof(fit_settings, member)
 *     static const cli_option own[] = {
 *         {CLI_OUTPUT, "--out", "FILE", CLI_OUT_FILE, AT(out), .letter = 'o', .required = true,
 *          .help = "the probe file"},
 *         {.name = NULL}};
 *     static const cli_word words[] = {{"TRAIN_DIR", AT(train), .content = CONTENT_FEATURES},
 *                                      {.name = NULL}};
 *     static const cli_group groups[] = {
 *         {own, 0, NULL}, {cli_solver_option, AT(fit), NULL}, {.options = NULL}};
 *     const cli_command cli_fit = {.name = "fit", ..., .size = sizeof(fit_settings),
 *                                  .defaults = set_defaults, .words = words, .groups = groups,
 *                                  .work = fit};
 *
 * Everything is static, so that a program can walk the tables of all commands (cli_commands) and
 * of what every command has (cli/general.h): --help, manual pages and completions are made of them.
 */
#ifndef LP_CLI_OPTIONS_H
#define LP_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include "cli/content.h"
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
    CLI_LAYERS,     /* lp_layers: 12, or 9-12 */
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

/* One option.  A table ends with a row whose name is NULL. */
typedef struct cli_option {
    cli_section section;
    const char *name;     /* "--model"; "-C" where there is no long form */
    const char *argument; /* its argument in the help: "FILE"; NULL for a flag */
    cli_kind kind;
    size_t offset;              /* of the member in the settings struct */
    char letter;                /* the short form: 'm' for -m; 0: none */
    cli_content content;        /* what is expected at the path; CONTENT_UNKNOWN: anything */
    double low, high;           /* REAL, COUNT and COUNTS: allowed range */
    const char *const *choices; /* CHOICE: names in the order of the enum, NULL at the end */
    bool required;
    bool may_be_empty;    /* TEXT: "" has a meaning */
    const char *needs;    /* an option with an argument that this one has no effect without */
    const char *excludes; /* an option that cannot be given beside it */
    const char *help;     /* one line; choices and the default are added where it is printed */
} cli_option;

/* A table with the place of its struct in the command's settings. */
typedef struct cli_group {
    const cli_option *options; /* NULL: the end of the list */
    size_t offset;
    const char *needs; /* as cli_option.needs, for every option of the table; or NULL */
} cli_group;

/* An argument that is no option, or several of one kind.  A table ends with a row whose name is
 * NULL. */
typedef struct cli_word {
    const char *name; /* as the usage has it: "TRAIN_DIR" */
    size_t offset;    /* of a const char *; of the first of `most` where they are several */
    cli_content content;
    bool optional;
    size_t most;         /* 0: one.  Several are the last row of a table */
    size_t least;        /* of several */
    size_t count_offset; /* of a size_t: how many of several there are */
} cli_word;

/* What a command is.  Its texts are wrapped where they are printed. */
typedef struct cli_command {
    const char *name;
    const char *summary;
    const char *usage;   /* what follows the name, "--out DIR [options]"; one form a line */
    const char *details; /* paragraphs for --help, one a line, or NULL */
    size_t size;         /* of its settings, which are zeros before: */
    void (*defaults)(void *settings); /* sets what is not zero; --help prints it; or NULL */
    const cli_word *words;            /* or NULL */
    const cli_group *groups;
    lp_status (*check)(void *settings, lp_error *err); /* LP_ERR_ARGUMENT: wrong usage; or NULL */
    /* Does it.  LP_NOT_CONVERGED with an empty text prints no message. */
    lp_status (*work)(void *settings, lp_error *err);
    bool on_ranks; /* all ranks of a job call `work`; else it is called on rank 0, as if alone */
} cli_command;

/* All commands, and NULL behind the last. */
extern const cli_command *const cli_commands[];
const cli_command *cli_command_named(const char *name);

/* Exit statuses. */
enum { CLI_OK = 0, CLI_FAILURE = 1, CLI_USAGE = 2, CLI_NOT_CONVERGED = 3 };

/* Fills in the settings of a command from the arguments behind its name, argv[0], does its work and
 * returns the exit status, also after --help (printed to standard output), a wrong usage (explained
 * on standard error) or outputs that could not be written (all are named). */
int cli_run(const cli_command *command, int argc, char **argv);

/* Runs a job and returns the exit status for what came out.  Prints the message of a failure. */
int cli_work(const char *name, lp_status (*work)(void *job, lp_error *err), void *job);

/* Stores an option by its name without the dashes ("pool") from a table.  LP_ERR_ARGUMENT for a
 * value that it does not take; *found is false where the table has no such option. */
LP_MUST_USE lp_status cli_store_named(const cli_option *options, void *settings, const char *name,
                                      const char *text, bool *found, lp_error *err);

/* The message of the last failure that cli_work has printed; "" where there was none. */
const char *cli_last_message(void);

/* A word as a shell takes it: in quotes where it needs them.  What does not fit is cut off. */
enum { CLI_QUOTED = 4200 };
void cli_quote(char out[CLI_QUOTED], const char *word);

/* The command line as one string, quoted for a shell; static storage. */
const char *cli_command_line(void);
void cli_keep_command_line(int argc, char **argv);

/* Flushes standard output and turns a write error into exit status 1. */
int cli_finish(int exit_status);

#endif

/* linprobe COMMAND [options]: finds the command. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/spelling.h"
#include "base/team.h"
#include "cli/about.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/manual.h"
#include "cli/options.h"
#include "cli/places.h"
#include "cli/ranks.h"
#include "linprobe/checkpoint.h"
#include "math/blas_memory.h"
#include "math/dispatch.h"
#include "math/linalg.h"

static void print_commands(FILE *out) {
    (void)fprintf(out,
                  "usage: linprobe COMMAND [options]\n\n"
                  "Linear probes of frozen image encoders: features, classifier, accuracy.\n\n");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        int column = fprintf(out, "  %-10s  ", cli_commands[i]->name);
        help_wrap(out, (size_t)column, (size_t)column, cli_commands[i]->summary);
    }
    (void)fputc('\n', out);
    help_wrap(out, 0, 0,
              "`linprobe help COMMAND` lists a command's options; `linprobe --version` prints the "
              "version, and with --verbose what a report of a fault needs.");
}

/* OpenBLAS starts threads when it is loaded and waits for them at exit.  Where memory is limited
 * one of them may be asking for some forever, so the program does not wait: all is written by now.
 */
static int leave(int exit_status) {
#ifndef LP_SANITIZED /* whose reports come at exit */
    _exit(exit_status);
#else
    return exit_status;
#endif
}

/* A standard stream that is closed would be the first file that is opened: messages would go into
 * it.  What fills its place cannot be written (or read), so that it fails as before. */
static void fill_streams(void) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        }
    }
}

static lp_status reserve(void *context, lp_error *err) {
    lp_status status;
    (void)context;
    lp_blas_choose_kernels();
    LP_TRY(lp_blas_reserve(err));
    /* what the last digits of ranks would differ by */
    LP_TRY(lp_team_same("linprobe's version", lp_version(), NULL, err));
    LP_TRY(lp_team_same("OpenBLAS's version", lp_math_blas_version(), NULL, err));
    LP_TRY(lp_team_same("OpenBLAS's kernels", lp_math_blas_corename(),
                        "; OPENBLAS_CORETYPE in the environment of all chooses them", err));
    LP_TRY(lp_team_same("their processors", lp_fuses() ? "fused multiply-adds" : "none of them",
                        NULL, err));
done:
    return status;
}

/* Two lines: what was typed, and where to look. */
static int unknown_command(const char *word) {
    char meant[LP_SPELLING_TEXT];
    lp_spelling near = lp_spelling_of(word);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        lp_spelling_try(&near, cli_commands[i]->name);
    }
    lp_spelling_try(&near, "help");
    if (word[0] == '-') {
        (void)fprintf(stderr,
                      "linprobe: expected a command, found '%.100s'; options stand behind it\n",
                      word);
    } else {
        (void)fprintf(stderr, "linprobe: unknown command '%.100s'%s\n", word,
                      lp_spelling_text(&near, meant));
    }
    (void)fprintf(stderr, "`linprobe --help` lists the commands.\n");
    return CLI_USAGE;
}

/* `help --man [COMMAND]` and `help --completion SHELL`, from which packages are made. */
static lp_status print_page(void *job, lp_error *err) {
    char *const *words = job;
    if (strcmp(words[0], "--completion") == 0) {
        return completion_print(stdout, words[1] != NULL ? words[1] : "", err);
    }
    const cli_command *command = words[1] != NULL ? cli_command_named(words[1]) : NULL;
    if (words[1] != NULL && command == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "unknown command '%.100s'", words[1]);
    }
    return manual_print(stdout, command, err);
}

/* `linprobe help [COMMAND]` */
static int help(int argc, char **argv) {
    static char option[] = "--help";
    if (argc >= 3 && (strcmp(argv[2], "--man") == 0 || strcmp(argv[2], "--completion") == 0)) {
        int exit_status = cli_work("help", print_page, argv + 2);
        return exit_status == CLI_OK ? cli_finish(CLI_OK) : exit_status;
    }
    if (argc < 3) {
        print_commands(stdout);
        return cli_finish(CLI_OK);
    }
    const cli_command *command = cli_command_named(argv[2]);
    char *arguments[] = {argv[2], option, NULL};
    return command != NULL ? cli_run(command, 2, arguments) : unknown_command(argv[2]);
}

/* `linprobe --version [--verbose]` */
static int version(int argc, char **argv) {
    if (argc > 3 || (argc == 3 && strcmp(argv[2], "--verbose") != 0)) {
        (void)fprintf(stderr, "linprobe: --version takes no argument but --verbose\n");
        return CLI_USAGE;
    }
    if (argc == 3) {
        lp_blas_choose_kernels();
        about_print(stdout);
    } else {
        (void)printf("linprobe %s\n", lp_version());
    }
    return cli_finish(CLI_OK);
}

/* Large files of weights are read for their digest once, and not in every run. */
static void remember_digests(void) {
    static char folder[LP_PATH_ROOM];
    lp_error ignored;
    if (lp_path_in(folder, places_cache(), PLACES_DIGESTS, &ignored) == LP_OK) {
        lp_checkpoint_remember_digests(folder);
    }
}

static int run(const cli_command *command, int argc, char **argv) {
    int exit_status = cli_work(command->name, reserve, NULL);
    if (exit_status != CLI_OK) {
        return exit_status;
    }
    interrupt_watch(command->name);
    remember_digests();
    return cli_run(command, argc, argv);
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    if (is_one_of(argv[1], "help", "--help", "-h")) {
        return help(argc, argv);
    }
    if (is_one_of(argv[1], "--version", "-V", "-V")) {
        return version(argc, argv);
    }
    const cli_command *command = cli_command_named(argv[1]);
    return command != NULL ? run(command, argc - 1, argv + 1) : unknown_command(argv[1]);
}

static lp_status join(void *context, lp_error *err) {
    (void)context;
    return ranks_join(err);
}

int main(int argc, char **argv) {
    fill_streams();
    int exit_status = cli_work("mpi", join, NULL);
    if (exit_status == CLI_OK) {
        cli_keep_command_line(argc, argv);
        exit_status = ranks_leave(dispatch(argc, argv), cli_last_message());
    }
    return leave(exit_status);
}

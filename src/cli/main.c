/* linprobe COMMAND [options]: finds the command. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "math/blas_memory.h"

static const cli_command *const commands[] = {
    &cli_reproduce, &cli_models, &cli_fetch,   &cli_inspect, &cli_extract, &cli_fit,      &cli_eval,
    &cli_predict,   &cli_sweep,  &cli_compare, &cli_fewshot, &cli_knn,     &cli_generate,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void print_commands(FILE *out) {
    (void)fprintf(out,
                  "usage: linprobe COMMAND [options]\n\n"
                  "Linear probes of frozen image encoders: features, classifier, accuracy.\n\n");
    for (int i = 0; i < COMMANDS; i++) {
        int column = fprintf(out, "  %-10s  ", commands[i]->name);
        help_wrap(out, (size_t)column, (size_t)column, commands[i]->summary);
    }
    (void)fputc('\n', out);
    help_wrap(
        out, 0, 0,
        "`linprobe COMMAND --help` lists a command's options; `linprobe --version` prints the "
        "version.");
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
    (void)context;
    return lp_blas_reserve(err);
}

int main(int argc, char **argv) {
    fill_streams();
    cli_keep_command_line(argc, argv);
    if (argc < 2) {
        print_commands(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_commands(stdout);
        return cli_finish(CLI_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("linprobe %s\n", lp_version());
        return cli_finish(CLI_OK);
    }
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) {
            int exit_status = cli_work(commands[i], reserve, NULL);
            if (exit_status != CLI_OK) {
                return leave(exit_status);
            }
            interrupt_watch(commands[i]->name);
            return leave(cli_finish(commands[i]->run(commands[i], argc - 1, argv + 1)));
        }
    }
    (void)fprintf(stderr, "linprobe: no command '%.100s'\n", argv[1]);
    print_commands(stderr);
    return CLI_USAGE;
}

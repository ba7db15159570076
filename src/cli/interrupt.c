/* Signals of the terminal; and SIGBUS, the system's only way to say that a part of a mapped file
 * cannot be read. */
#include "cli/interrupt.h"

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/options.h"
#include "cli/ranks.h"

static volatile sig_atomic_t caught;

static bool on_terminal; /* standard error is one: a line of the meter may stand there */

/* Says at once that the signal came: the work may need a while to the next place where it can stop.
 */
static void note(int number) {
    static const char text[] =
        "\ninterrupted: stopping at the next safe place; once more ends it at once\n";
    const char *from = on_terminal ? text : text + 1;
    caught = number;
    (void)!write(STDERR_FILENO, from, sizeof text - 1 - (size_t)(from - text));
}

int interrupt_signal(void) {
    return (int)caught;
}

static const char *name_of_command;

/* Calls nothing but what a signal handler may.  What would steer a terminal is masked, as in every
 * message. */
static void report_lost_file(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    const char *path = lp_map_path_at(info->si_addr);
    if (path == NULL) {
        return; /* not a file: it happens again, with the default effect (SA_RESETHAND) */
    }
    const char *const parts[] = {"linprobe ", name_of_command, ": ", path,
                                 ": became shorter while it was read, or its disk failed"};
    char line[512];
    size_t used = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        for (const char *c = parts[i]; *c != '\0' && used + 1 < sizeof line; c++) {
            line[used++] = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
        }
    }
    line[used++] = '\n';
    (void)!write(ranks_voice(), line, used);
    _exit(CLI_FAILURE);
}

void interrupt_watch(const char *command) {
    struct sigaction action;
    name_of_command = command;
    on_terminal = isatty(STDERR_FILENO) != 0;
    memset(&action, 0, sizeof action);
    (void)sigemptyset(&action.sa_mask);
    /* SA_RESETHAND: the second signal has its default effect. */
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    action.sa_handler = note;
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_flags = (int)((unsigned)SA_SIGINFO | (unsigned)SA_RESETHAND);
    action.sa_sigaction = report_lost_file;
    (void)sigaction(SIGBUS, &action, NULL);
}

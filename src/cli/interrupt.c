/* Signals of the terminal; and SIGBUS, the system's only way to say that a part of a mapped file
 * cannot be read. */
#include "cli/interrupt.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/options.h"

static volatile sig_atomic_t caught;

static void note(int number) {
    caught = number;
}

int interrupt_signal(void) {
    return (int)caught;
}

typedef struct line {
    char text[512];
    size_t used;
} line;

static const char *name_of_command;

/* What would steer a terminal is masked, as in every message. */
static void append(line *out, const char *text) {
    for (; *text != '\0' && out->used < sizeof out->text; text++) {
        unsigned char c = (unsigned char)*text;
        out->text[out->used++] = c < 0x20 || c == 0x7f ? '?' : *text;
    }
}

/* Calls nothing but what a signal handler may. */
static void report_lost_file(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    const char *path = lp_map_path_at(info->si_addr);
    if (path == NULL) {
        return; /* not a file: it happens again, with the default effect (SA_RESETHAND) */
    }
    line out = {.used = 0};
    append(&out, "linprobe ");
    append(&out, name_of_command);
    append(&out, ": ");
    append(&out, path);
    append(&out, ": became shorter while it was read, or its disk failed");
    out.text[out.used++] = '\n';
    (void)!write(STDERR_FILENO, out.text, out.used);
    _exit(CLI_FAILURE);
}

void interrupt_watch(const char *command) {
    struct sigaction action;
    name_of_command = command;
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

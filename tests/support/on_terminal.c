/* on_terminal COLUMNS COMMAND...: runs a command whose standard output and error are a terminal
 * that is COLUMNS wide, copies what it writes to standard output, and returns its exit status. */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int open_terminal(int master, int columns) {
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    struct termios mode;
    const char *name = grantpt(master) == 0 && unlockpt(master) == 0 ? ptsname(master) : NULL;
    int terminal = name != NULL ? open(name, O_RDWR | O_NOCTTY) : -1;
    if (terminal < 0 || tcgetattr(terminal, &mode) != 0) {
        return -1;
    }
    mode.c_oflag &= ~(tcflag_t)OPOST; /* lines end as they are written */
    return tcsetattr(terminal, TCSANOW, &mode) == 0 && ioctl(terminal, TIOCSWINSZ, &size) == 0
               ? terminal
               : -1;
}

int main(int argc, char **argv) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    int terminal = argc > 2 && master >= 0 ? open_terminal(master, atoi(argv[1])) : -1;
    if (terminal < 0) {
        perror("on_terminal");
        return 99;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(terminal, STDOUT_FILENO);
        (void)dup2(terminal, STDERR_FILENO);
        (void)close(terminal);
        (void)close(master);
        execvp(argv[2], argv + 2);
        _exit(98);
    }
    (void)close(terminal);
    char bytes[4096];
    ssize_t got; /* the read fails once the child has closed the terminal */
    while ((got = read(master, bytes, sizeof bytes)) > 0) {
        (void)fwrite(bytes, 1, (size_t)got, stdout);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : 97;
}

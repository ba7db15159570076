/* A tiny HTTP/1.1 server for tests: serves the files of one folder on 127.0.0.1, with Range,
 * ETag and If-Range, and misbehaves where the path asks for it.
 *
 * usage: http_server FOLDER
 *
 * Prints its port on standard output, then serves until SIGTERM, or until standard input ends where
 * that is a pipe.  One line a request goes to standard error, before the reply starts:
 *     PATH STATUS FIRST LENGTH [if-range] [token]
 * where "token" says that the request had an Authorization.  What follows a "?" in a path is left
 * out when the file is looked for.
 *
 * Misbehaviours are path segments before the file's name; they may be combined:
 *     /cut/N/...         closes after N bytes of the body, unless the request has a Range
 *     /always-cut/N/...  closes after N bytes of every body
 *     /stall/N/...       sends N bytes of the body, then nothing, without closing
 *     /slow/...          sends 1 KiB at a time, a millisecond between
 *     /norange/...       ignores Range
 *     /badrange/...      sends the asked bytes under a Content-Range that is one off
 *     /content-range/X/... sends X as Content-Range of a partial reply (+ for a space, : for a /)
 *     /nolength/...      sends no Content-Length
 *     /changed/...       has another ETag when asked for a Range
 *     /wrong/...         flips the bits of every byte
 *     /status/N/...      answers with status N and a short page
 *     /error/N/X/...     the same, with X as X-Error-Code
 *     /token/X/...       answers with status 401, unless asked with "Authorization: Bearer X"
 *     /redirect/...      redirects to the rest of the path
 *     /elsewhere/...     redirects to the rest of the path on "localhost", another host by its name
 *     /redirect-loop/... redirects to itself
 *     /redirect-to/X/... redirects to X://example.com/ (X = http, ftp, file) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 16384 };

static const char *folder;
static int port;

typedef struct behaviour {
    uint64_t cut;        /* bytes of the body before closing; UINT64_MAX: all */
    uint64_t always_cut; /* the same for requests with a Range, too */
    uint64_t stall;
    bool slow, norange, badrange, nolength, changed, wrong;
    bool authorized; /* the request has a token */
    int status;      /* 0: as it should be */
    char error[64];  /* X-Error-Code, or "" */
    char token[64];  /* that the request must have, or "" */
    char content_range[128];
    char location[4096]; /* of a redirection, or "" */
    const char *file;    /* the rest of the path */
} behaviour;

static bool send_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, 0);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Reads to the empty line after the header fields. */
static bool read_request(int fd, char request[REQUEST_BYTES]) {
    size_t used = 0;
    while (used < REQUEST_BYTES - 1) {
        ssize_t got = recv(fd, request + used, REQUEST_BYTES - 1 - used, 0);
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
        request[used] = '\0';
        if (strstr(request, "\r\n\r\n") != NULL) {
            return true;
        }
    }
    return false;
}

/* The value of a header field, up to the line's end, in `value`; false when absent. */
static bool find_field(const char *request, const char *name, char *value, size_t capacity) {
    size_t length = strlen(name);
    for (const char *line = strstr(request, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            line += length + 1 + strspn(line + length + 1, " ");
            size_t size = strcspn(line, "\r");
            if (size < capacity) {
                memcpy(value, line, size);
                value[size] = '\0';
                return true;
            }
        }
    }
    return false;
}

/* Takes "WORD/" off the start of *path. */
static bool take_word(const char **path, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*path, word, length) == 0 && (*path)[length] == '/') {
        *path += length + 1;
        return true;
    }
    return false;
}

static uint64_t take_count(const char **path) {
    char *end;
    uint64_t value = strtoull(*path, &end, 10);
    *path = *end == '/' ? end + 1 : end;
    return value;
}

static void take_text(const char **path, char *text, size_t capacity) {
    size_t length = strcspn(*path, "/");
    (void)snprintf(text, capacity, "%.*s", (int)length, *path);
    *path += length + ((*path)[length] == '/');
}

static void parse_path(const char *path, behaviour *b) {
    memset(b, 0, sizeof *b);
    b->cut = b->always_cut = b->stall = UINT64_MAX;
    const char *whole = path;
    path += *path == '/';
    for (;;) {
        if (take_word(&path, "cut")) {
            b->cut = take_count(&path);
        } else if (take_word(&path, "always-cut")) {
            b->always_cut = take_count(&path);
        } else if (take_word(&path, "stall")) {
            b->stall = take_count(&path);
        } else if (take_word(&path, "status")) {
            b->status = (int)take_count(&path);
        } else if (take_word(&path, "error")) {
            b->status = (int)take_count(&path);
            take_text(&path, b->error, sizeof b->error);
        } else if (take_word(&path, "token")) {
            take_text(&path, b->token, sizeof b->token);
        } else if (take_word(&path, "slow")) {
            b->slow = true;
        } else if (take_word(&path, "norange")) {
            b->norange = true;
        } else if (take_word(&path, "badrange")) {
            b->badrange = true;
        } else if (take_word(&path, "content-range")) {
            take_text(&path, b->content_range, sizeof b->content_range);
            for (char *c = b->content_range; *c != '\0'; c++) {
                *c = (char)(*c == '+' ? ' ' : *c == ':' ? '/' : *c);
            }
        } else if (take_word(&path, "nolength")) {
            b->nolength = true;
        } else if (take_word(&path, "changed")) {
            b->changed = true;
        } else if (take_word(&path, "wrong")) {
            b->wrong = true;
        } else if (take_word(&path, "redirect")) {
            (void)snprintf(b->location, sizeof b->location, "/%s", path);
            break;
        } else if (take_word(&path, "elsewhere")) {
            (void)snprintf(b->location, sizeof b->location, "http://localhost:%d/%s", port, path);
            break;
        } else if (take_word(&path, "redirect-loop")) {
            (void)snprintf(b->location, sizeof b->location, "%s", whole);
            break;
        } else if (take_word(&path, "redirect-to")) {
            (void)snprintf(b->location, sizeof b->location, "%.*s://example.com/",
                           (int)strcspn(path, "/"), path);
            break;
        } else {
            break;
        }
    }
    b->file = path;
}

/* A header field, or nothing where its value is "". */
static const char *field(char line[4200], const char *name, const char *value) {
    (void)snprintf(line, 4200, value[0] != '\0' ? "%s: %s\r\n" : "", name, value);
    return line;
}

static void send_page(int fd, const char *path, int status, const behaviour *b) {
    char reply[8800], location[4200], error[4200];
    char page[] = "<html>a page, not the file</html>\n";
    (void)fprintf(stderr, "%s %d 0 0%s\n", path, status, b->authorized ? " token" : "");
    int size = snprintf(reply, sizeof reply,
                        "HTTP/1.1 %d Status\r\nContent-Length: %zu\r\n%s%s"
                        "Connection: close\r\n\r\n%s",
                        status, sizeof page - 1, field(location, "Location", b->location),
                        field(error, "X-Error-Code", b->error), page);
    (void)send_all(fd, reply, (size_t)size);
}

static void send_body(int fd, int file, uint64_t first, uint64_t length, const behaviour *b) {
    char block[65536];
    uint64_t stop = length < b->stall ? length : b->stall;
    uint64_t sent = 0;
    struct timespec moment = {.tv_nsec = 1000000};
    while (sent < stop) {
        uint64_t left = stop - sent;
        size_t want = b->slow ? 1024 : sizeof block;
        want = left < want ? (size_t)left : want;
        ssize_t got = pread(file, block, want, (off_t)(first + sent));
        if (got <= 0) {
            return;
        }
        for (ssize_t i = 0; b->wrong && i < got; i++) {
            block[i] = (char)~block[i];
        }
        if (!send_all(fd, block, (size_t)got)) {
            return;
        }
        sent += (uint64_t)got;
        if (b->slow) {
            (void)nanosleep(&moment, NULL);
        }
    }
    while (stop < length && recv(fd, block, sizeof block, 0) > 0) { /* until the client goes */
    }
}

static void send_file(int fd, const char *request, const char *path, const behaviour *b) {
    char name[4096], range[128], etag[64], condition[128], head[1024], line[256];
    struct stat info;
    (void)snprintf(name, sizeof name, "%s/%.*s", folder, (int)strcspn(b->file, "?"), b->file);
    int file = strstr(b->file, "..") == NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0 || fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
        if (file >= 0) {
            (void)close(file);
        }
        send_page(fd, path, 404, b);
        return;
    }
    uint64_t size = (uint64_t)info.st_size;
    uint64_t first = 0, last = size - 1;
    bool ranged = find_field(request, "Range", range, sizeof range);
    bool conditional = find_field(request, "If-Range", condition, sizeof condition);
    (void)snprintf(etag, sizeof etag, "\"%llx-%llx%s\"", (unsigned long long)size,
                   (unsigned long long)info.st_mtime, b->changed && ranged ? "-new" : "");
    bool partial = ranged && !b->norange && (!conditional || strcmp(condition, etag) == 0) &&
                   strncmp(range, "bytes=", 6) == 0;
    int status = 200;
    (void)snprintf(line, sizeof line, "%s", "");
    if (partial) {
        char *end;
        first = strtoull(range + 6, &end, 10);
        if (*end == '-' && end[1] != '\0') {
            last = strtoull(end + 1, NULL, 10);
        }
        last = last < size ? last : size - 1;
        status = size > 0 && first <= last ? 206 : 416;
        if (status == 206) {
            uint64_t claimed = first + (b->badrange ? 1 : 0);
            (void)snprintf(line, sizeof line, "Content-Range: bytes %llu-%llu/%llu\r\n",
                           (unsigned long long)claimed, (unsigned long long)last,
                           (unsigned long long)size);
        }
        if (status == 206 && b->content_range[0] != '\0') {
            (void)snprintf(line, sizeof line, "Content-Range: %s\r\n", b->content_range);
        }
        if (status == 416) {
            (void)snprintf(line, sizeof line, "Content-Range: bytes */%llu\r\n",
                           (unsigned long long)size);
        }
    }
    uint64_t length = status == 416 || size == 0 ? 0 : last - first + 1;
    char content_length[64] = "";
    if (!b->nolength) {
        (void)snprintf(content_length, sizeof content_length, "Content-Length: %llu\r\n",
                       (unsigned long long)length);
    }
    (void)fprintf(stderr, "%s %d %llu %llu%s%s\n", path, status, (unsigned long long)first,
                  (unsigned long long)length, conditional ? " if-range" : "",
                  b->authorized ? " token" : "");
    int used = snprintf(head, sizeof head,
                        "HTTP/1.1 %d Status\r\n%s%sETag: %s\r\nAccept-Ranges: %s\r\n"
                        "Connection: close\r\n\r\n",
                        status, line, content_length, etag, b->norange ? "none" : "bytes");
    uint64_t cut = ranged || b->always_cut < b->cut ? b->always_cut : b->cut;
    if (send_all(fd, head, (size_t)used)) {
        send_body(fd, file, first, length < cut ? length : cut, b);
    }
    (void)close(file);
}

static void *serve(void *argument) {
    int fd = (int)(intptr_t)argument;
    char request[REQUEST_BYTES];
    char path[4096], given[256], wanted[128];
    behaviour b = {0};
    if (read_request(fd, request)) {
        if (sscanf(request, "GET %4095s HTTP/1.", path) != 1) {
            send_page(fd, "?", 405, &b);
        } else {
            parse_path(path, &b);
            b.authorized = find_field(request, "Authorization", given, sizeof given);
            (void)snprintf(wanted, sizeof wanted, "Bearer %s", b.token);
            bool refused = b.token[0] != '\0' && (!b.authorized || strcmp(given, wanted) != 0);
            if (refused) {
                b.location[0] = '\0';
                send_page(fd, path, 401, &b);
            } else if (b.location[0] != '\0') {
                send_page(fd, path, 302, &b);
            } else if (b.status != 0) {
                send_page(fd, path, b.status, &b);
            } else {
                send_file(fd, request, path, &b);
            }
        }
    }
    (void)shutdown(fd, SHUT_WR);
    (void)close(fd);
    return NULL;
}

int main(int argc, char **argv) {
    struct stat input;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: http_server FOLDER\n");
        return 2;
    }
    folder = argv[1];
    (void)signal(SIGPIPE, SIG_IGN); /* clients go when they like */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("http_server");
        return 1;
    }
    port = ntohs(address.sin_port);
    (void)printf("%d\n", port);
    (void)fflush(stdout);
    bool watched = fstat(STDIN_FILENO, &input) == 0 && S_ISFIFO(input.st_mode);
    struct pollfd events[2] = {{.fd = listener, .events = POLLIN},
                               {.fd = watched ? STDIN_FILENO : -1, .events = POLLIN}};
    for (;;) {
        char ignored[64];
        if (poll(events, 2, -1) < 0) {
            continue;
        }
        if (events[1].revents != 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0) {
            _exit(0); /* whatever the threads are doing */
        }
        if (events[0].revents != 0) {
            pthread_t thread;
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0) {
                (void)pthread_detach(thread);
            }
        }
    }
}

#include "base/digest_memory.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"

#ifdef __APPLE__
#define CONTENT_TIME st_mtimespec
#define CHANGE_TIME st_ctimespec
#else
#define CONTENT_TIME st_mtim
#define CHANGE_TIME st_ctim
#endif

enum { LINE = 256, SETTLED = 2 /* seconds */ };

/* What a digest is remembered by. */
typedef struct file_state {
    char name[64];
    char line[LINE]; /* as far as the digest */
    int64_t changed; /* seconds */
    bool worth_it;
} file_state;

static bool look(const char *path, file_state *state) {
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return false;
    }
    (void)snprintf(state->name, sizeof state->name, "%llx-%llx", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino);
    (void)snprintf(state->line, sizeof state->line, "%lld %lld.%09ld %lld.%09ld ",
                   (long long)info.st_size, (long long)info.CONTENT_TIME.tv_sec,
                   (long)info.CONTENT_TIME.tv_nsec, (long long)info.CHANGE_TIME.tv_sec,
                   (long)info.CHANGE_TIME.tv_nsec);
    int64_t content = (int64_t)info.CONTENT_TIME.tv_sec, change = (int64_t)info.CHANGE_TIME.tv_sec;
    state->changed = content > change ? content : change;
    state->worth_it = info.st_size >= LP_REMEMBERED_LEAST;
    return true;
}

/* Whether `line`, the whole of a remembered file, is of this state; then its digest -> hex. */
static bool recall(const file_state *state, const char *line, char hex[LP_DIGEST_HEX]) {
    size_t length = strlen(state->line), digits = LP_DIGEST_HEX - 1;
    if (strncmp(line, state->line, length) != 0 ||
        strspn(line + length, "0123456789abcdef") != digits ||
        strcmp(line + length + digits, "\n") != 0) {
        return false;
    }
    memcpy(hex, line + length, digits);
    hex[digits] = '\0';
    return true;
}

static bool is_remembered(const char *folder, const file_state *state, char hex[LP_DIGEST_HEX]) {
    char path[LP_PATH_ROOM], *line = NULL;
    size_t size;
    lp_error ignored;
    bool found = lp_path_in(path, folder, state->name, &ignored) == LP_OK &&
                 lp_file_read(path, LINE + LP_DIGEST_HEX, &line, &size, &ignored) == LP_OK &&
                 recall(state, line, hex);
    lp_free(line);
    return found;
}

static void remember(const char *folder, const file_state *state, const char *hex) {
    char path[LP_PATH_ROOM], line[LINE + LP_DIGEST_HEX + 1];
    lp_error ignored;
    int size = snprintf(line, sizeof line, "%s%s\n", state->line, hex);
    if (lp_make_folders(folder, &ignored) != LP_OK ||
        lp_path_in(path, folder, state->name, &ignored) != LP_OK ||
        lp_file_write(path, line, (size_t)size, &ignored) != LP_OK) {
        return; /* the file is read again next time */
    }
}

lp_status lp_digest_remembered(const char *folder, int64_t now, const char *path,
                               char hex[LP_DIGEST_HEX], lp_error *err) {
    file_state before, after;
    bool seen = look(path, &before) && before.worth_it;
    if (seen && is_remembered(folder, &before, hex)) {
        return LP_OK;
    }
    lp_status status = lp_digest_file(LP_SHA256, path, hex, err);
    if (status == LP_OK && seen && now - before.changed >= SETTLED && look(path, &after) &&
        strcmp(before.line, after.line) == 0 && strcmp(before.name, after.name) == 0) {
        remember(folder, &before, hex);
    }
    return status;
}

bool lp_is_digest_memory(const char *name) {
    static const char digits[] = "0123456789abcdef";
    size_t device = strspn(name, digits);
    size_t inode = name[device] == '-' ? strspn(name + device + 1, digits) : 0;
    return device > 0 && inode > 0 && name[device + 1 + inode] == '\0';
}

static const char *memory_folder;

void lp_digest_memory(const char *folder) {
    memory_folder = folder;
}

lp_status lp_digest_known(const char *path, char hex[LP_DIGEST_HEX], lp_error *err) {
    return memory_folder != NULL
               ? lp_digest_remembered(memory_folder, (int64_t)time(NULL), path, hex, err)
               : lp_digest_file(LP_SHA256, path, hex, err);
}

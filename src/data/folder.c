/* Listing folders. */
#include "data/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

lp_status lp_folder_add(lp_folder *folder, char *name, lp_error *err) {
    if (name != NULL && folder->count == folder->room) {
        size_t room = folder->room > 0 ? 2 * folder->room : 64;
        char **names = lp_grow(folder->names, folder->room * sizeof *names, room, sizeof *names);
        if (names == NULL) {
            lp_free(name);
            name = NULL;
        } else {
            folder->names = names;
            folder->room = room;
        }
    }
    if (name == NULL) {
        return lp_fail_memory(err, "list of files", folder->count + 1, sizeof *folder->names);
    }
    folder->names[folder->count++] = name;
    return LP_OK;
}

lp_status lp_folder_read(const char *path, lp_folder *folder, lp_error *err) {
    memset(folder, 0, sizeof *folder);
    DIR *stream = opendir(path);
    if (stream == NULL) {
        return lp_fail_errno(err, errno, "%s: folder cannot be opened", path);
    }
    lp_status status = LP_OK;
    while (status == LP_OK) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            if (errno != 0) {
                status = lp_fail_errno(err, errno, "%s: folder cannot be read", path);
            }
            break;
        }
        const char *name = entry->d_name;
        if (name[0] == '.') {
            folder->hidden += strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
        } else {
            status = lp_folder_add(folder, lp_strdup(name), err);
        }
    }
    (void)closedir(stream);
    if (status != LP_OK) {
        lp_folder_clear(folder);
    } else if (folder->count > 0) {
        qsort(folder->names, folder->count, sizeof *folder->names, by_bytes);
    }
    return status;
}

void lp_folder_clear(lp_folder *folder) {
    for (size_t i = 0; i < folder->count; i++) {
        lp_free(folder->names[i]);
    }
    lp_free(folder->names);
    memset(folder, 0, sizeof *folder);
}

/* Listing folders. */
#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

/* What macOS's archiver and Synology's file server write beside the files. */
static const char *const foreign[] = {"__MACOSX", "@eaDir"};

lp_status lp_folder_add(lp_folder *folder, char *name, lp_error *err) {
    if (name != NULL && (name[0] == '.' || lp_text_in(foreign, sizeof foreign / sizeof foreign[0],
                                                      name, strlen(name)))) {
        folder->left_out += strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
        lp_free(name);
        return LP_OK;
    }
    char **names = name == NULL
                       ? NULL
                       : lp_grow_by_one(folder->names, folder->count, &folder->room, sizeof *names);
    if (names == NULL) {
        lp_free(name);
        return lp_fail_memory(err, "list of files", folder->count + 1, sizeof *names);
    }
    folder->names = names;
    folder->names[folder->count++] = name;
    return LP_OK;
}

void lp_folder_sort(lp_folder *folder) {
    if (folder->count > 0) {
        qsort(folder->names, folder->count, sizeof *folder->names, lp_text_order);
    }
}

lp_status lp_folder_read(const char *path, lp_folder *folder, lp_error *err) {
    memset(folder, 0, sizeof *folder);
    DIR *stream = opendir(path);
    if (stream == NULL) {
        return lp_fail_errno(err, errno, "%s: folder cannot be opened", path);
    }
    lp_status status = LP_OK;
    const struct dirent *entry;
    for (errno = 0; (entry = readdir(stream)) != NULL; errno = 0) {
        LP_TRY(lp_folder_add(folder, lp_strdup(entry->d_name), err));
    }
    if (errno != 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: folder cannot be read", path));
    }
    lp_folder_sort(folder);
done:
    (void)closedir(stream);
    if (status != LP_OK) {
        lp_folder_clear(folder);
    }
    return status;
}

lp_status lp_folder_read_kind(const char *path, bool folders, lp_folder *folder, lp_error *err) {
    char full[LP_PATH_ROOM];
    size_t kept = 0;
    lp_status status = lp_folder_read(path, folder, err);
    for (size_t i = 0; i < folder->count; i++) {
        char *name = folder->names[i];
        status = status == LP_OK ? lp_path_in(full, path, name, err) : status;
        if (status == LP_OK && lp_is_folder(full) == folders) {
            folder->names[kept++] = name;
        } else {
            lp_free(name);
            folder->left_out++;
        }
    }
    folder->count = kept;
    if (status != LP_OK) {
        lp_folder_clear(folder);
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

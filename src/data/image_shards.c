/* Data stage: shards of images; image_shards.h has what they are.
 *
 *   shard -> its members in order, by key: an image's place in the shard; its label
 *         -> image i: read from its shard, at its place
 *
 * The shards of a set may be larger than the memory, and so no image is kept. */
#include "data/image_shards.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "base/json.h"

enum { LABEL_BYTES = 1 << 16 };

/* ---- images in shards ------------------------------------------------------------------------ */

typedef struct image_place {
    size_t shard;
    uint64_t offset;
} image_place;

struct lp_image_shards {
    lp_tree_source files; /* first: the tree knows it by this */
    char **paths;         /* [count] */
    size_t count, room;
    image_place *places; /* [images]: file i of the source */
    size_t images, image_room;
};

static lp_status read_image(const lp_tree_source *files, size_t number, unsigned char *bytes,
                            size_t size, lp_error *err) {
    const lp_image_shards *source = (const lp_image_shards *)files;
    const char *path = source->paths[source->places[number].shard];
    uint64_t offset = source->places[number].offset;
    lp_status status = LP_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", path);
    }
    for (size_t got = 0; got < size && status == LP_OK;) {
        ssize_t n = pread(fd, bytes + got, size - got, (off_t)(offset + got));
        if (n < 0 && errno != EINTR) {
            status = lp_fail_errno(err, errno, "%s: cannot be read", path);
        } else if (n == 0) {
            status = lp_fail(err, LP_ERR_DATA, "%s: it has changed: it ends before byte %llu", path,
                             (unsigned long long)offset + size);
        }
        got += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return status;
}

static void close_shards(lp_tree_source *files) {
    lp_image_shards *source = (lp_image_shards *)files;
    for (size_t i = 0; i < source->count; i++) {
        lp_free(source->paths[i]);
    }
    lp_free(source->paths);
    lp_free(source->places);
    lp_free(source);
}

static lp_status add_shard(lp_image_shards *source, const char *path, lp_error *err) {
    char **paths = lp_grow_by_one(source->paths, source->count, &source->room, sizeof *paths);
    char *copy = lp_strdup(path);
    source->paths = paths != NULL ? paths : source->paths;
    if (paths == NULL || copy == NULL) {
        lp_free(copy);
        return lp_fail_memory(err, "list of shards", source->count + 1, sizeof *paths);
    }
    source->paths[source->count++] = copy;
    return LP_OK;
}

static lp_status add_place(lp_image_shards *source, uint64_t offset, lp_error *err) {
    image_place *places =
        lp_grow_by_one(source->places, source->images, &source->image_room, sizeof *places);
    if (places == NULL) {
        return lp_fail_memory(err, "list of images", source->images + 1, sizeof *places);
    }
    source->places = places;
    source->places[source->images++] = (image_place){source->count - 1, offset};
    return LP_OK;
}

/* ---- a shard --------------------------------------------------------------------------------- */

/* The members of one key. */
typedef struct key_members {
    char key[LP_PATH_ROOM]; /* "": none yet */
    char image[LP_PATH_ROOM];
    uint64_t offset, size; /* of the image */
    char *label;           /* the text of the member that has it, or NULL */
    bool is_json;
} key_members;

/* A shard that is being read. */
typedef struct shard_reader {
    lp_image_list *list;
    lp_image_shards *source;
    const char *name; /* below the list's folder */
    const char *path; /* for messages */
    lp_archive *archive;
    key_members sample;
    uint64_t size; /* of the shard */
} shard_reader;

static void clear_sample(key_members *sample) {
    lp_free(sample->label);
    sample->key[0] = sample->image[0] = '\0';
    sample->label = NULL;
}

/* The number that a label's text is, or -1. */
static int64_t whole_number(const char *text) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    bool any = end != text;
    end += strspn(end, " \t\r\n");
    return any && *end == '\0' && errno == 0 ? number : -1;
}

/* The number in an object, as "label" or "cls". */
static lp_status number_in_object(const char *where, const char *text, int64_t *label,
                                  lp_error *err) {
    json_t *object = NULL;
    lp_status status;
    LP_TRY(lp_json_parse(where, text, strlen(text), &object, err));
    const json_t *number = json_object_get(object, "label");
    number = number != NULL ? number : json_object_get(object, "cls");
    *label = json_is_integer(number) ? json_integer_value(number) : -1;
done:
    json_decref(object);
    return status;
}

static lp_status read_label(const shard_reader *reader, int64_t *label, lp_error *err) {
    const key_members *sample = &reader->sample;
    const char *text = sample->label;
    char where[LP_PATH_ROOM], name[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(name, err, "%s/%s.%s", reader->name, sample->key,
                         sample->is_json ? "json" : "cls"));
    LP_TRY(lp_tree_path(reader->list->tree, name, where, err));
    *label = whole_number(text);
    size_t shown = strcspn(text, "\r\n");
    shown = shown < 80 ? shown : 80;
    if (sample->is_json && text[strspn(text, " \t\r\n")] == '{') {
        LP_TRY(number_in_object(where, text, label, err));
    }
    if (*label < 0 || (uint64_t)*label >= reader->list->class_count) {
        status = lp_fail(err, LP_ERR_DATA,
                         "%s: expected a %s from 0 to %zu, as classnames.txt has them, found "
                         "'%.*s'",
                         where, sample->is_json ? "'label'" : "class",
                         reader->list->class_count - 1, (int)shown, text);
    }
done:
    return status;
}

static lp_status add_image(const shard_reader *reader, lp_error *err) {
    lp_image_list *list = reader->list;
    const key_members *sample = &reader->sample;
    int64_t label = 0;
    lp_status status;
    LP_TRY(read_label(reader, &label, err));
    LP_TRY(add_place(reader->source, sample->offset, err));
    LP_TRY(lp_tree_add_lazily(list->tree, sample->image, &reader->source->files,
                              reader->source->images - 1, (size_t)sample->size, err));
    status = lp_image_list_add(list, sample->image, label, err);
done:
    return status;
}

/* All members of a key are there. */
static lp_status end_sample(shard_reader *reader, lp_error *err) {
    key_members *sample = &reader->sample;
    char name[LP_PATH_ROOM];
    lp_status status = LP_OK;
    if (sample->image[0] == '\0' && sample->label == NULL) {
        reader->list->ignored += sample->key[0] != '\0';
        goto done;
    }
    LP_TRY(lp_path_print(name, err, "%s/%s", reader->name, sample->key));
    if (sample->image[0] == '\0') {
        status = lp_image_list_fail(reader->list, name, LP_ERR_DATA, err,
                                    "there is a label, and no image (.jpg, .jpeg, .png or .webp)");
    } else if (sample->label == NULL) {
        status = lp_image_list_fail(reader->list, sample->image, LP_ERR_DATA, err,
                                    "there is no label with it (%s.cls or .json)", sample->key);
    } else {
        status = add_image(reader, err);
    }
    status = lp_image_list_refuse(reader->list, name, status, err);
done:
    clear_sample(sample);
    return status;
}

static lp_status take_image(shard_reader *reader, const lp_member *member, lp_error *err) {
    key_members *sample = &reader->sample;
    if (sample->image[0] != '\0') {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: a second image of one key", reader->path,
                       member->name);
    }
    if (member->place == 0) {
        return lp_fail(
            err, LP_ERR_UNSUPPORTED,
            "%s: %s: it is compressed: expected a .tar whose images lie there as they are",
            reader->path, member->name);
    }
    if (member->size > reader->size || member->place > reader->size - member->size) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: the archive is cut off in it", reader->path,
                       member->name);
    }
    sample->offset = member->place;
    sample->size = member->size;
    return lp_path_print(sample->image, err, "%s/%s", reader->name, member->name);
}

/* A .cls counts more than a .json, which may hold anything. */
static lp_status take_label(shard_reader *reader, const lp_member *member, bool is_json,
                            lp_error *err) {
    key_members *sample = &reader->sample;
    size_t size = (size_t)member->size;
    lp_status status = LP_OK;
    if (is_json && sample->label != NULL && !sample->is_json) {
        return LP_OK;
    }
    if (sample->label != NULL && is_json == sample->is_json) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: a second label of one key", reader->path,
                       member->name);
    }
    if (member->size > LABEL_BYTES) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: %s: expected a label of at most %d bytes, found %zu", reader->path,
                       member->name, LABEL_BYTES, size);
    }
    lp_free(sample->label);
    sample->is_json = is_json;
    sample->label = lp_alloc(size + 1, 1);
    LP_TRY(lp_allocated(sample->label, member->name, size + 1, 1, err));
    status = lp_archive_read_exact(reader->archive, sample->label, size, err);
    sample->label[size] = '\0';
done:
    return status;
}

static lp_status take_member(shard_reader *reader, lp_member member, lp_error *err) {
    static const char *const images[] = {"jpg", "jpeg", "png", "webp"};
    member.name += strncmp(member.name, "./", 2) == 0 ? 2 : 0;
    const char *last = lp_path_name(member.name), *dot = strchr(last, '.');
    lp_status status = LP_OK;
    if (dot == NULL || dot == last || strncmp(last, "__", 2) == 0) {
        reader->list->ignored++;
        return LP_OK;
    }
    size_t length = (size_t)(dot - member.name);
    char *key = reader->sample.key;
    if (strncmp(key, member.name, length) != 0 || key[length] != '\0') {
        LP_TRY(end_sample(reader, err));
        LP_TRY(lp_path_print(key, err, "%.*s", (int)length, member.name));
    }
    for (size_t i = 0; i < sizeof images / sizeof *images; i++) {
        if (strcasecmp(dot + 1, images[i]) == 0) {
            return take_image(reader, &member, err);
        }
    }
    if (strcasecmp(dot, ".cls") == 0 || strcasecmp(dot, ".json") == 0) {
        status = take_label(reader, &member, strcasecmp(dot, ".json") == 0, err);
    }
done:
    return status;
}

static lp_status find_size(shard_reader *reader, lp_error *err) {
    struct stat about;
    if (stat(reader->path, &about) != 0) {
        return lp_fail_errno(err, errno, "%s: cannot be read", reader->path);
    }
    reader->size = (uint64_t)about.st_size;
    return LP_OK;
}

static lp_status read_members(shard_reader *reader, lp_error *err) {
    lp_member member;
    bool more = true;
    lp_status status;
    LP_TRY(find_size(reader, err));
    LP_TRY(lp_archive_open(reader->path, LP_ARCHIVE_TAR, &reader->archive, err));
    for (;;) {
        LP_TRY(lp_archive_next(reader->archive, &member, &more, err));
        if (!more) {
            break;
        }
        if (member.is_file) {
            LP_TRY(take_member(reader, member, err));
        }
    }
    status = end_sample(reader, err);
done:
    return status;
}

lp_status lp_image_shards_start(lp_image_list *list, lp_image_shards **out, lp_error *err) {
    lp_image_shards *source = lp_alloc_zeroed(1, sizeof *source);
    *out = source;
    if (source == NULL) {
        return lp_fail_memory(err, "shards", 1, sizeof *source);
    }
    source->files = (lp_tree_source){read_image, close_shards};
    lp_tree_own(list->tree, &source->files);
    return LP_OK;
}

lp_status lp_image_shards_add(lp_image_list *list, lp_image_shards *source, const char *name,
                              lp_error *err) {
    shard_reader *reader = lp_alloc_zeroed(1, sizeof *reader);
    char full[LP_PATH_ROOM], path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_allocated(reader, name, 1, sizeof *reader, err));
    reader->list = list;
    reader->source = source;
    reader->name = name;
    reader->path = path;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_tree_path(list->tree, full, path, err));
    LP_TRY(add_shard(source, path, err));
    status = lp_image_list_refuse(list, name, read_members(reader, err), err);
done:
    if (reader != NULL) {
        lp_archive_close(reader->archive);
        clear_sample(&reader->sample);
    }
    lp_free(reader);
    return status;
}

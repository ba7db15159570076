/* Data stage: data sets that keep all images of a part in one file.
 *
 *   MNIST, Fashion-MNIST   IDX files, also packed by gzip: two zero bytes, the type (8: bytes), the
 *                          number of dimensions, each dimension in four bytes, most significant
 *                          first; then the values
 *   FER2013                fer2013.csv: emotion, 48 x 48 numbers, and whose part it is */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/text_lines.h"

/* ---- IDX ------------------------------------------------------------------------------------- */

enum { IDX_DIMENSIONS = 3 };
static const size_t idx_bytes_max = (size_t)1 << 30;

typedef struct idx_file {
    char path[LP_PATH_ROOM];
    unsigned char *bytes; /* of the whole file, unpacked */
    size_t size;
    size_t dimensions, shape[IDX_DIMENSIONS];
    const unsigned char *values;
} idx_file;

/* Unpacks a gzip file of at most idx_bytes_max bytes. */
static lp_status unpack(const lp_tree_file *file, idx_file *idx, lp_error *err) {
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)file->bytes};
    size_t room = (size_t)1 << 16;
    int code = Z_OK;
    lp_status status = LP_OK;
    if (file->size > UINT32_MAX || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: cannot be unpacked", file->path);
    }
    stream.avail_in = (unsigned)file->size;
    idx->bytes = lp_alloc(room, 1);
    LP_TRY(lp_allocated(idx->bytes, file->path, room, 1, err));
    while (code == Z_OK) {
        stream.next_out = idx->bytes + idx->size;
        stream.avail_out = (unsigned)(room - idx->size);
        code = inflate(&stream, Z_NO_FLUSH);
        idx->size = room - stream.avail_out;
        if (code == Z_OK && stream.avail_out == 0) {
            unsigned char *larger =
                room < idx_bytes_max ? lp_grow(idx->bytes, room, 2 * room, 1) : NULL;
            LP_TRY(lp_allocated(larger, file->path, 2 * room, 1, err));
            idx->bytes = larger;
            room *= 2;
        }
    }
    if (code != Z_STREAM_END) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: broken gzip file: %s", file->path,
                       stream.msg != NULL ? stream.msg : "it ends early"));
    }
done:
    (void)inflateEnd(&stream);
    return status;
}

static lp_status read_header(idx_file *idx, size_t dimensions, lp_error *err) {
    const unsigned char *b = idx->bytes;
    size_t head = 4 + 4 * dimensions, count = 1;
    if (b == NULL || idx->size < head || b[0] != 0 || b[1] != 0 || b[2] != 8 ||
        b[3] != dimensions) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: byte 0: expected the header of an IDX file of bytes in %zu dimensions",
                       idx->path, dimensions);
    }
    for (size_t d = 0; d < dimensions; d++) {
        const unsigned char *s = b + 4 + 4 * d;
        idx->shape[d] = (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
        if (!lp_mul(count, idx->shape[d], &count)) {
            count = SIZE_MAX;
        }
    }
    if (count == 0 || idx->size - head != count) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected %zu values behind the header, found %zu",
                       idx->path, count, idx->size - head);
    }
    idx->values = b + head;
    return LP_OK;
}

/* The file `name` of the set, or "<name>.gz". */
static lp_status open_idx(const lp_image_list *list, const char *name, size_t dimensions,
                          idx_file *idx, lp_error *err) {
    char full[LP_PATH_ROOM], packed[LP_PATH_ROOM];
    lp_tree_file file = {.own = NULL};
    lp_status status;
    *idx = (idx_file){.bytes = NULL};
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_path_print(packed, err, "%s.gz", full));
    bool plain = lp_tree_has_file(list->tree, full) || !lp_tree_has_file(list->tree, packed);
    LP_TRY(lp_tree_read(list->tree, plain ? full : packed, &file, err));
    memcpy(idx->path, file.path, sizeof idx->path);
    if (plain) {
        idx->bytes = lp_alloc(file.size, 1);
        LP_TRY(lp_allocated(idx->bytes, file.path, file.size, 1, err));
        if (file.size > 0) {
            memcpy(idx->bytes, file.bytes, file.size);
        }
        idx->size = file.size;
    } else {
        LP_TRY(unpack(&file, idx, err));
    }
    status = read_header(idx, dimensions, err);
done:
    lp_tree_file_clear(&file);
    return status;
}

static lp_status read_idx(lp_image_list *list, lp_split part, const char *const *classes,
                          lp_error *err) {
    char name[64];
    const char *which = part == LP_SPLIT_TEST ? "t10k" : "train";
    idx_file images = {.bytes = NULL}, labels = {.bytes = NULL};
    lp_status status = LP_OK;
    for (size_t k = 0; k < 10; k++) {
        LP_TRY(lp_image_list_add_class(list, classes[k], err));
    }
    (void)snprintf(name, sizeof name, "%s-images-idx3-ubyte", which);
    LP_TRY(open_idx(list, name, 3, &images, err));
    (void)snprintf(name, sizeof name, "%s-labels-idx1-ubyte", which);
    LP_TRY(open_idx(list, name, 1, &labels, err));
    if (labels.shape[0] != images.shape[0]) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %zu labels, but %s has %zu images", labels.path,
                       labels.shape[0], images.path, images.shape[0]));
    }
    size_t height = images.shape[1], width = images.shape[2];
    for (size_t i = 0; i < images.shape[0]; i++) {
        if (labels.values[i] > 9) {
            status =
                lp_fail(err, LP_ERR_DATA, "%s: entry %zu: expected a label from 0 to 9, found %d",
                        labels.path, i, labels.values[i]);
            (void)snprintf(name, sizeof name, "%s %zu", which, i);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_pixels(list, part, i, images.values + i * height * width, height,
                                        width, 1, labels.values[i], err));
    }
done:
    lp_free(images.bytes);
    lp_free(labels.bytes);
    return status;
}

lp_status lp_read_mnist(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                        lp_error *err) {
    static const char *const digits[] = {"0 - zero",  "1 - one",  "2 - two", "3 - three",
                                         "4 - four",  "5 - five", "6 - six", "7 - seven",
                                         "8 - eight", "9 - nine"};
    (void)options;
    return read_idx(list, part, digits, err);
}

lp_status lp_read_fashion_mnist(lp_image_list *list, lp_split part,
                                const lp_dataset_options *options, lp_error *err) {
    static const char *const clothes[] = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                                          "Coat",        "Sandal",    "Shirt",    "Sneaker",
                                          "Bag",         "Ankle boot"};
    (void)options;
    return read_idx(list, part, clothes, err);
}

/* ---- FER2013 --------------------------------------------------------------------------------- */

enum { FACE = 48, EMOTIONS = 7 };

/* The numbers of a field, 0 to 255 with blanks between them. */
static lp_status read_face(const lp_lines *lines, const char *text, unsigned char *face,
                           lp_error *err) {
    size_t count = 0;
    while (*text != '\0') {
        char *end;
        long value = strtol(text, &end, 10);
        if (end == text || value < 0 || value > 255 || count == (size_t)FACE * FACE) {
            return lp_lines_fail(lines, err, "expected %d numbers from 0 to 255, found '%.20s'",
                                 FACE * FACE, text);
        }
        face[count++] = (unsigned char)value;
        text = end + strspn(end, " ");
    }
    return count == (size_t)FACE * FACE
               ? LP_OK
               : lp_lines_fail(lines, err, "expected %d numbers from 0 to 255, found %zu",
                               FACE * FACE, count);
}

/* One line, where it belongs to the part; number counts those. */
static lp_status read_row(lp_image_list *list, lp_split part, const lp_lines *lines, char *line,
                          size_t *number, lp_error *err) {
    static const char *const usages[] = {"Training", "PrivateTest", "PublicTest"};
    unsigned char face[FACE * FACE];
    char *fields[3], name[64];
    int64_t label = -1;
    lp_status status;
    if (lp_fields(line, ',', fields, 3) != 3) {
        status = lp_lines_fail(lines, err, "expected emotion, pixels and usage");
    } else if (strcmp(fields[2], usages[part]) != 0) {
        bool known = false;
        for (size_t i = 0; i < 3; i++) {
            known = known || strcmp(fields[2], usages[i]) == 0;
        }
        status = known
                     ? LP_OK
                     : lp_lines_fail(lines, err,
                                     "expected Training, PublicTest or PrivateTest, found '%.40s'",
                                     fields[2]);
        if (known) {
            return LP_OK;
        }
    } else {
        status = lp_lines_number(lines, "emotion", fields[0], 0, EMOTIONS - 1, &label, err);
        status = status == LP_OK ? read_face(lines, fields[1], face, err) : status;
    }
    if (status != LP_OK) {
        (void)snprintf(name, sizeof name, "line %zu", lines->number);
        return lp_image_list_refuse(list, name, status, err);
    }
    return lp_image_list_add_pixels(list, part, (*number)++, face, FACE, FACE, 1, label, err);
}

lp_status lp_read_fer2013(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                          lp_error *err) {
    static const char *const emotions[] = {"Angry", "Disgust",  "Fear",   "Happy",
                                           "Sad",   "Surprise", "Neutral"};
    char full[LP_PATH_ROOM], *line;
    lp_lines lines = {.text = NULL};
    size_t number = 0;
    lp_status status;
    (void)options;
    for (size_t k = 0; list->class_count < EMOTIONS; k++) {
        LP_TRY(lp_image_list_add_class(list, emotions[k], err));
    }
    LP_TRY(lp_tree_join(full, list->folder, "fer2013.csv", err));
    LP_TRY(lp_lines_open(list->tree, full, &lines, err));
    line = lp_lines_next(&lines);
    if (line == NULL || strcmp(line, "emotion,pixels,Usage") != 0) {
        LP_TRY(lp_lines_fail(&lines, err, "expected the header 'emotion,pixels,Usage'"));
    }
    while ((line = lp_lines_next(&lines)) != NULL) {
        LP_TRY(read_row(list, part, &lines, line, &number, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

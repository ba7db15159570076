/* A data set by name, from a tar archive with right checksums: a byte for the set (beyond the last:
 * whatever its layout is), a byte for the part (bits 0, 1) and --skip-broken (bit 2); then chunks
 * of names and contents by turns.  With the byte 254 what follows is a list in a table, of two
 * images that are there; with 253 the chunks are the members of a webdataset shard. */
#include <sys/stat.h>

#include "data/data_sets.h"
#include "fuzz_tar.h"
#include "linprobe/dataset.h"

static size_t set_count(void) {
    size_t count = 0;
    while (lp_data_sets[count].name != NULL) {
        count++;
    }
    return count;
}

/* list.csv with those bytes, beside 1.pgm and 2.pgm. */
static void write_list(char path[512], fuzz_input input) {
    static const uint8_t pixel[] = "P5\n1 1\n255\n\7";
    const fuzz_input image = {pixel, sizeof pixel - 1};
    char other[512];
    (void)fuzz_write(other, "1.pgm", image, 0);
    (void)fuzz_write(other, "2.pgm", image, 0);
    (void)fuzz_write(path, "list.csv", input, 0);
}

/* The archive becomes the only shard of the training part; path becomes the set's. */
static void write_shard(char path[512], fuzz_bytes *tar) {
    static const uint8_t names[] = "a\nb\n";
    char other[512];
    fuzz_tar_write(path, tar);
    fuzz_path(other, "train");
    (void)mkdir(other, 0700);
    fuzz_path(other, "train/0.tar");
    fuzz_require(rename(path, other) == 0, "the shard in its place");
    (void)fuzz_write(other, "classnames.txt", (fuzz_input){names, sizeof names - 1}, 0);
    (void)snprintf(path, 512, "%s", fuzz_folder());
}

static void fuzz_one(fuzz_input input) {
    char path[512], text[640], name[100];
    fuzz_bytes tar = {0};
    lp_error err = {0};
    lp_dataset *data;
    unsigned set = fuzz_byte(&input), how = fuzz_byte(&input);
    const lp_dataset_options options = {
        .split = (lp_split)(how & 3), .skip_broken = (how & 4) != 0, .threads = 1};
    (void)fuzz_folder();
    if (set == 254) {
        write_list(path, input);
        input.size = 0;
    }
    for (int i = 0; i < 40 && input.size > 0; i++) {
        fuzz_input chunk = fuzz_chunk(&input);
        (void)snprintf(name, sizeof name, "%.*s", (int)(chunk.size < 99 ? chunk.size : 99),
                       (const char *)chunk.data);
        fuzz_tar_put(&tar, name, '0', fuzz_chunk(&input));
    }
    if (set == 253) {
        write_shard(path, &tar);
    } else if (set != 254) {
        fuzz_tar_write(path, &tar);
    }
    (void)snprintf(text, sizeof text, "%s:%s", set < set_count() ? lp_data_sets[set].name : "",
                   path);
    const char *opened = set < set_count() ? text : path;
    if (!fuzz_succeeds(lp_dataset_open_with(opened, &options, &data, &err), &err)) {
        fuzz_require(data == NULL, "no data set after a failure");
        return;
    }
    const lp_dataset_info *info = lp_dataset_describe(data);
    fuzz_require(info->count > 0 && info->classes > 1, "images of two classes at least");
    const int64_t *labels = lp_dataset_labels(data);
    const int8_t *marks = lp_dataset_marks(data);
    fuzz_require((marks != NULL) == info->multilabel && (labels != NULL) == !info->multilabel,
                 "labels of one kind");
    for (size_t i = 0; labels != NULL && i < info->count; i++) {
        fuzz_require(labels[i] >= 0 && (size_t)labels[i] < info->classes,
                     "labels below the number of classes");
    }
    for (size_t i = 0; marks != NULL && i < info->count * info->classes; i++) {
        fuzz_require(marks[i] >= -1 && marks[i] <= 1, "marks of -1, 0 or 1");
    }
    for (size_t k = 0; k < info->classes; k++) {
        fuzz_require(lp_dataset_class_name(data, k) != NULL, "a name for each class");
    }
    lp_dataset_close(data);
}

/* CIFAR's and STL-10's files.  The first byte chooses the split and the labels, and what follows:
 *   0  a .bin file of records
 *   1  a folder: chunk test.bin, the rest fine_label_names.txt
 *   2  an archive, bare
 *   3  a tar archive: members of one byte (kind and name), and a chunk
 *   4  STL-10's folder: chunks of labels and of names (empty: no such file), a number of images
 *      below 4, the rest their first bytes
 *   5  its file of images, named by itself */
#include "fuzz_tar.h"
#include "linprobe/dataset.h"

static const char *const members[] = {"cifar-100-binary/train.bin",
                                      "cifar-100-binary/test.bin",
                                      "cifar-100-binary/fine_label_names.txt",
                                      "cifar-100-binary/coarse_label_names.txt",
                                      "cifar-10-batches-bin/data_batch_1.bin",
                                      "cifar-10-batches-bin/test_batch.bin",
                                      "./cifar-100-binary/test.bin",
                                      "../outside",
                                      "stl10_binary/train_X.bin",
                                      "stl10_binary/train_y.bin",
                                      "stl10_binary/test_X.bin",
                                      "stl10_binary/test_y.bin",
                                      "stl10_binary/class_names.txt",
                                      "stl10_binary/unlabeled_X.bin",
                                      "stl10_binary",
                                      "/test_X.bin"};

static void write_tar(char path[512], fuzz_input input) {
    fuzz_bytes tar = {0};
    for (int i = 0; i < 16 && input.size > 0; i++) {
        unsigned choice = fuzz_byte(&input); /* a file, links, a folder, ...; and its name */
        fuzz_tar_put(&tar, members[choice % 16], (char)('0' + choice / 16 % 8), fuzz_chunk(&input));
    }
    fuzz_tar_write(path, &tar);
}

static void write_stl(char path[512], fuzz_input input, bool train) {
    enum { STL_IMAGE = 3 * 96 * 96 };
    fuzz_write_some(path, train ? "train_y.bin" : "test_y.bin", fuzz_chunk(&input), 0);
    fuzz_write_some(path, "class_names.txt", fuzz_chunk(&input), 0);
    unsigned images = fuzz_byte(&input) % 4;
    (void)fuzz_write(path, train ? "train_X.bin" : "test_X.bin", input,
                     (uint64_t)images * STL_IMAGE);
}

static void fuzz_one(fuzz_input input) {
    char path[512];
    unsigned choice = fuzz_byte(&input);
    (void)fuzz_folder();
    fuzz_remove_files(); /* names files are looked for beside the records */
    lp_split split = (choice & 1) != 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST;
    switch (choice >> 2 & 7) {
    case 0:
        (void)fuzz_write(path, "file.bin", input, 0);
        break;
    case 1:
        (void)fuzz_write(path, "test.bin", fuzz_chunk(&input), 0);
        (void)fuzz_write(path, "fine_label_names.txt", input, 0);
        (void)snprintf(path, sizeof path, "%s", fuzz_folder());
        break;
    case 2:
        (void)fuzz_write(path, "file", input, 0);
        break;
    case 4:
        write_stl(path, input, split == LP_SPLIT_TRAIN);
        (void)snprintf(path, sizeof path, "%s", fuzz_folder());
        break;
    case 5:
        write_stl(path, input, split == LP_SPLIT_TRAIN);
        break;
    default:
        write_tar(path, input);
        break;
    }
    lp_error err = {0};
    lp_dataset *data;
    lp_label_kind labels = (choice & 2) != 0 ? LP_LABELS_COARSE : LP_LABELS_FINE;
    if (!fuzz_succeeds(lp_dataset_open(path, split, labels, &data, &err), &err)) {
        fuzz_require(data == NULL, "no data set after a failure");
        return;
    }
    const lp_dataset_info *info = lp_dataset_describe(data);
    for (size_t i = 0; i < info->count; i++) {
        size_t height, width;
        int64_t label = lp_dataset_labels(data)[i];
        fuzz_require(label >= 0 && (size_t)label < info->classes,
                     "labels below the number of classes");
        lp_dataset_image_size(data, i, &height, &width);
        uint8_t *rgb = malloc(3 * height * width);
        if (rgb != NULL) {
            (void)fuzz_succeeds(lp_dataset_image(data, i, rgb, &err), &err);
        }
        free(rgb);
    }
    size_t groups = 0;
    (void)lp_dataset_superclasses(data, &groups);
    for (size_t k = 0; k <= info->classes; k++) {
        fuzz_require(lp_dataset_class_name(data, k) != NULL, "a name for each class");
        fuzz_require(lp_dataset_superclass_name(data, k) != NULL, "a name for each superclass");
    }
    lp_dataset_close(data);
}

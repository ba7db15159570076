/* Data stage: the published facts of CIFAR-100, CIFAR-10 and STL-10.  No checksums are published of
 * CIFAR-10's unpacked files; STL-10's are torchvision's (torchvision/datasets/stl10.py), as are
 * those of CIFAR's Python version (torchvision/datasets/cifar.py). */
#include "data/official_data.h"

/* Of two: the fine labels before the coarse ones, the training split before the test split. */
const lp_record_layout lp_record_layouts[LP_RECORD_SETS] = {
    [LP_CIFAR_100] =
        {
            .name = "CIFAR-100",
            .folder = "cifar-100-binary",
            .archive = {"cifar-100-binary.tar.gz",
                        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz", 168513733,
                        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"},
            .side = 32,
            .label_bytes = 2,
            .classes = {100, 20},
            .names = {"fine_label_names.txt", "coarse_label_names.txt"},
            .files = {{"train.bin"}, {"test.bin"}},
            .official = {{"cifar-100-binary/train.bin", 153700000, LP_SHA256,
                          "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29", NULL},
                         {"cifar-100-binary/test.bin", 30740000, LP_MD5,
                          "4499cfba6c016c1be1438163640a0898", NULL}},
            .pickled = {.folder = "cifar-100-python",
                        .files = {{"train"}, {"test"}},
                        .md5 = {{"16019d7e3df5f24257cddd939b257f8d"},
                                {"f0ef6b0ae62326f3e7ffdfab6717acfc"}},
                        .meta = "meta",
                        .labels = {"fine_labels", "coarse_labels"},
                        .names = {"fine_label_names", "coarse_label_names"}},
        },
    [LP_CIFAR_10] =
        {
            .name = "CIFAR-10",
            .folder = "cifar-10-batches-bin",
            .archive = {"cifar-10-binary.tar.gz",
                        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", 170052171,
                        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
            .side = 32,
            .label_bytes = 1,
            .classes = {10},
            .names = {"batches.meta.txt"},
            .files = {{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                       "data_batch_4.bin", "data_batch_5.bin"},
                      {"test_batch.bin"}},
            .pickled =
                {.folder = "cifar-10-batches-py",
                 .files = {{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                            "data_batch_5"},
                           {"test_batch"}},
                 .md5 = {{"c99cafc152244af753f735de768cd75f", "d4bba439e000b95fd0a9bffe97cbabec",
                          "54ebc095f3ab1f0389bbae665268c751", "634d18415352ddfa80567beed471001a",
                          "482c414d41f54cd18b22e5b47cb7c3cb"},
                         {"40351d587109b95175f43aff81a1287e"}},
                 .meta = "batches.meta",
                 .labels = {"labels"},
                 .names = {"label_names"}},
        },
    [LP_STL_10] =
        {
            .name = "STL-10",
            .folder = "stl10_binary",
            .archive = {"stl10_binary.tar.gz",
                        "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz", 0, NULL},
            .side = 96,
            .by_columns = true,
            .label_bytes = 0,
            .first_label = 1,
            .classes = {10},
            .names = {"class_names.txt"},
            .files = {{"train_X.bin"}, {"test_X.bin"}},
            .label_files = {"train_y.bin", "test_y.bin"},
            .official = {{"stl10_binary/train_X.bin", 138240000, LP_MD5,
                          "918c2871b30a85fa023e0c44e0bee87f", "5a34089d4802c674881badbb80307741"},
                         {"stl10_binary/test_X.bin", 221184000, LP_MD5,
                          "7f263ba9f9e0b06b93213547f721ac82", "36f9794fa4beb8a2c72628de14fa638e"}},
        },
};

size_t lp_record_bytes(const lp_record_layout *layout) {
    return layout->label_bytes + 3 * layout->side * layout->side;
}

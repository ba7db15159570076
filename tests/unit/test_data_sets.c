/* Data sets by name: each layout, made here in miniature; which of them a folder is; what is wrong
 * with one.  tests/parity/test_data_sets.py compares larger miniatures with torchvision. */
#include <unistd.h>

#include "base/archive.h"
#include "base/file.h"
#include "check.h"
#include "dataset_checks.h"
#include "data/data_sets.h"
#include "data/text_lines.h"
#include "linprobe/dataset.h"
#include "test_folder.h"
#include "write_zip.h"

static lp_error err;

/* ---- files ----------------------------------------------------------------------------------- */

static void put_text(const char *name, const char *text) {
    put_file(name, text, strlen(text));
}

/* An image of one grey pixel, whose value tells it from the others. */
static void put_pixel(const char *name, unsigned char value) {
    char bytes[] = "P5\n1 1\n255\n?";
    bytes[11] = (char)value;
    put_file(name, bytes, 12);
}

/* Opens a split and checks its images, as "<label>:<value> ...". */
static void assert_set(const char *path, lp_split split, const char *expected) {
    const lp_dataset_options options = {.split = split};
    char found[512] = "";
    lp_dataset *data;
    assert_ok(lp_dataset_open_with(path, &options, &data, &err), &err);
    for (size_t i = 0; i < lp_dataset_describe(data)->count; i++) {
        unsigned char rgb[3];
        size_t used = strlen(found);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        (void)snprintf(found + used, sizeof found - used, "%s%d:%d", i > 0 ? " " : "",
                       (int)lp_dataset_labels(data)[i], rgb[0]);
    }
    assert_string_equal(found, expected);
    lp_dataset_close(data);
}

/* Which images are of the validation part: '-' is, '+' is not; "" where there is no such list. */
static void assert_validation(const char *path, lp_split split, const char *expected) {
    char found[16] = "";
    lp_dataset *data;
    assert_ok(lp_dataset_open(path, split, LP_LABELS_FINE, &data, &err), &err);
    const bool *validation = lp_dataset_validation(data);
    for (size_t i = 0; validation != NULL && i < lp_dataset_describe(data)->count; i++) {
        found[i] = validation[i] ? '-' : '+';
    }
    assert_string_equal(found, expected);
    lp_dataset_close(data);
}

#define assert_refused(path, wanted, status, part)                                                 \
    do {                                                                                           \
        const lp_dataset_options options_ = {.split = wanted};                                     \
        lp_dataset *refused_;                                                                      \
        assert_fails(lp_dataset_open_with(path, &options_, &refused_, &err), status, &err, part);  \
        assert_null(refused_);                                                                     \
    } while (0)

/* "NAME:PATH" of something in the folder. */
static const char *named(const char *set, const char *name) {
    static char text[1024];
    (void)snprintf(text, sizeof text, "%s:%s", set, in_folder(name));
    return text;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void make_dtd(const char *top) {
    static const char *const images[] = {"banded/1.jpg", "banded/2.jpg", "zigzagged/1.jpg",
                                         "zigzagged/2.jpg"};
    char name[128];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s/images/%s", top, images[i]);
        put_pixel(name, (unsigned char)(10 + i));
    }
    (void)snprintf(name, sizeof name, "%s/labels/train1.txt", top);
    put_text(name, "zigzagged/1.jpg\nbanded/1.jpg\n");
    (void)snprintf(name, sizeof name, "%s/labels/val1.txt", top);
    put_text(name, "banded/2.jpg\r\n");
    (void)snprintf(name, sizeof name, "%s/labels/test1.txt", top);
    put_text(name, "zigzagged/2.jpg");
}

static void parts_of_a_set(void **state) {
    (void)state;
    make_dtd("textures");
    lp_dataset *data;
    const char *path = in_folder("textures");
    assert_set(path, LP_SPLIT_TRAIN, "1:12 0:10");
    assert_set(path, LP_SPLIT_VAL, "0:11");
    assert_set(path, LP_SPLIT_TRAINVAL, "1:12 0:10 0:11");
    assert_validation(path, LP_SPLIT_TRAINVAL, "++-");
    assert_validation(path, LP_SPLIT_TRAIN, "");
    assert_set(named("DTD", "textures"), LP_SPLIT_TEST, "1:13");
    assert_ok(lp_dataset_open(path, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_string_equal(info->name, "DTD");
    assert_string_equal(info->set, "dtd");
    assert_string_equal(info->source, path);
    assert_int_equal(info->published, 1880);
    assert_int_equal(info->metric, LP_METRIC_ACCURACY);
    assert_string_equal(lp_dataset_class_name(data, 1), "zigzagged");
    lp_dataset_close(data);
    assert_fails(lp_dataset_open(path, LP_SPLIT_TEST, LP_LABELS_COARSE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "DTD has no coarse labels");
    const lp_dataset_options share = {.test_share = 0.5};
    assert_fails(lp_dataset_open_with(path, &share, &data, &err), LP_ERR_ARGUMENT, &err,
                 "DTD has a split of its own");
}

static void one_level_down(void **state) {
    (void)state;
    make_dtd("below/dtd");
    assert_set(in_folder("below"), LP_SPLIT_TEST, "1:13");
    assert_set(in_folder("below/dtd"), LP_SPLIT_TEST, "1:13");
    make_dtd("deeper/dtd/dtd");
    assert_set(in_folder("deeper"), LP_SPLIT_TEST, "1:13");
}

static void which_set_it_is(void **state) {
    (void)state;
    make_dtd("both/dtd");
    put_text("both/fgvc-aircraft-2013b/data/variants.txt", "707\nDC-10\n");
    put_pixel("both/fgvc-aircraft-2013b/data/images/1.jpg", 1);
    assert_refused(in_folder("both"), LP_SPLIT_TEST, LP_ERR_ARGUMENT,
                   "it may be DTD or FGVC Aircraft: say which, as dtd:");
    assert_set(named("dtd", "both"), LP_SPLIT_TEST, "1:13");
    assert_refused(named("dtd", "both/fgvc-aircraft-2013b"), LP_SPLIT_TEST, LP_ERR_IO,
                   "expected DTD as it is downloaded, with labels/train1.txt, there or in dtd/ or "
                   "dtd/dtd/");
    assert_refused("dtd", LP_SPLIT_TEST, LP_ERR_ARGUMENT,
                   "dtd: that is a data set's name, and there is no such path: say where it is, as "
                   "dtd:PATH");
    assert_refused("dtd:/nowhere", LP_SPLIT_TEST, LP_ERR_IO,
                   "/nowhere: there is no such folder or file");
    assert_refused("dtb:/nowhere", LP_SPLIT_TEST, LP_ERR_ARGUMENT,
                   "there is no such path, and 'dtb' is none of the data sets food-101, dtd,");
}

static void what_a_list_names_must_be_there(void **state) {
    (void)state;
    make_dtd("gap");
    put_text("gap/labels/train1.txt", "banded/1.jpg\n\nzigzagged/9.jpg\nzigzagged/1.jpg\n");
    assert_refused(in_folder("gap"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "gap/labels/train1.txt:3: names images/zigzagged/9.jpg, which is not there");
    const lp_dataset_options skip = {.skip_broken = true};
    lp_dataset *data;
    const char *why;
    assert_ok(lp_dataset_open_with(in_folder("gap"), &skip, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, 2);
    assert_int_equal(lp_dataset_describe(data)->skipped, 1);
    assert_string_equal(lp_dataset_skipped(data, 0, &why), "images/zigzagged/9.jpg");
    assert_non_null(strstr(why, "train1.txt:3"));
    lp_dataset_close(data);
    put_text("gap/labels/train1.txt", "banded/1.jpg\nstriped/1.jpg\n");
    assert_refused(in_folder("gap"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train1.txt:2: expected one of the 2 classes, found 'images/striped/1.jpg'");
    put_text("gap/labels/train1.txt", "banded/1.jpg\n");
    assert_refused(in_folder("gap"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "expected images of class 1, zigzagged, found none");
    assert_int_equal(unlink(in_folder("gap/labels/val1.txt")), 0);
    assert_refused(in_folder("gap"), LP_SPLIT_VAL, LP_ERR_IO, "labels/val1.txt: cannot be opened");
}

static void pets_and_their_names(void **state) {
    (void)state;
    put_pixel("pets/images/great_dane_1.jpg", 1);
    put_pixel("pets/images/Bengal_2.jpg", 2);
    put_pixel("pets/images/Bengal_3.jpg", 3);
    put_text("pets/annotations/trainval.txt",
             "#Image CLASS-ID SPECIES BREED ID\nBengal_2 2 1 1\ngreat_dane_1 1 2 1\n");
    put_text("pets/annotations/test.txt", "Bengal_3 2 1 1\n");
    lp_dataset *data;
    assert_set(in_folder("pets"), LP_SPLIT_TRAIN, "1:2 0:1");
    assert_set(in_folder("pets"), LP_SPLIT_TEST, "1:3");
    assert_ok(lp_dataset_open(in_folder("pets"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_class_name(data, 0), "Great Dane");
    assert_int_equal(lp_dataset_describe(data)->metric, LP_METRIC_MEAN_PER_CLASS);
    lp_dataset_close(data);
    assert_refused(in_folder("pets"), LP_SPLIT_VAL, LP_ERR_ARGUMENT,
                   "Oxford-IIIT Pets has no part val; it has train, test");
    put_text("pets/annotations/test.txt", "Bengal_3 3 1 1\n");
    assert_refused(in_folder("pets"), LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "test.txt:1: expected one of the 2 classes, found 'Bengal_3'");
    put_text("pets/annotations/test.txt", "Bengal_3 x 1 1\n");
    assert_refused(in_folder("pets"), LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "test.txt:1: expected a class from 1 to 1000, found 'x'");
}

static void food_by_its_json(void **state) {
    (void)state;
    put_pixel("food/images/waffles/7.jpg", 7);
    put_pixel("food/images/pho/8.jpg", 8);
    put_text("food/meta/train.json", "{\"waffles\": [\"waffles/7\"], \"pho\": [\"pho/8\"]}");
    put_text("food/meta/test.json", "{\"waffles\": [\"waffles/7\", \"waffles/9\"], \"pho\": []}");
    assert_set(in_folder("food"), LP_SPLIT_TRAIN, "1:7 0:8");
    assert_refused(in_folder("food"), LP_SPLIT_TEST, LP_ERR_DATA,
                   "meta/test.json: waffles: entry 1: names images/waffles/9.jpg, which is not");
    put_text("food/meta/test.json", "[]");
    assert_refused(in_folder("food"), LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "expected an object of classes");
}

static void images_in_one_file(void **state) {
    (void)state;
    static const char images[] = "\0\0\010\003\0\0\0\013\0\0\0\001\0\0\0\001abcdefghijk";
    static const char labels[] = "\0\0\010\001\0\0\0\013\0\001\002\003\004\005\006\007\010\011\001";
    put_file("MNIST/raw/train-images-idx3-ubyte", images, sizeof images - 1);
    put_file("MNIST/raw/train-labels-idx1-ubyte", labels, sizeof labels - 1);
    put_file("MNIST/raw/t10k-labels-idx1-ubyte", labels, sizeof labels - 2);
    put_file("MNIST/raw/t10k-images-idx3-ubyte", images, sizeof images - 1);
    assert_set(named("mnist", "MNIST/raw"), LP_SPLIT_TRAIN,
               "0:97 1:98 2:99 3:100 4:101 5:102 6:103 7:104 8:105 9:106 1:107");
    assert_set(in_folder("MNIST/raw"), LP_SPLIT_TRAIN,
               "0:97 1:98 2:99 3:100 4:101 5:102 6:103 7:104 8:105 9:106 1:107");
    assert_refused(in_folder("MNIST/raw"), LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "t10k-labels-idx1-ubyte: expected 11 values behind the header, found 10");
    put_file("other/t10k-labels-idx1-ubyte", labels, sizeof labels - 1);
    assert_refused(in_folder("other"), LP_SPLIT_TEST, LP_ERR_ARGUMENT,
                   "it may be MNIST or Fashion-MNIST: say which, as mnist:");
    put_file("MNIST/raw/train-labels-idx1-ubyte", "\0\0\010\001\0\0\0\013abcdefghijk", 19);
    assert_refused(in_folder("MNIST/raw"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "entry 0: expected a label from 0 to 9, found 97");
    put_text("faces/fer2013.csv", "emotion,pixels,Usage\n1,1 2 3,Training\n");
    assert_refused(in_folder("faces"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "fer2013.csv:2: expected 2304 numbers from 0 to 255, found 3");
    put_text("faces/fer2013.csv", "emotion,pixels,Usage\n1,1 2 3,Test\n");
    assert_refused(in_folder("faces"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "fer2013.csv:2: expected Training, PublicTest or PrivateTest, found 'Test'");
    put_text("flowers/imagelabels.mat", "no MATLAB file");
    put_text("flowers/setid.mat", "");
    put_pixel("flowers/jpg/image_00001.jpg", 1);
    lp_dataset *data;
    lp_status status =
        lp_dataset_open(in_folder("flowers"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err);
    assert_true(status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED); /* without libmatio */
    assert_non_null(strstr(err.text, "imagelabels.mat: "));
}

static void objects_are_counted(void **state) {
    (void)state;
    put_pixel("clevr/images/train/b.png", 2);
    put_pixel("clevr/images/train/a.png", 1);
    static const char scenes[] =
        "{\"info\": {}, \"scenes\": [{\"image_filename\": \"b.png\", \"objects\": [{}, 2, 3, [4]]},"
        " {\"image_filename\": \"a.png\", \"objects\": [1, 2, 3]}%s]}";
    char text[512];
    (void)snprintf(text, sizeof text, scenes, "");
    put_text("clevr/scenes/CLEVR_train_scenes.json", text);
    assert_refused(in_folder("clevr"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "expected images of class 2, 5 objects, found none"); /* so it was read */
    (void)snprintf(text, sizeof text, scenes, ", {\"image_filename\": 3}");
    put_text("clevr/scenes/CLEVR_train_scenes.json", text);
    assert_refused(in_folder("clevr"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "scene 2: expected 'image_");
    (void)snprintf(text, sizeof text, scenes, ", {\"image_filename");
    put_text("clevr/scenes/CLEVR_train_scenes.json", text);
    assert_refused(in_folder("clevr"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "scene 2 (byte ");
}

/* Every class is in one of three images, or only as a difficult object; the last is of none. */
static void make_voc(const char *part) {
    static const char *const classes[] = {
        "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",      "car",
        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",    "motorbike",
        "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};
    char name[96], text[64];
    for (size_t k = 0; k < 20; k++) {
        (void)snprintf(name, sizeof name, "voc/VOCdevkit/VOC2007/ImageSets/Main/%s_%s.txt",
                       classes[k], part);
        (void)snprintf(text, sizeof text, "000001 %2d\n000005 %2d\n000007 -1\n",
                       k % 2 == 0 ? 1 : -1, k == 19 ? 0 : 1);
        put_text(name, text);
    }
    (void)snprintf(name, sizeof name, "voc/VOCdevkit/VOC2007/ImageSets/Main/%s.txt", part);
    put_text(name, "000001\n000005\n000007\n");
}

static void several_labels_an_image(void **state) {
    (void)state;
    lp_dataset *data;
    const char *path = in_folder("voc");
    make_voc("test");
    for (int i = 1; i <= 7; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "voc/VOCdevkit/VOC2007/JPEGImages/%06d.jpg", i);
        put_pixel(name, (unsigned char)i);
    }
    assert_ok(lp_dataset_open(path, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    const int8_t *marks = lp_dataset_marks(data);
    assert_true(info->multilabel);
    assert_null(lp_dataset_labels(data));
    assert_int_equal(info->count, 3);
    assert_int_equal(info->classes, 20);
    assert_int_equal(info->metric, LP_METRIC_MAP_11);
    for (size_t k = 0; k < 20; k++) {
        assert_int_equal(marks[k], k % 2 == 0);
        assert_int_equal(marks[20 + k], k == 19 ? -1 : 1);
        assert_int_equal(marks[40 + k], 0);
    }
    char digest[LP_DIGEST_HEX];
    (void)snprintf(digest, sizeof digest, "%s", info->digest);
    lp_dataset_close(data);
    put_text("voc/VOCdevkit/VOC2007/ImageSets/Main/tvmonitor_test.txt",
             "000001 -1\n000005  1\n000007 -1\n");
    assert_ok(lp_dataset_open(path, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_string_not_equal(digest, lp_dataset_describe(data)->digest); /* labels are part of it */
    lp_dataset_close(data);
    lp_dataset_options some = {.split = LP_SPLIT_TEST, .per_class = 2};
    assert_fails(lp_dataset_open_with(path, &some, &data, &err), LP_ERR_UNSUPPORTED, &err,
                 "an image has several labels, so a number of images of each class cannot be");
    some = (lp_dataset_options){.split = LP_SPLIT_TEST, .limit = 2};
    assert_fails(lp_dataset_open_with(path, &some, &data, &err), LP_ERR_DATA, &err,
                 "a limit of 2 images is less than the 3 classes"); /* with that of no object */
    some.limit = 3;
    assert_ok(lp_dataset_open_with(path, &some, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, 3);
    lp_dataset_close(data);
    make_voc("train");
    assert_refused(path, LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "expected images of class 19, tvmonitor, found none");
    put_text("voc/VOCdevkit/VOC2007/ImageSets/Main/cow_test.txt", "000001 1\n000007 -1\n");
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "cow_test.txt:2: expected image 000005 and its flag, found 000007");
    put_text("voc/VOCdevkit/VOC2007/ImageSets/Main/cow_test.txt", "000001 1\n000005 2\n");
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "cow_test.txt:2: expected a flag from -1 to 1, found '2'");
    put_text("voc/VOCdevkit/VOC2007/ImageSets/Main/cow_test.txt", "000001 1\n");
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "cow_test.txt:1: expected image 000005 and its flag, found the end");
    make_voc("test");
    put_text("voc/VOCdevkit/VOC2007/ImageSets/Main/test.txt", "000001\n000005\n");
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_FORMAT, "_test.txt:3: expected the end, as in ");
    make_voc("test");
    assert_int_equal(unlink(in_folder("voc/VOCdevkit/VOC2007/JPEGImages/000005.jpg")), 0);
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_DATA,
                   "Main/test.txt:2: names JPEGImages/000005.jpg, which is not there");
    const lp_dataset_options skip = {.split = LP_SPLIT_TEST, .skip_broken = true, .threads = 1};
    put_text("voc/VOCdevkit/VOC2007/JPEGImages/000001.jpg", "no picture");
    assert_ok(lp_dataset_open_with(path, &skip, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, 1);
    assert_int_equal(lp_dataset_describe(data)->skipped, 2);
    assert_int_equal(lp_dataset_marks(data)[0], 0);
    lp_dataset_close(data);
    assert_allocations_reported(path, &skip);
}

/* Four videos: NumPy's seed 123 makes the fourth the test's, and the second the
 * validation part's. */
static void kitti_and_its_videos(void **state) {
    (void)state;
    static const char object[] = " 0.00 0 -1.57 1 2 3 4 1.57 1.73 4.15 1.00 1.75 ";
    char name[96], text[256];
    assert_ok(lp_make_folders(in_folder("kitti/training/image_2"), &err), &err);
    assert_ok(lp_make_folders(in_folder("kitti/training/label_2"), &err), &err);
    assert_refused(in_folder("kitti"), LP_SPLIT_TRAIN, LP_ERR_IO,
                   "expected mapping/train_mapping.txt of KITTI's devkit_object.zip");
    put_text("kitti/devkit/mapping/train_mapping.txt", "d a 0\nd b 0\n\nd c 0\nd d 0\n");
    put_text("kitti/devkit/mapping/train_rand.txt", "5,1,1,1, 1 ,2,4\n");
    for (int i = 0; i < 7; i++) {
        static const char *const z[] = {"8", "8.00", "8.01", "30", "x", "-1", "20"};
        (void)snprintf(name, sizeof name, "kitti/training/image_2/%06d.png", i);
        put_pixel(name, (unsigned char)i);
        (void)snprintf(name, sizeof name, "kitti/training/label_2/%06d.txt", i);
        (void)snprintf(text, sizeof text, "Tram%s1 1\n%s%s%s 1\nDontCare%s1 1\n", object,
                       i == 4 ? "Cyclist" : "Van", object, z[i], object);
        put_text(name, text);
    }
    assert_set(in_folder("kitti"), LP_SPLIT_TRAIN, "0:1 1:2 2:3 3:4 1:6");
    assert_set(in_folder("kitti"), LP_SPLIT_VAL, "0:5");
    assert_set(in_folder("kitti"), LP_SPLIT_TEST, "0:0");
    put_text("kitti/training/label_2/000001.txt", "Car 1 2\n");
    assert_refused(in_folder("kitti"), LP_SPLIT_TRAINVAL, LP_ERR_FORMAT,
                   "000001.txt:1: expected 15 fields of an object, found 3");
    put_text("kitti/devkit/mapping/train_rand.txt", "5,1,3,4\n");
    assert_refused(in_folder("kitti"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train_rand.txt:1: expected numbers of lines of train_mapping.txt with commas "
                   "between them, found '3,4' as number 3");
    put_text("kitti/devkit/mapping/train_rand.txt", "1,2");
    assert_refused(in_folder("kitti"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "expected images of three videos at least, found 2");
}

static void imagenet_and_its_labels(void **state) {
    (void)state;
    put_pixel("imagenet/train/n2/a.JPEG", 2);
    put_pixel("imagenet/train/n1/b.JPEG", 1);
    put_pixel("imagenet/val/ILSVRC2012_val_00000001.JPEG", 3);
    put_pixel("imagenet/val/ILSVRC2012_val_00000002.JPEG", 4);
    assert_set(in_folder("imagenet"), LP_SPLIT_TRAIN, "0:1 1:2");
    assert_refused(in_folder("imagenet"), LP_SPLIT_TEST, LP_ERR_IO,
                   "val: expected a folder for each class, or the labels: ILSVRC2012_devkit_t12/");
    put_text("imagenet/LOC_synset_mapping.txt", "n2 two, zwei\nn1 one\n");
    put_text("imagenet/LOC_val_solution.csv",
             "ImageId,PredictionString\nILSVRC2012_val_00000002,n1 1 2\n"
             "ILSVRC2012_val_00000001,n2\n");
    assert_set(in_folder("imagenet"), LP_SPLIT_TEST, "0:4 1:3");
    lp_dataset *data;
    assert_ok(lp_dataset_open(in_folder("imagenet"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err),
              &err);
    assert_string_equal(lp_dataset_class_name(data, 1), "two, zwei");
    assert_string_equal(lp_dataset_describe(data)->set, "imagenet");
    lp_dataset_close(data);
    put_text("imagenet/LOC_val_solution.csv", "ILSVRC2012_val_00000002,n3 1 2\n");
    assert_refused(in_folder("imagenet"), LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "csv:1: expected the WordNet id of one of the 2 classes, found 'n3'");
    put_text("imagenet/LOC_val_solution.csv", "ILSVRC2012_val_00000009,n1 1 2\n");
    assert_refused(in_folder("imagenet"), LP_SPLIT_TEST, LP_ERR_DATA,
                   "csv:1: names val/ILSVRC2012_val_00000009.JPEG, which is not there");
    put_text("imagenet/LOC_synset_mapping.txt", "n2 two, zwei\nn1\n");
    assert_refused(in_folder("imagenet"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "LOC_synset_mapping.txt:2: expected a WordNet id and names, found 'n1'");
    put_text("pcam/camelyonpatch_level_2_split_test_x.h5", "no HDF5 file");
    lp_status status =
        lp_dataset_open(in_folder("pcam"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err);
    assert_true(status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED); /* without libhdf5 */
    assert_non_null(strstr(err.text, "split_test_x.h5: "));
}

static void some_of_each_class_by_seed(void **state) {
    (void)state;
    char name[64];
    for (int i = 0; i < 65; i++) {
        (void)snprintf(name, sizeof name, "caltech/101_ObjectCategories/%s/%d.jpg",
                       i < 33 ? "ant" : "bass", i);
        put_pixel(name, (unsigned char)i);
    }
    lp_dataset_options options = {.split = LP_SPLIT_TRAIN, .split_seed = 5};
    lp_dataset *train, *test;
    assert_ok(lp_dataset_open_with(in_folder("caltech"), &options, &train, &err), &err);
    options.split = LP_SPLIT_TEST;
    assert_ok(lp_dataset_open_with(in_folder("caltech"), &options, &test, &err), &err);
    assert_int_equal(lp_dataset_describe(train)->count, 60);
    assert_int_equal(lp_dataset_describe(test)->count, 5);
    assert_int_equal(lp_dataset_describe(test)->split_seed, 5);
    bool seen[65] = {false};
    for (size_t i = 0; i < 65; i++) {
        unsigned char rgb[3];
        assert_ok(lp_dataset_image(i < 60 ? train : test, i < 60 ? i : i - 60, rgb, &err), &err);
        assert_false(seen[rgb[0]]);
        seen[rgb[0]] = true;
    }
    lp_dataset_close(train);
    lp_dataset_close(test);
    put_pixel("caltech/101_ObjectCategories/crab/1.jpg", 1);
    assert_refused(in_folder("caltech"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "class crab has 1 images, but the split takes 31 of each");
}

static void a_list_in_a_table(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "csv/%d.pgm", i);
        put_pixel(name, (unsigned char)i);
    }
    put_text("csv/parts.csv", "path,label,split\n1.pgm,cat,train\n2.pgm,\"dog, big\",train\n"
                              "3.pgm,cat,valid\n4.pgm,\"dog, big\",test\n");
    const char *path = in_folder("csv/parts.csv");
    lp_dataset *data;
    assert_set(path, LP_SPLIT_TRAIN, "0:1 1:2");
    assert_set(path, LP_SPLIT_TRAINVAL, "0:1 1:2 0:3");
    assert_set(path, LP_SPLIT_TEST, "1:4");
    assert_ok(lp_dataset_open(path, LP_SPLIT_VAL, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_describe(data)->name, "parts");
    assert_string_equal(lp_dataset_class_name(data, 1), "dog, big");
    lp_dataset_close(data);
    put_text("csv/numbers.csv", "0.pgm,10\n1.pgm,9\n2.pgm,10\n3.pgm,9\n");
    const lp_dataset_options half = {.test_share = 0.5};
    assert_ok(lp_dataset_open_with(in_folder("csv/numbers.csv"), &half, &data, &err), &err);
    assert_string_equal(lp_dataset_class_name(data, 0), "9");
    assert_int_equal(lp_dataset_describe(data)->count, 2);
    lp_dataset_close(data);
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"1.pgm,a\n2.pgm\n", "wrong.csv:2: expected path,label or path,label,split, found 1"},
        {"1.pgm,a\n2.pgm,\n", "wrong.csv:2: expected path,label, found an empty label"},
        {",a\n", "wrong.csv:1: expected path,label, found an empty path"},
        {"1.pgm,a,b,c\n", "found 4 fields (a field with a comma stands in double quotes)"},
        {"1.pgm,a,best\n", "wrong.csv:1: expected train, val or test, found 'best'"},
        {"/1.pgm,a\n", "expected a path that begins at the list's folder, found '/1.pgm'"},
        {"1.pgm,a,train\n9.pgm,b,train\n", "wrong.csv:2: names 9.pgm, which is not there"},
        {"1.pgm,a,train\n2.pgm,b,test\n", "expected images of class 1, b, found none"},
        {"1.pgm,a,test\n", "wrong.csv: no line is of the part train"},
        {"1.pgm,a,train\n2.pgm,b\n",
         "wrong.csv:2: expected 3 fields, as in the first line, found 2"},
        {"path,label\n1.pgm,a,test\n", "wrong.csv:2: expected 2 fields, as in the first line"},
        {"1.pgm,a\n2.pgm,a\n", "wrong.csv: expected labels of two classes or more, found only 'a'"},
        {"path,label\n", "wrong.csv: the list names no image"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_text("csv/wrong.csv", wrong[i].text);
        assert_int_not_equal(lp_dataset_open(in_folder("csv/wrong.csv"), LP_SPLIT_TRAIN,
                                             LP_LABELS_FINE, &data, &err),
                             LP_OK);
        if (strstr(err.text, wrong[i].message) == NULL) {
            fail_msg("expected '%s', found '%s'", wrong[i].message, err.text);
        }
        assert_null(data);
    }
}

static void some_images_of_a_part(void **state) {
    (void)state;
    char name[64], first[512] = "";
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "some/train/%s/%02d.pgm", i < 15 ? "ant" : "bass", i);
        put_pixel(name, (unsigned char)i);
    }
    put_pixel("some/test/ant/1.pgm", 1);
    put_pixel("some/test/bass/2.pgm", 2);
    for (int run = 0; run < 3; run++) { /* the same seed twice, then another */
        const lp_dataset_options options = {.limit = 6, .split_seed = run == 2 ? 8 : 7};
        lp_dataset *data;
        char found[512] = "";
        assert_ok(lp_dataset_open_with(in_folder("some"), &options, &data, &err), &err);
        const lp_dataset_info *info = lp_dataset_describe(data);
        assert_int_equal(info->count, 6);
        assert_int_equal(info->part, 20);
        assert_int_equal(info->limit, 6);
        assert_int_equal(info->choice_seed, options.split_seed);
        assert_int_equal(info->split_seed, 0);
        for (size_t i = 0; i < 6; i++) {
            unsigned char rgb[3];
            assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
            assert_int_equal(lp_dataset_labels(data)[i], rgb[0] >= 15);
            (void)snprintf(found + strlen(found), 64, "%d ", rgb[0]);
        }
        assert_int_equal(lp_dataset_labels(data)[3], 0); /* 1 + 3 and 1 + 1 */
        assert_int_equal(lp_dataset_labels(data)[4], 1);
        assert_int_equal(strcmp(first, found) == 0, run == 1);
        (void)snprintf(first, sizeof first, "%s", run == 0 ? found : first);
        lp_dataset_close(data);
    }
    const lp_dataset_options all = {.split = LP_SPLIT_TEST, .limit = 6, .per_class = 3};
    lp_dataset *data;
    assert_ok(lp_dataset_open_with(in_folder("some"), &all, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, 2);
    assert_int_equal(lp_dataset_describe(data)->limit, 0); /* nothing was left out */
    lp_dataset_close(data);
    const lp_dataset_options few = {.limit = 1};
    assert_fails(lp_dataset_open_with(in_folder("some"), &few, &data, &err), LP_ERR_DATA, &err,
                 "a limit of 1 images is less than the 2 classes");
}

/* ---- folders and archives -------------------------------------------------------------------- */

static void what_macos_adds_is_left_out(void **state) {
    (void)state;
    put_pixel("mac/train/a/1.pgm", 1);
    put_pixel("mac/train/b/2.pgm", 2);
    put_pixel("mac/__MACOSX/train/a/._1.pgm", 3);
    put_pixel("mac/train/__MACOSX/4.pgm", 4);
    assert_ok(lp_make_folders(in_folder("mac/train/empty"), &err), &err);
    assert_ok(lp_make_folders(in_folder("mac/test/.hidden"), &err), &err);
    put_pixel("mac/test/unlabelled.pgm", 5);
    put_pixel("mac/val/b/6.pgm", 6);
    lp_dataset *data;
    assert_set(in_folder("mac"), LP_SPLIT_TRAIN, "0:1 1:2");
    assert_set(in_folder("mac"), LP_SPLIT_TEST, "1:6");
    assert_ok(lp_dataset_open(in_folder("mac"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_describe(data)->instead, "val");
    lp_dataset_close(data);
    assert_ok(lp_dataset_open(in_folder("mac"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    assert_null(lp_dataset_describe(data)->instead);
    assert_int_equal(lp_dataset_describe(data)->empty_classes, 1);
    assert_int_equal(lp_dataset_describe(data)->ignored, 1);
    lp_dataset_close(data);
    assert_refused(in_folder("mac"), LP_SPLIT_VAL, LP_ERR_IO, "what is there is the test part");
    put_pixel("mac/test/a/7.pgm", 7); /* now val is a part of its own */
    assert_set(in_folder("mac"), LP_SPLIT_TEST, "0:7");
    assert_set(in_folder("mac"), LP_SPLIT_VAL, "1:6");
    assert_set(in_folder("mac"), LP_SPLIT_TRAINVAL, "0:1 1:2 1:6");
}

static const zip_member packed[] = {{"pets/train/cat/2.pgm", "P5\n1 1\n255\n\002", 12},
                                    {"pets/train/ant/1.pgm", "P5\n1 1\n255\n\001", 12},
                                    {"pets/train/ant/note.txt", "x", 1},
                                    {"__MACOSX/pets/train/ant/._1.pgm", "x", 1},
                                    {"pets/test/cat/3.pgm", "P5\n1 1\n255\n\003", 12}};

/* The same members as a tar archive. */
static void write_tar(const char *path, bool xz) {
    struct archive *tar = archive_write_new();
    assert_int_equal(archive_write_set_format_ustar(tar), ARCHIVE_OK);
    assert_int_equal(xz ? archive_write_add_filter_xz(tar) : archive_write_add_filter_gzip(tar),
                     ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(tar, path), ARCHIVE_OK);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, packed[i].name);
        archive_entry_set_size(entry, (la_int64_t)packed[i].size);
        archive_entry_set_filetype(entry, AE_IFREG);
        assert_int_equal(archive_write_header(tar, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(tar, packed[i].bytes, packed[i].size), packed[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(tar), ARCHIVE_OK);
}

static void folders_in_archives(void **state) {
    (void)state;
    static const char *const names[] = {"pets.zip", "pets.tar.gz", "pets.tar.xz"};
    lp_dataset *data;
    write_zip(in_folder("pets.zip"), packed, 5, true);
    write_tar(in_folder("pets.tar.gz"), false);
    write_tar(in_folder("pets.tar.xz"), true);
    for (size_t i = 0; i < 3; i++) {
        const char *path = in_folder(names[i]);
        assert_set(path, LP_SPLIT_TRAIN, "0:1 1:2");
        assert_set(path, LP_SPLIT_TEST, "1:3");
        assert_ok(lp_dataset_open(path, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
        assert_string_equal(lp_dataset_describe(data)->name, "pets");
        assert_int_equal(lp_dataset_describe(data)->ignored, 1);
        assert_string_equal(lp_dataset_class_name(data, 1), "cat");
        lp_dataset_close(data);
    }
    assert_int_equal(truncate(in_folder("pets.tar.xz"), 120), 0);
    assert_refused(in_folder("pets.tar.xz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "pets.tar.xz: truncated: the compressed data end early");
    static const zip_member broken[] = {{"a/1.pgm", "P5\n1 1\n255\n\001", 12},
                                        {"b/2.pgm", "P5\n1 1\n255\n", 11},
                                        {"b/3.pgm", "P5\n1 1\n255\n\001", 12}};
    write_zip(in_folder("broken.zip"), broken, 3, false);
    const lp_dataset_options options = {.test_share = 0.5, .split_seed = 1};
    lp_status status = lp_dataset_open_with(in_folder("broken.zip"), &options, &data, &err);
    if (status == LP_OK) { /* the broken one is in the other part */
        lp_dataset_close(data);
        const lp_dataset_options other = {
            .split = LP_SPLIT_TEST, .test_share = 0.5, .split_seed = 1};
        status = lp_dataset_open_with(in_folder("broken.zip"), &other, &data, &err);
    }
    assert_fails(status, LP_ERR_FORMAT, &err, "broken.zip: b/2.pgm: byte 11: expected more");
    static const zip_member twice[] = {{"a/1.pgm", "x", 1}, {"./a/1.pgm", "x", 1}};
    write_zip(in_folder("twice.zip"), twice, 2, false);
    assert_refused(in_folder("twice.zip"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "a/1.pgm: is there twice");
    put_text("text.zip", "PK\3\4 no archive");
    assert_refused(in_folder("text.zip"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "text.zip: ");
}

static void lines_and_their_fields(void **state) {
    (void)state;
    char *fields[4], line[] = "a , \"b \"\"c\"\", d\" ,,e", blanks[] = "  x \t y z  ";
    assert_int_equal(lp_fields(line, ',', fields, 4), 4);
    assert_string_equal(fields[0], "a");
    assert_string_equal(fields[1], "b \"c\", d");
    assert_string_equal(fields[2], "");
    assert_string_equal(fields[3], "e");
    assert_int_equal(lp_fields(blanks, ' ', fields, 2), 3);
    assert_string_equal(fields[1], "y");
    put_file("zero.txt", "a\0b", 3);
    lp_tree *tree;
    lp_lines lines;
    assert_ok(lp_tree_open(in_folder(""), &tree, &err), &err);
    assert_fails(lp_lines_open(tree, "zero.txt", &lines, &err), LP_ERR_FORMAT, &err,
                 "zero.txt: byte 1: expected text, found 0");
    lp_tree_close(tree);
}

static void names_are_known_however_they_are_written(void **state) {
    (void)state;
    static const char *const names[][2] = {{"VOC2007", "voc-2007"},
                                           {"cifar_100", "cifar-100"},
                                           {"Food101", "food-101"},
                                           {"pets", "oxford-pets"},
                                           {"PCAM", "patch-camelyon"},
                                           {"cars", "stanford-cars"},
                                           {"OxfordIIITPet", "oxford-pets"},
                                           {"cifar-1", NULL},
                                           {"voc-2007:.", NULL},
                                           {"mnist/", NULL},
                                           {"./mnist", NULL},
                                           {"cifar-1000", NULL},
                                           {"", NULL},
                                           {"oxford", NULL},
                                           {"imagenet 1k", "imagenet"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const lp_data_set *set = lp_data_set_named(names[i][0]);
        assert_true((set != NULL) == (names[i][1] != NULL));
        assert_true(set == NULL || strcmp(set->name, names[i][1]) == 0);
    }
}

static void the_table_is_whole(void **state) {
    (void)state;
    for (const lp_data_set *set = lp_data_sets; set->name != NULL; set++) {
        assert_non_null(set->title);
        assert_true(set->records != NULL || (set->read != NULL && set->marks[0] != NULL));
        assert_true(set->records == NULL || lp_data_set_of_records(set->records) == set);
        assert_ptr_equal(lp_data_set_named(set->name), set);
        for (unsigned part = 0; part < 3; part++) {
            assert_int_equal(set->images[part] > 0, set->parts >> part & 1);
        }
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    make_dtd("memory");
    const lp_dataset_options options = {.split = LP_SPLIT_TRAINVAL, .threads = 1};
    assert_allocations_reported(in_folder("memory"), &options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_set),
        cmocka_unit_test(one_level_down),
        cmocka_unit_test(names_are_known_however_they_are_written),
        cmocka_unit_test(which_set_it_is),
        cmocka_unit_test(what_a_list_names_must_be_there),
        cmocka_unit_test(pets_and_their_names),
        cmocka_unit_test(food_by_its_json),
        cmocka_unit_test(images_in_one_file),
        cmocka_unit_test(objects_are_counted),
        cmocka_unit_test(several_labels_an_image),
        cmocka_unit_test(kitti_and_its_videos),
        cmocka_unit_test(imagenet_and_its_labels),
        cmocka_unit_test(some_of_each_class_by_seed),
        cmocka_unit_test(a_list_in_a_table),
        cmocka_unit_test(some_images_of_a_part),
        cmocka_unit_test(what_macos_adds_is_left_out),
        cmocka_unit_test(folders_in_archives),
        cmocka_unit_test(lines_and_their_fields),
        cmocka_unit_test(the_table_is_whole),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

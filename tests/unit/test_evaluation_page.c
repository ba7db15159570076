/* An evaluation as pictures and a page: reliability diagram, mistakes, sections. */
#include <math.h>
#include <unistd.h>

#include "data/data_sets.h"
#include "test_meta.h"
#include "base/alloc.h"
#include "base/file.h"
#include "ckpt/known_models.h"
#include "normal.h"
#include "picture.h"
#include "probe/classifier.h"
#include "probe_data.h"
#include "test_folder.h"
#include "report/evaluation_page.h"
#include "report/mistakes.h"
#include "report/published.h"
#include "report/reliability.h"
#include "write_png.h"

enum { K = 4, F = 3, N = 40, RECORD = 3074, IMAGES = 4 };

static lp_error err;
static const char *bin, *html;

/* The SVG holds a text. */
static bool says(const lp_chart *chart, const char *text) {
    lp_buffer svg = {0};
    assert_ok(lp_chart_svg(chart, NULL, &svg, &err), &err);
    bool found = strstr(svg.bytes, text) != NULL;
    lp_buffer_free(&svg);
    return found;
}

/* ---- reliability ----------------------------------------------------------------------------- */

static void bins_lie_where_they_are(void **state) {
    (void)state;
    lp_calibration_bin bins[LP_CALIBRATION_BINS] = {{0, 0, 0}};
    lp_chart *chart;
    assert_fails(lp_reliability_chart("R", bins, &chart, &err), LP_ERR_DATA, &err, "no value");
    assert_null(chart);
    bins[7] = (lp_calibration_bin){100, 50, 0.5};
    assert_ok(lp_reliability_chart("R", bins, &chart, &err), &err);
    lp_box ink = lp_chart_ink(chart);
    assert_true(ink.left >= 0 && ink.top >= 0 && ink.right <= lp_chart_width(chart) &&
                ink.bottom <= lp_chart_height(chart));
    /* the marker, a disc of the series' colour, lies in the middle of the square of the plot */
    picture p = render(chart);
    size_t x = 2 * (86 + 532) / 2, y = 2 * (88 + 418) / 2;
    assert_int_equal(pixel(&p, x, y), lp_series_color(0));
    /* all images are in the eighth bin of the histogram */
    assert_int_equal(pixel(&p, x, 2 * 530), 0x56b4e9);
    assert_int_not_equal(pixel(&p, x + 80, 2 * 530), 0x56b4e9);
    free(p.rgb);
    lp_chart_free(chart);
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) { /* at both ends */
        bins[i] = (lp_calibration_bin){i + 1, i % 2 == 0 ? 0 : i + 1, i < 7 ? 0 : 1};
    }
    assert_ok(lp_reliability_chart("R", bins, &chart, &err), &err);
    ink = lp_chart_ink(chart);
    assert_true(ink.left >= 0 && ink.top >= 0 && ink.right <= lp_chart_width(chart));
    lp_chart_free(chart);
}

/* The contact sheet of the surest mistakes; *chart stays NULL where there are none. */
static lp_status draw_mistakes(const lp_evaluation *e, const lp_dataset *data, size_t most,
                               lp_chart **chart) {
    lp_mistakes mistakes;
    *chart = NULL;
    lp_status status = lp_mistakes_find(e, data, most, &mistakes, &err);
    if (status == LP_OK && mistakes.sheet.count > 0) {
        status = lp_contact_sheet_chart(&mistakes.sheet, chart, &err);
    }
    lp_mistakes_clear(&mistakes);
    return status;
}

/* ---- mistakes -------------------------------------------------------------------------------- */

static const unsigned char colors[IMAGES][3] = {
    {200, 10, 20}, {30, 180, 40}, {50, 60, 220}, {90, 90, 10}};
static const int64_t labels[IMAGES] = {0, 1, 2, 3};

/* Records of one colour each; their labels are their numbers. */
static void write_images(void) {
    static unsigned char records[IMAGES * RECORD];
    for (size_t i = 0; i < IMAGES; i++) {
        unsigned char *record = records + i * RECORD;
        record[1] = (unsigned char)i;
        for (size_t c = 0; c < 3; c++) {
            memset(record + 2 + c * 1024, colors[i][c], 1024);
        }
    }
    assert_ok(lp_file_write(bin, records, sizeof records, &err), &err);
}

static lp_features four_images(const char *meta) {
    static const float x[IMAGES];
    return (lp_features){.path = "set",
                         .count = IMAGES,
                         .width = 1,
                         .classes = 100,
                         .x = x,
                         .labels = labels,
                         .digest = "",
                         .provenance = provenance_of(meta)};
}

static void the_surest_mistakes_come_first(void **state) {
    (void)state;
    int64_t predicted[IMAGES] = {7, 1, 0, 2}; /* the second is right */
    double confidence[IMAGES] = {0.25, 0.99, 0.75, 0.25};
    lp_features set = four_images("{}");
    lp_evaluation e = {
        .test = &set, .classes = 100, .predicted = predicted, .confidence = confidence};
    lp_dataset *data;
    lp_chart *chart;
    assert_ok(lp_mistakes_open(&set, bin, &data, &err), &err);
    assert_ok(draw_mistakes(&e, data, 60, &chart), &err);
    assert_string_equal(lp_chart_title(chart),
                        "3 misclassified images, the most confident mistakes first");
    picture p = render(chart);
    size_t order[3], found = 0;
    for (size_t x = 0; x < p.width; x++) { /* the images from left to right */
        lp_color color = pixel(&p, x, 2 * 100);
        for (size_t i = 0; i < IMAGES; i++) {
            lp_color own =
                (lp_color)colors[i][0] << 16 | (lp_color)colors[i][1] << 8 | colors[i][2];
            if (color == own && (found == 0 || order[found - 1] != i)) {
                assert_true(found < 3);
                order[found++] = i;
            }
        }
    }
    assert_int_equal(found, 3);
    assert_true(order[0] == 2 && order[1] == 0 && order[2] == 3); /* a tie: by row */
    free(p.rgb);
    assert_true(says(chart, "(75 %)") && !says(chart, "(99 %)"));
    lp_chart_free(chart);

    assert_ok(draw_mistakes(&e, data, 1, &chart), &err);
    assert_string_equal(lp_chart_title(chart),
                        "1 of 3 misclassified images, the most confident mistakes first");
    assert_false(says(chart, "(25 %)"));
    lp_chart_free(chart);
    memcpy(predicted, labels, sizeof predicted);
    assert_ok(draw_mistakes(&e, data, 60, &chart), &err);
    assert_null(chart);
    lp_dataset_close(data);
}

/* Longer sides are made 160 pixels; what is not larger stays as it is. */
static void large_images_are_made_small(void **state) {
    (void)state;
    static const size_t sizes[IMAGES][2] = {{5000, 30}, {20, 4800}, {160, 160}, {161, 80}};
    static unsigned char rgb[5000 * 30 * 3];
    int64_t predicted[IMAGES] = {1, 2, 3, 0};
    double confidence[IMAGES] = {0.9, 0.8, 0.7, 0.6};
    const char *images = in_folder("large");
    char path[512];
    lp_features set = four_images("{}");
    lp_evaluation e = {
        .test = &set, .classes = 100, .predicted = predicted, .confidence = confidence};
    lp_dataset *data;
    lp_chart *chart;
    for (size_t i = 0; i < IMAGES; i++) {
        for (size_t k = 0; k < sizes[i][0] * sizes[i][1] * 3; k++) {
            rgb[k] = colors[i][k % 3];
        }
        (void)snprintf(path, sizeof path, "%s/test/%zu", images, i);
        assert_ok(lp_make_folders(path, &err), &err);
        (void)snprintf(path, sizeof path, "%s/test/%zu/1.png", images, i);
        assert_ok(write_png(path, rgb, sizes[i][0], sizes[i][1], &err), &err);
    }
    assert_ok(lp_mistakes_open(&set, images, &data, &err), &err);
    assert_ok(draw_mistakes(&e, data, 60, &chart), &err);
    picture p = render(chart);
    static const size_t pixels[IMAGES] = {160 * 1, 1 * 160, 160 * 160, 160 * 80};
    for (size_t i = 0; i < IMAGES; i++) {
        size_t found = 0;
        for (size_t k = 0; k < p.width * p.height; k++) {
            found += memcmp(p.rgb + 3 * k, colors[i], 3) == 0;
        }
        assert_int_equal(found, pixels[i]);
    }
    free(p.rgb);
    lp_chart_free(chart);
    lp_status status = LP_ERR_MEMORY;
    size_t k;
    for (k = 0; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k + 1);
        status = draw_mistakes(&e, data, 60, &chart);
        assert_true(status == LP_OK ? chart != NULL : status == LP_ERR_MEMORY && chart == NULL);
    }
    (void)lp_alloc_fail_at(0);
    assert_true(k > 30);
    lp_chart_free(chart);
    lp_dataset_close(data);
}

static void images_must_be_those_of_the_features(void **state) {
    (void)state;
    static const int64_t others[IMAGES] = {0, 1, 3, 2};
    lp_dataset *data = NULL;
    lp_features set = four_images(
        "{\"inputs\": {\"feature_format\": 2, \"split\": \"test\", \"data_sha256\": \"00\"}}");
    assert_fails(lp_mistakes_open(&set, bin, &data, &err), LP_ERR_ARGUMENT, &err,
                 "but set was made from 00");
    assert_null(data);
    set = four_images(
        "{\"inputs\": {\"feature_format\": 2, \"split\": \"train\", \"labels\": \"coarse\"}}");
    assert_fails(lp_mistakes_open(&set, bin, &data, &err), LP_ERR_ARGUMENT, &err,
                 "expected the training split");
    set = four_images("{}");
    set.count = 3;
    assert_fails(lp_mistakes_open(&set, bin, &data, &err), LP_ERR_ARGUMENT, &err,
                 "4 images, but set has 3");
    set = four_images("{}");
    set.labels = others;
    assert_fails(lp_mistakes_open(&set, bin, &data, &err), LP_ERR_ARGUMENT, &err,
                 "image 2 has label 2, but in set it is 3");
    assert_null(data);
}

/* ---- published numbers ----------------------------------------------------------------------- */

static void published_numbers_need_the_very_inputs(void **state) {
    (void)state;
#define SET(official, labels, normalize, feature)                                                  \
    "{\"weights\": {\"official\": \"OpenAI CLIP ViT-B/32\"}, \"inputs\": {\"feature_format\": 2, " \
    "\"labels\": \"" labels                                                                        \
    "\", \"activation\": \"gelu\", \"norm_eps\": \"1\", \"preprocess\": {\"mean\": [\"0\", "       \
    "\"0\", \"0\"], \"std\": [\"1\", \"1\", \"1\"]}, \"precision\": \"float32\", "                 \
    "\"normalize\": " normalize ", \"feature\": \"" feature                                        \
    "\"}, \"encoder\": {\"input_size\": 224}, \"data\": {\"name\": \"CIFAR-100\", "                \
    "\"official\": " official "}}"
    static const struct {
        const char *train, *test;
        double accuracy;
    } cases[] = {
        {SET("\"f\"", "fine", "false", "projected"), SET("\"f\"", "fine", "false", "projected"),
         79.92},
        {SET("\"f\"", "fine", "false", "penultimate"), SET("\"f\"", "fine", "false", "penultimate"),
         80.5},
        {SET("null", "fine", "false", "projected"), SET("\"f\"", "fine", "false", "projected"), 0},
        {SET("\"f\"", "fine", "false", "projected"), SET("null", "fine", "false", "projected"), 0},
        {SET("\"f\"", "coarse", "false", "projected"), SET("\"f\"", "coarse", "false", "projected"),
         0},
        {SET("\"f\"", "fine", "true", "projected"), SET("\"f\"", "fine", "true", "projected"), 0},
        {SET("\"f\"", "fine", "false", "pixels"), SET("\"f\"", "fine", "false", "pixels"), 0},
        {"{}", "{}", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const lp_published *p =
            lp_published_of(provenance_of(cases[i].train), provenance_of(cases[i].test));
        assert_true(p != NULL ? p->accuracy == cases[i].accuracy : cases[i].accuracy == 0);
    }
    assert_null(lp_published_of(NULL, NULL));
    lp_provenance rough = *provenance_of(cases[0].test); /* 8-bit products are another encoder */
    rough.encoder.feature = NULL;
    assert_null(lp_published_of(provenance_of(cases[0].train), &rough));
    rough = *provenance_of(cases[0].test);
    rough.encoder.precision = "int8";
    assert_null(lp_published_of(provenance_of(cases[0].train), &rough));
    rough = *provenance_of(cases[0].test); /* and so is one of larger images */
    rough.encoder.input_size = 448;
    assert_null(lp_published_of(provenance_of(cases[0].train), &rough));
    rough = *provenance_of(cases[1].test); /* of another pool, other means, ... */
    rough.encoder.changed = true;
    assert_null(lp_published_of(provenance_of(cases[1].train), &rough));
    rough = *provenance_of(cases[1].test);
    rough.encoder.blocks = "11-12";
    assert_null(lp_published_of(provenance_of(cases[1].train), &rough));
    rough = *provenance_of(cases[1].test); /* one that the paper names, but no file for certain */
    rough.encoder.weights.official = "MoCo v2";
    assert_null(lp_published_of(provenance_of(cases[1].train), &rough));
}

static void published_numbers_have_a_set_and_a_source(void **state) {
    (void)state;
    size_t count;
    const lp_published *numbers = lp_published_all(&count), *target = lp_published_target();
    for (size_t i = 0; i < count; i++) {
        assert_true(numbers[i].accuracy > 25 && numbers[i].accuracy < 100);
        assert_true(numbers[i].study->decimals > 0 && numbers[i].study->source != NULL);
        for (size_t k = 0; k < i; k++) {
            assert_true(strcmp(numbers[k].study->source, numbers[i].study->source) != 0 ||
                        strcmp(numbers[k].model, numbers[i].model) != 0 ||
                        strcmp(numbers[k].dataset, numbers[i].dataset) != 0);
        }
        const lp_known_model *m = lp_published_model(&numbers[i]);
        assert_true(m == NULL || strcmp(m->title, numbers[i].model) == 0);
        if (m == NULL && strcmp(numbers[i].dataset, "ImageNet ReaL") == 0) {
            continue; /* whose labels no data set here has */
        }
        const lp_data_set *set = lp_data_sets; /* of which a part is known to be whole */
        while (set->name != NULL && strcmp(set->title, numbers[i].dataset) != 0) {
            set++;
        }
        assert_non_null(set->name);
        assert_true(set->images[LP_SPLIT_TEST] > 0);
    }
    assert_string_equal(target->model, "OpenAI CLIP ViT-B/32");
    assert_true(target->accuracy == 79.92 && target->study->point == LP_FEATURE_PROJECTED);
}

/* All 66 rows, some of them exactly, and the sums of the columns, which a slip would change. */
static void table_10_of_the_clip_paper_is_whole(void **state) {
    (void)state;
    static const struct {
        const char *dataset;
        double sum;
    } columns[] = {{"CIFAR-10", 6238.4}, {"CIFAR-100", 5290.4}, {"ImageNet", 5233.7}};
    static const struct {
        const char *model, *known;
        double numbers[3];
    } rows[] = {
        {"LM RN50", NULL, {82.8, 61.7, 65.2}},
        {"OpenAI CLIP ViT-L/14@336px", "clip-vit-l-14-336px", {97.9, 87.4, 85.4}},
        {"EfficientNet-B8", NULL, {95.0, 80.7, 85.3}},
        {"EfficientNet-L2 Noisy Student", "efficientnet-l2-ns", {98.7, 89.0, 88.4}},
        {"EfficientNet-L2 Noisy Student 475", "efficientnet-l2-ns-475", {99.0, 91.0, 88.3}},
        {"ResNeXt-101 32x48d WSL", "resnext101-32x48d-wsl", {96.8, 83.4, 85.2}},
        {"Instagram FixRes-v2", NULL, {95.7, 81.1, 86.0}},
        {"BiT-S R152x4", "bit-s-r152x4", {94.2, 79.2, 78.5}},
        {"BiT-M R101x3", "bit-m-r101x3", {97.4, 87.5, 81.2}},
        {"ViT-H/14 ImageNet-21k", NULL, {95.8, 84.5, 75.9}},
        {"SimCLRv2 R152x3", NULL, {96.8, 84.5, 80.0}},
        {"BYOL 200x2", "byol-r200x2", {96.2, 83.3, 79.2}},
        {"MoCo v1 ResNet-50", "moco-v1", {85.0, 63.1, 57.2}},
        {"MoCo v2", NULL, {93.4, 76.3, 69.1}},
        {"VirTex", NULL, {83.9, 57.5, 50.7}},
        {"torchvision ResNet-152 V1", "resnet152", {93.5, 78.0, 77.1}},
    };
    size_t count, seen = 0, known = 0;
    const lp_published *numbers = lp_published_all(&count);
    for (size_t c = 0; c < 3; c++) {
        double sum = 0;
        size_t models = 0;
        for (size_t i = 0; i < count; i++) {
            const lp_published *p = &numbers[i];
            if (strcmp(p->study->source, "arXiv 2103.00020v1, Table 10") != 0 ||
                strcmp(p->dataset, columns[c].dataset) != 0) {
                continue;
            }
            const lp_known_model *m = lp_published_model(p);
            models++;
            known += m != NULL;
            sum += p->accuracy;
            for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
                if (strcmp(rows[r].model, p->model) == 0) {
                    assert_true(p->accuracy == rows[r].numbers[c]);
                    assert_true((m != NULL) == (rows[r].known != NULL));
                    assert_true(m == NULL || strcmp(m->name, rows[r].known) == 0);
                    seen++;
                }
            }
        }
        assert_int_equal(models, 66);
        assert_true(fabs(sum - columns[c].sum) < 0.05);
    }
    assert_int_equal(seen, 3 * sizeof rows / sizeof rows[0]);
    assert_int_equal(known, 3 * 41); /* the others' files are not known for certain */
}

/* ---- the page -------------------------------------------------------------------------------- */

static const char *const names[K] = {"cat", "<dog>", "oak", "elm"};
static const char super[] = "{\"encoder\": {\"name\": \"E\"}, \"data\": {\"name\": \"D\", "
                            "\"classes\": 4, \"class_names\": [], \"superclass_of\": [1, 1, 0, 0], "
                            "\"superclass_names\": [\"tree\", \"animal\"]}}";

static lp_features features_of(const dataset *data, const char *meta, bool named) {
    return (lp_features){.path = "path/of/test",
                         .count = N,
                         .width = F,
                         .classes = K,
                         .x = data->x,
                         .labels = data->labels,
                         .class_names = named ? names : NULL,
                         .digest = "",
                         .provenance = provenance_of(meta)};
}

static void evaluate(const lp_features *test, lp_evaluation *e) {
    lp_probe *probe;
    lp_random random;
    lp_random_seed(&random, 2);
    assert_ok(lp_probe_new(K, F, &probe, &err), &err);
    for (size_t i = 0; i < (size_t)K * F; i++) {
        probe->weights[i] = random_normal(&random);
    }
    assert_ok(lp_evaluation_run(probe, test, LP_PROBABILITY_SOFTMAX, 1, e, &err), &err);
    lp_probe_free(probe);
}

static lp_status write_page(const lp_evaluation *e) {
    lp_html *page;
    lp_status status = lp_html_new("Page", &page, &err);
    if (status == LP_OK) {
        status = lp_evaluation_page(e, NULL, page, &err);
        if (status == LP_OK) {
            status = lp_html_write(page, html, &err);
        }
        lp_html_free(page);
    }
    return status;
}

/* Whether the page that was written holds a text. */
static bool page_says(const char *text) {
    char *bytes;
    size_t size;
    assert_ok(lp_file_read(html, 1 << 24, &bytes, &size, &err), &err);
    bool found = strstr(bytes, text) != NULL;
    lp_free(bytes);
    return found;
}

static void titles_say_what_is_known(void **state) {
    (void)state;
    dataset data = dataset_random(N, F, K, 1);
    char title[LP_EVALUATION_TITLE];
    lp_features test = features_of(&data, super, true);
    lp_evaluation_title(&test, title);
    char expected[64];
    (void)snprintf(expected, sizeof expected, "E on D, %d images", N);
    assert_string_equal(title, expected); /* which part is not recorded */
    json_t *origin = lp_evaluation_origin(&test);
    assert_string_equal(lp_json_text(json_object_get(origin, "data"), "name", ""), "D");
    assert_null(json_object_get(json_object_get(origin, "data"), "superclass_of"));
    json_decref(origin);
    test = features_of(&data,
                       "{\"encoder\": {\"name\": \"E\"}, \"inputs\": {\"feature_format\": 2, "
                       "\"data_sha256\": \"x\", \"split\": \"test\", \"images\": 40}, \"data\": {"
                       "\"name\": \"CIFAR-100\", \"set\": \"cifar-100\", \"part_images\": 90}}",
                       true);
    lp_evaluation_title(&test, title);
    (void)snprintf(expected, sizeof expected, "E on CIFAR-100, %d of 10,000 test images", N);
    assert_string_equal(title, expected);
    test = features_of(&data, "{}", true);
    lp_evaluation_title(&test, title);
    assert_string_equal(title, "path/of/test");
    dataset_free(&data);
}

static void a_page_has_what_is_known(void **state) {
    (void)state;
    dataset data = dataset_random(N, F, K, 1);
    lp_features test = features_of(&data, super, true);
    lp_evaluation e;
    evaluate(&test, &e);
    assert_ok(write_page(&e), &err);
    assert_true(page_says("Superclasses") && page_says("&lt;dog&gt;") && !page_says("<dog>"));
    lp_evaluation_free(&e);
    /* the hardest class first: its accuracy is the lowest of all */
    test = features_of(&data, "{}", false);
    evaluate(&test, &e);
    const char **numbers = lp_evaluation_names(&e);
    assert_string_equal(numbers[3], "3");
    lp_free((void *)numbers);
    assert_ok(write_page(&e), &err);
    assert_false(page_says("Superclasses"));
    size_t hardest = 0;
    for (size_t k = 1; k < K; k++) {
        if (e.correct_of[k] * e.count_of[hardest] < e.correct_of[hardest] * e.count_of[k]) {
            hardest = k;
        }
    }
    char *bytes, first[64];
    size_t size;
    assert_ok(lp_file_read(html, 1 << 24, &bytes, &size, &err), &err);
    const char *table = strstr(bytes, "the hardest first</caption>");
    assert_non_null(table);
    (void)snprintf(first, sizeof first, "<tbody>\n<tr><td class=\"n\">%zu</td>", hardest);
    assert_int_equal(strncmp(strstr(table, "<tbody>"), first, strlen(first)), 0);
    lp_free(bytes);
    lp_evaluation_free(&e);
    dataset_free(&data);
}

static void memory_runs_out(void **state) {
    (void)state;
    dataset data = dataset_random(N, F, K, 1);
    lp_features test = features_of(&data, super, true), set = four_images("{}");
    lp_evaluation e;
    evaluate(&test, &e);
    lp_status status = LP_ERR_MEMORY;
    size_t k;
    for (k = 1; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = write_page(&e);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 30);
    lp_evaluation_free(&e);
    int64_t predicted[IMAGES] = {1, 2, 3, 4};
    double confidence[IMAGES] = {0.5, 0.5, 0.5, 0.5};
    e = (lp_evaluation){
        .test = &set, .classes = 100, .predicted = predicted, .confidence = confidence};
    for (k = 1, status = LP_ERR_MEMORY; status != LP_OK; k++) {
        lp_dataset *images = NULL;
        lp_chart *chart = NULL;
        (void)lp_alloc_fail_at(k);
        status = lp_mistakes_open(&set, bin, &images, &err);
        status = status == LP_OK ? draw_mistakes(&e, images, 60, &chart) : status;
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_ERR_MEMORY ? chart == NULL : status == LP_OK && chart != NULL);
        lp_chart_free(chart);
        lp_dataset_close(images);
    }
    assert_true(k > 12);
    dataset_free(&data);
}

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    bin = in_folder("test.bin");
    html = in_folder("page.html");
    write_images();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_lie_where_they_are),
        cmocka_unit_test(the_surest_mistakes_come_first),
        cmocka_unit_test(large_images_are_made_small),
        cmocka_unit_test(images_must_be_those_of_the_features),
        cmocka_unit_test(published_numbers_need_the_very_inputs),
        cmocka_unit_test(published_numbers_have_a_set_and_a_source),
        cmocka_unit_test(table_10_of_the_clip_paper_is_whole),
        cmocka_unit_test(titles_say_what_is_known),
        cmocka_unit_test(a_page_has_what_is_known),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}

/* The probe: options, input checks, absent classes, the probe file. */
#include <math.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "test_folder.h"
#include "linprobe/stats.h"
#include "test_meta.h"
#include "probe/classifier.h"
#include "probe/fitter.h"
#include "probe_data.h"

static const char *path;
static lp_error err;
/* Every solver must behave alike here. */
static const lp_solver solvers[] = {LP_SOLVER_LIBLINEAR, LP_SOLVER_OVR, LP_SOLVER_SOFTMAX};
enum { SOLVERS = sizeof solvers / sizeof solvers[0] };

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    path = in_folder("probe");
    return 0;
}

static lp_fit_options options_of(lp_solver solver) {
    lp_fit_options options;
    lp_fit_defaults(&options);
    options.solver = solver;
    options.threads = 2;
    return options;
}

static void solvers_have_names(void **state) {
    (void)state;
    lp_fit_options options;
    lp_fit_defaults(&options);
    assert_int_equal(options.solver, LP_SOLVER_SOFTMAX);
    assert_true(options.C == 0.316 && options.bias == 1 && options.tolerance == 0);
    for (size_t i = 0; i < SOLVERS; i++) {
        assert_string_equal(lp_solver_name(solvers[i]), lp_solver_names[solvers[i]]);
    }
    assert_string_equal(lp_solver_name(LP_SOLVER_OVR), "ovr");
    assert_null(lp_solver_names[SOLVERS]);
    assert_string_equal(lp_solver_name((lp_solver)99), "unknown");
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    for (size_t s = 0; s < SOLVERS; s++) {
        dataset data = dataset_random(50, 4, 3, 1);
        lp_fit_options good = options_of(solvers[s]);
        lp_fit_options bad = good;
        lp_probe *probe;
        lp_fit_report report;
        bad.C = 0;
        assert_fails(lp_probe_fit(&data.set, &bad, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "C 0: expected a number > 0");
        bad.C = INFINITY;
        assert_fails(lp_probe_fit(&data.set, &bad, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "C inf");
        bad = good;
        bad.tolerance = -1;
        assert_fails(lp_probe_fit(&data.set, &bad, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "tolerance -1");
        bad = good;
        bad.bias = NAN;
        assert_fails(lp_probe_fit(&data.set, &bad, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "bias");
        bad.solver = (lp_solver)42;
        assert_fails(lp_probe_fit(&data.set, &bad, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "solver 42");
        lp_examples empty = data.set;
        empty.count = 0;
        assert_fails(lp_probe_fit(&empty, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "0 examples, 4 features and 3 classes");
        empty = data.set;
        empty.classes = 1;
        assert_fails(lp_probe_fit(&empty, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "1 classes");
        data.x[4 * 30 + 1] = NAN;
        assert_fails(lp_probe_fit(&data.set, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "row 30, column 1 holds NaN");
        data.x[4 * 20 + 3] = INFINITY;
        assert_fails(lp_probe_fit(&data.set, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "row 20, column 3 holds an infinity");
        data.x[4 * 30 + 1] = data.x[4 * 20 + 3] = 0;
        data.labels[9] = 3;
        assert_fails(lp_probe_fit(&data.set, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "row 9 holds 3, expected 0 to 2");
        data.labels[9] = -1;
        assert_fails(lp_probe_fit(&data.set, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "row 9 holds -1");
        for (size_t i = 0; i < 50; i++) {
            data.labels[i] = 2;
        }
        assert_fails(lp_probe_fit(&data.set, &good, &probe, &report, &err), LP_ERR_DATA, &err,
                     "all 50 examples are of class 2, expected at least two classes");
        assert_null(probe);
        dataset_free(&data);
    }
}

/* Classes without examples change nothing for the others and are never predicted. */
static void absent_classes_are_left_out(void **state) {
    (void)state;
    static const int64_t renamed[] = {1, 2, 5};
    for (size_t s = 0; s < SOLVERS; s++) {
        dataset data = dataset_random(90, 4, 3, 2);
        lp_fit_options options = options_of(solvers[s]);
        lp_probe *dense;
        lp_probe *sparse;
        lp_fit_report report;
        assert_ok(lp_probe_fit(&data.set, &options, &dense, &report, &err), &err);
        for (size_t i = 0; i < data.set.count; i++) {
            data.labels[i] = renamed[data.labels[i]];
        }
        data.set.classes = 7;
        assert_ok(lp_probe_fit(&data.set, &options, &sparse, &report, &err), &err);
        assert_int_equal(lp_probe_classes(sparse), 7);
        assert_int_equal(lp_probe_width(sparse), 4);
        for (size_t k = 0; k < 3; k++) {
            size_t to = (size_t)renamed[k];
            assert_memory_equal(lp_probe_weights(dense) + 4 * k, lp_probe_weights(sparse) + 4 * to,
                                4 * sizeof(double));
            assert_true(lp_probe_intercepts(dense)[k] == lp_probe_intercepts(sparse)[to]);
        }
        for (size_t k = 0; k < 7; k++) {
            if (k != 1 && k != 2 && k != 5) {
                assert_true(lp_probe_intercepts(sparse)[k] == -INFINITY);
                assert_true(lp_probe_weights(sparse)[4 * k] == 0);
            }
        }
        int64_t predicted[90];
        assert_ok(lp_probe_predict(sparse, data.x, 90, predicted, 1, &err), &err);
        for (size_t i = 0; i < 90; i++) {
            assert_true(predicted[i] == 1 || predicted[i] == 2 || predicted[i] == 5);
        }
        assert_ok(lp_probe_save(sparse, path, &err), &err);
        lp_probe *loaded;
        assert_ok(lp_probe_load(path, &loaded, &err), &err);
        assert_true(lp_probe_intercepts(loaded)[6] == -INFINITY);
        lp_probe_free(loaded);
        lp_probe_free(dense);
        lp_probe_free(sparse);
        dataset_free(&data);
    }
}

static void start_must_fit(void **state) {
    (void)state;
    for (size_t s = 0; s < SOLVERS; s++) {
        dataset data = dataset_random(50, 4, 3, 1);
        lp_example_rows rows = dataset_rows(&data);
        lp_fit_options options = options_of(solvers[s]);
        lp_fitter *fitter;
        lp_probe *start;
        lp_probe *probe;
        lp_fit_report report;
        assert_ok(lp_probe_new(3, 5, &start, &err), &err);
        assert_ok(lp_fitter_open(&rows, &options, &fitter, &err), &err);
        assert_fails(lp_fitter_fit(fitter, 1, start, &probe, &report, &err), LP_ERR_ARGUMENT, &err,
                     "start of 3 classes x 5 features: expected 3 x 4");
        lp_fitter_close(fitter);
        lp_probe_free(start);
        dataset_free(&data);
    }
}

static lp_probe *sample(void) {
    lp_probe *probe;
    assert_ok(lp_probe_new(3, 4, &probe, &err), &err);
    for (size_t i = 0; i < 12; i++) {
        probe->weights[i] = 1.0 / (double)(i + 3);
    }
    probe->intercepts[0] = -0.1;
    probe->intercepts[2] = 1e300;
    return probe;
}

/* A feature that is constant, and one of another scale and place: the probe of the standardised
 * features, with its weights and intercepts for features as they are. */
static void standardised_features_give_the_same_probe(void **state) {
    (void)state;
    for (size_t s = 0; s < SOLVERS; s++) {
        dataset plain = dataset_random(200, 4, 3, 5), moved = dataset_random(200, 4, 3, 5);
        lp_fit_options options = options_of(solvers[s]);
        lp_probe *a, *b;
        lp_fit_report report;
        for (size_t i = 0; i < 200; i++) {
            plain.x[i * 4 + 2] = moved.x[i * 4 + 2] = 0.7F;
            moved.x[i * 4] = 64 * moved.x[i * 4] - 32; /* exact */
        }
        options.standardize = true;
        options.tolerance = 1e-6;
        assert_ok(lp_probe_fit(&plain.set, &options, &a, &report, &err), &err);
        assert_ok(lp_probe_fit(&moved.set, &options, &b, &report, &err), &err);
        for (size_t k = 0; k < 3; k++) {
            const double *v = lp_probe_weights(a) + k * 4, *w = lp_probe_weights(b) + k * 4;
            assert_true(fabs(64 * w[0] - v[0]) < 1e-5 && fabs(w[1] - v[1]) < 1e-5);
            assert_true(fabs(w[2]) < 1e-9 && fabs(v[2]) < 1e-9);
            double shift = lp_probe_intercepts(b)[k] - 32 * w[0];
            assert_true(fabs(shift - lp_probe_intercepts(a)[k]) < 1e-4);
        }
        lp_probe_free(a);
        lp_probe_free(b);
        dataset_free(&plain);
        dataset_free(&moved);
    }
}

static void saved_probe_comes_back(void **state) {
    (void)state;
    lp_probe *probe = sample();
    lp_probe *loaded;
    assert_ok(lp_probe_save(probe, path, &err), &err);
    assert_ok(lp_probe_load(path, &loaded, &err), &err);
    assert_int_equal(lp_probe_classes(loaded), 3);
    assert_int_equal(lp_probe_width(loaded), 4);
    assert_memory_equal(lp_probe_weights(loaded), probe->weights, 12 * sizeof(double));
    assert_memory_equal(lp_probe_intercepts(loaded), probe->intercepts, 3 * sizeof(double));
    assert_null(lp_probe_training(loaded)); /* nobody said how it was made */
    lp_probe_free(loaded);
    assert_fails(lp_probe_save(probe, "/nonexistent/probe", &err), LP_ERR_IO, &err,
                 "/nonexistent/probe");
    assert_fails(lp_probe_load("/nonexistent/probe", &loaded, &err), LP_ERR_IO, &err,
                 "/nonexistent/probe");
    assert_null(loaded);
    lp_probe_free(probe);
}

static const char set_meta[] =
    "{\"inputs\": {\"feature_format\": 2, \"family\": \"clip-vit\", \"weights_sha256\": \"ab\", "
    "\"feature\": "
    "\"projected\", \"normalize\": true, \"data_sha256\": \"cd\", \"split\": \"train\", "
    "\"labels\": \"coarse\", \"images\": 50, \"activation\": \"gelu\", \"pool\": \"cls\", "
    "\"precision\": \"int8\", \"heads\": 12, \"norm_eps\": \"9.99999975e-06\", "
    "\"preprocess\": {\"resize\": 248, \"crop\": 224, \"filter\": \"lanczos\", \"squash\": "
    "true, \"mean\": [\"0.5\", \"0.25\", \"0.125\"], \"std\": [\"1\", \"2\", \"4\"]}}, "
    "\"data\": {\"name\": \"Pets\", \"classes\": 2, \"class_names\": [\"cat\", \"dog\"]}}";

static lp_training sample_training(void) {
    lp_training t = {.linprobe = "9.8.7",
                     .command = "linprobe fit x",
                     .blas = "OpenBLAS 1.2",
                     .blas_kernel = "Zen",
                     .train = {"features/train", "00ff", 50, provenance_of(set_meta)},
                     .validation = {"features/val", "11ee", 20, NULL},
                     .options = {.solver = LP_SOLVER_OVR,
                                 .C = 0.1,
                                 .tolerance = 1e-5,
                                 .bias = -1,
                                 .standardize = true,
                                 .class_weight = LP_CLASS_WEIGHT_BALANCED},
                     .report = {.converged = true,
                                .iterations = 12,
                                .passes = 34,
                                .objective = 5.5,
                                .gradient = 1e-7,
                                .gap = -1}};
    (void)snprintf(t.report.stopped_by, sizeof t.report.stopped_by, "the gradient");
    return t;
}

/* Every field survives the file, and nothing in it belongs to the caller any more. */
static void training_record_comes_back(void **state) {
    (void)state;
    lp_probe *probe = sample(), *loaded;
    const lp_training given = sample_training();
    probe->solver = given.options.solver;
    assert_ok(lp_probe_describe(probe, &given, &err), &err);
    assert_ok(lp_probe_save(probe, path, &err), &err);
    lp_probe_free(probe);
    assert_ok(lp_probe_load(path, &loaded, &err), &err);
    const lp_training *t = lp_probe_training(loaded);
    assert_non_null(t);
    assert_int_equal(lp_probe_solver(loaded), LP_SOLVER_OVR);
    assert_string_equal(t->linprobe, given.linprobe);
    assert_string_equal(t->command, given.command);
    assert_string_equal(t->blas, given.blas);
    assert_string_equal(t->blas_kernel, given.blas_kernel);
    assert_string_equal(t->train.path, "features/train");
    assert_string_equal(t->train.sha256, "00ff");
    assert_int_equal(t->train.count, 50);
    assert_string_equal(t->validation.sha256, "11ee");
    assert_int_equal(t->validation.count, 20);
    assert_true(t->options.C == 0.1 && t->options.tolerance == 1e-5 && t->options.bias == -1);
    assert_true(t->options.standardize && t->options.class_weight == LP_CLASS_WEIGHT_BALANCED);
    assert_true(t->report.converged && t->report.iterations == 12 && t->report.passes == 34);
    assert_true(t->report.objective == 5.5 && t->report.gap == -1);
    assert_string_equal(t->report.stopped_by, "the gradient");
    const lp_provenance *p = t->train.provenance;
    assert_ok(lp_provenance_match(given.train.provenance, "a", p, "b", &err), &err);
    assert_true(p->data.labels == LP_LABELS_COARSE && p->encoder.preprocess.crop == 224);
    assert_string_equal(p->data.class_names[1], "dog");
    lp_probe_free(loaded);
}

/* Little-endian and in this order on every machine. */
static void file_has_the_documented_layout(void **state) {
    (void)state;
    lp_probe *probe = sample();
    char *bytes;
    size_t size;
    static const unsigned char third[8] = {0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5, 0x3f};
    assert_ok(lp_probe_save(probe, path, &err), &err);
    assert_ok(lp_file_read(path, 1 << 20, &bytes, &size, &err), &err);
    assert_memory_equal(bytes, "LPPROBE1", 8);
    size_t header = (unsigned char)bytes[8];
    assert_int_equal(header % 8, 0);
    assert_memory_equal(bytes + 9, "\0\0\0\0\0\0\0", 7);
    assert_int_equal(size, 16 + header + 8 * (12 + 3) + 64);
    assert_memory_equal(bytes + 16 + header, third, 8);
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_bytes(LP_SHA256, bytes, size - 64, hex, &err), &err);
    assert_memory_equal(bytes + size - 64, hex, 64);
    lp_free(bytes);
    lp_probe_free(probe);
}

/* Writes bytes with a right digest at their end, so that what is behind it gets looked at. */
static lp_status load_signed(const char *bytes, size_t size, lp_probe **probe) {
    char hex[LP_DIGEST_HEX];
    char *whole = malloc(size + 64);
    assert_non_null(whole);
    assert_ok(lp_digest_bytes(LP_SHA256, bytes, size, hex, &err), &err);
    memcpy(whole, bytes, size);
    memcpy(whole + size, hex, 64);
    assert_ok(lp_file_write(path, whole, size + 64, &err), &err);
    free(whole);
    return lp_probe_load(path, probe, &err);
}

/* Prelude, header text padded, and `values` doubles of `value`. */
static lp_status load_built(const char *header, size_t values, double value, lp_probe **probe) {
    char bytes[4096] = "LPPROBE1";
    size_t padded = (strlen(header) + 7) / 8 * 8;
    assert_true(16 + padded + 8 * values <= sizeof bytes);
    bytes[8] = (char)padded;
    memset(bytes + 16, ' ', padded);
    memcpy(bytes + 16, header, strlen(header));
    for (size_t i = 0; i < values; i++) {
        memcpy(bytes + 16 + padded + 8 * i, &value, 8);
    }
    return load_signed(bytes, 16 + padded + 8 * values, probe);
}

/* Fitted, saved and loaded. */
static void probe_knows_its_solver(void **state) {
    (void)state;
    dataset data = dataset_random(50, 4, 3, 1);
    for (size_t s = 0; s < SOLVERS; s++) {
        lp_fit_options options = options_of(solvers[s]);
        lp_probe *probe;
        lp_probe *loaded;
        lp_fit_report report;
        assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
        assert_int_equal(lp_probe_solver(probe), solvers[s]);
        assert_int_equal(lp_probe_probability(probe), solvers[s] == LP_SOLVER_SOFTMAX
                                                          ? LP_PROBABILITY_SOFTMAX
                                                          : LP_PROBABILITY_OVR);
        assert_ok(lp_probe_save(probe, path, &err), &err);
        assert_ok(lp_probe_load(path, &loaded, &err), &err);
        assert_int_equal(lp_probe_solver(loaded), solvers[s]);
        lp_probe_free(loaded);
        lp_probe_free(probe);
    }
    dataset_free(&data);
}

/* Files whose meta was all that named the solver, and those of other programs, which name none. */
static void older_files_have_a_solver(void **state) {
    (void)state;
    static const struct {
        const char *meta;
        lp_solver solver;
    } cases[] = {{"{}", LP_SOLVER_SOFTMAX},
                 {"3", LP_SOLVER_SOFTMAX},
                 {"{\"options\":{\"solver\":7}}", LP_SOLVER_SOFTMAX},
                 {"{\"options\":{\"solver\":\"softmax\"}}", LP_SOLVER_SOFTMAX},
                 {"{\"options\":{\"solver\":\"ovr\"}}", LP_SOLVER_OVR},
                 {"{\"options\":{\"solver\":\"liblinear\"}}", LP_SOLVER_LIBLINEAR},
                 {"{\"options\":{\"solver\":\"svm\"}}", LP_SOLVER_OVR}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char header[256];
        lp_probe *probe;
        (void)snprintf(header, sizeof header,
                       "{\"format\":\"linprobe probe\",\"dtype\":\"<f8\",\"classes\":2,\"width\":1,"
                       "\"meta\":%s}",
                       cases[i].meta);
        assert_ok(load_built(header, 4, 1, &probe), &err);
        assert_int_equal(lp_probe_solver(probe), cases[i].solver);
        lp_probe_free(probe);
    }
}

/* A probe that could be saved, and then may not be loaded. */
static void assert_saved_is_refused(lp_probe *probe, const char *part) {
    assert_ok(lp_probe_save(probe, path, &err), &err);
    lp_probe_free(probe);
    assert_fails(lp_probe_load(path, &probe, &err), LP_ERR_DATA, &err, part);
    assert_null(probe);
}

static void damaged_files_are_refused(void **state) {
    (void)state;
    lp_probe *probe = sample();
    char *bytes;
    size_t size;
    assert_ok(lp_probe_save(probe, path, &err), &err);
    assert_ok(lp_file_read(path, 1 << 20, &bytes, &size, &err), &err);
    lp_probe_free(probe);
    for (size_t cut = 0; cut < size; cut++) {
        assert_ok(lp_file_write(path, bytes, cut, &err), &err);
        assert_int_equal(lp_probe_load(path, &probe, &err), LP_ERR_FORMAT);
        assert_null(probe);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(bytes[i] ^ 0x10);
        assert_ok(lp_file_write(path, bytes, size, &err), &err);
        assert_int_equal(lp_probe_load(path, &probe, &err), LP_ERR_FORMAT);
        bytes[i] = (char)(bytes[i] ^ 0x10);
    }
    memset(bytes + 8, 0xff, 8);
    assert_fails(load_signed(bytes, size - 64, &probe), LP_ERR_FORMAT, &err,
                 "header of 18446744073709551615 bytes");
    lp_free(bytes);
}

static void hostile_headers_are_refused(void **state) {
    (void)state;
    lp_probe *probe;
#define START "{\"format\":\"linprobe probe\",\"dtype\":\"<f8\","
    assert_ok(load_built(START "\"classes\":2,\"width\":1}", 4, 1, &probe), &err);
    lp_probe_free(probe);
    assert_fails(load_built(START "\"classes\":2,\"width\":1}", 5, 1, &probe), LP_ERR_FORMAT, &err,
                 "do not fit 2 classes x 1 features");
    assert_fails(load_built(START "\"classes\":1,\"width\":1}", 2, 1, &probe), LP_ERR_FORMAT, &err,
                 "do not fit");
    assert_fails(load_built(START "\"classes\":-2,\"width\":-2}", 2, 1, &probe), LP_ERR_FORMAT,
                 &err, "do not fit");
    assert_fails(load_built(START "\"classes\":4294967296,\"width\":4294967295}", 0, 1, &probe),
                 LP_ERR_FORMAT, &err, "do not fit");
    assert_fails(load_built(START "\"classes\":2305843009213693952,\"width\":7}", 0, 1, &probe),
                 LP_ERR_FORMAT, &err, "do not fit");
    assert_fails(load_built(START "\"classes\":\"2\",\"width\":1}", 4, 1, &probe), LP_ERR_FORMAT,
                 &err, "do not fit 0 classes");
    assert_fails(load_built("{\"format\":\"x\"}", 0, 1, &probe), LP_ERR_FORMAT, &err, "format 'x'");
    assert_fails(load_built("{\"format\":\"linprobe probe\",\"dtype\":\"<f4\"}", 0, 1, &probe),
                 LP_ERR_UNSUPPORTED, &err, "dtype '<f4'");
    assert_fails(load_built("[[[[", 4, 1, &probe), LP_ERR_FORMAT, &err, "not valid JSON");
    assert_fails(load_built("7", 4, 1, &probe), LP_ERR_FORMAT, &err, "");
    assert_fails(load_built(START "\"classes\":2,\"width\":1}", 4, NAN, &probe), LP_ERR_DATA, &err,
                 "weight of class 0, feature 0 is nan");
    assert_fails(load_built(START "\"classes\":2,\"width\":1}", 4, INFINITY, &probe), LP_ERR_DATA,
                 &err, "weight of class 0");
    assert_null(probe);
    probe = sample();
    probe->intercepts[1] = NAN;
    assert_saved_is_refused(probe, "the intercept of class 1 is nan");
    probe = sample();
    probe->intercepts[1] = INFINITY;
    assert_saved_is_refused(probe, "the intercept of class 1 is inf");
#undef START
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    lp_probe *probe = sample();
    lp_probe *loaded;
    const lp_training given = sample_training();
    assert_ok(lp_probe_describe(probe, &given, &err), &err);
    (void)lp_alloc_fail_at(0);
    assert_ok(lp_probe_save(probe, path, &err), &err);
    size_t saving = lp_alloc_fail_at(0);
    assert_ok(lp_probe_load(path, &loaded, &err), &err);
    lp_probe_free(loaded);
    size_t loading = lp_alloc_fail_at(0);
    assert_true(saving >= 2 && loading >= 4);
    for (size_t k = 1; k <= saving; k++) {
        (void)lp_alloc_fail_at(k);
        assert_int_equal(lp_probe_save(probe, path, &err), LP_ERR_MEMORY);
    }
    (void)lp_alloc_fail_at(0);
    assert_ok(lp_probe_load(path, &loaded, &err), &err); /* the older file was left alone */
    lp_probe_free(loaded);
    for (size_t k = 1; k <= loading; k++) {
        (void)lp_alloc_fail_at(k);
        assert_int_equal(lp_probe_load(path, &loaded, &err), LP_ERR_MEMORY);
        assert_null(loaded);
    }
    (void)lp_alloc_fail_at(0);
    lp_probe_free(probe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(solvers_have_names),
        cmocka_unit_test(wrong_input_is_refused),
        cmocka_unit_test(absent_classes_are_left_out),
        cmocka_unit_test(start_must_fit),
        cmocka_unit_test(standardised_features_give_the_same_probe),
        cmocka_unit_test(saved_probe_comes_back),
        cmocka_unit_test(training_record_comes_back),
        cmocka_unit_test(probe_knows_its_solver),
        cmocka_unit_test(older_files_have_a_solver),
        cmocka_unit_test(file_has_the_documented_layout),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(hostile_headers_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}

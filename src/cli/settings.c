/* The tables of shared options.  An enum's names stand in its order. */
#include "cli/settings.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/general.h"
#include "linprobe/run.h"
#include "linprobe/stats.h"

/* A choice is stored through an int pointer. */
_Static_assert(sizeof(lp_activation) == sizeof(int) && sizeof(lp_pool) == sizeof(int) &&
                   sizeof(lp_mean_std) == sizeof(int) && sizeof(lp_filter_choice) == sizeof(int) &&
                   sizeof(lp_precision) == sizeof(int) && sizeof(lp_feature_point) == sizeof(int) &&
                   sizeof(lp_label_kind) == sizeof(int) && sizeof(lp_split) == sizeof(int) &&
                   sizeof(lp_solver) == sizeof(int) && sizeof(lp_class_weight) == sizeof(int) &&
                   sizeof(lp_format) == sizeof(int),
               "an enum that an option chooses has the size of an int");

enum {
    LARGEST_INPUT = 4096,
    LARGEST_SIDE = 65535,
    MOST_HEADS = 1024,
    MOST_LAYERS = 1024,
    MOST_THREADS = 1024,
    MOST_ITERATIONS = 1000000
};

static const char *const formats[] = {"text", "csv", "json", NULL};

/* ---- the encoder ---- */

#define AT(member) offsetof(cli_model_settings, member)
const cli_option cli_encoder_options[] = {
    {CLI_ENCODER, "--activation", "NAME", CLI_CHOICE, AT(encoder.activation),
     .choices = lp_activation_names,
     .help = "the MLP's activation; needed where the files do not say it"},
    {CLI_ENCODER, "--pool", "HOW", CLI_CHOICE, AT(encoder.pool), .choices = lp_pool_names,
     .help = "how tokens become one vector; auto: as the model was trained; cls+mean: the class "
             "token, then the mean of the patches"},
    {CLI_ENCODER, "--layers", "RANGE", CLI_LAYERS, AT(encoder.layers), .low = 1,
     .high = MOST_LAYERS,
     .help = "blocks of a vision transformer whose vectors become the feature, side by side: 9-12 "
             "(default: the last one)"},
    {CLI_ENCODER, "--precision", "NAME", CLI_CHOICE, AT(encoder.precision),
     .choices = lp_precision_names,
     .help = "numbers that are multiplied; int16, bfloat16 and int8 are less and "
             "less exact, and faster where the processor is made for them"},
    {CLI_ENCODER, "--input-size", "PIXELS", CLI_COUNT, AT(encoder.input_size), .low = 1,
     .high = LARGEST_INPUT,
     .help = "side of the input (default: as trained); positions are interpolated as the model's "
             "family does it"},
    {.name = NULL}};

const cli_option cli_one_encoder_options[] = {
    {CLI_ENCODER, "--heads", "N", CLI_COUNT, AT(encoder.heads), .low = 1, .high = MOST_HEADS,
     .help = "attention heads; needed where the files do not say it"},
    {CLI_ENCODER, "--mean-std", "NAME", CLI_CHOICE, AT(encoder.mean_std),
     .choices = lp_mean_std_names,
     .help = "mean and standard deviation of the preprocessing; half is 0.5; needed where the "
             "files do not say it"},
    {CLI_ENCODER, "--resize", "SIZE", CLI_RESIZE, AT(encoder.resize), .low = 1,
     .high = LARGEST_SIDE,
     .help = "what images are resized to before the crop (default: as the model was trained): "
             "256, the shorter side; 256x256, both sides"},
    {CLI_ENCODER, "--crop", "PIXELS", CLI_COUNT, AT(encoder.crop), .low = 1, .high = LARGEST_INPUT,
     .help = "side of the centre crop, which is the input (default: as trained); unlike "
             "--input-size it leaves the resize as it is"},
    {CLI_ENCODER, "--filter", "NAME", CLI_CHOICE, AT(encoder.filter),
     .choices = lp_filter_choice_names, .help = "filter of the resize"},
    {CLI_ENCODER, "--select", "PREFIX", CLI_TEXT, AT(encoder.select), .may_be_empty = true,
     .help = "of several encoders in a file, the one at this key or prefix of names ('': at the "
             "top); inspect lists them"},
    {.name = NULL}};

const cli_option cli_feature_option[] = {
    {CLI_ENCODER, "--feature", "POINT", CLI_CHOICE, AT(point), .choices = lp_feature_point_names,
     .help = "where the feature is taken; auto: projected where the model has a projection, else "
             "penultimate"},
    {.name = NULL}};

const cli_option cli_normalize_option[] = {{CLI_ENCODER, "--normalize", NULL, CLI_FLAG,
                                            AT(normalize),
                                            .help = "divide each feature vector by its length"},
                                           {.name = NULL}};
#undef AT

/* ---- the data ---- */

#define AT(member) offsetof(lp_dataset_options, member)
const cli_option cli_labels_option[] = {{CLI_INPUT, "--labels", "KIND", CLI_CHOICE, AT(labels),
                                         .choices = lp_label_kind_names,
                                         .help = "which of CIFAR-100's two kinds of labels"},
                                        {.name = NULL}};

const cli_option cli_subset_options[] = {
    {CLI_INPUT, "--limit", "N", CLI_COUNT, AT(limit), .low = 2, .high = 1e12,
     .help = "to try something out: N images of each part at most, in proportion to the classes' "
             "sizes, chosen by --split-seed"},
    {CLI_INPUT, "--per-class", "N", CLI_COUNT, AT(per_class), .low = 1, .high = 1e12,
     .help = "N images of each class of each part at most, chosen by --split-seed"},
    {.name = NULL}};

const cli_option cli_image_folder_options[] = {
    {CLI_INPUT, "--skip-broken", NULL, CLI_FLAG, AT(skip_broken),
     .help = "folders of images: leave out files that cannot be decoded, instead of an error"},
    {CLI_INPUT, "--test-share", "PART", CLI_REAL, AT(test_share), .low = 0.001, .high = 0.999,
     .help = "folders of images without a split: part of each class to test on "
             "(default " LP_STRING(LP_DEFAULT_TEST_SHARE) ")"},
    {CLI_INPUT, "--split-seed", "N", CLI_COUNT, AT(split_seed), .low = 0, .high = 4294967295.0,
     .help = "seed of the split where the data have none, and of the choice by --limit and "
             "--per-class"},
    {.name = NULL}};
#undef AT

/* ---- the probe ---- */

#define AT(member) offsetof(cli_fit_settings, member)
const cli_option cli_solver_option[] = {
    {CLI_PROBE, "--solver", "NAME", CLI_CHOICE, AT(fit.solver), .choices = lp_solver_names,
     .help = "softmax: scikit-learn's multinomial objective; ovr: one-vs-rest, liblinear's "
             "objective; liblinear: its own code, solver 0"},
    {.name = NULL}};

const cli_option cli_strength_option[] = {{CLI_PROBE, "-C", "NUMBER", CLI_REAL, AT(fit.C),
                                           .low = 1e-12, .high = 1e12,
                                           .help = "inverse regularisation strength, 1/lambda"},
                                          {.name = NULL}};

const cli_option cli_tolerance_options[] = {
    {CLI_PROBE, "--standardize", NULL, CLI_FLAG, AT(fit.standardize),
     .help = "scale each feature to mean 0 and deviation 1 over the training rows; the probe has "
             "weights for features as they are"},
    {CLI_PROBE, "--class-weight", "KIND", CLI_CHOICE, AT(fit.class_weight),
     .choices = lp_class_weight_names,
     .help = "balanced: an example weighs N / (K n), n being the size of its class"},
    {CLI_PROBE, "--eps", "NUMBER", CLI_REAL, AT(eps), .low = 1e-15, .high = 1,
     .help = "liblinear's stopping tolerance (default 0.01)"},
    {CLI_PROBE, "--tol", "NUMBER", CLI_REAL, AT(tol), .low = 1e-15, .high = 1,
     .help = "stopping tolerance of softmax and ovr, a relative gradient norm (default 1e-6)"},
    {CLI_PROBE, "--bias", "NUMBER", CLI_REAL, AT(fit.bias), .low = -1, .high = 1e6,
     .help = "constant feature of the one-vs-rest solvers; negative: none"},
    {CLI_PROBE, "--max-iterations", "N", CLI_COUNT, AT(fit.max_iterations), .low = 1,
     .high = MOST_ITERATIONS, .help = "most iterations (default: the solver's own)"},
    {.name = NULL}};
#undef AT

cli_fit_settings cli_fit_defaults(void) {
    cli_fit_settings s = {.eps = 0};
    lp_fit_defaults(&s.fit);
    return s;
}

lp_fit_options cli_fit_by(const cli_fit_settings *s, lp_solver solver, size_t threads) {
    lp_fit_options fit = s->fit;
    fit.solver = solver;
    fit.threads = threads;
    fit.tolerance = solver == LP_SOLVER_LIBLINEAR ? s->eps : s->tol;
    return fit;
}

lp_fit_options cli_fit_chosen(const cli_fit_settings *s, size_t threads) {
    lp_fit_options fit = cli_fit_by(s, s->fit.solver, threads);
    fit.tolerance = fit.tolerance > 0 ? fit.tolerance : fmax(s->eps, s->tol);
    return fit;
}

/* ---- the output ---- */

#define AT(member) offsetof(cli_output_settings, member)
const cli_option cli_format_option[] = {{CLI_OUTPUT, "--format", "F", CLI_CHOICE, AT(format),
                                         .letter = 'f', .choices = formats,
                                         .help = "how the result is printed"},
                                        {.name = NULL}};

const cli_option cli_threads_option[] = {
    {CLI_GENERAL, "--threads", "N", CLI_COUNT, AT(threads), .letter = 'j', .low = 1,
     .high = MOST_THREADS,
     .help = "number of threads (default: one a processor); never changes the result"},
    {.name = NULL}};

const cli_option cli_profile_option[] = {
    {CLI_OUTPUT, "--profile", NULL, CLI_FLAG, AT(profile),
     .help = "print on standard error how long each stage of the extraction took"},
    {.name = NULL}};
#undef AT

lp_solver cli_solver_for(lp_solver asked, const lp_dataset_info *data) {
    if (!data->multilabel || asked != LP_SOLVER_SOFTMAX) {
        return asked;
    }
    general_note("%s: several labels an image: a classifier of each class (%s) takes the place of "
                 "%s",
                 data->name, lp_solver_name(LP_SOLVER_OVR), lp_solver_name(asked));
    return LP_SOLVER_OVR;
}

enum { CLASS_TEXT = 128 };

/* The smallest label; 0 of several labels an image, where nothing is numbered. */
static int64_t first_label(const lp_features *set) {
    int64_t least = INT64_MAX;
    if (set->labels == NULL) {
        return 0;
    }
    for (size_t i = 0; i < set->count; i++) {
        least = set->labels[i] < least ? set->labels[i] : least;
    }
    return least;
}

/* "class 3", with the name that the set has for it */
static const char *class_text(const lp_features *set, size_t class, char text[CLASS_TEXT]) {
    const char *name = set->class_names != NULL ? set->class_names[class] : "";
    (void)snprintf(text, CLASS_TEXT, "class %zu%s%.96s%s", class, *name != '\0' ? " (" : "", name,
                   *name != '\0' ? ")" : "");
    return text;
}

static void warn_of_empty_classes(const lp_features *train) {
    size_t K = train->classes, empty = 0, first = 0;
    bool *found = lp_alloc_zeroed(K, sizeof *found);
    char text[CLASS_TEXT];
    for (size_t i = 0; found != NULL && train->labels != NULL && i < train->count; i++) {
        found[train->labels[i]] = true;
    }
    for (size_t i = 0; found != NULL && train->marks != NULL && i < train->count * K; i++) {
        found[i % K] = found[i % K] || train->marks[i] > 0;
    }
    for (size_t k = K; found != NULL && k-- > 0;) {
        empty += !found[k];
        first = found[k] ? first : k;
    }
    if (empty > 0) {
        (void)fprintf(stderr,
                      "WARNING: %zu of the %zu classes of %s have no example (%s is the first): "
                      "nothing can be learnt of them\n",
                      empty, K, train->path, class_text(train, first, text));
    }
    lp_free(found);
}

void cli_note_labels(const lp_features *train) {
    int64_t first = first_label(train);
    if (first > 0) {
        (void)fprintf(stderr,
                      "WARNING: labels of %s begin at %lld: they are kept as they are, and classes "
                      "before it, which have no example, are never predicted\n",
                      train->path, (long long)first);
    } else {
        warn_of_empty_classes(train);
    }
}

/* Labels that begin at 1 in one set and at 0 in the other are numbered in two ways: every
 * prediction would be off by one. */
static void warn_of_numbering(const lp_features *train, const lp_features *test) {
    int64_t from = first_label(train), asked = first_label(test);
    if (from == 1 && asked == 0) {
        (void)fprintf(
            stderr,
            "WARNING: labels of %s begin at 1, but those of %s at 0: are classes numbered "
            "in the same way?\n",
            train->path, test->path);
    }
}

/* Where both sets say of themselves that they are the other part of the data. */
static void warn_of_swap(const lp_features *train, const lp_features *test) {
    const lp_provenance *from = train->provenance, *asked = test->provenance;
    if (from != NULL && asked != NULL && from->data.name != NULL && asked->data.name != NULL &&
        from->data.split == LP_SPLIT_TEST && asked->data.split == LP_SPLIT_TRAIN) {
        (void)fprintf(stderr,
                      "WARNING: %s has test images and %s has training images: are they swapped?\n",
                      train->path, test->path);
    }
}

lp_status cli_count_shared(const lp_features *train, const lp_features *test, size_t threads,
                           size_t *shared, lp_error *err) {
    const lp_examples from = lp_features_examples(train), asked = lp_features_examples(test);
    warn_of_swap(train, test);
    warn_of_numbering(train, test);
    lp_status status = lp_shared_rows(&from, &asked, threads, shared, err);
    if (status == LP_OK && *shared > 0) {
        (void)fprintf(stderr, "WARNING: %zu of the %zu rows of %s (%.3g %%) are rows of %s too\n",
                      *shared, test->count, test->path, 100 * (double)*shared / (double)test->count,
                      train->path);
    }
    return status;
}

void cli_warn_of_training(const char *name, const lp_features *test, const lp_trained_rows *rows) {
    if (!rows->known) {
        general_note("%s does not know its training rows (an earlier version or another program "
                     "made it): whether %s has some of them cannot be told",
                     name, test->path);
    } else if (rows->count > 0) {
        (void)fprintf(stderr,
                      "WARNING: %s was trained on %s%zu of the %zu rows of %s (%.3g %%): of them "
                      "its accuracy says nothing about new images\n",
                      name, rows->at_least ? "at least " : "", rows->count, test->count, test->path,
                      100 * (double)rows->count / (double)test->count);
    }
    if (rows->strangers > 0) {
        char text[CLASS_TEXT];
        (void)fprintf(stderr,
                      "WARNING: %zu of the %zu rows of %s have a class that no training row of %s "
                      "had (%s is the first): it could not learn it\n",
                      rows->strangers, test->count, test->path, name,
                      class_text(test, rows->strange, text));
    }
}

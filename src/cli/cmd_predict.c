/* linprobe predict: the class of every row of a feature set, or of every picture of a folder.
 *
 *     FEATURES_DIR                -> rows -> logits \
 *                                                     -> table, array
 *     --data PICTURES --model M -> pictures -> logits / */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/general.h"
#include "cli/meter.h"
#include "cli/model_path.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "linprobe/stats.h"
#include "report/predictions.h"
#include "run/predict_pictures.h"

enum { USUAL_TOP = 5, ROWS_AT_ONCE = 4096 };

typedef struct predict_job {
    const char *probe_path, *features;
    const char *model, *data, *out;
    size_t top;
    cli_model_settings encoder;
    cli_output_settings output;
    lp_probe *probe;
    lp_pictures pictures;
    FILE *others; /* files that are no pictures, as text */
    lp_predictions predictions;
} predict_job;

#define AT(member) offsetof(predict_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--data", "PICTURES", CLI_TEXT, AT(data), .letter = 'd', .content = CONTENT_DATA,
     .needs = "--model",
     .help = "pictures instead of features: a folder with any folders in it, or one file"},
    {CLI_ENCODER, "--model", "FILE", CLI_TEXT, AT(model), .letter = 'm', .content = CONTENT_WEIGHTS,
     .needs = "--data",
     .help = "the encoder that the probe was trained on: a file, the name of a known model, or an "
             "id of the Hugging Face hub"},
    {CLI_OUTPUT, "--top", "K", CLI_COUNT, AT(top), .low = 1, .high = LP_TOP_MOST,
     .help = "the K most likely classes with their probabilities (default: 5 of a picture)"},
    {CLI_OUTPUT, "--out", "FILE", CLI_OUT_FILE, AT(out), .letter = 'o',
     .help = "write the table to FILE.csv or FILE.json instead, or all values to FILE.npy "
             "besides"},
    {CLI_OUTPUT, "--values", "WHAT", CLI_CHOICE, AT(predictions.values),
     .choices = lp_prediction_value_names, .needs = "--out", .help = "what FILE.npy holds"},
    {.name = NULL}};
static const cli_word words[] = {
    {"PROBE", AT(probe_path), .content = CONTENT_PROBE},
    {"FEATURES_DIR", AT(features), .content = CONTENT_FEATURES, .optional = true},
    {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_feature_option, AT(encoder), "--model"},
                                   {cli_normalize_option, AT(encoder), "--model"},
                                   {cli_encoder_options, AT(encoder), "--model"},
                                   {cli_one_encoder_options, AT(encoder), "--model"},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT
_Static_assert(sizeof(lp_prediction_values) == sizeof(int), "an option stores it through an int");

static void set_defaults(void *settings) {
    predict_job *j = settings;
    j->output.format = LP_FORMAT_CSV;
}

static lp_status check(void *settings, lp_error *err) {
    const predict_job *j = settings;
    if ((j->features == NULL) == (j->data == NULL)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "expected either FEATURES_DIR or --data PICTURES with --model FILE");
    }
    return j->out == NULL || lp_text_ends(j->out, ".csv") || lp_text_ends(j->out, ".json") ||
                   lp_text_ends(j->out, ".npy")
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "--out: expected a name that ends in .csv, .json or .npy, found '%.200s'",
                         j->out);
}

/* ---- features -------------------------------------------------------------------------------- */

static lp_status predict_features(predict_job *j, lp_features **set, lp_error *err) {
    lp_predictions *p = &j->predictions;
    double *logits = NULL;
    lp_status status;
    LP_TRY(lp_run_open_probe(j->probe_path, j->features, &j->probe, set, err));
    const lp_features *f = *set;
    size_t K = lp_probe_classes(j->probe);
    p->probe = j->probe;
    p->class_names = f->class_names;
    p->named = f->class_names != NULL ? f->classes : 0;
    logits = lp_alloc(ROWS_AT_ONCE, K * sizeof *logits);
    LP_TRY(lp_allocated(logits, "predictions", ROWS_AT_ONCE, K * sizeof *logits, err));
    for (size_t first = 0; first < f->count; first += ROWS_AT_ONCE) {
        size_t count = f->count - first < ROWS_AT_ONCE ? f->count - first : ROWS_AT_ONCE;
        LP_TRY(lp_probe_logits(j->probe, f->x + first * f->width, count, logits, j->output.threads,
                               err));
        for (size_t i = 0; i < count; i++) {
            LP_TRY(lp_predictions_add(p, NULL, f->labels[first + i], logits + i * K, err));
        }
    }
done:
    lp_free(logits);
    return status;
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* The class whose name a folder of the path has, below the folder that was given; the outermost
 * one counts.  -1: none. */
static int64_t label_of(const predict_job *j, const char *path) {
    size_t length = strlen(j->data);
    const char *const *names = j->predictions.class_names;
    path += strncmp(path, j->data, length) == 0 ? length : 0;
    for (const char *end; (end = strchr(path, '/')) != NULL; path = end + 1) {
        for (size_t k = 0; k < j->predictions.named; k++) {
            if (strlen(names[k]) == (size_t)(end - path) &&
                memcmp(names[k], path, (size_t)(end - path)) == 0) {
                return (int64_t)k;
            }
        }
    }
    return -1;
}

static lp_status take_picture(void *context, size_t i, const double *logits, const char *why,
                              lp_error *err) {
    predict_job *j = context;
    const char *path = j->pictures.paths[i];
    if (logits == NULL) {
        (void)fprintf(j->others, "not predicted: %s\n", why);
        return LP_OK;
    }
    return lp_predictions_add(&j->predictions, path, label_of(j, path), logits, err);
}

static lp_status load_encoder(predict_job *j, lp_feature_options *how, const lp_watch *watch,
                              lp_encoder **encoder, lp_error *err) {
    char path[LP_PATH_ROOM];
    cli_model_settings *asked = &j->encoder;
    lp_checkpoint *ckpt = NULL;
    lp_status status;
    asked->encoder.threads = j->output.threads;
    LP_TRY(model_path_find(j->model, places_cache(), path, err));
    LP_TRY(lp_checkpoint_open(path, &ckpt, err));
    LP_TRY(lp_pictures_as_trained(ckpt, j->probe, &asked->encoder, &asked->point, &asked->normalize,
                                  err));
    *how = (lp_feature_options){
        .point = asked->point, .normalize = asked->normalize, .threads = j->output.threads};
    LP_TRY(lp_run_check_model(ckpt, &asked->encoder, how->point, err));
    LP_TRY(lp_run_load(ckpt, &asked->encoder, watch, encoder, NULL, err));
    LP_TRY(lp_pictures_check(*encoder, j->probe, j->probe_path, how, err));
done:
    lp_checkpoint_close(ckpt);
    return status;
}

/* The names of the classes, from the probe's record of its training features. */
static void name_classes(predict_job *j) {
    const lp_training *training = lp_probe_training(j->probe);
    const lp_provenance *made = training != NULL ? training->train.provenance : NULL;
    if (made != NULL && made->data.class_names != NULL) {
        j->predictions.class_names = made->data.class_names;
        j->predictions.named = made->data.classes;
    }
}

static lp_status predict_pictures(predict_job *j, lp_error *err) {
    char *others = NULL;
    size_t size;
    lp_encoder *encoder = NULL;
    lp_feature_options how;
    meter m;
    const lp_watch watch = meter_watch(&m);
    lp_status status;
    LP_TRY(lp_probe_load(j->probe_path, &j->probe, err));
    LP_TRY(lp_pictures_find(j->data, &j->pictures, err));
    name_classes(j);
    LP_TRY(load_encoder(j, &how, &watch, &encoder, err));
    j->predictions.probe = j->probe;
    j->predictions.of_files = true;
    j->predictions.top = j->top > 0 ? j->top : USUAL_TOP;
    j->others = open_memstream(&others, &size);
    LP_TRY(lp_allocated(j->others, "list of files", 1, 1, err));
    LP_TRY(
        lp_pictures_predict(encoder, j->probe, &how, &j->pictures, &watch, take_picture, j, err));
done:
    if (j->others != NULL) {
        (void)fclose(j->others);
        (void)fputs(others != NULL ? others : "", stderr);
    }
    free(others);
    lp_encoder_free(encoder);
    if (status == LP_OK && j->predictions.count == 0) {
        status = lp_fail(err, LP_ERR_DATA,
                         "%s: none of its %zu files is a picture (records of a data set: extract "
                         "their features, then predict PROBE FEATURES_DIR)",
                         j->data, j->pictures.count);
    }
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static lp_status print(predict_job *j, lp_error *err) {
    lp_predictions *p = &j->predictions;
    lp_status status = LP_OK;
    if (p->of_files && p->labelled > 0) {
        general_note("labels by the names of folders: %zu of %zu pictures have one, %zu of them "
                     "are predicted (%.2f %%)",
                     p->labelled, p->count, p->correct,
                     100 * (double)p->correct / (double)p->labelled);
    }
    if (p->keep_values) {
        LP_TRY(lp_predictions_write_array(p, j->out, err));
    }
    if (j->out == NULL || p->keep_values) {
        lp_predictions_print(p, stdout);
    } else {
        LP_TRY(lp_predictions_write(p, j->out, err));
    }
done:
    return status;
}

static lp_status predict(void *job, lp_error *err) {
    predict_job *j = job;
    lp_features *set = NULL;
    lp_status status;
    j->predictions.keep_values = j->out != NULL && lp_text_ends(j->out, ".npy");
    j->predictions.top = j->top;
    j->predictions.format = j->out == NULL || j->predictions.keep_values ? j->output.format
                            : lp_text_ends(j->out, ".json")              ? LP_FORMAT_JSON
                                                                         : LP_FORMAT_CSV;
    LP_TRY(j->data != NULL ? predict_pictures(j, err) : predict_features(j, &set, err));
    LP_TRY(print(j, err));
done:
    lp_predictions_clear(&j->predictions);
    lp_pictures_clear(&j->pictures);
    lp_features_close(set);
    lp_probe_free(j->probe);
    return status;
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "predicts the class of pictures, or of every row of a feature set",
    .size = sizeof(predict_job),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .check = check,
    .work = predict,
    .usage = "PROBE --data PICTURES --model FILE [--top K] [--out FILE] [options]\n"
             "PROBE FEATURES_DIR [options]",
    .details =
        "Pictures need no labels and may lie in any folders below PICTURES; they come in the order "
        "of the bytes of their paths. Files that are no pictures, or broken ones, are named on "
        "standard error and get no row; hidden ones are passed over. Where a folder on the way to "
        "a "
        "picture has the name of a class, that class is its label. The features are taken as the "
        "probe's training features were, with the options of that time; another encoder is "
        "refused.",
};

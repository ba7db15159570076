/* linprobe extract: a data set through an encoder into a feature set. */
#include <stdio.h>

#include "base/error.h"
#include "base/json_row.h"
#include "cli/data_input.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/profile_table.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "report/table.h"

typedef struct extract_settings {
    const char *model, *data, *out;
    bool pixels;
    lp_split split;
    lp_dataset_options dataset;
    cli_model_settings encoder;
    cli_output_settings output;
} extract_settings;

#define AT(member) offsetof(extract_settings, member)
static const cli_option own[] = {
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data), .letter = 'd', .content = CONTENT_DATA,
     .required = true,
     .help = "CIFAR or STL-10: folder, .tar.gz or .bin file; a folder of images, a folder for each "
             "class; or one of the data sets by name, as PATH or NAME:PATH"},
    {CLI_INPUT, "--split", "S", CLI_CHOICE, AT(split), .choices = lp_split_names, .required = true,
     .help = "which part of the data"},
    {CLI_ENCODER, "--model", "FILE", CLI_TEXT, AT(model), .letter = 'm', .content = CONTENT_WEIGHTS,
     .help =
         "checkpoint of the encoder, the name of a known one, or its id on the Hugging Face hub "
         "(org/name); names and ids must be on this machine already"},
    {CLI_ENCODER, "--pixels", NULL, CLI_FLAG, AT(pixels),
     .help = "no encoder: the pixels are the features (a baseline)"},
    {CLI_OUTPUT, "--out", "DIR", CLI_OUT_FOLDER, AT(out), .letter = 'o', .required = true,
     .help = "folder of the feature set"},
    {.name = NULL}};
#undef AT

static void print_report(const extract_settings *s, const lp_extract_report *report,
                         const lp_profile *profile) {
    static const lp_column columns[] = {{"out", "features", NULL},
                                        {"images", "images", NULL},
                                        {"width", "width", NULL},
                                        {"computed", "computed", NULL},
                                        {"seconds", "seconds", "%.1f"}};
    lp_row row = lp_row_new();
    lp_row_text(&row, "out", s->out);
    lp_row_count(&row, "images", report->images);
    lp_row_count(&row, "width", report->width);
    lp_row_count(&row, "computed", report->computed);
    lp_row_real(&row, "seconds", report->seconds);
    if (profile != NULL) {
        lp_row_put(&row, "profile", profile_object(profile));
    }
    lp_table_print(stdout, s->output.format, columns, sizeof columns / sizeof columns[0],
                   lp_row_end_alone(&row));
}

static lp_status extract(void *job, lp_error *err) {
    const extract_settings *s = job;
    lp_profile profile = {0};
    const lp_feature_options how = {.point = s->encoder.point,
                                    .normalize = s->encoder.normalize,
                                    .threads = s->output.threads,
                                    .command = cli_command_line(),
                                    .profile = s->output.profile ? &profile : NULL};
    meter m;
    const lp_watch watch = meter_watch(&m);
    char path[LP_PATH_ROOM];
    double seconds = 0;
    lp_checkpoint *ckpt = NULL;
    lp_encoder *encoder = NULL;
    lp_dataset *data = NULL;
    lp_extract_report report;
    lp_status status;
    /* A wrong model is reported before a million images are looked at, and a wrong path of images
     * before half a gigabyte is read. */
    if (!s->pixels) {
        LP_TRY(model_path_find(s->model, places_cache(), path, err));
        LP_TRY(lp_run_open_model(path, &s->encoder.encoder, how.point, &ckpt, err));
    }
    LP_TRY(data_input_open(&s->dataset, s->data, NULL, s->split, how.threads, &data, err));
    if (!s->pixels) {
        LP_TRY(lp_run_load(ckpt, &s->encoder.encoder, &watch, &encoder, &seconds, err));
        lp_checkpoint_close(ckpt); /* its pages are not needed any more */
        ckpt = NULL;
    }
    LP_TRY(lp_run_extract(encoder, data, &how, s->out, &watch, &report, err));
    if (how.profile != NULL) {
        profile_print(stderr, lp_split_name(s->split), how.profile, seconds);
    }
    print_report(s, &report, how.profile);
done:
    lp_checkpoint_close(ckpt);
    lp_encoder_free(encoder);
    lp_dataset_close(data);
    return status;
}

#define AT(member) offsetof(extract_settings, member)
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_labels_option, AT(dataset), NULL},
                                   {cli_subset_options, AT(dataset), NULL},
                                   {cli_image_folder_options, AT(dataset), NULL},
                                   {cli_feature_option, AT(encoder), "--model"},
                                   {cli_normalize_option, AT(encoder), NULL},
                                   {cli_encoder_options, AT(encoder), "--model"},
                                   {cli_one_encoder_options, AT(encoder), "--model"},
                                   {cli_profile_option, AT(output), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static lp_status check(void *settings, lp_error *err) {
    extract_settings *s = settings;
    s->encoder.encoder.threads = s->output.threads;
    return (s->model != NULL) != s->pixels
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "expected either --model FILE or --pixels");
}

const cli_command cli_extract = {
    .name = "extract",
    .summary = "runs an encoder over a data set and writes a feature set",
    .size = sizeof(extract_settings),
    .groups = groups,
    .check = check,
    .work = extract,
    .on_ranks = true,
    .usage = "--model FILE|--pixels --data PATH --split PART --out DIR [options]",
    .details =
        "DIR gets features.npy (float32 [N, F]), labels.npy and meta.json. It appears when it "
        "is complete; until then DIR.partial holds the finished part, and the same command goes "
        "on from there after an interruption.\n\n"
        "--profile prints a table on standard error: for each stage its share of the threads' "
        "time, milliseconds an image, floating-point operations and bytes a second; with "
        "--format json the row gets it too.",
};

/* linprobe extract: a data set through an encoder into a feature set. */
#include <stdio.h>

#include "cli/data_input.h"
#include "cli/model_path.h"
#include "cli/options.h"
#include "cli/profile_table.h"
#include "cli/steps.h"

static int run(const cli_command *command, int argc, char **argv) {
    static const char *const splits[] = {"train", "test", NULL};
    static const char *const kinds[] = {"fine", "coarse", NULL};
    static const lp_column columns[] = {{"out", "features", NULL},
                                        {"images", "images", NULL},
                                        {"width", "width", NULL},
                                        {"computed", "computed", NULL},
                                        {"seconds", "seconds", "%.1f"}};
    const char *model = NULL, *data_path = NULL, *out = NULL;
    int split = LP_SPLIT_TRAIN, labels = LP_LABELS_FINE, format = LP_FORMAT_TEXT;
    int point = LP_FEATURE_DEFAULT;
    bool pixels = false, profiled = false;
    lp_profile profile;
    step_how how = {0};
    step_model model_options = {0};
    data_input input = {0};
    const cli_option options[] = {
        {.name = "--model",
         .argument = "FILE",
         .help = "checkpoint of the encoder, or the name of a fetched one",
         .kind = CLI_TEXT,
         .value = &model},
        {.name = "--pixels",
         .help = "no encoder: the pixels are the features (a baseline)",
         .kind = CLI_FLAG,
         .value = &pixels},
        {.name = "--data",
         .argument = "PATH",
         .help =
             "CIFAR or STL-10: folder, .tar.gz or .bin file; or a folder of images, one a class",
         .kind = CLI_TEXT,
         .value = &data_path,
         .required = true},
        {.name = "--split",
         .argument = "S",
         .help = "train or test",
         .kind = CLI_CHOICE,
         .value = &split,
         .choices = splits,
         .required = true},
        {.name = "--out",
         .argument = "DIR",
         .help = "folder of the feature set",
         .kind = CLI_TEXT,
         .value = &out,
         .required = true},
        STEP_MODEL_OPTIONS(&model_options, &point, "--model"),
        {.name = "--normalize",
         .help = "divide each feature vector by its length (default: off)",
         .kind = CLI_FLAG,
         .value = &how.normalize},
        {.name = "--labels",
         .argument = "KIND",
         .help = "fine (default) or coarse, CIFAR-100",
         .kind = CLI_CHOICE,
         .value = &labels,
         .choices = kinds},
        DATA_INPUT_OPTIONS(&input, NULL),
        PROFILE_OPTION(&profiled, NULL),
        CLI_THREADS_OPTION(&how.threads),
        CLI_FORMAT_OPTION(&format),
        {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, NULL, 0, 0, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    if ((model != NULL) == pixels) {
        (void)fprintf(stderr, "linprobe extract: expected either --model FILE or --pixels\n");
        return CLI_USAGE;
    }
    lp_error err = {0};
    step_encoder encoder = {0};
    lp_dataset *data = NULL;
    lp_extract_report report;
    /* the data first: a wrong path is said before half a gigabyte is read */
    lp_status status = data_input_open(&input, data_path, (lp_split)split, (lp_label_kind)labels,
                                       how.threads, &data, &err);
    if (status == LP_OK && !pixels) {
        lp_encoder_options told = step_encoder_options(&model_options, how.threads);
        status = step_encoder_load(model, MODEL_CACHE, &told, &encoder, &err);
    }
    if (status == LP_OK) {
        how.profile = profiled ? &profile : NULL;
        how.point = point != LP_FEATURE_DEFAULT ? (lp_feature_point)point
                    : pixels                    ? LP_FEATURE_PENULTIMATE
                             : lp_encoder_describe(encoder.encoder)->default_point;
        status = step_extract(&encoder, data, &how, out, &report, &err);
        if (status == LP_OK) {
            json_t *rows =
                json_pack("[{s:o, s:I, s:I, s:I, s:f}]", "out", lp_json_any_text(out), "images",
                          (json_int_t)report.images, "width", (json_int_t)report.width, "computed",
                          (json_int_t)report.computed, "seconds", report.seconds);
            if (profiled) {
                (void)json_object_set_new(json_array_get(rows, 0), "profile",
                                          profile_object(&profile));
            }
            lp_table_print(stdout, (lp_format)format, columns, 5, rows);
            json_decref(rows);
        }
    }
    step_encoder_free(&encoder);
    lp_dataset_close(data);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_extract = {
    .name = "extract",
    .summary = "runs an encoder over a data set and writes a feature set",
    .run = run,
    .usage = "--model FILE|--pixels --data PATH --split train|test --out DIR [options]",
    .details =
        "DIR gets features.npy (float32 [N, F]), labels.npy and meta.json.  It appears when it\n"
        "is complete; until then DIR.partial holds the finished part, and the same command\n"
        "goes on from there after an interruption.\n\n"
        "--profile prints a table on standard error: for each stage its share of the threads'\n"
        "time, milliseconds an image, floating-point operations and bytes a second; with\n"
        "--format json the row gets it too.",
};

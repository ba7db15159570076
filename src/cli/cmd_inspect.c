/* linprobe inspect FILE: what a checkpoint holds. */
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json_row.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "linprobe/checkpoint.h"
#include "linprobe/encoder.h"
#include "report/table.h"

typedef struct inspect_settings {
    const char *path;
    cli_model_settings model;
    cli_output_settings output;
} inspect_settings;

static json_t *tensor_rows(const lp_checkpoint *ckpt) {
    json_t *rows = json_array();
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        char shape[256] = "";
        size_t used = 0;
        for (int d = 0; d < t->rank; d++) {
            used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", d > 0 ? "x" : "",
                                     t->shape[d]);
        }
        lp_rows_append(&rows,
                       json_pack("{s:o, s:s, s:s, s:I}", "name", lp_json_any_text(t->name), "dtype",
                                 t->dtype_name, "shape", t->rank > 0 ? shape : "scalar", "values",
                                 (json_int_t)t->count));
    }
    return rows;
}

static json_t *encoder_object(const lp_encoder_info *i) {
    return json_pack(
        "{s:s, s:s, s:o, s:o, s:s?, s:s, s:s, s:s?, s:s?, s:s?, s:f, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I, s:I,"
        " s:I, s:I}",
        "name", i->name, "family", i->family, "prefix", lp_json_any_text(i->prefix), "selection",
        lp_json_any_text(i->selection), "architecture",
        i->architecture[0] != '\0' ? i->architecture : NULL, "activation", i->activation, "pool",
        i->pool, "feature_layers", i->blocks[0] != '\0' ? i->blocks : NULL, "config", i->config,
        "assumed", i->assumed[0] != '\0' ? i->assumed : NULL, "norm_eps", (double)i->norm_eps,
        "input_size", (json_int_t)i->input_size, "patch", (json_int_t)i->patch, "tokens",
        (json_int_t)i->tokens, "width", (json_int_t)i->width, "heads", (json_int_t)i->heads,
        "layers", (json_int_t)i->layers, "mlp_width", (json_int_t)i->mlp_width, "projected",
        (json_int_t)i->projected, "penultimate", (json_int_t)i->penultimate, "parameters",
        (json_int_t)i->parameters);
}

static void print_encoder(const lp_encoder_info *i) {
    (void)printf("architecture:  %s (family %s)\n", i->name, i->family);
    if (i->prefix[0] != '\0') {
        (void)printf("its tensors:   %s*\n", i->prefix);
    }
    if (i->architecture[0] != '\0') {
        (void)printf("named in it:   %s\n", i->architecture);
    }
    if (i->selection[0] != '\0') {
        (void)printf("in the file:   %s\n", i->selection);
    }
    bool transformer = i->patch > 0;
    char patch[48] = "";
    if (transformer) {
        (void)printf("dimensions:    width %zu, %zu heads, %zu layers, MLP %zu, %zu tokens\n",
                     i->width, i->heads, i->layers, i->mlp_width, i->tokens);
        (void)snprintf(patch, sizeof patch, ", patches of %zu", i->patch);
    } else {
        (void)printf("dimensions:    width %zu, %zu blocks\n", i->width, i->layers);
    }
    (void)printf("input:         %zu x %zu pixels%s (%s %zu, %s%s, crop %zu)\n", i->input_size,
                 i->input_size, patch, i->preprocess.squash ? "squash to" : "resize",
                 i->preprocess.resize, lp_filter_name(i->preprocess.filter),
                 i->preprocess.float_resize ? " in float32" : "", i->preprocess.crop);
    (void)printf("activation:    %s, %s norm eps %g, pooling %s%s%s\n", i->activation,
                 transformer ? "layer" : "batch", (double)i->norm_eps, i->pool,
                 i->blocks[0] != '\0' ? ", layers " : "", i->blocks);
    (void)printf("mean, std:     %.6g %.6g %.6g, %.6g %.6g %.6g\n", (double)i->preprocess.mean[0],
                 (double)i->preprocess.mean[1], (double)i->preprocess.mean[2],
                 (double)i->preprocess.std[0], (double)i->preprocess.std[1],
                 (double)i->preprocess.std[2]);
    if (i->config != NULL) {
        (void)printf("config file:   %s beside it\n", i->config);
    }
    if (i->assumed[0] != '\0') {
        (void)printf("assumed:       %s\n", i->assumed);
    }
    if (i->projected > 0) {
        (void)printf("features:      projected %zu, penultimate %zu\n", i->projected,
                     i->penultimate);
    } else {
        (void)printf("features:      penultimate %zu (no projection)\n", i->penultimate);
    }
    (void)printf("parameters:    %llu in the image encoder\n", (unsigned long long)i->parameters);
}

static const lp_column columns[] = {
    {"name", "tensor", NULL}, {"dtype", "type", NULL}, {"shape", "shape", NULL}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* info: also of an encoder whose recognition left a question open. */
static void print_text(const lp_checkpoint *ckpt, const char *hex, const lp_encoder_info *info,
                       json_t *rows) {
    const char *official = lp_checkpoint_official_name(hex);
    (void)printf("file:          %s\n", lp_checkpoint_path(ckpt));
    (void)printf("format:        %s, %zu tensors", lp_checkpoint_format(ckpt),
                 lp_checkpoint_count(ckpt));
    if (lp_checkpoint_files(ckpt) > 1) {
        (void)printf(" in %zu files", lp_checkpoint_files(ckpt));
    }
    (void)printf("\nsha256:        %s\n", hex);
    (void)printf("official:      %s\n", official != NULL ? official : "no known file");
    if (info->name[0] != '\0') {
        print_encoder(info);
    } else {
        (void)printf("architecture:  not recognised\n");
    }
    (void)putchar('\n');
    lp_table_print(stdout, LP_FORMAT_TEXT, columns, COLUMNS, rows);
}

/* info: NULL where the encoder was not recognised. */
static void print_json(const lp_checkpoint *ckpt, const char *hex, const lp_encoder_info *info,
                       json_t *rows) {
    json_t *object = json_pack(
        "{s:o, s:s, s:I, s:s, s:s?, s:o?, s:o}", "file", lp_json_any_text(lp_checkpoint_path(ckpt)),
        "format", lp_checkpoint_format(ckpt), "files", (json_int_t)lp_checkpoint_files(ckpt),
        "sha256", hex, "official", lp_checkpoint_official_name(hex), "encoder",
        info != NULL ? encoder_object(info) : NULL, "tensors", rows);
    lp_table_print(stdout, LP_FORMAT_JSON, NULL, 0, object);
}

/* Everything is printed before an encoder that was not recognised is the command's failure. */
static lp_status inspect(void *job, lp_error *err) {
    const inspect_settings *s = job;
    lp_status status;
    lp_checkpoint *ckpt = NULL;
    lp_encoder_info info;
    const char *hex;
    char path[LP_PATH_ROOM];
    lp_checkpoint_remember_digests(NULL); /* what is printed was read */
    LP_TRY(model_path_find(s->path, places_cache(), path, err));
    LP_TRY(lp_checkpoint_open(path, &ckpt, err));
    LP_TRY(lp_checkpoint_sha256(ckpt, &hex, err));
    status = lp_encoder_recognise(ckpt, &s->model.encoder, &info, err);
    json_t *rows = tensor_rows(ckpt);
    if (s->output.format == LP_FORMAT_TEXT) {
        print_text(ckpt, hex, &info, rows);
    } else if (s->output.format == LP_FORMAT_CSV) {
        lp_table_print(stdout, LP_FORMAT_CSV, columns, COLUMNS, rows);
    } else {
        print_json(ckpt, hex, status == LP_OK ? &info : NULL, rows);
    }
done:
    lp_checkpoint_close(ckpt);
    return status;
}

#define AT(member) offsetof(inspect_settings, member)
static const cli_word words[] = {{"FILE", AT(path), .content = CONTENT_WEIGHTS}, {.name = NULL}};
static const cli_group groups[] = {{cli_encoder_options, AT(model), NULL},
                                   {cli_one_encoder_options, AT(model), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

const cli_command cli_inspect = {
    .name = "inspect",
    .summary = "shows a checkpoint's format, architecture, dimensions and tensors",
    .size = sizeof(inspect_settings),
    .words = words,
    .groups = groups,
    .work = inspect,
    .usage = "FILE [options]",
    .details =
        "FILE is an OpenAI CLIP archive (.pt), a torch.save file (.pt, .pth, .bin), "
        ".safetensors, .npz, a pickle of NumPy's arrays (.pkl), the .index.json file of sharded "
        "weights, the .index file of a TensorFlow checkpoint, or a folder that holds one of these; "
        "or the name of a known model, or an id of the Hugging Face hub "
        "([hf-hub:]org/name[@revision]) that is in its cache. Nothing in it is executed. Exit "
        "status 1 when the image encoder is of no known "
        "family; the tensors are listed all the same.",
};

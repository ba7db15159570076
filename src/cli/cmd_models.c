/* linprobe models [NAME...]: what is known of published encoders. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_row.h"
#include "base/spelling.h"
#include "ckpt/known_models.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "report/published.h"
#include "report/table.h"

enum { WORDS_MAX = 64 };

/* The published number of a model after another, or (NULL) the first; NULL behind the last. */
static const lp_published *next_of(const lp_known_model *model, const lp_published *after) {
    size_t count;
    const lp_published *all = lp_published_all(&count);
    for (const lp_published *p = after != NULL ? after + 1 : all; p < all + count; p++) {
        if (strcmp(p->model, model->title) == 0) {
            return p;
        }
    }
    return NULL;
}

/* The number of a data set that stands in the table: of several, that of the paper's protocol. */
static const lp_published *shown_number(const lp_known_model *model, const char *dataset) {
    const lp_published *found = NULL;
    for (const lp_published *p = NULL; (p = next_of(model, p)) != NULL;) {
        if (strcmp(p->dataset, dataset) == 0 &&
            (found == NULL || p->study->point == LP_FEATURE_PENULTIMATE)) {
            found = p;
        }
    }
    return found;
}

static json_t *published_rows(const lp_known_model *model) {
    json_t *rows = json_array();
    for (const lp_published *p = NULL; (p = next_of(model, p)) != NULL;) {
        lp_row row = lp_row_new();
        lp_row_text(&row, "dataset", p->dataset);
        lp_row_text(&row, "feature", lp_feature_point_name(p->study->point));
        lp_row_flag(&row, "normalized", p->study->normalized);
        lp_row_real(&row, "top1", p->accuracy);
        lp_row_text(&row, "by", p->study->by);
        lp_row_text(&row, "setting", p->study->setting);
        lp_row_text(&row, "source", p->study->source);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

/* How much of the SHA-256 is published, in words. */
static const char *checksum_words(const lp_known_model *model) {
    return model->sha256 == NULL ? "none" : strlen(model->sha256) == 64 ? "SHA-256" : "8 digits";
}

static json_t *model_row(const lp_known_model *m) {
    const lp_published *ten = shown_number(m, "CIFAR-10"), *hundred = shown_number(m, "CIFAR-100");
    double megabytes = m->bytes > 0 ? (double)m->bytes * 1e-6 : m->megabytes;
    lp_row row = lp_row_of(json_pack(
        "{s:s, s:s?, s:s, s:s, s:s?, s:I, s:f, s:I, s:s, s:s?, s:s, s:s, s:o}", "name", m->name,
        "alias", m->alias, "title", m->title, "family", m->family, "activation", m->activation,
        "parameters", (json_int_t)m->parameters, "millions", (double)m->parameters * 1e-6, "input",
        (json_int_t)m->input_size, "file", lp_known_model_file(m), "sha256", m->sha256, "checksum",
        checksum_words(m), "url", m->url, "published", published_rows(m)));
    if (m->bytes > 0) {
        lp_row_count(&row, "bytes", m->bytes);
    }
    if (m->resize > 0) {
        lp_row_count(&row, "resize", m->resize);
    }
    lp_row_real(&row, "megabytes", megabytes > 0 ? megabytes : NAN);
    lp_row_real(&row, "cifar10", ten != NULL ? ten->accuracy : NAN);
    lp_row_real(&row, "cifar100", hundred != NULL ? hundred->accuracy : NAN);
    if (hundred != NULL) {
        lp_row_text(&row, "by", hundred->study->by);
    }
    return lp_row_end(&row);
}

/* What the words of the last columns stand for. */
static void print_notes(void) {
    size_t count;
    const lp_published *all = lp_published_all(&count);
    (void)printf(
        "\nchecksum  SHA-256: published whole; 8 digits: its first ones, in the file's "
        "name; none: not\n          published, so `linprobe fetch` needs --sha256 or "
        "--unverified\nby        who published the linear probe; `linprobe models NAME` shows "
        "all of them:\n");
    for (size_t i = 0; i < count; i++) {
        bool said = false;
        for (size_t k = 0; k < i; k++) {
            said = said || strcmp(all[k].study->by, all[i].study->by) == 0;
        }
        if (!said) {
            (void)printf("          %s: %s; %s\n", all[i].study->by, all[i].study->setting,
                         all[i].study->source);
        }
    }
}

static void print_details(const lp_known_model *m, const char *cache) {
    char path[LP_PATH_ROOM];
    lp_error ignored;
    (void)printf("name:          %s%s%s\n", m->name, m->alias != NULL ? ", " : "",
                 m->alias != NULL ? m->alias : "");
    (void)printf("title:         %s\n", m->title);
    (void)printf("architecture:  family %s, %u x %u pixels, %.1f million parameters%s%s\n",
                 m->family, m->input_size, m->input_size, (double)m->parameters * 1e-6,
                 m->activation != NULL ? ", " : "", m->activation != NULL ? m->activation : "");
    (void)printf("url:           %s\n", m->url);
    if (m->bytes > 0) {
        (void)printf("size:          %llu bytes\n", (unsigned long long)m->bytes);
    } else if (m->megabytes > 0) {
        (void)printf("size:          %.1f MB\n", m->megabytes);
    }
    (void)printf("sha256:        %s%s\n", m->sha256 != NULL ? m->sha256 : "not published",
                 m->sha256 != NULL && strlen(m->sha256) < 64 ? "... (no more is published)" : "");
    for (const lp_published *p = NULL; (p = next_of(m, p)) != NULL;) {
        (void)printf("published:     %.*f on %s; %s; %s\n", p->study->decimals, p->accuracy,
                     p->dataset, p->study->setting, p->study->source);
    }
    if (model_path_find(m->name, cache, path, &ignored) == LP_OK) {
        (void)printf("file:          %s\n", path);
    } else {
        (void)printf("file:          not here yet; `linprobe fetch %s` downloads it\n", m->name);
    }
}

/* The models of these names, or all where there are none. */
static void print_table(const char *const *names, size_t count, lp_format format) {
    static const lp_column text[] = {{"name", "name", NULL},
                                     {"family", "family", NULL},
                                     {"millions", "params M", "%.1f"},
                                     {"input", "input", NULL},
                                     {"megabytes", "MB", "%.0f"},
                                     {"checksum", "checksum", NULL},
                                     {"cifar10", "CIFAR-10", "%.1f"},
                                     {"cifar100", "CIFAR-100", "%.1f"},
                                     {"by", "by", NULL}};
    static const lp_column csv[] = {
        {"name", NULL, NULL},     {"alias", NULL, NULL},      {"title", NULL, NULL},
        {"family", NULL, NULL},   {"activation", NULL, NULL}, {"parameters", NULL, NULL},
        {"input", NULL, NULL},    {"bytes", NULL, NULL},      {"megabytes", NULL, NULL},
        {"sha256", NULL, NULL},   {"url", NULL, NULL},        {"cifar10", NULL, NULL},
        {"cifar100", NULL, NULL}, {"by", NULL, NULL},
    };
    size_t known_count;
    const lp_known_model *known = lp_known_models(&known_count);
    json_t *rows = json_array();
    for (size_t i = 0; i < (count > 0 ? count : known_count); i++) {
        lp_rows_append(&rows, model_row(count > 0 ? lp_known_model_named(names[i]) : &known[i]));
    }
    if (format == LP_FORMAT_TEXT) {
        lp_table_print(stdout, LP_FORMAT_TEXT, text, sizeof text / sizeof text[0], rows);
        print_notes();
    } else {
        lp_table_print(stdout, format, csv, sizeof csv / sizeof csv[0], rows);
    }
}

typedef struct models_settings {
    const char *names[WORDS_MAX];
    size_t count;
    const char *cache;
    cli_output_settings output;
} models_settings;

#define AT(member) offsetof(models_settings, member)
static const cli_option own[] = {
    {CLI_INPUT, "--cache", "DIR", CLI_TEXT, AT(cache), .help = "where downloads are"},
    {.name = NULL}};
static const cli_word words[] = {{"NAME", AT(names), .most = WORDS_MAX, .count_offset = AT(count)},
                                 {.name = NULL}};
static const cli_group groups[] = {
    {own, 0, NULL}, {cli_format_option, AT(output), NULL}, {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    models_settings *s = settings;
    s->cache = MODEL_CACHE;
}

static lp_status list_models(void *job, lp_error *err) {
    const models_settings *s = job;
    for (size_t i = 0; i < s->count; i++) {
        if (lp_known_model_named(s->names[i]) == NULL) {
            char meant[LP_SPELLING_TEXT];
            lp_spelling near = lp_spelling_of(s->names[i]);
            model_path_try(&near);
            return lp_fail(err, LP_ERR_ARGUMENT, "no known model is called '%.100s'%s", s->names[i],
                           lp_spelling_text(&near, meant));
        }
    }
    bool details = s->count > 0 && s->output.format == LP_FORMAT_TEXT;
    for (size_t i = 0; details && i < s->count; i++) {
        (void)fputs(i > 0 ? "\n" : "", stdout);
        print_details(lp_known_model_named(s->names[i]), s->cache);
    }
    if (!details) {
        print_table(s->names, s->count, s->output.format);
    }
    return LP_OK;
}

const cli_command cli_models = {
    .name = "models",
    .summary = "lists known encoders: sizes, checksums, published accuracies",
    .size = sizeof(models_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = list_models,
    .usage = "[NAME...] [--format text|csv|json]",
    .details =
        "Without a NAME a table of all. Names are compared by their letters and digits alone: "
        "clip-vit-b-32, ViT-B/32 and ViT-B-32.pt are the same model.",
};

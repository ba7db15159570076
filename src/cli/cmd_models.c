/* linprobe models [WORD...]: what is known of published encoders, and which are on this machine. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/folder.h"
#include "base/json_row.h"
#include "base/note.h"
#include "base/spelling.h"
#include "ckpt/hub_cache.h"
#include "ckpt/known_models.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/general.h"
#include "cli/places.h"
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

/* The number of a data set that stands in the table: of several, the first of the features that the
 * CLIP paper's protocol takes. */
static const lp_published *shown_number(const lp_known_model *model, const char *dataset) {
    const lp_published *found = NULL;
    for (const lp_published *p = NULL; (p = next_of(model, p)) != NULL;) {
        if (strcmp(p->dataset, dataset) == 0 &&
            (found == NULL || (found->study->point != LP_FEATURE_PENULTIMATE &&
                               p->study->point == LP_FEATURE_PENULTIMATE))) {
            found = p;
        }
    }
    return found;
}

static void add_probe(lp_row *row, const lp_published *p) {
    lp_row_text(row, "dataset", p->dataset);
    lp_row_text(row, "feature", lp_feature_point_name(p->study->point));
    lp_row_flag(row, "normalized", p->study->normalized);
    lp_row_real(row, "top1", p->accuracy);
    lp_row_text(row, "by", p->study->by);
    lp_row_text(row, "setting", p->study->setting);
    lp_row_text(row, "source", p->study->source);
}

static json_t *published_rows(const lp_known_model *model) {
    json_t *rows = json_array();
    for (const lp_published *p = NULL; (p = next_of(model, p)) != NULL;) {
        lp_row row = lp_row_new();
        add_probe(&row, p);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

/* How much of the SHA-256 is published, in words. */
static const char *checksum_words(const lp_known_model *model) {
    return model->hub != NULL            ? "hub"
           : model->sha256 == NULL       ? "none"
           : strlen(model->sha256) == 64 ? "SHA-256"
                                         : "8 digits";
}

/* path: of its file on this machine, or NULL. */
static json_t *model_row(const lp_known_model *m, const char *path) {
    static const struct {
        const char *dataset, *key;
    } shown[] = {{"CIFAR-10", "cifar10"}, {"CIFAR-100", "cifar100"}, {"ImageNet", "imagenet"}};
    char text[128] = "";
    lp_note by = {text, sizeof text, 0};
    double megabytes = m->bytes > 0 ? (double)m->bytes * 1e-6 : m->megabytes;
    lp_row row = lp_row_of(json_pack(
        "{s:s, s:s?, s:s?, s:s, s:s, s:s?, s:s?, s:s?, s:I, s:f, s:I, s:s, s:s?, s:s, s:s, s:o}",
        "name", m->name, "hub", m->hub, "alias", m->alias, "title", m->title, "family", m->family,
        "activation", m->activation, "mean_std", m->mean_std, "filter", m->filter, "parameters",
        (json_int_t)m->parameters, "millions", (double)m->parameters * 1e-6, "input",
        (json_int_t)m->input_size, "file", lp_known_model_file(m), "sha256", m->sha256, "checksum",
        checksum_words(m), "url", m->url, "published", published_rows(m)));
    if (m->bytes > 0) {
        lp_row_count(&row, "bytes", m->bytes);
    }
    if (m->resize > 0) {
        lp_row_count(&row, "resize", m->resize);
    }
    if (path != NULL) {
        lp_row_text(&row, "here", "yes");
        lp_row_text(&row, "path", path);
    }
    lp_row_real(&row, "megabytes", megabytes > 0 ? megabytes : NAN);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        const lp_published *p = shown_number(m, shown[i].dataset);
        lp_row_real(&row, shown[i].key, p != NULL ? p->accuracy : NAN);
        if (p != NULL && strstr(text, p->study->by) == NULL) {
            lp_note_put(&by, "%s%s", text[0] != '\0' ? ", " : "", p->study->by);
        }
    }
    if (text[0] != '\0') {
        lp_row_text(&row, "by", text);
    }
    return lp_row_end(&row);
}

/* A line for each study: its numbers, then how they were measured. */
static void print_published(const lp_known_model *m) {
    for (const lp_published *first = NULL; (first = next_of(m, first)) != NULL;) {
        const lp_published *p = NULL;
        while ((p = next_of(m, p)) != first && p->study != first->study) {
        }
        if (p != first) {
            continue; /* said with an earlier one */
        }
        for (; p != NULL; p = next_of(m, p)) {
            if (p->study == first->study) {
                (void)printf("%s%.*f on %s", p == first ? "published:     " : ", ",
                             p->study->decimals, p->accuracy, p->dataset);
            }
        }
        (void)printf("; %s; %s\n", first->study->setting, first->study->source);
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
    if (m->hub != NULL) {
        (void)printf("sha256:        published by the hub, for each file\n");
    } else {
        (void)printf("sha256:        %s%s\n", m->sha256 != NULL ? m->sha256 : "not published",
                     m->sha256 != NULL && strlen(m->sha256) < 64 ? "... (no more is published)"
                                                                 : "");
    }
    print_published(m);
    if (model_path_find(m->name, cache, path, &ignored) == LP_OK) {
        (void)printf("file:          %s\n", path);
    } else {
        (void)printf("file:          not here yet; `linprobe fetch %s` downloads it\n", m->name);
    }
}

typedef struct models_settings {
    const char *words[WORDS_MAX];
    size_t count;
    const char *cache, *family;
    bool here, notes, probes;
    cli_output_settings output;
} models_settings;

#define AT(member) offsetof(models_settings, member)
static const cli_option own[] = {
    {CLI_INPUT, "--cache", "DIR", CLI_TEXT, AT(cache), .help = "where downloads are"},
    {CLI_INPUT, "--family", "TEXT", CLI_TEXT, AT(family),
     .help = "only models of families with this in their name: clip, dino"},
    {CLI_INPUT, "--here", NULL, CLI_FLAG, AT(here),
     .help = "only models that are on this machine, also those of the Hugging Face hub's cache"},
    {CLI_OUTPUT, "--probes", NULL, CLI_FLAG, AT(probes),
     .help = "the published linear probes themselves, also of models whose files are not known"},
    {CLI_OUTPUT, "--long", NULL, CLI_FLAG, AT(notes), .letter = 'l',
     .help = "explain the columns, and who published the accuracies"},
    {.name = NULL}};
static const cli_word words[] = {{"WORD", AT(words), .most = WORDS_MAX, .count_offset = AT(count)},
                                 {.name = NULL}};
static const cli_group groups[] = {
    {own, 0, NULL}, {cli_format_option, AT(output), NULL}, {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    models_settings *s = settings;
    s->cache = places_cache();
}

/* ---- which ----------------------------------------------------------------------------------- */

/* Whether `text` holds `word`, in any case. */
static bool holds(const char *text, const char *word) {
    size_t length = strlen(word);
    for (; text != NULL && strlen(text) >= length; text++) {
        if (strncasecmp(text, word, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_meant(const lp_known_model *m, const char *word) {
    return lp_known_model_named(word) == m || holds(m->name, word) || holds(m->alias, word) ||
           holds(m->title, word) || holds(m->hub, word);
}

/* Whether the options and (where there are any) one of the words choose a model. */
static bool is_chosen(const models_settings *s, const lp_known_model *m) {
    bool named = s->count == 0;
    for (size_t i = 0; i < s->count; i++) {
        named = named || is_meant(m, s->words[i]);
    }
    return named && (s->family == NULL || holds(m->family, s->family));
}

/* Whether a number is listed: of a chosen model or, with --probes, one that the words choose. */
static bool is_listed(const models_settings *s, const lp_published *p) {
    const lp_known_model *m = lp_published_model(p);
    bool meant = s->count == 0;
    if (!s->probes) {
        return m != NULL && is_chosen(s, m);
    }
    for (size_t i = 0; i < s->count; i++) {
        meant = meant || holds(p->model, s->words[i]) || (m != NULL && is_meant(m, s->words[i]));
    }
    return meant;
}

/* A word that means no model at all is a mistake. */
static lp_status check_words(const models_settings *s, lp_error *err) {
    const lp_known_model *m;
    for (size_t i = 0; i < s->count; i++) {
        char meant[LP_SPELLING_TEXT];
        lp_spelling near = lp_spelling_of(s->words[i]);
        bool found = s->here; /* it may be a model of the hub */
        for (size_t k = 0; (m = lp_known_model_at(k)) != NULL; k++) {
            found = found || is_meant(m, s->words[i]);
        }
        model_path_try(&near);
        if (!found) {
            return lp_fail(err, LP_ERR_ARGUMENT, "no known model is called '%.100s'%s", s->words[i],
                           lp_spelling_text(&near, meant));
        }
    }
    return LP_OK;
}

/* So is a family that no model is of; the message lists those that there are. */
static lp_status check_family(const models_settings *s, lp_error *err) {
    const lp_known_model *m;
    char text[2048] = "";
    lp_note families = {text, sizeof text, 0};
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        bool seen = false;
        if (s->family == NULL || holds(m->family, s->family)) {
            return LP_OK;
        }
        for (size_t k = 0; k < i; k++) {
            seen = seen || strcmp(lp_known_model_at(k)->family, m->family) == 0;
        }
        if (!seen) {
            lp_note_put(&families, "%s%s", i > 0 ? ", " : "", m->family);
        }
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "no known model is of a family with '%.100s' in its name; the families are %s",
                   s->family, text);
}

/* ---- models of the hub ----------------------------------------------------------------------- */

/* Whether a model of the hub is listed already, as one of those that are known. */
static bool is_listed_on_hub(const models_settings *s, const char *id) {
    char path[LP_PATH_ROOM];
    lp_error ignored;
    const lp_known_model *m = lp_known_model_named(id);
    return m != NULL && m->hub != NULL && strcmp(m->hub, id) == 0 &&
           model_path_find(m->name, s->cache, path, &ignored) == LP_OK;
}

/* Appends the other models in a cache of the hub's layout: models--ORG--NAME. */
static void add_hub(const models_settings *s, const char *cache, json_t **rows) {
    static const char start[] = "models--";
    lp_folder folders = {.count = 0};
    lp_error ignored;
    if (cache[0] == '\0' || lp_folder_read_kind(cache, true, &folders, &ignored) != LP_OK) {
        return;
    }
    for (size_t i = 0; i < folders.count; i++) {
        char path[LP_PATH_ROOM], id[LP_HUB_ID];
        if (strncmp(folders.names[i], start, sizeof start - 1) != 0 ||
            lp_path_in(path, cache, folders.names[i], &ignored) != LP_OK ||
            !lp_hub_is_folder(path)) {
            continue;
        }
        (void)snprintf(id, sizeof id, "%s", folders.names[i] + sizeof start - 1);
        char *middle = strstr(id, "--");
        if (middle != NULL) { /* ORG--NAME */
            *middle = '/';
            memmove(middle + 1, middle + 2, strlen(middle + 2) + 1);
        }
        bool named = s->count == 0;
        for (size_t w = 0; w < s->count; w++) {
            named = named || holds(id, s->words[w]);
        }
        if (named && !is_listed_on_hub(s, id)) {
            lp_row row = lp_row_new();
            lp_row_text(&row, "name", id);
            lp_row_text(&row, "here", "yes");
            lp_row_text(&row, "path", path);
            lp_rows_append(rows, lp_row_end(&row));
        }
    }
    lp_folder_clear(&folders);
}

/* ---- the tables ------------------------------------------------------------------------------ */

static json_t *chosen_rows(const models_settings *s) {
    const lp_known_model *m;
    json_t *rows = json_array();
    char path[LP_PATH_ROOM];
    lp_error ignored;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        if (is_chosen(s, m)) {
            bool here = model_path_find(m->name, s->cache, path, &ignored) == LP_OK;
            if (here || !s->here) {
                lp_rows_append(&rows, model_row(m, here ? path : NULL));
            }
        }
    }
    if (s->here && s->family == NULL) {
        add_hub(s, s->cache, &rows);
        if (places_hub(path, &ignored) == LP_OK) {
            add_hub(s, path, &rows);
        }
    }
    return rows;
}

/* How each study of the listed numbers measured, and where it is published. */
static void print_studies(const models_settings *s) {
    size_t count;
    const lp_published *all = lp_published_all(&count);
    (void)printf("by        who published the linear probe; `linprobe models NAME` shows all of "
                 "them:\n");
    for (size_t i = 0; i < count; i++) {
        bool said = !is_listed(s, &all[i]);
        for (size_t k = 0; k < i && !said; k++) {
            said = all[k].study == all[i].study && is_listed(s, &all[k]);
        }
        if (!said) {
            (void)printf("          %s: %s; %s\n", all[i].study->by, all[i].study->setting,
                         all[i].study->source);
        }
    }
}

static void print_table(const models_settings *s) {
    static const lp_column text[] = {{"name", "name", NULL},
                                     {"family", "family", NULL},
                                     {"millions", "params M", "%.1f"},
                                     {"input", "input", NULL},
                                     {"megabytes", "MB", "%.0f"},
                                     {"here", "here", NULL},
                                     {"checksum", "checksum", NULL},
                                     {"cifar10", "CIFAR-10", "%.1f"},
                                     {"cifar100", "CIFAR-100", "%.1f"},
                                     {"imagenet", "ImageNet", "%.1f"},
                                     {"by", "by", NULL}};
    static const lp_column here[] = {{"name", "name", NULL},
                                     {"family", "family", NULL},
                                     {"megabytes", "MB", "%.0f"},
                                     {"path", "file or folder", NULL}};
    static const lp_column csv[] = {
        {"name", NULL, NULL},     {"alias", NULL, NULL},      {"title", NULL, NULL},
        {"family", NULL, NULL},   {"activation", NULL, NULL}, {"parameters", NULL, NULL},
        {"input", NULL, NULL},    {"bytes", NULL, NULL},      {"megabytes", NULL, NULL},
        {"sha256", NULL, NULL},   {"url", NULL, NULL},        {"cifar10", NULL, NULL},
        {"cifar100", NULL, NULL}, {"imagenet", NULL, NULL},   {"by", NULL, NULL},
        {"path", NULL, NULL},
    };
    json_t *rows = chosen_rows(s);
    if (s->output.format != LP_FORMAT_TEXT) {
        lp_table_print(stdout, s->output.format, csv, sizeof csv / sizeof csv[0], rows);
        return;
    }
    if (json_array_size(rows) == 0) {
        general_note("no such model%s", s->here ? " is on this machine" : "");
        json_decref(rows);
    } else if (s->here) {
        lp_table_print(stdout, LP_FORMAT_TEXT, here, sizeof here / sizeof here[0], rows);
    } else {
        lp_table_print(stdout, LP_FORMAT_TEXT, text, sizeof text / sizeof text[0], rows);
    }
    if (s->notes) {
        (void)printf("\nchecksum  SHA-256: published whole; 8 digits: its first ones, in the "
                     "file's name; hub: the\n          Hugging Face hub has it; none: not "
                     "published, so `linprobe fetch` needs --sha256 or\n          --unverified\n");
        print_studies(s);
    } else {
        general_note("`linprobe models --long` explains the columns; `linprobe models NAME` shows "
                     "all of one model");
    }
}

/* ---- published linear probes ----------------------------------------------------------------- */

static json_t *listed_probes(const models_settings *s) {
    size_t count;
    const lp_published *all = lp_published_all(&count);
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) {
        const lp_published *p = &all[i];
        const lp_known_model *m = lp_published_model(p);
        if (is_listed(s, p)) {
            char accuracy[32];
            lp_row row = lp_row_new();
            (void)snprintf(accuracy, sizeof accuracy, "%.*f", p->study->decimals, p->accuracy);
            lp_row_text(&row, "model", p->model);
            lp_row_text(&row, "accuracy", accuracy);
            if (m != NULL) {
                lp_row_text(&row, "name", m->name);
            }
            add_probe(&row, p);
            lp_rows_append(&rows, lp_row_end(&row));
        }
    }
    return rows;
}

static lp_status print_probes(const models_settings *s, lp_error *err) {
    static const lp_column text[] = {{"model", "model", NULL},
                                     {"dataset", "data set", NULL},
                                     {"accuracy", "accuracy", NULL},
                                     {"by", "by", NULL},
                                     {"source", "source", NULL}};
    static const lp_column csv[] = {{"model", NULL, NULL},   {"name", NULL, NULL},
                                    {"dataset", NULL, NULL}, {"feature", NULL, NULL},
                                    {"top1", NULL, NULL},    {"by", NULL, NULL},
                                    {"setting", NULL, NULL}, {"source", NULL, NULL}};
    if (s->here || s->family != NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "--probes: words alone choose among published probes");
    }
    json_t *rows = listed_probes(s);
    if (json_array_size(rows) == 0) {
        json_decref(rows);
        return lp_fail(err, LP_ERR_ARGUMENT, "no published linear probe is of '%.100s'",
                       s->words[0]);
    }
    if (s->output.format == LP_FORMAT_TEXT) {
        lp_table_print(stdout, LP_FORMAT_TEXT, text, sizeof text / sizeof text[0], rows);
        if (s->notes) {
            (void)printf("\n");
            print_studies(s);
        }
    } else {
        lp_table_print(stdout, s->output.format, csv, sizeof csv / sizeof csv[0], rows);
    }
    return LP_OK;
}

/* Names alone get all that is known of each; anything else chooses rows of the table. */
static lp_status list_models(void *job, lp_error *err) {
    const models_settings *s = job;
    bool details = s->count > 0 && s->output.format == LP_FORMAT_TEXT && s->family == NULL &&
                   !s->here && !s->notes;
    lp_status status;
    if (s->probes) {
        return print_probes(s, err);
    }
    LP_TRY(check_words(s, err));
    LP_TRY(check_family(s, err));
    for (size_t i = 0; i < s->count; i++) {
        details = details && lp_known_model_named(s->words[i]) != NULL;
    }
    for (size_t i = 0; details && i < s->count; i++) {
        (void)fputs(i > 0 ? "\n" : "", stdout);
        print_details(lp_known_model_named(s->words[i]), s->cache);
    }
    if (!details) {
        print_table(s);
    }
done:
    return status;
}

const cli_command cli_models = {
    .name = "models",
    .summary = "lists known encoders: sizes, checksums, published accuracies",
    .size = sizeof(models_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = list_models,
    .usage = "[WORD...] [--family TEXT] [--here] [--long] [--probes] [options]",
    .details =
        "Without a WORD a table of all; with the name of a model everything about it; with other "
        "words the models that have one of them in their names. Names are compared by their "
        "letters and digits alone: clip-vit-b-32, ViT-B/32 and ViT-B-32.pt are the same model.",
};

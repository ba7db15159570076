/* The profile as a table: a row for each stage, then their sum. */
#include "cli/profile_table.h"

#include "base/json_row.h"
#include "report/table.h"

static const lp_column columns[] = {{"stage", "stage", NULL},
                                    {"share", "share %", "%.1f"},
                                    {"ms_per_image", "ms/image", "%.3f"},
                                    {"gflop_per_s", "GFLOP/s", "%.1f"},
                                    {"gb_per_s", "GB/s", "%.1f"}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Rates are those of one thread; a stage without operations or bytes has none. */
static json_t *stage_row(const lp_profile *p, const lp_stage *s) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "stage", s->name);
    lp_row_real(&row, "seconds", s->seconds);
    lp_row_real(&row, "operations", s->operations);
    lp_row_real(&row, "bytes", s->bytes);
    lp_row_real(&row, "share", 100 * s->seconds / ((double)p->threads * p->seconds));
    lp_row_real(&row, "ms_per_image", 1e3 * s->seconds / (double)p->images);
    if (s->operations > 0 && s->seconds > 0) {
        lp_row_real(&row, "gflop_per_s", 1e-9 * s->operations / s->seconds);
    }
    if (s->bytes > 0 && s->seconds > 0) {
        lp_row_real(&row, "gb_per_s", 1e-9 * s->bytes / s->seconds);
    }
    return lp_row_end(&row);
}

static json_t *stage_rows(const lp_profile *p) {
    json_t *rows = json_array();
    for (size_t i = 0; i < p->count; i++) {
        lp_rows_append(&rows, stage_row(p, &p->stages[i]));
    }
    return rows;
}

json_t *profile_object(const lp_profile *p) {
    lp_row row = lp_row_new();
    lp_row_count(&row, "images", p->images);
    lp_row_count(&row, "threads", p->threads);
    lp_row_real(&row, "seconds", p->seconds);
    lp_row_put(&row, "stages", stage_rows(p));
    return lp_row_end(&row);
}

void profile_print(FILE *out, const char *what, const lp_profile *p, double load_seconds) {
    if (p->images == 0) {
        (void)fprintf(out, "%s: no profile, nothing was computed\n", what);
        return;
    }
    lp_stage all = {.name = "all"};
    for (size_t i = 0; i < p->count; i++) {
        all.seconds += p->stages[i].seconds;
        all.operations += p->stages[i].operations;
    }
    json_t *rows = stage_rows(p);
    lp_rows_append(&rows, stage_row(p, &all));
    (void)fprintf(out,
                  "%s: %zu images, %.1f s on %zu thread%s; all rates are those of one thread\n",
                  what, p->images, p->seconds, p->threads, p->threads == 1 ? "" : "s");
    lp_table_print(out, LP_FORMAT_TEXT, columns, COLUMNS, rows);
    if (load_seconds > 0) {
        (void)fprintf(out, "not in the table: %.2f s for reading and checking the weights\n",
                      load_seconds);
    }
}

void profile_print_run(FILE *out, const lp_run *run) {
    for (int split = LP_SPLIT_TRAIN; split <= LP_SPLIT_TEST; split++) {
        profile_print(out, lp_split_name((lp_split)split), &run->profiles[split],
                      run->load_seconds);
    }
}

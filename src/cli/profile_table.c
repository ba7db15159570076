/* The profile as a table: a row for each stage, then their sum. */
#include "cli/profile_table.h"

#include "report/table.h"

static const lp_column columns[] = {{"stage", "stage", NULL},
                                    {"share", "share %", "%.1f"},
                                    {"ms_per_image", "ms/image", "%.3f"},
                                    {"gflop_per_s", "GFLOP/s", "%.1f"},
                                    {"gb_per_s", "GB/s", "%.1f"}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Rates are those of one thread; a stage without operations or bytes has none. */
static json_t *stage_row(const lp_profile *p, const lp_stage *s) {
    double whole = (double)p->threads * p->seconds;
    json_t *row =
        json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "stage", s->name, "seconds", s->seconds,
                  "operations", s->operations, "bytes", s->bytes, "share", 100 * s->seconds / whole,
                  "ms_per_image", 1e3 * s->seconds / (double)p->images);
    if (s->operations > 0 && s->seconds > 0) {
        (void)json_object_set_new(row, "gflop_per_s", json_real(1e-9 * s->operations / s->seconds));
    }
    if (s->bytes > 0 && s->seconds > 0) {
        (void)json_object_set_new(row, "gb_per_s", json_real(1e-9 * s->bytes / s->seconds));
    }
    return row;
}

static json_t *stage_rows(const lp_profile *p) {
    json_t *rows = json_array();
    for (size_t i = 0; i < p->count; i++) {
        (void)json_array_append_new(rows, stage_row(p, &p->stages[i]));
    }
    return rows;
}

json_t *profile_object(const lp_profile *p) {
    return json_pack("{s:I, s:I, s:f, s:f, s:o}", "images", (json_int_t)p->images, "threads",
                     (json_int_t)p->threads, "seconds", p->seconds, "blas_gflop_per_s",
                     1e-9 * p->blas_rate, "stages", stage_rows(p));
}

void profile_print(FILE *out, const char *what, const lp_profile *p) {
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
    (void)json_array_append_new(rows, stage_row(p, &all));
    (void)fprintf(out,
                  "%s: %zu images, %.1f s on %zu thread%s; all rates are those of one thread\n",
                  what, p->images, p->seconds, p->threads, p->threads == 1 ? "" : "s");
    lp_table_print(out, LP_FORMAT_TEXT, columns, COLUMNS, rows);
    json_decref(rows);
    if (p->blas_rate > 0) {
        (void)fprintf(out, "OpenBLAS at a product of square matrices, here and now: %.1f GFLOP/s\n",
                      1e-9 * p->blas_rate);
    }
}

/* The page of a run: the accuracy beside the reported one, then the evaluation of the probe that is
 * closest to what was reported, then how all was made.  Nothing in it depends on the time. */
#include "cli/run_page.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "report/bars.h"
#include "report/evaluation_page.h"
#include "report/mistakes.h"

/* The probes beside each other and the reported number. */
static lp_status add_bars(const run_page *run, lp_html *page, lp_error *err) {
    size_t count = json_array_size(run->rows);
    char reported[64];
    lp_bar *bars = lp_alloc(count, sizeof *bars);
    if (bars == NULL) {
        return lp_fail_memory(err, "chart", count, sizeof *bars);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(run->rows, i);
        bars[i] =
            (lp_bar){.name = lp_json_text(row, "solver", ""),
                     .accuracy = lp_json_number(row, "top1", NAN) / 100,
                     .low = lp_json_number(row, "top1_low", NAN) / 100,
                     .high = lp_json_number(row, "top1_high", NAN) / 100,
                     .reported = run->published != NULL ? run->published->accuracy / 100 : NAN};
    }
    if (run->published != NULL) {
        (void)snprintf(reported, sizeof reported, "reported: %.*f", run->published->decimals,
                       run->published->accuracy);
    }
    const lp_bars chart_of = {.title = run->title,
                              .measure = "Top-1 accuracy on the test set",
                              .reported = run->published != NULL ? reported : NULL,
                              .bars = bars,
                              .count = count};
    lp_chart *chart;
    lp_status status = lp_bars_chart(&chart_of, &chart, err);
    if (status == LP_OK) {
        lp_html_chart(page, chart, "Accuracy by solver, with its 95 % interval.");
    }
    lp_chart_free(chart);
    lp_free(bars);
    return status;
}

static void add_settings(const run_page *run, lp_html *page) {
    json_t *settings = json_copy((json_t *)(uintptr_t)run->result);
    json_t *probes = json_object();
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)(uintptr_t)run->rows, i, row) {
        (void)json_object_set(probes, lp_json_text(row, "solver", ""), row);
    }
    (void)json_object_set_new(settings, "probes", probes);
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", settings);
    json_decref(settings);
}

static lp_status fill(const run_page *run, const lp_chart *mistakes, lp_html *page, lp_error *err) {
    char text[160];
    lp_html_heading(page, "Result");
    lp_html_table(page, "Accuracy on the test set", run->columns, run->column_count, run->rows);
    lp_html_paragraph(page, run->reported);
    lp_status status = add_bars(run, page, err);
    if (status != LP_OK) {
        return status;
    }
    (void)snprintf(text, sizeof text, "All that follows is of the probe by %s.", run->solver);
    lp_html_paragraph(page, text);
    status = lp_evaluation_page(run->evaluation, mistakes, page, err);
    add_settings(run, page);
    return status;
}

static lp_status write_confusion(const run_page *run, lp_error *err) {
    lp_chart *chart = NULL;
    char *path = lp_path_join(run->folder, "confusion.png");
    lp_status status = path != NULL ? lp_evaluation_confusion_chart(run->evaluation, &chart, err)
                                    : lp_fail_memory(err, run->folder, 1, 1);
    if (status == LP_OK) {
        status = lp_chart_write(chart, path, err);
    }
    lp_chart_free(chart);
    lp_free(path);
    return status;
}

lp_status run_page_write(const run_page *run, lp_error *err) {
    lp_chart *mistakes = NULL;
    lp_html *page = NULL;
    char *path = lp_path_join(run->folder, "report.html");
    lp_status status =
        path != NULL ? write_confusion(run, err) : lp_fail_memory(err, run->folder, 1, 1);
    if (status == LP_OK) {
        status = lp_mistakes_chart(run->evaluation, run->images, LP_MISTAKES_SHOWN, &mistakes, err);
    }
    if (status == LP_OK) {
        status = lp_html_new(run->title, &page, err);
    }
    if (status == LP_OK) {
        status = fill(run, mistakes, page, err);
    }
    if (status == LP_OK) {
        status = lp_html_write(page, path, err);
    }
    lp_html_free(page);
    lp_chart_free(mistakes);
    lp_free(path);
    return status;
}

/* Models by rows, data sets by columns: results of comparisons as cells of one table.
 *
 * A cell is a JSON object: model, weights_sha256, feature, set (its name), data_sha256, of a choice
 * of training images train_data_sha256, title,
 * metric, value, low, high, reported, images, parameters, gflop_per_image, C, ....  All cells are a
 * JSON array, which is also the file of a leaderboard. */
#ifndef LP_REPORT_SET_TABLE_H
#define LP_REPORT_SET_TABLE_H

#include <stdio.h>
#include "base/json.h"
#include "report/comparison.h"

/* The cell of a contestant that is a model.  NULL where memory was short. */
json_t *lp_set_cell(const lp_comparison *c, const lp_contestant *model);

/* One line of it: "ViT-B/32 on CIFAR-100, 10,000 test images: accuracy 80.51 % (79.72 to 81.27),
 * published 80.5 %". */
void lp_set_cell_line(const json_t *cell, char *text, size_t room);

/* Adds a cell, in the place of one of the same model, weights and set.  Takes over the cell. */
LP_MUST_USE lp_status lp_set_table_put(json_t *cells, json_t *cell, lp_error *err);

/* Reads the cells of an earlier table, or gives an empty array where there is no such file.
 * LP_ERR_FORMAT: the file is none. */
LP_MUST_USE lp_status lp_set_table_read(const char *path, json_t **cells, lp_error *err);

/* Text: the table, with the mean over sets of each model that has all of them, published numbers in
 * brackets, and a line for each set.  CSV and JSON: the cells. */
LP_MUST_USE lp_status lp_set_table_print(const json_t *cells, FILE *out, lp_format format,
                                         lp_error *err);

/* Writes table.json, table.csv and table.html, the latter with a chart of the means; and, where the
 * work for an image of two models that have all sets is known, a chart of mean against work, in the
 * page and as table-work.png and .svg. */
LP_MUST_USE lp_status lp_set_table_write(const json_t *cells, const char *folder,
                                         const char *command, lp_error *err);

#endif

/* The lines of a text file of a data set, one by one, with errors that name file and line; and the
 * fields of a line.
 *
 *     lp_lines lines;
 *     char *line;
 *     LP_TRY(lp_lines_open(tree, "labels/train1.txt", &lines, err));
 *     while ((line = lp_lines_next(&lines)) != NULL)
 *         if (strchr(line, '/') == NULL)
 *             LP_TRY(lp_lines_fail(&lines, err, "expected CLASS/FILE, found '%.80s'", line));
 *     lp_lines_close(&lines);
 */
#ifndef LP_DATA_TEXT_LINES_H
#define LP_DATA_TEXT_LINES_H

#include "data/tree.h"

typedef struct lp_lines {
    char path[LP_PATH_ROOM]; /* for messages */
    char *text;              /* a copy, which the lines lie in */
    char *next;
    char *end;
    size_t number; /* of the line that was given last, from 1 */
} lp_lines;

LP_MUST_USE lp_status lp_lines_open(const lp_tree *tree, const char *name, lp_lines *lines,
                                    lp_error *err);
void lp_lines_close(lp_lines *lines); /* zeros are allowed */

/* The next line that is not empty, without its end and without blanks around it; NULL behind the
 * last.  It may be written to. */
char *lp_lines_next(lp_lines *lines);

/* LP_ERR_FORMAT: "<path>:<number>: ". */
lp_status lp_lines_fail(const lp_lines *lines, lp_error *err, const char *format, ...)
    LP_PRINTF(3, 4);

/* Cuts a line into fields at each `separator`, in place; a field in double quotes may hold it (""
 * is a quote there).  Blanks around a field are cut off.  With ' ' as separator, fields are parted
 * by any number of blanks.  Returns how many there are, of which the first `most` are in fields. */
size_t lp_fields(char *line, char separator, char **fields, size_t most);

/* A label: a whole number from low to high, as the text of a field says it; `what` names the field
 * in the message, which has file and line. */
LP_MUST_USE lp_status lp_lines_number(const lp_lines *lines, const char *what, const char *text,
                                      int64_t low, int64_t high, int64_t *value, lp_error *err);

#endif

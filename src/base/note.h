/* A text that grows piece by piece in room of fixed size; what does not fit ends with "...". */
#ifndef LP_BASE_NOTE_H
#define LP_BASE_NOTE_H

#include <stddef.h>
#include "linprobe/status.h"

/*     char text[200] = "";
 *     lp_note note = {text, sizeof text, 0};
 *     lp_note_put(&note, "%zu tensors", count);
 * room is at least 4. */
typedef struct lp_note {
    char *text;
    size_t room, used;
} lp_note;

void lp_note_put(lp_note *note, const char *format, ...) LP_PRINTF(2, 3);

#endif

/* Notes: snprintf, again and again into one text. */
#include "base/note.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void lp_note_put(lp_note *note, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(note->text + note->used, note->room - note->used, format, arguments);
    va_end(arguments);
    note->used += length > 0 ? (size_t)length : 0;
    if (note->used >= note->room) {
        note->used = note->room - 1;
        memcpy(note->text + note->room - 4, "...", 4);
    }
}

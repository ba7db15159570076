/* Names of architectures among the texts of a file. */
#include "ckpt/arch_notes.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Whether the last of the keys is one under which programs keep the name: by itself, or as the
 * "name" of an object ("backbone.name"). */
static bool names_architecture(const char *keys, size_t length) {
    static const char *const known[] = {"arch",       "architecture", "arch_name",
                                        "backbone",   "encoder",      "model",
                                        "model_arch", "model_name",   "model_type"};
    static const char name[] = ".name";
    size_t start = length, tail = sizeof name - 1;
    if (length > tail && memcmp(keys + length - tail, name, tail) == 0) {
        start = length -= tail;
    }
    while (start > 0 && keys[start - 1] != '.') {
        start--;
    }
    return lp_text_in(known, COUNT(known), keys + start, length - start);
}

/* Copies what fits, so that a message can show it. */
static void copy(char out[LP_ARCH_TEXT], const char *text, size_t length) {
    size_t kept = length < LP_ARCH_TEXT - 1 ? length : LP_ARCH_TEXT - 1;
    for (size_t i = 0; i < kept; i++) {
        out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    }
    out[kept] = '\0';
}

void lp_arch_note_text(lp_arch_notes *notes, const char *keys, size_t keys_length, const char *text,
                       size_t length) {
    if (notes->count < LP_ARCH_NOTES && length > 0 && names_architecture(keys, keys_length)) {
        lp_arch_note *note = &notes->items[notes->count++];
        copy(note->key, keys, keys_length);
        copy(note->name, text, length);
    }
}

/* The confusion matrix: counts of (label, prediction), [K, K], and what is read off it. */
#include <string.h>

#include "linprobe/stats.h"

void lp_confusion_count(const int64_t *labels, const int64_t *predicted, size_t count,
                        size_t classes, size_t *confusion) {
    memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t i = 0; i < count; i++) {
        confusion[(size_t)labels[i] * classes + (size_t)predicted[i]]++;
    }
}

void lp_confusion_group(const size_t *confusion, size_t classes, const size_t *group_of,
                        size_t groups, size_t *grouped) {
    memset(grouped, 0, groups * groups * sizeof *grouped);
    for (size_t i = 0; i < classes; i++) {
        for (size_t j = 0; j < classes; j++) {
            grouped[group_of[i] * groups + group_of[j]] += confusion[i * classes + j];
        }
    }
}

/* Insertion: rows and columns come in order, so a pair goes behind all of its count or more. */
size_t lp_confusion_pairs(const size_t *confusion, size_t classes, lp_confused *pairs,
                          size_t room) {
    size_t found = 0;
    for (size_t i = 0; i < classes; i++) {
        size_t whole = 0;
        for (size_t j = 0; j < classes; j++) {
            whole += confusion[i * classes + j];
        }
        for (size_t j = 0; j < classes; j++) {
            size_t count = confusion[i * classes + j], at = found;
            while (at > 0 && pairs[at - 1].count < count) {
                at--;
            }
            if (i == j || count == 0 || at == room) {
                continue;
            }
            found += found < room;
            memmove(pairs + at + 1, pairs + at, (found - 1 - at) * sizeof *pairs);
            pairs[at] = (lp_confused){.label = i,
                                      .predicted = j,
                                      .count = count,
                                      .share = (double)count / (double)whole,
                                      .interval = lp_wilson(count, whole)};
        }
    }
    return found;
}

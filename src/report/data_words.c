/* Data sets in the words of reports. */
#include "report/data_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/data_sets.h"

/* ---- amounts --------------------------------------------------------------------------------- */

/* "10,000"; room for any. */
static void print_count(char text[32], size_t count) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", count);
    char *to = text;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
}

/* Images of the part as the set's authors published it; 0: not known. */
static size_t published_images(const lp_data_record *data) {
    const lp_data_set *set = data->set != NULL ? lp_data_set_named(data->set) : NULL;
    if (set == NULL) {
        return 0;
    }
    return data->split == LP_SPLIT_TRAINVAL
               ? set->images[LP_SPLIT_TRAIN] + set->images[LP_SPLIT_VAL]
               : set->images[data->split];
}

bool lp_data_is_whole(const lp_data_record *data) {
    size_t published = published_images(data);
    return data->official != NULL || (published > 0 && data->images == published);
}

const char *lp_data_amount(const lp_data_record *data, size_t images, char text[LP_DATA_TITLE]) {
    char here[32], whole[32];
    size_t published = published_images(data);
    size_t part = data->part > published ? data->part : published;
    print_count(here, images);
    print_count(whole, part);
    bool some = part > images;
    (void)snprintf(text, LP_DATA_TITLE, "%s%s%s", here, some ? " of " : "", some ? whole : "");
    return text;
}

const char *lp_data_title(const lp_data_record *data, size_t images, char text[LP_DATA_TITLE]) {
    static const char *const parts[] = {"training ", "test ", "validation ",
                                        "training and validation "};
    char amount[LP_DATA_TITLE];
    (void)lp_data_amount(data, images, amount);
    (void)snprintf(text, LP_DATA_TITLE, "%.80s%s%.48s %simages",
                   data->name != NULL ? data->name : "", data->name != NULL ? ", " : "", amount,
                   data->sha256 != NULL ? parts[data->split] : "");
    return text;
}

/* ---- metrics --------------------------------------------------------------------------------- */

lp_set_metric lp_data_metric(const lp_data_record *data) {
    const lp_data_set *set = data->set != NULL ? lp_data_set_named(data->set) : NULL;
    return set != NULL ? set->metric : LP_METRIC_ACCURACY;
}

const lp_metric_words *lp_metric_words_of(lp_set_metric metric) {
    static const lp_metric_words words[] = {
        [LP_METRIC_ACCURACY] = {"top1", "Accuracy", "Top-1 accuracy"},
        [LP_METRIC_MEAN_PER_CLASS] = {"mean_per_class", "Mean accuracy per class",
                                      "Mean accuracy per class"},
        [LP_METRIC_ROC_AUC] = {"roc_auc", "ROC AUC", "Area under the ROC curve"},
        [LP_METRIC_MAP_11] = {"map_11", "mAP-11", "Mean average precision, 11 points"},
    };
    return &words[metric];
}

double lp_metric_value(lp_set_metric metric, const lp_score *score, const lp_ranking *ranking,
                       lp_interval *interval) {
    *interval = (lp_interval){NAN, NAN};
    switch (metric) {
    case LP_METRIC_ACCURACY:
        *interval = score->top1_interval;
        return score->top1;
    case LP_METRIC_MEAN_PER_CLASS:
        *interval = score->mean_per_class_interval;
        return score->mean_per_class;
    case LP_METRIC_ROC_AUC:
        return ranking->roc_auc;
    case LP_METRIC_MAP_11:
        return ranking->map_11;
    }
    return NAN;
}

/* Whether a column counts right answers. */
static bool is_of_answers(const char *key) {
    static const char *const keys[] = {"correct",   "top1", "top1_low",
                                       "top1_high", "top5", "mean_per_class"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strcmp(key, keys[i]) == 0) {
            return true;
        }
    }
    return false;
}

size_t lp_metric_columns(lp_set_metric metric, bool multilabel, const lp_column *columns,
                         size_t count, lp_column *ordered) {
    const char *first = lp_metric_words_of(LP_METRIC_ACCURACY)->key;
    const char *own = lp_metric_words_of(metric)->key;
    size_t to = 0;
    for (size_t i = 0; i < count; i++) {
        bool before =
            metric != LP_METRIC_ACCURACY && !multilabel && strcmp(columns[i].key, first) == 0;
        for (size_t j = 0; before && j < count; j++) {
            if (strcmp(columns[j].key, own) == 0) {
                ordered[to++] = columns[j];
            }
        }
        if (multilabel ? !is_of_answers(columns[i].key)
                       : metric == LP_METRIC_ACCURACY || strcmp(columns[i].key, own) != 0) {
            ordered[to++] = columns[i];
        }
    }
    return to;
}

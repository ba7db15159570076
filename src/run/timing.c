/* timing.json. */
#include "run/timing.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"

lp_status lp_timing_write(const char *folder, const lp_timing *timing, lp_error *err) {
    char path[LP_PATH_ROOM];
    json_t *object = NULL;
    lp_status status;
    LP_TRY(lp_path_print(path, err, "%s/timing.json", folder));
    lp_row row = lp_row_new();
    lp_row_count(&row, "images", timing->images);
    lp_row_real(&row, "seconds", timing->seconds);
    lp_row_count(&row, "threads", timing->threads);
    object = lp_row_end(&row);
    LP_TRY(lp_json_write(path, object, err));
done:
    json_decref(object);
    return status;
}

lp_timing lp_timing_read(const char *folder) {
    enum { MOST_THREADS = 1024 };
    char path[LP_PATH_ROOM];
    lp_error ignored;
    lp_timing timing = {0};
    json_t *object = NULL;
    if (lp_path_print(path, &ignored, "%s/timing.json", folder) == LP_OK && lp_is_file(path) &&
        lp_json_read(path, &object, &ignored) == LP_OK) {
        double images = lp_json_number(object, "images", 0);
        double threads = lp_json_number(object, "threads", 0);
        double seconds = lp_json_number(object, "seconds", 0);
        if (images >= 1 && images < 0x1p53 && seconds > 0) {
            timing.images = (size_t)images;
            timing.seconds = seconds;
            timing.threads = threads >= 1 && threads <= MOST_THREADS ? (size_t)threads : 0;
        }
    }
    json_decref(object);
    return timing;
}

/* Memory of this process, where the system tells: lines "peak_mb N" and "resident_mb N". */
#ifndef LP_BENCH_PEAK_H
#define LP_BENCH_PEAK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void print_memory(void) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0) {
            (void)printf("peak_mb %.0f\n", strtod(line + 6, NULL) / 1024);
        } else if (strncmp(line, "VmRSS:", 6) == 0) {
            (void)printf("resident_mb %.0f\n", strtod(line + 6, NULL) / 1024);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

#endif

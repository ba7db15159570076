/* cairo's SVG -> one whose bytes depend on the picture alone, and whose colours a page can change.
 */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The number of an id in the order of their first appearance. */
static size_t id_number(lp_buffer *ids, const char *id, size_t size) {
    size_t number = 0;
    for (const char *p = ids->bytes; p != NULL && *p != '\0'; number++) {
        const char *end = strchr(p, '\n');
        if ((size_t)(end - p) == size && memcmp(p, id, size) == 0) {
            return number;
        }
        p = end + 1;
    }
    lp_buffer_printf(ids, "%.*s\n", (int)size, id);
    return number;
}

/* At a colour of cairo's, "rgb(13.3%,13.3%,13.3%)": appends it as a variable of the page's style
 * sheet, and returns what follows it; NULL where there is none. */
static const char *put_color(const char *svg, lp_buffer *out) {
    unsigned part[3];
    const char *at = svg + 4;
    if (strncmp(svg, "rgb(", 4) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < 3; i++) {
        char *end;
        double percent = strtod(at, &end);
        if (end[0] != '%' || end[1] != (i < 2 ? ',' : ')') || !(percent >= 0 && percent <= 100)) {
            return NULL;
        }
        part[i] = (unsigned)lround(percent * 2.55);
        at = end + 2;
    }
    lp_buffer_printf(out, "var(--c%02x%02x%02x,%.*s)", part[0], part[1], part[2], (int)(at - svg),
                     svg);
    return at;
}

void lp_svg_adapt(const char *svg, const char *prefix, lp_buffer *out) {
    static const char *const before[] = {" id=\"", "href=\"#", "url(#"};
    lp_buffer ids = {0};
    while (*svg != '\0') {
        size_t plain = strcspn(svg, " hur");
        lp_buffer_put(out, svg, plain);
        svg += plain;
        const char *behind = prefix != NULL ? put_color(svg, out) : NULL;
        size_t i = 0;
        while (i < 3 && strncmp(svg, before[i], strlen(before[i])) != 0) {
            i++;
        }
        if (behind != NULL) {
            svg = behind;
        } else if (i < 3) {
            const char *id = svg + strlen(before[i]);
            size_t size = strcspn(id, "\")");
            lp_buffer_printf(out, "%s%s%zu", before[i], prefix != NULL ? prefix : "i",
                             id_number(&ids, id, size));
            svg = id + size;
        } else if (*svg != '\0') {
            lp_buffer_put(out, svg++, 1);
        }
    }
    out->failed = out->failed || ids.failed;
    lp_buffer_free(&ids);
}

/* Which encoder a file is.  Two bytes choose options; chunks are config.json,
 * open_clip_config.json, preprocessor_config.json and processor_config.json (empty: no such file);
 * the rest is lines "NAME SIZE SIZE ...", the
 * tensors of a safetensors file whose values are all zero (a hole, not bytes). */
#include "walk_checkpoint.h"

static void put_text(fuzz_bytes *out, const char *text) {
    fuzz_put(out, text, strlen(text));
}

/* "NAME SIZE ..." -> a member of the header.  Sizes are cut, so that all the tensors of a file are
 * below a GiB; what overflows is for the other targets. */
static void put_tensor(fuzz_bytes *header, const char *line, size_t length, uint64_t *offset) {
    char text[256], shape[128] = "";
    uint64_t count = 1;
    size_t used = 0, name = 0;
    while (name < length && line[name] != ' ' && name < 120) {
        unsigned char c = (unsigned char)line[name];
        text[name++] = c > ' ' && c < 0x7f && c != '"' && c != '\\' ? (char)c : '_';
    }
    text[name] = '\0';
    const char *next = line + name, *end = line + length;
    for (int rank = 0; rank < 6 && next < end; rank++) {
        uint64_t size = 0;
        for (next++; next < end && *next >= '0' && *next <= '9'; next++) {
            size = (size * 10 + (uint64_t)(*next - '0')) % 100000;
        }
        if (size > 0 && count > (1u << 26) / size) {
            size = 1;
        }
        count *= size;
        used += (size_t)snprintf(shape + used, sizeof shape - used, "%s%llu", rank > 0 ? "," : "",
                                 (unsigned long long)size);
    }
    char member[512];
    (void)snprintf(member, sizeof member,
                   "%s\"%s\":{\"dtype\":\"F16\",\"shape\":[%s],\"data_offsets\":[%llu,%llu]}",
                   header->size > 1 ? "," : "", text, shape, (unsigned long long)*offset,
                   (unsigned long long)(*offset + 2 * count));
    put_text(header, member);
    *offset += 2 * count;
}

static void fuzz_one(fuzz_input input) {
    unsigned choice = fuzz_byte(&input), more = fuzz_byte(&input);
    static const char *const selects[] = {NULL, "",       "student", "model.module",
                                          "a.", "visual", NULL,      NULL};
    static const size_t sizes[] = {0, 0, 0, 16, 32, 7, 1, 100000};
    lp_encoder_options options = {.activation = (lp_activation)(choice & 3),
                                  .pool = (lp_pool)(choice >> 2 & 3),
                                  .input_size = sizes[choice >> 4 & 7],
                                  .heads = choice >> 7 & 1,
                                  .select = selects[more & 7],
                                  .resize = {sizes[more >> 3 & 7], (more >> 6 & 1) != 0},
                                  .crop = more >> 7 != 0 ? 20 : 0};
    char path[512];
    fuzz_write_some(path, "config.json", fuzz_chunk(&input), 0);
    fuzz_write_some(path, "open_clip_config.json", fuzz_chunk(&input), 0);
    fuzz_write_some(path, "preprocessor_config.json", fuzz_chunk(&input), 0);
    fuzz_write_some(path, "processor_config.json", fuzz_chunk(&input), 0);

    fuzz_bytes header = {0}, file = {0};
    uint64_t offset = 0;
    const char *line = (const char *)input.data, *end = line + input.size;
    put_text(&header, "{");
    for (int i = 0; i < 400 && line < end && offset < 1u << 30; i++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop != NULL ? stop : end;
        put_tensor(&header, line, (size_t)(stop - line), &offset);
        line = stop + 1;
    }
    put_text(&header, "}");
    fuzz_put_number(&file, header.size, 8);
    fuzz_put(&file, header.data, header.size);
    (void)fuzz_write(path, "model.safetensors", (fuzz_input){file.data, file.size},
                     file.size + offset);
    free(header.data);
    free(file.data);
    fuzz_walk_checkpoint(path, &options);
}

/* The published weight files of CLIP, after the list in openai/CLIP clip/clip.py (names and
 * digests, which are also in the addresses) and the sizes their host reports. */
#include "ckpt/official.h"

#include <string.h>

#include "linprobe/checkpoint.h"

static const lp_official files[] = {
    {"RN50", "OpenAI CLIP RN50", "RN50.pt", UINT64_C(255827503),
     "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"},
    {"RN101", "OpenAI CLIP RN101", "RN101.pt", UINT64_C(291791292),
     "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599"},
    {"RN50x4", "OpenAI CLIP RN50x4", "RN50x4.pt", UINT64_C(421854225),
     "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd"},
    {"RN50x16", "OpenAI CLIP RN50x16", "RN50x16.pt", UINT64_C(661125706),
     "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa"},
    {"RN50x64", "OpenAI CLIP RN50x64", "RN50x64.pt", UINT64_C(1353500174),
     "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c"},
    {"ViT-B/32", "OpenAI CLIP ViT-B/32", "ViT-B-32.pt", UINT64_C(353976522),
     "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"},
    {"ViT-B/16", "OpenAI CLIP ViT-B/16", "ViT-B-16.pt", UINT64_C(350837078),
     "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"},
    {"ViT-L/14", "OpenAI CLIP ViT-L/14", "ViT-L-14.pt", UINT64_C(932768134),
     "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"},
    {"ViT-L/14@336px", "OpenAI CLIP ViT-L/14@336px", "ViT-L-14-336px.pt", UINT64_C(934088680),
     "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"},
};

enum { FILES = sizeof files / sizeof files[0] };

const lp_official *lp_official_files(size_t *count) {
    *count = FILES;
    return files;
}

const lp_official *lp_official_named(const char *name) {
    for (size_t i = 0; i < FILES; i++) {
        if (strcmp(files[i].name, name) == 0 || strcmp(files[i].file, name) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

const lp_official *lp_official_with_sha256(const char *sha256) {
    for (size_t i = 0; i < FILES; i++) {
        if (strcmp(files[i].sha256, sha256) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

const char *lp_checkpoint_official_name(const char *sha256) {
    const lp_official *official = lp_official_with_sha256(sha256);
    return official != NULL ? official->title : NULL;
}

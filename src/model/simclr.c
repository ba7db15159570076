/* SimCLR's and SimCLRv2's wide ResNets, with and without selective kernels:
 *
 *   stem    7x7 convolution of stride 2; with selective kernels three of 3x3; then maxima of 3x3 at
 *           every second pixel
 *   block   relu(shortcut(x) + net(x)): 1x1, 3x3 and 1x1 convolutions, relu between them
 *   shortcut  of a stage's first block: a 1x1 convolution; with selective kernels of means of 2x2
 *           pixels, with zeros behind the last ones
 *   head    mean of all pixels [B, C]                              = penultimate
 *
 * Each convolution has a batch norm.  A selective kernel gives two halves a, b of twice the
 * channels, and takes m a + (1 - m) b, channel by channel:  m, 1 - m = softmax(mixing_conv(mean of
 * a + b)).
 *
 * Two programs have them, and differ at the edges.  Google's pads the maxima as TensorFlow does,
 * and means of stride 1 leave out what is beyond the edge; its layers have numbers, in the order in
 * which they are made.  The converter to PyTorch has one pixel around the maxima, and zeros count.
 *
 * Reproduces google-research/simclr resnet.py and Separius/SimCLRv2-Pytorch resnet.py. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

/* The layers as they are made. */
typedef struct simclr {
    lp_net_builder *b;
    bool google;    /* names and edges of its program */
    bool selective; /* kernels */
    size_t convs, norms;
} simclr;

typedef struct simclr_conv {
    size_t taps, stride, add;
    bool linear; /* no activation */
} simclr_conv;

/* norm: NULL for none.  Google's names are numbers. */
static size_t conv(simclr *w, size_t x, const char *name, const char *norm,
                   const simclr_conv *kind) {
    char numbers[2][32];
    if (w->google) {
        (void)snprintf(numbers[0], sizeof numbers[0], "convs.%zu", w->convs++);
        (void)snprintf(numbers[1], sizeof numbers[1], "norms.%zu", w->norms);
        w->norms += norm != NULL ? 1 : 0;
        name = numbers[0];
        norm = norm != NULL ? numbers[1] : NULL;
    }
    return lp_net_conv(w->b, x, name,
                       &(lp_net_conv_spec){.taps = kind->taps,
                                           .stride = kind->stride,
                                           .padding = (kind->taps - 1) / 2,
                                           .batch_norm = norm,
                                           .activation = kind->linear ? LP_IDENTITY : LP_RELU,
                                           .add = kind->add});
}

static size_t build_stem(simclr *w) {
    static const simclr_conv wide = {.taps = 7, .stride = 2}, first = {.taps = 3, .stride = 2},
                             next = {.taps = 3, .stride = 1};
    size_t x;
    if (!w->google) {
        lp_net_at(w->b, "net.0.");
    }
    x = conv(w, 0, "0", "1.0", w->selective ? &first : &wide);
    if (w->selective) {
        x = conv(w, x, "2", "3.0", &next);
        x = conv(w, x, "4", "5.0", &next);
    }
    x = lp_net_pool(w->b, x,
                    &(lp_pooling){.taps = 3, .stride = 2, .padding = 1, .same = w->google});
    lp_net_stage(w->b, "stem");
    return x;
}

static size_t build_shortcut(simclr *w, size_t x, size_t stride) {
    simclr_conv kind = {.taps = 1, .stride = stride, .linear = true};
    if (w->selective) {
        lp_pooling means = {.taps = 2, .stride = stride, .behind = 1, .mean = true, .zeros = true};
        if (w->google && stride == 1) {
            means = (lp_pooling){.taps = 2, .stride = 1, .same = true, .mean = true};
        }
        x = lp_net_pool(w->b, x, &means);
        kind.stride = 1;
        return conv(w, x, "projection.shortcut.2", "projection.bn.0", &kind);
    }
    return conv(w, x, "projection.shortcut", "projection.bn.0", &kind);
}

static size_t build_kernel(simclr *w, size_t x, size_t stride) {
    const simclr_conv main = {.taps = 3, .stride = stride}, one = {.taps = 1, .stride = 1},
                      last = {.taps = 1, .stride = 1, .linear = true};
    x = conv(w, x, "net.2.main_conv.0", "net.2.main_conv.1.0", &main);
    size_t m = lp_net_mean(w->b, lp_net_halves(w->b, x, 0));
    m = conv(w, m, "net.2.mixing_conv.0", "net.2.mixing_conv.1.0", &one);
    m = conv(w, m, "net.2.mixing_conv.2", NULL, &last);
    return lp_net_halves(w->b, x, m);
}

static size_t build_block(simclr *w, size_t x, size_t stride, bool first) {
    const simclr_conv one = {.taps = 1, .stride = 1}, three = {.taps = 3, .stride = stride};
    size_t shortcut = first ? build_shortcut(w, x, stride) : x;
    const simclr_conv last = {.taps = 1, .stride = 1, .add = shortcut};
    size_t h = conv(w, x, "net.0", "net.1.0", &one);
    if (w->selective) {
        h = build_kernel(w, h, stride);
        return conv(w, h, "net.3", "net.4.0", &last);
    }
    h = conv(w, h, "net.2", "net.3.0", &three);
    return conv(w, h, "net.4", "net.5.0", &last);
}

/* Convolutions of a block, without its shortcut. */
static size_t block_convs(bool selective) {
    return selective ? 5 : 3;
}

/* Blocks of Google's stage whose first convolution, a shortcut, has the next number: each begins
 * with a 1x1 convolution of the same channels. */
static size_t count_blocks(const simclr *w) {
    size_t convs = block_convs(w->selective), first = w->convs + 1, blocks = 0;
    size_t inside = lp_net_size(w->b, 0, "convs.%zu.weight", first);
    size_t next = inside;
    while (next > 0 && next == inside) {
        blocks++;
        next = lp_net_size(w->b, 0, "convs.%zu.weight", first + blocks * convs);
    }
    return blocks;
}

static bool is_google(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_google_simclr;
}

/* Only with selective kernels is Google's stem of 3x3 convolutions. */
static bool is_selective(const lp_net_builder *b) {
    return is_google(b)
               ? lp_net_size(b, 2, "convs.1.weight") == 3
               : lp_net_some(b, ".main_conv.0.weight") || lp_net_some(b, ".mixing_conv.0.weight");
}

/* What Google's program also makes, and is not read; NULL: nothing of that. */
static const char *other_form(const simclr *w) {
    if (!w->google) {
        return NULL;
    }
    if (!w->selective && lp_net_size(w->b, 2, "convs.0.weight") == 3) {
        return "conv2d.kernel: a 3x3 convolution of stride 1, SimCLR's stem for CIFAR, which is "
               "not read";
    }
    return lp_net_size(w->b, 2, "convs.%d.weight", w->selective ? 4 : 2) == 3
               ? "a ResNet of basic blocks, of 18 or 34 layers, which is not read"
               : NULL;
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    simclr w = {.b = b, .google = is_google(b), .selective = is_selective(b)};
    const char *other = other_form(&w);
    if (other != NULL) {
        lp_plan_problem(b->plan, "%s", other);
    }
    size_t x = build_stem(&w);
    for (size_t s = 1; s <= STAGES; s++) {
        if (!w.google) {
            lp_net_at(b, "net.%zu.", s);
        }
        size_t blocks = w.google ? count_blocks(&w) : lp_net_count(b, "blocks.");
        for (size_t i = 0; i < blocks || (w.google && i == 0); i++) {
            if (!w.google) {
                lp_net_at(b, "net.%zu.blocks.%zu.", s, i);
            }
            x = build_block(&w, x, s > 1 && i == 0 ? 2 : 1, i == 0);
            lp_net_stage(b, "net.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_mean(b, x);
}

/* "SimCLRv2 R50-1x-SK" */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    bool selective = is_selective(b);
    for (size_t s = 1; s <= STAGES && !is_google(b); s++) {
        info->layers += lp_net_count(b, "net.%zu.blocks.", s);
    }
    if (is_google(b)) { /* without the stem's and four shortcuts */
        size_t convs = lp_net_count(b, "convs."), others = selective ? 7 : 5;
        info->layers = convs > others ? (convs - others) / block_convs(selective) : 0;
    }
    size_t width = b->net->maps[b->net->penultimate].channels;
    int used = snprintf(info->name, sizeof info->name, "%s R%zu", b->source->family->title,
                        3 * info->layers + 2);
    if (used > 0 && width % 2048 == 0) {
        used +=
            snprintf(info->name + used, sizeof info->name - (size_t)used, "-%zux", width / 2048);
    }
    if (used > 0 && selective) {
        (void)snprintf(info->name + used, sizeof info->name - (size_t)used, "-SK");
    }
}

static const char *const ignored[] = {"fc.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_simclr = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};

/* The optimizer's averages. */
static const char *const google_ignored[] = {"*.Momentum", "*.Adam", "*.Adam_1", NULL};

const lp_net_description lp_net_google_simclr = {
    .build = build, .ignored = google_ignored, .describe = describe, .activation = "relu"};

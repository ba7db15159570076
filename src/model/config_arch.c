/* Names of architectures in a file of weights (ckpt/arch_notes.h): they say what a config's would.
 *
 * timm's names are read as those of its configs are; DINO's, MAE's, MoCo v3's, torchvision's,
 * OpenAI's and open_clip's are listed here.  Nobody but the training program reads these texts, so
 * one that is not known does not refuse a model: it is shown.  A name whose weights look like those
 * of another computation refuses it. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/note.h"
#include "ckpt/arch_notes.h"
#include "model/config_reader.h"
#include "model/net_descriptions.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* timm: the same names and shapes of weights as an architecture that is computed, and other
 * features.  Rotary positions; norms behind attention and MLP; anti-aliased ResNets. */
static const char *const others[] = {"*_rope_*", "*_rpn_*", "*resnetblur*", "*resne[tx]*aa*"};

/* Names whose weights show all but what stands here.  Shell patterns, of the name in small letters
 * and without what simplify takes off. */
static const struct {
    const char *pattern;
    bool resnet;
    size_t heads; /* 0: as the dimensions have it */
    lp_activation activation;
} known[] = {
    {"vit_[bl]_16", false, 0, LP_ACTIVATION_AUTO}, /* torchvision models/vision_transformer.py */
    {"vit_[bl]_32", false, 0, LP_ACTIVATION_AUTO},
    {"vit_h_14", false, 16, LP_ACTIVATION_AUTO},
    {"vit-*-quickgelu", false, 0, LP_ACTIVATION_QUICK_GELU}, /* open_clip model_configs */
    {"vit-*", false, 0, LP_ACTIVATION_AUTO},                 /* the same; clip/clip.py _MODELS */
    {"rn[1-9]*", true, 0, LP_ACTIVATION_AUTO},
};

/* "timm/mae_vit_base_patch16_dec512d8b.tag" -> "vit_base_patch16": small letters, without the
 * library, MAE's mark of a pretraining model (models_mae.py) and timm's tag. */
static void simplify(const char *name, char out[LP_ARCH_TEXT]) {
    static const char *const starts[] = {"hf-hub:", "timm/", "timm_", "mae_"};
    static const char decoder[] = "_dec512d8b";
    for (size_t i = 0; i < COUNT(starts); i++) {
        size_t length = strlen(starts[i]);
        name += strncmp(name, starts[i], length) == 0 ? length : 0;
    }
    size_t length = strcspn(name, "."), tail = sizeof decoder - 1;
    for (size_t i = 0; i < length; i++) {
        out[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
    length -= length > tail && memcmp(out + length - tail, decoder, tail) == 0 ? tail : 0;
    out[length] = '\0';
}

static bool is_other(const lp_arch_note *note) {
    char name[LP_ARCH_TEXT];
    simplify(note->name, name);
    for (size_t i = 0; i < COUNT(others); i++) {
        if (fnmatch(others[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the key is of a dictionary of settings, as DINO's "args.arch". */
static bool is_setting(const char *key) {
    return strchr(key, '.') != NULL;
}

/* What a name says of an encoder like this one; false where it is not known to be its name. */
static bool take_name(const lp_config_reader *r, const lp_arch_note *note, lp_note *said) {
    lp_model_config *out = r->out;
    char name[LP_ARCH_TEXT];
    simplify(note->name, name);
    size_t patch = lp_config_timm_patch(name);
    for (size_t i = 0; i < COUNT(known); i++) {
        if (known[i].resnet == (r->sizes->patch == 0) && fnmatch(known[i].pattern, name, 0) == 0) {
            out->heads = known[i].heads;
            out->activation = known[i].activation;
            return true;
        }
    }
    /* facebookresearch/moco-v3 keeps "arch" itself, DINO all of its arguments; both have this. */
    if (strcmp(name, "vit_small") == 0 && !is_setting(note->key) && r->sizes->width == 384) {
        out->moco = true;
        lp_note_put(said, ", as of MoCo v3, whose ViT-S has 12 heads");
        return true;
    }
    bool vit = strstr(name, "vit") != NULL || strstr(name, "deit") != NULL;
    bool timm = vit && r->family->layout == &lp_net_vit; /* names of weights, and eps with them */
    if ((r->sizes->patch > 0 && !timm) || (patch > 0 && patch != r->sizes->patch) ||
        !lp_config_timm_knows(r, name)) {
        return false;
    }
    lp_config_timm_facts(r, name);
    return true;
}

lp_status lp_config_read_archs(const lp_config_reader *r) {
    const lp_arch_notes *notes = lp_checkpoint_archs(r->ckpt);
    lp_note said = {r->out->arch, sizeof r->out->arch, 0};
    for (size_t i = 0; i < notes->count; i++) {
        const lp_arch_note *note = &notes->items[i];
        if (is_other(note)) {
            return lp_fail(r->err, LP_ERR_UNSUPPORTED,
                           "%s: the file says %s \"%s\", an architecture whose weights look like "
                           "those of another and which is not supported",
                           lp_checkpoint_path(r->ckpt), note->key, note->name);
        }
        if (i > 0 && strcmp(note->name, note[-1].name) == 0) { /* timm: arch and args.model */
            continue;
        }
        lp_note_put(&said, "%s\"%s\" (%s)", i > 0 ? ", " : "", note->name, note->key);
        if (r->out->arch_known) {
            continue;
        }
        if (take_name(r, note, &said)) {
            r->out->arch_known = true;
        } else {
            lp_note_put(&said, ", no known name of such a model");
        }
    }
    return LP_OK;
}

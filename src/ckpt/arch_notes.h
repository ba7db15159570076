/* What a file of weights calls its model.  Training states hold it beside the weights: "arch" of
 * PyTorch's examples and timm, the arguments of DINO, DeiT and MAE, a Lightning module's
 * parameters. */
#ifndef LP_CKPT_ARCH_NOTES_H
#define LP_CKPT_ARCH_NOTES_H

#include <stddef.h>
#include "linprobe/checkpoint.h"

enum { LP_ARCH_TEXT = 96, LP_ARCH_NOTES = 8 };

typedef struct lp_arch_note {
    char key[LP_ARCH_TEXT];  /* where it stands: "arch", "args.model" */
    char name[LP_ARCH_TEXT]; /* as the file has it: "resnet50", cut at the room's end */
} lp_arch_note;

/* The first ones of a file, in its order. */
typedef struct lp_arch_notes {
    lp_arch_note items[LP_ARCH_NOTES];
    size_t count;
} lp_arch_notes;

/* Keeps a text of a file if the keys on the way to it, joined by dots, say that it names an
 * architecture.  Control characters become '?'. */
void lp_arch_note_text(lp_arch_notes *notes, const char *keys, size_t keys_length, const char *text,
                       size_t length);

/* Those of all files of a checkpoint.  They belong to it. */
const lp_arch_notes *lp_checkpoint_archs(const lp_checkpoint *ckpt);

#endif

/* The tables of known_models.c. */
#ifndef LP_CKPT_KNOWN_TABLES_H
#define LP_CKPT_KNOWN_TABLES_H

#include "ckpt/known_models.h"

typedef struct lp_known_table {
    const lp_known_model *models;
    size_t count;
} lp_known_table;
extern const lp_known_table lp_known_files, lp_known_torchvision, lp_known_hub;

/* A file whose name ends in the first digits of its SHA-256. */
#define NAMED_BY_DIGITS(name, digits, end) .url = name "-" digits end, .sha256 = digits

/* A file of PyTorch's, and a ResNet among them. */
#define PYTORCH(name, digits)                                                                      \
    NAMED_BY_DIGITS("https://download.pytorch.org/models/" name, digits, ".pth")
#define PYTORCH_RESNET(name, digits) PYTORCH(name, digits), .family = "resnet", .input_size = 224

#endif

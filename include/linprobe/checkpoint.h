/* linprobe/checkpoint.h: the tensors in a file of pretrained weights.
 *
 * Reads OpenAI's TorchScript archives, torch.save files, old and new (state dicts, training states,
 * whole modules), .safetensors, either of the last two in several files with an index, .npz files
 * of Flax and TensorFlow, TensorFlow's checkpoints, and pickles of NumPy's arrays, as of BYOL.
 * Kernels of Flax and TensorFlow are shown as PyTorch's weights.  All tensors of a file are listed,
 * whatever dictionaries, lists or modules lead to them: their names are the keys on the way, joined
 * by dots ("state_dict.conv1.weight").  Nothing in a file is executed, and every length, offset,
 * stride and shape is checked against the file before it is used.
 *
 *     static float proj[768 * 512];
 *     lp_error err;
 *     lp_checkpoint *ckpt;
 *     lp_status status = lp_checkpoint_open("ViT-B-32.pt", &ckpt, &err); // reads no tensor yet
 *     const lp_tensor *t = status == LP_OK ? lp_checkpoint_find(ckpt, "visual.proj") : NULL;
 *     if (t != NULL && t->count == 768 * 512) {
 *         lp_tensor_read reads[] = {{t, proj}};
 *         status = lp_checkpoint_read(ckpt, reads, 1, 0, &err);          // one pass over the file
 *     }
 *     lp_checkpoint_close(ckpt);
 *     if (status != LP_OK)
 *         fprintf(stderr, "%s\n", err.text);
 */
#ifndef LINPROBE_CHECKPOINT_H
#define LINPROBE_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LP_MAX_RANK = 8 };

typedef enum lp_dtype {
    LP_DTYPE_F16,
    LP_DTYPE_BF16,
    LP_DTYPE_F32,
    LP_DTYPE_F64,
    LP_DTYPE_I64,
    LP_DTYPE_I32,
    LP_DTYPE_I16,
    LP_DTYPE_I8,
    LP_DTYPE_U8,
    LP_DTYPE_BOOL,
    LP_DTYPE_OTHER /* listed, but not read: of another type, or quantised, sparse, ... */
} lp_dtype;

/* One entry of the index.  Belongs to the checkpoint. */
typedef struct lp_tensor {
    const char *name; /* without what wraps all: see lp_checkpoint_open */
    lp_dtype dtype;   /* as stored */
    /* As the file spells it, for messages: "F8_E4M3", "HalfStorage"; of a tensor of another kind
     * the function that made it, "_rebuild_qtensor". */
    const char *dtype_name;
    int rank;
    size_t shape[LP_MAX_RANK];
    size_t count; /* product of shape; 1 for rank 0 */
} lp_tensor;

/* Where weights came from.  The texts belong to whoever made the struct: of a copy that outlives
 * it, sha256 alone holds.  Empty (path NULL, sha256 "") where no weights were read. */
typedef struct lp_origin {
    const char *path;     /* as lp_checkpoint_path has it */
    const char *format;   /* as lp_checkpoint_format has it */
    const char *official; /* the published file that this is ("OpenAI CLIP ViT-B/32"), or NULL */
    char sha256[65];      /* of the file, 64 hexadecimal digits; see lp_checkpoint_sha256 */
} lp_origin;

typedef struct lp_checkpoint lp_checkpoint;

/* Recognises the format by its content and builds the index.  `path` is a file of weights, the
 * .index.json file of several, the .index file of a TensorFlow checkpoint, a folder that holds one
 * of these (docs/FORMATS.md has the order), or a model's folder in the Hugging Face cache
 * (models--ORG--NAME: the snapshot of its branch main).
 * Names lose what training wraps round modules ("module.", "_orig_mod.").
 * Not thread-safe on one checkpoint; different ones are independent.
 *
 * LP_ERR_IO: a file cannot be read.  LP_ERR_FORMAT: not a file of weights, truncated, damaged or
 * hostile, or a folder without weights or with several.  LP_ERR_UNSUPPORTED: a valid file that
 * holds what is not read, such as a compressed archive or an object of an unknown class.
 * LP_ERR_ARGUMENT: a model's folder of that cache without the snapshot or its weights.
 * LP_ERR_MEMORY.  Messages have the file and the place in it (byte offset or pickle opcode). */
LP_MUST_USE lp_status lp_checkpoint_open(const char *path, lp_checkpoint **ckpt, lp_error *err);
void lp_checkpoint_close(lp_checkpoint *ckpt); /* NULL is allowed */

/* "TorchScript archive", "PyTorch state dict (zip)", "PyTorch state dict (before 1.6)",
 * "NumPy arrays (.npz)", "NumPy arrays (pickle)", "TensorFlow checkpoint" or "safetensors". */
const char *lp_checkpoint_format(const lp_checkpoint *ckpt);

/* How many files hold the tensors. */
size_t lp_checkpoint_files(const lp_checkpoint *ckpt);

/* The file that was opened; in the folder, where `path` was one. */
const char *lp_checkpoint_path(const lp_checkpoint *ckpt);

/* The name of that file, where it was chosen from a folder; else NULL. */
const char *lp_checkpoint_picked(const lp_checkpoint *ckpt);

/* SHA-256 of the whole file, 64 hexadecimal digits; found at the first call.  Of weights in
 * several files: that of the text which `sha256sum INDEX FILE...` prints, files ordered by name.
 * It belongs to the checkpoint.  LP_ERR_IO: a file cannot be read.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_checkpoint_sha256(lp_checkpoint *ckpt, const char **hex, lp_error *err);

/* From now on, the SHA-256 of a file of at least 16 MiB is remembered in this folder, which is made
 * where it is needed, and not computed again while the file's device, inode, size and times of
 * change stay the same.  NULL, as at the start of a program: always computed.  For the whole
 * program; not while another thread uses a checkpoint.  The text must stay as it is. */
void lp_checkpoint_remember_digests(const char *folder);

/* The name of a published file with this SHA-256 ("OpenAI CLIP ViT-B/32"), or NULL.  Of some files
 * only the first eight digits are published; those are compared then. */
const char *lp_checkpoint_official_name(const char *sha256);

/* The tensors, ordered by name. */
size_t lp_checkpoint_count(const lp_checkpoint *ckpt);
const lp_tensor *lp_checkpoint_tensor(const lp_checkpoint *ckpt, size_t i);
const lp_tensor *lp_checkpoint_find(const lp_checkpoint *ckpt, const char *name);
size_t lp_checkpoint_place(const lp_checkpoint *ckpt, const lp_tensor *tensor); /* its i */

/* Where the values of one tensor go: float32 [count], row-major (contiguous, whatever the file's
 * strides), owned by the caller. */
typedef struct lp_tensor_read {
    const lp_tensor *tensor;
    float *values;
} lp_tensor_read;

/* Reads all of them in one pass over the file, converting F16, BF16, F64 and integers to float32,
 * on at most `threads` threads (0 = all processors; fewer for few values), each on a part of the
 * file.  They change neither the values nor the error.  LP_ERR_ARGUMENT: a tensor of another
 * checkpoint.  LP_ERR_UNSUPPORTED: a tensor of another type.  LP_ERR_DATA: one that holds NaN or
 * infinity.  LP_ERR_FORMAT, LP_ERR_IO: its bytes are damaged or cannot be read.  LP_ERR_MEMORY.
 * Messages name the tensor. */
LP_MUST_USE lp_status lp_checkpoint_read(lp_checkpoint *ckpt, const lp_tensor_read *reads,
                                         size_t count, size_t threads, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif

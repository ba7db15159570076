/* What lies at a path, as far as a look at its name and first bytes tells: enough to notice that
 * two arguments were swapped. */
#ifndef LP_CLI_CONTENT_H
#define LP_CLI_CONTENT_H

typedef enum cli_content {
    CONTENT_UNKNOWN,
    CONTENT_PROBE,    /* a file that fit or sweep wrote */
    CONTENT_FEATURES, /* a folder with features.npy, or an .npz file */
    CONTENT_WEIGHTS,  /* a checkpoint, or a folder that holds one */
    CONTENT_DATA      /* CIFAR or STL-10, as files or archive; a folder of image folders */
} cli_content;

/* CONTENT_UNKNOWN where there is nothing, or nothing that is known. */
cli_content content_of(const char *path);

/* "a probe" */
const char *content_name(cli_content content);

#endif

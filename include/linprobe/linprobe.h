/* linprobe/linprobe.h: all of the library, in the order of the data.
 *
 *   checkpoint.h   weights in a file            -> named tensors
 *   dataset.h      CIFAR, STL-10, image folders -> labelled 8-bit images
 *   image.h        8-bit images                 -> an encoder's input
 *   encoder.h      tensors and inputs           -> feature vectors
 *   choices.h      the names of what can be chosen of an encoder
 *   extract.h      a whole data set             -> a feature set on disk, over all cores
 *   features.h     a feature set on disk        -> labelled feature vectors
 *   provenance.h   what a feature set was made from
 *   probe.h        labelled feature vectors     -> a linear classifier and its accuracy
 *   sweep.h        labelled feature vectors     -> the regularisation strength C
 *   stats.h        predictions                  -> intervals, comparisons, few-shot, k-NN
 *   evaluation.h   a probe on a feature set     -> all of that, and the confusion matrix
 *   multilabel.h   several labels an image      -> a probe, average precision of each class
 *   run.h          model and data               -> features, C, probes and scores, in one call
 *   status.h       what every call returns
 *   version.h      of these headers, and of the library at run time
 */
#ifndef LINPROBE_H
#define LINPROBE_H

#include "linprobe/checkpoint.h"
#include "linprobe/choices.h"
#include "linprobe/dataset.h"
#include "linprobe/encoder.h"
#include "linprobe/evaluation.h"
#include "linprobe/extract.h"
#include "linprobe/features.h"
#include "linprobe/image.h"
#include "linprobe/multilabel.h"
#include "linprobe/probe.h"
#include "linprobe/provenance.h"
#include "linprobe/run.h"
#include "linprobe/stats.h"
#include "linprobe/status.h"
#include "linprobe/sweep.h"
#include "linprobe/version.h"

#endif

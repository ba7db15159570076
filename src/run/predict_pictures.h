/* Pictures straight to logits: no feature set between encoder and probe. */
#ifndef LP_RUN_PREDICT_PICTURES_H
#define LP_RUN_PREDICT_PICTURES_H

#include "data/pictures.h"
#include "linprobe/run.h"

/* Where the probe's record says that it was trained on this file of weights: sets what was not
 * asked for (zeros of *encoder, of *point and of *normalize) as the record has it, so that the
 * features are taken as the training features were.  Another file, or no record, leaves all as it
 * is: then lp_pictures_check has the last word.  *encoder refers to strings of the probe. Statuses:
 * those of lp_checkpoint_sha256. */
LP_MUST_USE lp_status lp_pictures_as_trained(lp_checkpoint *ckpt, const lp_probe *probe,
                                             lp_encoder_options *encoder, lp_feature_point *point,
                                             bool *normalize, lp_error *err);

/* Whether the encoder's features are those that the probe was trained on, as far as its record
 * says.  `name` is the probe's, for the message.  LP_ERR_ARGUMENT says what differs. */
LP_MUST_USE lp_status lp_pictures_check(const lp_encoder *encoder, const lp_probe *probe,
                                        const char *name, const lp_feature_options *options,
                                        lp_error *err);

/* Gets picture i, in order: its logits, float64 [K], valid during the call, or NULL and why it is
 * no picture. */
typedef lp_status (*lp_take_picture)(void *context, size_t i, const double *logits, const char *why,
                                     lp_error *err);

/* Of the options point, normalize and threads are looked at; the threads change no result.  Passes
 * on what `take` returns; LP_ERR_ARGUMENT where the widths of encoder and probe differ;
 * LP_ERR_DATA for a feature that is not finite; LP_ERR_IO for a file that cannot be read;
 * LP_CANCELLED when the watch stopped it; LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_pictures_predict(const lp_encoder *encoder, const lp_probe *probe,
                                          const lp_feature_options *options,
                                          const lp_pictures *pictures, const lp_watch *watch,
                                          lp_take_picture take, void *context, lp_error *err);

#endif

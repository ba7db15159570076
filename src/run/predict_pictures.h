/* Pictures straight to logits: no feature set between encoder and probe. */
#ifndef LP_RUN_PREDICT_PICTURES_H
#define LP_RUN_PREDICT_PICTURES_H

#include "data/pictures.h"
#include "linprobe/run.h"

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

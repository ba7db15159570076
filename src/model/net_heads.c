/* The heads of a network's attention over all rows, which weights seldom say.  The first of: the
 * weights, the caller, a config, what the description knows, heads of its usual width. */
#include "base/error.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_build.h"

/* What weights say of the heads of attention over all rows; 0: nothing. */
static size_t heads_of_weights(const lp_net *net, size_t width) {
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        size_t each = net->layers[s->layers[4]].channels;
        if (s->operation == LP_NET_ATTEND && s->layers[2] > 0) {
            return net->layers[s->layers[2]].heads;
        }
        if (s->operation == LP_NET_ATTEND && s->layers[4] > 0 && each > 0) {
            return width / each;
        }
        each = 4 * net->layers[s->layers[7]].channels; /* the file's frequencies */
        if (s->operation == LP_NET_ATTEND && each > 0) {
            return width / each;
        }
    }
    return 0;
}

/* Whether norms of heads and rotary positions of the file are for heads of this width. */
static bool fit_heads(const lp_net *net, size_t each) {
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        const size_t of_file[] = {net->layers[s->layers[4]].channels,
                                  net->layers[s->layers[5]].channels,
                                  4 * net->layers[s->layers[7]].channels};
        for (size_t k = 0; k < 3 && s->operation == LP_NET_ATTEND; k++) {
            if (of_file[k] > 0 && of_file[k] != each) {
                return false;
            }
        }
    }
    return true;
}

/* Whether attention has the network's heads. */
static bool asks_heads(const lp_net *net) {
    for (size_t i = 0; i < net->step_count; i++) {
        lp_net_operation operation = net->steps[i].operation;
        if (operation == LP_NET_UNITS || (operation == LP_NET_ATTEND && net->steps[i].heads == 0)) {
            return true;
        }
    }
    return false;
}

/* Channels of the first map that attends within windows without positions; 0: none does. */
static size_t first_width(const lp_net *net) {
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].operation == LP_NET_UNITS) {
            return net->maps[net->steps[i].to].channels;
        }
    }
    return 0;
}

lp_status lp_net_choose_heads(lp_net_builder *b, lp_model_config *config, lp_encoder_info *info,
                              lp_error *err) {
    const lp_source *source = b->source;
    lp_net *net = b->net;
    const lp_net_description *description = source->family->layout;
    lp_status status;
    size_t asked = source->options->heads, width = net->maps[net->penultimate].channels;
    size_t in_units = first_width(net);
    bool rotary = false;
    if (!asks_heads(net)) {
        return asked == 0
                   ? LP_OK
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: a %s has no heads to choose",
                             lp_checkpoint_path(source->ckpt), asked, source->family->title);
    }
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        width = s->operation == LP_NET_ATTEND ? net->maps[s->to].channels : width;
        rotary = rotary || (s->operation == LP_NET_ATTEND && s->layers[7] > 0);
    }
    width = in_units > 0 ? in_units : width;
    size_t said = heads_of_weights(net, width);
    size_t usual = description->head_width > 0 ? width / description->head_width : 0;
    for (const lp_net_heads *h = description->heads; h != NULL && h->width > 0; h++) {
        usual = h->width == width ? h->heads : usual;
    }
    bool known = said > 0 || asked > 0 || config->heads > 0;
    if (!known && description->find_heads != NULL) {
        size_t found = 0;
        LP_TRY(description->find_heads(b, config, info, &found, err));
        known = found > 0 || config->heads > 0;
        usual = found > 0 ? found : usual;
    }
    net->heads = said > 0 ? said : asked > 0 ? asked : config->heads > 0 ? config->heads : usual;
    if (said > 0 && asked > 0 && said != asked) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: its weights have %zu",
                       lp_checkpoint_path(source->ckpt), asked, said);
    }
    if (net->heads == 0 && description->head_width == 0) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "%s: width %zu, which no published %s has: nothing says the number of heads; choose it "
            "(option 'heads')",
            lp_checkpoint_path(source->ckpt), width, source->family->title);
    }
    if (net->heads == 0 || width % net->heads != 0 || (rotary && width / net->heads % 4 != 0)) {
        return lp_fail(err, known ? LP_ERR_ARGUMENT : LP_ERR_FORMAT,
                       "%s: width %zu: not divisible among %zu heads%s",
                       lp_checkpoint_path(source->ckpt), width, net->heads,
                       !known   ? " (option 'heads' chooses)"
                       : rotary ? ", four values at least of each for rotary positions"
                                : "");
    }
    if (!fit_heads(net, width / net->heads)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: width %zu, %zu heads: its norms of heads, or its rotary positions, are "
                       "for heads of another width than %zu",
                       lp_checkpoint_path(source->ckpt), width, net->heads, width / net->heads);
    }
    info->heads = net->heads;
    status = LP_OK;
done:
    return status;
}

/* Families of networks: the list of what is wrong with a file, and what weights do not tell. */
#include "base/alloc.h"
#include "family_cases.h"
#include "laps.h"
#include "linprobe/encoder.h"
#include "model/tower.h"
#include "model_file.h"

static lp_error err;

/* ---- files that are not whole ------------------------------------------------------------------
 */

/* Makes `file` of a golden model's tensors. */
static void copy_golden(const char *name) {
    lp_checkpoint *ckpt = open_golden(name);
    file.count = 0;
    file.nan_in = NULL;
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        add(t->name, (size_t)t->rank, t->shape[0], t->shape[1], t->shape[2], t->shape[3]);
    }
    lp_checkpoint_close(ckpt);
}

static void assert_in_message(const char *part) {
    if (strstr(err.text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    }
}

static void one_message_names_all_that_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const golden_case *c = &cases[i];
        lp_encoder_info info;
        char part[256], other[sizeof file.entries[0].name];
        copy_golden(file_of(c->name));
        drop(c->removed);
        find_entry(c->misshapen)->shape[find_entry(c->misshapen)->rank - 1] += 1;
        (void)snprintf(other, sizeof other, "%s_2", c->renamed);
        (void)snprintf(find_entry(c->renamed)->name, sizeof file.entries[0].name, "%s", other);
        lp_checkpoint *ckpt = open_file();
        assert_fails(lp_encoder_recognise(ckpt, &c->options, &info, &err), LP_ERR_FORMAT, &err,
                     "model.safetensors: not a whole ");
        lp_checkpoint_close(ckpt);
        (void)snprintf(part, sizeof part, "  %s: missing, expected [", c->removed);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: missing, expected [", c->renamed);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: no such tensor in this family", other);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: expected [", c->misshapen);
        assert_in_message(part);
    }
}

static void a_kernel_that_does_not_lie_in_another_is_refused(void **state) {
    (void)state;
    static const char *const small = "stages.1.downsample.proj.0.small_conv.conv.weight";
    lp_encoder_info info;
    for (size_t side = 4; side <= 9; side += 5) { /* even, and larger than 7 */
        copy_golden("timm-fastvit");
        find_entry(small)->shape[2] = find_entry(small)->shape[3] = side;
        lp_checkpoint *ckpt = open_file();
        assert_fails(lp_encoder_recognise(ckpt, NULL, &info, &err), LP_ERR_FORMAT, &err,
                     "small_conv.bn: cannot be added to a kernel of 7 x 7");
        lp_checkpoint_close(ckpt);
    }
}

static void extra_tokens_of_two_kinds_are_refused(void **state) {
    (void)state;
    lp_encoder_info info;
    copy_golden("deit-distilled");
    add("reg_token", 3, 1, 4, 24, 0);
    lp_checkpoint *ckpt = open_file();
    assert_fails(lp_encoder_recognise(ckpt, NULL, &info, &err), LP_ERR_FORMAT, &err,
                 "register tokens of two kinds, or a distillation token beside them");
    lp_checkpoint_close(ckpt);
}

/* ---- what weights do not tell -------------------------------------------------------------------
 */

/* Recognises `file`, or returns the status. */
static lp_status recognise(const lp_encoder_options *options, lp_encoder_info *info) {
    lp_checkpoint *ckpt = open_file();
    lp_status status = lp_encoder_recognise(ckpt, options, info, &err);
    lp_checkpoint_close(ckpt);
    return status;
}

static void write_beside(const char *name, const char *text) {
    const char *path = in_folder(name);
    if (text == NULL) {
        assert_int_equal(remove(path), 0);
        return;
    }
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
}

static void an_open_activation_is_asked_for(void **state) {
    (void)state;
    static const char *const open[] = {"clip-vit", "hf-clip", "timm-clip"};
    for (size_t i = 0; i < 3; i++) {
        lp_encoder_info info;
        lp_encoder_options options = {TOLD};
        copy_golden(open[i]);
        assert_fails(recognise(&options, &info), LP_ERR_UNSUPPORTED, &err,
                     "the weights do not say which activation was used");
        assert_in_message("choose one: gelu, quick_gelu or gelu_tanh (option 'activation')");
        assert_string_equal(info.activation, "unknown");
        assert_int_equal(info.penultimate, 24); /* the rest is known */
        options.activation = LP_ACTIVATION_GELU;
        assert_ok(recognise(&options, &info), &err);
        assert_string_equal(info.activation, "gelu");
        options.activation = LP_ACTIVATION_QUICK_GELU;
        assert_ok(recognise(&options, &info), &err);
        assert_string_equal(info.activation, "quick_gelu");
    }
}

typedef struct config_case {
    const char *model, *file, *text, *activation; /* NULL: asked for */
    size_t heads;
} config_case;

static void a_config_beside_the_file_answers(void **state) {
    (void)state;
    static const config_case configs[] = {
        {"clip-vit", "open_clip_config.json",
         "{\"model_cfg\":{\"quick_gelu\":true,\"vision_cfg\":{\"width\":24,\"layers\":2,"
         "\"head_width\":6}}}",
         "quick_gelu", 4},
        {"clip-vit", "open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"layers\":2,\"head_width\":12}}}", "gelu",
         2},
        {"clip-vit", "open_clip_config.json", /* another model's */
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"layers\":3,\"head_width\":12}}}", NULL, 0},
        {"hf-clip", "config.json",
         "{\"model_type\":\"clip\",\"vision_config\":{\"hidden_size\":24,\"num_hidden_layers\":2,"
         "\"patch_size\":5,\"num_attention_heads\":3,\"hidden_act\":\"gelu\"}}",
         "gelu", 3},
        {"hf-clip", "config.json", /* the default is not written */
         "{\"model_type\":\"clip_vision_model\",\"hidden_size\":24,\"num_hidden_layers\":2,"
         "\"patch_size\":5,\"num_attention_heads\":2}",
         "quick_gelu", 2},
        {"hf-clip", "config.json", /* its default is 768 wide */
         "{\"model_type\":\"clip_vision_model\",\"num_hidden_layers\":2,\"patch_size\":5}", NULL,
         0},
        {"hf-clip", "config.json", "{\"model_type\":\"llama\",\"hidden_size\":24}", NULL, 0},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch5_clip_quickgelu_15\",\"num_features\":24}",
         "quick_gelu", 2},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch5_clip_15\",\"num_features\":24}", "gelu", 2},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch6_clip_15\",\"num_features\":24}", NULL, 0},
    };
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        const config_case *c = &configs[i];
        lp_encoder_info info;
        lp_encoder_options options = {0};
        if (strcmp(c->model, "timm-clip") == 0 || c->activation == NULL) {
            options.heads = 2; /* which these do not tell */
        }
        copy_golden(c->model);
        write_beside(c->file, c->text);
        lp_status status = recognise(&options, &info);
        if (c->activation == NULL) {
            assert_int_equal(status, LP_ERR_UNSUPPORTED);
            assert_in_message("beside it is another model's");
        } else {
            assert_ok(status, &err);
            assert_string_equal(info.activation, c->activation);
            assert_int_equal(info.heads, c->heads);
            assert_string_equal(info.config, c->file);
            options.activation = LP_ACTIVATION_GELU_TANH; /* the caller knows best */
            assert_ok(recognise(&options, &info), &err);
            assert_string_equal(info.activation, "gelu_tanh");
        }
        write_beside(c->file, NULL);
    }
}

static void a_config_that_cannot_be_followed_is_an_error(void **state) {
    (void)state;
    static const struct {
        const char *file, *text, *part;
        lp_status status;
    } configs[] = {
        {"open_clip_config.json", "{", "open_clip_config.json", LP_ERR_FORMAT},
        {"open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"attentional_pool\":true}}}",
         "attentional_pool", LP_ERR_UNSUPPORTED},
        {"open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24}},\"preprocess_cfg\":{\"mean\":[0,0,0],"
         "\"std\":[1,1,1],\"interpolation\":\"box\"}}",
         "interpolation \"box\" is not supported", LP_ERR_UNSUPPORTED},
        {"config.json",
         "{\"model_type\":\"clip\",\"hidden_size\":24,\"num_hidden_layers\":2,\"patch_size\":5,"
         "\"hidden_act\":\"relu\"}",
         "hidden_act \"relu\" is not supported", LP_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        lp_encoder_info info;
        copy_golden("clip-vit");
        write_beside(configs[i].file, configs[i].text);
        assert_fails(recognise(NULL, &info), configs[i].status, &err, configs[i].part);
        write_beside(configs[i].file, NULL);
    }
}

static void preprocessing_comes_from_configs(void **state) {
    (void)state;
    lp_encoder_info info;
    lp_encoder_options options = {TOLD};
    copy_golden("timm-vit");
    assert_ok(recognise(&options, &info), &err);
    assert_non_null(strstr(info.assumed, "mean-std half")); /* says what is assumed */
    assert_true(info.preprocess.mean[0] == 0.5F);
    write_beside("config.json", "{\"architecture\":\"vit_small_patch5_15\",\"num_features\":24,"
                                "\"pretrained_cfg\":{\"input_size\":[3,15,15],\"crop_pct\":0.75,"
                                "\"interpolation\":\"bilinear\",\"crop_mode\":\"squash\","
                                "\"mean\":[0.25,0.5,0.75],\"std\":[1,2,4]}}");
    assert_ok(recognise(&options, &info), &err);
    assert_string_equal(info.assumed, "");
    assert_int_equal(info.preprocess.resize, 20);
    assert_int_equal(info.preprocess.crop, 15);
    assert_true(info.preprocess.squash);
    assert_int_equal(info.preprocess.filter, LP_FILTER_BILINEAR);
    assert_true(info.preprocess.mean[2] == 0.75F && info.preprocess.std[2] == 4.0F);
    options.input_size = 30; /* the same share of the image */
    options.mean_std = LP_MEAN_STD_IMAGENET;
    assert_ok(recognise(&options, &info), &err);
    assert_int_equal(info.preprocess.resize, 40);
    assert_int_equal(info.preprocess.crop, 30);
    assert_true(info.preprocess.mean[2] == 0.406F && info.preprocess.std[2] == 0.225F);
    write_beside("config.json", NULL);

    copy_golden("hf-siglip");
    options = (lp_encoder_options){0};
    write_beside("config.json",
                 "{\"model_type\":\"siglip_vision_model\",\"hidden_size\":24,"
                 "\"num_hidden_layers\":2,\"patch_size\":5,\"num_attention_heads\":2}");
    write_beside("preprocessor_config.json",
                 "{\"size\":{\"height\":15,\"width\":15},\"resample\":2,"
                 "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.25]}");
    assert_ok(recognise(&options, &info), &err);
    assert_true(info.preprocess.squash && info.preprocess.std[2] == 0.25F);
    assert_int_equal(info.preprocess.filter, LP_FILTER_BILINEAR);
    write_beside("preprocessor_config.json",
                 "{\"size\":{\"shortest_edge\":20},\"crop_size\":15,\"resample\":1,"
                 "\"image_mean\":[0,0,0],\"image_std\":[1,1,1]}");
    assert_ok(recognise(&options, &info), &err);
    assert_true(!info.preprocess.squash);
    assert_int_equal(info.preprocess.filter, LP_FILTER_LANCZOS);
    assert_int_equal(info.preprocess.resize, 20);
    assert_int_equal(info.preprocess.crop, 15);
    write_beside("preprocessor_config.json", NULL);
    write_beside("config.json", NULL);
}

static void what_a_family_cannot_do_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *model, *part;
        lp_encoder_options options;
    } wrong[] = {
        {"timm-siglip",
         "pool cls: this timm-siglip model has no class token",
         {TOLD, .pool = LP_POOL_CLASS}},
        {"dino",
         "pool attention: this dino model has no attention pool",
         {TOLD, .pool = LP_POOL_ATTENTION}},
        {"dino", "layers 2-3: this model has 2, counted from 1", {TOLD, .layers = {2, 3}}},
        {"dino", "layers 0-1: this model has 2, counted from 1", {TOLD, .layers = {0, 1}}},
        {"timm-siglip",
         "layers 1-2: the attention pool is for the last layer, 2, alone",
         {TOLD, .layers = {1, 2}}},
        {"timm-siglip",
         "pool cls+mean: this timm-siglip model has no class token",
         {TOLD, .pool = LP_POOL_CLASS_MEAN}},
        {"dinov2",
         "activation gelu: its MLP is SwiGLU and takes none",
         {TOLD, .activation = LP_ACTIVATION_GELU}},
        {"dino",
         "input size 4: expected a multiple of the patches' 5 pixels",
         {TOLD, .input_size = 4}},
        {"dino", "crop 15 and input size 20", {TOLD, .input_size = 20, .crop = 15}},
        {"dino", "expected at most 4096", {TOLD, .input_size = 5000}},
        {"dino", "width 24: not divisible among 5 heads", {.heads = 5}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        lp_encoder_info info;
        copy_golden(wrong[i].model);
        assert_fails(recognise(&wrong[i].options, &info), LP_ERR_ARGUMENT, &err, wrong[i].part);
    }
}

/* Makes `file` a SigLIP in timm's naming of these dimensions, of the golden one's tensors. */
static void make_siglip(size_t width, size_t layers, size_t inner, size_t patch, size_t grid) {
    static entry blocks[32];
    size_t count = 0;
    copy_golden("timm-siglip");
    for (size_t i = 0; i < file.count; i++) {
        entry *e = &file.entries[i];
        for (size_t d = 0; d < e->rank; d++) {
            size_t *size = &e->shape[d];
            *size = *size == 36       ? inner
                    : *size == 5      ? patch
                    : *size == 9      ? grid * grid
                    : *size % 24 == 0 ? *size / 24 * width
                                      : *size;
        }
        if (strncmp(e->name, "blocks.1.", 9) == 0) {
            blocks[count++] = *e;
        }
    }
    for (size_t layer = 2; layer < layers; layer++) {
        for (size_t i = 0; i < count; i++) {
            const entry *e = &blocks[i];
            char name[128];
            (void)snprintf(name, sizeof name, "blocks.%zu.%s", layer, e->name + 9);
            add(name, e->rank, e->shape[0], e->shape[1], 0, 0);
        }
    }
}

static void siglips_have_the_heads_and_activations_of_timm(void **state) {
    (void)state;
    static const struct {
        size_t width, layers, inner, patch, grid, heads;
        const char *activation, *name;
    } models[] = {
        /* timm vision_transformer.py: vit_base_patch16_siglip_224, vit_base_patch32_siglip_256,
           vit_large_patch16_siglip_512, vit_so400m_patch14_siglip_384,
           vit_so400m_patch16_siglip_256, vit_giantopt_patch16_siglip_256 */
        {768, 12, 3072, 16, 14, 12, "gelu", "SigLIP ViT-B/16"},
        {768, 12, 3072, 32, 8, 12, "gelu_tanh", "SigLIP ViT-B/32@256"},
        {1024, 24, 4096, 16, 32, 16, "gelu_tanh", "SigLIP ViT-L/16@512"},
        {1152, 27, 4304, 14, 27, 16, "gelu", "SigLIP ViT-so400m/14@378"},
        {1152, 27, 4304, 16, 16, 16, "gelu_tanh", "SigLIP ViT-so400m/16@256"},
        {1536, 40, 6144, 16, 16, 16, "gelu_tanh", "SigLIP ViT-g/16@256"},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        lp_encoder_info info;
        make_siglip(models[i].width, models[i].layers, models[i].inner, models[i].patch,
                    models[i].grid);
        assert_ok(recognise(NULL, &info), &err);
        assert_string_equal(info.name, models[i].name);
        assert_int_equal(info.heads, models[i].heads);
        assert_string_equal(info.activation, models[i].activation);
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    const lp_encoder_options options = {TOLD, .input_size = 10};
    write_beside("config.json", "{\"architecture\":\"vit_small_patch5_15\",\"num_features\":24}");
    copy_golden("dinov2-reg");
    lp_checkpoint *ckpt = open_file();
    lp_encoder *encoder = NULL;
    size_t k = 0;
    lp_status status;
    do {
        (void)lp_alloc_fail_at(++k);
        status = lp_encoder_load(ckpt, &options, &encoder, &err);
        (void)lp_alloc_fail_at(0);
        if (status != LP_OK) {
            assert_int_equal(status, LP_ERR_MEMORY);
            assert_null(encoder);
        }
    } while (status != LP_OK && k < 100);
    assert_int_equal(status, LP_OK);
    assert_true(k > 10); /* configs, and positions in two steps, too */
    lp_encoder_free(encoder);
    lp_checkpoint_close(ckpt);
    write_beside("config.json", NULL);
}

/* Golden models have width 24, two blocks and patches of 5 pixels. */
static void laps_of_gates_and_attention_pools_count_what_their_formulas_say(void **state) {
    (void)state;
    enum { D = 24, B = 2 };
    lp_encoder_info info;
    copy_golden("timm-siglip");
    laps all = run_for_laps(&(lp_encoder_options){TOLD}, B);
    assert_int_equal(recognise(&(lp_encoder_options){TOLD}, &info), LP_OK);
    size_t T = info.tokens, A = info.mlp_width; /* no class token: T patches */
    /* of two blocks, and of the pool's vector */
    assert_operations(&all, "mlp 1", 3, 2 * B * (2 * T + 1) * D * A);
    assert_operations(&all, "mlp 2", 3, 2 * B * (2 * T + 1) * D * A);
    /* keys and values of all tokens; scores and sums of one query; out */
    assert_operations(&all, "pool", 1, 2 * B * (T * D * 2 * D + 2 * T * D + D * D));
    assert_operations(&all, "class attention", 0, 0);

    copy_golden("dinov2");
    const lp_encoder_options gated = {TOLD, .input_size = 10, .pool = LP_POOL_MEAN};
    all = run_for_laps(&gated, B);
    assert_int_equal(recognise(&gated, &info), LP_OK);
    assert_operations(&all, "mlp 1", 2, 2 * 2 * B * info.tokens * D * 2 * info.mlp_width);
    assert_operations(&all, "gate", 2, 0);
    assert_operations(&all, "mlp 2", 2, 2 * 2 * B * info.tokens * D * info.mlp_width);
}

static void kinds_that_are_not_computed_have_names(void **state) {
    (void)state;
    static const struct {
        const char *tensor, *part;
    } kinds[] = {
        {"stages.0.blocks.0.0.cpe1.proj.weight", "a DaViT, which"},
        {"stages.0.0.conv_kxk.0.conv.weight", "a MobileOne, which"},
        {"stages.1.blocks.0.attn.attention_biases", "a LeViT or another network"},
        {"image_encoder.trunk.pos_embed_window", "the Hiera of SAM 2"},
        {"pos_embed_temporal", "a Hiera for videos"},
        {"patch_embed.backbone.stem.conv.weight", "a hybrid of ResNet and ViT"},
        {"embeds.cls_token", "a RADIO model as timm's NaFlex"},
        {"layer1.0.conv1.attn.fc_reduce.weight", "with selective kernels"},
        {"pre_logits.fc1.weight", "a VGG in timm's naming"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        lp_encoder_info info;
        file.count = 0;
        file.nan_in = NULL;
        add(kinds[i].tensor, 2, 4, 4, 0, 0);
        assert_int_equal(recognise(NULL, &info), LP_ERR_UNSUPPORTED);
        assert_in_message(kinds[i].part);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_names_all_that_is_wrong),
        cmocka_unit_test(kinds_that_are_not_computed_have_names),
        cmocka_unit_test(a_kernel_that_does_not_lie_in_another_is_refused),
        cmocka_unit_test(extra_tokens_of_two_kinds_are_refused),
        cmocka_unit_test(an_open_activation_is_asked_for),
        cmocka_unit_test(a_config_beside_the_file_answers),
        cmocka_unit_test(a_config_that_cannot_be_followed_is_an_error),
        cmocka_unit_test(preprocessing_comes_from_configs),
        cmocka_unit_test(what_a_family_cannot_do_is_refused),
        cmocka_unit_test(siglips_have_the_heads_and_activations_of_timm),
        cmocka_unit_test(laps_of_gates_and_attention_pools_count_what_their_formulas_say),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

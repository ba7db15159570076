/* What configs beside weights say: every key that is read, known and unknown, out of range and
 * absent.  The models are the golden ones: width 24, 2 blocks, patches of 5 pixels, 3 a side. */
#include "linprobe/encoder.h"
#include "model_file.h"

static lp_error err;

static void copy_model(const char *path) {
    char whole[512];
    (void)snprintf(whole, sizeof whole, "%s/golden/%s.safetensors", LP_TEST_DATA, path);
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(whole, &ckpt, &err), &err);
    file.count = 0;
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        add(t->name, (size_t)t->rank, t->shape[0], t->shape[1], t->shape[2], t->shape[3]);
    }
    lp_checkpoint_close(ckpt);
}

static void write_beside(const char *name, const char *text) {
    const char *path = in_folder(name);
    (void)remove(path);
    if (text != NULL) {
        FILE *out = fopen(path, "wb");
        assert_non_null(out);
        assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
        assert_int_equal(fclose(out), 0);
    }
}

/* "gelu 1e-06 cls, 2 heads, 20 > 15 bicubic, 0.5 0.5": activation, eps, pool, heads, resize (">" a
 * shorter side, "=" both) and crop, filter ("bilinear in float32"), the first of mean and std. */
static void describe(const lp_encoder_info *info, char out[160]) {
    const lp_preprocess *p = &info->preprocess;
    (void)snprintf(out, 160, "%s %g %s, %zu heads, %zu %s %zu %s%s, %g %g", info->activation,
                   (double)info->norm_eps, info->pool, info->heads, p->resize,
                   p->squash ? "=" : ">", p->crop, lp_filter_name(p->filter),
                   p->float_resize ? " in float32" : "", (double)p->mean[0], (double)p->std[0]);
}

typedef struct said {
    const char *config, *processor; /* the files' texts; NULL: no such file */
    const char *expected;           /* described; or what is refused, "no ..." */
} said;

/* Recognises `file` with the configs of each row. */
static void check(const char *config, const char *processor, const said *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const said *row = &rows[i];
        lp_encoder_options options = {0};
        lp_encoder_info info;
        char found[160];
        write_beside(config, row->config);
        write_beside(processor, row->processor);
        lp_checkpoint *ckpt = open_file();
        lp_status status = lp_encoder_recognise(ckpt, &options, &info, &err);
        lp_checkpoint_close(ckpt);
        write_beside(config, NULL);
        write_beside(processor, NULL);
        if (strncmp(row->expected, "no ", 3) == 0) {
            if (status == LP_OK || strstr(err.text, row->expected + 3) == NULL) {
                fail_msg("row %zu: expected \"%s\", found \"%s\"", i, row->expected,
                         status == LP_OK ? "no error" : err.text);
            }
            continue;
        }
        assert_ok(status, &err);
        describe(&info, found);
        if (strcmp(found, row->expected) != 0) {
            fail_msg("row %zu: expected \"%s\", found \"%s\"", i, row->expected, found);
        }
        assert_non_null(info.config);
    }
}
#define CHECK(config, processor, rows)                                                             \
    check(config, processor, rows, sizeof(rows) / sizeof(rows)[0])

/* ---- timm ------------------------------------------------------------------------------------ */

#define TIMM(name) "{\"architecture\":\"" name "\",\"num_features\":24"
#define ARGS(text) TIMM("vit_small_patch5_15") ",\"model_args\":{" text "}}"
#define CFG(text) TIMM("vit_small_patch5_15") ",\"pretrained_cfg\":{" text "}}"
#define SIZE "\"input_size\":[3,15,15]"

static void keys_of_timm(void **state) {
    (void)state;
    copy_model("families/dino");
    static const said rows[] = {
        {TIMM("test_vit") "}", NULL, "gelu 1e-06 cls, 2 heads, 17 > 15 bicubic, 0.485 0.229"},
        {ARGS("\"num_heads\":3"), NULL, "gelu 1e-06 cls, 3 heads, 17 > 15 bicubic, 0.485 0.229"},
        {ARGS("\"num_heads\":4,\"act_layer\":\"gelu_tanh\",\"global_pool\":\"avg\""), NULL,
         "gelu_tanh 1e-06 mean, 4 heads, 17 > 15 bicubic, 0.485 0.229"},
        {ARGS("\"num_heads\":2,\"img_size\":15,\"num_classes\":0,\"init_values\":null,"
              "\"drop_path_rate\":0.1"),
         NULL, "gelu 1e-06 cls, 2 heads, 17 > 15 bicubic, 0.485 0.229"},
        {ARGS("\"num_heads\":5"), NULL, "no width 24: not divisible among 5 heads"},
        {ARGS("\"num_heads\":0"), NULL, "no model_args: \"num_heads\" is not supported"},
        {ARGS("\"num_heads\":\"2\""), NULL, "no model_args: \"num_heads\" is not supported"},
        {ARGS("\"qk_norm\":true"), NULL, "no model_args: \"qk_norm\" is not supported"},
        {ARGS("\"attn_layer\":\"diff\""), NULL, "no model_args: \"attn_layer\" is not supported"},
        {ARGS("\"act_layer\":\"relu\""), NULL, "no model_args: act_layer \"relu\""},
        {ARGS("\"global_pool\":\"max\""), NULL, "no model_args: global_pool \"max\""},
        {TIMM("vit_small_patch5_15") ",\"global_pool\":\"avgmax\"}", NULL,
         "no global_pool \"avgmax\""},
        /* names of architectures */
        {TIMM("vit_small_patch5_rope_ape_15") "}", NULL,
         "no architecture \"vit_small_patch5_rope_ape_15\" is not supported"},
        {TIMM("vit_medium_patch5_rpn_15") "}", NULL,
         "no architecture \"vit_medium_patch5_rpn_15\""},
        {TIMM("vit_pe_core_small_patch5_15") "}", NULL,
         "no architecture \"vit_pe_core_small_patch5_15\""},
        {TIMM("eva02_small_patch5_15") "}", NULL, "no architecture \"eva02_small_patch5_15\""},
        {TIMM("vit_smallish_patch5_15") "}", NULL, "no architecture \"vit_smallish_patch5_15\""},
        {TIMM("resnet50") "}", NULL, "no architecture \"resnet50\""},
        /* images */
        {ARGS("\"num_heads\":2},\"pretrained_cfg\":{" SIZE), NULL,
         "gelu 1e-06 cls, 2 heads, 17 > 15 bicubic, 0.485 0.229"},
        {ARGS("\"num_heads\":2},\"pretrained_cfg\":{" SIZE
              ",\"crop_pct\":0.75,\"crop_mode\":\"squash\",\"interpolation\":\"bilinear\","
              "\"mean\":[0.5,0.5,0.5],\"std\":[0.25,0.25,0.25]"),
         NULL, "gelu 1e-06 cls, 2 heads, 20 = 15 bilinear, 0.5 0.25"},
        {TIMM("test_vit") "," SIZE ",\"crop_pct\":1.0,\"mean\":0.5,\"std\":0.5}", NULL,
         "gelu 1e-06 cls, 2 heads, 15 > 15 bicubic, 0.5 0.5"}, /* old: at the top */
        {CFG("\"input_size\":[3,15,30]"), NULL, "no input_size"},
        {CFG("\"input_size\":[3,0,0]"), NULL, "no input_size"},
        {CFG("\"input_size\":224"), NULL, "no input_size"},
        {CFG("\"input_size\":[3,5000,5000]"), NULL, "no input_size"},
        {CFG(SIZE ",\"crop_pct\":1.5"), NULL, "no crop_pct"},
        {CFG(SIZE ",\"crop_pct\":0"), NULL, "no crop_pct"},
        {CFG(SIZE ",\"crop_pct\":-1"), NULL, "no crop_pct"},
        {CFG(SIZE ",\"crop_mode\":\"border\""), NULL, "no crop_mode \"border\""},
        {CFG(SIZE ",\"interpolation\":\"box\""), NULL, "no interpolation \"box\""},
        {CFG(SIZE ",\"mean\":[0.5,0.5]"), NULL, "no mean, std"},
        {CFG(SIZE ",\"mean\":\"imagenet\""), NULL, "no mean, std"},
        {CFG(SIZE ",\"std\":[0.5,0.5,0]"), NULL, "no std above 0"},
        {CFG(SIZE ",\"std\":[0.5,0.5,-1]"), NULL, "no std above 0"},
    };
    CHECK("config.json", "preprocessor_config.json", rows);
    /* a config that has no dimension */
    lp_encoder_options options = {.heads = 2};
    lp_encoder_info info;
    write_beside("config.json", "{\"architecture\":\"test_vit\"}");
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_recognise(ckpt, &options, &info, &err), &err);
    lp_checkpoint_close(ckpt);
    write_beside("config.json", NULL);
    assert_null(info.config);
}

static void keys_of_timms_resnets(void **state) {
    (void)state;
    copy_model("encoder/resnet-basic");
    size_t width = find_entry("layer4.0.bn2.weight")->shape[0];
    char text[8][256];
    static const struct {
        const char *rest, *expected;
    } cases[] = {
        {"\"architecture\":\"resnet18\"",
         "relu 1e-05 mean, 0 heads, 256 > 224 bilinear, 0.485 0.229"},
        {"\"architecture\":\"resnet18\",\"global_pool\":\"avg\",\"model_args\":{\"output_stride\":"
         "32}",
         "relu 1e-05 mean, 0 heads, 256 > 224 bilinear, 0.485 0.229"},
        {"\"architecture\":\"resnetblur18\"", "no architecture \"resnetblur18\" is not supported"},
        {"\"architecture\":\"resnetaa50\"", "no architecture \"resnetaa50\" is not supported"},
        {"\"architecture\":\"resnet18\",\"global_pool\":\"max\"", "no global_pool \"max\""},
        {"\"architecture\":\"resnet18\",\"model_args\":{\"global_pool\":\"catavgmax\"}",
         "no global_pool \"catavgmax\""},
        {"\"architecture\":\"resnet18\",\"model_args\":{\"output_stride\":8}",
         "no model_args: \"output_stride\""},
        {"\"architecture\":\"resnet18\",\"model_args\":{\"aa_layer\":\"blur\"}",
         "no model_args: \"aa_layer\""},
    };
    said rows[8];
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(text[i], sizeof text[i], "{\"num_features\":%zu,%s}", width, cases[i].rest);
        rows[i] = (said){text[i], NULL, cases[i].expected};
    }
    CHECK("config.json", "preprocessor_config.json", rows);
}

/* ---- transformers ---------------------------------------------------------------------------- */

#define HF(type, rest)                                                                             \
    "{\"model_type\":\"" type "\",\"hidden_size\":24,\"num_hidden_layers\":2,\"patch_size\":5,"    \
    "\"num_attention_heads\":2" rest "}"
#define VIT HF("vit", "")

static void keys_of_transformers(void **state) {
    (void)state;
    copy_model("families/hf-vit");
    static const said rows[] = {
        {VIT, NULL, "gelu 1e-12 cls, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {HF("vit_mae", ""), NULL, "gelu 1e-12 cls, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {HF("vit_msn", ""), NULL, "gelu 1e-06 cls, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {HF("vit", ",\"layer_norm_eps\":1e-3,\"hidden_act\":\"gelu_new\",\"image_size\":15"), NULL,
         "gelu_tanh 0.001 cls, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {"{\"encoder\":" VIT "}", NULL, "gelu 1e-12 cls, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {HF("vit", ",\"layer_norm_eps\":0"), NULL, "no layer_norm_eps"},
        {HF("vit", ",\"layer_norm_eps\":-1e-6"), NULL, "no layer_norm_eps"},
        {HF("vit", ",\"layer_norm_eps\":1e9"), NULL, "no layer_norm_eps"},
        {HF("vit", ",\"hidden_act\":\"silu\""), NULL, "no hidden_act \"silu\" is not supported"},
        {HF("beit", ""), NULL, "no model_type \"beit\" is not supported"},
        {HF("dinov3_vit", ""), NULL, "no model_type \"dinov3_vit\" is not supported"},
        {HF("llama", ""), NULL, "no model_type \"llama\" is not supported"},
    };
    CHECK("config.json", "preprocessor_config.json", rows);
}

/* CLIP's vision tower is that of many models. */
static void towers_of_clip_under_other_types(void **state) {
    (void)state;
    copy_model("families/hf-clip");
    static const said rows[] = {
        {HF("chinese_clip", ""), NULL,
         "quick_gelu 1e-05 cls, 2 heads, 15 > 15 bicubic, 0.481455 0.26863"},
        {HF("metaclip_2_vision_model", ",\"hidden_act\":\"gelu\""), NULL,
         "gelu 1e-05 cls, 2 heads, 15 > 15 bicubic, 0.481455 0.26863"},
        {"{\"model_type\":\"altclip\",\"vision_config\":" HF("altclip_vision_model", "") "}", NULL,
         "quick_gelu 1e-05 cls, 2 heads, 15 > 15 bicubic, 0.481455 0.26863"},
    };
    CHECK("config.json", "preprocessor_config.json", rows);
}

/* With the names of SigLIP's weights there are other computations. */
static void towers_with_names_of_siglip(void **state) {
    (void)state;
    copy_model("families/hf-siglip");
    static const said rows[] = {
        {HF("idefics3_vision", ""), NULL,
         "gelu_tanh 1e-06 attention, 2 heads, 15 = 15 bicubic, 0.5 0.5"},
        {HF("paddleocr_vl_vision", ""), NULL,
         "no model_type \"paddleocr_vl_vision\" is not supported"},
    };
    CHECK("config.json", "preprocessor_config.json", rows);
}

#define P(text) "{\"image_processor_type\":" text "}"
#define OUT(rest) "gelu 1e-12 cls, 2 heads, " rest

static void keys_of_image_processors(void **state) {
    (void)state;
    copy_model("families/hf-vit");
    static const said rows[] = {
        /* defaults of each processor */
        {VIT, P("\"ViTImageProcessor\",\"size\":{\"height\":15,\"width\":15}"),
         OUT("15 = 15 bilinear, 0.5 0.5")},
        {VIT, P("\"ViTImageProcessorFast\",\"size\":15"), OUT("15 = 15 bilinear, 0.5 0.5")},
        {VIT, P("\"SiglipImageProcessor\",\"size\":15"), OUT("15 = 15 bicubic, 0.5 0.5")},
        {VIT, P("\"CLIPImageProcessor\",\"size\":20,\"crop_size\":15"),
         OUT("20 > 15 bicubic, 0.481455 0.26863")},
        {VIT,
         P("\"BitImageProcessor\",\"size\":{\"shortest_edge\":20},\"crop_size\":{\"height\":15,"
           "\"width\":15},\"resample\":2"),
         OUT("20 > 15 bilinear, 0.481455 0.26863")},
        {VIT, P("\"DeiTImageProcessor\",\"size\":20,\"crop_size\":15,\"resample\":1"),
         OUT("20 = 15 lanczos, 0.5 0.5")},
        {VIT, P("\"ConvNextImageProcessor\",\"size\":{\"shortest_edge\":15},\"crop_pct\":0.75"),
         OUT("20 > 15 bicubic, 0.5 0.5")},
        {VIT, P("\"DINOv3ViTImageProcessor\",\"size\":15"),
         OUT("15 = 15 bilinear in float32, 0.485 0.229")},
        {VIT,
         P("\"DINOv3ViTImageProcessorFast\",\"size\":20,\"resample\":3,\"crop_size\":15,"
           "\"do_center_crop\":true"),
         OUT("20 = 15 bicubic in float32, 0.485 0.229")},
        {VIT,
         P("\"DINOv3ViTImageProcessorFast\",\"size\":14,\"crop_size\":15,"
           "\"do_center_crop\":true"),
         "no crop_size \"which is larger than size\""},
        {VIT, "{\"feature_extractor_type\":\"ViTFeatureExtractor\",\"size\":15}",
         OUT("15 = 15 bilinear, 0.5 0.5")},
        {VIT, "{\"image_processor\":" P("\"SiglipImageProcessor\",\"size\":15,\"resample\":2") "}",
         OUT("15 = 15 bilinear, 0.5 0.5")},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"resample\":\"bicubic\""),
         OUT("15 = 15 bicubic, 0.5 0.5")},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"resample\":\"box\""),
         "no interpolation \"box\" is not supported"},
        {VIT, P("\"GotOcr2ImageProcessorFast\",\"size\":15,\"crop_to_patches\":true"),
         "no crop_to_patches \"true\" is not supported"},
        {VIT, P("\"GotOcr2ImageProcessorFast\",\"size\":15,\"crop_to_patches\":false"),
         OUT("15 = 15 bicubic, 0.481455 0.26863")},
        /* old files of no type */
        {VIT, "{\"size\":15,\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.25,0.25,0.25]}",
         OUT("15 = 15 bilinear, 0.5 0.25")},
        {VIT, "{\"size\":20,\"crop_size\":15,\"image_mean\":0.5,\"image_std\":0.25}",
         OUT("20 > 15 bicubic, 0.5 0.25")},
        /* steps that are switched off */
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"do_normalize\":false"),
         OUT("15 = 15 bilinear, 0 1")},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"do_rescale\":false"),
         OUT("15 = 15 bilinear, 0.00196078 0.00196078")},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"rescale_factor\":0.00784313725490196"),
         OUT("15 = 15 bilinear, 0.25 0.25")},
        {VIT,
         P("\"CLIPImageProcessor\",\"size\":{\"height\":15,\"width\":15},"
           "\"do_center_crop\":false"),
         OUT("15 = 15 bicubic, 0.481455 0.26863")},
        {VIT, P("\"CLIPImageProcessor\",\"size\":20,\"crop_size\":15,\"do_center_crop\":null"),
         OUT("20 > 15 bicubic, 0.481455 0.26863")},
        {VIT, P("\"ViTImageProcessor\",\"size\":20,\"crop_size\":15"), /* it crops if told to */
         OUT("20 = 20 bilinear, 0.5 0.5")},
        {VIT, P("\"ViTImageProcessor\",\"size\":20,\"crop_size\":15,\"do_center_crop\":true"),
         OUT("20 = 15 bilinear, 0.5 0.5")},
        {VIT,
         P("\"ViTImageProcessor\",\"size\":15,\"do_convert_rgb\":true,\"do_pad\":false,"
           "\"crop_size\":null,\"image_mean\":null"),
         OUT("15 = 15 bilinear, 0.5 0.5")},
        /* what is not done */
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"do_resize\":false"), "no do_resize \"false\""},
        {VIT, P("\"CLIPImageProcessor\",\"size\":15,\"do_center_crop\":false"),
         "no do_center_crop \"false\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"do_pad\":true"), "no do_pad \"true\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"do_flip_channel_order\":true"),
         "no do_flip_channel_order \"true\""},
        {VIT, P("\"PixtralImageProcessor\""), "no image_processor_type \"PixtralImageProcessor\""},
        {VIT, P("\"Siglip2ImageProcessor\""), "no image_processor_type \"Siglip2ImageProcessor\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"resample\":0"),
         OUT("15 = 15 nearest, 0.5 0.5")},
        {VIT, P("\"EfficientNetImageProcessor\",\"size\":15"), OUT("15 = 15 bicubic, 0.5 0.25")},
        {VIT, P("\"EfficientNetImageProcessor\",\"size\":15,\"include_top\":false"),
         OUT("15 = 15 bicubic, 0.5 0.5")},
        {VIT, P("\"EfficientNetImageProcessor\",\"size\":15,\"rescale_offset\":true"),
         "no rescale_offset \"true\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"resample\":4"), "no interpolation \"box\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"resample\":-1"),
         "no interpolation \"unknown\""},
        {VIT, P("\"ViTImageProcessor\",\"size\":0"), "no size"},
        {VIT, P("\"ViTImageProcessor\",\"size\":5000"), "no size"},
        {VIT, P("\"ViTImageProcessor\",\"size\":{\"height\":15,\"width\":20}"), "no size"},
        {VIT, P("\"CLIPImageProcessor\",\"size\":{\"longest_edge\":15}"), "no size"},
        {VIT, P("\"DeiTImageProcessor\",\"size\":20,\"crop_size\":{\"height\":15,\"width\":10}"),
         "no crop_size"},
        {VIT, P("\"CLIPImageProcessor\",\"size\":20,\"crop_size\":0"), "no crop_size"},
        {VIT, P("\"CLIPImageProcessor\",\"size\":20,\"crop_size\":{\"shortest_edge\":15}"),
         "no crop_size"},
        {VIT, P("\"ConvNextImageProcessor\",\"size\":15,\"crop_pct\":2"), "no crop_pct"},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"image_mean\":\"0.5\""), "no image_mean"},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"image_std\":[1,1,0]"), "no std above 0"},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"rescale_factor\":0"), "no mean"},
        {VIT, P("\"ViTImageProcessor\",\"size\":15,\"rescale_factor\":-0.1"), "no std above 0"},
    };
    CHECK("config.json", "preprocessor_config.json", rows);
    CHECK("config.json", "processor_config.json", rows);
}

static void the_preprocessors_own_file_comes_first(void **state) {
    (void)state;
    copy_model("families/hf-vit");
    static const said rows[] = {
        {VIT, P("\"ViTImageProcessor\",\"size\":15"), OUT("20 > 15 bicubic, 0.481455 0.26863")}};
    write_beside("preprocessor_config.json",
                 P("\"CLIPImageProcessor\",\"size\":20,\"crop_size\":15"));
    CHECK("config.json", "processor_config.json", rows);
    write_beside("preprocessor_config.json", NULL);
}

/* modeling_resnet.py */
static void strides_of_transformers_resnets(void **state) {
    (void)state;
    copy_model("encoder/resnet-basic");
    size_t width = find_entry("layer4.0.bn2.weight")->shape[0];
    static const char *const rest[] = {"", ",\"downsample_in_bottleneck\":true",
                                       ",\"downsample_in_first_stage\":true",
                                       ",\"hidden_act\":\"gelu\""};
    static const char *const expected[] = {
        "relu 1e-05 mean, 0 heads, 256 > 224 bilinear, 0.485 0.229",
        "no downsample_in_bottleneck \"true\"", "no downsample_in_first_stage \"true\"",
        "no hidden_act \"gelu\""};
    char text[4][256];
    said rows[4];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(text[i], sizeof text[i],
                       "{\"model_type\":\"resnet\",\"hidden_sizes\":[1,2,4,%zu]%s}", width,
                       rest[i]);
        rows[i] = (said){text[i], NULL, expected[i]};
    }
    CHECK("config.json", "preprocessor_config.json", rows);
}

/* ---- open_clip ------------------------------------------------------------------------------- */

#define OPEN(model, vision, preprocess)                                                            \
    "{\"model_cfg\":{" model "\"vision_cfg\":{\"width\":24,\"layers\":2,\"head_width\":12" vision  \
    "}},\"preprocess_cfg\":{" preprocess "}}"
#define CLIP(rest) " 1e-05 cls, 2 heads, " rest

static void keys_of_open_clip(void **state) {
    (void)state;
    copy_model("families/clip-vit");
    static const said rows[] = {
        {OPEN("", ",\"image_size\":15", ""), NULL,
         "gelu" CLIP("15 > 15 bicubic, 0.481455 0.26863")},
        {OPEN("\"quick_gelu\":true,", "",
              "\"size\":15,\"mean\":0.5,\"std\":[0.5,0.5,0.25],"
              "\"interpolation\":\"bilinear\",\"resize_mode\":\"squash\""),
         NULL, "quick_gelu" CLIP("15 = 15 bilinear, 0.5 0.5")},
        {OPEN("", ",\"act_kwargs\":{\"approximate\":\"tanh\"},\"norm_kwargs\":{\"eps\":1e-3}", ""),
         NULL, "gelu_tanh 0.001 cls, 2 heads, 15 > 15 bicubic, 0.481455 0.26863"},
        {OPEN("", ",\"pool_type\":\"avg\",\"patch_dropout\":0.5,\"attentional_pool\":false", ""),
         NULL, "gelu 1e-05 mean, 2 heads, 15 > 15 bicubic, 0.481455 0.26863"},
        {OPEN("", ",\"norm_kwargs\":{\"eps\":0}", ""), NULL, "no norm_kwargs.eps"},
        {OPEN("", ",\"pool_type\":\"argmax\"", ""), NULL, "no vision_cfg.pool_type \"argmax\""},
        {OPEN("", ",\"attentional_pool\":true", ""), NULL, "no vision_cfg \"attentional_pool\""},
        {OPEN("", ",\"block_type\":\"custom\"", ""), NULL, "no vision_cfg \"block_type\""},
        {OPEN("", ",\"input_patchnorm\":true", ""), NULL, "no vision_cfg \"input_patchnorm\""},
        {OPEN("", "", "\"resize_mode\":\"longest\""), NULL, "no resize_mode \"longest\""},
        {OPEN("", "", "\"interpolation\":\"random\""), NULL, "no interpolation \"random\""},
        {OPEN("", "", "\"mean\":[0.5]"), NULL, "no preprocess_cfg: mean, std"},
        {OPEN("", "", "\"std\":0"), NULL, "no std above 0"},
    };
    CHECK("open_clip_config.json", "preprocessor_config.json", rows);
}

/* ---- what the file of weights itself names --------------------------------------------------- */

/* A model of patches of `patch` pixels in timm's naming, MoCo v3's width or another. */
static void make_timm(size_t width, size_t patch) {
    file.count = 0;
    add("cls_token", 3, 1, 1, width, 0);
    add("pos_embed", 3, 1, 5, width, 0);
    add("patch_embed.proj.weight", 4, width, 3, patch, patch);
    add("patch_embed.proj.bias", 1, width, 0, 0, 0);
    add("norm.weight", 1, width, 0, 0, 0);
    add("norm.bias", 1, width, 0, 0, 0);
    static const struct {
        const char *name;
        size_t out, in; /* times the width; in 0: a vector */
    } block[] = {{"norm1.weight", 1, 0},  {"norm1.bias", 1, 0},       {"attn.qkv.weight", 3, 1},
                 {"attn.qkv.bias", 3, 0}, {"attn.proj.weight", 1, 1}, {"attn.proj.bias", 1, 0},
                 {"norm2.weight", 1, 0},  {"norm2.bias", 1, 0},       {"mlp.fc1.weight", 4, 1},
                 {"mlp.fc1.bias", 4, 0},  {"mlp.fc2.weight", 1, 4},   {"mlp.fc2.bias", 1, 0}};
    for (size_t i = 0; i < sizeof block / sizeof block[0]; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "blocks.0.%s", block[i].name);
        add(name, block[i].in > 0 ? 2 : 1, block[i].out * width, block[i].in * width, 0, 0);
    }
}

typedef struct named {
    const char *metadata;
    size_t heads;
    const char *said;    /* of the name; or what is refused, "no ..." */
    const char *assumed; /* begins with it */
} named;

static void check_names(const named *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const named *row = &rows[i];
        lp_encoder_options options = {0};
        lp_encoder_info info;
        file.metadata = row->metadata;
        lp_checkpoint *ckpt = open_file();
        lp_status status = lp_encoder_recognise(ckpt, &options, &info, &err);
        lp_checkpoint_close(ckpt);
        file.metadata = NULL;
        if (strncmp(row->said, "no ", 3) == 0) {
            assert_fails(status, LP_ERR_UNSUPPORTED, &err, row->said + 3);
            continue;
        }
        assert_ok(status, &err);
        assert_string_equal(info.architecture, row->said);
        assert_int_equal(info.heads, row->heads);
        if (strncmp(info.assumed, row->assumed, strlen(row->assumed)) != 0) {
            fail_msg("row %zu: expected \"%s...\", found \"%s\"", i, row->assumed, info.assumed);
        }
    }
}
#define CHECK_NAMES(rows) check_names(rows, sizeof(rows) / sizeof(rows)[0])

static void names_of_architectures_in_the_file(void **state) {
    (void)state;
    make_timm(384, 4);
    static const named small[] = {
        {"{\"format\":\"pt\"}", 6, "", "heads 6, mean-std"},
        {"{\"arch\":\"vit_small_patch4_8\"}", 6, "\"vit_small_patch4_8\" (arch)", "mean-std"},
        /* MoCo v3 keeps "arch"; DINO, whose ViT-S is another, "args" */
        {"{\"arch\":\"vit_small\"}", 12,
         "\"vit_small\" (arch), as of MoCo v3, whose ViT-S has 12 heads", "mean-std"},
        {"{\"args.arch\":\"vit_small\"}", 6, "\"vit_small\" (args.arch)", "mean-std"},
        {"{\"args.model\":\"mae_vit_small_patch4_dec512d8b\"}", 6,
         "\"mae_vit_small_patch4_dec512d8b\" (args.model)", "mean-std"},
        {"{\"model_name\":\"timm/ViT_small_patch4_8.augreg_in1k\"}", 6,
         "\"timm/ViT_small_patch4_8.augreg_in1k\" (model_name)", "mean-std"},
        {"{\"cfg.backbone.name\":\"test_vit\"}", 2, "\"test_vit\" (cfg.backbone.name)", "mean-std"},
        /* of other patches, of no encoder, and a known one behind an unknown one */
        {"{\"arch\":\"vit_small_patch16_224\"}", 6,
         "\"vit_small_patch16_224\" (arch), no known name of such a model", "heads 6, mean-std"},
        {"{\"arch\":\"resnet50\"}", 6, "\"resnet50\" (arch), no known name of such a model",
         "heads 6, mean-std"},
        {"{\"arch\":\"mine\\t[1m\",\"args.model\":\"test_vit\",\"x.arch\":\"y\"}", 2,
         "\"mine?[1m\" (arch), no known name of such a model, \"test_vit\" (args.model), \"y\" "
         "(x.arch)",
         "mean-std"},
        {"{\"arch\":\"vit_b_16\",\"args.model\":\"vit_b_16\"}", 6, "\"vit_b_16\" (arch)",
         "heads 6"},
        {"{\"name\":\"vit_small\",\"archive\":\"x\",\"my_arch\":\"z\"}", 6, "", "heads 6"},
        {"{\"arch\":\"vit_small_patch4_rope_ape_8\"}", 0, "no arch \"vit_small_patch4_rope_ape_8\"",
         ""},
        {"{\"args.model\":\"vit_small_patch4_rpn_8\"}", 0,
         "no args.model \"vit_small_patch4_rpn_8\"", ""}};
    CHECK_NAMES(small);
    /* a config beside the file comes first, and has said all */
    write_beside("config.json", "{\"architecture\":\"vit_small_patch4_8\",\"num_features\":384,"
                                "\"model_args\":{\"num_heads\":3}}");
    static const named config[] = {{"{\"arch\":\"vit_small\"}", 3, "", "mean-std"}};
    CHECK_NAMES(config);
    write_beside("config.json", NULL);
}

/* A config of other dimensions is another model's, unless nobody knows its architecture. */
static void unknown_architectures_of_other_dimensions_are_refused(void **state) {
    (void)state;
    make_timm(384, 4);
    static const said rows[] = {{"{\"architecture\":\"qwen3_vit_88m_merge\",\"num_features\":1536}",
                                 NULL, "no architecture \"qwen3_vit_88m_merge\""}};
    CHECK("config.json", "preprocessor_config.json", rows);
    write_beside("config.json", "{\"architecture\":\"resnet50\",\"num_features\":2048}");
    static const named stranger[] = {{NULL, 6, "", "config.json beside it is another model's"}};
    CHECK_NAMES(stranger);
    write_beside("config.json", NULL);
    /* no norm and no class token */
    drop("norm.weight");
    drop("norm.bias");
    drop("cls_token");
    find_entry("pos_embed")->shape[1] = 4;
    static const named bare[] = {{NULL, 0, "no timm's qwen3_vit_* alone, which have rotary", ""}};
    CHECK_NAMES(bare);
}

static void names_of_resnets_in_the_file(void **state) {
    (void)state;
    copy_model("encoder/resnet-basic");
    static const named rows[] = {
        {"{\"arch\":\"resnet18\"}", 0, "\"resnet18\" (arch)", "mean-std imagenet"},
        {"{\"arch\":\"resnet_mine\"}", 0, "\"resnet_mine\" (arch), no known name of such a model",
         "mean-std imagenet"},
        {"{\"arch\":\"resnetblur18\"}", 0, "no arch \"resnetblur18\"", ""},
        {"{\"arch\":\"seresnextaa101d_32x8d\"}", 0, "no arch \"seresnextaa101d_32x8d\"", ""}};
    CHECK_NAMES(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_timm),
        cmocka_unit_test(keys_of_timms_resnets),
        cmocka_unit_test(keys_of_transformers),
        cmocka_unit_test(towers_of_clip_under_other_types),
        cmocka_unit_test(towers_with_names_of_siglip),
        cmocka_unit_test(keys_of_image_processors),
        cmocka_unit_test(the_preprocessors_own_file_comes_first),
        cmocka_unit_test(strides_of_transformers_resnets),
        cmocka_unit_test(keys_of_open_clip),
        cmocka_unit_test(names_of_architectures_in_the_file),
        cmocka_unit_test(unknown_architectures_of_other_dimensions_are_refused),
        cmocka_unit_test(names_of_resnets_in_the_file),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* Which of a file's tensors are the encoder: where it lies, which of several is taken, what may
 * stand beside it, and that odd files cost no more than their size. */
#include "base/alloc.h"
#include "linprobe/encoder.h"
#include "model_file.h"

static lp_error err;

enum { WIDTH = 24, PATCH = 4, POSITIONS = 5 };

static void add_at(const char *prefix, const char *name, size_t rank, size_t a, size_t b, size_t c,
                   size_t d) {
    char whole[sizeof file.entries[0].name];
    assert_true(strlen(prefix) + strlen(name) < sizeof whole);
    (void)snprintf(whole, sizeof whole, "%s%s", prefix, name);
    add(whole, rank, a, b, c, d);
}

/* Weight [out, in] and bias; in 0: a norm. */
static void add_layer(const char *prefix, const char *name, size_t out, size_t in) {
    char whole[96];
    (void)snprintf(whole, sizeof whole, "%s.weight", name);
    add_at(prefix, whole, in > 0 ? 2 : 1, out, in, 0, 0);
    (void)snprintf(whole, sizeof whole, "%s.bias", name);
    add_at(prefix, whole, 1, out, 0, 0, 0);
}

/* The tensors of block `name` ("blocks.0") of a ViT in timm's naming. */
static void add_block(const char *prefix, const char *name) {
    static const struct {
        const char *name;
        size_t out, in;
    } layers[] = {{"norm1", 1, 0}, {"attn.qkv", 3, 1}, {"attn.proj", 1, 1},
                  {"norm2", 1, 0}, {"mlp.fc1", 2, 1},  {"mlp.fc2", 1, 2}};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        char whole[96];
        (void)snprintf(whole, sizeof whole, "%s.%s", name, layers[i].name);
        add_layer(prefix, whole, layers[i].out * WIDTH, layers[i].in * WIDTH);
    }
}

/* A ViT of one block. */
static void add_vit(const char *prefix) {
    add_at(prefix, "patch_embed.proj.weight", 4, WIDTH, 3, PATCH, PATCH);
    add_at(prefix, "patch_embed.proj.bias", 1, WIDTH, 0, 0, 0);
    add_at(prefix, "cls_token", 3, 1, 1, WIDTH, 0);
    add_at(prefix, "pos_embed", 3, 1, POSITIONS, WIDTH, 0);
    add_block(prefix, "blocks.0");
    add_layer(prefix, "norm", WIDTH, 0);
}

static void start(void) {
    file.count = 0;
    file.nan_in = NULL;
}

static lp_status recognise(const char *select, lp_encoder_info *info) {
    const lp_encoder_options options = {.heads = 2, .select = select};
    lp_checkpoint *ckpt = open_file();
    lp_status status = lp_encoder_recognise(ckpt, &options, info, &err);
    lp_checkpoint_close(ckpt);
    return status;
}

static void assert_taken(const char *select, const char *prefix) {
    lp_encoder_info info;
    assert_ok(recognise(select, &info), &err);
    assert_string_equal(info.prefix, prefix);
    if (select != NULL) { /* features of the one must not be taken for those of another */
        assert_true(info.one_of_several);
    }
}

static void assert_refused(const char *select, lp_status status, const char *part) {
    lp_encoder_info info;
    assert_fails(recognise(select, &info), status, &err, part);
}

static void assert_in(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, text);
    }
}

/* ---- one of several -------------------------------------------------------------------------- */

static void the_order_holds_for_every_pair(void **state) {
    (void)state;
    enum { NAMES = 10 };
    /* each row is better than the rows after it; the names of a row are equally good */
    static const char *const rows[][NAMES] = {
        {"teacher_ema.", "ema.target_encoder."},
        {"model_ema.", "state_dict_ema.", "swa_model.", "averaged.model.", "Model_EMA.",
         "avg_model.", "model-ema.", "modelEMA.", "polyak.", "shadow."},
        {"ema.student."},
        {"ema.momentum_encoder."},
        {"teacher.backbone.", "target_encoder.", "target.", "momentum_teacher."},
        {"state_dict.", "encoder.", "base_encoder.", "encoder_q.", "schema."},
        {"student.backbone.", "online_encoder."},
        {"momentum_encoder.", "encoder_k.", "key_encoder.", "backbone_momentum.", "encoder_key."},
        {"exp_avg.", "grads.", "mask.", "init_state.", "optimizer.ema."},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    char others[128];
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = i + 1; j < ROWS; j++) {
            for (size_t a = 0; a < NAMES && rows[i][a] != NULL; a++) {
                const char *worse = rows[j][0], *better = rows[i][a];
                lp_encoder_info info;
                start();
                add_vit(worse);
                add_vit(better);
                assert_ok(recognise(NULL, &info), &err);
                assert_string_equal(info.prefix, better);
                (void)snprintf(others, sizeof others, "; the others: '%s'", worse);
                assert_in(info.selection, others);
            }
        }
        for (size_t a = 1; a < NAMES && rows[i][a] != NULL; a++) { /* every name, from below */
            lp_encoder_info info;
            start();
            add_vit(rows[i][a]);
            add_vit(i > 0 ? rows[i - 1][0] : "x.");
            assert_ok(recognise(NULL, &info), &err);
            assert_string_equal(info.prefix, i > 0 ? rows[i - 1][0] : rows[i][a]);
        }
    }
}

static void of_equals_the_shortest_then_the_first_is_taken(void **state) {
    (void)state;
    start();
    add_vit("b.");
    add_vit("aa.");
    assert_taken(NULL, "b.");
    start();
    add_vit("b.");
    add_vit("a.");
    assert_taken(NULL, "a.");
}

static void the_caller_may_choose(void **state) {
    (void)state;
    start();
    add_vit("state.teacher.backbone.");
    add_vit("state.student.backbone.");
    add_vit("backbone.");
    assert_taken(NULL, "state.teacher.backbone.");
    assert_taken("state.student.backbone.", "state.student.backbone."); /* a whole prefix */
    assert_taken("state.student.backbone", "state.student.backbone.");
    assert_taken("state", "state.teacher.backbone.");   /* what lies in it, by the order */
    assert_taken("student", "state.student.backbone."); /* a key inside */
    assert_taken("module.student", "state.student.backbone.");
    assert_taken("student.backbone", "state.student.backbone."); /* the end */
    assert_taken("backbone", "backbone."); /* exactly that before others that end so */
    assert_refused("stud", LP_ERR_ARGUMENT,
                   "select 'stud': no encoder lies there; expected 'backbone.', "
                   "'state.student.backbone.', 'state.teacher.backbone.'");
    assert_refused("blocks", LP_ERR_ARGUMENT, "no encoder lies there");
    assert_refused("", LP_ERR_ARGUMENT, "no encoder lies there");
}

static void the_top_of_a_file_may_be_chosen(void **state) {
    (void)state;
    lp_encoder_info info;
    start();
    add_vit("");
    add_vit("ema.");
    assert_ok(recognise(NULL, &info), &err);
    assert_string_equal(info.prefix, "ema.");
    assert_in(info.selection, "the top of the file (select '')");
    assert_taken("", "");
}

static void what_training_wraps_round_names_is_no_part_of_them(void **state) {
    (void)state;
    start();
    add_vit("model.module._orig_mod._fsdp_wrapped_module.");
    assert_taken(NULL, "model.");
    add_vit("other.");
    assert_taken("model.module", "model.");
    start(); /* two models that only a wrap tells apart keep it */
    add_vit("module.");
    add_vit("");
    assert_taken(NULL, "");
    assert_taken("module", "module.");
}

static void a_wrong_choice_of_a_file_without_encoders_shows_the_file(void **state) {
    (void)state;
    start();
    add("fc.weight", 2, 3, 4, 0, 0);
    assert_refused("fc", LP_ERR_UNSUPPORTED, "no supported image encoder among its 1 tensors");
}

/* ---- what stands beside it ------------------------------------------------------------------- */

static void groups_that_are_passed_over_are_listed(void **state) {
    (void)state;
    lp_encoder_info info;
    start();
    add_vit("state_dict.backbone.");
    add("state_dict.projector.0.weight", 2, 8, WIDTH, 0, 0);
    add("state_dict.projector.2.weight", 2, 8, 8, 0, 0);
    add("state_dict.backbone.fc.weight", 2, 8, WIDTH, 0, 0);
    add("state_dict.queue", 2, 8, 64, 0, 0);
    add("optimizer.state.0.exp_avg", 4, WIDTH, 3, PATCH, PATCH);
    add("optimizer.state.1.exp_avg", 1, WIDTH, 0, 0, 0);
    assert_ok(recognise(NULL, &info), &err);
    assert_string_equal(info.prefix, "state_dict.backbone.");
    assert_string_equal(info.selection,
                        "passed over: optimizer (2 tensors), state_dict.backbone.fc (1 tensor), "
                        "state_dict.projector (2 tensors), state_dict.queue (1 tensor)");
}

static void heads_beside_the_encoder_pass(void **state) {
    (void)state;
    static const char *const names[] = {"fc.weight",
                                        "linear.weight",
                                        "projection_head.0.weight",
                                        "predictor.3.weight",
                                        "prototypes.weight",
                                        "prototypes",
                                        "queue",
                                        "dino_loss.center",
                                        "decoder.layers.0.conv.weight",
                                        "classifier.1.weight",
                                        "mlp.0.weight",
                                        "momentum_encoder.conv.weight",
                                        "online_evaluator.w",
                                        "encoder_k.conv.w",
                                        "model_ema.conv.weight"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        lp_encoder_info info;
        bool convolution = strstr(names[i], "conv") != NULL;
        start();
        add_vit("");
        add(names[i], convolution ? 4 : 2, 8, WIDTH, 3, 3);
        assert_ok(recognise(NULL, &info), &err);
        assert_in(info.selection, "passed over: ");
    }
}

/* What no table knows may change what a model computes. */
static void unknown_parts_of_the_encoder_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"blocks.0.attn.q_norm.weight",
                                        "blocks.0.extra.weight",
                                        "rope.freqs",
                                        "conv2.weight",
                                        "scale",
                                        "pos_embed_win",
                                        "norm_extra.weight",
                                        "patch_embed.norm.bias",
                                        "adapter.weight",
                                        "prompt_tokens",
                                        "temporal",
                                        "stem.0.weight",
                                        "blocks.0.lora.weight"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char part[160];
        start();
        add_vit("model.");
        add_at("model.", names[i], 1, WIDTH, 0, 0, 0);
        (void)snprintf(part, sizeof part, "model.%s: no such tensor in this family", names[i]);
        assert_refused(NULL, LP_ERR_FORMAT, part);
        assert_in(err.text, "not a whole dino model at 'model.', 1 tensors are wrong:");
    }
    start(); /* a module of any name, if there is a convolution in it */
    add_vit("");
    add("mixer.0.weight", 4, 8, 3, 3, 3);
    assert_refused(NULL, LP_ERR_FORMAT, "mixer.0.weight: no such tensor in this family");
}

static void a_model_inside_a_model_is_no_part_of_it(void **state) {
    (void)state;
    lp_encoder_info info;
    start();
    add_vit("net.");
    add_vit("net.momentum_encoder.");
    assert_ok(recognise(NULL, &info), &err);
    assert_string_equal(info.prefix, "net.");
    assert_in(info.selection, "the others: 'net.momentum_encoder.'");
    assert_taken("momentum_encoder", "net.momentum_encoder.");
    start();
    add_vit("net.");
    add_vit("net.target_encoder.");
    assert_taken(NULL, "net.target_encoder.");
    assert_taken("net", "net.");
}

/* ---- none ------------------------------------------------------------------------------------ */

static void the_nearest_place_is_shown_where_none_is_whole(void **state) {
    (void)state;
    start();
    add_vit("a.");
    drop("a.norm.bias");
    add("b.patch_embed.proj.weight", 4, WIDTH, 3, PATCH, PATCH);
    assert_refused(NULL, LP_ERR_FORMAT,
                   "not a whole dino model at 'a.', 1 tensors are wrong:\n"
                   "  a.norm.bias: missing, expected [24]");
    assert_refused("b", LP_ERR_FORMAT, "not a whole dino model at 'b.'");
}

static void a_partial_encoder_does_not_hide_a_whole_one(void **state) {
    (void)state;
    start();
    add_vit("teacher.");
    drop("teacher.cls_token");
    add_vit("student.");
    assert_taken(NULL, "student.");
}

static void names_and_shapes_of_an_unknown_file_are_shown(void **state) {
    (void)state;
    start();
    for (size_t i = 0; i < 40; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "stages.%zu.depthwise.weight", i);
        add(name, 4, 8, 1, 3, 3);
    }
    add("head.weight", 2, 10, 8, 0, 0);
    assert_refused(NULL, LP_ERR_UNSUPPORTED,
                   "found:\n  head.weight [10, 8]\n  stages.#.depthwise.weight [8, 1, 3, 3]");
    assert_null(strstr(err.text, "stages.1"));
    start();
    add("layers.0.q_proj.lora_A.weight", 2, 8, 8, 0, 0);
    assert_refused(NULL, LP_ERR_UNSUPPORTED, "LoRA adapters");
    start();
    add_vit("");
    add("attn_pool.latent", 3, 1, 1, WIDTH, 0);
    assert_refused(NULL, LP_ERR_UNSUPPORTED, "as of the Perception Encoder (PE-Core)");
    start();
    add_vit("teacher.backbone."); /* what is said is of the place, not of a head beside it */
    add("teacher.backbone.blocks.0.attn.qkv.weight_orig", 2, 3 * WIDTH, WIDTH, 0, 0);
    add("teacher.head.last_layer.weight_g", 2, 8, 1, 0, 0);
    assert_refused(NULL, LP_ERR_FORMAT, "(pruned weights or a spectral norm, ");
    start();
    add_vit("teacher.backbone.");
    add("teacher.backbone.odd", 1, WIDTH, 0, 0, 0);
    add("teacher.head.last_layer.weight_g", 2, 8, 1, 0, 0);
    assert_refused(NULL, LP_ERR_FORMAT, "'teacher.backbone.', 1 tensors are wrong");
    start();
    add("model._flat_param", 1, 100, 0, 0, 0);
    assert_refused(NULL, LP_ERR_UNSUPPORTED, "the flat shards that FSDP saves of one rank");
}

/* ---- new names ------------------------------------------------------------------------------- */

static void chunks_of_blocks_are_joined(void **state) {
    (void)state;
    lp_encoder_info info;
    start();
    add_vit("");
    for (size_t i = 0; i < file.count; i++) {
        if (strncmp(file.entries[i].name, "blocks.0.", 9) == 0) {
            char rest[64];
            (void)snprintf(rest, sizeof rest, "%s", file.entries[i].name + 9);
            (void)snprintf(file.entries[i].name, sizeof file.entries[i].name, "blocks.0.0.%s",
                           rest);
        }
    }
    add_block("", "blocks.0.1");
    add_block("", "blocks.1.2");
    assert_ok(recognise(NULL, &info), &err);
    assert_int_equal(info.layers, 3);
    add_block("", "blocks.1.1"); /* two of one number */
    assert_refused(NULL, LP_ERR_FORMAT, "not a whole");
    start();
    add_vit("");
    add_block("", "blocks.0.1"); /* beside blocks without chunks */
    add_block("", "blocks.1");
    assert_refused(NULL, LP_ERR_FORMAT, "not a whole");
}

/* In the chunk that the block's other tensors lie in; a block of which nothing is there has none.
 */
static void missing_tensors_have_the_names_of_the_file(void **state) {
    (void)state;
    start();
    add_vit("net.");
    for (size_t i = file.count; i-- > 0;) {
        if (strncmp(file.entries[i].name, "net.blocks.0.", 13) == 0) {
            drop(file.entries[i].name);
        }
    }
    add_block("net.", "blocks.0.0");
    add_block("net.", "blocks.1.1");
    add_block("net.", "blocks.1.3");
    drop("net.blocks.1.1.attn.qkv.bias");
    drop("net.norm.weight");
    assert_refused(NULL, LP_ERR_FORMAT, "at 'net.', 14 tensors are wrong:");
    assert_in(err.text, "\n  net.norm.weight: missing, expected [24]");
    assert_in(err.text, "\n  net.blocks.1.1.attn.qkv.bias: missing, expected [72]");
    assert_in(err.text, "\n  net.blocks.2.norm1.weight: missing, expected [24]");
}

static void numbers_of_any_length_are_names(void **state) {
    (void)state;
    static const char *const names[] = {"blocks.0.99999999999999999999999999.norm1.weight",
                                        "blocks.00.1.norm1.weight", "blocks.0.", "blocks.0.1",
                                        "blocks..1.x"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        start();
        add_vit("");
        add(names[i], 1, WIDTH, 0, 0, 0);
        assert_refused(NULL, LP_ERR_FORMAT, "not a whole");
    }
}

/* ---- odd files ------------------------------------------------------------------------------- */

static void long_names_are_followed(void **state) {
    (void)state;
    char prefix[192];
    size_t used = 0;
    lp_encoder_info info;
    while (used < 160) {
        used += (size_t)snprintf(prefix + used, sizeof prefix - used, "part%zu.", used);
    }
    start();
    add_vit(prefix);
    add("fc.weight", 2, 10, WIDTH, 0, 0);
    assert_ok(recognise(NULL, &info), &err);
    assert_int_equal(strncmp(info.prefix, prefix, sizeof info.prefix - 1), 0);
    assert_in(info.selection, "fc (1 tensor)");
    assert_ok(recognise(prefix, &info), &err);
    char too_long[600];
    memset(too_long, 'x', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    assert_refused(too_long, LP_ERR_ARGUMENT, "no encoder lies there");
}

/* 200 places: the caller is asked, and may name any. */
static void more_places_than_are_asked_are_refused(void **state) {
    (void)state;
    char name[64];
    start();
    for (size_t i = 0; i < 200; i++) {
        (void)snprintf(name, sizeof name, "m%zu.patch_embed.proj.weight", i);
        add(name, 4, WIDTH, 3, PATCH, PATCH);
    }
    add_vit("zoo.ema.");
    assert_refused(NULL, LP_ERR_UNSUPPORTED, "encoders may lie at more than 128 places among its");
    assert_in(err.text, "name one key or prefix (option 'select')");
    assert_taken("zoo", "zoo.ema.");
}

/* Writes a file of `count` empty tensors "<before><i><behind>" and others, and opens it. */
static lp_checkpoint *open_many(const char *others, size_t count, const char *before,
                                const char *behind, const char *shape) {
    size_t room = 256 + strlen(others) + count * (strlen(before) + strlen(behind) + 96), used = 8;
    char *bytes = malloc(room);
    assert_non_null(bytes);
    used += (size_t)snprintf(bytes + used, room - used, "{%s", others);
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(bytes + used, room - used,
                                 "%s\"%s%zu%s\":{\"dtype\":\"U8\",\"shape\":[%s],"
                                 "\"data_offsets\":[0,0]}",
                                 bytes[used - 1] == '{' ? "" : ",", before, i, behind, shape);
    }
    bytes[used++] = '}';
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (char)((used - 8) >> (8 * i) & 0xff);
    }
    FILE *out = fopen(in_folder("many.safetensors"), "wb");
    lp_checkpoint *ckpt;
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, used, out), used);
    assert_int_equal(fclose(out), 0);
    free(bytes);
    assert_ok(lp_checkpoint_open(in_folder("many.safetensors"), &ckpt, &err), &err);
    return ckpt;
}

/* These took minutes where the work grew with the square of the number of tensors. */
static void hostile_names_cost_no_more_than_their_number(void **state) {
    (void)state;
    static const char marker[] =
        "\"patch_embed.proj.weight\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    static const struct {
        const char *others, *before, *behind, *shape;
    } files[] = {
        {marker, "x.", "", "0,1,1,1"},              /* one large unknown module */
        {marker, "blocks.", ".x", "0"},             /* one block each */
        {"", "", ".blocks.0.attn.qkv.weight", "0"}, /* a place each */
        {"", "", ".class_embedding", "0"},
        {"", "a.", ".layer1.0.conv1.weight", "0"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        lp_encoder_info info;
        lp_checkpoint *ckpt =
            open_many(files[i].others, 30000, files[i].before, files[i].behind, files[i].shape);
        lp_status status = lp_encoder_recognise(ckpt, NULL, &info, &err);
        assert_true(status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED);
        assert_string_equal(info.name, "");
        lp_checkpoint_close(ckpt);
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    const lp_encoder_options options = {.heads = 2};
    lp_encoder_info info;
    start();
    add_vit("teacher.");
    add_vit("student.");
    add("fc.weight", 2, 10, WIDTH, 0, 0);
    for (size_t i = 0; i < file.count; i++) { /* renamed, too */
        char *block = strstr(file.entries[i].name, "blocks.0.");
        if (block != NULL) {
            char rest[64];
            (void)snprintf(rest, sizeof rest, "%s", block + 9);
            (void)snprintf(block, 96, "blocks.0.0.%s", rest);
        }
    }
    lp_checkpoint *ckpt = open_file();
    lp_status status = LP_ERR_MEMORY;
    size_t k = 0;
    while (status != LP_OK && k < 500) {
        (void)lp_alloc_fail_at(++k);
        status = lp_encoder_recognise(ckpt, &options, &info, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_int_equal(status, LP_OK);
    assert_string_equal(info.prefix, "teacher.");
    assert_true(k > 20);
    lp_checkpoint_close(ckpt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_holds_for_every_pair),
        cmocka_unit_test(of_equals_the_shortest_then_the_first_is_taken),
        cmocka_unit_test(the_caller_may_choose),
        cmocka_unit_test(the_top_of_a_file_may_be_chosen),
        cmocka_unit_test(what_training_wraps_round_names_is_no_part_of_them),
        cmocka_unit_test(a_wrong_choice_of_a_file_without_encoders_shows_the_file),
        cmocka_unit_test(groups_that_are_passed_over_are_listed),
        cmocka_unit_test(heads_beside_the_encoder_pass),
        cmocka_unit_test(unknown_parts_of_the_encoder_are_refused),
        cmocka_unit_test(a_model_inside_a_model_is_no_part_of_it),
        cmocka_unit_test(the_nearest_place_is_shown_where_none_is_whole),
        cmocka_unit_test(a_partial_encoder_does_not_hide_a_whole_one),
        cmocka_unit_test(names_and_shapes_of_an_unknown_file_are_shown),
        cmocka_unit_test(chunks_of_blocks_are_joined),
        cmocka_unit_test(missing_tensors_have_the_names_of_the_file),
        cmocka_unit_test(numbers_of_any_length_are_names),
        cmocka_unit_test(long_names_are_followed),
        cmocka_unit_test(more_places_than_are_asked_are_refused),
        cmocka_unit_test(hostile_names_cost_no_more_than_their_number),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

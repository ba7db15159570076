"""Checkpoints written by the installed PyTorch and safetensors, read by linprobe: every tensor's
name, shape and values, for views of all kinds and every type."""

import argparse
import collections
import datetime
import enum
import functools
import hashlib
import os
import pathlib
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy
    import safetensors.torch
    import torch
except ImportError as missing:
    print(f"1..0 # SKIP {missing.name} is not installed")
    sys.exit(0)

warnings.simplefilter("ignore")
DUMP = os.path.join(os.environ["LP_TESTS"], "dump_checkpoint")
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
INTEGERS = [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]
generator = torch.Generator().manual_seed(5)


def pick(n):
    return int(torch.randint(n, (1,), generator=generator))


def random_tensor(shape, dtype):
    if dtype in FLOATS:
        values = torch.randn(shape, generator=generator, dtype=torch.float64)
        # Small ones become subnormal in float16; none becomes infinite.
        return (values * 10.0 ** (pick(9) - 6)).to(dtype)
    return torch.randint(-100, 100, shape, generator=generator).to(dtype)


def random_view(tensor):
    """The same storage seen otherwise: transposed, sliced, diagonal, expanded, reshaped."""
    kind = pick(7)
    if kind == 0 and tensor.dim() >= 2:
        return tensor.transpose(pick(tensor.dim()), pick(tensor.dim()))
    if kind == 1 and tensor.dim() >= 1 and tensor.shape[0] >= 2:
        return tensor[1::2]
    if kind == 2 and tensor.dim() >= 1:
        return tensor.narrow(-1, tensor.shape[-1] // 2, tensor.shape[-1] - tensor.shape[-1] // 2)
    if kind == 3 and tensor.dim() == 2:
        return torch.diagonal(tensor)
    if kind == 4 and tensor.numel() <= 20:
        return tensor.unsqueeze(0).expand(3, *tensor.shape)
    if kind == 5 and tensor.dim() >= 2:
        return tensor.permute(*reversed(range(tensor.dim())))
    return tensor.flatten() if tensor.is_contiguous() else tensor


def random_state(round_number):
    state, count = {}, 20
    for i in range(count):
        dtype = (FLOATS + INTEGERS)[pick(10)]
        shape = [1 + pick(6) for _ in range(pick(5))]
        if pick(12) == 0 and shape:
            shape[pick(len(shape))] = 0
        tensor = random_tensor(shape, dtype)
        for view in range(pick(3)):
            tensor = random_view(tensor)
            state[f"layer.{i}.view{view}"] = tensor
        state[f"layer.{i}.weight"] = torch.nn.Parameter(tensor) if dtype in FLOATS else tensor
        if pick(5) == 0:
            state[f"tied.{i}"] = state[f"layer.{i}.weight"]
    return state


def flatten(value, name=""):
    """All tensors in a value, under the names that linprobe gives them."""
    if isinstance(value, torch.Tensor):
        return {name.removesuffix(".") or "tensor": value}
    if isinstance(value, torch.nn.Module):
        items = value.state_dict().items()
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    elif hasattr(value, "__dict__") and not isinstance(value, (type, enum.Enum, pathlib.Path)):
        items = vars(value).items()
    else:
        items = ()
    found = {}
    for key, item in items:
        if isinstance(key, (str, int)):
            found.update(flatten(item, f"{name}{key}."))
    return found


WRAPS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")


def unwrap(name):
    """Without what training wraps round modules; the last part always stays."""
    *parts, last = name.split(".")
    return ".".join([part for part in parts if part not in WRAPS] + [last])


def expected_lines(state):
    state = flatten(state)
    bare = {unwrap(name): tensor for name, tensor in state.items()}
    state = bare if len(bare) == len(state) else state
    lines = []
    for name in sorted(state, key=lambda text: text.encode()):
        tensor = state[name].detach()
        shape = ",".join(str(n) for n in tensor.shape)
        values = tensor.float().contiguous().numpy().astype("<f4")
        lines.append(f"{name} [{shape}] {hashlib.sha256(values.tobytes()).hexdigest()}")
    return lines


def dump(path):
    """What linprobe reads, without the types: each format has its own names for them."""
    run = subprocess.run([DUMP, path], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return [run.stderr]
    lines = [line.split(" ") for line in run.stdout.splitlines()[1:]]
    return [f"{name} {shape} {digest}" for name, _, shape, digest in lines]


class Shared(torch.nn.Module):
    """A module tree with what TorchScript keeps beside tensors, and one module under two names."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 5)
        self.again = self.linear
        self.norm = torch.nn.BatchNorm1d(5)
        self.blocks = torch.nn.ModuleList([torch.nn.Linear(5, 5).half() for _ in range(3)])
        self.register_buffer("scale", torch.tensor(2.5, dtype=torch.float64))
        self.register_buffer("slice", torch.arange(12.0).reshape(3, 4)[:, 1:3])
        self.sizes = [1, 2, 3]
        self.rates = [0.5, 0.25]
        self.label = "shared"
        self.limit = 1 << 40

    def forward(self, x):
        return self.norm(self.again(self.linear(x)[:, :3]))


class Kind(enum.Enum):
    SMALL = 1


class Outer:
    class Inner(torch.nn.Module):
        """A class within a class, with buffers that state_dict() leaves out, and what is no child."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(3))
            self.tied = self.weight
            self.register_buffer("cache", torch.randn(2), persistent=False)
            self.register_buffer("running", torch.randn(2))
            self.register_buffer("none", None)
            self.register_parameter("bias", None)
            self.hidden = [torch.nn.Linear(1, 1)]
            self.attribute = torch.ones(3)
            self.me = [self]
            self.act = functools.partial(torch.nn.functional.gelu, approximate="tanh")
            self.fn = torch.nn.functional.relu
            self.layers = torch.nn.ModuleDict({"a": torch.nn.Linear(2, 2), "b": torch.nn.Identity()})
            self.list = torch.nn.ParameterList([torch.nn.Parameter(torch.randn(2))])
            self.kind = Kind.SMALL
            self.nothing = type(None)


class Old(pickle._Pickler):
    """Tensors and parameters as PyTorch 0.3 pickled them."""

    def reducer_override(self, value):
        if isinstance(value, torch.nn.Parameter):
            kind = torch.nn.parameter.Parameter
            return kind, (value.data,), (True, False, collections.OrderedDict())
        if isinstance(value, torch.Tensor):
            where = value.storage(), value.storage_offset(), tuple(value.shape), value.stride()
            return torch._utils._rebuild_tensor, where
        return NotImplemented


class OldPickle:
    """What torch.save takes for its pickle_module."""

    Pickler = Old
    dump = staticmethod(pickle.dump)


def modules():
    """Names and modules: ours, and small ones of the libraries that are installed."""
    inner = Outer.Inner()
    yield "a module of ours", inner
    yield "DataParallel", torch.nn.DataParallel(inner)
    yield "an averaged model", torch.optim.swa_utils.AveragedModel(inner)
    yield "a shared child", torch.nn.Sequential(inner, inner)
    try:
        import torchvision
        from torchvision.models.feature_extraction import create_feature_extractor

        resnet = torchvision.models.resnet18(num_classes=3)
        yield "torchvision's ResNet", resnet
        yield "torch.fx", create_feature_extractor(resnet, ["layer2"])
        yield "torchvision's ViT", torchvision.models.VisionTransformer(32, 8, 2, 1, 64, 128)
    except ImportError:
        pass
    try:
        import timm
        import timm.utils

        small = dict(img_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=1, num_classes=3)
        vit = timm.models.vision_transformer.VisionTransformer(**small)
        yield "timm's ViT", vit
        yield "timm's ModelEmaV3", timm.utils.ModelEmaV3(vit)
        yield "timm's Swin", timm.create_model("swin_tiny_patch4_window7_224", depths=(1, 1, 1, 1))
    except ImportError:
        pass
    try:
        import transformers

        sizes = dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=1)
        sizes |= dict(intermediate_size=128, image_size=32, patch_size=8)
        yield "transformers' ViT", transformers.ViTModel(transformers.ViTConfig(**sizes))
        clip = transformers.CLIPVisionConfig(**sizes)
        yield "transformers' CLIP", transformers.CLIPVisionModel(clip)
    except ImportError:
        pass
    try:
        import open_clip

        tower = dict(image_size=32, layers=2, width=64, patch_size=8, head_width=64)
        texts = dict(context_length=8, vocab_size=50, width=32, heads=1, layers=1)
        yield "open_clip's CLIP", open_clip.model.CLIP(32, tower, texts, quick_gelu=True)
    except ImportError:
        pass


def write_as_python_2(path, state, rebuild="_rebuild_tensor_v2", storages="torch"):
    """torch.save of a Python 2 program: an OrderedDict as a list of lists, texts as bytes; also of
    PyTorch before 0.4, whose storages on a GPU had classes of their own."""
    pieces, keys = [], []

    def text(value):
        pieces.append(b"U" + bytes([len(value)]) + value.encode())

    def count(value):
        pieces.append(b"J" + struct.pack("<i", value))

    pieces.append(b"\x80\x02ccollections\nOrderedDict\n](")
    for number, (name, tensor) in enumerate(state.items()):
        kind = {torch.bool: "Bool", torch.bfloat16: "BFloat16"}.get(tensor.dtype)
        kind = kind or torch.zeros(0, dtype=tensor.dtype).type()[len("torch.") : -len("Tensor")]
        pieces.append(b"](")
        text(name)
        pieces.append(f"ctorch._utils\n{rebuild}\n((".encode())
        text("storage")
        pieces.append(f"c{storages}\n{kind}Storage\n".encode())
        text(str(100 + number))
        text("cpu")
        count(tensor.numel())
        pieces.append(b"NtQK\0(")
        for size in tensor.shape:
            count(size)
        pieces.append(b"t(")
        for stride in tensor.detach().contiguous().stride():
            count(stride)
        hooks = b"\x89ccollections\nOrderedDict\n](e\x85R"
        pieces.append(b"t" + (hooks if rebuild == "_rebuild_tensor_v2" else b"") + b"tRe")
        keys.append((str(100 + number), tensor))
    pieces.append(b"e\x85R.\x80\x02](")
    for key, _ in keys:
        text(key)
    pieces.append(b"e.")
    with open(path, "wb") as out:
        for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(value, out, protocol=2)
        out.write(b"".join(pieces))
        for _, tensor in keys:
            out.write(struct.pack("<q", tensor.numel()))
            out.write(bytes(tensor.detach().clone(memory_format=torch.contiguous_format).untyped_storage()))


failed = 0
tests = 0


def check(name, found, expected):
    global failed, tests
    tests += 1
    same = found == expected
    failed += not same
    print(f"{'ok' if same else 'not ok'} {tests} - {name}")
    if not same:
        for line in sorted(set(found) ^ set(expected))[:10]:
            print(f"# {'found' if line in found else 'expected'}: {line}")


with tempfile.TemporaryDirectory() as folder:
    for number in range(12):
        state = random_state(number)
        path = os.path.join(folder, "state.pt")
        # Beside the state, so that no name is common to all.
        wrapped = {"epoch": number, "seed": (1 << 70) + number, "state_dict": state}
        wrapped["rng"] = torch.arange(3)
        for zipped in (True, False):
            protocol = 1 + (number + zipped) % 5
            how = {"_use_new_zipfile_serialization": zipped, "pickle_protocol": protocol}
            whole = [state, wrapped][(number + zipped) % 2]
            torch.save(whole, path, **how)
            check(f"random state {number}, {how}", dump(path), expected_lines(whole))
        path = os.path.join(folder, "state.safetensors")
        contiguous = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
        safetensors.torch.save_file(contiguous, path)
        check(f"random state {number} by safetensors", dump(path), expected_lines(state))
        os.remove(path)

    # What training programs put round and beside the weights, in both formats.
    state = {f"blocks.{name}": tensor for name, tensor in random_state(12).items()}
    beside = {
        "epoch": 3,
        "args": argparse.Namespace(lr=numpy.float32(0.1), out=pathlib.Path("out"), dims={3, 4}),
        "optimizer": torch.optim.Adam([torch.nn.Parameter(torch.randn(3))]).state_dict(),
        "history": collections.defaultdict(list, loss=[numpy.float64(0.5), numpy.int64(7)]),
        "queue": collections.deque([1.5, None, b"bytes"]),
        "best": numpy.arange(6.0).reshape(2, 3),
        "when": datetime.datetime(2021, 1, 5),
        "kind": Kind.SMALL,
        "things": [torch.device("cpu"), torch.Size([2, 3]), torch.float16, torch.strided, range(3)],
        "rng": torch.get_rng_state(),
    }

    def prefixed(prefix, sign=1):
        return {prefix + name: sign * tensor for name, tensor in state.items()}

    shared = {name: tensor for name, tensor in state.items()}
    deep = {"a": [0, (state, {7: shared, -1: torch.ones(2), (1, 2): torch.ones(3)})]}
    dino = {**prefixed("backbone."), "head.mlp.0.weight": torch.randn(2)}
    wraps = {
        "compiled and parallel": {"state_dict": prefixed("module._orig_mod.")},
        "Lightning": {"state_dict": prefixed("model."), "pytorch-lightning_version": "2.5"},
        "DINO": {"student": prefixed("module.backbone.", 0), "teacher": dino},
        "averaged": {"model_ema": prefixed("", 0), "model": state},
        "only averaged": {"model_ema": collections.OrderedDict(state)},
        "one dictionary under four keys": {"a": shared, "b": shared, "c": [shared, shared]},
        "deep": deep,
    }
    path = os.path.join(folder, "training.pth")
    for name, wrapped in wraps.items():
        for zipped in (True, False):
            whole = {**beside, **wrapped}
            torch.save(whole, path, _use_new_zipfile_serialization=zipped)
            check(f"training state: {name}, zip {zipped}", dump(path), expected_lines(whole))
    for whole in (torch.ones(2, 3), [torch.ones(2), {"a": torch.ones(3)}], (torch.ones(1),)):
        torch.save(whole, path)
        check(f"{type(whole).__name__} by itself", dump(path), expected_lines(whole))

    # Modules with their classes: the names are those of state_dict().
    for name, module in modules():
        for protocol in range(1, 6) if isinstance(module, Outer.Inner) else (2, 3, 4):
            whole = {**beside, "model": module, "ema": argparse.Namespace(module=module, decay=0.9)}
            zipped = protocol != 3
            try:
                torch.save(whole, path, pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
            except (AttributeError, TypeError, pickle.PicklingError):
                continue  # lambdas and inner functions cannot be pickled at all
            check(f"{name}, protocol {protocol}, zip {zipped}", dump(path), expected_lines(whole))

    whole = {"model": torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)), **beside}
    for zipped in (True, False):
        how = {"_use_new_zipfile_serialization": zipped}
        torch.save(whole, path, pickle_module=OldPickle, **how)
        assert b"_rebuild_tensor\n" in open(path, "rb").read()
        check(f"a module of before PyTorch 0.4, zip {zipped}", dump(path), expected_lines(whole))

    # What cannot be read is listed and named; what lies beside it is read.
    module = torch.nn.Sequential(torch.nn.Linear(2, 3))
    others = {
        "quantised": torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8),
        "sparse": torch.ones(2, 3).to_sparse(),
        "meta": torch.ones(2, 3, device="meta"),
        "complex": torch.ones(2, 3, dtype=torch.complex64),
        "float8": torch.ones(2, 3).to(torch.float8_e4m3fn),
        "unsigned": torch.ones(2, 3).to(torch.uint16),
        "negated": torch.ones(2, 3, dtype=torch.complex64).conj().imag,
    }
    for name, other in others.items():
        torch.save({"model": module, name: other, "parameter": [other]}, path)
        lines = expected_lines({"model": module})
        lines += ["parameter.0 [2,3] -", f"{name} [2,3] -"]
        check(f"beside a tensor: {name}", sorted(dump(path)), sorted(lines))

    # Python 2 wrote dictionaries and texts otherwise; its instructions, by hand.
    path = os.path.join(folder, "python2.pth")
    write_as_python_2(path, state)
    assert torch.load(path, weights_only=False).keys() == state.keys()
    check("as Python 2 wrote it", dump(path), expected_lines(state))
    write_as_python_2(path, state, "_rebuild_tensor", "torch.cuda")
    assert flatten(torch.load(path, weights_only=False, map_location="cpu")).keys() == state.keys()
    check("as PyTorch before 0.4 wrote it, on a GPU", dump(path), expected_lines(state))

    try:
        import huggingface_hub
    except ImportError:
        huggingface_hub = None
    if huggingface_hub is not None:
        for number in range(2):
            state = {
                name: tensor.detach().clone().contiguous()
                for name, tensor in random_state(13 + number).items()
            }
            for safe in (True, False):
                shards = os.path.join(folder, f"shards{number}{safe}")
                os.mkdir(shards)
                huggingface_hub.save_torch_state_dict(
                    state, shards, max_shard_size=3000, safe_serialization=safe
                )
                assert len(os.listdir(shards)) > 2
                check(f"shards {number}, safetensors {safe}", dump(shards), expected_lines(state))

    path = os.path.join(folder, "script.pt")
    module = Shared().eval()
    for kind, script in (
        ("script", torch.jit.script(module)),
        ("trace", torch.jit.trace(module, torch.zeros(2, 3))),
    ):
        script.save(path)
        check(f"TorchScript by {kind}", dump(path), expected_lines(script.state_dict()))

    path = os.path.join(folder, "halves.pt")
    patterns = numpy.arange(65536, dtype=numpy.uint16)
    halves = torch.from_numpy(patterns.view(numpy.float16).copy())
    brains = torch.from_numpy(patterns.view(numpy.int16).copy()).view(torch.bfloat16)
    state = {"half": halves[halves.isfinite()], "bfloat16": brains[brains.isfinite()]}
    torch.save(state, path)
    check("every finite float16 and bfloat16", dump(path), expected_lines(state))

print(f"1..{tests}")
sys.exit(failed != 0)

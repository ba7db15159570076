"""Checkpoints written by the installed PyTorch and safetensors, read by linprobe: every tensor's
name, shape and values, for views of all kinds and every type."""

import argparse
import collections
import datetime
import enum
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


def expected_lines(state):
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


def write_as_python_2(path, state):
    """torch.save of a Python 2 program: an OrderedDict as a list of lists, texts as bytes."""
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
        pieces.append(b"ctorch._utils\n_rebuild_tensor_v2\n((")
        text("storage")
        pieces.append(f"ctorch\n{kind}Storage\n".encode())
        text(str(100 + number))
        text("cpu")
        count(tensor.numel())
        pieces.append(b"NtQK\0(")
        for size in tensor.shape:
            count(size)
        pieces.append(b"t(")
        for stride in tensor.detach().contiguous().stride():
            count(stride)
        pieces.append(b"t\x89ccollections\nOrderedDict\n](e\x85RtRe")
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
        expected = expected_lines(state)
        path = os.path.join(folder, "state.pt")
        wrapped = {"epoch": number, "seed": (1 << 70) + number, "state_dict": state}
        torch.save([state, wrapped][number % 2], path)
        check(f"random state {number} by torch.save", dump(path), expected)
        torch.save([wrapped, state][number % 2], path, _use_new_zipfile_serialization=False)
        check(f"random state {number} by the old torch.save", dump(path), expected)
        path = os.path.join(folder, "state.safetensors")
        contiguous = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
        safetensors.torch.save_file(contiguous, path)
        check(f"random state {number} by safetensors", dump(path), expected)
        os.remove(path)

    # What training programs put round and beside the weights, in both formats.
    state = {f"blocks.{name}": tensor for name, tensor in random_state(12).items()}
    expected = expected_lines(state)
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

    dino = {**prefixed("backbone."), "head.mlp.0.weight": torch.randn(2)}
    wraps = {
        "compiled and parallel": {"state_dict": prefixed("module._orig_mod.")},
        "Lightning": {"state_dict": prefixed("model."), "pytorch-lightning_version": "2.5"},
        "DINO": {"student": prefixed("module.backbone.", 0), "teacher": dino},
        "averaged": {"model_ema": prefixed("", 0), "model": state},
        "only averaged": {"model_ema": collections.OrderedDict(state)},
    }
    for name, wrapped in wraps.items():
        path = os.path.join(folder, "training.pth")
        for zipped in (True, False):
            torch.save({**beside, **wrapped}, path, _use_new_zipfile_serialization=zipped)
            check(f"training state: {name}, zip {zipped}", dump(path), expected)

    # Python 2 wrote dictionaries and texts otherwise; its instructions, by hand.
    path = os.path.join(folder, "python2.pth")
    write_as_python_2(path, state)
    assert torch.load(path, weights_only=False).keys() == state.keys()
    check("as Python 2 wrote it", dump(path), expected)

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

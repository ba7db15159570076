#!/usr/bin/env python3
"""Makes tests/fuzz/corpus: small inputs that lead each fuzz target past its first checks.

    python3 tests/fuzz/make_corpus.py

Needs nothing but Python; the same files come out every time.  Files that begin with "found-" are
inputs that once failed; they are kept, not made.
"""

import gzip
import hashlib
import io
import json
import os
import struct
import tarfile
import warnings
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "corpus")
GOLDEN = os.path.join(HERE, "..", "golden")


def put(target, name, data):
    folder = os.path.join(CORPUS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(data)


def chunk(data):
    return struct.pack("<H", len(data)) + data


# ---- TensorFlow's checkpoints (tensorflow/core/protobuf/tensor_bundle.proto) -----------------------


def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def masked_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def described(kind, shape, file, offset, values):
    sizes = b"".join(b"\x12" + varint(len(a)) + a for a in (b"\x08" + varint(n) for n in shape))
    numbers = ((1, kind), (3, file), (4, offset), (5, len(values)))
    out = b"".join(varint(field << 3) + varint(n) for field, n in numbers)
    return out + b"\x12" + varint(len(sizes)) + sizes + b"\x35" + struct.pack("<I", masked_crc(values))


def entries(items):
    out, before = b"", b""
    for key, value in items:
        key = key.encode()
        shared = len(os.path.commonprefix([key, before]))
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return out


def put_bundles():
    numbers = struct.pack("<6f", 1, -2, 3, -4, 5, -6)
    def block(files, places, header=b""):
        parts = [described(1, shape, file, at, numbers[at : at + size]) for shape, file, at, size in places]
        names = ["a/kernel", "a/kernel/Momentum", "ab", "b"][: len(parts)]
        return entries([("", b"\x08" + varint(files) + header), *zip(names, parts)])

    one = chunk(block(1, [([2, 3], 0, 0, 24), ([2], 0, 8, 8), ([], 0, 4, 4)])) + chunk(numbers)
    put("bundle", "one", b"\x00" + one)
    put("bundle", "folder", b"\x01" + one)
    put("bundle", "two", b"\x00" + chunk(block(2, [([2, 3], 0, 0, 24), ([3], 1, 0, 12)])) + chunk(numbers) * 2)
    put("bundle", "missing", b"\x00" + chunk(block(2, [([2, 3], 0, 0, 24), ([3], 1, 0, 12)])) + chunk(numbers))
    put("bundle", "short", b"\x00" + chunk(block(1, [([2, 3], 0, 0, 24)])) + chunk(numbers[:20]))
    put("bundle", "big-endian", b"\x00" + chunk(block(1, [], b"\x10\x01")) + chunk(numbers))
    put("bundle", "index", b"\x04" + chunk(entries([("z", varint(0) + varint(20))])) + chunk(numbers))
    golden = open(os.path.join(GOLDEN, "families", "google-simclr.index"), "rb").read()
    put("bundle", "whole", b"\x02" + chunk(golden))


# ---- pickles (Lib/pickletools.py lists the instructions) ---------------------------------------


def text(s):
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def integer(i):
    return b"K" + bytes([i]) if i < 256 else b"J" + struct.pack("<i", i)


def tuple_of(*items):
    if 1 <= len(items) <= 3:
        return b"".join(items) + bytes([0x84 + len(items)])
    return b"(" + b"".join(items) + b"t"


def named(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def storage(kind, key, size):
    return tuple_of(text("storage"), named("torch", kind), text(key), text("cpu"), integer(size)) + b"Q"


def tensor(where, offset, shape, stride):
    arguments = tuple_of(
        where,
        integer(offset),
        tuple_of(*map(integer, shape)) if shape else b")",
        tuple_of(*map(integer, stride)) if stride else b")",
        b"\x89",
        named("collections", "OrderedDict") + b")R",
    )
    return named("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def dictionary(items):
    return b"}(" + b"".join(text(k) + v for k, v in items) + b"u"


def call(module, name, *arguments):
    return named(module, name) + tuple_of(*arguments) + b"R"


def dilled_function(module, name):
    imported = call("dill._dill", "_import_module", text(module))
    return call("dill._dill", "_get_attr", imported, text(name))


def dilled_array(values, *shape):
    """float32, as dill wrote arrays for Python 3 in protocol 2."""
    maker = dilled_function("numpy.core._multiarray_umath", "_reconstruct")
    encoded = dilled_function("_codecs", "encode")
    latin = struct.pack(f"<{len(values)}f", *values).decode("latin1").encode()
    latin = b"X" + struct.pack("<I", len(latin)) + latin
    kind = call("numpy", "dtype", text("f4"), b"\x89", b"\x88")
    kind += tuple_of(integer(3), text("<"), b"N", b"N", b"N", integer(0)) + b"b"
    state = tuple_of(integer(1), tuple_of(*map(integer, shape)), kind, b"\x89",
                     encoded + tuple_of(latin, text("latin1")) + b"R")
    made = tuple_of(named("numpy", "ndarray"), tuple_of(integer(0)), text("b"))
    return maker + made + b"R" + state + b"b"


def dilled():
    fields = tuple_of(text("online_params"), text("online_state"))
    kind = call("dill._dill", "_create_namedtuple", text("State"), fields, text("byol"))
    inside = dictionary([("w", dilled_array([1, -2, 3, -4, 5, -6], 1, 1, 3, 2))])
    params = call("haiku._src.data_structures", "FlatMapping", inside)
    averages = dictionary([("average", dilled_array([0.5, -1], 1, 1, 1, 2))])
    state = kind + tuple_of(params, averages) + b"\x81"
    return b"\x80\x02" + dictionary([("experiment_state", state), ("step", integer(7))]) + b"."


def program(body):
    return b"\x80\x02" + body + b"."


WEIGHTS = [
    ("conv1.weight", tensor(storage("FloatStorage", "0", 12), 0, (2, 3), (3, 1))),
    ("transposed", tensor(storage("HalfStorage", "1", 12), 1, (2, 2), (1, 2))),
    ("scalar", tensor(storage("LongStorage", "1", 3), 0, (), ())),
]
MODULE = (
    named("__torch__.model", "Inner") + b")\x81" + dictionary(WEIGHTS[:1]) + b"bq\x01"
)
PICKLES = {
    "plain": program(dictionary(WEIGHTS)),
    "ordered": program(named("collections", "OrderedDict") + b")R(" + text("a") + WEIGHTS[0][1] + b"u"
                       + dictionary([("_metadata", b"N")]) + b"b"),
    "state_dict": program(dictionary([("epoch", integer(3)), ("state_dict", dictionary(WEIGHTS))])),
    "teacher": program(dictionary([("student", b"}"), ("teacher", dictionary(WEIGHTS))])),
    "module": program(named("__torch__", "Outer") + b")\x81"
                      + dictionary([("visual", MODULE), ("again", b"h\x01"), ("training", b"\x88")]) + b"b"),
    "parameter": program(dictionary([("p", named("torch._utils", "_rebuild_parameter")
                                      + tuple_of(WEIGHTS[0][1], b"\x88", b"}") + b"R")])),
    "lists": program(b"](K\x01M\x02\x00J\x03\x00\x00\x00\x8a\x02\x04\x05\x8b\x01\x00\x00\x00\x06"
                     + b"G" + bytes(8) + b"N\x88\x89\x8a\x09" + bytes(9) + b"e"),
    "system": program(named("os", "system") + tuple_of(text("touch HACKED")) + b"R"),
    "bomb": program(b"(]q\x00" + b"".join(b"](" + b"h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1])
                                          for i in range(40)) + b"t"),
    "circle": program(dictionary([("a", b"]q\x00h\x00a")])),
    "deep": program(b"]" * 300 + b"a" * 299),
    "stride": program(dictionary([("t", tensor(storage("FloatStorage", "0", 12), 0, (255, 255), (255, 255)))])),
    "negative": program(dictionary([("t", named("torch._utils", "_rebuild_tensor_v2") + tuple_of(
        storage("FloatStorage", "0", 12), integer(0), tuple_of(b"J\xff\xff\xff\xff"), tuple_of(integer(1)),
        b"\x89", b"N") + b"R")])),
    "long-name": program(dictionary([("n" * 600, WEIGHTS[0][1])])),
    "long-key": program(dictionary([("t", tensor(storage("FloatStorage", "7" * 100, 12), 0, (2, 3), (3, 1)))])),
    "huge": program(dictionary([("t", tensor(storage("FloatStorage", "0", 12), 0,
                                             (2**31 - 1,) * 5, (0,) * 5))])),
}
DATA = b"".join(struct.pack("<f", i) for i in range(12))


# ---- other protocols, whole modules, other kinds of tensors ------------------------------------


def new(module, name, state, items=b""):
    return named(module, name) + b")\x81" + items + state + b"b"


def module(parameters=(), buffers=(), children=(), **more):
    parts = {"_parameters": parameters, "_buffers": buffers, "_modules": children}
    state = [(name, dictionary(items)) for name, items in parts.items()]
    return new("net", "Net", dictionary([("training", b"\x88")] + state + list(more.items())))


def rebuilt(maker, *arguments):
    return named("torch._utils", maker) + tuple_of(*arguments) + b"R"


def short(s):  # SHORT_BINUNICODE, which is remembered
    return b"\x8c" + bytes([len(s)]) + s.encode() + b"\x94"


def stacked(module, name):
    return short(module) + short(name) + b"\x93\x94"


def protocol4(body, protocol=4):
    return bytes([0x80, protocol]) + b"\x95" + struct.pack("<Q", len(body) + 1) + body + b"."


W = WEIGHTS[0][1]
STORAGE4 = (b"(" + short("storage") + stacked("torch", "FloatStorage") + short("0") + short("cpu") + b"K\x0ct\x94Q")
TENSOR4 = (stacked("torch._utils", "_rebuild_tensor_v2") + b"(" + STORAGE4 + b"K\x00K\x02K\x03\x86\x94K\x03K\x01\x86\x94\x89"
           + stacked("collections", "OrderedDict") + b")R\x94t\x94R\x94")
OLD = rebuilt("_rebuild_tensor", b"(U\x07storage" + named("torch.cuda", "FloatStorage")
              + b"U\x010U\x06cuda:0\x8a\x01\x0ctQ", b"K\x00", b"\x8a\x01\x0c\x85", b"\x8a\x01\x01\x85")
SET = named("__builtin__", "set") + b"](" + text("b") + b"e\x85R"
PICKLES |= {
    "protocol1": b"}(" + text("w") + W + text("flag") + b"I01\n" + text("n") + b"L-3L\np5\n" + text("m") + b"g5\n"
                 + text("f") + b"F0.5\nu.",
    "protocol4": protocol4(b"}\x94(" + short("w") + TENSOR4 + short("s") + b"\x8f\x94(K\x01\x90" + short("f")
                           + b"(K\x01\x91\x94" + short("b") + b"C\x02ab" + short("o") + stacked("a", "B.C")
                           + b")}\x92\x94u"),
    "protocol5": protocol4(b"](" + TENSOR4 + b"\x96\x02" + bytes(7) + b"ab\x8e\x02" + bytes(7)
                           + b"ab\x8d\x02" + bytes(7) + b"abe", 5),
    "stack-global": protocol4(short("posix") + short("system") + b"\x93" + short("ls") + b"\x85R"),
    "stack-work": b"\x80\x02(K\x01(K\x02210K\x032\x94h\x00\x86p7\ng7\n0lKd\x86.",
    "old-tensor": program(b"}(U\x01w" + OLD + b"U\x01p" + named("torch.nn.parameter", "Parameter") + OLD
                          + b"\x85R\x88\x89}\x87b" + b"u"),
    "old-class": program(b"(" + named("a", "B") + b"K\x01o}(U\x01w" + W + b"ub"),
    "nn-module": program(module([("p", W), ("none", b"N")], [("a", W), ("b", W)],
                                [("child", module([("w", W)])), ("other", b"N")],
                                _non_persistent_buffers_set=SET)),
    "nn-nested": program(dictionary([("model", module([], [], [("module", module([("w", W)]))])),
                                     ("ema", new("argparse", "Namespace", dictionary([("module", module([("w", W)]))]))),
                                     ("slots", new("a", "B", b"N" + dictionary([("w", W)]) + b"\x86")),
                                     ("items", new("a", "B", b"}", b"(" + text("w") + W + b"u"))])),
    "nn-circle": program(named("net", "Net") + b")\x81q\x00" + dictionary(
        [("_parameters", dictionary([("w", W)])), ("_modules", dictionary([("me", b"h\x00")]))]) + b"b"),
    "nn-fx": program(named("torch.fx.graph_module", "reduce_graph_module") + dictionary(
        [("_parameters", dictionary([("w", W)])), ("_modules", b"}")]) + b"N\x86R"),
    "nn-compiled": program(named("x", "OptimizedModule") + module([("w", W)]) + b"N\x86R"),
    "nested": program(b"}(K\x07" + dictionary([("w", W)]) + text("l") + b"](" + W + W + b"\x85e" + b"\x8a\x01\xff"
                      + W + b"N" + W + b"u"),
    "root": program(W),
    "aliases": program(b"](" + dictionary([("w", W)]) + b"q\x00" + b"h\x00" * 60 + b"e"),
    "doubling": program(b"](}" + text("w") + W + b"sq\x00" + b"".join(
        b"}(K\x00h" + bytes([i]) + b"K\x01h" + bytes([i]) + b"uq" + bytes([i + 1]) for i in range(30)) + b"e"),
    "other-kinds": program(dictionary([
        ("w", W), ("q", rebuilt("_rebuild_qtensor", b"N", b"K\x00", b"K\x02\x85", b"K\x01\x85", b"N")),
        ("s", rebuilt("_rebuild_sparse_tensor", b"N", W + W + named("torch", "Size") + b"K\x05\x85\x85R\x87")),
        ("m", rebuilt("_rebuild_meta_tensor_no_storage", b"N", b"K\x02K\x03\x86", b"N", b"N")),
        ("d", named("torch._tensor", "_rebuild_from_type_v2") + tuple_of(
            named("torch._utils", "_rebuild_wrapper_subclass"), named("a", "DTensor"),
            tuple_of(b"N", b"N", b"K\x04\x85", b"N"), b"}") + b"R"),
        ("u", rebuilt("_rebuild_newest"))])),
    "arrays": program(dictionary([("w", named("numpy._core.multiarray", "_reconstruct") + tuple_of(
        named("numpy", "ndarray"), b"K\x00\x85", named("_codecs", "encode") + text("b") + text("latin1") + b"\x86R")
        + b"R(K\x01K\x02\x85" + named("numpy", "dtype") + text("f8") + b"\x89\x88\x87R(K\x03" + text("<")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + named("_codecs", "encode") + text("abcdefgh")
        + text("latin1") + b"\x86Rtb")])),
}


def zipped(members, method=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # of duplicate names, which are meant
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method, 9)
    return out.getvalue()


def overlapping(name, data):
    """A member within the bytes of another; it has an entry in the directory, too."""
    inner = zipped([(name, data)])
    inner_at = struct.unpack("<I", inner[-6:-2])[0]
    record, entry = inner[:inner_at], bytearray(inner[inner_at:-22])
    whole = zipped([("a/data.pkl", PICKLES["plain"]), ("a/data/0", record)])
    at = struct.unpack("<I", whole[-6:-2])[0]
    struct.pack_into("<I", entry, 42, whole.index(record))
    directory, end = whole[at:-22] + entry, bytearray(whole[-22:])
    struct.pack_into("<HHI", end, 8, 3, 3, len(directory))
    return whole[:at] + directory + bytes(end)


LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."


def legacy_storage(kind, key, size):
    return tuple_of(text("storage"), named("torch", kind), text(key), text("cpu"), integer(size), b"N") + b"Q"


def legacy_module():
    """A module by torch.save's old format, in protocol 4: its class has its source beside it."""
    view = tuple_of(text("8"), integer(2), integer(6))
    where = tuple_of(text("storage"), named("torch", "FloatStorage"), text("7"), text("cpu"), integer(12), view) + b"Q"
    state = [("_parameters", dictionary([("w", tensor(where, 1, (2,), (1,)))])), ("_modules", b"}")]
    kind = tuple_of(text("module"), named("net", "Net"), text("net.py"), text("class Net: pass")) + b"Q"
    magic = b"\x80\x04\x95\x0d" + bytes(7) + LEGACY_MAGIC[2:]
    return (magic + protocol4(b"M\xe9\x03") + protocol4(b"}") + protocol4(kind + b")\x81" + dictionary(state) + b"b")
            + protocol4(b"](" + text("7") + b"e") + struct.pack("<q", 12) + DATA)


def legacy(magic=LEGACY_MAGIC, version=program(b"M\xe9\x03")):
    weights = dictionary([("w", tensor(legacy_storage("FloatStorage", "7", 12), 0, (3, 4), (4, 1)))])
    return (magic + version + program(dictionary([("little_endian", b"\x88")]))
            + program(weights) + program(b"](" + text("7") + b"e") + struct.pack("<q", 12) + DATA)


# ---- safetensors ------------------------------------------------------------------------------


def header(tensors, **more):
    out, at = dict(more), 0
    for name, kind, size, shape in tensors:
        count = size
        for s in shape:
            count *= s
        out[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + count]}
        at += count
    return json.dumps(out, separators=(",", ":")).encode(), bytes(at)


SAFETENSORS = {
    "plain": header([("a", "F32", 4, [2, 3]), ("b", "BF16", 2, [4]), ("c", "I64", 8, [])],
                    __metadata__={"format": "pt"}),
    "other": header([("module.x", "F8_E4M3", 1, [3]), ("module.y", "F16", 2, [1, 1, 2, 1]),
                     ("module.z", "BOOL", 1, [2]), ("module.e", "F64", 8, [0, 4])]),
    "overlap": (b'{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},'
                b'"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}', bytes(6)),
    "huge": (b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}', b""),
    "twice": (b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
              b'"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
}


def safetensors(pair):
    return struct.pack("<Q", len(pair[0])) + pair[0] + pair[1]


# ---- arrays and features ----------------------------------------------------------------------


def npy(descr, shape, data, fortran=False, version=1):
    head = "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }" % (descr, fortran, shape)
    length = struct.pack("<H" if version == 1 else "<I", len(head) + 1)
    return b"\x93NUMPY" + bytes([version, 0]) + length + head.encode() + b"\n" + data


ROWS = npy("<f4", (4, 3), DATA)
LABELS = npy("<i8", (4,), struct.pack("<4q", 0, 1, 1, 2))
META = json.dumps({"data": {"classes": 3, "class_names": ["a", "b", "c"]},
                   "sha256": hashlib.sha256(ROWS + LABELS).hexdigest()}).encode()

# ---- data sets --------------------------------------------------------------------------------

PIXELS = bytes(range(256)) * 12
RECORDS = b"".join(bytes([i % 20, i]) + PIXELS for i in (3, 99))
NAMES = "".join("n%d\n" % i for i in range(100)).encode()


def tar_gz(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def family_lines(path, divide=1):
    """The tensors of a golden file; `divide` makes widths smaller, so that it can be run."""
    with open(path, "rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        names = json.loads(file.read(length))
    def size(s):
        return str(s // divide if s % divide == 0 else s)

    return "".join("%s %s\n" % (name, " ".join(map(size, value["shape"])))
                   for name, value in names.items() if name != "__metadata__").encode()


def put_family(name, choice, lines, more=0, **configs):
    """configs: config, open_clip_config, preprocessor_config, processor_config."""
    data = bytes([choice, more])
    for file in ("config", "open_clip_config", "preprocessor_config", "processor_config"):
        data += chunk(json.dumps(configs[file]).encode() if file in configs else b"")
    put("family", name, data + lines)


def at(prefix, lines):
    """The same tensors in another place of a file."""
    return b"".join(prefix.encode() + line + b"\n" for line in lines.splitlines())


PIXEL = b"P5\n1 1\n255\n\x07"


def short(text):
    return b"U" + bytes([len(text)]) + text


def cifar_batch(key):
    """A pickle of one image, as Python 2 wrote it."""
    return (b"\x80\x02}(" + short(b"data")
            + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R(K\1K\1M\0\x0c\x86"
            + b"cnumpy\ndtype\nU\2u1K\0K\1\x87R(K\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"
            + b"T\0\x0c\0\0" + bytes(3072) + b"tb" + b"".join(short(k) + b"](K\3e" for k in key)
            + b"u.")


def cifar_names(key, count):
    return b"\x80\x02}" + short(key) + b"](" + short(b"n") * count + b"es."

# Miniatures, in the order of the table in src/data/data_sets.c.
SETS = [
    ("food", {"meta/train.json": b'{"b": ["b/1"], "a": ["a/2"]}', "images/a/2.jpg": PIXEL,
              "images/b/1.jpg": PIXEL}),
    ("dtd", {"labels/train1.txt": b"a/1.jpg\nb/2.jpg\n", "images/a/1.jpg": PIXEL,
             "images/b/2.jpg": PIXEL}),
    ("pets", {"annotations/trainval.txt": b"a_b_1 1 1 1\nc_2 2 1 1\n", "images/a_b_1.jpg": PIXEL,
              "images/c_2.jpg": PIXEL}),
    ("aircraft", {"data/variants.txt": b"707\nDC 10\n",
                  "data/images_variant_train.txt": b"1 707\n2 DC 10\n",
                  "data/images/1.jpg": PIXEL, "data/images/2.jpg": PIXEL}),
    ("sun397", {"ClassName.txt": b"/a/b\n/c/d/e\n",
                "Training_01.txt": b"/a/b/1.jpg\n/c/d/e/2.jpg\n", "a/b/1.jpg": PIXEL,
                "c/d/e/2.jpg": PIXEL}),
    ("birdsnap", {"species.txt": b"id\tdir\n1\ta\n2\tb\n", "test_images.txt": b"path\nb/9.jpg\n",
                  "images.txt": b"url\tpath\nx\ta/1.jpg\nx\tb/2.jpg\nx\tb/9.jpg\n",
                  "download/images/a/1.jpg": PIXEL, "download/images/b/2.jpg": PIXEL}),
    ("caltech", {"101_ObjectCategories/%s/%d.jpg" % (c, i): PIXEL for c in "ab"
                 for i in range(2)}),
    ("eurosat", {"%s/1.jpg" % c: PIXEL for c in ("AnnualCrop", "SeaLake",
                                                 "HerbaceousVegetation")}),
    ("resisc45", {"%s/1.jpg" % c: PIXEL for c in ("airplane", "basketball_court", "wetland")}),
    ("gtsrb", {"GT-final_test.csv": b"Filename;W;H;a;b;c;d;ClassId\n0.ppm;1;1;0;0;1;1;42\n",
               "GTSRB/Training/00000/0.ppm": PIXEL, "GTSRB/Training/00001/0.ppm": PIXEL}),
    ("country211", {"%s/%s/1.jpg" % (p, c): PIXEL for p in ("train", "valid", "test")
                    for c in "ab"}),
    ("sst2", {"%s/%s/1.png" % (p, c): PIXEL for p in ("train", "valid", "test")
              for c in ("negative", "positive")}),
    ("ucf101", {"ucfTrainTestlist/classInd.txt": b"1 ApplyMakeup\n2 B\n",
                "ucfTrainTestlist/trainlist01.txt": b"ApplyMakeup/v_1.avi 1\nB/v_2.avi 2\n",
                "UCF-101-midframes/Apply_Makeup/v_1.jpg": PIXEL, "UCF-101/B/v_2.jpg": PIXEL}),
    ("clevr", {"scenes/CLEVR_train_scenes.json":
               b'{"scenes": [{"image_filename": "a.png", "objects": [1, 2, 3]}, '
               b'{"image_filename": "b.png", "objects": [1]}]}', "images/train/a.png": PIXEL}),
    ("memes", {"train.jsonl": b'{"img": "img/1.png", "label": 1}\n{"img": "img/2.png", "label": 0}\n',
               "img/1.png": PIXEL, "img/2.png": PIXEL}),
    ("tiny", {"wnids.txt": b"n1\nn2\n", "val/val_annotations.txt": b"0.JPEG\tn2\t0\t0\t1\t1\n",
              "val/images/0.JPEG": PIXEL, "train/n1/images/1.JPEG": PIXEL,
              "train/n2/images/2.JPEG": PIXEL}),
    ("places", {"categories_places365.txt": b"/a/b 0\n/c 1\n", "places365_val.txt": b"1.jpg 1\n2.jpg 0",
                "val_256/1.jpg": PIXEL, "val_256/2.jpg": PIXEL}),
    # no whole .mat or .h5 file: libmatio and libhdf5, which bound nothing, would be fuzzed
    ("flowers", {"imagelabels.mat": b"MATLAB", "setid.mat": b"MATLAB", "jpg/image_00001.jpg": PIXEL}),
    ("cars", {"devkit/cars_meta.mat": b"MATLAB"}),
    ("svhn", {"test_32x32.mat": b"MATLAB"}),
    ("mnist", {"train-images-idx3-ubyte": bytes.fromhex("00000803000000020000000100000002") + b"1234",
               "train-labels-idx1-ubyte": bytes.fromhex("00000801000000020107"),
               "t10k-labels-idx1-ubyte": b""}),
    ("fashion", {"t10k-labels-idx1-ubyte.gz": gzip.compress(bytes.fromhex("000008010000000103"), mtime=0),
                 "t10k-images-idx3-ubyte": bytes.fromhex("000008030000000100000001000000011f")}),
    ("fer2013", {"fer2013.csv": b"emotion,pixels,Usage\n0,1 2 3,Training\n6,"
                 + b"7 " * 2304 + b",PublicTest\n"}),
    ("cifar-10", {"cifar-10-batches-py/data_batch_1": cifar_batch([b"labels"]),
                  "cifar-10-batches-py/batches.meta": cifar_names(b"label_names", 10)}),
    ("cifar-100", {"cifar-100-python/train": cifar_batch([b"fine_labels", b"coarse_labels"])}),
    ("stl-10", {"train_X.bin": bytes(27648), "train_y.bin": b"\1"}),
    ("kitti", {"mapping/train_mapping.txt": b"d a 0\nd b 0\nd c 0\n",
               "mapping/train_rand.txt": b"3, 1,2\n", "training/image_2/000000.png": PIXEL,
               "training/image_2/000001.png": PIXEL, "training/image_2/000002.png": PIXEL,
               **{"training/label_2/%06d.txt" % i: b"Car 0 0 0 0 0 0 0 0 0 0 0 0 9.5 0\n"
                  for i in range(3)}}),
    ("imagenet", {"train/n1/1.JPEG": PIXEL, "train/n2/2.JPEG": PIXEL, "val/v1.JPEG": PIXEL,
                  "val/v2.JPEG": PIXEL, "LOC_synset_mapping.txt": b"n1 one\nn2 two, zwei\n",
                  "LOC_val_solution.csv": b"ImageId,PredictionString\nv1,n2 1 2 3\nv2,n1\n"}),
    ("voc", {**{"JPEGImages/%d.jpg" % i: PIXEL for i in range(3)}, "ImageSets/Main/train.txt": b"0\n1\n2\n",
             **{"ImageSets/Main/%s_train.txt" % c: b"0  %d\n1 %d\n2 1\n" % (i % 3 - 1, i % 2) for i, c in enumerate(
                 "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse "
                 "motorbike person pottedplant sheep sofa train tvmonitor".split())}}),
    ("pcam", {"camelyonpatch_level_2_split_test_x.h5.gz": gzip.compress(b"\x89HDF\r\n\x1a\n", mtime=0)}),
    ("folder", {"train/a/1.jpg": PIXEL, "train/b/2.gif": PIXEL, "val/b/3.png": PIXEL}),
]


def put_data_sets():
    """Each as the table has it, its test part with broken files skipped."""
    for number, (name, files) in enumerate(SETS):
        body = b"".join(chunk(n.encode()) + chunk(c) for n, c in files.items())
        put("data_set", name, bytes([number if name != "folder" else 255, 0]) + body)
        if name in ("gtsrb", "tiny", "places", "fashion", "imagenet", "pcam"):
            put("data_set", name + "-test", bytes([number, 5]) + body)
    members = [("1.png", PIXEL), ("1.cls", b"1"), ("x/2.b.txt", b""), ("x/2.jpg", PIXEL),
               ("x/2.json", b'{"label": 0}'), ("README", b"")]
    for skip, name in enumerate(("shard", "shard-skip")):
        body = b"".join(chunk(n.encode()) + chunk(c) for n, c in members[skip:])
        put("data_set", name, bytes([253, 4 * skip]) + body)
    put("data_set", "table", b"\xfe\0path,label,split\n1.pgm,a,train\n2.pgm,\"b, c\",train\n")
    put("data_set", "table-seed", b"\xfe\x01" b"1.pgm,10\n2.pgm,9\n./1.pgm,9\n./2.pgm,10\n")
    put("picture", "ppm", b"P6 2 1 255\n\1\2\3\4\5\6")
    put("picture", "pgm-plain", b"P2 # text\n2 1 9\n3 4\n")
    put("picture", "pbm", b"P4 9 1\n\xaa\x80")
    put("picture", "bmp", bytes.fromhex(
        "424d460000000000000036000000280000000200000002000000010018000000000010000000130b0000130b0000"
        "0000000000000000") + bytes(range(16)))
    put("picture", "bmp-palette", bytes.fromhex(
        "424d4600000000000000360000002800000002000000020000000100010000000000080000000000000000000000"
        "0200000002000000") + bytes(range(16)))
    put("picture", "gif", bytes.fromhex(
        "47494638396102000100800000000000ffffff21f90401000001002c00000000020001000002028c0a003b"))
    put("picture", "webp", bytes.fromhex(
        "524946461a000000574542505650384c0d0000002f00000010071011118888fe0700"))


DESCRIBED = (
    "timm-convnext", "timm-swin", "torchvision-swin", "swinv2", "swinv2_tiny_window8_256",
    "tf_efficientnet_b0", "timm-regnet", "timm-bit", "timm-resnetv2", "timm-resnetd", "dinov3", "eva",
    "pe-core", "beit", "timm-aimv2",
)


def put_families():
    """Places of an encoder in a file, and configs."""
    dino = family_lines(os.path.join(GOLDEN, "families", "dino.safetensors"))
    heads = b"state.fc.weight 3 24\nqueue 8 3\noptimizer.state.0.exp_avg 24 24\n"
    both = at("state.teacher.backbone.", dino) + at("state.student.module.", dino) + heads
    put_family("two-encoders", 0x80, both)
    put_family("two-encoders-select", 0x80, both, more=2)
    put_family("top-and-ema", 0x80, dino + at("ema.", dino), more=1)
    put_family("wraps-collide", 0x80, dino + at("module.", dino), more=3)
    chunks = dino.replace(b"blocks.0.", b"blocks.0.0.").replace(b"blocks.1.", b"blocks.0.1.")
    put_family("chunks", 0x80, at("a.", chunks), more=4)
    put_family("chunks-collide", 0x80, chunks + at("", dino))
    put_family("resize-crop", 0x80, dino, more=0x80 | 4 << 3)
    put_family("unknown-parts", 0x80, dino + b"rope.freqs 3\nx.0 2 2 2 2\nblocks.0.attn.q_norm.w 3\n")
    put_family("flat", 0, b"model.teacher._flat_param 99\n")
    put_family("many-places", 0, b"".join(b"%d.patch_embed.proj.weight 8 3 4 4\n" % i
                                          for i in range(140)))
    put_family("nested-places", 0, b"".join(b"a." * i + b"class_embedding 8\n" for i in range(40)))
    hf = family_lines(os.path.join(GOLDEN, "families", "hf-vit.safetensors"))
    config = dict(model_type="vit", hidden_size=24, num_hidden_layers=2, patch_size=5,
                  num_attention_heads=2)
    processors = [dict(image_processor_type="DeiTImageProcessor", size=20, crop_size=15),
                  dict(image_processor_type="ConvNextImageProcessor", crop_pct=0.75,
                       size=dict(shortest_edge=15), do_normalize=False),
                  dict(image_processor_type="ViTImageProcessorFast", size=15, do_rescale=False),
                  dict(size=15, image_mean=0.5, image_std=[0.5, 0.5, 0.5], rescale_factor=0.01)]
    for i, processor in enumerate(processors):
        put_family("processor-%d" % i, 0, hf, config=config,
                   processor_config=dict(image_processor=processor))
        put_family("preprocessor-%d" % i, 0, hf, config=config, preprocessor_config=processor)
    timm = dict(architecture="vit_small_patch5_15", num_features=24, global_pool="token",
                model_args=dict(num_heads=2, act_layer="gelu_tanh", img_size=15, global_pool="avg"),
                input_size=[3, 15, 15], mean=0.5, std=0.5)
    put_family("timm-arguments", 0, dino, config=timm)
    for name in DESCRIBED:  # at 32 pixels; transformers with one head
        lines = family_lines(os.path.join(GOLDEN, "families", name + ".safetensors"))
        put_family("net-" + name, 0xc0 if "blocks.0.attn.proj" in lines.decode() else 0x40, lines)
    for name, choice in (("cait", 0), ("xcit", 0x40), ("timm-hiera-abswin", 0xc0)):
        lines = family_lines(os.path.join(GOLDEN, "families", name + ".safetensors"))
        put_family("net-" + name, choice, lines)
    hiera = family_lines(os.path.join(GOLDEN, "families", "hf-hiera.safetensors"))
    put_family("hf-hiera-config", 0, hiera, config=dict(
        model_type="hiera", embed_dim=8, depths=[1, 2, 2, 1], num_heads=[1, 2, 4, 8],
        masked_unit_size=[8, 8], masked_unit_attention=[True, True, False, False]))
    clip = family_lines(os.path.join(GOLDEN, "families", "clipa.safetensors"))
    vision = dict(width=24, layers=2, head_width=12, pool_type="avg", final_ln_after_pool=True,
                  act_kwargs=dict(approximate="tanh"), norm_kwargs=dict(eps=1e-6))
    put_family("clipa-config", 0, clip,
               open_clip_config=dict(model_cfg=dict(vision_cfg=vision),
                                     preprocess_cfg=dict(size=15, resize_mode="squash")))
    resnet = family_lines(os.path.join(GOLDEN, "families", "hf-resnet.safetensors"))
    put_family("hf-resnet-config", 0, resnet,
               config=dict(model_type="resnet", hidden_sizes=[8, 16, 32, 64]))


def png(kind, depth, channels, side=9, interlaced=0, extra=()):
    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    row = (side * channels * depth + 7) // 8
    pixels = b"".join(bytes([y % 5]) + bytes((7 * y + 5 * x) % 256 for x in range(row)) for y in range(side))
    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", side, side, depth, kind, 0, 0, interlaced))
            + b"".join(part(*e) for e in extra) + part(b"IDAT", zlib.compress(pixels, 9)) + part(b"IEND", b""))


def main():
    put("picture", "rgb", png(2, 8, 3))
    put("picture", "rgba", png(6, 8, 4))
    put("picture", "grey16", png(0, 16, 1))
    put("picture", "bits", png(0, 1, 1))
    put("picture", "palette", png(3, 4, 1, extra=[(b"PLTE", bytes(range(48))), (b"tRNS", bytes(16))]))
    put("picture", "bomb", png(2, 8, 3)[:16] + struct.pack(">II", 60000, 60000) + png(2, 8, 3)[24:])
    for name, data in PICKLES.items():
        put("pickle", name, data)
        put("torch", name, chunk(data) + chunk(DATA) + DATA)
    members = [("a/data.pkl", PICKLES["plain"]), ("a/data/0", DATA), ("a/data/1", DATA)]
    put("checkpoint", "torch", zipped(members))
    put("checkpoint", "deflated", zipped(members, zipfile.ZIP_DEFLATED))
    put("checkpoint", "twice", zipped(members[:1] + [("a/data/0", DATA)] * 2))
    put("checkpoint", "overlapping", overlapping("a/data/1", DATA * 20))
    for name in ("bomb", "circle", "deep", "negative", "huge", "stride", "long-name", "long-key", "system"):
        put("checkpoint", "pickle-" + name, zipped([("a/data.pkl", PICKLES[name])] + members[1:]))
    put("checkpoint", "bomb", zipped([members[0], ("a/data/0", bytes(1 << 20))],
                                     zipfile.ZIP_DEFLATED))
    kernel = npy("<f4", (2, 3), DATA[:24])
    put("checkpoint", "arrays", zipped([("a/kernel.npy", kernel), ("out/kernel.npy", ROWS)]))
    put("checkpoint", "dill", dilled())
    put("pickle", "dill", dilled())
    put("checkpoint", "legacy", legacy())
    put("checkpoint", "legacy-module", legacy_module())
    put("checkpoint", "legacy-protocol1", legacy(b"L119547037146038801333356L\n.", b"M\xe9\x03."))
    put("checkpoint", "safetensors", safetensors(SAFETENSORS["plain"]))
    for name, pair in SAFETENSORS.items():
        put("safetensors", name, chunk(pair[0]) + pair[1])

    put("json", "object", b'{"a": [1, 2.5e-3, true, null, "\\u00e9\\n"], "b": {"c": -0.0}, "d": "x"}')
    put("json", "twice", b'{"a": 1, "a": 2}')
    put("json", "deep", b"[" * 3000)
    put("json", "surrogate", b'["\\ud834\\udd1e", "\\ud834", "\xff"]')

    arrays = {
        "f4": ROWS,
        "f2": npy("<f2", (2, 2), bytes(8), version=2),
        "f8": npy(">f8", (2,), bytes(16), version=3),
        "i2": npy(">i2", (2, 1, 3), bytes(12)),
        "u8": npy("<u8", (1,), b"\xff" * 8),
        "bool": npy("|b1", (3,), b"\x00\x01\x02"),
        "fortran": npy("<f4", (4, 3), DATA, fortran=True),
        "huge": npy("<f4", (2**62, 2**62), b""),
        "negative": npy("<f4", (-4, 3), DATA),
        "empty": npy("<f4", (0, 3), b""),
        "names": npy("<U3", (2,), b"".join(c.to_bytes(4, "little") for c in (97, 233, 0, 98, 0, 0))),
        "bytes": npy("|S4", (2, 1), b"dog\0cat\0"),
    }
    for name, data in arrays.items():
        put("npy", name, data)
    put("features", "folder", b"\x02" + chunk(META) + chunk(LABELS) + ROWS)
    put("features", "bare", b"\x02" + chunk(b"") + chunk(LABELS) + arrays["fortran"])
    put("features", "nan", b"\x02" + chunk(b"") + chunk(LABELS)
        + npy("<f4", (4, 3), DATA[:-4] + struct.pack("<f", float("nan"))))
    marks = npy("|i1", (4, 3), bytes([1, 0, 255, 0, 1, 1, 1, 1, 0, 0, 0, 0]))
    put("features", "marks", b"\x02" + chunk(b"") + chunk(marks) + ROWS)
    put("features", "libsvm", b"\0+1 1:0.5 3:-2e-1\n-1 2:3 # x\n")
    put("features", "libsvm-zero", b"\0" b"0 0:1\n2 3:1e30")
    put("features", "safetensors", b"\0" + safetensors((json.dumps({
        "features": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
        "labels": {"dtype": "I32", "shape": [2], "data_offsets": [16, 24]}}).encode(),
        struct.pack("<4f2i", 1, 2, 3, 4, 0, 1))))
    put("features", "torch", b"\0" + zipped([("a/data.pkl", program(dictionary([
        ("features", tensor(storage("FloatStorage", "0", 6), 0, (2, 2), (2, 1))),
        ("labels", tensor(storage("FloatStorage", "0", 6), 4, (2,), (1,)))]))),
        ("a/data/0", struct.pack("<6f", 1, 2, 3, 4, 0, 1))]))
    put("features", "stored", b"\x01" + chunk(LABELS) + ROWS)
    put("features", "npz", b"\x00" + zipped([("features.npy", ROWS), ("labels.npy", LABELS)],
                                            zipfile.ZIP_DEFLATED))

    probe = json.dumps({"format": "linprobe probe", "dtype": "<f8", "classes": 2, "width": 3,
                        "meta": {"C": 1}}).encode()
    put("probe", "values", b"\x01" + chunk(probe) + struct.pack("<8d", *range(8)))
    put("probe", "absent", b"\x01" + chunk(probe) + struct.pack("<8d", *[float("-inf")] * 8))
    put("probe", "huge", b"\x01" + chunk(probe.replace(b'"width": 3', b'"width": 2305843009213693951')))
    rows = probe.replace(b'"width": 3', b'"width": 3, "rows": 2')
    put("probe", "rows", b"\x01" + chunk(rows) + struct.pack("<8d2Q", *range(8), 5, 7))
    put("probe", "disordered", b"\x01" + chunk(rows) + struct.pack("<8d2Q", *range(8), 7, 5))
    body = b"LPPROBE1" + struct.pack("<Q", len(probe)) + probe + bytes(64)
    put("probe", "whole", b"\x00" + body + hashlib.sha256(body).hexdigest().encode())

    put("dataset", "records", b"\x00" + RECORDS)
    put("dataset", "coarse", b"\x02" + RECORDS[:3074])
    put("dataset", "partial", b"\x00" + RECORDS[:3100])
    put("dataset", "label", b"\x00" + b"\x00\x64" + PIXELS)
    put("dataset", "names", b"\x04" + chunk(RECORDS[:3074]) + NAMES)
    put("dataset", "tar_gz", b"\x08" + tar_gz([("cifar-100-binary/test.bin", RECORDS),
                                               ("cifar-100-binary/fine_label_names.txt", NAMES)]))
    put("dataset", "tar", b"\x0c" + b"\x01" + chunk(RECORDS[:3074]) + b"\x07" + chunk(b"x"))
    put("dataset", "link", b"\x0c" + bytes([1 + 2 * 16]) + chunk(b""))
    put("dataset", "ten", b"\x0c" + b"\x05" + chunk(b"\x07" + PIXELS))

    labels, ten = b"\x01\x0a", "".join("n%d\n" % i for i in range(10)).encode()
    put("dataset", "stl", b"\x10" + chunk(labels) + chunk(ten) + b"\x02" + PIXELS)
    put("dataset", "stl-train-single", b"\x15" + chunk(labels[:1]) + chunk(b"") + b"\x01" + PIXELS)
    put("dataset", "stl-label-zero", b"\x10" + chunk(b"\x01\x00") + chunk(ten) + b"\x02")
    put("dataset", "stl-few-labels", b"\x10" + chunk(labels) + chunk(ten) + b"\x03")
    put("dataset", "stl-tar", b"\x0c" + b"\x0a" + chunk(bytes(27648)) + b"\x0b" + chunk(labels[:1]) +
        b"\x0c" + chunk(ten))

    put_data_sets()

    parts = [header([("a", "F32", 4, [2, 3])]), header([("b", "BF16", 2, [4]), ("c", "I64", 8, [])])]
    def index(**where):
        return chunk(json.dumps({"metadata": {"total_size": 40}, "weight_map": where}).encode())

    both = b"".join(b"\x01" + chunk(h) for h, _ in parts)
    two = dict(a="a.safetensors", b="b.safetensors", c="b.safetensors")
    whole = b"".join(chunk(safetensors(part)) for part in parts)
    put("shards", "whole", b"\x06" + index(**two) + whole)
    put("shards", "folder", b"\x07" + index(**two) + whole)
    put("shards", "headers", b"\x00" + index(**two) + both)
    put("shards", "elsewhere", b"\x06" + index(**dict(two, a="b.safetensors")) + whole)
    put("shards", "more", b"\x06" + index(**dict(two, d="b.safetensors")) + whole)
    put("shards", "fewer", b"\x06" + index(a="a.safetensors", b="b.safetensors") + whole)
    put("shards", "twice", b"\x06" + index(**two) + chunk(safetensors(parts[1])) * 2)
    put("shards", "missing", b"\x06" + index(**two) + chunk(safetensors(parts[0])) + chunk(b""))
    put("shards", "outside", b"\x06" + index(a="../a.safetensors"))
    put("shards", "itself", b"\x06" + index(a="model.safetensors.index.json"))
    put("shards", "torch", b"\x06" + index(**{"conv1.weight": "a.safetensors", "b": "b.safetensors",
                                            "transposed": "a.safetensors", "scalar": "a.safetensors",
                                            "c": "b.safetensors"}) +
        chunk(zipped(members)) + chunk(safetensors(parts[1])))

    put_bundles()

    # one head; GELU where it is asked for
    for name in sorted(os.listdir(os.path.join(GOLDEN, "families"))):
        if name.endswith(".safetensors") and "features" not in name:
            lines = family_lines(os.path.join(GOLDEN, "families", name))
            choice = 0 if "resnet" in name else 0x81 if "clip" in name else 0x80
            put_family(name[:-len(".safetensors")], choice, lines)
    lines = family_lines(os.path.join(GOLDEN, "families", "hf-clip.safetensors"))
    config = dict(model_type="clip_vision_model", hidden_size=24, num_hidden_layers=2, patch_size=5,
                  num_attention_heads=2, hidden_act="gelu", layer_norm_eps=1e-6)
    preprocessor = dict(size=dict(shortest_edge=20), crop_size=15, resample=1,
                        image_mean=[0, 0, 0], image_std=[1, 1, 1])
    put_family("hf-clip-configs", 0, lines, config=config, preprocessor_config=preprocessor)
    lines = family_lines(os.path.join(GOLDEN, "families", "clip-vit.safetensors"))
    config = dict(model_cfg=dict(quick_gelu=True,
                                 vision_cfg=dict(width=24, layers=2, head_width=12)),
                  preprocess_cfg=dict(mean=[0, 0, 0], std=[1, 1, 1], resize_mode="squash"))
    put_family("open-clip-config", 0, lines, open_clip_config=config)
    lines = family_lines(os.path.join(GOLDEN, "families", "timm-clip.safetensors"))
    config = dict(architecture="vit_patch5_clip_quickgelu", num_features=24, global_pool="avg",
                  pretrained_cfg=dict(input_size=[3, 15, 15], crop_pct=0.75, mean=[0, 0, 0],
                                      std=[1, 1, 1], crop_mode="squash"))
    put_family("timm-config", 0x80, lines, config=config)
    put_families()

    for name in ("type0-depth16.png", "type2-depth8-interlaced.png", "type3-depth4.png",
                 "type6-depth8.png", "baseline-420.jpg", "progressive.jpg", "restarts.jpg",
                 "cmyk.jpg"):
        with open(os.path.join(GOLDEN, "image_file", name), "rb") as file:
            put("picture", name, file.read())

    for name in sorted(os.listdir(os.path.join(GOLDEN, "encoder"))):
        if name.endswith(".safetensors") and "activations" not in name:
            lines = family_lines(os.path.join(GOLDEN, "encoder", name))
            put_family(name[:-len(".safetensors")], 0, lines)
            lines = family_lines(os.path.join(GOLDEN, "encoder", name), 16)
            put_family(name[:-len(".safetensors")] + "-tiny", 0x80, lines)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The image encoders beside PyTorch and OpenVINO, and what stands before them beside Pillow, in one run.

usage: bench_encoder.py [--build build] [--models ViT-B-32,ViT-B-16,ViT-L-14,RN50,ConvNeXt-B,Swin-B,EfficientNet-B4] [--threads 1,2]
                        [--kinds float32,bfloat16,int16,int8,avx2] [--peers pytorch,openvino]
                        [--rounds R] [--seconds S] [--compile] [--no-start] [--out results/bench/encoder] [--add]

Images a second: all sides are processes that take turns, R rounds of about S seconds each; medians,
and the ratios of the medians.  Of a shared machine, images for each second of processors' time
(all threads of a process, also those that wait by spinning) say more than those of the clock.
PyTorch runs in the best of its ways and batches, OpenVINO with a stream a thread in the best of its
batches (bench_encoder_peer.py), linprobe in the one way that the program uses.  No preprocessing.
Kinds: float32; bfloat16, all sides; int16 and int8, linprobe alone; avx2: float32 without 512-bit registers,
all sides (a peer that cannot be held to it is left out).

Shares: of the most multiply-adds that a loop in registers does in the same process, on as many threads
at once, and of OpenBLAS's product of two square matrices, float32.  The peers' operations are those
of the whole forward pass; linprobe's those that it does (its last block's for the class token alone, a
Winograd convolution's fewer products), so its shares say how well it uses the processor, not how fast it is.

Loading, start-up and memory: on each number of threads, linprobe and PyTorch on the same, the file in the
page cache, R rounds.  Start-up is from the process's start to an encoder ready for its first batch;
linprobe's also opens the data set, and finds the file's SHA-256 (from the second round on
remembered in its cache).  Peak memory: with one batch computed, and
linprobe's with the scratch memory of every thread.  PyTorch is as lean here as it can be.

Preprocessing: from a file's bytes in memory to the encoder's input as CLIP does it, one thread, the same
values asserted; 32 x 32 pixels as of CIFAR, and a JPEG file of a photograph's size.  Pillow is timed
up to the bytes of the crop, so it does less than the other two.

What a peer is missing for is said and left out.  --out writes OUT.json, OUT.md and OUT.png after each
row.  --add keeps the rows that OUT.json has, but for those that are measured again, so that the whole may
be made in parts; each part says when and where it was measured, and what of it stands here.
"""
import argparse
import importlib.metadata
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

from bench_encoder_peer import TIMM
from prose import wrap

PEER = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "bench_encoder_peer.py")]
PEERS = {"pytorch": "PyTorch", "openvino": "OpenVINO"}
# A kind of run: the precision, and whether the peers take part.
KINDS = {"float32": ("float32", True), "bfloat16": ("bfloat16", True), "int16": ("int16", False), "int8": ("int8", False),
         "avx2": ("float32", True)}
MODELS = ("ViT-B-32", "ViT-B-16", "ViT-L-14", "RN50", "ConvNeXt-B", "Swin-B", "EfficientNet-B4")
CONVOLUTIONS = ("RN", "EfficientNet")  # linprobe has no 8 bits of these
# What holds each side's libraries to 256-bit registers.
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}


class Worker:
    """A process that says what it is, then answers the lines it is given."""

    def __init__(self, command, environment=None):
        start = time.perf_counter()
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True,
                                        env={**os.environ, **(environment or {})})
        self.said, self.tried = {}, []
        for line in self.process.stdout:
            name, _, value = line.strip().partition(" ")
            if name == "ready":
                break
            if name == "tried":
                self.tried.append(value)
            else:
                self.said[name] = value
        else:
            self.errors.seek(0)
            sys.exit(f"{' '.join(map(str, command))} ended:\n{self.errors.read()[-2000:]}")
        self.started = time.perf_counter() - start

    def ask(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        numbers = [float(word) for word in self.process.stdout.readline().split()[1:]]
        return numbers[0] if len(numbers) == 1 else numbers

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
        self.errors.close()


def in_turns(workers, rounds, line):
    """{name: [answer of each round]}"""
    answers = {name: [] for name in workers}
    for _ in range(rounds):
        for name, worker in workers.items():
            answers[name].append(worker.ask(line))
    return answers


def tell(text):
    print(text, file=sys.stderr, flush=True)


# ---- images a second

def sides_of(a, model, threads, kind, weights):
    """{name: worker}; linprobe, then the peers that are here and can do it."""
    precision, beside = KINDS[kind]
    held = AVX2 if kind == "avx2" else {}
    own = [a.build + "/bench/bench_encoder", weights["path"], threads]
    own += [precision] if precision != "float32" else []
    workers = {"linprobe": Worker(own + (["avx2"] if held else []), held)}
    if beside and "pytorch" in a.peers:
        workers["pytorch"] = Worker(PEER + ["run", model, weights["path"], threads, precision, int(a.compile)], held)
        if held and workers["pytorch"].said["registers"] != "AVX2":
            sys.exit("PyTorch does not say that it is held to AVX2")
    if beside and "openvino" in a.peers:
        workers["openvino"] = Worker(PEER + ["openvino", model, weights["path"], threads, precision], held)
    return workers


def check_held(row):
    """A peer that does more multiply-adds than 256-bit registers can was not held to them."""
    for name, side in list(row["sides"].items()):
        if name != "linprobe" and row["fma_gflops"] and side["per_cpu_second"] * row["gflop"] > 1.05 * row["fma_gflops"]:
            tell(f"{row['model']}: {name} is not held to AVX2; left out")
            del row["sides"][name]


def measure(a, model, threads, kind, weights):
    workers = sides_of(a, model, threads, kind, weights)
    said = workers["linprobe"].said
    if said["input"] != weights["input"]:
        sys.exit(f"{model}: linprobe's images have {said['input']} pixels a side, the peers' {weights['input']}")
    for worker in workers.values():
        worker.ask(0.5)
    rates = in_turns(workers, a.rounds, a.seconds)
    row = {"model": model, "threads": threads, "kind": kind, "batch": int(said["batch"]),
           "gflop": weights["operations"] * 1e-9, "rates": rates, "sides": {}}
    row["resident_mb"] = int(said["resident_mb"]) if "resident_mb" in said else None
    row["gflop_done"] = (float(said["operations"]) or weights["operations"]) * 1e-9
    for name in ("fma_gflops", "gemm_gflops", "square_gflops"):
        row[name] = float(said[name]) if name in said else None
    for name, worker in workers.items():
        worker.end()
        side = {key: worker.said[key] for key in ("way", "kernels") if key in worker.said}
        side["tried"] = worker.tried
        side["rate"] = statistics.median(rate for rate, _ in rates[name])
        side["per_cpu_second"] = statistics.median(rate for _, rate in rates[name])
        row["sides"][name] = side
    if kind == "avx2":
        check_held(row)
    tell(f"{model}, {threads}, {kind}: " + "; ".join(
        f"{name} {s['rate']:.2f} images/s, {s['per_cpu_second']:.2f} a processor second ({s.get('way', '')})"
        for name, s in row["sides"].items()))
    return row


def rate_table(rows):
    names = ["linprobe"] + [name for name in PEERS if any(name in r["sides"] for r in rows)]
    titles = {"linprobe": "linprobe", **PEERS}
    yield ("| model | threads | kind | linprobe's memory, MB | " + " | ".join(f"{titles[n]}, images/s | a processor second" for n in names) +
           " | " + " | ".join(f"ratio to {titles[n]}" for n in names[1:]) + " | " +
           " | ".join(f"{titles[n]}'s way, batch" for n in names[1:]) + " |")
    yield "|---|---:|---|---:|" + "---:|" * (2 * len(names)) + "---:|" * len(names[1:]) + "---|" * len(names[1:])
    for r in rows:
        sides = [r["sides"].get(n) for n in names]
        cells = [f"{s['rate']:.2f} | {s['per_cpu_second']:.2f}" if s else " | " for s in sides]
        cells += [f"{sides[0]['per_cpu_second'] / s['per_cpu_second']:.2f}" if s else "" for s in sides[1:]]
        cells += [s["way"] if s else "" for s in sides[1:]]
        yield (f"| {r['model']} | {r['threads']} | {r['kind']} | {r['resident_mb'] or 'not measured'} | " +
               " | ".join(cells) + " |")


def share_table(rows):
    """Shares, of float32 alone: the loop in registers and OpenBLAS are of float32."""
    def share(side, gflop, rate):
        return f"{side['per_cpu_second'] * gflop / rate:.0%}" if side and rate else "not measured"
    yield ("| model | threads | kind | multiply-adds in registers, GFLOP/s a thread | OpenBLAS | linprobe's share of "
           "the first | of the second | PyTorch's | | OpenVINO's | |")
    yield "|---|---:|---|" + "---:|" * 8
    for r in rows:
        if KINDS[r["kind"]][0] == "float32":
            cells = [f"{share(r['sides'].get(name), gflop, r['fma_gflops'])} | "
                     f"{share(r['sides'].get(name), gflop, r['square_gflops'])}"
                     for name, gflop in (("linprobe", r["gflop_done"]), ("pytorch", r["gflop"]),
                                         ("openvino", r["gflop"]))]
            yield (f"| {r['model']} | {r['threads']} | {r['kind']} | {r['fma_gflops'] or 'not measured'} | "
                   f"{r['square_gflops']} | " + " | ".join(cells) + " |")


# ---- loading, start-up, memory

def our_start(a, threads, weights, image, folder):
    """Start-up: a whole extraction of one image, without the time that it says it took itself, and without what
    the bare program takes to start and end."""
    out = os.path.join(folder, "set")
    subprocess.run(["rm", "-rf", out], check=True)
    command = [a.build + "/linprobe", "extract", "--model", weights["path"], "--data", image, "--split", "test",
               "--out", out, "--threads", str(threads), "--format", "json"]
    command += ["--activation", "quick_gelu"] if "ViT" in weights["path"] else []
    start = time.perf_counter()
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return time.perf_counter() - start - json.loads(said)[0]["seconds"]


def measure_start(a, model, threads, weights, folder):
    image = os.path.join(folder, "image.bin")
    with open(image, "wb") as file:
        file.write(bytes(3074))
    started = {"linprobe": [], "pytorch": []}
    for last in [False] * (a.rounds - 1) + [True]:
        started["linprobe"].append(our_start(a, threads, weights, image, folder))
        theirs = Worker(PEER + ["start", model, weights["path"], threads])
        started["pytorch"].append(theirs.started)
        if not last:
            theirs.end()
    ours = Worker([a.build + "/bench/bench_encoder", weights["path"], threads])
    row = {"model": model, "threads": threads, "weights_mb": int(ours.said["parameters"]) * 4 / 2**20,
           "peak_mb": int(ours.said["peak_mb"]), "pytorch_peak_mb": theirs.ask("batch")}
    loads = in_turns({"linprobe": ours, "pytorch": theirs}, a.rounds, "load")
    ours.end()
    theirs.end()
    for name, times in (("start_seconds", started), ("load_seconds", loads)):
        row[name] = statistics.median(times["linprobe"])
        row["pytorch_" + name] = statistics.median(times["pytorch"])
        row["all_" + name] = times
    tell(f"{model}, {threads}: start {row['start_seconds']:.2f} and {row['pytorch_start_seconds']:.2f} s, load "
         f"{row['load_seconds']:.2f} and {row['pytorch_load_seconds']:.2f} s, peak {row['peak_mb']} and "
         f"{row['pytorch_peak_mb']:.0f} MB")
    return row


def start_table(rows):
    yield ("| model | threads | start-up, s | PyTorch's | load, s | PyTorch's | peak MB | of them weights | above "
           "them | PyTorch's peak |")
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for r in rows:
        yield (f"| {r['model']} | {r['threads']} | {r['start_seconds']:.2f} | {r['pytorch_start_seconds']:.2f} | "
               f"{r['load_seconds']:.2f} | {r['pytorch_load_seconds']:.2f} | {r['peak_mb']} | "
               f"{r['weights_mb']:.0f} | {r['peak_mb'] - r['weights_mb']:.0f} | {r['pytorch_peak_mb']:.0f} |")


# ---- preprocessing

def draw_images(folder):
    """[(what, path)]: CIFAR's size, and a JPEG file that looks like a photograph to a decoder."""
    import numpy as np
    from PIL import Image
    rng = np.random.default_rng(0)
    small, photo = os.path.join(folder, "small.rgb"), os.path.join(folder, "photo.jpg")
    rng.integers(0, 256, (32, 32, 3), dtype=np.uint8).tofile(small)
    values = np.zeros((375, 500, 3))
    for size in (4, 16, 64, 256):  # noise that falls with the frequency
        noise = rng.normal(size=(size * 3 // 4, size, 3))
        for c in range(3):
            layer = Image.fromarray(noise[:, :, c].astype(np.float32))
            values[:, :, c] += np.asarray(layer.resize((500, 375), Image.Resampling.BICUBIC)) * 100 / size ** 0.5
    Image.fromarray(np.clip(values + 128, 0, 255).astype(np.uint8)).save(photo, quality=90)
    return [("32 x 32 pixels", small), (f"JPEG, 500 x 375, {os.path.getsize(photo) // 1000} kB", photo)]


def measure_images(a, folder):
    missing = [name for name in ("numpy", "PIL") if importlib.util.find_spec(name) is None]
    if missing:
        tell(f"preprocessing: no {missing[0]}: nothing to compare with")
        return []
    ways = ["pillow"] + (["torchvision"] if importlib.util.find_spec("torchvision") else [])
    rows = []
    for what, path in draw_images(folder):
        outs = {way: os.path.join(folder, way + ".f4") for way in ["linprobe"] + ways}
        workers = {"linprobe": Worker([a.build + "/bench/bench_images", path, 224, outs["linprobe"]])}
        for way in ways:
            workers[way] = Worker(PEER + ["images", path, 224, outs[way], way])
            with open(outs["linprobe"], "rb") as ours, open(outs[way], "rb") as theirs:
                if ours.read() != theirs.read():
                    sys.exit(f"{what}: linprobe's input differs from that of {way}")
        rates = in_turns(workers, a.rounds, min(a.seconds, 1.0))
        row = {"what": what, "rates": rates, "versions": [workers[way].said["version"] for way in ways]}
        for name, worker in workers.items():
            worker.end()
            row[name] = statistics.median(rate if name == "linprobe" else rate[0] for rate in rates[name])
        tell(f"{what}: " + ", ".join(f"{name} {row[name]:.0f}" for name in workers) + " images/s")
        rows.append(row)
    return rows


def image_table(rows):
    yield "| from | linprobe, images/s | ms | Pillow alone, images/s | ratio | torchvision, images/s | ratio |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for r in rows:
        usual = (f"{r['torchvision']:.0f} | {r['linprobe'] / r['torchvision']:.1f}" if "torchvision" in r
                 else "not here | ")
        yield (f"| {r['what']} | {r['linprobe']:.0f} | {1e3 / r['linprobe']:.2f} | {r['pillow']:.0f} | "
               f"{r['linprobe'] / r['pillow']:.1f} | {usual} |")


# ---- all

def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return "an unknown processor"


def versions_of(a):
    """Of what makes the models and of the peers; empty where the encoders have nothing to run on."""
    versions = []
    for module in ("torch", "open_clip") + (("timm",) if any(m in TIMM for m in a.models.split(",")) else ()):
        if importlib.util.find_spec(module) is None:
            tell(f"no {module}: the encoders' weights cannot be made")
            return []
        versions.append(f"{module} {importlib.import_module(module).__version__}")
    if "openvino" in a.peers and importlib.util.find_spec("openvino") is None:
        tell("no openvino: left out")
        a.peers.remove("openvino")
    elif "openvino" in a.peers:
        versions.append(f"openvino {importlib.metadata.version('openvino')}")
    return versions


def parts_of(found):
    """A line for each part that measured what stands here: where, with what and when; and what it measured."""
    parts = {}
    for row in found["rows"] + found["start"]:
        lists = parts.setdefault(row["measured"], {}).setdefault(row["model"], ([], []))
        for values, value in zip(lists, (str(row["threads"]), row.get("kind", "loading"))):
            values += [value] if value not in values else []
    for row in found["preprocessing"]:
        parts.setdefault(row["measured"], {}).setdefault("preprocessing", ([], []))
    for part, models in parts.items():
        alike = {}
        for model, (threads, kinds) in models.items():
            alike.setdefault((", ".join(threads), ", ".join(kinds)), []).append(model)
        yield f"{part}: " + "; ".join(", ".join(names) + (f" (threads {threads}; {kinds})" if kinds else "")
                                      for (threads, kinds), names in alike.items())


def lines_of(found):
    lines = [line for part in parts_of(found) for line in (part, "")]
    lines += ["Ratios and shares are of images a processor second."]
    for title, table, part in (("Images a second", rate_table, found["rows"]), ("Shares", share_table, found["rows"]),
                               ("Loading", start_table, found["start"]),
                               ("Preprocessing, one thread", image_table, found["preprocessing"])):
        lines += ["", f"## {title}", "", *(table(part) if part else ["Not measured."])]
    return lines


def write_out(a, found):
    os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
    with open(a.out + ".json", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
        file.write("\n")
    with open(a.out + ".md", "w", encoding="utf-8") as file:
        file.write("\n".join(wrap(lines_of(found))) + "\n")
    subprocess.run([a.build + "/bench/draw_bench", a.out + ".json", a.out + ".png"], check=True)


def found_before(a):
    """What OUT.json has, if it is to be kept."""
    found = {"rows": [], "start": [], "preprocessing": []}
    if a.add and os.path.exists(a.out + ".json"):
        with open(a.out + ".json", encoding="utf-8") as file:
            found = json.load(file)
    return found


def put_row(rows, row, keys):
    """Among the rows, in this script's order, and instead of one with the same keys."""
    def rank(other):
        return MODELS.index(other["model"]), other["threads"], list(KINDS).index(other.get("kind", "float32"))

    rows[:] = [other for other in rows if any(other[key] != row[key] for key in keys)] + [row]
    rows.sort(key=rank)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--no-start", action="store_true", help="no loading, start-up, memory, preprocessing")
    parser.add_argument("--out")
    parser.add_argument("--add", action="store_true")
    a = parser.parse_args()
    if set(a.models.split(",")) - set(MODELS):
        parser.error(f"--models: of {', '.join(MODELS)}")
    if a.add and a.out is None:
        parser.error("--add needs --out")
    busy = os.getloadavg()[0]
    if busy > 0.5:
        tell(f"the machine is not quiet (load {busy:.1f}): the numbers will say so")
    found = found_before(a)
    a.peers = [name for name in a.peers.split(",") if name]
    versions = versions_of(a)
    measured = (f"{processor()}, {len(os.sched_getaffinity(0))} cores, load {busy:.1f} before; "
                f"{', '.join(versions)}; medians of {a.rounds} rounds; {time.strftime('%Y-%m-%d')}")

    def save():
        if a.out is not None:
            write_out(a, found)

    def keep(part, row, *keys):
        row["measured"] = measured
        put_row(found[part], row, keys)
        save()

    with tempfile.TemporaryDirectory() as folder:
        if not a.no_start:
            images = measure_images(a, folder)
            for row in images:
                row["measured"] = f"{measured}; {', '.join(row.pop('versions'))}"
            found["preprocessing"] = images or found["preprocessing"]
        for model in a.models.split(",") if versions else []:
            path = os.path.join(folder, TIMM.get(model, model) + ".pt")  # some weights need a name
            written = Worker(PEER + ["write", model, path])
            written.end()
            weights = {"path": path, "operations": int(written.said["operations"]), "input": written.said["input"]}
            for threads in map(int, a.threads.split(",")):
                if not a.no_start:
                    keep("start", measure_start(a, model, threads, weights, folder), "model", "threads")
                for kind in a.kinds.split(","):
                    if model.startswith(CONVOLUTIONS) and kind == "int8":
                        continue
                    keep("rows", measure(a, model, threads, kind, weights), "model", "threads", "kind")
            os.unlink(path)
    save()
    print("\n".join(lines_of(found)))


main()

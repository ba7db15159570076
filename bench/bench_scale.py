#!/usr/bin/env python3
"""Times linprobe-mpi on 1, 2, 4 ranks of this machine, and models clusters from that.

usage: bench_scale.py --model WEIGHTS [--program build/linprobe] [--ranks 1,2,4] [--rounds 3]
                      [--images 20] [--rows N] [-f F] [-k K] [--rate IMAGES] [--out results/bench/scale]

Measured, each rank on one thread, rounds in turn, medians:
  extract  --images drawn pictures a class through WEIGHTS
  fit      softmax on N x F features of K classes, to the tolerance
  sweep    passes of a value of C, over a grid on the same features
Modelled: ImageNet-1k (1,281,167 images, 1,000 classes) x ViT-L/14 (1,024 features), and a grid of
97 values of C, on nodes of 64 cores.  docs/SCALE.md has the formulas; --rate is what one core
extracts a second with ViT-L/14 (results/bench/encoder.md).
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import tempfile
import time

from bench_probe import write
from prose import wrap

N, F, K, VALUES, CORES = 1281167, 1024, 1000, 97, 64
BANDWIDTH, LATENCY = 25e9 / 8, 20e-6  # assumed: 25 Gbit/s, 20 microseconds
WEIGHTS_BYTES = 1.22e9
SUMS, EXCHANGES = 1.2, 3.5  # of a pass, with those of the directions between: counted in fits


def seconds_of(command, folder):
    start = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - start


def chunks_of(n, f, k):
    """As src/probe/data_pass.c cuts a pass."""
    block = min(512, max(32, (640 << 10) // ((f + k) * 4) // 32 * 32))
    blocks = -(-n // block)
    few = max(4, min(32, (64 << 20) // ((3 + f + max(f, k)) * 8) // k))
    return min(blocks, max(few, min(1024, blocks // 64)))


def subtrees_of(chunks, ranks):
    """The most subtrees that a rank sends."""
    most, (each, more) = 0, divmod(chunks, ranks)
    for r in range(ranks):
        first = r * each + min(r, more)
        end = first + each + (r < more)
        count = 0
        while first < end:
            width = 1
            while (width < chunks and first % (2 * width) == 0
                   and (first + 2 * width <= end or end == chunks)):
                width *= 2
            first += min(width, end - first)
            count += 1
        most = max(most, count)
    return most


def model(nodes, rate, speed, passes):
    """Seconds: extraction, the grid's computation, its communication."""
    extract = N / (nodes * CORES * rate)
    extract += 0 if nodes == 1 else 2 * WEIGHTS_BYTES / BANDWIDTH
    chunks = chunks_of(N, F, K)
    busy = min(nodes * CORES, chunks)
    turns = 3 * 2 * K * F * F / (CORES * speed / 2)  # to the basis and back, on every node
    compute = 4 * N * F * K / (busy * speed) + turns
    sums = K * (F + 3) * 8
    trees = subtrees_of(chunks, nodes)
    exchange = SUMS * (trees + 1) * sums / BANDWIDTH + 2 * EXCHANGES * (nodes - 1) * LATENCY
    exchange = 0 if nodes == 1 else exchange
    return extract, VALUES * passes * compute, VALUES * passes * exchange


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="build/linprobe")
    parser.add_argument("--model", required=True)
    parser.add_argument("--ranks", default="1,2,4")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("-f", type=int, default=512)
    parser.add_argument("-k", type=int, default=100)
    parser.add_argument("--rate", type=float, default=0.69)
    parser.add_argument("--out")
    o = parser.parse_args()
    program, weights = os.path.abspath(o.program), os.path.abspath(o.model)
    ranks = [int(r) for r in o.ranks.split(",")]
    os.environ.update({"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                       "OMPI_MCA_rmaps_base_oversubscribe": "1"})
    os.environ.pop("OPENBLAS_CORETYPE", None)
    folder = tempfile.mkdtemp()
    times = {}
    try:
        os.mkdir(f"{folder}/set")
        write(f"{folder}/set", o.rows, o.f, o.k)
        subprocess.run([program, "generate", "--out", f"{folder}/drawn", "--train", str(o.images),
                        "--test", "1", "-q"], check=True)
        works = {"extract": ["extract", "--model", weights, "--data", "drawn/cifar-100-binary",
                             "--split", "train", "--out", "made", "--threads", "1", "-q"],
                 "fit": ["fit", "set", "--out", "probe", "--threads", "1", "-q"]}
        load = os.getloadavg()[0]
        for _ in range(o.rounds):
            for what, words in works.items():
                for r in [0] + ranks:
                    start = [program] if r == 0 else ["mpirun", "-n", str(r), program + "-mpi"]
                    shutil.rmtree(f"{folder}/made", ignore_errors=True)
                    times.setdefault((what, r), []).append(seconds_of(start + words, folder))
        cpu_before = os.times()
        row = json.loads(subprocess.run(
            [program, "fit", "set", "--out", "probe", "--threads", "1", "-q", "--format", "json"],
            cwd=folder, check=True, capture_output=True).stdout)
        report = row[0] if isinstance(row, list) else row
        cpu = os.times().children_user - cpu_before.children_user
        subprocess.run([program, "sweep", "set", "--out", "swept", "--protocol", "grid", "--steps",
                        "2", "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        points = json.load(open(f"{folder}/swept/points.json"))["points"]
    finally:
        shutil.rmtree(folder)
    fit = statistics.median(times["fit", 0])
    speed = 4 * o.rows * o.f * o.k * report["passes"] / cpu
    passes = statistics.mean(p["rough"]["passes"] for p in points)
    lines = [f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {load:.1f} "
             f"before; one thread a rank; medians of {o.rounds} rounds; {time.strftime('%Y-%m-%d')}",
             "", "## Measured", "",
             f"Seconds of whole commands: extract of {100 * o.images} pictures, fit of {o.rows} x "
             f"{o.f} features, K = {o.k} ({report['passes']} passes).", "",
             "| work | one process | " + " | ".join(f"{r} ranks" for r in ranks) + " |",
             "|---|---:|" + "---:|" * len(ranks)]
    for what in works:
        row = [f"{statistics.median(times[what, r]):.2f}" for r in [0] + ranks]
        lines.append(f"| {what} | " + " | ".join(row) + " |")
    lines += ["", f"A core's share of a pass: {speed * 1e-9:.1f} GFLOP/s of products; rough fits of a "
              f"grid: {passes:.1f} passes a value of C.", "", "## Modelled", "",
              f"ImageNet-1k x ViT-L/14 ({o.rate} images/s a core), {VALUES} values of C, nodes of "
              f"{CORES} cores, {BANDWIDTH * 8e-9:.0f} Gbit/s and {LATENCY * 1e6:.0f} microseconds "
              "between them (assumed).", "",
              "| nodes | extraction | grid of C | of it communication | share |",
              "|---:|---:|---:|---:|---:|"]
    for nodes in (1, 16, 64, 256):
        extract, compute, exchange = model(nodes, o.rate, speed, passes)
        lines.append(f"| {nodes} | {extract / 60:.1f} min | {(compute + exchange) / 60:.1f} min | "
                     f"{exchange / 60:.1f} min | {100 * exchange / (compute + exchange):.0f} % |")
    text = "\n".join(wrap(lines)) + "\n"
    print(text)
    if o.out:
        with open(o.out + ".md", "w", encoding="utf-8") as file:
            file.write(text)
        values = {"seconds": {f"{w} {r}": t for (w, r), t in times.items()}, "speed": speed,
                  "passes": passes, "fit": fit}
        with open(o.out + ".json", "w", encoding="utf-8") as file:
            json.dump(values, file, indent=1)


if __name__ == "__main__":
    main()

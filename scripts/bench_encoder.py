#!/usr/bin/env python3
"""Images a second of the image encoders beside PyTorch, in one run.

usage: bench_encoder.py [--program build/tests/bench_encoder] [--models ViT-B-32,ViT-B-16,ViT-L-14,RN50]
                        [--threads 1,2] [--rounds R] [--seconds S] [--out results/bench/encoder]

Random weights of open_clip's OpenAI configurations (the time does not depend on their values), no
preprocessing.  PyTorch runs in its best way of these: eager, and traced, frozen and
torch.jit.optimize_for_inference'd (RN50 also in channels_last), each at batches of 1, 8, 16 and 32;
torch.compile where --compile asks for it.  Then both sides take turns, R rounds of about S seconds
each; medians and the ratio of the medians are printed.

Share of the peak: operations of the whole forward pass (2 for a multiplication and addition) times
images a second, over OpenBLAS's rate at a square product of 2048 on as many threads.  linprobe
leaves out what does not reach the class token in a ViT's last block, so its share counts work that
it does not do.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

TORCH = """
import os, sys, time, warnings
warnings.filterwarnings("ignore")
import torch, open_clip
name, threads, compiled = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "1"
torch.set_num_threads(threads)
torch.manual_seed(0)
start = time.perf_counter()
model = open_clip.create_model(name + "-quickgelu", pretrained=None).visual.eval()
size = model.image_size[0] if isinstance(model.image_size, tuple) else model.image_size

def timed(run, x, seconds):
    run(x)
    count, start = 0, time.perf_counter()
    while count == 0 or time.perf_counter() - start < seconds:
        run(x)
        count += 1
    return count * len(x) / (time.perf_counter() - start)

ways = {"eager": (model, torch.contiguous_format)}
with torch.inference_mode():
    x = torch.randn(8, 3, size, size)
    for name_of, layout in (("jit", torch.contiguous_format), ("jit channels_last", torch.channels_last)):
        if "channels" in name_of and not name.startswith("RN"):
            continue
        traced = torch.jit.trace(model.to(memory_format=layout), x.to(memory_format=layout))
        ways[name_of] = (torch.jit.optimize_for_inference(torch.jit.freeze(traced)), layout)
    if compiled:
        ways["compile"] = (torch.compile(model), torch.contiguous_format)
    best = 0
    for way, (run, layout) in ways.items():
        for batch in (1, 8, 16, 32):
            rate = timed(run, torch.randn(batch, 3, size, size).to(memory_format=layout), 1.5)
            print("tried", way, batch, round(rate, 2), flush=True)
            if rate > best:
                best, chosen = rate, (way, batch)
    run, layout = ways[chosen[0]]
    x = torch.randn(chosen[1], 3, size, size).to(memory_format=layout)
    print("way", *chosen, flush=True)
    print("peak_mb", int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024)
    print("ready 1", flush=True)
    for line in sys.stdin:
        print("images_per_second", timed(run, x, float(line)), flush=True)
"""

OPERATIONS = """
import sys, warnings
warnings.filterwarnings("ignore")
import torch, open_clip
from torch.utils.flop_counter import FlopCounterMode
torch.manual_seed(0)
torch.backends.mha.set_fastpath_enabled(False)  # its products would not be counted
model = open_clip.create_model(sys.argv[1] + "-quickgelu", pretrained=None).visual.eval()
torch.save({"visual." + k: v for k, v in model.state_dict().items()}, sys.argv[2])
size = model.image_size[0] if isinstance(model.image_size, tuple) else model.image_size
with torch.inference_mode(), FlopCounterMode(display=False) as counter:
    model(torch.randn(1, 3, size, size))
print(counter.get_total_flops())
"""


class Worker:
    """A process that says what it is, then a rate for every line it is given."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.said, self.tried = {}, []
        for line in self.process.stdout:
            name, value = line.strip().split(" ", 1)
            if name == "ready":
                break
            if name == "tried":
                self.tried.append(value)
            else:
                self.said[name] = value
        else:
            sys.exit(f"{command[:3]} ended before it was ready")

    def rate(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline().split()[1])

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(a, model, threads, folder):
    path = os.path.join(folder, model + ".pt")
    if not os.path.exists(path):
        out = subprocess.run([sys.executable, "-c", OPERATIONS, model, path], check=True, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        with open(path + ".flops", "w", encoding="utf-8") as file:
            file.write(out)
    with open(path + ".flops", encoding="utf-8") as file:
        operations = int(file.read())
    theirs = Worker([sys.executable, "-c", TORCH, model, str(threads), str(int(a.compile))])
    ours = Worker([a.program, path, str(threads)])
    ours.rate(0.5)
    rates = {"ours": [], "theirs": []}
    for _ in range(a.rounds):
        rates["ours"].append(ours.rate(a.seconds))
        rates["theirs"].append(theirs.rate(a.seconds))
    ours.end()
    theirs.end()
    mine, its = statistics.median(rates["ours"]), statistics.median(rates["theirs"])
    square = float(ours.said["square_gflops"]) * threads
    row = {"model": model, "threads": threads, "images_per_second": mine, "pytorch": its,
           "ratio": mine / its, "way": theirs.said["way"], "tried": theirs.tried,
           "gflop": operations * 1e-9, "share": mine * operations * 1e-9 / square,
           "pytorch_share": its * operations * 1e-9 / square,
           "gemm_gflops": float(ours.said["gemm_gflops"]),
           "square_gflops": float(ours.said["square_gflops"]),
           "load_seconds": float(ours.said["load_seconds"]), "peak_mb": int(ours.said["peak_mb"]),
           "weights_mb": int(ours.said["parameters"]) * 4 / 2**20,
           "pytorch_peak_mb": int(theirs.said["peak_mb"]), "rates": rates}
    print(f"{model}, {threads}: {mine:.2f} and {its:.2f} images/s ({row['way']}), {row['ratio']:.2f}",
          file=sys.stderr, flush=True)
    return row


def table(rows):
    lines = ["| model | threads | linprobe, images/s | PyTorch, images/s | its way, batch | ratio | share of "
             "OpenBLAS's rate | PyTorch's share | load, s | peak MB | of them weights | PyTorch's peak MB |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(f"| {r['model']} | {r['threads']} | {r['images_per_second']:.2f} | {r['pytorch']:.2f} | "
                     f"{r['way']} | {r['ratio']:.2f} | {r['share']:.0%} | {r['pytorch_share']:.0%} | "
                     f"{r['load_seconds']:.2f} | {r['peak_mb']} | {r['weights_mb']:.0f} | "
                     f"{r['pytorch_peak_mb']} |")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/tests/bench_encoder")
    parser.add_argument("--models", default="ViT-B-32,ViT-B-16,ViT-L-14,RN50")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--out")
    a = parser.parse_args()
    try:
        import open_clip
        import torch
    except ImportError as missing:
        sys.exit(f"bench_encoder.py: no {missing.name}: nothing to compare with")
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(a, model, int(threads), folder) for model in a.models.split(",")
                for threads in a.threads.split(",")]
    said = (f"torch {torch.__version__}, open_clip {open_clip.__version__}; medians of {a.rounds} rounds of "
            f"{a.seconds:g} s; {len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at "
            f"the end; {time.strftime('%Y-%m-%d')}")
    lines = [said, "", *table(rows)]
    print("\n".join(lines))
    if a.out is not None:
        os.makedirs(os.path.dirname(a.out) or ".", exist_ok=True)
        with open(a.out + ".json", "w", encoding="utf-8") as file:
            json.dump({"torch": torch.__version__, "rows": rows}, file, indent=1)
            file.write("\n")
        with open(a.out + ".md", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


main()

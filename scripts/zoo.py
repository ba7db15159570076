#!/usr/bin/env python3
"""Runs linprobe on every ViT-like and ResNet-like architecture of timm, transformers and open_clip.

Each model gets seeded random weights (zoo_models.py), is cut to two blocks, and is saved in forms:
as a hub folder (weights and configs), and as a bare file of weights.  linprobe extracts features of
two pictures, one wide and one tall; the reference library preprocesses the same pictures and runs
the same weights in float32.  The verdict of a form:

  equal    the features agree within 1e-5
  asked    linprobe refused, named the option that it needs, and agrees when it is given
  assumed  a bare file: what linprobe assumed is not what the model has, but an "assumed:" line says
           each of these things, and the features agree when the options say what the model has
           (not compared where no option can say it, such as rotary positions)
  refused  linprobe refused, and its message names the architecture or what is missing
  WRONG    anything else

Results are appended to a file, so that an interrupted run continues (for the same program).

    python3 scripts/zoo.py --linprobe build/linprobe --results build/zoo.jsonl
    python3 scripts/zoo.py --source timm --only 'siglip|clip' --verbose
    python3 scripts/zoo.py --results build/zoo.jsonl --table       # the tables of what is there
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import torch
from PIL import Image

import zoo_models
import zoo_open_clip
import zoo_timm
import zoo_torchvision
import zoo_transformers

SOURCES = {
    "transformers": zoo_transformers.cases,
    "open_clip": zoo_open_clip.cases,
    "torchvision": zoo_torchvision.cases,
    "timm": zoo_timm.cases,
}
LIMIT = 1e-5  # relative Frobenius error of a feature matrix
# what a line "assumed: …" must speak of, by the key of meta.json that it is about
SAID = {
    "heads": r"head",
    "activation": r"activation|gelu",
    "pool": r"pool|class token|mean of",
    "norm_eps": r"\beps\b",
    "mean": r"\bmean\b",
    "std": r"\bmean\b|deviation",
    "resize": r"resize|margin|squash|crop",
    "crop": r"crop|input|resize|margin",
    "filter": r"bilinear|bicubic|filter",
    "squash": r"squash|shorter|crop|resize|margin",
}
# options of linprobe for what a model has
OPTIONS = ("heads", "activation", "pool")
MEAN_STD = {
    "half": [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
    "imagenet": [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]],
    "clip": [[0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]],
    "none": [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]],
}


def pictures(folder):
    """Two pictures, smooth with noise on top, in two classes of a test split."""
    random = np.random.default_rng(7)
    images = []
    for name, (width, height) in (("tall", (50, 83)), ("wide", (97, 61))):
        coarse = random.integers(0, 256, (height // 6 + 2, width // 6 + 2, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        noisy = np.asarray(smooth) + random.integers(-20, 21, (height, width, 3))
        image = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        (folder / "test" / name).mkdir(parents=True, exist_ok=True)
        image.save(folder / "test" / name / "picture.png")
        images.append(image)
    return images


def relative(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if found.shape != expected.shape:
        return float("inf")
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


class Judge:
    def __init__(self, program, scratch, timeout):
        self.program, self.scratch, self.timeout = pathlib.Path(program).resolve(), scratch, timeout
        self.images = pictures(scratch / "pictures")

    def extract(self, path, point, options):
        """(features, meta.json, what linprobe said), or (None, exit status, what it said)."""
        out = self.scratch / "out"
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(self.scratch / "out.partial", ignore_errors=True)
        command = [self.program, "extract", "--model", path, "--split", "test", "--feature", point]
        command += ["--data", self.scratch / "pictures", "--out", out]
        for name, value in options.items():
            command += ["--" + name, value]
        try:
            done = subprocess.run(
                [str(c) for c in command], capture_output=True, text=True, timeout=self.timeout
            )
        except subprocess.TimeoutExpired:
            return None, "timeout", "no answer in time"
        if done.returncode != 0:
            return None, done.returncode, done.stderr
        meta = json.loads((out / "meta.json").read_text())
        return np.load(out / "features.npy"), meta, done.stderr

    def reference(self, built, preprocess):
        """The reference's features by feature point."""
        with torch.no_grad():
            return built.features(torch.stack([preprocess(image) for image in self.images]))

    def verdict(self, built, form, path, point):
        """(verdict, error or None, why) of one form at one feature point."""
        options, said = {}, ""
        for _ in range(4):
            found, meta, said = self.extract(path, point, options)
            if found is not None:
                break
            reason = refusal(said)
            if meta != 1:
                return "WRONG", None, f"exit status {meta}: {reason}"
            named = [o for o in OPTIONS if re.search(rf"--{o}|'{o}'", said) and o in built.truth]
            named = [o for o in named if o not in options]
            if not named:
                shown = {re.sub(r"(?<![^.])\d+(?![^.])", "#", name) for name in built.names}
                sizes = re.sub(r"_\d+m(_.*)?$", "_*", built.names[0])  # "qwen3_vit_*"
                words = (
                    *built.names,
                    *shown,
                    sizes,
                    "missing",
                    "a hybrid",
                    "is not supported",
                    "config.json beside it",
                    "config.json of timm or transformers beside the file",
                )
                clear = any(word in said for word in words)
                return "refused" if clear else "WRONG", None, reason
            options[named[0]] = built.truth[named[0]]
        if found is None:
            return "WRONG", None, "refused with the options that it asked for: " + refusal(said)
        built.expected = built.expected or self.reference(built, built.preprocess)
        error = relative(found, built.expected[point])
        given = " ".join(f"--{name} {value}" for name, value in options.items())
        if error <= LIMIT:
            return ("asked" if options else "equal"), error, given
        differ = differences(meta, built.truth)
        text = " ".join(differ) or "nothing that meta.json says"
        if form == "hub":
            return "WRONG", error, f"differs in {text}"
        assumed = " ".join(line for line in said.splitlines() if "assumed:" in line)
        unsaid = [key for key in differ if not re.search(SAID[key], assumed)]
        if differ and not unsaid and built.hidden:  # it may be in the weights after all
            corrected = self.corrected(built, path, point, options, differ)
            if corrected[0] == "assumed":
                return corrected
        unsaid += [key for key, words in built.hidden.items() if not re.search(words, assumed)]
        if not unsaid and built.hidden:  # has no option, so that nothing can be compared
            return "assumed", None, " ".join([*differ, *built.hidden])
        if unsaid or not differ:
            return "WRONG", error, f"differs in {text}; not said: {' '.join(unsaid)}"
        return self.corrected(built, path, point, options, differ)

    def corrected(self, built, path, point, options, differ):
        """The same with the options that say what linprobe had assumed."""
        options = options | correcting(built.truth, differ)
        given = " ".join(f"--{name} {value}" for name, value in options.items())
        found, meta, said = self.extract(path, point, options)
        if found is None:
            return "WRONG", None, f"refused with {given}: {refusal(said)}"
        with built.norm_eps(float(meta["inputs"]["norm_eps"])):  # which has no option
            error = relative(found, self.reference(built, built.preprocess)[point])
        left = " ".join(key for key in differences(meta, built.truth) if key != "norm_eps")
        why = f"{' '.join(differ)}: {given}" + (f", but still {left}" if left else "")
        return "assumed" if error <= LIMIT else "WRONG", error, why


def correcting(truth, differ):
    """Options of linprobe for the things that differ from the truth."""
    options = {name: truth[name] for name in OPTIONS if name in differ}
    if {"mean", "std"} & set(differ):
        own = [truth["mean"], truth["std"]]
        known = [name for name, values in MEAN_STD.items() if np.allclose(values, own)]
        options["mean-std"] = known[0] if known else "of another kind"
    if {"resize", "squash"} & set(differ):
        side = truth["resize"]
        options["resize"] = f"{side}x{side}" if truth["squash"] else side
    if "crop" in differ:
        options["crop"] = truth["crop"]
    if "filter" in differ:
        options["filter"] = truth["filter"]
    return options


def refusal(said):
    """The message of a failure, without what stands before it."""
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [i for i, line in enumerate(lines) if line.startswith("linprobe")]
    return " ".join(" ".join(lines[errors[0] if errors else -1 :]).split())[:400]


def differences(meta, truth):
    stated = meta["inputs"] | meta["inputs"]["preprocess"]
    differ = []
    for key, value in truth.items():
        found = stated.get(key)
        if isinstance(value, str) or isinstance(value, bool) or found is None:
            same = found == value
        else:
            same = np.allclose(np.asarray(found, float), value, rtol=1e-6, atol=0)
        if not same:
            differ.append(key)
    return differ


def run_case(judge, case, million):
    """Rows of results, one for each form and feature point."""
    model_folder = judge.scratch / "model"
    rows = []
    try:
        with zoo_models.uninitialised():
            built = case.build()
        zoo_models.fill(built.model, case.name)
    except Exception as error:  # a reference that cannot be built is no fault of linprobe
        return [row(case, "-", "-", "no reference", None, described(error))]
    for number, form in enumerate(built.forms()):
        shutil.rmtree(model_folder, ignore_errors=True)
        model_folder.mkdir()
        path = built.save(form, model_folder, million)
        kind = "bare" if form.startswith("bare") else "hub"
        for point in built.points if number == 0 else built.points[-1:]:
            try:
                verdict, error, why = judge.verdict(built, kind, path, point)
            except Exception as problem:
                verdict, error, why = "no reference", None, described(problem)
            rows.append(row(case, form, point, verdict, error, why))
    shutil.rmtree(model_folder, ignore_errors=True)
    return rows


def described(error):
    return f"{type(error).__name__}: {error}".replace("\n", " ")[:300]


def row(case, form, point, verdict, error, why):
    return {
        "source": case.source,
        "family": case.family,
        "name": case.name,
        "form": form,
        "point": point,
        "verdict": verdict,
        "error": error,
        "why": why,
    }


AGREE = ("equal", "asked", "assumed")
VERDICTS = (*AGREE, "refused", "WRONG")


def shortened(why):
    """A reason without what differs from model to model."""
    why = re.sub(r"\S*/model(/\S+)?: ", "", why.replace("linprobe: ", ""))
    return re.sub(r"\d+(\.\d+)?(e-?\d+)?", "N", why)[:110]


FORMS = {
    "bare": "bare",
    "bare-state": "bare, names of `state_dict()`",
    "bare-old": "bare, names of old versions",
    "hub": "hub folder",
    "hub-processor": "hub folder, `processor_config.json`",
    "-": "not built by its library",
}


def tally(members, verdicts, counted):
    """Cells of a table: what is counted, by the values of these keys; how many have which verdict,
    the worst of their rows; the largest error of those that agree."""
    worst = {}
    for r in members:
        key, rank = tuple(r[k] for k in counted), verdicts.index(r["verdict"])
        worst[key] = max(worst.get(key, 0), rank)
    counts = collections.Counter(worst.values())
    cells = [str(counts[i]) if counts[i] else "" for i in range(len(verdicts))]
    errors = [r["error"] for r in members if r["error"] is not None and r["verdict"] in AGREE]
    return [str(len(worst)), *cells, f"{max(errors):.1e}" if errors else ""]


def grouped(rows, head, key, verdicts, counted, more=lambda members: []):
    """A table with a line for each group of rows."""
    groups = collections.defaultdict(list)
    for r in rows:
        if r["verdict"] in verdicts:
            groups[key(r)].append(r)
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for names, members in sorted(groups.items()):
        cells = [*names, *tally(members, verdicts, counted), *more(members)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(rows):
    """Models by source and form."""
    verdicts = (*VERDICTS, "no reference")
    return grouped(
        rows,
        ("source", "form", "models", *verdicts, "largest error"),
        lambda r: (r["source"], FORMS.get(r["form"], "hub folder, other pretrained weights")),
        verdicts,
        ("name", "form"),
    )


def reasons_of(members):
    reasons = collections.Counter(
        shortened(r["why"]) for r in members if r["verdict"] in ("refused", "asked", "assumed")
    )
    return ["; ".join(reason.replace("|", "\\|") for reason, _ in reasons.most_common(3))]


def table(rows):
    """Models by source, family and form."""
    return grouped(
        rows,
        ("source", "family", "form", "models", *VERDICTS, "error", "reasons"),
        lambda r: (r["source"], r["family"], r["form"].split()[0]),
        VERDICTS,
        ("name",),
        reasons_of,
    )


def read_results(path, program):
    """The last rows of each model that were made by this program (any, if it is None)."""
    latest = {}
    if path.exists():
        for line in path.read_text().splitlines():
            record = json.loads(line)
            if program is None or record["program"] == program:
                latest[record["rows"][0]["source"], record["rows"][0]["name"]] = record["rows"]
    return latest


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--linprobe", default="build/linprobe", help="the program")
    parser.add_argument("--results", default="build/zoo.jsonl", type=pathlib.Path)
    parser.add_argument("--source", choices=tuple(SOURCES), action="append")
    parser.add_argument("--only", default="", help="regular expression of names and families")
    parser.add_argument(
        "--deep",
        default=30,
        type=int,
        help="bare files of up to this many million parameters have all of their blocks",
    )
    parser.add_argument("--timeout", default=300, type=int, help="seconds for one run of linprobe")
    parser.add_argument("--again", action="store_true", help="run what has results, too")
    parser.add_argument("--table", action="store_true", help="only print the table")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--verbose", action="store_true", help="print every result, not only WRONG")
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.nice(5)
    if options.table:
        rows = [r for rows in read_results(options.results, None).values() for r in rows]
        rows = [r for r in rows if re.search(options.only, r["name"] + " " + r["family"])]
        print(summary(rows) + "\n\n" + table(rows))
        return any(r["verdict"] == "WRONG" for r in rows)
    program = hashlib.sha256(pathlib.Path(options.linprobe).read_bytes()).hexdigest()[:16]
    known = read_results(options.results, program)
    rows = []
    with tempfile.TemporaryDirectory(prefix="linprobe-zoo-") as scratch:
        judge = Judge(options.linprobe, pathlib.Path(scratch), options.timeout)
        for source in options.source or SOURCES:
            for case in SOURCES[source]():
                if not re.search(options.only, case.name + " " + case.family):
                    continue
                if options.list:
                    print(source, case.family, case.name)
                    continue
                found = None if options.again else known.get((source, case.name))
                if found is None:
                    found = run_case(judge, case, options.deep)
                    with options.results.open("a") as log:
                        log.write(json.dumps({"program": program, "rows": found}) + "\n")
                rows += found
                for r in found:
                    if options.verbose or r["verdict"] in ("WRONG", "no reference"):
                        error = "" if r["error"] is None else f" {r['error']:.1e}"
                        what = f"{r['name']} {r['form']} {r['point']}"
                        print(f"{r['verdict']:8} {what}{error}: {r['why']}", flush=True)
    if not options.list:
        print(table(rows))
    return any(r["verdict"] == "WRONG" for r in rows)


if __name__ == "__main__":
    sys.exit(main())

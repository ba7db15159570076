#!/usr/bin/env python3
"""The data stage against Python's own reading of the layouts, through each dialect of tar that
Python's tarfile writes.  Needs nothing but Python."""
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile

SETS = {
    "CIFAR-100": ("cifar-100-binary", 2, {"train": ["train.bin"], "test": ["test.bin"]},
                  {"fine": ("fine_label_names.txt", 100, 1),
                   "coarse": ("coarse_label_names.txt", 20, 0)}),
    "CIFAR-10": ("cifar-10-batches-bin", 1,
                 {"train": ["data_batch_%d.bin" % k for k in range(1, 6)],
                  "test": ["test_batch.bin"]},
                 {"fine": ("batches.meta.txt", 10, 0)}),
    "STL-10": ("stl10_binary", 0, {"train": ["train_X.bin"], "test": ["test_X.bin"]},
               {"fine": ("class_names.txt", 10, 0)}),
}
rng = random.Random(5)


def generate(name):
    """A small set: {file name: bytes}."""
    _, labels, splits, kinds = SETS[name]
    files = {}
    if name == "STL-10":
        for split in splits:
            n = rng.randrange(1, 6)
            files[split + "_X.bin"] = rng.randbytes(n * 3 * 96 * 96)
            files[split + "_y.bin"] = bytes(rng.randrange(1, 11) for _ in range(n))
    for split in splits.values() if labels else ():
        for file in split:
            files[file] = b"".join(
                bytes([rng.randrange(20), rng.randrange(100)][:2] if labels == 2
                      else [rng.randrange(10)]) + rng.randbytes(3072)
                for _ in range(rng.randrange(1, 30)))
    for file, classes, _ in kinds.values():
        files[file] = "".join("%s %d\n" % (file[:4], k) for k in range(classes)).encode()
    return files


def expected(name, files, split, kind):
    _, labels, splits, kinds = SETS[name]
    names, _, offset = kinds[kind]
    blob = b"".join(files[f] for f in splits[split])
    if name == "STL-10":  # planes column by column, labels from 1 in a file of their own
        images = hashlib.sha256()
        for i in range(0, len(blob), 27648):
            images.update(bytes(blob[i + 9216 * c + 96 * x + y] for y in range(96)
                                for x in range(96) for c in range(3)))
        ys = files[split + "_y.bin"]
        return {"name": name, "official": "", "digest": hashlib.sha256(blob + ys).hexdigest(),
                "images": images.hexdigest(), "labels": [y - 1 for y in ys],
                "classes": files[names].decode().split("\n")[:-1], "skipped": [], "ignored": 0}
    records = [blob[i:i + labels + 3072] for i in range(0, len(blob), labels + 3072)]
    images = hashlib.sha256()
    for record in records:
        r, g, b = (record[labels + 1024 * c:][:1024] for c in range(3))
        images.update(bytes(v for pixel in zip(r, g, b) for v in pixel))
    return {"name": name, "official": "", "digest": hashlib.sha256(blob).hexdigest(),
            "images": images.hexdigest(), "labels": [r[offset] for r in records],
            "classes": files[names].decode().split("\n")[:-1], "skipped": [], "ignored": 0}


def found(path, split, kind):
    done = subprocess.run([os.path.join(os.environ["LP_TESTS"], "dump_dataset"), path, split, kind],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()


tests = failures = 0
with tempfile.TemporaryDirectory() as root:
    for name, (folder, _, splits, kinds) in SETS.items():
        files = generate(name)
        place = os.path.join(root, name, folder)
        os.makedirs(place)
        for file, data in files.items():
            with open(os.path.join(place, file), "wb") as f:
                f.write(data)
        sources = {"folder": place, "folder above": os.path.dirname(place)}
        for dialect in ("USTAR", "GNU", "PAX"):
            sources[dialect] = os.path.join(root, name + dialect + ".tgz")
            with tarfile.open(sources[dialect], "w:gz",
                              format=getattr(tarfile, dialect + "_FORMAT")) as archive:
                archive.add(place, folder, recursive=False)
                for file, data in rng.sample(sorted(files.items()), len(files)):
                    member = tarfile.TarInfo(folder + "/" + file)
                    member.size = len(data)
                    member.mtime = 1234567890.25  # a PAX header where the dialect has one
                    archive.addfile(member, io.BytesIO(data))
        for source, path in sources.items():
            wrong = []
            for split in splits:
                for kind in kinds:
                    got = found(path, split, kind)
                    if got != expected(name, files, split, kind):
                        wrong.append("%s %s: found %s" % (split, kind, str(got)[:300]))
            tests += 1
            failures += bool(wrong)
            print("%sok %d - %s from %s" % ("not " if wrong else "", tests, name, source))
            for line in wrong:
                print("# " + line)
print("1..%d" % tests)
sys.exit(1 if failures else 0)

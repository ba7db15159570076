#!/usr/bin/env python3
"""Data sets by name against torchvision's own classes, on miniatures in the exact layout of each:
images in order, labels, class names, pixels.  Where torchvision has no class, against the files
themselves."""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings

try:
    import numpy as np
    import torchvision.datasets as tv
    from PIL import Image

    import data_miniatures as make
except ImportError as missing:
    print("1..0 # SKIP %s" % missing)
    sys.exit(0)

warnings.simplefilter("ignore")
for module in ("fer2013", "flowers102", "places365", "svhn", "mnist", "cifar", "fgvc_aircraft"):
    if hasattr(getattr(tv, module), "check_integrity"):  # miniatures have other digests
        getattr(tv, module).check_integrity = lambda path, *_, **__: os.path.exists(path)
tests = failures = 0


def check(name, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    print("%sok %d - %s" % ("not " if wrong else "", tests, name))
    for line in wrong[:5]:
        print("# " + line)


def found(path, split):
    done = subprocess.run([os.path.join(os.environ["LP_TESTS"], "dump_dataset"), str(path), split,
                           "fine"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.decode()


def of(data, labels, classes, images=None):
    """What is expected, from the reference's images in its order."""
    pixels = hashlib.sha256()
    for picture in images if images is not None else (data[i][0] for i in range(len(data))):
        pixels.update(np.asarray(picture.convert("RGB")).tobytes())
    return {"labels": [int(label) for label in labels], "classes": list(classes),
            "images": pixels.hexdigest()}


def opened(base, names):
    return [Image.open(base / name) for name in names]


def compare(name, title, path, wants, also=()):
    """wants: {split: what is expected}; also: other paths that give the same."""
    wrong = []
    for split, want in wants.items():
        for place in (path, "%s:%s" % (name, path), *also):
            got = found(place, split)
            if isinstance(got, str):
                wrong.append("%s %s: %s" % (place, split, got))
                continue
            wrong += ["%s %s %s: expected %s, found %s" % (place, split, key, value, got[key])
                      for key, value in dict(want, name=title).items() if got[key] != value]
    check("%s equals the reference, by name and by its layout" % title, wrong)


with tempfile.TemporaryDirectory() as top:
    top = pathlib.Path(top)

    def root(name):
        (top / name).mkdir()
        getattr(make, name)(top / name)
        return top / name

    at = root("food_101")
    wants = {}
    for split in ("train", "test"):
        data = tv.Food101(at, split)
        wants[split] = of(data, data._labels, data.classes)
    compare("food-101", "Food-101", at, wants, [at / "food-101"])

    at = root("dtd")
    wants = {}
    for split in ("train", "val", "test"):
        data = tv.DTD(at, split)
        wants[split] = of(data, data._labels, data.classes)
    compare("dtd", "DTD", at, wants, [at / "dtd", at / "dtd" / "dtd"])
    both = found(at, "trainval")
    check("trainval is train and val together",
          [] if both["labels"] == wants["train"]["labels"] + wants["val"]["labels"] else [str(both)])

    at = root("oxford_pets")
    wants = {}
    for split, theirs in (("train", "trainval"), ("test", "test")):
        data = tv.OxfordIIITPet(at, theirs)
        wants[split] = of(data, data._labels, data.classes)
    compare("oxford-pets", "Oxford-IIIT Pets", at, wants)

    at = root("fgvc_aircraft")
    wants = {}
    for split in ("train", "val", "trainval", "test"):
        data = tv.FGVCAircraft(at, split)
        wants[split] = of(data, data._labels, data.classes)
    compare("fgvc-aircraft", "FGVC Aircraft", at, wants, [at / "fgvc-aircraft-2013b"])

    at = root("sun397")
    data = tv.SUN397(at)
    labels = {str(f.relative_to(at / "SUN397")): label
              for f, label in zip(data._image_files, data._labels)}
    wants = {}
    for split, part in (("train", "Training"), ("test", "Testing")):
        names = [n[1:] for n in (at / "SUN397" / (part + "_01.txt")).read_text().split()]
        wants[split] = of(None, [labels[n] for n in names], data.classes,
                          opened(at / "SUN397", names))
    compare("sun397", "SUN397", at, wants)

    at = root("country211")
    wants = {}
    for split, theirs in (("train", "train"), ("val", "valid"), ("test", "test")):
        data = tv.Country211(at, theirs)
        wants[split] = of(data, data.targets, data.classes)
    compare("country211", "Country211", at, wants, [at / "country211"])

    at = root("rendered_sst2")
    wants = {}
    for split in ("train", "val", "test"):
        data = tv.RenderedSST2(at, split)
        samples = sorted((label, str(f)) for f, label in data._samples)  # torchvision's is by class
        wants[split] = of(None, [s[0] for s in samples], data.classes,
                          [Image.open(s[1]) for s in samples])
    compare("rendered-sst2", "Rendered SST2", at, wants)

    at = root("gtsrb")
    wants = {}
    for split in ("train", "test"):
        data = tv.GTSRB(at, split)
        wants[split] = of(data, [s[1] for s in data._samples], ["%05d" % c for c in range(43)])
    compare("gtsrb", "GTSRB", at, wants)

    for name, title, module in (("cifar_10", "CIFAR-10", tv.CIFAR10),
                                ("cifar_100", "CIFAR-100", tv.CIFAR100)):
        at = root(name)
        wants = {}
        for split in ("train", "test"):
            data = module(at, split == "train")
            wants[split] = of(data, data.targets, data.classes)
        packed = top / (name + ".tar.gz")
        with tarfile.open(packed, "w:gz") as archive:
            archive.add(at / module.base_folder, module.base_folder)
        compare(name.replace("_", "-"), title, at, wants, [at / module.base_folder, packed])

    at = root("caltech_101")
    data = tv.Caltech101(at)
    pixels = {hashlib.sha256(np.asarray(data[i][0].convert("RGB")).tobytes()).hexdigest():
              data.categories[data[i][1]] for i in range(len(data))}
    train, test = found(at, "train"), found(at, "test")
    wrong = []
    if isinstance(train, str) or isinstance(test, str):
        wrong = [str(train), str(test)]
    else:
        classes = ["BACKGROUND_Google"] + data.categories
        if train["classes"] != classes or train["labels"] != sum([[k] * 30 for k in range(3)], []):
            wrong.append("30 of each class: %s" % train["labels"])
        if [test["labels"].count(k) for k in range(3)] != [3, 6, 1]:
            wrong.append("the others: %s" % test["labels"])
    check("Caltech-101: 30 of each class for training, the others for the test", wrong)

    at = root("tiny_imagenet")
    base = at / "tiny-imagenet-200"
    data = tv.ImageFolder(str(base / "train"))
    lines = [line.split("\t") for line in
             (base / "val" / "val_annotations.txt").read_text().splitlines()]
    compare("tiny-imagenet", "Tiny ImageNet", at, {
        "train": of(data, data.targets, data.classes),
        "test": of(None, [data.class_to_idx[line[1]] for line in lines], data.classes,
                   opened(base / "val" / "images", [line[0] for line in lines]))}, [base])

    at = root("places365")
    wants = {}
    for split, theirs in (("train", "train-standard"), ("test", "val")):
        data = tv.Places365(at / "places365", theirs, small=True)
        wants[split] = of(data, data.targets, data.classes)
    compare("places365", "Places365", at, wants)

    at = root("clevr")
    wants = {}
    for split, theirs in (("train", "train"), ("test", "val")):
        data = tv.CLEVRClassification(at, theirs)
        wants[split] = of(data, [n - 3 for n in data._labels],
                          ["%d objects" % n for n in range(3, 11)])
    compare("clevr-counts", "CLEVR counts", at, wants)

    at = root("ucf101")
    base = at / "ucf101"
    actions = [line.split()[1] for line in
               (base / "ucfTrainTestlist" / "classInd.txt").read_text().splitlines()]
    wants = {}
    for split in ("train", "test"):
        names = [line.split()[0] for line in
                 (base / "ucfTrainTestlist" / (split + "list01.txt")).read_text().splitlines()]
        wants[split] = of(None, [actions.index(n.split("/")[0]) for n in names], actions,
                          opened(base / "UCF-101", [n[:-4] + ".jpg" for n in names]))
    compare("ucf101", "UCF101, middle frames", at, wants)

    at = root("hateful_memes")
    base = at / "hateful_memes"
    wants = {}
    for split, part in (("train", "train"), ("test", "dev_seen")):
        memes = [json.loads(line) for line in
                 (base / (part + ".jsonl")).read_text().splitlines()]
        wants[split] = of(None, [m["label"] for m in memes], ["not hateful", "hateful"],
                          opened(base, [m["img"] for m in memes]))
    compare("hateful-memes", "Hateful Memes", at, wants)

    at = root("mnist")
    wants = {}
    for split in ("train", "test"):
        data = tv.MNIST(at, split == "train")
        wants[split] = of(data, data.targets, data.classes)
    base = at / "MNIST" / "raw"
    compare("mnist", "MNIST", at, wants, [base, "mnist:%s" % base])
    for name in os.listdir(base):
        (base / (name + ".gz")).write_bytes(gzip.compress((base / name).read_bytes()))
        (base / name).unlink()
    compare("mnist", "MNIST", at, wants)

    (top / "fashion").mkdir()
    make.mnist(top / "fashion", "FashionMNIST")
    data = tv.FashionMNIST(top / "fashion")
    compare("fashion-mnist", "Fashion-MNIST", top / "fashion",
            {"train": of(data, data.targets, data.classes)})
    os.rename(top / "fashion" / "FashionMNIST", top / "fashion" / "unnamed")
    got = found(top / "fashion" / "unnamed" / "raw", "train")
    check("without a folder's name, MNIST and Fashion-MNIST are asked for",
          [] if "it may be MNIST or Fashion-MNIST" in got else [str(got)])

    at = root("fer2013")
    data = {split: tv.FER2013(at, split) for split in ("train", "test")}
    emotions = ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"]
    rows = [data["test"][i] for i in range(len(data["test"]))]  # PublicTest, then PrivateTest
    compare("fer2013", "FER2013", at, {
        "train": of(data["train"], [s[1] for s in data["train"]._samples], emotions),
        "val": of(None, [r[1] for r in rows[:4]], emotions, [r[0] for r in rows[:4]]),
        "test": of(None, [r[1] for r in rows[4:]], emotions, [r[0] for r in rows[4:]])})

    try:
        import scipy.io  # noqa: F401
        mat = "built without libmatio" not in str(found("svhn:%s" % root("svhn"), "train"))
        print("# .mat files are %s" % ("compared" if mat else "not compared: no libmatio"))
    except ImportError as missing:
        print("# .mat files are not compared: %s" % missing)
        mat = False
    if mat:
        at = root("flowers_102")
        wants = {}
        for split in ("train", "val", "test"):
            data = tv.Flowers102(at, split)
            wants[split] = of(data, data._labels, data.classes)
        with tarfile.open(top / "flowers.tar.gz", "w:gz") as archive:
            archive.add(at / "flowers-102", "flowers-102")
        compare("flowers-102", "Oxford Flowers-102", at, wants, [top / "flowers.tar.gz"])

        at = root("stanford_cars")
        wants = {}
        for split in ("train", "test"):
            data = tv.StanfordCars(at, split)
            wants[split] = of(data, [s[1] for s in data._samples], data.classes)
        with tarfile.open(top / "cars.tar", "w") as archive:
            archive.add(at / "stanford_cars", "stanford_cars")
        compare("stanford-cars", "Stanford Cars", at, wants, [top / "cars.tar"])

        at = top / "svhn"
        wants = {}
        for split in ("train", "test"):
            data = tv.SVHN(at / "svhn", split)
            wants[split] = of(data, data.labels, [str(k) for k in range(10)])
        compare("svhn", "SVHN", at, wants)

        at = root("imagenet")
        base = at / "imagenet"
        tv.imagenet._verify_archive = lambda *_: None
        tv.imagenet.parse_devkit_archive(base)
        shutil.copytree(base / "val", base / "flat")
        files = sorted(os.listdir(base / "flat"))
        _, truth = tv.imagenet.load_meta_file(base)
        shutil.rmtree(base / "val")
        for name, wnid in zip(files, truth):
            (base / "val" / wnid).mkdir(parents=True, exist_ok=True)
            shutil.copy(base / "flat" / name, base / "val" / wnid / name)
        wants = {}
        for split, theirs in (("train", "train"), ("test", "val")):
            data = tv.ImageNet(base, theirs)
            wants[split] = of(data, data.targets, [", ".join(c) for c in data.classes])
        compare("imagenet", "ImageNet", at, wants, [base])
        shutil.rmtree(base / "val")
        os.rename(base / "flat", base / "val")
        compare("imagenet", "ImageNet", at, wants, [base])
        compare("imagenet", "ImageNet", at / "kaggle", wants)

    at = root("kitti")
    base = at / "Kitti" / "raw"
    videos = [line.split()[1] for line in
              (base / "mapping" / "train_mapping.txt").read_text().splitlines()]
    video_of = [videos[int(i) - 1] for i in
                (base / "mapping" / "train_rand.txt").read_text().split(",")]
    numpy = np.random.RandomState(123)
    names = sorted(set(video_of))
    held_out = {}
    for split in ("test", "val"):
        left = sorted(set(names) - set().union(*held_out.values()))
        held_out[split] = set(numpy.choice(left, len(names) // 10, replace=False))
    data = tv.Kitti(at)
    found_at = {os.path.basename(name): i for i, name in enumerate(data.images)}
    wants = {}
    for split in ("train", "val", "test"):
        mine = [i for i, v in enumerate(video_of)
                if (v in held_out.get(split, ()) if split != "train"
                    else v not in set().union(*held_out.values()))]
        labels, pictures = [], []
        for i in mine:
            picture, objects = data[found_at["%06d.png" % i]]
            closest = min([o["location"][2] for o in objects
                           if o["type"] in ("Car", "Van", "Truck")] + [1000])
            labels.append(sum(closest > limit for limit in (8, 20, 999)))
            pictures.append(picture)
        wants[split] = of(None, labels, ["up to 8 m", "8 to 20 m", "over 20 m", "no vehicle"],
                          pictures)
    compare("kitti-distance", "KITTI distance", at, wants, [base])

    try:
        import h5py  # noqa: F401
        hdf5 = "built without libhdf5" not in str(found("patch-camelyon:%s" % root("pcam"), "train"))
        print("# .h5 files are %s" % ("compared" if hdf5 else "not compared: no libhdf5"))
    except ImportError as missing:
        print("# .h5 files are not compared: %s" % missing)
        hdf5 = False
    if hdf5:
        at = top / "pcam"
        wants = {}
        for split in ("train", "val", "test"):
            data = tv.PCAM(at, split)
            wants[split] = of(data, [data[i][1] for i in range(len(data))],
                              ["no tumor tissue", "tumor tissue"])
        # as downloaded, each file by gzip; and archives of either
        packed = top / "as-downloaded" / "pcam"
        packed.mkdir(parents=True)
        for path in (at / "pcam").iterdir():
            (packed / (path.name + ".gz")).write_bytes(gzip.compress(path.read_bytes()))
        others = [at / "pcam", packed.parent]
        for ending, mode, source in ((".tar", "w", at), (".tar.gz", "w:gz", at),
                                     (".packed.tar", "w", packed.parent)):
            others.append(top / ("pcam" + ending))
            with tarfile.open(others[-1], mode) as archive:
                archive.add(source / "pcam", "pcam")
        others.append(shutil.make_archive(top / "pcam", "zip", at))
        compare("patch-camelyon", "PatchCamelyon", at, wants, others)

    try:
        import webdataset as wds
        at = root("webdataset") / "wds_pets"
        names = (at / "classnames.txt").read_text().splitlines()
        wants = {}
        for split in ("train", "test"):
            count = int((at / split / "nshards.txt").read_text())
            data = list(wds.WebDataset(str(at / split / ("{0..%d}.tar" % (count - 1))),
                                       shardshuffle=False).decode("pil")
                        .to_tuple(["webp", "png", "jpg", "jpeg"], "cls"))
            wants[split] = of(None, [label for _, label in data], names, [im for im, _ in data])
        wrong = []
        for split, want in wants.items():
            got = found(at, split)
            wrong += [got] if isinstance(got, str) else [
                "%s %s: expected %s, found %s" % (split, key, value, got[key])
                for key, value in dict(want, name="wds_pets").items() if got[key] != value]
        check("shards equal webdataset's own reading of them", wrong)
    except ImportError as missing:
        print("# shards are not compared: %s" % missing)

    at = root("voc_2007")
    wants = {}
    for split in ("train", "val", "test"):
        data = tv.VOCDetection(at, "2007", split)
        labels = []
        for i in range(len(data)):
            objects = [(o["name"], o["difficult"]) for o in data[i][1]["annotation"]["object"]]
            labels += [1 if (c, "0") in objects else -1 if (c, "1") in objects else 0
                       for c in make.VOC]
        wants[split] = of(data, labels, make.VOC)
    assert -1 in wants["test"]["labels"]
    compare("voc-2007", "PASCAL VOC 2007", at, wants, [at / "VOCdevkit" / "VOC2007"])

    at = root("birdsnap")
    base = at / "birdsnap"
    test = set((base / "test_images.txt").read_text().split()[1:])
    rows = sorted(line.split("\t")[2] for line in
                  (base / "images.txt").read_text().splitlines()[1:])
    rows = [r for r in rows if (base / "download" / "images" / r).exists()]
    birds = ["Acadian_Flycatcher", "Zone-tailed_Hawk"]
    wants = {split: of(None, [birds.index(r.split("/")[0]) for r in rows if (r in test) == is_test],
                       birds, opened(base / "download" / "images",
                                     [r for r in rows if (r in test) == is_test]))
             for split, is_test in (("train", False), ("test", True))}
    compare("birdsnap", "Birdsnap", at, wants)
print("1..%d" % tests)
sys.exit(1 if failures else 0)

"""Miniatures of published data sets, in the exact layout in which each is downloaded, for
test_data_sets.py.  Each function writes one below a folder, and returns nothing."""
import csv
import gzip
import io
import json
import pathlib
import pickle
import random
import shutil
import struct
import tarfile

import numpy as np
from PIL import Image

pick = random.Random(19)
rng = np.random.default_rng(19)


def image(path, kind=None):
    """A small random picture; kind: of its contents, else by its name."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = kind or {".png": "PNG", ".ppm": "PPM", ".jpg": "JPEG", ".jpeg": "JPEG"}[
        path.suffix.lower()]
    Image.fromarray(rng.integers(0, 256, (pick.randint(2, 12), pick.randint(2, 12), 3),
                                 np.uint8)).save(path, kind)


def text(path, lines):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines))


def shuffled(items):
    items = list(items)
    pick.shuffle(items)
    return items


class Python2(pickle._Pickler):
    """Writes texts and bytes as Python 2 wrote its str: the published files of CIFAR are such."""
    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        value = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(pickle.SHORT_BINSTRING + bytes([len(value)]) if len(value) < 256
                   else pickle.BINSTRING + struct.pack("<i", len(value)))
        self.write(value)

    dispatch[str] = dispatch[bytes] = save_string


def pickled(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    Python2(out, 2).dump(value)
    path.write_bytes(out.getvalue().replace(b"numpy._core.", b"numpy.core."))


def cifar_10(root):
    base = root / "cifar-10-batches-py"
    for number, name in enumerate(["data_batch_%d" % k for k in range(1, 6)] + ["test_batch"]):
        count = 5 + number
        pickled(base / name, {"batch_label": "training batch", "labels":
                              [pick.randrange(10) for _ in range(count)],
                              "data": rng.integers(0, 256, (count, 3072), np.uint8),
                              "filenames": ["%d.png" % i for i in range(count)]})
    pickled(base / "batches.meta", {"num_cases_per_batch": 10000, "num_vis": 3072, "label_names":
                                    ["airplane", "automobile", "bird", "cat", "deer", "dog",
                                     "frog", "horse", "ship", "truck"]})


def cifar_100(root):
    base = root / "cifar-100-python"
    for name, count in (("train", 11), ("test", 7)):
        pickled(base / name, {"filenames": ["x"] * count, "batch_label": name,
                              "fine_labels": [pick.randrange(100) for _ in range(count)],
                              "coarse_labels": [pick.randrange(20) for _ in range(count)],
                              "data": rng.integers(0, 256, (count, 3072), np.uint8)})
    pickled(base / "meta", {"fine_label_names": ["fine_%d" % k for k in range(100)],
                            "coarse_label_names": ["coarse %d" % k for k in range(20)]})


def food_101(root):
    base = root / "food-101"
    classes = shuffled(["apple_pie", "baby_back_ribs", "waffles"])
    for part, count in (("train", 4), ("test", 2)):
        lists = {c: ["%s/%d" % (c, pick.randrange(10 ** 6)) for _ in range(count)]
                 for c in classes}
        for names in lists.values():
            for name in names:
                image(base / "images" / (name + ".jpg"))
        text(base / "meta" / (part + ".json"), [json.dumps(lists)])
        text(base / "meta" / (part + ".txt"), sum(lists.values(), []))
    text(base / "meta" / "classes.txt", sorted(classes))


def dtd(root):
    base = root / "dtd" / "dtd"
    for number, part in enumerate(("train", "val", "test")):
        names = ["%s/%s_%04d.jpg" % (c, c, 10 * number + i)
                 for c in ("banded", "blotchy", "zigzagged") for i in range(3)]
        for name in names:
            image(base / "images" / name)
        text(base / "labels" / (part + "1.txt"), names)


def oxford_pets(root):
    base = root / "oxford-iiit-pet"
    breeds = [("Abyssinian", 1, 1), ("american_bulldog", 2, 1), ("Bengal", 1, 2),
              ("staffordshire_bull_terrier", 2, 2)]
    for number, part in enumerate(("trainval", "test")):
        lines = []
        for label, (breed, species, of_species) in enumerate(breeds):
            for i in range(3):
                name = "%s_%d" % (breed, 100 * number + i)
                image(base / "images" / (name + ".jpg"))
                lines.append("%s %d %d %d" % (name, label + 1, species, of_species))
        text(base / "annotations" / (part + ".txt"), shuffled(lines))
    text(base / "annotations" / "list.txt", ["#Image CLASS-ID SPECIES BREED ID"])


def fgvc_aircraft(root):
    base = root / "fgvc-aircraft-2013b" / "data"
    variants = ["707-320", "A340-200", "Boeing 717", "DC-10"]
    text(base / "variants.txt", variants)
    number = 34958
    both = []
    for part in ("train", "val", "test"):
        lines = []
        for variant in variants:
            for _ in range(3):
                number += 77
                image(base / "images" / ("%07d.jpg" % number))
                lines.append("%07d %s" % (number, variant))
        lines = shuffled(lines)
        text(base / ("images_variant_%s.txt" % part), lines)
        both += lines if part != "test" else []
    text(base / "images_variant_trainval.txt", both)


def sun397(root):
    base = root / "SUN397"
    classes = ["/a/abbey", "/a/apartment_building/outdoor", "/b/badlands", "/y/yard"]
    text(base / "ClassName.txt", classes)
    parts = {"Training": [], "Testing": []}
    for c in classes:
        for i in range(4):
            name = "%s/sun_a%05d.jpg" % (c, pick.randrange(10 ** 5))
            image(base / name[1:])
            parts["Training" if i < 2 else "Testing"].append(name)
    for part, names in parts.items():
        text(base / (part + "_01.txt"), names)


def birdsnap(root):
    base = root / "birdsnap"
    birds = ["Acadian_Flycatcher", "Zone-tailed_Hawk"]
    text(base / "species.txt", ["id\tcommon\tscientific\tdir"]
         + ["%d\t%s\tx\t%s" % (i + 1, b.replace("_", " "), b) for i, b in enumerate(birds)])
    rows, test = [], []
    for i, b in enumerate(birds):
        for n in range(5):
            path = "%s/%d.jpg" % (b, 1000 + pick.randrange(10 ** 5))
            if n != 1:  # one that could not be downloaded
                image(base / "download" / "images" / path)
            rows.append("http://example.org/%s\tmd5\t%s\t%d" % (path, path, i + 1))
            if n > 2:
                test.append(path)
    text(base / "images.txt", ["url\tmd5\tpath\tspecies_id"] + shuffled(rows))
    text(base / "test_images.txt", ["path"] + shuffled(test))


def webdataset(root):
    """Shards as CLIP_benchmark's converter names them, written by webdataset itself."""
    import webdataset as wds
    base = root / "wds_pets"
    text(base / "classnames.txt", ["abyssinian", "a photo of a beagle", "samoyed"])
    number = 0
    for part, counts in (("train", (5, 4)), ("test", (3, 3, 1))):
        text(base / part / "nshards.txt", [str(len(counts))])
        for shard, count in enumerate(counts):
            with wds.TarWriter(str(base / part / ("%d.tar" % shard))) as out:
                for _ in range(count):
                    ending = pick.choice(["jpg", "png", "webp"])
                    data = io.BytesIO()
                    Image.fromarray(rng.integers(0, 256, (5, 4, 3), np.uint8)).save(
                        data, {"jpg": "JPEG"}.get(ending, ending))
                    out.write({"__key__": "s%07d" % number, ending: data.getvalue(),
                               "cls": number % 3, "txt": "a text"})
                    number += 1


VOC = ("aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike "
       "person pottedplant sheep sofa train tvmonitor").split()


def voc_2007(root):
    """Objects of an image in Annotations/; a class's flag in its list follows from them."""
    base = root / "VOCdevkit" / "VOC2007"
    number = 0
    for part, count in (("train", 30), ("val", 9), ("test", 11)):
        names, flags = [], {c: [] for c in VOC}
        for i in range(count):
            number += pick.randint(1, 9)
            name = "%06d" % number
            names.append(name)
            image(base / "JPEGImages" / (name + ".jpg"))
            objects = [(VOC[i % 20], 0)] + [(pick.choice(VOC), pick.randrange(2))
                                            for _ in range(pick.randrange(5))]
            text(base / "Annotations" / (name + ".xml"), [
                "<annotation><filename>%s.jpg</filename>" % name, *[
                    "<object><name>%s</name><difficult>%d</difficult></object>" % o
                    for o in objects], "</annotation>"])
            for c in VOC:
                seen = [difficult for n, difficult in objects if n == c]
                flags[c].append("%s %2d" % (name, -1 if not seen else 0 if all(seen) else 1))
        text(base / "ImageSets" / "Main" / (part + ".txt"), names)
        for c in VOC:
            text(base / "ImageSets" / "Main" / ("%s_%s.txt" % (c, part)), flags[c])


def part_folders(base, classes, count=3):
    for part in ("train", "valid", "test"):
        for c in classes:
            for i in range(count):
                image(base / part / c / ("%s_%s_%d.jpg" % (part, c, i)))


def country211(root):
    part_folders(root / "country211", ["AD", "AE", "ZW"])


def rendered_sst2(root):
    base = root / "rendered-sst2"
    for part in ("train", "valid", "test"):
        for c in ("negative", "positive"):
            for i in range(3):
                image(base / part / c / ("%05d.png" % i))


def gtsrb(root):
    base = root / "gtsrb"
    for c in range(43):
        for i in range(2 if c < 3 else 1):
            image(base / "GTSRB" / "Training" / ("%05d" % c) / ("00000_%05d.ppm" % i))
        text(base / "GTSRB" / "Training" / ("%05d" % c) / ("GT-%05d.csv" % c), ["Filename;Width"])
    rows = ["Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId"]
    for i in range(9):
        image(base / "GTSRB" / "Final_Test" / "Images" / ("%05d.ppm" % i))
        rows.append("%05d.ppm;53;54;6;5;48;49;%d" % (i, pick.randrange(43)))
    text(base / "GT-final_test.csv", rows)


def caltech_101(root):
    base = root / "caltech101" / "101_ObjectCategories"
    for c, count in (("BACKGROUND_Google", 33), ("Faces", 36), ("accordion", 31)):
        for i in range(count):
            image(base / c / ("image_%04d.jpg" % (i + 1)))


def tiny_imagenet(root):
    base = root / "tiny-imagenet-200"
    wnids = ["n01443537", "n01629819", "n12267677"]
    text(base / "wnids.txt", shuffled(wnids))
    for wnid in wnids:
        for i in range(3):
            image(base / "train" / wnid / "images" / ("%s_%d.JPEG" % (wnid, i)))
        text(base / "train" / wnid / (wnid + "_boxes.txt"), ["x"])
    lines = []
    for i in range(11):
        image(base / "val" / "images" / ("val_%d.JPEG" % i))
        lines.append("val_%d.JPEG\t%s\t0\t0\t62\t63" % (i, pick.choice(wnids)))
    text(base / "val" / "val_annotations.txt", lines)


def places365(root):
    base = root / "places365"
    classes = ["/a/airfield", "/a/apartment_building/outdoor", "/z/zen_garden"]
    text(base / "categories_places365.txt", ["%s %d" % (c, i) for i, c in enumerate(classes)])
    lines = []
    for label, c in enumerate(classes):
        for i in range(3):
            image(base / "data_256_standard" / c[1:] / ("%08d.jpg" % i))
            lines.append("%s/%08d.jpg %d" % (c, i, label))
    text(base / "places365_train_standard.txt", lines)
    for i in range(7):
        image(base / "val_256" / ("Places365_val_%08d.jpg" % i))
    text(base / "places365_val.txt",
         ["Places365_val_%08d.jpg %d" % (i, pick.randrange(3)) for i in range(7)])


def ucf101(root):
    base = root / "ucf101"
    actions = ["ApplyEyeMakeup", "Archery", "YoYo"]
    text(base / "ucfTrainTestlist" / "classInd.txt",
         ["%d %s" % (i + 1, a) for i, a in enumerate(actions)])
    lists = {"train": [], "test": []}
    for i, a in enumerate(actions):
        for g in range(5):
            video = "v_%s_g%02d_c01" % (a, g)
            image(base / "UCF-101" / a / (video + ".jpg"))
            lists["train" if g > 1 else "test"].append(
                "%s/%s.avi" % (a, video) + (" %d" % (i + 1) if g > 1 else ""))
    for part, lines in lists.items():
        text(base / "ucfTrainTestlist" / (part + "list01.txt"), lines)


def clevr(root):
    base = root / "clevr" / "CLEVR_v1.0"
    for part in ("train", "val"):
        scenes = []
        for i in range(12):
            name = "CLEVR_%s_%06d.png" % (part, i)
            image(base / "images" / part / name)
            scenes.append({"image_index": i, "image_filename": name, "split": part,
                           "objects": [{"shape": "cube"}] * (3 + (5 * i) % 8)})
        (base / "scenes").mkdir(exist_ok=True)
        (base / "scenes" / ("CLEVR_%s_scenes.json" % part)).write_text(
            json.dumps({"info": {"split": part}, "scenes": shuffled(scenes)}))


def hateful_memes(root):
    base = root / "hateful_memes"
    number = 1000
    for part in ("train", "dev_seen"):
        lines = []
        for _ in range(6):
            number += 3
            image(base / "img" / ("%05d.png" % number))
            lines.append(json.dumps({"id": number, "img": "img/%05d.png" % number,
                                     "label": number % 2, "text": "a \"text\""}))
        text(base / (part + ".jsonl"), lines)


def mnist(root, folder="MNIST", packed=False):
    for name, count in (("train", 13), ("t10k", 7)):
        for kind, shape in (("images-idx3", (count, 28, 28)), ("labels-idx1", (count,))):
            values = rng.integers(0, 256 if len(shape) > 1 else 10, shape, np.uint8)
            if len(shape) == 1:
                values[:10] = np.arange(10)[:len(values)]
            path = root / folder / "raw" / ("%s-%s-ubyte" % (name, kind))
            path.parent.mkdir(parents=True, exist_ok=True)
            data = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + values.tobytes()
            path.write_bytes(data)
            if packed:
                (path.parent / (path.name + ".gz")).write_bytes(gzip.compress(data))


def fer2013(root):
    rows = [("emotion", "pixels", "Usage")]
    usages = ["Training"] * 9 + ["PublicTest"] * 4 + ["PrivateTest"] * 5
    for i, usage in enumerate(usages):
        rows.append((i % 7, " ".join(map(str, rng.integers(0, 256, 48 * 48))), usage))
    table(root / "fer2013" / "fer2013.csv", rows)


def flowers_102(root):
    from scipy.io import savemat
    base = root / "flowers-102"
    labels = np.array(shuffled(list(range(1, 103)) * 2 + [5, 9]), np.uint8)
    for i in range(len(labels)):
        image(base / "jpg" / ("image_%05d.jpg" % (i + 1)))
    first = [int(np.flatnonzero(labels == k)[0]) + 1 for k in range(1, 103)]
    rest = shuffled(set(range(1, len(labels) + 1)) - set(first))
    savemat(base / "imagelabels.mat", {"labels": labels[None]})
    savemat(base / "setid.mat", {"trnid": np.array([shuffled(first)], np.uint16),
                                 "valid": np.array([rest[:40]], np.uint16),
                                 "tstid": np.array([rest[40:]], np.uint16)})


def stanford_cars(root):
    from scipy.io import savemat
    base = root / "stanford_cars"
    names = np.empty((1, 3), object)
    names[0] = ["AM General Hummer SUV 2000", "Acura RL Sedan 2012", "smart fortwo 2012"]
    (base / "devkit").mkdir(parents=True)
    savemat(base / "devkit" / "cars_meta.mat", {"class_names": names})
    fields = [(f, object) for f in ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "fname")]
    for part, path in (("train", base / "devkit" / "cars_train_annos.mat"),
                       ("test", base / "cars_test_annos_withlabels.mat")):
        notes = np.empty((1, 7), fields)
        for i in range(7):
            name = "%05d.jpg" % (i + 1)
            image(base / ("cars_" + part) / name)
            for f, value in zip(("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2"), (39, 116, 569, 375)):
                notes[f][0, i] = np.array([[value]], np.uint16)
            notes["class"][0, i] = np.array([[i % 3 + 1]], np.uint8)
            notes["fname"][0, i] = name
        savemat(path, {"annotations": notes})


def svhn(root):
    from scipy.io import savemat
    for part, count in (("train", 14), ("test", 6)):
        y = (np.arange(count) % 10 + 1).astype(np.uint8)[:, None]
        (root / "svhn").mkdir(exist_ok=True)
        savemat(root / "svhn" / (part + "_32x32.mat"), do_compression=part == "train",
                mdict={"X": rng.integers(0, 256, (32, 32, 3, count), np.uint8), "y": y})


def kitti(root):
    base = root / "Kitti" / "raw"
    videos = shuffled("2011_09_%d_drive_%04d_sync" % (26 + v % 4, 7 * v) for v in range(37))
    lines = ["%s %s %010d" % (v[:10], v, frame) for v in videos for frame in range(4)]
    order = shuffled(range(len(lines)))[:101]
    text(base / "mapping" / "train_mapping.txt", lines)
    text(base / "mapping" / "train_rand.txt", [",".join(str(i + 1) for i in order)])
    for i in range(len(order)):
        image(base / "training" / "image_2" / ("%06d.png" % i))
        objects = ["%s 0.00 0 -1.57 614.24 181.78 727.31 284.77 1.57 1.73 4.15 1.00 1.75 %.2f 1.62"
                   % (kind, pick.choice([8, 20, pick.uniform(0.5, 60)]))
                   for kind in shuffled(["Car", "Van", "Truck", "Pedestrian", "DontCare", "Tram"])
                   [:pick.randrange(4)]]
        text(base / "training" / "label_2" / ("%06d.txt" % i), objects)


def imagenet(root):
    """The images as they are published, the classes' files and Kaggle's."""
    from scipy.io import savemat
    base = root / "imagenet"
    wnids = ["n01440764", "n01443537", "n02084071", "n03000000"]
    words = ["tench, Tinca tinca", "goldfish, Carassius auratus", "dog", "thing"]
    inner = "n02084071"  # has children: no class
    numbers = dict(zip(wnids, shuffled(range(1, 5))))
    fields = [(f, object) for f in ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children",
                                    "children", "wordnet_height", "num_train_images")]
    synsets = np.empty((4, 1), fields)
    for i, wnid in enumerate(wnids):
        values = (np.array([[numbers[wnid]]], np.uint16), wnid, words[i], "a gloss",
                  np.array([[int(wnid == inner)]], np.uint8), np.array([[]], np.uint8),
                  np.array([[0]], np.uint8), np.array([[1300]], np.uint16))
        for (field, _), value in zip(fields, values):
            synsets[field][i, 0] = value
    data = base / "ILSVRC2012_devkit_t12" / "data"
    data.mkdir(parents=True)
    savemat(data / "meta.mat", {"synsets": synsets})
    leaves = [w for w in wnids if w != inner]
    truth = [pick.choice(leaves) for _ in range(11)]
    text(data / "ILSVRC2012_validation_ground_truth.txt", [str(numbers[w]) for w in truth])
    for i in range(len(truth)):
        image(base / "val" / ("ILSVRC2012_val_%08d.JPEG" % (i + 1)), "JPEG")
    for wnid in leaves:
        for i in shuffled(range(3)):
            image(base / "train" / wnid / ("%s_%d.JPEG" % (wnid, i)), "JPEG")
    with tarfile.open(base / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as archive:
        archive.add(data, "ILSVRC2012_devkit_t12/data")
    kaggle = root / "kaggle"
    text(kaggle / "LOC_synset_mapping.txt",
         ["%s %s" % pair for pair in zip(wnids, words) if pair[0] != inner])
    rows = ["ILSVRC2012_val_%08d,%s 85 1 499 272 %s 1 2 3 4 " % (i + 1, w, w)
            for i, w in enumerate(truth)]
    text(kaggle / "LOC_val_solution.csv", ["ImageId,PredictionString"] + shuffled(rows))
    (kaggle / "ILSVRC" / "Data" / "CLS-LOC").mkdir(parents=True)
    for part in ("train", "val"):
        shutil.copytree(base / part, kaggle / "ILSVRC" / "Data" / "CLS-LOC" / part)


def pcam(root):
    import h5py
    for part, count in (("train", 13), ("valid", 5), ("test", 7)):
        for kind, values in (("x", rng.integers(0, 256, (count, 96, 96, 3), np.uint8)),
                             ("y", (np.arange(count, dtype=np.uint8) * 5 % 3 % 2)
                              .reshape(count, 1, 1, 1))):
            path = root / "pcam" / ("camelyonpatch_level_2_split_%s_%s.h5" % (part, kind))
            path.parent.mkdir(exist_ok=True)
            with h5py.File(path, "w") as file:
                file.create_dataset(kind, data=values, compression="gzip", chunks=True)


def table(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as f:
        csv.writer(f).writerows(rows)

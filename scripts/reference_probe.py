#!/usr/bin/env python3
"""The same linear probe by the usual tools, to compare linprobe with.

    encoder features   timm (or open_clip) in PyTorch float32, Pillow and torchvision preprocessing
    liblinear          its own command-line tools: liblinear-train -s 0 -c C -B 1
    scikit-learn       LogisticRegression(C=C, max_iter=1000)

usage: reference_probe.py features   --model FILE --data FOLDER --out DIR [--threads N]
       reference_probe.py liblinear  --features DIR [-C 0.316]
       reference_probe.py sklearn    --features DIR [-C 0.316]
       reference_probe.py compare    --features DIR --ours RESULTS_DIR --our-features DIR DIR --linprobe PROGRAM

`features` writes DIR/{train,test}/{features,labels}.npy, which linprobe reads too.  The others write
DIR/<name>.json (accuracy, seconds, peak memory, versions) and DIR/<name>-predictions.npy.
"""
import argparse, json, os, resource, subprocess, sys, time

import numpy as np


def record(folder, name, values):
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(values, f, indent=2)
        f.write("\n")
    print(name, json.dumps(values), flush=True)


def peak_mib(who=resource.RUSAGE_SELF):
    return round(resource.getrusage(who).ru_maxrss / 1024)


def read_cifar100(path):
    raw = np.fromfile(path, np.uint8).reshape(-1, 3074)
    return raw[:, 1].astype(np.int64), raw[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


def load_encoder(path):
    """The model in float32 and its preprocessing."""
    import torch
    from torchvision import transforms as T

    bicubic = T.InterpolationMode.BICUBIC
    if path.endswith(".safetensors"):
        import timm
        from safetensors.torch import load_file

        model = timm.create_model("vit_tiny_patch16_224", num_classes=0)
        weights = {k: v.float() for k, v in load_file(path).items() if not k.startswith("head.")}
        model.load_state_dict(weights)
        size, crop, mean, std = 248, 224, (0.5,) * 3, (0.5,) * 3
        versions = {"timm": timm.__version__}
    else:
        import open_clip

        model = open_clip.create_model("ViT-B-32-quickgelu", pretrained=path).visual
        size = crop = 224
        mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        versions = {"open_clip": open_clip.__version__}
    transform = T.Compose([T.Resize(size, bicubic), T.CenterCrop(crop), T.ToTensor(), T.Normalize(mean, std)])
    return model.float().eval(), transform, dict(versions, torch=torch.__version__)


def features(args):
    import PIL, torch
    from PIL import Image

    if args.threads:
        torch.set_num_threads(args.threads)
    model, transform, versions = load_encoder(args.model)
    for split in ("train", "test"):
        start = time.time()
        labels, images = read_cifar100(os.path.join(args.data, split + ".bin"))
        rows = []
        with torch.inference_mode():
            for i in range(0, len(images), 64):
                batch = torch.stack([transform(Image.fromarray(x)) for x in images[i : i + 64]])
                rows.append(model(batch).numpy())
        folder = os.path.join(args.out, split)
        os.makedirs(folder, exist_ok=True)
        np.save(os.path.join(folder, "features.npy"), np.concatenate(rows))
        np.save(os.path.join(folder, "labels.npy"), labels)
        record(args.out, "features-" + split, dict(
            images=len(images), seconds=round(time.time() - start, 1), peak_mib=peak_mib(),
            versions=dict(versions, Pillow=PIL.__version__, numpy=np.__version__)))


def load(folder, split):
    return tuple(np.load(os.path.join(folder, split, name)) for name in ("features.npy", "labels.npy"))


def write_svmlight(path, x, y):
    with open(path, "w") as f:
        for row, label in zip(x, y):
            f.write("%d " % label + " ".join("%d:%.9g" % (j + 1, v) for j, v in enumerate(row)) + "\n")


def liblinear(args):
    names = [os.path.join(args.features, n) for n in ("train.txt", "test.txt", "liblinear.model", "predictions.txt")]
    write_svmlight(names[0], *load(args.features, "train"))
    start = time.time()
    subprocess.run(["liblinear-train", "-q", "-s", "0", "-c", repr(args.C), "-B", "1", names[0], names[2]], check=True)
    seconds = time.time() - start
    xt, yt = load(args.features, "test")
    write_svmlight(names[1], xt, yt)
    subprocess.run(["liblinear-predict", names[1], names[2], names[3]], check=True, stdout=subprocess.DEVNULL)
    predictions = np.loadtxt(names[3]).astype(np.int64)
    np.save(os.path.join(args.features, "liblinear-predictions.npy"), predictions)
    package = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "liblinear-tools"], capture_output=True, text=True)
    record(args.features, "liblinear", dict(
        C=args.C, correct=int((predictions == yt).sum()), accuracy=100 * float((predictions == yt).mean()),
        seconds=round(seconds, 1), peak_mib=peak_mib(resource.RUSAGE_CHILDREN),
        versions={"liblinear-tools": package.stdout}))
    os.remove(names[0])
    os.remove(names[1])


def sklearn(args):
    import sklearn
    from sklearn.linear_model import LogisticRegression

    x, y = load(args.features, "train")
    start = time.time()
    model = LogisticRegression(C=args.C, max_iter=1000, tol=args.tol)
    model.fit(x, y)
    seconds = time.time() - start
    xt, yt = load(args.features, "test")
    predictions = model.predict(xt)
    np.save(os.path.join(args.features, "sklearn-predictions.npy"), predictions)
    record(args.features, "sklearn", dict(
        C=args.C, tol=args.tol, correct=int((predictions == yt).sum()),
        accuracy=100 * float((predictions == yt).mean()), iterations=int(model.n_iter_[0]),
        seconds=round(seconds, 1), peak_mib=peak_mib(),
        versions={"scikit-learn": sklearn.__version__, "numpy": np.__version__}))


def compare(args):
    """How far linprobe's features and predictions are from these."""
    reference = [load(args.features, split) for split in ("train", "test")]
    out = {}
    for split, ours, (x, y) in zip(("train", "test"), args.our_features, reference):
        mine, labels = np.load(ours + "/features.npy"), np.load(ours + "/labels.npy")
        assert (labels == y).all()
        d = np.linalg.norm(mine.astype(np.float64) - x) / np.linalg.norm(x.astype(np.float64))
        out["features_" + split] = {"relative_error": float(d), "largest_difference": float(np.abs(mine - x).max())}
    for ours, theirs in (("liblinear", "liblinear"), ("softmax", "sklearn")):
        probe = os.path.join(args.ours, ours + ".probe")
        path = os.path.join(args.features, theirs + "-predictions.npy")
        if not (os.path.exists(probe) and os.path.exists(path)):
            continue
        text = subprocess.run([args.linprobe, "predict", probe, args.our_features[1], "--format", "json"],
                              capture_output=True, text=True, check=True).stdout
        mine = np.array([row["prediction"] for row in json.loads(text)])
        other, y = np.load(path), reference[1][1]
        out[ours + " and " + theirs] = {
            "correct": [int((mine == y).sum()), int((other == y).sum())],
            "same_prediction": int((mine == other).sum()), "images": len(y)}
    record(args.features, "compare", out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("features", "liblinear", "sklearn", "compare"))
    for option in ("--model", "--data", "--out", "--features", "--ours", "--linprobe"):
        parser.add_argument(option)
    parser.add_argument("--our-features", nargs=2)
    parser.add_argument("--threads", type=int)
    parser.add_argument("-C", type=float, default=0.316)
    parser.add_argument("--tol", type=float, default=1e-4)
    args = parser.parse_args()
    {"features": features, "liblinear": liblinear, "sklearn": sklearn, "compare": compare}[args.step](args)


if __name__ == "__main__":
    sys.exit(main())

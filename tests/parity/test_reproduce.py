"""End to end: `linprobe reproduce`, its inputs served over HTTP, against Pillow + PyTorch + liblinear's
own command-line tools on the same files."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile

from probe_tools import Tap, np, skip_all

try:
    import torch
    from PIL import Image
    from safetensors.torch import load_file
except ImportError as error:
    skip_all(str(error))
if not shutil.which("liblinear-train"):
    skip_all("no liblinear-train")

from clip_vision import VisionTransformer

MODEL = os.path.join(os.environ["LP_SOURCE"], "tests/golden/encoder/clip.safetensors")
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
SIZE = 28


def encoder():
    weights = {k.removeprefix("visual."): v.float() for k, v in load_file(MODEL).items() if k.startswith("visual.")}
    width, _, patch, _ = weights["conv1.weight"].shape
    layers = sum(k.endswith("attn.in_proj_weight") for k in weights)
    inner = weights["transformer.resblocks.0.mlp.c_fc.weight"].shape[0]
    model = VisionTransformer(SIZE, patch, width, layers, weights["proj"].shape[1], inner)
    model.load_state_dict(weights)
    return model.eval()


def features(model, path):
    raw = np.fromfile(path, np.uint8).reshape(-1, 3074)
    rows = []
    for pixels in raw[:, 2:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1):
        image = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
        x = torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div(255)
        rows.append((x - MEAN) / STD)
    with torch.inference_mode():
        return model(torch.stack(rows)).numpy(), raw[:, 1].astype(np.int64)


def svmlight(path, x, y):
    with open(path, "w") as f:
        for row, label in zip(x, y):
            f.write(f"{label} " + " ".join(f"{j + 1}:{v:.9g}" for j, v in enumerate(row)) + "\n")


tap = Tap()
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    subprocess.run([os.environ["LP_PROGRAM"], "generate", "--out", "made", "--seed", "7", "--train", "20", "--test", "5"],
                   check=True, capture_output=True)
    os.mkdir("served")
    with tarfile.open("served/cifar-100-binary.tar.gz", "w:gz") as archive:
        archive.add("made/cifar-100-binary", "cifar-100-binary")
    shutil.copy(MODEL, "served/weights.safetensors")
    digests = {name: hashlib.sha256(open(f"served/{name}", "rb").read()).hexdigest() for name in os.listdir("served")}

    server = subprocess.Popen([os.environ["LP_TESTS"] + "/http_server", "served"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
    ours = subprocess.run(
        [os.environ["LP_PROGRAM"], "reproduce", "--run", "test", "--format", "json", "--activation", "quick_gelu",
         "--weights-url", f"{base}/weights.safetensors", "--weights-sha256", digests["weights.safetensors"],
         "--data-url", f"{base}/cifar-100-binary.tar.gz", "--data-sha256", digests["cifar-100-binary.tar.gz"]],
        capture_output=True, text=True)
    server.stdin.close()
    server.wait()
    tap.check(ours.returncode == 0, "reproduce ends with status 0")
    if ours.returncode != 0:
        print("# " + ours.stderr.replace("\n", "\n# "))
        tap.end()
    probes = {probe["solver"]: probe for probe in json.loads(ours.stdout)["probes"]}

    model = encoder()
    sets = {split: features(model, f"made/cifar-100-binary/{split}.bin") for split in ("train", "test")}
    for split, (x, y) in sets.items():
        (mine,) = glob.glob(f"datasets/features/*/cifar-100-{split}-*")
        theirs, labels = np.load(mine + "/features.npy"), np.load(mine + "/labels.npy")
        error = np.linalg.norm(theirs.astype(float) - x) / np.linalg.norm(x.astype(float))
        tap.check(error <= 1e-5, f"{split} features: relative error {error:.1e}")
        tap.check((labels == y).all(), f"{split} labels")
    svmlight("train.txt", *sets["train"])
    svmlight("test.txt", *sets["test"])
    subprocess.run(["liblinear-train", "-q", "-s", "0", "-c", "0.316", "-B", "1", "train.txt", "model"], check=True)
    subprocess.run(["liblinear-predict", "test.txt", "model", "out"], check=True, stdout=subprocess.DEVNULL)
    correct = int((np.loadtxt("out").astype(np.int64) == sets["test"][1]).sum())
    # 500 images: where two classes' decision values agree to 1e-5, either may win
    tap.check(abs(correct - probes["liblinear"]["correct"]) <= 1,
              f"liblinear: {probes['liblinear']['correct']} correct here, {correct} by its own tools")
    tap.check(correct > 15, "and far above chance (5)")
tap.end()

#!/usr/bin/env python3
"""Feature sets as NumPy writes them: every float type, order and archive gives the same probe."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Tap, np, problem, save_set

tap = Tap()
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)
x, y = problem(150, 7, 4, 5)
x = x.astype(np.float16)  # exact in every type below


def weights(path):
    """The probe file's numbers, behind its header."""
    run = subprocess.run([os.environ["LP_PROGRAM"], "fit", path, "--out", "probe"],
                         capture_output=True, text=True)
    if run.returncode != 0:
        print(f"# {run.stderr}")
        return None
    with open("probe", "rb") as file:
        data = file.read()
    header = 16 + int.from_bytes(data[8:16], "little")
    return data[header:header + 8 * (7 + 1) * 4]


save_set("plain", x.astype("<f4"), y)
expected = weights("plain")
tap.check(expected is not None and len(set(expected)) > 8, "float32, C order")
for dtype in "<f2", ">f2", ">f4", "<f8", ">f8":
    for order in "CF":
        save_set("set", np.array(x, dtype, order=order), y.astype(">i4"))
        tap.check(weights("set") == expected, f"features {dtype} in {order} order, labels >i4")
for name, save in ("stored", np.savez), ("deflated", np.savez_compressed):
    for dtype in "<f4", ">f8":
        save(f"{name}.npz", features=x.astype(dtype), labels=y.astype("u1"), more=np.arange(3))
        tap.check(weights(f"{name}.npz") == expected, f".npz, {name}, features {dtype}")

try:
    import torch
    for name, more in ("zip", {}), ("legacy", {"_use_new_zipfile_serialization": False}):
        for dtype in torch.float16, torch.float64:
            torch.save({"features": torch.from_numpy(x).to(dtype), "labels": torch.from_numpy(y)},
                       "set.pt", **more)
            tap.check(weights("set.pt") == expected, f"torch.save ({name}) of a dictionary, {dtype}")
    os.makedirs("tensors", exist_ok=True)
    torch.save(torch.from_numpy(x.T.copy()).T, "tensors/features.pt")  # strided
    torch.save(torch.from_numpy(y.astype(np.uint8))[:, None], "tensors/labels.pt")
    tap.check(weights("tensors") == expected, "torch.save of two tensors")
except ImportError as missing:
    tap.skip("tensors of PyTorch", f"no {missing.name}")
try:
    from safetensors.numpy import save_file
    save_file({"features": x, "labels": y}, "set.safetensors")
    tap.check(weights("set.safetensors") == expected, "safetensors")
except ImportError as missing:
    tap.skip("safetensors", f"no {missing.name}")
try:
    from sklearn.datasets import dump_svmlight_file
    for zero_based in False, True:
        dump_svmlight_file(x.astype(np.float64), y, "set.svm", zero_based=zero_based)
        tap.check(weights("set.svm") == expected, f"libsvm text, from {1 - zero_based}")
except ImportError as missing:
    tap.skip("libsvm text", f"no {missing.name}")
print(f"# NumPy {np.__version__}")
tap.end()

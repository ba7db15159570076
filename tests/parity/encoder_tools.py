"""Running linprobe's encoders on a reference model's weights and comparing what comes out.

Environment: LP_TESTS (folder of run_encoder); LP_VERBOSE=1 prints every stage's error.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
import torch

LIMIT = 1e-5  # relative Frobenius error of a feature matrix
LEAST = 2e-3  # by what features of two images differ: a hundred times that error, and more
RUN = os.path.join(os.environ["LP_TESTS"], "run_encoder")
FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="linprobe-parity-"))
torch.set_num_threads(1)


def relative(found, expected):
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def start(checkpoint, images, point, batch=4, taps=None, **options):
    images.numpy().tofile(FOLDER / "images.f32")
    command = [RUN, *(f"{name}={value}" for name, value in options.items()), checkpoint, point]
    command += [batch, FOLDER / "images.f32", FOLDER / "out.f32"] + ([taps] if taps else [])
    return subprocess.run([str(c) for c in command], capture_output=True, text=True)


def run(checkpoint, images, point, batch=4, taps=None, **options):
    """Features of linprobe, and what it says of the encoder."""
    done = start(checkpoint, images, point, batch, taps, **options)
    assert done.returncode == 0, done.stderr
    info = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    features = np.fromfile(FOLDER / "out.f32", np.float32)
    return features.reshape(len(images), -1), info


def refusal(checkpoint, images, point, **options):
    """What linprobe says when it refuses; "" when it does not."""
    return start(checkpoint, images, point, **options).stderr


def refuses(checkpoint, images, what, text, **options):
    """True where linprobe refuses the file, and its message, which is shown, has the text."""
    said = refusal(checkpoint, images, "penultimate", **options)
    print(f"# {what}: {said.strip()[:300]}")
    return text in said


def compare(checkpoint, images, expected, label="", **options):
    """expected: {tap: values} of PyTorch in float32, or a function of the images that gives it.
    True where the feature matrix of each feature point in it agrees; the errors of all stages are
    shown where one does not."""
    if callable(expected):
        with torch.no_grad():
            expected = expected(images)
    good = True
    points = [point for point in ("penultimate", "projected") if point in expected]
    for point in points:
        features, info = run(checkpoint, images, point, **options)
        if len(images) > 1 and relative(expected[point][:1], expected[point][1:2]) < LEAST:
            print(f"# {label}, {point}: features that do not depend on the image show nothing")
            good = False
        error = relative(features, expected[point])
        print(f"# {label or info['name']}, {len(images)} images, {point}: {error:.2e}")
        good = good and error <= LIMIT
    if not good or os.environ.get("LP_VERBOSE"):
        taps = FOLDER / "taps"
        taps.mkdir(exist_ok=True)
        run(checkpoint, images, points[-1], batch=len(images), taps=taps, **options)
        for stage, values in expected.items():
            path = taps / f"{stage}.f32"
            if path.exists():
                found = np.fromfile(path, np.float32)
                print(f"#   {stage}: {relative(found, values.numpy().ravel()):.2e}")
                path.unlink()
    return good


def images_for(size, count):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(5))


def main(tests, modules):
    """Runs the tests as TAP: each returns whether it passed, or why it is skipped."""
    print(f"1..{len(tests)}")
    for module in modules:
        print(f"# {module.__name__} {module.__version__}")
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            result = test()
        except Exception as error:
            print(f"# {type(error).__name__}: " + str(error).replace("\n", "\n#   "))
            result = False
        skipped = isinstance(result, str)
        print(
            f"{'ok' if result else 'not ok'} {number} - {test.__name__}"
            f"{' # SKIP ' + result if skipped else ''}",
            flush=True,
        )
        failed += not result
    shutil.rmtree(FOLDER)
    return failed > 0

#!/usr/bin/env python3
"""The Python module: its structs against the headers, the memory of its arrays, extraction, fits, errors, Ctrl-C, and
scikit-learn's checks of estimators."""
import ctypes
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

SOURCE = os.environ["LP_SOURCE"]
LIBRARY = os.path.join(os.path.dirname(os.environ["LP_PROGRAM"]), "liblinprobe.so")
MODULE = os.path.join(SOURCE, "src", "python")


def skip(reason):
    print("1..0 # SKIP " + reason)
    sys.exit(0)


if not os.path.exists(LIBRARY):
    skip("no shared library in this build")
try:
    import numpy as np
except ImportError:
    skip("no NumPy")
os.environ["LINPROBE_LIBRARY"] = LIBRARY
sys.path.insert(0, MODULE)
sys.dont_write_bytecode = True
import linprobe  # noqa: E402
from linprobe import library  # noqa: E402

tests = []


def check(name, passed, detail=""):
    tests.append(bool(passed))
    print("%sok %d - %s" % ("" if passed else "not ", len(tests), name))
    if not passed:
        print("# " + str(detail)[:2000].replace("\n", "\n# "))


def skipped(name, reason):
    tests.append(True)
    print("ok %d - %s # SKIP %s" % (len(tests), name, reason))


def raises(kinds, words, function, *arguments, **named):
    try:
        function(*arguments, **named)
    except kinds as error:
        return words in str(error)
    return False


def check_structs(folder):
    """A C program says where the headers put each field."""
    compiler = os.environ.get("CC", "cc").split()
    if not shutil.which(compiler[0]):
        skipped("structs", "no C compiler")
        return
    lines, found = [], []
    for struct in library.STRUCTS:
        name = struct.__name__
        for field, _ in struct._fields_:
            lines.append('printf("%%zu %%zu\\n", offsetof(%s, %s), sizeof(((%s *)0)->%s));' % (name, field, name, field))
            at = getattr(struct, field)
            found.append((name + "." + field, at.offset, at.size))
        if name != "lp_features":  # the library alone makes those
            lines.append('printf("0 %%zu\\n", sizeof(%s));' % name)
            found.append((name, 0, ctypes.sizeof(struct)))
    with open(os.path.join(folder, "s.c"), "w") as file:
        file.write("#include <linprobe/linprobe.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n%s\n"
                   "return 0;\n}\n" % "\n".join(lines))
    program = os.path.join(folder, "s")
    subprocess.run([*compiler, "-I" + os.path.join(SOURCE, "include"), program + ".c", "-o", program], check=True)
    said = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split("\n")
    wrong = [(each, line) for each, line in zip(found, said) if "%d %d" % each[1:] != line]
    check("%d fields lie where the headers put them" % len(found), not wrong and len(said) == len(found) + 1, wrong)


def random_problem(rows, width, classes, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, width)).astype(np.float32)
    labels = (x @ generator.normal(size=(width, classes)) + generator.gumbel(size=(rows, classes))).argmax(axis=1)
    return x, labels.astype(np.int64)


def check_sets(folder):
    x, labels = random_problem(50, 7, 3)
    place = os.path.join(folder, "set")
    os.mkdir(place)
    np.save(os.path.join(place, "features.npy"), x)
    np.save(os.path.join(place, "labels.npy"), labels)
    opened = linprobe.open_features(place)
    check("a feature set opens", np.array_equal(opened.x, x) and np.array_equal(opened.labels, labels)
          and opened.classes == 3 and opened.class_names is None, opened)
    check("its arrays are views that cannot be written", not opened.x.flags.owndata and not opened.x.flags.writeable)
    rows = opened.x[10:20]
    del opened
    gc.collect()
    check("an array outlives its set", np.array_equal(rows, x[10:20]))
    x[3, 2] = np.nan
    np.save(os.path.join(place, "features.npy"), x)
    check("NaN in a file is a DataError, and a ValueError", raises(ValueError, "row 3, column 2", linprobe.open_features, place))
    check("a missing set is an OSError with its path", raises(OSError, "/nowhere", linprobe.open_features, "/nowhere"))


def check_fits(folder):
    x, labels = random_problem(300, 10, 4)
    probe = linprobe.fit(x, labels)
    check("a fit converges", probe.report["converged"] and probe.weights.shape == (4, 10), probe.report)
    logits = probe.logits(x)
    check("logits are those of the weights", np.allclose(logits, x.astype(float) @ probe.weights.T + probe.intercepts,
                                                         rtol=1e-12, atol=1e-12))
    path = os.path.join(folder, "a.probe")
    probe.save(path)
    loaded = linprobe.Probe.load(path)
    check("a probe comes back from its file", np.array_equal(loaded.weights, probe.weights)
          and np.array_equal(loaded.predict(x), probe.predict(x)))
    check("a wrong solver is named", raises(ValueError, "softmax", linprobe.fit, x, labels, solver="newton"))
    check("a wrong C", raises(linprobe.ArgumentError, "C", linprobe.fit, x, labels, C=-1))
    check("a wrong label names its row", raises(linprobe.DataError, "row 1", linprobe.fit, x, np.where(
        np.arange(300) == 1, -1, labels), classes=4))
    check("another width", raises(linprobe.ArgumentError, "width", probe.logits, x[:, :3]))
    check("no copy of float32", library.lib is not None and linprobe.probe.as_features(x) is x)
    steps = []
    check("a progress function stops a fit", raises(linprobe.Cancelled, "", linprobe.fit, x, labels,
                                                    progress=lambda *step: steps.append(step) or False) and steps)

    def broken(*_):
        raise KeyError("mine")
    check("its exceptions arrive", raises(KeyError, "mine", linprobe.fit, x, labels, progress=broken))
    result = []
    thread = threading.Thread(target=lambda: result.append(linprobe.fit(x, labels).weights))
    thread.start()
    thread.join()
    check("a fit on another thread is the same", result and np.array_equal(result[0], probe.weights))


INTERRUPTED = """
import sys; sys.path.insert(0, %r)
import numpy as np, linprobe
generator = np.random.default_rng(0)
x = generator.normal(size=(20000, 200)).astype(np.float32)
try:
    linprobe.fit(x, generator.integers(0, 100, 20000), C=1e6, progress=lambda *_: print("step", flush=True))
    print("finished")
except KeyboardInterrupt:
    print("interrupted")
"""


def check_interrupt():
    child = subprocess.Popen([sys.executable, "-B", "-c", INTERRUPTED % MODULE], stdout=subprocess.PIPE, text=True)
    child.stdout.readline()
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=120)
    check("Ctrl-C ends a fit as KeyboardInterrupt", rest.split("\n")[-2] == "interrupted" and child.returncode == 0,
          (rest, child.returncode))


def check_extract(folder):
    program = os.environ["LP_PROGRAM"]
    data = os.path.join(folder, "data")
    subprocess.run([program, "generate", "--out", data, "--train", "2", "--test", "1"], check=True, capture_output=True)
    data = os.path.join(data, "cifar-100-binary")
    model = os.path.join(SOURCE, "tests", "golden", "encoder", "clip.safetensors")
    features = linprobe.extract(model, data, split="test")
    out = os.path.join(folder, "by-program")
    subprocess.run([program, "extract", "--model", model, "--data", data, "--split", "test", "--out", out], check=True,
                   capture_output=True)
    check("extract gives what the program gives", np.array_equal(features.x, np.load(os.path.join(out, "features.npy")))
          and np.array_equal(features.labels, np.load(os.path.join(out, "labels.npy")))
          and len(features.class_names) == 100, features)
    features = linprobe.extract(model, data, split="test", layers=(1, 2), resize=40, squash=True, crop=28, filter="bilinear")
    out = os.path.join(folder, "by-program-2")
    subprocess.run([program, "extract", "--model", model, "--data", data, "--split", "test", "--out", out, "--layers", "1-2",
                    "--resize", "40x40", "--crop", "28", "--filter", "bilinear"], check=True, capture_output=True)
    check("so it does with layers, resize, crop and filter", np.array_equal(
        features.x, np.load(os.path.join(out, "features.npy"))) and features.x.shape[1] > 8, features)
    kept = linprobe.extract(None, data, os.path.join(folder, "kept"), split="test")
    check("pixels, kept in a folder", kept.x.shape == (100, 3072) and os.path.exists(os.path.join(folder, "kept")))
    check("a missing model", raises(OSError, "none.pt", linprobe.extract, "none.pt", data))
    check("a wrong split", raises(ValueError, "train, test", linprobe.extract, None, data, split="all"))


# Checks of scikit-learn that do not apply, with the reason of each.
EXCEPTIONS = {"check_class_weight_classifiers": "it gives a dictionary, and the library has balanced weights alone"}


def check_classifier():
    try:
        import sklearn
        from sklearn.linear_model import LogisticRegression
        from sklearn.utils.estimator_checks import check_estimator
    except ImportError:
        skipped("scikit-learn's interface", "no scikit-learn")
        return
    x, labels = random_problem(400, 8, 3)
    names = np.array(["cat", "dog", "owl"])[labels]
    ours = linprobe.LinearProbe(C=0.5).fit(x, names)
    theirs = LogisticRegression(C=0.5, tol=1e-8, max_iter=10000).fit(x.astype(float), names)
    check("softmax is scikit-learn's LogisticRegression", np.allclose(ours.coef_, theirs.coef_, atol=1e-4)
          and np.allclose(ours.predict_proba(x), theirs.predict_proba(x), atol=1e-4))
    two = labels < 2
    ours = linprobe.LinearProbe(C=0.5).fit(x[two], names[two])
    theirs = LogisticRegression(C=0.5, tol=1e-8, max_iter=10000).fit(x[two].astype(float), names[two])
    check("of two classes, too", ours.coef_.shape == theirs.coef_.shape
          and np.allclose(ours.coef_, theirs.coef_, atol=1e-4)
          and np.allclose(ours.decision_function(x), theirs.decision_function(x), atol=1e-3))
    liblinear = LogisticRegression(C=0.5, tol=1e-8, max_iter=10000, solver="liblinear").fit(x[two].astype(float), names[two])
    for solver in ("ovr", "liblinear"):
        ours = linprobe.LinearProbe(solver=solver, C=0.5, tol=1e-6).fit(x[two], names[two])
        check("%s is scikit-learn's liblinear" % solver, np.allclose(ours.coef_, liblinear.coef_, atol=1e-3)
              and np.allclose(ours.predict_proba(x), liblinear.predict_proba(x), atol=1e-3), (ours.coef_, liblinear.coef_))
    skewed = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:40], np.flatnonzero(labels == 2)[:9]])
    ours = linprobe.LinearProbe(C=0.5, class_weight="balanced").fit(x[skewed], names[skewed])
    theirs = LogisticRegression(C=0.5, class_weight="balanced", tol=1e-8, max_iter=10000).fit(x[skewed].astype(float),
                                                                                              names[skewed])
    check("balanced classes are scikit-learn's", np.allclose(ours.coef_, theirs.coef_, atol=1e-4))
    wide = x * np.logspace(-2, 2, 8, dtype=np.float32) + 3
    ours = linprobe.LinearProbe(C=0.5, standardize=True).fit(wide, names)
    theirs = LogisticRegression(C=0.5, tol=1e-8, max_iter=10000).fit(
        (wide.astype(float) - wide.mean(0, dtype=float)) / wide.std(0, dtype=float), names)
    check("standardized features, in the weights of the features as they come",
          np.allclose(ours.coef_ * wide.std(0), theirs.coef_, atol=1e-3) and np.array_equal(
              ours.predict(wide), theirs.predict((wide.astype(float) - wide.mean(0, dtype=float)) / wide.std(0, dtype=float))))
    check("class weights by class are refused", raises(ValueError, "balanced", linprobe.LinearProbe(
        class_weight={"cat": 2}).fit, x, names))
    for solver in ("softmax", "ovr", "liblinear"):
        results = check_estimator(linprobe.LinearProbe(solver=solver), on_fail=None, on_skip=None,
                                  expected_failed_checks=EXCEPTIONS)
        failed = [(each["check_name"], each["exception"]) for each in results if each["status"] == "failed"]
        passed = sum(each["status"] == "passed" for each in results)
        check("%s passes %d checks of scikit-learn %s" % (solver, passed, sklearn.__version__),
              not failed and passed > 40, failed)


def check_version():
    with open(os.path.join(MODULE, "pyproject.toml")) as file:
        check("the package has the library's version", 'version = "%s"' % linprobe.__version__ in file.read())


def main():
    with tempfile.TemporaryDirectory() as folder:
        check_structs(folder)
        check_sets(folder)
        check_fits(folder)
        check_extract(folder)
    check_version()
    check_interrupt()
    check_classifier()
    print("1..%d" % len(tests))
    return 0 if all(tests) else 1


if __name__ == "__main__":
    sys.exit(main())

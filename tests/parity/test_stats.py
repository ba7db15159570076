#!/usr/bin/env python3
"""Statistics through the command line against scikit-learn, SciPy and, where it is, statsmodels."""
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(__file__))
from probe_tools import Tap, np, problem, save_set, shuffled_classes, skip_all

try:
    import sklearn
    from scipy import optimize, special, stats
    from sklearn import metrics
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
except ImportError as missing:
    skip_all(f"no {missing.name}")
try:
    from statsmodels.stats import contingency_tables, multitest, proportion
except ImportError:
    proportion = None

tap = Tap()
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)


def linprobe(*words):
    run = subprocess.run([os.environ["LP_PROGRAM"], *map(str, words)], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"linprobe {words}: {run.returncode}: {run.stderr}")
    return run.stdout


def save_probe(path, w, b, solver):
    """A probe file from its description in docs/FORMATS.md."""
    header = json.dumps({"format": "linprobe probe", "dtype": "<f8", "classes": w.shape[0],
                         "width": w.shape[1], "meta": {"options": {"solver": solver}}}).encode()
    header += b" " * (-len(header) % 8)
    body = (b"LPPROBE1" + struct.pack("<Q", len(header)) + header + w.astype("<f8").tobytes()
            + b.astype("<f8").tobytes())
    with open(path, "wb") as out:
        out.write(body + hashlib.sha256(body).hexdigest().encode())


def near(a, b, tolerance=1e-9):
    return abs(a - b) <= tolerance * max(1, abs(b))


def wilson(part, whole):
    z = stats.norm.ppf(0.975)
    roots = np.roots([whole + z * z, -(2 * part + z * z), part * part / whole])
    return sorted(np.real(roots))


def calibration(p, y, bins=15):
    best, conf = p.argmax(1), p.max(1)
    which = np.clip(np.ceil(conf * bins).astype(int) - 1, 0, bins - 1)
    return sum(abs((best[which == m] == y[which == m]).sum() - conf[which == m].sum())
               for m in range(bins)) / len(y)


def voc_2007(scores, wanted):
    """Mean of the highest precisions at the recalls 0, 0.1, ... 1 and above."""
    precision, recall, _ = metrics.precision_recall_curve(wanted, scores)
    precision, recall = precision[:-1], recall[:-1]  # the last one is no threshold
    return np.mean([precision[recall >= r / 10 - 1e-12].max() for r in range(11)])


# ---- eval
N, F, K = 900, 12, 9
x, y = problem(2 * N, F, K, seed=5)
train_x, train_y, test_x, test_y = x[:N], y[:N], x[N:], y[N:]
super_of = [k % 3 for k in range(K)]
save_set("train", train_x, train_y)
save_set("test", test_x, test_y, classes=K, class_names=[f"c{k}" for k in range(K)],
         superclass_of=super_of, superclass_names=["a", "b", "c"])
soft = LogisticRegression(C=0.05, tol=1e-10, max_iter=10000).fit(train_x.astype(float), train_y)
ovr = OneVsRestClassifier(LogisticRegression(solver="liblinear", C=0.01)).fit(
    train_x.astype(float), train_y)
save_probe("soft.probe", soft.coef_, soft.intercept_, "softmax")
save_probe("ovr.probe", np.vstack([e.coef_ for e in ovr.estimators_]),
           np.concatenate([e.intercept_ for e in ovr.estimators_]), "ovr")
for name, peer in ("soft", soft), ("ovr", ovr):
    linprobe("eval", f"{name}.probe", "test", "--out", "out.json")
    with open("out.json") as text:
        found = json.load(text)
    p = peer.predict_proba(test_x.astype(float))
    best = p.argmax(1)
    s = found["summary"]
    confusion = metrics.confusion_matrix(test_y, best, labels=range(K))
    tap.check(s["correct"] == (best == test_y).sum(), f"{name}: predictions of scikit-learn")
    tap.check(near(s["top5"] / 100, metrics.top_k_accuracy_score(test_y, p, k=5)),
              f"{name}: top_k_accuracy_score")
    tap.check(near(s["mean_per_class"] / 100, metrics.balanced_accuracy_score(test_y, best)),
              f"{name}: balanced_accuracy_score")
    tap.check(near(s["log_loss"], metrics.log_loss(test_y, p)), f"{name}: log_loss")
    tap.check(near(s["roc_auc"] / 100, metrics.roc_auc_score(test_y, p, multi_class="ovr")),
              f"{name}: roc_auc_score, one-vs-rest, macro")
    expected = np.mean([voc_2007(p[:, k], test_y == k) for k in range(K)])
    tap.check(near(s["map_11"] / 100, expected), f"{name}: 11-point mean average precision")
    losses = -np.log(p[np.arange(N), test_y])
    half = stats.norm.ppf(0.975) * stats.sem(losses)
    tap.check(near(s["log_loss_high"] - s["log_loss"], half), f"{name}: standard error of the loss")
    tap.check(near(s["calibration_error"] / 100, calibration(p, test_y)), f"{name}: ECE")
    tap.check((np.array(found["confusion"]) == confusion).all(), f"{name}: confusion_matrix")
    groups = np.array(super_of)
    tap.check((np.array(found["superclasses"]["confusion"])
               == metrics.confusion_matrix(groups[test_y], groups[best])).all(),
              f"{name}: confusion_matrix of superclasses")
    low, high = wilson(s["correct"], N)
    tap.check(near(s["top1_low"] / 100, low) and near(s["top1_high"] / 100, high),
              f"{name}: Wilson's interval as the roots of its equation")
    limits = np.array([wilson(confusion[k, k], confusion[k].sum()) for k in range(K)])
    own = confusion.diagonal() / confusion.sum(1)
    expected = (own.mean() - np.sqrt(((own - limits[:, 0]) ** 2).sum()) / K,
                own.mean() + np.sqrt(((limits[:, 1] - own) ** 2).sum()) / K)
    tap.check(near(s["mean_per_class_low"] / 100, expected[0])
              and near(s["mean_per_class_high"] / 100, expected[1]), f"{name}: interval of the mean")
    pairs = [(-confusion[i, j], i, j) for i in range(K) for j in range(K)
             if i != j and confusion[i, j] > 0]
    tap.check([(-c["count"], c["label"], c["predicted"]) for c in found["confused"]]
              == sorted(pairs)[:100], f"{name}: most confused pairs")
    if proportion is None:
        tap.skip(f"{name}: statsmodels' proportion_confint", "not installed")
    else:
        low, high = proportion.proportion_confint(s["correct"], N, method="wilson")
        tap.check(near(s["top1_low"] / 100, low) and near(s["top1_high"] / 100, high),
                  f"{name}: statsmodels' proportion_confint")
# two classes; features of few values, so that many scores are equal
coarse_x, coarse_y = np.round(test_x[:, :2]), (test_y > 4).astype(np.int64)
save_set("coarse", coarse_x.astype(np.float32), coarse_y, classes=2)
save_probe("two.probe", np.array([[-0.5, 0.25], [0.5, -0.25]]), np.array([0.1, -0.1]), "softmax")
s = json.loads(linprobe("eval", "two.probe", "coarse", "--format", "json"))[0]
scores = coarse_x @ np.array([1.0, -0.5])
tap.check(near(s["roc_auc"] / 100, metrics.roc_auc_score(coarse_y, scores)),
          f"roc_auc_score of two classes, {len(np.unique(scores))} different scores")
expected = (voc_2007(scores, coarse_y == 1) + voc_2007(-scores, coarse_y == 0)) / 2
tap.check(near(s["map_11"] / 100, expected), "11-point mean average precision with ties")
# logits of a thousand: scikit-learn's clipping
save_probe("sure.probe", 1000 * soft.coef_, 1000 * soft.intercept_, "softmax")
s = json.loads(linprobe("eval", "sure.probe", "test", "--format", "json"))[0]
logits = 1000 * (test_x.astype(float) @ soft.coef_.T + soft.intercept_)
tap.check(near(s["log_loss"], metrics.log_loss(test_y, special.softmax(logits, axis=1))),
          "log_loss where probabilities round to 0 and 1")


# ---- compare: one-hot features, so that a probe predicts whatever it is told to
def tango(b, c, n):
    """Limits by inverting the score test, its nuisance parameter by numerical maximisation."""
    def statistic(d):
        lowest, highest = max(0.0, -d), (1 - d) / 2

        def loss(q):
            return -(special.xlogy(b, q + d) + special.xlogy(c, q)
                     + special.xlogy(n - b - c, 1 - 2 * q - d))
        q = optimize.minimize_scalar(loss, bounds=(lowest, highest), method="bounded",
                                     options={"xatol": 1e-13}).x
        return (b - c - n * d) / np.sqrt(n * (2 * q + d - d * d))
    z, d = stats.norm.ppf(0.975), (b - c) / n
    return (optimize.brentq(lambda v: statistic(v) - z, -1 + 1e-9, d - 1e-9),
            optimize.brentq(lambda v: statistic(v) + z, d + 1e-9, 1 - 1e-9))


rng = np.random.default_rng(1)
n, runs = 400, 5
y = rng.integers(0, 3, n)
right = rng.random((runs, n)) < (rng.random(n) ** np.array([[0.4], [0.45], [0.6], [0.9], [0.41]]))
save_set("hot", np.eye(n, dtype=np.float32), y)
for r in range(runs):
    said = np.where(right[r], y, (y + 1) % 3)
    save_probe(f"run{r}", np.eye(3)[said].T, np.zeros(3), "softmax")
np.save("run0.npy", np.where(right[0], y, (y + 1) % 3))  # one as predictions from elsewhere
words = ["run0.npy=hot", *(f"run{r}=hot" for r in range(1, runs))]
found = json.loads(linprobe("compare", *words, "--format", "json"))
tap.check([r["correct"] for r in found["runs"]] == right.sum(1).tolist(), "compare: right answers")
p, pairs = [], iter(found["pairs"])
for i in range(runs):
    for j in range(i + 1, runs):
        pair = next(pairs)
        b, c = int((right[i] & ~right[j]).sum()), int((right[j] & ~right[i]).sum())
        p.append(stats.binomtest(b, b + c, 0.5).pvalue)
        low, high = tango(b, c, n)
        tap.check((pair["first_only"], pair["second_only"]) == (b, c)
                  and near(pair["difference"], 100 * (b - c) / n), f"compare {i} {j}: counts")
        tap.check(near(pair["p"] / p[-1], 1), f"compare {i} {j}: scipy.stats.binomtest")
        tap.check(near(pair["low"] / 100, low, 1e-6) and near(pair["high"] / 100, high, 1e-6),
                  f"compare {i} {j}: Tango's limits by numerical inversion")
        if proportion is not None:
            table = [[pair["both"], b], [c, pair["neither"]]]
            tap.check(near(pair["p"], contingency_tables.mcnemar(table, exact=True).pvalue),
                      f"compare {i} {j}: statsmodels' mcnemar")
adjusted, worst = np.empty(len(p)), 0.0
for place, which in enumerate(np.argsort(p)):
    worst = max(worst, min(1.0, p[which] * (len(p) - place)))
    adjusted[which] = worst
tap.check(np.allclose([q["p_holm"] for q in found["pairs"]], adjusted, rtol=1e-12), "compare: Holm")
if proportion is not None:
    tap.check(np.allclose([q["p_holm"] for q in found["pairs"]],
                          multitest.multipletests(p, method="holm")[1], rtol=1e-9),
              "compare: statsmodels' multipletests")
# ten thousand images, where tails are far out
n = 10000
for b, c in (3000, 2600), (120, 121), (0, 40), (700, 300):
    y = np.zeros(n, np.int64)
    kind = np.zeros(n, np.int64)
    kind[:b], kind[b:b + c] = 1, 2
    save_set("large", np.eye(3, dtype=np.float32)[kind], y)
    save_probe("first", np.array([[1.0, 1, 0], [0, 0, 1]]), np.zeros(2), "softmax")
    save_probe("second", np.array([[1.0, 0, 1], [0, 1, 0]]), np.zeros(2), "softmax")
    pair = json.loads(linprobe("compare", "first=large", "second=large", "--format", "json"))["pairs"][0]
    expected = stats.binomtest(b, b + c, 0.5).pvalue
    tap.check((pair["first_only"], pair["second_only"]) == (b, c)
              and near(pair["p"] / expected, 1), f"compare: p of {b} and {c}, {expected:.3g}")


# ---- knn, as DINO's evaluation computes it, in float64
def knn(k, temperature):
    a = train_x.astype(float) / np.linalg.norm(train_x.astype(float), axis=1, keepdims=True)
    b = test_x.astype(float) / np.linalg.norm(test_x.astype(float), axis=1, keepdims=True)
    similar = b @ a.T
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    weight = np.exp(np.take_along_axis(similar, nearest, 1) / temperature)
    votes = np.zeros((N, K))
    np.add.at(votes, (np.arange(N)[:, None], train_y[nearest]), weight)
    order = np.argsort(-votes, axis=1, kind="stable")
    in_five = (order[:, :5] == test_y[:, None]).any(1) & (votes[np.arange(N), test_y] > 0)
    return int((order[:, 0] == test_y).sum()), int(in_five.sum())


for temperature in 0.07, 1.0:
    rows = json.loads(linprobe("knn", "train", "test", "-k", "1,5,20,200", "--temperature",
                               temperature, "--format", "json"))
    for row in rows:
        correct, in_five = knn(row["k"], temperature)
        tap.check(row["correct"] == correct and near(row["top5"] / 100, in_five / N),
                  f"knn: k = {row['k']}, T = {temperature}")


# ---- fewshot: the draws by a generator of our own, the fits by scikit-learn's liblinear
def draw(seed, shots):
    return np.sort(np.concatenate([own[:shots] for own in shuffled_classes(train_y, K, seed)]))


found = json.loads(linprobe("fewshot", "train", "test", "--solver", "liblinear", "-C", 0.5, "--eps",
                            1e-5, "--shots", "1,4,16", "--draws", 4, "--seed", 9,
                            "--format", "json"))
for mean in found["means"]:
    rates = []
    for seed in range(9, 13):
        rows = draw(seed, mean["shots"])
        peer = OneVsRestClassifier(LogisticRegression(
            solver="liblinear", C=0.5, tol=1e-10, max_iter=10000)).fit(
                train_x[rows].astype(float), train_y[rows])
        rates.append(100 * (peer.predict(test_x.astype(float)) == test_y).mean())
    own = [d["top1"] for d in found["draws"] if d["shots"] == mean["shots"]]
    tap.check(np.allclose(own, rates), f"fewshot: {mean['shots']} a class, each draw")
    half = stats.t.ppf(0.975, 3) * stats.sem(rates)
    tap.check(near(mean["top1"], np.mean(rates)) and near(mean["half"], half)
              and near(mean["deviation"], np.std(rates, ddof=1)),
              f"fewshot: {mean['shots']} a class, mean and Student's interval")
print(f"# scikit-learn {sklearn.__version__}, NumPy {np.__version__}")
tap.end()

#!/usr/bin/env python3
"""score_sklearn.py [build/bin [build/tests/record_make]]: rna-score class against scikit-learn on 200 random prediction sets.

Binary and multi-class, missing classes, ties, calls that differ from the probabilities.  Needs numpy and scikit-learn.
Prints the largest difference of each metric and fails over 1e-9, or when a confusion matrix is another.  Half of the
sets are scored as pairs, and some have other bins.  --table prints tests/sklearn_table.h instead.
"""
import json
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from sklearn import metrics as sk

warnings.filterwarnings("ignore")


def random_set(rng, number):
    classes = int(rng.choice([2, 2, 3, 4, 7, 13]))
    n = int(rng.integers(2 * classes, 120))
    used = classes if number % 3 else max(2, classes - 1)
    truth = rng.integers(0, used, n)
    logits = rng.normal(0, 1, (n, classes)) + 1.5 * np.eye(classes)[truth] * rng.integers(0, 2)
    prob = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if number % 4 == 1:
        prob = np.round(prob * 8) / 8
        prob[prob.sum(1) == 0] = 1 / classes
        prob /= prob.sum(1, keepdims=True)
    prob = prob.astype(np.float32)
    call = prob.argmax(1)
    if number % 5 == 2:
        call = rng.integers(0, max(2, classes - 1), n)
    return truth, prob, call


def ece(truth, prob, bins):
    top, best = prob.max(1), prob.argmax(1)
    at = np.clip(np.ceil(top * bins).astype(int) - 1, 0, bins - 1)
    return sum(abs((best[at == b] == truth[at == b]).sum() - top[at == b].sum()) for b in range(bins)) / len(truth)


def expected(truth, prob, call, bins=15):
    classes = prob.shape[1]
    prob = prob.astype(np.float64)
    want = {"accuracy": sk.accuracy_score(truth, call), "balanced_accuracy": sk.balanced_accuracy_score(truth, call),
            "mcc": sk.matthews_corrcoef(truth, call)}
    for kind in "macro", "weighted":
        values = sk.precision_recall_fscore_support(truth, call, average=kind, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), values):
            want[f"{kind}_{name}"] = value
    each = sk.precision_recall_fscore_support(truth, call, labels=range(classes), zero_division=0)
    auc, ap, support = [], [], []
    for c in range(classes):
        y = truth == c
        for name, value in zip(("precision", "recall", "f1"), each):
            want[f"{name}.c{c:02d}"] = value[c]
        if not 0 < y.sum() < len(y):
            continue
        want[f"auc.c{c:02d}"] = sk.roc_auc_score(y, prob[:, c])
        want[f"auprc.c{c:02d}"] = sk.average_precision_score(y, prob[:, c])
        if classes > 2 or c == 1:
            auc.append(want[f"auc.c{c:02d}"])
            ap.append(want[f"auprc.c{c:02d}"])
            support.append(y.sum())
    if auc:
        want["auc_macro"], want["auc_weighted"] = np.mean(auc), np.average(auc, weights=support)
        want["auprc_macro"], want["auprc_weighted"] = np.mean(ap), np.average(ap, weights=support)
    if classes > 2 and len(np.unique(truth)) == classes:
        total = prob / prob.sum(1, keepdims=True)  # scikit-learn asks for sums of exactly 1; the order must be kept
        if all((np.argsort(total[:, c], kind="stable") == np.argsort(prob[:, c], kind="stable")).all() and
               len(np.unique(total[:, c])) == len(np.unique(prob[:, c])) for c in range(classes)):
            for kind in "macro", "weighted":
                want[f"auc_{kind}"] = sk.roc_auc_score(truth, total, multi_class="ovr", average=kind)
    y = np.eye(classes)[truth]
    want["brier"] = sk.brier_score_loss(truth == 1, prob[:, 1]) if classes == 2 else ((prob - y) ** 2).sum(1).mean()
    want["ece"] = ece(truth, prob, bins)
    return want


def stream(truth, prob, call):
    """The set as lines of JSON for tests/record_make.c."""
    lines = [json.dumps({"rill": 1, "classes": [f"c{c:02d}" for c in range(prob.shape[1])]})]
    for i in range(len(truth)):
        lines.append(json.dumps({"rid:u64": i + 1, "label": f"c{truth[i]:02d}", "call": f"c{call[i]:02d}",
                                 "prob:f32": [float(x) for x in prob[i]]}))
    return "\n".join(lines) + "\n"


OVERALL = ("accuracy balanced_accuracy macro_precision macro_recall macro_f1 weighted_precision weighted_recall weighted_f1 "
           "mcc auc_macro auc_weighted auprc_macro auprc_weighted brier ece").split()


def table():
    """Four small sets as C: binary, four classes, one of them missing, ties."""
    print("/* Made by tests/peers/score_sklearn.py --table: scikit-learn's values, in the order of enum rna_class_metric. */")
    print("static const struct sklearn_case cases[] = {")
    rng = np.random.default_rng(11)
    for classes, used, ties in (2, 2, 0), (4, 4, 0), (4, 3, 1), (2, 2, 1):
        truth = np.concatenate([np.arange(used), rng.integers(0, used, 12 - used)])
        logits = rng.normal(0, 1, (12, classes)) + np.eye(classes)[truth]
        prob = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
        if ties:
            prob = np.float32(np.round(prob * 4) / 4)
        call = prob.argmax(1)
        want = expected(truth, prob, call)
        print(f"    {{{classes}, {{{', '.join(map(str, truth))}}},")
        for name, values, per in ("prob", [f"{x:.9g}" for x in prob.ravel()], 8), ("value", [f"{want[k]:.17g}" for k in OVERALL], 4):
            lines = [", ".join(values[i:i + per]) for i in range(0, len(values), per)]
            print("        {" + ",\n            ".join(lines) + ("}," if name == "prob" else "}},"))
    print("};")


def main():
    if "--table" in sys.argv:
        table()
        return
    bindir = sys.argv[1] if len(sys.argv) > 1 else "build/bin"
    maker = sys.argv[2] if len(sys.argv) > 2 else "build/tests/record_make"
    rng = np.random.default_rng(5)
    worst, sets = {}, 200
    for number in range(sets):
        truth, prob, call = random_set(rng, number)
        rill = subprocess.run([maker], input=stream(truth, prob, call).encode(), stdout=subprocess.PIPE, check=True).stdout
        bins = (15, 10, 1, 40)[number % 4]
        with tempfile.NamedTemporaryFile() as table:
            out = subprocess.run([bindir + "/rna-score", "pair" if number % 2 else "class", "--bootstrap", "0", "-O", "json",
                                  "--bins", str(bins), "--confusion", table.name], input=rill, stdout=subprocess.PIPE, check=True).stdout
            rows = [line.split("\t") for line in open(table.name).read().splitlines()]
        if ([row[0] for row in rows[1:]] != rows[0][1:] or
                ([[int(x) for x in row[1:]] for row in rows[1:]] != sk.confusion_matrix(truth, call, labels=range(prob.shape[1]))).any()):
            sys.exit(f"set {number}: another confusion matrix")
        got = json.loads(out)
        want = expected(truth, prob, call, bins)
        if set(got) != set(want):
            sys.exit(f"set {number}: rows differ: {sorted(set(got) ^ set(want))}")
        for name, value in want.items():
            key = name.split(".")[0]
            worst[key] = max(worst.get(key, 0), abs(got[name]["value"] - value))
    for name, value in worst.items():
        print(f"{name}\t{value:.3g}")
    if max(worst.values()) > 1e-9:
        sys.exit("differs from scikit-learn")
    print(f"# {sets} sets, all within 1e-9")


if __name__ == "__main__":
    main()

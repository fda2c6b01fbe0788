#!/usr/bin/env python3
"""class_sklearn.py TRAIN.fa TEST.fa [build/bin]: rna-train class --from kmer against scikit-learn's LogisticRegression.

Both learn from the 3-mers that rna-embed counts.  First the same problem, C = 1 on standardised numbers: the
probabilities of the test RNAs must agree to 1e-3.  Then the tuned one: its accuracy, macro-F1 and log loss on the test
RNAs beside those of LogisticRegression as it comes and of LogisticRegressionCV, and fails when it is worse than the
first by more than 0.005.  FASTA headers are >NAME LABEL.  Needs numpy and scikit-learn.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import accuracy_score, f1_score, log_loss
from sklearn.preprocessing import StandardScaler


def records(path):
    out = subprocess.run(["rna-view", "-O", "json", path], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def kmers(fasta, dst):
    subprocess.run(f"rna-tokenize -q --label header '{fasta}' | rna-embed -q --kmer 3 -o '{dst}'", shell=True, check=True)
    rows = records(dst)
    return np.array([r["kmer"] for r in rows], np.float64), np.array([r["label"] for r in rows])


def rill(train, test, folder, *options):
    subprocess.run(["rna-train", "class", "-q", "-f", "--from", "kmer", *options, "-o", folder, train], check=True)
    subprocess.run(["rna-predict", "-q", "-m", folder, "-o", folder + ".rill", test], check=True)
    return np.array([r["prob"] for r in records(folder + ".rill")], np.float64)


def scores(name, truth, prob, classes):
    call = classes[prob.argmax(1)]
    row = (accuracy_score(truth, call), f1_score(truth, call, average="macro"), log_loss(truth, prob, labels=classes))
    print(f"{name:32s} accuracy {row[0]:.4f}  macro-F1 {row[1]:.4f}  log loss {row[2]:.4f}")
    return row


def main():
    if len(sys.argv) > 3:
        os.environ["PATH"] = os.path.abspath(sys.argv[3]) + ":" + os.environ["PATH"]
    with tempfile.TemporaryDirectory() as tmp:
        x, y = kmers(sys.argv[1], tmp + "/train.rill")
        tx, ty = kmers(sys.argv[2], tmp + "/test.rill")
        plain = rill(tmp + "/train.rill", tmp + "/test.rill", tmp + "/plain")
        tuned = rill(tmp + "/train.rill", tmp + "/test.rill", tmp + "/tuned", "--valid-split", "0.1")
    scale = StandardScaler().fit(x)
    peer = LogisticRegression(C=1, tol=1e-8, max_iter=10000).fit(scale.transform(x), y)
    far = np.abs(peer.predict_proba(scale.transform(tx)) - plain).max()
    print(f"C = 1, standardised: largest difference of a probability {far:.2e}")
    classes = peer.classes_
    ours = scores("rna-train class --from kmer", ty, tuned, classes)
    bare = scores("LogisticRegression() on counts", ty, LogisticRegression(max_iter=5000).fit(x, y).predict_proba(tx), classes)
    one = scores("the same, standardised", ty, peer.predict_proba(scale.transform(tx)), classes)
    cv = LogisticRegressionCV(Cs=8, cv=3, max_iter=5000, scoring="neg_log_loss", use_legacy_attributes=False)
    scores("LogisticRegressionCV", ty, cv.fit(scale.transform(x), y).predict_proba(scale.transform(tx)), classes)
    worse = max(bare[0] - ours[0], one[0] - ours[0], bare[1] - ours[1], one[1] - ours[1])
    sys.exit(far > 1e-3 or worse > 0.005)


if __name__ == "__main__":
    main()

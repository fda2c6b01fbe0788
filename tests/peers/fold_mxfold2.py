#!/usr/bin/env python3
"""Times MXfold2's dynamic programme (its compiled C++, called in one process) and rill's, in turn, on the same scores.

    PYTHONPATH=FOLDER taskset -c 0 fold_mxfold2.py [--rounds 3] BENCH_NEURAL LENGTH...

FOLDER holds the package mxfold2 with its module `interface` built; BENCH_NEURAL is build/tests/bench_neural, whose
random RNA and scores are made again here.  Prints medians of processor seconds, their ratio, and both scores.  Start it
with RILL_CPU=avx2 or plain for the other levels.
"""
import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time

import numpy as np

TABLES = [("hairpin_length", (31,)), ("bulge_length", (31,)), ("internal_length", (31,)), ("internal_explicit", (5, 5)),
          ("internal_symmetry", (16,)), ("internal_asymmetry", (29,)), ("helix_length", (31,))]
MASK = (1 << 64) - 1


def load(folder, name):
    """A module of the package without the package, which would need torch."""
    for path in os.listdir(folder):
        if path.split(".")[0] == name and path.endswith((".py", f"{sys.version_info[0]}{sys.version_info[1]}-"
                                                         "x86_64-linux-gnu.so")):
            spec = importlib.util.spec_from_file_location(name, os.path.join(folder, path))
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    sys.exit(f"{folder}: no module {name}")


def random_numbers(n):
    """What bench_neural draws for its first RNA: the maps, the lengths, the bases."""
    state, count = 88172645463325252, 3 * n * n + 194 + n
    out = np.empty(count, dtype=np.uint64)
    for i in range(count):
        state ^= state << 13 & MASK
        state ^= state >> 7
        state ^= state << 17 & MASK
        out[i] = state >> 33
    scores = (out[:-n] % 10001).astype(np.float32) / np.float32(10000) - np.float32(0.5)
    seq = "".join("ACGU"[k] for k in out[-n:] % 4)
    return scores[:3 * n * n].reshape(3, n, n), scores[3 * n * n:], seq


def mxfold2_param(maps, lengths, turner):
    n = maps.shape[1] + 1
    padded = np.zeros((3, n, n), dtype=np.float32)
    padded[:, 1:, 1:] = maps
    zero = np.zeros((n, n), dtype=np.float32)
    p = {"score_basepair": zero, "score_helix_stacking": padded[0]}
    for loop in ("external", "hairpin", "internal", "multi"):
        p["score_mismatch_" + loop] = padded[1]
        p["score_base_" + loop] = padded[2]
    at = 0
    for name, shape in TABLES:
        size = int(np.prod(shape))
        p["score_" + name] = lengths[at:at + size].reshape(shape).copy()
        at += size
    t = {k: np.asarray(getattr(turner, k), dtype=np.float32) for k in dir(turner) if k.startswith("score_")}
    for d in (p, t):
        d.update({"count_" + k[6:]: np.zeros_like(v) for k, v in list(d.items())})
    return {"turner": t, "positional": p}


def rill(bench, n):
    out = subprocess.run([bench, "--rounds", "1", str(n)], check=True, capture_output=True, text=True).stdout
    f = out.splitlines()[1].split("\t")
    return float(f[3]), float(f[5]), f[2]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("bench")
    ap.add_argument("length", type=int, nargs="+")
    args = ap.parse_args()
    folder = os.path.dirname(importlib.util.find_spec("mxfold2").origin)
    interface, turner = load(folder, "interface"), load(folder, "param_turner2004")
    print("nt\tlevel\tmxfold2_s\trill_s\tratio\tmxfold2_score\trill_score")
    for n in args.length:
        maps, lengths, seq = random_numbers(n)
        param = mxfold2_param(maps, lengths, turner)
        theirs, ours = [], []
        for _ in range(args.rounds):
            start = time.process_time()
            score, _, _ = interface.predict_mxfold(seq, param)
            theirs.append(time.process_time() - start)
            seconds, our_score, level = rill(args.bench, n)
            ours.append(seconds)
        a, b = statistics.median(theirs), statistics.median(ours)
        print(f"{n}\t{level}\t{a:.4f}\t{b:.5f}\t{a / b:.1f}\t{score:.3f}\t{our_score:.3f}", flush=True)


if __name__ == "__main__":
    main()

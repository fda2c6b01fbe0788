#!/usr/bin/env python3
"""Times RNAfold's library (PyPI's ViennaRNA) and rill's folding, in turn, on the same processor.

    taskset -c 0 fold_vienna.py [--rounds 5] [--no-ensemble] BENCH_FOLD FILE...

BENCH_FOLD is build/tests/bench_fold; a FILE holds one sequence.  Prints medians of processor seconds, their ratios, and
whether energies agree.  Start it with RILL_CPU=avx2 or plain for the other levels.
"""
import argparse
import statistics
import subprocess
import time

import RNA


def vienna(seq, ensemble):
    start = time.process_time()
    fc = RNA.fold_compound(seq)
    _, energy = fc.mfe()
    mfe = time.process_time() - start
    if not ensemble:
        return mfe, 0.0, energy, 0.0
    start = time.process_time()
    fc.exp_params_rescale(energy)
    _, total = fc.pf()
    fc.plist_from_probs(1e-5)
    return mfe, time.process_time() - start, energy, total


def rill(bench, path):
    out = subprocess.run([bench, "--rounds", "1", path], check=True, capture_output=True, text=True).stdout
    f = out.splitlines()[1].split("\t")
    return float(f[3]), float(f[4]), float(f[5]), float(f[6]), f[2]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--no-ensemble", action="store_true")
    ap.add_argument("bench")
    ap.add_argument("files", nargs="+")
    a = ap.parse_args()
    print("sequence\tnt\tlevel\tvienna_mfe_s\trill_mfe_s\tratio\tvienna_ensemble_s\trill_ensemble_s\tratio\tequal")
    for path in a.files:
        with open(path) as fp:
            seq = fp.readline().strip()
        v, r = [], []
        for _ in range(a.rounds):
            v.append(vienna(seq, not a.no_ensemble))
            r.append(rill(a.bench, path))
        med = [statistics.median(x[k] for x in t) for t in (v, r) for k in (0, 1)]
        equal = abs(v[0][2] - r[0][2]) < 0.005 and (a.no_ensemble or abs(v[0][3] - r[0][3]) < 1e-2)
        print(f"{path.rsplit('/', 1)[-1]}\t{len(seq)}\t{r[0][4]}\t{med[0]:.5f}\t{med[2]:.5f}\t{med[0] / med[2]:.1f}\t"
              f"{med[1]:.5f}\t{med[3]:.5f}\t{med[1] / med[3]:.1f}\t{'yes' if equal else 'NO'}", flush=True)
    print(f"# ViennaRNA {RNA.__version__}")


if __name__ == "__main__":
    main()

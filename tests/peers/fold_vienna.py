#!/usr/bin/env python3
"""Times RNAfold's library (PyPI's ViennaRNA) and rill's folding, in turn, on the same processor.

    taskset -c 0 fold_vienna.py [--rounds 5] [--no-ensemble] BENCH_FOLD FILE...
    taskset -c 0 fold_vienna.py [--rounds 3] --stream SEQS.fa RNA_FOLD     all RNAs of a file, one after the other
    fold_vienna.py --memory FILE RNA_FOLD                                  largest resident set, MiB

BENCH_FOLD is build/tests/bench_fold; a FILE holds one sequence.  Prints medians of processor seconds, their ratios, and
whether energies agree.  Start it with RILL_CPU=avx2 or plain for the other levels.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
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


def child_seconds(command):
    """Processor seconds of a command whose output is thrown away."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def stream(fasta, rna_fold, rounds):
    records = open(fasta).read().split(">")[1:]
    seqs = ["".join(r.split("\n")[1:]) for r in records]
    v, r = [], []
    for _ in range(rounds):
        start = time.process_time()
        for s in seqs:
            RNA.fold_compound(s).mfe()
        v.append(time.process_time() - start)
        r.append(child_seconds([rna_fold, fasta]))
    a, b = statistics.median(v), statistics.median(r)
    print(f"rnas\tnt\tvienna_s\trill_s\tratio\n{len(seqs)}\t{sum(map(len, seqs))}\t{a:.3f}\t{b:.3f}\t{a / b:.1f}")


def peak(command):
    """Largest resident set of a command, MiB."""
    pid = os.spawnvp(os.P_NOWAIT, command[0], command)
    return os.wait4(pid, 0)[2].ru_maxrss / 1024


def memory(path, rna_fold):
    fold = "import RNA\nRNA.fold_compound(open({!r}).readline().strip()).mfe()"
    base = peak([sys.executable, "-c", "import RNA"])
    v = peak([sys.executable, "-c", fold.format(path)])
    r = peak([rna_fold, "-f", "-o", os.devnull, path])
    print(f"nt\tvienna_MiB\tof_these_python\trill_MiB\n{os.path.getsize(path)}\t{v:.0f}\t{base:.0f}\t{r:.0f}")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--no-ensemble", action="store_true")
    ap.add_argument("--stream", metavar="FASTA")
    ap.add_argument("--memory", metavar="FILE")
    ap.add_argument("bench")
    ap.add_argument("files", nargs="*")
    a = ap.parse_args()
    if a.stream:
        return stream(a.stream, a.bench, a.rounds)
    if a.memory:
        return memory(a.memory, a.bench)
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

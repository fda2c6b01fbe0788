#!/usr/bin/env python3
"""fold_torch.py: twenty optimiser steps of a folding network against the same network in PyTorch.

Both begin from the same random weights (rna-train fold --steps 0) and see the same batch of RNAs twenty times: fp32, no
dropout, AdamW without decay, both images of the map.  The loss is the structured hinge loss with its thermodynamic term
(--lambda, default 1): here the structures of an RNA are written out one by one, each with the counts of the scores that it
uses and, less the special hairpins that these RNAs have not, ViennaRNA's energy, and PyTorch takes the largest.  With
--squares it is against fixed scores (tests/fold_steps.c), which all cells of the map have a part in.

Prints the largest difference of each parameter; exits 1 when any is above 1e-4.  With --double PyTorch computes in double
precision, which says how much of a difference is rounding.  Needs torch, safetensors, ViennaRNA, and the built tools and
build/tests/fold_steps (make units).
Usage: fold_torch.py [base|small|tiny] [--squares] [--double] [--lambda X] [--lr X]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy
import RNA
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
STEPS, BOUND = 20, 1e-4
# a bulge; two hairpins; a multiloop; an interior loop, and an N, which no 2 x 2 loop can have: there MXfold2's energies,
# which training adds scores to, are not ViennaRNA's
RNAS = [("GGAGCAAAGCCC", "((.((...))))"), ("GGAAACCAGCAAAGCA", "((...)).((...))."), ("GAGAAACGAAACAC", "(.(...)(...).)"),
        ("GGAGCANAGCAACC", "((.((...))..))")]
PAIRS = {"AU", "UA", "GC", "CG", "GU", "UG"}
POS, NEG = 0.5, 0.005  # margins
TABLES = [("hairpin", 31), ("bulge", 31), ("internal", 31), ("explicit", 25), ("symmetry", 16), ("asymmetry", 29),
          ("helix", 31)]
LETTER = {"A": 1, "C": 2, "G": 3, "T": 4, "U": 4}


def structures(letters):
    """Every nested structure of canonical pairs, as tuples of pairs."""
    n, memo = len(letters), {}

    def within(i, j):  # of bases i .. j - 1
        if j - i < 5:
            return [()]
        if (i, j) not in memo:
            out = list(within(i + 1, j))
            for k in range(i + 4, j):
                if letters[i] + letters[k] in PAIRS:
                    out += [((i, k),) + a + b for a in within(i + 1, k) for b in within(k + 1, j)]
            memo[i, j] = out
        return memo[i, j]

    return within(0, n)


class Counts:
    """How often a structure uses each score: maps [3, n, n], then the tables of lengths; neural.h, "Scores of loops"."""

    def __init__(self, n, pairs):
        self.n, self.x = n, numpy.zeros(3 * n * n + 194, dtype=numpy.float32)
        self.partner = {}
        for i, j in pairs:
            self.partner[i] = j
        for i, j, _, _ in self.branches(0, n)[0]:
            self.cell(1, j, i)
        for u in self.branches(0, n)[1]:
            self.cell(2, u, u)
        inner = {(i + 1, j - 1) for i, j in pairs}
        for i, j in pairs:
            self.loop(i, j)
            if (i, j) not in inner:
                m = 1
                while self.partner.get(i + m) == j - m:
                    m += 1
                self.length("helix", m)

    def cell(self, c, i, j):
        if 0 <= i < self.n and 0 <= j < self.n:
            self.x[(c * self.n + i) * self.n + j] += 1

    def length(self, table, k):
        at = 3 * self.n * self.n
        for name, entries in TABLES:
            if name == table:
                self.x[at + min(k, entries - 1)] += 1
            at += entries

    def branches(self, first, end):
        """Branches among bases first .. end - 1, and the unpaired bases there."""
        out, free, i = [], [], first
        while i < end:
            if i in self.partner:
                out.append((i, self.partner[i], 0, 0))
                i = self.partner[i]
            else:
                free.append(i)
            i += 1
        return out, free

    def loop(self, i, j):
        branches, free = self.branches(i + 1, j)
        if not branches:
            self.length("hairpin", j - i - 1)
            self.cell(2, i + 1, j - 1)
            self.cell(1, i, j)
        elif len(branches) > 1:
            self.cell(1, i, j)
            self.cell(2, i + 1, branches[0][0] - 1)
            for k, l, _, _ in branches:
                self.cell(1, l, k)
            for u in free:
                if u > branches[0][0]:
                    self.cell(2, u, u)
        else:
            self.one_inside(i, j, branches[0][0], branches[0][1])

    def one_inside(self, i, j, k, l):
        a, b = sorted((k - i - 1, j - l - 1))
        if b == 0:
            self.cell(0, i, j)
            self.cell(0, l, k)
            return
        self.cell(2, i + 1, k - 1)
        self.cell(2, l + 1, j - 1)
        self.cell(1, i, j)
        self.cell(1, l, k)
        if a == 0:
            self.length("bulge", b)
            return
        self.length("internal", a + b)
        self.length("explicit", 5 * min(a, 4) + min(b, 4))
        self.length("asymmetry", b - a)
        if a == b:
            self.length("symmetry", a)


class Structured:
    """The loss of one RNA, as a function of its scores."""

    def __init__(self, letters, structure, dtype):
        n, stack, known = len(letters), [], []
        for i, c in enumerate(structure):
            if c == "(":
                stack.append(i)
            elif c == ")":
                known.append((stack.pop(), i))
        known = tuple(sorted(known))
        compound = RNA.fold_compound(letters)
        counts, turner, margin = [], [], []
        for pairs in structures(letters):
            text = ["."] * n
            for i, j in pairs:
                text[i], text[j] = "(", ")"
            counts.append(Counts(n, pairs).x)
            turner.append(-compound.eval_structure("".join(text)))
            margin.append(POS * len(set(known) - set(pairs)) + NEG * len(set(pairs) - set(known)))
            if tuple(sorted(pairs)) == known:
                self.known = len(turner) - 1
        self.n, self.counts = n, torch.tensor(numpy.array(counts)).to(dtype)
        self.turner, self.margin = torch.tensor(turner).to(dtype), torch.tensor(margin).to(dtype)

    def loss(self, scores, lengths, weight):
        learned = self.counts @ torch.cat([scores.flatten(), lengths])
        total = learned + self.turner
        hinge = torch.clamp((total + self.margin).max() - total[self.known], min=0)
        return (hinge + weight * learned[self.known] ** 2) / self.n


class Net:
    def __init__(self, folder, dtype):
        self.config = json.load(open(folder + "/config.json"))["rill"]["fold"]
        self.p = {k: v.to(dtype).requires_grad_() for k, v in load_file(folder + "/model.safetensors").items()}
        c = self.config
        self.lstm = torch.nn.LSTM(c["num_filters"][0], c["num_lstm_units"], c["num_lstm_layers"], bidirectional=True).to(dtype)
        self.att = torch.nn.MultiheadAttention(c["num_filters"][0], c["num_att"]).to(dtype)
        for module, prefix in ((self.lstm, "fold.lstm."), (self.att, "fold.attention.")):
            for name, value in list(module.named_parameters()):
                with torch.no_grad():
                    value.copy_(self.p[prefix + name])
                self.p[prefix + name] = value

    def pair(self, name):
        return self.p["fold." + name + ".weight"], self.p["fold." + name + ".bias"]

    def block(self, x, name, conv):
        w, b = self.pair(name)
        y = F.celu(F.group_norm(conv(x, w, b, padding=w.shape[-1] // 2), 1, *self.pair(name + ".norm")))
        return x + y if x.shape == y.shape else y

    def scores(self, letters):
        ids = torch.tensor([0] + [LETTER.get(c, 5) for c in letters])
        x = self.p["fold.embedding.weight"][ids]
        x = torch.where((ids == 0)[:, None], x.detach(), x).T[None]  # no gradient for entry 0
        for i in range(len(self.config["filter_size"])):
            x = self.block(x, "conv.%d" % i, F.conv1d)
        x = x[0].T[:, None]  # rows, batch, channels
        y = self.lstm(x)[0]
        x = x + F.celu(F.layer_norm(y, y.shape[-1:], *self.pair("lstm_norm")))
        x = (x + self.att(x, x, x, need_weights=False)[0])[:, 0]
        n = len(ids)
        left, right = x[:, 0::2], x[:, 1::2].flip(1)
        cells = torch.cat([left[:, None].expand(n, n, -1), right[None].expand(n, n, -1)], 2)
        upper = torch.ones(n, n, dtype=torch.bool).triu()
        images = torch.stack([cells * upper[..., None], cells * ~upper[..., None]]).permute(0, 3, 1, 2)
        for i in range(len(self.config["paired_filter_size"])):
            images = self.block(images, "pair.%d" % i, F.conv2d)
        images = images.permute(0, 2, 3, 1)
        x = torch.where(upper[..., None], images[0], images[1])
        x = F.linear(x, *self.pair("head.0"))
        x = F.celu(F.layer_norm(x, x.shape[-1:], *self.pair("head.norm")))
        return F.linear(x, *self.pair("head.1"))[1:, 1:].permute(2, 0, 1)

    def lengths(self):
        out = []
        for name, n in TABLES:
            w, b = self.pair("length." + name)
            table = w.view(5, 5).cumsum(0).cumsum(1).flatten() if name == "explicit" else w[0].cumsum(0)
            out.append(table + b)
        return torch.cat(out)

    def squares(self, letters):
        s, l = self.scores(letters), self.lengths()
        k = torch.arange(s.numel(), dtype=torch.float64)
        d = (s - torch.sin(k).to(s).view(s.shape)) ** 2
        return d.sum() / (2 * len(letters)) + ((l - torch.cos(k[: l.numel()]).to(l)) ** 2).sum() / 2


def options():
    p = argparse.ArgumentParser()
    p.add_argument("config", nargs="?", default="base")
    p.add_argument("--squares", action="store_true")
    p.add_argument("--double", action="store_true")
    p.add_argument("--weight", "--lambda", type=float, default=1.0)
    p.add_argument("--lr", type=float, default=1e-4)
    return p.parse_args()


def main():
    o = options()
    dtype = torch.float64 if o.double else torch.float32
    work = tempfile.mkdtemp()
    start, end = work + "/start", work + "/end"
    with open(work + "/x.dbn", "w") as f:
        f.write(">x\nGGGAAACCC\n(((...)))\n")
    subprocess.run([BUILD + "/bin/rna-train", "fold", "-q", "-c", o.config, "--steps", "0", "-o", start, work + "/x.dbn"],
                   check=True)
    ours = subprocess.run([BUILD + "/tests/fold_steps", start, end, str(STEPS), str(o.lr), "-" if o.squares else str(o.weight)]
                          + [x for rna in RNAS for x in rna], check=True, capture_output=True, text=True).stdout.split()
    net = Net(start, dtype)
    losses = [Structured(letters, structure, dtype) for letters, structure in RNAS]
    print("structures of each RNA:", *[len(x.turner) for x in losses])
    optimizer = torch.optim.AdamW(net.p.values(), lr=o.lr, weight_decay=0)
    for step in range(STEPS):
        optimizer.zero_grad()
        if o.squares:
            total = sum(net.squares(letters) for letters, _ in RNAS) / len(RNAS)
        else:
            total = sum(x.loss(net.scores(r[0]), net.lengths(), o.weight) for x, r in zip(losses, RNAS)) / len(RNAS)
        print("loss of step %d: %.7f, here %.7f" % (step + 1, float(ours[step]), total.item()))
        total.backward()
        optimizer.step()
    sys.exit(compare(net, load_file(start + "/model.safetensors"), load_file(end + "/model.safetensors")) > BOUND)


def compare(net, begun, got):
    worst = 0
    for name in sorted(got):
        d = (got[name] - net.p[name].detach().float()).abs()
        if name == "fold.attention.in_proj_bias":  # that of the keys has no gradient but rounding, which Adam makes steps of
            d = torch.cat([d[: len(d) // 3], d[2 * len(d) // 3 :]])
        d = d.max().item()
        moved = (got[name] - begun[name]).abs().max().item()
        worst = max(worst, d)
        print("%-40s %.1e  moved %.1e" % (name, d, moved))
    print("largest difference %.2e, bound %.0e" % (worst, BOUND))
    return worst


main()

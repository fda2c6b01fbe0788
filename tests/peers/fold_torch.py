#!/usr/bin/env python3
"""fold_torch.py: twenty optimiser steps of a folding network against the same network in PyTorch.

Both begin from the same random weights (rna-train fold --steps 0) and see the same batch of three RNAs twenty times:
fp32, no dropout, AdamW without decay, both images of the map, against fixed scores (tests/fold_steps.c says which).
Prints the largest difference of each parameter; exits 1 when any is above 1e-4.  With --double PyTorch computes in double
precision, which says how much of a difference is rounding.  Needs torch, safetensors, and the built tools and
build/tests/fold_steps (make units).  Usage: fold_torch.py [tiny|small|base] [--double]
"""
import json
import os
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build")
STEPS, LR, BOUND = 20, 1e-4, 1e-4
RNAS = ["GGGAAACUUCCNACGU", "ACGUACGGCAUUGC", "GGCGCAAGCC"]
TABLES = [("hairpin", 31), ("bulge", 31), ("internal", 31), ("explicit", 25), ("symmetry", 16), ("asymmetry", 29),
          ("helix", 31)]
LETTER = {"A": 1, "C": 2, "G": 3, "T": 4, "U": 4}


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

    def loss(self, letters):
        s, l = self.scores(letters), self.lengths()
        k = torch.arange(s.numel(), dtype=torch.float64)
        d = (s - torch.sin(k).to(s).view(s.shape)) ** 2
        return d.sum() / (2 * len(letters)) + ((l - torch.cos(k[: l.numel()]).to(l)) ** 2).sum() / 2


def main():
    words = [a for a in sys.argv[1:] if not a.startswith("-")]
    dtype = torch.float64 if "--double" in sys.argv else torch.float32
    work = tempfile.mkdtemp()
    start, end = work + "/start", work + "/end"
    with open(work + "/x.dbn", "w") as f:
        f.write(">x\nGGGAAACCC\n(((...)))\n")
    subprocess.run([BUILD + "/bin/rna-train", "fold", "-q", "-c", words[0] if words else "tiny", "--steps", "0", "-o", start,
                    work + "/x.dbn"], check=True)
    subprocess.run([BUILD + "/tests/fold_steps", start, end, str(STEPS), str(LR)] + RNAS, check=True)
    net = Net(start, dtype)
    optimizer = torch.optim.AdamW(net.p.values(), lr=LR, weight_decay=0)
    for _ in range(STEPS):
        optimizer.zero_grad()
        (sum(net.loss(r) for r in RNAS) / len(RNAS)).backward()
        optimizer.step()
    got, begun, worst = load_file(end + "/model.safetensors"), load_file(start + "/model.safetensors"), 0
    for name in sorted(got):
        d = (got[name] - net.p[name].detach().float()).abs()
        if name == "fold.attention.in_proj_bias":  # that of the keys has no gradient but rounding, which Adam makes steps of
            d = torch.cat([d[: len(d) // 3], d[2 * len(d) // 3 :]])
        d = d.max().item()
        moved = (got[name] - begun[name]).abs().max().item()
        worst = max(worst, d)
        print("%-40s %.1e  moved %.1e" % (name, d, moved))
    print("largest difference %.2e, bound %.0e" % (worst, BOUND))
    sys.exit(worst > BOUND)


main()

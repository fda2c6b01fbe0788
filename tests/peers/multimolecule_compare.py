#!/usr/bin/env python3
"""Makes a random RNAErnie of full size with multimolecule, and compares rill's outputs on it.

usage: multimolecule_compare.py make FOLDER [ForMaskedLM]
       rna-embed -m FOLDER --what cls,hidden,logits seqs.fa | rna-view -O json | multimolecule_compare.py check FOLDER

Needs torch and multimolecule.  `make` writes a RnaErnieModel (or RnaErnieForMaskedLM) by save_pretrained, with every
parameter drawn so that each has an effect.  `check` prints the largest difference per field, relative to the largest
value, and exits 1 above 2e-5.  (A RnaErnieModel has no logits: leave them out of --what.)
"""
import json
import os
import sys

import torch
import multimolecule
from multimolecule import RnaErnieConfig, RnaErnieForMaskedLM, RnaErnieModel


def make(folder, head):
    torch.manual_seed(1)
    config = RnaErnieConfig()
    model = RnaErnieForMaskedLM(config) if head else RnaErnieModel(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn(p.shape) * 0.04 + (1 if "layer_norm.weight" in name else 0))
    model.save_pretrained(folder)
    if not os.path.exists(os.path.join(folder, "vocab.txt")):
        alphabet = multimolecule.tokenisers.rna.utils.get_alphabet()
        with open(os.path.join(folder, "vocab.txt"), "w") as f:
            f.write("".join(t + "\n" for t in alphabet.vocabulary))


def check(folder):
    head = "RnaErnieForMaskedLM" in json.load(open(os.path.join(folder, "config.json")))["architectures"]
    model = (RnaErnieForMaskedLM if head else RnaErnieModel).from_pretrained(folder).eval()
    base = model.model if head else model
    worst, n = {}, 0
    for line in sys.stdin:
        r = json.loads(line)
        ids = torch.tensor([r["tokens"]])
        with torch.no_grad():
            want = {"hidden": base(ids).last_hidden_state[0]}
            want["cls"] = want["hidden"][0]
            if head:
                want["logits"] = model(ids).logits[0]
        for key in want:
            if key in r:
                d = (torch.tensor(r[key], dtype=torch.float32).reshape(want[key].shape) - want[key]).abs().max().item()
                worst[key] = max(worst.get(key, 0), d / max(1, want[key].abs().max().item()))
        n += 1
    print(n, "records, largest differences:", ", ".join(f"{k} {v:.2g}" for k, v in worst.items()))
    sys.exit(1 if not worst or max(worst.values()) > 2e-5 else 0)


if sys.argv[1] == "make":
    make(sys.argv[2], "ForMaskedLM" in sys.argv[3:])
else:
    check(sys.argv[2])

#!/usr/bin/env python3
"""train_torch.py: twenty optimiser steps of rna-train against the same steps of BertForMaskedLM in PyTorch.

Both begin from the same random weights and see the same batch of masked RNAs twenty times (fp32, no dropout, AdamW,
clip 1, constant rate).  Prints the largest difference of each parameter and the losses; exits 1 when any is above 1e-4.
The same steps in double precision say how much of a difference is rounding: Adam turns the rounding of a gradient that is
nearly zero into a step of the learning rate.  Needs torch and transformers, and the built tools in PATH (or build/bin).  With `--objective type` among
the options the loss of the type head is added.  Usage: train_torch.py [STEPS [OPTIONS OF rna-train: shape, objective]]
"""
import json
import os
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import BertForMaskedLM

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["PATH"] = os.path.join(ROOT, "build", "bin") + os.pathsep + os.environ["PATH"]
LR, BOUND, TYPE_WEIGHT, FIRST_TYPE = 1e-4, 1e-4, 0.1, 7


def sh(command):
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", command], check=True)


def batch(path):
    """Token ids, mask of real tokens, labels (-100: no target) of all records, padded; types, counted from 0."""
    out = subprocess.run(["rna-view", "-O", "json", path], check=True, capture_output=True, text=True).stdout
    records = [json.loads(line) for line in out.splitlines()]
    n = max(len(r["tokens"]) for r in records)
    ids = torch.zeros(len(records), n, dtype=torch.long)
    real = torch.zeros(len(records), n)
    labels = torch.full((len(records), n), -100)
    names = [line.rstrip("\n") for line in open(os.path.join(ROOT, "formats", "vocab.txt"))]
    types = torch.tensor([names.index(r["type"]) - FIRST_TYPE for r in records])
    for i, r in enumerate(records):
        ids[i, : len(r["tokens"])] = torch.tensor(r["tokens"])
        real[i, : len(r["tokens"])] = 1
        labels[i, torch.tensor(r["masked"])] = torch.tensor(r["target"])
    return ids, real, labels, types


def load(directory):
    """The model, and its type head as a module of it where the directory has one."""
    model = BertForMaskedLM.from_pretrained(directory)
    tensors = load_file(os.path.join(directory, "model.safetensors"))
    if "rill.type_head.weight" in tensors:
        n, hidden = tensors["rill.type_head.weight"].shape
        model.type_head = torch.nn.Linear(hidden, n)
        with torch.no_grad():
            model.type_head.weight.copy_(tensors["rill.type_head.weight"])
            model.type_head.bias.copy_(tensors["rill.type_head.bias"])
    return model


def train(model, data, steps, decay):
    ids, real, labels, types = data
    matrices = [p for p in model.parameters() if p.ndim == 2]
    rest = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.999), eps=1e-8)
    losses = []
    model.eval()  # no dropout
    for _ in range(steps):
        optimizer.zero_grad()
        out = model(input_ids=ids, attention_mask=real, labels=labels, output_hidden_states=True)
        loss = out.loss
        if hasattr(model, "type_head"):
            logits = model.type_head(out.hidden_states[-1][:, 0])
            loss = loss + TYPE_WEIGHT * torch.nn.functional.cross_entropy(logits, types)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    shape = " ".join(sys.argv[2:]) or "-c tiny"
    decay = 0.01
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as tmp:
        x = os.path.join(tmp, "x.rill")
        sample = os.path.join(ROOT, "pipelines", "sample", "sample.fa")
        sh(f"rna-tokenize -q --frame type --type header --long chunk {sample} | rna-shuf -q -n 20 | rna-mask -q -o {x}")
        sh(f"rna-train mlm -q {shape} --dropout 0 --attention-dropout 0 --steps 0 -o {tmp}/start {x}")
        data = batch(x)
        tokens = int(data[1].sum())
        sh(f"rna-train mlm -q {shape} -m {tmp}/start --schedule constant --warmup 0 --lr {LR} --weight-decay {decay} "
           f"--batch-tokens {tokens} --steps {steps} -o {tmp}/end " + " ".join([x] * steps))
        ours = load(f"{tmp}/end").float()
        theirs = load(f"{tmp}/start").float()
        exact = load(f"{tmp}/start").double()
        losses = train(theirs, data, steps, decay)
        train(exact, (data[0], data[1].double(), data[2], data[3]), steps, decay)
        rows = [line.split("\t") for line in open(f"{tmp}/end/log.tsv")][1:]
    worst = ours_off = theirs_off = 0.0
    print("ours - torch\tours - double\ttorch - double\tparameter")
    for (name, a), (_, b), (_, c) in zip(ours.named_parameters(), theirs.named_parameters(), exact.named_parameters()):
        d, e, f = (a - b).abs().max().item(), (a - c).abs().max().item(), (b - c).abs().max().item()
        worst, ours_off, theirs_off = max(worst, d), max(ours_off, e), max(theirs_off, f)
        print(f"{d:.3e}\t{e:.3e}\t{f:.3e}\t{name}")
    loss = max(abs(float(r[3]) - l) for r, l in zip(rows, losses))
    print(f"losses of {len(losses)} steps: first {losses[0]:.6f}, last {losses[-1]:.6f}, largest difference {loss:.3e}")
    print(f"largest difference of a parameter after {steps} steps: {worst:.3e} "
          f"(ours from double: {ours_off:.3e}, torch from double: {theirs_off:.3e})")
    sys.exit(0 if worst <= BOUND and len(rows) == steps and loss <= BOUND else 1)


main()

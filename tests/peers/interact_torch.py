#!/usr/bin/env python3
"""interact_torch.py [OPTION OF rna-train...]: the interaction head of rna-train pair against the same net in PyTorch.

The same starting weights and the same pairs, fp32, no dropout, for a trained and a frozen backbone, without language model, and
over channels (--compat paddle).  Fails when logits of the start, logits after STEPS steps of AdamW, or weights of the head
after them beside a backbone that does not learn, differ by more than 1e-4.  (Weights of a backbone that learns are no test:
Adam turns the rounding of a gradient that is nearly zero into a step of the learning rate.)
Needs torch, transformers and safetensors; run in the repository after make.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import load_file
from transformers import BertModel, logging

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ["PATH"] = os.path.join(ROOT, "build", "bin") + os.pathsep + os.environ["PATH"]
STEPS, LR, DECAY, BOUND, HEAD = 5, 1e-3, 0.01, 1e-4, "classifier.interaction."
DEVICE = sys.argv[1:]
logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(1)


def sh(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


class Net(torch.nn.Module):
    """The head, written from formats/model.md, on a BertModel (None: without)."""

    def __init__(self, tensors, bert, channels):
        super().__init__()
        self.bert, self.channels = bert, channels
        shape = {name: t.shape for name, t in tensors.items()}
        vocab, width = shape[HEAD + "embedding.weight"]
        self.embedding = torch.nn.Embedding(vocab, width)
        if bert is not None:
            self.project = torch.nn.Sequential(torch.nn.Linear(shape[HEAD + "project.0.weight"][1], width), torch.nn.Linear(width, width))
        self.conv = torch.nn.Conv1d(shape[HEAD + "conv.weight"][1], 320, 12)
        self.lstm = torch.nn.LSTM(27 if channels else 320, 32, bidirectional=True, batch_first=True)
        self.dense = torch.nn.Linear(64, 16)
        self.out_proj = torch.nn.Linear(16, shape["classifier.out_proj.weight"][0])
        own = {name[len(HEAD):]: t for name, t in tensors.items() if name.startswith(HEAD)}
        own.update({name[len("classifier."):]: t for name, t in tensors.items() if name.startswith(("classifier.dense", "classifier.out"))})
        self.load_state_dict(own, strict=False)

    def states(self, ids, segment):
        return self.bert(input_ids=ids, token_type_ids=segment).last_hidden_state

    def forward(self, ids, segment, states=None):
        x = self.embedding(ids)
        if self.bert is not None:
            h = self.states(ids, segment) if states is None else states
            x = torch.cat([x, self.project[1](torch.relu(self.project[0](h)))], 2)
        x = torch.relu(self.conv(x.transpose(1, 2)))
        x = torch.nn.functional.max_pool1d(x, 2)
        y, (last, _) = self.lstm(x if self.channels else x.transpose(1, 2))
        x = torch.relu(y[:, -1] if self.channels else torch.cat([last[0], last[1]], 1))
        x = self.dense(x)
        return self.out_proj(x if self.channels else torch.relu(x))


def make_pairs(path):
    """A table of 11 pairs of 17 to 26 and 7 to 45 nt, and a short one."""
    random.seed(4)
    seq = lambda n: "".join(random.choice("ACGU") for _ in range(n))
    with open(path, "w") as f:
        f.write("a_seq,b_seq,label\n")
        for i in range(11):
            f.write(f"{seq(random.randint(17, 26))},{seq(random.randint(7, 45))},{i % 2}\n")
        f.write("ACG,GU,1\n")


def inputs(records, channels):
    """Ids and segments as interact.h frames them."""
    rows = []
    for r in records:
        ids, segment = r["tokens"], r["segment"]
        if channels:
            a, b = ([t for t, s in zip(ids, segment) if s == side and t >= 35] for side in (0, 1))
            a, b = a[:26], b[:40]
            ids = (a + b + [0] * 66)[:66]
            segment = [0] * len(a) + [1] * (66 - len(a))
        else:
            short = max(0, 13 - len(ids))
            ids, segment = ids + [0] * short, segment + [1] * short
        rows.append((torch.tensor([ids]), torch.tensor([segment])))
    return rows


def full_name(key):
    return key if key.startswith("bert.") else "classifier." + key if key.startswith(("dense", "out_proj")) else HEAD + key


def train(start, options, rows, truth):
    """Logits of the start and after the steps, and the weights then."""
    bert = None if "none" in options else BertModel.from_pretrained(start, add_pooling_layer=False)
    net = Net(load_file(start + "/model.safetensors"), bert, "paddle" in options).train()
    states = [None] * len(rows)
    if "fbth" in options:
        with torch.no_grad():
            states = [net.states(*row) for row in rows]
        for p in bert.parameters():
            p.requires_grad = False
    learning = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for p in learning if p.ndim > 1], "weight_decay": DECAY},
                                   {"params": [p for p in learning if p.ndim == 1], "weight_decay": 0}], lr=LR)
    logits = []
    for step in range(STEPS + 1):
        optimizer.zero_grad()
        logits.append(torch.cat([net(*row, s) for row, s in zip(rows, states)]))
        if step < STEPS:
            torch.nn.functional.cross_entropy(logits[-1], truth).backward()
            optimizer.step()
    return logits[0].detach(), logits[-1].detach(), {full_name(key): value.detach() for key, value in net.state_dict().items()}


def predict(model, pairs):
    stream = subprocess.run(["rna-predict", "-q", *DEVICE, "-m", model, pairs], check=True, stdout=subprocess.PIPE).stdout
    out = subprocess.run(["rna-view", "-O", "json"], input=stream, check=True, stdout=subprocess.PIPE).stdout
    return torch.tensor([json.loads(line)["logits"] for line in out.splitlines()])


def run(name, folder, options, pairs, truth, records):
    start, end = os.path.join(folder, name + "-start"), os.path.join(folder, name + "-end")
    common = ["rna-train", "pair", "-q", *DEVICE, "--batch", "99", "--dropout", "0", "--attention-dropout", "0",
              "--schedule", "constant", *options]
    sh(*common, "-o", start, "--lr", "0", "--min-lr", "0", "--epochs", "1", pairs)
    sh(*common, "-o", end, "--lr", str(LR), "--min-lr", str(LR), "--weight-decay", str(DECAY), "--epochs", str(STEPS), pairs)
    first, last, weights = train(start, options, inputs(records, "paddle" in options), truth)
    before, after = (predict(model, pairs) for model in (start, end))
    off = [(before - first).abs().max().item(), (after - last).abs().max().item()]
    got = load_file(end + "/model.safetensors")
    worst, where = max(((got[k] - weights[k]).abs().max().item(), k) for k in got if k in weights)
    print(f"{name}\tlogits {off[0]:.1e}\tafter {STEPS} steps {off[1]:.1e} (moved {(after - before).abs().max().item():.1e})"
          f"\tweights {worst:.1e} ({where})", flush=True)
    return max(off) <= BOUND and (worst <= BOUND or not ("fbth" in options or "none" in options))


def main():
    with tempfile.TemporaryDirectory() as folder:
        table, pairs, backbone = (os.path.join(folder, name) for name in ("pairs.csv", "pairs.rill", "backbone"))
        make_pairs(table)
        sh("rna-tokenize", "-q", "--pairs", "a_seq,b_seq", "-o", pairs, table)
        sh("rna-train", "mlm", "-q", "-c", "tiny", "--layers", "2", "--hidden", "32", "--init-range", "0.1", "--max-tokens", "128", "--steps", "0", "-o", backbone)
        records = [json.loads(line) for line in sh("rna-view", "-O", "json", pairs).splitlines()]
        names = sorted({r["label"] for r in records})
        truth = torch.tensor([names.index(r["label"]) for r in records])
        cases = {"tbth": ["-m", backbone], "fbth": ["-m", backbone, "--adapt", "fbth"], "alone": ["-m", "none"],
                 "paddle-fbth": ["-m", backbone, "--adapt", "fbth", "--compat", "paddle"],
                 "paddle-tbth": ["-m", backbone, "--compat", "paddle"]}
        good = [run(name, folder, options, pairs, truth, records) for name, options in cases.items()]
    if not all(good):
        sys.exit("differs from PyTorch")
    print("# all equal")


if __name__ == "__main__":
    main()

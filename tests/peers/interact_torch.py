#!/usr/bin/env python3
"""interact_torch.py [OPTION OF rna-train...]: the interaction head of rna-train pair against the same net in PyTorch.

The same starting weights and the same pairs, fp32, no dropout, for a trained and a frozen backbone, without language model, and
over channels (--compat paddle).  Three things are compared, with PyTorch in double precision:

start      logits of the starting weights: no more than START apart.
gradient   one step down the gradient: --clip makes it so small beside Adam's epsilon that the step is --lr / epsilon times the
           clipped gradient, linear in it.  The change of each tensor, the backbone's too, must be PyTorch's but for GRADIENT of
           its largest element and the rounding of a weight.
adam       STEPS steps of ordinary AdamW.  Those turn the rounding of a gradient that is nearly zero into a step of the learning
           rate, in any program: logits and weights may be TIMES as far from double as PyTorch's own fp32 is.

The backbone has GELU: with ReLU, one of its 400,000 sums that is 2e-7 from zero has the other sign in the one program than in
the other, and with it another gradient.
[PAD] is a token like any other here, and its embedding learns; BertModel would leave it out (padding_idx).
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
STEPS, START, GRADIENT, TIMES, ROUNDING, HEAD = 5, 1e-5, 1e-5, 10, 2.0**-23, "classifier.interaction."
# rate, decay, clip
DOWNHILL, ADAM = (100.0, 0.0, 1e-10), (1e-3, 0.01, 0.0)
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


def train(start, options, rows, truth, how, steps, real):
    """Logits of the start and after the steps, and the weights then."""
    rate, decay, clip = how
    bert = None if "none" in options else BertModel.from_pretrained(start, add_pooling_layer=False)
    if bert is not None:
        bert.embeddings.word_embeddings.padding_idx = None
    net = Net(load_file(start + "/model.safetensors"), bert, "paddle" in options).train().to(real)
    states = [None] * len(rows)
    if "fbth" in options:
        with torch.no_grad():
            states = [net.states(*row) for row in rows]
        for p in bert.parameters():
            p.requires_grad = False
    learning = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for p in learning if p.ndim > 1], "weight_decay": decay},
                                   {"params": [p for p in learning if p.ndim == 1], "weight_decay": 0}], lr=rate)
    logits = []
    for step in range(steps + 1):
        optimizer.zero_grad()
        logits.append(torch.cat([net(*row, s) for row, s in zip(rows, states)]))
        if step < steps:
            torch.nn.functional.cross_entropy(logits[-1], truth).backward()
            if clip > 0:
                norm = torch.cat([p.grad.flatten() for p in learning if p.grad is not None]).norm()
                for p in learning:
                    if p.grad is not None:
                        p.grad *= min(1, clip / norm)
            optimizer.step()
    weights = {full_name(key): value.detach().double() for key, value in net.state_dict().items()}
    return logits[0].detach().double(), logits[-1].detach().double(), weights


def predict(model, pairs):
    stream = subprocess.run(["rna-predict", "-q", *DEVICE, "-m", model, pairs], check=True, stdout=subprocess.PIPE).stdout
    out = subprocess.run(["rna-view", "-O", "json"], input=stream, check=True, stdout=subprocess.PIPE).stdout
    return torch.tensor([json.loads(line)["logits"] for line in out.splitlines()]).double()


def far(a, b):
    return (a - b).abs().max().item()


def farthest(a, b):
    """Largest difference of the tensors that both have, and where."""
    return max((far(a[k], b[k]), k) for k in a if k in b)


def run(name, folder, options, pairs, truth, records):
    """Prints what differs, returns whether it may."""
    common = ["rna-train", "pair", "-q", *DEVICE, "--batch", "99", "--dropout", "0", "--attention-dropout", "0",
              "--schedule", "constant", *options]
    rows = inputs(records, "paddle" in options)

    def ours(folder, how, epochs):
        rate, decay, clip = map(str, how)
        sh(*common, "-o", folder, "--lr", rate, "--min-lr", rate, "--weight-decay", decay, "--clip", clip, "--epochs", str(epochs), pairs)
        return predict(folder, pairs), {k: t.double() for k, t in load_file(folder + "/model.safetensors").items()}

    start = os.path.join(folder, name + "-start")
    first, begun = ours(start, (0.0, 0.0, 0.0), 1)
    _, down = ours(os.path.join(folder, name + "-down"), DOWNHILL, 1)
    last, end = ours(os.path.join(folder, name + "-end"), ADAM, STEPS)
    exact_first, _, exact_down = train(start, options, rows, truth, DOWNHILL, 1, torch.float64)
    _, exact_last, exact_end = train(start, options, rows, truth, ADAM, STEPS, torch.float64)
    _, single_last, single_end = train(start, options, rows, truth, ADAM, STEPS, torch.float32)

    off = far(first, exact_first)
    gradient, tensor = max(((far(down[k], exact_down[k]) - ROUNDING * begun[k].abs().max().item())
                            / (far(exact_down[k], begun[k]) + 1e-5), k) for k in down if k in exact_down)
    logits, may = far(last, exact_last), far(single_last, exact_last)
    (weights, where), (weights_may, _) = farthest(end, exact_end), farthest(single_end, exact_end)
    print(f"{name}\tstart {off:.1e}\tgradient {gradient:.1e} ({tensor})\tadam: logits {logits:.1e}, torch {may:.1e}"
          f" (moved {far(last, first):.1e}), weights {weights:.1e} ({where}), torch {weights_may:.1e}", flush=True)
    return off <= START and gradient <= GRADIENT and logits <= TIMES * may and weights <= TIMES * weights_may


def main():
    with tempfile.TemporaryDirectory() as folder:
        table, pairs, backbone = (os.path.join(folder, name) for name in ("pairs.csv", "pairs.rill", "backbone"))
        make_pairs(table)
        sh("rna-tokenize", "-q", "--pairs", "a_seq,b_seq", "-o", pairs, table)
        sh("rna-train", "mlm", "-q", "-c", "tiny", "--layers", "2", "--hidden", "32", "--act", "gelu", "--init-range", "0.1", "--max-tokens", "128", "--steps", "0", "-o", backbone)
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

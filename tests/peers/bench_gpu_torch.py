#!/usr/bin/env python3
"""The same model and the same batches in PyTorch, for make bench-gpu.

    bench_gpu_torch.py base|small|toy TOKENS

padded eager: what users run: padded to the longest of a batch, SDPA with a mask, bf16 autocast, fused AdamW.
packed compiled: the strongest baseline known: rows packed as rill packs them, varlen attention, torch.compile, loss on
masked rows alone, fused AdamW, fp32 weights with bf16 autocast.
packed pruned: the same, and the last layer makes, after its attention, the rows that are read alone, as rill does.
Dropout 0.1 of layers, 0 of attention.  Counts real tokens.  toy runs on the CPU, to see that the script works.
"""
import inspect
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {"base": (12, 768, 12, 3072), "small": (6, 320, 5, 1280), "toy": (1, 64, 1, 128)}
CORPUS = [15, 22, 25, 29, 43, 68, 75, 84, 96, 111, 128, 154, 184, 240, 312, 410, 512, 512, 512, 512, 512]
VOCAB, LONGEST, PAD, MASK = 39, 512, 0, 4

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:
    varlen_attn = None


def lengths(tokens):
    """Lengths as tests/gpu_model.c draws them, with another generator."""
    g = torch.Generator().manual_seed(7)
    out = []
    while tokens > 1:
        u = 20 * torch.rand(1, generator=g).item()
        i = int(u)
        n = int(CORPUS[i] + (u - i) * (CORPUS[i + 1] - CORPUS[i])) + 3
        n = min(n, LONGEST, tokens)
        out.append(n)
        tokens -= n
    return out


def packed_attention(q, k, v, batch):
    cu, longest = batch["cu"], batch["longest"]
    if varlen_attn is not None and q.is_cuda:
        return varlen_attn(q, k, v, cu, cu, longest, longest)
    same = batch["owner"][:, None] == batch["owner"][None, :]
    o = F.scaled_dot_product_attention(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1), attn_mask=same)
    return o.transpose(0, 1)


def padded_attention(q, k, v, batch):
    o = F.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=batch["there"][:, None, None, :])
    return o.transpose(1, 2)


class Layer(nn.Module):
    def __init__(self, hidden, heads, ffn):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(hidden, 3 * hidden), nn.Linear(hidden, hidden)
        self.up, self.down = nn.Linear(hidden, ffn), nn.Linear(ffn, hidden)
        self.norm1, self.norm2 = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.drop = nn.Dropout(0.1)

    def forward(self, x, batch, rows=None):
        q, k, v = (t.unflatten(-1, (self.heads, -1)) for t in self.qkv(x).chunk(3, -1))
        attend = packed_attention if batch["packed"] else padded_attention
        o = attend(q, k, v, batch).flatten(-2)
        if rows is not None:
            x, o = x[rows], o[rows]
        x = self.norm1(x + self.drop(self.out(o)))
        return self.norm2(x + self.drop(self.down(F.relu(self.up(x)))))


class Model(nn.Module):
    def __init__(self, layers, hidden, heads, ffn):
        super().__init__()
        self.word, self.place = nn.Embedding(VOCAB, hidden), nn.Embedding(LONGEST, hidden)
        self.norm, self.drop = nn.LayerNorm(hidden), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(hidden, heads, ffn) for _ in range(layers))
        self.head, self.head_norm = nn.Linear(hidden, hidden), nn.LayerNorm(hidden)
        self.bias = nn.Parameter(torch.zeros(VOCAB))

    def forward(self, batch, train):
        x = self.drop(self.norm(self.word(batch["token"]) + self.place(batch["position"])))
        at = batch["masked" if train else "cls"]
        for layer in self.layers[:-1]:
            x = layer(x, batch)
        x = self.layers[-1](x, batch, at if batch["pruned"] else None)
        x = x if batch["pruned"] else x.flatten(0, -2)[at]
        if not train:
            return x
        rows = self.head_norm(F.relu(self.head(x)))
        return F.cross_entropy(F.linear(rows, self.word.weight, self.bias).float(), batch["target"])


def make_batch(lens, packed, pruned, device):
    g = torch.Generator().manual_seed(11)
    total = sum(lens)
    token = torch.randint(5, 9, (total,), generator=g)
    hidden = torch.rand(total, generator=g) < 0.15
    owner = torch.repeat_interleave(torch.arange(len(lens)), torch.tensor(lens))
    position = torch.cat([torch.arange(n) for n in lens])
    target = token[hidden].clone()
    token[hidden] = MASK
    batch = {"packed": packed, "pruned": pruned, "target": target, "longest": LONGEST}
    starts = torch.tensor([0] + lens).cumsum(0)
    if packed:
        batch.update(token=token, position=position, owner=owner, masked=hidden.nonzero()[:, 0],
                     cu=starts.to(torch.int32), cls=starts[:-1])
    else:
        wide = max(lens)
        at = owner * wide + position
        full = torch.full((len(lens) * wide,), PAD)
        full[at] = token
        batch.update(token=full.view(len(lens), wide), position=torch.arange(wide).expand(len(lens), wide),
                     there=torch.arange(wide)[None] < torch.tensor(lens)[:, None], masked=at[hidden],
                     cls=torch.arange(len(lens)) * wide)
    return {k: v.to(device) if torch.is_tensor(v) else v for k, v in batch.items()}


def seconds(f, device, repeats):
    sync = torch.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(2 * repeats):
        f()
    groups = []
    for _ in range(5 if device == "cuda" else 1):
        sync()
        t0 = time.perf_counter()
        for _ in range(repeats):
            f()
        sync()
        groups.append((time.perf_counter() - t0) / repeats)
    return statistics.median(groups)


def main():
    size, tokens = sys.argv[1], int(sys.argv[2])
    device = "cpu" if size == "toy" else "cuda"
    repeats = 1 if size == "toy" else 10
    torch.set_float32_matmul_precision("high")
    lens = lengths(tokens)
    print(f"what\ttokens/s\tms\tMiB\t(PyTorch {torch.__version__}; {size}, {tokens} tokens"
          f"{'' if varlen_attn is None else ', varlen_attn' + str(inspect.signature(varlen_attn))[:60]})")
    for name, packed, pruned in (
            ("packed compiled", True, False), ("padded eager", False, False), ("packed pruned", True, True)):
        compiled = packed and device == "cuda"
        torch.manual_seed(1)
        model = Model(*SIZES[size]).to(device)
        run = torch.compile(model) if compiled else model
        adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=device == "cuda")
        parts = [lens[i::1 if packed else 8] for i in range(1 if packed else min(8, len(lens)))]
        batches = [make_batch(p, packed, pruned, device) for p in parts]

        def step():
            adam.zero_grad(set_to_none=True)
            for b in batches:
                with torch.autocast(device, torch.bfloat16):
                    loss = run(b, True) * (len(b["target"]) / sum(len(x["target"]) for x in batches))
                loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()

        def embed():
            with torch.no_grad(), torch.autocast(device, torch.bfloat16):
                for b in batches:
                    run(b, False)

        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        for what, f in (("train", step), ("embed", embed)):
            model.train(what == "train")
            try:
                s = seconds(f, device, repeats)
            except RuntimeError as e:
                print(f"{what}, {name}\tfailed: {str(e).splitlines()[0]}")
                continue
            most = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else 0
            print(f"{what}, {name}\t{sum(lens) / s:.0f}\t{1e3 * s:.2f}\t{most}", flush=True)


main()

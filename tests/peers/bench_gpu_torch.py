#!/usr/bin/env python3
"""The same model and the same batches in PyTorch, for make bench-gpu.

    bench_gpu_torch.py base|small|toy TOKENS [NAME...]
    bench_gpu_torch.py maps NT

packed compiled: the strongest baseline known: rows packed as rill packs them, varlen attention, torch.compile, loss on
masked rows alone, fused AdamW, fp32 weights with bf16 autocast.
padded eager: what users run: padded to the longest of a batch, SDPA with a mask, eager.
packed pruned: packed compiled, and the last layer makes, after its attention, the rows that are read alone, as rill does.
packed flex: packed compiled with flex_attention and a mask of blocks by RNA in place of varlen attention.
bucketed compiled: batches of like lengths, padded to the next multiple of 64, SDPA with a mask, torch.compile.

Dropout 0.1 of layers, 0 of attention.  Counts real tokens.  All of them, without dropout, give the same loss to 0.1 % and
nearly the same vectors, or nothing is timed.  A line says "recompiled" when torch.compile was at work while it was timed.
maps: the convolutions over pairs of a folding network of full size (8 of 64 channels, 5 x 5 and 3 x 3 in turn, each with
a norm over the map, CELU, dropout and what came in), two images of an RNA of NT nt: nine tenths of rill's network.

toy runs on the CPU, to see that the script works; flex_attention has no gradient there.
"""
import inspect
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch._dynamo.utils import counters
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

try:
    from torch.nn.attention.varlen import varlen_attn
except ImportError:
    varlen_attn = None

SIZES = {"base": (12, 768, 12, 3072), "small": (6, 320, 5, 1280), "toy": (1, 64, 1, 128)}
CORPUS = [15, 22, 25, 29, 43, 68, 75, 84, 96, 111, 128, 154, 184, 240, 312, 410, 512, 512, 512, 512, 512]
VOCAB, LONGEST, PAD, MASK, BUCKET, CHECKED = 39, 512, 0, 4, 64, 2048
# name: batches, attention, pruned, compiled
PEERS = {"packed compiled": ("packed", "varlen", False, True), "padded eager": ("padded", "sdpa", False, False),
         "packed pruned": ("packed", "varlen", True, True), "packed flex": ("packed", "flex", False, True),
         "bucketed compiled": ("bucketed", "sdpa", False, True)}


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


def varlen_attention(q, k, v, batch):
    if varlen_attn is not None and q.is_cuda:
        return varlen_attn(q, k, v, batch["cu"], batch["cu"], LONGEST, LONGEST)
    same = batch["owner"][:, None] == batch["owner"][None, :]
    o = F.scaled_dot_product_attention(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1), attn_mask=same)
    return o.transpose(0, 1)


def block_attention(q, k, v, batch):
    o = flex_attention(q.transpose(0, 1)[None], k.transpose(0, 1)[None], v.transpose(0, 1)[None],
                       block_mask=batch["blocks"])
    return o[0].transpose(0, 1)


def padded_attention(q, k, v, batch):
    o = F.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=batch["there"][:, None, None, :])
    return o.transpose(1, 2)


ATTENTION = {"varlen": varlen_attention, "flex": block_attention, "sdpa": padded_attention}


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
        o = ATTENTION[batch["attention"]](q, k, v, batch).flatten(-2)
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


def sequences(lens):
    """(tokens as the model sees them, which are masked, what they were) of each RNA."""
    g = torch.Generator().manual_seed(11)
    out = []
    for n in lens:
        token = torch.randint(5, 9, (n,), generator=g)
        hidden = torch.rand(n, generator=g) < 0.15
        out.append((token.where(~hidden, MASK), hidden, token[hidden]))
    return out


def block_mask(owner):
    """Which tiles of scores have pairs of one RNA: compiled, so that the whole square is never there."""
    def same(b, h, i, j):
        return owner[i] == owner[j]
    make = torch.compile(create_block_mask) if owner.is_cuda else create_block_mask
    return make(same, None, None, len(owner), len(owner), device=owner.device)


def make_batch(seqs, who, layout, attention, pruned, wide, device):
    """The RNAs `who`, packed or padded to `wide`."""
    token, hidden, target = (torch.cat(t) for t in zip(*(seqs[i] for i in who)))
    lens = torch.tensor([len(seqs[i][0]) for i in who])
    owner = torch.repeat_interleave(torch.arange(len(who)), lens)
    position = torch.cat([torch.arange(n) for n in lens])
    starts = torch.cat([torch.zeros(1, dtype=torch.long), lens.cumsum(0)])
    batch = {"attention": attention, "pruned": pruned, "target": target, "who": who}
    if layout == "packed":
        batch.update(token=token, position=position, owner=owner, masked=hidden.nonzero()[:, 0],
                     cu=starts.to(torch.int32), cls=starts[:-1])
    else:
        at = owner * wide + position
        full = torch.full((len(who) * wide,), PAD)
        full[at] = token
        batch.update(token=full.view(len(who), wide), position=torch.arange(wide).repeat(len(who), 1),
                     there=torch.arange(wide)[None] < lens[:, None], masked=at[hidden],
                     cls=torch.arange(len(who)) * wide)
    batch = {k: v.to(device) if torch.is_tensor(v) else v for k, v in batch.items()}
    if attention == "flex":
        batch["blocks"] = block_mask(batch["owner"])
    return batch


def make_batches(lens, peer, device):
    layout, attention, pruned, _ = PEERS[peer]
    seqs, everyone = sequences(lens), range(len(lens))
    if layout == "bucketed":
        up = [(n + BUCKET - 1) // BUCKET * BUCKET for n in lens]
        parts = [([i for i in everyone if up[i] == w], w) for w in sorted(set(up))]
    else:
        k = 1 if layout == "packed" else min(8, len(lens))
        parts = [(list(everyone[i::k]), max(lens[i::k])) for i in range(k)]
    return [make_batch(seqs, who, layout, attention, pruned, wide, device) for who, wide in parts]


def total_loss(run, batches, device, each=lambda loss: None):
    """The mean over all masked tokens; each: called with the part of every batch."""
    n, total = sum(len(b["target"]) for b in batches), 0
    for b in batches:
        with torch.autocast(device, torch.bfloat16):
            loss = run(b, True) * (len(b["target"]) / n)
        each(loss)
        total = total + loss.detach()
    return total


def vectors(run, batches, device):
    with torch.no_grad(), torch.autocast(device, torch.bfloat16):
        return [run(b, False) for b in batches]


def check(size, names, device):
    """Every peer computes the same: loss and vectors of a few RNAs, eager and without dropout.

    Two layers whose attention is far from even, so that a base too many or too few is seen."""
    lens, want = lengths(CHECKED), None
    torch.manual_seed(1)
    model = Model(2, *SIZES[size][1:]).to(device).eval()
    with torch.no_grad():
        for layer in model.layers:
            layer.qkv.weight.mul_(4)
    for name in names:
        batches = make_batches(lens, name, device)
        with torch.no_grad():
            loss = total_loss(model, batches, device).item()
        rows = torch.cat([r.float() for r in vectors(model, batches, device)])
        rows = rows[torch.tensor([i for b in batches for i in b["who"]], device=device).argsort()]
        if want is None:
            want = loss, rows
        cosine = F.cosine_similarity(rows, want[1]).min().item()
        if not (abs(loss / want[0] - 1) <= 1e-3 and cosine >= 0.995):
            sys.exit(f"{name}: loss {loss:.4f}, cosine {cosine:.5f}, where {names[0]} has loss {want[0]:.4f}")


def seconds(f, device, repeats):
    sync = torch.cuda.synchronize if device == "cuda" else lambda: None
    for _ in range(2 * repeats):
        f()
    groups, graphs = [], counters["stats"]["unique_graphs"]
    for _ in range(5 if device == "cuda" else 1):
        sync()
        t0 = time.perf_counter()
        for _ in range(repeats):
            f()
        sync()
        groups.append((time.perf_counter() - t0) / repeats)
    return statistics.median(groups), counters["stats"]["unique_graphs"] != graphs


def bench(name, size, lens, device, repeats):
    layout, attention, _, compiled = PEERS[name]
    torch.manual_seed(1)
    torch._dynamo.reset()
    model = Model(*SIZES[size]).to(device)
    run = torch.compile(model, dynamic=layout == "bucketed") if compiled and device == "cuda" else model
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=device == "cuda")
    batches = make_batches(lens, name, device)

    def step():
        adam.zero_grad(set_to_none=True)
        total_loss(run, batches, device, lambda loss: loss.backward())
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()

    for what, f in (("train", step), ("embed", lambda: vectors(run, batches, device))):
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        elif what == "train" and attention == "flex":
            continue
        model.train(what == "train")
        try:
            s, again = seconds(f, device, repeats)
        except RuntimeError as e:
            print(f"{what}, {name}\tfailed: {str(e).splitlines()[0]}", flush=True)
            continue
        most = torch.cuda.max_memory_allocated() >> 20 if device == "cuda" else 0
        print(f"{what}, {name}\t{sum(lens) / s:.0f}\t{1e3 * s:.2f}\t{most}{'	recompiled' if again else ''}",
              flush=True)


class Maps(nn.Module):
    def __init__(self, channels=64):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(channels, channels, 3 if i % 2 else 5, padding="same") for i in range(8))
        self.norms = nn.ModuleList(nn.GroupNorm(1, channels) for _ in range(8))
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms):
            x = x + self.drop(F.celu(norm(conv(x))))
        return x


def bench_maps(nt):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    model = Maps().to(device, memory_format=torch.channels_last)
    x = torch.randn(2, 64, nt + 1, nt + 1, device=device).to(memory_format=torch.channels_last).requires_grad_()

    def train(run):
        model.zero_grad(set_to_none=True)
        run(x).sum().backward()

    def forward(run):
        with torch.no_grad():
            run(x)

    print(f"what\tRNAs/s\tms\t\t(PyTorch {torch.__version__}; maps of a folding network, {nt} nt)", flush=True)
    for tf32 in (False, True) if device == "cuda" else (False,):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
        torch.backends.cudnn.benchmark = True
        torch._dynamo.reset()
        for compiled in (False, True) if device == "cuda" else (False,):
            run = torch.compile(model) if compiled else model
            for what, f in (("scores", forward), ("train", train)):
                model.train(what == "train")
                s, _ = seconds(lambda: f(run), device, 5 if device == "cuda" else 1)
                print(f"{what}, maps {'tf32' if tf32 else 'fp32'} {'compiled' if compiled else 'eager'}"
                      f"\t{1 / s:.1f}\t{1e3 * s:.2f}", flush=True)


def main():
    if sys.argv[1] == "maps":
        bench_maps(int(sys.argv[2]))
        return
    size, tokens, names = sys.argv[1], int(sys.argv[2]), sys.argv[3:] or list(PEERS)
    device = "cpu" if size == "toy" else "cuda"
    torch.set_float32_matmul_precision("high")
    print(f"what\ttokens/s\tms\tMiB\t(PyTorch {torch.__version__}; {size}, {tokens} tokens"
          f"{'' if varlen_attn is None else ', varlen_attn' + str(inspect.signature(varlen_attn))[:60]})", flush=True)
    check(size, ["packed compiled"] + [n for n in names if n != "packed compiled"], device)
    for name in names:
        bench(name, size, lengths(tokens), device, 1 if size == "toy" else 10)


main()

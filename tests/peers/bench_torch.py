#!/usr/bin/env python3
"""bench_torch.py: rill beside current torch on the same cores: the same model, weights and batches.

    tests/peers/bench_torch.py [--threads N,...] [--rounds N] [--compile] [--lengths FASTA] [--only CASE,...] [BUILD]

Torch gets what serves it best: fused query-key-value, fused attention, inference mode, weights converted to bf16 for
forward passes (autocast in training); with --compile torch.compile of its layers too.  Rounds of torch and rill follow
each other; rates are a processor-second's, the median of the rounds (wall clock tells what other programs do).  Prints
TSV.  Cases: check gemm forward lengths training; with more than one thread gemm and forward of length 128 only.
"""
import argparse, copy, json, os, random, resource, statistics, subprocess, sys, tempfile, time
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
H, HEADS, FFN, LAYERS, VOCAB, POSITIONS, EPS, TOKENS = 768, 12, 3072, 12, 39, 513, 1e-12, 4096


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = torch.nn.Linear(H, 3 * H), torch.nn.Linear(H, H)
        self.ffn1, self.ffn2 = torch.nn.Linear(H, FFN), torch.nn.Linear(FFN, H)
        self.norm1, self.norm2 = torch.nn.LayerNorm(H, EPS), torch.nn.LayerNorm(H, EPS)
        self.p = 0.0

    def rest(self, x, o):
        p, t = self.p, self.training
        x = self.norm1(x + F.dropout(self.out(o), p, t))
        return self.norm2(x + F.dropout(self.ffn2(F.relu(self.ffn1(x))), p, t))

    def attend(self, qkv, mask):
        b, n, _ = qkv.shape
        q, k, v = qkv.view(b, n, 3, HEADS, H // HEADS).permute(2, 0, 3, 1, 4)
        o = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=self.p if self.training else 0.0)
        return o.transpose(1, 2).reshape(b, n, H)

    def forward(self, x, mask, lengths):
        qkv = self.qkv(x)
        if lengths is None:
            return self.rest(x, self.attend(qkv, mask))
        # packed: one row of all tokens, attention sequence by sequence
        parts, at = [], 0
        for n in lengths:
            parts.append(self.attend(qkv[:, at:at + n], None))
            at += n
        return self.rest(x, torch.cat(parts, 1))


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.word, self.pos, self.seg = (torch.nn.Embedding(n, H) for n in (VOCAB, POSITIONS, 2))
        self.norm = torch.nn.LayerNorm(H, EPS)
        self.layers = torch.nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = torch.nn.Linear(H, VOCAB)
        for name, p in self.named_parameters():
            if p.ndim == 2:
                torch.nn.init.normal_(p, 0, 0.02)
            elif name.endswith("bias"):
                torch.nn.init.normal_(p, 0, 0.02)

    def forward(self, tokens, position, mask=None, lengths=None):
        x = self.norm(self.word(tokens) + self.pos(position) + self.seg.weight[0])
        for layer in self.layers:
            x = layer(x, mask, lengths)
        return x

    def save(self, folder):
        """The model folder that rill opens."""
        t = {"bert.embeddings.word_embeddings.weight": self.word.weight,
             "bert.embeddings.position_embeddings.weight": self.pos.weight,
             "bert.embeddings.token_type_embeddings.weight": self.seg.weight}

        def put(name, m):
            t[name + ".weight"], t[name + ".bias"] = m.weight, m.bias
        put("bert.embeddings.LayerNorm", self.norm)
        for i, l in enumerate(self.layers):
            at = f"bert.encoder.layer.{i}."
            for j, part in enumerate(("query", "key", "value")):
                t[at + f"attention.self.{part}.weight"] = l.qkv.weight[j * H:(j + 1) * H]
                t[at + f"attention.self.{part}.bias"] = l.qkv.bias[j * H:(j + 1) * H]
            put(at + "attention.output.dense", l.out)
            put(at + "attention.output.LayerNorm", l.norm1)
            put(at + "intermediate.dense", l.ffn1)
            put(at + "output.dense", l.ffn2)
            put(at + "output.LayerNorm", l.norm2)
        save_file({k: v.detach().clone().contiguous() for k, v in t.items()}, os.path.join(folder, "model.safetensors"))
        with open(os.path.join(folder, "config.json"), "w") as f:
            json.dump({"model_type": "bert", "vocab_size": VOCAB, "hidden_size": H, "num_hidden_layers": LAYERS,
                       "num_attention_heads": HEADS, "intermediate_size": FFN, "max_position_embeddings": POSITIONS,
                       "type_vocab_size": 2, "hidden_act": "relu", "layer_norm_eps": EPS}, f)
        with open(os.path.join(ROOT, "formats", "vocab.txt")) as src:
            text = src.read()
        with open(os.path.join(folder, "vocab.txt"), "w") as f:
            f.write(text)
        return text.split("\n")


def timed(f):
    """Processor seconds of f."""
    start = time.process_time()
    f()
    return time.process_time() - start


def children():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


class Bench:
    def __init__(self, args):
        self.a = args
        self.bin = os.path.join(args.build, "bin")
        self.folder = tempfile.mkdtemp(prefix="bench_torch.")
        torch.manual_seed(1)
        self.m = Encoder().eval()
        self.spellings = self.m.save(self.folder)
        self.env = dict(os.environ, OMP_WAIT_POLICY="passive")

    def line(self, case, precision, peer, torch_rates, rill_rates, unit="tokens"):
        t, r = statistics.median(torch_rates), statistics.median(rill_rates)
        print(f"{case}\t{precision}\t{self.threads}\t{peer}\t{unit}\t{t:.1f}\t{r:.1f}\t{r / t:.2f}", flush=True)

    def ids(self, seq):
        at = {s: i for i, s in enumerate(self.spellings)}
        return [at["[CLS]"]] + [at.get(c, at["[UNK]"]) for c in seq.replace("U", "T")] + [at["[SEP]"]]

    def embed(self, seqs, *more):
        """rna-embed of seqs; its output, and the processor seconds it took."""
        text = "".join(f">s{i}\n{s}\n" for i, s in enumerate(seqs))
        start = children()
        out = subprocess.run([os.path.join(self.bin, "rna-embed"), "-m", self.folder, "-@", str(self.threads),
                              *more], input=text.encode(), stdout=subprocess.PIPE, check=True, env=self.env).stdout
        return out, children() - start

    def check(self):
        seqs = ["GGGAAACUCCGAUUAGC" * 4, "ACGU" * 20]
        out, _ = self.embed(seqs, "--what", "cls")
        text = subprocess.run([os.path.join(self.bin, "rna-view"), "-O", "json", "--fields", "cls"], input=out,
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        worst = 0.0
        for seq, row in zip(seqs, text.strip().split("\n")):
            ids = torch.tensor([self.ids(seq)])
            with torch.inference_mode():
                want = self.m(ids, torch.arange(ids.shape[1])[None])[0, 0]
            worst = max(worst, (want - torch.tensor(json.loads(row)["cls"])).abs().max().item())
        print(f"# same weights: largest difference of a [CLS] element {worst:.2g}", flush=True)
        assert worst < 1e-3

    def table(self, program, *args):
        """The rows that a bench of rill prints."""
        out = subprocess.run([os.path.join(self.a.build, "tests", program), str(self.threads), "base", *args],
                             stdout=subprocess.PIPE, check=True, env=self.env).stdout.decode().split("\n")
        return [dict(zip(out[0].split("\t"), r.split("\t"))) for r in out[1:] if r]

    def rill(self, precision, what, length):
        """Tokens a processor-second of tests/bench_model.c."""
        return float(self.table("bench_model", precision, what, str(length), "1")[0]["tokens/processor-s"])

    def peers(self, m):
        yield "eager", m
        if self.a.compile:
            c = copy.deepcopy(m)
            for layer in c.layers:
                layer.compile(dynamic=False)    # one compilation serves all layers
            yield "compile", c

    def gemm(self):
        """The four products of a layer at 4096 tokens: torch's best of several ways against rill's linear layer."""
        for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            theirs, ours = {}, {}
            for _ in range(self.a.rounds):
                for r in self.table("bench_kernels", precision, "forward"):
                    if r["kernel"].startswith("linear"):
                        ours.setdefault(r["kernel"].split()[-1], []).append(float(r["Gop/s"]) / self.threads)
                for n, k in ((3 * H, H), (H, H), (FFN, H), (H, FFN)):
                    x, w, b = (torch.randn(*d).to(dtype) for d in ((TOKENS, k), (n, k), (n,)))
                    packed = torch.ops.mkldnn._reorder_linear_weight(w, TOKENS)
                    wt, out = w.t().contiguous(), torch.empty(TOKENS, n, dtype=dtype)
                    ways = (lambda: F.linear(x, w, b), lambda: torch.mm(x, wt, out=out),
                            lambda: torch.ops.mkldnn._linear_pointwise(x, packed, b, "none", [], ""))
                    with torch.inference_mode():
                        for f in ways:
                            f()
                        best = min(timed(f) for f in ways for _ in range(3))
                    theirs.setdefault(f"{n}x{k}", []).append(2e-9 * TOKENS * n * k / best)
            for shape, rates in theirs.items():
                self.line(f"product {shape}", precision, "best", rates, ours[shape], "Gop")

    def forward(self):
        for precision in ("fp32", "bf16"):
            m = self.m if precision == "fp32" else Encoder().eval()
            if precision == "bf16":
                m.load_state_dict(self.m.state_dict())
                m = m.bfloat16()
            for length in (128, 512) if self.threads == 1 else (128,):
                ids = torch.randint(5, 9, (TOKENS // length, length))
                pos = torch.arange(length)[None].expand_as(ids)
                peers, theirs, ours, int8 = list(self.peers(m)), {}, [], []
                with torch.inference_mode():
                    for _, model in peers:
                        model(ids, pos)
                    for _ in range(self.a.rounds):
                        for peer, model in peers:
                            theirs.setdefault(peer, []).append(TOKENS / timed(lambda: model(ids, pos)))
                        ours.append(self.rill(precision, "forward", length))
                        if precision == "fp32":
                            int8.append(self.rill("int8", "forward", length))
                for peer, rates in theirs.items():
                    self.line(f"forward {length}", precision, peer, rates, ours)
                    if int8:
                        self.line(f"forward {length}", "int8 to fp32", peer, rates, int8)

    def lengths(self):
        """RNAs of natural lengths: torch padded in random order, padded by length, and packed; rill as rna-embed."""
        with open(self.a.lengths) as f:
            entries = f.read().split(">")[1:]
        seqs = ["".join(e.split("\n")[1:]).upper()[:510] for e in random.Random(1).sample(entries, 32)]
        rows = [self.ids(s) for s in seqs]
        real = sum(map(len, rows))

        def padded(rows, model, dtype):
            for i in range(0, len(rows), 16):
                part = rows[i:i + 16]
                n = max(map(len, part))
                ids = torch.tensor([r + [0] * (n - len(r)) for r in part])
                keep = torch.tensor([[1] * len(r) + [0] * (n - len(r)) for r in part], dtype=torch.bool)
                mask = torch.zeros(len(part), 1, 1, n, dtype=dtype).masked_fill(~keep[:, None, None, :], -1e9)
                model(ids, torch.arange(n)[None].expand_as(ids), mask)

        def packed(rows, model, dtype):
            part, n = [], 0
            for r in rows + [None]:
                if part and (r is None or n + len(r) > TOKENS):
                    model(torch.tensor([sum(part, [])]), torch.cat([torch.arange(len(p)) for p in part])[None], None,
                          [len(p) for p in part])
                    part, n = [], 0
                if r:
                    part.append(r)
                    n += len(r)
        for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            m = self.m
            if precision == "bf16":
                m = Encoder().eval()
                m.load_state_dict(self.m.state_dict())
                m = m.bfloat16()
            ways = (("shuffled, padded", rows, padded), ("by length, padded", sorted(rows, key=len), padded),
                    ("packed", rows, packed))
            theirs, ours = {w[0]: [] for w in ways}, []
            for _ in range(self.a.rounds):
                for name, r, f in ways:
                    with torch.inference_mode():
                        theirs[name].append(real / timed(lambda: f(r, m, dtype)))
                few = self.embed(seqs[:1], "--dtype", precision)[1]
                ours.append(real / (self.embed(seqs, "--dtype", precision)[1] - few))
            for name, _, _ in ways:
                self.line(f"natural lengths, torch {name}", precision, "eager", theirs[name], ours)

    def training(self):
        length, n = 128, TOKENS // 128
        ids = torch.randint(5, 9, (n, length))
        pos = torch.arange(length)[None].expand_as(ids)
        at = torch.arange(TOKENS)[torch.arange(TOKENS) * 15 // 100 != (torch.arange(TOKENS) - 1) * 15 // 100]
        for precision in ("fp32", "bf16"):
            m = Encoder().train()
            for layer in m.layers:
                layer.p = 0.1
            peers, theirs, ours = list(self.peers(m)), {}, []
            steps = [(peer, self.step(model, precision, ids, pos, at)) for peer, model in peers]
            for _, step in steps:
                step()
            for _ in range(self.a.rounds):
                for peer, step in steps:
                    theirs.setdefault(peer, []).append(TOKENS / timed(step))
                ours.append(self.rill(precision, "training", length))
            for peer, rates in theirs.items():
                self.line("training step 128", precision, peer, rates, ours)

    @staticmethod
    def step(model, precision, ids, pos, at):
        """A function that does a training step."""
        opt = torch.optim.AdamW(model.parameters(), 1e-5, fused=True)

        def run():
            opt.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                x = model(ids, pos).reshape(TOKENS, H)[at]
                loss = F.cross_entropy(model.head(x).float(), ids.reshape(-1)[at])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            opt.step()
        return run


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("build", nargs="?", default=os.path.join(ROOT, "build"))
    p.add_argument("--threads", default="1")
    p.add_argument("--rounds", type=int, default=1)
    p.add_argument("--compile", action="store_true")
    p.add_argument("--lengths", help="FASTA of which 64 RNAs, taken at random, give the natural lengths")
    p.add_argument("--only", default="check,gemm,forward,lengths,training")
    a = p.parse_args()
    b = Bench(a)
    print(f"# torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
    print("case\tprecision\tthreads\ttorch\tunit\ttorch, a processor-s\trill, a processor-s\tratio", flush=True)
    for b.threads in map(int, a.threads.split(",")):
        torch.set_num_threads(b.threads)
        for case in a.only.split(","):
            if (case == "lengths" and not a.lengths) or (b.threads > 1 and case not in ("gemm", "forward")):
                continue
            getattr(b, case)()


if __name__ == "__main__":
    sys.exit(main())

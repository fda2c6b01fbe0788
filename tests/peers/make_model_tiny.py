#!/usr/bin/env python3
"""Makes formats/golden/model-tiny: a BERT of a few kB with random weights, and what transformers computes with it.

usage: make_model_tiny.py FOLDER      (needs torch and transformers; run from the repository root)

The model is a stock BertForPreTraining: GELU, an epsilon of 1e-5, a pooler, and a next-sentence head that rill ignores.
"""
import json
import os
import sys

import torch
import transformers

SEQS = [("short", "GC"), ("lower", "gcuaN"), ("stem", "GGCAUUCGUGCC")]


def main():
    folder = sys.argv[1]
    tokens = open("formats/vocab.txt").read().split()
    torch.manual_seed(1)
    config = transformers.BertConfig(vocab_size=len(tokens), hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=24, hidden_act="gelu", layer_norm_eps=1e-5, pad_token_id=0)
    model = transformers.BertForPreTraining(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.randn(p.shape) * 0.3 + (1 if "LayerNorm.weight" in name else 0))
    model.save_pretrained(folder)
    with open(os.path.join(folder, "vocab.txt"), "w") as f:
        f.write("".join(t + "\n" for t in tokens))
    with open(os.path.join(folder, "expected.jsonl"), "w") as f:
        for name, seq in SEQS:
            ids = [tokens.index("[CLS]")]
            ids += [tokens.index(c) if c in tokens else tokens.index("[UNK]") for c in seq.upper().replace("U", "T")]
            ids += [tokens.index("[SEP]")]
            with torch.no_grad():
                x = torch.tensor([ids])
                out = model.bert(x)
                hidden = out.last_hidden_state[0]
                logits = model.cls.predictions(out.last_hidden_state)[0]
            values = {"cls": hidden[0], "mean": hidden[1:-1].mean(0), "pooled": out.pooler_output[0],
                "last_hidden": hidden, "logits": logits}
            line = {"name": name, "seq": seq, "ids": ids}
            line.update({k: json.loads(json.dumps(v.tolist()), parse_float=lambda s: round(float(s), 6))
                for k, v in values.items()})
            f.write(json.dumps(line, separators=(",", ":")) + "\n")


main()

#!/usr/bin/env python3
"""Loads a model directory written by rill with transformers alone and compares its outputs with rill's.

usage: rna-embed -m MODEL --what cls,hidden,logits seqs.fa | rna-view -O json | transformers_load.py MODEL

Needs torch and transformers.  Prints the largest difference per field; exits 1 when transformers reports a missing,
unexpected or misshapen key, or when a difference is above 2e-5 of the largest value.
"""
import json
import sys

import torch
import transformers


def main():
    model, info = transformers.BertForMaskedLM.from_pretrained(sys.argv[1], output_loading_info=True)
    bad = {k: v for k, v in info.items() if v and not (k == "unexpected_keys" and all("pooler" in x for x in v))}
    print("loading:", bad or "no missing and no unexpected keys")
    model.eval()
    worst, n = {}, 0
    for line in sys.stdin:
        r = json.loads(line)
        with torch.no_grad():
            hidden = model.bert(torch.tensor([r["tokens"]])).last_hidden_state
            logits = model.cls(hidden)[0]
        for key, value in {"cls": hidden[0, 0], "hidden": hidden[0], "logits": logits}.items():
            if key in r:
                d = (torch.tensor(r[key], dtype=torch.float32).reshape(value.shape) - value).abs().max().item()
                worst[key] = max(worst.get(key, 0), d / max(1, value.abs().max().item()))
        n += 1
    print(n, "records, largest differences:", ", ".join(f"{k} {v:.2g}" for k, v in worst.items()))
    sys.exit(1 if bad or not worst or max(worst.values()) > 2e-5 else 0)


main()

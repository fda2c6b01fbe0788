#!/usr/bin/env python3
"""Loads a classifier written by rna-train class with transformers alone and compares its logits with rna-predict's.

usage: rna-predict -m MODEL seqs.fa | rna-view -O json | class_load.py MODEL

Needs torch and transformers.  The records must not be chunked.  Exits 1 when transformers reports a missing, unexpected
or misshapen key, when a difference is above 2e-5 of the largest logit, or when a call differs.
"""
import json
import sys

import torch
import transformers


def main():
    model, info = transformers.BertForSequenceClassification.from_pretrained(sys.argv[1], output_loading_info=True)
    bad = {k: v for k, v in info.items() if v}
    print("loading:", bad or "no missing and no unexpected keys")
    model.eval()
    worst, calls, n = 0, 0, 0
    for line in sys.stdin:
        r = json.loads(line)
        with torch.no_grad():
            logits = model(torch.tensor([r["tokens"]])).logits[0]
        d = (torch.tensor(r["logits"]) - logits).abs().max().item() / max(1, logits.abs().max().item())
        worst = max(worst, d)
        calls += model.config.id2label[int(logits.argmax())] != r["call"]
        worst = max(worst, (torch.tensor(r["prob"]) - logits.softmax(0)).abs().max().item())
        n += 1
    print(n, "records, largest difference:", f"{worst:.2g};", calls, "calls differ")
    sys.exit(1 if bad or not n or worst > 2e-5 or calls else 0)


main()

#!/usr/bin/env python3
"""Reads with numpy and safetensors what rna-view writes, and compares with its JSON.

usage: numpy_read.py STREAM      (rna-view in PATH; needs numpy and safetensors)

Every numeric field that all records have in one shape is compared as npy (from a file and from a pipe) and as a tensor;
fields of several shapes as tensors field.N.  Prints a line a field; exits 1 when a value, shape or name differs.
"""
import io
import json
import subprocess
import sys
import tempfile

import numpy as np
from safetensors.numpy import load_file


def view(*args):
    return subprocess.run(["rna-view", *args, sys.argv[1]], check=True, stdout=subprocess.PIPE).stdout


def main():
    rows = [json.loads(line) for line in view("-O", "json").splitlines()]
    with tempfile.TemporaryDirectory() as tmp:
        view("-O", "safetensors", "-o", tmp + "/x.safetensors")
        tensors = load_file(tmp + "/x.safetensors")
        seen, bad = set(), 0
        for field in rows[0]:
            if field in ("rid", "group"):
                want = [np.uint64(r[field]) for r in rows]
            elif isinstance(rows[0][field], str) or field in ("type", "types"):
                continue
            else:
                want = [np.array(r[field]) for r in rows]
            one = len({w.shape for w in want}) == 1
            if one:
                view("--npy", field, "-o", tmp + "/x.npy")
                pairs = [(np.load(tmp + "/x.npy"), np.stack(want)), (np.load(io.BytesIO(view("--npy", field))), np.stack(want)),
                    (tensors[field], np.stack(want))]
            else:
                pairs = [(tensors[f"{field}.{i}"], w) for i, w in enumerate(want)]
            same = all(a.shape == b.shape and np.allclose(a, b, rtol=1e-6, atol=0) for a, b in pairs)
            seen |= {field} if one else {f"{field}.{i}" for i in range(len(want))}
            bad += not same
            print(field, "x".join(map(str, pairs[0][0].shape)), pairs[0][0].dtype, "one array" if one else "one a record",
                "equal" if same else "DIFFERENT")
        extra = {k.split(".")[0] for k in tensors} - {k.split(".")[0] for k in seen} - {"type", "types"}
        if extra:
            print("tensors without a field:", sorted(extra))
        sys.exit(1 if bad or extra or not seen else 0)


main()

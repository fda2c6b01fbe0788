"""Files made right and files broken: rill's reader of safetensors and the Rust one behind Python take and refuse the same.

    safetensors_agree.py ACCEPTS N      ACCEPTS: build/tests/deep/accepts; N right files and N broken ones

Where they may differ: rill keeps to the format's text more closely.  Counted apart, and no failures, are files with a
tensor of a type that rill does not know, with an element count over 2^48, or with a name of more than 65535 bytes.
"""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors import safe_open

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}


def right(rng):
    header, at = {}, 0
    if rng.random() < 0.3:
        header["__metadata__"] = {"format": "pt", "k%d" % rng.randrange(9): "v\u00e9"}
    for i in range(rng.randrange(5)):
        dtype = rng.choice(list(BYTES))
        shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
        size = BYTES[dtype]
        for d in shape:
            size *= d
        header["t%d.%s" % (i, "w" * rng.randrange(4))] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8 if rng.random() < 0.5 else 0)
    return len(text).to_bytes(8, "little") + text + rng.randbytes(at)


def broken(rng):
    data = bytearray(right(rng))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del data[at:at + rng.randrange(1, 9)]
        elif kind == 2:
            data[at:at] = rng.choice([b"0", b"-", b"1", b'"', b"}", b"9" * 20, b"\x00", b" ", b",", b"1.0", b"null"])
        elif kind == 3:
            del data[at:]
        elif kind == 4:
            data += rng.randbytes(rng.randrange(1, 5))
        elif kind == 5 and len(data) > 16:
            n = int.from_bytes(data[:8], "little") + rng.randrange(-3, 4)
            data[:8] = max(n, 0).to_bytes(8, "little")
    return bytes(data)


def theirs(path):
    try:
        with safe_open(path, "np") as f:
            f.keys()
        return 1
    except Exception:
        return 0


def main():
    accepts, n = sys.argv[1], int(sys.argv[2])
    rng = random.Random(1)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i in range(2 * n):
            path = Path(folder) / ("%d.safetensors" % i)
            path.write_bytes(right(rng) if i < n else broken(rng))
            paths.append(str(path))
        ours = subprocess.run([accepts], input="\n".join(paths) + "\n", text=True, capture_output=True, check=True)
        kinds = {}
        for path, mine in zip(paths, ours.stdout.split()):
            their = theirs(path)
            if int(mine) != their:
                why = reason(Path(path).read_bytes(), their)
                kinds[why] = kinds.get(why, 0) + 1
                if why == "?":
                    failures += 1
                    if failures < 6:
                        print("rill %s, theirs %d: %r" % (mine, their, Path(path).read_bytes()[:300]))
        for why, k in sorted(kinds.items()):
            print("# differ, listed: %s: %d" % (why, k))
    print("%d cases, %d failures" % (2 * n, failures))
    return failures > 0


def reason(data, their):
    """Why rill is right to differ; "?" when it is not known to be."""
    n = int.from_bytes(data[:8], "little")
    text = data[8:8 + n]
    if not their:
        return "?"
    pairs = []

    def hook(items):
        keys = [k for k, _ in items]
        pairs.append(len(keys) != len(set(keys)))
        return dict(items)

    try:
        header = json.loads(text, object_pairs_hook=hook)
    except ValueError:
        return "?"
    if any(pairs):
        return "a key twice in one object"
    for name, t in header.items():
        if name != "__metadata__" and set(t) - {"dtype", "shape", "data_offsets"}:
            return "a key that the format does not have"
        if name != "__metadata__" and t["dtype"] not in BYTES and t["dtype"] not in ("U16", "U32", "U64"):
            return "a type that rill does not know"
    return "?"


sys.exit(main())

#!/usr/bin/env python3
"""Makes formats/golden-errors/model: safetensors and config.json files that lie, and the sentence that each must give.

usage: make_model_errors.py FOLDER      (run from the repository root; needs Python alone)

expected.tsv has a line per file: name, tab, sentence.  *.safetensors are read alone; *.json stand for the config.json of
formats/golden/model-tiny.
"""
import json
import os
import struct
import sys

F = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def tensor(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def pack(header, data=b"", size=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


D8, D16 = bytes(8), bytes(16)
FILES = {
    "empty": (b"", "not a safetensors file: 0 bytes"),
    "seven-bytes": (b"1234567", "not a safetensors file: 7 bytes"),
    "no-header": (bytes(8), "not a safetensors file: the header does not begin with {"),
    "header-past-end": (pack({"a": F}, b"", 1000), "truncated: a header of 1000 bytes in a file of 62"),
    "header-one-past-end": (pack(b"{}", b"", 3), "truncated: a header of 3 bytes in a file of 10"),
    "header-100000001": (pack(b"{}", b"", 100000001), "not a safetensors file: a header of 100000001 bytes"),
    "header-2-63": (pack(b"{}", b"", 1 << 63), "not a safetensors file: a header of 9223372036854775808 bytes"),
    "header-2-64": (pack(b"{}", b"", (1 << 64) - 1), "not a safetensors file: a header of 18446744073709551615 bytes"),
    "array": (pack(b"[1]"), "not a safetensors file: the header does not begin with {"),
    "leading-space": (pack(b" {}"), "not a safetensors file: the header does not begin with {"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "truncated: a header of 559903 bytes in a file of 23"),
    "not-json": (pack(b"{a}"), None),
    "cut-json": (pack(b'{"a":'), None),
    "trailing-text": (pack(b"{}x"), None),
    "not-utf8": (pack(b'{"\xff":1}'), None),
    "nul-in-name": (pack(b'{"a\\u0000b":1}'), None),
    "duplicate-name": (pack(b'{"a":' + json.dumps(F).encode() + b',"a":' + json.dumps(F).encode() + b"}", D8), None),
    "duplicate-key": (pack(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', D8), None),
    "deep": (pack(b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}"), None),
    "integer-2-64": (pack(b'{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}}', D8), None),
    "tensor-number": (pack({"a": 1}), "tensor a: no dtype"),
    "no-dtype": (pack({"a": {"shape": [2], "data_offsets": [0, 8]}}, D8), "tensor a: no dtype"),
    "dtype-number": (pack({"a": tensor(7)}, D8), "tensor a: no dtype"),
    "dtype-unknown": (pack({"a": tensor("F31")}, D8), "tensor a: unknown dtype F31"),
    "dtype-long": (pack({"a": tensor("F" * 1000)}, D8), "tensor a: unknown dtype FFFFFFFFFFFFFFFF"),
    "dtype-empty": (pack({"a": tensor("")}, D8), "tensor a: unknown dtype "),
    "no-shape": (pack({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, D8), "tensor a: no shape"),
    "shape-number": (pack({"a": {"dtype": "F32", "shape": 2, "data_offsets": [0, 8]}}, D8), "tensor a: no shape"),
    "shape-negative": (pack({"a": tensor(shape=[-2])}, D8), "tensor a: a dimension is not a whole number"),
    "shape-real": (pack({"a": tensor(shape=[2.0])}, D8), "tensor a: a dimension is not a whole number"),
    "shape-string": (pack({"a": tensor(shape=["2"])}, D8), "tensor a: a dimension is not a whole number"),
    "shape-33": (pack({"a": tensor(shape=[1] * 33)}, D8), "tensor a: 33 dimensions, at most 32 are read"),
    "shape-overflow": (pack({"a": tensor(shape=[1 << 32, 1 << 32])}, D8), "tensor a: shape overflows"),
    "shape-wraps": (pack({"a": tensor(shape=[(1 << 62) + 1, 4])}, D16), "tensor a: shape overflows"),
    "bytes-overflow": (pack({"a": tensor(shape=[1 << 62])}, D8), "tensor a: shape and data_offsets disagree"),
    "shape-too-small": (pack({"a": tensor(shape=[1])}, D8), "tensor a: shape and data_offsets disagree"),
    "shape-too-large": (pack({"a": tensor(shape=[3])}, D8), "tensor a: shape and data_offsets disagree"),
    "shape-zero": (pack({"a": tensor(shape=[0, 2])}, D8), "tensor a: shape and data_offsets disagree"),
    "scalar-too-large": (pack({"a": tensor(shape=[])}, D8), "tensor a: shape and data_offsets disagree"),
    "no-offsets": (pack({"a": {"dtype": "F32", "shape": [2]}}, D8), "tensor a: data_offsets are not two whole numbers"),
    "one-offset": (pack({"a": tensor(offsets=[0])}, D8), "tensor a: data_offsets are not two whole numbers"),
    "three-offsets": (pack({"a": tensor(offsets=[0, 8, 8])}, D8), "tensor a: data_offsets are not two whole numbers"),
    "offset-negative": (pack({"a": tensor(offsets=[-8, 0])}, D8), "tensor a: data_offsets are not two whole numbers"),
    "offset-real": (pack({"a": tensor(offsets=[0, 8.0])}, D8), "tensor a: data_offsets are not two whole numbers"),
    "offsets-crossed": (pack({"a": tensor(offsets=[8, 0])}, D8), "tensor a: data_offsets lie outside the file"),
    "offset-past-end": (pack({"a": tensor(shape=[4], offsets=[0, 16])}, D8), "tensor a: data_offsets lie outside the file"),
    "offset-huge": (pack({"a": tensor(offsets=[0, (1 << 63) - 1])}, D8), "tensor a: data_offsets lie outside the file"),
    "overlap": (pack({"a": tensor(), "b": tensor(offsets=[4, 12])}, bytes(12)), "tensor b overlaps tensor a"),
    "same-bytes": (pack({"a": tensor(), "b": tensor()}, D8), "tensor b overlaps tensor a"),
    "hole": (pack({"a": tensor(), "b": tensor(offsets=[12, 20])}, bytes(20)), "bytes before tensor b belong to no tensor"),
    "hole-at-start": (pack({"a": tensor(offsets=[4, 12])}, bytes(12)), "bytes before tensor a belong to no tensor"),
    "trailing-bytes": (pack({"a": tensor()}, bytes(9)), "1 bytes at the end belong to no tensor"),
    "cut-data": (pack({"a": tensor()}, bytes(7)), "tensor a: data_offsets lie outside the file"),
    "no-tensor-but-data": (pack({}, D8), "8 bytes at the end belong to no tensor"),
    "metadata-number": (pack({"__metadata__": {"a": 1}}), "__metadata__: a is not a string"),
    "metadata-list": (pack({"__metadata__": ["a"]}), "__metadata__ is not an object"),
}

BASE = json.load(open("formats/golden/model-tiny/config.json"))


def config(**change):
    c = {k: v for k, v in {**BASE, **change}.items() if v != "DROP"}
    return (json.dumps(c, indent=1) + "\n").encode()


CONFIGS = {
    "config-empty": (b"", None),
    "config-list": (b"[]\n", "not a JSON object"),
    "config-cut": (config()[:100], None),
    "config-duplicate": (b'{"hidden_size": 8, "hidden_size": 16}\n', None),
    "config-no-hidden": (config(hidden_size="DROP"), "hidden_size is missing"),
    "config-hidden-text": (config(hidden_size="8"), "hidden_size is not a whole number"),
    "config-hidden-real": (config(hidden_size=8.0), "hidden_size is not a whole number"),
    "config-hidden-zero": (config(hidden_size=0), "hidden_size is 0, it must be 1 to 65536"),
    "config-hidden-negative": (config(hidden_size=-8), "hidden_size is -8, it must be 1 to 65536"),
    "config-hidden-huge": (config(hidden_size=1 << 62), f"hidden_size is {1 << 62}, it must be 1 to 65536"),
    "config-hidden-other": (config(hidden_size=16, num_attention_heads=2), "tensor bert.embeddings.LayerNorm.bias is [8], config.json asks for [16]"),
    "config-heads": (config(num_attention_heads=3), "hidden_size 8 is not a multiple of num_attention_heads 3"),
    "config-heads-zero": (config(num_attention_heads=0), "num_attention_heads is 0, it must be 1 to 65536"),
    "config-layers-negative": (config(num_hidden_layers=-1), "num_hidden_layers is -1, it must be 1 to 1024"),
    "config-layers-huge": (config(num_hidden_layers=1 << 31), "num_hidden_layers is 2147483648, it must be 1 to 1024"),
    "config-layers-more": (config(num_hidden_layers=1024), "tensor bert.encoder.layer.10.attention.output.LayerNorm.bias is missing"),
    "config-layers-fewer": (config(num_hidden_layers=1), "tensor bert.encoder.layer.1.attention.output.LayerNorm.bias has no place in the model of config.json"),
    "config-ffn": (config(intermediate_size=17), "tensor bert.encoder.layer.0.intermediate.dense.bias is [16], config.json asks for [17]"),
    "config-ffn-huge": (config(intermediate_size=1 << 40), f"intermediate_size is {1 << 40}, it must be 1 to 1048576"),
    "config-positions": (config(max_position_embeddings=25), "tensor bert.embeddings.position_embeddings.weight is [24, 8], config.json asks for [25, 8]"),
    "config-positions-few": (config(max_position_embeddings=2), "max_position_embeddings is 2, it must be 5 to 16777216"),
    "config-vocab": (config(vocab_size=40), "vocab_size is 40, the vocabulary has 39 tokens"),
    "config-vocab-huge": (config(vocab_size=30522), "vocab_size is 30522, it must be 1 to 256"),
    "config-segments": (config(type_vocab_size=3), "type_vocab_size is 3, it must be 1 to 2"),
    "config-act": (config(hidden_act="silu"), "hidden_act is silu, only relu and gelu are known"),
    "config-act-number": (config(hidden_act=1), "hidden_act is not a string, only relu and gelu are known"),
    "config-eps": (config(layer_norm_eps=-1e-12), "layer_norm_eps is -1e-12, it must be 0 to 1"),
    "config-eps-text": (config(layer_norm_eps="small"), "layer_norm_eps is not a number"),
    "config-dropout": (config(hidden_dropout_prob=1.0), "hidden_dropout_prob is 1, it must be 0 to 0.99"),
    "config-position-type": (config(position_embedding_type="relative_key"), "position_embedding_type is relative_key, only absolute is known"),
    "config-decoder": (config(is_decoder=True), "is_decoder is true, only encoders are known"),
    "config-head": (config(lm_head=[]), "lm_head is not an object"),
    "config-head-linear": (config(lm_head={"transform": "linear"}), "lm_head.transform is linear, only nonlinear is known"),
    "config-rill": (config(rill=1), "rill is not an object"),
    "config-frame": (config(rill={"frame": "mask"}), "rill.frame is neither plain nor type"),
    "config-max": (config(rill={"max": 25}), "max is 25, it must be 5 to 24"),
    "config-digest": (config(rill={"vocab_digest": "0"}), "vocab.txt is not the vocabulary that the model was made with"),
    "config-escape": (config(hidden_act="\x1b[2J\n"), None),
}


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    lines = []
    for table, suffix in ((FILES, ".safetensors"), (CONFIGS, ".json")):
        for name, (data, sentence) in table.items():
            with open(os.path.join(folder, name + suffix), "wb") as f:
                f.write(data)
            lines.append(f"{name}{suffix}\t{sentence or '*'}\n")
    with open(os.path.join(folder, "expected.tsv"), "w") as f:
        f.write("".join(lines))


main()

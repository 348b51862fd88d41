"""Evaluates graphs in PyTorch: one message on standard input for each, one on standard output in answer.

A message is two little-endian 32-bit lengths, then so many bytes of JSON and of float64 elements. `python.ts` is the other side.
"""

import ctypes
import json
import struct
import sys

# What others print is not to get among the answers.
answers = sys.stdout.buffer
sys.stdout = sys.stderr


def answer(message, data=b""):
    text = json.dumps(message).encode()
    answers.write(struct.pack("<II", len(text), len(data)))
    answers.write(text)
    answers.write(data)
    answers.flush()


try:
    import torch
except ImportError as error:
    answer({"absent": str(error)})
    sys.exit(0)

from operators import DTYPES, OPERATORS, Unclear  # noqa: E402

torch.set_num_threads(1)


def read(n):
    data = sys.stdin.buffer.read(n)
    if len(data) < n:
        sys.exit(0)
    return data


def evaluate(message, elements):
    """`nodes` in their order, each with `op`, `attributes`, `inputs` (numbers of values), `types` of its results, and, where its
    elements are given, `from`, the first of them in `elements`; `learns` where its gradient is asked for."""
    values, leaves = [], []
    for node in message["nodes"]:
        kind, start = node["types"][0], node.get("from")
        if start is None:
            operands = [values[i] for i in node["inputs"]]
        else:
            size = 1
            for n in kind["shape"]:
                size *= n
            leaf = elements[start:start + size].reshape(kind["shape"]).to(DTYPES[kind["dtype"]])
            if node["learns"]:
                leaf = leaf.clone().requires_grad_()
                leaves.append(leaf)
            operands = [leaf]
        op = node["op"]
        found = operands[0] if op in ("input", "weight") else OPERATORS[op](node["attributes"], *operands)
        results = found if isinstance(found, tuple) else (found,)
        for result, wanted in zip(results, node["types"], strict=True):
            if list(result.shape) != wanted["shape"] or result.dtype != DTYPES[wanted["dtype"]]:
                raise TypeError(f"{op} is {result.dtype} {list(result.shape)}, and its type {wanted}")
        values.extend(results)
    results = [values[i] for i in message["outputs"]]
    if message["loss"] is not None and leaves:
        loss = values[message["loss"]]
        found = torch.autograd.grad(loss, leaves, allow_unused=True) if loss.requires_grad else [None] * len(leaves)
        results += [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found)]
    return results


def elements_of(tensor):
    # Without NumPy, which PyTorch does not need.
    whole = tensor.detach().to(torch.float64).contiguous()
    return ctypes.string_at(whole.data_ptr(), 8 * whole.numel())


answer({"version": torch.__version__, "operators": list(OPERATORS)})
while True:
    lengths = struct.unpack("<II", read(8))
    request = json.loads(read(lengths[0]))
    given = torch.frombuffer(bytearray(read(lengths[1]) or bytes(8)), dtype=torch.float64)
    try:
        tensors = evaluate(request, given)
    except Unclear as error:
        answer({"unclear": str(error)})
    except Exception as error:  # noqa: BLE001
        answer({"error": f"{type(error).__name__}: {error}"})
    else:
        answer({"shapes": [list(t.shape) for t in tensors]}, b"".join(map(elements_of, tensors)))

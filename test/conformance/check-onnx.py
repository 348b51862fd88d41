"""Checks emitted models with the reference tools: python3 check-onnx.py MODEL.onnx...

Needs the packages onnx and onnxruntime. For each file: onnx's checker with shape inference
(full_check), no value that nothing reads, and onnxruntime loads it. Exits with 1 when one fails.
"""

import collections
import sys

import onnx
import onnxruntime


def unread_values(graph):
    """Names of node results and initialisers that no node and no output reads."""
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    made = [(node.name, list(node.output)) for node in graph.node]
    dead = [name for name, outputs in made if not any(output in read for output in outputs)]
    return dead + [tensor.name for tensor in graph.initializer if tensor.name not in read]


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path, load_external_data=False)
    dead = unread_values(model.graph)
    if dead:
        raise ValueError(f"computed or stored, and never read: {', '.join(dead[:10])}")
    names = [node.name for node in model.graph.node]
    if len(set(names)) < len(names):
        raise ValueError("two nodes have one name")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 2
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    counts = collections.Counter(node.op_type for node in model.graph.node)
    common = ", ".join(f"{count} {op}" for op, count in counts.most_common(8))
    print(f"ok {path}: {len(model.graph.node)} nodes ({common}), {len(model.graph.initializer)} initialisers")


def main(paths):
    failed = 0
    for path in paths:
        try:
            check(path)
        except Exception as error:  # Whatever the tools refuse is a finding, and the next file is checked too.
            failed += 1
            print(f"FAILED {path}: {error}")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

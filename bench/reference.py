"""The alternatives to crobc: PyTorch with Hugging Face's backbones, eager and exported to ONNX.

    python bench/reference.py versions
    python bench/reference.py export CASE FOLDER       FOLDER/CASE.onnx and, under crob's names, CASE.safetensors
    python bench/reference.py eager CASE RUNS THREADS   seconds of each run
    python bench/reference.py matmul THREADS            GFLOP/s of a product of matrices

Each prints one JSON object. CASE is one of CASES; weights are random, and the same at every call.

    python bench/reference.py train CASE FOLDER THREADS

CASE is one of TRAINED. Loads FOLDER/weights.safetensors and FOLDER/batch.safetensors, prints {} when it is ready, then takes a
training step for every line that it reads and prints {"seconds", "loss"}.
"""

import json
import platform
import sys
import time
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "test/goldens"))
import published
import twin


class Maps(nn.Module):
    """Returns a backbone's feature maps as plain outputs."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone

    def forward(self, image):
        return tuple(self.backbone(image).feature_maps)


class Words(nn.Module):
    def __init__(self, text):
        super().__init__()
        self.text = text

    def forward(self, tokens, mask):
        return self.text(tokens, attention_mask=mask.long()).last_hidden_state


def swin_b():
    return published.swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 12, seed=1)


def full():
    model = twin.CroBIM(swin_b(), [128, 256, 512, 1024], published.bert(2), 768, 16, 256, 6, 8, 4, 1024, 32, twin.PAPER)
    return randomise_own(model)


def micro():
    return randomise_own(twin.micro())


def randomise_own(model):
    for seed, name in enumerate(["capm", "lgfa", "mid"], 3):
        published.randomise(getattr(model, name), seed)
    return model.eval(), {name: twin.joined(parts) for name, parts in twin.parameters(model).items()}


def maps(backbone, weights):
    return Maps(backbone).eval(), weights(backbone)


def words():
    text = published.bert(2)
    return Words(text).eval(), published.bert_weights(text)


MAPS = ["map0", "map1", "map2", "map3"]
# For each case: how to make the model and its weights under crob's names, its input sizes, and the names of its
# outputs.
CASES = {
    "swin-b": (lambda: maps(swin_b(), published.swin_weights), {"image": 480}, MAPS),
    "convnext-b": (lambda: maps(published.convnext([128, 256, 512, 1024], [3, 3, 27, 3], 1), published.convnext_weights), {"image": 480}, MAPS),
    "bert-base": (words, {"words": 20}, ["words"]),
    "crobim": (full, {"image": 480, "words": 20}, ["logits"]),
    "crobim-micro": (micro, {"image": 128, "words": 20}, ["logits"]),
}


def inputs(sizes):
    generator = torch.Generator().manual_seed(2410)
    found = {}
    if "image" in sizes:
        found["image"] = torch.randn(1, 3, sizes["image"], sizes["image"], generator=generator)
    if "words" in sizes:
        count = sizes["words"]
        found["mask"] = torch.arange(count)[None] < round(0.6 * count)
        found["tokens"] = torch.randint(1, 2000, (1, count), generator=generator) * found["mask"]
    return dict(sorted(found.items()))


def export(case, folder):
    from safetensors.torch import save_file

    make, sizes, outputs = CASES[case]
    model, weights = make()
    save_file({name: weight.contiguous() for name, weight in weights.items()}, Path(folder) / f"{case}.safetensors")
    given = inputs(sizes)
    start = time.perf_counter()
    program = torch.onnx.export(
        model, kwargs=given, input_names=list(given), output_names=outputs, dynamo=True, verbose=False
    )
    program.save(Path(folder) / f"{case}.onnx", external_data=True)
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "parameters": sum(weight.numel() for weight in weights.values()),
        "nodes": len(list(program.model.graph)),
        "opset": program.model.opset_imports[""],
    }


def eager(case, runs, threads):
    torch.set_num_threads(threads)
    make, sizes, _ = CASES[case]
    model, _ = make()
    given = inputs(sizes)
    model(**given)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        model(**given)
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds}


TRAINED = {"crobim-micro": twin.micro, "crobim-swin-t": lambda: twin.swin_t(rate=0.0)}


def train(case, folder, threads):
    from safetensors.torch import load_file

    torch.set_num_threads(threads)
    model = twin.load(TRAINED[case](), load_file(Path(folder) / "weights.safetensors")).train()
    batch = load_file(Path(folder) / "batch.safetensors")
    target = batch.pop("target")
    optimizer = twin.adamw(model, lr=1e-5, weight_decay=0.01, fused=True)
    print("{}", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = sum(twin.terms(model(**batch), target, **model.loss).values())
        loss.backward()
        optimizer.step()
        print(json.dumps({"loss": loss.item(), "seconds": time.perf_counter() - start}), flush=True)


def matmul(threads, size=2048):
    torch.set_num_threads(threads)
    a, seconds = torch.randn(size, size), []
    for _ in range(6):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds[1:]) / 1e9


def versions():
    import onnx
    import onnxscript
    import transformers

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "onnx": onnx.__version__,
        "onnxscript": onnxscript.__version__,
    }


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    if command == "train":
        train(rest[0], rest[1], int(rest[2]))
        sys.exit()
    # Exporters print to standard output as well; the result is the last line.
    with torch.no_grad():
        if command == "versions":
            result = versions()
        elif command == "export":
            result = export(*rest)
        elif command == "eager":
            result = eager(rest[0], int(rest[1]), int(rest[2]))
        elif command == "matmul":
            result = matmul(int(rest[0]))
        else:
            sys.exit(__doc__)
    print(json.dumps(result))

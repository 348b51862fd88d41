"""Compares crobc's ONNX with PyTorch at full size, with random weights.

Run by hand after `npm run build`: python test/goldens/compare-full.py [case ...]. For each case it writes the weights under
crob's names, builds with `crobc build --weights`, runs onnxruntime, and demands 1e-4 of the largest output.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from safetensors.torch import save_file

import published
import twin

ROOT = Path(__file__).parents[2]
# By the model's name; the others are those of Hugging Face.
SOURCES = {"CroBIM_micro": "models/crobim.crob", "CroBIM_SwinT": "models/sizes.crob"}


def images(sizes, run):
    for height, width in sizes:
        image = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(height))
        yield f"{height}x{width}", {"image": image}, {f"map{i}": m for i, m in enumerate(run(image).feature_maps)}


def swin(model_name, model, sizes):
    return model_name, published.swin_weights(model), images(sizes, model)


def convnext(model_name, model, sizes):
    return model_name, published.convnext_weights(model), images(sizes, model)


def words(model):
    generator = torch.Generator().manual_seed(20)
    tokens = torch.randint(1, 30522, (2, 20), generator=generator)
    mask = torch.arange(20)[None] < torch.tensor([[20], [7]])
    tokens = tokens * mask
    yield "2x20", {"tokens": tokens, "mask": mask}, {"words": model(tokens, attention_mask=mask.long()).last_hidden_state}


def pyramid(module):
    generator = torch.Generator().manual_seed(4)
    for h, w in [(15, 15), (13, 11)]:
        value = [torch.randn(1, h * 2**i, w * 2**i, 256, generator=generator) for i in (3, 2, 1, 0)]
        count = 85 * h * w
        query, ref = torch.randn(1, count, 256, generator=generator), torch.rand(count, 2, generator=generator)
        given = {"query": query, "ref": ref, **{f"value{i}": v for i, v in enumerate(value)}}
        yield f"{32 * h}x{32 * w}", given, {"y": published.run_deformable(module, query, ref, value)}


def deformable():
    module = published.deformable(256, 8, 4, 4, 15)
    return "DeformMaps", published.deformable_weights(module), pyramid(module)


def bert():
    model = published.bert(14)
    return "BertWords", published.bert_weights(model), words(model)


def referring(model, sizes):
    for seed, part in enumerate(["capm", "lgfa", "mid"], 15):
        published.randomise(getattr(model.eval(), part), seed)
    for height, width in sizes:
        generator = torch.Generator().manual_seed(height)
        mask = torch.arange(20)[None] < torch.tensor([[20], [7]])
        tokens = torch.randint(1, 2000, (2, 20), generator=generator) * mask
        given = {"image": torch.randn(2, 3, height, width, generator=generator), "tokens": tokens, "mask": mask}
        yield f"2x{height}x{width}", given, {"logits": model(**given)}


def crobim(name, model, sizes):
    runs = list(referring(model, sizes))
    return name, {name: twin.joined(parts) for name, parts in twin.parameters(model).items()}, runs


ANY = [(480, 480), (270, 333)]
WHOLE = [(480, 480), (416, 352)]
CASES = {
    "swin-t": lambda: swin("SwinTMaps", published.swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 7, 10), ANY),
    "swin-b": lambda: swin("SwinBMaps", published.swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 12, 11), ANY),
    "convnext-t": lambda: convnext("ConvNeXtTMaps", published.convnext([96, 192, 384, 768], [3, 3, 9, 3], 12), WHOLE),
    "convnext-b": lambda: convnext("ConvNeXtBMaps", published.convnext([128, 256, 512, 1024], [3, 3, 27, 3], 13), WHOLE),
    "bert-base": bert,
    "deformable": deformable,
    "crobim-micro": lambda: crobim("CroBIM_micro", twin.micro(), [(128, 128), (96, 160)]),
    "crobim-swin-t": lambda: crobim("CroBIM_SwinT", twin.swin_t(), [(224, 224)]),
}


def compare(case):
    name, weights, runs = CASES[case]()
    print(f"{case}: {sum(w.numel() for w in weights.values()):,} weights")
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.safetensors"
        save_file(weights, file)
        start = time.time()
        source = ROOT / SOURCES.get(name, "test/conformance/published.crob")
        command = ["node", str(ROOT / "dist/bin/crobc.cjs"), "build", str(source), "--model", name, "--weights", str(file), "-o", folder]
        subprocess.run(command, check=True)
        print(f"  built in {time.time() - start:.1f} s")
        session = onnxruntime.InferenceSession(next(Path(folder).rglob("*.onnx")))
        for size, given, expected in runs:
            feeds = {name: value.numpy() for name, value in given.items()}
            start = time.time()
            outputs = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
            took = time.time() - start
            for key, value in expected.items():
                wanted = value.numpy()
                error = np.abs(outputs[key] - wanted).max() / np.abs(wanted).max()
                worst = max(worst, error)
                print(f"  {size} {key} {list(wanted.shape)}: {error:.1e} of its largest")
            print(f"  {size} took {took:.2f} s")
    return worst < 1e-4


if __name__ == "__main__":
    with torch.no_grad():
        failed = [case for case in sys.argv[1:] or CASES if not compare(case)]
    sys.exit(f"off by more than 1e-4: {', '.join(failed)}" if failed else 0)

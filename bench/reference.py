"""What a user would pick instead of crobc: PyTorch with Hugging Face's backbones, eager and exported to ONNX.

    python bench/reference.py versions
    python bench/reference.py export CASE FOLDER       FOLDER/CASE.onnx and, under crob's names, CASE.safetensors
    python bench/reference.py eager CASE RUNS THREADS   seconds of each run

Each prints one JSON object. CASE is one of CASES; weights are random, and the same at every call.
"""

import json
import platform
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "test/goldens"))
import crobim
import published


class Maps(nn.Module):
    """A backbone's maps as plain outputs."""

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


class DeficitCompensation(crobim.DeficitCompensation):
    """The same for a whole batch at once, with gather and scatter, which can be exported."""

    def forward(self, v, s):
        b, _, h, w = v[3].shape
        u = []
        for a in s:
            a = F.interpolate(a[:, None], (h, w), mode="bilinear", align_corners=False)[:, 0].flatten(1)
            low, high = a.amin(1, keepdim=True), a.amax(1, keepdim=True)
            u.append((a - low) / (high - low + 1e-6))
        index = sum((u[i] - u[i + 1]).abs() for i in range(3)).topk(self.topk, 1).indices
        cells, places, old = [], [], []
        for x in v:
            p = x.shape[2] // h
            cell = x.reshape(b, -1, h, p, w, p).permute(0, 2, 4, 3, 5, 1).reshape(b, h * w, p * p, -1)
            place = index[:, :, None, None].expand(-1, -1, cell.shape[2], cell.shape[3])
            cells.append(cell)
            places.append(place)
            old.append(cell.gather(1, place))
        z = torch.cat([proj(o) for proj, o in zip(self.proj, old)], 2).flatten(0, 1)
        z = (z + self.attn(self.norm(z))).unflatten(0, (b, self.topk))
        out = []
        for x, cell, place, back, part in zip(v, cells, places, self.back, z.split([64, 16, 4, 1], 2)):
            p = x.shape[2] // h
            y = cell.scatter(1, place, back(part)).reshape(b, h, w, p, p, -1)
            out.append(y.permute(0, 5, 1, 3, 2, 4).reshape(x.shape))
        return out


class CroBIM(nn.Module):
    """The whole model, in the readings of crob's library."""

    def __init__(self, backbone, channels, text, width, topk, dim, layers, heads, hidden, groups):
        super().__init__()
        self.backbone = backbone
        self.text = text
        self.capm = crobim.CAPM(channels, width, 4)
        self.lgfa = crobim.LGFA(channels, width, topk, dim, heads)
        self.lgfa.compensation[0] = DeficitCompensation(channels, dim, topk, heads)
        self.mid = crobim.MID(channels, width, dim, layers, heads, 4, hidden, groups)

    def forward(self, image, tokens, mask):
        maps = self.backbone(image).feature_maps
        prompt = self.capm(maps)
        seen = torch.cat([mask, mask.new_ones(mask.shape[0], prompt.shape[1])], 1)
        embedded = torch.cat([self.text.embeddings(tokens), prompt], 1)
        words = self.text.encoder(embedded, attention_mask=seen[:, None, None]).last_hidden_state
        coarse = self.mid(self.lgfa(maps, words, seen), words, seen)
        return F.interpolate(coarse, image.shape[2:], mode="bilinear", align_corners=True)


def swin_b():
    return published.swin(128, [2, 2, 18, 2], [4, 8, 16, 32], 12, seed=1)


def full():
    model = CroBIM(swin_b(), [128, 256, 512, 1024], published.bert(2), 768, 16, 256, 6, 8, 1024, 32)
    return randomise_own(model, published.swin_weights)


def micro():
    backbone = published.swin(24, [1, 1, 2, 1], [2, 4, 8, 8], 4, seed=1)
    sizes = dict(vocab_size=2560, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256, max_position_embeddings=64)
    model = CroBIM(backbone, [24, 48, 96, 192], published.bert(2, **sizes), 64, 4, 64, 2, 4, 128, 8)
    return randomise_own(model, published.swin_weights)


def randomise_own(model, backbone_weights):
    own = {}
    for seed, name in enumerate(["capm", "lgfa", "mid"], 3):
        module = published.randomise(getattr(model, name), seed)
        own.update({f"{name}.{key}": weight for key, weight in module.state_dict().items()})
    return model.eval(), {**backbone_weights(model.backbone), **published.bert_weights(model.text), **own}


def maps(backbone, weights):
    return Maps(backbone).eval(), weights(backbone)


def words():
    text = published.bert(2)
    return Words(text).eval(), published.bert_weights(text)


MAPS = ["map0", "map1", "map2", "map3"]
# How to make the model and its weights under crob's names; its input sizes; the names of its outputs.
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
    # Exporters print; what is asked for is the last line.
    with torch.no_grad():
        if command == "versions":
            result = versions()
        elif command == "export":
            result = export(*rest)
        elif command == "eager":
            result = eager(rest[0], int(rest[1]), int(rest[2]))
        else:
            sys.exit(__doc__)
    print(json.dumps(result))

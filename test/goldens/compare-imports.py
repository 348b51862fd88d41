"""Imports checkpoints of published models, with random weights, and compares crobc's ONNX with PyTorch at full size.

Run by hand after `npm run build`: python test/goldens/compare-imports.py [case ...]. Each case writes a file as its authors publish it
(torch.save, in their names and nesting), runs `crobc weights import` and `crobc build --weights`, and demands 1e-4 of the
largest output. The cases of timm need timm.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForPreTraining, BertModel

import published

ROOT = Path(__file__).parents[2]
CROBC = ["node", str(ROOT / "dist/bin/crobc.cjs")]
MODELS = ROOT / "test/conformance/published.crob"
TINY, BASE = ([2, 2, 6, 2], [3, 6, 12, 24]), ([2, 2, 18, 2], [4, 8, 16, 32])
CHANNELS = {"t": ([96, 192, 384, 768], [3, 3, 9, 3]), "b": ([128, 256, 512, 1024], [3, 3, 27, 3])}
ARGS = argparse.Namespace(model="lavt", lr=5e-5, pretrained="swin.pth", img_size=480)
NORMS = "backbone.norms[*]"


def flat_norms(model):
    """A classifier has no output norms: those of the model are initial."""
    for norm in model.hidden_states_norms.values():
        torch.nn.init.ones_(norm.weight)
        torch.nn.init.zeros_(norm.bias)
    return model


def maps(model, sizes):
    for height, width in sizes:
        image = torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(height))
        yield f"{height}x{width}", {"image": image}, {f"map{i}": m for i, m in enumerate(model(image).feature_maps)}


def words(model):
    generator = torch.Generator().manual_seed(20)
    mask = torch.arange(20)[None] < torch.tensor([[20], [7]])
    tokens = torch.randint(1, 30522, (2, 20), generator=generator) * mask
    yield "2x20", {"tokens": tokens, "mask": mask}, {"words": model(tokens, attention_mask=mask.long()).last_hidden_state}


def without_norms(weights):
    return {name: value for name, value in weights.items() if not re.match(r"norm\d\.", name)}


def microsoft(model, window):
    """microsoft/Swin-Transformer: what a classifier has beside the blocks, and the buffers."""
    weights = without_norms(published.swin_weights(model, ""))
    for name in [name for name in weights if name.endswith("relative_position_bias_table")]:
        block = name.removesuffix("relative_position_bias_table")
        weights[block + "relative_position_index"] = torch.zeros(window**2, window**2, dtype=torch.int64)
        if ".blocks.1." in name:
            weights[block.removesuffix("attn.") + "attn_mask"] = torch.zeros(64, window**2, window**2)
    dim = 8 * model.config.embed_dim
    return weights | {"norm.weight": torch.ones(dim), "norm.bias": torch.zeros(dim), "head.weight": torch.ones(1000, dim), "head.bias": torch.zeros(1000)}


def resized(model, window, into):
    """The same model with another window; its tables are resized as microsoft/Swin-Transformer does when it loads."""
    weights = {}
    for name, value in model.state_dict().items():
        if name.endswith("relative_position_bias_table"):
            side, heads = 2 * window - 1, value.shape[1]
            square = value.permute(1, 0).view(1, heads, side, side)
            value = F.interpolate(square, size=(2 * into - 1,) * 2, mode="bicubic").view(heads, -1).permute(1, 0)
        if not name.endswith("relative_position_index"):
            weights[name] = value
    wider = published.swin(model.config.embed_dim, model.config.depths, model.config.num_heads, into, 0)
    wider.load_state_dict(weights, strict=False)
    return wider.eval()


def facebook(model):
    weights = without_norms(published.convnext_weights(model, ""))
    dim = model.config.hidden_sizes[-1]
    return weights | {"norm.weight": torch.ones(dim), "norm.bias": torch.zeros(dim), "head.weight": torch.ones(1000, dim), "head.bias": torch.zeros(1000)}


def timm_swin(weights):
    """timm since 0.9: merging begins a stage."""
    shift = lambda m: f"layers.{int(m[1]) + 1}.downsample"
    names = {name: re.sub(r"^layers\.(\d)\.downsample", shift, name).replace("head.", "head.fc.") for name in weights}
    return {names[name]: value for name, value in weights.items() if not name.endswith(("index", "attn_mask"))}


def timm_convnext(weights):
    rules = [
        (r"^head\.", "head.fc."),
        (r"^norm\.", "head.norm."),
        (r"^downsample_layers\.0\.", "stem."),
        (r"^downsample_layers\.(\d)\.", r"stages.\1.downsample."),
        (r"^stages\.(\d)\.(\d+)\.", r"stages.\1.blocks.\2."),
        (r"\.dwconv\.", ".conv_dw."),
        (r"\.pwconv(\d)\.", r".mlp.fc\1."),
    ]
    out = {}
    for name, value in weights.items():
        for pattern, into in rules:
            name = re.sub(pattern, into, name)
        out[name] = value
    return out


def as_timm(weights, name):
    """Compares the names and shapes with those of timm itself, where it is installed."""
    try:
        import timm
    except ImportError:
        print("  timm is not installed: its names are as documented")
        return weights
    theirs = {key: value.shape for key, value in timm.create_model(name).state_dict().items()}
    ours = {key: value.shape for key, value in weights.items()}
    missing, extra = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    wrong = [key for key in theirs.keys() & ours.keys() if theirs[key] != ours[key]]
    assert not missing and not extra and not wrong, (sorted(missing)[:5], sorted(extra)[:5], wrong[:5])
    return weights


def tensorflow_names(weights):
    """As the published files of BERT have them."""
    return {re.sub(r"LayerNorm\.(weight|bias)", lambda m: "LayerNorm." + {"weight": "gamma", "bias": "beta"}[m[1]], name): value for name, value in weights.items()}


def huggingface(model, prefix):
    keep = {name: value for name, value in model.state_dict().items() if not name.startswith("hidden_states_norms")}
    return {prefix + name.removeprefix(prefix): value for name, value in keep.items()}


def swin_case(size, window, seed):
    return flat_norms(published.swin({"t": 96, "b": 128}[size], *{"t": TINY, "b": BASE}[size], window, seed))


def convnext_case(size, seed):
    return flat_norms(published.convnext(*CHANNELS[size], seed))


def swin_t_hf():
    model = swin_case("t", 7, 10)
    return "SwinTMaps", [], "pytorch_model.bin", huggingface(model, "swin."), {}, maps(model, [(480, 480), (270, 333)])


def swin_t_timm():
    model = swin_case("t", 7, 11)
    weights = as_timm(timm_swin(microsoft(model, 7)), "swin_tiny_patch4_window7_224")
    return "SwinTMaps", [], "swin_tiny.pth", weights, {}, maps(model, [(224, 224)])


def swin_t_wider():
    model = swin_case("t", 7, 12)
    file = {"model": microsoft(model, 7), "args": ARGS}
    return "SwinTMaps", ["--set", "backbone=SwinT(window=12)"], "swin_tiny.pth", file, {}, maps(resized(model, 7, 12), [(480, 480)])


def swin_b_legacy():
    model = swin_case("b", 12, 13)
    file = {"model": {"module." + name: value for name, value in microsoft(model, 12).items()}, "args": ARGS, "epoch": np.int64(3)}
    return "SwinBMaps", [], "swin_base.pth", file, {"_use_new_zipfile_serialization": False}, maps(model, [(480, 480)])


def convnext_t_facebook():
    model = convnext_case("t", 14)
    return "ConvNeXtTMaps", [], "convnext_tiny.pth", {"model": facebook(model)}, {}, maps(model, [(480, 480), (416, 352)])


def convnext_t_timm():
    model = convnext_case("t", 15)
    weights = as_timm(timm_convnext(facebook(model)), "convnext_tiny")
    return "ConvNeXtTMaps", [], "convnext_tiny.bin", weights, {}, maps(model, [(224, 224)])


def convnext_b_hf():
    model = convnext_case("b", 16)
    return "ConvNeXtBMaps", [], "pytorch_model.bin", huggingface(model, "convnext."), {}, maps(model, [(480, 480)])


def bert_pretraining():
    whole = published.randomise(BertForPreTraining(BertConfig()), 17)
    return "BertWords", None, "pytorch_model.bin", tensorflow_names(whole.state_dict()), {}, words(whole.bert)


def bert_plain():
    model = published.randomise(BertModel(BertConfig()), 18)
    return "BertWords", None, "model.bin", model.state_dict(), {}, words(model)


CASES = {
    "swin-t-huggingface": swin_t_hf,
    "swin-t-timm": swin_t_timm,
    "swin-t-window-7-to-12": swin_t_wider,
    "swin-b-legacy": swin_b_legacy,
    "convnext-t-facebook": convnext_t_facebook,
    "convnext-t-timm": convnext_t_timm,
    "convnext-b-huggingface": convnext_b_hf,
    "bert-base-pretraining": bert_pretraining,
    "bert-base-without-prefix": bert_plain,
}


def compare(case):
    name, settings, file, contents, how, runs = CASES[case]()
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        path, weights = Path(folder) / file, Path(folder) / "weights.safetensors"
        torch.save(contents, path, **how)
        start = time.time()
        missing = [] if settings is None else ["--allow-missing", NORMS]
        run = subprocess.run(
            [*CROBC, "weights", "import", path, MODELS, "--model", name, *(settings or []), *missing, "-o", weights],
            capture_output=True, text=True,
        )
        if run.returncode != 0:
            print(f"{case}: {run.stderr}")
            return False
        print(f"{case}: {path.stat().st_size / 2**20:.0f} MiB imported in {time.time() - start:.1f} s")
        print(re.sub(r"(?m)^", "  ", run.stdout.replace(folder + "/", "").rstrip()))
        if missing:
            # As `init ... except` leaves them.
            dim = {"T": 96, "B": 128}[name.removesuffix("Maps")[-1]]
            norms = {f"backbone.norm{i}.{end}": fill(dim * 2**i) for i in range(4) for end, fill in [("weight", torch.ones), ("bias", torch.zeros)]}
            save_file(load_file(weights) | norms, weights)
        subprocess.run([*CROBC, "build", MODELS, "--model", name, *(settings or []), "--weights", weights, "-o", folder], check=True, stdout=subprocess.DEVNULL)
        session = onnxruntime.InferenceSession(next(Path(folder).rglob("*.onnx")))
        for size, given, expected in runs:
            outputs = dict(zip([o.name for o in session.get_outputs()], session.run(None, {key: value.numpy() for key, value in given.items()})))
            for key, value in expected.items():
                wanted = value.numpy()
                error = np.abs(outputs[key] - wanted).max() / np.abs(wanted).max()
                worst = max(worst, error)
                print(f"  {size} {key} {list(wanted.shape)}: {error:.1e} of its largest")
    return worst < 1e-4


if __name__ == "__main__":
    with torch.no_grad():
        failed = [case for case in sys.argv[1:] or CASES if not compare(case)]
    sys.exit(f"off by more than 1e-4: {', '.join(failed)}" if failed else 0)

"""Writes the goldens of other readings than the defaults; as make-goldens.py, for the models of readings.crob.

Run by hand: python test/goldens/make-readings.py.
"""

import torch

import published
import readings
from case import under, write

draw = torch.Generator().manual_seed(1008)


def normal(*shape):
    return torch.randn(*shape, generator=draw)


def named(name, maps):
    return {f"{name}{i}": m for i, m in enumerate(maps)}


with torch.no_grad():
    model = readings.masked_swin(published.swin(4, [2, 1, 1, 1], [1, 2, 2, 4], 4, seed=1))
    image = normal(2, 3, 50, 38)
    write("swin_masked", published.swin_weights(model), {"image": image, **named("map_", model(image).feature_maps)})

    x, words = normal(2, 15, 8), normal(2, 6, 12)
    mask = torch.arange(6)[None] < torch.tensor([[6], [4]])
    given = {"x": x, "words": words, "mask": mask}

    for case, gate, plain in [("words_lavt", readings.TanhGate(8), False), ("words_plain", readings.Ungated(8, 8), True)]:
        module = published.randomise(readings.PixelWords(8, 12, 2, gate, plain), 2)
        weights = {name.replace(".gated", ""): weight for name, weight in under("stage.", module).items()}
        y, score = module(x, words, mask)
        write(case, weights, {**given, "y": y, "score": score})

    module = published.randomise(readings.ChannelWords(8, 12, 6), 3)
    weights = {name: weight.squeeze(2) if weight.ndim == 3 else weight for name, weight in under("stage.", module).items()}
    y, score = module(x, words)
    write("words_literal", weights, {**given, "y": y, "score": score})

    channels = [2, 3, 4, 5]
    maps = [normal(2, c, 4 * 2 ** (3 - i), 6 * 2 ** (3 - i)) for i, c in enumerate(channels)]
    scores = [normal(2, *m.shape[2:]) for m in maps]
    given = {**named("map", maps), **named("score", scores)}

    vectors = readings.RegionVectors(channels, 4, 2)
    attention = readings.RegionAttention(channels[1::2], [16, 1], 4, 2)
    for case, module in [
        ("compensation_literal", readings.DeficitCompensation(vectors, [1, 2, 3, 4], topk=2, region=2, mode="area")),
        ("compensation_across", readings.DeficitCompensation(attention, [2, 4], topk=3, region=1, mode="nearest")),
    ]:
        published.randomise(module, 4)
        write(case, under("compensation.", module.exchange), {**given, **named("refined_", module(maps, scores))})

    channels = [4, 8, 12, 16]
    maps = [normal(2, c, 2 * 2 ** (3 - i), 3 * 2 ** (3 - i)) for i, c in enumerate(channels)]
    given = named("map", maps)

    module = published.randomise(readings.CAPM(channels[1:], 12, 4, size=2, heads=3), 5)
    write("capm_literal", under("capm.", module), {**given, "prompt": module(maps[1:])})

    given = {**given, "words": words, "mask": mask}
    sizes = dict(text_dim=12, dim=16, heads=2, points=2, hidden=24, groups=4)
    module = published.randomise(readings.MID(channels[1:], width=32, layers=2, plain=False, **sizes), 6)
    write("mid_caris", under("mid.", module), {**given, "coarse": module(maps[1:], words, mask)})

    module = published.randomise(readings.MID(channels, width=16, layers=1, plain=True, **sizes), 7)
    write("mid_plain", under("mid.", module), {**given, "coarse": module(maps, words, mask)})

    logits, target = normal(3, 1, 5, 4), (normal(3, 1, 5, 4) > 0).float()
    losses = {f"dice{i}": readings.dice(logits, target, squared, total) for i, (squared, total) in enumerate([(False, True), (True, False)])}
    write("losses", {}, {"logits": logits, "target": target, **losses})

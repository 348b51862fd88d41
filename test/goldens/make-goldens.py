"""Writes the goldens: for each case, random weights under crob's names and inputs with the outputs that PyTorch gives.

Run by hand: python test/goldens/make-goldens.py. `<case>.crob` is the model, `<case>.weights.safetensors` what
`--weights` reads, `<case>.io.safetensors` its inputs and outputs by name.
"""

import torch

import crobim
import published
from case import under, write

draw = torch.Generator().manual_seed(2410)


def normal(*shape):
    return torch.randn(*shape, generator=draw)


with torch.no_grad():
    model = published.swin(4, [2, 2, 2, 2], [1, 2, 2, 4], 4, seed=1)
    image = normal(2, 3, 50, 38)
    maps = model(image).feature_maps
    write("swin", published.swin_weights(model), {"image": image, **{f"map{i}": m for i, m in enumerate(maps)}})

    model = published.convnext([4, 8, 12, 16], [1, 1, 2, 1], seed=2)
    image = normal(2, 3, 64, 32)
    maps = model(image).feature_maps
    write("convnext", published.convnext_weights(model), {"image": image, **{f"map{i}": m for i, m in enumerate(maps)}})

    model = published.bert(
        seed=3, vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=24
    )
    tokens = torch.randint(1, 40, (2, 9), generator=draw)
    mask = torch.arange(9)[None] < torch.tensor([[9], [5]])
    tokens = tokens * mask
    words = model(tokens, attention_mask=mask.long()).last_hidden_state
    write("bert", published.bert_weights(model), {"tokens": tokens, "mask": mask, "words": words})

    module = published.deformable(16, 2, 3, 2, seed=4)
    value = [normal(2, h, w, 16) for h, w in [(6, 5), (3, 3), (2, 2)]]
    query, ref = normal(2, 7, 16), torch.rand(7, 2, generator=draw)
    write(
        "deformable",
        published.deformable_weights(module),
        {"query": query, "ref": ref, **{f"value{i}": v for i, v in enumerate(value)}, "y": published.run_deformable(module, query, ref, value)},
    )

    channels, h, w = [4, 8, 12, 16], 2, 3
    maps = [normal(2, c, h * 2 ** (3 - i), w * 2 ** (3 - i)) for i, c in enumerate(channels)]
    words = normal(2, 6, 12)
    mask = torch.arange(6)[None] < torch.tensor([[6], [4]])
    given = {f"map{i}": m for i, m in enumerate(maps)}

    module = published.randomise(crobim.CAPM(channels, 12, 4), 5)
    write("capm", under("capm.", module), {**given, "prompt": module(maps)})

    module = published.randomise(crobim.LGFA(channels, 12, topk=2, dim=8, heads=2), 6)
    refined = module(maps, words, mask)
    write("lgfa", under("lgfa.", module), {**given, "words": words, "mask": mask, **{f"refined{i}": m for i, m in enumerate(refined)}})

    module = published.randomise(crobim.MID(channels, 12, dim=16, layers=2, heads=2, points=2, hidden=24, groups=4), 7)
    write("mid", under("mid.", module), {**given, "words": words, "mask": mask, "coarse": module(maps, words, mask)})

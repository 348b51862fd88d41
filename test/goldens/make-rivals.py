"""Writes the goldens of rivals: as make-goldens.py, for the models of rivals.crob.

Run by hand: python test/goldens/make-rivals.py.
"""

import torch

import published
import rivals
from case import under, write

draw = torch.Generator().manual_seed(2312)


def normal(*shape):
    return torch.randn(*shape, generator=draw)


def encoders(window=4):
    """A backbone of 4 to 32 channels, and a text encoder of width 16."""
    swin = published.swin(4, [1, 2, 1, 1], [1, 2, 2, 4], window, seed=1)
    bert = published.bert(
        seed=2, vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, max_position_embeddings=24
    )
    return swin, bert


def inputs(height, width):
    tokens = torch.randint(1, 40, (2, 6), generator=draw)
    mask = torch.arange(6)[None] < torch.tensor([[6], [4]])
    return {"image": normal(2, 3, height, width), "tokens": tokens * mask, "mask": mask}


def randomised(module, seed):
    """Variances of batch norms are positive. Encoders of Hugging Face keep their weights."""
    encoders = [part for part in (getattr(module, name, None) for name in ("swin", "bert", "text")) if part is not None]
    state = {part: {n: w.clone() for n, w in part.state_dict().items()} for part in encoders}
    published.randomise(module, seed)
    for part, saved in state.items():
        part.load_state_dict(saved)
    with torch.no_grad():
        for name, value in module.named_buffers():
            if name.endswith("running_var"):
                value.copy_(1 + 4 * value.abs())
    return module


def weights_of(module):
    if hasattr(module, "text"):
        own = {n: w for n, w in module.state_dict().items() if not n.startswith("text.") and w.is_floating_point()}
        return {**published.clip_text_weights(module.text), "text.text_projection": own.pop("project"), **own}
    own = {n: w for n, w in module.state_dict().items() if not n.startswith(("swin.", "bert.")) and w.is_floating_point()}
    renamed = {n.replace("stages.", "backbone.layers.").replace("cim.", "backbone.cim."): w for n, w in own.items()}
    return {n: w.clone() for n, w in {**published.swin_weights(module.swin), **published.bert_weights(module.bert), **renamed}.items()}


def golden(case, module, given):
    weights = weights_of(module)
    image, *words = given.values()
    # In float64, as norms over few pixels amplify rounding.
    write(case, weights, {**given, "logits": module.double()(image.double(), *words).float()})


channels = [4, 8, 16, 32]

with torch.no_grad():
    golden("lavt", randomised(rivals.LAVT(*encoders(), channels, 16), 3), inputs(64, 96))
    golden("rmsin", randomised(rivals.RMSIN(*encoders(), channels, 16, side=3, heads=2, key=4), 4), inputs(96, 96))

    deformable = lambda: published.deformable(16, 2, 3, 2, seed=5)
    module = rivals.CARIS(*encoders(), channels, 16, 16, 2, 2, 24, 4, deformable, published.run_deformable)
    golden("caris", randomised(module, 6), inputs(64, 96))

    text = published.clip_text(
        seed=7, vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_position_embeddings=24
    )
    module = rivals.CRIS(text, width=4, depths=[1, 2, 1, 1], side=3, pool_heads=2, outputs=12, layers=2, heads=2, hidden=24)
    golden("cris", randomised(module, 8), inputs(64, 96))

"""CroBIM in PyTorch as a user would write it, with its losses and optimizer: what crobc's training is held against.

Backbone and BERT are Hugging Face's, the rest is crobim.py's. A twin computes in the dtype that is PyTorch's default when it
is made: `torch.set_default_dtype(torch.float64)` first, for goldens.
"""

import torch
import torch.nn.functional as F
from torch import nn

import crobim
import published


class DeficitCompensation(crobim.DeficitCompensation):
    """The same for a whole batch at once, with gather and scatter, which can be exported."""

    def scores(self, v, s):
        """How much the stages disagree about each cell of the coarsest map, whose best `topk` are compensated."""
        u = []
        for a in s:
            a = F.interpolate(a[:, None], v[3].shape[2:], mode="bilinear", align_corners=False)[:, 0].flatten(1)
            low, high = a.amin(1, keepdim=True), a.amax(1, keepdim=True)
            u.append((a - low) / (high - low + 1e-6))
        return sum((u[i] - u[i + 1]).abs() for i in range(3))

    def forward(self, v, s):
        b, _, h, w = v[3].shape
        index = self.scores(v, s).topk(self.topk, 1).indices
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

    def __init__(self, backbone, channels, text, width, topk, dim, layers, heads, points, hidden, groups, loss):
        super().__init__()
        self.backbone = backbone
        self.text = text
        self.capm = crobim.CAPM(channels, width, 4)
        self.lgfa = crobim.LGFA(channels, width, topk, dim, heads)
        self.lgfa.compensation[0] = DeficitCompensation(channels, dim, topk, heads)
        self.mid = crobim.MID(channels, width, dim, layers, heads, points, hidden, groups)
        self.loss = loss

    def forward(self, image, tokens, mask):
        maps = self.backbone(image).feature_maps
        prompt = self.capm(maps)
        seen = torch.cat([mask, mask.new_ones(mask.shape[0], prompt.shape[1])], 1)
        embedded = torch.cat([self.text.embeddings(tokens), prompt], 1)
        words = self.text.encoder(embedded, attention_mask=seen[:, None, None]).last_hidden_state
        coarse = self.mid(self.lgfa(maps, words, seen), words, seen)
        return F.interpolate(coarse, image.shape[2:], mode="bilinear", align_corners=True)


def micro(topk=4):
    backbone = published.swin(24, [1, 1, 2, 1], [2, 4, 8, 8], 4, seed=1)
    sizes = dict(vocab_size=2560, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256, max_position_embeddings=64)
    text = published.bert(2, **sizes, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return CroBIM(backbone, [24, 48, 96, 192], text, 64, topk, 64, 2, 4, 2, 128, 8, MICRO)


def swin_t(rate=1.0):
    """CroBIM_SwinT; `rate` of its dropout and drop path."""
    backbone = published.swin(96, [2, 2, 6, 2], [3, 6, 12, 24], 7, seed=1, drop_path=0.2 * rate)
    sizes = dict(hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024)
    text = published.bert(2, **sizes, hidden_dropout_prob=0.1 * rate, attention_probs_dropout_prob=0.1 * rate)
    return CroBIM(backbone, [96, 192, 384, 768], text, 256, 16, 256, 6, 8, 4, 1024, 32, PAPER)


def parameters(model):
    """crob's weights by name, each a list of parameters, which it holds behind each other along axis 0."""
    named = {"text." + name: [p] for name, p in model.text.named_parameters()}
    for part in ["capm", "lgfa", "mid"]:
        named.update({f"{part}.{name}": [p] for name, p in getattr(model, part).named_parameters()})
    return {**published.swin_parts(model.backbone.named_parameters()), **named}


def joined(parts):
    """A weight of crob's from what it is in PyTorch, such as gradients; None where there are none."""
    return None if parts[0] is None else torch.cat([part.detach() for part in parts])


def load(model, weights):
    """Weights by crob's names, all of them and no others."""
    named = parameters(model)
    if set(named) != set(weights):
        raise ValueError(f"names differ: {sorted(set(named) ^ set(weights))[:10]}")
    with torch.no_grad():
        for name, parts in named.items():
            value = weights[name]
            if value.shape[0] != sum(len(p) for p in parts) or value.shape[1:] != parts[0].shape[1:]:
                raise ValueError(f"{name}: {list(value.shape)} does not fit")
            for part, piece in zip(parts, value.split([len(p) for p in parts])):
                part.copy_(piece)
    return model


PAPER = dict(factors=(0.9, 0.1), weight=(0.9, 1.1), both=True)
MICRO = dict(factors=(1.0, 0.5), weight=(1.0, 2.0), both=False)


def terms(logits, target, factors, weight, both):
    """A recipe's: cross-entropy over two classes, of which the logit is the difference, and dice over both or the second."""
    pixels = torch.stack([torch.zeros_like(logits), logits], 1)[:, :, 0]
    weight = torch.tensor(weight, dtype=logits.dtype)
    ce = F.cross_entropy(pixels, target[:, 0].long(), weight=weight)
    p, t = torch.softmax(pixels, 1).transpose(0, 1).flatten(1), torch.stack([1 - target, target]).flatten(1)
    dice = 1 - (2 * (p * t).sum(1) + 1e-6) / (p.sum(1) + t.sum(1) + 1e-6)
    return {"ce": factors[0] * ce, "dice": factors[1] * (dice.sum() if both else dice[1])}


def adamw(model, lr, weight_decay, **options):
    """AdamW that spares what crob marks @no_decay: biases, norms, tables of relative positions, prompts, levels."""
    spared, decayed = [], []
    for name, parts in parameters(model).items():
        table = name.endswith("relative_position_bias_table") or name in ("capm.prompt", "mid.level")
        (spared if table or parts[0].ndim == 1 else decayed).extend(parts)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=lr, **options)

"""Other readings of CroBIM's parts than crobim.py's, written the plain way: the paper's letter, and what LAVT, CARIS and RMSIN do."""

import torch
import torch.nn.functional as F
from torch import nn

import crobim
from published import DeformableDetrConfig, DeformableDetrMultiscaleDeformableAttention, run_deformable


def masked_swin(backbone):
    """The backbone with places that windows were filled up with masked, and without norms of its outputs."""
    for stage in backbone.swin.encoder.layers:
        for block in stage.blocks:
            mask_filled_up(block)
    for name in backbone.hidden_states_norms:
        backbone.hidden_states_norms[name] = nn.Identity()
    return backbone


def mask_filled_up(block):
    published = block.get_attn_mask
    forward = block.forward
    size = []

    def remembering(hidden, dimensions, *rest, **named):
        size[:] = dimensions
        return forward(hidden, dimensions, *rest, **named)

    def masking(height, width, dtype, device):
        w, shift = block.window_size, block.shift_size
        outside = torch.ones(1, height, width, dtype=torch.bool)
        outside[:, : size[0], : size[1]] = False
        outside = outside.roll((-shift, -shift), (1, 2))
        part = outside.reshape(1, height // w, w, width // w, w).transpose(2, 3).reshape(-1, w * w)
        mask = torch.where(part[:, :, None] == part[:, None, :], 0.0, -100.0).to(dtype)
        shifted = published(height, width, dtype, device)
        return mask if shifted is None else mask + shifted

    block.forward = remembering
    block.get_attn_mask = masking


class TanhGate(nn.Module):
    """LAVT's product with the map and its language gate."""

    def __init__(self, channels):
        super().__init__()
        self.vis_project = nn.Linear(channels, channels)
        self.project_mm = nn.Linear(channels, channels)
        linear = lambda: nn.Linear(channels, channels, bias=False)
        self.res_gate = nn.Sequential(linear(), nn.ReLU(), linear(), nn.Tanh())

    def forward(self, read, x):
        r = F.gelu(self.project_mm(F.gelu(self.vis_project(x)) * read))
        return x + self.res_gate(r) * r


class Ungated(nn.Module):
    def __init__(self, inputs, channels):
        super().__init__()
        self.out = nn.Linear(inputs, channels)

    def forward(self, read, x):
        return self.out(read) * x


class PixelWords(nn.Module):
    """LAVT's pixel-word attention with several heads; without norms, scaled by the words and unmasked when `plain`."""

    def __init__(self, channels, text_dim, heads, gate, plain):
        super().__init__()
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(text_dim, channels)
        self.value = nn.Linear(text_dim, channels)
        self.project = nn.ModuleList([nn.Linear(channels, channels)])
        self.gated = gate
        self.heads, self.plain = heads, plain

    def forward(self, x, words, mask):
        norm = (lambda t: t) if self.plain else lambda t: F.instance_norm(t.transpose(1, 2)).transpose(1, 2)
        split = lambda t: t.unflatten(2, (self.heads, -1)).transpose(1, 2)
        q, k, v = split(norm(self.query(x))), split(self.key(words)), split(self.value(words))
        s = q @ k.transpose(2, 3) * (words.shape[1] if self.plain else x.shape[2]) ** -0.5
        if not self.plain:
            s = s.masked_fill(~mask[:, None, None], float("-inf"))
        a = torch.softmax(s, -1)
        read = norm(self.project[0]((a @ v).transpose(1, 2).flatten(2)))
        score = (s if self.plain else a).amax(-1).sum(1)
        return self.gated(read, x), score


class ChannelWords(nn.Module):
    """Eqs. 3 to 7 by the letter."""

    def __init__(self, channels, text_dim, length):
        super().__init__()
        self.query = nn.Conv1d(channels, length, 1)
        self.key = nn.Linear(text_dim, text_dim)
        self.value = nn.Linear(text_dim, text_dim)
        self.gate = nn.Conv1d(length, channels, 1)
        self.out = nn.Conv1d(channels, channels, 1)

    def forward(self, x, words):
        v = x.transpose(1, 2)
        s = self.query(v).transpose(1, 2) @ self.key(words) / words.shape[1] ** 0.5
        att = F.gelu(self.gate((torch.softmax(s, -1) @ self.value(words).transpose(1, 2)).transpose(1, 2)))
        return (self.out(att) * v).transpose(1, 2), s.mean(-1)


def parts_of(module, width, heads):
    module.norm = nn.LayerNorm(width)
    module.attn = crobim.SelfAttention(width, heads)


class RegionVectors(nn.Module):
    """Eqs. 11 to 13 by the letter, of one image: patches [K, pixels, channels]."""

    def __init__(self, channels, dim, heads):
        super().__init__()
        self.proj = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.back = nn.ModuleList(nn.Linear(dim, c) for c in channels)
        parts_of(self, dim * len(channels), heads)

    def forward(self, patches):
        z = torch.cat([proj(p.mean(1)) for proj, p in zip(self.proj, patches)], 1)[None]
        z = (z + self.attn(self.norm(z)))[0].chunk(len(patches), 1)
        return [back(part)[:, None].expand_as(p) for back, part, p in zip(self.back, z, patches)]


class RegionAttention(nn.Module):
    """Tokens of all regions of an image attend to each other, with learned positions."""

    def __init__(self, channels, sizes, dim, heads):
        super().__init__()
        self.proj = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.back = nn.ModuleList(nn.Linear(dim, c) for c in channels)
        self.position = nn.Parameter(torch.zeros(sum(sizes), dim))
        parts_of(self, dim, heads)

    def forward(self, patches):
        z = torch.cat([proj(p) for proj, p in zip(self.proj, patches)], 1) + self.position
        z = z.flatten(0, 1)[None]
        z = (z + self.attn(self.norm(z)))[0].unflatten(0, (patches[0].shape[0], -1))
        return [back(part) for back, part in zip(self.back, z.split([p.shape[1] for p in patches], 1))]


class DeficitCompensation(nn.Module):
    """Score maps come to the coarsest by `mode`, unstretched; regions are of region² cells; what comes of them is added."""

    def __init__(self, exchange, stages, topk, region, mode):
        super().__init__()
        self.exchange, self.on, self.topk, self.region, self.mode = exchange, [s - 1 for s in stages], topk, region, mode

    def forward(self, v, s):
        b, _, h, w = v[3].shape
        u = [F.interpolate(a[:, None], (h, w), mode=self.mode) for a in s]
        deficit = F.avg_pool2d(sum((u[i] - u[i + 1]).abs() for i in range(3)), self.region)
        index = deficit.flatten(1).topk(self.topk, 1).indices
        out = [x.clone() for x in v]
        sides = [self.region * 2 ** (3 - i) for i in self.on]
        for n in range(b):
            places = [divmod(cell, w // self.region) for cell in index[n].tolist()]
            areas = [[(slice(y * p, y * p + p), slice(x * p, x * p + p)) for y, x in places] for p in sides]
            patches = [torch.stack([v[i][n][:, r, c].flatten(1).T for r, c in area]) for i, area in zip(self.on, areas)]
            for i, p, area, change in zip(self.on, sides, areas, self.exchange(patches)):
                for (r, c), patch in zip(area, change):
                    out[i][n][:, r, c] += patch.T.reshape(-1, p, p)
        return out


class CAPM(nn.Module):
    """Eq. 1 by the letter, channels joined, of the last three maps; CARIS's LayerNorm(P + P_v), and scaled heads."""

    def __init__(self, channels, dim, prompts, size, heads):
        super().__init__()
        self.prompt = nn.Parameter(torch.zeros(prompts, dim))
        self.query = nn.Linear(dim, dim)
        self.key = nn.ModuleList([nn.Linear(sum(channels), dim)])
        self.value = nn.ModuleList([nn.Linear(sum(channels), dim)])
        self.norm = nn.ModuleList([nn.LayerNorm(dim)])
        self.size, self.heads = size, heads

    def forward(self, maps):
        v = torch.cat([F.adaptive_avg_pool2d(x, self.size) for x in maps], 1).flatten(2).transpose(1, 2)
        split = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
        q, k, v = split(self.query(self.prompt)), split(self.key[0](v)), split(self.value[0](v))
        y = torch.softmax(q @ k.transpose(2, 3) * q.shape[-1] ** -0.5, -1) @ v
        return self.norm[0](self.prompt + y.transpose(1, 2).flatten(2))


class WideAttention(crobim.CrossAttention):
    def __init__(self, dim, width, heads, key_bias=True):
        nn.Module.__init__(self)
        self.heads = heads
        self.q_proj = nn.Linear(dim, width)
        self.k_proj = nn.Linear(dim, width, bias=key_bias)
        self.v_proj = nn.Linear(dim, width)
        self.out_proj = nn.Linear(width, dim)


class WideSelfAttention(nn.Module):
    def __init__(self, dim, width, heads):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * width)
        self.proj = nn.Linear(width, dim)
        self.heads = heads

    def forward(self, x, mask):
        split = lambda t: t.unflatten(2, (self.heads, -1)).transpose(1, 2)
        q, k, v = map(split, self.qkv(x).chunk(3, 2))
        s = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5).masked_fill(~mask[:, None, None], float("-inf"))
        return self.proj((torch.softmax(s, -1) @ v).transpose(1, 2).flatten(2))


class EachLevelAttention(DeformableDetrMultiscaleDeformableAttention):
    """Deformable attention whose weights are a softmax over each level's points, levels counting the same."""

    def __init__(self, config, heads, points):
        super().__init__(config, heads, points)
        groups = (self.n_heads, self.n_levels, self.n_points)
        # The softmax of all that comes behind gives what sums to 1 already.
        self.attention_weights.register_forward_hook(lambda _, __, e: F.log_softmax(e.unflatten(-1, groups), -1).flatten(-3))


def decoder_layer(dim, width, levels, heads, points, hidden, attention):
    """crobim.CBAM with other widths, levels and deformable attention."""
    layer = crobim.CBAM(dim, heads, points, hidden)
    layer.read_vision = WideAttention(dim, width, heads, key_bias=False)
    layer.read_words = WideAttention(dim, width, heads)
    layer.language.attn = WideSelfAttention(dim, width, heads)
    layer.pixels.deform = attention(DeformableDetrConfig(d_model=dim, num_feature_levels=levels), heads, points)
    return layer


class MID(nn.Module):
    """The decoder of some stages. As CARIS has it: V̂ alone, its finest map; or `plain`: without norms, codes and masks, V̂ and V joined,
    summed with aligned corners, and the mean of the words for the sentence."""

    def __init__(self, channels, text_dim, dim, width, layers, heads, points, hidden, groups, plain):
        super().__init__()
        self.dim, self.plain = dim, plain
        self.project = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.word_project = nn.Linear(text_dim, dim)
        if not plain:
            self.norm = nn.ModuleList(nn.GroupNorm(groups, dim) for _ in channels)
            self.word_norm = nn.LayerNorm(dim)
            self.level = nn.Parameter(torch.zeros(len(channels), dim))
        attention = EachLevelAttention if plain else DeformableDetrMultiscaleDeformableAttention
        self.layers = nn.ModuleList(
            decoder_layer(dim, width, len(channels), heads, points, hidden, attention) for _ in range(layers)
        )
        self.out = nn.Linear(2 * dim if plain else dim, dim)

    def forward(self, maps, words, mask):
        shapes = [tuple(x.shape[2:]) for x in maps]
        tokens = [project(x.flatten(2).transpose(1, 2)) for project, x in zip(self.project, maps)]
        words = self.word_project(words)
        pos = torch.zeros(sum(h * w for h, w in shapes), self.dim)
        if self.plain:
            mask = torch.ones_like(mask)
        else:
            tokens = [norm(t.transpose(1, 2)).transpose(1, 2) for norm, t in zip(self.norm, tokens)]
            words = self.word_norm(words)
            pos = torch.cat([crobim.sine_position(h, w, self.dim) + self.level[i] for i, (h, w) in enumerate(shapes)])
        centres = []
        for h, w in shapes:
            y, x = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
            centres.append(torch.stack([x, y], 2).flatten(0, 1))
        x = v = torch.cat(tokens, 1)
        for layer in self.layers:
            x, words = layer(x, pos, torch.cat(centres), shapes, words, mask)
        both = self.out(torch.cat([x, v], 2) if self.plain else x).transpose(1, 2).split([h * w for h, w in shapes], 2)
        levels = [t.unflatten(2, shape) for t, shape in zip(both, shapes)]
        if self.plain:
            embedding = sum(F.interpolate(t, shapes[0], mode="bilinear", align_corners=True) for t in levels)
        else:
            embedding = levels[0]
        sentence = words.mean(1) if self.plain else words[:, 0]
        return torch.einsum("bdhw,bd->bhw", embedding, sentence)[:, None]


def dice(logits, target, squared, total):
    """RMSIN's: two classes, each image and class by itself, summed over both; `total` of the images, else their mean."""
    p = torch.softmax(torch.cat([torch.zeros_like(logits), logits], 1), 1)
    t = torch.cat([1 - target, target], 1)
    union = (p**2 + t if squared else p + t).sum((2, 3))
    loss = (1 - (2 * (p * t).sum((2, 3)) + 1e-6) / (union + 1e-6)).sum(1)
    return loss.sum() if total else loss.mean()

"""CroBIM's own parts in PyTorch, written the plain way: what the reassociated crob ones are held against."""

import torch
import torch.nn.functional as F
from torch import nn

from published import DeformableDetrMultiscaleDeformableAttention, DeformableDetrConfig, run_deformable


class CAPM(nn.Module):
    def __init__(self, channels, dim, prompts):
        super().__init__()
        self.prompt = nn.Parameter(torch.zeros(prompts, dim))
        self.query = nn.Linear(dim, dim)
        self.key = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.value = nn.ModuleList(nn.Linear(c, dim) for c in channels)

    def forward(self, maps):
        pooled = [x.mean((2, 3)) for x in maps]
        k = torch.stack([key(x) for key, x in zip(self.key, pooled)], 1)
        v = torch.stack([value(x) for value, x in zip(self.value, pooled)], 1)
        return torch.softmax(self.query(self.prompt) @ k.transpose(1, 2), -1) @ v


class PixelWords(nn.Module):
    def __init__(self, channels, text_dim):
        super().__init__()
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(text_dim, channels)
        self.value = nn.Linear(text_dim, channels)
        self.project = nn.ModuleList([nn.Linear(channels, channels)])
        self.gate = nn.Linear(channels, channels)
        self.out = nn.Linear(channels, channels)

    def forward(self, x, words, mask):
        b, c, h, w = x.shape
        t = x.flatten(2).transpose(1, 2)
        q = F.instance_norm(self.query(t).transpose(1, 2)).transpose(1, 2)
        s = q @ self.key(words).transpose(1, 2) * c**-0.5
        a = torch.softmax(s.masked_fill(~mask[:, None], float("-inf")), -1)
        y = F.instance_norm(self.project[0](a @ self.value(words)).transpose(1, 2)).transpose(1, 2)
        out = self.out(F.gelu(self.gate(y))) * t
        score = (s * mask[:, None]).sum(-1) / mask.sum(1, keepdim=True)
        return out.transpose(1, 2).reshape(b, c, h, w), score.reshape(b, h, w)


class SelfAttention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, mask=None):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        s = q @ k.transpose(2, 3) * (d // self.heads) ** -0.5
        if mask is not None:
            s = s.masked_fill(~mask[:, None, None], float("-inf"))
        return self.proj((torch.softmax(s, -1) @ v).transpose(1, 2).reshape(b, n, d))


class CrossAttention(nn.Module):
    def __init__(self, dim, heads, key_bias=True):
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(dim, dim)
        self.k_proj = nn.Linear(dim, dim, bias=key_bias)
        self.v_proj = nn.Linear(dim, dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(self, query, key, value, mask=None):
        split = lambda x: x.reshape(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)
        q, k, v = split(self.q_proj(query)), split(self.k_proj(key)), split(self.v_proj(value))
        s = q @ k.transpose(2, 3) * q.shape[-1] ** -0.5
        if mask is not None:
            s = s.masked_fill(~mask[:, None, None], float("-inf"))
        return self.out_proj((torch.softmax(s, -1) @ v).transpose(1, 2).flatten(2))


class DeficitCompensation(nn.Module):
    def __init__(self, channels, dim, topk, heads):
        super().__init__()
        self.topk = topk
        self.proj = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.back = nn.ModuleList(nn.Linear(dim, c) for c in channels)
        self.norm = nn.LayerNorm(dim)
        self.attn = SelfAttention(dim, heads)

    def forward(self, v, s):
        b, _, h, w = v[3].shape
        u = []
        for a in s:
            a = F.interpolate(a[:, None], (h, w), mode="bilinear", align_corners=False)[:, 0].flatten(1)
            low, high = a.amin(1, keepdim=True), a.amax(1, keepdim=True)
            u.append((a - low) / (high - low + 1e-6))
        index = sum((u[i] - u[i + 1]).abs() for i in range(3)).topk(self.topk, 1).indices
        out = [x.clone() for x in v]
        for n in range(b):
            for cell in index[n].tolist():
                y, x = divmod(cell, w)
                area = [(slice(y * p, y * p + p), slice(x * p, x * p + p)) for p in (8, 4, 2, 1)]
                tokens = [m[n][:, rows, columns].flatten(1).T for m, (rows, columns) in zip(v, area)]
                z = torch.cat([proj(t) for proj, t in zip(self.proj, tokens)])[None]
                z = (z + self.attn(self.norm(z)))[0]
                for i, part in enumerate(z.split([64, 16, 4, 1])):
                    rows, columns = area[i]
                    size = rows.stop - rows.start
                    out[i][n][:, rows, columns] = self.back[i](part).T.reshape(-1, size, size)
        return out


class LGFA(nn.Module):
    def __init__(self, channels, text_dim, topk, dim, heads):
        super().__init__()
        self.stage = nn.ModuleList(PixelWords(c, text_dim) for c in channels)
        self.compensation = nn.ModuleList([DeficitCompensation(channels, dim, topk, heads)])

    def forward(self, maps, words, mask):
        found = [stage(x, words, mask) for stage, x in zip(self.stage, maps)]
        return self.compensation[0]([v for v, _ in found], [s for _, s in found])


class FeedForward(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.linear2(torch.relu(self.linear1(x)))


class WordLayer(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.attn = SelfAttention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, hidden)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x, mask):
        x = self.norm1(x + self.attn(x, mask))
        return self.norm2(x + self.ffn(x))


class PixelLayer(nn.Module):
    def __init__(self, dim, heads, points, hidden):
        super().__init__()
        self.deform = DeformableDetrMultiscaleDeformableAttention(DeformableDetrConfig(d_model=dim, num_feature_levels=4), heads, points)
        self.norm1 = nn.LayerNorm(dim)
        self.ffn = FeedForward(dim, hidden)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x, pos, ref, shapes):
        levels = [p.reshape(p.shape[0], h, w, -1) for p, (h, w) in zip(x.split([h * w for h, w in shapes], 1), shapes)]
        x = self.norm1(x + run_deformable(self.deform, x + pos, ref, levels))
        return self.norm2(x + self.ffn(x))


class CBAM(nn.Module):
    def __init__(self, dim, heads, points, hidden):
        super().__init__()
        self.read_vision = CrossAttention(dim, heads, key_bias=False)
        self.norm_words = nn.LayerNorm(dim)
        self.language = WordLayer(dim, heads, hidden)
        self.read_words = CrossAttention(dim, heads)
        self.norm_vision = nn.LayerNorm(dim)
        self.pixels = PixelLayer(dim, heads, points, hidden)

    def forward(self, v, pos, ref, shapes, words, mask):
        words = self.language(self.norm_words(words + self.read_vision(words, v + pos, v)), mask)
        v = self.norm_vision(v + self.read_words(v + pos, words, words, mask))
        return self.pixels(v, pos, ref, shapes), words


def sine_position(h, w, dim):
    """Deformable DETR's PositionEmbeddingSine(dim/2, normalize=True) without its epsilon, for a map without padding."""
    half = dim // 2
    speed = 10000 ** (2 * torch.div(torch.arange(half), 2, rounding_mode="floor") / half)

    def axis(n):
        angle = ((torch.arange(n) + 0.5) / n * 2 * torch.pi)[:, None] / speed
        return torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], 2).flatten(1)

    return torch.cat([axis(h)[:, None].expand(h, w, half), axis(w)[None].expand(h, w, half)], 2).flatten(0, 1)


class MID(nn.Module):
    def __init__(self, channels, text_dim, dim, layers, heads, points, hidden, groups):
        super().__init__()
        self.dim = dim
        self.project = nn.ModuleList(nn.Linear(c, dim) for c in channels)
        self.norm = nn.ModuleList(nn.GroupNorm(groups, dim) for _ in channels)
        self.word_project = nn.Linear(text_dim, dim)
        self.word_norm = nn.LayerNorm(dim)
        self.level = nn.Parameter(torch.zeros(4, dim))
        self.layers = nn.ModuleList(CBAM(dim, heads, points, hidden) for _ in range(layers))
        self.out = nn.Linear(dim, dim)

    def forward(self, maps, words, mask):
        shapes = [tuple(x.shape[2:]) for x in maps]
        tokens = [self.project[i](x.flatten(2).transpose(1, 2)) for i, x in enumerate(maps)]
        v = torch.cat([self.norm[i](t.transpose(1, 2)).transpose(1, 2) for i, t in enumerate(tokens)], 1)
        pos = torch.cat([sine_position(h, w, self.dim) + self.level[i] for i, (h, w) in enumerate(shapes)])
        centres = []
        for h, w in shapes:
            y, x = torch.meshgrid((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w, indexing="ij")
            centres.append(torch.stack([x, y], 2).flatten(0, 1))
        ref = torch.cat(centres)
        x, words = v, self.word_norm(self.word_project(words))
        for layer in self.layers:
            x, words = layer(x, pos, ref, shapes, words, mask)
        both = self.out(x + v).transpose(1, 2).split([h * w for h, w in shapes], 2)
        levels = [t.reshape(t.shape[0], self.dim, h, w) for t, (h, w) in zip(both, shapes)]
        summed = sum(F.interpolate(t, shapes[0], mode="bilinear", align_corners=False) for t in levels)
        return torch.einsum("bdhw,bd->bhw", summed, words[:, 0])[:, None]

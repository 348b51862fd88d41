"""LAVT, RMSIN, CARIS and CRIS in PyTorch, from the descriptions of their layers; weights have the names of the published code.

Backbones and text encoders are Hugging Face's (published.py). Everything is written plainly, sample by sample where a sample has
weights of its own.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


def grown(x, like, aligned=True):
    return F.interpolate(x, size=like.shape[-2:], mode="bilinear", align_corners=aligned)


def as_map(x, size):
    return x.transpose(1, 2).reshape(x.shape[0], -1, *size)


class Named(nn.Module):
    """Holds parts under names with dots, as `vis_project.0`."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add(name.replace("__", "."), part)

    def add(self, name, part):
        head, _, rest = name.partition(".")
        if not rest:
            self.add_module(head, part)
            return
        if head not in self._modules:
            self.add_module(head, Named())
        self._modules[head].add(rest, part)

    def part(self, name):
        return self.get_submodule(name)


# LAVT


class WordFusion(Named):
    def __init__(self, dim, text_dim):
        point = lambda inputs: nn.Conv1d(inputs, dim, 1)
        super().__init__(
            vis_project__0=point(dim), image_lang_att__f_query__0=point(dim), image_lang_att__f_key__0=point(text_dim),
            image_lang_att__f_value__0=point(text_dim), image_lang_att__W__0=point(dim), project_mm__0=point(dim),
        )

    def forward(self, x, words, mask):
        x, words = x.transpose(1, 2), words.transpose(1, 2)
        attention = lambda name: self.part(f"image_lang_att.{name}.0")
        query = F.instance_norm(attention("f_query")(x))
        key, value = attention("f_key")(words), attention("f_value")(words)
        score = query.transpose(1, 2) @ key / math.sqrt(x.shape[1])
        weight = score.masked_fill(~mask[:, None, :], -math.inf).softmax(-1)
        read = F.instance_norm(attention("W")(value @ weight.transpose(1, 2)))
        mixed = F.gelu(self.part("vis_project.0")(x)) * read
        return F.gelu(self.part("project_mm.0")(mixed)).transpose(1, 2)


class Gate(Named):
    def __init__(self, dim):
        super().__init__(**{"0": nn.Linear(dim, dim, bias=False), "2": nn.Linear(dim, dim, bias=False)})

    def forward(self, r):
        return torch.tanh(self.part("2")(F.relu(self.part("0")(r)))) * r


class LanguageStage(nn.Module):
    def __init__(self, dim, text_dim, last):
        super().__init__()
        self.fusion = WordFusion(dim, text_dim)
        if not last:
            self.res_gate = Gate(dim)

    def forward(self, x, words, mask, size):
        r = self.fusion(x, words, mask)
        return r, x + self.res_gate(r) if hasattr(self, "res_gate") else None


class SimpleDecoder(nn.Module):
    def __init__(self, channels, second):
        super().__init__()
        hidden = channels[3] // 2
        above = channels[3]
        for level in (4, 3, 2):
            setattr(self, f"conv1_{level}", nn.Conv2d(above + channels[level - 2], hidden, 3, padding=1, bias=False))
            setattr(self, f"bn1_{level}", nn.BatchNorm2d(hidden))
            setattr(self, f"conv2_{level}", second(hidden))
            setattr(self, f"bn2_{level}", nn.BatchNorm2d(hidden))
            above = hidden
        self.conv1_1 = nn.Conv2d(hidden, 2, 1)

    def forward(self, maps):
        x = maps[3]
        for level in (4, 3, 2):
            finer = maps[level - 2]
            x = torch.cat([grown(x, finer), finer], 1)
            for n in (1, 2):
                x = F.relu(getattr(self, f"bn{n}_{level}")(getattr(self, f"conv{n}_{level}")(x)))
        return self.conv1_1(x)


class LAVT(nn.Module):
    """`swin` and `bert` are Hugging Face's."""

    def __init__(self, swin, bert, channels, text_dim, stage=LanguageStage, second=lambda c: nn.Conv2d(c, c, 3, padding=1, bias=False)):
        super().__init__()
        self.swin, self.bert = swin, bert
        self.stages = nn.ModuleList(stage(c, text_dim, i == 3) for i, c in enumerate(channels))
        self.classifier = SimpleDecoder(channels, second)

    def maps(self, image, words, mask):
        x, size = self.swin.swin.embeddings(image)
        found = []
        for i, layer in enumerate(self.swin.swin.encoder.layers):
            for block in layer.blocks:
                x = block(x, size, always_partition=True)[0]
            r, x = self.stages[i](x, words, mask, size)
            found.append(as_map(self.swin.hidden_states_norms[f"stage{i + 1}"](r), size))
            if layer.downsample is not None:
                x, size = layer.downsample(x, size), (size[0] // 2, size[1] // 2)
        return found

    def exchanged(self, maps):
        return maps

    def forward(self, image, tokens, mask):
        words = self.bert(tokens, attention_mask=mask.long()).last_hidden_state
        scores = grown(self.classifier(self.exchanged(self.maps(image, words, mask))), image)
        # Two scores for each pixel as the logit of the second.
        return scores[:, 1:] - scores[:, :1]


# RMSIN


class Branches(nn.Module):
    """One round of RMSIN's weighing of pixels; `suffix` is that of its names."""

    def __init__(self):
        super().__init__()
        conv = lambda k: nn.Conv2d(1, 1, k, padding=k // 2, bias=False)
        for suffix in ("", "_2"):
            square = Named(conv1=conv(1), bn1=nn.BatchNorm2d(1), conv2=conv(3), bn2=nn.BatchNorm2d(1))
            setattr(self, f"brb_3x3{suffix}", square)
            setattr(self, f"brb_1x1{suffix}", Named(conv=conv(1), bn=nn.BatchNorm2d(1)))
            setattr(self, f"brb_identity{suffix}", nn.BatchNorm2d(1))

    def forward(self, x):
        for suffix, activation in (("", F.relu), ("_2", torch.sigmoid)):
            square, point = getattr(self, f"brb_3x3{suffix}"), getattr(self, f"brb_1x1{suffix}")
            first = square.bn2(square.conv2(square.bn1(square.conv1(x))))
            x = activation(first + point.bn(point.conv(x)) + getattr(self, f"brb_identity{suffix}")(x))
        return x


class TwoBranchStage(LanguageStage):
    def __init__(self, dim, text_dim, last):
        super().__init__(dim, text_dim, last)
        if not last:
            self.visual_residual = Named(repblock=Branches())
            self.visual_gate = Gate(dim)

    def forward(self, x, words, mask, size):
        r = self.fusion(x, words, mask)
        if not hasattr(self, "res_gate"):
            return r, None
        weight = self.visual_residual.repblock(as_map(x.mean(-1, keepdim=True), size))
        v = x * weight.flatten(2).transpose(1, 2)
        return r, x + self.res_gate(r) + self.visual_gate(v)


class RotatedConv(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, dim, dim, 3, 3))
        self.rounting_func = Named(
            dwc=nn.Conv2d(dim, dim, 3, padding=1, groups=dim, bias=False), norm__norm=nn.LayerNorm(dim),
            fc_alpha=nn.Linear(dim, 1), fc_theta=nn.Linear(dim, 1, bias=False),
        )

    def forward(self, x):
        route = self.rounting_func
        seen = F.relu(route.norm.norm(route.dwc(x).permute(0, 2, 3, 1))).mean((1, 2))
        factor = torch.sigmoid(route.fc_alpha(seen))
        angle = F.softsign(route.fc_theta(seen)) * math.radians(40)
        return torch.cat([F.conv2d(one[None], a * self.turned(t), padding=1) for one, a, t in zip(x, factor, angle)])

    def turned(self, angle):
        """The kernel, sampled on a grid that is turned by the angle and kept inside of it."""
        c, s = torch.cos(angle), torch.sin(angle)
        y, x = torch.meshgrid(torch.tensor([-1.0, 0, 1]), torch.tensor([-1.0, 0, 1]), indexing="ij")
        grid = torch.stack([c * x - s * y, s * x + c * y], -1)[None]
        kernel = self.weight[0].flatten(0, 1)[None]
        turned = F.grid_sample(kernel, grid, mode="bilinear", padding_mode="border", align_corners=True)
        return turned[0].view(self.weight.shape[1:])


class ConvFeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.bn1, self.bn2 = nn.BatchNorm2d(dim), nn.BatchNorm2d(2 * dim)
        self.conv1, self.conv3 = nn.Conv2d(dim, 2 * dim, 1), nn.Conv2d(2 * dim, dim, 1)
        self.conv2 = nn.Conv2d(2 * dim, 2 * dim, 3, padding=1, groups=dim)

    def forward(self, x):
        return x + self.conv3(F.relu6(self.conv2(self.bn2(self.conv1(self.bn1(x))))))


class CrossScaleAttention(nn.Module):
    def __init__(self, dim, side, heads, key):
        super().__init__()
        self.heads, self.key, self.side = heads, key, side
        tokens = side**2 + math.ceil(side / 2) ** 2 + math.ceil(side / 3) ** 2
        width = 2 * key * heads
        self.bn1, self.bn4, self.conv = nn.BatchNorm2d(dim), nn.BatchNorm2d(dim), nn.Conv2d(dim, dim, 1)
        self.DWConv1 = nn.Sequential(nn.Conv2d(dim, dim, 3, stride=2, padding=1, groups=dim), nn.BatchNorm2d(dim))
        self.DWConv2 = nn.Sequential(nn.Conv2d(dim, dim, 5, stride=3, padding=2, groups=dim), nn.BatchNorm2d(dim))
        self.attention = Named(
            qkv__c=nn.Linear(dim, 2 * key * heads + width, bias=False), qkv__bn=nn.BatchNorm1d(2 * key * heads + width),
            parallel_conv__1=nn.Conv2d(width, width, 3, padding=1, groups=width), to_out=nn.Linear(width, dim),
            proj=nn.Linear(tokens, side**2),
        )

    def forward(self, x):
        own = self.bn1(x)
        tokens = torch.cat([m.flatten(2) for m in (own, self.DWConv1(own), self.DWConv2(own))], 2).transpose(1, 2)
        part = self.attention.part
        batch, count, _ = tokens.shape
        t = part("qkv.bn")(part("qkv.c")(tokens).transpose(1, 2)).transpose(1, 2)
        t = t.reshape(batch, count, self.heads, 4 * self.key).transpose(1, 2)
        q, k, v = t[..., : self.key], t[..., self.key : 2 * self.key], t[..., 2 * self.key :]
        read = (q @ k.transpose(2, 3) / math.sqrt(self.key)).softmax(-1) @ v
        width, pixels = 2 * self.key * self.heads, self.side**2
        # Both reshapes are across axes, as in the published code.
        mixed = read.transpose(1, 2).contiguous().view(batch, width, count)
        beside = v[:, :, :pixels].contiguous().view(batch, width, self.side, self.side)
        y = part("proj")(mixed) + part("parallel_conv.1")(F.hardswish(beside)).flatten(2)
        z = as_map(part("to_out")(y.transpose(1, 2)), (self.side, self.side))
        return x + self.conv(F.hardswish(self.bn4(z)))


class ScaleGate(nn.Module):
    def __init__(self, dim):
        super().__init__()
        for n, name in enumerate(("local_embedding", "global_embedding", "global_act"), 1):
            setattr(self, name, nn.Conv2d(dim, dim, 1))
            setattr(self, f"bn{n}", nn.BatchNorm2d(dim))

    def forward(self, local, coarse):
        gate = F.hardsigmoid(self.bn3(self.global_act(coarse)))
        added = self.bn2(self.global_embedding(coarse))
        return self.bn1(self.local_embedding(local)) * grown(gate, local, False) + grown(added, local, False)


class CrossScale(nn.Module):
    def __init__(self, channels, side, heads, key):
        super().__init__()
        whole = sum(channels)
        dim = whole // 4
        self.channels = channels
        self.down_channel, self.up_channel, self.bn = nn.Conv2d(whole, dim, 1), nn.Conv2d(dim, whole, 1), nn.BatchNorm2d(dim)
        self.block = Named()
        self.block.add("0.csa1.m", CrossScaleAttention(dim, side, heads, key))
        for n, c in enumerate(channels, 1):
            self.block.add(f"0.intra_ff.m.ff{n}.m", ConvFeedForward(c // 4))
        self.block.add("0.csa2.m", CrossScaleAttention(dim, side, heads, key))
        self.block.add("0.ff.m", ConvFeedForward(dim))
        self.fusion = nn.ModuleList(ScaleGate(c) for c in channels)

    def forward(self, maps):
        part = lambda name: self.block.part(f"0.{name}.m")
        size = maps[3].shape[-2:]
        x = self.down_channel(torch.cat([F.adaptive_avg_pool2d(m, size) for m in maps], 1))
        x = part("csa1")(x)
        pieces = x.split([c // 4 for c in self.channels], 1)
        # Each piece has its residual, and all of them have another.
        x = x + torch.cat([part(f"intra_ff.m.ff{n}")(piece) for n, piece in enumerate(pieces, 1)], 1)
        coarse = self.up_channel(self.bn(part("ff")(part("csa2")(x)))).split(self.channels, 1)
        return [gate(m, c) for gate, m, c in zip(self.fusion, maps, coarse)]


class RMSIN(LAVT):
    def __init__(self, swin, bert, channels, text_dim, side, heads, key):
        super().__init__(swin, bert, channels, text_dim, TwoBranchStage, RotatedConv)
        self.cim = CrossScale(channels, side, heads, key)

    def exchanged(self, maps):
        return self.cim(maps)


# CARIS


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(dim, 4 * dim) for _ in range(3))
        self.out_proj = nn.Linear(4 * dim, dim)

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.q_proj, query), (self.k_proj, key), (self.v_proj, value))
        )
        keep = None if mask is None else mask[:, None, None, :]
        return self.out_proj(F.scaled_dot_product_attention(q, k, v, attn_mask=keep).transpose(1, 2).flatten(2))


class CARISLayer(nn.Module):
    def __init__(self, dim, heads, hidden, deformable):
        super().__init__()
        for name in ("v2l_cross_attn", "lang_self_attn", "l2v_cross_attn"):
            setattr(self, name, Attention(dim, heads))
        for name in ("v2l", "l2v"):
            setattr(self, f"gamma_{name}", nn.Parameter(torch.ones(1, 1, dim)))
        for side in ("l", "v"):
            for n in (1, 2, 3):
                setattr(self, f"{side}_norm{n}", nn.LayerNorm(dim))
        for name in ("lang_mlp", "vis_mlp"):
            setattr(self, name, Named(fc1=nn.Linear(dim, hidden), fc2=nn.Linear(hidden, dim)))
        self.vis_self_attn = deformable

    def forward(self, vision, words, mask, code, deform):
        transformed = lambda mlp, x: mlp.fc2(F.relu(mlp.fc1(x)))
        words = self.l_norm1(words + self.gamma_v2l * self.v2l_cross_attn(words, vision + code, vision))
        words = self.l_norm2(words + self.lang_self_attn(words, words, words, mask))
        words = self.l_norm3(words + transformed(self.lang_mlp, words))
        vision = self.v_norm2(vision + self.gamma_l2v * self.l2v_cross_attn(vision + code, words, words, mask))
        vision = self.v_norm1(vision + deform(self.vis_self_attn, vision + code, vision))
        return self.v_norm3(vision + transformed(self.vis_mlp, vision)), words


def normed(inputs, dim, groups, kernel=1, bias=False):
    return Named(conv=nn.Conv2d(inputs, dim, kernel, padding=kernel // 2, bias=bias), gn=nn.GroupNorm(groups, dim))


def apply(block, x):
    return block.gn(block.conv(x))


def edge_code(height, width, dim):
    """MMDetection's sine code: [height * width, dim], half of it for the row."""
    def axis(n):
        place = torch.arange(1, n + 1, dtype=torch.float64) / (n + 1e-6) * 2 * math.pi
        speed = 10000.0 ** (-torch.arange(0, dim // 2, 2, dtype=torch.float64) / (dim // 2))
        angle = place[:, None] * speed
        return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)

    rows, columns = axis(height)[:, None].expand(-1, width, -1), axis(width)[None].expand(height, -1, -1)
    return torch.cat([rows, columns], -1).flatten(0, 1)


class CARIS(nn.Module):
    """`deformable()` makes a deformable attention over three levels, and `deform(attention, query, points, maps)` runs it."""

    def __init__(self, swin, bert, channels, text_dim, dim, layers, heads, hidden, groups, deformable, deform):
        super().__init__()
        self.swin, self.bert, self.deform = swin, bert, deform
        self.conditional_prompts = Named(lang_prompts=nn.Embedding(5, text_dim), lang_prompts_norm=nn.LayerNorm(text_dim))
        for i in range(2):
            self.conditional_prompts.add(f"in_linears.{i}", nn.Linear(channels[3], text_dim))
            self.conditional_prompts.add(f"out_linears.{i}", nn.Linear(text_dim, text_dim))
        self.pixel_decoder = Named(
            level_encoding=nn.Embedding(3, dim), lang_in_linear=nn.Linear(text_dim, dim), lang_in_norm=nn.LayerNorm(dim),
            vis_prompts=nn.Embedding(5, dim), encoder=nn.ModuleList(CARISLayer(dim, heads, hidden, deformable()) for _ in range(layers)),
            input_convs=nn.ModuleList(normed(channels[level], dim, groups, bias=True) for level in (3, 2, 1)),
            lateral_convs__0=normed(channels[0], dim, groups), output_convs__0=normed(dim, dim, groups, 3),
        )
        for i in (0, 2, 4):
            self.pixel_decoder.add(f"mask_feature.{i}", nn.Conv2d(dim, dim, 1))
            self.pixel_decoder.add(f"lang_embed.{i}", nn.Linear(dim, dim))

    def words(self, coarse, tokens, mask):
        part = self.conditional_prompts.part
        pooled = [F.adaptive_avg_pool2d(coarse, s).flatten(2).transpose(1, 2) for s in (1, 2)]
        seen = [part(f"out_linears.{i}")(F.relu(part(f"in_linears.{i}")(x))) for i, x in enumerate(pooled)]
        prompts = part("lang_prompts_norm")(torch.cat(seen, 1) + part("lang_prompts").weight)
        x = torch.cat([self.bert.embeddings(input_ids=tokens), prompts], 1)
        seen = F.pad(mask, (0, 5), value=True)
        hidden = torch.zeros(seen.shape, dtype=x.dtype).masked_fill(~seen, -1e30)[:, None, None, :]
        for layer in self.bert.encoder.layer:
            x = layer(x, hidden)
            x = x[0] if isinstance(x, tuple) else x
        return x[:, : tokens.shape[1]]

    def forward(self, image, tokens, mask):
        maps = self.swin(image).feature_maps
        words = self.words(maps[3], tokens, mask)
        part = self.pixel_decoder.part
        sizes = [maps[level].shape[-2:] for level in (3, 2, 1)]
        dim = part("level_encoding").weight.shape[1]
        vision = torch.cat([apply(conv, maps[3 - i]).flatten(2).transpose(1, 2) for i, conv in enumerate(part("input_convs"))], 1)
        code = torch.cat([edge_code(*size, dim) + part("level_encoding").weight[i] for i, size in enumerate(sizes)])
        points = torch.cat([centres(*size) for size in sizes])

        def deform(attention, query, value):
            pieces = value.split([h * w for h, w in sizes], 1)
            return self.deform(attention, query, points, [p.unflatten(1, size) for p, size in zip(pieces, sizes)])

        own = part("vis_prompts").weight.expand(image.shape[0], -1, -1)
        words = torch.cat([part("lang_in_norm")(part("lang_in_linear")(words)), own], 1)
        seen = F.pad(mask, (0, 5), value=True)
        for layer in part("encoder"):
            vision, words = layer(vision, words, seen, code, deform)
        eighth = as_map(vision[:, -sizes[2][0] * sizes[2][1] :], sizes[2])
        finest = apply(part("lateral_convs.0"), maps[0])
        feature = F.relu(apply(part("output_convs.0"), finest + grown(eighth, finest, False)))
        vectors = torch.stack([words[:, -5:].mean(1), words[:, 0]], 1)
        for i in (0, 2, 4):
            feature, vectors = part(f"mask_feature.{i}")(feature), part(f"lang_embed.{i}")(vectors)
            if i < 4:
                feature, vectors = F.relu(feature), F.relu(vectors)
        scores = grown(torch.einsum("bqd,bdhw->bqhw", vectors, feature), image)
        return scores[:, 1:] - scores[:, :1]


def centres(height, width):
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([x / width, y / height], -1).flatten(0, 1).double()


# CRIS


class Bottleneck(nn.Module):
    """Of CLIP's ResNet."""

    def __init__(self, inputs, width, stride):
        super().__init__()
        self.stride = stride
        for n, (a, b, kernel) in enumerate([(inputs, width, 1), (width, width, 3), (width, 4 * width, 1)], 1):
            setattr(self, f"conv{n}", nn.Conv2d(a, b, kernel, padding=kernel // 2, bias=False))
            setattr(self, f"bn{n}", nn.BatchNorm2d(b))
        if stride > 1 or inputs != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        smaller = lambda y: F.avg_pool2d(y, self.stride)
        y = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        y = self.bn3(self.conv3(smaller(y)))
        return F.relu(y + (self.downsample(smaller(x)) if hasattr(self, "downsample") else x))


class ClipResNet(nn.Module):
    """The last three maps."""

    def __init__(self, width, depths):
        super().__init__()
        sizes = [3, width // 2, width // 2, width]
        for n in (1, 2, 3):
            setattr(self, f"conv{n}", nn.Conv2d(sizes[n - 1], sizes[n], 3, stride=2 if n == 1 else 1, padding=1, bias=False))
            setattr(self, f"bn{n}", nn.BatchNorm2d(sizes[n]))
        inputs = width
        for i, depth in enumerate(depths):
            planes = width * 2**i
            blocks = [Bottleneck(inputs if j == 0 else 4 * planes, planes, 2 if i > 0 and j == 0 else 1) for j in range(depth)]
            setattr(self, f"layer{i + 1}", nn.Sequential(*blocks))
            inputs = 4 * planes

    def forward(self, x):
        for n in (1, 2, 3):
            x = F.relu(getattr(self, f"bn{n}")(getattr(self, f"conv{n}")(x)))
        x = F.avg_pool2d(x, 2)
        found = []
        for i in range(1, 5):
            x = getattr(self, f"layer{i}")(x)
            found.append(x)
        return found[1:]


class MapPool(nn.Module):
    def __init__(self, dim, outputs, heads, side):
        super().__init__()
        self.heads, self.side = heads, side
        self.positional_embedding = nn.Parameter(torch.empty(side**2 + 1, dim))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(dim, dim) for _ in range(3))
        self.c_proj = nn.Linear(dim, outputs)
        self.connect = nn.Sequential(nn.Conv2d(dim, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        size = x.shape[-2:]
        table = as_map(self.positional_embedding[None, 1:], (self.side, self.side))
        x_ = x + F.interpolate(table, size=size, mode="bicubic", align_corners=False)
        tokens = x_.flatten(2).transpose(1, 2)
        q, k, v = (
            layer(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2) for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        read = self.c_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return F.relu(as_map(read, size) + self.connect(x))


def conv_norm_relu(inputs, outputs, kernel=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def doubled(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class SentenceNeck(Named):
    def __init__(self, channels, widths):
        a, b, c = widths
        super().__init__(
            txt_proj=nn.Sequential(nn.Linear(channels[2], c, bias=False), nn.BatchNorm1d(c), nn.ReLU()),
            f1_v_proj=conv_norm_relu(channels[2], c), norm_layer=nn.Sequential(nn.BatchNorm2d(c), nn.ReLU()),
            f2_v_proj=conv_norm_relu(channels[1], b, 3), f2_cat=conv_norm_relu(c + b, b),
            f3_v_proj=conv_norm_relu(channels[0], a, 3), f3_cat=conv_norm_relu(a + b, b),
            f4_proj5=conv_norm_relu(c, b, 3), f4_proj4=conv_norm_relu(b, b, 3), f4_proj3=conv_norm_relu(b, b, 3),
            aggr=conv_norm_relu(3 * b, b), coordconv__0__conv1=conv_norm_relu(b + 2, b, 3), coordconv__1=conv_norm_relu(b, b, 3),
        )

    def forward(self, maps, sentence):
        v3, v4, v5 = maps
        f5 = self.norm_layer(self.f1_v_proj(v5) * self.txt_proj(sentence)[:, :, None, None])
        f4 = self.f2_cat(torch.cat([self.f2_v_proj(v4), doubled(f5)], 1))
        f3 = self.f3_cat(torch.cat([F.avg_pool2d(self.f3_v_proj(v3), 2), f4], 1))
        x = self.aggr(torch.cat([self.f4_proj3(f3), self.f4_proj4(f4), doubled(self.f4_proj5(f5))], 1))
        height, width = x.shape[-2:]
        y, x_ = torch.meshgrid(*(torch.linspace(-1, 1, n, dtype=x.dtype) for n in (height, width)), indexing="ij")
        places = torch.stack([x_, y])[None].expand(len(x), -1, -1, -1)
        return self.part("coordconv.1")(self.part("coordconv.0.conv1")(torch.cat([x, places], 1)))


def counted_code(n, dim):
    """[n, dim], sines at even places."""
    angle = torch.arange(n, dtype=torch.float64)[:, None] * 10000.0 ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1)


class PixelReading(Named):
    def __init__(self, dim, heads, hidden):
        norms = {name: nn.LayerNorm(dim) for name in ("self_attn_norm", "cross_attn_norm", "norm1", "norm2", "norm3")}
        attention = {name: nn.MultiheadAttention(dim, heads, batch_first=True) for name in ("self_attn", "multihead_attn")}
        ffn = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), nn.Identity(), nn.LayerNorm(hidden), nn.Linear(hidden, dim))
        super().__init__(**norms, **attention, ffn=ffn)

    def forward(self, x, words, mask, pixel_code, word_code):
        own = self.norm1(x)
        x = x + self.self_attn_norm(self.self_attn(own + pixel_code, own + pixel_code, own)[0])
        read, _ = self.multihead_attn(self.norm2(x) + pixel_code, words + word_code, words, key_padding_mask=~mask)
        x = x + self.cross_attn_norm(read)
        return x + self.ffn(self.norm3(x))


class CRIS(nn.Module):
    """`text` is Hugging Face's; `project` its projection."""

    def __init__(self, text, width, depths, side, pool_heads, outputs, layers, heads, hidden):
        super().__init__()
        dim = text.config.hidden_size
        self.text, self.project = text, nn.Parameter(torch.empty(dim, outputs))
        self.backbone = ClipResNet(width, depths)
        self.pool = MapPool(32 * width, outputs, pool_heads, side)
        self.neck = SentenceNeck([8 * width, 16 * width, outputs], [dim // 2, dim, 2 * dim])
        self.decoder = Named(layers=nn.ModuleList(PixelReading(dim, heads, hidden) for _ in range(layers)), norm=nn.LayerNorm(dim))
        inner = dim // 2
        self.proj = Named(
            vis__1=conv_norm_relu(dim, dim, 3), vis__3=conv_norm_relu(dim, inner, 3), vis__4=nn.Conv2d(inner, inner, 1),
            txt=nn.Linear(outputs, 9 * inner + 1),
        )

    def forward(self, image, tokens, mask):
        words = self.text(tokens).last_hidden_state
        sentence = words[torch.arange(len(tokens)), mask.sum(1) - 1] @ self.project
        v3, v4, v5 = self.backbone(image)
        x = self.neck([v3, v4, self.pool(v5)], sentence)
        height, width = x.shape[-2:]
        dim = x.shape[1]
        columns, rows = counted_code(width, dim // 2), counted_code(height, dim // 2)
        code = torch.cat([columns[None].expand(height, -1, -1), rows[:, None].expand(-1, width, -1)], -1).flatten(0, 1)
        v = x.flatten(2).transpose(1, 2)
        for layer in self.decoder.layers:
            v = layer(v, words, mask, code, counted_code(tokens.shape[1], dim))
        x = as_map(self.decoder.norm(v), (height, width))
        part = self.proj.part
        x = part("vis.4")(part("vis.3")(doubled(part("vis.1")(doubled(x)))))
        kernel = part("txt")(sentence)
        scores = [F.conv2d(one[None], k[:-1].view(1, -1, 3, 3), k[-1:], padding=1) for one, k in zip(x, kernel)]
        return grown(torch.cat(scores), image)

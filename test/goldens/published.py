"""Published models of Hugging Face under crob's weight names."""

import re

import torch
from transformers import BertConfig, BertModel, CLIPTextConfig, CLIPTextModel, ConvNextBackbone, ConvNextConfig, SwinBackbone, SwinConfig
from transformers.models.deformable_detr.configuration_deformable_detr import DeformableDetrConfig
from transformers.models.deformable_detr.modeling_deformable_detr import DeformableDetrMultiscaleDeformableAttention

STAGES = ["stage1", "stage2", "stage3", "stage4"]


def randomise(module, seed, spread=0.05):
    """Every weight drawn anew, so that zero biases and unit norms hide nothing."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.state_dict().items():
            if not weight.is_floating_point():
                continue
            noise = torch.randn(weight.shape, generator=generator)
            fan = weight[0].numel() if weight.ndim > 1 else 0
            is_scale = weight.ndim == 1 and (name.endswith(".weight") or name.endswith("layer_scale_parameter"))
            weight.copy_(1 + 0.1 * noise if is_scale else noise * fan**-0.5 if fan else noise * spread)
    return module.eval()


def swin(embed_dim, depths, heads, window, seed, drop_path=0.0):
    config = SwinConfig(
        embed_dim=embed_dim, depths=depths, num_heads=heads, window_size=window, drop_path_rate=drop_path, out_features=STAGES
    )
    return randomise(SwinBackbone(config), seed)


def swin_parts(named, prefix="backbone."):
    """Under the names of microsoft/Swin-Transformer: each a list of tensors, which it holds behind each other."""
    parts = {}
    for name, weight in named:
        name = name.removeprefix("swin.")
        if not name.startswith("layernorm."):
            parts.setdefault(prefix + swin_name(re.sub(r"attention\.[qkv]_proj", "attention.qkv", name)), []).append(weight)
    return parts


def swin_weights(model, prefix="backbone."):
    return {name: torch.cat(parts).contiguous() for name, parts in swin_parts(model.state_dict().items(), prefix).items()}


def swin_name(name):
    rules = [
        (r"^embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
        (r"^embeddings\.norm", "patch_embed.norm"),
        (r"^hidden_states_norms\.stage(\d)", lambda m: f"norm{int(m[1]) - 1}"),
        (r"^encoder\.", ""),
        (r"attention\.o_proj", "attn.proj"),
        (r"attention\.relative_position_bias\.", "attn."),
        (r"attention\.", "attn."),
        (r"layernorm_before", "norm1"),
        (r"layernorm_after", "norm2"),
    ]
    for pattern, into in rules:
        name = re.sub(pattern, into, name)
    return name


def convnext(channels, depths, seed):
    config = ConvNextConfig(hidden_sizes=channels, depths=depths, out_features=STAGES)
    return randomise(ConvNextBackbone(config), seed)


def convnext_weights(model, prefix="backbone."):
    """Under the names of facebookresearch/ConvNeXt."""
    rules = [
        (r"^embeddings\.patch_embeddings", "downsample_layers.0.0"),
        (r"^embeddings\.layernorm", "downsample_layers.0.1"),
        (r"^hidden_states_norms\.stage(\d)", lambda m: f"norm{int(m[1]) - 1}"),
        (r"^encoder\.stages\.(\d)\.downsampling_layer\.", r"downsample_layers.\1."),
        (r"^encoder\.stages\.(\d)\.layers\.", r"stages.\1."),
        (r"layer_scale_parameter", "gamma"),
        (r"layernorm", "norm"),
    ]
    weights = {}
    for name, weight in model.state_dict().items():
        for pattern, into in rules:
            name = re.sub(pattern, into, name)
        weights[prefix + name] = weight.contiguous()
    return weights


def bert(seed, **sizes):
    return randomise(BertModel(BertConfig(**sizes), add_pooling_layer=False), seed)


def bert_weights(model, prefix="text."):
    """Under their own names."""
    return {prefix + name: weight.contiguous() for name, weight in model.state_dict().items() if weight.is_floating_point()}


def clip_text(seed, **sizes):
    return randomise(CLIPTextModel(CLIPTextConfig(**sizes)), seed)


def clip_text_weights(model, prefix="text."):
    """Under the names of openai/CLIP."""
    rules = [
        (r"^text_model\.", ""),
        (r"^embeddings\.token_embedding", "token_embedding"),
        (r"^embeddings\.position_embedding\.weight", "positional_embedding"),
        (r"^encoder\.layers\.(\d+)\.", r"transformer.resblocks.\1."),
        (r"self_attn\.out_proj", "attn.out_proj"),
        (r"self_attn\.[qkv]_proj\.(\w+)", r"attn.in_proj_\1"),
        (r"layer_norm(\d)", r"ln_\1"),
        (r"mlp\.fc1", "mlp.c_fc"),
        (r"mlp\.fc2", "mlp.c_proj"),
        (r"^final_layer_norm", "ln_final"),
    ]
    parts = {}
    # Query, key and value are in this order in one tensor.
    for name, weight in sorted(model.state_dict().items(), key=lambda item: "qkv".find(item[0].split("_proj.")[0][-1])):
        if not weight.is_floating_point():
            continue
        for pattern, into in rules:
            name = re.sub(pattern, into, name)
        parts.setdefault(prefix + name, []).append(weight)
    return {name: torch.cat(weights).contiguous() for name, weights in parts.items()}


def deformable(dim, heads, levels, points, seed):
    config = DeformableDetrConfig(d_model=dim, num_feature_levels=levels)
    module = randomise(DeformableDetrMultiscaleDeformableAttention(config, heads, points), seed)
    with torch.no_grad():
        module.sampling_offsets.bias.copy_(2 * torch.randn(module.sampling_offsets.bias.shape, generator=torch.Generator().manual_seed(seed)))
    return module


def run_deformable(module, query, ref, value):
    """`value` holds maps [B, H, W, dim]."""
    shapes = [(v.shape[1], v.shape[2]) for v in value]
    levels = torch.tensor(shapes, device=query.device)
    starts = torch.cat([levels.new_zeros(1), levels.prod(1).cumsum(0)[:-1]])
    flat = torch.cat([v.flatten(1, 2) for v in value], 1)
    points = ref[None, :, None, :].expand(query.shape[0], -1, len(shapes), -1)
    return module(
        query, encoder_hidden_states=flat, reference_points=points,
        spatial_shapes=levels, spatial_shapes_list=shapes, level_start_index=starts,
    )[0]


def deformable_weights(module, prefix="attn."):
    return {prefix + name: weight.contiguous() for name, weight in module.state_dict().items()}

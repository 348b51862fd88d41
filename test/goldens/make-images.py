"""Writes images.safetensors: an image, and what Pillow and PyTorch make of it. Run by hand: needs torch, pillow, numpy."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file

here = Path(__file__).parent
rng = np.random.default_rng(5)
height, width = 37, 53
noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
noise[5:20, 10:30] = [255, 0, 128]
noise[25:, 40:] = 255
image = Image.fromarray(noise)

out = {"image": torch.from_numpy(noise)}
for h, w in [(20, 20), (16, 53), (37, 8), (60, 100), (1, 1), (74, 40), (36, 52)]:
    out[f"bilinear.{h}x{w}"] = torch.from_numpy(np.array(image.resize((w, h), Image.BILINEAR)))

mask = Image.fromarray(rng.integers(0, 2, (32, 64), dtype=np.uint8) * 255)
out["mask"] = torch.from_numpy(np.array(mask))
for h, w in [(30, 60), (48, 40), (7, 5), (64, 128)]:
    out[f"nearest.{h}x{w}"] = torch.from_numpy(np.array(mask.resize((w, h), Image.NEAREST)))

mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
std = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
out["normalised"] = ((torch.from_numpy(noise).permute(2, 0, 1).to(torch.float32) / 255 - mean) / std).contiguous()

plane = torch.from_numpy(rng.standard_normal((9, 14)).astype(np.float32))
out["plane"] = plane
for h, w in [(30, 41), (5, 3), (9, 20), (1, 1)]:
    out[f"plane.{h}x{w}"] = F.interpolate(plane[None, None], (h, w), mode="bilinear", align_corners=False)[0, 0].contiguous()
save_file(out, here / "images.safetensors")

"""Pictures and masks for small data sets."""

import random
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

draw = random.Random(11)
noise = np.random.default_rng(5)


def picture(width, height):
    """A smooth picture with noise and shapes, as RGB."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [np.sin(x / (7 + i) + i) + np.cos(y / (5 + i)) for i in range(3)]
    values = np.stack(waves, axis=2) * 50 + 128 + noise.integers(-9, 9, (height, width, 3))
    image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).ellipse(
        [width // 4, height // 4, width // 2, height // 2], fill=(200, 30, 60)
    )
    return image


def mask(width, height, value=255):
    """A grey mask of an ellipse somewhere."""
    image = Image.new("L", (width, height), 0)
    left, top = draw.randrange((width + 1) // 2), draw.randrange((height + 1) // 2)
    box = [left, top, left + width // 3 + 2, top + height // 3 + 2]
    ImageDraw.Draw(image).ellipse(box, fill=value)
    return image


def folder(work, name, images="img_rgb", masks="mask"):
    """An empty folder of the layout of RISBench."""
    path = Path(work) / name
    shutil.rmtree(path, ignore_errors=True)
    (path / images).mkdir(parents=True)
    (path / masks).mkdir()
    return path

"""What a user of PyTorch would load a data set with: a DataLoader, Pillow, and ImageNet's mean and deviation.

    python bench/loading.py FOLDER SIZE BATCH RUNS

Prints one JSON object: for each number of workers, images per second of each run; the first run is not counted.
"""

import json
import sys
import time
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

folder, size, batch, runs = Path(sys.argv[1]), *(int(text) for text in sys.argv[2:])
mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
deviation = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


class Samples(Dataset):
    def __init__(self):
        images = folder / "images"
        self.files = sorted((images if images.exists() else folder / "img_rgb").iterdir())
        self.masks = sorted((folder / "mask").iterdir())

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image = Image.open(self.files[index]).convert("RGB").resize((size, size), Image.BILINEAR)
        mask = Image.open(self.masks[index]).resize((size, size), Image.NEAREST)
        pixels = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - mean) / deviation, torch.from_numpy(numpy.array(mask) > 0)[None].float()


rates = {}
for workers in [0, 1, 2]:
    rates[workers] = []
    for run in range(runs + 1):
        start = time.perf_counter()
        images = sum(len(one) for one, _ in DataLoader(Samples(), batch_size=batch, num_workers=workers))
        if run > 0:
            rates[workers].append(images / (time.perf_counter() - start))
print(json.dumps(rates))

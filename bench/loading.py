"""What a user of PyTorch would load a data set with: a DataLoader, Pillow, and ImageNet's mean and deviation.

    python bench/loading.py FOLDER SIZE BATCH

Prints {} once it is ready. For every line that it reads, a number of workers, loads an epoch with so many, and prints
{ images, seconds, processorSeconds }; the processor's time is that of the workers too.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

folder, size, batch = Path(sys.argv[1]), *(int(text) for text in sys.argv[2:])
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


def processor_seconds():
    each = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in each)


def epoch(workers):
    start, before = time.perf_counter(), processor_seconds()
    images = sum(len(one) for one, _ in DataLoader(Samples(), batch_size=batch, num_workers=workers))
    # The workers have ended with the epoch, and count from then on.
    return {
        "images": images,
        "seconds": time.perf_counter() - start,
        "processorSeconds": processor_seconds() - before,
    }


print("{}", flush=True)
for line in sys.stdin:
    print(json.dumps(epoch(int(line))), flush=True)

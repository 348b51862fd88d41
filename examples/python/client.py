"""Asks a server for a mask: python client.py URL MODEL_FOLDER IMAGE TEXT [-o mask.png]

URL is that of Triton, of `crobc serve`, or of another server of KServe's v2 protocol. MODEL_FOLDER has the manifest: a folder of
`crobc build`, or of `crobc build --target triton`. Images and texts are prepared here; tensors are sent as binary data. Needs numpy and
pillow.
"""

import argparse
import json
import math
import re
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from predict import image_input, mask_of, text_inputs

TYPES = {"float32": "FP32", "float16": "FP16", "int32": "INT32", "int64": "INT64", "uint8": "UINT8", "bool": "BOOL"}


def check_sizes(manifest, inputs):
    """Ends with the first condition of the model's source that the inputs do not fit; servers such as Triton know of none."""
    sizes = {}
    for port in manifest["inputs"]:
        for dim, size in zip(port["shape"], inputs[port["name"]].shape, strict=True):
            if dim.isidentifier():
                sizes.setdefault(dim, size)
            elif dim.isdigit() and int(dim) != size:
                raise SystemExit(f"{port['name']} has the size {size}: must be {dim}")
    functions = {"floor": math.floor, "ceil": math.ceil, "min": min, "max": max}
    for guard in manifest["guards"]:
        condition = guard["condition"].replace("^", "**")
        if not re.fullmatch(r"[\w\s+*/%(),<=>-]+", condition):
            raise SystemExit(f"no condition on sizes: {condition}")
        if not eval(condition, {"__builtins__": {}}, functions | sizes):
            raise SystemExit(f"the sizes do not fit {guard['source']}: {sizes}")


def infer(url, model, inputs, output):
    """Runs a model on tensors by name; returns one of its outputs."""
    tensors, data = [], b""
    for name, array in inputs.items():
        raw = array.tobytes()
        about = {"name": name, "shape": list(array.shape), "datatype": TYPES[str(array.dtype)]}
        tensors.append(about | {"parameters": {"binary_data_size": len(raw)}})
        data += raw
    wanted = {"name": output, "parameters": {"binary_data": True}}
    head = json.dumps({"inputs": tensors, "outputs": [wanted]}).encode()
    request = urllib.request.Request(f"{url.rstrip('/')}/v2/models/{model}/infer", head + data)
    request.add_header("Content-Type", "application/octet-stream")
    request.add_header("Inference-Header-Content-Length", str(len(head)))
    try:
        with urllib.request.urlopen(request, timeout=120) as response:
            body, length = response.read(), int(response.headers["Inference-Header-Content-Length"])
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{error.code}: {error.read().decode(errors='replace')}") from None
    [answer] = json.loads(body[:length])["outputs"]
    types = {name: dtype for dtype, name in TYPES.items()}
    return np.frombuffer(body[length:], types[answer["datatype"]]).reshape(answer["shape"])


def ask(url, folder, image, text):
    """The mask of a text in an image: bool[height, width]."""
    path = next(path for path in folder.rglob("*.manifest.json"))
    manifest = json.loads(path.read_text(encoding="utf-8"))
    settings = manifest["preprocessing"]
    inputs = {settings["image"]["input"]: image_input(image, settings["image"])}
    if settings["text"]:
        inputs |= text_inputs(text, settings["text"], path.parent)
    check_sizes(manifest, inputs)
    return mask_of(infer(url, manifest["model"], inputs, settings["mask"]["output"]), image)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Asks a server of KServe's v2 protocol for a mask.")
    parser.add_argument("url", help="such as http://127.0.0.1:8000")
    parser.add_argument("model", type=Path, help="the folder with the manifest")
    parser.add_argument("image", type=Path, help="an image with 8 bits per channel")
    parser.add_argument("text", help="what to look for")
    parser.add_argument("-o", "--output", type=Path, default=Path("mask.png"), help="the mask to write")
    given = parser.parse_args()
    picture = ImageOps.exif_transpose(Image.open(given.image)).convert("RGB")
    mask = ask(given.url, given.model, picture, given.text)
    Image.fromarray(mask.astype(np.uint8) * 255).save(given.output)
    print(f"{given.output}: {mask.sum():,} of {mask.size:,} pixels")

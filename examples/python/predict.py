"""Predicts a mask with a build of crobc: python predict.py MODEL_FOLDER IMAGE TEXT [-o mask.png]

MODEL_FOLDER is what `crobc build` writes for trained weights. The manifest in it says how images and texts are prepared, so
that nothing here is about one model. Needs numpy, onnxruntime and pillow.
"""

import argparse
import json
import re
import unicodedata
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


def image_input(image, settings):
    """An RGB image as f32[1, 3, height, width]."""
    width, height = settings["width"], settings["height"]
    if not isinstance(width, int):
        raise SystemExit("the build has no sizes: build trained weights, or use --set H=…,W=…,T=…")
    # Along rows first, as in training: for high images, Pillow 13 begins along columns, which rounds otherwise.
    wide = image.resize((width, image.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(wide.resize((width, height), Image.Resampling.BILINEAR), np.float32)
    mean, deviation = (np.float32(settings[name]) for name in ("mean", "deviation"))
    return ((pixels / np.float32(255) - mean) / deviation).transpose(2, 0, 1)[None]


def is_alone(letter):
    """Whether a character is a word of its own: punctuation, and Chinese characters."""
    chinese = ("\u4e00", "\u9fff"), ("\u3400", "\u4dbf"), ("\uf900", "\ufaff"), ("\U00020000", "\U0002cea1"), ("\U0002f800", "\U0002fa1f")
    is_punctuation = unicodedata.category(letter).startswith("P") or letter in "$+<=>^`|~"
    return is_punctuation or any(first <= letter <= last for first, last in chinese)


def words_of(text, vocabulary):
    """Splits a text as BERT does; without capitals and accents, unless the vocabulary has capitals."""
    text = re.sub(r"[\t\n\r]", " ", text)
    text = "".join(c for c in text if not unicodedata.category(c).startswith("C") and c != "\ufffd")
    if not any(not re.fullmatch(r"\[.*\]", piece) and piece != piece.lower() for piece in vocabulary):
        text = "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn").lower()
    return "".join(f" {c} " if is_alone(c) else c for c in text).split()


def pieces_of(word, vocabulary):
    """The longest pieces of a word from its start; [UNK] if some part of it is no piece."""
    pieces, start = [], 0
    while start < len(word) <= 100:
        ends = range(len(word), start, -1)
        found = (("##" if start else "") + word[start:end] for end in ends)
        piece = next((piece for piece in found if piece in vocabulary), None)
        if piece is None:
            return ["[UNK]"]
        pieces.append(piece)
        start += len(piece) - (2 if start else 0)
    return pieces or ["[UNK]"]


def text_inputs(text, settings, folder):
    """A text as token ids i64[1, words], and a mask bool[1, words] that is true for tokens that are not padding."""
    if settings["vocabulary"] is None:
        raise SystemExit("the build has no vocabulary: build trained weights")
    file, length = settings["vocabulary"]["file"], settings["words"]
    if not file.endswith(".txt"):
        raise SystemExit(f"{file} is no list of word pieces: use the package tokenizers for it")
    lines = (folder / file).read_text(encoding="utf-8").removesuffix("\n").split("\n")
    vocabulary = {piece: number for number, piece in enumerate(lines)}
    pieces = [piece for word in words_of(text, vocabulary) for piece in pieces_of(word, vocabulary)]
    if not pieces:
        raise SystemExit("the text has no words")
    if settings["truncation"] == "keep-sep":
        pieces = pieces[: length - 2]
    tokens = ["[CLS]", *pieces, "[SEP]"][:length]
    padded = tokens + ["[PAD]"] * (length - len(tokens))
    return {
        settings["tokens"]: np.array([[vocabulary[token] for token in padded]], np.int64),
        settings["mask"]: np.arange(length)[None] < len(tokens),
    }


def resize(plane, size, axis):
    """Bilinear along one axis, without antialiasing."""
    length = plane.shape[axis]
    at = np.maximum(0, (np.arange(size) + 0.5) * length / size - 0.5)
    low = np.minimum(length - 1, at.astype(int))
    part = (at - low).reshape((-1, 1) if axis == 0 else (1, -1))
    return plane.take(low, axis) * (1 - part) + plane.take(np.minimum(length - 1, low + 1), axis) * part


def mask_of(logits, image):
    """The mask of logits f32[1, 1, h, w] at the size of the image: bool[height, width]."""
    plane = resize(resize(logits[0, 0].astype(np.float64), image.width, 1), image.height, 0)
    # A logit is positive where its probability is above the threshold, which is 0.5.
    return plane > 0


def predict(folder, image, text):
    """The mask of a text in an image: bool[height, width]."""
    import onnxruntime

    manifest = json.loads(next(folder.glob("*.manifest.json")).read_text(encoding="utf-8"))
    settings = manifest["preprocessing"]
    session = onnxruntime.InferenceSession(folder / f"{manifest['model']}.onnx")
    inputs = {settings["image"]["input"]: image_input(image, settings["image"])}
    if settings["text"]:
        inputs |= text_inputs(text, settings["text"], folder)
    [logits] = session.run([settings["mask"]["output"]], inputs)
    return mask_of(logits, image)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Predicts a mask with a build of crobc.")
    parser.add_argument("model", type=Path, help="the folder of a build")
    parser.add_argument("image", type=Path, help="an image with 8 bits per channel")
    parser.add_argument("text", help="what to look for")
    parser.add_argument("-o", "--output", type=Path, default=Path("mask.png"), help="the mask to write")
    given = parser.parse_args()
    picture = ImageOps.exif_transpose(Image.open(given.image)).convert("RGB")
    mask = predict(given.model, picture, given.text)
    Image.fromarray(mask.astype(np.uint8) * 255).save(given.output)
    print(f"{given.output}: {mask.sum():,} of {mask.size:,} pixels")

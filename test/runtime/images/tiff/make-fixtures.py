"""Writes fixtures/*.tif with GDAL: pip install rasterio numpy; python test/runtime/images/tiff/make-fixtures.py

The value of a band b (from 0) at row y and column x is 3x + 5y + 40b, times a factor of each type; fixtures.ts has the same
formula.
"""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine, from_origin

HEIGHT, WIDTH = 21, 37
FACTORS = {"uint8": 1, "int8": -0.5, "uint16": 211, "int16": -97, "uint32": 70001, "int32": -70001, "float32": 0.37, "float64": 0.37}
UTM = {"crs": "EPSG:32633", "transform": from_origin(500_000, 5_600_000, 0.5, 0.5)}


def values(dtype, bands):
    b, y, x = np.meshgrid(np.arange(bands), np.arange(HEIGHT), np.arange(WIDTH), indexing="ij")
    return ((3 * x + 5 * y + 40 * b) * FACTORS[dtype]).astype(dtype)


def write(name, dtype, bands=3, data=None, **options):
    options = {**UTM, **options}
    path = Path(__file__).parent / "fixtures" / f"{name}.tif"
    shape = {"width": WIDTH, "height": HEIGHT} if data is None else {"width": data.shape[2], "height": data.shape[1]}
    with rasterio.open(path, "w", driver="GTiff", count=bands, dtype=dtype, **shape, **options) as file:
        file.write(values(dtype, bands) if data is None else data)


TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}
for dtype in FACTORS:
    big = dtype in ("uint8", "int16", "float64")
    end = "BIG" if dtype in ("uint16", "int32", "float32") else "LITTLE"
    write(f"{dtype}-deflate-tiles", dtype, compress="DEFLATE", predictor=2, interleave="pixel", BIGTIFF="YES" if big else "NO", ENDIANNESS=end, **TILES)
    write(f"{dtype}-lzw-planar-strips", dtype, compress="LZW", predictor=2, interleave="band", blockysize=5, ENDIANNESS=end)
for dtype in ("float32", "float64"):
    write(f"{dtype}-float-predictor", dtype, compress="DEFLATE", predictor=3, interleave="pixel", ENDIANNESS="BIG" if dtype == "float32" else "LITTLE", **TILES)
write("uint16-none-strips", "uint16", interleave="pixel", blockysize=4)
write("uint16-none-planar", "uint16", interleave="band", blockysize=HEIGHT)
write("uint16-packbits", "uint16", compress="PACKBITS", interleave="pixel")
write("uint16-zstd", "uint16", compress="ZSTD", interleave="pixel")
write("uint16-five-bands", "uint16", bands=5, compress="DEFLATE", interleave="band")
write("uint16-two-bands", "uint16", bands=2, compress="DEFLATE")
write("uint16-rgb", "uint16", compress="DEFLATE", interleave="pixel", photometric="RGB")
write("uint8-nir", "uint8", bands=4, compress="DEFLATE", interleave="pixel", photometric="RGB", alpha="UNSPECIFIED")
write("jpeg-rgb", "uint8", compress="JPEG", photometric="RGB", interleave="pixel", JPEG_QUALITY=100, **TILES)
write("jpeg-ycbcr", "uint8", compress="JPEG", photometric="YCBCR", interleave="pixel", JPEG_QUALITY=100, **TILES)
write("jpeg-grey", "uint8", bands=1, compress="JPEG", JPEG_QUALITY=100, **TILES)
sparse = np.zeros((3, 48, 48), "uint16")
sparse[:, 20:30, 20:30] = 3000
write("sparse", "uint16", data=sparse, compress="DEFLATE", SPARSE_OK=True, nodata=0, **TILES)
rotated = Affine.translation(500_000, 5_600_000) * Affine.rotation(30) * Affine.scale(0.5, -0.5)
write("rotated", "uint8", compress="DEFLATE", transform=rotated)
write("degrees", "uint8", compress="DEFLATE", crs="EPSG:4326", transform=from_origin(12, 48, 1e-5, 1e-5))

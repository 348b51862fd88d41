"""Opens a scene, and the mask and the polygons that crobc predicted of it, in GDAL: python scripts/check-mask.py SCENE MASK [POLYGONS]

Checks that the mask has the size, the coordinate system and the place of the scene, and that the polygons cover its pixels and no
others, after GDAL has transformed them back into the scene's system and drawn them. Needs rasterio (pip install rasterio).
"""

import json
import sys

import numpy as np
import rasterio
from rasterio.features import rasterize
from rasterio.warp import transform_geom

scene_file, mask_file, *polygon_files = sys.argv[1:]
with rasterio.open(scene_file) as scene, rasterio.open(mask_file) as mask:
    print(f"rasterio {rasterio.__version__}, GDAL {rasterio.__gdal_version__}")
    print(f"scene: {scene.width} × {scene.height}, {scene.count} × {scene.dtypes[0]}, {scene.crs}, {tuple(scene.transform)[:6]}")
    print(f"mask:  {mask.width} × {mask.height}, {mask.count} × {mask.dtypes[0]}, {mask.crs}, {tuple(mask.transform)[:6]}, {mask.profile['compress']}, tiles {mask.block_shapes[0]}")
    if (mask.width, mask.height) != (scene.width, scene.height):
        sys.exit("the mask has another size")
    if mask.crs != scene.crs or mask.transform != scene.transform:
        sys.exit("the mask lies elsewhere")
    pixels = mask.read(1)
    if not set(np.unique(pixels)) <= {0, 255}:
        sys.exit(f"the mask has the values {np.unique(pixels)}")
    print(f"mask:  {np.count_nonzero(pixels):,} of {pixels.size:,} pixels are in the object")
    for name in polygon_files:
        with open(name, encoding="utf-8") as file:
            collection = json.load(file)
        # The coordinates of a GeoJSON file without a system of its own are WGS 84.
        named = collection.get("crs", {}).get("properties", {}).get("name", "EPSG:4326")
        shapes = [transform_geom(named, mask.crs, feature["geometry"]) for feature in collection["features"]]
        drawn = rasterize(shapes, out_shape=pixels.shape, transform=mask.transform, default_value=255) if shapes else pixels * 0
        other = np.count_nonzero(drawn != pixels)
        print(f"{name}: {len(shapes)} polygons in {named}, {other} pixels differ")
        if other > 0:
            sys.exit("the polygons cover other pixels")

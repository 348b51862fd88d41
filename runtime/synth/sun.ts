import { hull, type Point, type Polygon } from './geometry.ts';
import type { Random } from './random.ts';

/** The one light of a scene. */
export interface Sun {
  /** Direction towards the sun in the image, as a unit vector. */
  readonly towards: Point;
  /** Length of a shadow per height: the cotangent of the sun's elevation. */
  readonly reach: number;
}

/** Draws a sun at 35° to 60° above the horizon, from any direction. */
export function drawSun(random: Random): Sun {
  const azimuth = random.between(0, 2 * Math.PI);
  const elevation = (random.between(35, 60) * Math.PI) / 180;
  return { towards: [Math.cos(azimuth), Math.sin(azimuth)], reach: 1 / Math.tan(elevation) };
}

/** The offset of the shadow of something this high, in the unit of `height`. */
export function shadowOf({ towards: [x, y], reach }: Sun, height: number): Point {
  return [-x * reach * height, -y * reach * height];
}

/** The direction towards the sun as something that is rotated by `angle` degrees sees it. */
export function lightOn({ towards: [x, y] }: Sun, angle: number): Point {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return [x * cos + y * sin, -x * sin + y * cos];
}

/**
 * Shadows of polygons on the ground. What stands on the ground throws the area between its foot and its shadow's end;
 * what is `raised`, such as wings, only its displaced outline.
 */
export function shadows(polygons: readonly Polygon[], [dx, dy]: Point, raised: boolean): readonly Polygon[] {
  return polygons.map((polygon) => {
    const moved = polygon.map(([x, y]): Point => [x + dx, y + dy]);
    return raised ? moved : hull([...polygon, ...moved]);
  });
}

import { circle, type Mark, type Paint, path, rectangle, throughPoints } from '../drawing/drawing.ts';
import type { Shape } from './palette.ts';

/** Draws a mark around a point; all shapes are about as large as a circle of this radius. */
export function marker(shape: Shape, x: number, y: number, radius: number, paint: Paint): Mark {
  switch (shape) {
    case 'circle':
      return circle(x, y, radius, paint);
    case 'square': {
      const half = radius * 0.89;
      return rectangle({ x: x - half, y: y - half, width: 2 * half, height: 2 * half }, paint);
    }
    case 'triangle': {
      const r = radius * 1.35;
      const corners = [-90, 30, 150].map((degrees) => (degrees / 180) * Math.PI);
      return path(
        throughPoints(
          corners.map((angle) => [x + r * Math.cos(angle), y + r * Math.sin(angle)] as const),
          true,
        ),
        paint,
      );
    }
    case 'diamond': {
      const r = radius * 1.25;
      const corners = [[x, y - r] as const, [x + r, y] as const, [x, y + r] as const, [x - r, y] as const];
      return path(throughPoints(corners, true), paint);
    }
  }
}

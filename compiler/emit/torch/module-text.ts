import type { Section } from './package.ts';
import { linesOf } from './python/source.ts';

export interface ModuleTextOptions {
  readonly sections: readonly Section[];
  readonly docstring: string;
  /** Import statements of the package's own modules, which may depend on the text of the sections. */
  readonly own?: (body: string) => readonly string[];
  /** The name of a source file in comments. */
  readonly sourceName: (file: string) => string;
  /** Further lines at the end. */
  readonly end?: readonly string[];
}

/** The text of a module: its docstring, imports, the functions that it needs, and its sections. */
export function moduleText({ sections, docstring, own, sourceName, end = [] }: ModuleTextOptions): string {
  const body: string[] = [];
  let file: string | undefined;
  for (const section of sections) {
    body.push('', '');
    if (section.file !== undefined && section.file !== file) {
      file = section.file;
      body.push(`# From ${sourceName(file)}.`, '', '');
    }
    body.push(...linesOf([section.statement()], 0));
  }
  body.push(...end);
  const text = body.join('\n');
  return `${header(text, docstring, own?.(text) ?? [])}${text}\n`;
}

const gridSample = `

def grid_sample(x: Tensor, px: Tensor) -> Tensor:
    """Bilinear samples of x [B, C, H, W] at the places px [B, P, 2], in pixels: x before y,
    0 is the centre of the first pixel, and beyond the borders there are zeros.
    """
    height, width = x.shape[2:]
    across = (2.0 * px[..., 0] + 1.0) / width - 1.0
    down = (2.0 * px[..., 1] + 1.0) / height - 1.0
    grid = torch.stack([across, down], dim=-1).unsqueeze(1)
    return F.grid_sample(x, grid, align_corners=False).squeeze(2)`;

const padded = `

def padded(x: Tensor, padding: Sequence[int], value: float = 0.0) -> Tensor:
    """Pads maps by [height, width] on both sides, or by [top, left, bottom, right]."""
    top, left, bottom, right = padding if len(padding) == 4 else (*padding, *padding)
    return F.pad(x, (left, right, top, bottom), value=value)`;

/** The docstring and imports of a module, and the functions that it needs. */
function header(body: string, docstring: string, own: readonly string[]): string {
  const uses = (pattern: RegExp) => pattern.test(body);
  const functions = [...(uses(/\bgrid_sample\(/) ? [gridSample] : []), ...(uses(/\bpadded\(/) ? [padded] : [])];
  const all = body + functions.join('\n');
  const typing = ['Any', 'ClassVar', 'Literal', 'NamedTuple', 'cast'].filter((name) =>
    new RegExp(`\\b${name}\\b`).test(all),
  );
  const collections = ['Callable', 'Mapping', 'Sequence'].filter((name) => new RegExp(`\\b${name}\\b`).test(all));
  const standard = [
    ...(uses(/\bmath\./) ? ['import math'] : []),
    ...(collections.length > 0 ? [`from collections.abc import ${collections.join(', ')}`] : []),
    ...(uses(/\bpartial\(/) ? ['from functools import partial'] : []),
    ...(uses(/\bPath\(/) ? ['from pathlib import Path'] : []),
    ...(typing.length > 0 ? [`from typing import ${typing.join(', ')}`] : []),
  ];
  const tensors = ['Tensor', 'nn'].filter((name) => new RegExp(`\\b${name}\\b`).test(all));
  const packages = [
    ...(/\btorch\./.test(all) ? ['import torch'] : []),
    ...(/\bF\./.test(all) ? ['import torch.nn.functional as F'] : []),
    ...(tensors.length > 0 ? [`from torch import ${tensors.join(', ')}`] : []),
  ];
  return [
    `"""${docstring}"""`,
    '',
    'from __future__ import annotations',
    '',
    ...(standard.length > 0 ? [...standard, ''] : []),
    ...packages,
    ...(own.length > 0 ? ['', ...own] : []),
    // Two lines are empty behind a function, and one behind imports.
    ...functions,
    ...(functions.length > 0 ? [''] : []),
  ].join('\n');
}

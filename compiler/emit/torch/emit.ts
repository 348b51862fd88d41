import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import { inSourceOrder } from '../../diagnostics/order.ts';
import type { Context } from '../../elaborate/context/context.ts';
import type { ModelGraph } from '../../elaborate/models/model.ts';
import type { Program } from '../../elaborate/source/program.ts';
import { weightsModule } from './loader.ts';
import { moduleFileName } from './names.ts';
import { type Section, translatePackage } from './package.ts';
import { linesOf } from './python/source.ts';

export interface TorchOptions {
  /** The weights of the model; `needed` are those that inference reads. */
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[]; readonly needed: boolean }[];
  /** The name of a source file in comments. */
  readonly sourceName: (file: string) => string;
}

export interface TorchPackage {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What cannot be written; the files are complete only without diagnostics. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Writes a model as a Python package: a module with a class for each module of the source, and a reader of weights. */
export function emitTorch(
  program: Program,
  context: Context,
  model: ModelGraph,
  { weights, sourceName }: TorchOptions,
): TorchPackage {
  const { flat } = model;
  const { sections, refusals } = translatePackage(program, context, model);
  const seen = new Set<string>();
  const diagnostics = refusals.flatMap(({ span, what }) => {
    const key = `${span.file} ${span.start} ${what}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [diagnostic('CROB2501', span, { what })];
  });
  const own = sourceName(flat.decl.name.span.file).replace(/^.*\/|\.crob$/g, '');
  const file = ['weights', '__init__'].includes(moduleFileName(own))
    ? `${moduleFileName(own)}_model`
    : moduleFileName(own);
  const listed = weights.map(({ path, shape, needed }) => [path, { shape, needed }] as const);
  return {
    files: [
      { name: '__init__.py', text: initModule(flat.name, file) },
      { name: `${file}.py`, text: moduleText(sections, flat.name, sourceName) },
      { name: 'weights.py', text: weightsModule },
      { name: 'weights.json', text: `${JSON.stringify(Object.fromEntries(listed))}\n` },
      { name: 'py.typed', text: '' },
    ],
    diagnostics: inSourceOrder(diagnostics),
  };
}

function initModule(model: string, file: string): string {
  return `"""${model} as a PyTorch module, written by crobc.

model = ${model}()
load_weights(model, "${model}.safetensors")
"""

from .${file} import ${model}
from .weights import load_weights, named_weights

__all__ = ["${model}", "load_weights", "named_weights"]
`;
}

function moduleText(sections: readonly Section[], model: string, sourceName: (file: string) => string): string {
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
  const text = body.join('\n');
  return `${header(text, model)}${text}\n`;
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
function header(body: string, model: string): string {
  const uses = (pattern: RegExp) => pattern.test(body);
  const functions = [...(uses(/\bgrid_sample\(/) ? [gridSample] : []), ...(uses(/\bpadded\(/) ? [padded] : [])];
  const all = body + functions.join('\n');
  const typing = ['Any', 'ClassVar', 'Literal', 'NamedTuple', 'cast'].filter((name) =>
    new RegExp(`\\b${name}\\b`).test(all),
  );
  const collections = ['Callable', 'Sequence'].filter((name) => new RegExp(`\\b${name}\\b`).test(all));
  const standard = [
    ...(uses(/\bmath\./) ? ['import math'] : []),
    ...(collections.length > 0 ? [`from collections.abc import ${collections.join(', ')}`] : []),
    ...(uses(/\bpartial\(/) ? ['from functools import partial'] : []),
    ...(typing.length > 0 ? [`from typing import ${typing.join(', ')}`] : []),
  ];
  const packages = [
    ...(/\btorch\./.test(all) ? ['import torch'] : []),
    ...(/\bF\./.test(all) ? ['import torch.nn.functional as F'] : []),
    `from torch import ${/\bTensor\b/.test(all) ? 'Tensor, nn' : 'nn'}`,
  ];
  return [
    `"""${model}, written by crobc. Names, documentation and equations are those of the source."""`,
    '',
    'from __future__ import annotations',
    '',
    ...(standard.length > 0 ? [...standard, ''] : []),
    ...packages,
    // Two lines are empty behind a function, and one behind imports.
    ...functions,
    ...(functions.length > 0 ? [''] : []),
  ].join('\n');
}

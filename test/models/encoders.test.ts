// slow: runs encoders

import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { memoryHost } from '../memory-host.ts';

const shipped = [
  ...['SwinT', 'SwinS', 'SwinB', 'SwinMicro', 'ConvNeXtT', 'ConvNeXtS', 'ConvNeXtB', 'ConvNeXtMicro'].map(
    (name) => [name, 'backbone'] as const,
  ),
  ...['ClipRN50', 'ClipRN101', 'ClipResNetMicro'].map((name) => [name, 'clip'] as const),
];

/** Weights of a model by path, with their shapes. */
function weightsOf(host: ReturnType<typeof diskHost>, file: string, overrides: readonly string[]) {
  const { graph, diagnostics } = compile(host, file, { model: undefined, dims: new Map(), overrides });
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  const weights = graph!.nodes.flatMap((node) =>
    node.op === 'weight' ? [[node.attributes.path, staticShape(node.outputs[0].type)] as const] : [],
  );
  return { weights: new Map(weights), graph: graph! };
}

describe('bands of the image', () => {
  test.each(shipped)('%s takes four, and only its first convolution differs', (name, file) => {
    const source = `use std.backbone.{ImageEncoder}
use std.${file}.{${name}}
model Maps(backbone: ImageEncoder = ${name}()) where H % 32 == 0, W % 32 == 0 {
  input image: f32[B, backbone.bands, H, W]
  output maps = backbone(image)
}
`;
    const host = memoryHost({ 'maps.crob': source });
    const rgb = weightsOf(host, 'maps.crob', []);
    const four = weightsOf(host, 'maps.crob', [`backbone = ${name}(bands = 4)`]);
    const image = ({ graph }: typeof rgb) => graph.facts.show(graph.inputs[0]!.value.type.shape[1]!);
    expect([image(rgb), image(four)]).toEqual(['3', '4']);
    expect([...four.weights.keys()]).toEqual([...rgb.weights.keys()]);
    const changed = [...rgb.weights].filter(([path, shape]) => four.weights.get(path)!.join() !== shape.join());
    expect(changed.map(([, shape]) => shape[1])).toEqual([3]);
    expect(changed.map(([path]) => four.weights.get(path)![1])).toEqual([4]);
  });

  test('CroBIM takes as many as its backbone, by another backbone or by the parameter alone', () => {
    for (const override of ['backbone = SwinMicro(bands = 4)', 'backbone.bands = 4']) {
      const source = `use models.crobim.{CroBIM_micro}
use std.backbone.{SwinMicro}
model Four extends CroBIM_micro { ${override} }
`;
      const host = diskHost();
      const read = (path: string) => (path === 'four.crob' ? source : host.read(path));
      const { graph } = weightsOf({ ...host, read }, 'four.crob', []);
      expect(graph.facts.show(graph.inputs[0]!.value.type.shape[1]!)).toBe('4');
    }
  });

  test('none is an error', () => {
    const host = memoryHost({ 'none.crob': 'use std.backbone.{SwinMicro}\nexample SwinMicro(bands = 0)\n' });
    expect(check(host, ['none.crob']).diagnostics.map((d) => d.code)).not.toEqual([]);
  });
});

/** An encoder without stages: one convolution for each map. */
const flat = `use std.backbone.{ImageEncoder, VisualBackbone, SwinMicro}
module Flat(channels: int[4] = [8, 16, 24, 32], bands: int = 3): ImageEncoder {
  map = [Conv2d(bands, c, 2^(i+2), stride = 2^(i+2)) for i, c in channels]
  forward(image: f32[B, bands, H, W]) -> [f32[B, channels[i], H/2^(i+2), W/2^(i+2)] for i in 0..4]
      where H % 32 == 0, W % 32 == 0 {
    return [one(image) for one in map]
  }
}
`;

test('an encoder that only gives maps fills the slot of CroBIM without stubs', () => {
  const source = `use models.crobim.{CroBIM_micro}
${flat}
model CroBIM_Flat extends CroBIM_micro { backbone = Flat() }
`;
  const host = diskHost();
  const read = (path: string) => (path === 'flat.crob' ? source : host.read(path));
  const { weights } = weightsOf({ ...host, read }, 'flat.crob', []);
  expect([...weights.keys()].filter((path) => path.startsWith('backbone.'))).toHaveLength(8);
});

test('a host of stages takes a backbone and refuses an encoder without them', () => {
  const hosted = (backbone: string) => `${flat}
model Hosted(backbone: VisualBackbone = ${backbone}()) where H % 32 == 0, W % 32 == 0 {
  input image: f32[B, backbone.bands, H, W]
  output map = backbone.out(0, backbone.stage(0, backbone.stem(image)))
}
`;
  const codes = (backbone: string) =>
    check(memoryHost({ 'hosted.crob': hosted(backbone) }), ['hosted.crob']).diagnostics.map((d) => d.code);
  expect(codes('Flat')).toEqual(['CROB2201']);
  // A part whose weights are unused is another matter: what counts is that the slot takes it.
  expect(codes('SwinMicro')).not.toContain('CROB2201');
});

import { shippedModels } from '../../shipped.ts';
import { benchWith } from './bench.ts';
import type { Base } from './case.ts';
import { corners } from './corners.ts';

export const bench = benchWith({ 'corners.crob': corners });

export const cornerBases: readonly Base[] = [
  { file: 'corners.crob', model: 'Corners', text: modelText(corners, 'Corners') },
];

const crobim = modelText(shippedModels['crobim.crob']!, 'CroBIM');

/** Those that are checked in a moment. */
export const smallBases: readonly Base[] = [
  { file: 'crobim.crob', model: 'CroBIM_micro', text: crobim },
  { file: 'sizes.crob', model: 'CroBIM_micro_ConvNeXt', text: crobim },
  ...['Micro_WPA', 'Micro_NoCAPM', 'Micro_V124', 'Micro_NoCompensation'].map((model) => ({
    file: 'ablations_micro.crob',
    model,
  })),
];

/** Every model that crobc comes with. */
export const allBases: readonly Base[] = Object.entries(shippedModels).flatMap(([file, text]) =>
  [...text.matchAll(/^model (\w+)/gm)].map(([, model]) => ({ file, model: model! })),
);

function modelText(source: string, name: string): string {
  const start = source.indexOf(`model ${name}(`);
  const end = source.indexOf('\n}\n', start);
  if (start < 0 || end < 0) throw new Error(`no model ${name} in its source`);
  return source.slice(start, end + 3);
}

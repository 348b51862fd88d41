import { readdirSync, readFileSync } from 'node:fs';

const files = [
  'models/crobim.crob',
  'models/sizes.crob',
  ...readdirSync('models/rivals').map((name) => `models/rivals/${name}`),
];

/** The micro models that ship: their names and files. */
export const microModels = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/^model (\w+_micro\w*)/gm)].map(([, model]) => [model!, file] as const),
);

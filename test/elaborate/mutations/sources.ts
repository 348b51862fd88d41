import { librarySources, shippedModels } from '../../shipped.ts';

/** A tree of sources in which one file is changed. */
export interface Target {
  readonly files: Readonly<Record<string, string>>;
  /** The file that is changed. */
  readonly file: string;
  /** What is checked. */
  readonly checked: readonly string[];
  /** How often it is drawn. */
  readonly weight: number;
}

const own = [
  'rris',
  'fusion',
  'interaction',
  'compensation',
  'swin',
  'bert',
  'text',
  'backbone',
  'deformable',
  'attention',
  'convnext',
];

/** The library's modules as a user's own, in a folder beside the model. */
function asUsers(text: string): string {
  return text.replace(/^use std\.(\w+)\./gm, (whole, name: string) =>
    own.includes(name) ? `use parts.${name}.` : whole,
  );
}

const usersModules = Object.fromEntries(
  own.map((name) => [`parts/${name}.crob`, asUsers(librarySources[`std/${name}.crob`]!)]),
);

/** `crobim.crob` with nothing in it that is of full size, so that a check is short. */
const small = edited(shippedModels['crobim.crob']!, [
  ['SwinB(window = 12, drop_path = 0.3)', 'SwinMicro()'],
  ['BertBase()', 'BertMicro()'],
  [/\/\/\/ By accident, LAVT and RMSIN[\s\S]*?\n}\n/, ''],
  ['ConvNeXtB()', 'ConvNeXtMicro()'],
  ['SwinB, SwinMicro, ConvNeXtB', 'SwinMicro, ConvNeXtMicro'],
  ['BertBase, BertMicro', 'BertMicro'],
]);

function edited(text: string, edits: readonly (readonly [string | RegExp, string])[]): string {
  return edits.reduce((so, [from, to]) => {
    if (typeof from === 'string' ? !so.includes(from) : !from.test(so))
      throw new Error(`no ${from} in models/crobim.crob`);
    return so.replace(from, to);
  }, text);
}

const models = { ...shippedModels, 'small.crob': small };
/** One model, for changes of what it uses. */
const net = small.slice(0, small.indexOf('\n}\n', small.indexOf('model CroBIM(')) + 3);
const users = { ...usersModules, 'net.crob': asUsers(net) };

export const targets: readonly Target[] = [
  { files: models, file: 'small.crob', checked: ['small.crob'], weight: 12 },
  { files: models, file: 'crobim.crob', checked: ['crobim.crob'], weight: 2 },
  { files: models, file: 'ablations_micro.crob', checked: ['ablations_micro.crob'], weight: 2 },
  { files: models, file: 'readings.crob', checked: ['readings.crob'], weight: 1 },
  { files: models, file: 'sizes.crob', checked: ['sizes.crob'], weight: 1 },
  ...Object.keys(usersModules).map((file) => ({ files: users, file, checked: ['net.crob', file], weight: 1 })),
];

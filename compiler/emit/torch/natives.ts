import type { Found } from '../../elaborate/source/file-scope.ts';

/** A module of PyTorch that computes what a module of the library computes, with the same names of weights. */
export interface NativeModule {
  readonly type: string;
  /** Its parameters in order, by the library's names; those not here (initialisers) are left out. */
  readonly params: Readonly<Record<string, string>>;
  /** How many of them are passed by position, if they are given in order. */
  readonly positional: number;
  /** The weights that its initialisers fill, by the initialisers' names. */
  readonly initial: Readonly<Record<string, string>>;
  /** Whether it starts as PyTorch's layer does where no initialiser is given. */
  readonly startsAlike: boolean;
  /** Whether PyTorch's own initial values are needed for weights that no initialiser fills. */
  readonly keepsReset: boolean;
}

const native = (
  type: string,
  positional: number,
  params: Readonly<Record<string, string>>,
  more: Partial<NativeModule> = {},
): NativeModule => ({ type, params, positional, initial: {}, startsAlike: true, keepsReset: false, ...more });

const filled = { initial: { init: 'weight', bias_init: 'bias' }, startsAlike: false };

/** By the file and name of the library's declaration. */
const modules: Readonly<Record<string, NativeModule>> = {
  'std/linear.crob:Linear': native(
    'nn.Linear',
    2,
    { inputs: 'in_features', outputs: 'out_features', bias: 'bias' },
    filled,
  ),
  'std/linear.crob:Embedding': native(
    'nn.Embedding',
    2,
    { count: 'num_embeddings', dim: 'embedding_dim' },
    { initial: { init: 'weight' }, startsAlike: false },
  ),
  'std/conv.crob:Conv2d': native(
    'nn.Conv2d',
    3,
    {
      inputs: 'in_channels',
      outputs: 'out_channels',
      kernel: 'kernel_size',
      stride: 'stride',
      padding: 'padding',
      dilation: 'dilation',
      groups: 'groups',
      bias: 'bias',
    },
    filled,
  ),
  'std/norm.crob:LayerNorm': native('nn.LayerNorm', 1, { channels: 'normalized_shape', eps: 'eps' }),
  'std/norm.crob:GroupNorm': native('nn.GroupNorm', 2, {
    groups: 'num_groups',
    channels: 'num_channels',
    eps: 'eps',
  }),
  'std/norm.crob:BatchNorm': native(
    'nn.BatchNorm2d',
    1,
    {
      channels: 'num_features',
      eps: 'eps',
      momentum: 'momentum',
    },
    { initial: { init: 'weight' }, keepsReset: true },
  ),
  'std/drop.crob:Dropout': native('nn.Dropout', 1, { rate: 'p' }),
};

const keyOf = ({ decl, file }: Found) => `${file.file}:${decl.name.name}`;

/** Returns the module of PyTorch that is the same; undefined if there is none. */
export function nativeModule(found: Found): NativeModule | undefined {
  return modules[keyOf(found)];
}

/** The names of the library's declarations in the table, for the tests. */
export const nativeNames: readonly string[] = Object.keys(modules);

/** Bodies of library functions for which PyTorch has a function of its own. */
const functions: Readonly<Record<string, readonly string[]>> = {
  'std/resize.crob:resize': interpolated([
    'out = F.interpolate(',
    '    maps, (height, width), mode="bilinear", align_corners=align_corners',
    ')',
  ]),
  'std/resize.crob:resize_nearest': interpolated(['out = F.interpolate(maps, (height, width), mode="nearest")']),
  'std/resize.crob:resize_area': interpolated(['out = F.interpolate(maps, (height, width), mode="area")']),
};

function interpolated(out: readonly string[]): readonly string[] {
  return [
    'maps = x.reshape(-1, 1, x.shape[-2], x.shape[-1])',
    'height, width = size',
    ...out,
    'return out.reshape(*x.shape[:-2], height, width)',
  ];
}

/** Returns the body of a function that calls PyTorch's own; undefined if the source's is translated. */
export function nativeBody(found: Found): readonly string[] | undefined {
  return functions[keyOf(found)];
}

export const nativeFunctionNames: readonly string[] = Object.keys(functions);

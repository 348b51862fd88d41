/** An argument of an initialiser; it is required if it has no default. */
export interface InitialiserArgument {
  readonly name: string;
  readonly kind: 'float' | 'int';
  readonly default: number | undefined;
}

export interface Initialiser {
  readonly docs: string;
  readonly arguments: readonly InitialiserArgument[];
  /**
   * Returns what is wrong with these (complete) arguments for a weight of this shape, or undefined if they are valid.
   */
  readonly fault: (at: (argument: string) => number, shape: readonly number[]) => string | undefined;
}

const float = (name: string, value?: number): InitialiserArgument => ({ name, kind: 'float', default: value });
const int = (name: string): InitialiserArgument => ({ name, kind: 'int', default: undefined });

const never = (): undefined => undefined;

function fansFault(shape: readonly number[]): string | undefined {
  return shape.length < 2
    ? `fan in and fan out need a weight of rank 2 or more, and this one has ${shape.length}`
    : undefined;
}

/**
 * Every initialiser that may follow `~`, with its arguments in positional order. The elaborator checks programs against
 * this table; runtime/initialise.ts draws the values.
 */
export const initialisers = {
  zeros: { docs: 'All 0.', arguments: [], fault: never },
  ones: { docs: 'All 1.', arguments: [], fault: never },
  constant: { docs: 'All `value`.', arguments: [float('value')], fault: never },
  normal: {
    docs: 'Normal with this mean and standard deviation.',
    arguments: [float('std', 1), float('mean', 0)],
    fault: (at) => (at('std') < 0 ? 'std must not be negative' : undefined),
  },
  trunc_normal: {
    docs: 'Normal, cut off at `a` and `b` (absolute bounds, not multiples of std), as PyTorch `trunc_normal_` and timm.',
    arguments: [float('std', 1), float('mean', 0), float('a', -2), float('b', 2)],
    fault: (at) => {
      if (at('std') < 0) return 'std must not be negative';
      return at('a') < at('b') ? undefined : 'a must be below b';
    },
  },
  uniform: {
    docs: 'Uniform between `low` and `high`.',
    arguments: [float('low', 0), float('high', 1)],
    fault: (at) => (at('low') <= at('high') ? undefined : 'low must not be above high'),
  },
  xavier_uniform: {
    docs: 'Uniform within ±gain·√(6 / (fan in + fan out)) (Glorot and Bengio 2010), fans as PyTorch counts them.',
    arguments: [float('gain', 1)],
    fault: (_at, shape) => fansFault(shape),
  },
  kaiming_uniform: {
    docs: 'Uniform within ±√(6 / ((1 + a²)·fan in)) (He et al. 2015); a = √5 is the default of PyTorch layers.',
    arguments: [float('a', 0)],
    fault: (_at, shape) => fansFault(shape),
  },
  ring: {
    docs:
      'Bias of sampling offsets in deformable attention: head h looks in direction 2πh/heads, scaled to the unit square, ' +
      'times point + 1; laid out [heads, levels, points, 2] and flattened.',
    arguments: [int('heads'), int('levels'), int('points')],
    fault: (at, shape) => {
      if (Math.min(at('heads'), at('levels'), at('points')) < 1) return 'heads, levels and points must be at least 1';
      const wanted = at('heads') * at('levels') * at('points') * 2;
      const size = shape.reduce((product, d) => product * d, 1);
      return size === wanted ? undefined : `heads*levels*points*2 is ${wanted}, and the weight has ${size} elements`;
    },
  },
} as const satisfies Readonly<Record<string, Initialiser>>;

export type InitialiserName = keyof typeof initialisers;

export function isInitialiser(name: string): name is InitialiserName {
  return Object.hasOwn(initialisers, name);
}

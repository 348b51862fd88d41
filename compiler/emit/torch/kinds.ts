import type { Found } from '../../elaborate/source/file-scope.ts';
import type { NativeModule } from './natives.ts';

/** What the translation to Python needs to know about the value of an expression. */
export type Kind =
  | { readonly kind: 'tensor'; readonly dtype: 'f32' | 'i32' | 'bool'; readonly rank: number | undefined }
  | { readonly kind: 'int' }
  | { readonly kind: 'float' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string'; readonly choices: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'list'; readonly of: Kind }
  | { readonly kind: 'tuple'; readonly name: string; readonly items: readonly TupleItem[] }
  | {
      readonly kind: 'part';
      readonly of: Found;
      readonly name: string;
      readonly native: NativeModule | undefined;
      /** Names the class among those of one module whose inside variants change in different ways. */
      readonly version: string;
    }
  /** What constructs a part: a class, a function or a `partial` of one. */
  | { readonly kind: 'factory'; readonly of: Found; readonly name: string }
  | { readonly kind: 'function'; readonly of: Found | undefined }
  | { readonly kind: 'init' }
  | { readonly kind: 'optional'; readonly of: Kind }
  | { readonly kind: 'unknown' };

export interface TupleItem {
  readonly name: string;
  /** The name of the attribute in Python. */
  readonly attribute: string;
  readonly of: Kind;
}

export const int: Kind = { kind: 'int' };
export const float: Kind = { kind: 'float' };
export const bool: Kind = { kind: 'bool' };
export const none: Kind = { kind: 'none' };
export const unknown: Kind = { kind: 'unknown' };
export const tensor = (dtype: 'f32' | 'i32' | 'bool' = 'f32', rank?: number): Kind => ({ kind: 'tensor', dtype, rank });
export const listOf = (of: Kind): Kind => ({ kind: 'list', of });

export function optional(of: Kind): Kind {
  return of.kind === 'optional' || of.kind === 'none' ? of : { kind: 'optional', of };
}

/** The kind without `none`. */
export function given(kind: Kind): Kind {
  return kind.kind === 'optional' ? kind.of : kind;
}

export function isTensor(kind: Kind): boolean {
  return given(kind).kind === 'tensor';
}

/** Whether a value holds tensors. */
export function holdsTensors(kind: Kind): boolean {
  const own = given(kind);
  if (own.kind === 'list') return holdsTensors(own.of);
  return own.kind === 'tensor' || own.kind === 'tuple';
}

/** The kind of a value that is one of two. */
export function either(a: Kind, b: Kind): Kind {
  if (a.kind === 'unknown') return b;
  if (b.kind === 'unknown') return a;
  if (a.kind === 'none') return optional(b);
  if (b.kind === 'none') return optional(a);
  if (a.kind === 'optional' || b.kind === 'optional') return optional(either(given(a), given(b)));
  if (a.kind === 'int' && b.kind === 'float') return b;
  if (a.kind === 'list' && b.kind === 'list') return listOf(either(a.of, b.of));
  if (a.kind === 'tensor' && b.kind === 'tensor')
    return { kind: 'tensor', dtype: a.dtype, rank: a.rank === b.rank ? a.rank : undefined };
  return a;
}

/** The type in annotations of parameters. */
export function parameterType(kind: Kind): string {
  switch (kind.kind) {
    case 'tensor':
      return 'Tensor';
    case 'int':
    case 'float':
    case 'bool':
      return kind.kind;
    case 'string':
      return kind.choices.length > 0 ? `Literal[${kind.choices.map((one) => `"${one}"`).join(', ')}]` : 'str';
    case 'none':
      return 'None';
    case 'list':
      return given(kind.of).kind === 'part'
        ? 'nn.ModuleList | Sequence[nn.Module]'
        : `Sequence[${parameterType(kind.of)}]`;
    case 'tuple':
      return kind.name;
    case 'part':
      return kind.native?.type ?? kind.name;
    case 'factory':
      return `Callable[..., ${kind.name}]`;
    case 'function':
      return 'Callable[..., Tensor]';
    case 'init':
      return 'Callable[[Tensor], Tensor]';
    case 'optional':
      return `${parameterType(kind.of)} | None`;
    case 'unknown':
      return 'Any';
  }
}

/** The type in annotations of results and variables, whose lists are made there. */
export function resultType(kind: Kind): string {
  if (kind.kind === 'list') return given(kind.of).kind === 'part' ? 'nn.ModuleList' : `list[${resultType(kind.of)}]`;
  if (kind.kind === 'optional') return `${resultType(kind.of)} | None`;
  return parameterType(kind);
}

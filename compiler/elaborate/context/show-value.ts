import { asConstant, print } from '../../dims/dim.ts';
import type { Val } from './elaborated.ts';
import { asNumber } from './values.ts';

/** Describes a value in a message: `the int 3`, `a dim`, `a tensor`. */
export function describe(value: Val): string {
  switch (value.kind) {
    case 'dim': {
      const n = asConstant(value.dim);
      return n === undefined ? 'a dim' : `the int ${n}`;
    }
    case 'float':
      return `the float ${value.value}`;
    case 'bool':
      return `the bool ${value.value}`;
    case 'string':
      return `the string ${JSON.stringify(value.value)}`;
    case 'none':
      return 'none';
    case 'list': {
      const plain = value.items.length <= 8 && value.items.every((item) => asNumber(item) !== undefined);
      return plain ? `the list [${value.items.map(asNumber).join(', ')}]` : `a list of ${value.items.length}`;
    }
    case 'tuple':
      return `a tuple (${[...value.items.keys()].join(', ')})`;
    case 'function':
      return `the function ${value.decl.name.name}`;
    case 'builtin':
      return `the function ${value.name}`;
    case 'init':
      return `the initialiser ${value.init.name}`;
    case 'spec':
      return `the module ${value.spec.decl.name.name}`;
    case 'instance':
      return `the module ${value.instance.decl.name.name}`;
    case 'method':
      return `the method ${value.method.decl.name.name}`;
    case 'tensor':
      return 'a tensor';
    case 'error':
      return 'an error';
  }
}

/** Returns a static value as source text, for messages and manifests. */
export function showStatic(value: Val | undefined): string {
  if (!value) return 'unset';
  switch (value.kind) {
    case 'list':
      return `[${value.items.map(showStatic).join(', ')}]`;
    case 'dim':
      return print(value.dim);
    case 'float':
    case 'bool':
      return String(value.value);
    case 'string':
      return JSON.stringify(value.value);
    case 'function':
      return value.decl.name.name;
    case 'builtin':
      return value.name;
    case 'init': {
      const { name, args } = value.init;
      return Object.keys(args).length === 0 ? name : `${name}(${named(Object.entries(args))})`;
    }
    case 'spec': {
      const { decl, args } = value.spec;
      return `${decl.name.name}(${named([...args].map(([name, given]) => [name, showStatic(given.value)]))})`;
    }
    default:
      return describe(value).replace(/^(the|a) /, '');
  }
}

/** Formats named arguments. */
function named(args: readonly (readonly [string, unknown])[]): string {
  return args.map(([name, value]) => `${name} = ${value}`).join(', ');
}

import { cut, quoted } from '../files/shown.ts';
import type { PickleValue } from './pickle-value.ts';

/** Maximum depth and number of values that are shown: a pickle may contain itself, or one value many times. */
const deepest = 4;
const most = 200;

/** Formats a value as Python's `repr` does, in part if it is long. */
export function shownPickle(value: PickleValue, length = 400): string {
  let left = most;
  const list = (items: readonly PickleValue[], depth: number): string =>
    items.map((item) => show(item, depth + 1)).join(', ');
  const pairs = (entries: readonly (readonly [PickleValue, PickleValue])[], depth: number, sign: string): string =>
    entries
      .slice(0, most)
      .map(([key, item]) => {
        const name = sign === '=' && typeof key === 'string' ? key : show(key, depth + 1);
        return `${name}${sign}${show(item, depth + 1)}`;
      })
      .join(', ');
  const show = (one: PickleValue, depth: number): string => {
    if (one === null) return 'None';
    if (typeof one === 'string') return quoted(one);
    if (typeof one === 'boolean') return one ? 'True' : 'False';
    if (typeof one !== 'object') return String(one);
    if (depth > deepest || --left < 0) return '…';
    switch (one.kind) {
      case 'list':
        return `[${list(one.items.slice(0, most), depth)}]`;
      case 'tuple':
        return `(${list(one.items.slice(0, most), depth)})`;
      case 'set':
        return `{${list(one.items.slice(0, most), depth)}}`;
      case 'dict':
        return `{${pairs(one.entries, depth, ': ')}}`;
      case 'bytes':
        return `${one.bytes.length} bytes`;
      case 'global':
        return one.name;
      case 'storage':
        return `a storage of ${one.length}`;
      case 'tensor':
        return `a tensor [${one.shape.join(', ')}]`;
      case 'object': {
        const scalar = numpyScalar(one.type, one.args);
        if (scalar !== undefined) return String(scalar);
        const name = one.type.split('.').at(-1)!;
        const { state } = one;
        const fields = typeof state === 'object' && state?.kind === 'dict' ? pairs(state.entries, depth, '=') : '';
        const rest = [
          list(one.args.slice(0, most), depth),
          list(one.items.slice(0, most), depth),
          pairs(one.entries, depth, ': '),
          fields,
        ];
        return `${name}(${rest.filter((text) => text !== '').join(', ')})`;
      }
    }
  };
  return cut(show(value, 0), length);
}

/** Returns the value of a numpy scalar; undefined for other objects. */
function numpyScalar(type: string, [dtype, data]: readonly PickleValue[]): number | bigint | boolean | undefined {
  if (!type.endsWith('multiarray.scalar')) return undefined;
  if (typeof dtype !== 'object' || dtype?.kind !== 'object' || typeof data !== 'object' || data?.kind !== 'bytes')
    return undefined;
  const code = dtype.args[0];
  const { bytes } = data;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (`${String(code)} ${bytes.length}`) {
    case 'f8 8':
      return view.getFloat64(0, true);
    case 'f4 4':
      return view.getFloat32(0, true);
    case 'i8 8':
      return view.getBigInt64(0, true);
    case 'i4 4':
      return view.getInt32(0, true);
    case 'b1 1':
      return view.getUint8(0) !== 0;
    default:
      return undefined;
  }
}

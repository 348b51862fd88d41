import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Call } from '../context/elaborated.ts';
import { childPath } from '../context/paths.ts';
import { flattenType } from '../context/template.ts';
import type { ModelGraph } from './model.ts';

/** A module of a model, with the types of its first call. */
export interface OutlineEntry {
  readonly path: string;
  /** `SwinBlock`, or `BertBase.embed` for a method that is not `forward`. */
  readonly module: string;
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
}

/** Returns the modules of a model by path, in the order of their first calls. */
export function outline(model: ModelGraph, bound: ReadonlyMap<string, Dim>): Map<string, OutlineEntry> {
  const found = new Map<string, OutlineEntry>();
  const seen = new Set<string>();
  const walk = (calls: readonly Call[], path: string, by: ReadonlyMap<string, Dim>): void => {
    for (const call of calls) {
      const below = call.absolute ? call.path : childPath(path, call.path);
      const inner = new Map([...call.dims].map(([name, d]) => [name, dims.substitute(d, by)]));
      const isModule = call.path !== '' || call.absolute;
      if (isModule && !found.has(below)) {
        const bind = (types: readonly { type: TensorType }[]): TensorType[] =>
          types.map(({ type }) => ({ dtype: type.dtype, shape: type.shape.map((d) => dims.substitute(d, inner)) }));
        found.set(below, {
          path: below,
          module: call.template.label,
          inputs: bind(call.template.params.flatMap((param) => flattenType(param.type, param.name))),
          outputs: bind(flattenType(call.template.result, '')),
        });
      }
      const key = `${call.template.key}@${below}`;
      if (seen.has(key)) continue;
      seen.add(key);
      walk(call.template.body?.calls ?? [], below, inner);
    }
  };
  walk(model.calls, '', bound);
  return found;
}

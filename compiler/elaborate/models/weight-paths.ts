import type { Span } from '../../../grammar/span.ts';
import type { TensorType } from '../../ir/graph.ts';
import { identicalTypes } from '../../ir/shapes.ts';
import type { Context } from '../context/context.ts';
import { childPath } from '../context/paths.ts';
import type { Call } from '../context/template.ts';
import { ownPaths, reportTwice } from '../modules/weight-paths.ts';
import { fail } from '../report/report.ts';
import type { ModelGraph } from './model.ts';

/** The same for the parts of a model, and for weights whose paths meet further down. */
export function checkWeightPaths(context: Context, model: ModelGraph): void {
  const fields = [...model.flat.fields];
  const placed = fields.flatMap(([name, { decl }]) =>
    ownPaths(model.instances.get(name), '').map((path) => ({ path, span: decl.span })),
  );
  if (fields.some(([, { decl }]) => decl.attributes.length > 0) && !reportTwice(context, placed)) return;
  const weights = new Map<string, { readonly span: Span | undefined; readonly type: TensorType }>();
  const visited = new Set<string>();
  const walk = (calls: readonly Call[], path: string): void => {
    for (const { template, path: own, absolute } of calls) {
      const below = absolute ? own : childPath(path, own);
      const key = `${template.key}@${below}`;
      if (visited.has(key)) continue;
      visited.add(key);
      for (const node of template.body.weights) {
        const at = childPath(below, node.attributes.path);
        const { type } = node.outputs[0]!;
        const { span } = node.origin;
        const earlier = weights.get(at);
        if (!earlier) weights.set(at, { span, type });
        else if (span && earlier.span && (earlier.span.start !== span.start || !identicalTypes(earlier.type, type)))
          fail({ context }, 'CROB2014', span, { path: at }, { notes: [{ span: earlier.span, text: 'the other one' }] });
      }
      walk(template.body.calls, below);
    }
  };
  walk(model.calls, '');
}

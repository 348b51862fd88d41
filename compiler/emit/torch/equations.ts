import type { Statement } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import { type Equation, isWritten } from '../../elaborate/models/flat-model.ts';
import type { FileScope } from '../../elaborate/source/file-scope.ts';
import type { Body } from './body.ts';

/** The `let`s of a model or a recipe, by name, with the files that they are in. */
export type Lets = ReadonlyMap<string, { readonly decl: Equation; readonly file: FileScope }>;

/** Emits the `let`s that an expression reads. */
export function equationsOf(body: Body, lets: Lets, expr: object, done: Set<string>): void {
  for (const node of nodesBelow(expr)) if (node.kind === 'name') equation(body, lets, node.name, done);
}

/** Emits a `let` behind those that it reads. */
export function equation(body: Body, lets: Lets, name: string, done: Set<string>): void {
  const from = lets.get(name);
  if (!from || done.has(name)) return;
  done.add(name);
  const { decl, file } = from;
  if (decl.kind === 'let-item') {
    equation(body, lets, decl.whole, done);
    return;
  }
  equationsOf(body, lets, decl.value, done);
  body.within(file, () => body.run([statementOf(lets, decl)]));
}

function statementOf(lets: Lets, decl: Extract<Equation, { kind: 'model-let' }>): Statement {
  const { docs, name, value, span } = decl;
  if (isWritten(name.name)) return { kind: 'let', docs, name, value, span };
  const items = [...lets.values()].flatMap(({ decl: one }) =>
    one.kind === 'let-item' && one.whole === name.name ? [one] : [],
  );
  const names = (items[0]?.names ?? []).map(({ item, name: own }, i) => {
    const kept = items.some(({ position }) => position === i);
    return { item, name: kept ? own : { ...own, name: '_' } };
  });
  return { kind: 'let-items', docs, names, value, span };
}

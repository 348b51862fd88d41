import type { Expr, WeightsDecl } from '../../grammar/tree.ts';
import { fileBody, type Session } from './body.ts';
import { didYouMean } from './did-you-mean.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';

/** What may be done to a published tensor on its way in, with the arguments behind the name. */
const transforms: Readonly<Record<string, readonly string[]>> = {
  split: ['axis', 'sizes'],
  concat: ['axis'],
  transpose: ['perm'],
  reshape: ['shape'],
  resize: ['shape'],
  skip: [],
};

/**
 * Checks `"from" -> "to"` rules: name patterns with `{i}` holes that the right side may repeat, `{a,b}` alternatives,
 * and a transform around the right side.
 */
export function checkWeightsMap(session: Session, decl: WeightsDecl, file: FileScope): void {
  const found = file.lookup(decl.target.name);
  if (!found || (found.decl.kind !== 'module' && found.decl.kind !== 'model')) {
    fail(
      { session },
      found ? 'CROB2008' : 'CROB2001',
      decl.target.span,
      { name: decl.target.name, actual: found?.decl.kind ?? '', expected: 'a module or a model' },
      {
        help: found ? undefined : didYouMean(decl.target.name, file.names()),
      },
    );
  }
  for (const rule of decl.rules) {
    const from = holes(session, rule.from);
    const to = target(session, rule.to, file);
    if (!from || !to) continue;
    const unknown = [...to].find((hole) => !from.has(hole));
    if (unknown) {
      fail(
        { session },
        'CROB2330',
        rule.to.span,
        { reason: `{${unknown}} stands on the right and not on the left` },
        {
          help: from.size ? `the left side has ${[...from].map((h) => `{${h}}`).join(', ')}` : undefined,
        },
      );
    }
  }
}

/** The holes of a name pattern, or of a list of patterns that have the same ones. */
function holes(session: Session, expr: Expr): Set<string> | undefined {
  if (expr.kind === 'list') {
    const all = new Set<string>();
    for (const item of expr.items) for (const hole of holes(session, item) ?? []) all.add(hole);
    return all;
  }
  if (expr.kind !== 'string') {
    fail({ session }, 'CROB2330', expr.span, { reason: 'a rule goes from a name in quotes' });
    return undefined;
  }
  const found = new Set<string>();
  for (const [, inside] of expr.value.matchAll(/\{([^{}]*)\}/g)) {
    if (/^\w+$/.test(inside!)) found.add(inside!);
    else if (!/^\w+(,\s*\w+)+$/.test(inside!)) {
      fail({ session }, 'CROB2330', expr.span, { reason: `{${inside}} is neither a name nor a list of alternatives` });
      return undefined;
    }
  }
  if (/[{}]/.test(expr.value.replace(/\{[^{}]*\}/g, ''))) {
    fail({ session }, 'CROB2330', expr.span, { reason: 'a brace is open' });
    return undefined;
  }
  return found;
}

function target(session: Session, expr: Expr, file: FileScope): Set<string> | undefined {
  if (expr.kind !== 'call') return expr.kind === 'name' && expr.name === 'skip' ? new Set() : holes(session, expr);
  const name = expr.callee.kind === 'name' ? expr.callee.name : '';
  const known = transforms[name];
  if (!known) {
    fail(
      { session },
      'CROB2330',
      expr.callee.span,
      { reason: `there is no transform ${name || 'of this form'}` },
      { help: didYouMean(name, Object.keys(transforms)) ?? `transforms are ${Object.keys(transforms).join(', ')}` },
    );
    return undefined;
  }
  const [first, ...rest] = expr.args;
  for (const arg of rest) {
    if (!arg.name || !known.includes(arg.name.name)) {
      fail(
        { session },
        'CROB2009',
        arg.name?.span ?? arg.value.span,
        { name: arg.name?.name ?? 'this', callee: name },
        { help: known.length ? `its arguments are ${known.join(', ')}` : undefined },
      );
    } else {
      session.interpreter.evaluate(fileBody(session, file), arg.value);
    }
  }
  return first ? target(session, first.value, file) : new Set();
}

import type { Declaration, Ident, ModelDecl } from '../../grammar/tree.ts';
import { diagnostic } from '../diagnostics/diagnostic.ts';
import { asConstant, constant, type Dim, DimOverflow, variables } from '../dims/dim.ts';
import { type Clause, Facts, showClause } from '../dims/facts.ts';
import type { Session } from './body.ts';
import { flattenModel } from './flatten.ts';
import { elaborateModel, type ModelGraph } from './model.ts';
import type { FileScope } from './program.ts';
import { checkReached } from './reach.ts';
import { fail } from './report.ts';
import { substituteClause } from './signature.ts';
import type { Call, Template } from './template.ts';
import { checkWeightPaths } from './weight-paths.ts';

/** Most operators that a model may have once its calls are expanded. */
const operatorLimit = 1_000_000;

function isOfReasonableSize(model: ModelGraph): boolean {
  const known = new Map<Template, number>();
  const sizeOf = (template: Template): number => {
    let size = known.get(template);
    if (size === undefined) {
      size = (template.body?.nodes.length ?? 0) + total(template.body?.calls ?? []);
      known.set(template, size);
    }
    return size;
  };
  const total = (calls: readonly Call[]): number => calls.reduce((sum, call) => sum + 1 + sizeOf(call.template), 0);
  return model.nodes.length + total(model.calls) <= operatorLimit;
}

function isSound(calls: readonly Call[], seen: Set<Template> = new Set()): boolean {
  return calls.every(({ template }) => {
    if (seen.has(template)) return true;
    seen.add(template);
    return template.body?.sound === true && isSound(template.body.calls, seen);
  });
}

/** A model in the session's form, with everything that is wrong with it reported; undefined when something is. */
export function modelGraph(session: Session, decl: ModelDecl, file: FileScope): ModelGraph | undefined {
  let errors = 0;
  const counting: Session = {
    ...session,
    report(d) {
      errors++;
      const { span } = decl;
      const inside = d.span.file === span.file && span.start <= d.span.start && d.span.end <= span.end;
      const known =
        inside ||
        !decl.base ||
        d.notes.some(
          (note) => note.span.file === span.file && span.start <= note.span.start && note.span.end <= span.end,
        );
      // What a variant breaks in its base or in the library is the variant's doing.
      session.report(
        known ? d : { ...d, notes: [...d.notes.slice(0, 2), { span: decl.name.span, text: `in ${decl.name.name}` }] },
      );
    },
  };
  const flat = flattenModel(counting, decl, file);
  const model = flat && elaborateModel(counting, flat);
  // A method that was wrong in an earlier model was reported there.
  if (!model || errors > 0 || !isSound(model.calls)) return undefined;
  if (!isOfReasonableSize(model)) {
    fail({ session: counting }, 'CROB2225', decl.name.span, {
      what: `the number of operators of ${decl.name.name}`,
      limit: operatorLimit,
    });
    return undefined;
  }
  checkReached(counting, model);
  checkWeightPaths(counting, model);
  return errors === 0 ? model : undefined;
}

/** Sizes must be of dims that the model has, and keep its conditions. */
export function checkSizes(
  session: Session,
  model: ModelGraph,
  { name: of, span }: Ident,
  sizes: ReadonlyMap<string, number>,
): void {
  const free = new Set(model.inputs.flatMap((input) => input.value.type.shape.flatMap((d) => [...variables(d)])));
  for (const name of sizes.keys()) {
    if (free.has(name)) continue;
    session.report(diagnostic('CROB2116', span, { name }, { help: `the dims of ${of} are ${[...free].join(', ')}` }));
  }
  for (const clause of brokenGuards(model, sizes)) {
    session.report(
      diagnostic('CROB2207', span, { what: of, clause }, { details: [...sizes].map(([name, n]) => `${name} = ${n}`) }),
    );
  }
}

/** Conditions of the model that the bound sizes break. */
function brokenGuards(model: ModelGraph, bindings: ReadonlyMap<string, number>): string[] {
  const by = new Map<string, Dim>([...bindings].map(([dim, n]) => [dim, constant(n)]));
  return model.facts.clauses
    .filter((clause) => Facts.none.holds(substituteClause(clause, by)).answer === 'refuted' && isGround(clause, by))
    .map((clause) => showClause(clause));
}

function isGround(clause: Clause, by: ReadonlyMap<string, Dim>): boolean {
  const bound = substituteClause(clause, by);
  return (bound.kind === 'mod' ? [bound.value] : [bound.left, bound.right]).every(
    (side) => asConstant(side) !== undefined,
  );
}

/** Expressions report numbers that are too large themselves; here are those that come up between them. */
export function withinIntegers<T>(session: Session, decl: Declaration, check: () => T): T | undefined {
  try {
    return check();
  } catch (e) {
    if (!(e instanceof DimOverflow)) throw e;
    session.report(diagnostic('CROB2224', decl.name.span, {}));
    return undefined;
  }
}

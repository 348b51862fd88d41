import { foreignMethod, foreignPrefixes } from '../../../grammar/foreign.ts';
import type { Span } from '../../../grammar/span.ts';
import type { MemberExpr } from '../../../grammar/tree.ts';
import { initialisers } from '../../ir/initialisers.ts';
import type { Val } from '../context/elaborated.ts';
import { type Scope, writerOf } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { dimVal, error, namesOf, noneGiven, specOf } from '../context/values.ts';
import { readMember } from '../modules/members.ts';
import { argText, fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { unknownNameHelp } from '../source/unknown-names.ts';
import { builtins, initialiser } from './builtins/table.ts';
import { evaluate } from './evaluate.ts';

/** Evaluates a name. `called` is whether arguments follow: an upper-case name is then a module, not a dim. */
export function valueOfName(scope: Scope, text: string, span: Span, called = false): Val {
  const found = lookup(scope, text, span);
  if (found) return found;
  const later = scope.later(text);
  if (later) return fail(scope, 'CROB2208', span, { what: later });
  if (isUpper(text)) {
    const dim = called ? undefined : scope.dims.get(text);
    if (dim) return dimVal(dim);
    if (called)
      return fail(
        scope,
        'CROB2001',
        span,
        { name: text },
        { help: unknownNameHelp(scope.context.run.program, scope.file, text, scope.file.names()) },
      );
    const dimNames = [...scope.dims.known.keys()];
    const help =
      unknownNameHelp(scope.context.run.program, scope.file, text, [...dimNames, ...scope.file.names()]) ??
      (dimNames.length > 0 ? `the dims here are ${dimNames.join(', ')}` : undefined);
    return fail(scope, 'CROB2116', span, { name: text }, { help });
  }
  const visible = [
    ...scope.locals.names(),
    ...scope.memberNames(),
    ...scope.file.names(),
    ...builtins.keys(),
    'training',
  ];
  if (scope.inits) visible.push(...Object.keys(initialisers));
  return fail(
    scope,
    'CROB2001',
    span,
    { name: text },
    {
      help: unknownNameHelp(scope.context.run.program, scope.file, text, visible) ?? scope.hint(text) ?? dimHelp(scope),
    },
  );
}

/** The help for an unknown lower-case name in a signature, which is meant as a parameter or, mistakenly, as a dim. */
function dimHelp(scope: Scope): string | undefined {
  return scope.dims.open ? 'a dim begins with an upper-case letter; other sizes are parameters' : undefined;
}

/** Reports `nn.Linear`, `F.interpolate` and `self.norm` once, about the name after the last dot. */
function prefixed(scope: Scope, expr: MemberExpr): Val | undefined {
  let root = expr.object;
  while (root.kind === 'member') root = root.object;
  if (root.kind !== 'name') return undefined;
  const isSelf = root.name === 'self';
  if (!isSelf && !foreignPrefixes.has(root.name)) return undefined;
  if (lookup(scope, root.name, root.span)) return undefined;
  const text = expr.name.name;
  const found = isSelf ? undefined : lookup(scope, text, expr.name.span);
  const foreign = foreignMethod(text, 'x');
  const help = isSelf
    ? `the members of a module are named directly: \`${text}\``
    : found && (found.kind !== 'init' || scope.inits || foreign === undefined)
      ? `names have no prefix here: \`${text}\``
      : (foreign ??
        unknownNameHelp(scope.context.run.program, scope.file, text, [...scope.file.names(), ...builtins.keys()]));
  return fail(scope, 'CROB2001', expr.span, { name: scope.context.run.program.text(expr.span) }, { help });
}

/** By character code, since it is called for every name. */
function isUpper(text: string): boolean {
  const code = text.charCodeAt(0);
  return code >= 65 && code <= 90;
}

function lookup(scope: Scope, text: string, span: Span): Val | undefined {
  const local = scope.locals.get(text) ?? scope.member(text, span);
  if (local) return local;
  const dim = isUpper(text) ? scope.dims.named(text) : undefined;
  if (dim) return dimVal(dim);
  if (scope.inits) {
    const init = initialiser(text);
    if (init) return init;
  }
  const found = scope.file.lookup(text);
  // While the dims of a signature are declared, only a module or function takes precedence over a dim of that name.
  if (found && (found.decl.kind === 'fn' || found.decl.kind === 'module' || !scope.dims.open || !isUpper(text))) {
    switch (found.decl.kind) {
      case 'fn':
        return { kind: 'function', decl: found.decl, file: found.file };
      case 'module':
        return {
          kind: 'spec',
          spec: specOf({ decl: found.decl, file: found.file }, noneGiven, { span, writer: writerOf(scope) }),
        };
      default:
        return fail(
          scope,
          'CROB2008',
          span,
          { name: text, actual: found.decl.kind, expected: 'a value' },
          {
            notes: [{ span: found.decl.name.span, text: 'declared here' }],
          },
        );
    }
  }
  if (text === 'training') {
    const { training, reads } = scope.context;
    reads.push({ kind: 'training', value: training });
    return { kind: 'bool', value: training };
  }
  const builtin = builtins.get(text);
  // Where there is no graph, nothing can be drawn: `uniform` is the initialiser there.
  const init = !builtin || scope.graph === undefined ? initialiser(text) : undefined;
  return init ?? (builtin && { kind: 'builtin', name: builtin.name });
}

export function valueOfMember(scope: Scope, expr: MemberExpr): Val {
  const foreign = prefixed(scope, expr);
  if (foreign) return foreign;
  const object = evaluate(scope, expr.object);
  const text = expr.name.name;
  switch (object.kind) {
    case 'error':
      return error;
    case 'instance': {
      const found = readMember(scope, scope.context, object.instance, text);
      if (found) return found;
      const { decl } = object.instance;
      const isWeight = decl.members.some((m) => (m.kind === 'param' || m.kind === 'buffer') && m.name.name === text);
      const help = isWeight
        ? `weights belong to the methods of their module: give ${decl.name.name} a method that returns it`
        : didYouMean(text, namesOf(object.instance));
      return fail(
        scope,
        'CROB2005',
        expr.name.span,
        { name: text, what: `module ${decl.name.name}` },
        {
          help,
          notes: [{ span: decl.name.span, text: 'declared here' }],
        },
      );
    }
    case 'tuple': {
      const found = object.items.get(text);
      if (found) return found;
      const help = didYouMean(text, object.items.keys()) ?? `it has ${[...object.items.keys()].join(', ')}`;
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: 'the result' }, { help });
    }
    case 'tensor': {
      const shown = argText(scope, expr.object);
      const help =
        inPlaceHelp(scope, text, shown) ??
        foreignMethod(text, shown) ??
        (takesTensors(scope, text)
          ? `a tensor has no members; functions take it: \`${text}(${shown})\``
          : `a tensor has no members: functions take it, such as rearrange(${shown}, "…")`);
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: 'a tensor' }, { help });
    }
    default:
      return fail(scope, 'CROB2005', expr.name.span, { name: text, what: describe(object) });
  }
}

/** The help for `x.relu_()`, if there is a function `relu`. */
function inPlaceHelp(scope: Scope, text: string, object: string): string | undefined {
  const stem = /^(\w*[a-z])_$/.exec(text)?.[1];
  if (stem === undefined || !takesTensors(scope, stem)) return undefined;
  return `nothing is changed in place: \`${object} = ${stem}(${object})\` binds the name anew`;
}

function takesTensors(scope: Scope, text: string): boolean {
  return builtins.has(text) || scope.file.lookup(text)?.decl.kind === 'fn';
}

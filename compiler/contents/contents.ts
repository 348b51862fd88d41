import type { Span } from '../../grammar/span.ts';
import type { Param } from '../../grammar/tree.ts';
import { type Context, resetBudget } from '../elaborate/context/context.ts';
import type { Instance, Val } from '../elaborate/context/elaborated.ts';
import { childSource } from '../elaborate/context/paths.ts';
import { showStatic } from '../elaborate/context/show-value.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import { fieldPath, madeMember } from '../elaborate/modules/members.ts';
import { slotOf } from '../elaborate/modules/slots.ts';
import type { FileScope } from '../elaborate/source/file-scope.ts';

interface Named {
  /** The path in overrides and recipes: `mid.layer[0].pixels`. */
  readonly path: string;
  /** The path of the enclosing part; '' for the model itself. */
  readonly owner: string;
  /**
   * Where its value is written: the line of a variant, the argument of the owner's call, or the default; for weights
   * and statics, the declaration. Undefined if there is no such place, as for an argument that a built-in value gives.
   */
  readonly span: Span | undefined;
}

/** A name inside a model, and what it refers to. */
export type Entry =
  /** A static parameter, which can be overridden. `type` and `value` are source text. */
  | (Named & { readonly kind: 'parameter'; readonly type: string; readonly value: string })
  /** A static computed from the parameters: expressions can read it, but it cannot be overridden. */
  | (Named & { readonly kind: 'static'; readonly value: string })
  /** A part that is constructed here; `file` is its path in weights files. */
  | (Named & { readonly kind: 'part'; readonly module: string; readonly file: string })
  /** A part that is constructed at the path `of`, and is overridden there. */
  | (Named & { readonly kind: 'shared'; readonly module: string; readonly of: string })
  /** A part that is `none`, or a list without items. */
  | (Named & { readonly kind: 'absent'; readonly value: 'none' | '[]' })
  /** A declared weight or buffer, whether or not a method reads it; `file` is its path in weights files. */
  | (Named & { readonly kind: 'weight'; readonly role: 'param' | 'buffer'; readonly file: string });

/** Returns every name inside a model in declaration order, each part followed by its contents. */
export function contentsOf(context: Context, model: ModelGraph): Entry[] {
  // Parts that no method uses are constructed only now.
  resetBudget(context);
  const { params, values, fields } = model.flat;
  const own = [...params].flatMap(([name, { decl, file }]) => {
    const value = model.instances.get(name) ?? model.params.get(name);
    const span = values.get(name)?.decl.span ?? decl.value?.span;
    return value ? parameterEntries(context, { decl, file, owner: '', span }, value) : [];
  });
  const parts = [...fields].flatMap(([name, { decl }]) => {
    const value = model.instances.get(name);
    return value ? partEntries(context, value, { path: name, owner: '', span: decl.value.span }) : [];
  });
  return [...own, ...parts];
}

interface ParamAt {
  readonly decl: Param;
  readonly file: FileScope;
  readonly owner: string;
  readonly span: Span | undefined;
}

function parameterEntries(context: Context, { decl, file, owner, span }: ParamAt, value: Val): Entry[] {
  const at = { path: childSource(owner, decl.name.name), owner, span };
  const { slot, holes } = slotOf(decl, file);
  if (slot && !holes) return partEntries(context, value, at);
  return [{ kind: 'parameter', ...at, type: context.run.program.text(decl.type.span), value: showStatic(value) }];
}

function partEntries(context: Context, value: Val, at: Named): Entry[] {
  switch (value.kind) {
    case 'list':
      if (value.items.length === 0) return [{ kind: 'absent', ...at, value: '[]' }];
      return value.items.flatMap((item, i) => partEntries(context, item, { ...at, path: `${at.path}[${i}]` }));
    case 'none':
      return [{ kind: 'absent', ...at, value: 'none' }];
    case 'instance': {
      const { decl, path, source, overrides } = value.instance;
      const module = decl.name.name;
      if (source !== at.path) return [{ kind: 'shared', ...at, module, of: source }];
      const span = overrides?.line?.whole ?? at.span;
      return [{ kind: 'part', ...at, span, module, file: path }, ...inside(context, value.instance)];
    }
    default:
      return [];
  }
}

function inside(context: Context, instance: Instance): Entry[] {
  const { decl, file, source: owner, args, overrides } = instance;
  const lineOf = (name: string) => overrides?.below.get(name)?.line?.whole;
  const entries = decl.params.flatMap((param) => {
    const { name } = param.name;
    const value = madeMember(context, instance, name);
    const span = lineOf(name) ?? args.get(name)?.span ?? param.value?.span;
    return value ? parameterEntries(context, { decl: param, file, owner, span }, value) : [];
  });
  for (const member of decl.members) {
    const { name } = member.name;
    const at = { path: childSource(owner, name), owner, span: member.span };
    switch (member.kind) {
      case 'static': {
        const value = madeMember(context, instance, name);
        if (value) entries.push({ kind: 'static', ...at, value: showStatic(value) });
        break;
      }
      case 'field': {
        const value = madeMember(context, instance, name);
        const span = lineOf(name) ?? member.value.span;
        if (value) entries.push(...partEntries(context, value, { ...at, span }));
        break;
      }
      case 'param':
      case 'buffer': {
        const path = fieldPath(context, instance, name, member.attributes, undefined);
        entries.push({ kind: 'weight', ...at, role: member.kind, file: path });
        break;
      }
      case 'method':
        break;
    }
  }
  return entries;
}

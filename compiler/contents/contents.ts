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
  const { params, fields } = model.flat;
  const own = [...params].flatMap(([name, { decl, file }]) => {
    const value = model.instances.get(name) ?? model.params.get(name);
    return value ? parameterEntries(context, { decl, file, owner: '' }, value) : [];
  });
  const parts = [...fields.keys()].flatMap((name) => {
    const value = model.instances.get(name);
    return value ? partEntries(context, value, { path: name, owner: '' }) : [];
  });
  return [...own, ...parts];
}

interface ParamAt {
  readonly decl: Param;
  readonly file: FileScope;
  readonly owner: string;
}

function parameterEntries(context: Context, { decl, file, owner }: ParamAt, value: Val): Entry[] {
  const at = { path: childSource(owner, decl.name.name), owner };
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
      const { decl, path, source } = value.instance;
      const module = decl.name.name;
      if (source !== at.path) return [{ kind: 'shared', ...at, module, of: source }];
      return [{ kind: 'part', ...at, module, file: path }, ...inside(context, value.instance)];
    }
    default:
      return [];
  }
}

function inside(context: Context, instance: Instance): Entry[] {
  const { decl, file, source: owner } = instance;
  const entries = decl.params.flatMap((param) => {
    const value = madeMember(context, instance, param.name.name);
    return value ? parameterEntries(context, { decl: param, file, owner }, value) : [];
  });
  for (const member of decl.members) {
    const { name } = member.name;
    const at = { path: childSource(owner, name), owner };
    switch (member.kind) {
      case 'static': {
        const value = madeMember(context, instance, name);
        if (value) entries.push({ kind: 'static', ...at, value: showStatic(value) });
        break;
      }
      case 'field': {
        const value = madeMember(context, instance, name);
        if (value) entries.push(...partEntries(context, value, at));
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

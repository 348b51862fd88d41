import type { Ident, ModelMember, Param, Path } from '../../../grammar/tree.ts';
import type { Note } from '../../diagnostics/diagnostic.ts';
import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { fileScope } from '../context/scope.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { madeMember } from '../modules/members.ts';
import type { ModelGraph } from './model.ts';

/** Returns a note at the declaration that a line of a variant sets or replaces, in a model without this line. */
export function declaredAt(context: Context, model: ModelGraph, line: Param | ModelMember): Note | undefined {
  const { params, inputs, lets, outputs } = model.flat;
  const named = (found: { readonly decl: { readonly name: Ident } } | undefined) => found && declared(found.decl.name);
  if (!('kind' in line)) return named(params.get(line.name.name));
  switch (line.kind) {
    case 'model-field':
      return declarationOf(context, model, line.path);
    case 'input':
      return named(inputs.get(line.name.name));
    case 'model-let':
      return named(lets.get(line.name.name));
    case 'model-let-items':
      return named(lets.get(line.names[0]?.name.name ?? ''));
    case 'output':
      return named(outputs.get(line.name.name));
    case 'without':
      return undefined;
  }
}

/**
 * Returns a note at the declaration of the parameter or part at the end of a path, as far as the path can be
 * followed.
 */
function declarationOf(context: Context, { flat, instances }: ModelGraph, path: Path): Note | undefined {
  let at: Val | undefined;
  let found: Note | undefined;
  for (const [i, step] of path.steps.entries()) {
    if (step.kind === 'name') {
      const { name } = step.name;
      found = i === 0 ? ofModel(flat, name) : at?.kind === 'instance' ? ofModule(at.instance, name) : undefined;
      if (!found) return undefined;
      at = i === 0 ? instances.get(name) : at?.kind === 'instance' ? madeMember(context, at.instance, name) : undefined;
    } else if (at?.kind === 'list') {
      const index = step.kind === 'any' ? 0 : asInt(evaluate(fileScope(context, flat.file), step.value));
      at = index === undefined ? undefined : at.items[index];
    }
  }
  return found;
}

function ofModel({ params, fields }: ModelGraph['flat'], name: string): Note | undefined {
  const param = params.get(name);
  const field = fields.get(name);
  if (param) return declared(param.decl.name);
  return field && declared({ name, span: field.decl.path.span });
}

function ofModule({ decl }: Instance, name: string): Note | undefined {
  const parts = decl.members.filter((one) => one.kind === 'field');
  const found = [...decl.params, ...parts].find((one) => one.name.name === name);
  return found && declared(found.name);
}

function declared({ name, span }: Pick<Ident, 'name' | 'span'>): Note {
  return { span, text: `\`${name}\` is declared here` };
}

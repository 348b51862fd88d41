import { type Compiled, compile } from '../compiler/compile.ts';
import { isError } from '../compiler/diagnostics/diagnostic.ts';
import type { ModelGraph } from '../compiler/elaborate/models/model.ts';
import { modelOfRecipe } from '../compiler/elaborate/source/recipe-chain.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import { nearest } from '../grammar/nearest.ts';
import { diskHost, ownPath } from '../runtime/files/source-host.ts';
import { UserError } from '../runtime/files/user-error.ts';
import { cannotRead } from './files.ts';
import { plural, printDiagnostics } from './messages.ts';
import { complain, printRendered } from './print.ts';
import { readSettings } from './settings.ts';
import { checkSizes } from './sizes.ts';
import { UsageError } from './usage-error.ts';

export interface CompiledFile extends Compiled {
  readonly file: string;
  readonly model: ModelGraph;
  readonly graph: Graph;
}

/** Compiles a model or prints what is wrong with it; undefined in that case. */
export function compileFile(
  path: string,
  model: string | undefined,
  set: readonly string[] | undefined,
  { recipeDims = [], via }: { readonly recipeDims?: readonly string[]; readonly via?: string | undefined } = {},
): CompiledFile | undefined {
  const file = ownPath(path);
  const { dims, overrides } = readSettings(set);
  const compiled = compile(diskHost(), file, { model, dims, overrides, recipeDims, via });
  const { graph, diagnostics, models, program } = compiled;
  if (!program.files.has(file)) throw new UserError(cannotRead(file));
  printRendered(printDiagnostics(diagnostics, (path) => program.files.get(path)?.tree.text));
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) {
    complain(`${plural(errors, 'error')}`);
    return undefined;
  }
  if (models.length === 0) throw new UserError(`${file} declares no model${recipesIn(compiled, file)}`);
  if (model !== undefined && !models.includes(model)) {
    const meant = nearest(model, models);
    throw new UserError(
      `${file} has no model ${model}; ${meant ? `did you mean ${meant}?` : `it has ${models.join(', ')}`}`,
    );
  }
  if (via !== undefined && !compiled.maps.includes(via)) {
    const meant = nearest(via, compiled.maps) ?? compiled.maps.join(', ');
    throw new UserError(`${file} sees no weights map ${via}${meant ? `; there is ${meant}` : ''}`);
  }
  if (!graph || !compiled.model) throw new Error('bug in crobc: a model without errors gave no graph');
  // What is wrong without any size is an error of the source.
  if (compiled.dims.size > 0) checkSizes({ model: graph.name, dims: compiled.dims }, graph.nodes);
  return { ...compiled, file, graph, model: compiled.model };
}

/** Where a file has recipes alone, the models that they are for. */
function recipesIn({ program }: Compiled, file: string): string {
  const scope = program.files.get(ownPath(file));
  const recipes = scope?.tree.declarations.filter((one) => one.kind === 'recipe') ?? [];
  const models = new Map(
    recipes.flatMap((decl) => {
      const model = scope && modelOfRecipe({ decl, file: scope });
      return model ? [[model.decl, `${model.decl.name.name} of ${model.file.file}`] as const] : [];
    }),
  );
  return models.size === 0 ? '' : `; its recipes are for ${[...models.values()].join(', ')}`;
}

/** The map that `--via` names: one for the file that `--weights` names. */
export function viaOf({
  weights,
  via,
}: {
  readonly weights?: string | false;
  readonly via?: string;
}): string | undefined {
  if (via !== undefined && typeof weights !== 'string')
    throw new UsageError('--via is for the file of --weights: give that too');
  return via;
}

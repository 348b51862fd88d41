import type { SourceHost } from '../compiler/compile.ts';
import { Program } from '../compiler/elaborate/source/program.ts';
import { ownPath } from '../runtime/files/source-host.ts';

/** A model that a command line names: `models/crobim.crob:CroBIM`, or a file without the name of one. */
export interface Reference {
  readonly file: string;
  readonly model: string | undefined;
}

export function referenceOf(text: string): Reference {
  const parts = /^(.*\.crob):(\w+)$/.exec(text);
  return { file: parts?.[1] ?? text, model: parts?.[2] };
}

/** Returns the names of the models that a file declares, in their order; none if it cannot be read. */
export function modelsOf(host: SourceHost, file: string): readonly string[] {
  const scope = new Program(host).load(ownPath(file));
  return (scope?.tree.declarations ?? []).flatMap((decl) => (decl.kind === 'model' ? [decl.name.name] : []));
}

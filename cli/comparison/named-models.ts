import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { SourceHost } from '../../compiler/compile.ts';
import type { NamedModel } from '../../runtime/experiment/planned-model.ts';
import { readTextSync } from '../../runtime/files/read-file.ts';
import { cannotRead, ownPath, shippedFile } from '../../runtime/files/source-host.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { modelsOf, type Reference, referenceOf } from '../model-reference.ts';
import { modelList } from './model-list.ts';

interface Given extends Reference {
  readonly label: string | undefined;
}

/**
 * Returns the models that arguments name: `FILE:NAME`, `FILE` for all models that it declares, `@LIST` for those of a
 * list, and `@LIST:GROUP` for those of one group of it. A model that a list has several times counts once, under its first
 * label. Throws a UsageError if there is no such model or group, and for a model that is named twice.
 */
export function namedModels(host: SourceHost, given: readonly string[]): readonly NamedModel[] {
  const all: Given[] = [];
  for (const text of given) {
    const found = text.startsWith('@') ? listed(text.slice(1)) : [{ ...referenceOf(text), label: undefined }];
    const models = found.flatMap((one) => inFile(host, one));
    const fresh = models.filter(
      ({ file, model }, i) =>
        models.findIndex((one) => one.file === file && one.model === model) === i &&
        !(text.startsWith('@') && isIn(all, { file, model })),
    );
    const twice = fresh.find((one) => isIn(all, one));
    if (twice) throw new UsageError(`${twice.file}:${twice.model} is named twice`);
    all.push(...fresh);
  }
  return withLabels(all);
}

function isIn(all: readonly Reference[], { file, model }: Reference): boolean {
  return all.some((one) => one.file === file && one.model === model);
}

/** The models of `LIST` or `LIST:GROUP`; paths in a list are relative to its folder. */
function listed(text: string): Given[] {
  const parts = existsSync(text) ? undefined : /^(.*):([\w-]+)$/.exec(text);
  const [path, group] = parts ? [parts[1]!, parts[2]] : [text, undefined];
  const own = ownPath(path);
  const list = modelList(readTextSync(shippedFile(own) ?? own, 'list'));
  if (list.kind === 'fault') throw new UserError(`${path}:${list.line}: ${list.message}`);
  const groups = [...new Set(list.entries.flatMap((entry) => entry.group ?? []))];
  if (group !== undefined && !groups.includes(group))
    throw new UsageError(
      `${path} has no group ${group}${groups.length > 0 ? `; its groups are ${groups.join(', ')}` : ''}`,
    );
  return list.entries
    .filter((entry) => group === undefined || entry.group === group)
    .map(({ reference, label }) => {
      const { file, model } = referenceOf(reference);
      return { file: join(dirname(own), file), model, label };
    });
}

/** A file without the name of a model stands for all of its models. */
function inFile(host: SourceHost, { file: given, model, label }: Given): Given[] {
  const file = normalize(given);
  const models = modelsOf(host, file);
  if (host.read(ownPath(file)) === undefined) throw new UserError(cannotRead(ownPath(file)));
  if (model === undefined) {
    if (models.length === 0) throw new UsageError(`${file} declares no model: name one, as FILE:NAME`);
    if (label !== undefined && models.length > 1)
      throw new UsageError(`${file} has ${models.length} models, and ${label} labels one: name it, as FILE:NAME`);
    return models.map((name) => ({ file, model: name, label }));
  }
  return [{ file, model, label }];
}

/** A model without a label has its name as one, and the file's too if there are several of that name. */
function withLabels(all: readonly Given[]): NamedModel[] {
  const named = all.map(({ file, model = '', label }) => {
    const isAlone = all.filter((one) => (one.label ?? one.model) === model).length === 1;
    return { file, model, label: label ?? (isAlone ? model : `${file}:${model}`) };
  });
  for (const [i, { label }] of named.entries()) {
    const other = named.findIndex((one) => one.label === label);
    if (other < i)
      throw new UsageError(
        `${named[other]!.file}:${named[other]!.model} and ${named[i]!.file}:${named[i]!.model} are both called ${label}`,
      );
  }
  return named;
}

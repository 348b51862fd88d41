import type { FnDecl } from '../../../grammar/tree.ts';
import type { Found } from '../../elaborate/source/file-scope.ts';
import { Body } from './body.ts';
import { given, type Kind, parameterType, resultType, unknown } from './kinds.ts';
import { capitalised } from './names.ts';
import { nativeBody } from './natives.ts';
import { writeParams } from './parameters.ts';
import { atom, attribute, type Py, type PyStatement } from './python/tree.ts';
import type { FnInfo, Package } from './scope.ts';
import {
  checks,
  deviceOf,
  dimStatements,
  docstring,
  needsDevice,
  pythonParams,
  resultsOf,
  shapeComment,
  typeScope,
} from './signatures.ts';
import { dimSources, kindOf, parameterKind } from './types.ts';

/** Translates a function; `begun` is called with what callers need, as far as the signature tells it. */
export function translateFunction(
  pack: Package,
  found: Found & { readonly decl: FnDecl },
  name: string,
  begun: (info: FnInfo) => void,
): { readonly info: FnInfo; readonly statement: PyStatement } {
  const { decl, file } = found;
  const params = decl.params.map((one) => ({ decl: one, file }));
  const scope = typeScope(pack, file, params, `${capitalised(decl.name.name)}Result`);
  const stated: Kind | undefined = decl.result && kindOf(scope, decl.result);
  const named = pythonParams(params, ({ decl: param }) => parameterKind(scope, param));
  const device =
    stated !== undefined &&
    needsDevice(
      named.map(({ kind }) => kind),
      stated,
    );
  const info: FnInfo = { name, decl, file, kind: stated ?? unknown, device };
  begun(info);
  const body = new Body({
    pack,
    file,
    self: undefined,
    member: () => undefined,
    device: device ? atom('device') : deviceOf(named),
    training: trainingOf(named),
    result: stated ?? unknown,
  });
  const own = nativeBody(found);
  const written = writeParams(pack, body, params);
  body.withDims(new Set(dimSources(params).keys()));
  const conditions = body.apart(() => checks(body, decl.name.name, decl.where));
  const before = [...body.statements];
  let kind = stated ?? unknown;
  const main = body.apart(() => {
    if (own) body.emit({ kind: 'lines', lines: own });
    else if (stated) body.whole(decl.body);
    else kind = body.returned(decl.body);
  });
  const statement: PyStatement = {
    kind: 'def',
    name,
    self: false,
    params: device ? [...written.params, { name: 'device', type: 'torch.device', value: undefined }] : written.params,
    keywordOnly: device ? written.params.length : undefined,
    result: given(kind).kind === 'part' ? parameterType(kind) : resultType(kind),
    body: [
      ...docstring(decl.docs, 4),
      ...(stated && holdsShapes(decl) ? shapeComment(pack, params, resultsOf(decl), 4) : []),
      ...before,
      ...dimStatements(params, body.dims),
      ...conditions.value,
      ...main.statements,
    ],
  };
  return { info: { ...info, kind }, statement };
}

/** The form of the first part among the arguments. */
function trainingOf(params: readonly { readonly python: string; readonly kind: Kind }[]): Py | undefined {
  const part = params.find(({ kind }) => {
    const own = given(kind);
    return own.kind === 'part' || (own.kind === 'list' && given(own.of).kind === 'part');
  });
  return part && attribute(atom(part.python), 'training');
}

function holdsShapes({ result }: FnDecl): boolean {
  return result !== undefined && result.kind !== 'named-type';
}

import { type Target, targets } from '../../compiler/emit/onnx/profile.ts';
import type { PortDType } from '../../compiler/ir/types.ts';
import { type Check, isCount, isNumber, isObject, isText, listOf, objectOf, oneOf, orNull } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';

/** A tensor as a manifest describes it; sizes are numbers or dims. */
export interface Port {
  readonly name: string;
  readonly dtype: PortDType;
  readonly shape: readonly string[];
  readonly docs: string;
}

/** A condition on the sizes of the inputs. */
export interface Condition {
  readonly condition: string;
  readonly left: string;
  readonly relation: '%' | '==' | '<=' | '<';
  readonly right: string;
  readonly remainder?: number;
  readonly source: string;
}

/** The members of a manifest that running a model needs. */
export interface BuildRecord {
  readonly model: string;
  readonly docs: string;
  readonly crobc: string;
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** What the graph was emitted for; undefined in manifests of older versions. */
  readonly profile?: Target;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly guards: readonly Condition[];
  readonly rowNumbers: readonly { readonly input: string; readonly rows: string }[];
  readonly preprocessing: Preprocessing | null;
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

export interface Preprocessing {
  readonly image: {
    readonly input: string;
    readonly height: number | string;
    readonly width: number | string;
    readonly mean: readonly number[];
    readonly deviation: readonly number[];
  };
  readonly text: {
    readonly tokens: string;
    readonly mask: string;
    readonly words: number | string;
    readonly truncation: 'keep-sep' | 'plain';
    readonly vocabulary: { readonly file: string; readonly sha256: string } | null;
  } | null;
  readonly mask: { readonly output: string; readonly threshold: number };
}

const isSize: Check<number | string> = (value): value is number | string => isCount(value) || isText(value);
const isPort = objectOf({
  name: isText,
  dtype: oneOf<PortDType>(['f32', 'i32', 'bool', 'i64', 'u8', 'f16']),
  shape: listOf(isText),
  docs: isText,
});
const hasCondition = objectOf({
  condition: isText,
  left: isText,
  relation: oneOf<Condition['relation']>(['%', '==', '<=', '<']),
  right: isText,
  source: isText,
});
const isCondition: Check<Condition> = (value): value is Condition =>
  isObject(value) && (value.remainder === undefined || isCount(value.remainder)) && hasCondition(value);
const isPreprocessing = objectOf({
  image: objectOf({
    input: isText,
    height: isSize,
    width: isSize,
    mean: listOf(isNumber),
    deviation: listOf(isNumber),
  }),
  text: orNull(
    objectOf({
      tokens: isText,
      mask: isText,
      words: isSize,
      truncation: oneOf<'keep-sep' | 'plain'>(['keep-sep', 'plain']),
      vocabulary: orNull(objectOf({ file: isText, sha256: isText })),
    }),
  ),
  mask: objectOf({ output: isText, threshold: isNumber }),
});

const isProfile = oneOf<Target>(targets);
/** Whether a value is a manifest of `crobc build`. */
const isBuildRecord: Check<BuildRecord> = (value): value is BuildRecord =>
  isObject(value) && (value.profile === undefined || isProfile(value.profile)) && hasBuild(value);
const hasBuild = objectOf({
  model: isText,
  docs: isText,
  crobc: isText,
  dtype: oneOf<'f32' | 'f16' | 'bf16'>(['f32', 'f16', 'bf16']),
  inputs: listOf(isPort),
  outputs: listOf(isPort),
  guards: listOf(isCondition),
  rowNumbers: listOf(objectOf({ input: isText, rows: isText })),
  preprocessing: orNull(isPreprocessing),
  files: listOf(objectOf({ name: isText, sha256: isText })),
});

/** Reads a manifest. Throws a UserError if it is none. */
export async function readBuildRecord(path: string): Promise<BuildRecord> {
  let json: unknown;
  try {
    json = parseJson(await readText(path, 'record'));
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${path} is not JSON`);
  }
  if (!isBuildRecord(json)) throw new UserError(`${path} is not a manifest of crobc build`);
  return json;
}

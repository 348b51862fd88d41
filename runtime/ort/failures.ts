import { byteSize } from '../files/byte-size.ts';
import { UserError } from '../files/user-error.ts';
import { captureAdvice } from './cuda-graphs.ts';
import { cudaAdviceHere } from './ready-cuda.ts';

/** onnxruntime failed during a run, for example at an index out of range. */
export class RunFailure extends UserError {}

/** What the user is told when a run of onnxruntime fails. */
export function runFailure(error: unknown): UserError {
  const asked = /Failed to allocate memory for requested buffer of size (\d+)/.exec(String(error))?.[1];
  if (asked)
    return new UserError(`not enough memory to run the model: a tensor of ${byteSize(Number(asked))} was too much`);
  const reason = firstLine(error);
  if (/cuDNN is unavailable/.test(reason)) return new UserError(`CUDA has no cuDNN: ${cudaAdviceHere()}`);
  return new RunFailure(
    `the model cannot run with these inputs: ${indexFailure(reason) ?? reason}${captureAdvice(reason)}`,
  );
}

/** What the user is told when onnxruntime refuses a model. */
export function loadFailure(error: unknown, named: string): UserError {
  return new UserError(`cannot load ${named}: ${firstLine(error)}`);
}

/** Shortens a native message, which has source locations, conditions and several lines, to what happened. */
export function nativeMessage(text: string): string {
  const [line = ''] = text.split('\n');
  return line
    .replace(/(^|(?<= Message: ))\/\S+:\d+ .*?(was false\.|\[ONNXRuntimeError\] : \d+ : \w+ :) */, '')
    .trim()
    .slice(0, 300);
}

/**
 * Rewrites onnxruntime's message about an index out of range: it mentions negative indices, which crobc does not allow.
 */
function indexFailure(message: string): string | undefined {
  const found = /(?:out of data bounds, idx=|invalid indice found, indice = )(-?\d+)(?:.*,(\d+)\])?/.exec(message);
  if (!found) return undefined;
  const [, row = '', last] = found;
  const [, operator = '', name = ''] = /running (\w+) node\. Name:'([^']*)'/.exec(message) ?? [];
  const where = name === '' ? '' : ` in ${name}`;
  // ScatterElements numbers elements instead of rows.
  if (operator === 'ScatterElements') return `an index${where} is out of range`;
  const range = last === undefined ? 'out of range' : `must lie in 0..${last}`;
  // The graph has replaced negative row numbers before, so the number in the message is not the user's.
  return `an index${where} is ${Number(row) < 0 ? 'negative' : row}: ${range}`;
}

/** What happened, in one line. */
export function firstLine(error: unknown): string {
  return nativeMessage(error instanceof Error ? error.message : String(error));
}

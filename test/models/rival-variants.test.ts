// slow: checks wrong variants of every rival

import { expect, test } from 'vitest';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { compile } from '../../compiler/compile.ts';
import { type Diagnostic, isError } from '../../compiler/diagnostics/diagnostic.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { clip } from './wrong/clip.ts';
import { decoders } from './wrong/decoders.ts';
import { recurrent } from './wrong/recurrent.ts';
import { swin } from './wrong/swin.ts';

const variants = [...swin, ...decoders, ...clip, ...recurrent];

const file = 'variant.crob';
const disk = diskHost();
const hostOf = (source: string) => ({ ...disk, read: (path: string) => (path === file ? source : disk.read(path)) });

let before = nothingChecked;
/** Checks a source as `check --watch` does, which elaborates the models that many variants extend once. */
function diagnosticsIn(source: string): readonly Diagnostic[] {
  before = recheck(hostOf(source), [file], before);
  return diagnosticsOf(before.checks);
}

test.each(variants)('$what', ({ source, code, at, help, mended }) => {
  const host = hostOf(source);
  const errors = diagnosticsIn(source);
  const [first] = errors;
  expect(first && { code: first.code, at: source.slice(first.span.start, first.span.end) }, first?.message).toEqual({
    code,
    at,
  });
  // Whatever else is wrong comes of the same mistake.
  for (const { span } of errors) expect(span.file).toBe(file);
  expect(first!.help ?? '').toContain(help ?? '');
  // Sizes at which it is said to fail are sizes at which it fails.
  for (const detail of first!.details) {
    if (typeof detail !== 'string') continue;
    const witness = /^fails at (.*?)(?: \(|;|$)/.exec(detail)?.[1];
    const model = [...source.matchAll(/^model (\w+)/gm)].at(-1)?.[1];
    if (witness === undefined || model === undefined) continue;
    const dims = new Map([...witness.matchAll(/(\w+) = (\d+)/g)].map(([, name, n]) => [name!, Number(n)] as const));
    expect(dims.size, detail).toBeGreaterThan(0);
    const at = compile(host, file, { model, dims, overrides: [] });
    expect(at.diagnostics.filter(isError).length, detail).toBeGreaterThan(0);
  }
  let right = source;
  for (const [from, to] of mended) {
    expect(right).toContain(from);
    right = right.replace(from, to);
  }
  const left = diagnosticsIn(right).filter((one) => isError(one) || one.code === code);
  expect(left.map((one) => `${one.code} ${one.message}`)).toEqual([]);
});

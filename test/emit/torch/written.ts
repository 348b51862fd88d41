import { compile } from '../../../compiler/compile.ts';
import { emitTorch } from '../../../compiler/emit/torch/emit.ts';
import { memoryHost } from '../../memory-host.ts';

/** Writes a model of a source for PyTorch; returns the text of its module, and the messages. */
export function written(
  source: string,
  model?: string,
): { readonly text: string; readonly messages: readonly string[] } {
  const compiled = compile(memoryHost({ 'net.crob': source }), 'net.crob', { model, dims: new Map(), overrides: [] });
  const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error');
  if (!compiled.model || !compiled.context || errors.length > 0)
    throw new Error(`the source is wrong: ${errors.map(({ message }) => message).join('; ')}`);
  const { files, diagnostics } = emitTorch(compiled.program, compiled.context, compiled.model, {
    weights: [],
    sourceName: (file) => file,
  });
  return {
    text: files.find(({ name }) => name === 'net.py')?.text ?? '',
    messages: diagnostics.map(({ code, message }) => `${code} ${message}`),
  };
}

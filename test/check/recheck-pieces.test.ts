import fc from 'fast-check';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { type Checked, nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import { printCanonical } from '../../compiler/ir/print.ts';
import { memoryHost } from '../memory-host.ts';
import { holds } from '../property.ts';
import { fileNames, lives } from './pieces.ts';

/** The graphs of all models, the paths of their weights, and the places of their names. */
function modelsOf({ checks }: Pick<Checked, 'checks'>) {
  return checks.flatMap(({ models }) =>
    [...models].map(([name, model]) => [
      name,
      model.flat.decl.name.span,
      printCanonical(inlineModel(model, new Map())),
      model.guards.map(({ text }) => text),
    ]),
  );
}

test('after changes of declarations, a recheck finds what a check of everything does', () => {
  holds(
    fc.property(lives, fc.subarray(fileNames, { minLength: 1 }), (moments, asked) => {
      let state: Checked = nothingChecked;
      for (const files of moments) {
        state = recheck(memoryHost(files), asked, state);
        const whole = check(memoryHost(files), asked);
        expect(diagnosticsOf(state.checks)).toEqual(whole.diagnostics);
        expect(state.missing).toEqual(whole.missing);
        expect(modelsOf(state)).toEqual(modelsOf(whole));
      }
    }),
    { seed: 152, numRuns: 40 },
  );
});

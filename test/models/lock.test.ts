// slow: checks all models
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { crobc } from '../cli/crobc.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';

const at = temporaryFolder();
const args = ['check', 'models', '--lock', 'models/crob.lock', '--reporter', 'json'];

test('the shipped models are as in their lock file', async () => {
  const { code, out } = await crobc(args);
  const found: readonly { readonly code: string; readonly message: string }[] = JSON.parse(out);
  expect(found.filter((one) => one.code?.startsWith('CROB24')).map(({ message }) => message)).toEqual([]);
  expect(code).toBe(0);
});

test('a change that reaches models of other files is shown at each of them', async () => {
  cpSync('models', at('models'), { recursive: true, filter: (path) => !path.startsWith('models/trained') });
  const lavt = readFileSync('models/rivals/lavt.crob', 'utf8');
  expect(lavt).toContain('fusion: StageFusion = GatedFusion()');
  writeFileSync(at('models/rivals/lavt.crob'), lavt.replace('= GatedFusion()', '= GatedFusion(heads = 2)'));
  const files = ['lavt', 'lgce'].map((name) => `models/rivals/${name}.crob`);
  const { code, out } = await crobc(['check', ...files, '--lock', 'models/crob.lock'], { cwd: at('.') });
  expect(code).toBe(1);
  expect(out).toContain('error[CROB2401]: LAVT is not as in models/crob.lock');
  expect(out).toContain('backbone.layers.3: other equations or sizes in SwinStage');
  expect(out).toContain('error[CROB2401]: LGCE is not as in models/crob.lock');
});

import { expect, test } from 'vitest';
import { errorIndex } from './error-index.ts';

test('the error index is what the catalogue says', async () => {
  await expect(errorIndex()).toMatchFileSnapshot('../../docs/errors/index.md');
});

/**
 * chevrotain, loaded fast. Its package entry pulls in several hundred small files (400 ms of a process that
 * should answer within half a second); the package also ships the same code as one file, which its `exports`
 * do not name. Where that file can't be reached (a bundler, a browser page), the entry is used.
 */
type Chevrotain = typeof import('chevrotain');

async function load(): Promise<Chevrotain> {
  try {
    const bundle = new URL('../chevrotain.mjs', import.meta.resolve('chevrotain'));
    const loaded = (await import(bundle.href)) as Chevrotain;
    if (loaded.VERSION === '11.2.0') return loaded;
  } catch {
    // Not laid out as in an npm installation.
  }
  return await import('chevrotain');
}

export const {
  createToken,
  createTokenInstance,
  EMPTY_ALT,
  EmbeddedActionsParser,
  EOF,
  isRecognitionException,
  Lexer,
  tokenMatcher,
} = await load();

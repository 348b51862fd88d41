/** What a copy of the sources needs that is to be compiled, and to run the fuzz harness: folders and files of the repository. */
export const copiedSources = [
  ...['grammar', 'compiler', 'runtime', 'api', 'cli', 'stdlib', 'models', 'scripts', 'test'],
  ...['package.json', 'tsconfig.base.json', 'tsconfig.json'],
] as const;

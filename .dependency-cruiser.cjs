// The house rule: dependencies point down only, grammar <- compiler <- runtime <- cli, and no circles.
const below = { grammar: ['grammar'], compiler: ['grammar', 'compiler'], runtime: ['grammar', 'compiler', 'runtime'] };

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...Object.entries(below).map(([folder, allowed]) => ({
      name: `${folder}-looks-down-only`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: { path: '^(grammar|compiler|runtime|cli|test|bench)/', pathNot: `^(${allowed.join('|')})/` },
    })),
    {
      name: 'compiler-is-pure',
      comment: 'no file, network, clock or process access: whatever it needs is handed in',
      severity: 'error',
      from: { path: '^(grammar|compiler)/' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};

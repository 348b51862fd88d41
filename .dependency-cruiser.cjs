// The house rule: dependencies point down only, grammar <- compiler <- runtime <- api <- cli, and no circles.
const below = {
  grammar: ['grammar'],
  compiler: ['grammar', 'compiler'],
  runtime: ['grammar', 'compiler', 'runtime'],
  api: ['grammar', 'compiler', 'runtime', 'api'],
};

// Inside `compiler/elaborate/` a room sees itself and the rooms before it. Evaluation, construction and calls are one recursion:
// an expression calls a method, whose body is evaluated in turn; the promises of a module are checked by calling its methods. The edges of it that point up are these, and no others.
const elaborate = 'compiler/elaborate';
const rooms = ['source', 'patterns', 'context', 'report', 'eval', 'modules', 'calls', 'models', 'weights', 'recipes'];
const recursion = [
  { from: 'eval/evaluate', to: ['calls/apply'] },
  { from: 'eval/names', to: ['modules/members'] },
  { from: 'modules/interfaces', to: ['calls/methods'] },
];
const inRecursion = `^${elaborate}/(eval|modules|calls)/`;

// The floors of `compiler/`: each sees those before it. `ir/` is graphs as data and as text, `ops/` what each operator is,
// `graphs/` the builder and what is computed of whole graphs, `definitions/` and `gradients/` tables of what is built of operators.
const floors = [
  ...['lists.ts', 'dims', 'diagnostics', 'ir', 'ops', 'graphs', 'definitions', 'gradients', 'passes'],
  ...['elaborate', 'check', 'contents', 'lock', 'compile.ts', 'training', 'emit'],
].map((floor) => (floor.endsWith('.ts') ? `${floor.replace('.', '[.]')}$` : `${floor}/`));

// `runtime/` likewise: a room sees the rooms before it. `doctor.ts` stands above them.
const runtimeRooms = [
  ...[
    'files',
    'process',
    'tensors',
    'pickle',
    'images',
    'drawing',
    'charts',
    'text',
    'weights',
    'onnx',
    'ort',
    'build',
  ],
  ...[
    'diff',
    'pictures',
    'predict',
    'serve',
    'triton',
    'data',
    'synth',
    'tfjs',
    'evaluation',
    'training',
    'experiment',
  ],
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'types included; evaluation, construction and calls are the one recursion',
      severity: 'error',
      from: { pathNot: inRecursion },
      to: { circular: true },
    },
    ...floors.map((floor, i) => ({
      name: `compiler-${floor.replace(/\W.*/, '')}-looks-down-only`,
      comment: 'types included; what is in no floor is above them all',
      severity: 'error',
      from: { path: `^compiler/${floor}` },
      to: { path: '^compiler/', pathNot: `^compiler/(${floors.slice(0, i + 1).join('|')})` },
    })),
    ...rooms.map((room, i) => ({
      name: `elaborate-${room}-looks-down-only`,
      comment: 'types included',
      severity: 'error',
      from: {
        path: `^${elaborate}/${room}/`,
        pathNot: recursion.map(({ from }) => `^${elaborate}/${from}[.]ts$`),
      },
      to: { path: `^${elaborate}/(${rooms.slice(i + 1).join('|') || '-'})/` },
    })),
    ...runtimeRooms.map((room, i) => ({
      name: `runtime-${room}-looks-down-only`,
      comment: 'types included',
      severity: 'error',
      from: { path: `^runtime/${room}/` },
      to: { path: `^runtime/(${[...runtimeRooms.slice(i + 1), '[^/]*[.]ts$'].join('|')})` },
    })),
    {
      name: 'native-addresses-stay-in-c-api',
      comment: 'types included; the rest of crobc sees devices, their tensors and runs',
      severity: 'error',
      from: { pathNot: '^(runtime/ort/c-api|test)/' },
      to: { path: '^runtime/ort/c-api/', pathNot: '^runtime/ort/c-api/device[.]ts$' },
    },
    ...recursion.map(({ from, to }) => ({
      name: `elaborate-${from.replace('/', '-')}-looks-up-as-named`,
      severity: 'error',
      from: { path: `^${elaborate}/${from}[.]ts$` },
      to: {
        path: `^${elaborate}/(${rooms.slice(rooms.indexOf(from.split('/')[0]) + 1).join('|')})/`,
        pathNot: to.map((one) => `^${elaborate}/${one}[.]ts$`),
      },
    })),
    ...Object.entries(below).map(([folder, allowed]) => ({
      name: `${folder}-looks-down-only`,
      severity: 'error',
      from: { path: `^${folder}/` },
      to: { path: '^(grammar|compiler|runtime|api|cli|test|bench)/', pathNot: `^(${allowed.join('|')})/` },
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

// The demo: draws an aerial scene, checks and builds CroBIM at its full size, and predicts a mask.
// It runs the commands that a user would type, and prints each.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = join('out', 'demo');
mkdirSync(join(root, out), { recursive: true });

const { writeDemoScene } = await import('../dist/runtime/demo-scene.js');
const scene = join(out, 'scene.png');
await writeDemoScene(join(root, scene), { seed: 7 });
console.log(`drawn: ${scene}\n`);

crobc('check', 'models/crobim.crob');
crobc('summary', 'models/crobim.crob', '--depth', '1', '--set', 'B=1,H=480,W=480,T=20');
crobc(
  'predict',
  'models/crobim.crob',
  '--model',
  'CroBIM',
  '--image',
  scene,
  '--text',
  'the white ship on the water',
  '--out',
  out,
);
console.log(
  '\nWithout trained weights (--weights) the mask is as random as they are; what it shows is that everything runs.',
);

function crobc(...args) {
  console.log(`$ crobc ${args.map((a) => (/^[\w./=,-]+$/.test(a) ? a : JSON.stringify(a))).join(' ')}`);
  const { status } = spawnSync(process.execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

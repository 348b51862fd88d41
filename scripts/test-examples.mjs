// npm run test:examples [-- python|client|browser]: runs the examples of docs/deploying.md as users do. The Python examples need numpy,
// onnxruntime and pillow for the Python that CROBC_PYTHON names, otherwise python3; the client of a Triton repository asks `crobc serve`. The browser example needs a Chromium, and a
// network for npm. All must find the masks of `crobc predict`. Needs the built program.
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { openPage } from './chromium.mjs';
import { npm, root } from './package-project.mjs';

const tests = { python: testPython, client: testClient, browser: testBrowser };
const wanted = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'crobc-examples-'));
const at = (...names) => join(folder, ...names);

/** Share of pixels that may differ in a browser, where onnxruntime rounds otherwise: those whose logits are next to 0. */
const shareInBrowsers = 1 / 1000;

/** Images by name, with their sizes: as large as the model's, smaller, larger, wide and high. */
const images = { same: [128, 128], small: [61, 40], large: [700, 530], wide: [999, 64], high: [37, 640] };
const texts = [
  'the white ship on the left',
  'The LARGE, white ship (next to the pier) -- not the l-shaped one!',
  'Süd-Brücke café naïve\tship 港口 $5 a+b',
  'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen',
];

try {
  for (const name of wanted)
    if (!Object.hasOwn(tests, name)) throw new Error(`${name}: the examples are ${Object.keys(tests).join(', ')}`);
  const cases = await prepare();
  for (const [name, test] of Object.entries(tests)) if (wanted.length === 0 || wanted.includes(name)) await test(cases);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function crobc(...args) {
  const program = join(root, 'dist/bin/crobc.cjs');
  return execFileSync(process.execPath, [program, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Trains a model, builds it, and predicts every image with every text. */
async function prepare() {
  crobc('data', 'synth', '-o', 'scenes', '--scenes', '20', '--size', '128');
  // A model that has learned nothing marks about half of an image, which is more to compare than few pixels.
  crobc(
    'train',
    'models/crobim.crob',
    '-m',
    'CroBIM_micro',
    '-d',
    'scenes',
    '-o',
    'run',
    '--steps',
    '1',
    '--device',
    'cpu',
  );
  crobc('build', 'run', '-o', 'model');
  const cases = [];
  for (const [name, [width, height]] of Object.entries(images)) {
    const image = at(`${name}.png`);
    await sharp(join(root, 'docs/images/overlay.png'))
      .resize(width, height, { fit: 'fill' })
      .removeAlpha()
      .png()
      .toFile(image);
    for (const [i, text] of texts.entries()) {
      crobc('predict', 'run', '--image', image, '--text', text, '-o', `predicted-${i}`, '--device', 'cpu');
      const mask = await maskIn(at(`predicted-${i}`, `${name}.mask.png`));
      if (new Set(mask).size !== 2) throw new Error(`the mask of ${name} is empty or full, which would show nothing`);
      cases.push({ name, image, text, mask });
    }
  }
  return cases;
}

async function maskIn(file) {
  return (await sharp(file).extractChannel(0).raw().toBuffer()).map((value) => (value > 0 ? 1 : 0));
}

/** Returns how many pixels of a mask are not as expected. Throws if more than `share` of them are. */
function compare(example, { name, text, mask }, found, share) {
  if (found.length !== mask.length) throw new Error(`${example}: a mask of ${found.length} pixels for ${mask.length}`);
  const other = mask.reduce((count, value, i) => count + (value === found[i] ? 0 : 1), 0);
  if (other > share * mask.length)
    throw new Error(`${example}: ${other} of ${mask.length} pixels of ${name} differ for "${text}"`);
  return other;
}

function report(example, cases, other, versions) {
  const pixels = cases.reduce((sum, { mask }) => sum + mask.length, 0).toLocaleString('en');
  console.log(`${example}: ${cases.length} masks, ${other} of ${pixels} pixels differ (${versions})`);
}

async function testPython(cases) {
  const python = process.env.CROBC_PYTHON ?? 'python3';
  const run = (...args) => execFileSync(python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const versions = run(
    '-c',
    'import onnxruntime, PIL; print(f"onnxruntime {onnxruntime.__version__}, Pillow {PIL.__version__}")',
  );
  let other = 0;
  for (const one of cases) {
    run(join(root, 'examples/python/predict.py'), at('model'), one.image, one.text, '-o', at('python.png'));
    other += compare('Python', one, await maskIn(at('python.png')), 0);
  }
  report('Python', cases, other, versions.trim());
}

/** The client that lies in a model repository of Triton asks another server of the same protocol. */
async function testClient(cases) {
  crobc('build', 'run', '--target', 'triton', '-o', 'repository');
  const client = at('repository', 'CroBIM_micro', 'client.py');
  const python = process.env.CROBC_PYTHON ?? 'python3';
  const server = spawn(
    process.execPath,
    [join(root, 'dist/bin/crobc.cjs'), 'serve', 'model', '--port', '0', '--json', '--device', 'cpu'],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const [line] = await once(server.stdout.setEncoding('utf8'), 'data');
    const { url } = JSON.parse(line.split('\n')[0]);
    let other = 0;
    for (const one of cases) {
      const args = [client, url, at('repository', 'CroBIM_micro'), one.image, one.text, '-o', at('client.png')];
      // Not execFileSync, which would leave the output of the server unread.
      await promisify(execFile)(python, args);
      other += compare('client', one, await maskIn(at('client.png')), 0);
    }
    report('client', cases, other, 'crobc serve');
  } finally {
    server.kill('SIGTERM');
  }
}

async function testBrowser(cases) {
  const project = at('browser');
  cpSync(join(root, 'examples/browser'), project, { recursive: true });
  cpSync(at('model'), join(project, 'model'), { recursive: true });
  npm(['install', '--ignore-scripts'], project);
  npm(['run', 'build'], project);
  const { close, url } = await serve(project);
  try {
    const page = await openPage(`${url}/index.html`);
    try {
      await page.until("document.readyState === 'complete'");
      let other = 0;
      for (const one of cases) other += await testPage(page, one);
      if (page.errors.length > 0) throw new Error(page.errors.join('\n'));
      report('browser', cases, other, await page.evaluate('navigator.userAgent'));
    } finally {
      await page.close();
    }
  } finally {
    close();
  }
}

/** Uses the page as a reader does. The pixels that it tints are those of the mask. */
async function testPage(page, one) {
  await page.choose('#image', one.image);
  const text = JSON.stringify(one.text);
  await page.evaluate(
    `document.querySelector('#text').value = ${text}; document.querySelector('form').requestSubmit()`,
  );
  await page.until("document.querySelector('output').value !== 'working …'");
  const said = await page.evaluate("document.querySelector('output').value");
  if (!said.includes(` of ${one.mask.length} pixels`)) throw new Error(`browser: ${one.name}: ${said}`);
  const drawn = await page.evaluate(`(() => {
    const canvas = document.querySelector('canvas');
    return [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data];
  })()`);
  const { data } = await sharp(one.image).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  const isTinted = (_, i) => ([0, 1, 2].some((channel) => drawn[i * 4 + channel] !== data[i * 4 + channel]) ? 1 : 0);
  return compare('browser', one, one.mask.map(isTinted), shareInBrowsers);
}

/** Serves the files of a folder, as any web server does. */
async function serve(served) {
  const types = {
    '.html': 'text/html',
    '.js': 'text/javascript',
    '.mjs': 'text/javascript',
    '.wasm': 'application/wasm',
  };
  const server = createServer((request, response) => {
    const path = join(served, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    try {
      const bytes = readFileSync(path);
      response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

// slow: makes a pack, and runs crobc in its script
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// The pack has libraries of Linux on x64, and its script is for Python.
const isHere =
  process.platform === 'linux' && process.arch === 'x64' && spawnSync('python3', ['--version']).status === 0;

describe.skipIf(!isHere)('the pack of bench:gpu', () => {
  let outside: string;
  let pack: string;
  beforeAll(() => {
    outside = mkdtempSync(join(tmpdir(), 'crobc-gpu-bench-'));
    pack = join(outside, 'pack');
    execFileSync(process.execPath, ['bench/gpu/pack.mjs', '--quick', '--folder', pack]);
  });
  afterAll(() => rmSync(outside, { recursive: true, force: true }));

  /** Runs the script as on a machine without PyTorch: -S leaves out all packages. */
  const run = (...args: string[]) =>
    spawnSync('python3', ['-S', join(pack, 'run.py'), '--quick', '--device', 'cpu', ...args], {
      cwd: outside,
      env: { PATH: process.env.PATH, TMPDIR: outside },
      encoding: 'utf8',
    });

  test('has crobc, packages for PyTorch and the reference, and libraries of this system alone', () => {
    for (const file of [
      'crobc/dist/bin/crobc.cjs',
      'crobc/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1',
      'programs/crobim_micro/recipe.py',
      'reference/test/goldens/twin.py',
    ])
      expect(existsSync(join(pack, file)), file).toBe(true);
    const files = readdirSync(pack, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => /darwin|win32|musl|providers_cuda|__pycache__|safetensors$/.test(file))).toEqual([]);
    const bytes = files.reduce((sum, file) => sum + statSync(join(pack, file)).size, 0);
    // The archive, of which half is onnxruntime, has a third of it.
    expect(bytes).toBeLessThan(80e6);
  });

  test('lists what would be measured', () => {
    const { stdout, status } = run('--list', '--only', 'train');
    expect(status).toBe(0);
    expect(stdout).toContain('crobc train crobim-micro f32');
    expect(stdout).not.toContain('torch.onnx.export');
  });

  test('measures crobc without PyTorch, and says that this is missing', () => {
    const { stdout, status } = run('--only', 'infer', '--out', join(outside, 'found'));
    expect(status, stdout).toBe(0);
    const rows = readFileSync(join(outside, 'found', 'results.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const row = (id: string) => rows.find((one) => one.id === id);
    // The CPU is compared with itself; f16 rounds to 11 bits.
    expect(row('crobc crobim-micro f32 b1')).toMatchObject({ difference: 0, median: expect.any(Number) });
    const { difference } = row('crobc crobim-micro f16 b1');
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.05);
    expect(row('eager crobim-micro (package) f32 b1').failed).toBe('PyTorch is missing here');
    expect(stdout).toContain('### Marks');
    expect(existsSync(join(outside, 'found', 'work'))).toBe(false);
  });

  test('times graphs that compute the same by different operators', () => {
    const { stdout, status } = run('--only', 'forms', '--out', join(outside, 'forms'));
    expect(status, stdout).toBe(0);
    expect(stdout).not.toContain('FAILED');
    const { forms } = JSON.parse(readFileSync(join(pack, 'cases.json'), 'utf8'));
    const rows = readFileSync(join(outside, 'forms', 'results.jsonl'), 'utf8').split('\n');
    for (const { id, onCuda } of forms.small)
      expect(
        rows.some((row) => row.includes(`"id": ${JSON.stringify(id).replaceAll('×', '\\u00d7')}`)),
        id,
      ).toBe(!onCuda);
    expect(stdout).toMatch(/^\| \[2, 144, 16\] over axis 1 \| AveragePool 12, 12, Mul \| \d+\.\d{4} \| {2}\| \d* \|$/m);
  });

  test('on a machine without a GPU, ends as soon as both sides have found that out', () => {
    const { stdout, status } = run('--device', 'cuda', '--out', join(outside, 'no-gpu'));
    expect(status, stdout).toBe(0);
    expect(stdout).toMatch(/crobc on the GPU: FAILED: this machine has no NVIDIA driver/);
    expect(stdout).toMatch(/torch on the GPU: FAILED: PyTorch is missing here/);
    expect(stdout).toContain('not measured: neither crobc nor PyTorch can use this GPU');
    expect(stdout).not.toContain('parameters');
  });

  test('goes on where Node.js and the folder for results are not there', () => {
    const { stdout, status } = run('--only', 'infer', '--node', join(outside, 'none'), '--out', '/proc/none');
    expect(status).toBe(0);
    expect(stdout).toContain('cannot write to /proc/none');
    expect(stdout).toMatch(/crobc:crobim-micro\S*: 4 cases FAILED: \S+ does not run: crobc needs Node\.js/);
  });

  test('goes on after programs that end between cases, leave others behind, or compute no numbers', () => {
    // Instead of Node.js: measures one case, and leaves a program that keeps its output open.
    const node = join(outside, 'node.py');
    const lines = [
      '#!/usr/bin/env python3',
      'import json, subprocess, sys',
      'if sys.argv[1] == "--version": sys.exit(print("v22.0.0"))',
      'if not sys.argv[1].endswith("worker.mjs"): sys.exit(print("0.0.0"))',
      'case = json.load(open(sys.argv[2]))["cases"][0]',
      'def say(**event): print("@@" + json.dumps(event), flush=True)',
      'say(begin=case["id"])',
      'say(ready=case["id"])',
      'sys.stdin.readline()',
      'time = {"median": 1, "p10": 1, "p90": 1, "runs": 1}',
      'say(result=case["id"], **time, losses=["NaN"], difference="NaN")',
      'subprocess.Popen(["sleep", "600"])',
    ];
    writeFileSync(node, `${lines.join('\n')}\n`, { mode: 0o755 });
    const { stdout, status } = run('--only', 'infer,train', '--node', node, '--out', join(outside, 'ended'));
    expect(status, stdout).toBe(0);
    for (const name of ['f32 b1', 'f32 b2', 'f16 b1', 'f16 b2'])
      expect(stdout).toContain(`crobc crobim-micro ${name}: 1000.00 ms (p10 1000.00, p90 1000.00, 1 runs), differs`);
    expect(stdout).toContain('crobc train crobim-micro f32: 1000.00 ms (p10 1000.00, p90 1000.00, 1 runs), differs');
    expect(stdout).toContain('| CroBIM_micro, 128², batch 8 | crobc | f32 | 1000.00 |  |  |  |  |  | NaN |');
  });

  test('says of each mark what was measured, the ratio, and whether it is reached', () => {
    const infer = (more: object) => ({
      kind: 'infer',
      name: 'crobim',
      precision: 'tf32',
      batch: 1,
      graph: true,
      ...more,
    });
    const eager = (more: object) => ({
      kind: 'eager',
      name: 'crobim',
      precision: 'tf32',
      batch: 1,
      mode: 'eager',
      ...more,
    });
    const rows = [
      infer({ median: 0.01 }),
      // The model with the backbones of transformers comes before crobc's package.
      eager({ source: 'package', median: 0.5 }),
      eager({ source: 'reference', median: 0.05 }),
      eager({ mode: 'reduce-overhead', median: 0.008 }),
      infer({ precision: 'f16', batch: 8, median: 0.02, failed: 'it did not run' }),
    ];
    const program = 'import json, sys; from gpu_bench.marks import marks; print(marks(json.load(sys.stdin)))';
    const input = JSON.stringify(rows);
    const { stdout } = spawnSync('python3', ['-B', '-c', program], { cwd: pack, input, encoding: 'utf8' });
    const [, , , , ...lines] = stdout.trim().split('\n');
    expect(lines).toHaveLength(7);
    expect(lines[2]).toBe(
      '| CroBIM, tf32, batch 1, CUDA graph, against PyTorch eager | 10.00 | 50.00 | 0.32 | 0.20 | pass |',
    );
    expect(lines[3]).toMatch(/\| 10\.00 \| 8\.00 \| 1\.00 \| 1\.25 \| falls short by 1\.25 \|$/);
    expect(lines[4]).toMatch(/\| {2}\| {2}\| 0\.56 \| \| not measured \(crobc\) \|$/);
  });

  test('writes its tables when it is stopped from outside', () => {
    const script = ['python3', '-S', join(pack, 'run.py'), '--quick', '--device', 'cpu'];
    const args = ['-s', 'TERM', '3', ...script, '--out', join(outside, 'ended-early')];
    const { stdout } = spawnSync('timeout', args, { cwd: outside, encoding: 'utf8' });
    expect(stdout).toMatch(/ s {2}stopped$/m);
    expect(stdout).toContain('### Marks');
    expect(existsSync(join(outside, 'ended-early', 'work'))).toBe(false);
  });
});

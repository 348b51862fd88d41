import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageSizes } from '../../../runtime/data/image-sizes.ts';
import { readLines } from '../../../runtime/data/lines.ts';
import { readReport } from '../../../runtime/evaluation/report.ts';
import { FileDigests, fileSha256 } from '../../../runtime/files/file-digests.ts';
import { FileError } from '../../../runtime/files/file-error.ts';
import { openFile } from '../../../runtime/files/open-file.ts';
import {
  readBytes,
  readBytesSync,
  readParts,
  readStartSync,
  readTextSync,
  readUtf8,
} from '../../../runtime/files/read-file.ts';
import { readSource } from '../../../runtime/files/source-host.ts';
import { UserError } from '../../../runtime/files/user-error.ts';
import { readImage } from '../../../runtime/images/image.ts';
import { openSession } from '../../../runtime/ort/session.ts';
import { openTokenizer } from '../../../runtime/text/tokenizer.ts';
import { CheckpointStore } from '../../../runtime/training/checkpoint.ts';
import { openMetricsLog } from '../../../runtime/training/metrics-log.ts';
import { SafetensorsFile } from '../../../runtime/weights/safetensors.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const inFolder = temporaryFolder();
const hasPipes = process.platform !== 'win32' && spawnSync('mkfifo', ['--version']).error === undefined;

function pipe(name: string): string {
  const path = inFolder(name);
  execFileSync('mkfifo', [path]);
  return path;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

/** Every reader of a file that a user names. */
const readers: Readonly<Record<string, (path: string) => unknown>> = {
  weights: (path) => SafetensorsFile.open(path),
  images: (path) => readImage(path),
  'phrases and attributes': (path) => all(readLines(path, 100)),
  tokenizers: (path) => openTokenizer(path),
  reports: (path) => readReport(path),
  sources: (path) => {
    const read = readSource(path);
    if (read instanceof FileError) throw read;
    return read;
  },
  hashes: (path) => fileSha256(path),
  sessions: (path) => openSession(path),
  'metrics of a run': (path) => openMetricsLog(path, { step: 0, evaluated: 0 }),
};

describe('what is not a regular file', () => {
  describe.each(Object.entries(readers))('is refused by the reader of %s', (name, read) => {
    const refused = async (path: string) => {
      const error = await Promise.resolve()
        .then(() => read(path))
        .then(
          () => undefined,
          (reason: unknown) => reason,
        );
      expect(error).toBeInstanceOf(UserError);
      expect((error as UserError).message).toMatch(
        new RegExp(`^cannot (read|write) ${path}: it is not a regular file$`),
      );
    };
    it.skipIf(!hasPipes)('a pipe without another end', () => refused(pipe(`${name}.pipe`)));
    it.skipIf(process.platform === 'win32')('a device that never ends', () => refused('/dev/zero'));
  });

  it.skipIf(!hasPipes)('is a fault of a picture, and is no cache of sizes', async () => {
    const dir = inFolder('sizes');
    mkdirSync(dir);
    const picture = pipe('sizes/a.png');
    pipe('sizes/.crobc-sizes.json');
    const found = (await imageSizes(new Set([picture]), { dir })).get(picture);
    expect(String(found)).toContain('it is not a regular file');
  });

  it.skipIf(!hasPipes)('is no record of hashes, and no checkpoint', async () => {
    await FileDigests.open(pipe('digests.json'));
    const run = inFolder('run');
    mkdirSync(join(run, 'checkpoints/step-00000001'), { recursive: true });
    pipe('run/checkpoints/step-00000001/checkpoint.json');
    const lines: string[] = [];
    expect(await new CheckpointStore(run).latest((line) => lines.push(line))).toBeUndefined();
    expect(lines.join()).toContain('it is not a regular file');
  });
});

describe('a file', () => {
  it('too large for its kind is refused before it is read', async () => {
    const path = inFolder('large.crob');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    const why = `cannot read ${path}: it has 1,099,511,627,776 bytes, and a source 4.0 MiB at most`;
    expect(() => readTextSync(path, 'source')).toThrow(why);
    await expect(readBytes(path, 'source')).rejects.toThrow(why);
    await expect(readImage(path)).rejects.toThrow('and an image 2.0 GiB at most');
  });

  it('is read whole, by every way to read it', async () => {
    const path = inFolder('whole.bin');
    const bytes = Buffer.from(Array.from({ length: 100_003 }, (_, i) => (i * 7) % 251));
    writeFileSync(path, bytes);
    expect((await readBytes(path, 'bytes')).equals(bytes)).toBe(true);
    expect(readBytesSync(path, 'bytes').equals(bytes)).toBe(true);
    expect(Buffer.concat(await all(readParts(path, 'bytes', 4096))).equals(bytes)).toBe(true);
    expect(readStartSync(path, 'bytes', 5).bytes).toEqual(bytes.subarray(0, 5));
    await expect(readUtf8(path, 'bytes')).rejects.toThrow(`cannot read ${path}: it is not UTF-8 text`);
  });

  it.skipIf(process.platform !== 'linux')('that gives no size is read to its end', async () => {
    const text = readFileSync('/proc/self/limits', 'latin1');
    expect(readTextSync('/proc/self/limits', 'record')).toHaveLength(text.length);
    expect(await readBytes('/proc/self/limits', 'record')).toHaveLength(text.length);
  });

  it('that is not there is a FileError with its code', async () => {
    const error = await openFile(inFolder('nowhere'), 'bytes').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    expect(error).toMatchObject({ code: 'ENOENT', reason: 'no such file or folder' });
  });
});

it('no other module opens files', () => {
  /** What opens a file or reads one. */
  const opening = /\b(readFile|readFileSync|createReadStream|openSync|readSync|opendir|open)\b/;
  const allowed = new Set([
    'runtime/files/open-file.ts',
    // It reads from descriptors that the former opened.
    'runtime/files/read-file.ts',
    // It reads parts of libraries from descriptors that the former opened.
    'runtime/ort/cuda-libraries.ts',
    // It loads the program itself, before there is anything else.
    'cli/bundle-loader.ts',
  ]);
  const files = ['runtime', 'cli'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name).replaceAll('\\', '/')),
  );
  const wrong = files.filter((file) => {
    const imports = readFileSync(file, 'utf8').match(/^import [^;]*from 'node:fs(\/promises)?';$/gm) ?? [];
    return !allowed.has(file) && imports.some((line) => opening.test(line) || /import (\*|\w+ from)/.test(line));
  });
  expect(files.length).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

// slow: starts servers as processes of their own
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Script } from 'node:vm';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { addPart } from '../../runtime/images/coco-mask.ts';
import { openSession } from '../../runtime/ort/session.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc, tiny } from './crobc.ts';
import { type Served, serve } from './served.ts';

const at = temporaryFolder();
/** Files of 24 pictures. */
const pictures: Buffer<ArrayBuffer>[] = [];
const phrase = 'the white ship on the left';

beforeAll(async () => {
  await writeFile(at('tiny.crob'), tiny);
  for (let i = 0; i < 24; i++) {
    const [width, height] = [40 + i, 30 + (i % 5)];
    const data = Uint8Array.from({ length: 3 * width * height }, (_, k) => (k * (13 + i) + (k >> 5) * 29) % 256);
    const png = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    pictures.push(Buffer.from(png));
  }
  await writeFile(at('picture.png'), pictures[0]!);
});

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly bytes: Buffer;
}

async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const { status, headers } = response;
  return { status, headers, type: headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) };
}

const json = ({ bytes }: Answer) => JSON.parse(bytes.toString());

function form(fields: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields))
    data.set(name, typeof value === 'string' ? value : new Blob([value]));
  return data;
}

function predict(served: Served, i: number, accept = 'application/json', more: Record<string, string> = {}) {
  const body = form({ image: pictures[i]!, text: phrase, ...more });
  return ask(`${served.url}/predict`, { method: 'POST', body, headers: { accept } });
}

const post = (served: Served, path: string, body: unknown, headers: Record<string, string> = {}) =>
  ask(`${served.url}${path}`, {
    method: 'POST',
    body: typeof body === 'object' && !(body instanceof Uint8Array) ? JSON.stringify(body) : (body as string),
    headers: { 'content-type': 'application/json', ...headers },
  });

const infer = '/v2/models/Tiny/infer';
const inputs = () => {
  const image = Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.fround(Math.sin(i)));
  return [
    { name: 'image', datatype: 'FP32', shape: [1, 3, 32, 32], data: image },
    { name: 'tokens', datatype: 'INT64', shape: [1, 8], data: [2, 5, 9, 14, 3, 0, 0, 0] },
    { name: 'mask', datatype: 'BOOL', shape: [1, 8], data: [true, true, true, true, true, false, false, false] },
  ];
};

describe('a model', () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(['tiny.crob', '--max-body', '1', '--max-pixels', '1000000'], at('.'));
  });
  afterAll(async () => {
    served.signal('SIGINT');
    expect(await served.ended).toMatchObject({ code: 0 });
  });

  it('says what it is', async () => {
    expect(json(await ask(`${served.url}/v2`))).toMatchObject({ name: 'crobc', extensions: ['binary_tensor_data'] });
    const metadata = {
      name: 'Tiny',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'image', datatype: 'FP32', shape: [-1, 3, 32, 32] },
        { name: 'tokens', datatype: 'INT64', shape: [-1, 8] },
        { name: 'mask', datatype: 'BOOL', shape: [-1, 8] },
      ],
      outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, 1, 32, 32] }],
    };
    for (const path of ['/v2/models/Tiny', '/v2/models/Tiny/versions/1'])
      expect(json(await ask(`${served.url}${path}`))).toEqual(metadata);
    for (const path of ['/v2/health/live', '/v2/health/ready', '/v2/models/Tiny/ready'])
      expect((await ask(`${served.url}${path}`)).status).toBe(200);
  });

  it('has a page that runs nothing of others', async () => {
    const page = await ask(`${served.url}/`);
    expect(page.type).toMatch(/^text\/html/);
    expect(page.bytes.toString()).toContain('Scores patches by words.');
    const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(page.bytes.toString()) ?? [];
    expect(() => new Script(script)).not.toThrow();
    expect(script).toContain('fetch(');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('answers with the mask and the overlay of crobc predict, byte for byte', async () => {
    const line = [
      'predict',
      'tiny.crob',
      '--image',
      'picture.png',
      '--text',
      phrase,
      '--device',
      'cpu',
      '-o',
      'predicted',
    ];
    expect(await crobc(line, { cwd: at('.') })).toMatchObject({ code: 0 });
    const mask = await predict(served, 0, 'image/png');
    expect(mask).toMatchObject({ status: 200, type: 'image/png' });
    expect(mask.bytes).toEqual(await readFile(at('predicted/picture.mask.png')));
    const drawn = await predict(served, 0, '*/*', { overlay: 'true' });
    expect(drawn.bytes).toEqual(await readFile(at('predicted/picture.overlay.png')));
    const { area, box, score, tokens } = JSON.parse(await readFile(at('predicted/picture.json'), 'utf8'));
    expect(area).toBeGreaterThan(0);
    const answer = json(await predict(served, 0));
    expect(answer).toMatchObject({ model: 'Tiny', text: phrase, width: 40, height: 30, area, box, score, tokens });
    const plane = new Uint8Array(40 * 30);
    addPart(plane, { kind: 'compressed', counts: answer.mask.counts }, 30, 40);
    const pixels = await sharp(mask.bytes).toColourspace('b-w').raw().toBuffer();
    expect([...plane].map((inside) => 255 * inside)).toEqual([...pixels]);
    const polygons = json(await predict(served, 0, 'application/geo+json'));
    const areas = polygons.features.map(({ properties }: { properties: { pixels: number } }) => properties.pixels);
    expect(areas.reduce((a: number, b: number) => a + b, 0)).toBe(area);
  });

  it('takes JSON with base64 as well', async () => {
    const { milliseconds: _, ...answer } = json(
      await post(served, '/predict', { image: pictures[3]!.toString('base64'), text: phrase }),
    );
    const { milliseconds: __, ...same } = json(await predict(served, 3));
    expect(answer).toEqual(same);
  });

  it('gives the results of onnxruntime, as JSON and as binary data', async () => {
    const session = await openSession(at('out/model-cache/Tiny.onnx'), { device: 'cpu' });
    const [image, tokens, mask] = inputs();
    const { logits } = await session.run({
      image: { dtype: 'f32', shape: [1, 3, 32, 32], data: Float32Array.from(image!.data as number[]) },
      tokens: { dtype: 'i64', shape: [1, 8], data: BigInt64Array.from(tokens!.data as number[], BigInt) },
      mask: { dtype: 'bool', shape: [1, 8], data: Uint8Array.from(mask!.data as boolean[], Number) },
    });
    await session.release();
    const wanted = [...(logits!.data as Float32Array)];
    const plain = json(await post(served, infer, { id: 'a', inputs: inputs() }));
    expect(plain).toMatchObject({ model_name: 'Tiny', model_version: '1', id: 'a' });
    expect(plain.outputs).toEqual([{ name: 'logits', datatype: 'FP32', shape: [1, 1, 32, 32], data: wanted }]);

    const binary = Buffer.from(Float32Array.from(image!.data as number[]).buffer);
    const { data: _, ...about } = image!;
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ ...about, parameters: { binary_data_size: binary.length } }, tokens, mask],
        outputs: [{ name: 'logits', parameters: { binary_data: true } }],
      }),
    );
    const answer = await post(served, `/v2/models/Tiny/versions/1/infer`, Buffer.concat([head, binary]), {
      'inference-header-content-length': String(head.length),
    });
    const length = Number(answer.headers.get('inference-header-content-length'));
    expect(JSON.parse(answer.bytes.subarray(0, length).toString()).outputs).toEqual([
      { name: 'logits', datatype: 'FP32', shape: [1, 1, 32, 32], parameters: { binary_data_size: 4096 } },
    ]);
    expect([...new Float32Array(Uint8Array.from(answer.bytes.subarray(length)).buffer)]).toEqual(wanted);
  });

  it('takes nested lists, and batches of a client', async () => {
    const rows = inputs().map(({ data, ...rest }) => {
      const size = data.length;
      return { ...rest, shape: [2, ...rest.shape.slice(1)], data: [...data, ...data], size };
    });
    const { outputs } = json(await post(served, infer, { inputs: rows }));
    expect(outputs[0].shape).toEqual([2, 1, 32, 32]);
    const [first, second] = [outputs[0].data.slice(0, 1024), outputs[0].data.slice(1024)];
    expect(first).toEqual(second);
    const nested = inputs().map((one) => (one.name === 'image' ? one : { ...one, data: [one.data] }));
    expect(json(await post(served, infer, { inputs: nested })).outputs[0].data).toEqual(first);
  });

  const changed = (name: string, change: object) => ({
    inputs: inputs().map((one) => (one.name === name ? { ...one, ...change } : one)),
  });
  const bad: readonly (readonly [string, number, RegExp, () => Promise<Answer>])[] = [
    ['another path', 404, /^there is no \/nowhere$/, () => ask(`${served.url}/nowhere`)],
    ['another model', 404, /^there is no \/v2\/models\/Big$/, () => ask(`${served.url}/v2/models/Big`)],
    [
      'another version',
      404,
      /no \/v2\/models\/Tiny\/versions\/2/,
      () => ask(`${served.url}/v2/models/Tiny/versions/2`),
    ],
    ['another method', 405, /^\/predict takes POST$/, () => ask(`${served.url}/predict`)],
    ['no JSON', 400, /not JSON/, () => post(served, infer, '{"inputs": [')],
    ['JSON of another kind', 400, /not a JSON object/, () => post(served, infer, '[1]')],
    ['no inputs', 400, /"inputs" is not a list/, () => post(served, infer, {})],
    ['a missing input', 400, /the input mask is missing/, () => post(served, infer, { inputs: inputs().slice(0, 2) })],
    ['an input twice', 400, /mask is there twice/, () => post(served, infer, { inputs: [...inputs(), inputs()[2]] })],
    [
      'an input of another name',
      400,
      /has no input foo/,
      () => post(served, infer, { inputs: [...inputs(), { ...inputs()[2], name: 'foo' }] }),
    ],
    [
      'another type',
      400,
      /tokens is i32: must be i64/,
      () => post(served, infer, changed('tokens', { datatype: 'INT32' })),
    ],
    ['an unknown type', 400, /datatype "FP8"/, () => post(served, infer, changed('tokens', { datatype: 'FP8' }))],
    [
      'another rank',
      400,
      /image is \[3, 32, 32\]: must be \[B, 3, 32, 32\]/,
      () => post(served, infer, changed('image', { shape: [3, 32, 32] })),
    ],
    [
      'another size',
      400,
      /axis 1 of the input mask is 4: must be 8/,
      () => post(served, infer, changed('mask', { shape: [1, 4], data: [true, true, true, true] })),
    ],
    [
      'batches of different sizes',
      400,
      /axis 0 of the input mask is 2: must be 1 \(B\)/,
      () => post(served, infer, changed('mask', { shape: [2, 8], data: Array(16).fill(true) })),
    ],
    ['no rows', 400, /sizes are 1 or more/, () => post(served, infer, changed('mask', { shape: [0, 8], data: [] }))],
    [
      'too few elements',
      400,
      /has 1 elements, and its shape 8/,
      () => post(served, infer, changed('tokens', { data: [1] })),
    ],
    [
      'too many elements',
      400,
      /more elements than its shape/,
      () => post(served, infer, changed('tokens', { data: Array(9).fill(1) })),
    ],
    [
      'a shape beyond memory',
      400,
      /more elements than were sent/,
      () => post(served, infer, changed('tokens', { shape: [1e9, 1e9] })),
    ],
    [
      'a fraction',
      400,
      /no INT64: 1\.5/,
      () => post(served, infer, changed('tokens', { data: [1.5, 0, 0, 0, 0, 0, 0, 0] })),
    ],
    [
      'a token beyond the table',
      400,
      /tokens is 2560 at element 1: must lie in 0\.\.2559/,
      () => post(served, infer, changed('tokens', { data: [0, 2560, 0, 0, 0, 0, 0, 0] })),
    ],
    [
      'a negative token',
      400,
      /tokens is -1 at element 0/,
      () => post(served, infer, changed('tokens', { data: [-1, 0, 0, 0, 0, 0, 0, 0] })),
    ],
    [
      'an output of another name',
      400,
      /has no output masks/,
      () => post(served, infer, { inputs: inputs(), outputs: [{ name: 'masks' }] }),
    ],
    [
      'a batch beyond the most',
      400,
      /a batch of 9 is more than 8/,
      () =>
        post(served, infer, {
          inputs: inputs().map(({ data, ...one }) => ({
            ...one,
            shape: [9, ...one.shape.slice(1)],
            data: Array.from({ length: 9 }, () => data)
              .flat()
              .map((v) => (typeof v === 'number' ? Math.round(v) : v)),
          })),
        }),
    ],
    [
      'binary data that are not there',
      400,
      /512 bytes|has 0 bytes of binary data/,
      () => post(served, infer, changed('image', { data: undefined, parameters: { binary_data_size: 512 } })),
    ],
    [
      'a length beyond the body',
      400,
      /is 99999, and the body has/,
      () => post(served, infer, { inputs: [] }, { 'inference-header-content-length': '99999' }),
    ],
    [
      'a body of another type',
      415,
      /neither multipart\/form-data nor application\/json/,
      () => post(served, '/predict', 'a=b', { 'content-type': 'text/plain' }),
    ],
    [
      'a compressed body',
      415,
      /Content-Encoding gzip/,
      () => post(served, '/predict', '{}', { 'content-encoding': 'gzip' }),
    ],
    [
      'a form that is none',
      400,
      /not a form/,
      () => post(served, '/predict', 'hello', { 'content-type': 'multipart/form-data; boundary=x' }),
    ],
    ['no image', 400, /"image" is missing/, () => post(served, '/predict', { text: phrase })],
    ['an image that is no base64', 400, /not base64/, () => post(served, '/predict', { image: '%%%', text: phrase })],
    ['an empty image', 400, /the image: it is empty/, () => post(served, '/predict', { image: '', text: phrase })],
    [
      'no picture',
      400,
      /not a PNG, JPEG, TIFF or WebP/,
      () => post(served, '/predict', { image: 'aGVsbG8gd29ybGQ=', text: phrase }),
    ],
    [
      'half a picture',
      400,
      /truncated or damaged/,
      () =>
        post(served, '/predict', {
          image: pictures[0]!.subarray(0, pictures[0]!.length / 2).toString('base64'),
          text: phrase,
        }),
    ],
    ['no words', 400, /takes words/, () => post(served, '/predict', { image: pictures[0]!.toString('base64') })],
    [
      'words of another type',
      400,
      /"text" is not a text/,
      () => post(served, '/predict', { image: pictures[0]!.toString('base64'), text: 3 }),
    ],
    [
      'words without end',
      400,
      /at most 4096/,
      () => post(served, '/predict', { image: pictures[0]!.toString('base64'), text: 'a'.repeat(5000) }),
    ],
    [
      'something else',
      400,
      /"threshold" is none of "image", "text", "overlay"/,
      () => post(served, '/predict', { image: '', threshold: 0.3 }),
    ],
    ['an answer of another type', 406, /there are answers as/, () => predict(served, 0, 'text/html')],
    ['an overlay as JSON', 406, /accept image\/png/, () => predict(served, 0, 'application/json', { overlay: 'true' })],
    [
      'too long a body',
      413,
      /a body has 1048576 bytes at most/,
      () => post(served, '/predict', { image: 'A'.repeat(2 ** 21), text: phrase }),
    ],
    [
      'too many pixels',
      413,
      /2000 × 1000 pixels are over the limit of 1000000/,
      async () =>
        post(served, '/predict', {
          image: (
            await sharp({ create: { width: 2000, height: 1000, channels: 3, background: 'red' } })
              .png()
              .toBuffer()
          ).toString('base64'),
          text: phrase,
        }),
    ],
  ];
  test.each(bad)('refuses %s', async (_, status, message, send) => {
    const answer = await send();
    expect([answer.status, answer.type]).toEqual([status, 'application/json']);
    expect(json(answer).error).toMatch(message);
  });

  it('refuses a body without a length that becomes too long', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(2 ** 18)),
    });
    const sent = ask(`${served.url}/predict`, { method: 'POST', body, duplex: 'half' } as RequestInit);
    const status = await sent.then((answer) => answer.status).catch(() => 'the connection was ended');
    expect([413, 'the connection was ended']).toContain(status);
    expect((await predict(served, 0)).status).toBe(200);
  });

  it('counts what it has answered', async () => {
    const metrics = await ask(`${served.url}/metrics`);
    expect(metrics.type).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = metrics.bytes.toString();
    expect(text).toMatch(/^crobc_requests_total\{method="POST",route="\/predict",code="200"\} [1-9]\d*$/m);
    expect(text).toMatch(/^crobc_requests_total\{method="GET",route="none",code="404"\} 3$/m);
    expect(text).toMatch(/^crobc_run_seconds_count\{model="Tiny"\} [1-9]\d*$/m);
    // Every line is a comment, or a name with labels and a number.
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"]*",?)+\})? [\d.e+-]+)$/);
  });
});

it('answers many clients at once with what each would get alone, in fewer runs', async () => {
  const served = await serve(['tiny.crob', '--max-delay', '200', '--max-batch', '8'], at('.'));
  const together = await Promise.all(pictures.map((_, i) => predict(served, i, 'image/png')));
  const text = (await ask(`${served.url}/metrics`)).bytes.toString();
  const runs = Number(/^crobc_batch_size_count\{.*\} (\d+)$/m.exec(text)?.[1]);
  const rows = Number(/^crobc_batch_size_sum\{.*\} (\d+)$/m.exec(text)?.[1]);
  expect(rows).toBe(pictures.length);
  expect(runs).toBeLessThan(rows);
  for (const [i, answer] of together.entries())
    expect(answer.bytes).toEqual((await predict(served, i, 'image/png')).bytes);
  served.signal('SIGTERM');
  expect(await served.ended).toMatchObject({ code: 0 });
});

it('refuses more than may wait, gives up what takes too long, and forgets who went away', async () => {
  const args = ['tiny.crob', '--max-batch', '8', '--max-delay', '60000', '--max-pending', '2', '--timeout', '3'];
  const served = await serve(args, at('.'));
  const pending = async () =>
    Number(/^crobc_pending\{.*\} (\d+)$/m.exec((await ask(`${served.url}/metrics`)).bytes.toString())?.[1]);
  const gone = new AbortController();
  const body = () => form({ image: pictures[0]!, text: phrase });
  const left = fetch(`${served.url}/predict`, { method: 'POST', body: body(), signal: gone.signal }).catch(
    () => 'gone',
  );
  const late = predict(served, 1);
  while ((await pending()) < 2) await wait(5);
  const refused = await predict(served, 2);
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  gone.abort();
  expect(await left).toBe('gone');
  const answer = await late;
  expect([answer.status, json(answer).error]).toEqual([504, 'the answer took more than 3 s']);
  expect(await pending()).toBe(0);
  expect(served.log.filter(({ event }) => event === 'request').map(({ status }) => status)).toContain(499);
  served.signal('SIGTERM');
  expect(await served.ended).toMatchObject({ code: 0 });
});

/** Sends text on a connection of its own, and waits for its end; `hangs` are never finished. */
function connection(url: string, text: string) {
  const { hostname, port } = new URL(url);
  let got = '';
  const socket = connect(Number(port), hostname, () => socket.write(text));
  const ended = new Promise<string>((resolve) => {
    socket.setEncoding('latin1').on('data', (part) => {
      got += part;
    });
    socket.on('error', () => undefined).on('close', () => resolve(got));
  });
  return { socket, ended };
}

it('answers others while clients hang, and ends in spite of them', async () => {
  const served = await serve(['tiny.crob'], at('.'));
  const head = `POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n`;
  const hanging = ['', 'POST /pre', head, `${head}\r\n{"image"`].map((text) => connection(served.url, text));
  expect((await predict(served, 0)).status).toBe(200);
  const garbage = await connection(served.url, 'hello\r\n\r\n').ended;
  expect(garbage).toMatch(/^HTTP\/1\.1 400 /);
  served.signal('SIGTERM');
  expect(await served.ended).toMatchObject({ code: 0 });
  await Promise.all(hanging.map(({ ended }) => ended));
});

describe('at SIGTERM', () => {
  it('answers what it has accepted, and refuses what comes after', async () => {
    const served = await serve(['tiny.crob', '--max-batch', '8', '--max-delay', '2000'], at('.'));
    // A connection that is there already, and stays open for a further request.
    const { hostname, port } = new URL(served.url);
    const accepted = [predict(served, 0), predict(served, 1), predict(served, 2)];
    const get = 'GET /v2/models/Tiny HTTP/1.1\r\nHost: x\r\n\r\n';
    const kept = connection(served.url, 'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
    while (served.log.length > 1) await wait(5);
    const pending = async () =>
      Number(/^crobc_pending\{.*\} (\d+)$/m.exec((await ask(`${served.url}/metrics`)).bytes.toString())?.[1]);
    while ((await pending()) < 3) await wait(5);
    served.signal('SIGTERM');
    while (!served.log.some(({ event }) => event === 'stopping')) await wait(5);
    kept.socket.write(`Content-Length: 2\r\n\r\n{}${get}`);
    const refused = await kept.ended;
    expect(refused).toMatch(/^HTTP\/1\.1 503 /);
    expect(refused).toMatch(/retry-after: 5/i);
    const late = await new Promise((resolve) => {
      request({ hostname, port, path: '/v2' }, () => resolve('answered'))
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        .end();
    });
    expect(late).toBe('ECONNREFUSED');
    for (const answer of await Promise.all(accepted)) {
      expect(answer.status).toBe(200);
      expect(json(answer).mask.size).toHaveLength(2);
    }
    const { code, err } = await served.ended;
    expect(code).toBe(0);
    expect(err).toBe('note: no --weights: the model is untrained and its masks mean nothing\n');
  });

  it('loses nothing that it has accepted, whenever it comes', async () => {
    const served = await serve(['tiny.crob'], at('.'));
    let [answered, refused] = [0, 0];
    const client = async (i: number) => {
      for (;;) {
        const answer = await predict(served, i).catch(() => undefined);
        if (answer?.status === 200) {
          expect(json(answer)).toMatchObject({ text: phrase });
          answered++;
        } else {
          if (answer) expect(answer.status).toBe(503);
          refused++;
          return;
        }
        if (answered === 60) served.signal('SIGTERM');
      }
    };
    await Promise.all(pictures.map((_, i) => client(i)));
    expect(await served.ended).toMatchObject({ code: 0 });
    const done = served.log.filter(({ event, status }) => event === 'request' && status === 200);
    // What the server has answered has come to the clients: nothing was cut off.
    expect(done).toHaveLength(answered);
    expect(answered).toBeGreaterThanOrEqual(60);
    expect(refused).toBe(pictures.length);
  });
});

describe('a folder of crobc build', () => {
  beforeAll(async () => {
    await crobc(['build', 'tiny.crob', '--set', 'H=32,W=32,T=8', '-o', 'built'], { cwd: at('.') });
    await crobc(['build', 'tiny.crob', '-o', 'open'], { cwd: at('.') });
  });

  it('is served with the vocabulary that is given', async () => {
    const vocabulary = new URL('../../models/vocab/aerial.txt', import.meta.url).pathname;
    const served = await serve(['built', '--tokenizer', vocabulary], at('.'));
    const other = await serve(['tiny.crob'], at('.'));
    expect((await predict(served, 5, 'image/png')).bytes).toEqual((await predict(other, 5, 'image/png')).bytes);
    for (const one of [served, other]) one.signal('SIGTERM');
    expect((await served.ended).err).toBe('');
    await other.ended;
  });

  it('that is for another device says so', async () => {
    await crobc(['build', 'tiny.crob', '--set', 'H=32,W=32,T=8', '--for', 'cuda', '-o', 'for-cuda'], { cwd: at('.') });
    const vocabulary = new URL('../../models/vocab/aerial.txt', import.meta.url).pathname;
    const served = await serve(['for-cuda', '--tokenizer', vocabulary], at('.'));
    served.signal('SIGTERM');
    const note =
      'note: this build is for cuda (build --for), and this runs on cpu, where it may be slower than the same crobc build without --for\n';
    expect((await served.ended).err).toContain(note);
  });

  it('with open sizes takes tensors alone, under the conditions of its source', async () => {
    const served = await serve(['open', '--max-batch', '4'], at('.'));
    expect((await predict(served, 0)).status).toBe(404);
    const image = { name: 'image', datatype: 'FP32', shape: [1, 3, 30, 32], data: Array(3 * 30 * 32).fill(0) };
    const [, tokens, mask] = inputs();
    const answer = await post(served, infer, { inputs: [image, tokens, mask] });
    expect([answer.status, json(answer).error]).toEqual([400, 'the sizes do not fit `H % 4 == 0`: H = 30']);
    expect((await post(served, infer, { inputs: inputs() })).status).toBe(200);
    served.signal('SIGTERM');
    const { err } = await served.ended;
    expect(err).toContain('note: each run answers one request: sizes other than the batch are open\n');
    expect(err).toContain('note: there is no POST /predict: the image size of Tiny is open: build it with --set');
  });

  test.each([
    ['built', 2, 'error: --weights is for a model that is built, and built is a build', '--weights', 'x.safetensors'],
    ['built', 1, 'crobc: the build of Tiny has no vocabulary, as its weights had none'],
    ['built', 1, 'crobc: built has no build of Tony; there is Tiny', '--model', 'Tony'],
    ['empty', 1, 'crobc: empty is a folder, neither a .crob file nor the folder of a training'],
    ['tiny.crob', 2, "error: option '--port <n>' argument '99999' is invalid. Too many", '--port', '99999'],
    ['tiny.crob', 2, 'error: serve has no --workers: write --threads N', '--workers', '3'],
  ])('of %s ends with %i: %s', async (folder, code, message, ...more) => {
    await mkdir(at('empty'), { recursive: true });
    const ran = await crobc(['serve', String(folder), ...more.map(String)], { cwd: at('.') });
    expect(ran.code).toBe(code);
    expect(ran.err).toContain(message);
  });

  it('is refused if a file is not the one that was built', async () => {
    await writeFile(at('open/Tiny.onnx'), 'other');
    const { code, err } = await crobc(['serve', 'open'], { cwd: at('.') });
    expect([code, err]).toEqual([1, 'crobc: open/Tiny.onnx is not the file that was built: build Tiny again\n']);
  });
});

it('does not join requests where rows depend on each other', async () => {
  await writeFile(
    at('mixing.crob'),
    'model Mixing {\n  input x: f32[B, 8]\n  output y = x - mean(x, "b c -> 1 c")\n}\n',
  );
  const served = await serve(['mixing.crob', '--max-batch', '8', '--max-delay', '50'], at('.'));
  const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 8], data: [1, 2, 3, 4, 5, 6, 7, 8] }] };
  const answers = await Promise.all(Array.from({ length: 6 }, () => post(served, '/v2/models/Mixing/infer', body)));
  for (const answer of answers) expect(json(answer).outputs[0].data).toEqual(Array(8).fill(0));
  served.signal('SIGTERM');
  const { err } = await served.ended;
  expect(err).toContain('note: --max-delay has no effect: each run answers one request (--max-batch)\n');
  expect(err).toContain('note: each run answers one request: a row of y depends on the other rows\n');
  expect(err).toContain('note: there is no POST /predict: Mixing has other inputs than an image and words\n');
});

it('says why it cannot listen', async () => {
  const served = await serve(['tiny.crob'], at('.'));
  const { port } = new URL(served.url);
  const { code, err } = await crobc(['serve', 'tiny.crob', '--port', port, '--device', 'cpu'], { cwd: at('.') });
  expect(code).toBe(1);
  expect(err).toMatch(new RegExp(`^crobc: cannot listen on 127\\.0\\.0\\.1:${port}: `, 'm'));
  served.signal('SIGTERM');
  await served.ended;
});

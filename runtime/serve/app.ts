import { type Context, Hono } from 'hono';
import type { Port } from '../build/build-record.ts';
import { packageVersion } from '../files/package-root.ts';
import { cut } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { surroundings } from '../process/surroundings.ts';
import { datatypes, headerLength, modelVersion, readInferRequest, writeInferAnswer } from './kserve.ts';
import { page } from './page.ts';
import { questionOf, readPredictBody, typeOf } from './predict-request.ts';
import { RequestFault } from './request-fault.ts';
import type { Service } from './service.ts';

export interface AppOptions {
  /** Most bytes of a body. */
  readonly maxBody: number;
  /** Milliseconds from the head of a request to its answer. */
  readonly timeout: number;
  /** Whether new requests are refused, because the server stops. */
  stopping(): boolean;
  /** Receives each answered request. */
  answered(request: AnsweredRequest): void;
}

export interface AnsweredRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly milliseconds: number;
  /** Why it was not answered with a result. */
  readonly error: string | undefined;
}

/** The status in logs and metrics for a client that went away, as nginx has it. */
const clientGone = 499;

/** Seconds after which a client may find another server in the place of one that stops. */
const restart = 5;

interface Variables {
  readonly Variables: { error?: string };
}

/**
 * The routes of a server: KServe's v2 protocol (https://github.com/kserve/open-inference-protocol), `POST /predict`, a
 * page, and metrics.
 */
export function serverApp(service: Service, options: AppOptions): Hono<Variables> {
  const { record, pictures } = service.model;
  const app = new Hono<Variables>();
  const room: Room = { bytes: options.maxBody * service.maxPending, used: 0 };
  const { now } = surroundings();

  app.use(async (c, next) => {
    const started = now();
    if (options.stopping() && !alwaysAnswered.has(c.req.path))
      c.res = failed(c, new RequestFault(503, 'the server is stopping', restart));
    else await next();
    // Whatever was accepted is answered; then the connection ends.
    if (options.stopping()) c.res.headers.set('connection', 'close');
    c.res.headers.set('x-content-type-options', 'nosniff');
    const { status } = c.res;
    const milliseconds = now() - started;
    service.metrics.request(c.req.method, routeOf(c), status, milliseconds);
    options.answered({ method: c.req.method, path: c.req.path, status, milliseconds, error: c.get('error') });
  });
  app.onError((error, c) => failed(c, faultOf(error)));
  app.notFound((c) => {
    const allowed = app.routes.filter(({ path, method }) => path === c.req.path && method !== 'ALL');
    if (allowed.length === 0) return failed(c, new RequestFault(404, `there is no ${cut(c.req.path)}`));
    const methods = allowed.map(({ method }) => method).join(', ');
    c.header('allow', methods);
    return failed(c, new RequestFault(405, `${c.req.path} takes ${methods}`));
  });

  app.get('/v2', (c) => c.json({ name: 'crobc', version: packageVersion(), extensions: ['binary_tensor_data'] }));
  app.get('/v2/health/live', (c) => c.json({ live: true }));
  const ready = (c: Context) => {
    const is = !options.stopping();
    return c.json({ name: record.model, ready: is }, is ? 200 : 503);
  };
  app.get('/v2/health/ready', (c) => c.json({ ready: !options.stopping() }, options.stopping() ? 503 : 200));

  const tensor = ({ name, dtype, shape }: Port) => ({
    name,
    datatype: datatypes[dtype],
    // -1 is any size.
    shape: shape.map((dim) => (/^\d+$/.test(dim) ? Number(dim) : -1)),
  });
  const metadata = {
    name: record.model,
    versions: [modelVersion],
    platform: 'onnxruntime_onnx',
    inputs: record.inputs.map(tensor),
    outputs: record.outputs.map(tensor),
  };
  const infer = async (c: Context<Variables>) => {
    const body = await bodyOf(c, options.maxBody, room);
    const length = c.req.header(headerLength);
    if (length !== undefined && !/^\d+$/.test(length)) throw new RequestFault(400, `${headerLength} is not a length`);
    const request = readInferRequest(body, length === undefined ? undefined : Number(length));
    for (const { name } of request.outputs ?? [])
      if (!record.outputs.some((output) => output.name === name))
        throw new RequestFault(400, `${record.model} has no output ${name}`);
    const { outputs } = await withDeadline(c, options.timeout, (signal) => service.infer(request.feeds, signal));
    const answer = writeInferAnswer(record.model, request, outputs);
    return c.body(answer.body as Uint8Array<ArrayBuffer>, 200, {
      'content-type': answer.jsonBytes === undefined ? 'application/json' : 'application/octet-stream',
      ...(answer.jsonBytes === undefined ? {} : { [headerLength]: String(answer.jsonBytes) }),
    });
  };
  for (const model of [`/v2/models/${record.model}`, `/v2/models/${record.model}/versions/${modelVersion}`]) {
    app.get(model, (c) => c.json(metadata));
    app.get(`${model}/ready`, ready);
    app.post(`${model}/infer`, infer);
  }

  if (pictures.kind === 'pictures') {
    app.get('/', (c) => {
      c.header('content-security-policy', pagePolicy);
      return c.html(page(record, pictures.words !== undefined));
    });
    app.post('/predict', async (c) => {
      const body = await bodyOf(c, options.maxBody, room);
      const sent = await readPredictBody(body, c.req.header('content-type') ?? '');
      const question = questionOf(sent, c.req.header('accept'));
      const { body: answer, statistics } = await withDeadline(c, options.timeout, (signal) =>
        service.predict(question, signal),
      );
      return c.body(answer as Uint8Array<ArrayBuffer>, 200, {
        'content-type': typeOf[question.form],
        'x-crobc-prediction': JSON.stringify(statistics),
        vary: 'accept',
      });
    });
  } else {
    const none = (c: Context<Variables>) => failed(c, new RequestFault(404, `no pictures: ${pictures.reason}`));
    app.get('/', none);
    app.post('/predict', none);
  }

  app.get('/metrics', (c) => {
    const { waiting, pending, metrics } = service;
    return c.text(metrics.text({ waiting, pending, ready: !options.stopping() }), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    });
  });
  return app;
}

/** The paths that are answered while the server stops. */
const alwaysAnswered: ReadonlySet<string> = new Set(['/v2/health/live', '/v2/health/ready', '/metrics']);

const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src blob:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'";

/** The pattern of the route that answered, so that a client cannot make new labels. */
function routeOf(c: Context): string {
  return c.req.matchedRoutes.findLast(({ path }) => path !== '/*')?.path ?? 'none';
}

function failed(c: Context<Variables>, { status, message, retryAfter }: RequestFault): Response {
  c.set('error', message);
  if (retryAfter !== undefined) c.header('retry-after', String(retryAfter));
  return c.json({ error: message }, status as 400);
}

/** The answer to an error. What is no fault of a request and no message for users is a bug, and is logged. */
function faultOf(error: unknown): RequestFault {
  if (error instanceof RequestFault) return error;
  if (error instanceof UserError) return new RequestFault(500, error.message);
  return new RequestFault(500, error instanceof Error ? error.message : String(error));
}

/** Works on a request until the client goes away, or the answer takes too long. */
async function withDeadline<T>(
  c: Context,
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const gone = () => deadline.abort(new RequestFault(clientGone, 'the client went away'));
  const late = () => deadline.abort(new RequestFault(504, `the answer took more than ${milliseconds / 1000} s`));
  const { signal } = c.req.raw;
  if (signal.aborted) gone();
  signal.addEventListener('abort', gone);
  const timer = setTimeout(late, milliseconds);
  try {
    return await work(deadline.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', gone);
  }
}

/** Room for the bodies that are being received, of all requests together. */
interface Room {
  readonly bytes: number;
  used: number;
}

/**
 * Reads a body. Throws a RequestFault for one that is too long, before all of it has come, for one that is compressed, and if
 * there is no room for it.
 */
async function bodyOf(c: Context, most: number, room: Room): Promise<Uint8Array<ArrayBuffer>> {
  const tooLong = new RequestFault(413, `a body has ${most} bytes at most`);
  const encoding = c.req.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity')
    throw new RequestFault(415, `a body with Content-Encoding ${encoding} is not read`);
  if (Number(c.req.header('content-length') ?? 0) > most) throw tooLong;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const reader = c.req.raw.body?.getReader();
  try {
    while (reader) {
      const { done, value } = await reader.read().catch(() => {
        throw new RequestFault(clientGone, 'the client went away');
      });
      if (done) break;
      bytes += value.length;
      room.used += value.length;
      if (bytes > most) throw tooLong;
      if (room.used > room.bytes) throw new RequestFault(429, 'too many bodies are being received', 1);
      parts.push(value);
    }
    return Uint8Array.from(Buffer.concat(parts));
  } finally {
    room.used -= bytes;
  }
}

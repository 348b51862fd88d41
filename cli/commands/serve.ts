import { availableParallelism } from 'node:os';
import { deviceFor, elsewhereNote } from '../../runtime/build/own-profile.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import type { Device } from '../../runtime/ort/session.ts';
import { hasTrainedWeights } from '../../runtime/predict/trained-model.ts';
import { listenForStop } from '../../runtime/process/stop-signal.ts';
import type { AnsweredRequest } from '../../runtime/serve/app.ts';
import { buildsIn, openServedSource, type ServedModel, servedBuild } from '../../runtime/serve/served-model.ts';
import { startServer } from '../../runtime/serve/server.ts';
import { openService, type Service } from '../../runtime/serve/service.ts';
import { givenModel } from '../given-model.ts';
import type { Invocation } from '../io.ts';
import { complain, printLine } from '../print.ts';
import type { TextOptions } from '../sample-options.ts';

export interface ServeOptions extends TextOptions {
  readonly model?: string;
  readonly host: string;
  readonly port: number;
  readonly maxBatch?: number;
  readonly maxDelay: number;
  readonly maxPending: number;
  /** MiB. */
  readonly maxBody: number;
  readonly maxPixels: number;
  /** Seconds. */
  readonly timeout: number;
  readonly weights?: string;
  readonly via?: string;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** False with --no-tf32. */
  readonly tf32: boolean;
  readonly threads?: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/** A line of the log. */
type Entry =
  | {
      readonly event: 'listening';
      readonly url: string;
      readonly model: string;
      readonly device: Device;
      readonly maxBatch: number;
    }
  | ({ readonly event: 'request' } & AnsweredRequest)
  | { readonly event: 'stopping'; readonly signal: string; readonly pending: number }
  | { readonly event: 'stopped'; readonly answered: number; readonly refused: number };

/** `crobc serve`. Ends with 0 after SIGINT or SIGTERM; `given` holds the options that were given on the command line. */
export async function serve(
  io: Invocation,
  path: string,
  options: ServeOptions,
  given: ReadonlySet<string>,
): Promise<number> {
  const service = await openedService(io, path, options, given);
  if (!service) return 1;
  const log = (entry: Entry) => printEntry(io, options.json ?? false, entry);
  let [answered, refused] = [0, 0];
  const stop = stopRequest();
  try {
    const server = await startServer(service, {
      host: options.host,
      port: options.port,
      maxBody: options.maxBody * 2 ** 20,
      timeout: options.timeout * 1000,
      answered: (request) => {
        if (request.status === 503) refused++;
        else answered++;
        log({ event: 'request', ...request });
      },
    });
    const { model, device, note, maxBatch, single } = service;
    if (note) complain(io, `note: ${note}`);
    const elsewhere = elsewhereNote(model.record.profile ?? 'portable', device);
    if (elsewhere !== undefined) complain(io, `note: ${elsewhere}`);
    if (options.maxDelay > 0 && maxBatch === 1)
      complain(io, 'note: --max-delay has no effect: each run answers one request (--max-batch)');
    if (single !== undefined) complain(io, `note: each run answers one request: ${single}`);
    if (model.pictures.kind === 'none') complain(io, `note: there is no POST /predict: ${model.pictures.reason}`);
    if (!server.isLoopback)
      complain(
        io,
        'note: other machines can reach this server, which asks nobody who they are: keep it behind a proxy',
      );
    log({ event: 'listening', url: server.url, model: model.record.model, device, maxBatch });
    const ended = await Promise.race([stop.asked, service.lost]);
    if (ended instanceof Error) {
      await server.stop();
      throw new UserError(`the model cannot answer any more: ${ended.message}`);
    }
    log({ event: 'stopping', signal: ended, pending: service.pending });
    await server.stop();
    log({ event: 'stopped', answered, refused });
    return 0;
  } finally {
    stop.release();
    await service.close();
  }
}

/** The first signal that asks the server to stop; a second one ends the process. */
function stopRequest(): { readonly asked: Promise<string>; release(): void } {
  let resolve: (signal: string) => void = () => {};
  const asked = new Promise<string>((done) => {
    resolve = done;
  });
  return { asked, release: listenForStop(resolve).release };
}

/** Options that say what to build; a folder of a build has been built. */
const forBuilding = ['weights', 'via', 'set', 'dtype', 'seed', 'out'];

/** Opens the model that was named. Prints the errors of a source, and returns undefined if there are any. */
async function openedService(
  io: Invocation,
  path: string,
  options: ServeOptions,
  given: ReadonlySet<string>,
): Promise<Service | undefined> {
  const { device, threads, tf32, maxBatch, maxDelay, maxPixels, maxPending, tokenizer, truncation } = options;
  const open = (model: ServedModel) =>
    openService(model, {
      ...{ device, threads, tf32, maxBatch, maxDelay, maxPixels, maxPending },
      pictureThreads: Math.max(1, Math.min(4, availableParallelism() - 1)),
    });
  if (await isBuild(path)) {
    const unused = forBuilding.find((name) => given.has(name));
    if (unused !== undefined) throw new UsageError(`--${unused} is for a model that is built, and ${path} is a build`);
    return open(await servedBuild(path, options.model, { tokenizer, truncation }));
  }
  const found = await givenModel(io, path, options, { recipeDims: ['H', 'W', 'T'] });
  if (!found) return undefined;
  const { compiled, weightsFile } = found;
  if (weightsFile === undefined) complain(io, 'note: no --weights: the model is untrained and its masks mean nothing');
  const { dtype, seed, out } = options;
  const runsOn = await deviceFor(device);
  return openServedSource(
    compiled,
    {
      ...{ dtype, runsOn, seed, out, weightsFile, tokenizer, truncation, maxBatch },
      note: (line) => complain(io, `note: ${line}`),
    },
    { open, release: (service) => service.close() },
  );
}

/** Whether a path is a folder of `crobc build`. Weights of a training in it are what was meant, as in `crobc predict`. */
async function isBuild(path: string): Promise<boolean> {
  if (path.endsWith('.safetensors') || path.endsWith('.crob')) return false;
  return (await buildsIn(path)).length > 0 && !(await hasTrainedWeights(path));
}

function printEntry(io: Invocation, json: boolean, entry: Entry): void {
  if (json) {
    printLine(io, JSON.stringify({ time: new Date().toISOString(), ...rounded(entry) }));
    return;
  }
  switch (entry.event) {
    case 'listening':
      printLine(io, `${entry.model} on ${entry.device}: ${entry.url}/ (Ctrl-C ends)`);
      break;
    case 'request': {
      const { method, path, status, milliseconds, error } = entry;
      printLine(
        io,
        `${status} ${method} ${path} ${Math.round(milliseconds).toLocaleString('en')} ms${error === undefined ? '' : `: ${error}`}`,
      );
      break;
    }
    case 'stopping':
      complain(io, `${entry.signal}: answering what was accepted (${entry.pending}); once more ends at once`);
      break;
    case 'stopped':
      printLine(
        io,
        `stopped: ${entry.answered.toLocaleString('en')} answered, ${entry.refused.toLocaleString('en')} refused`,
      );
  }
}

function rounded(entry: Entry): object {
  return entry.event === 'request' ? { ...entry, milliseconds: Math.round(entry.milliseconds * 10) / 10 } : entry;
}

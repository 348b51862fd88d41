import { mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type Koffi from 'koffi';
import type { LibraryHandle } from 'koffi';
import { type CudaSearch, cudaAdvice, type SearchOptions, SHARED_PROVIDER, searchCuda } from './cuda-libraries.ts';
import { onnxRuntimeLibrary } from './library-path.ts';
import { loadKoffi } from './load-koffi.ts';
import { hasNvidiaDriver } from './nvidia-driver.ts';

/** How CUDA becomes usable in a process. */
export interface CudaPlan {
  readonly search: CudaSearch;
  /** Libraries to load, in order, before onnxruntime-node is loaded: NVIDIA's and, in another folder, onnxruntime. */
  readonly load: readonly string[];
  /** Links to create before, by their paths. */
  readonly links: ReadonlyMap<string, string>;
  /** The library of onnxruntime that finds the provider beside it. */
  readonly library: string;
}

/**
 * Plans how onnxruntime finds CUDA without LD_LIBRARY_PATH. The dynamic linker takes a library that is already loaded
 * for one of the same name, so NVIDIA's libraries are loaded by their paths. onnxruntime looks for a provider beside
 * its own library; if it is elsewhere, both are linked into the folder `links`, and onnxruntime is loaded from there.
 */
export function planCuda(options: SearchOptions & { readonly links: string }): CudaPlan {
  const search = searchCuda(options);
  const { library } = options;
  if (search.found === 'no provider') return { search, load: [], links: new Map(), library };
  const { provider, libraries } = search;
  const folder = dirname(provider);
  if (folder === dirname(library)) return { search, load: libraries, links: new Map(), library };
  const targets = [library, provider, join(folder, SHARED_PROVIDER)];
  const links = new Map(targets.map((target) => [join(options.links, basename(target)), target]));
  const linked = join(options.links, basename(library));
  return { search, load: [...libraries, linked], links, library: linked };
}

let ready: CudaPlan | undefined | 'none';

/**
 * Makes CUDA usable in this process, if there is an NVIDIA GPU and koffi is installed. To be called before
 * onnxruntime-node is loaded. Returns the plan; undefined if there is no GPU. What cannot be loaded is left to the
 * provider, which then does not load either.
 */
export function readyCuda(): CudaPlan | undefined {
  ready ??= makeReady() ?? 'none';
  return ready === 'none' ? undefined : ready;
}

/** What to do on this machine where CUDA does not work. */
export function cudaAdviceHere(): string {
  const koffi = loadKoffi();
  const noKoffi = 'missing' in koffi ? koffi.missing : undefined;
  const plan = readyCuda();
  if (plan) return cudaAdvice(plan.search, noKoffi);
  const library = onnxRuntimeLibrary();
  const search =
    process.platform === 'linux' && library
      ? searchCuda({ library: library.path, version: library.version, environment: process.env })
      : ({ found: 'no provider' } as const);
  if (search.found === 'no provider') return cudaAdvice(search, noKoffi);
  const driver = 'this machine has no NVIDIA driver, which "nvidia-smi" shows once it is there';
  const whole = search.missing.length === 0 && search.cuda !== undefined && noKoffi === undefined;
  return whole ? driver : `${driver}; ${cudaAdvice(search, noKoffi)}`;
}

function makeReady(): CudaPlan | undefined {
  const plan = cudaPlanHere();
  const koffi = plan ? loadKoffi() : undefined;
  if (plan && koffi && !('missing' in koffi)) carryOut(plan, (path) => keep(koffi, path));
  return plan;
}

/** The plan for this machine; undefined if it has no NVIDIA GPU or is not one of Linux. */
export function cudaPlanHere(): CudaPlan | undefined {
  if (process.platform !== 'linux' || !hasNvidiaDriver()) return undefined;
  const found = onnxRuntimeLibrary();
  if (found === undefined) return undefined;
  const { path: library, version } = found;
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return planCuda({
    library,
    version,
    environment: process.env,
    links: join(cache, 'crobc', `onnxruntime-${version}`),
  });
}

/** Creates the links and loads the libraries. What fails is left out. */
export function carryOut({ links, load }: CudaPlan, loadLibrary: (path: string) => void): void {
  for (const [link, target] of links) attempt(() => createLink(link, target));
  for (const path of load) attempt(() => loadLibrary(path));
}

/** Loaded libraries are never unloaded, as long as the process lives. */
const kept: LibraryHandle[] = [];

function keep(koffi: typeof Koffi, path: string): void {
  kept.push(koffi.load(path));
}

function createLink(link: string, target: string): void {
  if (linkTarget(link) === target) return;
  mkdirSync(dirname(link), { recursive: true });
  attempt(() => unlinkSync(link));
  symlinkSync(target, link);
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}

function attempt(what: () => void): void {
  try {
    what();
  } catch {
    // The provider will say what it lacks.
  }
}

import { existsSync, readdirSync, readSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { withFileSync } from '../files/open-file.ts';
import { installPeer, peerVersion } from '../files/package-root.ts';
import { neededLibraries, type ReadBytes } from './elf.ts';

/** What onnxruntime needs for CUDA on Linux, and where it is. */
export type CudaSearch =
  | {
      readonly found: 'no provider';
      /** A wheel of another version, which is not used. */
      readonly other?: { readonly version: string; readonly packages: string };
    }
  | {
      readonly found: 'provider';
      /** The file of the execution provider. */
      readonly provider: string;
      /** The major version of CUDA for which the provider was built. */
      readonly cuda: number | undefined;
      /** NVIDIA's libraries that it needs: each is after those that it needs itself. */
      readonly libraries: readonly string[];
      /** Names of those that are nowhere, the first one first. */
      readonly missing: readonly string[];
    };

export interface SearchOptions {
  /** The library of onnxruntime, beside which onnxruntime looks for its providers. */
  readonly library: string;
  /** The version of onnxruntime; a provider works with exactly this one. */
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folders in which the dynamic linker looks. */
  readonly system?: readonly string[];
}

/** The files of onnxruntime's CUDA provider. */
export const CUDA_PROVIDER = 'libonnxruntime_providers_cuda.so';
export const SHARED_PROVIDER = 'libonnxruntime_providers_shared.so';

/** The folder in which `crobc setup cuda` puts the provider for a version of onnxruntime. */
export function providerFolder({ version, environment }: Pick<SearchOptions, 'version' | 'environment'>): string {
  const data = environment.XDG_DATA_HOME || join(environment.HOME || homedir(), '.local', 'share');
  return join(data, 'crobc', `onnxruntime-${version}`);
}

/**
 * Searches the provider beside onnxruntime, in the folder of `crobc setup cuda`, and in Python environments (the wheel
 * onnxruntime-gpu of the same version), and NVIDIA's libraries in LD_LIBRARY_PATH, in Python environments (the packages that PyTorch installs) and in folders of
 * the system. The environment is that of VIRTUAL_ENV or CONDA_PREFIX, or the user's own.
 */
export function searchCuda(options: SearchOptions): CudaSearch {
  const { library, version, environment, system = systemFolders() } = options;
  const packages = pythonPackages(environment);
  const wheels = packages
    .filter((folder) => existsSync(join(folder, `onnxruntime_gpu-${version}.dist-info`)))
    .map((folder) => join(folder, 'onnxruntime', 'capi'));
  const provider = [dirname(library), providerFolder(options), ...wheels]
    .map((folder) => join(folder, CUDA_PROVIDER))
    .find((path) => existsSync(path));
  if (provider === undefined) {
    const other = otherWheel(packages);
    return { found: 'no provider', ...(other && { other }) };
  }
  const linked = (libraryNeeds(provider) ?? []).filter(isNvidia);
  const cuda = linked
    .map((name) => /^libcublas(?:Lt)?\.so\.(\d+)$/.exec(name)?.[1])
    .find((found) => found !== undefined);
  // A file that is no library needs none.
  const opened = linked.length === 0 ? [] : [CUDNN];
  const needed = [...new Set([...linked, ...opened])].sort(byRank);
  const compiler = `libnvrtc.so.${cuda}`;
  const folders = [
    ...(environment.LD_LIBRARY_PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
    ...packages.flatMap(nvidiaFolders),
    ...system,
  ];
  const placeOf = (name: string) => folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  // cuDNN compiles some kernels by it, and has others where it is not there.
  const loaded = needed.includes(compiler) ? needed : [...needed, compiler].sort(byRank);
  return {
    found: 'provider',
    provider,
    cuda: cuda === undefined ? undefined : Number(cuda),
    libraries: loaded.map(placeOf).filter((path) => path !== undefined),
    missing: needed.filter((name) => placeOf(name) === undefined),
  };
}

/**
 * The library that onnxruntime's provider opens by this name when a model is opened, from 1.30 on; it is linked with all
 * others. Without it, convolutions and some reductions fail.
 */
const CUDNN = 'libcudnn.so.9';

/**
 * What to do where CUDA does not work: how to get what a search did not find or, if it found everything, koffi, without
 * which crobc cannot load it (`noKoffi` says why it is not there).
 */
export function cudaAdvice(search: CudaSearch, noKoffi: string | undefined): string {
  if (search.found === 'no provider' && search.other)
    return (
      `the provider of onnxruntime-gpu ${search.other.version} in ${search.other.packages} is of another version: ` +
      `"pip install 'onnxruntime-gpu[cuda,cudnn]==${peerVersion('onnxruntime-node')}'" replaces it`
    );
  if (search.found === 'no provider')
    return (
      `CUDA needs an NVIDIA GPU, Linux on x64, koffi ("${installPeer('koffi')}") and onnxruntime's provider: for CUDA 13, ` +
      `"pip install 'onnxruntime-gpu[cuda,cudnn]==${peerVersion('onnxruntime-node')}'" in the Python environment that is active when crobc runs, ` +
      'or "crobc setup cuda --wheel FILE" with the wheel of that package; for ' +
      'CUDA 12 with cuDNN 9, "node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12"'
    );
  const { missing, cuda, provider } = search;
  if (cuda === undefined && missing.length === 0)
    return `${provider} is not a library of CUDA's provider: "crobc setup cuda --wheel FILE" unpacks another`;
  const [first, ...others] = missing;
  if (first === undefined)
    return noKoffi === undefined
      ? "CUDA's libraries are there; the NVIDIA driver may be too old for them"
      : `CUDA's libraries are there, and crobc loads them through koffi: ${noKoffi}`;
  const more = others.length === 0 ? '' : ` (and ${others.join(', ')})`;
  const packages = missing.map((name) => pipPackage(name, cuda)).filter((name) => name !== undefined);
  const command = [...new Set(packages)].join(' ');
  return `the provider is for CUDA ${cuda ?? 'of an unknown version'} and lacks ${first}${more}: "pip install ${command}" installs it`;
}

/** NVIDIA's libraries, those first that others need. */
const nvidia = [
  { library: 'cudart', pip: 'cuda-runtime' },
  { library: 'nvJitLink', pip: 'nvjitlink' },
  { library: 'nvrtc', pip: 'cuda-nvrtc' },
  { library: 'cublasLt', pip: 'cublas' },
  { library: 'cublas', pip: 'cublas' },
  { library: 'curand', pip: 'curand' },
  { library: 'cufft', pip: 'cufft' },
  { library: 'cusparse', pip: 'cusparse' },
  { library: 'cudnn', pip: 'cudnn' },
] as const;

function rowOf(name: string): (typeof nvidia)[number] | undefined {
  return nvidia.find(({ library }) => name.startsWith(`lib${library}.so`));
}

function isNvidia(name: string): boolean {
  return rowOf(name) !== undefined;
}

function byRank(one: string, other: string): number {
  const rank = (name: string) => nvidia.findIndex(({ library }) => name.startsWith(`lib${library}.so`));
  return rank(one) - rank(other);
}

/** From CUDA 13 on, only cuDNN's package has the version in its name. */
function pipPackage(name: string, cuda: number | undefined): string | undefined {
  const row = rowOf(name);
  if (row === undefined) return undefined;
  const suffix = cuda !== undefined && (cuda < 13 || row.pip === 'cudnn') ? `-cu${cuda}` : '';
  return `nvidia-${row.pip}${suffix}`;
}

/** The folders of installed Python packages, of the active environment first. */
function pythonPackages(environment: SearchOptions['environment']): readonly string[] {
  const { VIRTUAL_ENV, CONDA_PREFIX, HOME } = environment;
  const prefixes = [VIRTUAL_ENV, CONDA_PREFIX, HOME ? join(HOME, '.local') : undefined].flatMap((one) => one || []);
  return prefixes.flatMap((prefix) =>
    entriesOf(join(prefix, 'lib'))
      .filter((name) => /^python3\.\d+$/.test(name))
      .map((name) => join(prefix, 'lib', name, 'site-packages')),
  );
}

function otherWheel(packages: readonly string[]): { readonly version: string; readonly packages: string } | undefined {
  for (const folder of packages)
    for (const name of entriesOf(folder)) {
      const version = /^onnxruntime_gpu-(.+)\.dist-info$/.exec(name)?.[1];
      if (version !== undefined) return { version, packages: folder };
    }
  return undefined;
}

/** `nvidia/cublas/lib` and its like and, from CUDA 13 on, `nvidia/cu13/lib`. */
function nvidiaFolders(packages: string): readonly string[] {
  return entriesOf(join(packages, 'nvidia')).map((name) => join(packages, 'nvidia', name, 'lib'));
}

function systemFolders(): readonly string[] {
  const toolkits = entriesOf('/usr/local').filter((name) => /^cuda(-|$)/.test(name));
  return [
    ...toolkits.map((name) => join('/usr/local', name, 'lib64')),
    ...['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib'],
  ];
}

/** The names in a folder in a fixed order; none if it cannot be read. */
function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function libraryNeeds(path: string): readonly string[] | undefined {
  try {
    return withFileSync(path, 'bytes', (file) => {
      const read: ReadBytes = (offset, length) => {
        const bytes = new Uint8Array(length);
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      };
      return neededLibraries(read);
    });
  } catch {
    return undefined;
  }
}

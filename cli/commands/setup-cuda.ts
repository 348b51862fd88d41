import { byteSize } from '../../runtime/files/byte-size.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { type CudaSearch, cudaAdvice, providerFolder, searchCuda } from '../../runtime/ort/cuda-libraries.ts';
import { onnxRuntimeLibrary } from '../../runtime/ort/library-path.ts';
import { loadKoffi } from '../../runtime/ort/load-koffi.ts';
import { hasNvidiaDriver } from '../../runtime/ort/nvidia-driver.ts';
import { unpackProvider } from '../../runtime/ort/setup-cuda.ts';
import type { Invocation } from '../io.ts';
import { printJson, printLine } from '../print.ts';

/** `crobc setup cuda`: returns 0 if the provider was unpacked, though it may lack libraries of NVIDIA. */
export async function setUpCuda(
  io: Invocation,
  { wheel, json }: { readonly wheel: string; readonly json?: boolean },
): Promise<number> {
  const found = onnxRuntimeLibrary();
  if (found === undefined)
    throw new UserError('onnxruntime-node is not installed for this system: "npm ci" installs it');
  if (process.platform !== 'linux') throw new UserError("crobc runs onnxruntime's CUDA provider on Linux only");
  const { path: library, version } = found;
  const { environment } = io;
  const folder = providerFolder({ version, environment });
  const libraries = await unpackProvider({ wheel, version, processor: process.arch, folder });
  const search = searchCuda({ library, version, environment });
  const lacks = [...lacking(search), ...(hasNvidiaDriver() ? [] : ['this machine has no NVIDIA driver'])];
  if (json) {
    printJson(io, { onnxruntime: version, folder, libraries, search, lacks });
    return 0;
  }
  const bytes = libraries.reduce((sum, one) => sum + one.bytes, 0);
  const cuda = search.found === 'provider' && search.cuda !== undefined ? ` for CUDA ${search.cuda}` : '';
  printLine(io, `${folder}: the CUDA provider of onnxruntime ${version}${cuda}, ${byteSize(bytes)}`);
  for (const one of lacks) printLine(io, `  ${one}`);
  printLine(io, lacks.length === 0 ? '  crobc doctor tries it' : '  with that, crobc doctor tries it');
  return 0;
}

/** What CUDA still needs beside the provider. */
function lacking(search: CudaSearch): readonly string[] {
  const koffi = loadKoffi();
  const absent = 'missing' in koffi ? koffi.missing : undefined;
  const whole = search.found === 'provider' && search.missing.length === 0;
  return whole && absent === undefined ? [] : [cudaAdvice(search, absent)];
}

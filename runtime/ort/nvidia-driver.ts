import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Files that exist where NVIDIA's driver is installed: a device on Linux, a library under WSL or in a folder that the
 * dynamic linker is told to search, a library on Windows.
 */
function tracesOfDriver(): readonly string[] {
  switch (process.platform) {
    case 'linux': {
      const folders = (process.env.LD_LIBRARY_PATH ?? '').split(delimiter).filter((folder) => folder !== '');
      return [
        '/dev/nvidiactl',
        '/proc/driver/nvidia/version',
        '/usr/lib/wsl/lib/libcuda.so.1',
        ...folders.map((folder) => join(folder, 'libcuda.so.1')),
      ];
    }
    case 'win32':
      return [join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'nvcuda.dll')];
    default:
      return [];
  }
}

/** Whether this machine seems to have an NVIDIA GPU; loads no native code. */
export function hasNvidiaDriver(): boolean {
  return tracesOfDriver().some((path) => existsSync(path));
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What NVIDIA's driver leaves on a machine that has a GPU of theirs: a device on Linux, one of its own under WSL, a library on Windows. */
function tracesOfDriver(): readonly string[] {
  switch (process.platform) {
    case 'linux':
      return ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/usr/lib/wsl/lib/libcuda.so.1'];
    case 'win32':
      return [join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'nvcuda.dll')];
    default:
      return [];
  }
}

/** Whether this machine seems to have an NVIDIA GPU, found without loading anything native. */
export function hasNvidiaDriver(): boolean {
  return tracesOfDriver().some((path) => existsSync(path));
}

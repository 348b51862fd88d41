import type { Read } from './elaborated.ts';

export function dependsOnTraining(read: Read): boolean {
  return read.kind === 'training' || (read.kind === 'call' && read.template.readsTraining);
}

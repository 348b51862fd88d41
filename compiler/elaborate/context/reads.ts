import type { Read } from './elaborated.ts';

export function dependsOnTraining(read: Read): boolean {
  return read.kind === 'training' || (read.kind === 'call' && read.template.readsTraining);
}

/** Whether a template with this read is that of one instance only, and not of others with the same identity. */
export function bindsToInstance(read: Read): boolean {
  return read.kind === 'exact' || (read.kind === 'call' && read.template.isOfOneInstance);
}

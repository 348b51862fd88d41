import type { Method } from './declared.ts';
import type { Template } from './template.ts';
import type { Given, Instance, Val } from './values.ts';

/**
 * What a template's elaboration looked at. Two instances share a template when all of it is the same for both, though
 * their other parameters differ: blocks that differ in drop-path rate alone are one template where nothing is dropped.
 */
export type Read =
  /** Something that no other instance has. */
  | { readonly kind: 'exact' }
  | { readonly kind: 'training'; readonly value: boolean }
  | { readonly kind: 'member'; readonly instance: Instance; readonly name: string; readonly value: Val | undefined }
  | {
      readonly kind: 'call';
      readonly instance: Instance;
      readonly method: Method;
      readonly given: ReadonlyMap<string, Given>;
      readonly place: string;
      readonly template: Template;
      /** Which of the body's calls it is. */
      readonly at: number;
    };

export function dependsOnTraining(read: Read): boolean {
  return read.kind === 'training' || (read.kind === 'call' && read.template.readsTraining);
}

export interface Packed {
  readonly tarball: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}
export function pack(folder: string): Packed;
export function copyOutside(folder: string): void;
export function unpackInto(project: string, tarball: string, further?: readonly string[]): void;
export function compileOutside(project: string, resolution: 'nodenext' | 'bundler'): string;
export function drawData(project: string, node?: string): void;
export function runOutside(project: string, program: string, node?: string): Readonly<Record<string, unknown>>;

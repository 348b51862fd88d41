/** A line of a source file, counted from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** An operator or call on the way of a shape; without a place where none is written for it. */
export interface Step {
  readonly label: string;
  readonly at: SourceLine | undefined;
}

/** A tensor, its shape, and the steps by which the shape came, the last one first. */
export interface TensorDetail {
  readonly name: string;
  readonly shape: string;
  /** Steps in the middle of a long way are left out: undefined stands for them. */
  readonly way: readonly (Step | undefined)[];
}

/**
 * What a message has under its source line: a text, or something that names places. How places are written depends on the
 * file that the message stands in, so they are data until it is rendered.
 */
export type Detail =
  | string
  /** Tensors, lined up. */
  | { readonly kind: 'tensors'; readonly tensors: readonly TensorDetail[] }
  /** What something that the text names is defined by. */
  | { readonly kind: 'definition'; readonly text: string; readonly at: SourceLine }
  /** A condition that another line needs. */
  | { readonly kind: 'needed'; readonly clause: string; readonly at: SourceLine };

/** The lines of the details of a message in `file`. */
export function detailLines(details: readonly Detail[], file: string): readonly string[] {
  return details.flatMap((detail) => linesOf(detail, file));
}

function linesOf(detail: Detail, file: string): readonly string[] {
  if (typeof detail === 'string') return [detail];
  switch (detail.kind) {
    case 'tensors':
      return tensorLines(detail.tensors, file);
    case 'definition':
      return [`with ${detail.text} (${place(detail.at, file)})`];
    case 'needed':
      return [`${detail.clause} is needed as well (${detail.at.file}:${detail.at.line})`];
  }
}

/** `:31`, or `parts/swin.crob:31` for a line that is not in the file `near`. */
export function place({ file, line }: SourceLine, near: string): string {
  return `${file === near ? '' : file}:${line}`;
}

/** `name : [B, 64, H, W]   conv2d stride 2 (:22) <- input image (:9)` */
function tensorLines(tensors: readonly TensorDetail[], file: string): readonly string[] {
  const wide = Math.max(0, ...tensors.map(({ name }) => name.length));
  const wider = Math.max(0, ...tensors.map(({ shape }) => shape.length));
  return tensors.map(({ name, shape, way }) =>
    `${name.padEnd(wide)} : ${shape.padEnd(wider)}   ${wayText(way, file)}`.trimEnd(),
  );
}

/** A file is named where it is not the one of the message, nor of the step before. */
function wayText(way: TensorDetail['way'], file: string): string {
  let near = file;
  return way
    .map((step) => {
      if (!step?.at) return step?.label ?? '…';
      const text = `${step.label} (${place(step.at, near)})`;
      near = step.at.file;
      return text;
    })
    .join(' <- ');
}

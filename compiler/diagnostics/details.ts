/** A line of a source file, counted from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** An operator or call that a shape passed through; `at` is undefined if it has no source line. */
export interface Step {
  readonly label: string;
  readonly at: SourceLine | undefined;
}

/** A tensor, its shape, and the steps that led to the shape, last one first. */
export interface TensorDetail {
  readonly name: string;
  readonly shape: string;
  /** undefined is an ellipsis in place of the middle steps of a long list. */
  readonly way: readonly (Step | undefined)[];
}

/**
 * A line below the source excerpt of a message: a text, or data that refers to source lines. How a line reference is
 * printed depends on the file of the message, so it stays data until it is rendered.
 */
export type Detail =
  | string
  /** A table of tensors, with aligned columns. */
  | { readonly kind: 'tensors'; readonly tensors: readonly TensorDetail[] }
  /** The definition of a name in the text. */
  | { readonly kind: 'definition'; readonly text: string; readonly at: SourceLine }
  /** A condition that another line requires. */
  | { readonly kind: 'needed'; readonly clause: string; readonly at: SourceLine };

/** Renders the details of a message in `file` as lines. */
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

/** `:31`, or `parts/swin.crob:31` for a line of a file other than `near`. */
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

/** Prints the file of a step only if it differs from the file of the previous step (of the message, for the first). */
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

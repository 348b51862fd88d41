import type { Context } from './scope.ts';

/** Whether `path` is `root` or below it; the root '' has everything below it. */
export function isWithin(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}.`);
}

/** The context for what stands at a path: in evaluation form below an `eval` of the recipe. */
export function sessionAt(context: Context, path: string): Context {
  if (context.evaluated.length === 0 || !context.training) return context;
  return context.evaluated.some((root) => isWithin(path, root)) ? { ...context, training: false } : context;
}

/** What the `eval`s of a recipe make of a module, as a part of its identity; '' without any. */
export function evaluatedMark(context: Context, path: string): string {
  const marks = context.evaluated.flatMap((root) => {
    if (isWithin(path, root)) return ['*'];
    return isWithin(root, path) ? [root.slice(path.length)] : [];
  });
  return marks.length === 0 ? '' : `eval(${marks.join()})`;
}

import type { Session } from './body.ts';

/** Whether `path` is `root` or below it; the root '' has everything below it. */
export function isWithin(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}.`);
}

/** The session for what stands at a path: in evaluation form below an `eval` of the recipe. */
export function sessionAt(session: Session, path: string): Session {
  if (session.evaluated.length === 0 || !session.training) return session;
  return session.evaluated.some((root) => isWithin(path, root)) ? { ...session, training: false } : session;
}

/** What the `eval`s of a recipe make of a module, as a part of its identity; '' without any. */
export function evaluatedMark(session: Session, path: string): string {
  const marks = session.evaluated.flatMap((root) => {
    if (isWithin(path, root)) return ['*'];
    return isWithin(root, path) ? [root.slice(path.length)] : [];
  });
  return marks.length === 0 ? '' : `eval(${marks.join()})`;
}

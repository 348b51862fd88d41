import { UserError } from './user-error.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a part of the path is not a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than allowed',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'symbolic links go round in a circle',
  EBUSY: 'it is in use',
  EIO: 'the disk or its connection fails (input/output error)',
  ESTALE: 'the network disk no longer has it open (stale file handle)',
  ENFILE: 'the system has too many open files',
  ENXIO: 'it is not a regular file',
  ENODEV: 'it is not a regular file',
  EOPNOTSUPP: 'it is not a regular file',
  ETXTBSY: 'it is in use',
  ENOMEM: 'out of memory',
  EXDEV: 'it is on another file system',
  ENOTEMPTY: 'the folder is not empty',
  EINVAL: 'the system does not allow it (invalid argument)',
  ETIMEDOUT: 'the disk does not answer',
  ENOTCONN: 'the disk is not connected',
};

/** A failed file operation; the message is one line. */
export class FileError extends UserError {
  /** The reason, without the path. */
  readonly reason: string;
  /** The system's error code, such as ENOENT; undefined if crobc itself refuses the file. */
  readonly code: string | undefined;

  constructor(action: 'read' | 'write', path: string, reason: string, code: string | undefined) {
    super(`cannot ${action} ${path}: ${reason}`);
    this.reason = reason;
    this.code = code;
  }
}

/** Returns why a file operation failed, in a few words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return reasons[code] ?? code;
}

/**
 * Returns the error for a failed file operation: `cannot read a/b.png: no such file
 * or folder`. Returns a UserError as it is.
 */
export function fileError(action: 'read' | 'write', path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return new FileError(action, path, reasonOf(error), code);
}

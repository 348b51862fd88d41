import { hostname } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { fileError } from '../files/file-error.ts';
import { makeFolder } from '../files/make-folder.ts';
import { createFile } from '../files/open-file.ts';
import { crc32c } from './crc32c.ts';

/** A log file for TensorBoard. Records are written on `flush`, and whenever they exceed a megabyte. */
export interface EventFile {
  readonly path: string;
  scalar(tag: string, step: number, value: number): void;
  /** Adds an 8-bit RGB or grey PNG. */
  image(tag: string, step: number, png: Uint8Array, width: number, height: number): void;
  /** Writes the pending records. Throws a UserError on failure; nothing is lost, and the next flush tries again. */
  flush(): Promise<void>;
  /** Flushes to disk and closes. Call it only once. */
  close(): Promise<void>;
}

export interface EventFileOptions {
  /**
   * First step of a resumed run. TensorBoard then drops the records of the interrupted run from this step on.
   */
  readonly resumedAt?: number;
  /** A clock in milliseconds since 1970, replaceable by tests. */
  readonly now?: () => number;
}

const FLUSH_BYTES = 1 << 20;
let opened = 0;

/**
 * Creates a new event file in `dir`, which is created if it is missing. Files of earlier runs remain, and TensorBoard
 * reads all of them as one log. The file is append-only: after a crash it may end with an incomplete record, at which
 * readers stop. Format: TFRecord frames (tensorflow/core/lib/io/record_writer.h) of `Event` messages
 * (tensorflow/core/util/event.proto). Throws a UserError if the file cannot be written.
 */
export async function openEventFile(dir: string, options: EventFileOptions = {}): Promise<EventFile> {
  const { now = Date.now, resumedAt } = options;
  const seconds = now() / 1000;
  // TensorBoard reads the files of a folder in order of their names, which therefore begin with the padded time.
  const stamp = String(Math.floor(seconds)).padStart(10, '0');
  const path = join(dir, `events.out.tfevents.${stamp}.${hostname()}.${process.pid}.${opened++}`);
  await makeFolder(dir);
  const handle = await createFile(path);
  let pending: Uint8Array[] = [frame(fileVersion(seconds))];
  if (resumedAt !== undefined) pending.push(frame(sessionStart(seconds, resumedAt)));
  let pendingBytes = 0;
  let written = 0;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    if (pending.length === 0) return;
    const records = pending;
    pending = [];
    pendingBytes = 0;
    const bytes = Buffer.concat(records);
    try {
      let at = 0;
      while (at < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, written + at);
        at += bytesWritten;
      }
      written += bytes.length;
    } catch (error) {
      // Part of a record may have been written; the next attempt overwrites it from the same position.
      pending = [...records, ...pending];
      throw fileError('write', path, error);
    }
  };
  const flush = (): Promise<void> => {
    writing = writing.catch(() => undefined).then(write);
    return writing;
  };
  const add = (event: Uint8Array): void => {
    const record = frame(event);
    pending.push(record);
    pendingBytes += record.length;
    if (pendingBytes < FLUSH_BYTES) return;
    pendingBytes = 0;
    // On failure, the next flush tries again and reports the error.
    flush().catch(() => undefined);
  };
  try {
    await flush();
  } catch (error) {
    await handle.close();
    throw error;
  }
  return {
    path,
    scalar: (tag, step, value) => add(scalarEvent(now() / 1000, step, tag, value)),
    image: (tag, step, png, width, height) => add(imageEvent(now() / 1000, step, tag, png, width, height)),
    flush,
    async close() {
      try {
        await flush();
        await handle.datasync().catch((error: unknown) => {
          throw fileError('write', path, error);
        });
      } finally {
        await handle.close();
      }
    },
  };
}

/** Frames a record: length, masked checksum of the length, data, masked checksum of the data; little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  record.set(data, 12);
  record.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return record;
}

/** Masks a checksum, because checksums of data that contains checksums are weak (tensorflow/core/lib/hash/crc32c.h). */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Field numbers and wire types of event.proto and summary.proto, as `number << 3 | type`. */
const field = {
  event: { wallTime: 0x09, step: 0x10, fileVersion: 0x1a, summary: 0x2a, sessionLog: 0x3a },
  sessionLog: { status: 0x08 },
  summary: { value: 0x0a },
  value: { tag: 0x0a, simpleValue: 0x15, image: 0x22 },
  image: { height: 0x08, width: 0x10, colourSpace: 0x18, encoded: 0x22 },
} as const;

const { Writer } = protobuf;
type Writer = InstanceType<typeof Writer>;

function fileVersion(seconds: number): Uint8Array {
  return Writer.create()
    .uint32(field.event.wallTime)
    .double(seconds)
    .uint32(field.event.fileVersion)
    .string('brain.Event:2')
    .finish();
}

/** Encodes `SessionLog { status: START }`. */
function sessionStart(seconds: number, step: number): Uint8Array {
  const writer = stamped(seconds, step).uint32(field.event.sessionLog).fork();
  return writer.uint32(field.sessionLog.status).int32(1).ldelim().finish();
}

function scalarEvent(seconds: number, step: number, tag: string, value: number): Uint8Array {
  const writer = summaryValue(stamped(seconds, step), tag);
  return writer.uint32(field.value.simpleValue).float(value).ldelim().ldelim().finish();
}

function imageEvent(seconds: number, step: number, tag: string, png: Uint8Array, width: number, height: number) {
  const writer = summaryValue(stamped(seconds, step), tag).uint32(field.value.image).fork();
  writer.uint32(field.image.height).int32(height).uint32(field.image.width).int32(width);
  // Colour space 3 is RGB; readers use the PNG's own.
  writer.uint32(field.image.colourSpace).int32(3).uint32(field.image.encoded).bytes(png);
  return writer.ldelim().ldelim().ldelim().finish();
}

function stamped(seconds: number, step: number): Writer {
  return Writer.create().uint32(field.event.wallTime).double(seconds).uint32(field.event.step).int64(step);
}

/** Opens the messages `summary` and `value` and writes the tag; the caller closes both. */
function summaryValue(writer: Writer, tag: string): Writer {
  return writer
    .uint32(field.event.summary)
    .fork()
    .uint32(field.summary.value)
    .fork()
    .uint32(field.value.tag)
    .string(tag);
}

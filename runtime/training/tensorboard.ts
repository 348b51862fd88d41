import { hostname } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs/minimal.js';
import { fileError } from '../files/file-error.ts';
import { makeFolder } from '../files/make-folder.ts';
import { createFile } from '../files/open-file.ts';
import { crc32c } from './crc32c.ts';

/** A log that TensorBoard reads. What is added is written by `flush`, or when there is a megabyte of it. */
export interface EventFile {
  readonly path: string;
  scalar(tag: string, step: number, value: number): void;
  /** An 8-bit RGB or grey PNG. */
  image(tag: string, step: number, png: Uint8Array, width: number, height: number): void;
  /** Writes what was added. A UserError says why it failed; nothing is lost, and the next flush tries again. */
  flush(): Promise<void>;
  /** Flushes to the disk and closes; once. */
  close(): Promise<void>;
}

export interface EventFileOptions {
  /**
   * The first step of a run that goes on from a checkpoint: TensorBoard then drops what the interrupted run logged from
   * this step on.
   */
  readonly resumedAt?: number;
  /** Milliseconds since 1970; a clock that tests can set. */
  readonly now?: () => number;
}

const FLUSH_BYTES = 1 << 20;
let opened = 0;

/**
 * A new event file in `dir`, which is made when it is not there; files of earlier runs stay, and TensorBoard reads them
 * all as one log. Only ever appended to: a crash leaves a cut record at the end, at which readers stop.
 * The format: TFRecord frames (tensorflow/core/lib/io/record_writer.h) around `Event` messages
 * (tensorflow/core/util/event.proto). Throws a UserError where the file cannot be written.
 */
export async function openEventFile(dir: string, options: EventFileOptions = {}): Promise<EventFile> {
  const { now = Date.now, resumedAt } = options;
  const seconds = now() / 1000;
  // TensorBoard takes the files of a folder in the order of their names: the time comes first, padded.
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
      // Half a record may be there; the next try starts at the same place, and writes it all again.
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
    // A failure here comes up in the next flush, which tries again.
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

/** Length, masked checksum of the length, data, masked checksum of the data; little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(masked(crc32c(record.subarray(0, 8))), 8);
  record.set(data, 12);
  record.writeUInt32LE(masked(crc32c(data)), 12 + data.length);
  return record;
}

/** Rotated and shifted, so that the checksum of data that holds checksums stays one (tensorflow/core/lib/hash/crc32c.h). */
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

/** `SessionLog { status: START }`. */
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
  // 3 is RGB; readers go by the PNG itself.
  writer.uint32(field.image.colourSpace).int32(3).uint32(field.image.encoded).bytes(png);
  return writer.ldelim().ldelim().ldelim().finish();
}

function stamped(seconds: number, step: number): Writer {
  return Writer.create().uint32(field.event.wallTime).double(seconds).uint32(field.event.step).int64(step);
}

/** Opens `summary` and one `value` in it, with its tag; the caller closes both. */
function summaryValue(writer: Writer, tag: string): Writer {
  return writer
    .uint32(field.event.summary)
    .fork()
    .uint32(field.summary.value)
    .fork()
    .uint32(field.value.tag)
    .string(tag);
}

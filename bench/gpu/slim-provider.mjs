// Makes a copy of onnxruntime's CUDA provider small enough for the pack: it keeps the kernels for one architecture, and of these
// not what no graph of crobc has. The file keeps its size and its layout; what is left out becomes zeros, which compress to nothing.
//
// A program built by nvcc has its kernels in the ELF section .nv_fatbin: containers, each of a translation unit, with an entry
// for each architecture. NVIDIA does not document the format. The offsets below were found in the provider of 1.30.0; cuobjdump
// lists and extracts the same files for the architecture from the copy as from the original (docs/benchmarks.md).
import { decompress } from 'fzstd';

const containerMagic = 0xba55ed50;
const zstdMagic = 0xfd2fb528;

/**
 * What crobc does not emit: mixtures of experts, quantised products, caches of decoders, sparse and linear attention.
 * By the mangled names of kernels.
 */
const unused =
  /moe|FpAIntB|nbits|[48]bits|fp4|float8|dequantize|4cuda4H\d+|xqa|masked_multihead|sparse_?attention|linear_?attention|selective_scan/i;

/** Head sizes of flash attention: those of the models of the pack, rounded up as onnxruntime does. */
const headSizes = new Set(['32', '64']);

/**
 * Whether a translation unit with these kernels stays. It goes if most of its kernels are not of use: a unit of casts also has
 * some to float8.
 */
export function isKept(kernels) {
  const [, head] = /Flash_fwd_kernel_traitsILi(\d+)E/.exec(kernels.join(' ')) ?? [];
  if (head !== undefined) return headSizes.has(head);
  return kernels.filter((name) => unused.test(name)).length <= kernels.length / 2;
}

/**
 * Overwrites the bytes of the provider in place. `arch` is a compute capability, such as 90. Returns the bytes of
 * kernels that stay and that there were, and how many containers stay. Throws an Error of one line if the file has no kernels
 * for the architecture.
 */
export function slimProvider(bytes, arch) {
  const { offset, size } = fatbinSection(bytes);
  const found = { kept: 0, of: 0, containers: 0 };
  for (let at = offset; at < offset + size; ) {
    // Containers begin at multiples of eight.
    if (bytes.readUInt32LE(at) !== containerMagic) {
      at += 8;
      continue;
    }
    const header = bytes.readUInt16LE(at + 6);
    const length = Number(bytes.readBigUInt64LE(at + 8));
    const [begin, end] = [at + header, at + header + length];
    const entries = entriesOf(bytes, begin, end);
    const ours = entries.filter((entry) => entry.arch === arch);
    // Kernels that were built for one architecture alone are of units that have others for the rest: products of experts.
    const stays =
      ours.length > 0 && ours.length < entries.length && isKept(ours.flatMap((entry) => kernelsOf(bytes, entry)));
    const parts = stays ? ours.map(({ start, stop }) => Buffer.from(bytes.subarray(start, stop))) : [];
    bytes.fill(0, begin, end);
    const one = Buffer.concat(parts);
    one.copy(bytes, begin);
    bytes.writeBigUInt64LE(BigInt(one.length), at + 8);
    found.of += length;
    found.kept += one.length;
    found.containers += Number(stays);
    at = end;
  }
  if (found.containers === 0) throw new Error(`the provider has no kernels for compute capability ${arch / 10}`);
  return found;
}

function entriesOf(bytes, begin, end) {
  const entries = [];
  for (let start = begin; start < end; ) {
    const header = bytes.readUInt32LE(start + 4);
    const size = Number(bytes.readBigUInt64LE(start + 8));
    const packed = bytes.readUInt32LE(start + 16);
    const stop = start + header + size;
    if (stop > end || stop <= start) throw new Error('the provider has kernels in a form that this does not know');
    entries.push({ arch: bytes.readUInt32LE(start + 28), start, stop, data: start + header, packed });
    start = stop;
  }
  return entries;
}

/** The mangled names of an entry's kernels; none if they cannot be read, so that it stays. */
function kernelsOf(bytes, { data, packed }) {
  if (bytes.readUInt32LE(data) !== zstdMagic) return [];
  const cubin = Buffer.from(decompress(bytes.subarray(data, data + packed)));
  return sectionsOf(cubin)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('.text.'))
    .map((name) => name.slice('.text.'.length));
}

function fatbinSection(bytes) {
  const found = sectionsOf(bytes).find(({ name }) => name === '.nv_fatbin');
  if (!found) throw new Error('the provider has no section .nv_fatbin');
  return found;
}

/** The sections of an ELF file of 64 bits (System V ABI). */
function sectionsOf(bytes) {
  const table = Number(bytes.readBigUInt64LE(0x28));
  const [entry, count, names] = [0x3a, 0x3c, 0x3e].map((at) => bytes.readUInt16LE(at));
  const at = (index) => table + index * entry;
  const offsetOf = (index) => Number(bytes.readBigUInt64LE(at(index) + 24));
  const strings = offsetOf(names);
  return Array.from({ length: count }, (_, i) => {
    const start = strings + bytes.readUInt32LE(at(i));
    const name = bytes.toString('latin1', start, bytes.indexOf(0, start));
    return { name, offset: offsetOf(i), size: Number(bytes.readBigUInt64LE(at(i) + 32)) };
  });
}

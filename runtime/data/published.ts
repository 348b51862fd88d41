import type { Layout } from './layout.ts';

/** A published data set, as Table I of the CroBIM paper and its own authors describe it. */
export interface PublishedDataSet {
  readonly name: string;
  /** Numbers of phrases. */
  readonly splits: Readonly<Record<string, number>>;
  readonly imageSize: string;
  readonly resolution: string;
  /** The number of properties that phrases use, such as colour and position. */
  readonly attributes: number;
}

/** The paper once gives RISBench's test split 16,158 phrases; only 16,159 sum to its 52,472. */
const published = {
  risbench: {
    name: 'RISBench',
    splits: { train: 26_300, val: 10_013, test: 16_159 },
    imageSize: '512 × 512',
    resolution: '0.1 m to 30 m',
    attributes: 8,
  },
  refsegrs: {
    name: 'RefSegRS',
    splits: { train: 2_172, val: 431, test: 1_817 },
    imageSize: '512 × 512',
    resolution: '0.13 m',
    attributes: 3,
  },
  rrsisd: {
    name: 'RRSIS-D',
    splits: { train: 12_181, val: 1_740, test: 3_481 },
    imageSize: '800 × 800',
    resolution: '0.5 m to 30 m',
    attributes: 7,
  },
} as const satisfies Readonly<Record<string, PublishedDataSet>>;

/**
 * Returns the published data set that a folder seems to hold. RRSIS-D has a layout of its own. Data of other people have
 * the layouts of the other two as well, so that a split must have at least half of the published number of phrases.
 */
export function publishedAs(
  kind: Layout['kind'],
  counts: Readonly<Record<string, number>>,
  tiff: boolean,
): PublishedDataSet | undefined {
  switch (kind) {
    case 'rrsis-d':
      return published.rrsisd;
    case 'sample-lines':
      return undefined;
    case 'phrase-files': {
      const candidate: PublishedDataSet = tiff ? published.refsegrs : published.risbench;
      const near = Object.entries(candidate.splits).some(([split, count]) => (counts[split] ?? 0) >= count / 2);
      return near ? candidate : undefined;
    }
  }
}

/** A note on splits whose numbers of samples differ from the published ones; undefined if none does. */
export function countsNote(
  { name, splits }: PublishedDataSet,
  counts: Readonly<Record<string, number>>,
): string | undefined {
  const wrong = Object.entries(counts).filter(([split, count]) => splits[split] !== count);
  if (wrong.length === 0) return undefined;
  const number = (count: number | undefined) => count?.toLocaleString('en') ?? 'none';
  const parts = wrong.map(([split, count]) => `${split} ${number(count)} of ${number(splits[split])}`);
  return `these are not all samples of ${name} as it was published: ${parts.join(', ')}`;
}

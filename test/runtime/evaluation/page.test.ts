import fc from 'fast-check';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Evaluation } from '../../../runtime/evaluation/evaluate.ts';
import type { Exhibit } from '../../../runtime/evaluation/gallery.ts';
import { escaped, reportPage } from '../../../runtime/evaluation/page.ts';
import { protocols } from '../../../runtime/evaluation/protocols.ts';
import { reportCsv, reportOf, type Subject } from '../../../runtime/evaluation/report.ts';
import { type SampleResult, scoresBy, scoresOf } from '../../../runtime/evaluation/scores.ts';
import { holds } from '../../property.ts';

const hostile = '</h3><script>alert("it\'s")</script> & <img src=x onerror=alert(1)>, "quoted"\u0000\ud800';

const each: SampleResult[] = [hostile, 'the red, "round" tank', 'the ship'].map((phrase, i) => ({
  sample: {
    image: `data/${i === 0 ? '"><b>.png' : `${i}.png`}`,
    mask: { kind: 'file', path: 'm.png', above: 0 },
    phrase,
    file: 'data/output_phrase_test.txt',
    line: i + 1,
    category: i === 0 ? '<i>ship</i>' : 'tank',
    attributes: i === 2 ? { size: 'large' } : { '<u>color</u>': 'red' },
  },
  intersection: i * 40,
  union: 100,
  predicted: 60,
  iou: i * 0.4,
}));

const evaluation: Evaluation = {
  protocol: 'lavt',
  at: 'model',
  skipped: 2,
  ...scoresOf(each, protocols.lavt),
  byCategory: scoresBy(each, protocols.lavt, ({ category }) => category),
  byAttribute: { '<u>color</u>': scoresBy(each, protocols.lavt, ({ attributes }) => attributes?.['<u>color</u>']) },
  each,
};

const subject: Subject = {
  model: 'Tiny',
  file: 'tiny.crob',
  settings: ['mid.layers=3'],
  weights: null,
  seed: 7,
  data: 'data',
  split: 'test',
  phrases: false,
  height: 32,
  width: 32,
  words: 8,
  device: 'cpu',
  dtype: 'bf16',
  tf32: true,
  limited: true,
};

let page: string;
let picture: Buffer;
beforeAll(async () => {
  picture = await sharp({ create: { width: 6, height: 4, channels: 3, background: 'red' } })
    .webp()
    .toBuffer();
  const shown = (result: SampleResult): Exhibit => ({
    result,
    width: 6,
    height: 4,
    image: picture,
    truth: picture,
    prediction: picture,
  });
  const report = reportOf(subject, evaluation, { crobc: '1.2.3', seconds: 4.5, seed: 0 });
  page = reportPage(report, { best: [shown(each[2]!)], worst: [shown(each[0]!)], random: each.map(shown) });
});

/** Elements opened and not closed, by a plain walk over the tags; attribute values may hold no angle brackets here. */
function unbalanced(html: string): string[] {
  const open: string[] = [];
  const void_ = new Set(['meta', 'img', 'line']);
  for (const [, close, name] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)(?:\s[^<>]*)?>/g)) {
    if (close) {
      if (open.pop() !== name) return [`</${name}>`];
    } else if (!void_.has(name!)) {
      open.push(name!);
    }
  }
  return open;
}

test('every element is closed, and no angle bracket is left over', () => {
  expect(unbalanced(page.replace('<!doctype html>', ''))).toEqual([]);
  const style = /<style>[\s\S]*?<\/style>/;
  expect(page.replace(style, '').replace(/<!doctype html>|<\/?[a-z][a-z0-9]*(\s[^<>]*)?>/g, '')).not.toMatch(/[<>]/);
});

test('what files say is text and nothing else', () => {
  expect(page).not.toMatch(/<script|<img src=x|<i>ship|<u>color|"><b>/);
  expect(page).toContain('&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt; &amp;');
  expect(page).not.toContain('\u0000');
  expect(Buffer.from(page).toString()).toBe(page);
});

test('it needs nothing from elsewhere, and runs nothing', () => {
  expect(page).toContain(`default-src 'none'; img-src data:; style-src 'unsafe-inline'`);
  expect(page).not.toMatch(/https?:|url\(|@import|<link|<iframe/);
  // Handlers, where attributes are: between quoted values.
  for (const [tag] of page.matchAll(/<[a-z][^<>]*>/g)) expect(tag.replace(/"[^"]*"/g, '""')).not.toMatch(/\son\w+/);
  for (const [, source] of page.matchAll(/ src="([^"]*)"/g)) expect(source).toMatch(/^data:image\/webp;base64,/);
});

test('pictures are there as they were', async () => {
  const sources = [...page.matchAll(/src="data:image\/webp;base64,([^"]+)"/g)];
  expect(sources).toHaveLength(15);
  expect(Buffer.from(sources[0]![1]!, 'base64').equals(picture)).toBe(true);
});

test('pictures come first, the worst of them before all, then what counts and groups', () => {
  const titles = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, title]) => title);
  expect(titles).toEqual([
    'Worst',
    'Random',
    'Best',
    'How the samples spread',
    'By category',
    'By &lt;u&gt;color&lt;/u&gt;',
  ]);
  expect(page).toContain('of equals, the most wrong pixels. 1 sample of 3 at 0.</p>');
  expect(page).toMatch(
    /<p class="note legend">.*edge of the truth.*predicted, and wrong.*true, and not predicted<\/p>/,
  );
});

test('groups are sorted by name, and what has none comes last; the bar has a cell of its own behind the mean', () => {
  const scores = scoresOf(each, protocols.lavt);
  const byCategory = { none: scores, 'tank 10': scores, 'tank 9': scores, airship: scores };
  const sorted = reportPage(
    reportOf(subject, { ...evaluation, byCategory, byAttribute: {} }, { crobc: '1.2.3', seconds: 4.5, seed: 0 }),
    {
      best: [],
      worst: [],
      random: [],
    },
  );
  const names = [...sorted.matchAll(/<th scope="row">([^<]*)<\/th>/g)].map(([, name]) => name);
  expect(names).toEqual(['airship', 'tank 9', 'tank 10', 'none']);
  expect(sorted).toContain('<td>40.00</td><td>40.00</td><td class="bar"><i><s style="width:40.0%"></s></i></td>');
  expect(sorted).not.toContain('legend"');
});

test('light and dark', () => {
  expect(page).toContain('<meta name="color-scheme" content="light dark">');
  expect(page).toContain('@media (prefers-color-scheme: dark)');
});

test('figures, groups and warnings', () => {
  const text = page
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
  for (const shown of [
    'Tiny on test, 3 samples',
    'Initial weights: the model is untrained',
    'Every phrase was taken away',
    '2 samples could not be read and are not counted',
    'A part of the split',
    'oIoU 40.00 mIoU 40.00 Pr@0.5 33.33',
    'tank 2 60.00 60.00 50.00',
    'IoU 80.00',
    'tiny.crob --set mid.layers=3',
    'initial, seed 7',
  ])
    expect(text).toContain(shown);
});

test('escaped text decodes to what it was', () => {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  holds(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const safe = escaped(text);
      expect(safe).not.toMatch(/[<>"']/);
      const plain = text.replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, (c) => (/[\n\t]/.test(c) ? c : '\u25a1'));
      expect(safe.replace(/&([^;]+);/g, (_, name: string) => entities[name]!)).toBe(plain);
    }),
    { seed: 5 },
  );
});

describe('CSV', () => {
  test('one row a sample, quoted where it must be', () => {
    const csv = reportCsv(reportOf(subject, evaluation, { crobc: '1.2.3', seconds: 4.5, seed: 0 }));
    expect(csv.split('\r\n')[0]).toBe('file,line,image,phrase,category,<u>color</u>,size,intersection,union,iou');
    expect(csv).toContain(
      'data/output_phrase_test.txt,2,data/1.png,"the red, ""round"" tank",tank,red,,40,100,0.4\r\n',
    );
    expect(csv).toContain(',the ship,tank,,large,80,100,0.8\r\n');
  });

  test('no IoU is an empty cell, and null in JSON', () => {
    const none = {
      ...evaluation,
      each: [{ ...each[1]!, iou: Number.NaN, intersection: 0, union: 0 }],
      mIoU: Number.NaN,
    };
    const report = reportOf(subject, none, { crobc: '1.2.3', seconds: 4.5, seed: 0 });
    expect(reportCsv(report)).toMatch(/,0,0,\r\n$/);
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ mIoU: null, each: [{ iou: null }] });
  });
});

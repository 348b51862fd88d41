/** Returns the next random number, uniform in [0, 1). */
export type Draw = () => number;

/** The size of the scene in its own units; it is scaled to the requested size. */
export const SCENE_WIDTH = 640;
export const SCENE_HEIGHT = 480;

/**
 * Returns an invented coast seen from above, as SVG: a bay with ships, a quay with storage tanks, a road with cars,
 * houses, tennis courts, fields and trees; the light is from the upper left. All variation is drawn from `draw`.
 */
export function sceneSvg(draw: Draw, width: number, height: number): string {
  const between = (low: number, high: number) => low + (high - low) * draw();
  const pick = <T>(items: readonly T[]): T => items[Math.floor(draw() * items.length)]!;
  const brush: Brush = { between, pick };
  const parts = [
    ground(),
    fields(brush),
    water(brush),
    quay(brush),
    tanks(brush),
    ships(brush),
    sideRoad(),
    road(brush),
    courts(),
    houses(brush),
    trees(brush),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${SCENE_WIDTH} ${SCENE_HEIGHT}" preserveAspectRatio="xMidYMid slice">${definitions}${parts.join('')}</svg>`
  );
}

interface Brush {
  readonly between: (low: number, high: number) => number;
  readonly pick: <T>(items: readonly T[]) => T;
}

const n = (value: number): string => String(Math.round(value * 100) / 100);

const stripes = (id: string, angle: number, gap: number, colour: string, width: number) =>
  `<pattern id="${id}" width="${gap}" height="${gap}" patternUnits="userSpaceOnUse" patternTransform="rotate(${angle})">` +
  `<rect width="${width}" height="${gap}" fill="${colour}"/></pattern>`;

const definitions = `<defs>
<linearGradient id="sea" x1="0" y1="0" x2="1" y2="0.5"><stop offset="0" stop-color="#1d4450"/><stop offset="0.7" stop-color="#2a5a60"/><stop offset="1" stop-color="#3f7470"/></linearGradient>
<radialGradient id="tank" cx="0.36" cy="0.34" r="0.75"><stop offset="0" stop-color="#f7f6f1"/><stop offset="0.6" stop-color="#dedcd3"/><stop offset="1" stop-color="#a9a79f"/></radialGradient>
<linearGradient id="foam" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#e9f6f4" stop-opacity="0.75"/><stop offset="1" stop-color="#cfe6e4" stop-opacity="0"/></linearGradient>
<filter id="soft" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="1.1"/></filter>
<filter id="haze" x="-20%" y="-20%" width="140%" height="140%"><feGaussianBlur stdDeviation="4"/></filter>
${stripes('rows-a', 14, 5, '#00000024', 2)}${stripes('rows-b', 104, 4, '#ffffff1c', 1.6)}${stripes('rows-c', 14, 9, '#2b3a1366', 4)}${stripes('rows-d', 59, 7, '#3d2b1233', 3)}
</defs>`;

const COAST =
  'M0,-5 L236,-5 C232,30 250,52 238,84 C228,112 246,132 243,158 L243,330 C250,352 232,372 214,392 C190,418 178,440 182,485 L0,485 Z';

function ground(): string {
  return `<rect x="-200" y="-200" width="1100" height="1100" fill="#7c8458"/>`;
}

/** Fields by their four corners. The inner part is ploughed, with an unploughed margin around it. */
const fieldShapes: readonly string[] = [
  '412,-8 548,-8 534,92 398,70',
  '556,-8 660,-8 660,112 541,93',
  '533,100 660,119 660,216 520,196',
  '396,78 527,99 515,190 384,168',
  '532,330 660,350 660,428 521,408',
  '520,415 660,436 660,490 512,490',
];

function fields({ pick }: Brush): string {
  return fieldShapes
    .map((points) => {
      const fill = pick(['#8a9a4a', '#6d8a41', '#a8945a', '#b8a468', '#7a6a48', '#94a65a', '#5f7d3c']);
      const rows = pick(['rows-a', 'rows-b', 'rows-c', 'rows-d']);
      return (
        `<polygon points="${points}" fill="${fill}" stroke="#5a6238" stroke-width="2.4" stroke-linejoin="round"/>` +
        `<polygon points="${points}" fill="url(#${rows})"/>`
      );
    })
    .join('');
}

function water({ between }: Brush): string {
  const ripples = Array.from({ length: 46 }, () => {
    const [x, y, length] = [between(0, 225), between(4, 474), between(5, 17)];
    return `<path d="M${n(x)},${n(y)} q${n(length / 2)},-1.6 ${n(length)},0" stroke="#9cc4c41f" stroke-width="1.1" fill="none"/>`;
  });
  return (
    `<path d="${COAST}" fill="none" stroke="#c9b98c" stroke-width="17" filter="url(#soft)"/>` +
    `<path d="${COAST}" fill="none" stroke="#6fa195" stroke-width="9" filter="url(#haze)"/>` +
    `<path d="${COAST}" fill="url(#sea)"/>` +
    `<path d="${COAST}" fill="none" stroke="#8fbfb066" stroke-width="6" filter="url(#haze)"/>${ripples.join('')}`
  );
}

const containers = ['#b5473a', '#3f6f9f', '#d08a3c', '#4d8a63', '#8a8f96', '#c9c3b4'];

function quay({ between, pick }: Brush): string {
  const boxes: string[] = [];
  for (let row = 0; row < 5; row++) {
    for (let column = 0; column < 3; column++) {
      if (between(0, 1) < 0.12) continue;
      const [x, y] = [266 + column * 17, 272 + row * 10.5];
      boxes.push(
        `<rect x="${x + 1.5}" y="${y + 2}" width="15" height="6.4" fill="#00000055"/>` +
          `<rect x="${x}" y="${y}" width="15" height="6.4" fill="${pick(containers)}"/>` +
          `<path d="M${x},${y + 1.2} h15" stroke="#ffffff40" stroke-width="0.9"/>`,
      );
    }
  }
  const bollards = Array.from(
    { length: 9 },
    (_, i) => `<circle cx="246" cy="${170 + i * 18}" r="1.1" fill="#4b4a45"/>`,
  );
  return (
    `<rect x="239" y="156" width="4" height="178" fill="#00000045"/>` +
    `<polygon points="242,156 332,156 332,338 242,338" fill="#b3aea1"/>` +
    `<path d="M242,156 V338" stroke="#dcd8cc" stroke-width="2"/>` +
    `<path d="M252,160 V334 M242,262 H332" stroke="#8f8a7e" stroke-width="0.8"/>${bollards.join('')}${boxes.join('')}`
  );
}

function tanks({ between }: Brush): string {
  const places: readonly (readonly [number, number, number])[] = [
    [272, 182, 15.5],
    [311, 182, 15.5],
    [272, 222, 15.5],
    [311, 222, 15.5],
    [291.5, 247, 6.5],
  ];
  return places
    .map(([x, y, r]) => {
      const stair = between(0, 6.28);
      const [dx, dy] = [Math.cos(stair), Math.sin(stair)];
      return (
        `<circle cx="${x}" cy="${y}" r="${r + 2.6}" fill="#a09a8b"/>` +
        `<ellipse cx="${x + r * 0.35}" cy="${y + r * 0.42}" rx="${r}" ry="${r}" fill="#00000066" filter="url(#soft)"/>` +
        `<circle cx="${x}" cy="${y}" r="${r}" fill="url(#tank)" stroke="#8d8b84" stroke-width="0.7"/>` +
        `<circle cx="${x}" cy="${y}" r="${n(r * 0.78)}" fill="none" stroke="#00000018" stroke-width="0.8"/>` +
        `<path d="M${x},${y} L${n(x + dx * r)},${n(y + dy * r)}" stroke="#8c8a83" stroke-width="1"/>` +
        `<circle cx="${x}" cy="${y}" r="1.4" fill="#77756f"/>`
      );
    })
    .join('');
}

interface Ship {
  readonly x: number;
  readonly y: number;
  /** In degrees; 0 is up. */
  readonly heading: number;
  readonly length: number;
  readonly hull: string;
  readonly deck: string;
  readonly load: 'boxes' | 'hatches' | 'bare';
  readonly wake: boolean;
}

function ships(brush: Brush): string {
  const { between, pick } = brush;
  const fleet: Ship[] = [
    {
      x: 225,
      y: 246,
      heading: 0,
      length: 132,
      hull: '#7d3129',
      deck: '#8e5a48',
      load: pick(['boxes', 'hatches']),
      wake: false,
    },
    {
      x: between(84, 116),
      y: between(168, 206),
      heading: between(24, 46),
      length: 104,
      hull: '#f4f3ee',
      deck: '#e3e2dc',
      load: 'bare',
      wake: true,
    },
    {
      x: between(70, 140),
      y: between(330, 372),
      heading: between(120, 152),
      length: 44,
      hull: '#36506b',
      deck: '#c8c2b2',
      load: 'bare',
      wake: true,
    },
  ];
  const boats = Array.from({ length: 5 }, (_, i): Ship => {
    return {
      x: 196 + (i % 2) * 9,
      y: 34 + i * 15,
      heading: 90 + between(-4, 4),
      length: 15,
      hull: pick(['#f2f1ec', '#dfe4e8', '#c9574a']),
      deck: '#b99d72',
      load: 'bare',
      wake: false,
    };
  });
  const pier = '<path d="M212,26 V108 M212,66 H244" stroke="#a58e6c" stroke-width="3.2"/>';
  return pier + [...fleet, ...boats].map((ship) => shipShape(brush, ship)).join('');
}

function shipShape({ pick }: Brush, { x, y, heading, length, hull, deck, load, wake }: Ship): string {
  const beam = length * (length < 20 ? 0.3 : 0.17);
  const [h, w] = [length / 2, beam / 2];
  const outline = (s: number) =>
    `M0,${n(-h * s)} C${n(w * s)},${n(-h * 0.72 * s)} ${n(w * s)},${n(-h * 0.45 * s)} ${n(w * s)},${n(-h * 0.3 * s)} ` +
    `L${n(w * s)},${n(h * 0.86 * s)} Q${n(w * 0.8 * s)},${n(h * s)} 0,${n(h * s)} Q${n(-w * 0.8 * s)},${n(h * s)} ${n(-w * s)},${n(h * 0.86 * s)} ` +
    `L${n(-w * s)},${n(-h * 0.3 * s)} C${n(-w * s)},${n(-h * 0.45 * s)} ${n(-w * s)},${n(-h * 0.72 * s)} 0,${n(-h * s)} Z`;
  const foam = wake
    ? `<path d="M${n(-w * 0.7)},${n(h * 0.85)} Q${n(-w * 1.1)},${n(h * 2)} ${n(-w * 0.5)},${n(h * 3.4)} L${n(w * 0.5)},${n(h * 3.4)} Q${n(w * 1.1)},${n(h * 2)} ${n(w * 0.7)},${n(h * 0.85)} Z" fill="url(#foam)" filter="url(#soft)"/>` +
      `<path d="M${n(-w * 0.4)},${n(-h * 0.9)} Q${n(-w * 1.8)},${n(h * 0.3)} ${n(-w * 3.6)},${n(h * 2.2)} M${n(w * 0.4)},${n(-h * 0.9)} Q${n(w * 1.8)},${n(h * 0.3)} ${n(w * 3.6)},${n(h * 2.2)}" stroke="#e8f4f238" stroke-width="1.8" fill="none" filter="url(#soft)"/>`
    : '';
  const cargo: string[] = [];
  if (load !== 'bare') {
    for (let row = 0; row < 7; row++) {
      const top = -h * 0.6 + row * h * 0.17;
      if (load === 'hatches') {
        cargo.push(
          `<rect x="${n(-w * 0.6)}" y="${n(top)}" width="${n(w * 1.2)}" height="${n(h * 0.13)}" fill="#b4a58c" stroke="#5d4a3c" stroke-width="0.6"/>`,
        );
        continue;
      }
      for (let column = -1; column <= 1; column++) {
        cargo.push(
          `<rect x="${n(column * w * 0.55 - w * 0.26)}" y="${n(top)}" width="${n(w * 0.5)}" height="${n(h * 0.15)}" fill="${pick(containers)}"/>`,
        );
      }
    }
  }
  const bridge =
    length < 20
      ? `<rect x="${n(-w * 0.45)}" y="${n(-h * 0.1)}" width="${n(w * 0.9)}" height="${n(h * 0.5)}" fill="#f6f5f0"/>`
      : `<rect x="${n(-w * 0.62)}" y="${n(h * 0.58)}" width="${n(w * 1.24)}" height="${n(h * 0.25)}" fill="#fbfaf5" stroke="#8e8c86" stroke-width="0.5"/>` +
        `<rect x="${n(-w * 0.3)}" y="${n(h * 0.7)}" width="${n(w * 0.6)}" height="${n(h * 0.09)}" fill="#c7683c"/>` +
        (load === 'bare'
          ? `<rect x="${n(-w * 0.5)}" y="${n(-h * 0.42)}" width="${n(w)}" height="${n(h * 0.82)}" fill="#cfd6d8" stroke="#9fa6a8" stroke-width="0.5"/><circle cx="0" cy="${n(-h * 0.6)}" r="${n(w * 0.35)}" fill="#7d9a8a"/>`
          : '');
  const turn = `translate(${n(x)},${n(y)}) rotate(${n(heading)})`;
  return (
    `<g transform="${turn}">${foam}</g>` +
    `<g transform="translate(${n(length * 0.03 + 1)},${n(length * 0.035 + 1)}) ${turn}"><path d="${outline(1)}" fill="#00000066" filter="url(#soft)"/></g>` +
    `<g transform="${turn}"><path d="${outline(1)}" fill="${hull}"/><path d="${outline(0.86)}" fill="${deck}"/>${cargo.join('')}${bridge}</g>`
  );
}

const MAIN_ROAD = 'M372,-10 C362,90 352,180 350,250 C348,330 372,420 360,490';
const SIDE_ROAD = 'M350,262 C420,250 520,276 660,292';

function sideRoad(): string {
  return (
    `<path d="${SIDE_ROAD}" stroke="#9a927c" stroke-width="17" fill="none"/>` +
    `<path d="${SIDE_ROAD}" stroke="#5e5f60" stroke-width="13" fill="none"/>` +
    `<path d="${SIDE_ROAD}" stroke="#e9e6d8" stroke-width="0.9" stroke-dasharray="6 6" fill="none"/>` +
    '<path d="M330,232 H352" stroke="#77756f" stroke-width="9"/>'
  );
}

function road({ between, pick }: Brush): string {
  const car = (x: number, y: number, angle: number, long: boolean) => {
    const colour = pick(['#f3f2ee', '#f3f2ee', '#1f2328', '#b3362c', '#2f5b93', '#a9adb0', '#d9b13b']);
    const [l, w] = long ? [17, 5.4] : [9.5, 4.6];
    return (
      `<g transform="translate(${n(x)},${n(y)}) rotate(${n(angle)})">` +
      `<rect x="${n(-l / 2 + 1.2)}" y="${n(-w / 2 + 1.4)}" width="${l}" height="${w}" rx="1.2" fill="#00000070"/>` +
      `<rect x="${n(-l / 2)}" y="${n(-w / 2)}" width="${l}" height="${w}" rx="1.3" fill="${colour}"/>` +
      (long
        ? `<rect x="${n(l / 2 - 4)}" y="${n(-w / 2)}" width="0.9" height="${w}" fill="#333a"/>`
        : `<rect x="${n(l * 0.1)}" y="${n(-w / 2 + 0.6)}" width="1.7" height="${n(w - 1.2)}" fill="#26303a"/><rect x="${n(-l * 0.32)}" y="${n(-w / 2 + 0.7)}" width="1.3" height="${n(w - 1.4)}" fill="#26303a"/>`) +
      '</g>'
    );
  };
  const traffic: string[] = [];
  // The main road is given as x as a function of y; the lane on the right leads up.
  for (let y = between(10, 40); y < 470; y += between(42, 86)) {
    const middle = y < 250 ? 350 + 22 * ((250 - y) / 260) ** 1.5 : 350 + 14 * Math.sin(((y - 250) / 170) * 1.5) ** 2;
    const up = between(0, 1) < 0.5;
    traffic.push(car(middle + (up ? 5 : -5), y, up ? -92 : 88, between(0, 1) < 0.2));
  }
  for (let x = between(385, 410); x < 630; x += between(45, 90)) {
    const left = between(0, 1) < 0.5;
    const middle = 256 + 36 * ((x - 385) / 275) ** 1.25;
    traffic.push(car(x, middle + (left ? -3.4 : 3.4), left ? 186 : 6, false));
  }
  return (
    `<path d="${MAIN_ROAD}" stroke="#a39b84" stroke-width="26" fill="none"/>` +
    `<path d="${MAIN_ROAD}" stroke="#525456" stroke-width="21" fill="none"/>` +
    `<path d="${MAIN_ROAD}" stroke="#f0ede0" stroke-width="18.6" fill="none"/>` +
    `<path d="${MAIN_ROAD}" stroke="#55575a" stroke-width="17.4" fill="none"/>` +
    `<path d="${MAIN_ROAD}" stroke="#f0ede0" stroke-width="1.1" stroke-dasharray="9 8" fill="none"/>${traffic.join('')}`
  );
}

function courts(): string {
  const court = (x: number) =>
    `<rect x="${x}" y="352" width="34" height="66" fill="#2f6f8f"/>` +
    `<g stroke="#f4f4ee" stroke-width="1" fill="none"><rect x="${x + 5}" y="359" width="24" height="52"/>` +
    `<path d="M${x + 8},359 V411 M${x + 26},359 V411 M${x + 8},373 H${x + 26} M${x + 8},397 H${x + 26} M${x + 17},373 V397"/></g>` +
    `<path d="M${x + 3},386.5 H${x + 33}" stroke="#00000055" stroke-width="1.4"/><path d="M${x + 3},385 H${x + 31}" stroke="#ffffff" stroke-width="1.3"/>`;
  return `<rect x="262" y="346" width="84" height="79" fill="#00000040"/><rect x="259" y="343" width="84" height="78" fill="#3d7a4c"/>${court(264)}${court(304)}`;
}

function houses({ between, pick }: Brush): string {
  const out: string[] = [];
  const roofs = [
    ['#a5503a', '#86402f'],
    ['#8f4a38', '#74392b'],
    ['#7c6a5c', '#64554a'],
    ['#6c7178', '#565b61'],
    ['#b0603f', '#8f4c32'],
  ] as const;
  for (const [row, y] of [322, 366, 412, 456].entries()) {
    for (let column = 0; column < 4; column++) {
      const x = 396 + column * 34 + (row > 1 ? -2 : 0);
      if (between(0, 1) < 0.1 || x > 512 - (row === 0 ? 0 : 8)) continue;
      const [w, h, angle] = [between(19, 24), between(14, 18), between(-4, 4) + 5];
      const [light, dark] = pick(roofs);
      out.push(
        `<g transform="translate(${n(x)},${n(y)}) rotate(${n(angle)})">` +
          `<rect x="${n(-w / 2 - 6)}" y="${n(-h / 2 - 5)}" width="${n(w + 12)}" height="${n(h + 13)}" fill="#8d9a5e"/>` +
          `<rect x="${n(w / 2 - 6)}" y="${n(h / 2)}" width="5" height="9" fill="#b9b3a4"/>` +
          `<rect x="${n(-w / 2 + 3)}" y="${n(-h / 2 + 4)}" width="${n(w)}" height="${n(h)}" fill="#00000066"/>` +
          `<rect x="${n(-w / 2)}" y="${n(-h / 2)}" width="${n(w)}" height="${n(h / 2)}" fill="${light}"/>` +
          `<rect x="${n(-w / 2)}" y="0" width="${n(w)}" height="${n(h / 2)}" fill="${dark}"/>` +
          `<path d="M${n(-w / 2)},0 H${n(w / 2)}" stroke="#ffffff50" stroke-width="0.8"/>` +
          `<rect x="${n(w * 0.2)}" y="${n(-h * 0.32)}" width="2.6" height="2.6" fill="#5a4a40"/>` +
          (between(0, 1) < 0.3
            ? `<ellipse cx="${n(-w / 2 + 5)}" cy="${n(h / 2 + 4.5)}" rx="4" ry="2.4" fill="#59b4c6" stroke="#d9d5c8" stroke-width="0.8"/>`
            : '') +
          '</g>',
      );
    }
  }
  return out.join('');
}

function trees({ between, pick }: Brush): string {
  const shadows: string[] = [];
  const crowns: string[] = [];
  const tree = (x: number, y: number, r: number) => {
    shadows.push(`<ellipse cx="${n(x + r * 0.5)}" cy="${n(y + r * 0.6)}" rx="${n(r)}" ry="${n(r * 0.95)}"/>`);
    crowns.push(
      `<circle cx="${n(x)}" cy="${n(y)}" r="${n(r)}" fill="${pick(['#3d5a2c', '#466633', '#35502a', '#506f3a'])}"/>` +
        `<circle cx="${n(x - r * 0.3)}" cy="${n(y - r * 0.32)}" r="${n(r * 0.5)}" fill="#8aa65a44"/>`,
    );
  };
  const scatter = (count: number, x0: number, y0: number, x1: number, y1: number) => {
    for (let i = 0; i < count; i++) tree(between(x0, x1), between(y0, y1), between(3, 6.6));
  };
  scatter(26, 256, 6, 342, 84);
  scatter(16, 262, 96, 334, 146);
  scatter(22, 214, 434, 338, 474);
  scatter(9, 384, 178, 520, 214);
  scatter(10, 384, 224, 520, 244);
  scatter(12, 380, 292, 520, 304);
  for (let y = 336; y < 470; y += between(12, 20)) tree(380 + between(-2, 2), y, between(3, 4.6));
  // One filter for all shadows, because one per shadow would take most of the drawing time.
  return `<g fill="#00000055" filter="url(#soft)">${shadows.join('')}</g>${crowns.join('')}`;
}

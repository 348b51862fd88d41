import type { MessageRow } from './message-row.ts';
import { lockMessages } from './messages/locks.ts';
import { nameMessages } from './messages/names.ts';
import { shapeMessages } from './messages/shapes.ts';
import { staticMessages } from './messages/statics.ts';
import { syntaxMessages } from './messages/syntax.ts';
import { targetMessages } from './messages/targets.ts';
import { variantMessages } from './messages/variants.ts';

/** CROB1xxx syntax, 2000s names, 2100s shapes, 2200s statics and types, 2300s variants, models, recipes, 2400s locks, 2500s targets. */
export const messages = {
  ...syntaxMessages,
  ...nameMessages,
  ...shapeMessages,
  ...staticMessages,
  ...variantMessages,
  ...lockMessages,
  ...targetMessages,
} as const satisfies Record<string, MessageRow>;

export type MessageCode = keyof typeof messages;

type Holes<T extends string> = T extends `${string}{${infer Name}}${infer Rest}` ? Name | Holes<Rest> : never;
type Row<C extends MessageCode> = (typeof messages)[C];
type HelpHoles<C extends MessageCode> = Row<C> extends { readonly help: infer H extends string } ? Holes<H> : never;

/** The arguments that the template and help of a message require. */
export type MessageArgs<C extends MessageCode> = {
  readonly [K in Holes<Row<C>['template']> | HelpHoles<C>]: string | number;
};

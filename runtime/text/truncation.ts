/**
 * How a sentence with too many tokens is truncated: `keep-sep` keeps [SEP] as the last token, as Hugging Face's tokenizers
 * do; `plain` takes the first tokens, as LAVT and RMSIN do, so that [SEP] is truncated away.
 */
export const truncations = ['keep-sep', 'plain'] as const;
export type Truncation = (typeof truncations)[number];

import { attentionForms } from './attention.ts';
import { type Form, repeat, type Scale } from './form.ts';
import { gridForms } from './grids.ts';
import { halfForms, reductionForms } from './reductions.ts';
import { copyForms, gatherForms, productForms, scatterForms, updateForms } from './rows.ts';

/** What a run costs by itself: a graph of one kernel on one number. */
const nothing: Form = {
  ...{ what: 'a run', how: 'of one kernel', size: '1 number', bytes: 8, times: 1 },
  write: (graph) => repeat(1, () => graph.output(graph.node('Neg', [graph.input([1])]), [1])),
};

/** All forms, those that decide most first. */
export function allForms(scale: Scale): readonly Form[] {
  return [
    nothing,
    ...reductionForms(scale),
    ...scatterForms(scale),
    ...gridForms(scale),
    ...updateForms(scale),
    ...attentionForms(scale),
    ...halfForms(scale),
    ...gatherForms(scale),
    ...copyForms(scale),
    ...productForms(),
  ];
}

/** The name of a form in the plan: what, how and size. */
export const formId = ({ what, how, size }: Form): string => `form: ${what}: ${how}: ${size}`;

import { expect, test } from 'vitest';
import { acceptedForm } from '../../../runtime/serve/predict-request.ts';

test.each([
  [undefined, 'json'],
  ['*/*', 'json'],
  ['image/png', 'png'],
  ['image/*', 'png'],
  ['application/geo+json', 'geojson'],
  ['text/html, image/png;q=0.8, application/json;q=0.9', 'json'],
  ['application/json;q=0, image/*', 'png'],
  ['IMAGE/PNG', 'png'],
])('the form for Accept %j is %s', (accept, form) => {
  expect(acceptedForm(accept)).toBe(form);
});

test.each(['text/html', 'image/jpeg', 'application/json;q=0', 'application/json;q=much', ''])(
  'there is no form for Accept %j',
  (accept) => {
    expect(() => acceptedForm(accept)).toThrow('there are answers as application/json, image/png');
  },
);

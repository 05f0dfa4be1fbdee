/** What the colours mean. */

import { Scale } from '../model/document';
import { Mark, shortNumber } from '../model/heat';
import { html } from './dom';

export function legend({ min, max }: Scale): HTMLElement {
  const key = (mark: Mark, text: string) =>
    html(
      'span',
      { class: 'zyg-key' },
      html('span', { class: `zyg-swatch zyg-${mark}` }),
      text
    );
  const bar = html('span', { class: 'zyg-ramp' });
  const scale =
    min === null || max === null
      ? []
      : [
          html('span', { class: 'zyg-key' }, 'sensitivity'),
          html('span', {}, shortNumber(min)),
          bar,
          html('span', {}, `${shortNumber(max)} (log)`)
        ];
  return html(
    'footer',
    { class: 'zyg-legend' },
    ...scale,
    key('zero', 'zero'),
    key('none', 'no gradient'),
    key('bad', 'NaN or Inf')
  );
}

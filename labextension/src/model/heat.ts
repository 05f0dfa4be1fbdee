/** How much a thing matters to the result, as a class of mark and a place on the colour scale. */

import { GraphNode, Scale, Summary, ZygDocument } from './document';

export type Mark = 'heat' | 'zero' | 'none' | 'bad';

export interface Heat {
  mark: Mark;
  /** Place on the colour scale, 0 (pale) to 1 (strong); 0 unless `mark` is `heat`. */
  t: number;
  /** The number as shown in a gutter: "0.42", "0", "–" or "NaN". */
  text: string;
}

/** A NaN or an infinity is in it. */
export function isBad(summary: Summary | null): boolean {
  return summary !== null && (summary.nan > 0 || summary.inf > 0);
}

export function nodeHeat(node: GraphNode, scale: Scale): Heat {
  return heat(node.sensitivity, scale, node.cotangent);
}

/** The heat of each source line that has one, by line number. */
export function lineHeats(document: ZygDocument): Map<number, Heat> {
  const nodes = new Map(document.graphs.forward.nodes.map(node => [node.id, node]));
  return new Map(
    document.lines.map(entry => {
      const worst = [entry.node, ...entry.nodes]
        .map(id => nodes.get(id)?.cotangent ?? null)
        .find(isBad);
      return [entry.line, heat(entry.sensitivity, document.scale, worst ?? null)];
    })
  );
}

function heat(sensitivity: number | null, scale: Scale, cotangent: Summary | null): Heat {
  if (cotangent !== null && isBad(cotangent)) {
    return { mark: 'bad', t: 0, text: cotangent.nan > 0 ? 'NaN' : 'Inf' };
  }
  if (sensitivity === null) {
    return { mark: 'none', t: 0, text: '–' };
  }
  if (sensitivity === 0) {
    return { mark: 'zero', t: 0, text: '0' };
  }
  return { mark: 'heat', t: place(sensitivity, scale), text: shortNumber(sensitivity) };
}

function place(sensitivity: number, { min, max }: Scale): number {
  if (min === null || max === null || min <= 0 || max <= min) {
    return 1;
  }
  const t = Math.log(sensitivity / min) / Math.log(max / min);
  return Math.min(1, Math.max(0, t));
}

/** Three significant digits, in as few characters as they need. */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) {
    return value.toExponential(1).replace('e+', 'e');
  }
  return String(Number(value.toPrecision(3)));
}

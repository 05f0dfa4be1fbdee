/** Where the lines of a document stand in the text of an editor, kept true through edits. */

import { ChangeDesc, MapMode, Text } from '@codemirror/state';

import { ZygDocument } from '../model/document';
import { Heat, lineHeats } from '../model/heat';
import { Links } from '../model/links';

/** What never changes of a painted document, made once. */
export interface Paint {
  document: ZygDocument;
  links: Links;
  heats: Map<number, Heat>;
}

/** A document painted on a text. */
export interface Painting extends Paint {
  /** The text no longer contains the source that was differentiated. */
  stale: boolean;
  /** Position in the text of the start of each source line that is still there. */
  starts: Map<number, number>;
}

export function prepare(document: ZygDocument): Paint {
  return { document, links: new Links(document), heats: lineHeats(document) };
}

/**
 * Whether `text` contains the document's source, exactly. A newline at the very end does not count:
 * cells have none, and IPython adds one.
 */
export function contains(text: string, document: ZygDocument): boolean {
  return find(text, document) !== null;
}

export function place(paint: Paint, text: Text): Painting {
  const at = find(text.toString(), paint.document);
  const { firstLine } = paint.document.source;
  // Nothing to go by but the numbers: the cell was edited before it was opened here.
  const first = at === null ? firstLine : text.lineAt(at).number;
  return { ...paint, stale: at === null, starts: startsFrom(text, first, paint.document) };
}

/** The painting after an edit: found again, or else stale and moved along with its text. */
export function move(painting: Painting, text: Text, changes: ChangeDesc): Painting {
  if (find(text.toString(), painting.document) !== null) {
    return place(painting, text);
  }
  const starts = new Map<number, number>();
  const taken = new Set<number>();
  for (const [line, position] of painting.starts) {
    const moved = changes.mapPos(position, 1, MapMode.TrackAfter);
    const start = moved === null ? null : text.lineAt(moved).from;
    if (start !== null && !taken.has(start)) {
      taken.add(start);
      starts.set(line, start);
    }
  }
  return { ...painting, stale: true, starts };
}

function find(text: string, document: ZygDocument): number | null {
  const wanted = document.source.text.replace(/\n$/, '');
  if (wanted === '') {
    return null;
  }
  const expected = offsetOfLine(text, document.source.firstLine);
  const here = text.startsWith(wanted, expected) ? expected : text.indexOf(wanted);
  return here === -1 ? null : here;
}

function offsetOfLine(text: string, line: number): number {
  let offset = 0;
  for (let at = 1; at < line; at++) {
    offset = text.indexOf('\n', offset) + 1;
    if (offset === 0) {
      return text.length;
    }
  }
  return offset;
}

function startsFrom(text: Text, first: number, { source }: ZygDocument): Map<number, number> {
  const starts = new Map<number, number>();
  source.text
    .replace(/\n$/, '')
    .split('\n')
    .forEach((_, index) => {
      if (first + index >= 1 && first + index <= text.lines) {
        starts.set(source.firstLine + index, text.line(first + index).from);
      }
    });
  return starts;
}

/** Which documents belong on which cells of a notebook, read from the outputs it holds. */

import { ICellModel, isCodeCellModel } from '@jupyterlab/cells';

import { readDocument, ZygDocument } from '../model/document';
import { MIME_TYPE } from '../model/mimetype';
import { contains, Paint, prepare } from './painting';

/** The part of an output model that is read; one object per output, so reading it is remembered. */
interface Output {
  readonly data: { readonly [mimeType: string]: unknown };
}

export class OutputReader {
  /** What to paint on each cell; a cell that is missing has nothing. */
  read(cells: Iterable<ICellModel>): Map<ICellModel, Paint[]> {
    const all = [...cells];
    const byId = new Map(all.map(cell => [cell.id, cell]));
    const found = new Map<ICellModel, Paint[]>();
    for (const cell of all) {
      if (!isCodeCellModel(cell)) {
        continue;
      }
      for (let index = 0; index < cell.outputs.length; index++) {
        const paint = this._paint(cell.outputs.get(index) as Output);
        if (paint !== null && paint.document.cellId !== null) {
          const named = byId.get(paint.document.cellId);
          const target = cellOf(paint.document, [cell, named, ...all]) ?? named ?? cell;
          found.set(target, [...(found.get(target) ?? []), paint]);
        }
      }
    }
    return found;
  }

  private _paint(output: Output): Paint | null {
    let paint = this._known.get(output);
    if (paint === undefined) {
      const data = output.data[MIME_TYPE];
      const reading = data === undefined ? null : readDocument(data);
      paint = reading !== null && 'document' in reading ? prepare(reading.document) : null;
      this._known.set(output, paint);
    }
    return paint;
  }

  private _known = new WeakMap<Output, Paint | null>();
}

/**
 * The cell a document is painted on: the first that has its source. A cell that was copied keeps its
 * outputs but gets a new id, so the cell that holds the output comes first; after that the cell that
 * the document names; then any other, for the document of a call (`%gradient f(x)`) has the source
 * of the function. Null: it was edited since.
 */
function cellOf(document: ZygDocument, cells: (ICellModel | undefined)[]): ICellModel | null {
  return cells.find(cell => cell && contains(cell.sharedModel.getSource(), document)) ?? null;
}

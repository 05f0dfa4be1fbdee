/** The mime renderer: draws a graph document wherever JupyterLab shows an output. */

import { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';

import { readDocument } from './model/document';
import { MIME_TYPE } from './model/mimetype';
import { html } from './view/dom';
import { DocumentView } from './view/view';

class GraphOutput extends Widget implements IRenderMime.IRenderer {
  constructor() {
    super();
    this.addClass('zyg-output');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._view?.dispose();
    this._view = null;
    const reading = readDocument(model.data[MIME_TYPE]);
    if ('problem' in reading) {
      this.node.replaceChildren(html('p', { class: 'zyg-problem' }, reading.problem));
      return;
    }
    this._view = new DocumentView(reading.document);
    this.node.replaceChildren(this._view.element);
  }

  dispose(): void {
    this._view?.dispose();
    this._view = null;
    super.dispose();
  }

  private _view: DocumentView | null = null;
}

const extension: IRenderMime.IExtension = {
  id: 'zyg-interactive:mime',
  rendererFactory: {
    // Safe: nothing of the document is parsed as markup, so an untrusted notebook may be drawn.
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new GraphOutput()
  },
  // Before the widget view's -10.
  rank: -20,
  dataType: 'json'
};

export default extension;

/** The JupyterLab plugin: paints the editors of notebook cells from the outputs of the notebook. */

import { EditorView } from '@codemirror/view';
import { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Cell, ICellModel, isCodeCellModel } from '@jupyterlab/cells';
import { CodeEditor } from '@jupyterlab/codeeditor';
import {
  CodeMirrorEditor,
  EditorExtensionRegistry,
  IEditorExtensionRegistry
} from '@jupyterlab/codemirror';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { repaint, sensitivity } from './editor/extension';
import { OutputReader } from './editor/outputs';
import { Paint } from './editor/painting';

const ID = 'zyg-interactive:plugin';
/** Outputs arrive in bursts; they are read once a burst. */
const SETTLE_MS = 30;

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Shows how sensitive a result is to each line of a notebook cell.',
  autoStart: true,
  requires: [INotebookTracker, IEditorExtensionRegistry],
  optional: [ISettingRegistry],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: IEditorExtensionRegistry,
    settings: ISettingRegistry | null
  ) => {
    const painter = new Painter();
    registry.addExtension({
      name: 'zyg-interactive:sensitivity',
      factory: ({ model }) =>
        EditorExtensionRegistry.createImmutableExtension(sensitivity(painter.of(model)))
    });
    tracker.widgetAdded.connect((_, panel) => painter.watch(panel));
    tracker.forEach(panel => painter.watch(panel));
    if (settings !== null) {
      void watchSettings(settings, painter);
    }
  }
};

export default plugin;

async function watchSettings(registry: ISettingRegistry, painter: Painter): Promise<void> {
  const settings = await registry.load(ID);
  const apply = () => painter.enable(settings.get('gutter').composite !== false);
  settings.changed.connect(apply);
  apply();
}

/** Keeps every open notebook painted. What a cell shows is remembered for editors made later. */
class Painter {
  /** What is painted on the cell of this model. */
  of(model: CodeEditor.IModel): Paint[] {
    return this._paints.get(model) ?? [];
  }

  watch(panel: NotebookPanel): void {
    if (this._panels.has(panel)) {
      return;
    }
    this._panels.add(panel);
    panel.disposed.connect(() => this._panels.delete(panel));
    void panel.context.ready.then(() => {
      const cells = panel.content.model?.cells;
      if (panel.isDisposed || cells === undefined) {
        return;
      }
      cells.changed.connect(() => this._watchOutputs(panel));
      this._watchOutputs(panel);
    });
  }

  enable(enabled: boolean): void {
    this._enabled = enabled;
    this._panels.forEach(panel => this._paint(panel));
  }

  private _watchOutputs(panel: NotebookPanel): void {
    for (const cell of panel.content.model?.cells ?? []) {
      if (isCodeCellModel(cell) && !this._watched.has(cell)) {
        this._watched.add(cell);
        cell.outputs.changed.connect(() => this._schedule(panel));
      }
    }
    this._schedule(panel);
  }

  private _schedule(panel: NotebookPanel): void {
    if (!this._scheduled.has(panel)) {
      this._scheduled.add(panel);
      window.setTimeout(() => {
        this._scheduled.delete(panel);
        this._paint(panel);
      }, SETTLE_MS);
    }
  }

  private _paint(panel: NotebookPanel): void {
    if (panel.isDisposed || panel.content.model === null) {
      return;
    }
    const found = this._enabled
      ? this._reader.read(panel.content.model.cells)
      : new Map<ICellModel, Paint[]>();
    for (const cell of panel.content.widgets) {
      const paints = found.get(cell.model) ?? [];
      const before = this.of(cell.model);
      if (!equal(paints, before)) {
        this._paints.set(cell.model, paints);
        const view = viewOf(cell);
        if (view !== null) {
          repaint(view, paints);
        }
      }
    }
  }

  private _reader = new OutputReader();
  private _paints = new WeakMap<CodeEditor.IModel, Paint[]>();
  private _watched = new WeakSet<ICellModel>();
  private _panels = new Set<NotebookPanel>();
  private _scheduled = new Set<NotebookPanel>();
  private _enabled = true;
}

/** The editor of a cell; null where the cell is out of sight and has none yet. */
function viewOf(cell: Cell): EditorView | null {
  return cell.editor instanceof CodeMirrorEditor ? cell.editor.editor : null;
}

function equal(a: Paint[], b: Paint[]): boolean {
  return a.length === b.length && a.every((paint, index) => paint === b[index]);
}

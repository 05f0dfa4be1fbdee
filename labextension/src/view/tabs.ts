/** A row of tabs that follows the WAI-ARIA pattern: arrows move and select, one tab stop. */

import { html } from './dom';

export interface Tab {
  id: string;
  label: string;
  panel: HTMLElement;
}

export class Tabs {
  readonly element: HTMLElement;

  constructor(
    prefix: string,
    label: string,
    private tabs: Tab[],
    private onSelect: (id: string) => void
  ) {
    this.element = html('div', { class: 'zyg-tabs', role: 'tablist', 'aria-label': label });
    for (const { id, label, panel } of tabs) {
      const button = html(
        'button',
        {
          type: 'button',
          id: `${prefix}-tab-${id}`,
          class: 'zyg-tab',
          role: 'tab',
          'aria-controls': `${prefix}-panel-${id}`
        },
        label
      );
      panel.id = `${prefix}-panel-${id}`;
      panel.setAttribute('role', 'tabpanel');
      panel.setAttribute('aria-labelledby', button.id);
      button.addEventListener('click', () => this.select(id));
      this._buttons.push(button);
      this.element.append(button);
    }
    this.element.addEventListener('keydown', event => this._onKey(event));
  }

  select(id: string): void {
    this._selected = this.tabs.findIndex(tab => tab.id === id);
    this._buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === this._selected));
      button.setAttribute('tabindex', index === this._selected ? '0' : '-1');
    });
    this.onSelect(id);
  }

  private _onKey(event: KeyboardEvent): void {
    const last = this.tabs.length - 1;
    const moves = new Map([
      ['ArrowRight', this._selected === last ? 0 : this._selected + 1],
      ['ArrowLeft', this._selected === 0 ? last : this._selected - 1],
      ['Home', 0],
      ['End', last]
    ]);
    const move = moves.get(event.key);
    if (move !== undefined) {
      this.select(this.tabs[move].id);
      this._buttons[move].focus();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private _buttons: HTMLElement[] = [];
  private _selected = 0;
}

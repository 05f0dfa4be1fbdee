/** A numbered listing of Python whose lines can be hovered, focused and pinned. */

import { Heat } from '../model/heat';
import { Span } from '../model/links';
import { html, light, paint } from './dom';
import { marked, Token, tokenLines } from './python';

export interface ListingOptions {
  label: string;
  text: string;
  firstLine: number;
  /** Given, each line has a gutter cell; lines without heat have an empty one. */
  heats: Map<number, Heat> | null;
  /** What a line says of itself to someone who cannot see its colour. */
  describe(line: number): string;
  hasTarget(line: number): boolean;
  onHover(line: number | null): void;
  onPin(line: number): void;
  onEscape(): void;
}

export class Listing {
  readonly element: HTMLElement;

  constructor(private options: ListingOptions) {
    this._tokens = tokenLines(options.text.replace(/\n$/, ''));
    this.element = html('div', {
      class: 'zyg-listing',
      role: 'listbox',
      'aria-label': options.label
    });
    this._tokens.forEach((tokens, index) => this._addRow(options.firstLine + index, tokens));
    this._setCurrent(this._lines().find(line => options.hasTarget(line)) ?? options.firstLine);
    this._listen();
  }

  /** Lights `lines`, marks `span` in them, and shows which line is pinned. */
  light(lines: ReadonlySet<number>, span: Span | null, pinned: ReadonlySet<number>): void {
    light(this._rows, this._lit, lines, 'zyg-lit');
    this._rows.forEach((row, line) => row.setAttribute('aria-selected', `${pinned.has(line)}`));
    this._mark(span);
  }

  /** Scrolls the listing, and nothing around it, until one of `lines` is in sight. */
  reveal(lines: ReadonlySet<number>): void {
    const row = this._rows.get(Math.min(...lines));
    if (row === undefined) {
      return;
    }
    const { scrollTop, clientHeight } = this.element;
    if (row.offsetTop < scrollTop || row.offsetTop + row.offsetHeight > scrollTop + clientHeight) {
      this.element.scrollTop = row.offsetTop - clientHeight / 3;
    }
  }

  private _addRow(line: number, tokens: Token[]): void {
    const { heats, hasTarget, describe } = this.options;
    const row = html('div', {
      class: hasTarget(line) ? 'zyg-line zyg-linkable' : 'zyg-line',
      role: 'option',
      'aria-label': describe(line),
      'aria-selected': 'false',
      tabindex: -1,
      'data-line': line
    });
    if (heats !== null) {
      const badge = html('span', { class: 'zyg-badge' });
      const heat = heats.get(line);
      if (heat !== undefined) {
        badge.textContent = heat.text;
        paint(badge, heat);
      }
      row.append(badge);
    }
    const code = html('span', { class: 'zyg-code' }, ...spans(tokens));
    row.append(html('span', { class: 'zyg-lineno' }, String(line)), code);
    this._rows.set(line, row);
    this._codes.set(line, code);
    this.element.append(row);
  }

  private _mark(span: Span | null): void {
    for (const line of this._marked) {
      this._codes.get(line)?.replaceChildren(...spans(this._tokensOf(line)));
    }
    this._marked.clear();
    if (span === null) {
      return;
    }
    for (let line = span.line; line <= span.endLine && this._codes.has(line); line++) {
      const from = line === span.line ? span.col : 0;
      const to = line === span.endLine ? span.endCol : Infinity;
      const tokens = marked(this._tokensOf(line), from, to, 'zyg-span');
      this._codes.get(line)?.replaceChildren(...spans(tokens));
      this._marked.add(line);
    }
  }

  private _tokensOf(line: number): Token[] {
    return this._tokens[line - this.options.firstLine];
  }

  private _lines(): number[] {
    return [...this._rows.keys()];
  }

  private _setCurrent(line: number): void {
    this._rows.get(this._current)?.setAttribute('tabindex', '-1');
    this._rows.get(line)?.setAttribute('tabindex', '0');
    this._current = line;
  }

  private _listen(): void {
    const { element } = this;
    const { onHover, onPin, hasTarget } = this.options;
    const hover = (event: Event) => {
      const line = lineAt(event);
      onHover(line !== null && hasTarget(line) ? line : null);
    };
    element.addEventListener('mouseover', hover);
    element.addEventListener('mouseleave', () => onHover(null));
    element.addEventListener('focusin', event => {
      const line = lineAt(event);
      if (line !== null) {
        this._setCurrent(line);
      }
      hover(event);
    });
    element.addEventListener('focusout', () => onHover(null));
    element.addEventListener('click', event => {
      const line = lineAt(event);
      const selecting = document.getSelection()?.isCollapsed === false;
      if (line !== null && hasTarget(line) && !selecting) {
        onPin(line);
      }
    });
    element.addEventListener('keydown', event => this._onKey(event));
  }

  private _onKey(event: KeyboardEvent): void {
    const lines = this._lines();
    const at = lines.indexOf(this._current);
    const moves = new Map([
      ['ArrowDown', at + 1],
      ['ArrowUp', at - 1],
      ['Home', 0],
      ['End', lines.length - 1]
    ]);
    const move = moves.get(event.key);
    if (move !== undefined) {
      this._rows.get(lines[Math.min(Math.max(move, 0), lines.length - 1)])?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      if (this.options.hasTarget(this._current)) {
        this.options.onPin(this._current);
      }
    } else if (event.key === 'Escape') {
      this.options.onEscape();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private _tokens: Token[][];
  private _rows = new Map<number, HTMLElement>();
  private _codes = new Map<number, HTMLElement>();
  private _lit = new Set<number>();
  private _marked = new Set<number>();
  private _current = 0;
}

function lineAt(event: Event): number | null {
  const row = event.target instanceof Element ? event.target.closest('[data-line]') : null;
  return row === null ? null : Number(row.getAttribute('data-line'));
}

function spans(tokens: Token[]): (Node | string)[] {
  return tokens.map(({ text, style }) =>
    style === '' ? text : html('span', { class: style }, text)
  );
}

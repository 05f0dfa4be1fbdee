/**
 * What the reader points at, shared by every view of one document: the output and the editor of
 * its cell. Hovering is momentary and wins while it lasts; a pin stays.
 */

import { Signal, Slot } from '@lumino/signaling';

import { Target } from './links';

export class Pointer {
  constructor(private documentId: string) {}

  /** Calls `follow` of a view after each change, until the view leaves. */
  join(follow: Slot<Pointer, void>, view: object): void {
    this._followers += this._changed.connect(follow, view) ? 1 : 0;
    pointers.set(this.documentId, this);
  }

  /** The last view to leave takes the pointer with it: a pin does not outlive what it is in. */
  leave(follow: Slot<Pointer, void>, view: object): void {
    this._followers -= this._changed.disconnect(follow, view) ? 1 : 0;
    if (this._followers === 0 && pointers.get(this.documentId) === this) {
      pointers.delete(this.documentId);
    }
  }

  get target(): Target | null {
    return this._hovered ?? this._pinned;
  }

  get pinned(): Target | null {
    return this._pinned;
  }

  /** The view that moved the pointer last; it need not bring the target into its own sight. */
  get mover(): object | null {
    return this._mover;
  }

  /** The last change pointed at something, rather than let go of it. */
  get arrived(): boolean {
    return this._arrived;
  }

  hover(target: Target | null, mover: object): void {
    if (!same(target, this._hovered)) {
      this._hovered = target;
      this._tell(mover, target !== null);
    }
  }

  /** Pins `target`, or lets it go where it is pinned already. */
  toggle(target: Target, mover: object): void {
    this._pinned = same(target, this._pinned) ? null : target;
    this._tell(mover, this._pinned !== null);
  }

  clear(mover: object): void {
    this._hovered = null;
    this._pinned = null;
    this._tell(mover, false);
  }

  private _tell(mover: object, arrived: boolean): void {
    this._mover = mover;
    this._arrived = arrived;
    this._changed.emit();
  }

  private _changed = new Signal<Pointer, void>(this);
  private _followers = 0;
  private _hovered: Target | null = null;
  private _pinned: Target | null = null;
  private _mover: object | null = null;
  private _arrived = false;
}

const pointers = new Map<string, Pointer>();

/** The one pointer of the document with this id. */
export function pointerOf(documentId: string): Pointer {
  let pointer = pointers.get(documentId);
  if (pointer === undefined) {
    pointer = new Pointer(documentId);
    pointers.set(documentId, pointer);
  }
  return pointer;
}

export function same(a: Target | null, b: Target | null): boolean {
  if (a === null || b === null || a.kind !== b.kind) {
    return a === b;
  }
  if (a.kind === 'node') {
    return b.kind === 'node' && a.graph === b.graph && a.id === b.id;
  }
  return b.kind !== 'node' && a.line === b.line;
}

/** Pans by dragging and zooms by buttons, keys and Ctrl+wheel. */

import { Box } from '../model/document';

const STEP = 1.25;
const SMALLEST = 0.05;
const LARGEST = 4;
/** A big graph opens at this zoom or above, so that its labels can be read. */
const LEGIBLE = 0.6;
/** A small graph opens no larger than this. */
const COMFORTABLE = 1.15;
const MARGIN = 14;
const DRAG_THRESHOLD = 4;

export class PanZoom {
  /**
   * `layer` is moved within `frame`; `size` is its natural size, and `start` the box a graph too big
   * for the frame is opened at.
   */
  constructor(
    private frame: SVGSVGElement,
    private layer: SVGGElement,
    private size: { width: number; height: number },
    private start: Box | null
  ) {
    this._resized = new ResizeObserver(() => this._onResize());
    this._resized.observe(frame);
    frame.addEventListener('wheel', event => this._onWheel(event), { passive: false });
    frame.addEventListener('pointerdown', event => this._onPointerDown(event));
    frame.addEventListener('pointermove', event => this._onPointerMove(event));
    frame.addEventListener('pointerup', () => this._endDrag());
    frame.addEventListener('pointercancel', () => this._endDrag());
    frame.addEventListener('click', event => this._onClick(event), { capture: true });
  }

  dispose(): void {
    this._resized.disconnect();
  }

  /** Shows the whole graph. */
  fit(): void {
    const { width, height } = this._view();
    this._center(this._fitting(), width / 2, height / 2);
    this._touched = true;
  }

  zoomIn(): void {
    this._zoomMiddle(STEP);
  }

  zoomOut(): void {
    this._zoomMiddle(1 / STEP);
  }

  /** Pans until one of `boxes` is in sight; does nothing where one already is. */
  reveal(boxes: Box[]): void {
    const { width, height } = this._view();
    if (boxes.length === 0 || width === 0) {
      return;
    }
    const visible = (box: Box) => {
      const left = (box.x - box.w / 2) * this._k + this._x;
      const top = (box.y - box.h / 2) * this._k + this._y;
      return (
        left >= 0 &&
        top >= 0 &&
        left + box.w * this._k <= width &&
        top + box.h * this._k <= height
      );
    };
    if (!boxes.some(visible)) {
      this._touched = true;
      this._x = width / 2 - boxes[0].x * this._k;
      this._y = height / 2 - boxes[0].y * this._k;
      this._apply();
    }
  }

  private _view(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = this.frame;
    return { width, height };
  }

  private _fitting(): number {
    const { width, height } = this._view();
    const k = Math.min(
      (width - 2 * MARGIN) / Math.max(this.size.width, 1),
      (height - 2 * MARGIN) / Math.max(this.size.height, 1)
    );
    return Math.min(Math.max(k, SMALLEST), COMFORTABLE);
  }

  /** The view a graph opens with: all of it, or a legible part from its start. */
  private _open(): void {
    const { width, height } = this._view();
    const k = this._fitting();
    if (k >= LEGIBLE || this.start === null) {
      this._center(k, width / 2, height / 2);
      return;
    }
    this._k = LEGIBLE;
    this._x = opening(width, this.size.width * LEGIBLE, this.start.x * LEGIBLE);
    this._y = opening(height, this.size.height * LEGIBLE, this.start.y * LEGIBLE);
    this._apply();
  }

  private _center(k: number, x: number, y: number): void {
    this._k = k;
    this._x = x - (this.size.width * k) / 2;
    this._y = y - (this.size.height * k) / 2;
    this._apply();
  }

  private _zoomMiddle(factor: number): void {
    const { width, height } = this._view();
    this._zoom(factor, width / 2, height / 2);
  }

  private _zoom(factor: number, x: number, y: number): void {
    const k = Math.min(Math.max(this._k * factor, SMALLEST), LARGEST);
    this._x = x - ((x - this._x) * k) / this._k;
    this._y = y - ((y - this._y) * k) / this._k;
    this._k = k;
    this._touched = true;
    this._apply();
  }

  private _apply(): void {
    const place = `translate(${this._x.toFixed(2)} ${this._y.toFixed(2)})`;
    this.layer.setAttribute('transform', `${place} scale(${this._k.toFixed(4)})`);
  }

  private _onResize(): void {
    if (!this._touched && this._view().width > 0) {
      this._open();
    }
  }

  private _onWheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const { left, top } = this.frame.getBoundingClientRect();
    const factor = Math.exp(-Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY), 60) * 0.004);
    this._zoom(factor, event.clientX - left, event.clientY - top);
  }

  private _onPointerDown(event: PointerEvent): void {
    if (event.button === 0) {
      this._drag = { x: event.clientX, y: event.clientY, moved: false };
    }
  }

  private _onPointerMove(event: PointerEvent): void {
    const drag = this._drag;
    if (drag === null) {
      return;
    }
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    if (!drag.moved && Math.hypot(dx, dy) < DRAG_THRESHOLD) {
      return;
    }
    if (!drag.moved) {
      drag.moved = true;
      this._dragged = true;
      this.frame.setPointerCapture(event.pointerId);
      this.frame.classList.add('zyg-dragging');
    }
    this._touched = true;
    this._x += dx;
    this._y += dy;
    drag.x = event.clientX;
    drag.y = event.clientY;
    this._apply();
  }

  private _endDrag(): void {
    this._drag = null;
    this.frame.classList.remove('zyg-dragging');
  }

  /** The click that ends a drag is not a click on a node. */
  private _onClick(event: MouseEvent): void {
    if (this._dragged) {
      this._dragged = false;
      event.stopPropagation();
    }
  }

  private _resized: ResizeObserver;
  private _x = 0;
  private _y = 0;
  private _k = 1;
  /** The reader has moved the view; it is theirs from then on. */
  private _touched = false;
  private _drag: { x: number; y: number; moved: boolean } | null = null;
  private _dragged = false;
}

/**
 * Where along one axis content opens in a frame: in the middle where it fits, else with `start` in
 * the middle as far as that leaves no empty room beside the content.
 */
function opening(frame: number, content: number, start: number): number {
  if (content <= frame - 2 * MARGIN) {
    return (frame - content) / 2;
  }
  return Math.min(MARGIN, Math.max(frame - MARGIN - content, frame / 2 - start));
}

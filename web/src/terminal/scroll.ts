// Scrolls further than a browser can: an element has a greatest height, a long output has not.

// Firefox and Chrome draw nothing beyond 17 and 33 million pixels.
const TALLEST = 8_000_000;

export class TallScroll {
  // In pixels of the whole, however tall.
  top = 0;
  private height = 0;
  private lastOffset = 0;

  constructor(private readonly element: HTMLElement) {}

  // The height that the scrolled element is to have.
  static elementHeight(height: number): number {
    return Math.min(height, TALLEST);
  }

  get bottom(): number {
    return Math.max(0, this.height - this.element.clientHeight);
  }

  setHeight(height: number): void {
    this.height = height;
    this.top = Math.min(this.top, this.bottom);
  }

  scrollTo(top: number): void {
    this.top = Math.max(0, Math.min(this.bottom, top));
    const { scrollHeight, clientHeight } = this.element;
    const lowest = scrollHeight - clientHeight;
    const ratio = this.bottom > 0 ? this.top / this.bottom : 0;
    this.element.scrollTop = this.height > TALLEST ? ratio * lowest : this.top;
    this.lastOffset = this.element.scrollTop;
  }

  // To be called when the element has been scrolled; how far, negative if upwards.
  follow(): number {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    const moved = scrollTop - this.lastOffset;
    this.lastOffset = scrollTop;
    const lowest = scrollHeight - clientHeight;
    if (this.height <= TALLEST) this.top = Math.min(scrollTop, this.bottom);
    else if (scrollTop <= 0) this.top = 0;
    else if (scrollTop >= lowest - 1) this.top = this.bottom;
    // The wheel moves by what it says, the scroll bar's thumb by its share of the whole.
    else if (Math.abs(moved) < 2 * clientHeight) this.top = Math.max(0, Math.min(this.bottom, this.top + moved));
    else this.top = (scrollTop / lowest) * this.bottom;
    return moved;
  }
}

// How a terminal's text looks: what SGR sequences ask for, each combination numbered once.

export interface Style {
  className: string;
  css: Record<string, string> | undefined;
}

// A colour is "" (the usual one), "0" to "15" (the theme's) or "#rrggbb".
interface Look {
  foreground: string;
  background: string;
  flags: number;
}

const BOLD = 1;
const DIM = 2;
const ITALIC = 4;
const UNDERLINE = 8;
const INVERSE = 16;
const STRIKE = 32;

const FLAG_CLASSES: [number, string][] = [
  [BOLD, 't-bold'],
  [DIM, 't-dim'],
  [ITALIC, 't-italic'],
  [UNDERLINE, 't-underline'],
  [INVERSE, 't-inverse'],
  [STRIKE, 't-strike'],
];
const SETS: Record<number, number> = { 1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 7: INVERSE, 9: STRIKE, 21: UNDERLINE };
const CLEARS: Record<number, number> = { 22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 27: INVERSE, 29: STRIKE };

const CUBE = [0, 95, 135, 175, 215, 255];
// A script may use a colour for each character; past this, further ones look like plain text.
const MOST_STYLES = 20_000;

function hex(red: number, green: number, blue: number): string {
  return '#' + [red, green, blue].map((part) => (part & 255).toString(16).padStart(2, '0')).join('');
}

function indexed(index: number): string {
  if (index < 16) return String(index);
  if (index >= 232) return hex(8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232));
  const at = index - 16;
  return hex(CUBE[Math.floor(at / 36)] ?? 0, CUBE[Math.floor(at / 6) % 6] ?? 0, CUBE[at % 6] ?? 0);
}

function styleOf({ foreground, background, flags }: Look): Style {
  const classes = FLAG_CLASSES.filter(([flag]) => flags & flag).map(([, name]) => name);
  const css: Record<string, string> = {};
  const isInverse = (flags & INVERSE) !== 0;
  const [front, back] = isInverse ? [background, foreground] : [foreground, background];
  if (front.startsWith('#')) css.color = front;
  else if (front) classes.push(`t-fg-${front}`);
  if (back.startsWith('#')) css.backgroundColor = back;
  else if (back) classes.push(`t-bg-${back}`);
  return { className: classes.join(' '), css: Object.keys(css).length > 0 ? css : undefined };
}

const PLAIN: Look = { foreground: '', background: '', flags: 0 };

export class Styles {
  private readonly looks: Look[] = [PLAIN];
  private readonly styles: Style[] = [{ className: '', css: undefined }];
  private readonly numbers = new Map<string, number>([['||0', 0]]);

  style(number: number): Style {
    return this.styles[number] ?? this.styles[0]!;
  }

  // The number of the style that `parameters` of an SGR sequence make of another one.
  change(from: number, parameters: string): number {
    const look = { ...(this.looks[from] ?? PLAIN) };
    // "38:2::1:2:3" is the standard's form of "38;2;1;2;3".
    const codes = parameters.replace(/(38|48):2:\d*:(\d+:\d+:\d+)/g, '$1:2:$2').split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; ++at) {
      const code = codes[at] ?? 0;
      if (code === 0) Object.assign(look, PLAIN);
      else if (SETS[code]) look.flags |= SETS[code];
      else if (CLEARS[code]) look.flags &= ~CLEARS[code];
      else if (code >= 30 && code <= 37) look.foreground = String(code - 30);
      else if (code >= 90 && code <= 97) look.foreground = String(code - 82);
      else if (code >= 40 && code <= 47) look.background = String(code - 40);
      else if (code >= 100 && code <= 107) look.background = String(code - 92);
      else if (code === 39) look.foreground = '';
      else if (code === 49) look.background = '';
      else if (code === 38 || code === 48) {
        const isTrue = codes[at + 1] === 2;
        const colour = isTrue
          ? hex(codes[at + 2] ?? 0, codes[at + 3] ?? 0, codes[at + 4] ?? 0)
          : indexed((codes[at + 2] ?? 0) & 255);
        if (code === 38) look.foreground = colour;
        else look.background = colour;
        at += isTrue ? 4 : 2;
      }
    }
    return this.number(look);
  }

  private number(look: Look): number {
    const name = `${look.foreground}|${look.background}|${look.flags}`;
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    if (this.styles.length >= MOST_STYLES) return 0;
    this.looks.push(look);
    this.styles.push(styleOf(look));
    this.numbers.set(name, this.styles.length - 1);
    return this.styles.length - 1;
  }
}

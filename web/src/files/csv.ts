// Comma- or tab-separated values (RFC 4180): quoted fields may hold separators, line ends and doubled quotes.

export interface Csv {
  rows: string[][];
  // There is more than was asked for.
  isCut: boolean;
}

// `isWhole` is false if the text breaks off: then its last row may be half of one.
export function parseCsv(text: string, separator: string, mostRows: number, isWhole: boolean): Csv {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field: string;
    if (text[at] === '"') {
      let end = text.indexOf('"', at + 1);
      while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
      const stop = end < 0 ? text.length : end;
      field = text.slice(at + 1, stop).replaceAll('""', '"');
      at = stop + 1;
    } else {
      field = '';
    }
    let stop = at;
    while (stop < text.length && text[stop] !== separator && text[stop] !== '\n' && text[stop] !== '\r') stop += 1;
    row.push(field + text.slice(at, stop));
    at = stop + 1;
    if (text[stop] === separator) {
      if (at === text.length) row.push('');
      continue;
    }
    if (text[stop] === '\r' && text[at] === '\n') at += 1;
    if (rows.length === mostRows) return { rows, isCut: true };
    if (stop < text.length || isWhole) rows.push(row);
    row = [];
  }
  if (row.length > 0 && isWhole) {
    if (rows.length === mostRows) return { rows, isCut: true };
    rows.push(row);
  }
  return { rows, isCut: !isWhole };
}

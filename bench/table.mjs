const sort = (values) => values.toSorted((a, b) => a - b);

/** The middle one of a list of numbers, or the mean of the two in the middle. */
export function median(values) {
  const sorted = sort(values);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Between which half of a list of numbers lies. */
export function quartiles(values) {
  const sorted = sort(values);
  return [0.25, 0.75].map((part) => sorted[Math.round(part * (sorted.length - 1))]);
}

/** A table of Markdown, also to be read as text; all columns but the first are numbers. */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, at) => Math.max(3, ...cells.map((row) => row[at].length)));
  const pad = (cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]));
  const line = (row) => `| ${row.map(pad).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const [first, ...rest] = cells.map(line);
  return [first, `| ${rule.join(' | ')} |`, ...rest].join('\n');
}

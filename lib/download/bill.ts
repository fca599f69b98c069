import { bytesOf } from '../crypto/bytes';
import { BodyError, InvalidArgumentError } from '../errors';
import type { BillRow } from './bill-rows';

/** Maximum length of a line; lines of bills have a few hundred characters. */
const MAX_LINE = 1024 * 1024;

/**
 * Splits UTF-8 text into lines, without line endings (LF or CR LF) and without a byte order mark. Chunks may end
 * anywhere, even within a character or line ending.
 * @throws {@link BodyError} `ERR_BODY_TOO_LARGE` if a line is too long
 */
export async function* lines(source: AsyncIterable<Uint8Array> | string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of decoded(source)) {
    const pieces = (rest + text).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) yield withoutReturn(piece);
    if (rest.length > MAX_LINE) {
      throw new BodyError('ERR_BODY_TOO_LARGE', `A line is longer than ${MAX_LINE} characters.`);
    }
  }
  if (rest !== '') yield withoutReturn(rest);
}

async function* decoded(source: AsyncIterable<Uint8Array> | string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  if (typeof source === 'string') {
    yield source.replace(/^\ufeff/, '');
    return;
  }
  for await (const chunk of source) yield decoder.decode(bytesOf(chunk, 'chunk'), { stream: true });
  yield decoder.decode();
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

/** A bill that is read row by row and can be iterated once. */
export interface Bill<Row extends BillRow = BillRow, Summary extends BillRow = BillRow> extends AsyncIterable<Row> {
  /** The summary; `undefined` until all rows have been read. */
  readonly summary: Summary | undefined;
  /** All rows below the summary headings, for bills with several. */
  readonly summaries: readonly Summary[];
}

/** How the summary headings start if their number does not tell them apart: `总交易单数`, `资金流水总笔数`. */
const SUMMARY = /^`?(?:总|资金流水总)/;

/** Maximum length of a row whose values contain line breaks, in characters. */
const MAX_ROW = 64 * 1024;

/**
 * Reads a bill (trade, fund flow, profit sharing, overseas statement, …) row by row. Values are keyed by the bill's own
 * column headings and lose their leading backquote; commas and line breaks within values are kept.
 *
 * WeChat Pay's bills are UTF-8 text: headings, rows, summary headings, summary.
 * @param source the body of a download, preferably through `checkDigest`; an async iterable of bytes; or a string
 * @returns an async iterable of rows. Iterating throws a {@link BodyError}, `ERR_BODY_NOT_BILL`, if the text is not a
 * bill, such as an XML error of v2
 * @throws {@link InvalidArgumentError} if the source is none of these
 * @example
 * const bill = parseBill<TradeBillRow, TradeBillSummary>(body);
 * for await (const row of bill) console.log(row.商户订单号, row.订单金额);
 * console.log(bill.summary?.总交易单数);
 */
export function parseBill<Row extends BillRow = BillRow, Summary extends BillRow = BillRow>(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> | string,
): Bill<Row, Summary> {
  const { [Symbol.asyncIterator]: stream, [Symbol.iterator]: list } = Object(source);
  if (typeof source !== 'string' && typeof (stream ?? list) !== 'function') {
    throw new InvalidArgumentError('A bill must be the body of a download, a stream of bytes, or a string.');
  }
  const summaries: Summary[] = [];
  const rows = readRows<Row, Summary>(lines(source), summaries);
  return {
    summaries,
    get summary() {
      return summaries[0];
    },
    [Symbol.asyncIterator]: () => rows,
  };
}

async function* readRows<Row, Summary>(text: AsyncIterable<string>, summaries: Summary[]): AsyncGenerator<Row> {
  let detail: readonly string[] | undefined;
  let summary: readonly string[] | undefined;
  /** A row that continues on the next line. */
  let begun = '';
  let number = 0;
  for await (const line of text) {
    number++;
    if (begun === '' && line.trim() === '') continue;
    if (!detail) {
      detail = readHeadings(line);
      continue;
    }
    if (begun === '' && !summary && isSummary(line, detail)) {
      summary = headingsOf(line);
      continue;
    }
    const headings = summary ?? detail;
    const row = begun + line;
    const values = readValues(row, headings.length);
    if (values) {
      begun = '';
      const record = Object.fromEntries(headings.map((heading, index) => [heading, values[index]]));
      // The caller states the type of the bill. WeChat Pay adds columns, so the headings are not checked.
      if (summary) summaries.push(record as Summary);
      else yield record as Row;
    } else if (isBegun(row, headings.length) && (begun === '' || !line.startsWith('`'))) {
      begun = `${row}\n`;
    } else {
      throw notBill(`line ${number} does not match the ${headings.length} column headings`);
    }
  }
  if (!detail) throw notBill('it is empty');
  if (begun !== '') throw notBill('its last row is truncated');
}

function readHeadings(line: string): readonly string[] {
  if (/^\s*[<{]/.test(line)) throw notBill('it looks like XML or JSON, possibly an error response');
  const headings = headingsOf(line);
  if (headings.length > 1) return headings;
  throw notBill('its first line has no column headings');
}

function headingsOf(line: string): readonly string[] {
  return line.split(',').map((heading) => unquoted(heading).trim());
}

/** Rows start with a backquote; in some bills they do not, but have as many values as there are headings. */
function isSummary(line: string, headings: readonly string[]): boolean {
  return SUMMARY.test(line) || (!line.startsWith('`') && line.split(',').length !== headings.length);
}

/** The values of a row, if it has `count` of them: separated by a comma and a backquote, or by a comma if it has none. */
function readValues(row: string, count: number): readonly string[] | undefined {
  const values = row.startsWith('`') ? row.slice(1).split(',`') : row.split(',');
  return values.length === count ? values : undefined;
}

function isBegun(row: string, count: number): boolean {
  return row.startsWith('`') && row.split(',`').length < count && row.length < MAX_ROW;
}

function unquoted(value: string): string {
  return value.startsWith('`') ? value.slice(1) : value;
}

/** Reports the position but never the content: bills contain personal data. */
function notBill(reason: string): BodyError {
  return new BodyError('ERR_BODY_NOT_BILL', `The text is not a WeChat Pay bill: ${reason}.`);
}

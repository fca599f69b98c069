import { bytesOf } from '../crypto/bytes';
import { BodyError, InvalidArgumentError } from '../errors';
import type { BillRow } from './bill-rows';

/** Greatest length of a line; those of bills have some hundred characters. */
const MAX_LINE = 1024 * 1024;

/**
 * The lines of a text in UTF-8, without their ends (LF or CR LF) and without a byte order mark; characters and line ends
 * may be cut anywhere.
 * @throws {@link BodyError} `ERR_BODY_TOO_LARGE` where a line does not end
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

/** A bill that is read row by row, once. */
export interface Bill<Row extends BillRow = BillRow, Summary extends BillRow = BillRow> extends AsyncIterable<Row> {
  /** The summary; `undefined` until all rows have been read. */
  readonly summary: Summary | undefined;
  /** All rows below the headings of the summary, for bills that have several. */
  readonly summaries: readonly Summary[];
}

/** What a summary's headings begin with where they cannot be told by their number: `总交易单数`, `资金流水总笔数`. */
const SUMMARY = /^`?(?:总|资金流水总)/;

/** Greatest length of a row with line breaks in its values, in characters. */
const MAX_ROW = 64 * 1024;

/**
 * Reads a bill (trade, fund flow, profit sharing, overseas statement, …) row by row: the values by the bill's own
 * headings, without the backquote in front of each. Commas and line breaks within values stay.
 *
 * Bills of WeChat Pay are text in UTF-8: headings, rows, the headings of the summary, the summary.
 * @param source the body of a download, best one of `checkDigest`; an async iterable of bytes; or text
 * @returns an async iterable of rows; its iteration throws a {@link BodyError}, `ERR_BODY_NOT_BILL`, where the text is no
 * bill, as where v2 answers with an error in XML
 * @throws {@link InvalidArgumentError} where the source is none of these
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
  /** A row of which the next line is the rest. */
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
      // The caller says what the bill is; WeChat Pay adds columns, so that the headings are not checked.
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

/** Rows begin with a backquote; those of some bills lack it, but are as long as the headings. */
function isSummary(line: string, headings: readonly string[]): boolean {
  return SUMMARY.test(line) || (!line.startsWith('`') && line.split(',').length !== headings.length);
}

/** The values of a row, where it has that many: parted by a comma and a backquote, or by a comma where none has any. */
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

/** Says where, and never what: a bill names users. */
function notBill(reason: string): BodyError {
  return new BodyError('ERR_BODY_NOT_BILL', `The text is not a WeChat Pay bill: ${reason}.`);
}

import { InvalidArgumentError, SignatureError } from '../errors';
import { type Fields, fieldText, sortedEntries } from '../format/fields';
import { ECHOED, IDENTITY, KINDS, MERCHANT_FIELDS, TEXTS, unnumbered, WRITTEN } from './v2-names';

/**
 * What v2 signs, `a=1&b=2`, does not tell where a value ends: `b=2` may be a field, or the end of `a`. One signature is
 * therefore good for every message whose fields, in the order of their names, give the same text: its readings.
 *
 * A reading counts where it has all members of a kind of message (see `KINDS`), those that programs write hold no `&`,
 * and something in it says other than in the message at hand: a field begins within one of its values.
 */
interface Start {
  name: string;
  /** Where the name begins in the text, where the value does, and where the next `&` or the end of the text is. */
  at: number;
  value: number;
  stop: number;
  /** Whether a field of the message at hand begins here. */
  own: boolean;
  /** Whether the value holds no `&`, and so ends at `stop`. */
  plain: boolean;
  /** Whether the name is a required one, and how many of these come before it. */
  required: boolean;
  level: number;
}

/**
 * Refuses a message received from which somebody without the key could make another, or which somebody has made so.
 * @param fields as received; the `sign` has been found right
 * @param message what it is, for the error
 * @throws {@link SignatureError} `ERR_SIGNATURE_AMBIGUOUS` that names the field in question
 */
export function refuseSecondReading(fields: Fields, message: 'notification' | 'response'): void {
  const own = signed(fields);
  const field = cutOff(own) ?? KINDS.map((kind) => secondReading(own, kind, isKnown)).find(Boolean)?.within;
  if (field === undefined) return;
  throw new SignatureError(
    'ERR_SIGNATURE_AMBIGUOUS',
    `The ${message} is signed, but what is signed can be split elsewhere, at a "&" in or before the field "${field}", ` +
      'into another message: it may have been forged from one that WeChat Pay sent. Do not trust it: query the order, ' +
      'refund or contract. APIv3 has no such weakness.',
  );
}

/**
 * Refuses a request whose signature would be good for another message: another such request, or what WeChat Pay sends.
 * @param fields what is to be signed
 * @throws {@link InvalidArgumentError} that names the field which holds the beginning of the other message
 */
export function refuseAmbiguousRequest(fields: Fields): void {
  const own = signed(fields);
  const names = own.map(([name]) => name);
  const request = names.filter((name) => name === 'nonce_str' || MERCHANT_FIELDS.includes(name));
  const isRequest = request.some((name) => name !== 'nonce_str');
  const found =
    (isRequest
      ? secondReading(own, request, (name) => (names.includes(name) || isKnown(name)) && !IDENTITY.has(name))
      : undefined) ?? KINDS.map((kind) => secondReading(own, kind, isKnown)).find(Boolean);
  if (!found) return;
  throw new InvalidArgumentError(
    `The field "${found.within}" holds "&${found.name}=", so that the signature of the request would be good for another ` +
      'message as well, which v2 cannot tell apart. Take the "&" out of the field, or encode the text, as with ' +
      'encodeURIComponent. Nothing was sent.',
  );
}

/** Whether the fields have all members of a kind of message that WeChat Pay sends. */
export function isKind(fields: Fields): boolean {
  return KINDS.some((kind) => kind.every((name) => typeof fields[name] === 'string' && fields[name] !== ''));
}

/** Names and texts as they are signed. */
function signed(fields: Fields): [name: string, text: string][] {
  return sortedEntries(fields)
    .filter(([name]) => name !== 'sign')
    .map(([name, value]): [string, string] => [name, fieldText(name, value)])
    .filter(([, text]) => text !== '');
}

function isKnown(name: string): boolean {
  return isWritten(name) || TEXTS.has(unnumbered(name));
}

function isWritten(name: string): boolean {
  return WRITTEN.has(unnumbered(name));
}

/** What WeChat Pay would not have sent: a text cut where no member of its begins, a `&` in what programs write. */
function cutOff(own: readonly (readonly [string, string])[]): string | undefined {
  const found = own.find(([name, value], at) => {
    const isCut = !isKnown(name) && ECHOED.has(own[at - 1]?.[0] ?? '');
    return isCut || (isWritten(name) && value.includes('&'));
  });
  return found?.[0];
}

/** What a second reading is known by: the name of a field of it, and the field of the message in which that begins. */
interface Second {
  name: string;
  within: string;
}

/**
 * Looks for a second reading with all required names. It takes time in proportion to the text: a reading is a way from
 * start to start, by ascending names, that leaves out no required one; a start is part of a reading if the way leads to
 * it from the beginning, and from it to the end.
 * @param own the fields of the message as they are signed
 * @param required in ascending order
 * @param counts whether a field of this name makes it another message
 */
function secondReading(
  own: readonly (readonly [string, string])[],
  required: readonly string[],
  counts: (name: string) => boolean,
): Second | undefined {
  const text = own.map(([name, value]) => `${name}=${value}`).join('&');
  const begins: number[] = [];
  let length = 0;
  for (const [name, value] of own) {
    begins.push(length);
    length += name.length + value.length + 2;
  }
  const starts = startsOf(text, new Set(begins), required);
  // Most messages have no other.
  if (starts.every((start) => start.own)) return undefined;
  const values = new Map(own);
  const forward = reachable(starts);
  const backward = ending(starts, text.length, required.length);
  const says = ({ name, plain, value, stop }: Start) =>
    counts(name) && !(plain && values.get(name) === text.slice(value, stop));
  const found = starts.find((start, at) => !start.own && forward[at] && backward[at] && says(start));
  return found && { name: found.name, within: own[begins.findLastIndex((begin) => begin < found.at)]?.[0] ?? '' };
}

/** Where a field may begin: at the beginning of the text and behind each `&`, with a name and `=`. */
function startsOf(text: string, own: ReadonlySet<number>, required: readonly string[]): Start[] {
  return Array.from(text.matchAll(/(?<![^&])([^&=<>\s]+)=/g), ({ 0: whole, 1: name = '', index: at }) => {
    const value = at + whole.length;
    const end = text.indexOf('&', value);
    return {
      name,
      at,
      value,
      stop: end < 0 ? text.length : end,
      own: own.has(at),
      plain: isWritten(name),
      required: required.includes(name),
      level: required.filter((one) => one < name).length,
    };
  });
}

/** The level at which a way goes on behind a start. */
function levelAfter({ level, required }: Start): number {
  return level + Number(required);
}

/** Whether the next start comes right behind the shortest value of this one, and whether that value is empty. */
function borders({ value, stop }: Start, next: Start | undefined): { touches: boolean; empty: boolean } {
  return { touches: next?.at === stop + 1, empty: value === stop };
}

/** Which starts a way from the beginning leads to. */
function reachable(starts: readonly Start[]): boolean[] {
  const reached: boolean[] = [];
  /** The least name that has been reached, by level: every greater name of the level can come next. */
  const least: (string | undefined)[] = [];
  const open = (start: Start) => {
    const level = levelAfter(start);
    const other = least[level];
    if (other === undefined || start.name < other) least[level] = start.name;
  };
  for (const [at, start] of starts.entries()) {
    const before = starts[at - 1];
    if (!before) {
      reached.push(start.level === 0);
      continue;
    }
    const { touches, empty } = borders(before, start);
    const leads = reached[at - 1] === true;
    const late = touches && empty;
    if (leads && !before.plain && !late) open(before);
    const name = least[start.level];
    const fromPlain = leads && before.plain && touches && !empty && levelAfter(before) === start.level;
    reached.push((name !== undefined && name < start.name) || (fromPlain && before.name < start.name));
    if (leads && !before.plain && late) open(before);
  }
  return reached;
}

/** From which starts a way leads to the end. */
function ending(starts: readonly Start[], length: number, levels: number): boolean[] {
  const ended: boolean[] = new Array(starts.length).fill(false);
  /** The greatest name from which the end is reached, by level: every lesser name of the level can come before. */
  const greatest: (string | undefined)[] = [];
  const open = ({ name, level }: Start) => {
    const other = greatest[level];
    if (other === undefined || name > other) greatest[level] = name;
  };
  for (const [at, start] of [...starts.entries()].reverse()) {
    const next = starts[at + 1];
    const { touches, empty } = borders(start, next);
    const leads = next !== undefined && ended[at + 1] === true;
    const late = touches && empty;
    if (leads && !late) open(next);
    const level = levelAfter(start);
    const name = greatest[level];
    const last = level === levels && start.value < length && (!start.plain || start.stop === length);
    const goesOn = start.plain
      ? leads && touches && !empty && next.level === level && start.name < next.name
      : name !== undefined && start.name < name;
    ended[at] = last || goesOn;
    if (leads && late) open(next);
  }
  return ended;
}

import { SignatureError, UNKNOWN_OUTCOME } from '../errors';
import { toObject } from '../format/transformer';
import type { SignedDispatchOptions } from './dispatch-options';

/**
 * Merchant-assigned numbers, besides those that start with `out_`: members that the reference lists both in a request and
 * at the top level of its response.
 */
const OWN_NUMBERS: ReadonlySet<string> = new Set([
  'authenticate_number',
  'business_code',
  'combine_out_trade_no',
  'contract_code',
  'mch_billno',
  'mchnt_order_id',
  'merchant_plan_no',
  'merchant_sign_plan_no',
  'partner_trade_no',
  'send_request_no',
]);

/** Verbs whose body may contain the number of the change, while the response has that of the changed object. */
const CHANGING: ReadonlySet<string> = new Set(['PATCH', 'PUT']);

type Members = Readonly<Record<string, unknown>>;

/** Whether a member is a merchant-assigned number, such as `out_trade_no`. */
export function isOwnNumber(name: string): boolean {
  return name.startsWith('out_') || OWN_NUMBERS.has(name);
}

/**
 * Refuses a response with a merchant-assigned number other than that of its request: WeChat Pay's signature does not
 * cover the request, so one genuine response can be substituted for another.
 * @param options the request, as sent
 * @param response the members of the verified response
 * @throws {@link SignatureError} `ERR_SIGNATURE_OTHER_REQUEST`
 */
export function refuseOtherNumbers(options: SignedDispatchOptions, response: Members): void {
  const names = Object.keys(response).filter((name) => isOwnNumber(name) && textOf(response[name]) !== undefined);
  if (names.length === 0) return;
  const sources = sourcesOf(options);
  const other = names.find((name) => {
    const asked = sources.flatMap((source) => textOf(ownMember(source, name)) ?? []);
    return asked.length > 0 && !asked.includes(textOf(response[name]) as string);
  });
  if (other === undefined) return;
  const { method, path } = options;
  throw new SignatureError(
    'ERR_SIGNATURE_OTHER_REQUEST',
    `The response to ${method} ${path.split('?', 1)[0]} is signed, but its "${other}" differs from the request's: it ` +
      `belongs to another request.${method === 'GET' ? '' : ` ${UNKNOWN_OUTCOME}`}`,
  );
}

/** Where a request may contain such numbers: its path variables, query and body. */
function sourcesOf({ method, path, query, body, fields, variables }: SignedDispatchOptions): Members[] {
  const [pathname = '', search = ''] = path.split(/\?(.*)/s);
  const sources: Members[] = [variables ?? {}, segmentsOf(pathname), Object.fromEntries(new URLSearchParams(search))];
  if (query) sources.push(query);
  if (!CHANGING.has(method)) sources.push(fields ?? bodyOf(body));
  return sources;
}

/** The segment after one with the name of a number: `/out-trade-no/1217752501201407033233368018`. */
function segmentsOf(pathname: string): Members {
  const segments = pathname.split('/');
  const pairs = segments.map((segment, index) => [segment.replaceAll('-', '_'), decoded(segments[index + 1])]);
  return Object.fromEntries(pairs);
}

function decoded(segment: string | undefined): string | undefined {
  try {
    return segment && decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Files and streams contain none. */
function bodyOf(body: unknown): Members {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : body;
  if (typeof text !== 'string') return {};
  try {
    return text.trimStart().startsWith('<') ? toObject(text) : Object(JSON.parse(text));
  } catch {
    // It was sent as it is.
  }
  return {};
}

function ownMember(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

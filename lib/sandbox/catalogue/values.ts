import { createHash, getHashes } from 'node:crypto';
import type { FactField } from './fact';

/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** An integer from 0 to below `bound`. */
  below(bound: number): number;
  digits(length: number): string;
  hex(length: number): string;
  /** Letters and digits. */
  letters(length: number): string;
}

/** @param seed at least four bytes */
export function seeded(seed: Buffer): Random {
  let state = seed.readUInt32LE(0);
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * bound);
  const from = (alphabet: string) => (length: number) =>
    Array.from({ length }, () => alphabet[below(alphabet.length)]).join('');
  return {
    below,
    digits: from('0123456789'),
    hex: from('0123456789abcdef'),
    letters: from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'),
  };
}

/** The source of values that are not in the facts. */
export interface Source {
  readonly random: Random;
  /** The time of what is made up, in milliseconds since 1970. */
  readonly time: number;
  /** Root of the addresses, with a slash at its end. */
  readonly baseUrl: string;
  /** v2 writes times as `yyyyMMddHHmmss`. */
  readonly isV2: boolean;
}

type Maker = (source: Source, field: FactField) => string;

/** Where made-up files are downloaded: an operation of the catalogue that takes only a token. */
const FILES = 'v3/transferdownload/signfile?token=';

/** The file that a token stands for. */
export function fileOf(token: string): Buffer {
  return Buffer.from(`A file of the sandbox: ${token}\n`);
}

/** The hash of the file at a `download_url`; `undefined` if there is no hash of that kind. */
export function hashAt(address: unknown, type: unknown): string | undefined {
  const [, token] = /\?token=(\w+)$/.exec(String(address)) ?? [];
  const algorithm = String(type ?? 'SHA1').toLowerCase();
  if (token === undefined || !getHashes().includes(algorithm)) return undefined;
  return createHash(algorithm).update(fileOf(token)).digest('hex');
}

/** Strings by the name of the field; the first match counts. */
const TEXTS: readonly (readonly [RegExp, Maker])[] = [
  [/^return_msg$/, () => 'OK'],
  [/^code_url$/, ({ random }) => `weixin://wxpay/bizpayurl?pr=${random.letters(9)}`],
  [/^download_url$/, ({ random, baseUrl }) => `${baseUrl}${FILES}${random.hex(32)}`],
  [
    /^(h5_url|mweb_url)$/,
    ({ random }) => `https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=${prepayId(random)}`,
  ],
  [
    /(^|_)(url|uri|link|picture|logo|image)(_\$\w)*$/,
    ({ random, baseUrl }) => `${baseUrl}sandbox/files/${random.hex(32)}`,
  ],
  [/prepay_id$/, ({ random }) => prepayId(random)],
  [/(^|_)appid$/, ({ random }) => `wx${random.hex(16)}`],
  [/(^|_)(openid|open_id)$/, ({ random }) => `o${random.letters(27)}`],
  [/(^|_)unionid$/, ({ random }) => `o${random.letters(27)}`],
  [/(^|_)(mchid|mch_id|merchant_code|merchant_id)$/, ({ random }) => `19${random.digits(8)}`],
  [/(^|_)transaction_id(_\$\w)*$/, ({ random }) => `4200${random.digits(24)}`],
  [/(^|_)refund_id(_\$\w)*$/, ({ random }) => `5030${random.digits(24)}`],
  [/(^|_)currency$|(^|_)fee_type(_\$\w)*$/, () => 'CNY'],
  [/(^|_)country_code$/, () => 'CN'],
  [/(^|_)bank_type$/, () => 'OTHERS'],
  [/sha256/, ({ random }) => random.hex(64)],
  [/^hash_type$|(^|_)algorithm$/, () => 'SHA1'],
  [/^hash_value$|sha1|(^|_)digest$/, ({ random }) => random.hex(40)],
  [/md5/, ({ random }) => random.hex(32)],
  [/(^|_)(ciphertext|signature)$/, ({ random }) => Buffer.from(random.letters(48)).toString('base64')],
  [/(^|_)(time|datetime)(_\$\w)*$|^time_(end|start|expire)$|_at$/, (source) => timeText(source)],
  [/(^|_)date$/, (source) => dateText(source)],
  [/(^|_)month$/, (source) => dateText(source).slice(0, 7)],
  [/(^|_)(mobile|phone|phone_number|mobile_phone|service_phone|telephone)$/, () => '13800138000'],
  [/(^|_)email$/, () => 'shop@example.com'],
  [/(^|_)ip$/, () => '127.0.0.1'],
  [/^(longitude)$/, () => '113.940722'],
  [/^(latitude)$/, () => '22.546164'],
  [/(^|_)color$/, () => '#DB4C3C'],
  [
    /(^|_)(err_code_des|desc|description|message|remark|reason|name|title|wording|address|comment)$/,
    (_, field) => labelOf(field),
  ],
  [/^is_subscribe$|^(is|has|need)_/, () => 'N'],
  [/(fee|amount|price|count|num|total|balance)(_\$\w)*$/, ({ random }) => String(1 + random.below(100))],
  [/(^|_)(no|number|id|code|card_id|sn)(_\$\w)*$/, ({ random }) => random.digits(20)],
];

/** Those of the names that have been met: names of the facts, which are as many as there are. */
const makers = new Map<string, Maker>();

const ADDRESS = /^https?:\/\//;

/** A string that looks like WeChat Pay's. */
export function textFor(field: FactField, source: Source): string {
  let make = makers.get(field.name);
  if (!make) {
    [, make] = TEXTS.find(([name]) => name.test(field.name)) ?? [
      undefined,
      (_: Source, own: FactField) => labelOf(own),
    ];
    makers.set(field.name, make);
  }
  const text = make(source, field);
  const { maxLength } = field;
  return maxLength === undefined || ADDRESS.test(text) ? text : [...text].slice(0, maxLength).join('');
}

/** Times in seconds; amounts in fen; places in a list. */
export function numberFor({ name }: FactField, { random, time }: Source): number {
  if (/(^|_)(time|timestamp)(_\$\w)*$/.test(name)) return Math.floor(time / 1000);
  if (/^(offset|page|page_num)$/.test(name)) return 0;
  if (/^(limit|page_size|count|total_count|total_num|num)$/.test(name)) return 1;
  return 1 + random.below(100);
}

function labelOf({ name, label }: FactField): string {
  return label ?? name;
}

function prepayId(random: Random): string {
  return `wx${random.digits(14)}${random.hex(18)}00`;
}

/** WeChat Pay's time zone, all year round. */
const EIGHT_HOURS = 8 * 3_600_000;

function timeText({ time, isV2 }: Source): string {
  const local = new Date(time + EIGHT_HOURS).toISOString().slice(0, 19);
  return isV2 ? local.replace(/\D/g, '') : `${local}+08:00`;
}

function dateText({ time }: Source): string {
  return new Date(time + EIGHT_HOURS).toISOString().slice(0, 10);
}

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { Builder } from '../../builder';
import { segment, VERBS, type Verb } from '../../chain/chain';
import type { BrandConfig, ClientConfig } from '../../client';
import { codeOf } from '../../crypto/bytes';
import { ConfigurationError, InvalidArgumentError, printable } from '../../errors';
import { parseJson } from '../../format/json';
import { toObject } from '../../format/transformer';
import type { LooseNode } from '../../openapi/node';
import type { LooseOptions } from '../../openapi/options';
import type { ApiResponse } from '../../openapi/response';
import { ownerOf, protocolOfPath } from '../../openapi/trait-of';
import { type DryRequest, dryRun, maskedUrl } from '../dry-run';
import { type Io, readStdin, write } from '../io';
import { note, printJson } from '../report';
import { brandConfig, clientConfig, type Settings } from '../settings';
import type { CommandSpec } from './command';

const HELP = `A path that contains "/" is literal; any other is a chain of segments: v3.pay.transactions.outTradeNo._out_trade_no_
is v3/pay/transactions/out-trade-no/{out_trade_no}. Paths that begin with v2/ (or v2.) speak XML;
those that begin with brand/ (or brand.) are signed as the brand.

The response is printed to stdout once its signature has been verified; if WeChat Pay refuses the request, its code,
message and Request-ID are printed to stderr.

Examples:
  $ wxpay request get v3.pay.transactions.outTradeNo._out_trade_no_ -v out_trade_no=ORDER-1 -q mchid=1900000109
  $ wxpay request get v3/pay/transactions/out-trade-no/ORDER-1 -q mchid=1900000109
  $ wxpay request post v3/pay/transactions/native @order.json
  $ echo '{"mchid":"1900000109"}' | wxpay request post v3/pay/transactions/out-trade-no/ORDER-1/close -
  $ wxpay request post v2/pay/orderquery '{"appid":"wx8888888888888888","mch_id":"1900000109","out_trade_no":"ORDER-1"}'
  $ wxpay request post v3/pay/transactions/native @order.json --dry-run`;

/** `wxpay request`: one call, exactly as the library sends it. */
export const requestCommand: CommandSpec = {
  usage: 'request',
  what: 'send one signed request and print the verified response',
  settings: [
    ...(['mchid', 'brandId', 'serial', 'privateKey', 'publicKey', 'publicKeyId'] as const),
    ...(['apiv3Key', 'secret', 'certificate', 'baseUrl'] as const),
  ],
  help: HELP,
  configure: (command) =>
    command
      .argument('<verb>', VERBS.join(', '))
      .argument('<path>', 'path, or segments separated by dots')
      .argument('[body]', 'JSON (for v2 also XML): the text itself, @ and a file name, or - for stdin')
      .option('-v, --variable <name=value>', 'a path variable; may be repeated', collect)
      .option('-q, --query <name=value>', 'a query parameter; may be repeated', collect)
      .option('-n, --dry-run', 'print the signed request with its signature masked; send nothing'),

  async run({ io, args: [verbText = '', pathText = '', body], options, settings, json }) {
    const verb = readVerb(verbText);
    const path = readPath(pathText);
    const isV2 = protocolOfPath(path) === 'v2';
    const call: LooseOptions = {
      variables: readVariables(path, options.variable),
      ...(options.query !== undefined && { query: readQuery(options.query) }),
      ...(body !== undefined && readBody(path, isV2, await bodyText(io, body))),
    };
    const config = ownerOf(path) === 'brand' ? brandConfig(settings) : merchantConfig(settings, isV2);
    if (options.dryRun === true) {
      const request = await takeDry(config, path, verb, call);
      await (json ? printJson(io, request) : printRequest(io, request));
      return 0;
    }
    const response = await nodeOf(config, path)[verb](call);
    await printResponse(io, response, isV2, json);
    return 0;
  },
};

/** Parses fields; the client checks whether v2 can represent their values. */
type Fields = NonNullable<LooseOptions['xml']>;

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function readVerb(text: string): Verb {
  const verb = VERBS.find((known) => known === text.toLowerCase());
  if (verb) return verb;
  const advice = /[/.]/.test(text) ? ` The verb goes before the path: wxpay request get ${text}` : '';
  throw new InvalidArgumentError(`"${text}" is not a verb; use one of ${VERBS.join(', ')}.${advice}`);
}

function readPath(text: string): string {
  if (text.includes('/')) return text;
  const segments = text.split('.');
  if (segments.length > 1 && segments.every((one) => one !== '')) return segments.map(segment).join('/');
  throw new InvalidArgumentError(
    `"${text}" is not a path; write v3/pay/transactions/native, or v3.pay.transactions.native.`,
  );
}

function readPairs(option: string, values: unknown): [string, string][] {
  // Created by `collect`.
  return ((values ?? []) as string[]).map((text) => {
    const end = text.indexOf('=');
    if (end > 0) return [text.slice(0, end), text.slice(end + 1)];
    throw new InvalidArgumentError(`"${text}" is not a name and value; write ${option} name=value.`);
  });
}

function readQuery(values: unknown): URLSearchParams {
  return new URLSearchParams(readPairs('--query', values));
}

/** @throws {@link InvalidArgumentError} for a variable that the path does not have, and for a missing one */
function readVariables(path: string, values: unknown): Record<string, string> {
  const variables = Object.fromEntries(readPairs('--variable', values));
  const known = Array.from(path.matchAll(/\{[+#./;?&]?([^{}]+)\}/g), ([, names = '']) => names.split(',')).flat();
  const unknown = Object.keys(variables).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const there = known.length > 0 ? `it has ${known.join(', ')}` : 'it has none';
    throw new InvalidArgumentError(`The path ${path} has no variable "${unknown}": ${there}.`);
  }
  const missing = known.filter((name) => variables[name] === undefined && name !== 'empty');
  if (missing.length === 0) return variables;
  const advice = missing.map((name) => `--variable ${name}=…`).join(' ');
  throw new InvalidArgumentError(`The path ${path} has variables without a value; add ${advice}.`);
}

async function bodyText(io: Io, argument: string): Promise<string> {
  if (argument === '-') return readStdin(io, 'body');
  if (!argument.startsWith('@')) return argument;
  try {
    return readFileSync(argument.slice(1), 'utf8');
  } catch (cause) {
    throw new InvalidArgumentError(`The file ${argument.slice(1)} cannot be read (${codeOf(cause)}).`, { cause });
  }
}

function readBody(path: string, isV2: boolean, text: string): Pick<LooseOptions, 'json' | 'xml'> {
  if (/^\s*</.test(text)) {
    if (isV2) return { xml: toObject(text) as Fields };
    throw new InvalidArgumentError(`The body is XML, but ${path} is an APIv3 path, which takes JSON.`);
  }
  const json = readJson(text);
  if (!isV2) return { json };
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { xml: json as Fields };
  throw new InvalidArgumentError('The body of a v2 request must be XML or a JSON object.');
}

function readJson(text: string): unknown {
  const parsed = parseJson(text);
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(
    `The body is not valid JSON: ${parsed.where}. In a shell, put it in single quotes, or in a file: @order.json.`,
  );
}

function merchantConfig(settings: Settings, isV2: boolean): ClientConfig {
  const config = clientConfig(settings, isV2 ? ['mchid', 'secret'] : ['mchid', 'serial', 'privateKey']);
  if (!isV2 && !('certs' in config) && !('apiv3Key' in config)) throw noPlatformKey();
  return config;
}

/** The two kinds of clients have other types, and the same `chain()`. */
function nodeOf(config: ClientConfig | BrandConfig, path: string): LooseNode {
  return 'brandId' in config ? Builder.factory(config).chain(path) : Builder.factory(config).chain(path);
}

function noPlatformKey(): ConfigurationError {
  return new ConfigurationError(
    "Missing: WeChat Pay's key, without which no response can be verified. Set WECHATPAY_PUBLIC_KEY and " +
      'WECHATPAY_PUBLIC_KEY_ID; or, for a merchant with platform certificates, WECHATPAY_APIV3_KEY.',
  );
}

/** Prints what would be sent. */
async function takeDry(
  config: ClientConfig | BrandConfig,
  path: string,
  verb: Verb,
  options: LooseOptions,
): Promise<DryRequest> {
  const { config: dry, taken } = dryRun(config);
  try {
    // A redirect URL is not called: the response body is the URL.
    const url = await nodeOf(dry, path)[verb](options).text();
    return { method: verb.toUpperCase(), url: maskedUrl(url), headers: {}, body: '' };
  } catch (error) {
    const request = taken();
    if (request) return request;
    throw error;
  }
}

async function printRequest({ stdout }: Io, { method, url, headers, body }: DryRequest): Promise<void> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`);
  await write(stdout, printable(`${method} ${url}\n${lines.join('')}${body && `\n${body}\n`}`));
}

async function printResponse(io: Io, response: ApiResponse, isV2: boolean, json: boolean): Promise<void> {
  const { status, requestId } = response;
  const type = response.headers.get('content-type') ?? '';
  if (json) return printJson(io, { status, requestId, ...(await contentOf(response, type, isV2)) });
  if (/\bjson\b/i.test(type)) return printJson(io, await response.json());
  if (status === 204) return note(io, `done: status 204, no content. Request-ID ${requestId ?? 'none'}`);
  // A file, such as a bill, streams through. Node.js has two types for the same web stream.
  const body = response.body as ReadableStream<Uint8Array> | null;
  // Output to a file or another program is unchanged; a terminal could act on untrusted control characters.
  const isTerminal = io.stdout.isTTY === true;
  if (body) {
    const bytes = Readable.fromWeb(body);
    await pipeline(isTerminal ? Readable.from(printed(bytes)) : bytes, io.stdout, { end: false });
  }
  if (isV2) await write(io.stdout, '\n');
}

/** Converts bytes to text that is safe for a terminal. */
async function* printed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const utf8 = new TextDecoder();
  for await (const chunk of chunks) yield printable(utf8.decode(chunk, { stream: true }));
  yield printable(utf8.decode());
}

async function contentOf(response: ApiResponse, type: string, isV2: boolean): Promise<object> {
  if (/\bjson\b/i.test(type)) return { body: await response.json() };
  const bytes = Buffer.from(await response.arrayBuffer());
  if (bytes.length === 0) return {};
  if (!isUtf8(bytes)) return { base64: bytes.toString('base64') };
  return { body: isV2 && bytes.subarray(0, 4).equals(Buffer.from('<xml')) ? toObject(bytes) : bytes.toString() };
}

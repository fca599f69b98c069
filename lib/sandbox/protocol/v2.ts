import { fieldText, queryStringLike, sortedEntries } from '../../format/fields';
import { toObject } from '../../format/transformer';
import { nonce } from '../../signature/formatter';
import * as Hash from '../../signature/hash';
import type { Identities } from '../identity';
import { type IncomingRequest, queryOf } from '../wire/request';
import { fromResponse, isResponse, type SandboxResponse, v2Fault } from '../wire/response';
import { writeXml } from '../wire/xml';
import { checksUpTo } from './check';
import { diagnoseV2 } from './diagnosis-v2';
import type { ProtocolRules } from './protocol';

type Fields = Readonly<Record<string, string>>;

/** The fields that may have the merchant id, in order of precedence. */
const MERCHANT_FIELDS = ['mch_id', 'mchid', 'combine_mch_id'];

/** What a response repeats of a request besides: the merchant that a partner acts for. */
const REPEATED = ['sub_appid', 'sub_mch_id'];
/** The checks, in this order. */
const CHECKS = ['fields', 'merchant', 'signature'] as const;
const WRONG_SIGN = '签名错误，请检查后再试';

/** v2: XML, signed in a field. */
export function v2Protocol(identities: Identities): ProtocolRules {
  /** For signatures that are wrong. */
  const otherSecret = nonce();

  return {
    async identify(request) {
      const fields = fieldsOf(request);
      if (!fields) return { refusal: refusal('XML格式错误'), checks: checksUpTo(CHECKS, 'fields') };
      const toSign = `${queryStringLike(sortedEntries(fields))}&key=…`;
      const field = merchantField(fields);
      const refuse = (failed: (typeof CHECKS)[number], text: string) => ({
        refusal: refusal(text),
        ...{ checks: checksUpTo(CHECKS, failed), toSign },
      });
      if (field === undefined) return refuse('merchant', 'mch_id参数格式错误');
      const identity = identities.find('merchant', fields[field] ?? '');
      if (!identity) return refuse('merchant', '商户号mch_id或sub_mch_id不存在');
      if (isSigned(fields, identity.secret)) return { identity, checks: checksUpTo(CHECKS), toSign };
      const issue = diagnoseV2(fields, identity, identities);
      return { identity, ...refuse('signature', issue === '' ? WRONG_SIGN : `${WRONG_SIGN}: ${issue}`) };
    },
    read(request) {
      const xml = fieldsOf(request) ?? {};
      const { media_hash } = xml;
      if (media_hash !== undefined && !request.form?.files.some(({ md5 }) => md5 === media_hash.toLowerCase())) {
        throw v2Fault('PARAM_ERROR', 'media_hash is not the hash of the file');
      }
      return { json: undefined, xml };
    },
    isResponse: (thrown) =>
      isResponse(thrown) || (isComposed(thrown) && ('return_code' in thrown || 'result_code' in thrown)),
    async respond(result, request, signed) {
      if (isResponse(result)) return { ...(await fromResponse(result, !signed)), unsigned: true };
      return xmlResponse(completed(result, fieldsOf(request) ?? {}), !signed);
    },
    unknown: async (message) => refusal(message),
    broken: async (message, request) =>
      xmlResponse(completed(v2Fault('SYSTEMERROR', message), fieldsOf(request) ?? {}), false),
    failing: async (status) => ({ ...refusal('Simulated failure.'), status }),
    async seal(response, { signature }, request, { secret }) {
      const fields = Buffer.isBuffer(response.body) && signature !== 'none' ? textsOf(response.body) : undefined;
      if (fields?.return_code !== 'SUCCESS') return response;
      const key = signature === undefined ? secret : otherSecret;
      const sign = Hash.sign(signTypeOf(fieldsOf(request)) ?? 'MD5', fields, key);
      return { ...response, body: Buffer.from(writeXml({ ...fields, sign })) };
    },
  };
}

/** The fields of a request, wherever they are; `undefined` if it is not XML with text fields. */
function fieldsOf({ method, target, body, form }: IncomingRequest): Fields | undefined {
  if (form) return form.fault === undefined ? form.fields : undefined;
  return method === 'GET' ? Object.fromEntries(queryOf(target)) : textsOf(body);
}

function textsOf(xml: Buffer): Fields | undefined {
  try {
    const entries = Object.entries(toObject(xml));
    const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
  } catch {
    return undefined;
  }
}

function merchantField(fields: Fields): string | undefined {
  return MERCHANT_FIELDS.find((name) => fields[name]);
}

function isSigned(fields: Fields, secret: string): boolean {
  const type = signTypeOf(fields);
  return type !== undefined && Hash.equals(Hash.sign(type, fields, secret), fields.sign);
}

function signTypeOf(fields: Fields = {}): Hash.SignType | undefined {
  const type = fields.sign_type || 'MD5';
  return type === 'MD5' || type === 'HMAC-SHA256' ? type : undefined;
}

/** What a handler returned, with the fields that every v2 response has; a protocol failure has none of them. */
function completed(result: unknown = {}, request: Fields): Fields {
  if (!isComposed(result)) throw new TypeError(`it returned a ${typeof result}, not an object of fields`);
  const given = Object.entries(result).filter(([, value]) => value !== undefined);
  const fields = Object.fromEntries(given.map(([name, value]) => [name, fieldText(name, value)]));
  if ((fields.return_code ?? 'SUCCESS') !== 'SUCCESS') return fields;
  const field = merchantField(request);
  return {
    return_code: 'SUCCESS',
    return_msg: 'OK',
    result_code: 'SUCCESS',
    ...(request.appid !== undefined && { appid: request.appid }),
    ...(field !== undefined && { [field]: request[field] }),
    ...Object.fromEntries(REPEATED.flatMap((name) => (request[name] ? [[name, request[name]]] : []))),
    nonce_str: nonce(),
    ...fields,
  };
}

function isComposed(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Error);
}

/** WeChat Pay's response to what it does not understand: with status 200, and unsigned. */
function refusal(return_msg: string): SandboxResponse {
  return xmlResponse({ return_code: 'FAIL', return_msg }, true);
}

function xmlResponse(fields: Fields, unsigned: boolean): SandboxResponse {
  // WeChat Pay's own type: it never says XML.
  return { status: 200, headers: [['Content-Type', 'text/plain']], body: Buffer.from(writeXml(fields)), unsigned };
}

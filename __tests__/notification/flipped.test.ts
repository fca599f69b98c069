import { isUtf8 } from 'node:buffer';
import { createDecipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import * as Notifications from '../../lib/notification';
import { rejection } from '../support/rejection';
import { apiv3Key, certs, envelope, PAYMENT, REFUND, refund, reqInfo, type Sent, secret, signed, v2 } from './support';

const notifications = Notifications.of({ certs, apiv3Key, secret });

/** What a content may hold: any text, lone halves of characters aside. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const resources = fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(text, fc.integer(), fc.boolean()), {
  maxKeys: 8,
});

/** Flips one bit of a part of bytes; `at` says which, of all bits in turn. */
function flip(bytes: Buffer, at: number, [start, end]: readonly [number, number] = [0, bytes.length]): Buffer {
  const bit = at % ((end - start) * 8);
  const copy = Buffer.from(bytes);
  const index = start + (bit >> 3);
  copy[index] = (copy[index] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

const flipText = (value: string, at: number) => flip(Buffer.from(value, 'latin1'), at).toString('latin1');
const bits = fc.nat();

/** Where a text stands in a body. */
function span(body: string, part: string): [number, number] {
  const index = body.indexOf(part);
  expect(index).toBeGreaterThanOrEqual(0);
  const start = Buffer.byteLength(body.slice(0, index));
  return [start, start + Buffer.byteLength(part)];
}

const refusal = async (sent: { headers: Record<string, string>; body: string | Buffer }) => {
  const { code = 'none', message = '' } = await rejection(notifications.parse(sent));
  return `${code} ${message}`;
};

describe('APIv3: one flipped bit', () => {
  test.each([
    ['Wechatpay-Serial', /^ERR_SIGNATURE_SERIAL No key for "Wechatpay-Serial"/],
    ['Wechatpay-Timestamp', /^ERR_SIGNATURE_(CLOCK .*"Wechatpay-Timestamp"|WRONG The signature does not match)/],
    ['Wechatpay-Nonce', /^ERR_SIGNATURE_WRONG The signature does not match/],
    ['Wechatpay-Signature', /^ERR_SIGNATURE_WRONG The signature/],
  ])('in %s is refused by that check', async (name, expected) => {
    await fc.assert(
      fc.asyncProperty(resources, bits, async (resource, at) => {
        const { headers, body } = signed(JSON.stringify(envelope(resource)));
        const changed = { ...headers, [name]: flipText(headers[name] ?? '', at) };
        expect(await refusal({ headers: changed, body })).toMatch(expected);
      }),
    );
  });

  /** The parts of a body, and what marks them off. */
  const PARTS: Record<string, (whole: ReturnType<typeof envelope>) => string> = {
    'the id': ({ id }) => id,
    'the time': ({ create_time }) => create_time,
    'the event type': ({ event_type }) => event_type,
    'the summary': ({ summary }) => summary,
    'the ciphertext': ({ resource }) => resource.ciphertext.slice(0, -24),
    'the tag': ({ resource }) => resource.ciphertext.slice(-24),
    'the associated data': ({ resource }) => `"${resource.associated_data}","nonce"`,
    'the nonce': ({ resource }) => resource.nonce,
    'the structure': () => '"resource":{"',
    'any place': (whole) => JSON.stringify(whole),
  };

  test.each(Object.entries(PARTS))('in %s is refused by the signature', async (_, part) => {
    await fc.assert(
      fc.asyncProperty(resources, bits, async (resource, at) => {
        const whole = envelope(resource);
        const { headers, body } = signed(JSON.stringify(whole));
        const changed = flip(Buffer.from(body), at, span(body, part(whole)));
        expect(await refusal({ headers, body: changed })).toMatch(/^ERR_SIGNATURE_WRONG The signature does not match/);
      }),
    );
  });

  /** What only who has the platform's key could change: the tag sees it. */
  const SEALED: Record<string, (resource: ReturnType<typeof envelope>['resource'], at: number) => object> = {
    'the ciphertext': ({ ciphertext }, at) => {
      const bytes = Buffer.from(ciphertext, 'base64');
      return { ciphertext: flip(bytes, at, [0, bytes.length - 16]).toString('base64') };
    },
    'the tag': ({ ciphertext }, at) => {
      const bytes = Buffer.from(ciphertext, 'base64');
      return { ciphertext: flip(bytes, at, [bytes.length - 16, bytes.length]).toString('base64') };
    },
    'the associated data': ({ associated_data }, at) => ({ associated_data: flipText(associated_data, at) }),
    'the nonce': ({ nonce }, at) => ({ nonce: flipText(nonce, at) }),
  };

  test.each(Object.entries(SEALED))('in %s, signed again, is refused by the decryption', async (_, change) => {
    await fc.assert(
      fc.asyncProperty(resources, bits, async (content, at) => {
        const whole = envelope(content);
        const sent = signed(
          JSON.stringify({ ...whole, resource: { ...whole.resource, ...change(whole.resource, at) } }),
        );
        expect(await refusal(sent)).toMatch(/^ERR_CONFIGURATION The notification is signed .* cannot be decrypted/);
      }),
    );
  });

  test('is what they are refused for: unchanged, they are accepted', async () => {
    await fc.assert(
      fc.asyncProperty(resources, async (resource) => {
        const { resource: received } = await notifications.parse(signed(JSON.stringify(envelope(resource))));
        expect({ ...received }).toEqual(resource);
      }),
    );
  });
});

describe('v2: one flipped bit', () => {
  const values = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).filter((value) => !/\]\]|>/.test(value));
  const fields = fc
    .dictionary(fc.stringMatching(/^[a-z][a-z_]{2,9}$/), values, { maxKeys: 6 })
    .filter((own) => !Object.keys(own).some((name) => /^(sign|req_info|return_code|event)/.test(name)))
    // A member unknown to us right behind `attach` is refused, since it may have been cut off from that.
    .filter((own) => !Object.keys(own).some((name) => name > 'attach' && name < 'bank_type'))
    .map((own): Record<string, string> => ({ ...PAYMENT, bank_type: 'CMC', ...own }));
  const types = fc.constantFrom('md5' as const, 'sha256' as const);

  /** Either it is refused, or it says the same: the fields are signed, and not each byte of the XML. */
  async function sameOrRefused({ headers, body }: Sent, changed: Buffer): Promise<string> {
    const { resource } = await notifications.parse({ headers, body });
    try {
      expect((await notifications.parse({ headers, body: changed })).resource).toEqual(resource);
      return 'the same';
    } catch (error) {
      return (error as { code?: string }).code ?? String(error);
    }
  }
  /** Whether bytes are UTF-8 without control characters: what is not is no XML. */
  function isText(bytes: Buffer): boolean {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids.
    return isUtf8(bytes) && !/[\0-\x08\v\f\x0e-\x1f]/.test(bytes.toString());
  }
  const REFUSED = ['the same', 'ERR_SIGNATURE_WRONG', 'ERR_BODY_NOT_XML', 'ERR_SIGNATURE_MISSING'];

  test('in the value of a field is refused by the sign', async () => {
    await fc.assert(
      fc.asyncProperty(fields, types, bits, fc.nat(), async (own, type, at, which) => {
        const filled = Object.entries(own).filter(([, value]) => value !== '');
        const [name = '', value = ''] = filled[which % filled.length] ?? [];
        const sent = v2(own, type);
        const [start] = span(sent.body, `<${name}><![CDATA[${value}]]>`);
        const first = start + Buffer.byteLength(`<${name}><![CDATA[`);
        const changed = flip(Buffer.from(sent.body), at, [first, first + Buffer.byteLength(value)]);
        expect(await sameOrRefused(sent, changed)).toBe(isText(changed) ? 'ERR_SIGNATURE_WRONG' : 'ERR_BODY_NOT_XML');
      }),
    );
  });

  test('in the sign is refused by the sign', async () => {
    await fc.assert(
      fc.asyncProperty(fields, types, bits, async (own, type, at) => {
        const sent = v2(own, type);
        const [start] = span(sent.body, '<sign><![CDATA[');
        const first = start + '<sign><![CDATA['.length;
        const changed = flip(Buffer.from(sent.body), at, [first, first + (type === 'md5' ? 32 : 64)]);
        expect(await sameOrRefused(sent, changed)).toBe(isText(changed) ? 'ERR_SIGNATURE_WRONG' : 'ERR_BODY_NOT_XML');
      }),
    );
  });

  test('anywhere changes nothing, or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fields, types, bits, async (own, type, at) => {
        const sent = v2(own, type);
        expect(REFUSED).toContain(await sameOrRefused(sent, flip(Buffer.from(sent.body), at)));
      }),
      { numRuns: 300 },
    );
  });

  test('in req_info is refused by its decryption', async () => {
    // The same each time, since ECB has no tag: of some millions of changes one comes out as text.
    const key = '0123456789abcdef0123456789abcdef';
    const own = Notifications.of({ secret: key });
    const isDecrypted = (ciphertext: string) => {
      const cipher = createDecipheriv('aes-256-ecb', createHash('md5').update(key).digest('hex'), null);
      try {
        return isUtf8(Buffer.concat([cipher.update(ciphertext, 'base64'), cipher.final()]));
      } catch {
        return false;
      }
    };
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 10 ** 12 }), bits, async (refund_fee, at) => {
        const ciphertext = Buffer.from(reqInfo({ ...REFUND, refund_fee: String(refund_fee) }, key), 'base64');
        const req_info = flip(ciphertext, at).toString('base64');
        const { code, message } = await rejection(own.parse(refund({ req_info }, key)));
        expect(`${code} ${message}`).toMatch(
          isDecrypted(req_info) ? /^ERR_BODY_NOT_XML / : /^ERR_SIGNATURE_WRONG .*"req_info" cannot be decrypted/,
        );
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

import { createPublicKey, webcrypto } from 'node:crypto';
import { Agent } from 'undici';
import {
  BodyError,
  Builder,
  type Chain,
  type ClientConfig,
  ConfigurationError,
  Media,
  Rsa,
  Sensitive,
} from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { changeAt } from '../../lib/sensitive/fields';
import { rsaKeyPair } from '../support/keys';
import { rejection } from '../support/rejection';

const NAME = '张三';
const IDENTITY = '110101199003071234';

let sandbox: Sandbox;
let agent: Agent;
let instance: Chain;

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
beforeEach(() => {
  sandbox.reset();
  agent = new Agent();
  instance = Builder.factory({ ...sandbox.config, dispatcher: agent });
});
afterEach(() => agent.destroy());
afterAll(() => sandbox.close());

const sentJson = () => JSON.parse(sandbox.requests.at(-1)?.body ?? '');

describe('a request', () => {
  const batch = {
    out_batch_no: 'B1',
    transfer_detail_list: [
      { out_detail_no: 'D1', transfer_amount: 1, user_name: NAME },
      { out_detail_no: 'D2', transfer_amount: 2, user_name: '李四', user_id_card: IDENTITY },
      { out_detail_no: 'D3', transfer_amount: 3 },
    ],
  };
  // As plain text, the path is typed loosely, and the options need not be whole.
  const path: string = 'v3/transfer/batches';

  beforeEach(() => sandbox.on('post', 'v3/transfer/batches', () => ({})));

  test('is encrypted where the operation marks it, through lists, for the key that is announced', async () => {
    const before = structuredClone(batch);
    await instance.chain(path).post({ json: batch });
    expect(batch).toEqual(before);
    const [first, second, third] = sentJson().transfer_detail_list;
    expect(await sandbox.decrypt(first.user_name)).toBe(NAME);
    expect(await sandbox.decrypt(second.user_name)).toBe('李四');
    expect(await sandbox.decrypt(second.user_id_card)).toBe(IDENTITY);
    expect(third).toEqual(batch.transfer_detail_list[2]);
    expect(sentJson().out_batch_no).toBe('B1');
    expect(sandbox.requests[0]?.headers['wechatpay-serial']).toBe(Object.keys(sandbox.config.certs)[0]);
    expect(sandbox.requests[0]?.body).not.toContain(IDENTITY);
  });

  test('is sent as it is with encrypted: true', async () => {
    await instance.chain(path).post({ json: batch, encrypted: true });
    expect(sentJson()).toEqual(batch);
  });

  test('is written once', async () => {
    let written = 0;
    const counted = { toJSON: () => `${++written}` };
    await instance.chain(path).post({ json: { ...batch, counted } });
    expect(sentJson().counted).toBe('1');
    expect(written).toBe(1);
  });

  test('cannot be encrypted twice', async () => {
    const user_name = await Rsa.encrypt(NAME, Object.values(sandbox.config.certs)[0] as never);
    const json = { transfer_detail_list: [{ user_name }] };
    const error = await rejection(instance.chain(path).post({ json }));
    expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining('encrypted: true') });
    expect(sandbox.requests).toHaveLength(0);
  });

  test('that is too long for RSA is an error without the text', async () => {
    const json = { transfer_detail_list: [{ user_name: NAME.repeat(50) }] };
    const error = await rejection(instance.chain(path).post({ json }));
    expect(error).toMatchObject({ name: 'InvalidArgumentError', message: expect.stringContaining('214') });
    expect(String(error)).not.toContain(NAME);
  });

  test('goes by the key of the Wechatpay-Serial that the caller gives', async () => {
    const { privateKey, publicKey } = rsaKeyPair();
    const certs = { ...sandbox.config.certs, OTHER: publicKey };
    const client = Builder.factory({ ...sandbox.config, certs, dispatcher: agent });
    await client.chain(path).post({ json: batch, headers: { 'Wechatpay-Serial': 'OTHER' } });
    expect(sandbox.requests[0]?.headers['wechatpay-serial']).toBe('OTHER');
    expect(await Rsa.decrypt(sentJson().transfer_detail_list[0].user_name, privateKey)).toBe(NAME);
    const unknown = client.chain(path).post({ json: batch, headers: { 'Wechatpay-Serial': 'NONE' } });
    expect(await rejection(unknown)).toMatchObject({ name: 'InvalidArgumentError' });
  });

  test('in a query', async () => {
    const operation: string = 'v3/capital/capitallhh/banks/search-banks-by-bank-account';
    sandbox.on('get', operation, () => ({}));
    await instance.chain(operation).get({ query: { account_number: '6222 00+1' } });
    const sent = new URLSearchParams(sandbox.requests[0]?.target.split('?')[1]);
    expect(await sandbox.decrypt(sent.get('account_number') ?? '')).toBe('6222 00+1');
  });

  test("in v2's payments to banks, by the key for them", async () => {
    const { privateKey, publicKey } = rsaKeyPair();
    const base = { ...sandbox.config, dispatcher: agent, secret: 'x'.repeat(32) };
    const xml = { mch_id: sandbox.config.mchid, enc_bank_no: '6222001', enc_true_name: NAME };
    const pay = (client: Chain, options = {}) =>
      client.chain('v2/mmpaysptrans/pay_bank' as string).post({ xml, ...options });
    await rejection(pay(Builder.factory({ ...base, payBankKey: publicKey })));
    const [, sent = ''] =
      /<enc_true_name><!\[CDATA\[(.*?)\]|<enc_true_name>(.*?)</
        .exec(sandbox.requests[0]?.body ?? '')
        ?.filter(Boolean) ?? [];
    expect(await Rsa.decrypt(sent, privateKey)).toBe(NAME);
    expect(await rejection(pay(Builder.factory(base)))).toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('"payBankKey"'),
    });
  });

  test('in the meta of an upload', async () => {
    const meta = { merchant_contact_information: { consultation_phone_number: '13800138000' } };
    const media = await Media.from(Buffer.from('x'), { filename: 'receipt.jpg', meta });
    await rejection(instance.chain('v3/marketing/shopping-receipt/shoppingreceipts').post({ body: media }));
    expect(media.meta).toContain('13800138000');
    const [, sent] = /"consultation_phone_number":"(.*?)"/.exec(sandbox.requests[0]?.body ?? '') ?? [];
    expect(await sandbox.decrypt(sent ?? '')).toBe('13800138000');
  });
});

describe('a response', () => {
  test('is decrypted when it is read as JSON', async () => {
    const user_name = await sandbox.encrypt(NAME);
    sandbox.on('get', 'v3/taxi-invoice/driver/update-driver', () => ({}));
    sandbox.on('post', 'v3/taxi-invoice/driver/update-driver', () => ({ driver_name: user_name, other: 'x' }));
    const call = (options = {}) =>
      instance.chain('v3/taxi-invoice/driver/update-driver' as string).post({ json: {}, ...options });
    expect(await call().json()).toEqual({ driver_name: NAME, other: 'x' });
    expect(JSON.parse(await call().text())).toEqual({ driver_name: user_name, other: 'x' });
    expect(await call({ encrypted: true }).json()).toEqual({ driver_name: user_name, other: 'x' });
  });

  describe('that the merchant cannot decrypt', () => {
    const operation: string = 'v3/taxi-invoice/driver/update-driver';
    const other = () => Rsa.encrypt(NAME, rsaKeyPair().publicKey);
    const merchantsKey = () => createPublicKey(sandbox.config.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const post = (client: Chain, options: object = {}) => client.chain(operation).post({ json: {}, ...options });
    const answering = (driver_name: unknown) => sandbox.on('post', operation, () => ({ driver_name }));

    test('is an error that says that it was carried out', async () => {
      answering(await other());
      const error = await rejection(post(instance).json());
      expect(error).toBeInstanceOf(BodyError);
      expect(error).toMatchObject({
        code: 'ERR_BODY_NOT_DECRYPTED',
        message: expect.stringMatching(/processed it.+"driver_name".+Do not send it again/),
      });
    });

    test.each<[string, unknown]>([
      ['Base64 of another length', 'AAAA'],
      ['text', NAME],
      ['digits of the length of a ciphertext', '1'.repeat(343)],
      ['a number', 1],
      ['nothing', null],
    ])('stays as it is where it is no ciphertext: %s', async (_, value) => {
      answering(value);
      expect(await post(instance).json()).toEqual({ driver_name: value });
    });

    test('stays ciphertext where the call says encrypted: true', async () => {
      const ciphertext = await other();
      answering(ciphertext);
      expect(await post(instance, { encrypted: true }).json()).toEqual({ driver_name: ciphertext });
    });

    describe('since its key is elsewhere', () => {
      const sign = (message: Uint8Array) => Rsa.sign(message, sandbox.config.privateKey);
      const client = (privateKey: ClientConfig['privateKey']) =>
        Builder.factory({ ...sandbox.config, dispatcher: agent, privateKey } as ClientConfig);

      test('stays ciphertext with what signs alone', async () => {
        const ciphertext = await Rsa.encrypt(NAME, merchantsKey());
        answering(ciphertext);
        const der = sandbox.config.privateKey.export({ type: 'pkcs8', format: 'der' });
        const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
        const cryptoKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
        for (const privateKey of [sign, { sign }, cryptoKey]) {
          expect(await post(client(privateKey)).json()).toEqual({ driver_name: ciphertext });
        }
      });

      test('is decrypted there, by methods of a class too', async () => {
        class Service {
          readonly #key = sandbox.config.privateKey;
          sign(message: Uint8Array) {
            return Rsa.sign(message, this.#key);
          }
          async decrypt(ciphertext: Uint8Array) {
            return Buffer.from(await Rsa.decrypt(Buffer.from(ciphertext).toString('base64'), this.#key));
          }
        }
        answering(await Rsa.encrypt(NAME, merchantsKey()));
        const service = client(new Service());
        expect(await post(service).json()).toEqual({ driver_name: NAME });
        expect(await Sensitive.of(service).decrypt(await Rsa.encrypt(NAME, merchantsKey()))).toBe(NAME);
        answering('AAAA');
        expect(await post(service).json()).toEqual({ driver_name: 'AAAA' });
      });

      test.each<[string, () => unknown]>([
        ['fails', () => Promise.reject(new Error('the HSM is out of order'))],
        ['gives no text', () => 5],
      ])('is an error that says that it was carried out where the function %s', async (_, decrypt) => {
        answering(await Rsa.encrypt(NAME, merchantsKey()));
        const error = await rejection(post(client({ sign, decrypt: decrypt as () => string })).json());
        expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_NOT_DECRYPTED' });
      });

      test.each([{ sign: 'x' }, { sign, decrypt: 'x' }, { sign: undefined }])('%j is refused', (privateKey) => {
        expect(() => client(privateKey as never)).toThrow(ConfigurationError);
      });
    });
  });
});

test.each<[string, unknown, unknown]>([
  ['a.b', { a: { b: 'x', c: 'x' } }, { a: { b: 'X', c: 'x' } }],
  ['a[].b', { a: [{ b: 'x' }, {}, { b: '' }, 'x'] }, { a: [{ b: 'X' }, {}, { b: '' }, 'x'] }],
  ['a[]', { a: ['x', 'y'] }, { a: ['X', 'Y'] }],
  ['a[][]', { a: [['x']] }, { a: [['X']] }],
  ['a{}.b', { a: '{"b":"x","c":1}' }, { a: '{"b":"X","c":1}' }],
  ['a.b', { a: null }, { a: null }],
  ['a.b', { a: [{ b: 'x' }] }, { a: [{ b: 'x' }] }],
  ['a', { a: 5 }, { a: 5 }],
  ['__proto__.b', {}, {}],
  ['a', undefined, undefined],
])('the texts at %s of %j', async (path, value, expected) => {
  const before = structuredClone(value);
  expect(await changeAt(value, path, async (text) => text.toUpperCase())).toEqual(expected);
  expect(value).toEqual(before);
});

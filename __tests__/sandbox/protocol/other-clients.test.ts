import { createSign } from 'node:crypto';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { isSigned, send } from '../support';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await Sandbox.start();
});
afterAll(() => sandbox.close());

const target = '/v3/pay/transactions/native';
const json = () => ({
  ...{ appid: 'wx8888888888888888', mchid: sandbox.config.mchid, description: '图书', out_trade_no: 'OTHER-1' },
  ...{ notify_url: 'https://example.com/notify', amount: { total: 1, currency: 'CNY' } },
});

test.each<[string, () => string | string[]]>([
  ['empty, as both Java SDKs send it with downloads of certificates', () => ''],
  ["the merchant's own", () => sandbox.config.serial],
  ['the same twice', () => Object.keys(sandbox.config.certs).flatMap((id) => [id, id])],
  ['the id of the public key in lower case', () => Object.keys(sandbox.config.certs).join().toLowerCase()],
  ['unknown, where nothing is encrypted', () => '7777777777777777777777777777777777777777'],
])('Wechatpay-Serial may be %s', async (_, serial) => {
  const response = await send(sandbox, target, { json: json(), headers: { 'wechatpay-serial': serial() } });
  expect(response).toMatchObject({ status: 200, json: { code_url: expect.any(String) } });
  expect(isSigned(sandbox, response)).toBe(true);
});

test('the serial number of the merchant may be in lower case, as wechatpay-node-v3 sends it', async () => {
  const serial_no = sandbox.config.serial.toLowerCase();
  expect(await send(sandbox, target, { json: json(), authorization: { serial_no } })).toMatchObject({ status: 200 });
});

describe('an Authorization as others write it', () => {
  /** The members in the order in which each client writes them. */
  const forms: [string, (members: Record<string, string>) => string][] = [
    [
      'wechatpay-php',
      ({ mchid, serial_no, timestamp, nonce_str, signature }) =>
        `mchid="${mchid}",serial_no="${serial_no}",timestamp="${timestamp}",nonce_str="${nonce_str}",signature="${signature}"`,
    ],
    [
      'wechatpay-go',
      ({ mchid, serial_no, timestamp, nonce_str, signature }) =>
        `mchid="${mchid}",nonce_str="${nonce_str}",timestamp="${timestamp}",serial_no="${serial_no}",signature="${signature}"`,
    ],
    [
      'wechatpay-java',
      ({ mchid, serial_no, timestamp, nonce_str, signature }) =>
        `mchid="${mchid}",nonce_str="${nonce_str}",timestamp="${timestamp}",serial_no="${serial_no}",signature="${signature}"`,
    ],
    [
      'wechatpayv3 of Python',
      ({ mchid, serial_no, timestamp, nonce_str, signature }) =>
        `mchid="${mchid}",nonce_str="${nonce_str}",signature="${signature}",timestamp="${timestamp}",serial_no="${serial_no}"`,
    ],
  ];

  test.each(forms)('%s', async (client, write) => {
    const nonce_str = `n${client.replaceAll(' ', '-')}`;
    const timestamp = String(Math.floor(Date.now() / 1000));
    const body = JSON.stringify(json());
    const { mchid, serial: serial_no, privateKey } = sandbox.config;
    const text = `POST\n${target}\n${timestamp}\n${nonce_str}\n${body}\n`;
    const signature = createSign('RSA-SHA256').update(text).sign(privateKey, 'base64');
    const authorization = `WECHATPAY2-SHA256-RSA2048 ${write({ mchid, serial_no, timestamp, nonce_str, signature })}`;
    expect(await send(sandbox, target, { body, headers: { authorization } })).toMatchObject({ status: 200 });
  });
});

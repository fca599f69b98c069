import type { ServerResponse } from 'node:http';
import { ApiError, WechatPayError } from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { responding, wechatPay } from '../support/wechatpay';

const { build, running } = wechatPay();

/** The frames of an error that are of this file, by the name of their function. */
function framesHere(error: unknown): string[] {
  const { stack = '' } = error as Error;
  return stack.split('\n').filter((line) => line.includes(__filename));
}

const order = { out_trade_no: '1' };
// As plain text, the path is typed loosely.
const path: string = 'v3/pay/transactions/native';

/** Its name is what the stacks must show. */
function pay(options: object = {}): Promise<Error> {
  return rejection(
    build()
      .chain(path)
      .post({ json: order, ...options }),
  );
}

test('an ApiError names who made the call, and its text comes first', async () => {
  running.respond = responding(400, '{"code":"PARAM_ERROR","message":"wrong"}');
  const error = await pay();
  expect(error).toBeInstanceOf(ApiError);
  expect(framesHere(error).join()).toContain('at pay ');
  expect(String(error.stack).split('\n')[0]).toBe('ApiError: wrong');
});

test('so does an error of the connection, of a signature, of time, and of a download', async () => {
  running.respond = (response: ServerResponse) => response.destroy();
  expect(framesHere(await pay()).join()).toContain('at pay ');
  running.respond = responding(200, '{}', {});
  expect(framesHere(await pay()).join()).toContain('at pay ');
  running.respond = () => {};
  expect(framesHere(await pay({ timeout: 20 })).join()).toContain('at pay ');
  running.respond = responding(404, '{}');
  expect(framesHere(await pay({ download: true })).join()).toContain('at pay ');
});

test('an error that is thrown at the call has each frame once', async () => {
  const error = await pay({ timeout: -1 });
  expect(error).toBeInstanceOf(WechatPayError);
  const frames = framesHere(error);
  expect(frames.join()).toContain('at pay ');
  expect(new Set(frames).size).toBe(frames.length);
});

test("the caller's own reason for an abort stays as it is", async () => {
  const reason = new Error('mine');
  const { stack } = reason;
  const controller = new AbortController();
  running.respond = () => controller.abort(reason);
  expect(await pay({ signal: controller.signal })).toBe(reason);
  expect(reason.stack).toBe(stack);
});

test('the setting of how long stacks are stays as it was, and is obeyed', async () => {
  running.respond = responding(400, '{}');
  const limit = Error.stackTraceLimit;
  try {
    await pay();
    expect(Error.stackTraceLimit).toBe(limit);
    Error.stackTraceLimit = 0;
    expect(framesHere(await pay())).toEqual([]);
  } finally {
    Error.stackTraceLimit = limit;
  }
});

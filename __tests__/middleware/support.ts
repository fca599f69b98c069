import { Agent } from 'undici';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { loose } from '../support/loose';

/** A sandbox with some orders, and clients for it; of a test file all along. */
export function platform() {
  const running = { agent: new Agent() } as { agent: Agent; sandbox: Sandbox };
  beforeAll(async () => {
    running.sandbox = await Sandbox.start();
  });
  beforeEach(() => {
    const { sandbox } = running;
    sandbox.reset();
    sandbox.on('get', 'v3/order', () => ({ ok: true }));
    sandbox.on('post', 'v3/order', ({ json }) => ({ json }));
    sandbox.on('post', 'v2/order', ({ xml }) => ({ transaction_id: xml.out_trade_no }));
  });
  afterAll(async () => {
    await running.agent.destroy();
    await running.sandbox.close();
  });
  const build = (more: Partial<ClientConfig> = {}) =>
    loose(Builder.factory({ ...running.sandbox.config, dispatcher: running.agent, ...more } as ClientConfig));
  return { running, build };
}

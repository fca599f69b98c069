import { Agent } from 'undici';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { Simulator } from 'wechatpay-undici/simulator';
import { loose } from '../support/loose';

/** A simulator with some orders, and clients for it; of a test file all along. */
export function platform() {
  const running = { agent: new Agent() } as { agent: Agent; simulator: Simulator };
  beforeAll(async () => {
    running.simulator = await Simulator.start();
  });
  beforeEach(() => {
    const { simulator } = running;
    simulator.reset();
    simulator.on('get', 'v3/order', () => ({ ok: true }));
    simulator.on('post', 'v3/order', ({ json }) => ({ json }));
    simulator.on('post', 'v2/order', ({ xml }) => ({ transaction_id: xml.out_trade_no }));
  });
  afterAll(async () => {
    await running.agent.destroy();
    await running.simulator.close();
  });
  const build = (more: Partial<ClientConfig> = {}) =>
    loose(Builder.factory({ ...running.simulator.config, dispatcher: running.agent, ...more } as ClientConfig));
  return { running, build };
}

/** What a promise rejects with. */
export const failure = (promise: PromiseLike<unknown>): Promise<Error> =>
  Promise.resolve(promise).then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

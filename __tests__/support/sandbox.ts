import { Sandbox } from 'wechatpay-undici/sandbox';

/**
 * A sandbox for all tests of a file: started before them, reset before each, closed after them.
 * @param onStart is given the sandbox, ahead of the first test
 */
export function useSandbox(
  onStart: (sandbox: Sandbox) => void,
  options: Parameters<typeof Sandbox.start>[0] = {},
): void {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await Sandbox.start(options);
    onStart(sandbox);
  });
  beforeEach(() => sandbox.reset());
  afterAll(() => sandbox.close());
}

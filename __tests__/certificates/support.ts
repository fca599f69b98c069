import { Builder, type ClientConfig } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

export const HOUR = 3_600_000;
export const MINUTE = 60_000;

const PATH = 'v3/pay/transactions/native';
const realNow = Date.now;
let offset = 0;

/** Moves the clock of this process, and with it that of the sandboxes started here. */
export function advance(milliseconds: number): void {
  offset += milliseconds;
}

/** Lets the clock be moved in each test of a file, and sets it right afterwards. */
export function useMovingClock(): void {
  beforeEach(() => {
    offset = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + offset);
  });
  afterEach(() => jest.restoreAllMocks());
}

/** A sandbox that signs with a certificate. */
export async function startWithCertificate(validFor?: number): Promise<Sandbox> {
  const sandbox = await Sandbox.start();
  sandbox.on('post', PATH, () => ({ code_url: 'weixin://' }));
  await sandbox.rotate('certificate', validFor === undefined ? {} : { validFor });
  return sandbox;
}

/** The configuration of a merchant who has no key of the platform. */
export function withoutKeys({ config }: Sandbox) {
  const { certs: _, ...rest } = config;
  return rest;
}

/** What places an order. */
export function payer(config: ClientConfig) {
  const instance = Builder.factory(config);
  const pay = () =>
    instance
      .chain(PATH)
      .post({ json: {} } as never)
      .json();
  return { instance, pay };
}

/** How many times certificates were downloaded. */
export function downloads({ requests }: Sandbox): number {
  return requests.filter(isDownload).length;
}

export function isDownload({ target }: { target: string }): boolean {
  return target.endsWith('/certificates');
}

/** The `Wechatpay-Serial` of the orders, in order. */
export function announced({ requests }: Sandbox): unknown[] {
  return requests.filter((request) => !isDownload(request)).map(({ headers }) => headers['wechatpay-serial']);
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries++) {
    if (tries > 400) throw new Error('It never came to be so.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

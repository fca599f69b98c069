import type { Response } from 'undici';
import { InvalidArgumentError } from '../../errors';
import type { IncomingRequest } from '../wire/request';
import { fault } from '../wire/response';

/** Checks the sender before anything below `/sandbox/` is shown or done. Returns the response that refuses it. */
export type Guard = (request: Pick<IncomingRequest, 'headers'>) => Response | undefined;

/** Where the sandbox listens. */
export interface Site {
  readonly port: number;
  /** The address that it listens on besides loopback, if any. */
  readonly host?: string | undefined;
  /** Further names: `shop.test:8787`, or `shop.test` for any port. */
  readonly allowHosts?: readonly string[] | undefined;
}

/** Addresses that are not the name of a machine. */
const WILDCARDS = new Set(['0.0.0.0', '::', '[::]']);

/** A host: a name or an address, and optionally a port. */
const NAME = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;

/**
 * A page of another origin can neither read nor change anything: not under its own name (`Origin`), nor under a name of
 * its own that resolves to this machine (`Host`; DNS rebinding).
 * @throws InvalidArgumentError if an allowed name is none
 */
export function createGuard({ port, host, allowHosts = [] }: Site): Guard {
  const wrong = allowHosts.find((name) => typeof name !== 'string' || !NAME.test(name));
  if (wrong !== undefined) {
    throw new InvalidArgumentError(
      `"${wrong}" is not a valid host; expected a name such as shop.test or shop.test:8787.`,
    );
  }
  const bound = host === undefined || WILDCARDS.has(host) ? [] : [host.includes(':') ? `[${host}]` : host];
  const own = new Set(['127.0.0.1', 'localhost', '[::1]', ...bound].map((name) => `${name}:${port}`.toLowerCase()));
  const allowed = new Set(allowHosts.map((name) => name.toLowerCase()));

  function isOwn(name: string, standardPort: number): boolean {
    const [, bare = '', given] = NAME.exec(name.toLowerCase()) ?? [];
    const whole = `${bare}:${given ?? standardPort}`;
    return bare !== '' && (own.has(whole) || allowed.has(bare) || allowed.has(whole));
  }

  return ({ headers: { host: name = '', origin } }) => {
    // Without a port, that of http or https is meant.
    if (!isOwn(name, 80) && !isOwn(name, 443)) {
      const hint = 'Use the URL that it printed, or start it with --allow-host (option allowHosts).';
      return fault(403, 'NO_AUTH', `"${name}" is not a host name of this sandbox. ${hint}`);
    }
    if (origin === undefined) return undefined;
    const [, protocol, site = ''] = /^(https?):\/\/([^/]*)$/i.exec(origin) ?? [];
    const standardPort = protocol?.toLowerCase() === 'https' ? 443 : 80;
    // A name that is allowed with any port is allowed only for its own page.
    const isSame = site.toLowerCase() === name.toLowerCase();
    const [, bare, given] = NAME.exec(site.toLowerCase()) ?? [];
    const whole = `${bare}:${given ?? standardPort}`;
    if (protocol !== undefined && (isSame || own.has(whole) || allowed.has(whole))) return undefined;
    return fault(403, 'NO_AUTH', `Pages of ${origin} have no access to the sandbox.`);
  };
}

import { InvalidArgumentError } from '../errors';
import { readBaseUrl } from '../format/base-url';
import type { Call } from '../openapi/call';
import { type Owner, ownerOf } from '../openapi/owner';

const NEEDED: Record<Owner, string> = {
  brand: "a brand's client: Builder.factory({ brandId, serial, privateKey, certs })",
  merchant: "a merchant's client: Builder.factory({ mchid, serial, privateKey, certs })",
};

/**
 * Refuses the operations of brands on a merchant's client and those of merchants on a brand's: one client is one identity.
 * @param owner whose the client is
 * @param baseUrl the configured root of the API
 * @throws {@link InvalidArgumentError} that says which client the call needs
 */
export function refuseOtherOwner({ verb, path, options }: Call, owner: Owner, baseUrl: URL | undefined): void {
  const needed = ownerOf(path, readBaseUrl(options.baseUrl) ?? baseUrl);
  if (needed === undefined || needed === owner) return;
  throw new InvalidArgumentError(
    `${verb.toUpperCase()} ${path.split(/[?#]/, 1)[0]} is an operation for a ${needed}, and this client signs as a ` +
      `${owner}. Nothing was sent. Call it on ${NEEDED[needed]}.`,
  );
}

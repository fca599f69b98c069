import type { BrandChain, Chain } from 'wechatpay-undici';
import type { LooseNode } from '../../lib/openapi/node';

type Verb = 'get' | 'getAsync' | 'post' | 'postAsync' | 'put' | 'patch' | 'delete';

/** A chain of properties of the names given, with nothing known of any path. */
export type Tree<Names extends string> = Pick<LooseNode, Verb | 'chain'> & { readonly [Name in Names]: Tree<Names> };

/** A client without the types of the catalogue, for tests that send what the types forbid. */
export function loose<Names extends string>(instance: Chain | BrandChain): Tree<Names> {
  return instance as unknown as Tree<Names>;
}

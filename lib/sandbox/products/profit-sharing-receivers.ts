import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { rule } from '../wire/param-error';
import { fault } from '../wire/response';
import type { ProductContext, ProductRoute } from './product';
import type { Share } from './profit-sharing-state';
import { forMerchant } from './sensitive';

/** The paths of its operations. */
const ADD = 'v3/profitsharing/receivers/add';
const DELETE = 'v3/profitsharing/receivers/delete';

type Added = RequestOf<typeof ADD, 'post'>['json'];

/** Who shares: a merchant, or the one that a partner acts for. */
interface Sharer {
  readonly mchid: string;
  readonly sub_mchid?: string | undefined;
}

/** Whom a merchant may share with. @see https://pay.weixin.qq.com/doc/v3/merchant/4012528995 */
export function sharingReceivers({ store, identities }: ProductContext) {
  // The name in it is encrypted.
  const table = store.table<Added>('profit-sharing-receivers');
  const keyTo = ({ mchid, sub_mchid = '' }: Sharer, { type, account }: Pick<Share, 'type' | 'account'>): string =>
    keyOf(mchid, `${sub_mchid}/${type}/${account}`);

  const routes: ProductRoute[] = [
    operation('post', ADD, async ({ mchid, json }): Promise<ResponseOf<typeof ADD, 'post'>> => {
      if (json.type === 'PERSONAL_SUB_OPENID' && json.sub_appid === undefined) {
        throw rule.required('/sub_appid', '子商户应用ID');
      }
      if (json.relation_type === 'CUSTOM' && json.custom_relation === undefined) {
        throw rule.required('/custom_relation', '自定义的分账关系');
      }
      const { sub_mchid } = json;
      const key = keyTo({ mchid, sub_mchid }, json);
      // Adding it again changes nothing.
      const { type, account, name, relation_type, custom_relation } = table.get(key) ?? json;
      const encrypted = name === undefined ? {} : { name: await forMerchant(identities, mchid, name) };
      if (!table.get(key)) table.put(key, json);
      const custom = custom_relation === undefined ? {} : { custom_relation };
      return { ...of(sub_mchid), type, account, ...encrypted, relation_type, ...custom };
    }),
    operation('post', DELETE, ({ mchid, json }) => {
      const { sub_mchid, type, account } = json;
      const key = keyTo({ mchid, sub_mchid }, json);
      if (!table.get(key)) throw fault(400, 'INVALID_REQUEST', '分账接收方关系不存在');
      table.delete(key);
      return { ...of(sub_mchid), type, account };
    }),
  ];
  return {
    routes,
    has: (sharer: Sharer, receiver: Pick<Share, 'type' | 'account'>): boolean =>
      table.get(keyTo(sharer, receiver)) !== undefined,
  };
}

export type SharingReceivers = ReturnType<typeof sharingReceivers>;

function of(sub_mchid: string | undefined): { sub_mchid?: string } {
  return sub_mchid === undefined ? {} : { sub_mchid };
}

import { nonce } from '../../signature/formatter';
import { operation } from '../catalogue/operation';
import { keyOf, type Table } from '../store';
import { fault } from '../wire/response';
import { beijing, notifyUrl } from './members';
import { createOnce } from './once';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const PERMISSIONS = 'v3/payscore/permissions';
const BY_CODE = 'v3/payscore/permissions/authorization-code/{authorization_code}';
const END_BY_CODE = 'v3/payscore/permissions/authorization-code/{authorization_code}/terminate';
const BY_USER = 'v3/payscore/permissions/openid/{openid}';
const END_BY_USER = 'v3/payscore/permissions/openid/{openid}/terminate';

/** A user's permission to collect without asking each time. */
interface Permission {
  readonly mchid: string;
  readonly service_id: string;
  readonly appid: string;
  readonly authorization_code: string;
  readonly authorization_state: 'UNAVAILABLE' | 'AVAILABLE' | 'UNBINDUSER';
  readonly openid?: string;
  readonly notify_url?: string;
  readonly authorization_success_time?: string;
  readonly cancel_authorization_time?: string;
}

/** What the sandbox does for permissions besides their routes. */
export interface Permissions extends Product {
  /**
   * Plays the user who grants or withdraws a permission.
   * @returns the key of the notification, if it has a `notify_url`
   * @throws a 404 if it does not exist, a 409 if its state does not allow it
   */
  play(mchid: string, authorization_code: string, outcome: 'open' | 'close', openid?: string): string | undefined;
  /** Whether the user had a permission that has ended. */
  isWithdrawn(mchid: string, service_id: string, openid: string): boolean;
}

/** The user who grants by default. */
const SOMEONE = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

/** Permissions of WeChat Pay Score (支付分授权). @see https://pay.weixin.qq.com/doc/v3/merchant/4012647582 */
export function servicePermissions({ store, clock, notifier }: ProductContext): Permissions {
  const table: Table<Permission> = store.table('service-permissions', {
    indexes: {
      user: ({ mchid, service_id, openid }: Permission) => openid && keyOf(mchid, `${service_id}/${openid}`),
    },
  });
  const applications = createOnce<{ apply_permissions_token: string }>(store, 'service-permission-applications');

  const put = (permission: Permission): void =>
    table.put(keyOf(permission.mchid, permission.authorization_code), permission);

  const ofUser = (mchid: string, service_id: string, openid: string): Permission | undefined =>
    table.by('user', keyOf(mchid, `${service_id}/${openid}`)).at(-1);

  function find(mchid: string, authorization_code: string, service_id?: string): Permission {
    const permission = table.get(keyOf(mchid, authorization_code));
    if (permission && (service_id ?? permission.service_id) === permission.service_id) return permission;
    throw fault(404, 'RESOURCE_NOT_EXISTS', '查询单据不存在');
  }

  function tell(permission: Permission, isOpen: boolean): string | undefined {
    const { mchid, appid, service_id, authorization_code, openid = '', notify_url } = permission;
    if (notify_url === undefined) return undefined;
    const content = {
      ...{ mchid, appid, service_id, authorization_code, openid, out_request_no: authorization_code },
      user_service_status: isOpen ? 'USER_OPEN_SERVICE' : 'USER_CLOSE_SERVICE',
      openorclose_time: beijing(clock.now()).slice(0, 19).replace(/\D/g, ''),
    };
    const name: string = isOpen ? 'PAYSCORE.USER_OPEN_SERVICE' : 'PAYSCORE.USER_CLOSE_SERVICE';
    return notifier.notify({ kind: 'merchant', id: mchid }, name, content, notify_url);
  }

  function close(permission: Permission): string | undefined {
    const cancel_authorization_time = beijing(clock.now());
    const closed: Permission = { ...permission, authorization_state: 'UNBINDUSER', cancel_authorization_time };
    put(closed);
    return tell(closed, false);
  }

  function open(permission: Permission, openid: string): string | undefined {
    const authorization_success_time = beijing(clock.now());
    const { cancel_authorization_time: _, ...rest } = permission;
    const opened: Permission = { ...rest, authorization_state: 'AVAILABLE', openid, authorization_success_time };
    put(opened);
    return tell(opened, true);
  }

  /** Ends a permission; one that has been ended stays so. */
  function terminate(permission: Permission | undefined): undefined {
    if (permission?.authorization_state === 'UNBINDUSER') return;
    if (permission?.authorization_state !== 'AVAILABLE') {
      throw fault(400, 'INVALID_REQUEST', 'The user has not granted this permission.');
    }
    close(permission);
  }

  const play: Permissions['play'] = (mchid, authorization_code, outcome, openid) => {
    const permission = find(mchid, authorization_code);
    if (outcome !== 'open' && outcome !== 'close') {
      throw fault(400, 'PARAM_ERROR', `outcome must be open or close; found ${JSON.stringify(outcome)}.`);
    }
    const { authorization_state: state } = permission;
    if ((state === 'AVAILABLE') === (outcome === 'open')) {
      throw fault(
        409,
        'INVALID_ORDER_STATE',
        `The permission ${authorization_code} is ${state}; ${outcome} is not possible.`,
      );
    }
    return outcome === 'close' ? close(permission) : open(permission, openid ?? permission.openid ?? SOMEONE);
  };

  return {
    play,
    isWithdrawn: (mchid, service_id, openid) => ofUser(mchid, service_id, openid)?.authorization_state === 'UNBINDUSER',
    routes: [
      operation('post', PERMISSIONS, ({ mchid, json }) =>
        applications(mchid, json.authorization_code, json, () => {
          const { service_id, appid, authorization_code, notify_url } = json;
          put({
            ...{ mchid, service_id, appid, authorization_code, authorization_state: 'UNAVAILABLE' },
            ...(notify_url !== undefined && { notify_url: notifyUrl(notify_url) }),
          });
          return { apply_permissions_token: nonce(64) };
        }),
      ),
      operation('get', BY_CODE, ({ mchid, variables: { authorization_code = '' }, query }) =>
        find(mchid, authorization_code, query.get('service_id') ?? undefined),
      ),
      operation('post', END_BY_CODE, ({ mchid, variables: { authorization_code = '' }, json }): undefined =>
        terminate(find(mchid, authorization_code, json.service_id)),
      ),
      operation('get', BY_USER, ({ mchid, variables: { openid = '' }, query }) => {
        const [service_id = '', appid = ''] = ['service_id', 'appid'].map((name) => query.get(name) ?? '');
        const permission = ofUser(mchid, service_id, openid);
        if (!permission) return { service_id, appid, mchid, openid, authorization_state: 'UNAVAILABLE' };
        const { notify_url: _, ...shown } = permission;
        return shown;
      }),
      operation('post', END_BY_USER, ({ mchid, variables: { openid = '' }, json }): undefined =>
        terminate(ofUser(mchid, json.service_id, openid)),
      ),
    ],
    control: [
      [
        'post',
        'sandbox/payscore/permissions/{authorization_code}',
        ({ mchid, variables: { authorization_code = '' }, json }) => {
          const { outcome, openid } = Object(json);
          play(mchid, authorization_code, outcome, openid);
          return find(mchid, authorization_code);
        },
      ],
    ],
  };
}

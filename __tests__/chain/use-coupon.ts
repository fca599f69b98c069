import type { Chain } from '../../lib';

/** Sends a request with a client, and gives a field of its verified response. */
export async function useCoupon(instance: Chain): Promise<string> {
  const json = {
    coupon_code: 'sxxe34343434',
    stock_id: '100088',
    appid: 'wx1234567889999',
    use_time: '2015-05-20T13:29:35+08:00',
    use_request_no: '1002600620019090123143254435',
  };
  const { stock_id } = await instance.v3.marketing.busifavor.coupons.use.post({ json }).json();
  return stock_id;
}

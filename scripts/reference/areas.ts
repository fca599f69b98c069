/** Product areas by path prefix; the longest matching prefix counts. */
const TABLE = `
v3/pay 基础支付
v3/combine-transactions 合单支付
v3/refund 退款
v3/bill 账单申请
v3/billdownload 账单下载
v3/certificates 平台证书
v3/security 验签与加解密测试
v3/papay 委托代扣
v3/partner-papay 委托代扣（服务商）
v3/ecommerce/combine-papay 委托代扣（电商合单）
v3/password-exempt-contract 免密支付签约
v3/payscore 支付分
v3/payscore/partner 支付分（服务商）
v3/payscore/acquiringbank 支付分（从业机构）
v3/payscore/oversea 支付分（境外）
v3/credit-repayment 信用卡还款
v3/repayment 还款
v3/discount-card 先享卡
v3/profitsharing 分账
v3/brand/profitsharing 品牌分账
v3/ecommerce/profitsharing 电商收付通：分账
v3/ecommerce 电商收付通
v3/platsolution/ecommerce 平台解决方案：电商
v3/platsolution/insurance 平台解决方案：保险
v3/platsolution/mch-transfer 平台解决方案：商家转账
v3/fund-app/mch-transfer 商家转账
v3/fund-app/brand-redpacket 品牌红包
v3/transfer 批量转账
v3/transfer-detail 转账电子回单
v3/transferdownload 电子回单下载
v3/partner-transfer 批量转账（服务商）
v3/bank-transfer 银行卡转账
v3/bank-batch-transfer 银行转账电子回单
v3/merchant/fund 商户资金
v3/merchant 商户资金与媒体文件
v3/merchantfund 银行来账
v3/recharge 充值
v3/capital 银行与地区
v3/abnormal-fund-processing 异常资金处理
v3/aggracct-bc 聚合账户
v3/applyment4sub 特约商户进件
v3/apply4sub 特约商户结算账户
v3/apply4subject 商户开户意愿确认
v3/brand/applyments 品牌入驻
v3/brand/card 商家名片
v3/brand/marketing 品牌营销
v3/brand/partner 品牌会员与门店（服务商）
v3/brand-basic 品牌基础信息
v3/mchalterapply 商户信息变更
v3/merchant-settlement 结算规则
v3/merchant-store 门店
v3/merchant-service 消费者投诉
v3/merchant-risk-manage 商户风险处置
v3/mch-manage 商户管理记录
v3/mch-operation-manage 强化尽调
v3/mch_operate 注销商户提现
v3/compliance 不活跃商户身份核实
v3/transaction-block 交易拦截
v3/marketing/favor 代金券
v3/marketing/busifavor 商家券
v3/marketing/paygiftactivity 支付有礼
v3/marketing/goods-subsidy-activity 品牌加价购
v3/marketing/membercard-activity 会员卡活动
v3/marketing/membercard-open 会员卡
v3/marketing/partner 商品券（服务商）
v3/marketing/partnerships 营销合作关系
v3/marketing/bank 银行定向促活
v3/marketing/bank-favor 银行立减活动
v3/marketing/shopping-receipt 商圈小票入口
v3/marketing/weekly-discount 周周惠
v3/marketing/withdraw-favor 提现免费券
v3/multiuse 多次使用券
v3/industry-coupon 出行券
v3/industry-rebate 码牌交易回传
v3/businesscircle 智慧商圈
v3/goldplan 点金计划
v3/catering 点餐
v3/smartguide 支付即服务
v3/rate-activity 费率优惠
v3/new-tax-control-fapiao 电子发票
v3/taxi-invoice 出租车发票
v3/gov 政府补贴
v3/customs 报关
v3/funds-to-oversea 资金出境
v3/global 境外支付（全球）
v3/transactions 境外支付
v3/refunds 境外退款
v3/merchants 境外子商户
v3/settle 境外结算
v3/statements 境外对账单
v3/edu-papay 教育：续费
v3/eduschoolpay 教育：校园轻松付
v3/facemch 刷脸实名
v3/offlineface 刷脸
v3/offlinefacemch 刷脸（机构）
v3/palmservice 刷掌
v3/pay-devices 支付音箱
v3/iotmanage 智能设备
v3/payroll-card 微工卡
v3/parking 停车
v3/vehicle 车主服务
v3/ebike 电动车充电
v3/hire-power-bank 充电宝
v3/qrcode 乘车码
v3/express 快递
v3/med-ins 医保支付
v3/inspolicymgr 保单管理
v3/lovefeast 爱心餐
v3/realname 实名校验
v3/webizpay 微企付
brand/marketing/product-coupon 品牌：商品券
brand/marketing/delivery-plan 品牌：投放计划
brand/card-member 品牌：会员卡
brand/store 品牌：门店
v2/pay APIv2 支付
v2/secapi APIv2 退款、分账与子商户（需证书）
v2/mmpaymkttransfers APIv2 红包与企业付款
v2/mmpaysptrans APIv2 付款到银行卡
v2/papay APIv2 委托代扣
v2/deposit APIv2 押金支付
v2/applyment APIv2 小微进件
v2/appauth APIv2 实名授权
v2/billcommentsp APIv2 订单评价
v2/cgi-bin APIv2 报关
v2/face APIv2 刷脸
v2/fund APIv2 提现
v2/mchrisk APIv2 商户风险
v2/payitil APIv2 交易保障
v2/risk APIv2 证书与公钥
v2/secsvc APIv2 实名验证
v2/tools APIv2 工具
v2/transit APIv2 交通出行
v2/vehicle APIv2 车主服务
v2/wxv APIv2 速住与租借
v2/xdc APIv2 沙箱
`;

const AREAS = TABLE.trim()
  .split('\n')
  .map((line): Area => ({ prefix: line.slice(0, line.indexOf(' ')), title: line.slice(line.indexOf(' ') + 1) }));

/** A product area: paths that start with `prefix`. */
export interface Area {
  prefix: string;
  title: string;
}

/** The area of a path; for unlisted paths, an area named after the first two segments. */
export function areaOf(path: string): Area {
  const fits = AREAS.filter(({ prefix }) => `${path}/`.startsWith(`${prefix}/`));
  const [longest] = fits.sort((one, other) => other.prefix.length - one.prefix.length);
  const prefix = path.split('/').slice(0, 2).join('/');
  return longest ?? { prefix, title: prefix };
}

/** Groups items by area, in the order of the table; unlisted areas come last. */
export function groupByArea<T extends { path: string }>(all: readonly T[]): { area: Area; members: T[] }[] {
  const groups = new Map<string, { area: Area; members: T[] }>();
  for (const one of all) {
    const area = areaOf(one.path);
    const group = groups.get(area.prefix) ?? { area, members: [] };
    group.members.push(one);
    groups.set(area.prefix, group);
  }
  const known = AREAS.flatMap(({ prefix }) => groups.get(prefix) ?? []);
  return [...known, ...[...groups.values()].filter((group) => !known.includes(group))];
}

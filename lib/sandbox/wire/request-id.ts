import { randomInt } from 'node:crypto';

/** WeChat Pay's numbers of errors, by the beginning of the message or by the code. */
const NUMBERS: readonly (readonly [text: string, number: number])[] = [
  ['订单不存在', 268512771],
  ['订单已支付', 268449538],
  ['该订单已支付', 268498689],
  ['请求重入时，参数与首次请求时不一致', 268498688],
  ['该订单已失效', 268447914],
  ['订单已关闭', 268447914],
  ['商户号和订单不匹配', 268447843],
  ['子商户号和订单信息不匹配', 268447845],
  ['appid和mch_id不匹配', 268445527],
  ['JSAPI支付必须传openid', 268501013],
  ['受理关系不存在', 268443701],
  ['请求中含有未在API文档中定义的参数', 270924358],
  ['请求过于频繁', 268435472],
  ['频率过快', 270924289],
  ['订单已存在', 268512536],
  ['错误的签名', 269546525],
  ['签名错误', 268443699],
  ['查询单据不存在', 271317510],
  ['当前订单状态不合法', 271302262],
  ['订单重入参数校验失败', 271316598],
  ['Http头Authorization', 270924332],
  ['SIGN_ERROR', 268443699],
  ['FREQUENCY_LIMITED', 268435472],
  ['SYSTEM_ERROR', 270283281],
  ['PARAM_ERROR', 268435461],
];

/** The number of all other errors. */
const OTHER = 268435461;

/**
 * A `Request-ID` as WeChat Pay has it: five varints of protobuf in hexadecimal, the time being the first, and the number
 * of the error, 0 on success.
 */
export function requestId({ status, body }: { readonly status: number; readonly body: unknown }, date: Date): string {
  const fields = [
    Math.floor(date.getTime() / 1000),
    randomInt(1, 1024),
    randomInt(2 ** 28, 2 ** 31),
    randomInt(1, 2 ** 14),
    randomInt(2 ** 20, 2 ** 31),
  ];
  const bytes = fields.flatMap((value, i) => [(i + 1) << 3, ...varint(value)]);
  return `${Buffer.from(bytes).toString('hex').toUpperCase()}-${status < 400 ? 0 : numberOf(body)}`;
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

function numberOf(body: unknown): number {
  const { code, message } = Buffer.isBuffer(body) ? textsOf(body) : { code: '', message: '' };
  return NUMBERS.find(([text]) => message.startsWith(text) || code === text)?.[1] ?? OTHER;
}

function textsOf(body: Buffer): { code: string; message: string } {
  try {
    const { code, message } = Object(JSON.parse(body.toString()));
    return { code: String(code), message: String(message) };
  } catch {
    return { code: '', message: '' };
  }
}

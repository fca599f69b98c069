/** The first page of the site. */
export const HOME = `---
layout: home
hero:
  name: wechatpay-undici
  text: 微信支付接口参考
  tagline: 每个接口的请求参数、六种调用方式与响应参数
  actions:
    - theme: brand
      text: 接口目录
      link: /openapi/
    - theme: alt
      text: 通知
      link: /notifications/
features:
  - title: 类型即文档
    details: 各页由包内的类型生成，与编辑器中看到的一致。
  - title: 六种写法
    details: 纯链式、声明式、属性式，均可 await，也可用 Promise 链。
  - title: 可搜索
    details: 按接口名称、路径、字段名或字段含义搜索。
---
`;

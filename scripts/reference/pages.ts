import { callForms, callSetup } from './calls';
import type { Documentation } from './documentation';
import { traitNotes } from './notes';
import type { NotificationType } from './notifications';
import type { Operation } from './operations';
import { quoted } from './sample';
import { escaped, fieldTable, typeText } from './table';

/** The page of an operation, as Markdown. */
export function operationPage(operation: Operation): string {
  const { path, verb, options, upload, result } = operation;
  const setup = callSetup(operation);
  const notes = traitNotes(operation);
  return page(operation, `<span class="verb ${verb}">${verb.toUpperCase()}</span> <code>${escaped(path)}</code>`, [
    notes.length > 0 && box('tip 客户端自动处理', notes.map((note) => `- ${note}`).join('\n')),
    '## 请求参数',
    options.length > 0 ? fieldTable(options, '必填') : upload ? '文件由 `body` 给出，见下。' : '无。',
    '## 调用方式',
    setup && fenced(setup),
    `::: code-group\n${callForms(operation)
      .map(({ title, code }) => fenced(code, ` [${title}]`))
      .join('\n')}\n:::`,
    `类型：\`RequestOf<${quoted(path)}, ${quoted(verb)}>\`、\`ResponseOf<${quoted(path)}, ${quoted(verb)}>\`。`,
    '## 响应参数',
    resultText(result),
  ]);
}

/** The page of a notification, as Markdown. */
export function notificationPage(notification: NotificationType): string {
  const { name, members, encrypted } = notification;
  const key = quoted(name);
  const config = encrypted ? 'instance, { apiv3Key }' : '{ secret }';
  const process = encrypted
    ? `({ id, event_type, resource }) => {\n  if (event_type === ${key}) console.log(id, resource);\n}`
    : '({ id, resource }) => {\n  console.log(id, resource);\n}';
  const sample = [
    "import { Notifications } from 'wechatpay-undici';\n",
    `const notifications = Notifications.of(${config});`,
    `const handler = notifications.nodeHandler(async ${process});`,
  ].join('\n');
  return page(
    notification,
    `<span class="verb post">${encrypted ? 'JSON' : 'XML'}</span> <code>${escaped(name)}</code>`,
    [
      '## 接收方式',
      encrypted
        ? '已验签，`resource` 是解密后的明文。'
        : 'APIv2 通知（XML）：已核对签名；`resource` 是可信的内容，有密文的已解密，`envelope` 是收到的全部字段。',
      fenced(sample),
      `类型：\`NotificationOf<${key}>\`。`,
      '## 通知参数',
      members.length > 0 ? fieldTable(members, '必有') : '无文档。',
    ],
  );
}

function page(about: Documentation, head: string, blocks: readonly (string | false)[]): string {
  const { title, remarks, deprecated, links } = about;
  return `${[
    `---\ntitle: ${JSON.stringify(title)}\n---`,
    `# ${escaped(title)} {#api}`,
    `<p class="head" v-pre>${head}</p>`,
    deprecated && box('danger 已停用', deprecated),
    remarks.length > 0 && box('warning 注意', remarks.join('\n\n')),
    ...blocks,
    '## 官方文档',
    links.length > 0 ? links.map((link) => `- <${link}>`).join('\n') : '官方没有公开的文档页。',
  ]
    .filter(Boolean)
    .join('\n\n')}\n`;
}

function resultText(result: Operation['result']): string {
  if (result === 'download') return '文件流：`Response`，其 `body` 是 `ReadableStream`。';
  if (result.kind === 'object') return fieldTable(result.members, '必有');
  if (result.kind === 'plain' && result.text === 'undefined') return '无响应体。';
  return result.kind === 'plain' ? '无文档。' : `\`${typeText(result)}\``;
}

function box(title: string, text: string): string {
  return `::: ${title}\n${text}\n:::`;
}

function fenced(code: string, title = ''): string {
  return `\`\`\`ts${title}\n${code}\n\`\`\``;
}

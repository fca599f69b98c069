import { groupByArea } from './areas';
import { HOME } from './home';
import { addressOf, folderOf, notificationFile, operationFile } from './links';
import { type NotificationType, readNotifications } from './notifications';
import { type Operation, readOperations } from './operations';
import { notificationPage, operationPage } from './pages';
import { openTypes } from './source';
import { escaped } from './table';

/** The file of the sidebars, which the VitePress configuration reads. */
const SIDEBAR = 'sidebar.json';

/**
 * Generates the pages of the reference from the types of all operations and notifications.
 * @param folder of the types, `lib/openapi/generated`
 * @returns the text of each file, by its path below the folder of the pages
 */
export function reference(folder: string): Map<string, string> {
  const types = openTypes(folder);
  const operations = readOperations(types);
  const notifications = readNotifications(types);
  const files = new Map([['index.md', HOME]]);
  for (const operation of operations)
    add(files, operationFile(operation.path, operation.verb), operationPage(operation));
  for (const notification of notifications) {
    add(files, notificationFile(notification.name), notificationPage(notification));
  }
  add(files, 'notifications/index.md', notificationIndex(notifications));
  const groups = groupByArea(operations);
  const sidebar: Record<string, unknown> = {
    '/notifications/': [sidebarOf('通知', notifications.map(notificationLink))],
  };
  const overview: string[] = [];
  for (const { area, members } of groups) {
    const file = `openapi/${folderOf(area.prefix)}/index.md`;
    const count = `${area.title} <small>${members.length}</small>`;
    overview.push(`- [${count}](${addressOf(file)}) \`${area.prefix}\``);
    add(files, file, areaPage(area.title, members));
    sidebar[addressOf(file)] = [sidebarOf(area.title, members.map(operationLink), addressOf(file))];
  }
  add(
    files,
    'openapi/index.md',
    `# 接口目录 {#api}\n\n共 ${operations.length} 个接口，按产品分类。\n\n${overview.join('\n')}\n`,
  );
  files.set(SIDEBAR, `${JSON.stringify(sidebar)}\n`);
  return files;
}

/** Two pages must not share a file, on any file system. */
function add(files: Map<string, string>, file: string, text: string): void {
  if (files.has(file)) throw new Error(`Two pages have the file ${file}.`);
  files.set(file, text);
}

interface Link {
  text: string;
  link: string;
}

function operationLink({ title, path, verb }: Operation): Link {
  return { text: title || path, link: addressOf(operationFile(path, verb)) };
}

function notificationLink({ title, name }: NotificationType): Link {
  return { text: title || name, link: addressOf(notificationFile(name)) };
}

function sidebarOf(text: string, items: readonly Link[], link = '/notifications/') {
  return { text, link, items };
}

function areaPage(title: string, operations: readonly Operation[]): string {
  const rows = operations.map((operation) => {
    const { text, link } = operationLink(operation);
    const { path, verb, deprecated } = operation;
    const state = deprecated ? '（已停用）' : '';
    return `| <span class="verb ${verb}">${verb.toUpperCase()}</span> | [${escaped(text)}](${link})${state} | \`${path}\` |`;
  });
  return `# ${title} {#api}\n\n| 方法 | 接口 | 路径 |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function notificationIndex(notifications: readonly NotificationType[]): string {
  const rows = notifications.map((notification) => {
    const { text, link } = notificationLink(notification);
    return `| [${escaped(text)}](${link}) | \`${notification.name}\` |`;
  });
  const all = `共 ${notifications.length} 种：JSON 通知以 \`event_type\` 为名，XML 通知以 \`v2/\` 开头。`;
  return `# 通知 {#api}\n\n${all}\n\n| 通知 | 名称 |\n|---|---|\n${rows.join('\n')}\n`;
}

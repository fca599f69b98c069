/** The page of an operation, relative to the site; variables are written as in the property chain, `v3/x/_id_/get`. */
export function operationFile(path: string, verb: string): string {
  return `openapi/${folderOf(path)}/${verb}.md`;
}

export function folderOf(path: string): string {
  return path
    .split('/')
    .map((segment) => segment.replace(/^\{(.*)\}$/, '_$1_') || '_empty_')
    .join('/');
}

/** The page of a notification. A dot would look like a file extension. */
export function notificationFile(name: string): string {
  return `notifications/${name.replaceAll('.', '_')}.md`;
}

/** The URL of a page on the site. */
export function addressOf(file: string): string {
  return `/${file.replace(/(^|\/)index\.md$/, '$1').replace(/\.md$/, '.html')}`;
}

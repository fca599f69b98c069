import { type Field, sorted, type Webhook } from './catalogue';
import { objectOf } from './fields';
import { documentation } from './marks';
import { pascal, quoted } from './names';
import { comment, nameOf, type Printer, printFile, printMembers, printType, use } from './print';
import { sharedIn } from './shape-files';
import { NOTIFICATIONS } from './shape-names';
import type { Shapes } from './shapes';
import { type ObjectType, plain, type Type, unionOf } from './type';

/** A notification as its types are written. */
export interface NotificationModel {
  webhook: Webhook;
  /** Its key: the event type, or `v2/` and its name. */
  key: string;
  name: string;
  file: string;
  /** The decrypted resource (v3), or the body, with the decrypted resource (v2). */
  type: Type;
}

export function notificationsOf(webhooks: readonly Webhook[]): NotificationModel[] {
  const models = webhooks.map((webhook): NotificationModel => {
    const { protocol, name } = webhook;
    return {
      webhook,
      key: protocol === 'v2' ? `v2/${name}` : (webhook.event_type ?? name),
      name: nameOfType(webhook),
      file: `notifications/${protocol === 'v2' ? 'v2' : (name.split('.')[0] ?? name).toLowerCase().replaceAll('_', '-')}`,
      type: protocol === 'v2' ? xmlBody(webhook) : resourceOf(webhook),
    };
  });
  return sorted(models, ({ key }) => key);
}

/** `TRANSACTION.SUCCESS` → `TransactionSuccessResource`. In v2, names and event types are told apart. */
function nameOfType({ protocol, name }: Webhook): string {
  const base = name
    .split(/[^A-Za-z0-9]+/)
    .map(word)
    .join('');
  if (protocol === 'v3') return `${base}Resource`;
  return `V2${base}${name.includes('.') ? 'Event' : 'Notification'}`;
}

function word(text: string): string {
  return pascal(/[a-z]/.test(text) ? text : text.toLowerCase());
}

/** Where one notification serves several products, a field is there only for the product that it belongs to. */
function loosened(fields: readonly Field[], { variants }: Webhook): Field[] {
  return fields.map((field) => (variants ? { ...field, required: false } : field));
}

function resourceOf(webhook: Webhook): Type {
  const format = webhook.resource_format ?? 'json';
  const [first, ...others] = (webhook.alternatives ?? [webhook.resource]).map((fields) =>
    objectOf(loosened(fields, webhook), { side: 'answer', format }),
  );
  return first && first.members.length > 0 ? unionOf([first, ...others]) : plain('Record<string, unknown>');
}

function xmlBody(webhook: Webhook): ObjectType {
  const { envelope, encrypted_in: encrypted, resource } = webhook;
  const fields = encrypted ? envelope : loosened(envelope, webhook);
  const inner: Field = { name: 'resource', type: 'object', required: true, fields: loosened(resource, webhook) };
  return objectOf(encrypted ? [...fields, inner] : fields, { side: 'answer', format: 'xml' });
}

/** Takes the types of the notifications in. */
export function addNotifications(shapes: Shapes, models: readonly NotificationModel[]): void {
  for (const { file, key, type, name } of models) {
    const owner = NOTIFICATIONS + key.toLowerCase().replaceAll('.', '/').replaceAll('_', '-');
    const use = { file, owner, side: 'answer' } as const;
    if (type.kind === 'object') shapes.addPart(type, use, name);
    else shapes.addMember({ name: 'resource', optional: false, type }, use, name);
  }
}

/** Prints one file of notifications. */
export function printNotifications(printer: Printer, models: readonly NotificationModel[]): string {
  const declarations = sharedIn(printer);
  for (const { webhook, name, type } of models) {
    if (type.kind === 'plain' || (type.kind === 'object' && printer.shared.has(type.key))) continue;
    const about = comment(documentation(webhook.title, [], webhook.links));
    const declared =
      type.kind === 'object'
        ? `export interface ${name} ${printMembers(printer, type)}`
        : `export type ${name} = ${printType(printer, type)};`;
    declarations.push(about + declared);
  }
  return printFile(printer, declarations);
}

/** Prints the map of all notifications, by name. */
export function printNotificationMap(printer: Printer, models: readonly NotificationModel[]): string {
  const lines = models.map((model) => {
    const { webhook, key } = model;
    const about = comment(documentation(webhook.title, [], webhook.links));
    const type = typeName(printer, model);
    if (webhook.protocol === 'v2') return { xml: true, text: `${about}readonly ${quoted(key)}: ${type};` };
    const notified = `${use(printer, 'notified', 'Notified')}<${quoted(key)}, ${type}>`;
    return { xml: false, text: `${about}readonly ${quoted(key)}: ${notified};` };
  });
  const members = (xml: boolean) => lines.filter((line) => line.xml === xml).map(({ text }) => text);
  return printFile(printer, [
    `/** The notifications in JSON, by event type. */\nexport interface JsonNotifications {\n${members(false).join('\n')}\n}`,
    `/** The notifications in XML, by name. */\nexport interface XmlNotifications {\n${members(true).join('\n')}\n}`,
  ]);
}

function typeName(printer: Printer, { type, name, file }: NotificationModel): string {
  if (type.kind === 'plain') return type.text;
  return (type.kind === 'object' ? nameOf(printer, type) : undefined) ?? use(printer, file, name);
}

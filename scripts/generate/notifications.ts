import { type Field, sorted, type Webhook } from './catalogue';
import { objectOf } from './fields';
import { documentation } from './marks';
import { pascal, quoted } from './names';
import { comment, type Printer, printFile, printInterface, use } from './print';
import { sharedIn } from './shape-files';
import { NOTIFICATIONS } from './shape-names';
import type { Shapes } from './shapes';
import { apartObjects, type ObjectType } from './type';

/** A notification as its types are written. */
export interface NotificationModel {
  webhook: Webhook;
  /** Its key: the event type, or `v2/` and its name. */
  key: string;
  name: string;
  file: string;
  /**
   * The shapes of the decrypted resource (v3), or of the body with the decrypted resource (v2), by interface name;
   * empty if nothing is known of it.
   */
  shapes: { name: string; type: ObjectType }[];
}

export function notificationsOf(webhooks: readonly Webhook[]): NotificationModel[] {
  const models = webhooks.map((webhook): NotificationModel => {
    const { protocol, name } = webhook;
    return {
      webhook,
      key: protocol === 'v2' ? `v2/${name}` : (webhook.event_type ?? name),
      name: nameOfType(webhook),
      file: `notifications/${protocol === 'v2' ? 'v2' : (name.split('.')[0] ?? name).toLowerCase().replaceAll('_', '-')}`,
      shapes: shapesOf(webhook),
    };
  });
  return sorted(models, ({ key }) => key);
}

/** `TRANSACTION.SUCCESS` → `TransactionSuccessResource`. In v2, names and event types are distinguished. */
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

/** If several products share a notification, a field is present only for its own product. */
function loosened(fields: readonly Field[], { variants }: Webhook): readonly Field[] {
  return variants ? fields.map(optional) : fields;
}

/** An optional field whose inner fields are optional too, because they may belong to different products. */
function optional({ fields, ...field }: Field): Field {
  return { ...field, required: false, ...(fields && { fields: fields.map(optional) }) };
}

/** The possible shapes of a resource, distinguished by members that only one of them has. */
function alternativesOf(webhook: Webhook): ObjectType[] {
  const format = webhook.resource_format ?? 'json';
  const objects = (webhook.alternatives ?? [webhook.resource]).map((fields) =>
    objectOf(loosened(fields, webhook), { side: 'response', format }),
  );
  return objects.length > 1 ? apartObjects(objects) : objects;
}

function shapesOf(webhook: Webhook): NotificationModel['shapes'] {
  const name = nameOfType(webhook);
  if (webhook.protocol === 'v2') return [{ name, type: xmlBody(webhook) }];
  const objects = alternativesOf(webhook).filter(({ members }) => members.length > 0);
  if (objects.length < 2) return objects.map((type) => ({ name, type }));
  const { alternative_names: names = [] } = webhook;
  const stem = name.replace(/Resource$/, '');
  return objects.map((type, index) => ({ name: `${stem}${word(names[index] ?? String(index + 1))}Resource`, type }));
}

function xmlBody(webhook: Webhook): ObjectType {
  const { envelope, encrypted_in: encrypted, resource } = webhook;
  const fields = encrypted ? envelope : loosened(envelope, webhook);
  const inner: Field = { name: 'resource', type: 'object', required: true, fields: [...loosened(resource, webhook)] };
  return objectOf(encrypted ? [...fields, inner] : fields, { side: 'response', format: 'xml' });
}

/** Registers the types of the notifications. */
export function addNotifications(known: Shapes, models: readonly NotificationModel[]): void {
  for (const { file, key, shapes } of models) {
    const owner = NOTIFICATIONS + key.toLowerCase().replaceAll('.', '/').replaceAll('_', '-');
    for (const { name, type } of shapes) known.addPart(type, { file, owner, side: 'response' }, name, 'resource');
  }
}

/** The names that notifications take. */
export function namesOf(models: readonly NotificationModel[]): string[] {
  return models.flatMap(({ name, shapes }) => [name, ...shapes.map((shape) => shape.name)]);
}

/** Prints one file of notifications. */
export function printNotifications(printer: Printer, models: readonly NotificationModel[]): string {
  const declarations = sharedIn(printer);
  for (const { webhook, name, shapes } of models) {
    const about = comment(documentation(webhook.title, [], webhook.links));
    for (const shape of shapes) declarations.push(about + printInterface(printer, shape.name, shape.type));
    if (shapes.length > 1) {
      declarations.push(`${about}export type ${name} = ${shapes.map((shape) => shape.name).join(' | ')};`);
    }
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

function typeName(printer: Printer, { shapes, name, file }: NotificationModel): string {
  return shapes.length === 0 ? 'Record<string, unknown>' : use(printer, file, name);
}

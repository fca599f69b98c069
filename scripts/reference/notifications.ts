import ts from 'typescript';
import { type Documentation, documentationOf } from './documentation';
import { labelOf } from './label';
import { type Member, nameOf, shapeOf } from './shape';
import { commentOf, interfaceOf, type Scope, type Types } from './source';

/** A notification, read from its types. */
export interface NotificationType extends Documentation {
  /** The event type, or `v2/` and a name. */
  name: string;
  /** It is sent as JSON, with an encrypted resource. */
  encrypted: boolean;
  members: Member[];
}

/** All notifications, those in JSON first. */
export function readNotifications(types: Types): NotificationType[] {
  const scope = types.open('notifications/index');
  return ['JsonNotifications', 'XmlNotifications'].flatMap((map) =>
    interfaceOf(types, scope, map).declaration.members.flatMap((member): NotificationType[] => {
      if (!ts.isPropertySignature(member) || !member.type) return [];
      const encrypted = map === 'JsonNotifications';
      return [
        {
          name: nameOf({ scope }, member.name),
          encrypted,
          ...documentationOf(commentOf(scope, member)),
          members: encrypted ? envelope(types, scope, member.type) : bodyOf(types, scope, member.type),
        },
      ];
    }),
  );
}

/** The members of `Notified<EventType, Resource>`, with these two filled in. */
function envelope(types: Types, scope: Scope, type: ts.TypeNode): Member[] {
  const [event, resource] = ts.isTypeReferenceNode(type) ? (type.typeArguments ?? []) : [];
  if (!event || !resource) return bodyOf(types, scope, type);
  const name = (type as ts.TypeReferenceNode).typeName.getText();
  const { declaration, scope: own } = interfaceOf(types, scope, name);
  const values = new Map(
    declaration.typeParameters?.map((parameter, index) => [parameter.name.text, [event, resource][index]]),
  );
  return declaration.members.flatMap((member): Member[] => {
    if (!ts.isPropertySignature(member) || !member.type) return [];
    const value = values.get(member.type.getText());
    const shape = value ? shapeOf(types, scope, value) : shapeOf(types, own, member.type);
    const key = nameOf({ scope: own }, member.name);
    const about =
      CHINESE[key] === undefined ? labelOf(commentOf(own, member).join(' ')) : { label: CHINESE[key], notes: [] };
    return [{ name: key, optional: false, shape, ...about }];
  });
}

/** The envelope is the same for all; its comments are in English. */
const CHINESE: Readonly<Record<string, string>> = {
  id: '通知 ID，重复的通知 ID 相同',
  create_time: '通知创建时间',
  event_type: '通知类型',
  resource_type: '通知数据类型',
  summary: '回调摘要',
  resource: '通知数据，已解密',
};

function bodyOf(types: Types, scope: Scope, type: ts.TypeNode): Member[] {
  const shape = shapeOf(types, scope, type);
  return shape.kind === 'object' ? shape.members : [{ name: 'body', optional: false, shape, label: '', notes: [] }];
}

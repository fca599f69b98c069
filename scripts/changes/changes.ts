import { type Catalogue, type Field, sorted } from '../generate/catalogue';

/** Kinds of changes, in the order of the entry. */
const KINDS = {
  added: 'Added',
  removed: 'Removed',
  tightened: 'Tightened (code that compiled may no longer)',
  loosened: 'Loosened',
  changed: 'Changed',
} as const;
type Kind = keyof typeof KINDS;

/** One change: what it is about, and what happened to it. */
export interface Change {
  kind: Kind;
  /** `POST v3/pay/transactions/native`, or the name of a notification. */
  subject: string;
  /** The part that changed; nothing for the whole. */
  detail?: string;
}

/** An item of a catalogue, in a form that can be compared. */
interface Subject {
  /** What callers write, and what they read. */
  sides: { written: boolean; members: Map<string, Member> }[];
  /** Other properties, as text. */
  facts: Map<string, string>;
}

interface Member {
  required: boolean;
  type: string;
  encrypted: string;
  /** The values of a closed enum; `undefined` if any value is accepted. */
  closed: readonly string[] | undefined;
}

/** The changes between two catalogues, as seen by users of the types. */
export function changesBetween(before: Catalogue, after: Catalogue): Change[] {
  const [old, current] = [subjectsOf(before), subjectsOf(after)];
  return sorted(new Set([...old.keys(), ...current.keys()]), (name) => name).flatMap((subject) => {
    const [was, is] = [old.get(subject), current.get(subject)];
    if (was === undefined) return [{ kind: 'added', subject } as const];
    if (is === undefined) return [{ kind: 'removed', subject } as const];
    return compare(was, is).map((change) => ({ ...change, subject }));
  });
}

/** The changes as text: a heading for each kind, a line for each operation. */
export function changelogEntry(changes: readonly Change[]): string {
  if (changes.length === 0) return 'The catalogues are the same.';
  const sections = (Object.keys(KINDS) as Kind[]).flatMap((kind) => {
    const bySubject = new Map<string, string[]>();
    for (const { subject, detail } of changes.filter((change) => change.kind === kind)) {
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), ...(detail ? [detail] : [])]);
    }
    const lines = [...bySubject].map(
      ([subject, details]) => `- \`${subject}\`${details.length > 0 ? `: ${details.join(', ')}` : ''}`,
    );
    return lines.length > 0 ? [`### ${KINDS[kind]}\n\n${lines.join('\n')}`] : [];
  });
  return sections.join('\n\n');
}

type Finding = Omit<Change, 'subject'>;

function compare(was: Subject, is: Subject): Finding[] {
  const facts = [...new Set([...was.facts.keys(), ...is.facts.keys()])].flatMap((name): Finding[] => {
    const [before = 'none', after = 'none'] = [was.facts.get(name), is.facts.get(name)];
    return before === after ? [] : [{ kind: 'changed', detail: `${name} ${before} → ${after}` }];
  });
  const members = was.sides.flatMap(({ written, members: before }, index) => {
    const after = is.sides[index]?.members ?? new Map<string, Member>();
    return sorted(new Set([...before.keys(), ...after.keys()]), (place) => place).flatMap((place) =>
      compareMembers(place, before.get(place), after.get(place), written),
    );
  });
  return [...facts, ...members];
}

function compareMembers(place: string, was: Member | undefined, is: Member | undefined, written: boolean): Finding[] {
  const about = (detail = '') => `\`${place}\`${detail}`;
  if (is === undefined) return was ? [{ kind: 'removed', detail: about() }] : [];
  if (was === undefined) {
    return [{ kind: written && is.required ? 'tightened' : 'added', detail: about(is.required ? ' (required)' : '') }];
  }
  const found: Finding[] = [];
  if (was.type !== is.type) found.push({ kind: 'changed', detail: about(` ${was.type} → ${is.type}`) });
  if (was.encrypted !== is.encrypted) {
    found.push({ kind: 'changed', detail: about(is.encrypted ? ' is encrypted' : ' is no longer encrypted') });
  }
  if (was.required !== is.required) {
    // Writers must pass more; readers must check whether it is present.
    const kind = is.required === written ? 'tightened' : 'loosened';
    found.push({ kind, detail: about(is.required ? ' is required' : ' is optional') });
  }
  return [...found, ...compareEnums(about, was.closed, is.closed)];
}

function compareEnums(
  about: (detail: string) => string,
  was: readonly string[] | undefined,
  is: readonly string[] | undefined,
): Finding[] {
  if (was === undefined && is === undefined) return [];
  if (was === undefined) return [{ kind: 'tightened', detail: about(` takes ${is?.join(', ')} alone`) }];
  if (is === undefined) return [{ kind: 'loosened', detail: about(' takes other values as well') }];
  const [gone, fresh] = [was.filter((value) => !is.includes(value)), is.filter((value) => !was.includes(value))];
  return [
    ...(gone.length > 0 ? [{ kind: 'tightened', detail: about(` no longer takes ${gone.join(', ')}`) } as const] : []),
    ...(fresh.length > 0 ? [{ kind: 'loosened', detail: about(` takes ${fresh.join(', ')}`) } as const] : []),
  ];
}

function subjectsOf({ operations, webhooks }: Catalogue): Map<string, Subject> {
  const calls = operations.map((operation): [string, Subject] => [
    `${operation.verb.toUpperCase()} ${operation.path}`,
    {
      sides: [
        { written: true, members: membersOf(operation.request, true) },
        { written: false, members: membersOf(operation.response, false) },
      ],
      facts: factsOf({ marks: operation.marks?.join(', '), 'API root': operation.base_uri, status: operation.status }),
    },
  ]);
  const notifications = webhooks.map((webhook): [string, Subject] => [
    webhook.protocol === 'v2' ? `v2/${webhook.name}` : webhook.name,
    { sides: [{ written: false, members: membersOf(webhook.resource, false) }], facts: new Map() },
  ]);
  return new Map([...calls, ...notifications]);
}

function factsOf(facts: Record<string, string | number | undefined>): Map<string, string> {
  return new Map(
    Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function membersOf(fields: readonly Field[], written: boolean, parent = ''): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const field of fields) {
    const place = `${parent}${field.name}${field.type.endsWith('[]') ? '[]' : ''}`;
    members.set(place, {
      required: field.required,
      type: field.type,
      encrypted: field.encrypted ?? '',
      closed: written && field.closed ? field.enum : undefined,
    });
    for (const [inner, member] of membersOf(field.fields ?? [], written, `${place}.`)) members.set(inner, member);
  }
  return members;
}

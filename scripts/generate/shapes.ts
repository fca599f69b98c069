import { sorted } from './catalogue';
import type { Place } from './fields';
import { familyOf } from './modules';
import { nameShapes } from './shape-names';
import { isSingle, type Member, type ObjectType, objectsOf, type Type } from './type';

/** Where an object type is written: as the whole of a part, or as a member of another object. */
export interface Use {
  /** The file of the types that hold it. */
  file: string;
  /** The path, or the notification, that it belongs to. */
  owner: string;
  side: Place['side'];
}

/** An object type and all that is known of its uses. */
export interface Shape {
  type: ObjectType;
  /** Every time it was found: their labels may differ. */
  instances: ObjectType[];
  uses: Use[];
  /** The interfaces that are this type as a whole. */
  parts: Set<string>;
  /** The objects and members it is written in. */
  parents: Set<string>;
  /** How often a member of this name, in the singular where it is an array, holds it. */
  fieldNames: Map<string, number>;
  /** How often a member with this label holds it. */
  fieldLabels: Map<string, number>;
}

/** A shape that several types share: an interface with a name, in a file. */
export interface SharedShape {
  name: string;
  file: string;
  shape: Shape;
}

/** Every object type of the catalogue, each once. */
export class Shapes {
  readonly #shapes = new Map<string, Shape>();

  /** Takes in a type that is an interface of this name, and all that is inside it. `kind` is the word for such parts. */
  addPart(type: Type, use: Use, part: string, kind: string): void {
    for (const object of objectsOf(type)) {
      const shape = this.#shapeOf(object, use);
      if (!isSingle(object)) {
        shape.parts.add(part);
        count(shape.fieldNames, kind);
      }
      for (const member of object.members) this.addMember(member, use, object.key);
    }
  }

  /** Takes in the type of a member, and all that is inside it. `parent` tells one object that has it from another. */
  addMember({ name, type, label }: Member, use: Use, parent: string): void {
    for (const object of objectsOf(type)) {
      const shape = this.#shapeOf(object, use);
      shape.parents.add(`${parent}.${name}`);
      const singular = type.kind === 'array' ? singularOf(name) : name;
      count(shape.fieldNames, singular);
      if (label) count(shape.fieldLabels, label);
      for (const member of object.members) this.addMember(member, use, object.key);
    }
  }

  #shapeOf(type: ObjectType, use: Use): Shape {
    const shape: Shape = this.#shapes.get(type.key) ?? {
      type,
      instances: [],
      uses: [],
      parts: new Set(),
      parents: new Set(),
      fieldNames: new Map(),
      fieldLabels: new Map(),
    };
    shape.instances.push(type);
    shape.uses.push(use);
    this.#shapes.set(type.key, shape);
    return shape;
  }

  /** Whether a caller writes values of this type. */
  isWritten({ key }: ObjectType): boolean {
    return this.#shapes.get(key)?.uses.some(({ side }) => side === 'request') ?? false;
  }

  /** The label that a member of this type has most often. */
  labelOf({ key }: ObjectType, index: number): string | undefined {
    const counts = new Map<string, number>();
    for (const { members } of this.#shapes.get(key)?.instances ?? []) {
      const label = members[index]?.label;
      if (label) count(counts, label);
    }
    return mostFrequent(counts);
  }

  /** The shapes worth a name of their own, by their key. `taken` are names that they must not have. */
  shared(taken: ReadonlySet<string>): Map<string, SharedShape> {
    const worthwhile = [...this.#shapes.values()].filter(isWorthwhile);
    const names = nameShapes(worthwhile, taken);
    const named = sorted(worthwhile, (shape) => names.get(shape) ?? '');
    return new Map(
      named.map((shape) => {
        const name = names.get(shape) ?? '';
        return [shape.type.key, { name, file: fileOf(shape.uses), shape }];
      }),
    );
  }
}

/** Small objects are written out where they stand, unless they stand in many places. */
function isWorthwhile({ type, parts, parents }: Shape): boolean {
  if (type.members.length === 0) return false;
  return isSingle(type) ? parents.size >= 4 : parts.size + parents.size >= 2;
}

/**
 * The file of the only module that uses a shape, or one of the shared files: of a family, of a protocol, of all. Whatever
 * uses a shape uses those inside it, so that files import in one direction alone: modules from families, those from
 * protocols, those from what all share.
 */
function fileOf(uses: readonly Use[]): string {
  const only = (of: (file: string) => string) => {
    const names = new Set(uses.map(({ file }) => of(file)));
    return names.size === 1 ? [...names].join('') : undefined;
  };
  const family = only(familyOf);
  const protocol = only((file) => file.split('/', 1).join(''));
  return only((file) => file) ?? `shapes/${family?.replace('/', '-') ?? protocol ?? 'common'}`;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function singularOf(name: string): string {
  return name.replace(/_list$/, '').replace(/(?<=[a-rt-z])s$/, '');
}

/** The most frequent key; of several, the first in the order of code units. */
export function mostFrequent(counts: ReadonlyMap<string, number>): string | undefined {
  const [first] = sorted(counts, ([key, count]) => `${String(1e9 - count)}${key}`);
  return first?.[0];
}

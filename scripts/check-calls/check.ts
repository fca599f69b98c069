import { diagnose } from './diagnose';
import type { SampleCall, Value } from './sample';

/** A statement that compiles but must not, or the reverse. */
export interface Failure {
  statement: string;
  /** The compiler's message. */
  found: string;
}

interface Statement {
  text: string;
  /** The missing member, if the statement must not compile. */
  missing?: string;
}

/** Compiles calls in the three styles, complete and with each member omitted in turn. */
export function checkCalls(calls: readonly SampleCall[]): { good: number; bad: number; failures: Failure[] } {
  const groups = calls.map(statementsOf);
  const messages = diagnose(groups.map((group) => group.map(({ text }) => text)));
  const failures: Failure[] = [];
  for (const [index, group] of groups.entries()) {
    for (const [line, { text, missing }] of group.entries()) {
      const found = messages[index]?.[line];
      if (missing === undefined && found !== undefined) failures.push({ statement: text, found });
      if (missing !== undefined && !isAbout(found, missing)) {
        failures.push({ statement: text, found: found ?? `compiles without "${missing}"` });
      }
    }
  }
  const bad = groups.flat().filter(({ missing }) => missing !== undefined).length;
  return { good: groups.flat().length - bad, bad, failures };
}

/** Whether the compiler reports this member as missing. */
function isAbout(message: string | undefined, missing: string): boolean {
  if (message === undefined) return false;
  return (
    message.includes(`'${missing}'`) || message.includes(`"${missing}"`) || message.includes('Expected 1 arguments')
  );
}

function statementsOf({ verb, path, property, options, variables }: SampleCall): Statement[] {
  const literal = JSON.stringify(path);
  const client = path.startsWith('brand/') ? 'brand' : 'instance';
  const styles = [
    { target: `${client}${property}`, all: { ...options, ...variables } },
    { target: `${client}.chain(${literal})`, all: options },
    { target: `${client}[${literal}]`, all: options },
  ];
  return styles.flatMap(({ target, all }) => {
    const whole = { text: `${target}.${verb}(${JSON.stringify(all)});` };
    const twin = { text: `${target}.${verb}Async(${JSON.stringify(all)});` };
    const lacking = [...withoutOne(all)].map(({ value, missing }) => ({
      text: `${target}.${verb}(${JSON.stringify(value)});`,
      missing,
    }));
    const empty = lacking.length > 0 ? [{ text: `${target}.${verb}();`, missing: 'options' }] : [];
    return [whole, twin, ...lacking, ...empty];
  });
}

/** The value without one of its members, for each member at any depth. */
function* withoutOne(value: Value): Generator<{ value: Value; missing: string }> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      for (const lacking of withoutOne(item)) yield { ...lacking, value: value.with(index, lacking.value) };
    }
  } else if (typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...others } = value;
      yield { value: others, missing: name };
      for (const lacking of withoutOne(member)) yield { ...lacking, value: { ...value, [name]: lacking.value } };
    }
  }
}

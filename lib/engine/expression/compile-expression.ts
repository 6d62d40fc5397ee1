import type { ASTNode } from '@marcbachmann/cel-js';
import { findFunction, MACROS } from '@/lib/engine/expression/function-table';
import { EXPRESSION_LIMITS } from '@/lib/engine/expression/limits';
import { access, binary, madeList, negate } from '@/lib/engine/expression/operators';
import { parseExpression } from '@/lib/engine/expression/parse-expression';
import {
  fail,
  guarded,
  isMap,
  Meter,
  OptionalValue,
  typeName,
  type Value,
} from '@/lib/engine/expression/values';

/** Gives the value of a free name; undefined when there is none. */
export type Lookup = (name: string) => Value | undefined;

interface Frame {
  lookup: Lookup;
  now: number;
  meter: Meter;
  /** Values of macro variables, by nesting position. */
  slots: Value[];
}

type Run = (frame: Frame) => Value;

/** An expression ready to run. */
export interface Expression {
  source: string;
  names: ReadonlySet<string>;
  paths: readonly (readonly string[])[];
  /** Throws AppError EXPRESSION_FAILED. `now` is epoch milliseconds. */
  run(lookup: Lookup, now: number): Value;
}

/** Parses and prepares one expression. Throws AppError EXPRESSION_INVALID. */
export function compileExpression(source: string): Expression {
  const parsed = parseExpression(source);
  const run = build(parsed.ast, []);
  return {
    source,
    names: parsed.names,
    paths: parsed.paths,
    run: (lookup, now) => guarded(() => run({ lookup, now, meter: new Meter(), slots: [] })),
  };
}

function build(node: ASTNode, locals: readonly string[]): Run {
  const run = buildNode(node, locals);
  return (frame) => {
    frame.meter.charge(1);
    return run(frame);
  };
}

function literal(value: unknown): Value {
  // An unsigned literal (`2u`) is an object with a bigint inside; everything else is a plain value.
  if (typeof value === 'object' && value !== null) return (value as { value: bigint }).value;
  return value as Value;
}

function buildNode(node: ASTNode, locals: readonly string[]): Run {
  switch (node.op) {
    case 'value': {
      const value = literal(node.args);
      return () => value;
    }
    case 'id':
      return buildName(node.args, locals);
    case '.': {
      const [container, key] = [build(node.args[0], locals), node.args[1]];
      return (frame) => present(access(container(frame), key), key);
    }
    case '[]': {
      const [container, key] = [build(node.args[0], locals), build(node.args[1], locals)];
      return (frame) => {
        const index = key(frame);
        return present(access(container(frame), index), index);
      };
    }
    case '.?': {
      const [container, key] = [build(node.args[0], locals), node.args[1]];
      return (frame) => optionalAccess(container(frame), key);
    }
    case '[?]': {
      const [container, key] = [build(node.args[0], locals), build(node.args[1], locals)];
      return (frame) => optionalAccess(container(frame), key(frame));
    }
    case '!_': {
      const inner = build(node.args, locals);
      return (frame) => !truth(inner(frame), '!');
    }
    case '-_': {
      const inner = build(node.args, locals);
      return (frame) => negate(inner(frame));
    }
    case '?:': {
      const [condition, yes, no] = node.args.map((part) => build(part, locals)) as [Run, Run, Run];
      return (frame) => (truth(condition(frame), '?:') ? yes(frame) : no(frame));
    }
    case '&&':
    case '||':
      return buildLogic(node.op === '||', build(node.args[0], locals), build(node.args[1], locals));
    case 'list': {
      const items = node.args.map((item) => build(item, locals));
      return (frame) => items.map((item) => item(frame));
    }
    case 'map':
      return buildMap(node.args, locals);
    case 'call':
      return buildCall(node.args[0], node.args[1], locals);
    case 'rcall':
      return buildMethod(node.args[0], node.args[1], node.args[2], locals);
    default: {
      const [operator, a, b] = [node.op, build(node.args[0], locals), build(node.args[1], locals)];
      return (frame) => binary(operator, a(frame), b(frame), frame.meter);
    }
  }
}

function buildName(name: string, locals: readonly string[]): Run {
  const slot = locals.lastIndexOf(name);
  if (slot >= 0) return (frame) => frame.slots[slot] as Value;
  return (frame) => {
    const value = frame.lookup(name);
    if (value === undefined) throw fail(`There is no \`${name}\` here.`);
    return value;
  };
}

function present(value: Value | undefined, key: Value): Value {
  if (value === undefined)
    throw fail(
      `There is no ${typeof key === 'string' ? `member \`${key}\`` : `item ${String(key)}`}; use \`?.\`-style access (a.?b) with orValue(), or has().`,
    );
  return value;
}

function optionalAccess(container: Value, key: Value): OptionalValue {
  const inner = container instanceof OptionalValue ? container.value : container;
  if (inner === undefined || inner === null) return new OptionalValue(undefined);
  return new OptionalValue(access(inner, key));
}

function truth(value: Value, operator: string): boolean {
  if (typeof value !== 'boolean') throw fail(`${operator} needs true or false, not ${typeName(value)}.`);
  return value;
}

/** CEL's `&&` and `||`: a side that decides the result makes an error of the other side irrelevant. */
function buildLogic(decisive: boolean, left: Run, right: Run): Run {
  const name = decisive ? '||' : '&&';
  return (frame) => {
    let first: boolean;
    try {
      first = truth(left(frame), name);
    } catch (error) {
      frame.meter.overlook(error);
      if (truth(right(frame), name) === decisive) return decisive;
      throw error;
    }
    return first === decisive ? decisive : truth(right(frame), name);
  };
}

function buildMap(entries: readonly (readonly [ASTNode, ASTNode])[], locals: readonly string[]): Run {
  const parts = entries.map(([key, value]): [Run, Run] => {
    const name = key.op === 'id' ? key.args : null;
    return [name === null ? build(key, locals) : () => name, build(value, locals)];
  });
  return (frame) => {
    const out: { [key: string]: Value } = {};
    for (const [key, value] of parts) {
      const name = key(frame);
      if (typeof name !== 'string' && typeof name !== 'bigint') throw fail('Keys of a map must be texts.');
      const text = String(name);
      if (text === '__proto__') throw fail('`__proto__` is no key.');
      out[text] = value(frame);
    }
    return out;
  };
}

function buildCall(name: string, args: readonly ASTNode[], locals: readonly string[]): Run {
  if (name === 'has') return buildHas(args[0] as ASTNode, locals);
  return buildLibraryCall(
    name,
    false,
    args.map((arg) => build(arg, locals)),
  );
}

function buildHas(target: ASTNode, locals: readonly string[]): Run {
  if (target.op !== '.' && target.op !== '[]') return () => false;
  const container = build(target.args[0], locals);
  const key: Run =
    target.op === '.'
      ? (() => {
          const name = target.args[1];
          return () => name;
        })()
      : build(target.args[1], locals);
  return (frame) => {
    const value = container(frame);
    if (value === null) return false;
    const found = access(value, key(frame));
    return found instanceof OptionalValue ? found.value !== undefined : found !== undefined;
  };
}

function buildLibraryCall(name: string, method: boolean, args: Run[]): Run {
  const found = findFunction(name, method);
  if (found === undefined) throw fail(`There is no function ${name}.`);
  const { run } = found;
  return (frame) =>
    run(
      args.map((arg) => arg(frame)),
      frame,
    );
}

function buildMethod(
  name: string,
  receiver: ASTNode,
  args: readonly ASTNode[],
  locals: readonly string[],
): Run {
  if (receiver.op === 'id' && receiver.args === 'cel' && name === 'bind') return buildBind(args, locals);
  if (MACROS.has(name) && args.length >= 2) return buildMacro(name, receiver, args, locals);
  if (receiver.op === 'id' && !locals.includes(receiver.args)) {
    const namespaced = `${receiver.args}.${name}`;
    if (findFunction(namespaced, false) !== undefined)
      return buildLibraryCall(
        namespaced,
        false,
        args.map((arg) => build(arg, locals)),
      );
  }
  return buildLibraryCall(
    name,
    true,
    [receiver, ...args].map((part) => build(part, locals)),
  );
}

const nameOf = (node: ASTNode | undefined): string => (node?.op === 'id' ? node.args : '');

function buildBind([variable, value, body]: readonly ASTNode[], locals: readonly string[]): Run {
  const slot = locals.length;
  const bound = build(value as ASTNode, locals);
  const inner = build(body as ASTNode, [...locals, nameOf(variable)]);
  return (frame) => {
    frame.slots[slot] = bound(frame);
    return inner(frame);
  };
}

function buildMacro(
  name: string,
  receiver: ASTNode,
  [variable, ...rest]: readonly ASTNode[],
  locals: readonly string[],
): Run {
  const slot = locals.length;
  const range = build(receiver, locals);
  const inner = [...locals, nameOf(variable)];
  const [first, second] = rest.map((part) => build(part, inner)) as [Run, Run | undefined];
  const body = name === 'map' ? (second ?? first) : first;
  const condition = name === 'map' ? (second === undefined ? null : first) : null;
  return (frame) => {
    const items = walkable(range(frame), frame.meter);
    const each = <T>(visit: (item: Value) => T | undefined): T | undefined => {
      for (const item of items) {
        frame.slots[slot] = item;
        const done = visit(item);
        if (done !== undefined) return done;
      }
      return undefined;
    };
    const holds = () => truth(body(frame), name);
    if (name === 'exists' || name === 'all') return quantifier(name === 'exists', each, holds, frame.meter);
    if (name === 'exists_one') {
      let count = 0;
      each(() => void (holds() && count++));
      return count === 1;
    }
    const out: Value[] = [];
    each((item) => {
      if (name === 'filter') {
        if (holds()) out.push(item);
      } else if (condition === null || truth(condition(frame), name)) out.push(body(frame));
      return undefined;
    });
    return out;
  };
}

/** `exists` (decisive: true) and `all` (decisive: false): a deciding item makes errors of others irrelevant. */
function quantifier(
  decisive: boolean,
  each: (visit: () => true | undefined) => true | undefined,
  holds: () => boolean,
  meter: Meter,
): boolean {
  let failure: unknown;
  const decided = each(() => {
    try {
      return holds() === decisive ? true : undefined;
    } catch (error) {
      meter.overlook(error);
      failure ??= error;
      return undefined;
    }
  });
  if (decided) return decisive;
  if (failure !== undefined) throw failure;
  return !decisive;
}

function walkable(value: Value, meter: Meter): Value[] {
  const items = Array.isArray(value) ? value : isMap(value) ? Object.keys(value) : null;
  if (items === null) throw fail(`${typeName(value)} cannot be walked through; a list or a map is needed.`);
  if (items.length > EXPRESSION_LIMITS.listItems)
    throw fail(
      `A list of ${items.length} items is too long to walk through (${EXPRESSION_LIMITS.listItems}).`,
    );
  madeList(items.length, meter);
  return items;
}

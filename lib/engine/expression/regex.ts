import { fail, type Meter } from '@/lib/engine/expression/values';

/**
 * Regular expressions in time proportional to text × pattern (a Thompson automaton, as RE2 has): literals, `.`, classes,
 * `\d \w \s` and their opposites, groups, `|`, `* + ? {m,n}`, `^ $`. No back-references, no look-around.
 */
type Test = (code: number) => boolean;
type Node =
  | { kind: 'char'; test: Test }
  | { kind: 'start' | 'end' | 'empty' }
  | { kind: 'seq' | 'alt'; parts: Node[] }
  | { kind: 'repeat'; inner: Node; min: number; max: number };

type Instruction =
  | { op: 'char'; test: Test }
  | { op: 'split'; a: number; b: number }
  | { op: 'jump'; to: number }
  | { op: 'start' | 'end' | 'match' };

const MAX_PROGRAM = 2000;
const between =
  (low: number, high: number): Test =>
  (code) =>
    code >= low && code <= high;
const digit = between(48, 57);
const word: Test = (code) => digit(code) || between(65, 90)(code) || between(97, 122)(code) || code === 95;
const space: Test = (code) => code === 32 || between(9, 13)(code) || code === 160;
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);
const CLASSES: Record<string, Test> = {
  d: digit,
  D: not(digit),
  w: word,
  W: not(word),
  s: space,
  S: not(space),
};
const ESCAPES: Record<string, number> = { n: 10, r: 13, t: 9, f: 12, v: 11 };

class PatternParser {
  private at = 0;
  constructor(private readonly source: string) {}

  parse(): Node {
    const node = this.alternatives(0);
    if (this.at < this.source.length) throw fail('The pattern has a `)` too many.');
    return node;
  }

  private peek(): string {
    return this.source[this.at] ?? '';
  }

  private alternatives(depth: number): Node {
    if (depth > 20) throw fail('The pattern is nested too deep.');
    const parts = [this.sequence(depth)];
    while (this.peek() === '|') {
      this.at++;
      parts.push(this.sequence(depth));
    }
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'alt', parts };
  }

  private sequence(depth: number): Node {
    const parts: Node[] = [];
    while (this.at < this.source.length && this.peek() !== '|' && this.peek() !== ')')
      parts.push(this.repeated(this.atom(depth)));
    return { kind: 'seq', parts };
  }

  private repeated(inner: Node): Node {
    let node = inner;
    for (;;) {
      const bounds = this.bounds();
      if (bounds === null) return node;
      if (this.peek() === '?') this.at++;
      node = { kind: 'repeat', inner: node, min: bounds[0], max: bounds[1] };
    }
  }

  private bounds(): [number, number] | null {
    const char = this.peek();
    if (char === '*' || char === '+' || char === '?') {
      this.at++;
      return [char === '+' ? 1 : 0, char === '?' ? 1 : Number.POSITIVE_INFINITY];
    }
    const found = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.source.slice(this.at, this.at + 10));
    if (found === null) return null;
    this.at += found[0].length;
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]);
    if (max < min) throw fail('A repetition in the pattern counts backwards.');
    return [min, max];
  }

  private atom(depth: number): Node {
    const char = this.peek();
    this.at++;
    if (char === '(') {
      if (this.peek() === '?') {
        if (this.source[this.at + 1] !== ':') throw fail('The pattern uses a group that is not available.');
        this.at += 2;
      }
      const inner = this.alternatives(depth + 1);
      if (this.peek() !== ')') throw fail('The pattern lacks a `)`.');
      this.at++;
      return inner;
    }
    if (char === '[') return { kind: 'char', test: this.characterClass() };
    if (char === '.') return { kind: 'char', test: (code) => code !== 10 };
    if (char === '^') return { kind: 'start' };
    if (char === '$') return { kind: 'end' };
    if (char === '*' || char === '+' || char === '?') throw fail('The pattern repeats nothing.');
    return { kind: 'char', test: char === '\\' ? this.escape() : this.literal(char) };
  }

  private literal(char: string): Test {
    const wanted = char.charCodeAt(0);
    return (code) => code === wanted;
  }

  private escape(): Test {
    const char = this.peek();
    this.at++;
    const known = CLASSES[char];
    if (known !== undefined) return known;
    const control = ESCAPES[char];
    if (control !== undefined) return (code) => code === control;
    if (char === '' || /[A-Za-z0-9]/.test(char))
      throw fail(`The pattern uses \\${char}, which is not available.`);
    return this.literal(char);
  }

  private characterClass(): Test {
    const negated = this.peek() === '^';
    if (negated) this.at++;
    const tests: Test[] = [];
    let first = true;
    while (first || this.peek() !== ']') {
      if (this.at >= this.source.length) throw fail('The pattern lacks a `]`.');
      first = false;
      const char = this.peek();
      this.at++;
      if (char === '\\') {
        tests.push(this.escape());
        continue;
      }
      const next = this.source[this.at + 1];
      if (this.peek() === '-' && next !== undefined && next !== ']') {
        this.at += 2;
        tests.push(between(char.charCodeAt(0), next.charCodeAt(0)));
      } else tests.push(this.literal(char));
    }
    this.at++;
    const any: Test = (code) => tests.some((test) => test(code));
    return negated ? not(any) : any;
  }
}

function emit(node: Node, program: Instruction[]): void {
  if (program.length > MAX_PROGRAM) throw fail('The pattern is too large.');
  switch (node.kind) {
    case 'char':
      program.push({ op: 'char', test: node.test });
      return;
    case 'start':
    case 'end':
      program.push({ op: node.kind });
      return;
    case 'seq':
      for (const part of node.parts) emit(part, program);
      return;
    case 'alt':
      emitAlternatives(node.parts, program);
      return;
    case 'repeat':
      emitRepeat(node, program);
      return;
    default:
  }
}

function emitAlternatives(parts: Node[], program: Instruction[]): void {
  const jumps: number[] = [];
  parts.forEach((part, i) => {
    if (i === parts.length - 1) {
      emit(part, program);
      return;
    }
    const split = program.push({ op: 'split', a: 0, b: 0 }) - 1;
    emit(part, program);
    jumps.push(program.push({ op: 'jump', to: 0 }) - 1);
    program[split] = { op: 'split', a: split + 1, b: program.length };
  });
  for (const jump of jumps) program[jump] = { op: 'jump', to: program.length };
}

function emitRepeat(node: { inner: Node; min: number; max: number }, program: Instruction[]): void {
  for (let i = 0; i < node.min; i++) emit(node.inner, program);
  if (node.max === Number.POSITIVE_INFINITY) {
    const split = program.push({ op: 'split', a: 0, b: 0 }) - 1;
    emit(node.inner, program);
    program.push({ op: 'jump', to: split });
    program[split] = { op: 'split', a: split + 1, b: program.length };
    return;
  }
  const splits: number[] = [];
  for (let i = node.min; i < node.max; i++) {
    splits.push(program.push({ op: 'split', a: 0, b: 0 }) - 1);
    emit(node.inner, program);
  }
  for (const split of splits) program[split] = { op: 'split', a: split + 1, b: program.length };
}

/**
 * True when the pattern is found anywhere in the text. Throws EXPRESSION_FAILED for a pattern that is broken or too large.
 */
export function testPattern(pattern: string, text: string, meter: Meter): boolean {
  if (pattern.length > 1000) throw fail('The pattern is longer than 1,000 characters.');
  const program: Instruction[] = [];
  emit(new PatternParser(pattern).parse(), program);
  if (program.length > MAX_PROGRAM) throw fail('The pattern is too large.');
  program.push({ op: 'match' });
  let current: number[] = [];
  const marks = new Int32Array(program.length).fill(-1);
  for (let at = 0; at <= text.length; at++) {
    const next: number[] = [];
    // A new attempt starts at every position: the pattern may be found anywhere.
    const ready: number[] = [];
    for (const state of [...current, 0])
      if (follow(program, state, at, text.length, marks, ready)) return true;
    meter.charge(1 + 2 * ready.length);
    const code = text.charCodeAt(at);
    for (const state of ready) {
      const instruction = program[state] as Instruction;
      if (instruction.op === 'char' && at < text.length && instruction.test(code)) next.push(state + 1);
    }
    current = next;
  }
  return false;
}

/** Adds every state reachable without reading a character; true when the match is reached. */
function follow(
  program: Instruction[],
  start: number,
  at: number,
  length: number,
  marks: Int32Array,
  out: number[],
): boolean {
  const stack = [start];
  while (stack.length > 0) {
    const state = stack.pop() as number;
    if (marks[state] === at) continue;
    marks[state] = at;
    const instruction = program[state] as Instruction;
    if (instruction.op === 'match') return true;
    if (instruction.op === 'char') out.push(state);
    else if (instruction.op === 'jump') stack.push(instruction.to);
    else if (instruction.op === 'split') stack.push(instruction.b, instruction.a);
    else if (instruction.op === 'start' ? at === 0 : at === length) stack.push(state + 1);
  }
  return false;
}

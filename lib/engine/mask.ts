import { MASKED, pathSteps } from '@/lib/protocol/sensitive';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Shorter values are hidden where they are marked, but not searched for elsewhere: `1` or `no` is in every text. */
const LEAST = 4;
/** Longer values are searched for one by one: a pattern has to stay of a size that can be compiled. */
const LONG = 512;
const PATTERN = 16_384;

interface Step {
  next: Map<string, Step>;
  any?: Step;
  marked: boolean;
}

/** Places and keys that are sensitive, made ready for walking a value. */
export interface MaskRules {
  root: Step;
  /** In lower case. */
  keys: ReadonlySet<string>;
}

/** Parts that a tool's answer always has; see `toolOutput` of the engine host. */
const TOOL_PARTS = new Set(['content', 'isError', 'text', 'structuredContent', 'json']);
const STRUCTURED = ['json', 'structuredContent'];

/** Makes paths ready; null when there is nothing to hide. What is not a path is passed over. */
export function compileMaskRules(paths: readonly string[]): MaskRules | null {
  const root = emptyStep();
  const keys = new Set<string>();
  for (const path of paths) {
    const steps = pathSteps(path);
    if (steps === null) keys.add(path.replace(/^\*\./, '').toLowerCase());
    else for (const each of alike(steps)) mark(root, each);
  }
  return keys.size === 0 && root.next.size === 0 && root.any === undefined ? null : { root, keys };
}

/** A tool's structured answer lies in its output twice, and its fields may be named without saying where they lie. */
function alike(steps: string[]): string[][] {
  const [kind, id, side, first, ...rest] = steps;
  if (kind !== 'nodes' || side !== 'output' || id === undefined || first === undefined) return [steps];
  const inside = STRUCTURED.includes(first) ? rest : [first, ...rest];
  if (TOOL_PARTS.has(first) && !STRUCTURED.includes(first)) return [steps];
  return [steps, ...STRUCTURED.map((part) => [kind, id, side, part, ...inside])];
}

function emptyStep(): Step {
  return { next: new Map(), marked: false };
}

function mark(root: Step, steps: readonly string[]): void {
  let step = root;
  for (const name of steps) {
    let next = name === '*' ? step.any : step.next.get(name);
    if (next === undefined) {
      next = emptyStep();
      if (name === '*') step.any = next;
      else step.next.set(name, next);
    }
    step = next;
  }
  step.marked = true;
}

/** Where a walk is: every rule that may still fit, and whether one has. */
interface Place {
  steps: readonly Step[];
  marked: boolean;
}

function enter(rules: MaskRules, { steps, marked }: Place, name: string): Place {
  const next: Step[] = [];
  for (const step of steps) {
    const named = step.next.get(name);
    if (named !== undefined) next.push(named);
    if (step.any !== undefined) next.push(step.any);
  }
  return {
    steps: next,
    marked: marked || next.some((step) => step.marked) || rules.keys.has(name.toLowerCase()),
  };
}

function placeOf(rules: MaskRules, at: readonly string[]): Place {
  let place: Place = { steps: [rules.root], marked: rules.root.marked };
  for (const name of at) place = enter(rules, place, name);
  return place;
}

/** Adds every text and number that lies at a sensitive place of `value` to `into`; `at` says where the value itself lies. */
export function collectSensitive(
  rules: MaskRules,
  value: Json,
  at: readonly string[],
  into: Set<string>,
): void {
  gather(rules, value, placeOf(rules, at), into);
}

function gather(rules: MaskRules, value: Json, place: Place, into: Set<string>): void {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) gather(rules, item, enter(rules, place, String(i)), into);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) gather(rules, item, enter(rules, place, key), into);
  } else if (place.marked && (typeof value === 'string' || typeof value === 'number')) {
    const text = String(value);
    if (text.length >= LEAST) into.add(text);
  }
}

/** Hides what is sensitive in the data of one run: what lies at a marked place, and its values wherever else they turn up. */
export class Masker {
  private readonly rules: MaskRules;
  private readonly search: Search | null;

  constructor(
    rules: MaskRules | null,
    private readonly values: ReadonlySet<string>,
  ) {
    this.rules = rules ?? { root: emptyStep(), keys: new Set() };
    this.search = searchOf(values);
  }

  /** A value that lies at `at` (empty: at no place of its own), with everything sensitive replaced. */
  value(value: Json, at: readonly string[] = []): Json {
    const place = at.length === 0 ? { steps: [], marked: false } : placeOf(this.rules, at);
    return this.mask(value, place, at.at(-1) === 'output');
  }

  /** A text in which sensitive values are replaced. */
  text(text: string): string {
    if (this.search === null || text.length < LEAST) return text;
    let shown = text;
    for (const value of this.search.long)
      if (shown.length >= value.length) shown = shown.replaceAll(value, MASKED);
    for (const pattern of this.search.patterns) shown = shown.replace(pattern, MASKED);
    return shown;
  }

  /** True when this very text is a sensitive value. */
  holds(text: string): boolean {
    return this.values.has(text);
  }

  private mask(value: Json, place: Place, isOutput = false): Json {
    if (typeof value === 'string') return place.marked ? MASKED : this.text(value);
    if (typeof value === 'number')
      return place.marked || this.values.has(String(value)) ? `${MASKED} number` : value;
    if (typeof value === 'boolean') return place.marked ? `${MASKED} boolean` : value;
    if (Array.isArray(value))
      return value.map((item, i) => this.mask(item, enter(this.rules, place, String(i))));
    if (!isJsonObject(value)) return value;
    if (isOutput && !place.marked) return this.toolOutput(value, place);
    return this.object(value, place);
  }

  private object(value: JsonObject, place: Place): JsonObject {
    const out: JsonObject = {};
    for (const [key, item] of Object.entries(value)) {
      let name = this.text(key);
      // Two keys that look alike once they are masked are both shown.
      while (Object.hasOwn(out, name)) name += '•';
      out[name] = this.mask(item, enter(this.rules, place, key));
    }
    return out;
  }

  /** The texts of a tool's answer may repeat its structure as JSON: short values are hidden there by their place, too. */
  private toolOutput(value: JsonObject, place: Place): JsonObject {
    const inside = enter(this.rules, place, 'json');
    const out = this.object(value, place);
    if (inside.steps.length === 0 && this.rules.keys.size === 0) return out;
    if (typeof value.text === 'string') out.text = this.jsonText(value.text, inside) ?? out.text ?? null;
    if (Array.isArray(value.content) && Array.isArray(out.content)) {
      const shown = out.content;
      value.content.forEach((part, i) => {
        if (!isJsonObject(part) || typeof part.text !== 'string' || !isJsonObject(shown[i])) return;
        const text = this.jsonText(part.text, inside);
        if (text !== undefined) shown[i] = { ...shown[i], text };
      });
    }
    return out;
  }

  private jsonText(text: string, place: Place): string | undefined {
    if (!/^\s*[[{]/.test(text)) return undefined;
    try {
      return JSON.stringify(this.mask(JSON.parse(text) as Json, place));
    } catch {
      return undefined;
    }
  }
}

/** Texts to search for: short ones together in patterns of a bounded size, long ones (a whole document) one by one. */
interface Search {
  long: readonly string[];
  patterns: readonly RegExp[];
}

/** Values as they are and as JSON and URLs write them, the longest first: a shorter one may be part of a longer one. */
function searchOf(values: ReadonlySet<string>): Search | null {
  if (values.size === 0) return null;
  const forms = new Set<string>();
  for (const value of values) {
    forms.add(value);
    forms.add(JSON.stringify(value).slice(1, -1));
    // Halves of characters cannot be written in a URL.
    if (value.length <= LONG && !/\p{Surrogate}/u.test(value)) forms.add(encodeURIComponent(value));
  }
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  const patterns: RegExp[] = [];
  let part: string[] = [];
  let size = 0;
  const close = () => {
    if (part.length > 0) patterns.push(new RegExp(part.join('|'), 'g'));
    part = [];
    size = 0;
  };
  for (const form of sorted.filter((one) => one.length <= LONG)) {
    const escaped = form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    if (size + escaped.length > PATTERN) close();
    part.push(escaped);
    size += escaped.length;
  }
  close();
  return { long: sorted.filter((one) => one.length > LONG), patterns };
}

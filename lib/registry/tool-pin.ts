import type { Tool } from '@/lib/protocol/api';
import { canonicalJson, isJsonObject, type Json } from '@/lib/shared/json';

/** One difference inside a definition. `before` and `after` are undefined where the place did not exist. */
export interface FieldChange {
  /** JSON pointer into the definition: `/description`, `/inputSchema/properties/path/type`. */
  path: string;
  before?: Json;
  after?: Json;
}

/** What became of one tool. */
export interface ToolChange {
  tool: string;
  kind: 'added' | 'removed' | 'changed';
  fields: FieldChange[];
  /** The change as text, a line for each difference, for feeds and logs. */
  text: string;
}

/** Something in a definition that looks as if it were meant to steer a language model. */
export interface ToolFinding {
  tool: string;
  kind: 'hidden-text' | 'instruction' | 'cross-tool';
  /** JSON pointer to the text. */
  path: string;
  message: string;
  excerpt: string;
}

const MAX_TEXT = 160;

/** The text that stands for a definition: equal for equal definitions, whatever the order of their keys. */
export function toolText(tool: Tool): string {
  return canonicalJson(tool);
}

/** Differences between the accepted and the present definitions, by name of tool. */
export function diffTools(accepted: readonly Tool[], present: readonly Tool[]): ToolChange[] {
  const before = new Map(accepted.map((tool) => [tool.name, tool]));
  const after = new Map(present.map((tool) => [tool.name, tool]));
  const changes: ToolChange[] = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const old = before.get(name);
    const now = after.get(name);
    if (old === undefined) changes.push({ tool: name, kind: 'added', fields: [], text: `+ tool ${name}` });
    else if (now === undefined)
      changes.push({ tool: name, kind: 'removed', fields: [], text: `- tool ${name}` });
    else {
      const fields: FieldChange[] = [];
      compare(old as unknown as Json, now as unknown as Json, '', fields);
      if (fields.length > 0)
        changes.push({ tool: name, kind: 'changed', fields, text: describe(name, fields) });
    }
  }
  return changes;
}

function compare(before: Json | undefined, after: Json | undefined, path: string, into: FieldChange[]): void {
  if (before === undefined || after === undefined) {
    if (before !== after) {
      into.push({
        path,
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
      });
    }
    return;
  }
  if (isJsonObject(before) && isJsonObject(after)) {
    for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
      compare(ownValue(before, key), ownValue(after, key), `${path}/${pointerPart(key)}`, into);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    before.forEach((item, index) => {
      compare(item, after[index], `${path}/${index}`, into);
    });
    return;
  }
  if (canonicalJson(before) !== canonicalJson(after)) into.push({ path, before, after });
}

function ownValue(object: { [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function describe(name: string, fields: readonly FieldChange[]): string {
  const lines = [`~ tool ${name}`];
  for (const { path, before, after } of fields) {
    if (before !== undefined) lines.push(`  - ${path}: ${shown(before)}`);
    if (after !== undefined) lines.push(`  + ${path}: ${shown(after)}`);
  }
  return lines.join('\n');
}

function shown(value: Json): string {
  const text = visible(JSON.stringify(value));
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

/**
 * Characters that a reader does not see but a model does: zero-width and directional marks, tag characters, variation
 * selectors beyond those of emoji, private use. Soft hyphen and the byte order mark as well.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each of these characters is meant by itself.
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ue000-\uf8ff]|[\u{e0000}-\u{e0fff}]|[\u{f0000}-\u{10ffff}]/gu;

/** The text with every hidden character written as its number. */
function visible(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Phrases that address the model or ask for secrecy: no description of a tool needs them. */
const INSTRUCTIONS: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /\b(ignore|disregard|forget)\b.{0,40}\b(previous|prior|above|earlier|other)\b.{0,30}\b(instruction|prompt|rule|message)/is,
    'tells the model to ignore instructions',
  ],
  [
    /\b(do not|don't|never|without)\s+(tell|mention|inform|telling|mentioning|informing|notifying|show|reveal)\b.{0,30}\b(the\s+)?user/is,
    'asks to keep something from the user',
  ],
  [
    /<\s*\/?\s*(important|system|instructions?|secret|hidden|admin)\s*>/i,
    'uses markup that poses as instructions',
  ],
  [
    /\b(system prompt|developer message|you are now|as an ai (model|assistant)|assistant must)\b/i,
    'addresses the model',
  ],
  [
    /(~|\$home|%userprofile%)?[\\/]\.(ssh|aws|gnupg|kube|netrc|npmrc)\b|\bid_(rsa|ed25519)\b|\.env\b.{0,40}\b(read|send|include|content)/i,
    'names files with credentials',
  ],
  [
    /\b(exfiltrat|send|upload|post|forward|pass)\w*\b.{0,60}\b(api[ _-]?keys?|credentials?|passwords?|access tokens?|conversation|chat history)\b/is,
    'asks to pass on secrets',
  ],
];

/** Words before the name of another tool that make the description steer its use. */
const STEERING =
  /\b(before|instead of|whenever|always|must|first|rather than|do not use|don't use|replaces?|overrides?)\b/i;

/**
 * Looks through the texts of a definition. A finding is a reason to look, not a verdict.
 *
 * @param otherTools names of tools of other servers (and of the same one) that the text should not steer
 */
export function inspectTool(tool: Tool, otherTools: readonly string[] = []): ToolFinding[] {
  const findings: ToolFinding[] = [];
  const add = (kind: ToolFinding['kind'], path: string, message: string, text: string, at: number): void => {
    const excerpt = visible(text.slice(Math.max(0, at - 30), at + 90)).trim();
    findings.push({ tool: tool.name, kind, path, message, excerpt });
  };
  for (const { path, text } of textsOf(tool as unknown as Json, '')) {
    const hidden = text.match(HIDDEN);
    // A single zero-width joiner belongs to many emoji and to some scripts: only more than that is suspicious.
    if (hidden !== null && !(hidden.length <= 2 && hidden.every((character) => character === '\u200d'))) {
      add(
        'hidden-text',
        path,
        `holds ${hidden.length} characters that cannot be seen`,
        text,
        text.search(HIDDEN),
      );
    }
    const plain = text.replace(HIDDEN, '');
    for (const [pattern, message] of INSTRUCTIONS) {
      const found = pattern.exec(plain);
      if (found !== null) add('instruction', path, message, plain, found.index);
    }
    for (const other of otherTools) {
      if (other === tool.name || other.length < 5 || !/[_\-.A-Z]/.test(other.slice(1))) continue;
      const at = plain.indexOf(other);
      if (at >= 0 && STEERING.test(plain.slice(Math.max(0, at - 80), at + other.length + 80))) {
        add('cross-tool', path, `steers the use of the tool ${other}`, plain, at);
      }
    }
  }
  return findings;
}

/** Every text of a definition that a model gets to read: descriptions, titles, names of fields, examples. */
function textsOf(value: Json, path: string): Array<{ path: string; text: string }> {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsOf(item, `${path}/${index}`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const at = `${path}/${pointerPart(key)}`;
    const hiddenKey = HIDDEN.test(key);
    HIDDEN.lastIndex = 0;
    return [...(hiddenKey ? [{ path: at, text: key }] : []), ...textsOf(inner, at)];
  });
}

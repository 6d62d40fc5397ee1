import type { Shortcut } from '@/lib/keyboard/shortcuts';

/** What a key event must tell; a DOM KeyboardEvent fits. */
export interface KeyInput {
  key: string;
  ctrlKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  /** True while the key is held down and repeats. */
  repeat: boolean;
  /** True while an input method composes a character. */
  isComposing: boolean;
}

/** Where the key was pressed, and what the user has switched off. */
export interface KeyContext {
  /** True when the focus is in a text field. */
  inText: boolean;
  /** True when the focus is on a button, link or tab, which Space and Enter operate. */
  onControl: boolean;
  /** False when single-character keys are switched off (WCAG 2.1.4). */
  singleKeys: boolean;
}

/** A chord taken apart. `key` is lower case: `c`, `f5`, `escape`, `?`. */
export interface Chord {
  key: string;
  ctrl: boolean;
  shift: boolean;
  alt: boolean;
  meta: boolean;
}

const NAMES: Record<string, string> = {
  ' ': 'space',
  esc: 'escape',
  arrowup: 'up',
  arrowdown: 'down',
  arrowleft: 'left',
  arrowright: 'right',
};

/** `Ctrl+Shift+C` → its parts. @throws RangeError when there is no key or more than one. */
export function parseChord(text: string): Chord {
  const chord: Chord = { key: '', ctrl: false, shift: false, alt: false, meta: false };
  for (const raw of text.toLowerCase().split('+')) {
    if (raw === 'ctrl' || raw === 'shift' || raw === 'alt' || raw === 'meta') chord[raw] = true;
    else if (chord.key === '' && raw !== '') chord.key = NAMES[raw] ?? raw;
    else throw new RangeError(`Not a chord: ${text}`);
  }
  if (chord.key === '') throw new RangeError(`Not a chord: ${text}`);
  return chord;
}

/** The name that chords use for a pressed key. */
export function keyName(key: string): string {
  const lower = key.toLowerCase();
  return NAMES[lower] ?? lower;
}

/** True for a chord of one bare printable character: those can be switched off. */
export function isSingleKey(chord: Chord): boolean {
  return (chord.key.length === 1 || chord.key === 'space') && !chord.ctrl && !chord.alt && !chord.meta;
}

/** True when the pressed key is the chord. Shift is not asked for a symbol such as `?`, which needs it anyway. */
function chordMatches(chord: Chord, input: KeyInput): boolean {
  if (keyName(input.key) !== chord.key) return false;
  if (input.ctrlKey !== chord.ctrl || input.altKey !== chord.alt || input.metaKey !== chord.meta)
    return false;
  const symbol = chord.key.length === 1 && !/[a-z0-9]/.test(chord.key);
  return symbol || input.shiftKey === chord.shift;
}

/** True when a chord may act here: bare characters belong to the text field, if there is one. */
function chordAllowed(chord: Chord, context: KeyContext): boolean {
  if (!isSingleKey(chord)) return true;
  if (chord.key === 'space' && context.onControl) return false;
  return context.singleKeys && !context.inText;
}

/**
 * The first shortcut that the pressed key means here, or undefined. Held keys and keys that belong to an
 * input method never match, so that a held F5 is one refresh and not forty.
 */
export function matchShortcut<T extends Shortcut>(
  shortcuts: readonly T[],
  input: KeyInput,
  context: KeyContext,
): T | undefined {
  if (input.repeat || input.isComposing) return undefined;
  return shortcuts.find((entry) =>
    entry.keys.some((text) => {
      const chord = parseChord(text);
      return chordMatches(chord, input) && chordAllowed(chord, context);
    }),
  );
}

const LABELS: Record<string, string> = {
  escape: 'Esc',
  space: 'Space',
  enter: 'Enter',
  up: '↑',
  down: '↓',
  left: '←',
  right: '→',
  home: 'Home',
  end: 'End',
  pageup: 'PgUp',
  pagedown: 'PgDn',
};

/** A chord as it is printed on a key cap: `ctrl+f` → `Ctrl+F`, `escape` → `Esc`. */
export function chordLabel(text: string): string {
  const chord = parseChord(text);
  const parts: string[] = [];
  if (chord.ctrl) parts.push('Ctrl');
  if (chord.alt) parts.push('Alt');
  if (chord.shift) parts.push('Shift');
  if (chord.meta) parts.push('Meta');
  const bare = parts.length === 0 && /^[a-z]$/.test(chord.key);
  parts.push(LABELS[chord.key] ?? (bare ? chord.key : chord.key.toUpperCase()));
  return parts.join('+');
}
